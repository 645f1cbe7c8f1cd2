package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// TestSourcing: an order delivered by two sites, one whose rest waits for stock, and one that
// waits for its channel, over the public API.
func TestSourcing(t *testing.T) {
	onBothShapes(t, func(t *testing.T, f *fleet.Fleet) {
		for _, c := range []struct {
			name string
			test func(t *testing.T, f *fleet.Fleet)
		}{
			{"split into two shipments", splitIntoTwo},
			{"backorder by promised date", backorderByDate},
			{"release channel", releaseChannel},
			{"channel capacity", channelCapacity},
			{"shipped by policy", shippedByPolicy},
		} {
			t.Run(c.name, func(t *testing.T) { c.test(t, f) })
		}
	})
}

// must sends a command that is to be accepted.
func (p party) must(t *testing.T, method, path, body string) answer {
	t.Helper()
	a := p.command(t, method, path, testkit.Name("cmd"), body)
	if a.status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	return a
}

// eventually sends a command until it is accepted: a copy of master data may trail.
func (p party) eventually(t *testing.T, method, path, body string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		if a := p.command(t, method, path, testkit.Name("cmd"), body); a.status != http.StatusOK {
			return fmt.Errorf("%s %s: %d %s", method, path, a.status, a.body)
		}
		return nil
	})
}

// twoSites is a tenant with 60 pieces of its first item in DC1, and some in DC2.
func twoSites(t *testing.T, f *fleet.Fleet, second int) party {
	t.Helper()
	p := supplied(t, f, 1, 60)
	p.must(t, http.MethodPut, "/v1/locations/DC2", `{"location":{"name":"Second","kind":"LOCATION_KIND_SITE","timeZone":"America/Chicago","gs1CompanyPrefix":"4012346",`+
		`"address":{"name":"Acme","lines":["2 Example Way"],"city":"Gary","postalCode":"46402","country":"US"}}}`)
	p.eventually(t, http.MethodPost, "/v1/stocks:recordReceipt", fmt.Sprintf(
		`{"receipt":{"site":"DC2","sku":%q,"location":"A-01","quantity":{"value":"%d","unit":"EA"},"document":"OPENING"}}`, lifecycle.SKU(0), second))
	p.eventually(t, http.MethodPut, "/v1/sourcing-rules", `{"rules":[{"name":"europe","condition":"order.ship_to_country == 'DE' && line.quantity.atLeast('5')","sites":["DC1","DC2"]}]}`)
	return p
}

// anywhere is an order whose document names no site.
func anywhere(number string, pieces int) string {
	return strings.Replace(order(number, pieces), fmt.Sprintf(`"site":%q,`, lifecycle.Site), "", 1)
}

// releases waits until an order has so many releases that a warehouse has.
func (p party) releases(t *testing.T, id string, n int) *orderreleasev1.Order {
	t.Helper()
	var o *orderreleasev1.Order
	testkit.Eventually(t, within, func() error {
		resp := &orderreleasev1.GetOrderResponse{}
		unmarshal(t, p.read(t, "/v1/orders/"+id), resp)
		o = resp.GetOrder()
		sent := 0
		for _, r := range o.GetReleases() {
			if r.GetWarehouseOrderId() != "" {
				sent++
			}
		}
		if sent != n {
			return fmt.Errorf("%d releases are with warehouses, want %d: %v", sent, n, o.GetReleases())
		}
		return nil
	})
	return o
}

// ship takes a release through its warehouse.
func (p party) ship(t *testing.T, r *orderreleasev1.Release) {
	t.Helper()
	p.must(t, http.MethodPost, p.pack(t, r)+":postGoodsIssue", `{}`)
}

