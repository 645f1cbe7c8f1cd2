package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/sandbox"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// foreignTenant: whoever knows every id of another tenant learns nothing by it and changes
// nothing. Each public RPC is asked with the ids of a finished order by the tenant next door, which
// has the same master data under the same codes, or by one that has nothing; the answer to an id
// is the one to an id that nobody has. A new RPC with an id in its path is covered by itself, once
// there is a sample of the id; one without must be told of in the table.
func foreignTenant(t *testing.T, f *fleet.Fleet) {
	owner, samples := finished(t, f)
	all := endpoints()
	published(t, owner, all)
	kept := settled(t, owner, all, samples)
	secrets := secretsIn(kept, samples)
	told := maps.Clone(elsewhere)
	door := nextDoor(t, f)
	for _, e := range all {
		t.Run(e.rpc+" "+e.method, func(t *testing.T) {
			c, special := elsewhere[e.rpc+" "+e.path]
			delete(told, e.rpc+" "+e.path)
			if !special {
				c = foreign{body: bodies[e.rpc], status: http.StatusNotFound}
				if e.method != http.MethodGet && c.body == "" {
					c.body = "{}"
				}
			}
			if !special && len(e.idsInPath()) == 0 {
				t.Fatalf("%s %s takes no id in its path: say in the table what a stranger is answered", e.method, e.path)
			}
			for _, id := range e.idsInPath() {
				if samples[id] == "" {
					t.Fatalf("there is no sample of %s", id)
				}
			}
			asked := e.path + c.query + c.body
			stranger, nobody := door, unknown(samples, false)
			if c.nothing || codes.MatchString(e.path) {
				stranger, nobody = speak(t, f, guard.AdminCaller(testkit.Name("t"))), unknown(samples, true)
			}
			got := stranger.ask(t, e, c, samples)
			if got.status != c.status || c.code != "" && got.problem().Code != c.code {
				t.Errorf("%s %s: %d %s, want %d %s", e.method, fill(e.path+c.query, samples), got.status, got.body, c.status, c.code)
			}
			for _, secret := range secrets {
				if strings.Contains(got.body, secret) && !strings.Contains(fill(asked, samples), secret) {
					t.Errorf("the answer tells %q: %s", secret, got.body)
				}
			}
			if c.status == http.StatusOK && e.method == http.MethodGet && !c.public {
				nothing(t, got.body)
				if own := owner.read(t, fill(e.path+c.query, samples)); !slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(own, s) }) {
					t.Errorf("the owner itself is answered %s: the sample is of no use", own)
				}
			}
			if c.status >= 400 || c.alike {
				other := stranger.ask(t, e, c, nobody)
				if a, b := anonymous(got, samples), anonymous(other, nobody); a != b {
					t.Errorf("an id of somebody else: %s\nan id of nobody: %s", a, b)
				}
			}
		})
	}
	for name := range told {
		t.Errorf("the table tells of %s, which is no public RPC", name)
	}
	testkit.Eventually(t, within, func() error { return same(kept, snapshot(t, owner, all, samples)) })
}

// codes are the paths of records that every tenant may have under the same code.
var codes = regexp.MustCompile(`^/v1/(items|parties|locations|carriers|release-channels)/`)

// ask is a stranger's request.
func (p party) ask(t *testing.T, e endpoint, c foreign, samples map[string]string) answer {
	t.Helper()
	path := fill(e.path+c.query, samples)
	if e.method == http.MethodGet {
		return p.get(t, path)
	}
	return p.command(t, e.method, path, testkit.Name("foreign"), fill(c.body, samples))
}

// nextDoor is a tenant with the same master data and stock as the owner, but no order.
func nextDoor(t *testing.T, f *fleet.Fleet) party {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	who := guard.AdminCaller(testkit.Name("t"))
	_, cast := company(t, f, who)
	if err := cast.ERP.Setup(ctx); err != nil {
		t.Fatal(err)
	}
	p := speak(t, f, who)
	testkit.Eventually(t, within, func() error { // shipment visibility's copy of the carriers may trail
		a := p.ask(t, endpoint{method: http.MethodPost, path: "/v1/shipments/" + "shp_" + strings.Repeat("a", 26) + ":tender"},
			foreign{body: strings.Replace(bodies["TenderShipment"], "<carriers/code>", "NSPX", 1)}, nil)
		if a.status != http.StatusNotFound {
			return fmt.Errorf("%d %s", a.status, a.body)
		}
		return nil
	})
	return p
}

// letter is the only id that the owner has no record of.
const letter = "dead-letters/dead_letter_id"

