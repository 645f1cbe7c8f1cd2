package domain

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// dated tells the order what a stock promises of what comes: now, later or earlier than what it
// was told before, of about as much as it waits for.
func (m *machine) dated(t *rapid.T) {
	w := Wanted{pick(t, "site", "DC1", "DC2"), pick(t, "item", "a", "b")}
	was, known := m.order.ExpectedAt(w)
	x := Expected{Site: w.Site, Item: w.Item, Version: was.Version + uint64(draw(t, 2, "version"))}
	left := whole(m.order.Awaits(w).Value) + int64(draw(t, 2, "beside"))
	for n := range draw(t, 3, "parts") {
		q := pick(t, "part", left, left/2, 1)
		if q = min(q, left); q > 0 {
			x.Parts = append(x.Parts, SupplyPart{Delivery: "asn_a", ASN: "A-1", Expected: start.Add(time.Duration(n+1) * time.Hour), Quantity: quantity.Int(q)})
			left -= q
		}
	}
	if draw(t, 3, "short") == 0 {
		x.Uncovered = quantity.Int(left)
	}
	facts, err := m.order.Date(m.env(), x, "PROMISED")
	if old := known && x.Version <= was.Version; old && len(facts) > 0 {
		t.Fatalf("version %d, after %d: %+v", x.Version, was.Version, facts)
	}
	done := m.order.Done
	m.do(t, "Date", facts, err)
	if now, _ := m.order.ExpectedAt(w); m.order.Valid && !done && x.Version > was.Version && !now.alike(x) {
		t.Fatalf("told %+v, the order has %+v", x, now)
	}
	if twice, err := m.order.Date(m.env(), x, "PROMISED"); err != nil || len(twice) > 0 {
		t.Fatalf("told a second time: %+v %v", twice, err)
	}
}

// undated tells the order what of a place comes too late.
func (m *machine) undated(t *rapid.T) {
	u := Undated{
		Site: pick(t, "site", "DC1", "DC2"), Item: pick(t, "item", "a", "b"), Quantity: quantity.Int(pick[int64](t, "q", 0, 1, 5)),
		Reason: pick(t, "reason", outsideHorizon, "SUPPLY_MISSING"),
	}
	m.again(t, "Undate", func() ([]Fact, error) { return m.order.Undate(m.env(), u) })
}

// checkExpected: a line counts on no more than it waits for, and all lines together on no more
// than was promised; a date is that of its last part, and of all of it.
func (m *machine) checkExpected(t *rapid.T) {
	o := m.order
	sums := map[Wanted]int64{}
	for i, q := range o.Quantities() {
		l := o.Lines[i]
		parts, at := o.Supplies(i)
		var sum int64
		for _, p := range parts {
			sum += whole(p.Quantity)
		}
		if waits := max(0, whole(q.Backordered)-whole(q.Promised)); sum > waits || !at.IsZero() && sum != waits {
			t.Fatalf("line %d waits for %d and counts on %d until %s", l.Number, waits, sum, at)
		}
		if !slices.IsSortedFunc(parts, func(a, b SupplyPart) int { return a.Expected.Compare(b.Expected) }) {
			t.Fatalf("line %d counts on %+v", l.Number, parts)
		}
		sums[Wanted{l.Site, l.Item}] += sum
	}
	for w, sum := range sums {
		x, _ := o.ExpectedAt(w)
		if promised := whole(x.Promised()); sum > promised {
			t.Fatalf("lines count on %d at %v, %d are promised", sum, w, promised)
		}
		if !slices.Contains(o.AwaitedPlaces(), w) && !o.Awaits(w).Value.IsZero() {
			t.Fatalf("%v is none of %v", w, o.AwaitedPlaces())
		}
	}
}