// pack takes a release to the dock, and returns the path of its warehouse order.
func (p party) pack(t *testing.T, r *orderreleasev1.Release) string {
	t.Helper()
	lines := fmt.Sprintf(`"lines":[{"lineNumber":1,"quantity":{"value":%q,"unit":"EA"}}]`, r.GetLines()[0].GetQuantity())
	at := "/v1/warehouse-orders/" + r.GetWarehouseOrderId()
	testkit.Eventually(t, within, func() error {
		got := &inventorymovementv1.GetWarehouseOrderResponse{}
		unmarshal(t, p.read(t, at), got)
		if got.GetWarehouseOrder().GetState() < inventorymovementv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ALLOCATED {
			return fmt.Errorf("%s", got.GetWarehouseOrder().GetState())
		}
		return nil
	})
	p.must(t, http.MethodPost, at+":acknowledge", `{}`)
	p.must(t, http.MethodPost, at+":confirmPicks", `{`+lines+`}`)
	p.must(t, http.MethodPost, at+":packCarton", `{`+lines+`,"grossWeightGrams":"20000"}`)
	return at
}

// deliver takes the shipment of a release to the customer under a PRO number.
func (p party) deliver(t *testing.T, order string, r *orderreleasev1.Release, pro string) {
	t.Helper()
	var id string
	testkit.Eventually(t, within, func() error {
		got := &shipmentvisibilityv1.ListShipmentsResponse{}
		unmarshal(t, p.read(t, "/v1/shipments?order_id="+order), got)
		for _, s := range got.GetShipments() {
			if s.GetWarehouseOrderId() == r.GetWarehouseOrderId() {
				id = s.GetShipmentId()
			}
		}
		if id == "" {
			return fmt.Errorf("no shipment of %s", r.GetReleaseId())
		}
		one := &shipmentvisibilityv1.GetShipmentResponse{}
		unmarshal(t, p.read(t, "/v1/shipments/"+id), one)
		if len(one.GetShipment().GetUnits()) == 0 {
			return fmt.Errorf("shipment %s has no unit yet", id)
		}
		return nil
	})
	at := "/v1/shipments/" + id
	p.must(t, http.MethodPost, at+":tender", fmt.Sprintf(`{"carrier":%q,"carrierService":%q,"respondBy":"2099-01-01T00:00:00Z"}`, lifecycle.Carrier, lifecycle.Service))
	p.must(t, http.MethodPost, at+":respondTender", fmt.Sprintf(`{"carrier":%q,"accept":true}`, lifecycle.Carrier))
	p.must(t, http.MethodPost, at+":dispatch", fmt.Sprintf(`{"billOfLading":"BOL-%s","proNumber":%q,"carrier":%q}`, pro, pro, lifecycle.Carrier))
	p.must(t, http.MethodPost, at+":recordMilestones", fmt.Sprintf(
		`{"milestones":[{"code":"MILESTONE_CODE_DELIVERED","classifier":"MILESTONE_CLASSIFIER_ACTUAL","eventTime":"2026-01-02T03:04:05Z","messageId":"M-%s"}]}`, pro))
}

// splitIntoTwo: of a line of 100 one site ships 60 and another 40: two releases, two shipments,
// two PROs; the line is delivered in part, then wholly, and both freights are the order's.
func splitIntoTwo(t *testing.T, f *fleet.Fleet) {
	p := twoSites(t, f, 50)
	id := receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", anywhere("S04", 100))).GetId()
	o := p.releases(t, id, 2)
	var got []string
	for _, r := range o.GetReleases() {
		got = append(got, r.GetSite()+" "+r.GetLines()[0].GetQuantity())
	}
	if is := strings.Join(got, ", "); is != "DC1 60, DC2 40" || o.GetSourcing().GetRules()[0].GetRule() != "europe" {
		t.Fatalf("%s by %v", is, o.GetSourcing())
	}
	for i, r := range o.GetReleases() {
		p.ship(t, r)
		p.deliver(t, id, r, fmt.Sprintf("PRO-S04-%d", i+1))
		status := []orderreleasev1.DeliveryStatus{orderreleasev1.DeliveryStatus_DELIVERY_STATUS_PARTIALLY_DELIVERED, orderreleasev1.DeliveryStatus_DELIVERY_STATUS_DELIVERED}[i]
		testkit.Eventually(t, within, func() error {
			now := &orderreleasev1.GetOrderResponse{}
			unmarshal(t, p.read(t, "/v1/orders/"+id), now)
			if l := now.GetOrder().GetLines()[0]; now.GetOrder().GetDeliveryStatus() != status || l.GetDeliveryStatus() != status {
				return fmt.Errorf("%s, line %v", now.GetOrder().GetDeliveryStatus(), l)
			}
			return nil
		})
	}
	o = p.state(t, id, "FULFILLED")
	for _, s := range o.GetLines()[0].GetSites() {
		if want := map[string]string{"DC1": "60", "DC2": "40"}[s.GetSite()]; s.GetReleased() != want || s.GetIssued() != want || s.GetDelivered() != want {
			t.Errorf("%v", s)
		}
	}
	testkit.Eventually(t, within, func() error { // lists trail
		freights := &freightsettlementv1.ListFreightsResponse{}
		unmarshal(t, p.read(t, "/v1/freights?order_id="+id), freights)
		if len(freights.GetFreights()) != 2 {
			return fmt.Errorf("%d freights", len(freights.GetFreights()))
		}
		return nil
	})
}