// finished is a tenant with an order that was shipped, paid and partly returned, and the ids of
// all that belongs to it.
func finished(t *testing.T, f *fleet.Fleet) (party, map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	who := guard.AdminCaller(testkit.Name("t"))
	client, cast := company(t, f, who)
	if err := cast.ERP.Setup(ctx); err != nil {
		t.Fatal(err)
	}
	number := testkit.Name("OURS")
	scenarios := sandbox.Scenarios(number + "-")
	s := scenarios[slices.IndexFunc(scenarios, func(s sandbox.Scenario) bool { return len(s.Returns) > 0 })]
	report, err := sandbox.Walk(ctx, cast, s)
	if err != nil {
		t.Fatalf("%v\n%v", err, report)
	}
	testkit.Eventually(t, within, func() error { // the tower's copy may trail
		return sandbox.Story(ctx, client, s.Number, io.Discard)
	})
	p := speak(t, f, who)
	first := func(path, list, id string) string {
		t.Helper()
		var found string
		testkit.Eventually(t, within, func() error { // lists trail
			var page map[string]json.RawMessage
			var rows []map[string]any
			if err := json.Unmarshal([]byte(p.read(t, path)), &page); err != nil {
				return err
			}
			if err := json.Unmarshal(page[list], &rows); err != nil || len(rows) == 0 {
				return fmt.Errorf("%s has no %s: %w", path, list, err)
			}
			if found, _ = rows[0][id].(string); found == "" {
				return fmt.Errorf("%s has no %s yet: %v", path, id, rows[0])
			}
			return nil
		})
		return found
	}
	var stock struct {
		Stock struct{ StockID, ItemID string }
	}
	sku := s.Lines[0].SKU
	if err := json.Unmarshal([]byte(p.read(t, "/v1/stocks?"+url.Values{"site": {s.Site}, "sku": {sku}}.Encode())), &stock); err != nil {
		t.Fatal(err)
	}
	samples := map[string]string{
		"orders/order_id":                     report.OrderID,
		"shipments/shipment_id":               first("/v1/shipments?order_id="+report.OrderID, "shipments", "shipmentId"),
		"freights/freight_id":                 first("/v1/freights?order_id="+report.OrderID, "freights", "freightId"),
		"returns/rma_id":                      first("/v1/returns?order_id="+report.OrderID, "returns", "rmaId"),
		"warehouse-orders/warehouse_order_id": first("/v1/warehouse-orders?order_id="+report.OrderID, "warehouseOrders", "warehouseOrderId"),
		"documents/document_id":               first("/v1/documents?message_id="+url.QueryEscape(s.Number+":1"), "documents", "documentId"),
		"stocks/stock_id":                     stock.Stock.StockID,
		"items/sku":                           sku, "parties/code": s.Customer, "locations/code": s.Site, "carriers/code": s.Carrier,
		"number": s.Number, "prefix": number, "message": s.Number + ":1", "rma": s.Number + "-RMA", "item": stock.Stock.ItemID,
	}
	samples["asn"] = number + "-ASN"
	samples["inbound-deliveries/inbound_delivery_id"] = p.announce(t, samples["asn"], s.Site, sku, 3, "").GetId()
	samples["stock-snapshots/snapshot_id"] = p.snapshot(t, s.Site, time.Now(), "sku,quantity,unit\n").GetId()
	testkit.Eventually(t, within, func() error { // lists trail
		list, file := &inventorymovementv1.ListSnapshotsResponse{}, &inventorymovementv1.GetSnapshotResponse{}
		unmarshal(t, p.read(t, "/v1/stock-snapshots?site="+s.Site), list)
		unmarshal(t, p.read(t, "/v1/stock-snapshots/"+samples["stock-snapshots/snapshot_id"]), file)
		if n, is := list.GetSnapshots(), file.GetSnapshot(); len(n) != 1 || n[0].GetEtag() != is.GetEtag() {
			return fmt.Errorf("%v are listed, the file is %v", n, is)
		}
		return nil
	})
	samples["piece"], samples["serial"] = testkit.Name("PIECE"), testkit.Name("SN")
	p.put(t, http.MethodPut, "/v1/items/"+samples["piece"], `{"item":{"name":"Piece","baseUnit":"EA","tracking":{"serial":true}}}`)
	p.eventually(t, http.MethodPost, "/v1/stocks:recordReceipt", fmt.Sprintf(
		`{"receipt":{"site":%[1]q,"sku":%[2]q,"serials":[%[3]q],"location":"%[1]s/R-01","quantity":{"value":"1","unit":"EA"},"document":"OPENING"}}`, s.Site, samples["piece"], samples["serial"]))
	arrived := p.announce(t, number+"-PIECE", s.Site, samples["piece"], 1, "").GetId() // and waits to be put away
	p.inbound(t, arrived, "receiveLines", number, fmt.Sprintf(
		`{"goods":[{"lineNumber":1,"quantity":{"value":"1","unit":"EA"},"location":"%s/R-01","serials":[%q]}]}`, s.Site, samples["serial"]+"-2"))
	first("/v1/putaways?site="+s.Site, "putaways", "inboundDeliveryId")
	samples["stock-counts/count_id"] = receipt(t, "count", p.command(t, http.MethodPost, "/v1/stock-counts", testkit.Name("count"), fmt.Sprintf(`{"site":%q,"skus":[%q]}`, s.Site, sku))).GetId()
	elsewhere := testkit.Name("SITE")
	p.must(t, http.MethodPut, "/v1/locations/"+elsewhere, `{"location":{"name":"Elsewhere","kind":"LOCATION_KIND_SITE","timeZone":"UTC","address":{"name":"N","lines":["1"],"city":"Gary","postalCode":"46402","country":"US"}}}`)
	testkit.Eventually(t, within, func() error { // inventory's copy trails; nothing stands there, so nothing is sent
		a := p.command(t, http.MethodPost, "/v1/stock-transfers", testkit.Name("transfer"), fmt.Sprintf(
			`{"fromSite":%q,"toSite":%q,"lines":[{"sku":%q,"location":"NOWHERE","lot":"X","expiryDate":"2099-01-01","quantity":{"value":"1","unit":%q}}]}`, s.Site, elsewhere, sku, s.Lines[0].Unit))
		if a.status != http.StatusOK {
			return fmt.Errorf("%d %s", a.status, a.body)
		}
		samples["stock-transfers/transfer_id"] = receipt(t, "transfer", a).GetId()
		return nil
	})
	testkit.Eventually(t, within, func() error { // it is refused, and listed so
		list := &inventorymovementv1.ListTransfersResponse{}
		unmarshal(t, p.read(t, "/v1/stock-transfers?site="+s.Site), list)
		if all := list.GetTransfers(); len(all) != 1 || all[0].GetState() != inventorymovementv1.TransferState_TRANSFER_STATE_CANCELLED {
			return fmt.Errorf("%v", all)
		}
		return nil
	})
	first("/v1/stock-counts?site="+s.Site, "counts", "countId")
	first("/v1/inbound-deliveries?asn_number="+samples["asn"], "inboundDeliveries", "inboundDeliveryId")
	samples["handling-units/sscc"] = first("/v1/handling-units?warehouse_order_id="+samples["warehouse-orders/warehouse_order_id"], "handlingUnits", "sscc")
	samples["waves/wave_id"] = receipt(t, "wave", p.command(t, http.MethodPost, "/v1/waves", testkit.Name("wave"), fmt.Sprintf( // which cannot have it any more
		`{"site":%q,"method":"WAVE_METHOD_BATCH","warehouseOrderIds":[%q]}`, s.Site, samples["warehouse-orders/warehouse_order_id"]))).GetId()
	samples["order-views/order_id"] = report.OrderID
	samples["freight-invoices/invoice_id"] = first("/v1/freight-invoices?reference="+samples["freights/freight_id"], "invoices", "invoiceId")
	samples["pro"] = first("/v1/shipments?order_id="+report.OrderID, "shipments", "proNumber")
	// In a sound suite no fact is refused: there is no letter, only how its id would look. That a
	// letter is its tenant's own is tested where one can be made, in libs/host/hosttest.
	samples["services/service"] = "returns"
	samples[letter] = "claim." + samples["returns/rma_id"] + ".000000000001.00000"
	samples["gtin"] = gtinOf(t, p, sku)
	samples["release-channels/code"] = testkit.Name("CH")
	for path, body := range map[string]string{
		"/v1/sourcing-rules": fmt.Sprintf(`{"rules":[{"name":"ours","condition":"order.priority > 9","sites":[%q]}]}`, s.Site),
		"/v1/release-channels/" + samples["release-channels/code"]: fmt.Sprintf(`{"channel":{"site":%q,"condition":"order.priority > 9"}}`, s.Site),
	} {
		if a := p.command(t, http.MethodPut, path, testkit.Name("ours"), body); a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
	}
	first("/v1/release-channels", "channels", "code")
	described(t, p, samples)
	for name, value := range samples {
		if value == "" {
			t.Fatalf("no sample of %s", name)
		}
	}
	return p, samples
}

