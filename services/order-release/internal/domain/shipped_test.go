package domain

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

var (
	issuedAt = time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC)
	leftAt   = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
)

// at is the environment of a report about something that happened at a time.
func (p *play) at(when time.Time) Env {
	e := p.env()
	e.At = when
	return e
}

// shipped says of the first release what counts as shipped, and why.
func (p *play) shipped() string {
	status, since := p.order.Releases[0].Shipped()
	if since.IsZero() {
		return fmt.Sprintf("%q: %s", status, p.order.Releases[0].ExplainShipped())
	}
	return fmt.Sprintf("%q since %s: %s", status, since.Format("02 15:04"), p.order.Releases[0].ExplainShipped())
}

// sentAs plays an order of two lines up to its release, under a policy.
func sentAs(t *testing.T, r ShippedRule) *play {
	p := newPlay(t, Partial, Automatic, 10, 4)
	e := p.env()
	e.Gate = func(Header, string, time.Time) Gate { return Gate{Shipped: r} }
	p.do(p.order.DecidePromise(e, 1, map[string]quantity.Decimal{stock("DC1", "i1"): quantity.Int(10), stock("DC1", "i2"): quantity.Int(4)}))
	p.facts = nil
	return p
}

// TestShippedPolicies: goods are issued at 17:00 and leave at 09:00 the next day. Each policy ships at its
// own time, once, and every answer shows both facts.
func TestShippedPolicies(t *testing.T) {
	byChannel := func(p ShippedPolicy) ShippedRule { return ShippedRule{p, ShippedByChannel, "EXPRESS"} }
	for _, tt := range []struct {
		rule                  ShippedRule
		issue, left           string // facts
		before, between, then string
	}{
		{
			byChannel(ShippedOnIssue), "LinesIssued LinesShipped OrderFulfilled", "LinesDispatched",
			`"": shipped: no, by policy goods issue of channel EXPRESS; goods issue no, dispatch no`,
			`"SHIPPED" since 02 17:00: shipped: yes, by policy goods issue of channel EXPRESS; goods issue yes, dispatch no`,
			`"SHIPPED" since 02 17:00: shipped: yes, by policy goods issue of channel EXPRESS; goods issue yes, dispatch yes`,
		},
		{
			ShippedRule{Policy: ShippedOnDispatch, Source: ShippedByTenant},
			"LinesIssued OrderFulfilled", "LinesDispatched LinesShipped",
			`"": shipped: no, by policy dispatch of the tenant; goods issue no, dispatch no`,
			`"": shipped: no, by policy dispatch of the tenant; goods issue yes, dispatch no`,
			`"SHIPPED" since 03 09:00: shipped: yes, by policy dispatch of the tenant; goods issue yes, dispatch yes`,
		},
		{
			ShippedRule{},
			"LinesIssued OrderFulfilled", "LinesDispatched LinesShipped", // nobody said anything
			`"": shipped: no, by policy goods issue and dispatch; goods issue no, dispatch no`,
			`"": shipped: no, by policy goods issue and dispatch; goods issue yes, dispatch no`,
			`"SHIPPED" since 03 09:00: shipped: yes, by policy goods issue and dispatch; goods issue yes, dispatch yes`,
		},
	} {
		t.Run(string(tt.rule.Policy), func(t *testing.T) {
			p := sentAs(t, tt.rule)
			is := func(want string) {
				t.Helper()
				if got := p.shipped(); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
			is(tt.before)
			p.do(p.order.Issued(p.at(issuedAt), p.r(1), lines(1, 10, 2, 4)))
			p.want(Fulfilled, tt.issue)
			is(tt.between)
			p.do(p.order.Dispatched(p.at(leftAt), p.r(1), "shp_1", lines(1, 10, 2, 4)))
			p.want(Fulfilled, tt.left)
			is(tt.then)
			if got := p.order.Shipped(); got != Shipped {
				t.Errorf("the order is %q", got)
			}
		})
	}
}

// TestShippedBeforeItIsIssued: the truck's report overtakes the warehouse's. By both facts it ships at the
// later of them, whichever is told first; by dispatch at once.
func TestShippedBeforeItIsIssued(t *testing.T) {
	p := sentAs(t, DefaultShipped)
	p.do(p.order.Dispatched(p.at(leftAt), p.r(1), "shp_1", lines(1, 10, 2, 4)))
	p.want(Released, "LinesDispatched")
	early := *p
	p.do(p.order.Issued(p.at(issuedAt), p.r(1), lines(1, 10, 2, 4)))
	p.want(Fulfilled, "LinesIssued LinesShipped OrderFulfilled")
	if got := p.shipped(); got != `"SHIPPED" since 03 09:00: shipped: yes, by policy goods issue and dispatch; goods issue yes, dispatch yes` {
		t.Error(got)
	}
	late := &early
	late.do(late.order.Issued(late.at(leftAt.Add(2*time.Hour)), late.r(1), lines(1, 10, 2, 4))) // posted when the truck is gone
	if got := late.shipped(); got != `"SHIPPED" since 03 11:00: shipped: yes, by policy goods issue and dispatch; goods issue yes, dispatch yes` {
		t.Error(got)
	}
}

// TestShippedInPart: what is short is not shipped, and what was told too early is taken back.
func TestShippedInPart(t *testing.T) {
	p := sentAs(t, ShippedRule{Policy: ShippedOnDispatch, Source: ShippedByTenant})
	p.do(p.order.Dispatched(p.at(leftAt), p.r(1), "shp_1", lines(1, 10))) // as planned; the goods issue is not known
	p.want(Released, "LinesDispatched LinesShipped")
	if got := p.shipped(); got != `"PARTIALLY_SHIPPED" since 03 09:00: shipped: in part, by policy dispatch of the tenant; goods issue no, dispatch in part` {
		t.Error(got)
	}
	facts, err := p.order.Shorted(p.at(leftAt), p.r(1), lines(1, 2))
	p.do(facts, err)
	p.want(InExecution, "LinesShorted ReleaseBackordered LinesShipped")
	told, ok := facts[2].(LinesShipped)
	if !ok || len(told.Lines) != 1 || told.Lines[0].Quantity.Value != quantity.Int(-2) || !told.At.Equal(start) {
		t.Errorf("%+v", facts[2])
	}
	if q := p.order.Quantities()[0]; q.Shipped != quantity.Int(8) || q.Dispatched != quantity.Int(8) || p.order.Shipped() != PartiallyShipped {
		t.Errorf("%+v, the order is %q", q, p.order.Shipped())
	}
}

// TestDispatchContradicted: what left beyond the release, or of another one, is kept as a contradiction.
func TestDispatchContradicted(t *testing.T) {
	p := sentAs(t, DefaultShipped)
	p.do(p.order.Dispatched(p.at(leftAt), p.r(1), "shp_1", lines(1, 12, 3, 1)))
	p.want(Released, "LinesDispatched ReportContradicted")
	p.do(p.order.Dispatched(p.at(leftAt), "", "shp_2", lines(1, 1)))
	p.want(Released, "ReportContradicted")
	var got string
	for _, d := range p.order.Disputed {
		got += fmt.Sprintf("%s of %s %q: %s of line %d; ", d.Report, d.Shipment, d.Release, d.Excess, d.Line)
	}
	if got != `DISPATCHED of shp_1 "ord_x-R1": 2 of line 1; DISPATCHED of shp_1 "ord_x-R1": 1 of line 3; DISPATCHED of shp_2 "": 1 of line 1; ` {
		t.Error(got)
	}
}

// TestPolicyStays: a release keeps the policy it went with; its remainder takes the one that holds when it goes.
func TestPolicyStays(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10)
	e := p.env()
	rule := ShippedRule{ShippedOnIssue, ShippedByChannel, "A"}
	e.Gate = func(Header, string, time.Time) Gate { return Gate{Shipped: rule} }
	p.do(p.order.DecidePromise(e, 1, map[string]quantity.Decimal{stock("DC1", "i1"): quantity.Int(6)}))
	rule = ShippedRule{ShippedOnDispatch, ShippedByChannel, "B"}
	p.do(p.order.RequestPromise(e, Wanted{"DC1", "i1"}))
	p.do(p.order.DecidePromise(e, 2, map[string]quantity.Decimal{stock("DC1", "i1"): quantity.Int(4)}))
	p.do(p.order.Issued(p.at(issuedAt), p.r(1), lines(1, 6)))
	p.do(p.order.Issued(p.at(issuedAt), p.r(2), lines(1, 4)))
	for i, want := range []string{
		"shipped: yes, by policy goods issue of channel A; goods issue yes, dispatch no",
		"shipped: no, by policy dispatch of channel B; goods issue yes, dispatch no",
	} {
		if got := p.order.Releases[i].ExplainShipped(); got != want {
			t.Errorf("release %d: %s, want %s", i+1, got, want)
		}
	}
	if got := p.order.Shipped(); got != PartiallyShipped {
		t.Errorf("the order is %q", got)
	}
}

