package inventorymovement_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	sv "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

func (w *world) reverse(t *testing.T, r *im.ReverseGoodsIssueRequest) (*im.ReverseGoodsIssueResponse, error) {
	t.Helper()
	if r.Reason == "" {
		r.Reason = "TRUCK_FULL"
	}
	return w.wms.ReverseGoodsIssue(t.Context(), r)
}

// answers are what order and shipment say to an attempt; a reason refuses it.
func (w *world) answers(t *testing.T, m *orderreleasev1.OrderReleased, who string, attempt int32, order, shipment string) {
	t.Helper()
	var facts [2]proto.Message
	facts[0] = &orderreleasev1.IssueReversalAllowed{OrderId: m.GetOrderId(), ReleaseId: m.GetReleaseId(), WarehouseOrderId: who, Attempt: attempt}
	if order != "" {
		facts[0] = &orderreleasev1.IssueReversalDenied{OrderId: m.GetOrderId(), ReleaseId: m.GetReleaseId(), WarehouseOrderId: who, Attempt: attempt, Reason: order}
	}
	id := w.id("shp", who)
	facts[1] = &sv.ShipmentReversalAllowed{ShipmentId: id, OrderId: m.GetOrderId(), WarehouseOrderId: who, Attempt: attempt}
	if shipment != "" {
		facts[1] = &sv.ShipmentReversalDenied{ShipmentId: id, OrderId: m.GetOrderId(), WarehouseOrderId: who, Attempt: attempt, Reason: shipment}
	}
	w.orders.publish(t, w.Tenant, m.GetOrderId(), facts[0])
	w.shipments.publish(t, w.Tenant, id, facts[1])
}

// issueReversed: what left of two lots is back in PACKING by lot, its carton and the pallet stand
// where they stood, and it leaves again, once more in the ledger; after a second reversal it is put back.
func issueReversed(t *testing.T, w *world) {
	sku := w.item(t)
	for _, of := range []struct {
		lot    string
		pieces int
	}{{"L1", 4}, {"L2", 6}} {
		if _, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{
			Site: "DC1", Sku: sku, Location: "B-1", Lot: of.lot, Quantity: ea(of.pieces),
		}}); err != nil {
			t.Fatal(err)
		}
	}
	m, who := w.release(t, line{sku, 8, ""})
	w.state(t, who, "ALLOCATED")
	_, err := w.reverse(t, &im.ReverseGoodsIssueRequest{WarehouseOrderId: who})
	reason(t, err, fault.Refused, "GOODS_NOT_ISSUED")
	one, two := picked(1, 4), picked(1, 4)
	one.Lot, two.Lot = "L1", "L2"
	w.confirm(t, who, one, two)
	sscc := w.pack(t, who, picked(1, 8))
	pallet, err := w.wms.CreateHandlingUnit(t.Context(), &im.CreateHandlingUnitRequest{Site: "DC1", Level: 2})
	if err != nil {
		t.Fatal(err)
	}
	on := pallet.GetReceipt().GetCreatedIds()[0]
	if _, err := w.wms.BatchNestHandlingUnits(t.Context(), &im.BatchNestHandlingUnitsRequest{Sscc: on, ChildSsccs: []string{sscc}}); err != nil {
		t.Fatal(err)
	}
	w.issue(t, who)
	w.becomes(t, sku, "B-1 lot L2 2, CUSTOMER 8, SUPPLIER -10")
	w.units(t, "ISSUED", sscc, on)

	key := testkit.Name("reverse")
	req := &im.ReverseGoodsIssueRequest{WarehouseOrderId: who, Reason: "TRUCK_FULL"}
	first, err := w.wms.ReverseGoodsIssue(hosttest.WithKey(t.Context(), key), req)
	if err != nil || first.GetReceipt().GetState() != "ISSUED" || first.GetReversal().GetState() != im.ReversalState_REVERSAL_STATE_REQUESTED {
		t.Fatal(first, err)
	}
	_, err = w.reverse(t, &im.ReverseGoodsIssueRequest{WarehouseOrderId: who})
	reason(t, err, fault.Refused, "REVERSAL_PENDING")
	w.answers(t, m, who, 1, "", "")
	o := w.state(t, who, "PACKED")
	if l := o.GetLines()[0]; l.GetIssued().GetValue() != "0" || l.GetPacked().GetValue() != "8" || len(o.GetIssuedSsccs()) != 0 {
		t.Errorf("%v", o)
	}
	w.becomes(t, sku, "B-1 lot L2 2, PACKING lot L1 4, PACKING lot L2 4, SUPPLIER -10")
	w.units(t, "CLOSED", sscc)
	w.units(t, "OPEN", on)
	again, err := w.wms.ReverseGoodsIssue(hosttest.WithKey(t.Context(), key), req) // the same request
	if err != nil || again.GetReceipt().GetEtag() != first.GetReceipt().GetEtag() || again.GetReceipt().GetValues()["attempt"] != "1" {
		t.Error(again, err)
	}
	_, err = w.reverse(t, &im.ReverseGoodsIssueRequest{WarehouseOrderId: who, Ssccs: []string{sscc}})
	reason(t, err, fault.Refused, "GOODS_ISSUE_REVERSED")

	w.issue(t, who)
	w.becomes(t, sku, "B-1 lot L2 2, CUSTOMER 8, SUPPLIER -10")
	w.units(t, "ISSUED", sscc, on)
	if _, err := w.reverse(t, &im.ReverseGoodsIssueRequest{WarehouseOrderId: who, LineNumbers: []int32{1}}); err != nil {
		t.Fatal(err)
	}
	w.answers(t, m, who, 2, "", "")
	w.state(t, who, "PACKED")
	w.becomes(t, sku, "B-1 lot L2 2, PACKING lot L1 4, PACKING lot L2 4, SUPPLIER -10")
	w.ledger(t, sku, who, "ISSUE_REVERSAL", 4) // two lots, twice: each takes back one movement
	w.cancel(t, m)
	w.state(t, who, "PUTTING_BACK")
	if state, err := w.putBack(t, who, "B-1", picked(1, 8)); err != nil || state != "CANCELLED" {
		t.Fatal(state, err)
	}
	w.becomes(t, sku, "B-1 lot L1 4, B-1 lot L2 6, SUPPLIER -10")
	w.units(t, "VOID", sscc)
}

