package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// said is the source of a report about something that happened at a time.
func said(system, at string) string {
	return fmt.Sprintf(`"source":{"system":%q,"messageId":%q,"eventTime":%q}`, system, testkit.Name("m"), at)
}

// dispatch reports that the shipment of an order left on the morning after the goods issue.
func (p party) dispatch(t *testing.T, order string) {
	t.Helper()
	var id string
	testkit.Eventually(t, within, func() error {
		got := &shipmentvisibilityv1.ListShipmentsResponse{}
		if unmarshal(t, p.read(t, "/v1/shipments?order_id="+order), got); len(got.GetShipments()) != 1 {
			return fmt.Errorf("%d shipments of %s", len(got.GetShipments()), order)
		}
		id = got.GetShipments()[0].GetShipmentId()
		return nil
	})
	p.must(t, http.MethodPost, "/v1/shipments/"+id+":dispatch", fmt.Sprintf(
		`{"proNumber":"PRO-%s","carrier":%q,%s}`, order[len(order)-8:], lifecycle.Carrier, said("tms", "2026-03-03T09:00:00Z")))
}

// agrees says how a shipment of an order differs from a policy by which its release counts as shipped.
func (p party) agrees(t *testing.T, order, policy string) error {
	t.Helper()
	got := &shipmentvisibilityv1.ListShipmentsResponse{}
	unmarshal(t, p.read(t, "/v1/shipments?order_id="+order), got)
	if len(got.GetShipments()) == 0 {
		return fmt.Errorf("no shipment of %s", order)
	}
	for _, s := range got.GetShipments() {
		read := &shipmentvisibilityv1.GetShipmentResponse{}
		unmarshal(t, p.read(t, "/v1/shipments/"+s.GetShipmentId()), read)
		if v := read.GetShipment().GetShipped(); v.GetPolicy().String() != policy {
			return fmt.Errorf("the order's release counts by %s, its shipment says %q", policy, v.GetExplanation())
		}
	}
	return nil
}

// shipping waits until an order's read and its explanation say of its release what is wanted.
func (p party) shipping(t *testing.T, id, want string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		read, why := &orderreleasev1.GetOrderResponse{}, &orderreleasev1.ExplainOrderResponse{}
		unmarshal(t, p.read(t, "/v1/orders/"+id), read)
		unmarshal(t, p.read(t, "/v1/orders/"+id+":explain"), why)
		o := read.GetOrder()
		if err := p.agrees(t, id, o.GetReleases()[0].GetShipping().GetPolicy().String()); err != nil {
			return err
		}
		is := fmt.Sprintf("%s of 5: ", o.GetLines()[0].GetQuantities().GetShipped())
		for _, s := range why.GetShipping() {
			if s.GetStatus() != o.GetShippedStatus() || s.GetExplanation() != o.GetReleases()[0].GetShipping().GetExplanation() {
				return fmt.Errorf("the order says %v, its explanation %v", o.GetReleases()[0].GetShipping(), s)
			}
			is += s.GetExplanation()
			for _, at := range []*timestamppb.Timestamp{s.GetShippedTime(), s.GetGoodsIssueTime(), s.GetDispatchTime()} {
				if is += ", "; at != nil {
					is += at.AsTime().Format("02 15:04")
				}
			}
		}
		if is != want {
			return fmt.Errorf("%s\nwant %s", is, want)
		}
		return nil
	})
}

// shippedByPolicy: orders of three flows are issued, and leave the next morning. Each counts as shipped by
// the policy that held when it was released: the channel's, the tenant's, or the default; it is told once.
func shippedByPolicy(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 20)
	channel := func(policy string) {
		p.must(t, http.MethodPut, "/v1/release-channels/EXW", fmt.Sprintf(
			`{"channel":{"site":%q,"condition":"order.incoterm == 'EXW'","shippedPolicy":"SHIPPED_POLICY_%s"}}`, lifecycle.Site, policy))
	}
	submit := func(number, incoterm string) string {
		doc := strings.Replace(order(number, 5), `"soldTo"`, fmt.Sprintf(`"incoterm":%q,"soldTo"`, incoterm), 1)
		id := receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", doc)).GetId()
		p.release(t, id, 1, "RELEASED")
		return id
	}
	channel("GOODS_ISSUE")
	works, nobody := submit("S02-GI", "EXW"), submit("S02-BOTH", "DAP")
	channel("DISPATCH") // the release under way keeps its policy
	p.must(t, http.MethodPut, "/v1/ownership-policies/OBJECT_TYPE_RELEASE",
		`{"rules":[{"subject":"DispatchShipment","owner":"tms","conflictRule":"CONFLICT_RULE_OBSERVE"}]}`)
	var tenant string
	for n := 0; tenant == ""; n++ { // the copy of master data may trail: a release of a moment before is cancelled again
		id := submit(fmt.Sprintf("S02-TMS-%d", n), "DAP")
		if p.release(t, id, 1, "RELEASED").GetShipping().GetPolicySource() == orderreleasev1.ShippedPolicySource_SHIPPED_POLICY_SOURCE_TENANT {
			tenant = id
			continue
		}
		p.must(t, http.MethodPost, "/v1/orders/"+id+":cancel", `{"reason":"CUSTOMER_REQUEST"}`)
		p.state(t, id, "CANCELLED")
	}
	for _, c := range []struct{ id, issued, left string }{
		{works, "5 of 5: shipped: yes, by policy goods issue of channel EXW; goods issue yes, dispatch no, 02 17:00, 02 17:00, ", "5 of 5: shipped: yes, by policy goods issue of channel EXW; goods issue yes, dispatch yes, 02 17:00, 02 17:00, 03 09:00"},
		{nobody, "0 of 5: shipped: no, by policy goods issue and dispatch; goods issue yes, dispatch no, , 02 17:00, ", "5 of 5: shipped: yes, by policy goods issue and dispatch; goods issue yes, dispatch yes, 03 09:00, 02 17:00, 03 09:00"},
		{tenant, "0 of 5: shipped: no, by policy dispatch of the tenant; goods issue yes, dispatch no, , 02 17:00, ", "5 of 5: shipped: yes, by policy dispatch of the tenant; goods issue yes, dispatch yes, 03 09:00, 02 17:00, 03 09:00"},
	} {
		at := p.pack(t, p.releases(t, c.id, 1).GetReleases()[0])
		p.must(t, http.MethodPost, at+":postGoodsIssue", `{`+said("wms", "2026-03-02T17:00:00Z")+`}`)
		p.state(t, c.id, "FULFILLED")
		p.shipping(t, c.id, c.issued)
		p.dispatch(t, c.id)
		p.shipping(t, c.id, c.left)
		if n := strings.Count(p.read(t, "/v1/orders/"+c.id+"/history"), "orderrelease.v1.LinesShipped"); n != 1 {
			t.Errorf("%s is told to be shipped %d times", c.id, n)
		}
	}
	refused(t, "no such policy", p.command(t, http.MethodPut, "/v1/release-channels/ODD", testkit.Name("cmd"),
		fmt.Sprintf(`{"channel":{"site":%q,"shippedPolicy":9}}`, lifecycle.Site)), "400 VALIDATION_FAILED", "#/channel/shippedPolicy ENUM_DEFINED_ONLY")
}