// gtinOf is the first GTIN of an item.
func gtinOf(t *testing.T, p party, sku string) string {
	t.Helper()
	got := &masterdatav1.GetItemResponse{}
	unmarshal(t, p.read(t, "/v1/items/"+sku), got)
	all := got.GetItem().GetItem().GetIdentifiers()
	if len(all) == 0 {
		t.Fatalf("%s has no identifier", sku)
	}
	return all[0].GetValue()
}

// settled is the snapshot that stays as it is: what the samples set going has come to its end, and
// the lists have it.
func settled(t *testing.T, p party, all []endpoint, samples map[string]string) map[string]string {
	t.Helper()
	kept, since := snapshot(t, p, all, samples), time.Now()
	testkit.Eventually(t, within, func() error {
		if now := snapshot(t, p, all, samples); same(kept, now) != nil {
			kept, since = now, time.Now()
		}
		if still := time.Since(since); still < 2*time.Second {
			return fmt.Errorf("nothing has changed for %s", still)
		}
		return nil
	})
	return kept
}

// snapshot is what the owner reads at every endpoint that reads, by path: the versions and all
// else. Only the moment that a list is good to may differ from one time to the next.
func snapshot(t *testing.T, p party, all []endpoint, samples map[string]string) map[string]string {
	t.Helper()
	read := map[string]string{}
	for _, e := range all {
		if e.method != http.MethodGet || slices.Contains(e.idsInPath(), letter) {
			continue
		}
		path := fill(e.path+elsewhere[e.rpc+" "+e.path].query, samples)
		var body map[string]any
		if err := json.Unmarshal([]byte(p.read(t, path)), &body); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(timeless(body))
		if err != nil {
			t.Fatal(err)
		}
		read[path] = string(text)
	}
	return read
}