// ledger waits until the ledger of an item has so many movements of a kind for a warehouse order.
func (w *world) ledger(t *testing.T, sku, who, kind string, want int) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		got, err := w.wms.ListMovements(t.Context(), &im.ListMovementsRequest{StockId: w.stockID(sku)})
		n := 0
		for _, c := range got.GetMovements() {
			for _, f := range c.GetFacts() {
				if strings.HasPrefix(f, kind) && strings.Contains(f, who) {
					n++
				}
			}
		}
		if err != nil || n != want {
			return fmt.Errorf("%d movements: %v, %w", n, got, err)
		}
		return nil
	})
}

// units waits until handling units stand so.
func (w *world) units(t *testing.T, want string, ssccs ...string) {
	t.Helper()
	for _, sscc := range ssccs {
		testkit.Eventually(t, patience, func() error {
			got, err := w.wms.GetHandlingUnit(t.Context(), &im.GetHandlingUnitRequest{Sscc: sscc})
			if s := got.GetHandlingUnit().GetState().String(); err != nil || s != "HANDLING_UNIT_STATE_"+want {
				return fmt.Errorf("%s is %s, not %s (%w)", sscc, s, want, err)
			}
			return nil
		})
	}
}

// issueReversedInPart: one of two cartons is taken back. It is put back, and the order is issued
// without it; the other one can be taken back then, too.
func issueReversedInPart(t *testing.T, w *world) {
	tea, pot := w.stocked(t, 10), w.stocked(t, 5)
	m, who := w.release(t, line{tea, 4, ""}, line{pot, 5, ""})
	w.state(t, who, "ALLOCATED")
	w.confirm(t, who, picked(1, 4), picked(2, 5))
	one, mixed := w.pack(t, who, picked(1, 3)), w.pack(t, who, picked(1, 1), picked(2, 5))
	w.issue(t, who)
	for name, try := range map[string]struct {
		r    *im.ReverseGoodsIssueRequest
		kind fault.Kind
		want string
	}{
		"an unknown carton":           {&im.ReverseGoodsIssueRequest{Ssccs: []string{"340123450000000017"}}, fault.Invalid, "CARTON_UNKNOWN"},
		"no line of ours":             {&im.ReverseGoodsIssueRequest{LineNumbers: []int32{9}}, fault.Invalid, "LINE_UNKNOWN"},
		"a line that shares a carton": {&im.ReverseGoodsIssueRequest{LineNumbers: []int32{2}}, fault.Refused, "CARTON_SHARED"},
		"before the goods issue":      {&im.ReverseGoodsIssueRequest{Source: source(time.Now().Add(-time.Hour))}, fault.Invalid, "EVENT_TIME_BEFORE_ISSUE"},
	} {
		try.r.WarehouseOrderId = who
		_, err := w.reverse(t, try.r)
		if f, ok := fault.As(err); !ok || f.Kind != try.kind || f.Reason != try.want {
			t.Errorf("%s: %v, want %s", name, err, try.want)
		}
	}
	if o := w.state(t, who, "ISSUED"); o.GetReversal() != nil || len(o.GetIssuedSsccs()) != 2 {
		t.Errorf("what was refused left a trace: %v", o)
	}
	if _, err := w.reverse(t, &im.ReverseGoodsIssueRequest{WarehouseOrderId: who, Ssccs: []string{mixed}}); err != nil {
		t.Fatal(err)
	}
	w.answers(t, m, who, 1, "", "")
	w.state(t, who, "PACKED")
	w.becomes(t, tea, "B-1 6, CUSTOMER 3, PACKING 1, SUPPLIER -10")
	w.becomes(t, pot, "PACKING 5, SUPPLIER -5")
	w.cancel(t, m)
	w.state(t, who, "PUTTING_BACK")
	if state, err := w.putBack(t, who, "B-7", picked(1, 1), picked(2, 5)); err != nil || state != "ISSUED" {
		t.Fatal(state, err)
	}
	w.units(t, "VOID", mixed)
	w.units(t, "ISSUED", one)
	w.becomes(t, tea, "B-1 6, B-7 1, CUSTOMER 3, SUPPLIER -10")
	if _, err := w.reverse(t, &im.ReverseGoodsIssueRequest{WarehouseOrderId: who}); err != nil {
		t.Fatal(err)
	}
	w.answers(t, m, who, 2, "", "")
	w.state(t, who, "PACKED")
	w.becomes(t, tea, "B-1 6, B-7 1, PACKING 3, SUPPLIER -10")
	w.issue(t, who)
	w.becomes(t, tea, "B-1 6, B-7 1, CUSTOMER 3, SUPPLIER -10")
}

