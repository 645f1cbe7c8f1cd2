package orderrelease_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	sv "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// TestShipped: what counts as shipped, by the policy that each release went with.
func TestShipped(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"by channel": shippedByChannel,
		"by tenant":  shippedByTenant,
		"of nothing": shippedOfNothing,
	})
}

var (
	issuedAt = time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC)
	leftAt   = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
)

// issued posts the goods issue of one line of a release at five in the afternoon.
func (w *world) issued(t *testing.T, id string, n int) {
	w.inventory.pick(t, w.Tenant, id+"-R1", map[int]int{1: n})
	w.inventory.report(t, w.Tenant, id+"-R1", func(k task) []proto.Message {
		return []proto.Message{&im.GoodsIssued{Keys: k.keys(), Lines: w.inventory.lines(map[int]int{1: n}), IssuedTime: timestamppb.New(issuedAt)}}
	})
	w.until(t, id, "issued", func(o *or.Order) bool { return o.GetLines()[0].GetQuantities().GetIssued() == fmt.Sprint(n) })
}

// left reports that the shipment of a release left at nine the next morning.
func (w *world) left(t *testing.T, id string, n int) {
	shipment := ident.Derive("shp", w.Tenant, warehouseOrderID(w.Tenant, id+"-R1"))
	w.shipments.publish(t, w.Tenant, shipment, &sv.ShipmentDispatched{
		ShipmentId: shipment, OrderId: id, DispatchedTime: timestamppb.New(leftAt),
		Lines: []*sv.ShipmentLine{{LineNumber: 1, Quantity: ea(quantity.Int(int64(n)))}},
	})
	w.until(t, id, "dispatched", func(o *or.Order) bool { return o.GetLines()[0].GetQuantities().GetDispatched() == fmt.Sprint(n) })
}

// shipping says what every answer says of an order's first release: they are to agree.
func (w *world) shipping(t *testing.T, id string) string {
	t.Helper()
	o := w.get(t, id)
	why, err := w.orders.ExplainOrder(t.Context(), &or.ExplainOrderRequest{OrderId: id})
	if err != nil {
		t.Fatal(err)
	}
	s := o.GetReleases()[0].GetShipping()
	if len(why.GetShipping()) != 1 || !proto.Equal(why.GetShipping()[0], s) || why.GetShippedStatus() != o.GetShippedStatus() || s.GetStatus() != o.GetShippedStatus() {
		t.Errorf("the order says %v and %v, its explanation %v", o.GetShippedStatus(), s, why)
	}
	if l := o.GetReleases()[0].GetLines()[0]; l.GetShipped() != o.GetLines()[0].GetQuantities().GetShipped() || l.GetDispatched() != o.GetLines()[0].GetQuantities().GetDispatched() {
		t.Errorf("the release says %v, the line %v", l, o.GetLines()[0].GetQuantities())
	}
	text := o.GetLines()[0].GetQuantities().GetShipped()
	for _, at := range []*timestamppb.Timestamp{s.GetShippedTime(), s.GetGoodsIssueTime(), s.GetDispatchTime()} {
		if text += ", "; at != nil {
			text += at.AsTime().Format("02 15:04")
		}
	}
	if s.GetPolicySource() == or.ShippedPolicySource_SHIPPED_POLICY_SOURCE_CHANNEL {
		return text + "; " + strings.Replace(s.GetExplanation(), s.GetChannel(), "CH", 1)
	}
	return text + "; " + s.GetExplanation()
}

// told is how often an order's history tells that something has shipped.
func (w *world) told(t *testing.T, id string) (n int) {
	t.Helper()
	for _, c := range w.history(t, id) {
		n += strings.Count(c, "LinesShipped")
	}
	return n
}

// shippedByChannel: goods issue at 17:00, dispatch at 09:00 the next day, under each policy. The channel
// changes its mind in between: the releases keep theirs.
func shippedByChannel(t *testing.T, w *world) {
	sku := w.stocked(t, 30)[0]
	for _, tt := range []struct {
		policy       or.ShippedPolicy
		issued, both string
		whenIssued   int // how often it is told by then; once in the end
	}{
		{
			or.ShippedPolicy_SHIPPED_POLICY_GOODS_ISSUE,
			"10, 02 17:00, 02 17:00, ; shipped: yes, by policy goods issue of channel CH; goods issue yes, dispatch no",
			"10, 02 17:00, 02 17:00, 03 09:00; shipped: yes, by policy goods issue of channel CH; goods issue yes, dispatch yes", 1,
		},
		{
			or.ShippedPolicy_SHIPPED_POLICY_DISPATCH,
			"0, , 02 17:00, ; shipped: no, by policy dispatch of channel CH; goods issue yes, dispatch no",
			"10, 03 09:00, 02 17:00, 03 09:00; shipped: yes, by policy dispatch of channel CH; goods issue yes, dispatch yes", 0,
		},
		{
			or.ShippedPolicy_SHIPPED_POLICY_GOODS_ISSUE_AND_DISPATCH,
			"0, , 02 17:00, ; shipped: no, by policy goods issue and dispatch of channel CH; goods issue yes, dispatch no",
			"10, 03 09:00, 02 17:00, 03 09:00; shipped: yes, by policy goods issue and dispatch of channel CH; goods issue yes, dispatch yes", 0,
		},
	} {
		code := testkit.Name("CH")
		put := func(p or.ShippedPolicy) {
			channel := &or.ReleaseChannel{Site: "DC1", Condition: fmt.Sprintf("order.purchase_order == '%s'", code), TimeZone: "UTC", ShippedPolicy: p}
			if _, err := w.orders.PutReleaseChannel(t.Context(), &or.PutReleaseChannelRequest{Code: code, Channel: channel}); err != nil {
				t.Fatal(err)
			}
		}
		put(tt.policy)
		if got, err := w.orders.GetReleaseChannel(t.Context(), &or.GetReleaseChannelRequest{Code: code}); err != nil || got.GetChannel().GetShippedPolicy() != tt.policy {
			t.Errorf("%v %v", got, err)
		}
		id := w.submit(t, forRule(order(t, lineOf(1, sku, 10)), code))
		w.releases(t, id, "R1 RELEASED 1:10")
		put(or.ShippedPolicy_SHIPPED_POLICY_GOODS_ISSUE)
		w.issued(t, id, 10)
		if got := w.shipping(t, id); got != tt.issued || w.told(t, id) != tt.whenIssued {
			t.Errorf("%s, told %d times, want %s", got, w.told(t, id), tt.issued)
		}
		put(or.ShippedPolicy_SHIPPED_POLICY_DISPATCH)
		w.left(t, id, 10)
		if got := w.shipping(t, id); got != tt.both || w.told(t, id) != 1 {
			t.Errorf("%s, told %d times, want %s", got, w.told(t, id), tt.both)
		}
	}
}

