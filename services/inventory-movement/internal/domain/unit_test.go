package domain

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func unitKeys(sscc string) UnitKeys { return UnitKeys{ID: "hun_" + sscc, SSCC: sscc, Site: "DC1"} }

// packedCarton is a carton of pieces of one item.
func packedCarton(sscc string, pieces int64) HandlingUnit {
	return ApplyUnit(HandlingUnit{}, UnitCreated{
		UnitKeys: unitKeys(sscc), Level: CartonLevel, Packaging: Packaging{Type: "CT", Tare: 100},
		Content: []PickedLine{{Line: 1, Item: "itm_a", SKU: "A", Lot: "L1", Quantity: n(pieces), Unit: "EA"}},
	})
}

func emptyPallet(sscc string, level int) HandlingUnit {
	return ApplyUnit(HandlingUnit{}, UnitCreated{UnitKeys: unitKeys(sscc), Level: level, Packaging: Packaging{Type: "PX", Tare: 20_000}})
}

func holding(u HandlingUnit, children ...string) HandlingUnit {
	for _, c := range children {
		u = ApplyUnit(u, UnitNested{UnitKeys: u.Keys, Child: c, Attempt: 1})
	}
	return u
}

func TestUnitStates(t *testing.T) {
	left := func(u HandlingUnit) HandlingUnit { return ApplyUnit(u, TakeUnitIssue(u, t0)...) }
	shut := func(u HandlingUnit) HandlingUnit { return ApplyUnit(u, UnitShut{UnitKeys: u.Keys}) }
	void := func(u HandlingUnit) HandlingUnit { return ApplyUnit(u, UnitVoided{UnitKeys: u.Keys}) }
	within := func(u HandlingUnit) HandlingUnit {
		return ApplyUnit(u, NestRequested{UnitKeys: u.Keys, Parent: "9", Attempt: 1, Level: u.Level, At: t0})
	}
	elsewhere := emptyPallet("2", 2)
	elsewhere.Keys.Site = "DC2"
	full := emptyPallet("2", 2)
	full.Children = make([]UnitChild, maxChildren)
	for name, tt := range map[string]struct {
		run    func() ([]UnitFact, error)
		reason string // "" if it is done
	}{
		"nest":                    {func() ([]UnitFact, error) { return RequestNest(packedCarton("1", 1), emptyPallet("2", 2), t0) }, ""},
		"nest what is in another": {func() ([]UnitFact, error) { return RequestNest(within(packedCarton("1", 1)), emptyPallet("2", 2), t0) }, "HANDLING_UNIT_NESTED"},
		"nest what left":          {func() ([]UnitFact, error) { return RequestNest(left(packedCarton("1", 1)), emptyPallet("2", 2), t0) }, "HANDLING_UNIT_STATE"},
		"nest what is void":       {func() ([]UnitFact, error) { return RequestNest(void(emptyPallet("1", 2)), emptyPallet("2", 3), t0) }, "HANDLING_UNIT_STATE"},
		"nest at another site":    {func() ([]UnitFact, error) { return RequestNest(packedCarton("1", 1), elsewhere, t0) }, "HANDLING_UNIT_SITE"},
		"nest into its like":      {func() ([]UnitFact, error) { return RequestNest(emptyPallet("1", 2), emptyPallet("2", 2), t0) }, "HANDLING_UNIT_LEVEL"},
		"nest into itself":        {func() ([]UnitFact, error) { return RequestNest(emptyPallet("1", 2), emptyPallet("1", 2), t0) }, "HANDLING_UNIT_LEVEL"},
		"nest into less":          {func() ([]UnitFact, error) { return RequestNest(emptyPallet("1", 3), emptyPallet("2", 2), t0) }, "HANDLING_UNIT_LEVEL"},

		"take":                   {func() ([]UnitFact, error) { return TakeChild(emptyPallet("2", 2), "1", 1, 1) }, ""},
		"take its like":          {func() ([]UnitFact, error) { return TakeChild(emptyPallet("2", 2), "1", 1, 2) }, "HANDLING_UNIT_LEVEL"},
		"take when closed":       {func() ([]UnitFact, error) { return TakeChild(shut(emptyPallet("2", 2)), "1", 1, 1) }, "HANDLING_UNIT_STATE"},
		"take when gone":         {func() ([]UnitFact, error) { return TakeChild(left(emptyPallet("2", 2)), "1", 1, 1) }, "HANDLING_UNIT_STATE"},
		"take when void":         {func() ([]UnitFact, error) { return TakeChild(void(emptyPallet("2", 2)), "1", 1, 1) }, "HANDLING_UNIT_STATE"},
		"take when full":         {func() ([]UnitFact, error) { return TakeChild(full, "1", 1, 1) }, "HANDLING_UNIT_FULL"},
		"a carton takes nothing": {func() ([]UnitFact, error) { return TakeChild(packedCarton("2", 1), "1", 1, 1) }, "HANDLING_UNIT_STATE"},

		"unnest":             {func() ([]UnitFact, error) { return Unnest(holding(emptyPallet("2", 2), "1"), "1", t0) }, ""},
		"unnest what is not": {func() ([]UnitFact, error) { return Unnest(holding(emptyPallet("2", 2), "1"), "3", t0) }, "HANDLING_UNIT_NOT_NESTED"},
		"unnest when closed": {func() ([]UnitFact, error) { return Unnest(shut(holding(emptyPallet("2", 2), "1")), "1", t0) }, "HANDLING_UNIT_STATE"},
		"unnest what left": {func() ([]UnitFact, error) {
			return Unnest(ApplyUnit(holding(emptyPallet("2", 2), "1", "3"), ChildLeft{Child: "1"}), "1", t0)
		}, "HANDLING_UNIT_STATE"},
		"close":               {func() ([]UnitFact, error) { return CloseUnit(emptyPallet("1", 2), "D-1") }, ""},
		"move what is closed": {func() ([]UnitFact, error) { return CloseUnit(packedCarton("1", 1), "D-1") }, ""},
		"close what left":     {func() ([]UnitFact, error) { return CloseUnit(left(packedCarton("1", 1)), "D-1") }, "HANDLING_UNIT_STATE"},
		"reopen":              {func() ([]UnitFact, error) { return ReopenUnit(shut(emptyPallet("1", 2))) }, ""},
		"reopen a carton":     {func() ([]UnitFact, error) { return ReopenUnit(packedCarton("1", 1)) }, "HANDLING_UNIT_STATE"},
		"reopen what left":    {func() ([]UnitFact, error) { return ReopenUnit(left(emptyPallet("1", 2))) }, "HANDLING_UNIT_STATE"},
		"void":                {func() ([]UnitFact, error) { return VoidUnit(emptyPallet("1", 2), "BROKEN") }, ""},
		"void a carton":       {func() ([]UnitFact, error) { return VoidUnit(packedCarton("1", 1), "BROKEN") }, "HANDLING_UNIT_NOT_EMPTY"},
		"void what holds":     {func() ([]UnitFact, error) { return VoidUnit(holding(emptyPallet("1", 2), "3"), "BROKEN") }, "HANDLING_UNIT_NOT_EMPTY"},
		"void what is in one": {func() ([]UnitFact, error) { return VoidUnit(within(emptyPallet("1", 2)), "BROKEN") }, "HANDLING_UNIT_NESTED"},
		"void what left":      {func() ([]UnitFact, error) { return VoidUnit(left(emptyPallet("1", 2)), "BROKEN") }, "HANDLING_UNIT_STATE"},
		"weigh":               {func() ([]UnitFact, error) { return Weigh(packedCarton("1", 1), Weighing{Weight: 1}) }, ""},
		"weigh what left":     {func() ([]UnitFact, error) { return Weigh(left(packedCarton("1", 1)), Weighing{Weight: 1}) }, "HANDLING_UNIT_STATE"},
		"release no hold":     {func() ([]UnitFact, error) { return ReleaseHold(packedCarton("1", 1), "SEEN", "boss") }, "NOT_ON_HOLD"},
		"release what left":   {func() ([]UnitFact, error) { return ReleaseHold(left(packedCarton("1", 1)), "SEEN", "boss") }, "HANDLING_UNIT_STATE"},
	} {
		facts, err := tt.run()
		f, refused := fault.As(err)
		switch {
		case tt.reason == "" && (err != nil || len(facts) != 1):
			t.Errorf("%s: %v, %v", name, facts, err)
		case tt.reason != "" && (!refused || f.Reason != tt.reason || f.Kind != fault.Refused || len(facts) != 0):
			t.Errorf("%s: %v, %v, want %s", name, facts, err, tt.reason)
		}
	}
}

