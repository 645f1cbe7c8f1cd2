package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// reverse asks to take back what is issued of a warehouse order, and waits for the answer.
func (p party) reverse(t *testing.T, who, what string) answer {
	t.Helper()
	return p.command(t, http.MethodPost, "/v1/warehouse-orders/"+who+":reverseGoodsIssue", testkit.Name("cmd"), `{"reason":"TRUCK_FULL","waitMs":5000`+what+`}`)
}

// stays wants it refused. What order and shipment say may take longer than a request waits: it is asked
// again then.
func (p party) stays(t *testing.T, what, who, want string) {
	t.Helper()
	var a answer
	testkit.Eventually(t, within, func() error {
		if a = p.reverse(t, who, ""); a.status == http.StatusOK || a.problem().Code == "REVERSAL_PENDING" {
			return fmt.Errorf("%s: %d %s", what, a.status, a.body)
		}
		return nil
	})
	refused(t, what, a, want)
}

// reversed takes it back.
func (p party) reversed(t *testing.T, who, what string) {
	t.Helper()
	if a := p.reverse(t, who, what); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	testkit.Eventually(t, within, func() error {
		got := &inventorymovementv1.GetWarehouseOrderResponse{}
		unmarshal(t, p.read(t, "/v1/warehouse-orders/"+who), got)
		if r := got.GetWarehouseOrder().GetReversal(); r.GetState() != inventorymovementv1.ReversalState_REVERSAL_STATE_DONE {
			return fmt.Errorf("%v", r)
		}
		return nil
	})
}

// shipmentOf waits for the shipment of a warehouse order to stand somewhere with so many units.
func (p party) shipmentOf(t *testing.T, order, who, state string, units int) *shipmentvisibilityv1.Shipment {
	t.Helper()
	var s *shipmentvisibilityv1.Shipment
	testkit.Eventually(t, within, func() error {
		list := &shipmentvisibilityv1.ListShipmentsResponse{}
		unmarshal(t, p.read(t, "/v1/shipments?order_id="+order), list)
		for _, one := range list.GetShipments() {
			if one.GetWarehouseOrderId() == who {
				got := &shipmentvisibilityv1.GetShipmentResponse{}
				unmarshal(t, p.read(t, "/v1/shipments/"+one.GetShipmentId()), got)
				s = got.GetShipment()
			}
		}
		if s.GetState().String() != "SHIPMENT_STATE_"+state || len(s.GetUnits()) != units {
			return fmt.Errorf("%s with %d units, want %s with %d", s.GetState(), len(s.GetUnits()), state, units)
		}
		return nil
	})
	return s
}

// returnable waits until so much of the first line of an order can be returned.
func (p party) returnable(t *testing.T, order, want string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		got := &returnsv1.GetReturnableItemsResponse{}
		answered := p.get(t, "/v1/orders/"+order+"/returnable-items")
		if answered.status != http.StatusOK { // it has not heard of the order yet
			return fmt.Errorf("%d", answered.status)
		}
		unmarshal(t, answered.body, got)
		if len(got.GetItems()) == 0 || got.GetItems()[0].GetAvailable() != want {
			return fmt.Errorf("%v, want %s", got.GetItems(), want)
		}
		return nil
	})
}

