package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

func status(s domain.Status) imv1.StockStatus {
	return imv1.StockStatus(imv1.StockStatus_value["STOCK_STATUS_"+string(s)])
}

func fromStatus(s imv1.StockStatus) domain.Status {
	return domain.Status(protovalue.Name(s, "STOCK_STATUS_"))
}

func movement(t domain.MovementType) imv1.MovementType {
	return imv1.MovementType(imv1.MovementType_value["MOVEMENT_TYPE_"+string(t)])
}

func fromMovement(t imv1.MovementType) domain.MovementType {
	return domain.MovementType(protovalue.Name(t, "MOVEMENT_TYPE_"))
}

func orderState(s domain.OrderState) imv1.WarehouseOrderState {
	return imv1.WarehouseOrderState(imv1.WarehouseOrderState_value["WAREHOUSE_ORDER_STATE_"+string(s)])
}

func contradicts(c domain.Contradicts) imv1.ContradictionReason {
	return imv1.ContradictionReason(imv1.ContradictionReason_value["CONTRADICTION_REASON_"+string(c)])
}

func fromContradicts(c imv1.ContradictionReason) domain.Contradicts {
	return domain.Contradicts(protovalue.Name(c, "CONTRADICTION_REASON_"))
}

func reportKind(k domain.ReportKind) imv1.WarehouseReport {
	return imv1.WarehouseReport(imv1.WarehouseReport_value["WAREHOUSE_REPORT_"+string(k)])
}

func fromReportKind(k imv1.WarehouseReport) domain.ReportKind {
	return domain.ReportKind(protovalue.Name(k, "WAREHOUSE_REPORT_"))
}

func shortReason(damaged bool) imv1.ShortReason {
	if damaged {
		return imv1.ShortReason_SHORT_REASON_DAMAGED
	}
	return imv1.ShortReason_SHORT_REASON_MISSING
}

func stockKey(k domain.StockKey) *imv1.StockKey {
	return &imv1.StockKey{StockId: k.ID, Site: k.Site, ItemId: k.Item, Sku: k.SKU, Owner: k.Owner, Unit: k.Unit}
}

func fromStockKey(k *imv1.StockKey) domain.StockKey {
	return domain.StockKey{ID: k.GetStockId(), Site: k.GetSite(), Item: k.GetItemId(), SKU: k.GetSku(), Owner: k.GetOwner(), Unit: k.GetUnit()}
}

func place(p domain.Place) *imv1.Place {
	return &imv1.Place{Location: p.Location, Lot: p.Lot, ExpiryDate: p.Expiry, Status: status(p.Status), Serial: p.Serial}
}

func fromPlace(p *imv1.Place) domain.Place {
	return domain.Place{Location: p.GetLocation(), Lot: p.GetLot(), Serial: p.GetSerial(), Expiry: p.GetExpiryDate(), Status: fromStatus(p.GetStatus())}
}

func claimUse(c domain.Claim) *imv1.ClaimUse {
	return &imv1.ClaimUse{ClaimKey: c.Key, Quantity: c.Quantity.String()}
}

func fromClaimUse(c *imv1.ClaimUse) (domain.Claim, error) {
	d, err := quantity.Parse(c.GetQuantity())
	return domain.Claim{Key: c.GetClaimKey(), Quantity: d}, err
}

// amount is a quantity on the wire, 0 included.
func amount(d quantity.Decimal, unit string) *commonv1.Quantity {
	return &commonv1.Quantity{Value: d.String(), Unit: unit}
}

func orderKeys(k domain.OrderKeys) *imv1.WarehouseOrderKeys {
	return &imv1.WarehouseOrderKeys{
		WarehouseOrderId: k.ID, OrderId: k.Order, OrderNumber: k.OrderNumber, ReleaseId: k.Release, ReleaseVersion: int32(k.ReleaseVersion),
	}
}

func fromOrderKeys(k *imv1.WarehouseOrderKeys) domain.OrderKeys {
	return domain.OrderKeys{
		ID: k.GetWarehouseOrderId(), Order: k.GetOrderId(), OrderNumber: k.GetOrderNumber(), Release: k.GetReleaseId(), ReleaseVersion: int(k.GetReleaseVersion()),
	}
}

func pickedLine(l domain.PickedLine) *imv1.WarehouseLineQuantity {
	m := &imv1.WarehouseLineQuantity{
		LineNumber: int32(l.Line), Quantity: amount(l.Quantity, l.Unit), Sku: l.SKU, Location: l.Location, Lot: l.Lot, ItemId: l.Item,
	}
	if l.Serial != "" {
		m.Serials = []string{l.Serial}
	}
	return m
}

