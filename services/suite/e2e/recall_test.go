package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// TestRecall: releases that are taken back from their warehouse, over the public API.
func TestRecall(t *testing.T) {
	onBothShapes(t, func(t *testing.T, f *fleet.Fleet) {
		for _, c := range []struct {
			name string
			test func(t *testing.T, f *fleet.Fleet)
		}{
			{"credit hold after release", holdAfterRelease},
			{"credit hold after the first pick", holdAfterPick},
			{"cancelled after picking", cancelledAfterPicking},
			{"amended", amended},
			{"goods issue reversed", goodsIssueReversed},
			{"goods issue reversed too late", reversalTooLate},
		} {
			t.Run(c.name, func(t *testing.T) { c.test(t, f) })
		}
	})
}

// release waits until a release of an order stands somewhere; the warehouse order's state too, if one is given.
func (p party) release(t *testing.T, id string, number int, state string) *orderreleasev1.Release {
	t.Helper()
	var r *orderreleasev1.Release
	testkit.Eventually(t, within, func() error {
		resp := &orderreleasev1.GetOrderResponse{}
		unmarshal(t, p.read(t, "/v1/orders/"+id), resp)
		if len(resp.GetOrder().GetReleases()) < number {
			return fmt.Errorf("%d releases", len(resp.GetOrder().GetReleases()))
		}
		if r = resp.GetOrder().GetReleases()[number-1]; r.GetState().String() != "RELEASE_STATE_"+state {
			return fmt.Errorf("release %d is %s, want %s", number, r.GetState(), state)
		}
		return nil
	})
	return r
}

// atWarehouse waits until a warehouse order stands somewhere.
func (p party) atWarehouse(t *testing.T, id, state string) *inventorymovementv1.WarehouseOrder {
	t.Helper()
	got := &inventorymovementv1.GetWarehouseOrderResponse{}
	testkit.Eventually(t, within, func() error {
		unmarshal(t, p.read(t, "/v1/warehouse-orders/"+id), got)
		if s := got.GetWarehouseOrder().GetState().String(); s != "WAREHOUSE_ORDER_STATE_"+state {
			return fmt.Errorf("%s is %s, want %s", id, s, state)
		}
		return nil
	})
	return got.GetWarehouseOrder()
}

// stands waits until an item has so much on hand, allocated, promised and free to promise.
func (p party) stands(t *testing.T, item int, want string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		got := &inventorymovementv1.GetAvailabilityResponse{}
		a := p.command(t, http.MethodPost, "/v1/stocks:getAvailability", "", fmt.Sprintf(`{"places":[{"site":%q,"sku":%q}]}`, lifecycle.Site, lifecycle.SKU(item)))
		unmarshal(t, a.body, got)
		s := got.GetAvailabilities()[0]
		is := strings.Join([]string{s.GetOnHand().GetValue(), s.GetAllocated().GetValue(), s.GetPromised().GetValue(), s.GetAvailableToPromise().GetValue()}, " ")
		if is != want {
			return fmt.Errorf("on hand, allocated, promised and free: %s, want %s", is, want)
		}
		return nil
	})
}

// holdAfterRelease: the ERP's credit hold comes after the release and before the pick. The warehouse
// stops, nobody else gets the stock, the shipment that was planned is cancelled, and with the hold's
// end the order goes out without re-entry.
func holdAfterRelease(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 10)
	id := receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", order("S12", 10))).GetId()
	p.release(t, id, 1, "RELEASED")
	p.stands(t, 0, "10 10 0 0")
	p.must(t, http.MethodPost, "/v1/orders/"+id+":placeHold", `{"type":"HOLD_TYPE_CREDIT","note":"limit"}`)
	p.release(t, id, 1, "WITHDRAWN")
	o := p.state(t, id, "PROMISED")
	if q := o.GetLines()[0].GetQuantities(); q.GetOpen() != "10" || q.GetPromised() != "10" || q.GetReleased() != "0" {
		t.Errorf("%v", q)
	}
	p.stands(t, 0, "10 0 10 0")
	late := receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", order("S12-2", 1))).GetId()
	p.state(t, late, "BACKORDERED")
	if first := p.release(t, id, 1, "WITHDRAWN"); !p.atWarehouse(t, first.GetWarehouseOrderId(), "CANCELLED").GetStopped() {
		t.Error("the warehouse order does not say that it was stopped")
	}
	testkit.Eventually(t, within, func() error {
		list := &shipmentvisibilityv1.ListShipmentsResponse{}
		unmarshal(t, p.read(t, "/v1/shipments?order_id="+id), list)
		for _, s := range list.GetShipments() {
			if s.GetState() != shipmentvisibilityv1.ShipmentState_SHIPMENT_STATE_CANCELLED {
				return fmt.Errorf("shipment %s is %s", s.GetShipmentId(), s.GetState())
			}
		}
		return nil
	})
	p.must(t, http.MethodPost, "/v1/orders/"+id+":liftHold", `{"type":"HOLD_TYPE_CREDIT","note":"paid"}`)
	o = p.state(t, id, "RELEASED")
	if n := len(o.GetReleases()); n != 2 {
		t.Fatalf("%d releases", n)
	}
	p.stands(t, 0, "10 10 0 0")
	o = p.releases(t, id, 2)
	p.ship(t, o.GetReleases()[1])
	p.deliver(t, id, o.GetReleases()[1], "PRO-S12")
	p.state(t, id, "FULFILLED")
	p.state(t, late, "BACKORDERED")
}