// goodsIssueReversed: an order of two cartons is issued and tendered, then one of them does not fit
// into the truck. It comes off the shipment and the order, cannot be returned, and leaves with the next
// goods issue. Then all of it is taken back and put back: the shipment is called off and its freight
// reversed, and the trace tells it all.
func goodsIssueReversed(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 10)
	id := receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", order("S18", 7))).GetId()
	who := p.releases(t, id, 1).GetReleases()[0].GetWarehouseOrderId()
	p.atWarehouse(t, who, "ALLOCATED")
	at := "/v1/warehouse-orders/" + who
	of := func(n int) string {
		return fmt.Sprintf(`"lines":[{"lineNumber":1,"quantity":{"value":"%d","unit":"EA"}}]`, n)
	}
	refused(t, "nothing is issued", p.reverse(t, who, ""), "409 GOODS_NOT_ISSUED")
	p.must(t, http.MethodPost, at+":confirmPicks", `{`+of(7)+`}`)
	first := receipt(t, "carton", p.must(t, http.MethodPost, at+":packCarton", `{`+of(4)+`,"grossWeightGrams":"8000"}`)).GetCreatedIds()[0]
	p.must(t, http.MethodPost, at+":packCarton", `{`+of(3)+`,"grossWeightGrams":"6000"}`)
	p.must(t, http.MethodPost, at+":postGoodsIssue", `{}`)
	p.state(t, id, "FULFILLED")
	p.returnable(t, id, "7")
	shipment := p.shipmentOf(t, id, who, "READY", 2)
	shp := "/v1/shipments/" + shipment.GetShipmentId()
	p.must(t, http.MethodPost, shp+":tender", fmt.Sprintf(`{"carrier":%q,"carrierService":%q,"respondBy":"2099-01-01T00:00:00Z"}`, lifecycle.Carrier, lifecycle.Service))
	p.must(t, http.MethodPost, shp+":respondTender", fmt.Sprintf(`{"carrier":%q,"accept":true}`, lifecycle.Carrier))
	p.freight(t, shipment.GetShipmentId(), "ESTIMATED")

	refused(t, "no carton of it", p.reverse(t, who, `,"ssccs":["340123450000000017"]`), "400 CARTON_UNKNOWN", "#/ssccs/0 CARTON_UNKNOWN")
	p.reversed(t, who, `,"ssccs":["`+first+`"]`)
	o := p.state(t, id, "IN_EXECUTION")
	if q := o.GetLines()[0].GetQuantities(); q.GetIssued() != "3" || q.GetReleased() != "7" || q.GetPicked() != "7" {
		t.Errorf("%v", q)
	}
	if w := p.atWarehouse(t, who, "PACKED"); w.GetLines()[0].GetIssued().GetValue() != "3" || len(w.GetIssuedSsccs()) != 1 {
		t.Errorf("%v", w)
	}
	if s := p.shipmentOf(t, id, who, "READY", 1); s.GetLines()[0].GetQuantity().GetValue() != "3" || s.GetGrossWeightGrams() != 6000 {
		t.Errorf("%v", s)
	}
	p.returnable(t, id, "3")
	refused(t, "reversed already", p.reverse(t, who, `,"ssccs":["`+first+`"]`), "409 GOODS_ISSUE_REVERSED", "#/ssccs/0 GOODS_ISSUE_REVERSED")
	p.must(t, http.MethodPost, at+":postGoodsIssue", `{}`)
	p.state(t, id, "FULFILLED")
	p.shipmentOf(t, id, who, "READY", 2)
	p.returnable(t, id, "7")

	p.reversed(t, who, "")
	p.state(t, id, "IN_EXECUTION")
	if s := p.shipmentOf(t, id, who, "ACCEPTED", 0); s.GetLines()[0].GetQuantity().GetValue() != "7" {
		t.Errorf("%v", s)
	}
	p.returnable(t, id, "0")
	p.must(t, http.MethodPost, "/v1/orders/"+id+":cancel", `{"reason":"CUSTOMER_REQUEST"}`)
	p.atWarehouse(t, who, "PUTTING_BACK")
	p.must(t, http.MethodPost, at+":confirmPutBack", `{"lines":[{"lineNumber":1,"quantity":{"value":"7","unit":"EA"},"location":"A-01"}]}`)
	p.release(t, id, 1, "CANCELLED_WITH_PUTBACK")
	p.state(t, id, "CANCELLED")
	p.stands(t, 0, "10 0 0 10")
	p.shipmentOf(t, id, who, "CANCELLED", 0)
	p.freight(t, shipment.GetShipmentId(), "REVERSED")
	testkit.Eventually(t, within, func() error {
		trace := p.read(t, "/v1/traces?key="+who)
		for _, told := range []string{"GoodsIssueReversed", "LinesIssueReversed", "ShipmentIssueReversed", "issue reversal"} {
			if !strings.Contains(trace, told) {
				return fmt.Errorf("the trace does not tell of %s", told)
			}
		}
		return nil
	})
}

// freight waits until the freight of a shipment stands somewhere.
func (p party) freight(t *testing.T, shipment, state string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		got := &freightsettlementv1.ListFreightsResponse{}
		unmarshal(t, p.read(t, "/v1/freights?reference="+shipment), got)
		if len(got.GetFreights()) != 1 || got.GetFreights()[0].GetState().String() != "FREIGHT_STATE_"+state {
			return fmt.Errorf("%v, want %s", got.GetFreights(), state)
		}
		return nil
	})
}

// reversalTooLate: what has left stays issued, and so does what a closed order got.
func reversalTooLate(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 10)
	ship := func(number string) (id, who string) {
		id = receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", order(number, 2))).GetId()
		r := p.releases(t, id, 1).GetReleases()[0]
		p.ship(t, r)
		p.state(t, id, "FULFILLED")
		return id, r.GetWarehouseOrderId()
	}
	id, who := ship("S18-2")
	s := p.shipmentOf(t, id, who, "READY", 1)
	p.must(t, http.MethodPost, "/v1/shipments/"+s.GetShipmentId()+":dispatch", fmt.Sprintf(`{"billOfLading":"BOL-S18","proNumber":"PRO-S18","carrier":%q}`, lifecycle.Carrier))
	p.stays(t, "dispatched", who, "409 SHIPMENT_DISPATCHED")
	p.state(t, id, "FULFILLED")
	p.eventually(t, http.MethodPost, "/v1/orders/"+id+":close", `{}`) // nothing is pending, once the order has heard of it

	id, who = ship("S18-3")
	p.must(t, http.MethodPost, "/v1/orders/"+id+":close", `{}`)
	p.stays(t, "closed", who, "409 ORDER_CLOSED")
	p.atWarehouse(t, who, "ISSUED")
	p.stands(t, 0, "6 0 0 6")
}
