package domain

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// TestOrder drives orders of each delivery rule through random commands and reports, late,
// twice and wrong, and checks after each step what must hold of an order.
func TestOrder(t *testing.T) {
	for _, rule := range []DeliveryRule{Partial, Complete, CancelRemainder, ShipTogether} {
		t.Run(string(rule), rapid.MakeCheck(func(t *rapid.T) {
			m := newMachine(t, rule)
			t.Repeat(map[string]func(*rapid.T){
				"": m.check,
				"advance": func(t *rapid.T) {
					for range 1 + draw(t, 3, "steps") {
						m.advance(t)
					}
				},
				"report": m.report, "report more": m.report, "look": m.look,
				"promise": m.promise, "release": m.release, "cancel": m.cancel, "warehouse": m.warehouse, "other": m.other, "reverse": m.reverse,
				"dated": m.dated, "undated": m.undated, "amend": m.amend,
				"any fact": m.anyFact,
			})
		}))
	}
}

// one runs one of several commands.
func (m *machine) one(t *rapid.T, commands map[string]func() ([]Fact, error)) {
	name := pick(t, "command", slices.Sorted(maps.Keys(commands))...)
	facts, err := commands[name]()
	m.do(t, name, facts, err)
}

func (m *machine) promise(t *rapid.T) {
	m.now = m.now.Add(time.Duration(draw(t, 40, "seconds")) * time.Second)
	switch draw(t, 3, "by time") {
	case 0:
		m.again(t, "GiveUp", func() ([]Fact, error) { return m.order.GiveUp(m.env()) })
	case 1:
		m.again(t, "Retry", func() ([]Fact, error) { return m.order.Retry(m.env()) })
	case 2:
		m.decide(t)
	default:
		m.one(t, map[string]func() ([]Fact, error){
			"RequestPromise": func() ([]Fact, error) { return m.order.RequestPromise(m.env(), Wanted{}) },
			"Arrival":        func() ([]Fact, error) { return m.order.RequestPromise(m.env(), Wanted{"DC1", "a"}) },
		})
	}
}

func (m *machine) release(t *rapid.T) {
	m.again(t, "Release", func() ([]Fact, error) { return m.order.Release(m.env()) })
	m.again(t, "Wake", func() ([]Fact, error) { return m.order.Wake(m.env()) })
	hold := pick(t, "hold", HoldCredit, HoldExport)
	m.one(t, map[string]func() ([]Fact, error){
		"Continue":         func() ([]Fact, error) { return m.order.Continue(m.env()) },
		"Wake":             func() ([]Fact, error) { return m.order.Wake(m.env()) },
		"ReleaseRemainder": func() ([]Fact, error) { return m.order.ReleaseRemainder(m.env()) },
		"PlaceHold":        func() ([]Fact, error) { return m.order.PlaceHold(m.env(), hold, "n") },
		"LiftHold":         func() ([]Fact, error) { return m.order.LiftHold(m.env(), hold, "n") },
	})
}

func (m *machine) cancel(t *rapid.T) {
	if draw(t, 2, "really") == 0 {
		facts, err := m.order.RequestCancel(m.env(), "CUSTOMER_REQUEST")
		m.do(t, "RequestCancel", facts, err)
	}
}

// warehouse answers: it has a release, cancels it, or goes on with it.
func (m *machine) warehouse(t *rapid.T) {
	release, _ := m.told(t, "ACKNOWLEDGED")
	switch draw(t, 7, "answer") {
	case 0:
		var putBack []LineQuantity
		if draw(t, 1, "put back") == 0 {
			_, putBack = m.told(t, "ACKNOWLEDGED")
		}
		facts, err := m.order.ReleaseCancelled(m.env(), release, putBack)
		m.ledger.report(t, "CANCELLED", release, putBack, facts)
		m.do(t, "ReleaseCancelled", facts, err)
	case 1:
		facts, err := m.order.CancelRefused(m.env(), release, "PICKED")
		m.do(t, "CancelRefused", facts, err)
	case 2:
		m.stop(t, release)
	case 3:
		facts, err := m.order.StopRefused(m.env(), release, "PICKING_BEGUN")
		m.do(t, "StopRefused", facts, err)
	case 4, 5:
		m.answer(t, release)
	default:
		facts, err := m.order.Acknowledge(m.env(), release, "who_1")
		m.do(t, "Acknowledge", facts, err)
	}
}

