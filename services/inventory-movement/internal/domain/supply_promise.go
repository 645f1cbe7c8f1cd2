package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// DateReason is why a promise has another date.
type DateReason string

// Reasons for which a promise has another date.
const (
	DatePromised     DateReason = "PROMISED"
	DateReceived     DateReason = "RECEIVED"
	DateCancelled    DateReason = "CANCELLED"
	DateRescheduled  DateReason = "RESCHEDULED"
	DateOverdue      DateReason = "OVERDUE"
	DateAnnounced    DateReason = "ANNOUNCED"
	DateStockChanged DateReason = "STOCK_CHANGED"
)

// Reasons for which something of what is to come is not promised.
const (
	SupplyMissing        = "SUPPLY_MISSING"
	SupplyOutsideHorizon = "SUPPLY_OUTSIDE_HORIZON"
	StockAvailable       = "STOCK_AVAILABLE"
)

// SupplyWish is what is asked for of what is to come.
type SupplyWish struct {
	Key        string
	Quantity   quantity.Decimal // in all; 0 ends the promise
	Partial    bool             // a part of it helps
	LeaveStock bool             // nothing is promised while something is here for those who are first in line
}

// unclaimed is what is here and neither allocated nor claimed; it is negative when expired goods were claimed.
func (s Stock) unclaimed(today string) quantity.Decimal {
	f := s.Figures(today)
	return f.ATP.Add(f.Kept)
}

// pool is what is to be had, the earliest first: what is here and free, then the supplies of
// which somebody knows when they come. What is promised of what is not there comes out of the first.
func (s Stock) pool(today string) (parts []SupplyPart) {
	here := s.unclaimed(today)
	if here.Sign() > 0 {
		parts = append(parts, SupplyPart{Quantity: here})
	}
	debt := quantity.Max(here.Neg(), quantity.Decimal{})
	for _, u := range s.Supplies {
		if !u.dated() {
			continue
		}
		paid := quantity.Min(debt, u.Quantity)
		debt = debt.Sub(paid)
		if left := u.Quantity.Sub(paid); left.Sign() > 0 {
			parts = append(parts, SupplyPart{Delivery: u.Delivery, ASN: u.ASN, Expected: u.Expected, Quantity: left})
		}
	}
	return parts
}

// Covered divides what is to be had among the promises, in their order. left is what none of
// them counts on.
func (s Stock) Covered(today string) (covers []Cover, left []SupplyPart) {
	left = s.pool(today)
	for _, w := range s.Waits {
		i := slices.IndexFunc(covers, func(c Cover) bool { return c.Key == w.Key })
		if i < 0 {
			covers, i = append(covers, Cover{Key: w.Key}), len(covers)
		}
		var got []SupplyPart
		got, left = split(left, w.Quantity)
		for _, p := range got {
			covers[i].Parts = joined(covers[i].Parts, p)
			w.Quantity = w.Quantity.Sub(p.Quantity)
		}
		covers[i].Uncovered = covers[i].Uncovered.Add(w.Quantity)
	}
	return covers, left
}

// split takes a quantity off the front.
func split(parts []SupplyPart, q quantity.Decimal) (got, left []SupplyPart) {
	for _, p := range parts {
		n := quantity.Min(p.Quantity, q)
		if n.Sign() > 0 {
			part := p
			part.Quantity = n
			got = append(got, part)
			p.Quantity, q = p.Quantity.Sub(n), q.Sub(n)
		}
		if p.Quantity.Sign() > 0 {
			left = append(left, p)
		}
	}
	return got, left
}

// joined adds a part, to the last one if that is of the same goods.
func joined(parts []SupplyPart, p SupplyPart) []SupplyPart {
	if n := len(parts) - 1; n >= 0 && parts[n].Delivery == p.Delivery && parts[n].Expected == p.Expected {
		parts = slices.Clone(parts)
		parts[n].Quantity = parts[n].Quantity.Add(p.Quantity)
		return parts
	}
	return append(parts, p)
}

// kept is what of what is here and free is promised to those who wait.
func (s Stock) kept(free quantity.Decimal) quantity.Decimal {
	return quantity.Min(s.Awaited(""), quantity.Max(free, quantity.Decimal{}))
}

// For is what of what is here can be promised to the holder of a promise: what is kept for it,
// and what is kept for nobody.
func (s Stock) For(promise, today string) quantity.Decimal {
	atp := s.atp(today)
	if promise == "" {
		return atp
	}
	covers, _ := s.Covered(today)
	for _, c := range covers {
		if c.Key != promise {
			continue
		}
		for _, p := range c.Parts {
			if p.Expected == 0 {
				atp = atp.Add(p.Quantity)
			}
		}
	}
	return atp
}