// pickedLines are lines as they are stored and shown: pieces that stand beside each other and are
// alike but for their serial numbers are one line of so many.
func pickedLines(lines []domain.PickedLine) []*imv1.WarehouseLineQuantity {
	var out []*imv1.WarehouseLineQuantity
	for i := 0; i < len(lines); {
		m, like := pickedLine(lines[i]), lines[i]
		for i++; i < len(lines) && like.Serial != ""; i++ {
			if like.Serial = lines[i].Serial; like != lines[i] || like.Serial == "" {
				break
			}
			m.Serials = append(m.Serials, like.Serial)
		}
		if n := len(m.GetSerials()); n > 1 {
			m.Quantity = amount(quantity.Int(int64(n)), like.Unit)
		}
		out = append(out, m)
	}
	return out
}

// fromPickedLines reads stored lines, a piece with a serial number as one of its own.
func fromPickedLines(list []*imv1.WarehouseLineQuantity) ([]domain.PickedLine, error) {
	var out []domain.PickedLine
	for _, m := range list {
		q, err := protovalue.StoredQuantity(m.GetQuantity())
		if err != nil {
			return nil, err
		}
		out = append(out, pieces(domain.PickedLine{
			Line: int(m.GetLineNumber()), Item: m.GetItemId(), SKU: m.GetSku(), Location: m.GetLocation(), Lot: m.GetLot(),
			Quantity: q.Value, Unit: q.Unit,
		}, m.GetSerials())...)
	}
	return out, nil
}

// pieces are the pieces that a line names, or the line as it is.
func pieces(l domain.PickedLine, serials []string) []domain.PickedLine {
	if len(serials) == 0 {
		return []domain.PickedLine{l}
	}
	out := make([]domain.PickedLine, len(serials))
	for i, n := range serials {
		out[i] = l
		out[i].Serial, out[i].Quantity = n, domain.One
	}
	return out
}

func task(t domain.Task) *imv1.PickTask {
	return &imv1.PickTask{LineNumber: int32(t.Line), Sku: t.SKU, Location: t.Location, Lot: t.Lot, Serial: t.Serial, Quantity: amount(t.Quantity, t.Unit)}
}

func fromTask(t *imv1.PickTask) (domain.Task, error) {
	q, err := protovalue.StoredQuantity(t.GetQuantity())
	return domain.Task{
		Line: int(t.GetLineNumber()), SKU: t.GetSku(), Location: t.GetLocation(), Lot: t.GetLot(), Serial: t.GetSerial(), Quantity: q.Value, Unit: q.Unit,
	}, err
}

func releaseReason(r domain.ReleaseReason) imv1.ReleaseReason {
	return imv1.ReleaseReason(imv1.ReleaseReason_value["RELEASE_REASON_"+string(r)])
}

func fromReleaseReason(r imv1.ReleaseReason) domain.ReleaseReason {
	if r == 0 {
		return ""
	}
	return domain.ReleaseReason(protovalue.Name(r, "RELEASE_REASON_"))
}

func shortage(l domain.Lack) *imv1.AllocationShortage {
	return &imv1.AllocationShortage{
		LineNumber: int32(l.Line), Quantity: amount(l.Quantity, l.Unit),
		Reason: imv1.ShortageReason(imv1.ShortageReason_value["SHORTAGE_REASON_"+l.Reason]),
	}
}

func fromShortage(m *imv1.AllocationShortage) (domain.Lack, error) {
	q, err := protovalue.StoredQuantity(m.GetQuantity())
	return domain.Lack{Line: int(m.GetLineNumber()), Quantity: q.Value, Unit: q.Unit, Reason: protovalue.Name(m.GetReason(), "SHORTAGE_REASON_")}, err
}

func carton(c domain.Carton) *imv1.Carton {
	return &imv1.Carton{
		Sscc: c.SSCC, GrossWeightGrams: c.Weight, Lines: pickedLines(c.Lines), Packaging: packagingIfAny(c.Packaging),
	}
}

func fromCarton(c *imv1.Carton) (domain.Carton, error) {
	lines, err := fromPickedLines(c.GetLines())
	return domain.Carton{SSCC: c.GetSscc(), Weight: c.GetGrossWeightGrams(), Lines: lines, Packaging: fromPackagingIfAny(c.GetPackaging())}, err
}

func address(a domain.Address) *commonv1.Address {
	return &commonv1.Address{Name: a.Name, Lines: a.Lines, City: a.City, Region: a.Region, PostalCode: a.PostalCode, Country: a.Country}
}

func fromAddress(a *commonv1.Address) domain.Address {
	return domain.Address{
		Name: a.GetName(), Lines: a.GetLines(), City: a.GetCity(), Region: a.GetRegion(), PostalCode: a.GetPostalCode(), Country: a.GetCountry(),
	}
}