// backorderByDate: 6 of 10 go now; what is received later goes to the order promised first, not
// to the one that asked first.
func backorderByDate(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 6)
	dated := func(number string, pieces int, day string) string {
		body := strings.Replace(order(number, pieces), `"site"`, fmt.Sprintf(`"promisedTime":"2026-03-%sT08:00:00Z","site"`, day), 1)
		id := receipt(t, number, p.must(t, http.MethodPost, "/v1/orders", body)).GetId()
		testkit.Eventually(t, within, func() error { // it waits, and is listed
			o := &orderreleasev1.GetOrderResponse{}
			unmarshal(t, p.read(t, "/v1/orders/"+id), o)
			if q := o.GetOrder().GetLines()[0].GetQuantities(); q.GetBackordered() == "0" {
				return fmt.Errorf("%s: %v", number, q)
			}
			return nil
		})
		return id
	}
	first := dated("S11-1", 10, "05")
	p.releases(t, first, 1)
	second := dated("S11-2", 3, "09") // asked before the third, promised after it
	third := dated("S11-3", 2, "02")
	p.orders(t, 3)
	testkit.Eventually(t, within, func() error {
		list := &orderreleasev1.ListOrdersResponse{}
		unmarshal(t, p.read(t, "/v1/orders?state=ORDER_STATE_BACKORDERED"), list)
		if len(list.GetOrders()) != 2 {
			return fmt.Errorf("%d orders are listed as waiting", len(list.GetOrders()))
		}
		return nil
	})
	p.must(t, http.MethodPost, "/v1/stocks:recordReceipt", fmt.Sprintf(
		`{"receipt":{"site":%q,"sku":%q,"location":"A-01","quantity":{"value":"6","unit":"EA"},"document":"MORE"}}`, lifecycle.Site, lifecycle.SKU(0)))
	p.releases(t, third, 1)
	o := p.releases(t, first, 2)
	if got := o.GetReleases()[1].GetLines()[0].GetQuantity(); got != "4" || o.GetReleases()[1].GetParentReleaseId() != id1(first) {
		t.Errorf("the rest is %v", o.GetReleases()[1])
	}
	if o := p.state(t, second, "BACKORDERED"); o.GetLines()[0].GetQuantities().GetPromised() != "0" {
		t.Errorf("%v", o.GetLines()[0].GetQuantities())
	}
}

// id1 is an order's first release.
func id1(order string) string { return order + "-R1" }

