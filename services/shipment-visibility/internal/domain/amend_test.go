package domain

import (
	"fmt"
	"slices"
	"testing"
)

// TestAmendedInAnyOrder: the plan follows the newest amendment of each line, in whatever order the plan,
// its amendments and the goods issue are heard of and however often.
func TestAmendedInAnyOrder(t *testing.T) {
	k := Keys{"shp_a", Order{"ord_a", "SO-1", "ord_a-R1", "who_a"}}
	amend := func(version int, lines ...Line) func(Shipment) ([]Fact, error) {
		return func(s Shipment) ([]Fact, error) {
			return Amend(s, ShipmentAmended{Keys: k, Version: version, Lines: lines})
		}
	}
	told := []func(Shipment) ([]Fact, error){
		func(s Shipment) ([]Fact, error) {
			return Plan(s, ShipmentPlanned{Keys: k, Site: "DC1", Lines: []Line{{Number: 1, SKU: "A", Quantity: ea(10)}, {Number: 2, SKU: "B", Quantity: ea(4)}}})
		},
		amend(2, Line{Number: 1, SKU: "A", Quantity: ea(7)}, Line{Number: 2, SKU: "B", Quantity: ea(3)}),
		amend(3, Line{Number: 2, SKU: "B", Quantity: ea(0)}),
	}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {0, 1, 0, 2, 1, 2, 0}} {
		var s Shipment
		for _, i := range order {
			facts, err := told[i](s)
			s = must(t, s, facts, err)
			if again, err := told[i](s); err != nil || len(again) > 0 {
				t.Fatalf("%v: told again: %+v %v", order, again, err)
			}
		}
		if got := fmt.Sprint(s.Lines); got != fmt.Sprint([]Line{{Number: 1, SKU: "A", Quantity: ea(7)}}) || s.Keys != k || s.State() != Planned {
			t.Errorf("%v: %s of %+v", order, got, s)
		}
	}
}

// TestAmendedAfterGoodsIssue: what was issued stays on the shipment; what is planned again when it is
// taken back is what the amendment left.
func TestAmendedAfterGoodsIssue(t *testing.T) {
	s := planned()
	issue := ShipmentReady{
		Units: []Unit{{SSCC: "1", Lines: []Line{{Number: 1, SKU: "A", Quantity: ea(7)}}}}, Lines: []Line{{Number: 1, SKU: "A", Quantity: ea(7)}}, Issued: t0,
	}
	facts, err := Issue(s, issue)
	s = must(t, s, facts, err)
	facts, err = Amend(s, ShipmentAmended{Version: 2, Lines: []Line{{Number: 1, SKU: "A", Quantity: ea(7)}, {Number: 2, SKU: "B"}}})
	s = must(t, s, facts, err)
	if !slices.Equal(s.Lines, issue.Lines) {
		t.Errorf("on it are %v", s.Lines)
	}
	facts, err = Reverse(s, IssueReversed{Cartons: []string{"1"}})
	if s = must(t, s, facts, err); !slices.Equal(s.Lines, []Line{{Number: 1, SKU: "A", Quantity: ea(7)}}) {
		t.Errorf("planned are %v", s.Lines)
	}
}