// TestShippedOfOld: a release from before policies were kept counts by goods issue, and nobody is told.
func TestShippedOfOld(t *testing.T) {
	p := sentAs(t, DefaultShipped)
	p.order.Releases[0].Shipping.ShippedRule = ShippedRule{}
	p.do(p.order.Issued(p.env(), p.r(1), lines(1, 10, 2, 4)))
	p.want(Fulfilled, "LinesIssued OrderFulfilled")
	if got := p.shipped(); got != `"SHIPPED": shipped: yes, by policy goods issue, because it was released before policies were kept; goods issue yes, dispatch no` {
		t.Error(got)
	}
}

// TestShippedAs: the channel decides, else the tenant, else nobody.
func TestShippedAs(t *testing.T) {
	for _, tt := range []struct {
		channel Channel
		tenant  ShippedPolicy
		want    ShippedRule
	}{
		{Channel{Code: "A", Shipped: ShippedOnIssue}, ShippedOnDispatch, ShippedRule{ShippedOnIssue, ShippedByChannel, "A"}},
		{Channel{Code: "A"}, ShippedOnDispatch, ShippedRule{Policy: ShippedOnDispatch, Source: ShippedByTenant}},
		{Channel{Code: "A"}, "", DefaultShipped},
		{Channel{}, "", DefaultShipped},
	} {
		if got := ShippedAs(tt.channel, tt.tenant); got != tt.want {
			t.Errorf("%+v, %q: %+v, want %+v", tt.channel, tt.tenant, got, tt.want)
		}
	}
}

