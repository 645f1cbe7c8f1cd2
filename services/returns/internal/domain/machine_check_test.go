package domain

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// check is what must hold after every step.
func (w *world) check(t *rapid.T) {
	refunded := map[int]int64{}
	for i, r := range w.returns {
		var received, disposed quantity.Decimal
		for _, l := range r.Lines {
			w.checkLine(t, r, l)
			received, disposed = received.Add(l.Received), disposed.Add(l.Disposed.Sum())
		}
		if received != w.received[i] {
			t.Fatalf("return %d counts %s of %s that arrived", i, received, w.received[i])
		}
		if disposed != w.moved[i] {
			t.Fatalf("return %d disposed of %s, inventory moved %s", i, disposed, w.moved[i])
		}
		if s := r.State(); (s == Cancelled || s == Denied) && len(r.Credits) > 0 {
			t.Fatalf("return %d is %s and has credits %+v", i, s, r.Credits)
		}
		credited := map[int]quantity.Decimal{}
		for _, c := range r.Credits {
			for _, l := range c.Lines {
				credited[l.Line] = credited[l.Line].Add(l.Quantity.Value)
				refunded[l.OrderLine] += l.Net.Minor
				if l.Net.Minor < 0 || l.Fee.Minor < 0 || l.Net.Minor+l.Fee.Minor != l.Gross.Minor {
					t.Fatalf("credit line %+v", l)
				}
			}
		}
		for _, l := range r.Lines {
			if credited[l.Number] != l.Credited {
				t.Fatalf("return %d line %d counts %s credited, its credits are for %s", i, l.Number, l.Credited, credited[l.Number])
			}
		}
		if len(w.pending) == 0 {
			w.checkClaim(t, r)
		}
		if again := fmt.Sprintf("%+v", Apply(Return{}, w.facts[i]...)); again != w.shown[i] {
			t.Fatalf("the facts give\n%s\nthe state is\n%s", again, w.shown[i])
		}
		w.tallies[i].agrees(t, r)
	}
	var items Returnable
	for _, f := range w.booked {
		items = EvolveItems(items, f)
	}
	if again := fmt.Sprintf("%+v", items); again != w.stands {
		t.Fatalf("the facts give\n%s\nthe order is\n%s", again, w.stands)
	}
	for n, issued := range w.issued {
		at, _ := w.items.find(n)
		paid, priced := w.items.Lines[at].Paid()
		if refunded[n] > paid.Minor || !priced && refunded[n] > 0 {
			t.Fatalf("line %d: refunded %d of %d", n, refunded[n], paid.Minor)
		}
		claimed, worth := w.items.Claimed(n)
		if issued.Less(claimed) {
			t.Fatalf("line %d: returned %s of %s issued", n, claimed, issued)
		}
		if worth > paid.Minor {
			t.Fatalf("line %d: claims are worth %d of %d", n, worth, paid.Minor)
		}
	}
}

// checkClaim holds what a return holds of its order against what it still needs, once all reactors are done.
func (w *world) checkClaim(t *rapid.T, r Return) {
	claim, held := w.items.Claim(r.ClaimKey)
	var claimed, authorised quantity.Decimal
	for _, l := range claim.Lines {
		claimed = claimed.Add(l.Quantity.Value)
	}
	for _, l := range r.Lines {
		authorised = authorised.Add(l.Authorised)
	}
	switch r.State() {
	case Denied, Cancelled, Unexpected:
		if held {
			t.Fatalf("%s is %s and still holds %s", r.ID, r.State(), claimed)
		}
	case Authorised, PartiallyReceived, Received, Inspected, Completed:
		if claimed != authorised {
			t.Fatalf("%s is %s, holds %s and is authorised %s", r.ID, r.State(), claimed, authorised)
		}
	case Requested:
	}
}

func (w *world) checkLine(t *rapid.T, r Return, l Line) {
	var stands quantity.Decimal
	for _, p := range l.Places {
		stands = stands.Add(p.Quantity)
	}
	switch {
	case stands != l.Pending() || l.Pending().Sign() < 0:
		t.Fatalf("line %d: %s stand somewhere, %s pending", l.Number, stands, l.Pending())
	case l.uninspected().Sign() < 0:
		t.Fatalf("line %d: more inspected than arrived", l.Number)
	case l.Accepted.Less(l.Credited), l.Authorised.Less(l.Credited), l.Received.Less(l.Credited):
		t.Fatalf("line %d: credited %s of %s accepted, %s authorised, %s received", l.Number, l.Credited, l.Accepted, l.Authorised, l.Received)
	case l.Accepted.Less(l.Disposed.Restocked):
		t.Fatalf("line %d: restocked %s of %s accepted", l.Number, l.Disposed.Restocked, l.Accepted)
	case l.Received.Less(l.Accepted.Add(l.Disposed.ToCustomer)):
		t.Fatalf("line %d: accepted goods went back", l.Number)
	case l.Priced() && l.Credited.Sign() > 0 && l.Credited == l.Held && l.Gross != l.Paid.Minor:
		t.Fatalf("line %d: all of it is credited, with %d of %d", l.Number, l.Gross, l.Paid.Minor)
	case l.Gross > l.Paid.Minor:
		t.Fatalf("line %d: credited %d of %d paid", l.Number, l.Gross, l.Paid.Minor)
	}
	if !l.Authorised.IsZero() {
		claim, held := w.items.Claim(r.ClaimKey)
		if !held || !slices.ContainsFunc(claim.Lines, func(c ClaimedLine) bool { return c.Line == l.Number && !c.Quantity.Value.Less(l.Authorised) }) {
			t.Fatalf("line %d: %s authorised without a claim", l.Number, l.Authorised)
		}
	}
}
