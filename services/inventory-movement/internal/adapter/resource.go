package adapter

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

func stock(v store.View[domain.Stock]) *imv1.Stock {
	k := v.State.Key
	return &imv1.Stock{
		StockId: v.ID, Site: k.Site, ItemId: k.Item, Sku: k.SKU, Owner: k.Owner, Etag: v.ETag,
		Rows:         protovalue.Each(v.State.Rows, func(r domain.Row) *imv1.StockRow { return stockRow(r, k.Unit) }),
		Observations: protovalue.Each(v.State.Heard, protovalue.ForeignWord),
	}
}

func availability(s domain.Stock, f domain.Figures) *imv1.Availability {
	return &imv1.Availability{
		Site: s.Key.Site, ItemId: s.Key.Item, OnHand: amount(f.OnHand, s.Key.Unit), Allocated: amount(f.Allocated, s.Key.Unit),
		Promised: amount(f.Promised, s.Key.Unit), AvailableToPromise: amount(f.ATP, s.Key.Unit), Kept: amount(f.Kept, s.Key.Unit),
	}
}

func warehouseOrder(v store.View[domain.WarehouseOrder]) *imv1.WarehouseOrder {
	o := v.State
	return &imv1.WarehouseOrder{
		WarehouseOrderId: v.ID, State: orderState(o.State()), OrderId: o.Keys.Order, OrderNumber: o.Keys.OrderNumber,
		ReleaseId: o.Keys.Release, ReleaseVersion: int32(o.Keys.ReleaseVersion), Site: o.Site, Owner: o.Owner, ShipTo: address(o.ShipTo),
		CarrierPreference: o.Carrier, ServiceLevel: o.Service, Tasks: protovalue.Each(o.Tasks, task), Cartons: protovalue.Each(o.Cartons, carton),
		Etag: v.ETag, CreateTime: protovalue.Time(v.Created), Shortages: protovalue.Each(o.Lacks, shortage),
		Contradictions: protovalue.Each(o.Contradictions, contradiction), ContradictionCount: int32(o.Contradicted), Stopped: o.IsStopped,
		WaveId: o.Wave, AmendedVersion: int32(o.Current()), Observations: protovalue.Each(o.Heard, protovalue.ForeignWord),
		Reversal:    goodsIssueReversal(o.Reversal),
		IssuedSsccs: protovalue.Each(o.Left, func(l domain.IssuedCarton) string { return l.SSCC }),
		Lines: protovalue.Each(o.Lines, func(l domain.OrderLine) *imv1.WarehouseOrderLine {
			unit := l.Quantity.Unit
			return &imv1.WarehouseOrderLine{
				LineNumber: int32(l.Number), ItemId: l.Item, Sku: l.SKU, Quantity: protovalue.Quantity(l.Quantity),
				Allocated: amount(l.Allocated, unit), Picked: amount(l.Picked, unit), Short: amount(l.Short, unit), Packed: amount(l.Packed, unit),
				PutBack: amount(l.PutBack, unit), Issued: amount(l.Issued, unit),
			}
		}),
	}
}

func contradiction(c domain.Contradiction) *imv1.WarehouseContradiction {
	m := &imv1.WarehouseContradiction{
		Reason: contradicts(c.Reason), Report: reportKind(c.Report), Line: pickedLine(c.Line), EventTime: protovalue.Time(c.At),
		ReportedBy: c.By, Source: guard.SourceProto(c.Source),
	}
	if c.Report == domain.ShortReport {
		m.ShortReason = shortReason(c.Damaged)
	}
	return m
}

// stockCommit is one commit of a stock as people read it.
func stockCommit(c store.Commit[domain.StockFact]) *imv1.StockCommit {
	return &imv1.StockCommit{
		Version: int64(c.Version), RecordedTime: protovalue.Time(c.Recorded), Principal: c.Principal, Facts: protovalue.Each(c.Facts, told),
	}
}

// told is a fact in one line.
func told(f domain.StockFact) string {
	switch f := f.(type) {
	case domain.StockMoved:
		text := fmt.Sprintf("%s %s %s from %s to %s", f.Type, f.Quantity, f.Unit, where(f.From), where(f.To))
		for _, more := range [][2]string{{"for", f.Order}, {"of", f.RMA}, {"by", f.Count}, {"by", f.Transfer}, {"because", f.Reason}} {
			if more[1] != "" {
				text += " " + more[0] + " " + more[1]
			}
		}
		if r := f.Reverses; r != (domain.MoveRef{}) {
			text += fmt.Sprintf(" reversing %d.%d", r.Version, r.Index)
		}
		return text
	case domain.SerialClaimVoided:
		return fmt.Sprintf("SERIAL NUMBER %s given up: it does not come by claim %d", f.Serial, f.Claim)
	case domain.ReturnReceived:
		return fmt.Sprintf("RETURNED %s %s of %s line %d", f.Quantity, f.Unit, f.RMA, f.RMALine)
	case domain.StockReserved:
		text := fmt.Sprintf("RESERVED %s %s for %s", f.Quantity, f.Unit, f.Claim.Key)
		if f.Expires != 0 {
			text += " until " + time.UnixMilli(f.Expires).UTC().Format(time.RFC3339)
		}
		return text
	case domain.ReservationReleased:
		text := fmt.Sprintf("RELEASED %s %s of %s", f.Quantity, f.Unit, f.Claim.Key)
		if f.Reason == domain.Expired || f.Reason == domain.Displaced {
			text += " because " + string(f.Reason)
		}
		if f.By != "" {
			text += " by " + f.By
		}
		return text
	case domain.ReservationConfirmed:
		return fmt.Sprintf("CONFIRMED %s %s for %s", f.Quantity, f.Unit, f.Claim.Key)
	case domain.StockAllocated:
		parts := make([]string, len(f.Parts))
		for i, p := range f.Parts {
			parts[i] = fmt.Sprintf("%s %s at %s", p.Quantity, f.Unit, where(p.Place))
		}
		return fmt.Sprintf("ALLOCATED %s to %s line %d", strings.Join(parts, ", "), f.Order, f.Line)
	case domain.StockWordObserved:
		return fmt.Sprintf("OBSERVED %s by %s, which %s owns: %s", f.Word.Command, f.Word.System, f.Word.Owner, f.Word.Said)
	case domain.AllocationFreed:
		return fmt.Sprintf("FREED %s %s of %s", f.Quantity, f.Unit, f.Order)
	}
	return tellSupply(f)
}

func where(p domain.Place) string {
	text := p.Location
	if p.Lot != "" {
		text += " lot " + p.Lot
	}
	if p.Serial != "" {
		text += " serial " + p.Serial
	}
	if p.Status != domain.Available {
		text += " " + string(p.Status)
	}
	return text
}

// defaultPage is how many movements a page has when the caller does not say.
const defaultPage = 50

func pageSize(n int32) int {
	if n == 0 {
		return defaultPage
	}
	return int(n)
}

// A page token of movements is the last version of the page. It may be read and written:
// it opens nothing but the stock that the request names.
func pageToken(after uint64) string {
	if after == 0 {
		return ""
	}
	return strconv.FormatUint(after, 10)
}

func fromPageToken(token string) (uint64, error) {
	if token == "" {
		return 0, nil
	}
	after, err := strconv.ParseUint(token, 10, 64)
	if err != nil {
		return 0, domain.Invalid("page_token", "PAGE_TOKEN_INVALID", "it is not one that this method gave out")
	}
	return after, nil
}
