package domain

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func stock(site, item string) string { return "stk_" + site + "_" + item }

// machine drives an order at random and keeps, beside it, what stock would hold for it.
type machine struct {
	order  Order
	now    time.Time
	claims map[string]quantity.Decimal // live claims by key, as stock sees them
}

func (m *machine) env() Env {
	return Env{Now: m.now, By: "tester", Stock: stock, Limits: DefaultLimits}
}

// do runs a command and follows its facts into the model of stock.
func (m *machine) do(t *rapid.T, name string, facts []Fact, err error) {
	if err != nil {
		if !fault.IsKind(err, fault.Refused) {
			t.Fatalf("%s: %v", name, err)
		}
		return
	}
	before := fmt.Sprintf("%+v", m.order)
	held, last := m.order.Holds, m.order.State()
	next := Apply(m.order, facts...)
	if after := fmt.Sprintf("%+v", m.order); after != before {
		t.Fatalf("%s changed the old state:\n%s\n%s", name, before, after)
	}
	if (last == Fulfilled || last == Cancelled) && next.State() != last && next.State() != Closed {
		t.Fatalf("%s took a %s order to %s", name, last, next.State())
	}
	for _, f := range facts {
		switch f := f.(type) {
		case OrderReleased:
			if len(held) > 0 && name != "LiftHold" {
				t.Fatalf("%s released an order on hold", name)
			}
			m.release(t, f)
		case LinesPromised:
			m.giveBack(f.GiveBack)
		case PromiseRefused:
			m.giveBack(f.GiveBack)
		case PromiseClosed:
			m.giveBack(f.GiveBack)
		case RemainderCancelled:
			m.giveBack(f.GiveBack)
		}
	}
	m.order = next
}

func (m *machine) giveBack(refs []ClaimRef) {
	for _, r := range refs {
		delete(m.claims, r.Key)
	}
}

func (m *machine) release(t *rapid.T, f OrderReleased) {
	for _, l := range f.Lines {
		var sum quantity.Decimal
		for _, c := range l.Claims {
			sum = sum.Add(c.Quantity)
			m.claims[c.Key] = m.claims[c.Key].Sub(c.Quantity)
			if m.claims[c.Key].Sign() < 0 {
				t.Fatalf("release %d uses more of %s than was granted", f.Release, c.Key)
			}
			if m.claims[c.Key].IsZero() {
				delete(m.claims, c.Key)
			}
		}
		if sum != l.Quantity.Value {
			t.Fatalf("line %d of release %d has claims for %s of %s", l.Line, f.Release, sum, l.Quantity)
		}
	}
}

// Check holds the invariants of an order.
func (m *machine) check(t *rapid.T) {
	o := m.order
	held := map[string]quantity.Decimal{}
	for i, q := range o.Quantities() {
		l := o.Lines[i]
		if q.Open.Add(q.Released).Add(q.Cancelled) != q.Ordered {
			t.Fatalf("line %d: open %s + released %s + cancelled %s ≠ ordered %s", l.Number, q.Open, q.Released, q.Cancelled, q.Ordered)
		}
		chain := []quantity.Decimal{q.Released, q.Allocated, q.Picked, q.Packed, q.Issued, q.Delivered, {}}
		if !slices.IsSortedFunc(chain, func(a, b quantity.Decimal) int { return b.Cmp(a) }) {
			t.Fatalf("line %d: released ≥ allocated ≥ picked ≥ packed ≥ issued ≥ delivered ≥ 0 does not hold: %v", l.Number, chain)
		}
		for name, part := range map[string]quantity.Decimal{"promised": q.Promised, "backordered": q.Backordered, "open": q.Open} {
			if part.Sign() < 0 || q.Open.Less(part) {
				t.Fatalf("line %d: %s %s of open %s", l.Number, name, part, q.Open)
			}
		}
		if len(o.Releases) > 0 && o.Attempt.State != AttemptOpen && o.Header.Rule != CancelRemainder && q.Backordered != q.Open {
			t.Fatalf("line %d: %s open after the first release, but %s waits", l.Number, q.Open, q.Backordered)
		}
		for _, c := range l.Claims {
			held[c.Key] = held[c.Key].Add(c.Quantity)
		}
	}
	if o.Attempt.State != AttemptOpen && fmt.Sprint(held) != fmt.Sprint(m.claims) {
		t.Fatalf("the order holds claims %v, stock %v", held, m.claims)
	}
	m.checkReleases(t)
}

