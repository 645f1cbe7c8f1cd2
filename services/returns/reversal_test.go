package returns_test

import (
	"testing"

	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// issueReversed: what was taken back cannot be returned, unless it is issued again.
func issueReversed(t *testing.T, w *world) {
	order := w.shipped(t)
	back := func(n int) *orderreleasev1.LinesIssueReversed {
		return &orderreleasev1.LinesIssueReversed{OrderId: order, ReleaseId: order + "-R1", Lines: []*orderreleasev1.LineQuantity{{LineNumber: 10, Quantity: ea(n)}}}
	}
	w.orders.publish(t, w.Tenant, order, back(3))
	w.available(t, order, "2", "14")
	if r := w.request(t, ask(order, 10, 3, defective)); r.GetReasons()[0].GetCode() != "QUANTITY_EXCEEDS_ISSUED" {
		t.Errorf("%v", r)
	}
	w.orders.publish(t, w.Tenant, order, back(2))
	w.available(t, order, "0", "14")
	if r := w.request(t, ask(order, 10, 1, defective)); r.GetReasons()[0].GetCode() != "LINE_NOT_ISSUED" {
		t.Errorf("%v", r)
	}
	w.orders.publish(t, w.Tenant, order, issued(order, 1, map[int]int{10: 3}))
	w.available(t, order, "3", "14")
	w.request(t, ask(order, 10, 2, defective))
	w.orders.publish(t, w.Tenant, order, back(3)) // although a return holds two of them
	w.available(t, order, "0", "14")
}
