package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

func unmarshal(t *testing.T, text string, into proto.Message) {
	t.Helper()
	if err := protojson.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// replayed: a command that comes again under its key is answered with the same bytes and takes
// effect once; the key with anything else is refused.
func replayed(t *testing.T, f *fleet.Fleet) {
	const onHand = 5000
	p := supplied(t, f, 1, onHand)
	body := order("AGAIN-1", 1)
	first := p.command(t, http.MethodPost, "/v1/orders", "replayed-1", body)
	id := receipt(t, "first", first).GetId()
	if first.header.Get("Idempotency-Replayed") != "" {
		t.Error("the first answer is marked as a replay")
	}
	p.state(t, id, "RELEASED")
	var other map[string]any // the same request as another client writes it
	if err := json.Unmarshal([]byte(body), &other); err != nil {
		t.Fatal(err)
	}
	spaced, err := json.MarshalIndent(other, "", "   ")
	if err != nil {
		t.Fatal(err)
	}
	const callers = 20
	var group sync.WaitGroup
	for n := range callers {
		group.Go(func() {
			again, err := p.send(t.Context(), http.MethodPost, "/v1/orders", strings.NewReader([]string{body, string(spaced)}[n%2]), "Idempotency-Key", "replayed-1")
			if err != nil || again.status != http.StatusOK || again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("ETag") != first.header.Get("ETag") {
				t.Errorf("again: %v %d %v %s, first %s", err, again.status, again.header, again.body, first.body)
			}
		})
	}
	group.Wait()
	refused(t, "another quantity", p.command(t, http.MethodPost, "/v1/orders", "replayed-1", order("AGAIN-1", 2)), "422 IDEMPOTENCY_KEY_REUSED")
	refused(t, "another command", p.command(t, http.MethodPost, "/v1/orders/"+id+":placeHold", "replayed-1", `{"type":"HOLD_TYPE_MANUAL"}`), "422 IDEMPOTENCY_KEY_REUSED")
	a, err := p.send(t.Context(), http.MethodPost, "/v1/orders", strings.NewReader(order("AGAIN-2", 1)))
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "no key", a, "400 IDEMPOTENCY_KEY_REQUIRED")
	n := 1 + keyOfAnotherOrder(t, p)
	p.orders(t, n)
	p.settled(t, fmt.Sprintf("on hand %d, allocated %d, promised 0, to promise %d", onHand, n, onHand-n))

	// Keys are a tenant's own.
	stranger := speak(t, f, guard.AdminCaller(testkit.Name("t"))).command(t, http.MethodPost, "/v1/orders", "replayed-1", body)
	if r := receipt(t, "stranger", stranger); r.GetId() == id || r.GetState() != "REJECTED" || stranger.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("another tenant's same key: %v", stranger)
	}
}

// keyOfAnotherOrder: the key of one order is refused to another as long as its answer is
// remembered, and that is not promised: a cache that does not answer in time is passed by, for a
// second. So it is tried with some keys, a while apart, and must be seen. It returns how many
// orders were made.
func keyOfAnotherOrder(t *testing.T, p party) (made int) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		key := fmt.Sprintf("reused-%d", made)
		receipt(t, key, p.command(t, http.MethodPost, "/v1/orders", key, order("ONE-"+key, 1)))
		made++
		a := p.command(t, http.MethodPost, "/v1/orders", key, order("TWO-"+key, 1))
		if a.status == http.StatusOK {
			made++
			return fmt.Errorf("the key of one order was taken for another, %d orders made", made)
		}
		refused(t, "another order", a, "422 IDEMPOTENCY_KEY_REUSED")
		return nil
	})
	return made
}

