package adapter

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// movedInbound is a fact about goods of a delivery that go from one place or status to another.
type movedInbound interface {
	GetKeys() *imv1.InboundDeliveryKeys
	GetMoves() []*imv1.InboundMove
	GetEventTime() *timestamppb.Timestamp
}

func inboundState(s domain.InboundState) imv1.InboundDeliveryState {
	return imv1.InboundDeliveryState(imv1.InboundDeliveryState_value["INBOUND_DELIVERY_STATE_"+string(s)])
}

func discrepancy(t domain.DiscrepancyType) imv1.DiscrepancyType {
	return imv1.DiscrepancyType(imv1.DiscrepancyType_value["DISCREPANCY_TYPE_"+string(t)])
}

func fromDiscrepancy(t imv1.DiscrepancyType) domain.DiscrepancyType {
	return domain.DiscrepancyType(protovalue.Name(t, "DISCREPANCY_TYPE_"))
}

func overDecision(d domain.OverDecision) imv1.OverReceiptDecision {
	return imv1.OverReceiptDecision(imv1.OverReceiptDecision_value["OVER_RECEIPT_DECISION_"+string(d)])
}

func fromOverDecision(d imv1.OverReceiptDecision) domain.OverDecision {
	return domain.OverDecision(protovalue.Name(d, "OVER_RECEIPT_DECISION_"))
}

func inboundKeys(k domain.InboundKeys) *imv1.InboundDeliveryKeys {
	return &imv1.InboundDeliveryKeys{
		InboundDeliveryId: k.ID, AsnNumber: k.ASN, PurchaseOrder: k.PurchaseOrder, Supplier: k.Supplier, Site: k.Site, Owner: k.Owner,
	}
}

func fromInboundKeys(k *imv1.InboundDeliveryKeys) domain.InboundKeys {
	return domain.InboundKeys{
		ID: k.GetInboundDeliveryId(), ASN: k.GetAsnNumber(), PurchaseOrder: k.GetPurchaseOrder(), Supplier: k.GetSupplier(),
		Site: k.GetSite(), Owner: k.GetOwner(),
	}
}

func announcedLine(l domain.InboundLine) *imv1.AnnouncedLine {
	return &imv1.AnnouncedLine{
		LineNumber: int32(l.Number), ItemId: l.Item, Sku: l.SKU, Quantity: amount(l.Announced, l.Unit), Lot: l.Lot, ExpiryDate: l.Expiry,
		OverTolerancePercent: l.Percent, OverTolerance: l.Tolerance.String(), InspectionRequired: l.Inspect,
	}
}

func fromAnnouncedLine(m *imv1.AnnouncedLine) (domain.InboundLine, error) {
	q, err := protovalue.StoredQuantity(m.GetQuantity())
	if err != nil {
		return domain.InboundLine{}, err
	}
	over, err := quantity.Parse(m.GetOverTolerance())
	return domain.InboundLine{
		Number: int(m.GetLineNumber()), Item: m.GetItemId(), SKU: m.GetSku(), Unit: q.Unit, Announced: q.Value, Lot: m.GetLot(),
		Expiry: m.GetExpiryDate(), Percent: m.GetOverTolerancePercent(), Tolerance: over, Inspect: m.GetInspectionRequired(),
	}, err
}

func inboundUnit(u domain.InboundUnit) *imv1.AsnUnit {
	return &imv1.AsnUnit{Sscc: u.SSCC, Contents: protovalue.Each(u.Contents, func(c domain.UnitContent) *imv1.AsnUnitContent {
		return &imv1.AsnUnitContent{LineNumber: int32(c.Line), Quantity: amount(c.Quantity, c.Unit)}
	})}
}

func fromInboundUnit(m *imv1.AsnUnit) (domain.InboundUnit, error) {
	contents, err := protovalue.TryEach(m.GetContents(), func(c *imv1.AsnUnitContent) (domain.UnitContent, error) {
		q, err := protovalue.StoredQuantity(c.GetQuantity())
		return domain.UnitContent{Line: int(c.GetLineNumber()), Quantity: q.Value, Unit: q.Unit}, err
	})
	return domain.InboundUnit{SSCC: m.GetSscc(), Contents: contents}, err
}

func inboundMove(m domain.InboundMove) *imv1.InboundMove {
	return &imv1.InboundMove{
		TaskNumber: int32(m.Task), LineNumber: int32(m.Line), ItemId: m.Item, Sku: m.SKU, From: place(m.From), To: place(m.To),
		Quantity: amount(m.Quantity, m.Unit), ProposedLocation: m.Proposed, Rule: m.Rule,
	}
}

func fromInboundMove(m *imv1.InboundMove) (domain.InboundMove, error) {
	q, err := protovalue.StoredQuantity(m.GetQuantity())
	return domain.InboundMove{
		Task: int(m.GetTaskNumber()), Line: int(m.GetLineNumber()), Item: m.GetItemId(), SKU: m.GetSku(), Unit: q.Unit,
		From: fromPlace(m.GetFrom()), To: fromPlace(m.GetTo()), Quantity: q.Value, Proposed: m.GetProposedLocation(), Rule: m.GetRule(),
	}, err
}

// inboundDelivery is a delivery as people read it, in lists.
func inboundDelivery(v store.View[domain.Inbound]) *imv1.InboundDelivery {
	return plannedDelivery(v, domain.PutawayPlan{})
}

// plannedDelivery is a delivery as people read it, with where its goods are to go by the plan.
func plannedDelivery(v store.View[domain.Inbound], plan domain.PutawayPlan) *imv1.InboundDelivery {
	d := v.State
	m := &imv1.InboundDelivery{
		InboundDeliveryId: v.ID, State: inboundState(d.State()), AsnNumber: d.Keys.ASN, PurchaseOrder: d.Keys.PurchaseOrder,
		Supplier: d.Keys.Supplier, Site: d.Keys.Site, Owner: d.Keys.Owner, ExpectedTime: protovalue.Time(d.Expected),
		ArrivedTime: protovalue.Time(d.ArrivedAt), Dock: d.Dock, Etag: v.ETag, CreateTime: protovalue.Time(v.Created),
		Lines: protovalue.Each(d.Lines, inboundLine),
	}
	m.Overrides = protovalue.Each(d.Overrides, putawayOverride)
	for _, s := range d.Standings {
		m.Standings = append(m.Standings, inboundStanding(d, s, plan))
	}
	for _, u := range d.Units {
		if !u.Received {
			m.OpenSsccs = append(m.OpenSsccs, u.SSCC)
		}
	}
	return m
}

func inboundLine(l domain.InboundLine) *imv1.InboundDeliveryLine {
	return &imv1.InboundDeliveryLine{
		LineNumber: int32(l.Number), ItemId: l.Item, Sku: l.SKU, Announced: amount(l.Announced, l.Unit), Received: amount(l.Received, l.Unit),
		Over: amount(l.Over, l.Unit), Cancelled: amount(l.Cancelled, l.Unit), Open: amount(l.Open(), l.Unit), Lot: l.Lot, ExpiryDate: l.Expiry,
		OverTolerancePercent: l.Percent, InspectionRequired: l.Inspect, InsteadOfLineNumber: int32(l.InsteadOf),
		Discrepancies: protovalue.Each(l.Discrepancies, func(x domain.ReceiptDifference) *imv1.Discrepancy {
			return &imv1.Discrepancy{Type: discrepancy(x.Type), Quantity: amount(x.Quantity, l.Unit)}
		}),
	}
}
