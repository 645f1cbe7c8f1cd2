package domain

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func stock(site, item string) string { return "stk_" + site + "_" + item }

func draw(t *rapid.T, most int, label string) int { return rapid.IntRange(0, most).Draw(t, label) }

func pick[T any](t *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(t, label) }

func ea(n int) quantity.Quantity { return quantity.Quantity{Value: quantity.Int(int64(n)), Unit: "EA"} }

func whole(d quantity.Decimal) int64 {
	n, ok := d.Int64()
	if !ok {
		panic(d.String() + " is no whole number")
	}
	return n
}

// machine drives an order at random; beside it stand a ledger, which reckons in its own way
// what became of each line, and the claims that stock would hold for it.
type machine struct {
	order  Order
	shown  string // the order when its last fact was in
	facts  []Fact
	now    time.Time
	claims map[string]int64 // live claims by key, as stock sees them
	ledger *ledger
	seen   Places          // what somebody saw in stock; nil when nobody looked
	shut   map[string]bool // sites whose channel is closed
	slots  map[string]bool // sites whose channel lets so much go in a window
	places map[string]Admission
	ships  ShippedRule // of what goes now; the zero rule is nobody's word
}

func (m *machine) env() Env {
	return Env{Now: m.now, By: "tester", Stock: stock, Limits: DefaultLimits, Available: m.seen, Gate: m.gate, Sourcing: sources, Admitted: m.places}
}

// sources are rules whose lines several sites may deliver.
var sources = Sourcing{Version: 3, Rules: []Sourcers{
	{Rule: "north", Strategy: Priority, Sites: []string{"DC2", "DC1"}},
	{Rule: "whole", Strategy: FewestSplits, Sites: []string{"DC1", "DC3", "DC2"}},
}}

func (m *machine) gate(_ Header, site string, now time.Time) Gate {
	switch {
	case m.shut[site]:
	case m.slots[site]:
		opens := now.Truncate(time.Hour)
		return Gate{Channel: "day", Zone: "UTC", Shipped: m.ships, Slot: &Slot{Channel: "day", Site: site, Opens: opens, Ends: opens.Add(time.Hour), Next: opens.Add(time.Hour)}}
	default:
		return Gate{Shipped: m.ships}
	}
	return Gate{Channel: "night", Zone: "Europe/Berlin", Reason: reasonClosed, Next: now.Truncate(time.Hour).Add(time.Hour)}
}

// look sees some stock, or does not look, and opens and closes channels.
func (m *machine) look(t *rapid.T) {
	m.seen = nil
	if draw(t, 3, "looks") > 0 {
		m.seen = Places{}
		for _, site := range []string{"DC1", "DC2", "DC3"} {
			for _, item := range []string{"a", "b"} {
				if n := pick[int64](t, "there", 0, 0, 1, 2, 5, 20, 3_000_000_000); n > 0 {
					m.seen[Wanted{site, item}] = quantity.Int(n)
				}
			}
		}
	}
	m.ships = pick(t, "ships", ShippedRule{}, ShippedRule{Policy: ShippedOnIssue, Source: ShippedByTenant}, ShippedRule{ShippedOnDispatch, ShippedByChannel, "day"})
	m.shut, m.slots, m.places = map[string]bool{}, map[string]bool{}, map[string]Admission{}
	for _, site := range []string{"DC1", "DC2", "DC3"} {
		m.shut[site] = draw(t, 4, "shut") == 0
		if m.slots[site] = draw(t, 3, "limited") == 0; m.slots[site] && draw(t, 2, "asked") > 0 {
			m.places[site] = Admission{Turn: m.order.Turn(site), Lines: draw(t, 3, "place"), Full: draw(t, 2, "full") == 0}
		}
	}
}

// do takes the outcome of a command: a refusal leaves nothing, facts go into the order, the
// ledger and stock.
func (m *machine) do(t *rapid.T, name string, facts []Fact, err error) {
	if err != nil {
		if !fault.IsKind(err, fault.Refused, fault.Conflict) || len(facts) > 0 {
			t.Fatalf("%s: %v with facts %v", name, err, facts)
		}
		m.untouched(t, name)
		return
	}
	next := Apply(m.order, facts...)
	m.untouched(t, name)
	m.stays(t, name, m.order, next, facts)
	for _, f := range facts {
		m.follow(t, f)
	}
	m.order, m.facts, m.shown = next, append(m.facts, facts...), fmt.Sprintf("%+v", next)
}

// untouched: deciding and folding leave the state that they start from as it is.
func (m *machine) untouched(t *rapid.T, name string) {
	if now := fmt.Sprintf("%+v", m.order); now != m.shown {
		t.Fatalf("%s changed the old state:\n%s\n%s", name, m.shown, now)
	}
}

