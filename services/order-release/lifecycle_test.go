package orderrelease_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	sv "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// TestLifecycles walks orders from submission to their end, over gRPC and the bus.
func TestLifecycles(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"straight":          straight,
		"short pick":        shortPick,
		"backorder":         backorder,
		"cancel before":     cancelBeforePick,
		"cancel after":      cancelAfterPick,
		"cancel waiting":    cancelWaiting,
		"contradiction":     contradiction,
		"complete":          complete,
		"cancel remainder":  cancelRemainder,
		"hold":              hold,
		"manual":            manual,
		"two sites":         twoSites,
		"transient refusal": transientRefusal,
	})
}

// TestGivenUp is what becomes of attempts to promise that get no answer in time.
func TestGivenUp(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){"hang": hang, "hang by hand": hangByHand}, impatient)
}

// straight holds the number of commits that an order costs.
func straight(t *testing.T, w *world) {
	skus := w.stocked(t, 10, 100, 5)
	cases := lineOf(2, skus[1], 4)
	cases.Quantity.Unit = "CS"
	id := w.submit(t, order(t, lineOf(1, skus[0], 10), cases, lineOf(3, skus[2], 2)))
	w.state(t, id, or.OrderState_ORDER_STATE_RELEASED)
	r1 := id + "-R1"
	w.until(t, id, "allocated", func(o *or.Order) bool { return o.GetLines()[1].GetQuantities().GetAllocated() == "48" })
	w.inventory.acknowledge(t, w.Tenant, r1)
	w.state(t, id, or.OrderState_ORDER_STATE_ACKNOWLEDGED)
	all := map[int]int{1: 10, 2: 48, 3: 2}
	w.inventory.pick(t, w.Tenant, r1, all)
	w.state(t, id, or.OrderState_ORDER_STATE_IN_EXECUTION)
	_, err := w.orders.CloseOrder(t.Context(), &or.CloseOrderRequest{OrderId: id})
	reason(t, err, fault.Refused, "NOT_FULFILLED")
	w.inventory.issue(t, w.Tenant, r1)
	w.state(t, id, or.OrderState_ORDER_STATE_FULFILLED)

	shipment := &sv.ShipmentDelivered{ShipmentId: w.id("shp", id), OrderId: id, ReleaseId: r1}
	proof := &sv.ProofOfDeliveryRecorded{ShipmentId: w.id("shp", id), OrderId: id, ReleaseId: r1}
	for line, n := range all {
		shipment.Lines = append(shipment.Lines, &sv.ShipmentLine{LineNumber: int32(line), Quantity: ea(quantity.Int(int64(n)))})
		if line == 3 {
			n = 1 // the consignee signed for one piece less
		}
		proof.Lines = append(proof.Lines, &sv.ShipmentLine{LineNumber: int32(line), Quantity: ea(quantity.Int(int64(n)))})
	}
	w.shipments.publish(t, w.Tenant, w.id("shp", id), shipment, proof)
	o := w.until(t, id, "delivered", func(o *or.Order) bool { return o.GetLines()[2].GetQuantities().GetDelivered() == "1" })
	for i, l := range o.GetLines() {
		if q := l.GetQuantities(); q.GetOpen() != "0" || q.GetIssued() != q.GetOrdered() || i < 2 && q.GetDelivered() != q.GetOrdered() {
			t.Errorf("line %d: %v", i+1, q)
		}
	}
	closed, err := w.orders.CloseOrder(t.Context(), &or.CloseOrderRequest{OrderId: id})
	if err != nil || closed.GetReceipt().GetState() != "CLOSED" {
		t.Fatal(closed, err)
	}
	want := []string{
		"OrderReceived OrderValidated PromiseRequested",
		"LinesPromised OrderReleased",
		"ReleaseAllocated",
		"ReleaseAcknowledged",
		"LinesPicked",
		"LinesIssued OrderFulfilled",
		"LinesDelivered",
		"LinesDelivered", // the correction of the proof
		"OrderClosed",
	}
	if got := w.history(t, id); !slices.Equal(got, want) {
		t.Errorf("commits %q", got)
	}
}

