package domain

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// PickedLine is a quantity of a warehouse order's line, and where it was picked.
type PickedLine struct {
	Line     int              `bson:"n"`
	Item     string           `bson:"i,omitempty"`
	SKU      string           `bson:"s,omitempty"`
	Location string           `bson:"l,omitempty"`
	Lot      string           `bson:"t,omitempty"`
	Quantity quantity.Decimal `bson:"q"`
	Unit     string           `bson:"u,omitempty"`
}

// at reports whether the line may mean the place: what it does not say it leaves open.
func (l PickedLine) at(p Place) bool {
	return (l.Location == "" || l.Location == p.Location) && (l.Lot == "" || l.Lot == p.Lot)
}

// booking collects the facts of one report on the state that they make.
type booking struct {
	s     Stock
	facts []StockFact
	left  quantity.Decimal
}

// add books a movement of a part of what is left; nothing for no quantity.
func (b *booking) add(n quantity.Decimal, f StockMoved) {
	if n.Sign() > 0 {
		b.note(f)
		b.left = b.left.Sub(n)
	}
}

func (b *booking) note(f StockFact) {
	b.facts, b.s = append(b.facts, f), EvolveStock(b.s, f)
}

// gather takes what a report says from the line's allocations at the place, and gives up
// as much of its allocations elsewhere, which it will not need any more; the rest comes
// from free stock of the place.
func (b *booking) gather(key StockKey, order string, l PickedLine, book func(from Place, n, used quantity.Decimal)) {
	for _, a := range b.s.AllocatedTo(order, l.Line) {
		if l.at(a.Place) {
			n := quantity.Min(a.Quantity, b.left)
			book(a.Place, n, n)
		}
	}
	elsewhere := quantity.Decimal{}
	for _, a := range b.s.AllocatedTo(order, l.Line) {
		elsewhere = elsewhere.Add(a.Quantity)
	}
	if n := quantity.Min(elsewhere, b.left); n.Sign() > 0 {
		b.note(AllocationFreed{key, order, l.Line, n})
	}
	for _, r := range b.s.in(FEFO) {
		if l.at(r.Place) && r.Place.sellable() {
			book(r.Place, quantity.Min(quantity.Min(r.OnHand.Sub(r.Allocated), b.s.unclaimed("")), b.left), quantity.Decimal{})
		}
	}
}

// TakePick books a pick: from the line's allocations, then from free stock of the place,
// and what the books cannot cover from DISCREPANCY. A report: it is never refused.
func TakePick(s Stock, key StockKey, order string, l PickedLine, at time.Time) []StockFact {
	key = s.named(key)
	b := booking{s: s, left: l.Quantity}
	book := func(from Place, n, used quantity.Decimal) {
		b.add(n, StockMoved{
			StockKey: key, Type: Pick, From: from, To: Place{Location: Packing, Lot: from.Lot, Expiry: from.Expiry, Status: Available},
			Quantity: n, Order: order, Line: l.Line, Used: used, At: at,
		})
	}
	b.gather(key, order, l, book)
	book(Place{Location: Discrepancy, Lot: l.Lot, Status: Available}, b.left, quantity.Decimal{})
	return b.facts
}

// TakeShort books what was not there to be picked: the allocation is freed, damaged goods
// become DAMAGED stock of the bin, missing ones a discrepancy. What the books do not have
// either is not missing.
func TakeShort(s Stock, key StockKey, order string, l PickedLine, damaged bool, at time.Time) []StockFact {
	key = s.named(key)
	b := booking{s: s, left: l.Quantity}
	b.gather(key, order, l, func(from Place, n, used quantity.Decimal) {
		if used.Sign() == 0 && l.Location == "" {
			return // nobody said where it is missing
		}
		to, reason := Place{Location: Discrepancy, Lot: from.Lot, Expiry: from.Expiry, Status: Available}, "MISSING"
		if damaged {
			to, reason = from, "DAMAGED"
			to.Status = Damaged
		}
		b.add(n, StockMoved{
			StockKey: key, Type: Adjustment, From: from, To: to, Quantity: n, Reason: reason,
			Order: order, Line: l.Line, Used: used, At: at,
		})
	})
	return b.facts
}

// TakeIssue books the goods issue of a line: what was picked for it leaves PACKING for the
// customer, and nothing stays allocated to it.
func TakeIssue(s Stock, key StockKey, order string, l PickedLine, at time.Time) []StockFact {
	key = s.named(key)
	b := booking{s: s, left: l.Quantity}
	move := func(from Place, n quantity.Decimal) {
		b.add(n, StockMoved{
			StockKey: key, Type: Issue, From: from, To: Place{Location: Customer, Lot: from.Lot, Expiry: from.Expiry, Status: Available},
			Quantity: n, Order: order, Line: l.Line, At: at,
		})
	}
	for _, p := range s.Packing {
		if p.Order == order && p.Line == l.Line {
			move(p.Place, quantity.Min(p.Quantity, b.left))
		}
	}
	move(Place{Location: Discrepancy, Status: Available}, b.left)
	rest := quantity.Decimal{}
	for _, a := range b.s.AllocatedTo(order, l.Line) {
		rest = rest.Add(a.Quantity)
	}
	if rest.Sign() > 0 {
		b.note(AllocationFreed{key, order, l.Line, rest})
	}
	return b.facts
}