// releaseChannel: an order of a locked channel is promised and waits, and says for what; what is
// asked of it is refused with the channel; once that is open it goes by itself.
func releaseChannel(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 10)
	refused(t, "a condition", p.command(t, http.MethodPut, "/v1/release-channels/NIGHT", testkit.Name("cmd"), fmt.Sprintf(`{"channel":{"site":%q,"condition":"order.nobody"}}`, lifecycle.Site)),
		"400 INVALID_REQUEST", "#/channel/condition CONDITION_INVALID")
	p.must(t, http.MethodPut, "/v1/release-channels/NIGHT", fmt.Sprintf(`{"channel":{"site":%q,"condition":"order.priority >= 5"}}`, lifecycle.Site))
	p.must(t, http.MethodPost, "/v1/release-channels/NIGHT:lock", `{"note":"stocktaking"}`)
	// Another process may not know of it for a second.
	testkit.Eventually(t, within, func() error {
		id := receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", order(testkit.Name("CH"), 1))).GetId()
		if o := p.decidedOn(t, id); o.GetState() != orderreleasev1.OrderState_ORDER_STATE_PROMISED {
			return fmt.Errorf("%s", o.GetState())
		}
		answer := p.command(t, http.MethodPost, "/v1/orders/"+id+":release", testkit.Name("cmd"), `{}`)
		refused(t, "release", answer, "409 CHANNEL_LOCKED")
		if answer.problem().Metadata["channel"] != "NIGHT" {
			t.Errorf("%v", answer.problem().Metadata)
		}
		why := &orderreleasev1.ExplainNotReleasableResponse{}
		unmarshal(t, p.read(t, "/v1/orders/"+id+":explainNotReleasable"), why)
		if m := why.GetMissing(); len(m) != 1 || m[0].GetReason().GetCode() != "CHANNEL_LOCKED" || m[0].GetCommand() != "OpenReleaseChannel" {
			t.Errorf("%v", why)
		}
		p.must(t, http.MethodPost, "/v1/release-channels/NIGHT:open", `{}`)
		p.state(t, id, "RELEASED")
		return nil
	})
}

// decidedOn waits until an order is released or waits for a channel.
func (p party) decidedOn(t *testing.T, id string) *orderreleasev1.Order {
	t.Helper()
	var o *orderreleasev1.Order
	testkit.Eventually(t, within, func() error {
		resp := &orderreleasev1.GetOrderResponse{}
		unmarshal(t, p.read(t, "/v1/orders/"+id), resp)
		switch o = resp.GetOrder(); o.GetState() {
		case orderreleasev1.OrderState_ORDER_STATE_RELEASED, orderreleasev1.OrderState_ORDER_STATE_PROMISED:
			return nil
		}
		return fmt.Errorf("%s", o.GetState())
	})
	return o
}

// channelCapacity: two of three orders go today; the third says when the next window opens, and
// goes when more may go.
func channelCapacity(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 10)
	zone := "America/Chicago"
	if chicago, err := time.LoadLocation(zone); err != nil || time.Now().In(chicago).Hour() == 23 { // the day is to last for the test
		zone = "Europe/Berlin"
	}
	channel := func(n int) string {
		return fmt.Sprintf(`{"channel":{"site":%q,"timeZone":%q,"capacity":{"releases":%d}}}`, lifecycle.Site, zone, n)
	}
	p.must(t, http.MethodPut, "/v1/release-channels/DAY", channel(2))
	known := p.beyondCapacity(t)
	got := &orderreleasev1.GetReleaseChannelResponse{}
	unmarshal(t, p.read(t, "/v1/release-channels/DAY"), got)
	why := &orderreleasev1.ExplainNotReleasableResponse{}
	unmarshal(t, p.read(t, "/v1/orders/"+known+":explainNotReleasable"), why)
	if l := got.GetLoad(); l.GetReleases() != 2 || why.GetReleasable() || !why.GetNextTime().AsTime().Equal(l.GetEndsTime().AsTime()) {
		t.Errorf("%v, %v", got, why)
	}
	p.must(t, http.MethodPut, "/v1/release-channels/DAY", channel(3))
	p.state(t, known, "RELEASED")
}

// beyondCapacity submits orders until the channel's window is full for one: another process may
// not know of the channel for a second.
func (p party) beyondCapacity(t *testing.T) (id string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		id = receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", order(testkit.Name("CAP"), 1))).GetId()
		return p.isFull(t, id)
	})
	return id
}

// isFull waits until an order is released, which is an error, or waits for the next window.
func (p party) isFull(t *testing.T, id string) (err error) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		if o := p.decidedOn(t, id); o.GetState() == orderreleasev1.OrderState_ORDER_STATE_RELEASED {
			err = fmt.Errorf("order %s is released", id)
			return nil
		}
		why := &orderreleasev1.ExplainNotReleasableResponse{}
		unmarshal(t, p.read(t, "/v1/orders/"+id+":explainNotReleasable"), why)
		for _, m := range why.GetMissing() {
			if m.GetReason().GetCode() == "CHANNEL_FULL" {
				return nil
			}
		}
		return fmt.Errorf("%v", why)
	})
	return err
}