// stale: who decided on a version that is not the newest is refused, and nothing changes.
func stale(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 10)
	path := "/v1/items/" + lifecycle.SKU(0)
	item := func(name, etag string) string {
		return fmt.Sprintf(`{"item":{"name":%q,"baseUnit":"EA","baseWeightGrams":"250"},"etag":%q}`, name, etag)
	}
	was := p.get(t, path).header.Get("ETag")
	is := p.command(t, http.MethodPut, path, "stale-item-1", item("Renamed", ""), "If-Match", was)
	newest := is.header.Get("ETag")
	if is.status != http.StatusOK || newest == was {
		t.Fatalf("on the newest version: %d %s, etag %s after %s", is.status, is.body, newest, was)
	}
	kept := p.read(t, path)
	refused(t, "If-Match", p.command(t, http.MethodPut, path, "stale-item-2", item("Lost", ""), "If-Match", was), "412 ETAG_MISMATCH")
	refused(t, "etag", p.command(t, http.MethodPut, path, "stale-item-3", item("Lost", strings.Trim(was, `"`))), "412 ETAG_MISMATCH")
	if now := p.read(t, path); now != kept {
		t.Errorf("the item was %s and is %s", kept, now)
	}
	if a := p.command(t, http.MethodPut, path, "stale-item-2", item("Found", ""), "If-Match", newest); a.status != http.StatusOK || a.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("decided again: %d %s", a.status, a.body)
	}

	manual := strings.Replace(order("STALE-1", 1), `"site"`, `"releaseMode":"RELEASE_MODE_MANUAL","site"`, 1)
	a := p.command(t, http.MethodPost, "/v1/orders", "stale-order", manual)
	id, before := receipt(t, "order", a).GetId(), a.header.Get("ETag")
	hold := p.command(t, http.MethodPost, "/v1/orders/"+id+":placeHold", "stale-hold-1", `{"type":"HOLD_TYPE_MANUAL"}`, "If-Match", before)
	held := receipt(t, "hold", hold).GetEtag()
	kept = p.read(t, "/v1/orders/"+id)
	for verb, body := range map[string]string{
		"liftHold": `{"type":"HOLD_TYPE_MANUAL"}`, "placeHold": `{"type":"HOLD_TYPE_CREDIT"}`, "cancel": `{"reason":"CUSTOMER_REQUEST"}`, "promise": `{}`,
	} {
		refused(t, verb, p.command(t, http.MethodPost, "/v1/orders/"+id+":"+verb, "stale-"+verb, body, "If-Match", before), "412 ETAG_MISMATCH")
	}
	if now := p.read(t, "/v1/orders/"+id); now != kept {
		t.Errorf("the order was %s and is %s", kept, now)
	}
	if a := p.command(t, http.MethodPost, "/v1/orders/"+id+":liftHold", "stale-hold-2", `{"type":"HOLD_TYPE_MANUAL"}`, "If-Match", `"`+held+`"`); a.status != http.StatusOK {
		t.Errorf("on the newest version: %d %s", a.status, a.body)
	}
}