func (m *machine) other(t *rapid.T) {
	if draw(t, 3, "again") == 0 {
		m.submit(t, m.order.Header.Rule)
		return
	}
	facts, err := m.order.Close(m.env())
	m.do(t, "Close", facts, err)
}

// reverse: a warehouse asks whether it may reverse a goods issue. An order that lets it cannot be
// closed until it hears what came of it.
func (m *machine) reverse(t *rapid.T) {
	release, lines := m.told(t, reportReversed)
	facts, err := m.order.AskReversal(m.env(), release, "who_1", 1, lines)
	m.do(t, "AskReversal", facts, err)
	if _, ok := facts[0].(ReversalAllowed); !ok {
		return
	}
	if m.order.IsClosed {
		t.Fatalf("a closed order lets it: %+v", facts)
	}
	if closed, err := m.order.Close(m.env()); err == nil {
		t.Fatalf("closed meanwhile: %+v", closed)
	}
	if draw(t, 1, "refused") == 0 {
		facts, err = m.order.ReversalRefused(m.env(), release, "SHIPMENT_DISPATCHED")
		m.do(t, "ReversalRefused", facts, err)
		return
	}
	m.tell(t, reportReversed, release, lines)
	if err := m.order.reversing(); err != nil {
		t.Fatalf("told, and still asked: %v", err)
	}
}

// anyFact: a fact of any kind can be folded onto any state, and leaves that state alone.
func (m *machine) anyFact(t *rapid.T) {
	odd := []LineQuantity{{Line: 10, Quantity: ea(7)}, {Line: 99, Quantity: ea(1)}, {}}
	release := draw(t, 4, "release")
	f := rapid.OneOf(rapid.SampledFrom([]Fact{
		OrderReceived{},
		OrderValidated{},
		OrderRejected{},
		HoldPlaced{},
		HoldLifted{},
		PromiseRequested{Attempt: 9},
		PromiseClosed{},
		OrderFulfilled{},
		LinesPromised{Lines: []PromisedLine{{Line: 99, Quantity: ea(1)}}},
		PromiseRefused{},
		OrderCancelled{},
		OrderClosed{},
		OrderReleased{Release: release, Site: "DC1", Lines: []ReleasedLine{{Line: 99, Quantity: ea(1)}, {Line: 10, Quantity: ea(5)}}},
		ReleaseBackordered{Release: release, Lines: odd},
		ReleaseAllocated{Release: release, Lines: odd},
		ReleaseAcknowledged{Release: release},
		LinesPicked{Release: release, Lines: odd},
		LinesShorted{Release: release, Lines: odd},
		LinesIssued{Release: release, Lines: odd},
		ReversalAllowed{Release: release, Attempt: 1},
		ReversalDenied{Release: release},
		LinesIssueReversed{Release: release, Lines: odd},
		ReversalEnded{Release: release},
		LinesDelivered{Release: release, Lines: odd},
		RemainderCancelled{Lines: odd, GiveBack: []ClaimRef{{Key: "?"}}},
		CancelAsked{Release: release},
		ReleaseCancelled{Release: release, Lines: odd},
		CancelRefused{Release: release},
		StopAsked{Release: release},
		StopRefused{Release: release},
		AmendmentAsked{Release: release, Amended: 2, Lines: []AmendedLine{{Line: 99}}},
		ReleaseAmended{Release: release, Lines: odd},
		AmendmentRefused{Release: release},
		ReleaseWithdrawn{Release: release, Lines: odd, Claims: []WithdrawnClaim{{Line: 10, Key: "clm:z"}, {Line: 99}}},
		ReportContradicted{Excess: odd, Report: reportDelivered},
		LinesDispatched{Release: release, Lines: odd},
		LinesShipped{Release: release, Lines: odd},
		OrderSourced{Lines: []SourcedLine{{10, 2}, {99, 1}}},
		ReleaseDeferred{Deferral: Deferral{Site: "DC9", Next: start}},
		PromiseDated{Expected: Expected{Site: "DC1", Item: "a", Parts: []SupplyPart{{Quantity: quantity.Int(3)}}}},
		PromiseUndated{Undated: Undated{Site: "DC1", Item: "a", Quantity: quantity.Int(3)}},
	}), rapid.SampledFrom(m.facts)).Draw(t, "fact")
	o := Evolve(m.order, f)
	_, _, _, _, _, _ = o.State(), o.Quantities(), o.ExplainAt(m.env()), o.Due(), o.Lacks(m.env()), o.AtSites()
	_ = o.Shipped()
	for _, r := range o.Releases {
		_ = r.ExplainShipped()
	}
	m.untouched(t, fmt.Sprintf("%T", f))
}

