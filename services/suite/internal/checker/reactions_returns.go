package checker

import (
	"math/big"

	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	retv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

// Rules of shorts and returns.
const (
	tellsShort  = "what is short is told to the order"
	movesShort  = "what is short leaves its place"
	splits      = "what is short goes again or is cancelled"
	returnables = "what is issued can be returned"
	asks        = "a return's claim is decided"
	holds       = "what a return claims of an order is what it holds"
	booksBack   = "what comes back moves in stock"
	tellsBack   = "what comes back is told to the return"
	disposes    = "what is decided of goods that came back moves in stock"
	frees       = "what a return does not need is given back"
	comesBackOf = "what comes back was delivered"
	credits     = "what is credited was paid for"
)

// watchShort notes what a picker does not find.
func (r *reactions) watchShort(f *fact) {
	switch m := f.msg.(type) {
	case *imv1.PickShorted:
		to := shortTo(m.GetReason() == imv1.ShortReason_SHORT_REASON_DAMAGED)
		for _, l := range m.GetLines() {
			q := value(l.GetQuantity(), ignore)
			r.note(cause, f, tellsShort, q, m.GetKeys().GetReleaseId(), l.GetLineNumber())
			r.note(cause, f, movesShort, q, m.GetKeys().GetWarehouseOrderId(), l.GetLineNumber(), to)
		}
	case *imv1.StockMoved:
		if m.GetType() == imv1.MovementType_MOVEMENT_TYPE_ADJUSTMENT && m.GetWarehouseOrderId() != "" {
			damaged := m.GetTo().GetStatus() == imv1.StockStatus_STOCK_STATUS_DAMAGED && m.GetTo().GetLocation() == m.GetFrom().GetLocation()
			to := shortTo(damaged)
			if !damaged && m.GetTo().GetLocation() != "DISCREPANCY" {
				to = m.GetTo().GetLocation()
			}
			r.note(effect, f, movesShort, number(m.GetQuantity(), ignore), m.GetWarehouseOrderId(), m.GetLineNumber(), to)
		}
	case *orv1.LinesShorted:
		for _, l := range m.GetLines() {
			q := value(l.GetQuantity(), ignore)
			r.note(effect, f, tellsShort, q, m.GetReleaseId(), l.GetLineNumber())
			r.note(cause, f, splits, q, m.GetOrderId(), l.GetLineNumber())
		}
	case *orv1.OrderReleased:
		if m.GetParentReleaseId() == "" {
			return
		}
		for _, l := range m.GetLines() {
			r.note(effect, f, splits, value(l.GetQuantity(), ignore), m.GetOrderId(), l.GetLineNumber())
		}
	case *orv1.RemainderCancelled:
		for _, l := range m.GetLines() {
			r.note(effect, f, splits, value(l.GetQuantity(), ignore), m.GetOrderId(), l.GetLineNumber())
		}
	}
}

func shortTo(damaged bool) string {
	if damaged {
		return " stays damaged"
	}
	return " is missing"
}

// watchReturn notes what comes back.
func (r *reactions) watchReturn(f *fact) {
	switch m := f.msg.(type) {
	case *orv1.LinesIssued:
		for _, l := range m.GetLines() {
			r.note(cause, f, returnables, value(l.GetQuantity(), ignore), m.GetReleaseId(), l.GetLineNumber())
		}
	case *orv1.LinesIssueReversed:
		for _, l := range m.GetLines() {
			q := value(l.GetQuantity(), ignore)
			r.note(cause, f, returnables, q.Neg(q), m.GetReleaseId(), l.GetLineNumber())
		}
	case *retv1.ItemsIssueReversed:
		for _, l := range m.GetLines() {
			q := value(l.GetQuantity(), ignore)
			r.note(effect, f, returnables, q.Neg(q), m.GetReleaseId(), l.GetLineNumber())
		}
	case *orv1.LinesDelivered:
		for _, l := range m.GetLines() {
			r.note(cause, f, comesBackOf, value(l.GetQuantity(), ignore), m.GetOrderId(), l.GetLineNumber())
		}
	case *retv1.ItemsIssued:
		for _, l := range m.GetLines() {
			r.note(effect, f, returnables, value(l.GetQuantity(), ignore), m.GetReleaseId(), l.GetOrderLineNumber())
		}
	case *retv1.ReturnRequested:
		r.note(cause, f, asks, one, m.GetRmaId())
	case *retv1.ReturnClaimed:
		r.claimed(cause, f, m.GetRmaId(), m.GetLines())
	case *retv1.ReturnHeld:
		r.note(effect, f, asks, one, m.GetRmaId())
		r.claimed(effect, f, m.GetRmaId(), m.GetLines())
	case *retv1.ReturnDenied:
		r.cancelled[m.GetRmaId()] = true
		r.note(cause, f, frees, one, m.GetClaimKey())
	case *retv1.ReturnCancelled:
		r.cancelled[m.GetRmaId()] = true
		r.note(cause, f, frees, one, m.GetClaimKey())
	case *retv1.ReturnCompleted:
		if m.GetShort() {
			r.note(cause, f, frees, one, m.GetClaimKey())
		}
	case *retv1.ReturnClaimReleased:
		r.note(effect, f, frees, one, m.GetClaimKey())
	default:
		r.watchGoods(f)
	}
}

func (r *reactions) claimed(side int, f *fact, rma string, lines []*retv1.ClaimedLine) {
	for _, l := range lines {
		r.note(side, f, holds, value(l.GetQuantity(), ignore), rma, l.GetRmaLineNumber(), " of ", l.GetOrderLineNumber())
	}
}

// watchGoods notes where goods that came back are and go.
func (r *reactions) watchGoods(f *fact) {
	switch m := f.msg.(type) {
	case *imv1.ReturnReceived:
		q := value(m.GetQuantity(), ignore)
		r.note(cause, f, booksBack, q, m.GetRmaId(), m.GetStock().GetStockId(), at(m.GetPlace()))
		r.note(cause, f, tellsBack, q, m.GetRmaId(), m.GetStock().GetStockId())
	case *imv1.StockMoved:
		q := number(m.GetQuantity(), ignore)
		switch m.GetType() {
		case imv1.MovementType_MOVEMENT_TYPE_RETURN_RECEIPT:
			r.note(effect, f, booksBack, q, m.GetRmaId(), m.GetStock().GetStockId(), at(m.GetTo()))
		case imv1.MovementType_MOVEMENT_TYPE_DISPOSITION:
			r.note(effect, f, disposes, q, m.GetRmaId(), m.GetStock().GetStockId(), at(m.GetTo()))
		}
	case *retv1.ReturnReceiptRecorded:
		r.note(effect, f, tellsBack, value(m.GetQuantity(), ignore), m.GetRmaId(), m.GetStockId())
	case *retv1.ItemsDisposed:
		r.note(cause, f, disposes, new(big.Rat).Set(value(m.GetQuantity(), ignore)), m.GetRmaId(), m.GetStockId(), at(becomes(m)))
	}
}

// becomes is where goods must go by what was decided.
func becomes(m *retv1.ItemsDisposed) *imv1.Place {
	switch m.GetDisposition() {
	case retv1.Disposition_DISPOSITION_RESTOCK:
		return &imv1.Place{Location: m.GetToLocation(), Lot: m.GetLot(), Status: imv1.StockStatus_STOCK_STATUS_AVAILABLE}
	case retv1.Disposition_DISPOSITION_QUARANTINE:
		return &imv1.Place{Location: m.GetToLocation(), Lot: m.GetLot(), Status: imv1.StockStatus_STOCK_STATUS_BLOCKED}
	case retv1.Disposition_DISPOSITION_SCRAP:
		return &imv1.Place{Location: "SCRAP"}
	case retv1.Disposition_DISPOSITION_RETURN_TO_VENDOR:
		return &imv1.Place{Location: "SUPPLIER"}
	}
	return &imv1.Place{Location: customer}
}

// at names a place.
func at(p *imv1.Place) string {
	is := placeOf(p)
	if is.status == imv1.StockStatus_STOCK_STATUS_UNSPECIFIED {
		return " at " + is.location
	}
	return " at " + is.location + " " + is.lot + is.status.String()
}
