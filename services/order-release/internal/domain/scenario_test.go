package domain

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// play drives one order by hand and keeps the names of the facts.
type play struct {
	t     *testing.T
	now   time.Time
	order Order
	facts []string
}

func newPlay(t *testing.T, rule DeliveryRule, mode ReleaseMode, ordered ...int) *play {
	p := &play{t: t, now: start}
	var lines []Line
	for i, n := range ordered {
		lines = append(lines, Line{Number: i + 1, SKU: "W", Item: fmt.Sprint("i", i+1), Site: "DC1", Quantity: ea(n), Base: ea(n)})
	}
	h := Header{Source: "erp", Number: "SO-1", Rule: rule, Mode: mode}
	p.do(Order{}.Submit(p.env(), "ord_x", h, lines, nil))
	return p
}

func (p *play) env() Env { return Env{Now: p.now, By: "ann", Stock: stock, Limits: DefaultLimits} }

func (p *play) do(facts []Fact, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	for _, f := range facts {
		p.facts = append(p.facts, strings.TrimPrefix(fmt.Sprintf("%T", f), "domain."))
	}
	p.order = Apply(p.order, facts...)
}

// promise grants the items of the open attempt what is named, "i1" → 6.
func (p *play) promise(granted map[string]int) {
	p.t.Helper()
	byStock := map[string]quantity.Decimal{}
	for item, n := range granted {
		byStock[stock("DC1", item)] = quantity.Int(int64(n))
	}
	p.do(p.order.DecidePromise(p.env(), p.order.Attempt.Number, byStock))
}

func lines(pairs ...int) []LineQuantity {
	var out []LineQuantity
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, LineQuantity{Line: pairs[i], Quantity: ea(pairs[i+1])})
	}
	return out
}

// want checks the facts since the last check and the state.
func (p *play) want(state State, facts ...string) {
	p.t.Helper()
	if got := p.order.State(); got != state {
		p.t.Errorf("state %s, want %s", got, state)
	}
	if got, want := strings.Join(p.facts, " "), strings.Join(facts, " "); got != want {
		p.t.Errorf("facts %s, want %s", got, want)
	}
	p.facts = nil
}

func (p *play) refused(reason string, facts []Fact, err error) {
	p.t.Helper()
	if f, ok := fault.As(err); !ok || f.Reason != reason {
		p.t.Errorf("%v %v, want %s", facts, err, reason)
	}
}

func (p *play) r(n int) string { return ReleaseID("ord_x", n) }

func TestStraightOrder(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10, 48)
	p.want(Promising, "OrderReceived", "OrderValidated", "PromiseRequested")
	p.promise(map[string]int{"i1": 10, "i2": 48})
	p.want(Released, "LinesPromised", "OrderReleased")
	p.do(p.order.Allocated(p.env(), p.r(1), "who_1", lines(1, 10, 2, 48)))
	p.do(p.order.Acknowledge(p.env(), p.r(1), "who_1"))
	p.want(Acknowledged, "ReleaseAllocated", "ReleaseAcknowledged")
	p.do(p.order.Acknowledge(p.env(), p.r(1), "who_1"))
	p.want(Acknowledged) // twice is once
	p.do(p.order.Picked(p.env(), p.r(1), lines(1, 10, 2, 48)))
	p.want(InExecution, "LinesPicked")
	p.do(p.order.Issued(p.env(), p.r(1), lines(1, 10, 2, 48)))
	p.want(Fulfilled, "LinesIssued", "OrderFulfilled")
	p.do(p.order.Release(p.env())) // releasing again changes nothing
	p.do(p.order.Delivered(p.env(), p.r(1), "shp_1", lines(1, 10, 2, 48)))
	p.do(p.order.Delivered(p.env(), p.r(1), "shp_1", lines(1, 9, 2, 48))) // the proof says one less
	p.want(Fulfilled, "LinesDelivered", "LinesDelivered")
	if got := p.order.Quantities()[0]; got.Delivered != quantity.Int(9) || got.Issued != quantity.Int(10) {
		t.Errorf("%+v", got)
	}
	p.do(p.order.Close(p.env()))
	p.want(Closed, "OrderClosed")
	facts, err := p.order.RequestCancel(p.env(), "X")
	p.refused("ORDER_STATE", facts, err)
}

