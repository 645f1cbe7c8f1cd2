package orderrelease_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// stamp is a time some days from a fixed one.
func stamp(days int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 3, 2+days, 8, 0, 0, 0, time.UTC))
}

// hold: an order on hold is promised and not released; who drives orders may place a credit hold,
// and finance alone lifts it.
func hold(t *testing.T, w *world) {
	sku := w.stocked(t, 3)[0]
	doc := order(t, lineOf(1, sku, 3))
	doc.ReleaseMode = or.ReleaseMode_RELEASE_MODE_MANUAL
	id := w.submit(t, doc)
	finance := w.as(commonv1.Role_ROLE_FINANCE)
	place := &or.PlaceHoldRequest{OrderId: id, Type: or.HoldType_HOLD_TYPE_CREDIT, Note: "over the limit"}
	resp, err := finance.PlaceHold(t.Context(), place)
	if err != nil || resp.GetReceipt().GetValues()["holds"] != "CREDIT" {
		t.Fatal(resp, err)
	}
	_, err = finance.PlaceHold(t.Context(), &or.PlaceHoldRequest{OrderId: id, Type: or.HoldType_HOLD_TYPE_EXPORT})
	reason(t, err, fault.Denied, "HOLD_NOT_ALLOWED")
	_, err = finance.PlaceHold(t.Context(), place)
	reason(t, err, fault.Refused, "HOLD_OPEN")
	if p := w.promise(t, id); p.GetState() != or.PromiseState_PROMISE_STATE_PROMISED {
		t.Fatal(p)
	}
	_, err = w.orders.ReleaseOrder(t.Context(), &or.ReleaseOrderRequest{OrderId: id})
	if about := reason(t, err, fault.Refused, "ORDER_ON_HOLD"); about["holds"] != "CREDIT" {
		t.Errorf("%v", about)
	}
	explained, err := w.orders.ExplainOrder(t.Context(), &or.ExplainOrderRequest{OrderId: id})
	if err != nil || explained.GetReleasable() || explained.GetReasons()[0].GetCode() != "ORDER_ON_HOLD" {
		t.Errorf("%v, %v", explained, err)
	}
	lift := &or.LiftHoldRequest{OrderId: id, Type: or.HoldType_HOLD_TYPE_CREDIT}
	for _, role := range []commonv1.Role{commonv1.Role_ROLE_LOGISTICS, commonv1.Role_ROLE_CUSTOMER_SERVICE} {
		_, err := w.as(role).LiftHold(t.Context(), lift)
		reason(t, err, fault.Denied, "HOLD_NOT_ALLOWED")
	}
	if _, err := finance.LiftHold(t.Context(), lift); err != nil {
		t.Fatal(err)
	}
	released, err := w.orders.ReleaseOrder(t.Context(), &or.ReleaseOrderRequest{OrderId: id})
	if err != nil || len(released.GetReceipt().GetCreatedIds()) != 1 || released.GetReceipt().GetCreatedIds()[0] != id+"-R1" {
		t.Fatal(released, err)
	}
	heldWhileWaiting(t, w)
}

// heldWhileWaiting: what is claimed for an order on hold goes out by itself when the hold ends.
func heldWhileWaiting(t *testing.T, w *world) {
	sku := w.stocked(t, 0)[0]
	id := w.submit(t, order(t, lineOf(1, sku, 3)))
	w.releases(t, id, "R1 BACKORDERED 1:3")
	hold := &or.PlaceHoldRequest{OrderId: id, Type: or.HoldType_HOLD_TYPE_MANUAL}
	if _, err := w.orders.PlaceHold(t.Context(), hold); err != nil {
		t.Fatal(err)
	}
	w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", sku), 3)
	w.until(t, id, "claimed", func(o *or.Order) bool { return o.GetReleases()[0].GetLines()[0].GetPromised() == "3" })
	lifted, err := w.orders.LiftHold(t.Context(), &or.LiftHoldRequest{OrderId: id, Type: or.HoldType_HOLD_TYPE_MANUAL})
	if err != nil || len(lifted.GetReceipt().GetCreatedIds()) != 1 {
		t.Fatal(lifted, err)
	}
	w.releases(t, id, "R1 RELEASED 1:3")
}

