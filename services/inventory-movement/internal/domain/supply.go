package domain

import (
	"cmp"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// maxSupplies bounds the supplies of one stock, maxWaits the promises against them.
const (
	maxSupplies = 1000
	maxWaits    = 1000
)

// Supply is goods of one line of an inbound delivery that are announced and have not come.
type Supply struct {
	Delivery string           `bson:"d"`
	Line     int              `bson:"n"`
	ASN      string           `bson:"a,omitempty"`
	Quantity quantity.Decimal `bson:"q"`
	Expected int64            `bson:"e,omitempty"` // ms since 1970; 0 when nobody said
	Arrived  bool             `bson:"h,omitempty"` // it is at the site
	Overdue  bool             `bson:"o,omitempty"` // it was expected earlier and is not here
}

// dated reports whether somebody knows when the supply comes.
func (u Supply) dated() bool { return u.Expected != 0 && !u.Overdue }

// within reports whether the supply comes until a time.
func (u Supply) within(end time.Time) bool { return u.dated() && u.Expected <= end.UnixMilli() }

// Wait is a promise of what is to come, in the order in which promises were made: the first
// takes the earliest goods. One key may have several, when it was promised more later.
type Wait struct {
	Key      string           `bson:"k"`
	Quantity quantity.Decimal `bson:"q"`
}

// SupplyPart is goods that a promise counts on.
type SupplyPart struct {
	Delivery string           `bson:"d,omitempty"` // "": they are here
	ASN      string           `bson:"a,omitempty"`
	Expected int64            `bson:"e,omitempty"` // ms since 1970; 0: they are here
	Quantity quantity.Decimal `bson:"q"`
}

// Cover is what a promise counts on, the earliest first.
type Cover struct {
	Key       string           `bson:"k"`
	Parts     []SupplyPart     `bson:"p,omitempty"`
	Uncovered quantity.Decimal `bson:"u,omitempty"` // what nothing that is announced covers
}

// Complete is when all of it is here; zero when nobody knows, or when it is here already.
func (c Cover) Complete() time.Time {
	if c.Uncovered.Sign() > 0 || len(c.Parts) == 0 || c.Parts[len(c.Parts)-1].Expected == 0 {
		return time.Time{}
	}
	return time.UnixMilli(c.Parts[len(c.Parts)-1].Expected).UTC()
}

func (c Cover) equal(o Cover) bool {
	return c.Key == o.Key && c.Uncovered == o.Uncovered && slices.Equal(c.Parts, o.Parts)
}

// SupplyReason is why a supply changed.
type SupplyReason string

// Reasons for which a supply changes.
const (
	SupplyAnnounced   SupplyReason = "ANNOUNCED"
	SupplyReceived    SupplyReason = "RECEIVED"
	SupplyCancelled   SupplyReason = "CANCELLED"
	SupplyRescheduled SupplyReason = "RESCHEDULED"
	SupplyArrived     SupplyReason = "ARRIVED"
	SupplyOverdue     SupplyReason = "OVERDUE"
)

// The facts of supplies and of the promises against them.
type (
	// SupplyChanged is a supply that became more or less, or is expected at another time.
	SupplyChanged struct {
		StockKey
		Supply // without its quantity
		Change quantity.Decimal
		Reason SupplyReason
	}
	// SupplyPromised promises more or, with a minus, less of what is to come.
	SupplyPromised struct {
		StockKey
		Promise string
		Change  quantity.Decimal
	}
	// SupplyPromiseDated says what a promise counts on from now on.
	SupplyPromiseDated struct {
		StockKey
		Cover
		Before time.Time // when it was complete as far as was told before
		Reason DateReason
	}
)

func (SupplyChanged) isStockFact()      {}
func (SupplyPromised) isStockFact()     {}
func (SupplyPromiseDated) isStockFact() {}

// evolveSupply applies a fact about supplies.
func evolveSupply(s Stock, fact StockFact) Stock {
	switch f := fact.(type) {
	case SupplyChanged:
		s.Key = f.StockKey
		s.Supplies = supplied(s.Supplies, f)
	case SupplyPromised:
		s.Key = f.StockKey
		if f.Change.Sign() < 0 {
			s = s.unwait(f.Promise, f.Change.Neg(), true)
		} else {
			s.Waits = append(slices.Clip(s.Waits), Wait{f.Promise, f.Change})
		}
	case SupplyPromiseDated:
		s.Key = f.StockKey
		s.Covers = slices.DeleteFunc(slices.Clone(s.Covers), func(c Cover) bool { return c.Key == f.Key })
		s.Covers = append(s.Covers, f.Cover)
	}
	return s
}

// supplied are the supplies after one changed; what is used up is none any more.
func supplied(all []Supply, f SupplyChanged) []Supply {
	all = slices.Clone(all)
	i := supplyIndex(all, f.Delivery, f.Line)
	if i < 0 {
		all, i = append(all, Supply{}), len(all)
	}
	next := f.Supply
	next.Quantity = all[i].Quantity.Add(f.Change)
	all[i] = next
	all = slices.DeleteFunc(all, func(u Supply) bool { return u.Quantity.Sign() <= 0 })
	slices.SortStableFunc(all, func(a, b Supply) int {
		return cmp.Or(cmp.Compare(a.Expected, b.Expected), cmp.Compare(a.Delivery, b.Delivery), a.Line-b.Line)
	})
	return all
}

func supplyIndex(all []Supply, delivery string, line int) int {
	return slices.IndexFunc(all, func(u Supply) bool { return u.Delivery == delivery && u.Line == line })
}

// unwait takes a quantity out of the promises of a key: newest says from which end.
func (s Stock) unwait(key string, q quantity.Decimal, newest bool) Stock {
	s.Waits = slices.Clone(s.Waits)
	if newest {
		slices.Reverse(s.Waits)
	}
	for i := range s.Waits {
		if w := &s.Waits[i]; w.Key == key {
			n := quantity.Min(w.Quantity, q)
			w.Quantity, q = w.Quantity.Sub(n), q.Sub(n)
		}
	}
	if newest {
		slices.Reverse(s.Waits)
	}
	s.Waits = slices.DeleteFunc(s.Waits, func(w Wait) bool { return w.Quantity.Sign() <= 0 })
	if s.Awaited(key).IsZero() {
		s.Covers = slices.DeleteFunc(slices.Clone(s.Covers), func(c Cover) bool { return c.Key == key })
	}
	return s
}

// Awaited is what is promised to a key of what is to come; "" sums up all.
func (s Stock) Awaited(key string) (sum quantity.Decimal) {
	for _, w := range s.Waits {
		if key == "" || w.Key == key {
			sum = sum.Add(w.Quantity)
		}
	}
	return sum
}

// Supplied makes more of a supply, or announces it.
func Supplied(s Stock, key StockKey, u Supply) ([]StockFact, error) {
	if supplyIndex(s.Supplies, u.Delivery, u.Line) < 0 && len(s.Supplies) >= maxSupplies {
		return nil, fault.New(fault.Refused, stockFull, "%d supplies are announced for %s", len(s.Supplies), s.Key.SKU)
	}
	q := u.Quantity
	u.Quantity = quantity.Decimal{}
	return []StockFact{SupplyChanged{StockKey: s.named(key), Supply: u, Change: q, Reason: SupplyAnnounced}}, nil
}

// Unsupplied makes less of a supply, at most what there is of it. One that is not known, from
// before supplies were kept for instance, does not change.
func Unsupplied(s Stock, delivery string, line int, q quantity.Decimal, why SupplyReason) []StockFact {
	i := supplyIndex(s.Supplies, delivery, line)
	if i < 0 || q.Sign() <= 0 {
		return nil
	}
	u := s.Supplies[i]
	less := quantity.Min(q, u.Quantity)
	u.Quantity = quantity.Decimal{}
	return []StockFact{SupplyChanged{StockKey: s.Key, Supply: u, Change: less.Neg(), Reason: why}}
}

// Rescheduled expects what has not come of a delivery at another time.
func Rescheduled(s Stock, delivery string, at time.Time) []StockFact {
	return s.changed(delivery, SupplyRescheduled, func(u *Supply) { u.Expected, u.Overdue = millis(at), false })
}

// HereNow says that a delivery is at the site: what has not been received of it is not late any more.
func HereNow(s Stock, delivery string, at time.Time) []StockFact {
	return s.changed(delivery, SupplyArrived, func(u *Supply) {
		if u.Arrived, u.Overdue = true, false; u.Expected == 0 || u.Expected > millis(at) {
			u.Expected = millis(at)
		}
	})
}

// Overdue says of supplies whose time is over, and that are not here, that nobody knows when they come.
func Overdue(s Stock, now time.Time) (facts []StockFact) {
	for _, u := range s.Supplies {
		if u.late(now) {
			u.Quantity, u.Overdue = quantity.Decimal{}, true
			facts = append(facts, SupplyChanged{StockKey: s.Key, Supply: u, Reason: SupplyOverdue})
		}
	}
	return facts
}

func (u Supply) late(now time.Time) bool {
	return u.dated() && !u.Arrived && u.Expected <= now.UnixMilli()
}

// changed are the facts of the supplies of a delivery that a change makes others.
func (s Stock) changed(delivery string, why SupplyReason, change func(*Supply)) (facts []StockFact) {
	for _, u := range s.Supplies {
		next := u
		if change(&next); u.Delivery == delivery && next != u {
			next.Quantity = quantity.Decimal{}
			facts = append(facts, SupplyChanged{StockKey: s.Key, Supply: next, Reason: why})
		}
	}
	return facts
}

// millis is a time as supplies keep it.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