// orderRefused: what is wrong with an order is named by reason and field, and it claims nothing;
// corrected under the same number it is the same order and goes through. A number that is taken
// stays with its order.
func orderRefused(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 100)
	path := "/v1/items/" + lifecycle.SKU(0)
	third := `{"item":{"name":"Item 0","baseUnit":"EA","baseWeightGrams":"250","packagingUnits":[{"unit":"BX","numerator":"1","denominator":"3"}]}}`
	if a := p.command(t, http.MethodPut, path, "put-unit", third); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	testkit.Eventually(t, within, func() error { // its copy of master data may trail
		a := p.command(t, http.MethodPost, "/v1/orders", testkit.Name("dry"), strings.NewReplacer(`{"order"`, `{"validateOnly":true,"order"`, `"value":"1","unit":"EA"`, `"value":"3","unit":"BX"`).Replace(order("DRY", 1)))
		if r := receipt(t, "dry run", a); r.GetState() == "REJECTED" {
			return fmt.Errorf("%v", r.GetReasons())
		}
		return nil
	})
	cases := []struct{ name, from, to, reason, field string }{
		{"item", `"sku":"` + lifecycle.SKU(0), `"sku":"NOBODY-KNOWS`, "ITEM_UNKNOWN", "lines[0].sku"},
		{"unit", `"unit":"EA"`, `"unit":"PF"`, "UNIT_UNKNOWN", "lines[0].quantity"},
		{"location", `"site":"` + lifecycle.Site, `"site":"NOWHERE`, "SITE_UNKNOWN", "site"},
		{"carrier", `"carrierPreference":"` + lifecycle.Carrier, `"carrierPreference":"NOBD`, "CARRIER_UNKNOWN", "carrier_preference"},
		{"party", `"partyCode":"` + lifecycle.Customer, `"partyCode":"NOBODY`, "PARTY_UNKNOWN", "sold_to.party_code"},
		{"inexact", `"value":"1","unit":"EA"`, `"value":"2","unit":"BX"`, "QUANTITY_INEXACT", "lines[0].quantity"},
		{"fraction", `"value":"1"`, `"value":"1.5"`, "QUANTITY_INVALID", "lines[0].quantity"},
	}
	ids := map[string]string{}
	for _, c := range cases {
		bad := strings.Replace(order("BAD-"+c.name, 1), c.from, c.to, 1)
		r := receipt(t, c.name, p.command(t, http.MethodPost, "/v1/orders", "refused-"+c.name, bad))
		var got []string
		for _, reason := range r.GetReasons() {
			got = append(got, reason.GetCode()+" "+reason.GetField())
		}
		if want := []string{c.reason + " " + c.field}; r.GetState() != "REJECTED" || !slices.Equal(got, want) {
			t.Errorf("%s: %s %v, want %v", c.name, r.GetState(), got, want)
		}
		ids[c.name] = r.GetId()
	}
	for number, o := range p.orders(t, len(cases)) {
		if o.GetState() != orderreleasev1.OrderState_ORDER_STATE_REJECTED {
			t.Errorf("%s is %s", number, o.GetState())
		}
	}
	if is := p.stock(t); is != "on hand 100, allocated 0, promised 0, to promise 100" {
		t.Errorf("stock is %s", is)
	}
	for _, c := range cases {
		r := receipt(t, c.name, p.command(t, http.MethodPost, "/v1/orders", "corrected-"+c.name, order("BAD-"+c.name, 1)))
		if r.GetId() != ids[c.name] {
			t.Errorf("%s corrected is order %s, was %s", c.name, r.GetId(), ids[c.name])
		}
		if o := p.allocated(t, r.GetId()); o.GetRevision() != 2 || len(o.GetReasons()) != 0 {
			t.Errorf("%s corrected: %v", c.name, o)
		}
	}
	p.orders(t, len(cases))
	sum := fmt.Sprintf("on hand 100, allocated %d, promised 0, to promise %d", len(cases), 100-len(cases))
	p.settled(t, sum)
	numberTaken(t, p, "BAD-item", ids["item"])
	p.orders(t, len(cases))
	p.settled(t, sum)
}

// numberTaken: the order that has the number stays as it is.
func numberTaken(t *testing.T, p party, number, id string) {
	t.Helper()
	look := func() *orderreleasev1.Order {
		resp := &orderreleasev1.GetOrderResponse{}
		unmarshal(t, p.read(t, "/v1/orders/"+id), resp)
		resp.GetOrder().UpdateTime = nil // the refusal is on record too
		return resp.GetOrder()
	}
	kept := look()
	a := p.command(t, http.MethodPost, "/v1/orders", "taken-"+number, order(number, 7))
	refused(t, "number taken", a, "409 ORDER_NUMBER_TAKEN")
	if m := a.problem().Metadata; m["order_id"] != id || m["state"] != "RELEASED" {
		t.Errorf("number taken: metadata %v", m)
	}
	if now := look(); !proto.Equal(now, kept) {
		t.Errorf("the order was %s and is %s", kept, now)
	}
}