func (m *machine) checkReleases(t *rapid.T) {
	o := m.order
	if len(o.Releases) > MaxReleases {
		t.Fatalf("%d releases", len(o.Releases))
	}
	waiting := map[string]int{}
	children := map[int]quantity.Decimal{}
	for i, r := range o.Releases {
		if r.Number != i+1 {
			t.Fatalf("release %d stands at %d", r.Number, i)
		}
		if r.State() == ReleaseBackorderedState {
			waiting[r.Site]++
		}
		for _, l := range r.Lines {
			children[l.Line] = children[l.Line].Add(l.Live())
		}
	}
	for _, l := range o.Lines {
		if l.Base.Value.Less(children[l.Number]) {
			t.Fatalf("releases of line %d sum up to %s of %s", l.Number, children[l.Number], l.Base)
		}
		if waiting[l.Site] > 1 {
			t.Fatalf("%d releases wait at %s", waiting[l.Site], l.Site)
		}
	}
	if s := o.State(); s == Fulfilled || s == Cancelled {
		if len(m.claims) > 0 {
			t.Fatalf("a %s order leaves claims %v", s, m.claims)
		}
		if !o.Done {
			t.Fatalf("nobody was told that the order is %s", s)
		}
	}
}

func draw(t *rapid.T, most int, label string) int { return rapid.IntRange(0, most).Draw(t, label) }

func pick[T any](t *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(t, label) }

func newMachine(t *rapid.T) *machine {
	m := &machine{now: start, claims: map[string]quantity.Decimal{}}
	var lines []Line
	for i := range 1 + draw(t, 3, "lines") {
		lines = append(lines, Line{
			Number: 10 * (i + 1), SKU: "A", Item: pick(t, "item", "a", "b"), Site: pick(t, "site", "DC1", "DC2"),
			Quantity: ea(1), Base: ea(1 + draw(t, 9, "quantity")),
		})
	}
	h := Header{Number: "SO-1", Source: "erp", Rule: pick(t, "rule", Partial, Complete, CancelRemainder), Mode: pick(t, "mode", Automatic, Manual)}
	facts, err := Order{}.Submit(m.env(), "ord_x", h, lines, nil)
	m.do(t, "Submit", facts, err)
	return m
}

func ea(n int) quantity.Quantity { return quantity.Quantity{Value: quantity.Int(int64(n)), Unit: "EA"} }

// someLines draws a report on lines, right or wrong.
func (m *machine) someLines(t *rapid.T) []LineQuantity {
	var out []LineQuantity
	for range 1 + draw(t, 2, "count") {
		out = append(out, LineQuantity{Line: 10 * (1 + draw(t, 4, "line")), Quantity: ea(1 + draw(t, 11, "report")), Reason: "MISSING"})
	}
	return out
}

func (m *machine) someRelease(t *rapid.T) string {
	return ReleaseID(m.order.ID, 1+draw(t, len(m.order.Releases), "release"))
}

func (m *machine) decide(t *rapid.T) {
	attempt := m.order.Attempt.Number - draw(t, 1, "late")
	granted := map[string]quantity.Decimal{}
	open := attempt == m.order.Attempt.Number && m.order.Attempt.State == AttemptOpen
	if open {
		for _, c := range m.order.Attempt.Claims {
			most, _ := c.Quantity.Value.Int64()
			if g := draw(t, int(most), "granted"); g > 0 {
				granted[c.Stock] = quantity.Int(int64(g))
				m.claims[c.Key] = granted[c.Stock]
			}
		}
	}
	facts, err := m.order.DecidePromise(m.env(), attempt, granted)
	if (err == nil) != open {
		t.Fatalf("attempt %d of %+v was decided: %v", attempt, m.order.Attempt, err)
	}
	m.do(t, "DecidePromise", facts, err)
}