// shortPick: what is missing goes back as a child release, and goes out when stock arrives.
func shortPick(t *testing.T, w *world) {
	sku := w.stocked(t, 10)[0]
	id := w.submit(t, order(t, lineOf(1, sku, 10)))
	w.state(t, id, or.OrderState_ORDER_STATE_RELEASED)
	w.inventory.pick(t, w.Tenant, id+"-R1", map[int]int{1: 7})
	w.inventory.short(t, w.Tenant, id+"-R1", map[int]int{1: 3})
	w.releases(t, id, "R1 IN_EXECUTION 1:10, R2 BACKORDERED of R1 1:3")
	w.inventory.issue(t, w.Tenant, id+"-R1")
	w.releases(t, id, "R1 FULFILLED 1:10, R2 BACKORDERED of R1 1:3")
	w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", sku), 2)
	w.releases(t, id, "R1 FULFILLED 1:10, R2 RELEASED of R1 1:2, R3 BACKORDERED of R2 1:1")
	w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", sku), 5)
	w.releases(t, id, "R1 FULFILLED 1:10, R2 RELEASED of R1 1:2, R3 RELEASED of R2 1:1")
	for _, r := range []struct {
		id string
		n  int
	}{{"-R2", 2}, {"-R3", 1}} {
		w.inventory.pick(t, w.Tenant, id+r.id, map[int]int{1: r.n})
		w.inventory.issue(t, w.Tenant, id+r.id)
	}
	o := w.state(t, id, or.OrderState_ORDER_STATE_FULFILLED)
	if q := o.GetLines()[0].GetQuantities(); q.GetIssued() != "10" || q.GetShort() != "3" || q.GetOpen() != "0" {
		t.Errorf("%v", q)
	}
	w.free(t, sku, "4")
}

// free waits until an item's stock at DC1 has so much left to promise: what was claimed in vain
// goes back after what it was claimed for is decided.
func (w *world) free(t *testing.T, sku, want string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		v, err := w.inventory.stocks.Get(command(t, w.Tenant), stockID(w.Tenant, "DC1", w.id("itm", sku)))
		if err != nil || v.State.free() != quantity.MustParse(want) {
			return fmt.Errorf("free of %s %v, %w; want %s", sku, v.State, err, want)
		}
		return nil
	})
}

// backorder: nothing is promised that is not there, and the earliest promised is served first.
func backorder(t *testing.T, w *world) {
	sku := w.stocked(t, 6)[0]
	first := order(t, lineOf(1, sku, 10))
	id := w.submit(t, first)
	w.releases(t, id, "R1 RELEASED 1:6, R2 BACKORDERED of R1 1:4")
	late, early := order(t, lineOf(1, sku, 3)), order(t, lineOf(1, sku, 2))
	early.PromisedTime = stamp(-1)
	lateID := w.submit(t, late)
	w.releases(t, lateID, "R1 BACKORDERED 1:3")
	earlyID := w.submit(t, early)
	o := w.releases(t, earlyID, "R1 BACKORDERED 1:2")
	if o.GetState() != or.OrderState_ORDER_STATE_BACKORDERED {
		t.Errorf("%v", o.GetState())
	}
	w.listed(t, late.GetOrderNumber())
	w.listed(t, early.GetOrderNumber())
	explained, err := w.orders.ExplainOrder(t.Context(), &or.ExplainOrderRequest{OrderId: earlyID})
	if err != nil || len(explained.GetReasons()) != 1 || explained.GetReasons()[0].GetCode() != "STOCK_SHORT" || explained.GetReasons()[0].GetField() != "lines.1" {
		t.Errorf("%v, %v", explained, err)
	}
	w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", sku), 5)
	w.releases(t, earlyID, "R1 RELEASED 1:2")
	w.releases(t, id, "R1 RELEASED 1:6, R2 RELEASED of R1 1:3, R3 BACKORDERED of R2 1:1")
	w.releases(t, lateID, "R1 BACKORDERED 1:3")
	w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", sku), 9)
	w.releases(t, id, "R1 RELEASED 1:6, R2 RELEASED of R1 1:3, R3 RELEASED of R2 1:1")
	w.releases(t, lateID, "R1 RELEASED 1:3")
	w.free(t, sku, "5")
}

