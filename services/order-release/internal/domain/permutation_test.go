package domain

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// TestReportsInAnyOrder: what the warehouse reports of a release ends in the same state
// however its facts overtake each other, and contradicts nothing.
func TestReportsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ordered := 2 + draw(rt, 8, "ordered")
		short := draw(rt, ordered-1, "short")
		got := ordered - short
		first := draw(rt, got, "first")
		parts := func(n int) []int { return []int{n, got - n} }
		type report struct {
			name string
			n    int
		}
		reports := []report{{"allocated", first}, {"allocated", ordered - first}, {"acknowledged", 1}, {"short", short}}
		for _, n := range parts(first) {
			reports = append(reports, report{"picked", n})
		}
		for _, n := range parts(draw(rt, got, "issued first")) {
			reports = append(reports, report{"issued", n})
		}
		rule := pick(rt, "rule", Partial, CancelRemainder)
		run := func(reports []report) *play {
			p := newPlay(t, rule, Automatic, ordered)
			p.promise(map[string]int{"i1": ordered})
			for _, r := range reports {
				switch {
				case r.n == 0: // nothing to report
				case r.name == "allocated":
					p.do(p.order.Allocated(p.env(), p.r(1), "who_1", lines(1, r.n)))
				case r.name == "acknowledged":
					p.do(p.order.Acknowledge(p.env(), p.r(1), "who_1"))
				case r.name == "picked":
					p.do(p.order.Picked(p.env(), p.r(1), lines(1, r.n)))
				case r.name == "short":
					p.do(p.order.Shorted(p.env(), p.r(1), lines(1, r.n)))
				default:
					p.do(p.order.Issued(p.env(), p.r(1), lines(1, r.n)))
				}
			}
			return p
		}
		want := run(reports)
		shuffled := rapid.Permutation(reports).Draw(rt, "order")
		p := run(shuffled)
		if len(p.order.Disputed) > 0 || len(want.order.Disputed) > 0 {
			rt.Fatalf("contradicted: %v %v", p.order.Disputed, want.order.Disputed)
		}
		if got, want := fmt.Sprintf("%+v", p.order), fmt.Sprintf("%+v", want.order); got != want {
			rt.Fatalf("%v ends in\n%s\nwant\n%s", shuffled, got, want)
		}
		p.do(p.order.Allocated(p.env(), p.r(1), "who_1", lines(1, 1)))
		if d := p.order.Disputed; len(d) != 1 || d[0].Report != "ALLOCATED" || d[0].Excess != ea(1).Value {
			rt.Fatalf("one more than the release has is no contradiction: %v", d)
		}
	})
}

// TestProofInParts: a proof of delivery that names a line in parts, after the delivery was
// reported, means their sum; what it counts in another unit is a contradiction, also when
// the number is the same.
func TestProofInParts(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10)
	p.promise(map[string]int{"i1": 10})
	p.do(p.order.Issued(p.env(), p.r(1), lines(1, 10)))
	p.do(p.order.Delivered(p.env(), p.r(1), "shp_1", lines(1, 10)))
	p.do(p.order.Delivered(p.env(), p.r(1), "shp_1", lines(1, 3, 1, 3, 1, 3)))
	if got := p.order.Quantities()[0].Delivered; got != ea(9).Value || len(p.order.Disputed) > 0 {
		t.Errorf("%s of 9 are delivered; %v", got, p.order.Disputed)
	}
	cases := lines(1, 9)
	cases[0].Quantity.Unit = "CS"
	p.do(p.order.Delivered(p.env(), p.r(1), "shp_1", cases))
	if d := p.order.Disputed; len(d) != 1 || d[0].Excess != ea(9).Value || p.order.Quantities()[0].Delivered != ea(9).Value {
		t.Errorf("9 cases of pieces: %v, %+v", d, p.order.Quantities()[0])
	}
}

// TestDeliveredBeforeIssued: the carrier's word may come before the warehouse's: what was
// delivered counts as soon as its goods issue is told, and only the rest stays a contradiction.
func TestDeliveredBeforeIssued(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10)
	p.promise(map[string]int{"i1": 10})
	p.do(p.order.Delivered(p.env(), p.r(1), "shp_1", lines(1, 10)))
	p.do(p.order.Issued(p.env(), p.r(1), lines(1, 6)))
	if got, d := p.order.Quantities()[0].Delivered, p.order.Disputed; got != ea(6).Value || len(d) != 1 || d[0].Excess != ea(4).Value || d[0].Shipment != "shp_1" {
		t.Fatalf("%s of 6 are delivered; %+v", got, d)
	}
	p.do(p.order.Issued(p.env(), p.r(1), lines(1, 4)))
	if got := p.order.Quantities()[0].Delivered; got != ea(10).Value || len(p.order.Disputed) > 0 {
		t.Fatalf("%s of 10 are delivered; %+v", got, p.order.Disputed)
	}
	p.do(p.order.Delivered(p.env(), p.r(1), "shp_1", lines(1, 10)))
	if got := p.order.Quantities()[0].Delivered; got != ea(10).Value || len(p.order.Disputed) > 0 {
		t.Errorf("told again: %s of 10, %+v", got, p.order.Disputed)
	}
}

// TestShipmentsOfOneRelease: each shipment's newest total counts, whatever the others brought;
// what all of them say together is delivered as far as it was issued, and the rest is a
// contradiction.
func TestShipmentsOfOneRelease(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := newPlay(t, Partial, Automatic, 10)
		p.promise(map[string]int{"i1": 10})
		totals, issued := map[string]int{}, 0
		for range rapid.IntRange(1, 12).Draw(rt, "reports") {
			if more := rapid.IntRange(0, 10-issued).Draw(rt, "issued"); more > 0 && rapid.Bool().Draw(rt, "issue") {
				issued += more
				p.do(p.order.Issued(p.env(), p.r(1), lines(1, more)))
				continue
			}
			shipment := rapid.SampledFrom([]string{"shp_1", "shp_2", "shp_3"}).Draw(rt, "shipment")
			totals[shipment] = rapid.IntRange(0, 8).Draw(rt, "total")
			p.do(p.order.Delivered(p.env(), p.r(1), shipment, lines(1, totals[shipment])))
		}
		said := 0
		for _, n := range totals {
			said += n
		}
		var disputed quantity.Decimal
		for _, d := range p.order.Disputed {
			disputed = disputed.Add(d.Excess)
		}
		if got, want := p.order.Quantities()[0].Delivered, ea(min(said, issued)).Value; got != want || disputed != ea(said-min(said, issued)).Value {
			rt.Fatalf("of %v, with %d issued, %s are delivered and %s disputed", totals, issued, got, disputed)
		}
	})
}
