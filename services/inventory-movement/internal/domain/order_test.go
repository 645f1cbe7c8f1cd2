package domain

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func twoLines() WarehouseOrder {
	ea := func(i int64) quantity.Quantity { return quantity.Quantity{Value: n(i), Unit: "EA"} }
	return ApplyOrder(WarehouseOrder{}, OrderCreated{
		OrderKeys: OrderKeys{ID: "who_a", Order: "ord_a", Release: "ord_a-R1", ReleaseVersion: 1}, Site: "DC1",
		Lines: []OrderLine{{Number: 1, Item: "itm_a", SKU: "A", Quantity: ea(10)}, {Number: 2, Item: "itm_b", SKU: "B", Quantity: ea(4)}},
	})
}

func picked(line int, q int64) PickedLine { return PickedLine{Line: line, Quantity: n(q), Unit: "EA"} }

func picks(lines ...PickedLine) Report {
	return Report{Kind: PickReport, Lines: lines, At: t0, By: "wms@dc1", Source: ident.SourceRef{System: "wms", MessageID: "945-1"}}
}

func shorts(lines ...PickedLine) Report {
	r := picks(lines...)
	r.Kind, r.Damaged = ShortReport, true
	return r
}

func TestFromCreatedToIssued(t *testing.T) {
	o := twoLines()
	steps := []struct {
		run  func() ([]OrderFact, error)
		want OrderState
	}{
		{func() ([]OrderFact, error) {
			return SetTasks(o, []Task{{Line: 1, Quantity: n(10)}, {Line: 2, Quantity: n(4)}})
		}, Allocated},
		{func() ([]OrderFact, error) { return Acknowledge(o) }, Acknowledged},
		{func() ([]OrderFact, error) { return TakeReport(o, picks(picked(1, 8))) }, Picking},
		{func() ([]OrderFact, error) { return TakeReport(o, shorts(picked(1, 2))) }, Picking},
		{func() ([]OrderFact, error) { return TakeReport(o, picks(picked(2, 4))) }, Picked},
		{func() ([]OrderFact, error) {
			return Pack(o, Carton{SSCC: "1", Weight: 900, Lines: []PickedLine{picked(1, 8), picked(2, 4)}})
		}, Packed},
		{func() ([]OrderFact, error) { return IssueGoods(o, t0) }, Issued},
	}
	for i, s := range steps {
		facts, err := s.run()
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if o = ApplyOrder(o, facts...); o.State() != s.want {
			t.Fatalf("step %d: %s, want %s", i, o.State(), s.want)
		}
	}
	if facts, err := Cancel(o, OrderKeys{}, "late"); err != nil || facts[0].(CancelRefused).Reason != "ISSUED" {
		t.Errorf("%v %v", facts, err)
	}
}

func TestRefusedReports(t *testing.T) {
	o := ApplyOrder(twoLines(), PickConfirmed{Lines: []PickedLine{picked(1, 3)}})
	for name, run := range map[string]func() ([]OrderFact, error){
		"another unit than the line's": func() ([]OrderFact, error) {
			return TakeReport(o, picks(picked(2, 1), PickedLine{Line: 1, Quantity: n(1), Unit: "CS"}))
		},
		"a unit that is none": func() ([]OrderFact, error) {
			return TakeReport(o, picks(PickedLine{Line: 9, Quantity: n(1), Unit: "BOXES"}))
		},
		"a fraction of a piece": func() ([]OrderFact, error) {
			return TakeReport(o, shorts(PickedLine{Line: 1, Quantity: quantity.MustParse("0.5"), Unit: "EA"}))
		},
		"a fraction of a piece of no line": func() ([]OrderFact, error) {
			return TakeReport(o, picks(PickedLine{Line: 9, Quantity: quantity.MustParse("0.5"), Unit: "EA"}))
		},
		"nothing":               func() ([]OrderFact, error) { return TakeReport(o, picks(picked(1, 0))) },
		"less than nothing":     func() ([]OrderFact, error) { return TakeReport(o, picks(picked(9, -1))) },
		"packed of no line":     func() ([]OrderFact, error) { return Pack(o, Carton{SSCC: "1", Lines: []PickedLine{picked(9, 1)}}) },
		"nothing packed":        func() ([]OrderFact, error) { return Pack(o, Carton{SSCC: "1", Lines: []PickedLine{picked(1, 0)}}) },
		"packed but not picked": func() ([]OrderFact, error) { return Pack(o, Carton{SSCC: "1", Lines: []PickedLine{picked(1, 4)}}) },
		"issued while picking":  func() ([]OrderFact, error) { return IssueGoods(o, t0) },
	} {
		if facts, err := run(); !fault.IsKind(err, fault.Invalid, fault.Refused) || len(facts) > 0 {
			t.Errorf("%s: %v %v", name, facts, err)
		}
	}
	if facts, err := Cancel(o, OrderKeys{}, ""); err != nil || ApplyOrder(o, facts...).State() != PuttingBack {
		t.Errorf("%v %v", facts, err)
	}
	if facts, err := Stop(o, OrderKeys{}, "HOLD_CREDIT"); err != nil || facts[0].(StopRefused).Reason != "PICKING_BEGUN" {
		t.Errorf("%v %v", facts, err)
	}
	if facts, err := Cancel(twoLines(), OrderKeys{}, "changed mind"); err != nil || ApplyOrder(twoLines(), facts...).State() != Cancelled {
		t.Errorf("%v %v", facts, err)
	}
}