// TestUnitAgain: what is done already is done by no further fact.
func TestUnitAgain(t *testing.T) {
	box, open := packedCarton("1", 1), holding(emptyPallet("2", 2), "1")
	gone := ApplyUnit(box, TakeUnitIssue(box, t0)...)
	for name, run := range map[string]func() ([]UnitFact, error){
		"created":          func() ([]UnitFact, error) { return CreateUnit(box, UnitCreated{UnitKeys: box.Keys}) },
		"taken":            func() ([]UnitFact, error) { return TakeChild(open, "1", 1, 1) },
		"closed":           func() ([]UnitFact, error) { return CloseUnit(box, "") },
		"open":             func() ([]UnitFact, error) { return ReopenUnit(open) },
		"void":             func() ([]UnitFact, error) { return VoidUnit(ApplyUnit(emptyPallet("3", 2), UnitVoided{}), "X") },
		"gone":             func() ([]UnitFact, error) { return TakeUnitIssue(gone, t0), nil },
		"gone in none":     func() ([]UnitFact, error) { return TakeUnitIssue(HandlingUnit{}, t0), nil },
		"a stranger left":  func() ([]UnitFact, error) { return TakeChildIssue(open, "7", t0), nil },
		"another attempt":  func() ([]UnitFact, error) { return Free(box, "2", 1), nil },
		"refused meantime": func() ([]UnitFact, error) { return RefuseNest(box, "2", 1, "X"), nil },
	} {
		if facts, err := run(); len(facts) != 0 || err != nil {
			t.Errorf("%s: %v, %v", name, facts, err)
		}
	}
}