func TestBackorder(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10)
	p.promise(map[string]int{"i1": 6})
	p.want(Released, "OrderReceived", "OrderValidated", "PromiseRequested", "LinesPromised", "OrderReleased", "ReleaseBackordered")
	if r := p.order.Releases[1]; r.Parent != 1 || r.State() != ReleaseBackorderedState || r.Lines[0].Quantity != quantity.Int(4) || !p.order.Waits("DC1", "i1") {
		t.Errorf("%+v", r)
	}
	p.do(p.order.RequestPromise(p.env(), Wanted{"DC1", "i1"}))
	p.promise(map[string]int{"i1": 4})
	p.want(Released, "PromiseRequested", "LinesPromised", "OrderReleased")
	if r := p.order.Releases[1]; r.State() != ReleaseSent || r.Number != 2 || r.Parent != 1 {
		t.Errorf("%+v", r)
	}
}

func TestNothingThere(t *testing.T) {
	for rule, want := range map[DeliveryRule]State{Partial: Backordered, Complete: Backordered, CancelRemainder: Cancelled} {
		p := newPlay(t, rule, Automatic, 10)
		p.promise(nil)
		if p.order.State() != want {
			t.Errorf("%s: %s, want %s", rule, p.order.State(), want)
		}
	}
}

func TestCompleteWaitsForAll(t *testing.T) {
	p := newPlay(t, Complete, Automatic, 10, 5)
	p.promise(map[string]int{"i1": 10, "i2": 4})
	p.want(Backordered, "OrderReceived", "OrderValidated", "PromiseRequested", "PromiseRefused", "ReleaseBackordered")
	p.do(p.order.RequestPromise(p.env(), Wanted{"DC1", "i2"}))
	if n := len(p.order.Attempt.Claims); n != 2 {
		t.Errorf("an order to be delivered complete claims %d of its 2 items", n)
	}
	p.promise(map[string]int{"i1": 10, "i2": 5})
	p.want(Released, "PromiseRequested", "LinesPromised", "OrderReleased")
}

func TestShortPick(t *testing.T) {
	for rule, want := range map[DeliveryRule]struct {
		facts string
		state State
	}{
		Partial:         {"LinesShorted ReleaseBackordered LinesIssued", InExecution},
		CancelRemainder: {"LinesShorted RemainderCancelled LinesIssued OrderFulfilled", Fulfilled},
	} {
		p := newPlay(t, rule, Automatic, 10)
		p.promise(map[string]int{"i1": 10})
		p.facts = nil
		p.do(p.order.Shorted(p.env(), p.r(1), []LineQuantity{{Line: 1, Quantity: ea(2), Reason: "DAMAGED"}}))
		p.do(p.order.Issued(p.env(), p.r(1), lines(1, 8)))
		p.want(want.state, strings.Fields(want.facts)...)
		if p.order.Releases[0].State() != ReleaseFulfilled {
			t.Errorf("%s: %+v", rule, p.order.Releases[0])
		}
	}
}