// listed waits until an order is listed as waiting: from then on it keeps its turn.
func (w *world) listed(t *testing.T, number string) {
	t.Helper()
	testkit.Eventually(t, patience, func() bool {
		list, err := w.orders.ListOrders(t.Context(), &or.ListOrdersRequest{OrderNumber: number})
		return err == nil && len(list.GetOrders()) == 1 && list.GetOrders()[0].GetState() == or.OrderState_ORDER_STATE_BACKORDERED
	})
}

func cancelBeforePick(t *testing.T, w *world) {
	sku := w.stocked(t, 10)[0]
	id := w.submit(t, order(t, lineOf(1, sku, 10)))
	waits := order(t, lineOf(1, sku, 4))
	w.until(t, id, "allocated", func(o *or.Order) bool { return o.GetLines()[0].GetQuantities().GetAllocated() == "10" })
	waiting := w.submit(t, waits)
	w.releases(t, waiting, "R1 BACKORDERED 1:4")
	resp, err := w.orders.RequestCancel(t.Context(), &or.RequestCancelRequest{OrderId: id, Reason: "CUSTOMER_REQUEST"})
	if err != nil || resp.GetReceipt().GetState() != "CANCEL_REQUESTED" {
		t.Fatal(resp, err)
	}
	o := w.state(t, id, or.OrderState_ORDER_STATE_CANCELLED)
	if q := o.GetLines()[0].GetQuantities(); q.GetCancelled() != "10" || q.GetReleased() != "0" {
		t.Errorf("%v", q)
	}
	w.releases(t, waiting, "R1 RELEASED 1:4") // what became free serves those who wait
	w.free(t, sku, "6")
	if _, err := w.orders.CloseOrder(t.Context(), &or.CloseOrderRequest{OrderId: id}); err != nil {
		t.Error(err)
	}
}

func cancelAfterPick(t *testing.T, w *world) {
	sku := w.stocked(t, 10)[0]
	id := w.submit(t, order(t, lineOf(1, sku, 10)))
	w.state(t, id, or.OrderState_ORDER_STATE_RELEASED)
	w.inventory.pick(t, w.Tenant, id+"-R1", map[int]int{1: 4})
	w.state(t, id, or.OrderState_ORDER_STATE_IN_EXECUTION)
	if _, err := w.orders.RequestCancel(t.Context(), &or.RequestCancelRequest{OrderId: id, Reason: "CUSTOMER_REQUEST"}); err != nil {
		t.Fatal(err)
	}
	o := w.until(t, id, "refused", func(o *or.Order) bool { return o.GetReleases()[0].GetCancelRefusedReason() != "" })
	if o.GetState() != or.OrderState_ORDER_STATE_IN_EXECUTION || o.GetReleases()[0].GetCancelRefusedReason() != "PICKING_BEGUN" {
		t.Errorf("%v", o)
	}
	w.inventory.pick(t, w.Tenant, id+"-R1", map[int]int{1: 6})
	w.inventory.issue(t, w.Tenant, id+"-R1")
	w.state(t, id, or.OrderState_ORDER_STATE_FULFILLED)
}

