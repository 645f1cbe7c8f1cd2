package domain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// PromiseKey is the key of an order's promises against supplies: one in each stock.
func PromiseKey(order string) string { return promiseKey + order }

// OrderOf returns the order whose promise has the key; false for a promise of something else.
func OrderOf(key string) (order string, ok bool) { return strings.CutPrefix(key, promiseKey) }

const promiseKey = "dtd:"

// SupplyPart is goods that a promise counts on.
type SupplyPart struct {
	Delivery string           `bson:"d,omitempty"` // inbound delivery; "": they are at the site
	ASN      string           `bson:"a,omitempty"`
	Expected time.Time        `bson:"e,omitempty"` // zero: they are at the site
	Quantity quantity.Decimal `bson:"q"`
}

// Expected is what an order was promised of what comes to a site.
type Expected struct {
	Site      string           `bson:"s"`
	Item      string           `bson:"i"`
	Parts     []SupplyPart     `bson:"p,omitempty"` // the earliest first
	Uncovered quantity.Decimal `bson:"u,omitempty"` // promised, and nothing that is announced covers it any more
	Version   uint64           `bson:"v"`           // of the stock that says so
}

// Complete is when all of it is there; zero when nobody knows, or when it is there.
func (x Expected) Complete() time.Time {
	if x.Uncovered.Sign() > 0 || len(x.Parts) == 0 {
		return time.Time{}
	}
	return x.Parts[len(x.Parts)-1].Expected
}

// Promised is how much was promised.
func (x Expected) Promised() quantity.Decimal {
	sum := x.Uncovered
	for _, p := range x.Parts {
		sum = sum.Add(p.Quantity)
	}
	return sum
}

func (x Expected) alike(o Expected) bool {
	return x.Uncovered == o.Uncovered && slices.EqualFunc(x.Parts, o.Parts, func(a, b SupplyPart) bool {
		return a.Delivery == b.Delivery && a.ASN == b.ASN && a.Quantity == b.Quantity && a.Expected.Equal(b.Expected)
	})
}

// Undated is what waits at a site and is not promised, because no supply covers it in time.
type Undated struct {
	Site     string           `bson:"s"`
	Item     string           `bson:"i"`
	Quantity quantity.Decimal `bson:"q"`
	Reason   string           `bson:"r"`
	Horizon  time.Time        `bson:"h,omitempty"`
}

// PromiseDated says by when what an order waits for at a site is there.
type PromiseDated struct {
	Keys
	Expected
	Lines  []int
	Before time.Time
	Reason string
}

// PromiseUndated says that something is not promised; a quantity of 0 that it is by now.
type PromiseUndated struct {
	Keys
	Undated
}

func (PromiseDated) fact()   {}
func (PromiseUndated) fact() {}

// Reasons about what comes.
const (
	reasonExpected  = "SUPPLY_EXPECTED"
	reasonUncertain = "SUPPLY_UNCERTAIN"
	outsideHorizon  = "SUPPLY_OUTSIDE_HORIZON"
)

// evolveExpected applies a fact about what comes.
func evolveExpected(o Order, f Fact) Order {
	switch f := f.(type) {
	case PromiseDated:
		o.Expected = slices.DeleteFunc(slices.Clone(o.Expected), func(x Expected) bool { return x.Site == f.Site && x.Item == f.Item })
		o.Expected = append(o.Expected, f.Expected)
	case PromiseUndated:
		o.Undated = slices.DeleteFunc(slices.Clone(o.Undated), func(u Undated) bool { return u.Site == f.Site && u.Item == f.Item })
		if f.Quantity.Sign() > 0 {
			o.Undated = append(o.Undated, f.Undated)
		}
	}
	return o
}

// waits is what of the i-th line waits for stock and is not promised of what is there.
func (q Quantities) waits() quantity.Decimal {
	return quantity.Max(q.Backordered.Sub(q.Promised), quantity.Decimal{})
}

// Awaits is how much of an item waits at a site for what comes.
func (o Order) Awaits(w Wanted) (sum quantity.Quantity) {
	for i, q := range o.Quantities() {
		l := o.Lines[i]
		if l.Item == w.Item {
			sum.Unit = l.Base.Unit
		}
		if l.Item == w.Item && l.Site == w.Site {
			sum.Value = sum.Value.Add(q.waits())
		}
	}
	return sum
}

// AwaitedPlaces are the places at which the order's lines wait, waited or count on a supply.
func (o Order) AwaitedPlaces() (places []Wanted) {
	add := func(w Wanted) {
		if !slices.Contains(places, w) {
			places = append(places, w)
		}
	}
	for i, q := range o.Quantities() {
		if q.waits().Sign() > 0 {
			add(Wanted{o.Lines[i].Site, o.Lines[i].Item})
		}
	}
	for _, x := range o.Expected {
		add(Wanted{x.Site, x.Item})
	}
	for _, u := range o.Undated {
		add(Wanted{u.Site, u.Item})
	}
	return places
}

