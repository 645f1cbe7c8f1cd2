package domain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// market is stock at several sites: "DC1/i1" → pieces.
type market map[string]int

func (m market) places() Places {
	p := Places{}
	for at, n := range m {
		site, item, _ := strings.Cut(at, "/")
		p[Wanted{site, item}] = quantity.Int(int64(n))
	}
	return p
}

// newSourced submits an order whose lines DC1, DC2 and DC3 may deliver, in that order.
func newSourced(t *testing.T, rule DeliveryRule, mode ReleaseMode, by Strategy, ordered ...int) *play {
	p := &play{t: t, now: start}
	var lines []Line
	for i, n := range ordered {
		lines = append(lines, Line{Number: i + 1, SKU: "W", Item: fmt.Sprint("i", i+1), Site: "DC1", Rule: 1, Quantity: ea(n), Base: ea(n)})
	}
	e := p.env()
	e.Sourcing = Sourcing{Version: 7, Rules: []Sourcers{{Rule: "all", Strategy: by, Sites: []string{"DC1", "DC2", "DC3"}}}}
	p.do(Order{}.Submit(e, "ord_x", Header{Source: "erp", Number: "SO-1", Rule: rule, Mode: mode}, lines, nil))
	return p
}

// seeing is the environment of somebody who has just looked at stock.
func (p *play) seeing(m market) Env {
	e := p.env()
	e.Available = m.places()
	return e
}

// grant decides the open attempt: each claim gets what there is, and stock has less for it.
func (p *play) grant(m market, seen market) {
	p.t.Helper()
	granted := map[string]quantity.Decimal{}
	for _, c := range p.order.Attempt.Claims {
		at := c.Site + "/" + c.Item
		n := min(m[at], int(whole(c.Quantity.Value)))
		if n < int(whole(c.Quantity.Value)) && !p.order.Attempt.Partial {
			n = 0
		}
		granted[c.Stock] = quantity.Int(int64(n))
		m[at] -= n
	}
	e := p.env()
	if seen != nil {
		e = p.seeing(seen)
	}
	p.do(p.order.DecidePromise(e, p.order.Attempt.Number, granted))
}

