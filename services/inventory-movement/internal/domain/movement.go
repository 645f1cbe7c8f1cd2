package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Received records goods in a bin: a report, never refused but for want of room.
func Received(s Stock, key StockKey, to Place, q quantity.Decimal, document string, at time.Time) ([]StockFact, error) {
	if len(s.Rows) >= maxRows {
		return nil, fault.New(fault.Refused, "STOCK_FULL", "%d rows are open on %s", len(s.Rows), key.SKU)
	}
	return []StockFact{StockMoved{
		StockKey: s.named(key), Type: Receipt, From: Place{Location: Supplier, Status: to.Status}, To: to, Quantity: q, Reason: document, At: at,
	}}, nil
}

// Adjust corrects the quantity at a place against DISCREPANCY. What is allocated or promised
// cannot be taken away.
func Adjust(s Stock, key StockKey, p Place, change quantity.Decimal, reason string, at time.Time) ([]StockFact, error) {
	odd := Place{Location: Discrepancy, Status: p.Status}
	f := StockMoved{StockKey: s.named(key), Type: Adjustment, From: odd, To: p, Quantity: change.Abs(), Reason: reason, At: at}
	if change.Sign() < 0 {
		if err := s.spare(p, change.Abs()); err != nil {
			return nil, err
		}
		f.From, f.To = p, odd
	}
	return []StockFact{f}, nil
}

// spare checks that a quantity at a place is neither allocated nor promised.
func (s Stock) spare(p Place, q quantity.Decimal) error {
	all, free := s.onHand(p)
	if all.Less(q) {
		return fault.New(fault.Refused, "INSUFFICIENT_STOCK", "%s stand at %s, not %s", all, p.Location, q).With("available", all.String())
	}
	if free.Less(q) || p.sellable() && s.Figures().ATP.Less(q) {
		return fault.New(fault.Refused, "STOCK_COMMITTED", "of %s at %s too much is allocated or promised", all, p.Location)
	}
	return nil
}

// Transfer moves free stock between bins or changes its status.
func Transfer(s Stock, from, to Place, q quantity.Decimal, reason string, at time.Time) ([]StockFact, error) {
	if from == to {
		return nil, nil
	}
	f := StockMoved{StockKey: s.Key, Type: Move, From: from, To: to, Quantity: q, Reason: reason, At: at}
	if from.Status != to.Status {
		f.Type = StatusChange
	}
	if all, free := s.onHand(from); all.Less(q) || free.Less(q) || from.sellable() && !to.sellable() {
		if err := s.spare(from, q); err != nil {
			return nil, err
		}
	}
	return []StockFact{f}, nil
}

// PickedLine is a quantity of a warehouse order's line, and where it was picked.
type PickedLine struct {
	Line     int              `bson:"n"`
	Item     string           `bson:"i,omitempty"`
	SKU      string           `bson:"s,omitempty"`
	Location string           `bson:"l,omitempty"`
	Lot      string           `bson:"t,omitempty"`
	Quantity quantity.Decimal `bson:"q"`
}

// TakePick books a pick: from the line's allocations, then from free stock of the place,
// and what the books cannot cover from DISCREPANCY. A report: it is never refused.
func TakePick(s Stock, order string, l PickedLine, at time.Time) []StockFact {
	var facts []StockFact
	left := l.Quantity
	move := func(from Place, q, used quantity.Decimal) {
		if q.Sign() <= 0 {
			return
		}
		f := StockMoved{
			StockKey: s.Key, Type: Pick, From: from, To: Place{Location: Packing, Lot: from.Lot, Expiry: from.Expiry, Status: Available},
			Quantity: q, Order: order, Line: l.Line, Used: used, At: at,
		}
		facts, s, left = append(facts, f), EvolveStock(s, f), left.Sub(q)
	}
	for _, a := range s.AllocatedTo(order, l.Line) {
		if l.Location == "" || a.Place.Location == l.Location {
			n := quantity.Min(a.Quantity, left)
			move(a.Place, n, n)
		}
	}
	for _, r := range slices.Clone(s.Rows) {
		if r.Place.Location == l.Location && r.Place.sellable() {
			move(r.Place, quantity.Min(quantity.Min(r.OnHand.Sub(r.Allocated), s.Figures().ATP), left), quantity.Decimal{})
		}
	}
	move(Place{Location: Discrepancy, Lot: l.Lot, Status: Available}, left, quantity.Decimal{})
	return facts
}

// TakeShort books what was not there to be picked: the allocation is freed, damaged goods
// become DAMAGED stock of the bin, missing ones a discrepancy.
func TakeShort(s Stock, order string, l PickedLine, damaged bool, at time.Time) []StockFact {
	var facts []StockFact
	left := l.Quantity
	for _, a := range s.AllocatedTo(order, l.Line) {
		n := quantity.Min(a.Quantity, left)
		if n.Sign() <= 0 || l.Location != "" && a.Place.Location != l.Location {
			continue
		}
		to := Place{Location: Discrepancy, Lot: a.Place.Lot, Expiry: a.Place.Expiry, Status: Available}
		reason := "MISSING"
		if damaged {
			to, reason = a.Place, "DAMAGED"
			to.Status = Damaged
		}
		f := StockMoved{
			StockKey: s.Key, Type: Adjustment, From: a.Place, To: to, Quantity: n, Reason: reason,
			Order: order, Line: l.Line, Used: n, At: at,
		}
		facts, s, left = append(facts, f), EvolveStock(s, f), left.Sub(n)
	}
	return facts
}

// TakeIssue books the goods issue of a line: from PACKING to the customer.
func TakeIssue(s Stock, order string, l PickedLine, at time.Time) []StockFact {
	var facts []StockFact
	left := l.Quantity
	move := func(from Place, q quantity.Decimal) {
		if q.Sign() <= 0 {
			return
		}
		f := StockMoved{
			StockKey: s.Key, Type: Issue, From: from, To: Place{Location: Customer, Lot: from.Lot, Status: Available},
			Quantity: q, Order: order, Line: l.Line, At: at,
		}
		facts, s, left = append(facts, f), EvolveStock(s, f), left.Sub(q)
	}
	for _, r := range slices.Clone(s.Rows) {
		if r.Place.Location == Packing {
			move(r.Place, quantity.Min(r.OnHand, left))
		}
	}
	move(Place{Location: Discrepancy, Status: Available}, left)
	return facts
}
