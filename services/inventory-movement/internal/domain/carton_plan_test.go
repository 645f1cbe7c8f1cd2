package domain

import (
	"fmt"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

var boxes = []CartonType{{Code: "S", Length: 200, Width: 200, Height: 200, Tare: 100, MaxGross: 10_000}}

func cube(id string) Item {
	return Item{ID: id, SKU: id, BaseUnit: "EA", Weight: quantity.MustParse("100.5"), Size: Size{100, 100, 100}}
}

func orderOf(pieces int64, unit string) WarehouseOrder {
	return WarehouseOrder{Site: "DC1", Lines: []OrderLine{{Number: 1, Item: "a", SKU: "A", Quantity: quantity.Quantity{Value: n(pieces), Unit: unit}}}}
}

func TestPlanCartons(t *testing.T) {
	with := func(change func(*Item)) Item {
		it := cube("a")
		change(&it)
		return it
	}
	part := orderOf(10, "EA")
	part.Lines[0].Short, part.Lines[0].Packed = n(3), n(4)
	done := orderOf(10, "EA")
	done.Lines[0].Packed = n(10)
	for name, tt := range map[string]struct {
		order WarehouseOrder
		item  Item
		types []CartonType
		want  string
	}{
		"weights are rounded up":    {orderOf(2, "EA"), cube("a"), boxes, "S×2 302 g 250 ‰"},
		"what is left to pack":      {part, cube("a"), boxes, "S×3 403 g 375 ‰"},
		"nothing is left":           {done, cube("a"), boxes, ""},
		"no size":                   {orderOf(2, "EA"), with(func(i *Item) { i.Size.Height = 0 }), boxes, "2: DIMENSIONS_UNKNOWN"},
		"no weight and a limit":     {orderOf(2, "EA"), with(func(i *Item) { i.Weight = n(0) }), boxes, "2: WEIGHT_UNKNOWN"},
		"no weight and no limit":    {orderOf(2, "EA"), with(func(i *Item) { i.Weight = n(0) }), []CartonType{{Code: "S", Length: 100, Width: 100, Height: 200}}, "S×2 0 g 1000 ‰"},
		"an item that is not known": {orderOf(2, "EA"), Item{}, boxes, "2: DIMENSIONS_UNKNOWN"},
		"not counted in pieces":     {orderOf(2, "KGM"), cube("a"), boxes, "2: NOT_PIECES"},
		"no carton types":           {orderOf(2, "EA"), cube("a"), nil, "2: NO_CARTON_FITS"},
		"too large":                 {orderOf(2, "EA"), with(func(i *Item) { i.Size.Height = 201 }), boxes, "2: NO_CARTON_FITS"},
	} {
		plan, err := PlanCartons(tt.order, map[string]Item{"a": tt.item}, tt.types, nil)
		got := ""
		for _, c := range plan.Cartons {
			pieces := 0
			for _, b := range c.Blocks {
				pieces += b.Pieces()
			}
			got += fmt.Sprintf("%s×%d %d g %d ‰", c.Type, pieces, c.Weight, c.Fill)
		}
		for _, u := range plan.Unplanned {
			got += fmt.Sprintf("%s: %s", u.Quantity.Value, u.Reason)
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, tt.want)
		}
	}
	for reason, run := range map[string]func() (CartonPlan, error){
		"PLAN_TOO_LARGE": func() (CartonPlan, error) {
			return PlanCartons(orderOf(maxPlanned+1, "EA"), map[string]Item{"a": cube("a")}, boxes, nil)
		},
	} {
		if f, ok := faultOf(run()); !ok || f.Reason != reason || f.Kind != fault.Refused {
			t.Errorf("%v, want %s", f, reason)
		}
	}
	tall := with(func(i *Item) { i.Size = Size{100, 100, 250} })
	flat := []CartonType{{Code: "F", Length: 300, Width: 200, Height: 100}}
	for _, tt := range []struct {
		upright []string
		cartons int
	}{{nil, 1}, {[]string{"A"}, 0}} {
		if plan, err := PlanCartons(orderOf(1, "EA"), map[string]Item{"a": tall}, flat, tt.upright); err != nil || len(plan.Cartons) != tt.cartons {
			t.Errorf("upright %v: %v, %v", tt.upright, plan, err)
		}
	}
}

// TestPackingSite: a site's types by code, each once, at most as many as a plan can try.
func TestPackingSite(t *testing.T) {
	var p PackingSite
	apply := func(facts []PackingFact, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range facts {
			p = EvolvePacking(p, f)
		}
	}
	for i := range maxCartonTypes {
		apply(DefineCartonType(p, "DC1", CartonType{Code: fmt.Sprintf("T%02d", maxCartonTypes-i), Length: 1}))
	}
	if _, err := DefineCartonType(p, "DC1", CartonType{Code: "X"}); err == nil {
		t.Error("one too many is taken")
	}
	again := p.Types[0]
	if facts, err := DefineCartonType(p, "DC1", again); err != nil || len(facts) != 0 {
		t.Errorf("the same again: %v, %v", facts, err)
	}
	again.Length = 2
	apply(DefineCartonType(p, "DC1", again))
	if len(p.Types) != maxCartonTypes || p.Types[0] != again || p.Types[1].Code != "T02" {
		t.Errorf("%v", p.Types)
	}
	apply(RetireCartonType(p, "DC1", "T01"))
	if _, err := RetireCartonType(p, "DC1", "T01"); !fault.IsKind(err, fault.NotFound) || len(p.Types) != maxCartonTypes-1 {
		t.Errorf("%v: %v", err, p.Types)
	}
	apply(SetTolerance(p, "DC1", Tolerance{1, "2"}), nil)
	if facts := SetTolerance(p, "DC1", Tolerance{1, "2"}); len(facts) != 0 || *p.Tolerance != (Tolerance{1, "2"}) {
		t.Errorf("%v, %v", facts, p.Tolerance)
	}
}