// ExpectedAt is what the order was promised of what comes to a place.
func (o Order) ExpectedAt(w Wanted) (Expected, bool) {
	i := slices.IndexFunc(o.Expected, func(x Expected) bool { return x.Site == w.Site && x.Item == w.Item })
	if i < 0 {
		return Expected{Site: w.Site, Item: w.Item}, false
	}
	return o.Expected[i], true
}

// IsPromised reports whether all that waits at a place was promised of what comes.
func (o Order) IsPromised(w Wanted) bool {
	x, _ := o.ExpectedAt(w)
	return !x.Promised().Less(o.Awaits(w).Value)
}

// Date records what stock says of a promise against supplies. What an earlier version of the
// stock said, or what is known, changes nothing.
func (o Order) Date(_ Env, x Expected, reason string) ([]Fact, error) {
	w := Wanted{x.Site, x.Item}
	was, known := o.ExpectedAt(w)
	if !o.Valid || o.Done || known && x.Version <= was.Version || was.alike(x) {
		return nil, nil
	}
	f := PromiseDated{Keys: o.keys(), Expected: x, Before: was.Complete(), Reason: reason}
	for i, q := range o.Quantities() {
		if l := o.Lines[i]; l.Item == w.Item && l.Site == w.Site && q.waits().Sign() > 0 {
			f.Lines = append(f.Lines, l.Number)
		}
	}
	return []Fact{f}, nil
}

// Undate records what of a place is not promised, and why. That there is nothing that could
// be promised is said only after something was not in time.
func (o Order) Undate(_ Env, u Undated) ([]Fact, error) {
	i := slices.IndexFunc(o.Undated, func(k Undated) bool { return k.Site == u.Site && k.Item == u.Item })
	switch {
	case i < 0 && (u.Quantity.Sign() <= 0 || u.Reason != outsideHorizon):
		return nil, nil
	case i >= 0 && o.Undated[i].Quantity == u.Quantity && o.Undated[i].Reason == u.Reason:
		return nil, nil
	}
	return []Fact{PromiseUndated{Keys: o.keys(), Undated: u}}, nil
}

// Supplies is what the part of the i-th line that waits counts on; at is by when all of it is
// there, zero when not all of it is promised or when it is there.
func (o Order) Supplies(i int) (parts []SupplyPart, at time.Time) {
	quantities := o.Quantities()
	w := Wanted{o.Lines[i].Site, o.Lines[i].Item}
	x, _ := o.ExpectedAt(w)
	left := slices.Clone(x.Parts)
	for n := range o.Lines[:i+1] {
		if l := o.Lines[n]; l.Site != w.Site || l.Item != w.Item {
			continue
		}
		need := quantities[n].waits()
		parts, at = nil, time.Time{}
		for len(left) > 0 && need.Sign() > 0 {
			p := left[0]
			p.Quantity = quantity.Min(p.Quantity, need)
			parts, need = append(parts, p), need.Sub(p.Quantity)
			if left[0].Quantity = left[0].Quantity.Sub(p.Quantity); left[0].Quantity.IsZero() {
				left = left[1:]
			}
		}
		if need.Sign() == 0 && len(parts) > 0 {
			at = parts[len(parts)-1].Expected
		}
	}
	return parts, at
}

// expectedBy is by when all that waits of the line that a reason names is there.
func (o Order) expectedBy(field string) (at time.Time) {
	for i, l := range o.Lines {
		if fmt.Sprintf("lines.%d", l.Number) == field {
			_, at = o.Supplies(i)
		}
	}
	return at
}

// explainSupplies says of the i-th line what comes, when, and what does not.
func (o Order) explainSupplies(i int) (reasons []Reason) {
	l := o.Lines[i]
	field := fmt.Sprintf("lines.%d", l.Number)
	parts, _ := o.Supplies(i)
	for _, p := range parts {
		message := fmt.Sprintf("%s %s of %s are at %s and kept for the order", p.Quantity, l.Base.Unit, l.SKU, l.Site)
		if p.Delivery != "" {
			message = fmt.Sprintf("%s %s of %s come to %s with ASN %s, expected %s", p.Quantity, l.Base.Unit, l.SKU, l.Site, p.ASN, p.Expected.Format("2006-01-02 15:04Z"))
		}
		reasons = append(reasons, Reason{reasonExpected, field, message})
	}
	if x, _ := o.ExpectedAt(Wanted{l.Site, l.Item}); x.Uncovered.Sign() > 0 {
		reasons = append(reasons, Reason{
			reasonUncertain, field, fmt.Sprintf("%s %s of %s were promised at %s, and what was to bring them is late or short: it is dated again as soon as a supply is announced", x.Uncovered, l.Base.Unit, l.SKU, l.Site),
		})
	}
	for _, u := range o.Undated {
		if u.Site == l.Site && u.Item == l.Item && u.Reason == outsideHorizon {
			reasons = append(reasons, Reason{
				outsideHorizon, field, fmt.Sprintf("%s %s of %s are expected at %s only after %s: they are not promised", u.Quantity, l.Base.Unit, l.SKU, l.Site, u.Horizon.Format("2006-01-02 15:04Z")),
			})
		}
	}
	return reasons
}
