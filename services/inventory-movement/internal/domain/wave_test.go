package domain

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func TestNaturalOrder(t *testing.T) {
	want := []string{"", "A", "A-01", "A-1", "A-2", "A-10", "A-10-2", "A-10-10", "B-1", "DC1/A-2", "DC2/A-1", "DC10/A-1"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Natural)
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	code := rapid.StringMatching(`[A-C0-2/-]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := code.Draw(t, "a"), code.Draw(t, "b"), code.Draw(t, "c")
		if Natural(a, b) != -Natural(b, a) || (Natural(a, b) == 0) != (a == b) {
			t.Fatalf("%q and %q: %d and %d", a, b, Natural(a, b), Natural(b, a))
		}
		if Natural(a, b) <= 0 && Natural(b, c) <= 0 && Natural(a, c) > 0 {
			t.Fatalf("%q, %q, %q go round", a, b, c)
		}
	})
}

func waveOf(method WaveMethod, orders ...string) Wave {
	w := EvolveWave(Wave{}, WaveRequested{ID: "wav_a", Site: "DC1", Method: method, Orders: orders, At: t0})
	for _, f := range SettleWave(w, orders, nil) {
		w = EvolveWave(w, f)
	}
	return w
}

func toldSteps(steps []PickStep) (out []string) {
	for _, s := range steps {
		text := fmt.Sprintf("%s %s %s:", s.Location, s.Quantity, s.SKU)
		for _, x := range s.Splits {
			text += fmt.Sprintf(" %s/%d %s", x.Order, x.Line, x.Quantity)
			if x.Tote > 0 {
				text += fmt.Sprintf(" tote %d", x.Tote)
			}
		}
		out = append(out, text)
	}
	return out
}

func TestPickPath(t *testing.T) {
	task := func(line int, sku, bin string, q int64) Task {
		return Task{Line: line, SKU: sku, Location: bin, Quantity: n(q), Unit: "EA"}
	}
	orders := map[string]WarehouseOrder{
		"a": {Tasks: []Task{task(1, "X", "B-10", 2), task(2, "Y", "B-2", 1)}},
		"b": {Tasks: []Task{task(1, "X", "B-10", 3), task(1, "X", "A-1", 4)}},
		"c": {Tasks: []Task{task(1, "X", "A-1", 9)}, IsCancelled: true},
	}
	for method, want := range map[WaveMethod][]string{
		OrderByOrder: {"B-2 1 Y: a/2 1", "B-10 2 X: a/1 2", "A-1 4 X: b/1 4", "B-10 3 X: b/1 3"},
		Batch:        {"A-1 4 X: b/1 4", "B-2 1 Y: a/2 1", "B-10 5 X: a/1 2 b/1 3"},
		Cluster:      {"A-1 4 X: b/1 4 tote 2", "B-2 1 Y: a/2 1 tote 1", "B-10 5 X: a/1 2 tote 1 b/1 3 tote 2"},
	} {
		if got := toldSteps(PickPath(waveOf(method, "a", "b", "c"), orders)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", method, got, want)
		}
	}
}

// TestPickPathIsWhole: whatever the method, each task is in the path once, each step is what its
// splits are, and a path by bin comes to no bin twice for the same goods.
func TestPickPathIsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]WaveMethod{OrderByOrder, Batch, Cluster}).Draw(t, "method")
		orders, want := map[string]WarehouseOrder{}, map[string]quantity.Decimal{}
		var ids []string
		for i := range rapid.IntRange(0, 5).Draw(t, "orders") {
			id := fmt.Sprint("who_", i)
			var o WarehouseOrder
			for line := range rapid.IntRange(0, 5).Draw(t, "tasks") {
				task := Task{
					Line: 1 + line/2, SKU: rapid.SampledFrom([]string{"X", "Y"}).Draw(t, "sku"), Lot: rapid.SampledFrom([]string{"", "L"}).Draw(t, "lot"),
					Location: rapid.SampledFrom([]string{"A-1", "A-2", "A-10"}).Draw(t, "bin"), Quantity: n(rapid.Int64Range(1, 9).Draw(t, "quantity")), Unit: "EA",
				}
				o.Tasks = append(o.Tasks, task)
				key := fmt.Sprint(id, task.Line, task.SKU, task.Lot, task.Location)
				want[key] = want[key].Add(task.Quantity)
			}
			orders[id], ids = o, append(ids, id)
		}
		got, visited := map[string]quantity.Decimal{}, map[string]bool{}
		for _, s := range PickPath(waveOf(method, ids...), orders) {
			sum := quantity.Decimal{}
			for _, x := range s.Splits {
				key := fmt.Sprint(x.Order, x.Line, s.SKU, s.Lot, s.Location)
				got[key], sum = got[key].Add(x.Quantity), sum.Add(x.Quantity)
			}
			place := fmt.Sprint(s.Location, s.SKU, s.Lot)
			if sum != s.Quantity || method != OrderByOrder && visited[place] {
				t.Fatalf("%v, visited before: %t", s, visited[place])
			}
			visited[place] = true
		}
		for key := range want {
			if got[key] != want[key] {
				t.Fatalf("%s: %s in the path, %s to pick", key, got[key], want[key])
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%v in the path, %v to pick", got, want)
		}
	})
}

func TestWaveStates(t *testing.T) {
	asking := EvolveWave(Wave{}, WaveRequested{ID: "wav_a", Site: "DC1", Method: Batch, Orders: []string{"a"}, At: t0})
	planned := waveOf(Batch, "a")
	released := EvolveWave(planned, WaveReleased{"wav_a"})
	gone := EvolveWave(planned, WaveCancelled{ID: "wav_a"})
	none := EvolveWave(asking, WavePlanned{ID: "wav_a", Refused: []WaveRefusal{{"a", "ORDER_WAVED"}}})
	for name, tt := range map[string]struct {
		run    func() ([]WaveFact, error)
		facts  int
		reason string
	}{
		"of nothing":             {func() ([]WaveFact, error) { return RequestWave(Wave{}, WaveRequested{ID: "wav_a"}) }, 0, "WAVE_EMPTY"},
		"asked again":            {func() ([]WaveFact, error) { return RequestWave(asking, WaveRequested{ID: "wav_a"}) }, 0, ""},
		"settled again":          {func() ([]WaveFact, error) { return SettleWave(planned, nil, nil), nil }, 0, ""},
		"released":               {func() ([]WaveFact, error) { return ReleaseWave(planned) }, 1, ""},
		"released again":         {func() ([]WaveFact, error) { return ReleaseWave(released) }, 0, ""},
		"released while asking":  {func() ([]WaveFact, error) { return ReleaseWave(asking) }, 0, "WAVE_STATE"},
		"released when off":      {func() ([]WaveFact, error) { return ReleaseWave(gone) }, 0, "WAVE_STATE"},
		"released with none":     {func() ([]WaveFact, error) { return ReleaseWave(none) }, 0, "WAVE_STATE"},
		"cancelled":              {func() ([]WaveFact, error) { return CancelWave(planned, "X", t0) }, 1, ""},
		"cancelled when given":   {func() ([]WaveFact, error) { return CancelWave(released, "X", t0) }, 1, ""},
		"cancelled again":        {func() ([]WaveFact, error) { return CancelWave(gone, "X", t0) }, 0, ""},
		"cancelled while asking": {func() ([]WaveFact, error) { return CancelWave(asking, "X", t0) }, 0, "WAVE_STATE"},
	} {
		facts, err := tt.run()
		f, _ := fault.As(err)
		if len(facts) != tt.facts || (tt.reason == "") != (err == nil) || err != nil && (f.Reason != tt.reason || f.Kind != fault.Refused) {
			t.Errorf("%s: %v, %v", name, facts, err)
		}
	}
}

func TestOrdersOfWaves(t *testing.T) {
	ready := ApplyOrder(twoLines(), OrderAllocated{Tasks: []Task{{Line: 1, Quantity: n(10)}}})
	waved := ApplyOrder(ready, OrderWaved{ready.Keys, "wav_a"})
	for name, tt := range map[string]struct {
		order  WarehouseOrder
		site   string
		facts  int
		reason string
	}{
		"ready":          {ready, "DC1", 1, ""},
		"acknowledged":   {ApplyOrder(ready, OrderAcknowledged{}), "DC1", 1, ""},
		"in it already":  {waved, "DC1", 0, ""},
		"in another":     {ApplyOrder(ready, OrderWaved{ready.Keys, "wav_b"}), "DC1", 0, "ORDER_WAVED"},
		"elsewhere":      {ready, "DC2", 0, "WAVE_SITE"},
		"not allocated":  {twoLines(), "DC1", 0, "WAREHOUSE_ORDER_STATE"},
		"picking begun":  {ApplyOrder(ready, PickConfirmed{Lines: []PickedLine{picked(1, 1)}}), "DC1", 0, "WAREHOUSE_ORDER_STATE"},
		"called off":     {ApplyOrder(ready, OrderCancelled{OrderKeys: ready.Keys}), "DC1", 0, "WAREHOUSE_ORDER_STATE"},
		"free once more": {ApplyOrder(waved, OrderUnwaved{ready.Keys, "wav_a"}), "DC1", 1, ""},
	} {
		facts, err := JoinWave(tt.order, tt.site, "wav_a")
		f, _ := fault.As(err)
		if len(facts) != tt.facts || (tt.reason == "") != (err == nil) || err != nil && f.Reason != tt.reason {
			t.Errorf("%s: %v, %v", name, facts, err)
		}
	}
	if facts := LeaveWave(waved, "wav_b"); len(facts) != 0 {
		t.Errorf("another wave frees it: %v", facts)
	}
	two := ready
	two.Carrier, two.Service = "UPSN", "GROUND"
	for want, c := range map[bool][]Criteria{
		true:  {{}, {Carrier: "UPSN"}, {Service: "GROUND"}, {MaxLines: 5}},
		false: {{Carrier: "DHL"}, {Service: "AIR"}, {MaxLines: 4}},
	} {
		for _, x := range c {
			if got := x.Meets(two, 3); got != want {
				t.Errorf("%+v is met: %t", x, got)
			}
		}
	}
	if (Criteria{}).Meets(waved, 0) {
		t.Error("what is in a wave is chosen")
	}
}