// check holds the order against the ledger and stock.
func (m *machine) check(t *rapid.T) {
	o := m.order
	if again := Apply(Order{}, m.facts...); fmt.Sprintf("%+v", again) != m.shown {
		t.Fatalf("the facts give\n%+v\nthe state is\n%+v", again, o)
	}
	if want := m.ledger.state(o.Attempt.State == AttemptOpen); o.State() != want {
		t.Fatalf("the order is %s, want %s: %+v", o.State(), want, o)
	}
	held := map[string]int64{}
	for i, q := range o.Quantities() {
		l := o.Lines[i]
		m.ledger.checkLine(t, l, q)
		for _, c := range l.Claims {
			held[c.Key] += whole(c.Quantity)
		}
		switch rest := o.Attempt.State != AttemptOpen && o.Valid; {
		case rest && len(o.Releases) > 0 && o.Header.Rule != CancelRemainder && q.Backordered != q.Open:
			t.Fatalf("line %d: %s open after the first release, but %s waits", l.Number, q.Open, q.Backordered)
		case rest && o.isSent() && o.Header.Rule == CancelRemainder && q.Open != q.Promised:
			t.Fatalf("line %d: %s open and %s promised after the first release, nothing may wait", l.Number, q.Open, q.Promised)
		}
	}
	m.checkSites(t)
	m.checkLacks(t)
	m.checkExpected(t)
	if o.Attempt.State != AttemptOpen && !maps.Equal(held, m.claims) {
		t.Fatalf("the order holds claims %v, stock %v", held, m.claims)
	}
	m.checkReleases(t)
	m.checkShipped(t)
	if s := o.State(); s == Fulfilled || s == Cancelled {
		if len(m.claims) > 0 {
			t.Fatalf("a %s order leaves claims %v", s, m.claims)
		}
		if !o.Done {
			t.Fatalf("nobody was told that the order is %s", s)
		}
	}
}

func (m *machine) checkReleases(t *rapid.T) {
	o := m.order
	if len(o.Releases) > MaxReleases || len(o.Releases) != len(m.ledger.releases) {
		t.Fatalf("%d releases, %d known", len(o.Releases), len(m.ledger.releases))
	}
	waiting := map[string]int{}
	for i, r := range o.Releases {
		if r.Number != i+1 {
			t.Fatalf("release %d stands at %d", r.Number, i)
		}
		if r.State() == ReleaseBackorderedState {
			if waiting[r.Site]++; waiting[r.Site] > 1 {
				t.Fatalf("%d releases wait at %s", waiting[r.Site], r.Site)
			}
		}
		if want := m.ledger.releases[r.Number].state(); r.State() != want {
			t.Fatalf("release %d is %s, want %s", r.Number, r.State(), want)
		}
		for _, l := range r.Lines {
			told := l.Shipped
			l.Shipped = quantity.Decimal{}
			if c := m.ledger.cell(r.Number, l.Line); !r.Sent.IsZero() && l != c.asLine() {
				t.Fatalf("release %d: %+v, the ledger has %+v", r.Number, l, *c)
			} else if !r.Sent.IsZero() && whole(told) != c.shippedAs(r.Shipping.Policy) {
				t.Fatalf("release %d by %+v: %s of line %d are told to be shipped, the ledger has %+v", r.Number, r.Shipping, told, l.Line, *c)
			} else if r.Sent.IsZero() && whole(l.Quantity) != c.quantity {
				t.Fatalf("%s of line %d wait at %s, the ledger has %d", l.Quantity, l.Line, r.Site, c.quantity)
			}
		}
	}
}

