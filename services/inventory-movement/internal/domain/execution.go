package domain

import (
	"cmp"
	"slices"
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
	Serial   string           `bson:"sn,omitempty"` // of the one piece that it is
	Quantity quantity.Decimal `bson:"q"`
	Unit     string           `bson:"u,omitempty"`
	Row      int              `bson:"-"` // of the request that names it, from 1; 0: as it stands in the list
}

// row is where the n-th of some lines stands in the request that names them.
func (l PickedLine) row(n int) int {
	if l.Row > 0 {
		return l.Row - 1
	}
	return n
}

// at reports whether the line may mean the place: what it does not say it leaves open.
func (l PickedLine) at(p Place) bool {
	return (l.Location == "" || l.Location == p.Location) && (l.Lot == "" || l.Lot == p.Lot) && (l.Serial == "" || l.Serial == p.Serial)
}

// lost is the place that goods of the line come from which the books do not have.
func (l PickedLine) lost() Place {
	return Place{Location: Discrepancy, Lot: l.Lot, Serial: l.Serial, Status: Available}
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
			StockKey: key, Type: Pick, From: from, To: from.as(Packing, Available),
			Quantity: n, Order: order, Line: l.Line, Used: used, At: at,
		})
	}
	b.gather(key, order, l, book)
	book(l.lost(), b.left, quantity.Decimal{})
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
		to, reason := from.as(Discrepancy, Available), "MISSING"
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

// packed is what stands in PACKING for an order's line: the piece that it names first, or then
// those that have no number, and the others last.
func (s Stock) packed(order string, l PickedLine) []Allocation {
	all := slices.DeleteFunc(slices.Clone(s.Packing), func(a Allocation) bool { return a.Order != order || a.Line != l.Line })
	if l.Serial != "" {
		slices.SortStableFunc(all, func(a, b Allocation) int { return cmp.Compare(l.strange(a.Place), l.strange(b.Place)) })
	}
	return all
}

// strange is how far the number of what stands at a place is from the line's.
func (l PickedLine) strange(p Place) int {
	switch p.Serial {
	case l.Serial:
		return 0
	case "":
		return 1
	}
	return 2
}

// TakeIssue books the goods issue of a line: what was picked for it leaves PACKING for the
// customer, and nothing stays allocated to it.
func TakeIssue(s Stock, key StockKey, order string, l PickedLine, at time.Time) []StockFact {
	key = s.named(key)
	b := booking{s: s, left: l.Quantity}
	move := func(from Place, n quantity.Decimal) {
		b.add(n, StockMoved{
			StockKey: key, Type: Issue, From: from, To: from.as(Customer, Available),
			Quantity: n, Order: order, Line: l.Line, At: at,
		})
	}
	for _, p := range s.packed(order, l) {
		move(p.Place, quantity.Min(p.Quantity, b.left))
	}
	move(Place{Location: Discrepancy, Serial: l.Serial, Status: Available}, b.left)
	rest := quantity.Decimal{}
	for _, a := range b.s.AllocatedTo(order, l.Line) {
		rest = rest.Add(a.Quantity)
	}
	if rest.Sign() > 0 {
		b.note(AllocationFreed{key, order, l.Line, rest})
	}
	return b.facts
}