func TestCancel(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10)
	p.promise(map[string]int{"i1": 6})
	p.facts = nil
	p.do(p.order.RequestCancel(p.env(), "CUSTOMER_REQUEST"))
	p.want(CancelRequested, "RemainderCancelled", "CancelAsked")
	p.do(p.order.ReleaseCancelled(p.env(), p.r(1), nil))
	p.want(Cancelled, "ReleaseCancelled", "RemainderCancelled", "OrderCancelled")

	p = newPlay(t, Partial, Automatic, 10)
	p.promise(map[string]int{"i1": 10})
	p.do(p.order.Picked(p.env(), p.r(1), lines(1, 3)))
	p.do(p.order.RequestCancel(p.env(), "CUSTOMER_REQUEST"))
	p.facts = nil
	p.do(p.order.CancelRefused(p.env(), p.r(1), "PICKED"))
	p.want(InExecution, "CancelRefused")
	if reasons := p.order.Explain(); len(reasons) != 1 || reasons[0].Code != "CANCEL_REFUSED" {
		t.Errorf("%v", reasons)
	}

	p = newPlay(t, Partial, Automatic, 10) // while stock is being claimed
	p.do(p.order.RequestCancel(p.env(), "CUSTOMER_REQUEST"))
	if p.order.State() != Cancelled || p.order.Attempt.State != AttemptClosed {
		t.Errorf("%s %+v", p.order.State(), p.order.Attempt)
	}
	facts, err := p.order.DecidePromise(p.env(), 1, nil)
	p.refused("PROMISE_NOT_OPEN", facts, err)
}

func TestHoldKeepsBack(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10)
	p.do(p.order.PlaceHold(p.env(), HoldCredit, "limit"))
	facts, err := p.order.PlaceHold(p.env(), HoldCredit, "again")
	p.refused("HOLD_OPEN", facts, err)
	p.promise(map[string]int{"i1": 10})
	p.want(Promised, "OrderReceived", "OrderValidated", "PromiseRequested", "HoldPlaced", "LinesPromised")
	facts, err = p.order.Release(p.env())
	p.refused("ORDER_ON_HOLD", facts, err)
	facts, err = p.order.LiftHold(p.env(), HoldPrice, "")
	p.refused("HOLD_NOT_OPEN", facts, err)
	if reasons := p.order.Explain(); codes(reasons) != "ORDER_ON_HOLD@holds.CREDIT" {
		t.Errorf("%v", reasons)
	}
	p.do(p.order.LiftHold(p.env(), HoldCredit, "paid"))
	p.want(Released, "HoldLifted", "OrderReleased")
}

func TestManualOrder(t *testing.T) {
	p := newPlay(t, Partial, Manual, 10)
	p.want(Validated, "OrderReceived", "OrderValidated")
	facts, err := p.order.Release(p.env())
	p.refused("NOTHING_PROMISED", facts, err)
	if reasons := p.order.Explain(); codes(reasons) != "NOT_PROMISED@" {
		t.Errorf("%v", reasons)
	}
	p.do(p.order.RequestPromise(p.env(), Wanted{}))
	facts, err = p.order.RequestPromise(p.env(), Wanted{})
	p.refused("PROMISE_OPEN", facts, err)
	facts, err = p.order.Release(p.env())
	p.refused("PROMISE_OPEN", facts, err)
	p.promise(map[string]int{"i1": 6})
	p.want(Promised, "PromiseRequested", "LinesPromised")
	if reasons := p.order.Explain(); codes(reasons) != "STOCK_SHORT@lines.1 NOT_RELEASED@" {
		t.Errorf("%v", reasons)
	}
	facts, err = p.order.ReleaseRemainder(p.env())
	p.refused("ORDER_STATE", facts, err)
	p.do(p.order.Release(p.env()))
	p.do(p.order.RequestPromise(p.env(), Wanted{}))
	p.promise(map[string]int{"i1": 3})
	p.do(p.order.ReleaseRemainder(p.env()))
	p.want(Released, "OrderReleased", "ReleaseBackordered", "PromiseRequested", "LinesPromised", "OrderReleased", "ReleaseBackordered")
	if last := p.order.Releases[2]; len(p.order.Releases) != 3 || last.Parent != 2 || last.Lines[0].Quantity != quantity.Int(1) {
		t.Errorf("%+v", p.order.Releases)
	}
	facts, err = p.order.Close(p.env())
	p.refused("NOT_FULFILLED", facts, err)
}