// TestUnitLeavesWithTheLast: a pallet left when all that is on it has, or is taken down.
func TestUnitLeavesWithTheLast(t *testing.T) {
	p := holding(emptyPallet("2", 2), "1", "3")
	p = ApplyUnit(p, TakeChildIssue(p, "1", t0)...)
	if p.Stands != UnitOpen {
		t.Fatalf("it is %s with one of two gone", p.Stands)
	}
	if q := ApplyUnit(p, TakeChildIssue(p, "3", t0)...); q.Stands != UnitIssued {
		t.Errorf("it is %s with both gone", q.Stands)
	}
	facts, err := Unnest(p, "3", t0)
	if q := ApplyUnit(p, facts...); err != nil || q.Stands != UnitIssued || len(q.Children) != 1 {
		t.Errorf("it is %s with the other taken down: %v", q.Stands, err)
	}
	empty := holding(emptyPallet("2", 2), "1")
	facts, err = Unnest(empty, "1", t0)
	if q := ApplyUnit(empty, facts...); err != nil || q.Stands != UnitOpen {
		t.Errorf("it is %s when empty: %v", q.Stands, err)
	}
}

func TestWeights(t *testing.T) {
	items := map[string]Item{"itm_a": {ID: "itm_a", BaseUnit: "EA", Weight: quantity.MustParse("0.45")}}
	box := packedCarton("1", 1001) // 450.45 g and the carton
	p := holding(emptyPallet("2", 2), "1", "3")
	other := packedCarton("3", 10)
	other.Told = 900
	told := box
	told.Told = 551
	for name, tt := range map[string]struct {
		unit  HandlingUnit
		units []HandlingUnit
		want  int64
	}{
		"a carton, rounded to grams":     {box, []HandlingUnit{box}, 550},
		"a carton whose tare is unknown": {ApplyUnit(HandlingUnit{}, UnitCreated{UnitKeys: unitKeys("1"), Content: box.Content}), nil, 0},
		"an item of which none is known": {ApplyUnit(HandlingUnit{}, UnitCreated{UnitKeys: unitKeys("1"), Packaging: Packaging{Tare: 1}, Content: []PickedLine{{Item: "itm_b", Quantity: n(1), Unit: "EA"}}}), nil, 0},
		"counted otherwise":              {ApplyUnit(HandlingUnit{}, UnitCreated{UnitKeys: unitKeys("1"), Packaging: Packaging{Tare: 1}, Content: []PickedLine{{Item: "itm_a", Quantity: n(1), Unit: "CS"}}}), nil, 0},
		"a pallet":                       {p, []HandlingUnit{p, told, other}, 20_000 + 551 + 900},
		"a pallet with an unknown one":   {p, []HandlingUnit{p, box, other}, 0},
		"an empty pallet":                {emptyPallet("4", 2), nil, 20_000},
	} {
		if got := ExpectedWeight(tt.unit, items, Weights(tt.units)); got != tt.want {
			t.Errorf("%s: %d g are expected, want %d", name, got, tt.want)
		}
	}
}

