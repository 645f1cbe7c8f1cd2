package domain

import (
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// A warehouse order is taken back in one of three ways. Cancelled before the first pick, all that
// it holds is free. Stopped before the first pick, what is allocated becomes a claim of its order
// again. Cancelled after the first pick, what is picked is put back before it is over.

// The facts of a warehouse order that is taken back.
type (
	// PutBackStarted cancels an order of which something is picked.
	PutBackStarted struct {
		OrderKeys
		Reason string
		Lines  []PickedLine // what is picked
	}
	// PutBackConfirmed says what stands in bins again.
	PutBackConfirmed struct {
		OrderKeys
		Site, Owner string
		Lines       []PickedLine
		At          time.Time
	}
	// OrderStopped ends an order before anything was picked; its stock is kept for its order.
	OrderStopped struct {
		OrderKeys
		Reason string
	}
	// StopRefused keeps it going.
	StopRefused struct {
		OrderKeys
		Reason string
	}
	// StockKept says what the allocations of a stopped order have become.
	StockKept struct {
		OrderKeys
		Claims []KeptClaim
	}
)

// KeptClaim is a claim that allocations of one stock have become.
type KeptClaim struct {
	Key, Item, SKU string
	Quantity       quantity.Quantity
}

func (PutBackStarted) isOrderFact()   {}
func (PutBackConfirmed) isOrderFact() {}
func (OrderStopped) isOrderFact()     {}
func (StopRefused) isOrderFact()      {}
func (StockKept) isOrderFact()        {}

// evolveRecall applies a fact of an order that is taken back.
func (o WarehouseOrder) evolveRecall(fact OrderFact) WarehouseOrder {
	switch f := fact.(type) {
	case PutBackStarted:
		o.IsGoingBack, o.Cancelling = true, f.Reason
	case CancelRefused:
		o.IsGoingBack, o.Cancelling = false, ""
	case PutBackConfirmed:
		for _, p := range f.Lines {
			o = o.edit(p.Line, func(l *OrderLine) { l.PutBack = l.PutBack.Add(p.Quantity); l.gives(p.Serial) })
		}
	case OrderStopped:
		o.Keys, o.IsCancelled, o.IsStopped = f.OrderKeys, true, true
	case StockKept:
		o.IsKept = true
	default:
		return o.evolveReversal(f)
	}
	return o
}

// Cancel ends the order while nothing was picked, also when something was short; after that it
// ends when all that is picked is put back. A goods issue is not taken back. Keys name an order
// that has not come yet.
func Cancel(o WarehouseOrder, keys OrderKeys, reason string) ([]OrderFact, error) {
	switch s := o.State(); {
	case s == Cancelled, s == PuttingBack:
		return nil, nil
	case s == "":
		return []OrderFact{OrderCancelled{OrderKeys: keys, Reason: reason}}, nil
	case s == Issued:
		return []OrderFact{CancelRefused{o.Keys, "ISSUED"}}, nil
	case o.anyPicked():
		return []OrderFact{PutBackStarted{o.Keys, reason, o.toPutBack()}}, nil
	}
	return []OrderFact{OrderCancelled{OrderKeys: o.Keys, Reason: reason}}, nil
}

// toPutBack is what of each line is picked and stands in no bin.
func (o WarehouseOrder) toPutBack() (lines []PickedLine) {
	for _, l := range o.Lines {
		rest := PickedLine{Line: l.Number, Item: l.Item, SKU: l.SKU, Unit: l.Quantity.Unit}
		left := l.toIssue()
		for _, n := range l.Serials {
			piece := rest
			piece.Serial = n
			lines, left = part(lines, piece, One), left.Sub(One)
		}
		lines = part(lines, rest, left)
	}
	return lines
}

// RefuseCancellation lets the warehouse go on with an order that it was asked to cancel.
func RefuseCancellation(o WarehouseOrder, reason string) ([]OrderFact, error) {
	switch {
	case o.State() != PuttingBack:
		return nil, stateRefusal(o, "refuseCancellation")
	case slices.ContainsFunc(o.Lines, func(l OrderLine) bool { return l.PutBack.Sub(l.Returned).Sign() > 0 }):
		return nil, fault.New(fault.Refused, "PUT_BACK_BEGUN", "goods were put back already: put back the rest")
	}
	return []OrderFact{CancelRefused{o.Keys, reason}}, nil
}

// PutBack records what stands in bins again: no more of a line than is picked and not put back,
// on the sum of the report. With the last of it the order is cancelled.
func PutBack(o WarehouseOrder, lines []PickedLine, at time.Time) ([]OrderFact, error) {
	if o.State() != PuttingBack {
		return nil, stateRefusal(o, "confirmPutBack")
	}
	left := map[int]quantity.Decimal{}
	for _, l := range o.toPutBack() {
		left[l.Line] = left[l.Line].Add(l.Quantity)
	}
	lines, err := o.named(lines, func(l OrderLine) []string { return l.Serials })
	if err != nil {
		return nil, err
	}
	f := PutBackConfirmed{OrderKeys: o.Keys, Site: o.Site, Owner: o.Owner, Lines: lines, At: at}
	for n := range f.Lines {
		p := &f.Lines[n]
		field := "lines[" + strconv.Itoa(p.row(n)) + "]"
		_, known, err := o.read(p, n)
		switch {
		case !known:
			return nil, Invalid(field+".line_number", "LINE_UNKNOWN", "the warehouse order has no line %d", p.Line)
		case err != nil:
			return nil, err
		case p.Location == "":
			return nil, Invalid(field+".location", "PUT_BACK_LOCATION_REQUIRED", "say in which bin it stands")
		}
		if room := left[p.Line]; room.Less(p.Quantity) {
			return nil, Invalid(field+".quantity", "QUANTITY_EXCEEDED", "must be at most %s: no more is picked", room)
		}
		left[p.Line] = left[p.Line].Sub(p.Quantity)
	}
	facts := []OrderFact{f}
	if after := ApplyOrder(o, f); len(after.toPutBack()) == 0 {
		facts = append(facts, after.putBack())
	}
	return facts, nil
}

// putBack ends an order of which everything is put back that is not issued.
func (o WarehouseOrder) putBack() OrderFact {
	var back []PickedLine
	for _, l := range o.Lines {
		back = part(back, PickedLine{Line: l.Number, Item: l.Item, SKU: l.SKU, Unit: l.Quantity.Unit}, l.PutBack.Sub(l.Returned))
	}
	var voided []string
	for _, c := range o.OpenCartons() {
		voided = append(voided, c.SSCC)
	}
	if o.anyIssued() {
		return RestCancelled{OrderKeys: o.Keys, Reason: o.Cancelling, PutBack: back, Voided: voided}
	}
	return OrderCancelled{OrderKeys: o.Keys, Reason: o.Cancelling, PutBack: back, Voided: voided}
}

// Stop ends the order before the first pick and keeps its stock for its order; otherwise it answers
// why not. Keys name an order that has not come yet.
func Stop(o WarehouseOrder, keys OrderKeys, reason string) ([]OrderFact, error) {
	switch s := o.State(); {
	case s == Cancelled:
		return nil, nil
	case s == "":
		return []OrderFact{OrderStopped{keys, reason}}, nil
	case s == Issued:
		return []OrderFact{StopRefused{o.Keys, "ISSUED"}}, nil
	case o.anyPicked():
		return []OrderFact{StopRefused{o.Keys, "PICKING_BEGUN"}}, nil
	}
	return []OrderFact{OrderStopped{o.Keys, reason}}, nil
}

// SetKept records what the allocations of a stopped order have become.
func SetKept(o WarehouseOrder, claims []KeptClaim) ([]OrderFact, error) {
	if o.IsKept || !o.IsStopped {
		return nil, nil
	}
	return []OrderFact{StockKept{o.Keys, claims}}, nil
}

// Keep makes of all that is allocated to a warehouse order a claim, and sees to it that nothing is
// allocated to it later: the order that it was for loses nothing to others.
func Keep(s Stock, key StockKey, order, claim string) []StockFact {
	facts := CloseOrder(s, key, order)
	if len(facts) == 0 {
		return nil
	}
	if freed, ok := facts[0].(AllocationFreed); ok && freed.Quantity.Sign() > 0 {
		facts = append(facts, StockReserved{StockKey: s.named(key), Claim: Claim{claim, freed.Quantity}})
	}
	return facts
}

// TakePutBack books goods that were picked and stand in a bin again: of the lot that the report
// names, as far as it was picked, then of what else was. A report: it is never refused, and what
// the books do not have in PACKING comes from DISCREPANCY.
func TakePutBack(s Stock, key StockKey, order string, l PickedLine, at time.Time) []StockFact {
	key = s.named(key)
	b := booking{s: s, left: l.Quantity}
	move := func(from Place, n quantity.Decimal) {
		b.add(n, StockMoved{
			StockKey: key, Type: BackInBin, From: from, To: from.as(l.Location, Available),
			Quantity: n, Order: order, Line: l.Line, At: at,
		})
	}
	for _, named := range []bool{true, false} {
		for _, p := range b.s.packed(order, l) {
			if named == (l.Lot == "" || l.Lot == p.Place.Lot) {
				move(p.Place, quantity.Min(p.Quantity, b.left))
			}
		}
	}
	move(l.lost(), b.left)
	return b.facts
}