// FiguresFor are the figures as the holder of a promise may use them.
func (s Stock) FiguresFor(promise, today string) Figures {
	f := s.Figures(today)
	own := s.For(promise, today).Sub(quantity.Max(f.ATP, quantity.Decimal{}))
	f.ATP, f.Kept = f.ATP.Add(own), f.Kept.Sub(own)
	return f
}

// PromiseSupply promises a quantity in all of what is here or comes until the horizon: more of
// it behind all earlier promises, less of it the newest first. why is "" when all of it is promised.
func PromiseSupply(s Stock, key StockKey, w SupplyWish, today string, horizon time.Time) (facts []StockFact, why string) {
	more := w.Quantity.Sub(s.Awaited(w.Key))
	if more.Sign() < 0 {
		return []StockFact{SupplyPromised{s.named(key), w.Key, more}}, ""
	}
	if more.IsZero() {
		return nil, ""
	}
	if len(s.Waits) >= maxWaits {
		return nil, stockFull
	}
	_, left := s.Covered(today)
	var until, ever quantity.Decimal
	for _, p := range left {
		if p.Expected == 0 && w.LeaveStock {
			return nil, StockAvailable
		}
		ever = ever.Add(p.Quantity)
		if p.Expected <= horizon.UnixMilli() {
			until = until.Add(p.Quantity)
		}
	}
	granted := quantity.Min(more, until)
	if granted.Less(more) {
		why = SupplyMissing
		if until.Less(ever) {
			why = SupplyOutsideHorizon
		}
		if !w.Partial {
			granted = quantity.Decimal{}
		}
	}
	if granted.Sign() > 0 {
		facts = append(facts, SupplyPromised{s.named(key), w.Key, granted})
	}
	return facts, why
}

// Redated are the facts about the promises that count on other goods once the facts have happened.
func Redated(before Stock, facts []StockFact, today string) (dated []StockFact) {
	after := ApplyStock(before, facts...)
	if len(after.Waits) == 0 || len(facts) == 0 {
		return nil
	}
	why := dateReason(facts)
	covers, _ := after.Covered(today)
	for _, c := range covers {
		was := after.told(c.Key)
		if was.equal(c) {
			continue
		}
		f := SupplyPromiseDated{StockKey: after.Key, Cover: c, Before: was.Complete(), Reason: why}
		if slices.ContainsFunc(facts, func(f StockFact) bool { return promises(f, c.Key) }) {
			f.Reason = DatePromised
		}
		dated = append(dated, f)
	}
	return dated
}

// told is what was told of a promise last.
func (s Stock) told(key string) Cover {
	if i := slices.IndexFunc(s.Covers, func(c Cover) bool { return c.Key == key }); i >= 0 {
		return s.Covers[i]
	}
	return Cover{Key: key}
}

// promises reports whether a fact makes more or less of a promise.
func promises(f StockFact, key string) bool {
	switch f := f.(type) {
	case SupplyPromised:
		return f.Promise == key
	case StockReserved:
		return f.Promise == key
	}
	return false
}

// dateReason is why facts let promises count on other goods.
func dateReason(facts []StockFact) DateReason {
	for _, f := range facts {
		u, ok := f.(SupplyChanged)
		if !ok {
			continue
		}
		switch u.Reason {
		case SupplyArrived, SupplyAnnounced:
			return DateAnnounced
		default:
			return DateReason(u.Reason)
		}
	}
	return DateStockChanged
}

// DatedFigures is what can be promised by a time.
type DatedFigures struct {
	At                         int64 // ms since 1970
	Supply, Demand, Cumulative quantity.Decimal
}

// Dates are the times until the horizon at which supplies are expected, with what can be
// promised by then.
func (s Stock) Dates(today string, horizon time.Time) (dates []DatedFigures) {
	_, left := s.Covered(today)
	var sum quantity.Decimal
	free := map[int64]quantity.Decimal{}
	for _, p := range left {
		free[p.Expected] = free[p.Expected].Add(p.Quantity)
	}
	sum = free[0]
	for _, u := range s.Supplies {
		if !u.within(horizon) {
			continue
		}
		if n := len(dates) - 1; n >= 0 && dates[n].At == u.Expected {
			dates[n].Supply = dates[n].Supply.Add(u.Quantity)
			continue
		}
		sum = sum.Add(free[u.Expected])
		dates = append(dates, DatedFigures{At: u.Expected, Supply: u.Quantity, Cumulative: sum})
	}
	for i := range dates {
		dates[i].Demand = dates[i].Supply.Sub(free[dates[i].At])
	}
	return dates
}
