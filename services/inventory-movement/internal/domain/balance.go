package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Filter names a part of a stock; a field that is empty takes everything. Without a location
// the virtual ones outside the site are left out, so that the balance is what the site has.
type Filter struct {
	Location, Lot, Serial string
	Status                Status
}

func (f Filter) takes(p Place) bool {
	at := f.Location == p.Location || f.Location == "" && !p.outside()
	return at && (f.Lot == "" || f.Lot == p.Lot) && (f.Serial == "" || f.Serial == p.Serial) && (f.Status == "" || f.Status == p.Status)
}

// Promises reports whether promises belong to the part: they are of all AVAILABLE goods, not
// of those of one place.
func (f Filter) Promises() bool {
	return f.Location == "" && f.Lot == "" && f.Serial == "" && (f.Status == "" || f.Status == Available)
}

// Sums are the figures of a part of a stock. Promised is zero for a part that promises do not
// belong to.
type Sums struct {
	OnHand, Allocated, Promised quantity.Decimal
}

// Plus adds a change to the figures.
func (s Sums) Plus(o Sums) Sums {
	return Sums{s.OnHand.Add(o.OnHand), s.Allocated.Add(o.Allocated), s.Promised.Add(o.Promised)}
}

// IsZero reports whether nothing is there, or nothing changed.
func (s Sums) IsZero() bool { return s == Sums{} }

// Effect is what a fact changes: rows, and promises.
type Effect struct {
	Rows     []Row // changes, with their sign
	Promised quantity.Decimal
}

// EffectOf is what made one state of a stock of another.
func EffectOf(before, after Stock) Effect {
	var e Effect
	was, is := different(before.Rows, after.Rows)
	for _, r := range was {
		e.Rows = tally(e.Rows, r.Place, r.OnHand.Neg(), r.Allocated.Neg())
	}
	for _, r := range is {
		e.Rows = tally(e.Rows, r.Place, r.OnHand, r.Allocated)
	}
	old, now := different(before.Claims, after.Claims)
	for _, c := range old {
		e.Promised = e.Promised.Sub(c.Quantity)
	}
	for _, c := range now {
		e.Promised = e.Promised.Add(c.Quantity)
	}
	return e
}

// different leaves off what two lists begin and end with alike.
func different[T comparable](a, b []T) (x, y []T) {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return a, b
}

// tally adds to the figures of a place; rows of nothing are dropped.
func tally(rows []Row, p Place, onHand, allocated quantity.Decimal) []Row {
	i := slices.IndexFunc(rows, func(r Row) bool { return r.Place == p })
	if i < 0 {
		rows, i = append(rows, Row{Place: p}), len(rows)
	}
	r := &rows[i]
	if r.OnHand, r.Allocated = r.OnHand.Add(onHand), r.Allocated.Add(allocated); r.OnHand.IsZero() && r.Allocated.IsZero() {
		return slices.Delete(rows, i, i+1)
	}
	return rows
}

// Of is what an effect changes of a part of the stock.
func (e Effect) Of(f Filter) Sums {
	s := sum(e.Rows, f)
	if f.Promises() {
		s.Promised = e.Promised
	}
	return s
}

func sum(rows []Row, f Filter) (s Sums) {
	for _, r := range rows {
		if f.takes(r.Place) {
			s.OnHand, s.Allocated = s.OnHand.Add(r.OnHand), s.Allocated.Add(r.Allocated)
		}
	}
	return s
}

// Balance is a part of a stock as of a moment.
type Balance struct {
	Key  StockKey
	Rows []Row
	Sums
	Version uint64 // last version that counts
}

// BalanceOf is a part of a stock.
func BalanceOf(s Stock, f Filter) Balance {
	b := Balance{Key: s.Key, Sums: sum(s.Rows, f)}
	for _, r := range s.Rows {
		if f.takes(r.Place) {
			b.Rows = append(b.Rows, r)
		}
	}
	if f.Promises() {
		for _, c := range s.Claims {
			b.Promised = b.Promised.Add(c.Quantity)
		}
	}
	return b
}

// Happened is when a fact counts by event time: a movement when the goods moved, whenever that
// was told; promises and allocations when they were recorded, for they are made by that.
func Happened(fact StockFact, recorded time.Time) time.Time {
	if m, ok := fact.(StockMoved); ok && !m.At.IsZero() {
		return m.At
	}
	return recorded
}

// Timeline sums up effects by event time. A movement's goods count when they moved; what it
// uses up of an allocation counts when that was recorded, as the allocation itself does.
type Timeline struct {
	Until time.Time
	rows  []Row
	held  quantity.Decimal
}

// Add counts an effect as far as it lies before the end of the timeline.
func (l *Timeline) Add(e Effect, happened, recorded time.Time) {
	moved, decided := !happened.After(l.Until), !recorded.After(l.Until)
	for _, r := range e.Rows {
		if !moved {
			r.OnHand = quantity.Decimal{}
		}
		if !decided {
			r.Allocated = quantity.Decimal{}
		}
		l.rows = tally(l.rows, r.Place, r.OnHand, r.Allocated)
	}
	if decided {
		l.held = l.held.Add(e.Promised)
	}
}

// Balance is the part of the stock at the end of the timeline.
func (l *Timeline) Balance(f Filter) Balance {
	b := BalanceOf(Stock{Rows: l.rows}, f)
	if f.Promises() {
		b.Promised = l.held
	}
	return b
}

// Count is what of an effect on a part lies before the end of the timeline.
func (l *Timeline) Count(e Effect, f Filter, happened, recorded time.Time) Sums {
	one := Timeline{Until: l.Until}
	one.Add(e, happened, recorded)
	return one.Balance(f).Sums
}
