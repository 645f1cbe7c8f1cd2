package inventorymovement_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
)

func TestWaves(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"picked by bin":         pickedByBin,
		"one order, many waves": oneOrderManyWaves,
		"chosen by criteria":    chosenByCriteria,
		"wave mistakes":         waveMistakes,
		"wave replays":          waveReplays,
	})
}

// waiting releases an order of pieces of an item that stands in some bins, and waits for its tasks.
func (w *world) waiting(t *testing.T, sku string, pieces int) (who string) {
	t.Helper()
	_, who = w.release(t, line{sku, pieces, ""})
	w.state(t, who, "ALLOCATED")
	return who
}

func (w *world) planWave(t *testing.T, method im.WaveMethod, orders ...string) *commonv1.Receipt {
	t.Helper()
	resp, err := w.wms.PlanWave(t.Context(), &im.PlanWaveRequest{Site: "DC1", Method: method, WarehouseOrderIds: orders})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetReceipt()
}

func (w *world) wave(t *testing.T, id string) *im.Wave {
	t.Helper()
	resp, err := w.wms.GetWave(t.Context(), &im.GetWaveRequest{WaveId: id})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetWave()
}

func (w *world) waveOf(t *testing.T, who string) string {
	t.Helper()
	resp, err := w.wms.GetWarehouseOrder(t.Context(), &im.GetWarehouseOrderRequest{WarehouseOrderId: who})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetWarehouseOrder().GetWaveId()
}

func pickedByBin(t *testing.T, w *world) {
	sku := w.item(t)
	w.receive(t, sku, "B-10", ea(4))
	one := w.waiting(t, sku, 1) // all of B-10 but three
	w.receive(t, sku, "B-2", ea(9))
	two := w.waiting(t, sku, 5) // three of B-10, two of B-2
	r := w.planWave(t, im.WaveMethod_WAVE_METHOD_CLUSTER, one, two)
	id := r.GetCreatedIds()[0]
	if r.GetState() != "PLANNED" || len(r.GetReasons()) != 0 || w.waveOf(t, one) != id {
		t.Errorf("%v", r)
	}
	var steps []string
	for _, s := range w.wave(t, id).GetSteps() {
		text := fmt.Sprintf("%d %s %s:", s.GetSequence(), s.GetLocation(), s.GetQuantity().GetValue())
		for _, x := range s.GetSplits() {
			text += fmt.Sprintf(" %s in %d", x.GetQuantity().GetValue(), x.GetTote())
		}
		steps = append(steps, text)
	}
	if want := []string{"1 B-2 2: 2 in 2", "2 B-10 4: 1 in 1 3 in 2"}; !slices.Equal(steps, want) {
		t.Errorf("%q", steps)
	}
	released, err := w.wms.ReleaseWave(t.Context(), &im.ReleaseWaveRequest{WaveId: id})
	if err != nil || released.GetReceipt().GetState() != "RELEASED" {
		t.Fatal(released, err)
	}
	again := w.planWave(t, im.WaveMethod_WAVE_METHOD_BATCH, one)
	if again.GetState() != "CANCELLED" || len(again.GetReasons()) != 1 || again.GetReasons()[0].GetCode() != "ORDER_WAVED" || again.GetReasons()[0].GetMessage() != one {
		t.Errorf("%v", again)
	}
	if _, err := w.wms.CancelWave(t.Context(), &im.CancelWaveRequest{WaveId: id, Reason: "REPLAN"}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() error {
		if in := w.waveOf(t, one) + w.waveOf(t, two); in != "" {
			return fmt.Errorf("they are in %s", in)
		}
		return nil
	})
	if r := w.planWave(t, im.WaveMethod_WAVE_METHOD_WAVE, one, two); r.GetState() != "PLANNED" || len(r.GetReasons()) != 0 {
		t.Errorf("%v", r)
	}
}

// oneOrderManyWaves: of many waves that ask the same orders at once, each order is in one.
func oneOrderManyWaves(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	orders := []string{w.waiting(t, sku, 1), w.waiting(t, sku, 1), w.waiting(t, sku, 1)}
	var mu sync.Mutex
	has := map[string][]string{}
	var group sync.WaitGroup
	for caller := range 16 {
		group.Go(func() {
			asked := []string{orders[caller%3], orders[(caller+1)%3]}
			resp, err := w.wms.PlanWave(t.Context(), &im.PlanWaveRequest{Site: "DC1", Method: im.WaveMethod_WAVE_METHOD_BATCH, WarehouseOrderIds: asked})
			if err != nil {
				t.Error(err)
				return
			}
			got, err := w.wms.GetWave(t.Context(), &im.GetWaveRequest{WaveId: resp.GetReceipt().GetCreatedIds()[0]})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for _, o := range got.GetWave().GetOrders() {
				has[o.GetWarehouseOrderId()] = append(has[o.GetWarehouseOrderId()], got.GetWave().GetWaveId())
			}
			if n := len(got.GetWave().GetOrders()) + len(got.GetWave().GetRefused()); n != len(asked) {
				t.Errorf("%v", got)
			}
		})
	}
	group.Wait()
	for _, o := range orders {
		if in := w.waveOf(t, o); len(has[o]) != 1 || has[o][0] != in {
			t.Errorf("%s is in %q, %v have it", o, in, has[o])
		}
	}
}

