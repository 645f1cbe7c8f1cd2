package domain

import (
	"strings"
	"testing"
)

// A hold that comes after everything was released is explained with what goes on in spite of it,
// until the warehouse has nothing of the order left.
func TestHoldAfterReleaseIsExplained(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10)
	p.promise(map[string]int{"i1": 10})
	if reasons := p.order.Explain(); len(reasons) != 0 {
		t.Fatalf("before the hold: %v", reasons)
	}
	p.do(p.order.PlaceHold(p.env(), HoldCredit, "limit"))
	p.do(p.order.PlaceHold(p.env(), HoldExport, "licence"))
	reasons := p.order.Explain()
	if codes(reasons) != "ORDER_ON_HOLD@holds.CREDIT ORDER_ON_HOLD@holds.EXPORT" {
		t.Fatalf("%v", reasons)
	}
	for _, r := range reasons {
		if !strings.Contains(r.Message, "is asked to stop "+p.r(1)) {
			t.Errorf("does not name the release: %s", r.Message)
		}
	}
	p.do(p.order.StopRefused(p.env(), p.r(1), "PICKING_BEGUN"))
	if reasons := p.order.Explain(); !strings.Contains(reasons[0].Message, "goes on with "+p.r(1)+" (PICKING_BEGUN):") {
		t.Errorf("does not say that it goes on: %s", reasons[0].Message)
	}
	p.do(p.order.LiftHold(p.env(), HoldExport, "granted"))
	if reasons := p.order.Explain(); codes(reasons) != "ORDER_ON_HOLD@holds.CREDIT" {
		t.Errorf("one lifted: %v", reasons)
	}
	p.do(p.order.Picked(p.env(), p.r(1), lines(1, 10)))
	p.do(p.order.Issued(p.env(), p.r(1), lines(1, 10)))
	if reasons := p.order.Explain(); p.order.State() != Fulfilled || len(reasons) != 0 {
		t.Errorf("%s: %v", p.order.State(), reasons)
	}
}

// What a hold keeps back before a release is said without a word of the warehouse.
func TestHoldBeforeReleaseNamesNoRelease(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10)
	p.do(p.order.PlaceHold(p.env(), HoldCredit, "limit"))
	p.promise(map[string]int{"i1": 10})
	reasons := p.order.Explain()
	if codes(reasons) != "ORDER_ON_HOLD@holds.CREDIT" || strings.Contains(reasons[0].Message, "goes on") {
		t.Errorf("%v", reasons)
	}
}
