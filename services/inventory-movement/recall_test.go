package inventorymovement_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

func (w *world) putBack(t *testing.T, who, bin string, lines ...*im.WarehouseLineQuantity) (string, error) {
	t.Helper()
	for _, l := range lines {
		l.Location = bin
	}
	resp, err := w.wms.ConfirmPutBack(t.Context(), &im.ConfirmPutBackRequest{WarehouseOrderId: who, Lines: lines})
	return resp.GetReceipt().GetState(), err
}

func (w *world) hold(t *testing.T, m *orderreleasev1.OrderReleased) {
	t.Helper()
	w.orders.publish(t, w.Tenant, m.GetOrderId(), &orderreleasev1.StopRequested{
		OrderId: m.GetOrderId(), OrderNumber: m.GetOrderNumber(), ReleaseId: m.GetReleaseId(), ReleaseVersion: 1, Site: "DC1",
		Hold: orderreleasev1.HoldType_HOLD_TYPE_CREDIT,
	})
}

// putBackAfterPicking: one line packed, one picked in part, one untouched. The order is over when
// the last piece stands in a bin, not before; what a bad report says changes nothing.
func putBackAfterPicking(t *testing.T, w *world) {
	tea, pot := w.stocked(t, 10), w.stocked(t, 5)
	m, who := w.release(t, line{tea, 4, ""}, line{pot, 5, ""}, line{tea, 3, ""})
	w.state(t, who, "ALLOCATED")
	w.confirm(t, who, picked(1, 4), picked(2, 2))
	sscc := w.pack(t, who, picked(1, 4))
	pallet, err := w.wms.CreateHandlingUnit(t.Context(), &im.CreateHandlingUnitRequest{Site: "DC1", Level: 2})
	if err != nil {
		t.Fatal(err)
	}
	on := pallet.GetReceipt().GetCreatedIds()[0]
	if _, err := w.wms.BatchNestHandlingUnits(t.Context(), &im.BatchNestHandlingUnitsRequest{Sscc: on, ChildSsccs: []string{sscc}}); err != nil {
		t.Fatal(err)
	}
	w.cancel(t, m)
	w.state(t, who, "PUTTING_BACK")
	for name, try := range map[string]struct {
		bin  string
		line *im.WarehouseLineQuantity
		want string
	}{
		"nowhere":               {"", picked(1, 4), "PUT_BACK_LOCATION_REQUIRED"},
		"more than was picked":  {"B-1", picked(1, 5), "QUANTITY_EXCEEDED"},
		"of what was not":       {"B-1", picked(3, 1), "QUANTITY_EXCEEDED"},
		"of no line":            {"B-1", picked(9, 1), "LINE_UNKNOWN"},
		"in a place of the own": {"PACKING", picked(1, 1), "LOCATION_RESERVED"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.putBack(t, who, try.bin, try.line)
			reason(t, err, fault.Invalid, try.want)
		})
	}
	_, err = w.wms.PackCarton(t.Context(), &im.PackCartonRequest{WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(2, 2)}})
	reason(t, err, fault.Refused, "WAREHOUSE_ORDER_STATE")
	_, err = w.wms.PostGoodsIssue(t.Context(), &im.PostGoodsIssueRequest{WarehouseOrderId: who})
	reason(t, err, fault.Refused, "WAREHOUSE_ORDER_STATE")

	if state, err := w.putBack(t, who, "B-7", picked(1, 3), picked(2, 2)); err != nil || state != "PUTTING_BACK" {
		t.Fatal(state, err)
	}
	w.becomes(t, tea, "B-1 6/3, B-7 3, PACKING 1, SUPPLIER -10")
	_, err = w.wms.RefuseCancellation(t.Context(), &im.RefuseCancellationRequest{WarehouseOrderId: who, Reason: "LOADED"})
	reason(t, err, fault.Refused, "PUT_BACK_BEGUN")
	w.confirm(t, who, picked(3, 1)) // on its way when the cancellation came: it goes back too
	if state, err := w.putBack(t, who, "B-1", picked(1, 1), picked(3, 1)); err != nil || state != "CANCELLED" {
		t.Fatal(state, err)
	}
	o := w.state(t, who, "CANCELLED")
	if l := o.GetLines()[0]; l.GetPicked().GetValue() != "4" || l.GetPutBack().GetValue() != "4" || o.GetCartons()[0].GetSscc() != sscc {
		t.Errorf("%v", o)
	}
	w.becomes(t, tea, "B-1 7, B-7 3, SUPPLIER -10")
	w.becomes(t, pot, "B-1 3, B-7 2, SUPPLIER -5")
	for sku, all := range map[string]string{tea: "10", pot: "5"} {
		testkit.Eventually(t, patience, func() error {
			if atp, promised := w.atp(t, sku); atp != all || promised != "0" {
				return fmt.Errorf("ATP %s, promised %s", atp, promised)
			}
			return nil
		})
	}
	_, err = w.putBack(t, who, "B-1", picked(1, 1))
	reason(t, err, fault.Refused, "WAREHOUSE_ORDER_STATE")
	testkit.Eventually(t, patience, func() error { // the carton is void, and on no pallet any more
		tree, err := w.wms.GetHandlingUnit(t.Context(), &im.GetHandlingUnitRequest{Sscc: on})
		carton, gone := w.wms.GetHandlingUnit(t.Context(), &im.GetHandlingUnitRequest{Sscc: sscc})
		if err != nil || gone != nil || len(tree.GetDescendants()) > 0 || carton.GetHandlingUnit().GetState() != im.HandlingUnitState_HANDLING_UNIT_STATE_VOID {
			return fmt.Errorf("%v, %v: %w", tree, carton, errors.Join(err, gone))
		}
		return nil
	})
	_, other := w.release(t, line{tea, 1, ""})
	w.state(t, other, "ALLOCATED")
	w.confirm(t, other, picked(1, 1))
	_, err = w.wms.PackCarton(t.Context(), &im.PackCartonRequest{WarehouseOrderId: other, Sscc: sscc, Lines: []*im.WarehouseLineQuantity{picked(1, 1)}})
	if !fault.IsKind(err, fault.Refused) {
		t.Errorf("the SSCC of a void carton is used again: %v", err)
	}
}