func TestAttemptThatHangs(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10)
	p.facts = nil
	p.now = p.now.Add(DefaultLimits.Attempt - time.Second)
	p.do(p.order.GiveUp(p.env()))
	p.want(Promising)
	p.now = p.order.Due()
	p.do(p.order.GiveUp(p.env()))
	p.want(Validated, "PromiseClosed")
	if reasons := p.order.Explain(); codes(reasons) != "PROMISE_TIMED_OUT@" {
		t.Errorf("%v", reasons)
	}
	for _, pause := range []time.Duration{30, 60, 120, 240, 480, 600, 600} {
		if got := p.order.Due().Sub(p.now); got != pause*time.Second {
			t.Fatalf("next attempt after %s, want %s", got, pause*time.Second)
		}
		p.do(p.order.Retry(p.env())) // too early
		p.now = p.order.Due()
		p.do(p.order.Retry(p.env()))
		p.now = p.order.Due()
		p.do(p.order.GiveUp(p.env()))
	}
	p.now = p.order.Due()
	p.do(p.order.Retry(p.env()))
	p.promise(map[string]int{"i1": 10})
	if p.order.Attempt.Number != 9 || p.order.State() != Released || !p.order.Due().IsZero() {
		t.Errorf("%s %+v", p.order.State(), p.order.Attempt)
	}
}

func TestResubmit(t *testing.T) {
	h := Header{Source: "erp", Number: "SO-1", Rule: Partial, Mode: Manual}
	bad := []Line{{Number: 1, SKU: "NOPE", Quantity: ea(1)}}
	p := &play{t: t, now: start}
	p.do(Order{}.Submit(p.env(), "ord_x", h, bad, []Reason{{Code: "ITEM_UNKNOWN"}}))
	p.want(Rejected, "OrderReceived", "OrderRejected")
	facts, err := p.order.PlaceHold(p.env(), HoldCredit, "")
	p.refused("ORDER_STATE", facts, err)
	if codes(p.order.Explain()) != "ITEM_UNKNOWN@" {
		t.Error(p.order.Explain())
	}
	good := []Line{{Number: 20, SKU: "W", Item: "i2", Site: "DC1", Base: ea(1)}, {Number: 10, SKU: "W", Item: "i1", Site: "DC1", Base: ea(1)}}
	p.do(p.order.Submit(p.env(), "ord_x", h, good, nil))
	p.want(Validated, "OrderReceived", "OrderValidated")
	if p.order.Revision != 2 || p.order.Lines[0].Number != 10 || len(p.order.Rejected) != 0 {
		t.Errorf("%+v", p.order)
	}
	_, err = p.order.Submit(p.env(), "ord_x", h, good, nil)
	if f, ok := fault.As(err); !ok || f.Kind != fault.Conflict || f.Reason != "ORDER_NUMBER_TAKEN" || f.Metadata["order_id"] != "ord_x" {
		t.Error(err)
	}
}

// TestLargeOrder goes on in commits of their own, so that no commit carries its lines twice.
func TestLargeOrder(t *testing.T) {
	ordered := make([]int, Inline+1)
	granted := map[string]int{}
	for i := range ordered {
		ordered[i] = 1
		granted[fmt.Sprint("i", i+1)] = 1
	}
	p := newPlay(t, Partial, Automatic, ordered...)
	p.want(Validated, "OrderReceived", "OrderValidated")
	p.do(p.order.Continue(p.env()))
	p.want(Promising, "PromiseRequested")
	p.do(p.order.Continue(p.env()))
	p.promise(granted)
	p.want(Promised, "LinesPromised")
	p.do(p.order.Continue(p.env()))
	p.want(Released, "OrderReleased")
	p.do(p.order.Continue(p.env()))
	p.want(Released)
}

