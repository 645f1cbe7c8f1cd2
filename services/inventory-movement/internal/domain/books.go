package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// EvolveStock applies one fact.
func EvolveStock(s Stock, fact StockFact) Stock {
	switch f := fact.(type) {
	case StockMoved:
		s.Key = f.StockKey
		if f.Used.Sign() > 0 {
			s = s.free(f.Used, func(a Allocation) bool { return a.Order == f.Order && a.Line == f.Line && a.Place == f.From })
		}
		s.Rows = arrive(shift(s.Rows, f.From, f.Quantity.Neg()), f.To, f.Quantity, s.received(f))
		s = s.reversedBy(f)
		switch f.Type {
		case Pick:
			s.Packing = append(slices.Clip(s.Packing), Allocation{f.Order, f.Line, f.To, f.Quantity})
		case IssueReversal:
			if f.To.Location == Packing {
				s.Packing = append(slices.Clip(s.Packing), Allocation{f.Order, f.Line, f.To, f.Quantity})
			}
		case Issue, BackInBin:
			s.Packing, _ = take(s.Packing, f.Quantity, func(a Allocation) bool {
				return a.Order == f.Order && a.Line == f.Line && a.Place == f.From
			})
		}
	case ReturnReceived:
		s.Key = f.StockKey
	case SerialClaimVoided:
		s.Key = f.StockKey
		s = s.bury(claimMark(f.Serial, f.Claim))
	case StockReserved:
		s.Key = f.StockKey
		s.Claims = append(slices.Clip(s.Claims), f.Claim)
		if f.Promise != "" {
			s = s.unwait(f.Promise, f.Quantity, false)
		}
		if f.Expires != 0 {
			s.Holds = append(slices.Clip(s.Holds), Hold{f.Claim.Key, f.Expires, f.Priority})
		}
	case ReservationConfirmed:
		s.Key = f.StockKey
		s = s.confirmed(f.Claim.Key)
	case ReservationReleased:
		s.Key = f.StockKey
		s.Claims = slices.DeleteFunc(slices.Clone(s.Claims), func(c Claim) bool { return c.Key == f.Claim.Key })
		if s = s.held(); f.Reason == "" {
			s = s.bury(f.Claim.Key)
		}
	case StockAllocated:
		s.Key = f.StockKey
		s.Claims = spend(s.Claims, f.Claims)
		s = s.held()
		s.Allocations = append(slices.Clip(s.Allocations), f.Parts...)
		for _, p := range f.Parts {
			s.Rows = allocate(s.Rows, p.Place, p.Quantity)
		}
	case AllocationFreed:
		s.Key = f.StockKey
		s = s.free(f.Quantity, func(a Allocation) bool { return a.Order == f.Order && (f.Line == 0 || a.Line == f.Line) })
		if f.Line == 0 {
			s = s.bury(f.Order)
		}
	default:
		s = evolveSupply(s.hears(fact), fact)
	}
	return s
}

// ApplyStock folds facts onto a state.
func ApplyStock(s Stock, facts ...StockFact) Stock {
	for _, f := range facts {
		s = EvolveStock(s, f)
	}
	return s
}

// closed reports whether a claim or a warehouse order was closed for good.
func (s Stock) closed(key string) bool { return slices.Contains(s.Tombstones, mark(key)) }

// mark is a key as tombstones keep it: 80 bits of its hash, because a busy stock is
// written often and most of it would be tombstones.
func mark(key string) string { return ident.Derive("t", key)[2:18] }

// shift changes what is on hand at a place; a row with nothing left is dropped.
func shift(rows []Row, at Place, by quantity.Decimal) []Row {
	p := at.row()
	rows = slices.Clone(rows)
	i := slices.IndexFunc(rows, func(r Row) bool { return r.Place == p })
	if i < 0 {
		rows, i = append(rows, Row{Place: p}), len(rows)
	}
	rows[i].OnHand = rows[i].OnHand.Add(by)
	if rows[i].OnHand.IsZero() && rows[i].Allocated.IsZero() {
		return slices.Delete(rows, i, i+1)
	}
	return rows
}