// holdAfterPick: the warehouse goes on, and the order says so; what is not released stays on hold.
func holdAfterPick(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 10)
	id := receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", order("S12-3", 10))).GetId()
	o := p.releases(t, id, 1)
	at := "/v1/warehouse-orders/" + o.GetReleases()[0].GetWarehouseOrderId()
	p.must(t, http.MethodPost, at+":confirmPicks", `{"lines":[{"lineNumber":1,"quantity":{"value":"1","unit":"EA"}}]}`)
	p.must(t, http.MethodPost, "/v1/orders/"+id+":placeHold", `{"type":"HOLD_TYPE_CREDIT","note":"limit"}`)
	testkit.Eventually(t, within, func() error {
		if r := p.release(t, id, 1, "IN_EXECUTION"); r.GetStopRefusedReason() != "PICKING_BEGUN" || r.GetStopRequested() {
			return fmt.Errorf("%v", r)
		}
		return nil
	})
	why := &orderreleasev1.ExplainOrderResponse{}
	unmarshal(t, p.read(t, "/v1/orders/"+id+":explain"), why)
	if len(why.GetReasons()) != 1 || !strings.Contains(why.GetReasons()[0].GetMessage(), "(PICKING_BEGUN)") {
		t.Errorf("%v", why)
	}
	p.stands(t, 0, "9 9 0 0")
}

// cancelledAfterPicking: two of three lines are packed. The order is cancelled when all of it
// stands in bins again, not before, and what was put back is free for others.
func cancelledAfterPicking(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 3, 10)
	id := receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", order("S08", 4, 5, 3))).GetId()
	who := p.releases(t, id, 1).GetReleases()[0].GetWarehouseOrderId()
	p.atWarehouse(t, who, "ALLOCATED")
	two := `"lines":[{"lineNumber":1,"quantity":{"value":"4","unit":"EA"}},{"lineNumber":2,"quantity":{"value":"5","unit":"EA"}}]`
	p.must(t, http.MethodPost, "/v1/warehouse-orders/"+who+":confirmPicks", `{`+two+`}`)
	p.must(t, http.MethodPost, "/v1/warehouse-orders/"+who+":packCarton", `{`+two+`,"grossWeightGrams":"5000"}`)
	p.must(t, http.MethodPost, "/v1/orders/"+id+":cancel", `{"reason":"CUSTOMER_REQUEST"}`)
	p.atWarehouse(t, who, "PUTTING_BACK")
	p.release(t, id, 1, "CANCEL_REQUESTED")
	p.state(t, id, "CANCEL_REQUESTED")
	back := func(line, pieces int) answer {
		return p.command(t, http.MethodPost, "/v1/warehouse-orders/"+who+":confirmPutBack", testkit.Name("cmd"),
			fmt.Sprintf(`{"lines":[{"lineNumber":%d,"quantity":{"value":"%d","unit":"EA"},"location":"A-01"}]}`, line, pieces))
	}
	refused(t, "more than was picked", back(1, 5), "400 QUANTITY_EXCEEDED", "#/lines/0/quantity QUANTITY_EXCEEDED")
	if r := receipt(t, "put back", back(1, 4)); r.GetState() != "PUTTING_BACK" {
		t.Errorf("%v", r)
	}
	p.stands(t, 0, "10 0 0 10")
	p.release(t, id, 1, "CANCEL_REQUESTED")
	if r := receipt(t, "put back", back(2, 5)); r.GetState() != "CANCELLED" {
		t.Errorf("%v", r)
	}
	r := p.release(t, id, 1, "CANCELLED_WITH_PUTBACK")
	if l := r.GetLines()[0]; l.GetPutBack() != "4" || l.GetCancelled() != "4" || l.GetPicked() != "0" {
		t.Errorf("%v", l)
	}
	p.state(t, id, "CANCELLED")
	for item := range 3 {
		p.stands(t, item, "10 0 0 10")
	}
}