// cancelWaiting gives claims and waiting quantities back at once.
func cancelWaiting(t *testing.T, w *world) {
	sku := w.stocked(t, 3)[0]
	doc := order(t, lineOf(1, sku, 5))
	doc.ReleaseMode = or.ReleaseMode_RELEASE_MODE_MANUAL
	id := w.submit(t, doc)
	w.promise(t, id)
	w.state(t, id, or.OrderState_ORDER_STATE_PROMISED)
	other := w.submit(t, order(t, lineOf(1, sku, 3)))
	w.releases(t, other, "R1 BACKORDERED 1:3")
	resp, err := w.orders.RequestCancel(t.Context(), &or.RequestCancelRequest{OrderId: id, Reason: "CUSTOMER_REQUEST"})
	if err != nil || resp.GetReceipt().GetState() != "CANCELLED" {
		t.Fatal(resp, err)
	}
	w.releases(t, other, "R1 RELEASED 1:3")
	_, err = w.orders.RequestCancel(t.Context(), &or.RequestCancelRequest{OrderId: id, Reason: "CUSTOMER_REQUEST"})
	reason(t, err, fault.Refused, "ORDER_STATE")
}

// complete: nothing goes before everything is there, and what is claimed in vain is given back.
func complete(t *testing.T, w *world) {
	skus := w.stocked(t, 5, 1)
	doc := order(t, lineOf(1, skus[0], 5), lineOf(2, skus[1], 2))
	doc.DeliveryRule = or.DeliveryRule_DELIVERY_RULE_COMPLETE
	id := w.submit(t, doc)
	w.releases(t, id, "R1 BACKORDERED 1:5 2:2")
	other := w.submit(t, order(t, lineOf(1, skus[0], 4))) // the claim in vain holds nothing
	w.releases(t, other, "R1 RELEASED 1:4")
	w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", skus[1]), 1)
	w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", skus[0]), 3)
	w.releases(t, id, "R1 BACKORDERED 1:5 2:2")
	w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", skus[0]), 1)
	w.releases(t, id, "R1 RELEASED 1:5 2:2")
	w.free(t, skus[0], "0")
	w.free(t, skus[1], "0")
}

func cancelRemainder(t *testing.T, w *world) {
	sku := w.stocked(t, 4)[0]
	doc := order(t, lineOf(1, sku, 5))
	doc.DeliveryRule = or.DeliveryRule_DELIVERY_RULE_CANCEL_REMAINDER
	id := w.submit(t, doc)
	w.releases(t, id, "R1 RELEASED 1:4")
	w.inventory.pick(t, w.Tenant, id+"-R1", map[int]int{1: 3})
	w.inventory.short(t, w.Tenant, id+"-R1", map[int]int{1: 1})
	w.inventory.issue(t, w.Tenant, id+"-R1")
	o := w.state(t, id, or.OrderState_ORDER_STATE_FULFILLED)
	if q := o.GetLines()[0].GetQuantities(); q.GetIssued() != "3" || q.GetCancelled() != "2" {
		t.Errorf("%v", q)
	}
}

// contradiction: a report that says more than was released is kept, and shown with the order.
func contradiction(t *testing.T, w *world) {
	sku := w.stocked(t, 20)[0]
	id := w.submit(t, order(t, lineOf(1, sku, 10)))
	w.state(t, id, or.OrderState_ORDER_STATE_RELEASED)
	w.inventory.pick(t, w.Tenant, id+"-R1", map[int]int{1: 12})
	o := w.until(t, id, "contradicted", func(o *or.Order) bool { return len(o.GetReasons()) > 0 })
	if r := o.GetReasons()[0]; r.GetCode() != "REPORT_CONTRADICTED" || r.GetField() != "lines.1" {
		t.Errorf("%v", r)
	}
	if q := o.GetLines()[0].GetQuantities(); q.GetPicked() != "10" || q.GetReleased() != "10" {
		t.Errorf("%v", q)
	}
	w.inventory.issue(t, w.Tenant, id+"-R1")
	w.state(t, id, or.OrderState_ORDER_STATE_FULFILLED)
	if list := w.history(t, id); !slices.Contains(list, "LinesPicked ReportContradicted") {
		t.Errorf("%q", list)
	}
}