func chosenByCriteria(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	carrier := strings.ToUpper(testkit.Name("c"))[:12]
	var orders []string
	for range 3 {
		m := w.released(line{sku, 1, ""})
		m.CarrierPreference = carrier
		w.orders.publish(t, w.Tenant, m.GetOrderId(), m)
		w.state(t, w.who(m), "ALLOCATED")
		orders = append(orders, w.who(m))
	}
	plan := &im.PlanWaveRequest{Site: "DC1", Method: im.WaveMethod_WAVE_METHOD_BATCH, CarrierPreference: carrier, MaxOrders: 2}
	var in []string
	testkit.Eventually(t, patience, func() error { // the list trails
		resp, err := w.wms.PlanWave(t.Context(), plan)
		if f, ok := fault.As(err); ok && f.Reason == "WAVE_EMPTY" {
			if len(in) < 3 {
				return err
			}
			return nil
		}
		if err != nil {
			return err
		}
		got := w.wave(t, resp.GetReceipt().GetCreatedIds()[0])
		if len(got.GetOrders()) > 2 {
			t.Fatalf("%v", got)
		}
		for _, o := range got.GetOrders() {
			in = append(in, o.GetWarehouseOrderId())
		}
		return fmt.Errorf("%d of 3 are in waves", len(in))
	})
	slices.Sort(in)
	slices.Sort(orders)
	if !slices.Equal(in, orders) {
		t.Errorf("%v are in waves, want %v", in, orders)
	}
}

func waveMistakes(t *testing.T, w *world) {
	_, err := w.wms.PlanWave(t.Context(), &im.PlanWaveRequest{Site: "DC9", Method: im.WaveMethod_WAVE_METHOD_BATCH})
	reason(t, err, fault.Invalid, "SITE_UNKNOWN")
	_, err = w.wms.PlanWave(t.Context(), &im.PlanWaveRequest{Site: "DC2", Method: im.WaveMethod_WAVE_METHOD_BATCH})
	reason(t, err, fault.Refused, "WAVE_EMPTY")
	for _, ask := range []func() error{
		func() error {
			_, err := w.wms.GetWave(t.Context(), &im.GetWaveRequest{WaveId: w.id("wav", "none")})
			return err
		},
		func() error {
			_, err := w.wms.ReleaseWave(t.Context(), &im.ReleaseWaveRequest{WaveId: w.id("wav", "none")})
			return err
		},
		func() error {
			_, err := w.wms.CancelWave(t.Context(), &im.CancelWaveRequest{WaveId: w.id("wav", "none"), Reason: "X"})
			return err
		},
	} {
		reason(t, ask(), fault.NotFound, "NOT_FOUND")
	}
	r := w.planWave(t, im.WaveMethod_WAVE_METHOD_BATCH, w.id("who", "none"))
	if r.GetState() != "CANCELLED" || r.GetReasons()[0].GetCode() != "NOT_FOUND" {
		t.Errorf("%v", r)
	}
	_, err = w.wms.ReleaseWave(t.Context(), &im.ReleaseWaveRequest{WaveId: r.GetCreatedIds()[0]})
	reason(t, err, fault.Refused, "WAVE_STATE")
	sku := w.stocked(t, 5)
	who := w.waiting(t, sku, 5)
	w.confirm(t, who, picked(1, 1))
	if r := w.planWave(t, im.WaveMethod_WAVE_METHOD_BATCH, who); r.GetReasons()[0].GetCode() != "WAREHOUSE_ORDER_STATE" {
		t.Errorf("%v", r)
	}
	c := w.Caller(commonv1.Role_ROLE_LOGISTICS)
	c.Tenant = testkit.Name("t")
	s := im.NewInventoryMovementServiceClient(w.Client(inventorymovement.Name, c))
	_, err = s.GetWave(t.Context(), &im.GetWaveRequest{WaveId: r.GetCreatedIds()[0]})
	reason(t, err, fault.NotFound, "NOT_FOUND")
}

func waveReplays(t *testing.T, w *world) {
	sku := w.stocked(t, 5)
	who := w.waiting(t, sku, 5)
	var id string
	for _, tt := range []struct {
		name string
		run  func(key string) (proto.Message, error)
	}{
		{"plan", func(k string) (proto.Message, error) {
			resp, err := w.wms.PlanWave(hosttest.WithKey(t.Context(), k), &im.PlanWaveRequest{Site: "DC1", Method: im.WaveMethod_WAVE_METHOD_BATCH, WarehouseOrderIds: []string{who}})
			id = resp.GetReceipt().GetCreatedIds()[0]
			return resp, err
		}},
		{"release", func(k string) (proto.Message, error) {
			return w.wms.ReleaseWave(hosttest.WithKey(t.Context(), k), &im.ReleaseWaveRequest{WaveId: id})
		}},
		{"cancel", func(k string) (proto.Message, error) {
			return w.wms.CancelWave(hosttest.WithKey(t.Context(), k), &im.CancelWaveRequest{WaveId: id, Reason: "X"})
		}},
	} {
		key := "wave-replay-" + tt.name + sku
		first, err := tt.run(key)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		w.Redis.FlushAll()
		again, err := tt.run(key)
		if err != nil || !proto.Equal(first, again) {
			t.Errorf("%s: %v %v, first %v", tt.name, again, err, first)
		}
	}
}