// TestOrder drives orders through random commands and reports and checks every invariant after each.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		run := func(name string, command func(t *rapid.T) ([]Fact, error)) func(*rapid.T) {
			return func(t *rapid.T) {
				facts, err := command(t)
				m.do(t, name, facts, err)
			}
		}
		hold := func(t *rapid.T) HoldType { return pick(t, "hold", HoldCredit, HoldExport) }
		t.Repeat(map[string]func(*rapid.T){
			"":          m.check,
			"time":      func(t *rapid.T) { m.now = m.now.Add(time.Duration(draw(t, 40, "seconds")) * time.Second) },
			"decide":    m.decide,
			"decide2":   m.decide, // as often as the others together keep orders moving
			"hold":      run("PlaceHold", func(t *rapid.T) ([]Fact, error) { return m.order.PlaceHold(m.env(), hold(t), "n") }),
			"lift":      run("LiftHold", func(t *rapid.T) ([]Fact, error) { return m.order.LiftHold(m.env(), hold(t), "n") }),
			"promise":   run("RequestPromise", func(t *rapid.T) ([]Fact, error) { return m.order.RequestPromise(m.env(), Wanted{}) }),
			"arrival":   run("Arrival", func(t *rapid.T) ([]Fact, error) { return m.order.RequestPromise(m.env(), Wanted{"DC1", "a"}) }),
			"give up":   run("GiveUp", func(t *rapid.T) ([]Fact, error) { return m.order.GiveUp(m.env()) }),
			"retry":     run("Retry", func(t *rapid.T) ([]Fact, error) { return m.order.Retry(m.env()) }),
			"release":   run("Release", func(t *rapid.T) ([]Fact, error) { return m.order.Release(m.env()) }),
			"remainder": run("ReleaseRemainder", func(t *rapid.T) ([]Fact, error) { return m.order.ReleaseRemainder(m.env()) }),
			"cancel": run("RequestCancel", func(t *rapid.T) ([]Fact, error) {
				if draw(t, 5, "really") > 0 {
					return nil, nil
				}
				return m.order.RequestCancel(m.env(), "CUSTOMER_REQUEST")
			}),
			"close": run("Close", func(t *rapid.T) ([]Fact, error) { return m.order.Close(m.env()) }),
			"allocated": run("Allocated", func(t *rapid.T) ([]Fact, error) {
				return m.order.Allocated(m.env(), m.someRelease(t), "who_1", m.someLines(t))
			}),
			"acked":  run("Acknowledge", func(t *rapid.T) ([]Fact, error) { return m.order.Acknowledge(m.env(), m.someRelease(t), "who_1") }),
			"picked": run("Picked", func(t *rapid.T) ([]Fact, error) { return m.order.Picked(m.env(), m.someRelease(t), m.someLines(t)) }),
			"short":  run("Shorted", func(t *rapid.T) ([]Fact, error) { return m.order.Shorted(m.env(), m.someRelease(t), m.someLines(t)) }),
			"issued": run("Issued", func(t *rapid.T) ([]Fact, error) { return m.order.Issued(m.env(), m.someRelease(t), m.someLines(t)) }),
			"delivered": run("Delivered", func(t *rapid.T) ([]Fact, error) {
				return m.order.Delivered(m.env(), m.someRelease(t), "shp_1", m.someLines(t)[:1])
			}),
			"who cancelled": run("ReleaseCancelled", func(t *rapid.T) ([]Fact, error) {
				if r := m.someRelease(t); m.order.Cancel != "" || draw(t, 5, "unasked") == 0 {
					return m.order.ReleaseCancelled(m.env(), r)
				}
				return nil, nil
			}),
			"who refused": run("CancelRefused", func(t *rapid.T) ([]Fact, error) { return m.order.CancelRefused(m.env(), m.someRelease(t), "PICKED") }),
		})
	})
}