// TestTolerance: the greater of both counts, at the edge too.
func TestTolerance(t *testing.T) {
	for _, tt := range []struct {
		tolerance Tolerance
		weight    int64
		held      bool
	}{
		{Tolerance{0, "0"}, 1000, false},
		{Tolerance{0, "0"}, 1001, true},
		{Tolerance{50, "0"}, 950, false},
		{Tolerance{50, "0"}, 949, true},
		{Tolerance{10, "2.5"}, 1025, false},
		{Tolerance{10, "2.5"}, 1026, true},
		{Tolerance{10, "2.59"}, 975, false},
		{Tolerance{10, "2.59"}, 974, true}, // a part of a gram does not count
	} {
		allowed, err := tt.tolerance.Of(1000)
		if err != nil {
			t.Fatal(err)
		}
		u := packedCarton("1", 1)
		facts, err := Weigh(u, Weighing{Weight: tt.weight, Expected: 1000, Tolerance: allowed, At: t0})
		if u = ApplyUnit(u, facts...); err != nil || u.Held() != tt.held {
			t.Errorf("%d g of 1000 within %v: held %t, %v", tt.weight, tt.tolerance, u.Held(), err)
		}
	}
	if _, err := (Tolerance{0, "1,5"}).Of(1); err == nil {
		t.Error("1,5 is no percentage")
	}
	u := packedCarton("1", 1)
	facts, err := Weigh(u, Weighing{Weight: 5, At: t0})
	if u = ApplyUnit(u, facts...); err != nil || u.Held() || u.Gross() != 5 {
		t.Errorf("nothing was expected: %v, %v", u, err)
	}
}

// TestHold: what is too heavy may leave once it weighs right, or somebody says so; a wrong weight
// after that holds it again.
func TestHold(t *testing.T) {
	u := packedCarton("1", 1)
	weigh := func(grams int64) {
		t.Helper()
		facts, err := Weigh(u, Weighing{Weight: grams, Expected: 1000, Tolerance: 10, At: t0})
		if err != nil {
			t.Fatal(err)
		}
		u = ApplyUnit(u, facts...)
	}
	for _, step := range []struct {
		do   func()
		held bool
	}{
		{func() { weigh(1200) }, true},
		{func() { weigh(1005) }, false},
		{func() { weigh(800) }, true},
		{func() {
			facts, err := ReleaseHold(u, "SEEN", "boss")
			if err != nil {
				t.Fatal(err)
			}
			u = ApplyUnit(u, facts...)
		}, false},
		{func() { weigh(800) }, true},
	} {
		if step.do(); u.Held() != step.held {
			t.Fatalf("held %t: %v", u.Held(), u.Weighed)
		}
	}
	if f, _ := fault.As(AuditRefusal(u)); f.Reason != "PACK_AUDIT" || f.Metadata["sscc"] != "1" {
		t.Errorf("%v", f)
	}
}