func source(at time.Time) *commonv1.SourceRef {
	return &commonv1.SourceRef{System: "wms", MessageId: testkit.Name("m"), EventTime: timestamppb.New(at)}
}

// reversalsRefused: the order or the shipment says no, in whatever order they answer, and the goods
// issue stays; whoever waits for it is refused with the reason, also when the same is asked again.
func reversalsRefused(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	m, who := w.release(t, line{sku, 8, ""})
	w.state(t, who, "ALLOCATED")
	w.confirm(t, who, picked(1, 8))
	w.pack(t, who, picked(1, 8))
	w.issue(t, who)
	for i, try := range []struct{ order, shipment, want string }{
		{"ORDER_CLOSED", "", "ORDER_CLOSED"}, {"", "SHIPMENT_DISPATCHED", "SHIPMENT_DISPATCHED"},
	} {
		ctx := hosttest.WithKey(t.Context(), testkit.Name("reverse"))
		req := &im.ReverseGoodsIssueRequest{WarehouseOrderId: who, Reason: "TRUCK_FULL", WaitMs: 5000}
		failed := make(chan error, 1)
		go func() {
			_, err := w.wms.ReverseGoodsIssue(ctx, req)
			failed <- err
		}()
		testkit.Eventually(t, patience, func() error {
			if o := w.state(t, who, "ISSUED"); o.GetReversal().GetAttempt() != int32(i+1) {
				return errors.New("not asked yet")
			}
			return nil
		})
		w.answers(t, m, who, int32(i+1), try.order, try.shipment)
		first := <-failed
		testkit.Eventually(t, patience, func() error {
			if r := w.state(t, who, "ISSUED").GetReversal(); r.GetRefusedReason() != try.want {
				return fmt.Errorf("%v", r)
			}
			return nil
		})
		if first == nil { // on a loaded machine the wait was too short
			continue
		}
		reason(t, first, fault.Refused, try.want)
		_, err := w.wms.ReverseGoodsIssue(ctx, req)
		reason(t, err, fault.Refused, try.want)
	}
	w.answers(t, m, who, 2, "", "") // too late
	if _, err := w.reverse(t, &im.ReverseGoodsIssueRequest{WarehouseOrderId: who}); err != nil {
		t.Fatal(err)
	}
	w.answers(t, m, who, 1, "", "") // of another attempt
	w.answers(t, m, who, 3, "", "")
	w.state(t, who, "PACKED")
	w.becomes(t, sku, "B-1 2, PACKING 8, SUPPLIER -10")
}