// cancellationRefused: the warehouse may go on while nothing is put back.
func cancellationRefused(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	m, who := w.release(t, line{sku, 8, ""})
	w.state(t, who, "ALLOCATED")
	w.confirm(t, who, picked(1, 1))
	w.cancel(t, m)
	w.state(t, who, "PUTTING_BACK")
	if _, err := w.wms.RefuseCancellation(t.Context(), &im.RefuseCancellationRequest{WarehouseOrderId: who, Reason: "LOADED"}); err != nil {
		t.Fatal(err)
	}
	w.state(t, who, "PICKING")
	w.becomes(t, sku, "B-1 9/7, PACKING 1, SUPPLIER -10")
	w.confirm(t, who, picked(1, 7))
	w.pack(t, who, picked(1, 8))
	w.issue(t, who)
	w.becomes(t, sku, "B-1 2, CUSTOMER 8, SUPPLIER -10")
	_, err := w.wms.RefuseCancellation(t.Context(), &im.RefuseCancellationRequest{WarehouseOrderId: who, Reason: "LOADED"})
	reason(t, err, fault.Refused, "WAREHOUSE_ORDER_STATE")
}

// cancelledTooLate: a goods issue is not taken back.
func cancelledTooLate(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	m, who := w.release(t, line{sku, 8, ""})
	w.state(t, who, "ALLOCATED")
	w.confirm(t, who, picked(1, 8))
	w.pack(t, who, picked(1, 8))
	w.issue(t, who)
	w.cancel(t, m)
	w.becomes(t, sku, "B-1 2, CUSTOMER 8, SUPPLIER -10")
	w.state(t, who, "ISSUED")
}

// stopped: what is allocated becomes a claim that nobody else can have, a later release uses it up.
func stopped(t *testing.T, w *world) {
	sku, other := w.stocked(t, 10), w.stocked(t, 3)
	w.reserve(t, false, w.claim("clm:s:1:x", sku, 8))
	m, who := w.release(t, line{sku, 6, "clm:s:1:x"}, line{other, 3, ""}, line{sku, 2, "clm:s:1:x"})
	w.state(t, who, "ALLOCATED")
	w.hold(t, m)
	if o := w.state(t, who, "CANCELLED"); !o.GetStopped() {
		t.Errorf("%v", o)
	}
	w.becomes(t, sku, "B-1 10, SUPPLIER -10")
	if atp, promised := w.atp(t, sku); atp != "2" || promised != "8" {
		t.Errorf("ATP %s, promised %s", atp, promised)
	}
	key := "clm:" + m.GetReleaseId() + ":v1:" + w.stockID(sku)
	again := w.released(line{sku, 8, key})
	w.orders.publish(t, w.Tenant, again.GetOrderId(), again)
	w.state(t, w.who(again), "ALLOCATED")
	w.becomes(t, sku, "B-1 10/8, SUPPLIER -10")
	if atp, promised := w.atp(t, sku); atp != "2" || promised != "0" {
		t.Errorf("ATP %s, promised %s", atp, promised)
	}
	early := w.released(line{other, 1, ""}) // stopped in the moment in which it comes
	w.orders.publish(t, w.Tenant, early.GetOrderId(), early)
	w.hold(t, early)
	w.state(t, w.who(early), "CANCELLED")
	testkit.Eventually(t, patience, func() error {
		if _, promised := w.atp(t, other); promised != "3" {
			return fmt.Errorf("%s are promised: what the first order had, and nothing was left for the second", promised)
		}
		return nil
	})
}

// stoppedTooLate: after the first pick the warehouse goes on, and says so.
func stoppedTooLate(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	m, who := w.release(t, line{sku, 8, ""})
	w.state(t, who, "ALLOCATED")
	w.confirm(t, who, picked(1, 1))
	w.hold(t, m)
	w.confirm(t, who, picked(1, 7))
	w.pack(t, who, picked(1, 8))
	w.issue(t, who)
	if o := w.state(t, who, "ISSUED"); o.GetStopped() || !slices.ContainsFunc(o.GetLines(), func(l *im.WarehouseOrderLine) bool { return l.GetPicked().GetValue() == "8" }) {
		t.Errorf("%v", o)
	}
	w.becomes(t, sku, "B-1 2, CUSTOMER 8, SUPPLIER -10")
}
