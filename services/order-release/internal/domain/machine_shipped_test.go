package domain

import "pgregory.net/rapid"

func (c *cell) dispatched() int64 { return min(c.saidDispatched, c.live()) }

// shippedAs is what of the cell counts as shipped by a policy.
func (c *cell) shippedAs(p ShippedPolicy) int64 {
	switch p {
	case ShippedOnIssue:
		return c.issued
	case ShippedOnDispatch:
		return c.dispatched()
	}
	return min(c.issued, c.dispatched())
}

// ship: what is told to be shipped is told of a release that was sent, under the policy it was sent with.
func (g *ledger) ship(t *rapid.T, f LinesShipped) {
	r := g.releases[f.Release]
	if r == nil || !r.sent || r.ships != f.Policy || f.At.IsZero() {
		t.Fatalf("%+v of %+v", f, r)
	}
	for _, l := range f.Lines {
		if r.lines[l.Line] == nil || l.Quantity.Value.IsZero() {
			t.Fatalf("%+v of %+v", f, r)
		}
	}
}

// checkShipped: every release that was sent has a policy and keeps it, and its status and the order's are
// what the cells say.
func (m *machine) checkShipped(t *rapid.T) {
	status := func(part, all int64) ShippedStatus {
		switch {
		case part == 0:
			return NotShipped
		case part < all:
			return PartiallyShipped
		}
		return Shipped
	}
	for _, r := range m.order.Releases {
		if r.Sent.IsZero() {
			continue
		}
		l := m.ledger.releases[r.Number]
		if r.Shipping.Policy == "" || r.Shipping.Policy != l.ships {
			t.Fatalf("release %d was sent by policy %q and counts by %+v", r.Number, l.ships, r.Shipping)
		}
		some, all := false, true
		for _, c := range l.lines {
			if c.live() > 0 {
				s := status(c.shippedAs(l.ships), c.live())
				some, all = some || s != NotShipped, all && s == Shipped
			}
		}
		want := map[bool]ShippedStatus{false: NotShipped, true: PartiallyShipped}[some]
		if some && all {
			want = Shipped
		}
		if got, since := r.Shipped(); got != want || got == NotShipped && !since.IsZero() {
			t.Fatalf("release %d is %q since %s, want %q", r.Number, got, since, want)
		}
	}
	if m.order.Shipped() != Shipped {
		return
	}
	for i, q := range m.order.Quantities() {
		if q.Shipped != q.Ordered.Sub(q.Cancelled) {
			t.Fatalf("the order counts as shipped, and of line %d only %+v does", i, q)
		}
	}
}