// stays holds what no command takes back.
func (m *machine) stays(t *rapid.T, name string, old, next Order, facts []Fact) {
	from, to := old.State(), next.State()
	switch {
	case from == Fulfilled && name == reportReversed && (to == InExecution || to == CancelRequested):
	case from == Closed && to != Closed, (from == Fulfilled || from == Cancelled) && to != from && to != Closed:
		t.Fatalf("%s took a %s order to %s", name, from, to)
	case from == Rejected && to == Rejected, from == "", from == Rejected && name == "Submit":
		return
	}
	rank := map[State]int{Released: 1, Acknowledged: 2, InExecution: 3, Fulfilled: 4}
	corrected := false
	for _, f := range facts {
		switch f.(type) {
		case ReleaseCancelled, CancelRefused, LinesShorted, OrderClosed, CancelAsked, RemainderCancelled, ReleaseWithdrawn, LinesIssueReversed:
			corrected = true
		}
	}
	if rank[from] > 0 && rank[to] < rank[from] && !corrected {
		t.Fatalf("%s took the order back from %s to %s", name, from, to)
	}
	if len(next.Releases) < len(old.Releases) {
		t.Fatalf("%s lost a release", name)
	}
	for i, r := range old.Releases {
		if n := next.Releases[i]; n.Number != r.Number || n.Site != r.Site || !r.Sent.IsZero() && (!n.Sent.Equal(r.Sent) || n.Version != r.Version) {
			t.Fatalf("%s changed what was sent: %+v, %+v", name, r, n)
		}
	}
}

// follow takes one fact into stock and, for what was not reckoned from the command, the ledger.
func (m *machine) follow(t *rapid.T, f Fact) {
	switch f := f.(type) {
	case LinesPromised:
		m.giveBack(t, f.GiveBack)
	case PromiseRefused:
		m.giveBack(t, f.GiveBack)
	case PromiseClosed:
		m.giveBack(t, f.GiveBack)
	case RemainderCancelled:
		m.giveBack(t, f.GiveBack)
	case OrderReleased:
		if m.shut[f.Site] {
			t.Fatalf("release %d goes to %s, whose channel is closed", f.Release, f.Site)
		}
		if has := m.places[f.Site]; m.slots[f.Site] && (has.Turn != m.order.Turn(f.Site) || has.Lines < len(f.Lines)) {
			t.Fatalf("release %d of %d lines goes to %s, where it has a place for %+v", f.Release, len(f.Lines), f.Site, has)
		}
		for _, l := range f.Lines {
			var sum int64
			for _, c := range l.Claims {
				n := whole(c.Quantity)
				sum += n
				if m.claims[c.Key] -= n; m.claims[c.Key] < 0 {
					t.Fatalf("release %d uses more of %s than was granted", f.Release, c.Key)
				}
				if m.claims[c.Key] == 0 {
					delete(m.claims, c.Key)
				}
			}
			if sum != whole(l.Quantity.Value) {
				t.Fatalf("line %d of release %d has claims for %d of %s", l.Line, f.Release, sum, l.Quantity)
			}
		}
	}
	m.ledger.follow(t, f)
}

func (m *machine) giveBack(t *rapid.T, refs []ClaimRef) {
	for _, r := range refs {
		if r.Site != siteOfKey(r.Key) {
			t.Fatalf("%s is given back to %s", r.Key, r.Site)
		}
		delete(m.claims, r.Key)
	}
}

func newMachine(t *rapid.T, rule DeliveryRule) *machine {
	m := &machine{now: start, claims: map[string]int64{}, ledger: &ledger{}}
	m.shown = fmt.Sprintf("%+v", m.order)
	m.submit(t, rule)
	return m
}

// submit sends the order, or sends it again under the same number.
func (m *machine) submit(t *rapid.T, rule DeliveryRule) {
	var lines []Line
	for i := range 1 + draw(t, 3, "lines") {
		l := Line{
			Number: 10 * (i + 1), SKU: "A", Item: pick(t, "item", "a", "b"), Site: pick(t, "site", "DC1", "DC2"),
			Quantity: ea(1), Base: ea(pick(t, "quantity", 1, 2, 3, 10, 1_000_000_000)),
		}
		if l.Rule = pick(t, "rule", 0, 0, 1, 2); l.Rule > 0 {
			l.Site = sources.Rules[l.Rule-1].Sites[0]
		}
		lines = append(lines, l)
	}
	h := Header{Number: "SO-1", Source: "erp", Rule: rule, Mode: pick(t, "mode", Automatic, Manual)}
	var reasons []Reason
	if draw(t, 9, "valid") == 0 {
		reasons = []Reason{{Code: "ITEM_UNKNOWN"}}
	}
	state := m.order.State()
	facts, err := m.order.Submit(m.env(), "ord_x", h, rapid.Permutation(lines).Draw(t, "as they stand"), reasons)
	if taken := len(m.facts) > 0 && state != Rejected; taken != fault.IsKind(err, fault.Conflict) {
		t.Fatalf("submitted over an order that is %s: %v", state, err)
	}
	m.do(t, "Submit", facts, err)
}