// What was not there stands in nobody's way: only what was picked has to go back, on whichever line.
func TestCancelAfterShortPicks(t *testing.T) {
	for name, tt := range map[string]struct {
		reports []Report
		want    OrderState
	}{
		"a part short":                  {[]Report{shorts(picked(1, 3))}, Cancelled},
		"everything short":              {[]Report{shorts(picked(1, 10), picked(2, 4))}, Cancelled},
		"short, and picked of the same": {[]Report{shorts(picked(1, 3)), picks(picked(1, 1))}, PuttingBack},
		"short, and picked of another":  {[]Report{shorts(picked(1, 10)), picks(picked(2, 4))}, PuttingBack},
	} {
		t.Run(name, func(t *testing.T) {
			o := twoLines()
			for _, r := range tt.reports {
				facts, err := TakeReport(o, r)
				if err != nil {
					t.Fatal(err)
				}
				o = ApplyOrder(o, facts...)
			}
			facts, err := Cancel(o, OrderKeys{}, "changed mind")
			after := ApplyOrder(o, facts...)
			if err != nil || len(facts) != 1 || after.State() != tt.want {
				t.Fatalf("%s %v %v", after.State(), facts, err)
			}
			for i, l := range after.Lines {
				if l.Short != o.Lines[i].Short {
					t.Errorf("line %d: %s short, was %s", l.Number, l.Short, o.Lines[i].Short)
				}
			}
		})
	}
}

// A cancellation that comes before its order ends the order when it comes, so that its
// claims are found and given up.
func TestCancelledBeforeItCame(t *testing.T) {
	keys := OrderKeys{ID: "who_a", Order: "ord_a", Release: "ord_a-R1", ReleaseVersion: 1}
	facts, err := Cancel(WarehouseOrder{}, keys, "early")
	o := ApplyOrder(WarehouseOrder{}, facts...)
	if err != nil || o.State() != Cancelled || o.Keys != keys {
		t.Fatalf("%+v %v", o, err)
	}
	facts, err = CreateOrder(o, OrderCreated{OrderKeys: keys, Site: "DC1", Lines: twoLines().Lines})
	if o = ApplyOrder(o, facts...); err != nil || len(facts) != 2 || o.State() != Cancelled || len(o.Lines) != 2 {
		t.Fatalf("%+v %v", o, err)
	}
	for name, run := range map[string]func() ([]OrderFact, error){
		"created again":   func() ([]OrderFact, error) { return CreateOrder(o, OrderCreated{OrderKeys: keys, Lines: o.Lines}) },
		"cancelled again": func() ([]OrderFact, error) { return Cancel(o, keys, "again") },
		"allocated late":  func() ([]OrderFact, error) { return SetTasks(o, []Task{{Line: 1, Quantity: n(1)}}) },
	} {
		if facts, err := run(); err != nil || len(facts) > 0 {
			t.Errorf("%s: %v %v", name, facts, err)
		}
	}
}