func TestReportThatDoesNotFit(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10)
	p.promise(map[string]int{"i1": 10})
	p.facts = nil
	p.do(p.order.Picked(p.env(), p.r(1), lines(1, 7, 1, 7, 9, 1)))
	p.want(InExecution, "LinesPicked", "ReportContradicted")
	if got := p.order.Quantities()[0].Picked; got != quantity.Int(10) {
		t.Errorf("picked %s", got)
	}
	p.do(p.order.Issued(p.env(), p.r(1), []LineQuantity{{Line: 1, Quantity: q("1", "CS")}})) // not the base unit
	p.do(p.order.Issued(p.env(), p.r(7), lines(1, 1)))
	p.do(p.order.Delivered(p.env(), p.r(7), "shp_1", lines(1, 1)))
	p.do(p.order.CancelRefused(p.env(), "ord_y-R1", "X"))
	p.want(InExecution, "ReportContradicted", "ReportContradicted", "ReportContradicted", "ReportContradicted")
	if n := len(p.order.Explain()); n != 5 {
		t.Errorf("%d reasons: %v", n, p.order.Explain())
	}
}

func TestParseReleaseID(t *testing.T) {
	for _, id := range []string{"", "ord_x", "ord_x-R", "ord_x-R0", "ord_x-R01", "ord_x-R-1", "ord_x-R1x"} {
		if _, _, err := ParseReleaseID(id); err == nil {
			t.Errorf("%q was taken", id)
		}
	}
	if order, n, err := ParseReleaseID("ord_x-R12"); order != "ord_x" || n != 12 || err != nil {
		t.Error(order, n, err)
	}
}

// TestWarehouseCancelsOnItsOwn: what waits besides the cancelled release goes on waiting.
func TestWarehouseCancelsOnItsOwn(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10)
	p.promise(map[string]int{"i1": 6})
	p.facts = nil
	p.do(p.order.ReleaseCancelled(p.env(), p.r(1), nil))
	p.want(Backordered, "ReleaseCancelled", "RemainderCancelled")
	if q := p.order.Quantities()[0]; q.Open != quantity.Int(4) || q.Backordered != quantity.Int(4) || q.Cancelled != quantity.Int(6) {
		t.Errorf("%+v", q)
	}
}

// TestNewerProofReplacesContradiction: the newest report of a shipment counts, also for what did not fit.
func TestNewerProofReplacesContradiction(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 4)
	p.promise(map[string]int{"i1": 4})
	p.do(p.order.Issued(p.env(), p.r(1), lines(1, 4)))
	p.facts = nil
	proof := func(shipment string, n int, excess string, facts ...string) {
		t.Helper()
		p.do(p.order.Delivered(p.env(), p.r(1), shipment, lines(1, n)))
		p.want(Fulfilled, facts...)
		var got []string
		for _, d := range p.order.Disputed {
			got = append(got, d.Shipment+" "+d.Excess.String())
		}
		if strings.Join(got, ", ") != excess {
			t.Errorf("after a proof of %d: %v, want %s", n, got, excess)
		}
	}
	proof("shp_1", 9, "shp_1 5", "LinesDelivered", "ReportContradicted")
	proof("shp_1", 9, "shp_1 5") // the same said again
	proof("shp_1", 6, "shp_1 2", "ReportContradicted")
	proof("shp_2", 5, "shp_1 2, shp_2 5", "ReportContradicted") // another shipment's stands beside it
	proof("shp_1", 4, "shp_2 5", "LinesDelivered")
	proof("shp_1", 4, "shp_2 5")
	proof("shp_2", 3, "shp_2 3", "ReportContradicted")
	proof("shp_1", 2, "shp_2 1", "LinesDelivered", "LinesDelivered", "ReportContradicted") // what it did not bring, the other did
	proof("shp_2", 2, "", "LinesDelivered")
	if got := p.order.Quantities()[0].Delivered; got != quantity.Int(4) {
		t.Errorf("delivered %s", got)
	}
}