// manual: each step waits for somebody, and each says what it lacks.
func manual(t *testing.T, w *world) {
	sku := w.stocked(t, 4)[0]
	doc := order(t, lineOf(1, sku, 6))
	doc.ReleaseMode = or.ReleaseMode_RELEASE_MODE_MANUAL
	id := w.submit(t, doc)
	release := &or.ReleaseOrderRequest{OrderId: id}
	_, err := w.orders.ReleaseOrder(t.Context(), release)
	reason(t, err, fault.Refused, "NOTHING_PROMISED")
	w.inventory.fails(w.id("itm", sku), "down")
	open, err := w.orders.PromiseLines(t.Context(), &or.PromiseLinesRequest{OrderId: id})
	if err != nil || open.GetReceipt().GetState() != "PROMISING" || open.GetReceipt().GetValues()["attempt"] != "1" ||
		open.GetPromise().GetState() != or.PromiseState_PROMISE_STATE_OPEN {
		t.Fatal(open, err)
	}
	_, err = w.orders.PromiseLines(t.Context(), &or.PromiseLinesRequest{OrderId: id})
	if about := reason(t, err, fault.Refused, "PROMISE_OPEN"); about["attempt"] != "1" {
		t.Errorf("%v", about)
	}
	_, err = w.orders.ReleaseOrder(t.Context(), release)
	reason(t, err, fault.Refused, "PROMISE_OPEN")
	w.inventory.fails(w.id("itm", sku), "")
	o := w.state(t, id, or.OrderState_ORDER_STATE_PROMISED)
	if l := o.GetPromise().GetLines()[0]; l.GetPromised() != "4" || l.GetRequested() != "6" {
		t.Fatal(o.GetPromise())
	}
	if _, err := w.orders.ReleaseOrder(t.Context(), release); err != nil {
		t.Fatal(err)
	}
	w.releases(t, id, "R1 RELEASED 1:4, R2 BACKORDERED of R1 1:2")
	w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", sku), 2)
	w.until(t, id, "claimed", func(o *or.Order) bool { return o.GetReleases()[1].GetLines()[0].GetPromised() == "2" })
	if _, err := w.orders.ReleaseRemainder(t.Context(), &or.ReleaseRemainderRequest{OrderId: id}); err != nil {
		t.Fatal(err)
	}
	w.releases(t, id, "R1 RELEASED 1:4, R2 RELEASED of R1 1:2")
	_, err = w.orders.PromiseLines(t.Context(), &or.PromiseLinesRequest{OrderId: id})
	reason(t, err, fault.Refused, "NOTHING_TO_PROMISE")
	w.free(t, sku, "0")
}

// hangByHand: nobody drives a manual order's next attempt: it is given up and says so.
func hangByHand(t *testing.T, w *world) {
	sku := w.stocked(t, 4)[0]
	doc := order(t, lineOf(1, sku, 6))
	doc.ReleaseMode = or.ReleaseMode_RELEASE_MODE_MANUAL
	id := w.submit(t, doc)
	w.inventory.fails(w.id("itm", sku), "down")
	if p := w.promise(t, id); p.GetState() != or.PromiseState_PROMISE_STATE_CLOSED || p.GetAttempt() != 1 {
		t.Fatal(p)
	}
	explained, err := w.orders.ExplainOrder(t.Context(), &or.ExplainOrderRequest{OrderId: id})
	if err != nil || explained.GetReasons()[0].GetCode() != "PROMISE_TIMED_OUT" {
		t.Errorf("%v, %v", explained, err)
	}
	w.inventory.fails(w.id("itm", sku), "")
	for {
		w.free(t, sku, "4") // also when a loaded machine has another attempt given up
		if p := w.promise(t, id); p.GetState() != or.PromiseState_PROMISE_STATE_CLOSED {
			if l := p.GetLines()[0]; l.GetPromised() != "4" || l.GetRequested() != "6" {
				t.Error(p)
			}
			return
		}
	}
}

func twoSites(t *testing.T, w *world) {
	skus := w.stocked(t, 5, 0)
	w.inventory.receive(t, w.Tenant, "DC2", w.id("itm", skus[1]), 5)
	far := lineOf(2, skus[1], 5)
	far.Site = "DC2"
	id := w.submit(t, order(t, lineOf(1, skus[0], 5), far))
	o := w.releases(t, id, "R1 RELEASED 1:5, R2 RELEASED 2:5")
	if o.GetReleases()[0].GetSite() != "DC1" || o.GetReleases()[1].GetSite() != "DC2" {
		t.Errorf("%v", o.GetReleases())
	}
}

// hang: an attempt without an answer is given up, its claims are closed, and the next one
// starts by itself until stock answers; nothing is claimed twice.
func hang(t *testing.T, w *world) {
	skus := w.stocked(t, 20, 20) // enough also for attempts of which the claims have not gone back yet
	w.inventory.fails(w.id("itm", skus[1]), "down")
	id := w.submit(t, order(t, lineOf(1, skus[0], 6), lineOf(2, skus[1], 6)))
	w.until(t, id, "in its second attempt", func(o *or.Order) bool { return o.GetPromise().GetAttempt() >= 2 })
	w.inventory.fails(w.id("itm", skus[1]), "")
	w.releases(t, id, "R1 RELEASED 1:6 2:6")
	w.until(t, id, "allocated", func(o *or.Order) bool {
		return o.GetLines()[0].GetQuantities().GetAllocated() == "6" && o.GetLines()[1].GetQuantities().GetAllocated() == "6"
	})
	for _, sku := range skus { // the claims of the attempts that were given up go back
		w.free(t, sku, "14")
	}
}

// transientRefusal: a stock that refuses for a reason that passes is asked again.
func transientRefusal(t *testing.T, w *world) {
	sku := w.stocked(t, 3)[0]
	w.inventory.fails(w.id("itm", sku), "STOCK_FULL")
	id := w.submit(t, order(t, lineOf(1, sku, 3)))
	w.state(t, id, or.OrderState_ORDER_STATE_PROMISING)
	w.inventory.fails(w.id("itm", sku), "")
	w.releases(t, id, "R1 RELEASED 1:3")
}
