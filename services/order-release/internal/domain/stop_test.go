package domain

import (
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func kept(n int) []Kept {
	return []Kept{{Key: "clm:ord_x-R1:v1:" + stock("DC1", "i1"), Item: "i1", Quantity: quantity.Int(int64(n))}}
}

// TestStoppedForAHold: a credit hold after the release and before the pick takes it back, its stock
// stays promised, and with the hold's end it goes again without anybody's help, whoever drives it.
func TestStoppedForAHold(t *testing.T) {
	for _, mode := range []ReleaseMode{Automatic, Manual} {
		t.Run(string(mode), func(t *testing.T) {
			p := newPlay(t, Partial, mode, 10)
			if mode == Manual {
				p.do(p.order.RequestPromise(p.env(), Wanted{}))
			}
			p.promise(map[string]int{"i1": 10})
			if mode == Manual {
				p.do(p.order.Release(p.env()))
			}
			p.facts = nil
			p.do(p.order.PlaceHold(p.env(), HoldCredit, "limit"))
			p.want(Released, "HoldPlaced", "StopAsked")
			p.do(p.order.PlaceHold(p.env(), HoldExport, "licence")) // asks only once
			p.want(Released, "HoldPlaced")
			p.do(p.order.Withdrawn(p.env(), p.r(1), kept(10)))
			p.want(Promised, "ReleaseWithdrawn", "ReleaseBackordered")
			if r := p.order.Releases[0]; r.State() != ReleaseIsWithdrawn || r.StopAsked {
				t.Errorf("%+v", r)
			}
			if facts, err := p.order.Withdrawn(p.env(), p.r(1), kept(10)); err != nil || len(facts) > 0 {
				t.Errorf("told twice: %v %v", facts, err)
			}
			facts, err := p.order.Release(p.env())
			p.refused("ORDER_ON_HOLD", facts, err)
			p.do(p.order.LiftHold(p.env(), HoldExport, "granted"))
			p.want(Promised, "HoldLifted")
			p.do(p.order.LiftHold(p.env(), HoldCredit, "paid"))
			p.want(Released, "HoldLifted", "OrderReleased")
			if r := p.order.Releases[1]; r.Number != 2 || whole(r.Lines[0].Quantity) != 10 || len(p.order.Lines[0].Claims) > 0 {
				t.Errorf("%+v, line %+v", r, p.order.Lines[0])
			}
		})
	}
}

// TestStopMeetsOtherWishes: what is asked between the request and the warehouse's word.
func TestStopMeetsOtherWishes(t *testing.T) {
	begin := func() *play {
		p := newPlay(t, Partial, Automatic, 10)
		p.promise(map[string]int{"i1": 10})
		p.do(p.order.PlaceHold(p.env(), HoldCredit, "limit"))
		p.facts = nil
		return p
	}
	p := begin() // lifted before the warehouse stopped: it goes again at once
	p.do(p.order.LiftHold(p.env(), HoldCredit, "paid"))
	p.do(p.order.Withdrawn(p.env(), p.r(1), kept(10)))
	p.want(Released, "HoldLifted", "ReleaseWithdrawn", "ReleaseBackordered", "OrderReleased")

	p = begin() // cancelled meanwhile: the stock goes back
	p.do(p.order.RequestCancel(p.env(), "CUSTOMER_REQUEST"))
	facts, err := p.order.Withdrawn(p.env(), p.r(1), kept(10))
	p.do(facts, err)
	p.want(Cancelled, "CancelAsked", "ReleaseWithdrawn", "RemainderCancelled", "OrderCancelled")
	if f := facts[1].(RemainderCancelled); len(f.GiveBack) != 1 || f.GiveBack[0].Key != kept(10)[0].Key || f.GiveBack[0].Site != "DC1" {
		t.Errorf("%+v", f)
	}

	p = begin() // less is kept than was released: the rest waits for stock
	p.do(p.order.Withdrawn(p.env(), p.r(1), kept(6)))
	p.want(Promised, "ReleaseWithdrawn", "ReleaseBackordered")
	p.do(p.order.LiftHold(p.env(), HoldCredit, "paid"))
	p.want(Released, "HoldLifted", "OrderReleased", "ReleaseBackordered")

	p = begin() // too late: the warehouse goes on, which is said, and the rest of the order is on hold
	p.do(p.order.Picked(p.env(), p.r(1), lines(1, 1)))
	p.do(p.order.StopRefused(p.env(), p.r(1), "PICKING_BEGUN"))
	p.want(InExecution, "LinesPicked", "StopRefused")
	if reasons := p.order.Explain(); !strings.Contains(reasons[0].Message, "(PICKING_BEGUN)") {
		t.Errorf("%v", reasons)
	}
	p.do(p.order.LiftHold(p.env(), HoldCredit, "paid"))
	p.do(p.order.PlaceHold(p.env(), HoldCredit, "again"))
	p.want(InExecution, "HoldLifted", "HoldPlaced") // it has begun, nobody asks again
	if p.order.Releases[0].StopRefused != "PICKING_BEGUN" {
		t.Errorf("%+v", p.order.Releases[0])
	}
}

// TestCancelledWithPutBack: two of three lines were picked; the release is cancelled when they are put back.
func TestCancelledWithPutBack(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 4, 5, 3)
	p.promise(map[string]int{"i1": 4, "i2": 5, "i3": 3})
	p.do(p.order.Picked(p.env(), p.r(1), lines(1, 4, 2, 2)))
	p.facts = nil
	p.do(p.order.RequestCancel(p.env(), "CUSTOMER_REQUEST"))
	p.want(CancelRequested, "CancelAsked")
	p.do(p.order.ReleaseCancelled(p.env(), p.r(1), lines(1, 4, 2, 2)))
	p.want(Cancelled, "ReleaseCancelled", "RemainderCancelled", "OrderCancelled")
	r := p.order.Releases[0]
	if r.State() != ReleasePutBack || whole(r.Lines[0].PutBack) != 4 || !r.Lines[0].Picked.IsZero() || whole(r.Lines[1].Cancelled) != 5 {
		t.Errorf("%s %+v", r.State(), r.Lines)
	}
	for i, q := range p.order.Quantities() {
		if q.Cancelled != q.Ordered || !q.Open.IsZero() || !q.Picked.IsZero() {
			t.Errorf("line %d: %+v", i+1, q)
		}
	}
}