// reportRefused: a report about stock that names what nobody knows is refused by reason and
// field and books nothing; corrected under the same key it is booked.
func reportRefused(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 10)
	const good = `{"receipt":{"site":"` + lifecycle.Site + `","sku":"SKU-00000","location":"A-01","quantity":{"value":"5","unit":"EA"},"document":"ASN-1"}}`
	stock := "/v1/stocks?site=" + lifecycle.Site + "&sku=" + lifecycle.SKU(0)
	kept := p.read(t, stock)
	for _, c := range []struct{ name, from, to, want, field string }{
		{"item", `"sku":"SKU-00000"`, `"sku":"NOBODY-KNOWS"`, "400 ITEM_UNKNOWN", "#/receipt/sku ITEM_UNKNOWN"},
		{"site", `"site":"` + lifecycle.Site, `"site":"NOWHERE`, "400 SITE_UNKNOWN", "#/receipt/site SITE_UNKNOWN"},
		{"unit", `"unit":"EA"`, `"unit":"PF"`, "400 UNIT_UNKNOWN", "#/receipt/quantity UNIT_UNKNOWN"},
		{"fraction", `"value":"5"`, `"value":"5.5"`, "400 QUANTITY_INEXACT", "#/receipt/quantity QUANTITY_INEXACT"},
	} {
		bad := strings.Replace(good, c.from, c.to, 1)
		refused(t, c.name, p.command(t, http.MethodPost, "/v1/stocks:recordReceipt", "receipt-once", bad), c.want, c.field)
	}
	if now := p.read(t, stock); now != kept {
		t.Errorf("stock was %s and is %s", kept, now)
	}
	a := p.command(t, http.MethodPost, "/v1/stocks:recordReceipt", "receipt-once", good)
	if a.status != http.StatusOK || a.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("corrected: %d %s", a.status, a.body)
	}
	p.settled(t, "on hand 15, allocated 0, promised 0, to promise 15")
	moved := &inventorymovementv1.ListMovementsResponse{}
	got := &inventorymovementv1.GetStockResponse{}
	unmarshal(t, p.read(t, stock), got)
	unmarshal(t, p.read(t, "/v1/stocks/"+got.GetStock().GetStockId()+"/movements"), moved)
	if len(moved.GetMovements()) != 2 {
		t.Errorf("movements %v", moved)
	}
	carrierRefused(t, p)
}

// carrierRefused: nobody is offered a shipment whom master data does not know.
func carrierRefused(t *testing.T, p party) {
	t.Helper()
	id := receipt(t, "order", p.command(t, http.MethodPost, "/v1/orders", "tender-order", order("TENDER-1", 1))).GetId()
	p.allocated(t, id)
	var path string
	testkit.Eventually(t, within, func() error {
		got := &shipmentvisibilityv1.ListShipmentsResponse{}
		unmarshal(t, p.read(t, "/v1/shipments?order_id="+id), got)
		if len(got.GetShipments()) != 1 || got.GetShipments()[0].GetState() != shipmentvisibilityv1.ShipmentState_SHIPMENT_STATE_PLANNED {
			return fmt.Errorf("shipments %v", got)
		}
		path = "/v1/shipments/" + got.GetShipments()[0].GetShipmentId()
		return nil
	})
	kept := p.read(t, path)
	refused(t, "carrier", p.command(t, http.MethodPost, path+":tender", "tender-once", `{"carrier":"NOBD","carrierService":"STD","respondBy":"2099-01-01T00:00:00Z"}`), "400 INVALID_REQUEST", "#/carrier CARRIER_UNKNOWN")
	refused(t, "service", p.command(t, http.MethodPost, path+":tender", "tender-once", `{"carrier":"EXPR","carrierService":"WARP","respondBy":"2099-01-01T00:00:00Z"}`), "400 INVALID_REQUEST", "#/carrierService SERVICE_UNKNOWN")
	if now := p.read(t, path); now != kept {
		t.Errorf("the shipment was %s and is %s", kept, now)
	}
	a := p.command(t, http.MethodPost, path+":tender", "tender-once", `{"carrier":"EXPR","carrierService":"STD","respondBy":"2099-01-01T00:00:00Z"}`)
	if r := receipt(t, "corrected", a); r.GetState() != "TENDERED" || a.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("corrected: %v", a)
	}
}