// timeless drops the moments of reading, and those named beside, wherever they stand.
func timeless(v any, beside ...string) any {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range append([]string{"asOfTime", "horizonTime"}, beside...) {
			delete(v, name)
		}
		for name := range v {
			v[name] = timeless(v[name], beside...)
		}
	case []any:
		for i := range v {
			v[i] = timeless(v[i], beside...)
		}
	}
	return v
}

func same(before, after map[string]string) error {
	for path, was := range before {
		if is := after[path]; is != was {
			return fmt.Errorf("%s was\n%s\nand is\n%s", path, was, is)
		}
	}
	return nil
}

// anyID is how ids look that are derived from a tenant's keys.
var anyID = regexp.MustCompile(`[a-z]{3,4}_[a-z2-7]{26}`)

// secretsIn are the ids that stand in what the owner reads, its order's number and its channel's code.
func secretsIn(read, samples map[string]string) []string {
	all := map[string]bool{samples["number"]: true, samples["release-channels/code"]: true}
	for _, body := range read {
		for _, id := range anyID.FindAllString(body, -1) {
			all[id] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// unknown are samples of the same shapes that nobody has; the codes of master data, which are
// nobody's in particular, are among them or stay.
func unknown(samples map[string]string, codesToo bool) map[string]string {
	out := maps.Clone(samples)
	for name, sample := range samples {
		switch {
		case anyID.MatchString(sample):
			out[name] = anyID.ReplaceAllStringFunc(sample, func(id string) string {
				return id[:strings.Index(id, "_")+1] + strings.Repeat("a", 26)
			})
		case name == "services/service": // the suite's, not a tenant's
		case name == "handling-units/sscc": // digits only, the last of which checks the others
			out[name] = "340123450000000017"
		case codesToo || !codes.MatchString("/v1/"+name):
			out[name] = strings.Map(func(c rune) rune {
				switch {
				case 'A' <= c && c <= 'Z':
					return 'Q'
				case 'a' <= c && c <= 'z':
					return 'q'
				}
				return c
			}, sample)
		}
	}
	return out
}

// anonymous is an answer without what names the request: two of them are equal when nothing
// tells the requests apart.
func anonymous(a answer, samples map[string]string) string {
	var body map[string]any
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		return a.body
	}
	text, _ := json.Marshal(timeless(body, "requestId", "traceId", "createTime", "updateTime")) // it was JSON a line ago
	out := string(text)
	names := slices.SortedFunc(maps.Keys(samples), func(a, b string) int { // the longest first: one may hold another
		return cmp.Or(cmp.Compare(len(samples[b]), len(samples[a])), cmp.Compare(a, b))
	})
	for _, name := range names {
		out = strings.ReplaceAll(out, samples[name], "<"+name+">")
	}
	// What is left is derived from the stranger's own tenant; the owner's ids are looked for apart.
	return fmt.Sprintf("%d %s %s", a.status, a.header.Get("ETag"), anyID.ReplaceAllString(out, "<id>"))
}

// nothing holds an answer against having no row.
func nothing(t *testing.T, body string) {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	for name, value := range v {
		if rows, list := value.([]any); list && len(rows) > 0 {
			t.Errorf("%s of a tenant that has nothing: %s", name, body)
		}
	}
}
