package orderrelease_test

import (
	"fmt"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// finalChannel: a release that went by the channel is final once the warehouse has acknowledged it.
func finalChannel(t *testing.T, w *world) {
	sku := w.stocked(t, 10)[0]
	code := testkit.Name("FINAL")
	c := &or.ReleaseChannel{
		Site: "DC1", Condition: fmt.Sprintf("order.purchase_order == '%s'", code), TimeZone: "Europe/Berlin", FreezePoint: or.FreezePoint_FREEZE_POINT_ACKNOWLEDGED,
	}
	if _, err := w.orders.PutReleaseChannel(t.Context(), &or.PutReleaseChannelRequest{Code: code, Channel: c}); err != nil {
		t.Fatal(err)
	}
	id := w.submit(t, forRule(order(t, lineOf(1, sku, 3)), code))
	w.releases(t, id, "R1 RELEASED 1:3")
	amend := &or.AmendReleaseRequest{OrderId: id, ReleaseId: id + "-R1", Reason: "CUSTOMER_REQUEST", Lines: []*or.LineAmendment{{LineNumber: 1, Quantity: ea(quantity.Int(2))}}}
	amend.ValidateOnly = true
	if resp, err := w.orders.AmendRelease(t.Context(), amend); err != nil || resp.GetReceipt().GetValues()["amended_version"] != "2" {
		t.Fatal(resp, err)
	}
	w.inventory.acknowledge(t, w.Tenant, id+"-R1")
	w.state(t, id, or.OrderState_ORDER_STATE_ACKNOWLEDGED)
	amend.ValidateOnly = false
	_, err := w.orders.AmendRelease(t.Context(), amend)
	if about := reason(t, err, fault.Refused, "AMENDMENT_FROZEN"); about["freeze_point"] != "ACKNOWLEDGED" {
		t.Errorf("%v", about)
	}
}