// decide answers an attempt, the open one or an older one.
func (m *machine) decide(t *rapid.T) {
	attempt := m.order.Attempt.Number - pick(t, "late", 0, 0, 0, 1)
	granted := map[string]quantity.Decimal{}
	open := attempt == m.order.Attempt.Number && m.order.Attempt.State == AttemptOpen
	if open {
		for _, c := range m.order.Attempt.Claims {
			most := whole(c.Quantity.Value)
			if g := pick(t, "granted", most, most, most-1, most/2, 1, 0); g > 0 {
				granted[c.Stock] = quantity.Int(g)
				m.claims[c.Key] = g
			}
		}
	}
	facts, err := m.order.DecidePromise(m.env(), attempt, granted)
	if (err == nil) != open {
		t.Fatalf("attempt %d of %+v was decided: %v", attempt, m.order.Attempt, err)
	}
	m.do(t, "DecidePromise", facts, err)
}

// again runs a command that is not to have an effect twice, twice.
func (m *machine) again(t *rapid.T, name string, command func() ([]Fact, error)) {
	facts, err := command()
	m.do(t, name, facts, err)
	if twice, _ := command(); err == nil && len(twice) > 0 {
		t.Fatalf("%s a second time: %+v", name, twice)
	}
}

// told draws a report: mostly of a release that a warehouse has, on lines of it, of about what
// is left there.
func (m *machine) told(t *rapid.T, kind string) (release string, lines []LineQuantity) {
	number := 1 + draw(t, len(m.order.Releases), "release")
	release = ReleaseID(m.order.ID, number)
	if draw(t, 19, "another order's") == 0 {
		release = pick(t, "id", "ord_y-R1", "ord_x-R0", "ord_x")
	}
	cells := m.ledger.cells(number)
	for range 1 + draw(t, 2, "count") {
		q := LineQuantity{Line: pick(t, "line", 10, 20, 30, 40, 5), Reason: "MISSING"}
		room := int64(draw(t, 3, "any"))
		if len(cells) > 0 && draw(t, 9, "far") > 0 {
			c := pick(t, "of the release", cells...)
			q.Line, room = c.line, c.room(kind)
		}
		n := max(0, room+pick[int64](t, "beside", 0, 0, 0, -1, 1))
		if draw(t, 4, "part") == 0 {
			n = pick(t, "how much", 0, 1, room/2, 2_000_000_000)
		}
		q.Quantity = quantity.Quantity{Value: quantity.Int(n), Unit: "EA"}
		if draw(t, 19, "unit") == 0 {
			q.Quantity.Unit = "CS"
		}
		lines = append(lines, q)
	}
	return release, lines
}

func (m *machine) report(t *rapid.T) {
	kind := pick(t, "kind", "ALLOCATED", "PICKED", "SHORT", "ISSUED", reportReversed, reportDispatched, reportDelivered)
	release, lines := m.told(t, kind)
	m.tell(t, kind, release, lines)
}

func (m *machine) tell(t *rapid.T, kind, release string, lines []LineQuantity) {
	tell := map[string]func() ([]Fact, error){
		"ALLOCATED":      func() ([]Fact, error) { return m.order.Allocated(m.env(), release, "who_1", lines) },
		"PICKED":         func() ([]Fact, error) { return m.order.Picked(m.env(), release, lines) },
		"SHORT":          func() ([]Fact, error) { return m.order.Shorted(m.env(), release, lines) },
		"ISSUED":         func() ([]Fact, error) { return m.order.Issued(m.env(), release, lines) },
		reportDispatched: func() ([]Fact, error) { return m.order.Dispatched(m.env(), release, "shp_1", lines) },
		reportDelivered:  func() ([]Fact, error) { return m.order.Delivered(m.env(), release, "shp_1", lines) },
		reportReversed:   func() ([]Fact, error) { return m.order.IssueReversed(m.env(), release, lines) },
	}[kind]
	m.ledger.forget(m.order)
	facts, err := tell()
	if err != nil {
		t.Fatalf("%s was refused: %v", kind, err)
	}
	excess := m.ledger.report(t, kind, release, lines, facts)
	m.do(t, kind, facts, nil)
	if kind != reportDelivered {
		return
	}
	if twice, err := tell(); err != nil || len(twice) > 0 {
		t.Fatalf("delivered a second time: %+v %v", twice, err)
	}
	m.disputes(t, release, excess)
}

// advance takes the next step of an order that goes well.
func (m *machine) advance(t *rapid.T) {
	if m.order.Attempt.State == AttemptOpen {
		m.decide(t)
		return
	}
	sent := false
	for _, r := range m.order.Releases {
		kinds := []string{"ALLOCATED", "PICKED", "SHORT", "ISSUED", reportDispatched, reportDelivered}
		kind := pick(t, "next", kinds...)
		if kind == "SHORT" && draw(t, 2, "seldom") > 0 {
			kind = "ISSUED"
		}
		var lines []LineQuantity
		for _, c := range m.ledger.cells(r.Number) {
			if n := c.room(kind); n > 0 {
				lines = append(lines, LineQuantity{Line: c.line, Quantity: ea(int(n))})
			}
		}
		if sent = sent || len(lines) > 0; len(lines) > 0 {
			m.tell(t, kind, ReleaseID(m.order.ID, r.Number), lines)
		}
	}
	if !sent {
		facts, err := m.order.RequestPromise(m.env(), Wanted{})
		m.do(t, "RequestPromise", facts, err)
		facts, err = m.order.Release(m.env())
		m.do(t, "Release", facts, err)
	}
}