// claims renders the claims of the open attempt: "DC1 i1 60".
func (p *play) claims() string {
	var all []string
	for _, c := range p.order.Attempt.Claims {
		all = append(all, fmt.Sprintf("%s %s %s", c.Site, c.Item, c.Quantity.Value))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// sent renders the releases: "R1 DC1 RELEASED 1:60".
func (p *play) sent() string {
	var all []string
	for _, r := range p.order.Releases {
		text := fmt.Sprintf("R%d %s %s", r.Number, r.Site, r.State())
		for _, l := range r.Lines {
			text += fmt.Sprintf(" %d:%s", l.Line, l.Quantity)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func (p *play) is(what, got, want string) {
	p.t.Helper()
	if got != want {
		p.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// TestSplit: one line from two sites is two releases, each to its own end; the line is delivered
// in parts, and wholly with the last one.
func TestSplit(t *testing.T) {
	p := newSourced(t, Partial, Automatic, Priority, 100)
	p.want(Validated, "OrderReceived", "OrderValidated", "OrderSourced")
	if codes(p.order.Explain()) != "SOURCING_PENDING@" {
		t.Error(p.order.Explain())
	}
	p.do(p.order.Continue(p.env())) // nobody has looked at stock
	p.want(Validated)
	stocked := market{"DC1/i1": 60, "DC2/i1": 55}
	p.do(p.order.Continue(p.seeing(stocked)))
	p.is("claims", p.claims(), "DC1 i1 60, DC2 i1 40")
	p.grant(stocked, nil)
	p.want(Released, "PromiseRequested", "LinesPromised", "OrderReleased", "OrderReleased")
	p.is("releases", p.sent(), "R1 DC1 RELEASED 1:60, R2 DC2 RELEASED 1:40")
	for _, r := range []struct{ number, n int }{{1, 60}, {2, 40}} {
		p.do(p.order.Issued(p.env(), p.r(r.number), lines(1, r.n)))
		p.do(p.order.Delivered(p.env(), p.r(r.number), fmt.Sprint("shp_", r.number), lines(1, r.n)))
		want := map[int]Delivery{1: PartiallyDelivered, 2: Delivered}[r.number]
		if got := p.order.Delivery(); got != want {
			t.Errorf("after release %d the order is %s", r.number, got)
		}
	}
	p.want(Fulfilled, "LinesIssued", "LinesDelivered", "LinesIssued", "OrderFulfilled", "LinesDelivered")
	var parts []string
	for _, s := range p.order.AtSites() {
		parts = append(parts, fmt.Sprintf("%s %s %s %s", s.Site, s.Released, s.Issued, s.Delivered))
	}
	p.is("parts", strings.Join(parts, ", "), "DC1 60 60 60, DC2 40 40 40")
}

// TestStrategies: where lines are claimed, by what was seen.
func TestStrategies(t *testing.T) {
	for name, c := range map[string]struct {
		by      Strategy
		ordered []int
		seen    market
		want    string
	}{
		"in order":              {Priority, []int{10}, market{"DC1/i1": 4, "DC2/i1": 9, "DC3/i1": 9}, "DC1 i1 4, DC2 i1 6"},
		"nothing anywhere":      {Priority, []int{10}, market{}, "DC1 i1 10"},
		"not enough":            {Priority, []int{10}, market{"DC2/i1": 3}, "DC1 i1 7, DC2 i1 3"},
		"a negative place":      {Priority, []int{2}, market{"DC1/i1": -3, "DC2/i1": 3}, "DC2 i1 2"},
		"one site has all":      {FewestSplits, []int{10, 5}, market{"DC1/i1": 10, "DC2/i2": 5, "DC3/i1": 10, "DC3/i2": 5}, "DC3 i1 10, DC3 i2 5"},
		"the first of two":      {FewestSplits, []int{10}, market{"DC1/i1": 9, "DC2/i1": 10, "DC3/i1": 99}, "DC2 i1 10"},
		"two sites, whole":      {FewestSplits, []int{10, 5}, market{"DC1/i1": 4, "DC1/i2": 5, "DC2/i1": 10, "DC3/i1": 6}, "DC1 i2 5, DC2 i1 10"},
		"two sites of one line": {FewestSplits, []int{10}, market{"DC1/i1": 1, "DC2/i1": 5, "DC3/i1": 6}, "DC2 i1 5, DC3 i1 5"},
		"no set has all":        {FewestSplits, []int{10, 5}, market{"DC1/i1": 3, "DC2/i2": 5}, "DC1 i1 10, DC2 i2 5"},
	} {
		p := newSourced(t, Partial, Manual, c.by, c.ordered...)
		p.do(p.order.RequestPromise(p.seeing(c.seen), Wanted{}))
		p.is(name, p.claims(), c.want)
	}
}

// TestSourcedAgain: what a claim did not get is asked of the other sites once, before it waits.
func TestSourcedAgain(t *testing.T) {
	for mode, state := range map[ReleaseMode]State{Automatic: Released, Manual: Promised} {
		p := newSourced(t, Partial, mode, Priority, 10)
		p.do(p.order.RequestPromise(p.seeing(market{"DC1/i1": 10}), Wanted{}))
		p.is("first", p.claims(), "DC1 i1 10")
		p.facts = nil
		p.grant(market{"DC1/i1": 4}, market{"DC2/i1": 5, "DC3/i1": 9}) // somebody was faster
		p.want(map[ReleaseMode]State{Automatic: Promising, Manual: Promising}[mode], "LinesPromised", "PromiseRequested")
		p.is("again", p.claims(), "DC2 i1 5, DC3 i1 1")
		if !p.order.Attempt.Again {
			t.Error("the attempt does not say so")
		}
		p.facts = nil
		p.grant(market{"DC2/i1": 5}, market{"DC2/i1": 9, "DC3/i1": 9})
		if p.order.State() != state || p.order.Attempt.Number != 2 {
			t.Errorf("%s: %s in attempt %d", mode, p.order.State(), p.order.Attempt.Number)
		}
		if mode == Automatic {
			p.is("releases", p.sent(), "R1 DC1 RELEASED 1:4, R2 DC2 RELEASED 1:5, R3 DC1 BACKORDERED 1:1")
		}
	}
}

// TestBackorderAnywhere: what waits may be delivered by any of its sites; the release that waited
// where stock did not come is published without it.
func TestBackorderAnywhere(t *testing.T) {
	p := newSourced(t, Partial, Automatic, Priority, 10)
	p.do(p.order.Continue(p.seeing(market{"DC2/i1": 6})))
	p.grant(market{"DC2/i1": 6}, market{})
	p.is("first", p.sent(), "R1 DC2 RELEASED 1:6, R2 DC1 BACKORDERED 1:4")
	p.facts = nil
	p.do(p.order.RequestPromise(p.seeing(market{"DC3/i1": 3}), Wanted{"DC3", "i1"}))
	p.is("claims", p.claims(), "DC3 i1 4")
	p.grant(market{"DC3/i1": 3}, market{})
	p.want(Released, "PromiseRequested", "LinesPromised", "OrderReleased", "ReleaseBackordered")
	p.is("a part", p.sent(), "R1 DC2 RELEASED 1:6, R2 DC1 BACKORDERED 1:1, R3 DC3 RELEASED 1:3")
	p.do(p.order.RequestPromise(p.seeing(market{"DC2/i1": 1}), Wanted{"DC2", "i1"}))
	p.grant(market{"DC2/i1": 1}, nil)
	p.is("the rest", p.sent(), "R1 DC2 RELEASED 1:6, R2 DC1 CANCELLED, R3 DC3 RELEASED 1:3, R4 DC2 RELEASED 1:1")
	if q := p.order.Quantities()[0]; !q.Open.IsZero() || !q.Backordered.IsZero() || q.Released != quantity.Int(10) {
		t.Errorf("%+v", q)
	}
}

// TestShortPickElsewhere: what one site does not find waits as its remainder, and another delivers it.
func TestShortPickElsewhere(t *testing.T) {
	p := newSourced(t, Partial, Automatic, Priority, 10)
	p.do(p.order.Continue(p.seeing(market{"DC2/i1": 10})))
	p.grant(market{"DC2/i1": 10}, nil)
	p.do(p.order.Shorted(p.env(), p.r(1), lines(1, 2)))
	p.is("short", p.sent(), "R1 DC2 IN_EXECUTION 1:10, R2 DC1 BACKORDERED 1:2")
	if parent := p.order.Releases[1].Parent; parent != 1 {
		t.Errorf("the remainder is that of release %d", parent)
	}
	p.do(p.order.RequestPromise(p.seeing(market{"DC3/i1": 2}), Wanted{"DC3", "i1"}))
	p.grant(market{"DC3/i1": 2}, nil)
	p.is("elsewhere", p.sent(), "R1 DC2 IN_EXECUTION 1:10, R2 DC1 CANCELLED, R3 DC3 RELEASED 1:2")
}

// TestTogether: an order that leaves together keeps what is promised until all is; one that is
// delivered complete claims nothing in part.
func TestTogether(t *testing.T) {
	p := newSourced(t, ShipTogether, Automatic, Priority, 10, 5)
	p.do(p.order.Continue(p.seeing(market{"DC1/i1": 10, "DC2/i2": 3})))
	p.facts = nil
	p.grant(market{"DC1/i1": 10, "DC2/i2": 3}, market{})
	p.want(Promised, "LinesPromised", "ReleaseBackordered", "ReleaseBackordered")
	p.is("waits", p.sent(), "R1 DC1 BACKORDERED 1:10 2:2, R2 DC2 BACKORDERED 2:3")
	less := *p
	less.order.Releases = []Release{p.order.Releases[1], p.order.Releases[0]}
	less.order = Evolve(less.order, RemainderCancelled{Lines: lines(2, 2)}) // what nothing holds goes first
	p.is("cancelled in part", less.sent(), "R2 DC2 BACKORDERED 2:3, R1 DC1 BACKORDERED 1:10 2:0")
	facts, err := p.order.Release(p.env())
	p.refused("NOT_COMPLETE", facts, err)
	p.do(p.order.RequestPromise(p.seeing(market{"DC3/i2": 2}), Wanted{"DC3", "i2"}))
	p.grant(market{"DC3/i2": 2}, nil)
	p.is("goes", p.sent(), "R1 DC1 RELEASED 1:10, R2 DC2 RELEASED 2:3, R3 DC3 RELEASED 2:2")

	p = newSourced(t, Complete, Automatic, Priority, 10, 5)
	p.do(p.order.Continue(p.seeing(market{"DC1/i1": 10, "DC2/i2": 5})))
	stolen := market{"DC1/i1": 10, "DC2/i2": 4}
	p.facts = nil
	p.grant(maps.Clone(stolen), market{"DC1/i1": 10, "DC2/i2": 4}) // not even over all sites
	p.want(Backordered, "PromiseRefused", "ReleaseBackordered")
	p.do(p.order.RequestPromise(p.seeing(market{"DC1/i1": 10, "DC2/i2": 4, "DC3/i2": 1}), Wanted{"DC3", "i2"}))
	p.is("claims", p.claims(), "DC1 i1 10, DC2 i2 4, DC3 i2 1")
	p.grant(market{"DC1/i1": 10, "DC2/i2": 4, "DC3/i2": 1}, nil)
	p.is("complete", p.sent(), "R1 DC1 RELEASED 1:10, R2 DC2 RELEASED 2:4, R3 DC3 RELEASED 2:1")

	p = newSourced(t, Complete, Automatic, Priority, 10)
	p.do(p.order.Continue(p.seeing(market{"DC1/i1": 10})))
	p.grant(market{"DC1/i1": 9}, market{"DC1/i1": 9, "DC2/i1": 1})
	p.is("again", p.claims(), "DC1 i1 9, DC2 i1 1")
}

// TestCancelSplit: claims go back to the stock that they are on.
func TestCancelSplit(t *testing.T) {
	p := newSourced(t, Partial, Manual, Priority, 10)
	p.do(p.order.RequestPromise(p.seeing(market{"DC1/i1": 4, "DC2/i1": 6}), Wanted{}))
	p.grant(market{"DC1/i1": 4, "DC2/i1": 6}, nil)
	facts, err := p.order.RequestCancel(p.env(), "CUSTOMER_REQUEST")
	if err != nil {
		t.Fatal(err)
	}
	var back []string
	for _, c := range facts[0].(RemainderCancelled).GiveBack {
		back = append(back, c.Site+" "+c.Stock)
	}
	slices.Sort(back)
	p.is("given back", strings.Join(back, ", "), "DC1 stk_DC1_i1, DC2 stk_DC2_i1")
	if p.do(facts, nil); p.order.State() != Cancelled {
		t.Error(p.order.State())
	}
}

// TestFixedStaysFixed: a line whose site the document names is claimed there alone, beside one
// that is sourced.
func TestFixedStaysFixed(t *testing.T) {
	p := &play{t: t, now: start}
	e := p.env()
	e.Sourcing = Sourcing{Version: 1, Rules: []Sourcers{{Rule: "r", Strategy: Priority, Sites: []string{"DC1", "DC2"}}}}
	p.do(Order{}.Submit(e, "ord_x", Header{Number: "SO-1", Rule: Partial, Mode: Automatic}, []Line{
		{Number: 1, Item: "i1", Site: "DC1", Base: ea(5)}, {Number: 2, Item: "i1", Site: "DC1", Rule: 1, Base: ea(5)},
	}, nil))
	p.do(p.order.Continue(p.seeing(market{"DC1/i1": 6, "DC2/i1": 9})))
	p.is("claims", p.claims(), "DC1 i1 6, DC2 i1 4")
}

func rulebook(list ...Rule) Rulebook {
	return Rulebook{Version: 4, List: list, Fits: func(i int, h Header, l Line) (bool, error) {
		switch c := list[i].Condition; {
		case c == "fails":
			return false, fmt.Errorf("it failed")
		case strings.HasPrefix(c, "sku="):
			return l.SKU == c[4:], nil
		case c == "none":
			return false, nil
		}
		return true, nil
	}}
}

func TestValidateSources(t *testing.T) {
	source := func(book Rulebook, change func(*Header, []Line, *Reference)) (string, string) {
		h, lines := valid()
		lines = append(lines, Line{Number: 30, SKU: "CABLE", Quantity: q("5", "MTR")})
		ref := reference()
		ref.Rules = book
		ref.Sites["DC3"] = Site{Code: "DC3", Ships: true, Retired: true}
		if change != nil {
			change(&h, lines, &ref)
		}
		_, lines, s, reasons := ValidateAndSource(h, lines, ref)
		var got []string
		for _, l := range lines {
			text := l.Site
			if l.Rule > 0 {
				text = s.Rules[l.Rule-1].Rule + ":" + strings.Join(s.Rules[l.Rule-1].Sites, "+")
			}
			got = append(got, text)
		}
		return strings.Join(got, " "), codes(reasons)
	}
	cable := Rule{Name: "cable", Condition: "sku=CABLE", Sites: []string{"DC3", "DC2"}, Strategy: Priority}
	gone := Rule{Name: "gone", Sites: []string{"DC3", "BIN", "NOWHERE"}, Strategy: Priority}
	all := Rule{Name: "all", Sites: []string{"DC2", "DC1"}, Strategy: FewestSplits}
	for name, c := range map[string]struct {
		book         Rulebook
		change       func(*Header, []Line, *Reference)
		sites, wrong string
	}{
		"the first that fits":     {rulebook(cable, all), nil, "all:DC2+DC1 all:DC2+DC1 cable:DC2", ""},
		"without a site it skips": {rulebook(gone, all), nil, "all:DC2+DC1 all:DC2+DC1 all:DC2+DC1", ""},
		"none fits":               {rulebook(Rule{Name: "n", Condition: "none", Sites: []string{"DC2"}}), nil, "DC1 DC1 DC1", ""},
		"the line's site":         {rulebook(all), func(_ *Header, l []Line, _ *Reference) { l[1].AskedSite = "DC1" }, "all:DC2+DC1 DC1 all:DC2+DC1", ""},
		"the order's site":        {rulebook(all), func(h *Header, _ []Line, _ *Reference) { h.Site = "DC1" }, "DC1 DC1 DC1", ""},
		"no default site":         {rulebook(cable, all), func(_ *Header, _ []Line, r *Reference) { r.DefaultSite = "" }, "all:DC2+DC1 all:DC2+DC1 cable:DC2", ""},
		"an unknown item":         {rulebook(all), func(_ *Header, l []Line, r *Reference) { l[0].SKU, r.DefaultSite = "NOPE", "" }, " all:DC2+DC1 all:DC2+DC1", "ITEM_UNKNOWN@lines[0].sku"},
		"it cannot be decided":    {rulebook(Rule{Name: "f", Condition: "fails", Sites: []string{"DC1"}}), func(_ *Header, l []Line, _ *Reference) { l[0].AskedSite, l[1].AskedSite = "DC1", "DC1" }, "DC1 DC1 DC1", "SOURCING_RULE_FAILED@lines[2].site"},
	} {
		sites, wrong := source(c.book, c.change)
		if sites != c.sites || wrong != c.wrong {
			t.Errorf("%s: %q %q, want %q %q", name, sites, wrong, c.sites, c.wrong)
		}
	}
}

func TestPutRules(t *testing.T) {
	e := Env{Now: start, By: "ann"}
	list := []Rule{{Name: "a", Sites: []string{"DC1"}, Strategy: Priority}, {Name: "b", Condition: "true", Sites: []string{"DC2"}, Strategy: FewestSplits}}
	r := Rules{}
	put := func(list []Rule) int {
		t.Helper()
		facts, err := r.Put(e, list, "n")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range facts {
			r = EvolveRules(r, f)
		}
		return len(facts)
	}
	if put(list) != 1 || put(list) != 0 || put(list[:1]) != 1 || r.Version != 2 || len(r.List) != 1 || r.By != "ann" || put(nil) != 1 || r.Version != 3 {
		t.Errorf("%+v", r)
	}
	_, err := r.Put(e, []Rule{{Name: "a", Sites: []string{"DC1", "DC1"}}, {Name: "a", Sites: []string{"DC2"}}}, "")
	f, ok := fault.As(err)
	var fields []string
	for _, at := range f.Fields {
		fields = append(fields, at.Reason+"@"+at.Path)
	}
	if got := strings.Join(fields, " "); !ok || got != "SITE_DUPLICATE@rules[0].sites[1] RULE_NAME_DUPLICATE@rules[1].name" {
		t.Error(got)
	}
}

// TestOrderWaitsForChannel: what is promised waits for its channel, goes when that opens, and
// says so meanwhile; what another site has goes at once.
func TestOrderWaitsForChannel(t *testing.T) {
	opens := start.Add(10 * time.Hour)
	gate := func(reason string, next time.Time, sites ...string) func(Header, string, time.Time) Gate {
		return func(_ Header, site string, now time.Time) Gate {
			if !slices.Contains(sites, site) || !next.IsZero() && !now.Before(next) {
				return Gate{}
			}
			return Gate{Channel: "NIGHT", Zone: "Europe/Berlin", Reason: reason, Next: next}
		}
	}
	p := newSourced(t, Partial, Automatic, Priority, 10)
	p.do(p.order.Continue(p.seeing(market{"DC1/i1": 4, "DC2/i1": 6})))
	e := p.env()
	e.Gate = gate("CUT_OFF_PASSED", opens, "DC1", "DC2")
	grants := map[string]quantity.Decimal{stock("DC1", "i1"): quantity.Int(4), stock("DC2", "i1"): quantity.Int(6)}
	p.facts = nil
	p.do(p.order.DecidePromise(e, 1, grants))
	p.want(Promised, "LinesPromised", "ReleaseDeferred", "ReleaseDeferred")
	if got := p.order.Due(); !got.Equal(opens) || len(p.order.Deferrals()) != 2 {
		t.Errorf("due at %s, %+v", got, p.order.Deferred)
	}
	facts, err := p.order.Release(e)
	p.refused("CUT_OFF_PASSED", facts, err)
	if f, _ := fault.As(err); f.Metadata["channel"] != "NIGHT" || f.Metadata["next_time"] != "2026-03-02T18:00:00Z" || f.Metadata["time_zone"] != "Europe/Berlin" {
		t.Errorf("%v", err)
	}
	if got := codes(p.order.ExplainAt(e)); got != "CUT_OFF_PASSED@sites.DC1 CUT_OFF_PASSED@sites.DC2" {
		t.Error(got)
	}
	if lacks := p.order.Lacks(e); len(lacks) != 2 || !lacks[0].Next.Equal(opens) || !lacks[0].Since.Equal(start) || lacks[0].Lifts[0] != roleLogistics {
		t.Errorf("%+v", lacks)
	}
	p.do(p.order.Wake(e)) // too early
	p.want(Promised)
	p.do(p.order.PlaceHold(e, HoldCredit, "")) // a hold keeps it, and the channel's time is nothing any more
	if !p.order.Due().IsZero() {
		t.Errorf("on hold it is due at %s", p.order.Due())
	}
	p.do(p.order.LiftHold(e, HoldCredit, ""))
	p.facts = nil
	e.Gate = gate("CHANNEL_LOCKED", time.Time{}, "DC2")
	p.do(p.order.Wake(e))
	p.want(Released, "OrderReleased", "ReleaseDeferred", "ReleaseBackordered")
	p.is("one site", p.sent(), "R1 DC1 RELEASED 1:4, R2 DC2 BACKORDERED 1:6")
	if !p.order.Due().IsZero() {
		t.Errorf("nobody knows when it opens, and it is due at %s", p.order.Due())
	}
	e.Gate = nil
	p.do(p.order.Wake(e))
	p.is("both", p.sent(), "R1 DC1 RELEASED 1:4, R2 DC2 RELEASED 1:6")
	if len(p.order.Deferred) != 0 {
		t.Errorf("%+v", p.order.Deferred)
	}
}

// TestManualIsRefused: who asks for a release is told of the channel, and nothing is noted.
func TestManualIsRefused(t *testing.T) {
	p := newPlay(t, Partial, Manual, 5)
	p.do(p.order.RequestPromise(p.env(), Wanted{}))
	p.promise(map[string]int{"i1": 5})
	e := p.env()
	e.Gate = func(Header, string, time.Time) Gate { return Gate{Channel: "C", Reason: "CHANNEL_LOCKED"} }
	facts, err := p.order.Release(e)
	p.refused("CHANNEL_LOCKED", facts, err)
	if len(p.order.Deferrals()) != 0 || codes(p.order.ExplainAt(e)) != "CHANNEL_LOCKED@sites.DC1" {
		t.Errorf("%+v", p.order.ExplainAt(e))
	}
}

// TestManualThatWasAskedFor: what a channel kept of a manual order goes by itself, also when a
// hold stood against it as the channel opened.
func TestManualThatWasAskedFor(t *testing.T) {
	p := newSourced(t, Partial, Manual, Priority, 10)
	p.do(p.order.RequestPromise(p.seeing(market{"DC1/i1": 4, "DC2/i1": 6}), Wanted{}))
	p.grant(market{"DC1/i1": 4, "DC2/i1": 6}, nil)
	e := p.env()
	e.Gate = func(_ Header, site string, _ time.Time) Gate {
		if site == "DC1" {
			return Gate{}
		}
		return Gate{Channel: "C", Reason: "CHANNEL_LOCKED"}
	}
	p.do(p.order.Release(e))
	p.is("asked for", p.sent(), "R1 DC1 RELEASED 1:4, R2 DC2 BACKORDERED 1:6")
	p.do(p.order.PlaceHold(e, HoldCredit, ""))
	e.Gate = nil
	p.do(p.order.Wake(e))
	p.is("on hold", p.sent(), "R1 DC1 RELEASED 1:4, R2 DC2 BACKORDERED 1:6")
	p.do(p.order.LiftHold(e, HoldCredit, ""))
	p.is("lifted", p.sent(), "R1 DC1 RELEASED 1:4, R2 DC2 RELEASED 1:6")
}

func TestLacks(t *testing.T) {
	p := newPlay(t, Partial, Manual, 5)
	lack := func(want ...string) {
		t.Helper()
		var got []string
		for _, l := range p.order.Lacks(p.env()) {
			got = append(got, l.Code+" "+strings.Join(l.Lifts, "+")+" "+l.With)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	lack("NOT_PROMISED LOGISTICS PromiseLines")
	p.do(p.order.PlaceHold(p.env(), HoldCredit, "over"))
	p.do(p.order.PlaceHold(p.env(), HoldExport, ""))
	lack("ORDER_ON_HOLD FINANCE LiftHold", "ORDER_ON_HOLD LOGISTICS LiftHold", "NOT_PROMISED LOGISTICS PromiseLines")
	p.do(p.order.RequestPromise(p.env(), Wanted{}))
	p.do(p.order.LiftHold(p.env(), HoldCredit, ""))
	p.do(p.order.LiftHold(p.env(), HoldExport, ""))
	lack("PROMISE_PENDING  ")
	p.promise(nil)
	lack("STOCK_SHORT LOGISTICS PromiseLines")
	p.do(p.order.RequestPromise(p.env(), Wanted{}))
	p.promise(map[string]int{"i1": 5})
	lack()
	p.do(p.order.Release(p.env()))
	lack()
}