// checkSites holds the part of each line at each site against the ledger: only its own sites have one.
func (m *machine) checkSites(t *rapid.T) {
	got := map[[2]any][4]int64{}
	for _, p := range m.order.AtSites() {
		i := m.order.lineIndex(p.Line)
		if !slices.Contains(m.order.Candidates(i), p.Site) {
			t.Fatalf("line %d is at %s, which is none of its sites %v", p.Line, p.Site, m.order.Candidates(i))
		}
		got[[2]any{p.Line, p.Site}] = [4]int64{whole(p.Promised), whole(p.Released), whole(p.Issued), whole(p.Delivered)}
	}
	want := m.ledger.atSites()
	none := func(_ [2]any, n [4]int64) bool { return n == [4]int64{} }
	maps.DeleteFunc(got, none)
	maps.DeleteFunc(want, none)
	if !maps.Equal(got, want) {
		t.Fatalf("promised, released, issued and delivered at the sites: %v, the ledger has %v", got, want)
	}
	var waits Deferral
	for _, d := range m.order.Deferrals() {
		if d.Site <= waits.Site {
			t.Fatalf("deferrals %v", m.order.Deferred)
		}
		waits = d
	}
}

// checkLacks: an order can be released, or something is said to be missing, or nothing is open.
func (m *machine) checkLacks(t *rapid.T) {
	o, e := m.order, m.env()
	if o.ID == "" {
		return
	}
	lacks, open := o.Lacks(e), o.Valid && !o.IsClosed && !totals(o.Quantities()).Open.IsZero()
	switch goes := o.Valid && o.MayGo(e) == nil; {
	case goes && open && len(lacks) > 0 && !slices.ContainsFunc(lacks, func(l Lack) bool { return l.Code == reasonClosed || l.Code == reasonTurn || l.Code == reasonFull }):
		t.Fatalf("can be released, and lacks %v", lacks)
	case !goes && open && len(lacks) == 0:
		t.Fatalf("cannot be released, and nothing is said to be missing: %v", o.MayGo(e))
	case !open && o.Valid && len(lacks) > 0:
		t.Fatalf("nothing is open, and it lacks %v", lacks)
	}
}

// disputes: what a delivery report says beyond what was issued is told, and nothing else of it.
func (m *machine) disputes(t *rapid.T, release string, excess map[int]int64) {
	got := map[int]int64{}
	for _, d := range m.order.Disputed {
		if d.delivers(release, "shp_1") {
			got[d.Line] += whole(d.Excess)
		}
	}
	maps.DeleteFunc(got, func(_ int, n int64) bool { return n == 0 }) // nothing of a line that the order has not got
	if len(m.order.Disputed) < maxDisputed && !maps.Equal(got, excess) {
		t.Fatalf("%s is told to have %v too much, want %v", release, got, excess)
	}
}

// checkLine holds one line's sums against the ledger's.
func (g *ledger) checkLine(t *rapid.T, l Line, q Quantities) {
	want := Quantities{Ordered: quantity.Int(g.ordered[l.Number]), Cancelled: quantity.Int(g.cancelled[l.Number]), Promised: quantity.Int(g.promised[l.Number])}
	var chain [6]int64
	var dispatched, shipped int64
	for _, r := range g.releases {
		c := r.lines[l.Number]
		switch {
		case c == nil:
			continue
		case !r.sent:
			want.Backordered = want.Backordered.Add(quantity.Int(c.quantity))
			continue
		}
		want.Short = want.Short.Add(quantity.Int(c.short))
		dispatched, shipped = dispatched+c.dispatched(), shipped+c.shippedAs(r.ships)
		for i, n := range []int64{c.live(), c.allocated(), c.picked(), c.issued, c.issued, c.delivered} {
			chain[i] += n
		}
	}
	want.Released, want.Allocated, want.Picked = quantity.Int(chain[0]), quantity.Int(chain[1]), quantity.Int(chain[2])
	want.Packed, want.Issued, want.Delivered = quantity.Int(chain[3]), quantity.Int(chain[4]), quantity.Int(chain[5])
	want.Open = quantity.Int(g.open(l.Number))
	want.Dispatched, want.Shipped = quantity.Int(dispatched), quantity.Int(shipped)
	if q != want {
		t.Fatalf("line %d: %+v, the ledger has %+v", l.Number, q, want)
	}
	if !slices.IsSortedFunc(append(chain[:], 0), func(a, b int64) int { return int(b - a) }) {
		t.Fatalf("line %d: released ≥ allocated ≥ picked ≥ packed ≥ issued ≥ delivered ≥ 0 does not hold: %v", l.Number, chain)
	}
	open := g.open(l.Number)
	if open < 0 || open > g.ordered[l.Number] || g.promised[l.Number] > open || g.promised[l.Number] < 0 || want.Open.Less(want.Backordered) {
		t.Fatalf("line %d: of %d open %d are promised, %s wait", l.Number, open, g.promised[l.Number], want.Backordered)
	}
}
