package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Received records goods in a bin: a report, never refused but for want of room.
func Received(s Stock, key StockKey, to Place, q quantity.Decimal, document string, at time.Time) ([]StockFact, error) {
	if err := s.room(key); err != nil {
		return nil, err
	}
	return []StockFact{StockMoved{
		StockKey: s.named(key), Type: Receipt, From: Place{Location: Supplier, Serial: to.Serial, Status: to.Status}, To: s.dated(to),
		Quantity: q, Reason: document, At: at,
	}}, nil
}

func (s Stock) room(key StockKey) error {
	if len(s.Rows) >= maxRows {
		return fault.New(fault.Refused, "STOCK_FULL", "%d rows are open on %s", len(s.Rows), key.SKU)
	}
	return nil
}

// ReturnArrived records goods of a return in a bin, in status RETURNED.
func ReturnArrived(s Stock, key StockKey, to Place, q quantity.Decimal, rma string, line int, at time.Time) ([]StockFact, error) {
	if err := s.room(key); err != nil {
		return nil, err
	}
	to.Status = Returned
	to = s.dated(to)
	return []StockFact{
		StockMoved{
			StockKey: s.named(key), Type: ReturnReceipt, From: Place{Location: Customer, Lot: to.Lot, Serial: to.Serial, Status: Returned}, To: to,
			Quantity: q, RMA: rma, At: at,
		},
		ReturnReceived{StockKey: s.named(key), RMA: rma, RMALine: line, Place: to, Quantity: q, At: at},
	}, nil
}

// Adjust corrects the quantity at a place against DISCREPANCY. What is allocated or promised
// cannot be taken away.
func Adjust(s Stock, key StockKey, p Place, change quantity.Decimal, reason string, at time.Time) ([]StockFact, error) {
	p = s.dated(p)
	odd := Place{Location: Discrepancy, Lot: p.Lot, Serial: p.Serial, Status: p.Status}
	f := StockMoved{StockKey: s.named(key), Type: Adjustment, From: odd, To: p, Quantity: change.Abs(), Reason: reason, At: at}
	err := s.room(key)
	if at, stands := s.standing(p.Serial); stands && change.Sign() > 0 {
		return nil, SerialElsewhere(s.Key, at)
	}
	if change.Sign() < 0 {
		err = s.spare(p, change.Abs())
		f.From, f.To = p, odd
	}
	if err != nil {
		return nil, err
	}
	return []StockFact{f}, nil
}

// spare checks that a quantity at a place is neither allocated nor promised.
func (s Stock) spare(p Place, q quantity.Decimal) error {
	all, free := s.onHand(p)
	if p.Serial != "" && all.Less(q) {
		return s.absent(p)
	}
	if all.Less(q) {
		return fault.New(fault.Refused, "INSUFFICIENT_STOCK", "%s stand at %s, not %s", all, p.Location, q).With("available", all.String())
	}
	if free.Less(q) || p.sellable() && s.unclaimed("").Less(q) {
		return fault.New(fault.Refused, "STOCK_COMMITTED", "of %s at %s too much is allocated or promised", all, p.Location)
	}
	return nil
}

// Transfer moves free stock between bins or changes its status.
func Transfer(s Stock, from, to Place, q quantity.Decimal, reason string, at time.Time) ([]StockFact, error) {
	from, to = s.dated(from), s.dated(to)
	if from.Serial != "" {
		to.Lot, to.Expiry = from.Lot, from.Expiry
	}
	if from == to {
		return nil, nil
	}
	f := StockMoved{StockKey: s.Key, Type: Move, From: from, To: to, Quantity: q, Reason: reason, At: at}
	if from.Status != to.Status {
		f.Type = StatusChange
	}
	if err := s.leaves(from, to, q); err != nil {
		return nil, err
	}
	if err := s.room(s.Key); err != nil {
		return nil, err
	}
	return []StockFact{f}, nil
}

// Dispose moves returned goods to where it was decided that they go. The decision belongs
// to returns, so it is never refused: what does not stand where it should comes from other
// places of the same status and lot, and at last from DISCREPANCY. Which pieces they are it does not say.
func Dispose(s Stock, key StockKey, rma, disposition string, from, to Place, q quantity.Decimal, at time.Time) []StockFact {
	from = s.dated(from)
	if !to.outside() {
		to.Lot, to.Expiry = from.Lot, from.Expiry
	}
	b := booking{s: s, left: q}
	move := func(source Place, n quantity.Decimal) {
		goes := to
		goes.Serial = source.Serial
		b.add(n, StockMoved{
			StockKey: s.named(key), Type: Disposition, From: source, To: goes, Quantity: n, Reason: disposition, RMA: rma, At: at,
		})
	}
	_, free := s.onHand(from)
	if from.sellable() {
		free = quantity.Min(free, s.unclaimed(""))
	}
	move(from, quantity.Min(free, b.left))
	for _, r := range s.nearest(from.Location) {
		if p := r.Place; p != from && p != to && !Reserved(p.Location) && p.Status == from.Status && p.Lot == from.Lot && p.Status != Available {
			move(p, quantity.Min(r.OnHand.Sub(r.Allocated), b.left))
		}
	}
	move(Place{Location: Discrepancy, Lot: from.Lot, Status: from.Status}, b.left)
	return b.facts
}

// nearest are the rows, those of a location first.
func (s Stock) nearest(location string) []Row {
	rows := slices.Clone(s.Rows)
	slices.SortStableFunc(rows, func(a, b Row) int {
		switch here := a.Place.Location == location; {
		case here == (b.Place.Location == location):
			return 0
		case here:
			return -1
		}
		return 1
	})
	return rows
}

// Dated completes a place with the expiry date that its lot has elsewhere in the stock.
func (s Stock) Dated(p Place) Place { return s.dated(p) }