// TestShippedInAnyOrder: what is issued and leaves in parts ends shipped in the same way, in whatever order
// it is told, and all that was told adds up to it.
func TestShippedInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rule := ShippedRule{Policy: pick(rt, "policy", ShippedOnIssue, ShippedOnDispatch, ShippedOnBoth), Source: ShippedByTenant}
		first, left := 1+draw(rt, 8, "issued first"), 1+draw(rt, 8, "left first")
		reports := []string{"issue", "issue the rest", "dispatch", "dispatch the rest"}
		p := sentAs(t, rule)
		var told quantity.Decimal
		for _, r := range rapid.Permutation(reports).Draw(rt, "order") {
			facts, err := map[string]func() ([]Fact, error){
				"issue":          func() ([]Fact, error) { return p.order.Issued(p.at(issuedAt.Add(-1)), p.r(1), lines(1, first, 2, 1)) },
				"issue the rest": func() ([]Fact, error) { return p.order.Issued(p.at(issuedAt), p.r(1), lines(1, 10-first, 2, 3)) },
				"dispatch": func() ([]Fact, error) {
					return p.order.Dispatched(p.at(leftAt.Add(-1)), p.r(1), "shp_1", lines(1, left, 2, 2))
				},
				"dispatch the rest": func() ([]Fact, error) {
					return p.order.Dispatched(p.at(leftAt), p.r(1), "shp_2", lines(1, 10-left, 2, 2))
				},
			}[r]()
			p.do(facts, err)
			for _, f := range facts {
				if s, ok := f.(LinesShipped); ok {
					for _, l := range s.Lines {
						told = told.Add(l.Quantity.Value)
					}
				}
			}
		}
		want := map[ShippedPolicy]time.Time{ShippedOnIssue: issuedAt, ShippedOnDispatch: leftAt, ShippedOnBoth: leftAt}[rule.Policy]
		if status, since := p.order.Releases[0].Shipped(); status != Shipped || !since.Equal(want) || told != quantity.Int(14) {
			rt.Fatalf("%q since %s, %s told", status, since, told)
		}
	})
}
