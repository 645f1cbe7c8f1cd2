package shipmentvisibility_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	sv "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// foreignWords: what the WMS says of a departure is kept and published, and moves nothing; a tender by it is
// refused. The TMS's word counts, and the other one agrees then.
func foreignWords(t *testing.T, w *world) {
	const name = "foreign words"
	id := w.planned(t, name)
	w.happens(t, name, w.issued(name))
	w.becomes(t, name, ready)
	src := &commonv1.SourceRef{System: "wms", MessageId: "M-1", EventTime: at(15)}
	left := &sv.DispatchShipmentRequest{ShipmentId: id, BillOfLading: "B-1", Carrier: "ACME", Source: src}
	for range 2 {
		resp, err := w.tms.DispatchShipment(t.Context(), left)
		done(t, resp.GetReceipt(), err, "READY", "TRANSITION_NOT_OWNED")
	}
	_, err := w.tms.TenderShipment(t.Context(), &sv.TenderShipmentRequest{ShipmentId: id, Carrier: "ACME", RespondBy: in(patience), Source: src})
	if f := refused(t, err, fault.Refused, "TRANSITION_NOT_OWNED"); f.Metadata["owner"] != "tms" || f.Metadata["rule"] != "REFUSE" {
		t.Errorf("%v", f.Metadata)
	}
	kept := func(s *sv.Shipment, contradicts bool) {
		t.Helper()
		o := s.GetObservations()
		if len(o) != 1 || o[0].GetCommand() != "DispatchShipment" || o[0].GetSystem() != "wms" || o[0].GetOwner() != "tms" || o[0].GetContradicts() != contradicts || o[0].GetSaid() == "" {
			t.Errorf("kept is %v", o)
		}
	}
	kept(w.becomes(t, name, ready), true)
	receipt, err := w.dispatch(t, &sv.DispatchShipmentRequest{ShipmentId: id, BillOfLading: "B-1", Carrier: "ACME"})
	done(t, receipt, err, "DISPATCHED")
	kept(w.becomes(t, name, sv.ShipmentState_SHIPMENT_STATE_DISPATCHED), false)
	n := 0
	_, facts := w.facts(t, name)
	for _, f := range facts {
		if _, ok := f.(*sv.ShipmentWordObserved); ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("it is published %d times", n)
	}
}

// planFollows: the shipment keeps the policy of its release, and its plan what amendments left, whatever is
// heard of first; one whose warehouse order tells no policy takes the service's.
func planFollows(t *testing.T, w *world) {
	amended := func(name string) proto.Message {
		return &im.WarehouseOrderAmended{Keys: w.keys(name), AmendedVersion: 2, Site: "DC1", Lines: []*im.AmendedWarehouseLine{
			{LineNumber: 1, Sku: "TEA", Quantity: ea("7"), TakenOff: "3", Open: "7"}, {LineNumber: 2, Sku: "POT", Quantity: ea("0"), TakenOff: "4", Open: "0"},
		}}
	}
	for policy, words := range map[im.ShippedPolicy]string{
		im.ShippedPolicy_SHIPPED_POLICY_UNSPECIFIED:              "goods issue and dispatch",
		im.ShippedPolicy_SHIPPED_POLICY_GOODS_ISSUE:              "goods issue",
		im.ShippedPolicy_SHIPPED_POLICY_DISPATCH:                 "dispatch",
		im.ShippedPolicy_SHIPPED_POLICY_GOODS_ISSUE_AND_DISPATCH: "goods issue and dispatch",
	} {
		name := fmt.Sprintf("amended %d", policy)
		created := w.created(name).(*im.WarehouseOrderCreated)
		created.ShippedPolicy = policy
		if policy%2 == 0 {
			w.happens(t, name, created, amended(name), amended(name))
		} else {
			w.happens(t, name, amended(name), created, amended(name))
		}
		testkit.Eventually(t, patience, func() error {
			s := w.becomes(t, name, sv.ShipmentState_SHIPMENT_STATE_PLANNED)
			if got := lines(s.GetLines()); got != "1:7 EA 0g" || s.GetShipped().GetExplanation() != "shipped: no, by policy "+words+"; goods issue no, dispatch no" {
				return fmt.Errorf("%s %v", got, s.GetShipped())
			}
			return nil
		})
	}
}
