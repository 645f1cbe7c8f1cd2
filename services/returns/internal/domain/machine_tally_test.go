package domain

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// tally adds up what the facts of one return say, in its own way.
type tally struct {
	requested, authorised, denied, cancelled, completed bool
	received, accepted, rejected, credited              quantity.Decimal
	gross, net                                          int64
	disposed                                            map[Disposition]quantity.Decimal
	confirmed                                           map[int]bool // credits
}

func (y *tally) add(fact Fact) {
	switch f := fact.(type) {
	case ReturnRequested:
		y.requested = true
	case ReturnAuthorised:
		y.authorised = true
	case ReturnDenied:
		y.denied = true
	case ReturnCancelled:
		y.cancelled = true
	case ReturnCompleted:
		y.completed = true
	case ReceiptRecorded:
		y.received = y.received.Add(f.Quantity.Value)
	case ItemsInspected:
		y.accepted, y.rejected = y.accepted.Add(f.Accepted.Value), y.rejected.Add(f.Rejected.Value)
	case ItemsDisposed:
		y.disposed[f.Disposition] = y.disposed[f.Disposition].Add(f.Quantity.Value)
	case CreditRequested:
		for _, l := range f.Lines {
			y.credited = y.credited.Add(l.Quantity.Value)
			y.gross, y.net = y.gross+l.Gross.Minor, y.net+l.Net.Minor
		}
		if f.Gross.Minor-f.Fee.Minor != f.Net.Minor {
			panic(fmt.Sprintf("%v less %v is not %v", f.Gross, f.Fee, f.Net))
		}
	case CreditConfirmed:
		if y.confirmed == nil {
			y.confirmed = map[int]bool{}
		}
		y.confirmed[f.Credit] = true
	}
}

// agrees holds a return against its tally.
func (y *tally) agrees(t *rapid.T, r Return) {
	var received, accepted, rejected, credited quantity.Decimal
	var gross, net int64
	disposed := map[Disposition]quantity.Decimal{}
	short, open := false, false
	for _, l := range r.Lines {
		received, accepted, rejected, credited = received.Add(l.Received), accepted.Add(l.Accepted), rejected.Add(l.Rejected), credited.Add(l.Credited)
		gross += l.Gross
		for to, q := range map[Disposition]quantity.Decimal{
			Restock: l.Disposed.Restocked, Quarantine: l.Disposed.Quarantined, Scrap: l.Disposed.Scrapped,
			ReturnToVendor: l.Disposed.ToVendor, BackToCustomer: l.Disposed.ToCustomer,
		} {
			disposed[to] = disposed[to].Add(q)
		}
		short = short || l.Received.Less(l.Authorised)
		open = open || l.Received != l.Accepted.Add(l.Rejected)
	}
	for n, c := range r.Credits {
		net += c.Net.Minor
		if !c.Confirmed.IsZero() != y.confirmed[n+1] {
			t.Fatalf("credit %d of %s: %+v, confirmed %t", n+1, r.ID, c, y.confirmed[n+1])
		}
	}
	if received != y.received || accepted != y.accepted || rejected != y.rejected || credited != y.credited || gross != y.gross || net != y.net {
		t.Fatalf("%+v, the tally has %+v", r, *y)
	}
	for _, to := range []Disposition{Restock, Quarantine, Scrap, ReturnToVendor, BackToCustomer} {
		if disposed[to] != y.disposed[to] {
			t.Fatalf("%s as %s, the tally has %s", disposed[to], to, y.disposed[to])
		}
	}
	if want := y.state(short, open); r.State() != want {
		t.Fatalf("%s is %s, the tally says %s", r.ID, r.State(), want)
	}
}

// state is where the return stands by the tally: short when a line has not all that is
// authorised, open when something of it is not inspected.
func (y *tally) state(short, open bool) State {
	for _, s := range []struct {
		holds bool
		state State
	}{
		{y.completed, Completed},
		{y.cancelled, Cancelled},
		{y.denied, Denied},
		{!y.requested, Unexpected},
		{!y.authorised, Requested},
		{y.received.IsZero(), Authorised},
		{short, PartiallyReceived},
		{open, Received},
	} {
		if s.holds {
			return s.state
		}
	}
	return Inspected
}

// stays holds what no command takes back: an end, what arrived, and what was asked of the ERP.
func (w *world) stays(t *rapid.T, old, next Return) {
	from, to := old.State(), next.State()
	if ended := from == Completed || from == Cancelled || from == Denied; ended && to != from || len(next.Credits) < len(old.Credits) || len(next.Lines) < len(old.Lines) {
		t.Fatalf("a return that was %s is %s: %+v", from, to, next)
	}
	for i, c := range old.Credits {
		if n := next.Credits[i]; n.Net != c.Net || n.Gross != c.Gross || !c.Confirmed.IsZero() && n.Memo != c.Memo {
			t.Fatalf("credit %+v became %+v", c, n)
		}
	}
}

// untouched: deciding and folding leave the states that they start from as they are.
func (w *world) untouched(t *rapid.T) {
	for i, r := range w.returns {
		if now := fmt.Sprintf("%+v", r); now != w.shown[i] {
			t.Fatalf("the old state changed:\n%s\n%s", w.shown[i], now)
		}
	}
	if now := fmt.Sprintf("%+v", w.items); now != w.stands {
		t.Fatalf("the old state changed:\n%s\n%s", w.stands, now)
	}
}

// anyFact: a fact of any kind can be folded onto any state, and leaves that state alone.
func (w *world) anyFact(t *rapid.T) {
	items := EvolveItems(w.items, rapid.SampledFrom(slices.Concat([]ItemFact{
		ItemsIssued{Lines: []IssuedLine{{Line: 99}}}, ReturnClaimed{Claim: Claim{Key: "?"}}, ClaimReleased{Claim: Claim{Key: "?"}},
	}, w.booked)).Draw(t, "fact"))
	_, _ = items.Claimed(10)
	if len(w.returns) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.returns)-1).Draw(t, "return")
	odd := []ClaimedLine{{Line: 99, Quantity: ea(1)}}
	r := Evolve(w.returns[i], rapid.SampledFrom(slices.Concat([]Fact{
		ReturnRequested{},
		ReturnHeld{Lines: odd},
		ReturnAuthorised{Lines: odd},
		ReturnDenied{},
		ReturnCancelled{},
		ReceiptRecorded{Booked: 99},
		ItemsInspected{Line: 99},
		ItemsDisposed{Line: 99},
		CreditRequested{Lines: []CreditLine{{Line: 99}}},
		CreditConfirmed{Credit: 99},
		ReturnCompleted{Kept: odd},
	}, w.facts[i])).Draw(t, "fact"))
	for _, l := range r.Lines {
		_, _, _ = r.Reception(l), l.Acceptance(), r.Resolution(l)
	}
	_, _ = r.State(), r.Wanted()
	w.untouched(t)
}