// received is since when goods that move are in the site: they keep it from bin to bin.
func (s Stock) received(f StockMoved) int64 {
	if !f.From.outside() {
		if i := slices.IndexFunc(s.Rows, func(r Row) bool { return r.Place == f.From }); i >= 0 {
			return s.Rows[i].Received
		}
	}
	if f.At.IsZero() {
		return 0
	}
	return f.At.UnixMilli()
}

// arrive adds goods to a place. What is put together is as old as the oldest of it.
func arrive(rows []Row, at Place, by quantity.Decimal, received int64) []Row {
	there := func(r Row) bool { return r.Place == at }
	if i := slices.IndexFunc(rows, there); i >= 0 {
		received = min(received, rows[i].Received)
	}
	rows = shift(rows, at, by)
	if i := slices.IndexFunc(rows, there); i >= 0 && !at.outside() {
		rows[i].Received = received
	}
	return rows
}

func allocate(rows []Row, p Place, by quantity.Decimal) []Row {
	rows = slices.Clone(rows)
	if i := slices.IndexFunc(rows, func(r Row) bool { return r.Place == p }); i >= 0 {
		rows[i].Allocated = rows[i].Allocated.Add(by)
	}
	return rows
}

func spend(claims, used []Claim) []Claim {
	claims = slices.Clone(claims)
	for _, u := range used {
		if i := slices.IndexFunc(claims, func(c Claim) bool { return c.Key == u.Key }); i >= 0 {
			claims[i].Quantity = claims[i].Quantity.Sub(u.Quantity)
		}
	}
	return slices.DeleteFunc(claims, func(c Claim) bool { return c.Quantity.Sign() <= 0 })
}

// free takes a quantity out of the allocations that match.
func (s Stock) free(q quantity.Decimal, of func(Allocation) bool) Stock {
	var freed []Allocation
	s.Allocations, freed = take(s.Allocations, q, of)
	for _, a := range freed {
		s.Rows = allocate(s.Rows, a.Place, a.Quantity.Neg())
	}
	s.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r Row) bool { return r.OnHand.IsZero() && r.Allocated.IsZero() })
	return s
}

// take takes a quantity out of the parts that match; it returns what is left and what it took.
func take(parts []Allocation, q quantity.Decimal, of func(Allocation) bool) (left, taken []Allocation) {
	for _, a := range parts {
		n := quantity.Min(a.Quantity, q)
		if n.Sign() > 0 && of(a) {
			part := a
			part.Quantity = n
			taken = append(taken, part)
			a.Quantity, q = a.Quantity.Sub(n), q.Sub(n)
		}
		if !a.Quantity.IsZero() {
			left = append(left, a)
		}
	}
	return left, taken
}

// onHand is what stands at a place, and what of it is not allocated.
func (s Stock) onHand(p Place) (all, free quantity.Decimal) {
	for _, r := range s.Rows {
		if r.Place == p.row() {
			return r.OnHand, r.OnHand.Sub(r.Allocated)
		}
	}
	return all, free
}

// dated completes a place with the expiry date that its lot has elsewhere in the stock, and that
// of a piece which stands there with its lot.
func (s Stock) dated(p Place) Place {
	if p.Serial != "" {
		if at, stands := s.standing(p.Serial); stands && at.Location == p.Location && at.Status == p.Status && (p.Lot == "" || p.Lot == at.Lot) {
			return at
		}
	}
	if p.Lot == "" || p.Expiry != "" {
		return p
	}
	for _, r := range s.Rows {
		if r.Place.Lot == p.Lot && r.Place.Expiry != "" {
			p.Expiry = r.Place.Expiry
			break
		}
	}
	return p
}

// named is the key of a stock that is complete, else the one asked for.
func (s Stock) named(key StockKey) StockKey {
	if s.Key.ID != "" && s.Key.Unit != "" {
		return s.Key
	}
	return key
}