// shippedByTenant: nobody says anything, then the tenant's ownership policy in master data does.
func shippedByTenant(t *testing.T, w *world) {
	sku := w.stocked(t, 100)[0]
	before := w.submit(t, order(t, lineOf(1, sku, 2)))
	w.releases(t, before, "R1 RELEASED 1:2")
	for version, subjects := range [][]string{{"AcknowledgeWarehouseOrder", "PostGoodsIssue"}, {"DispatchShipment"}} {
		f := &md.OwnershipPolicyDefined{ObjectType: md.ObjectType_OBJECT_TYPE_RELEASE, PolicyVersion: int64(version + 1)}
		for _, s := range subjects {
			f.Rules = append(f.Rules, &md.OwnershipRule{Subject: s, Owner: "wms-1", ConflictRule: md.ConflictRule_CONFLICT_RULE_OBSERVE})
		}
		w.masterData.publish(t, w.Tenant, w.id("own", "RELEASE"), f)
		w.masterData.publish(t, w.Tenant, w.id("own", "SHIPMENT"), // says nothing of releases
			&md.OwnershipPolicyDefined{ObjectType: md.ObjectType_OBJECT_TYPE_SHIPMENT, Rules: []*md.OwnershipRule{{Subject: "PostGoodsIssue", Owner: "x"}}})
		want := []string{
			"2, 02 17:00, 02 17:00, ; shipped: yes, by policy goods issue of the tenant; goods issue yes, dispatch no",
			"0, , 02 17:00, ; shipped: no, by policy dispatch of the tenant; goods issue yes, dispatch no",
		}[version]
		testkit.Eventually(t, patience, func() error { // the copy, and what was looked up a moment ago, may trail
			id := w.submit(t, order(t, lineOf(1, sku, 2)))
			w.releases(t, id, "R1 RELEASED 1:2")
			w.issued(t, id, 2)
			if got := w.shipping(t, id); got != want {
				return fmt.Errorf("%s, want %s", got, want)
			}
			return nil
		})
	}
	w.issued(t, before, 2)
	w.left(t, before, 2)
	if got := w.shipping(t, before); !strings.HasSuffix(got, "yes, by policy goods issue and dispatch; goods issue yes, dispatch yes") {
		t.Error(got)
	}
}

// shippedOfNothing: a departure that carries out none of the order's releases is kept as a contradiction.
func shippedOfNothing(t *testing.T, w *world) {
	sku := w.stocked(t, 2)[0]
	id := w.submit(t, order(t, lineOf(1, sku, 2)))
	w.releases(t, id, "R1 RELEASED 1:2")
	lines := []*sv.ShipmentLine{{LineNumber: 1, Quantity: ea(quantity.Int(2))}}
	other := w.id("shp", testkit.Name("other"))
	w.shipments.publish(t, w.Tenant, other, &sv.ShipmentDispatched{ShipmentId: other, OrderId: id, Lines: lines})
	w.shipments.publish(t, w.Tenant, w.id("shp", testkit.Name("foreign")), &sv.ShipmentDispatched{ShipmentId: other, Lines: lines}) // not one of ours
	o := w.until(t, id, "contradicted", func(o *or.Order) bool { return len(o.GetReasons()) > 0 })
	if r := o.GetReasons()[0]; r.GetCode() != "REPORT_CONTRADICTED" || !strings.HasPrefix(r.GetMessage(), "DISPATCHED") {
		t.Errorf("%v", r)
	}
	if q := o.GetLines()[0].GetQuantities(); q.GetDispatched() != "0" || q.GetShipped() != "0" {
		t.Errorf("%v", q)
	}
	if list := w.history(t, id); !slices.Contains(list, "ReportContradicted") {
		t.Errorf("%q", list)
	}
}