// amended: two of three lines become less while one of them is picked; what is taken off is free for
// others, and the rest ships. What is picked, and what a channel has frozen, is not taken off.
func amended(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 3, 10)
	id := receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", order("S13", 4, 5, 3))).GetId()
	o := p.releases(t, id, 1)
	who := o.GetReleases()[0].GetWarehouseOrderId()
	p.atWarehouse(t, who, "ALLOCATED")
	p.must(t, http.MethodPost, "/v1/warehouse-orders/"+who+":confirmPicks", `{"lines":[{"lineNumber":1,"quantity":{"value":"2","unit":"EA"}}]}`)
	p.release(t, id, 1, "IN_EXECUTION")
	amend := func(lines string) answer {
		return p.command(t, http.MethodPost, "/v1/orders/"+id+":amendRelease", testkit.Name("cmd"),
			`{"releaseId":"`+id+`-R1","reason":"CUSTOMER_REQUEST","lines":[`+lines+`]}`)
	}
	line := func(number, pieces int) string {
		return fmt.Sprintf(`{"lineNumber":%d,"quantity":{"value":"%d","unit":"EA"}}`, number, pieces)
	}
	refused(t, "wrong at once", amend(line(1, 1)+","+line(2, 6)), "400 INVALID_REQUEST", "#/lines/0/quantity QUANTITY_PICKED", "#/lines/1/quantity QUANTITY_RAISED")
	if r := receipt(t, "amended", amend(line(1, 3)+","+line(2, 0))); r.GetValues()["amended_version"] != "2" {
		t.Errorf("%v", r)
	}
	testkit.Eventually(t, within, func() error {
		r := p.release(t, id, 1, "IN_EXECUTION")
		if r.GetReleaseVersion() != 2 || r.GetAmendment().GetState() != orderreleasev1.AmendmentState_AMENDMENT_STATE_ACCEPTED {
			return fmt.Errorf("%v", r)
		}
		if l := r.GetLines(); l[0].GetCancelled() != "1" || l[1].GetCancelled() != "5" || l[2].GetCancelled() != "0" {
			return fmt.Errorf("%v", l)
		}
		return nil
	})
	if w := p.atWarehouse(t, who, "PICKING"); w.GetAmendedVersion() != 2 || len(w.GetTasks()) != 2 || w.GetLines()[0].GetQuantity().GetValue() != "3" {
		t.Errorf("%v", w)
	}
	testkit.Eventually(t, within, func() error {
		lines := p.shipmentOf(t, id, who, "PLANNED", 0).GetLines()
		if len(lines) != 2 || lines[0].GetQuantity().GetValue() != "3" || lines[1].GetLineNumber() != 3 || lines[1].GetQuantity().GetValue() != "3" {
			return fmt.Errorf("the shipment is planned with %v", lines)
		}
		return nil
	})
	p.stands(t, 0, "8 1 0 7")
	p.stands(t, 1, "10 0 0 10")
	p.stands(t, 2, "10 3 0 7")
	rest := `"lines":[{"lineNumber":1,"quantity":{"value":"3","unit":"EA"}},{"lineNumber":3,"quantity":{"value":"3","unit":"EA"}}]`
	p.must(t, http.MethodPost, "/v1/warehouse-orders/"+who+":confirmPicks", `{"lines":[{"lineNumber":1,"quantity":{"value":"1","unit":"EA"}},{"lineNumber":3,"quantity":{"value":"3","unit":"EA"}}]}`)
	p.must(t, http.MethodPost, "/v1/warehouse-orders/"+who+":packCarton", `{`+rest+`,"grossWeightGrams":"5000"}`)
	p.must(t, http.MethodPost, "/v1/warehouse-orders/"+who+":postGoodsIssue", `{}`)
	p.state(t, id, "FULFILLED")
	p.stands(t, 0, "7 0 0 7")
	p.stands(t, 2, "7 0 0 7")
	refused(t, "after the goods issue", amend(line(1, 2)), "409 ORDER_STATE")
}
