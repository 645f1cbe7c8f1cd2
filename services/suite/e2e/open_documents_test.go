package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// naming waits until exactly documents of these types name a record.
func (p party) naming(t *testing.T, objectType, key, want string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		resp := &masterdatav1.FindOpenDocumentsResponse{}
		unmarshal(t, p.read(t, "/v1/open-documents?object_type=OBJECT_TYPE_"+objectType+"&object_key="+key), resp)
		var types []string
		for _, d := range resp.GetOpenDocuments().GetDocuments() {
			types = append(types, strings.TrimPrefix(d.GetType().String(), "OPEN_DOCUMENT_TYPE_"))
		}
		slices.Sort(types)
		if is := strings.Join(types, " "); is != want || len(resp.GetOpenDocuments().GetNotAsked()) > 0 {
			return fmt.Errorf("%s name %s %s, want %s; not asked %v", is, objectType, key, want, resp.GetOpenDocuments().GetNotAsked())
		}
		return nil
	})
}

// openDocuments: what an order, its warehouse order, a delivery and stock name is not retired, and
// not changed so that they would break, unless somebody says so; a document that is over names
// nothing any more.
func openDocuments(t *testing.T, f *fleet.Fleet) {
	d, who := driver(t, f)
	if err := d.Setup(t.Context(), 1, 10); err != nil {
		t.Fatal(err)
	}
	p := speak(t, f, who)
	second := guard.AdminCaller(who.Tenant)
	second.Principal = "second"
	other := speak(t, f, second)
	sku, path := lifecycle.SKU(0), "/v1/items/"+lifecycle.SKU(0)
	p.announce(t, "ASN-OPEN", lifecycle.Site, sku, 5, "")
	id := receipt(t, "order", p.command(t, http.MethodPost, "/v1/orders", "open-order", order("OPEN-1", 2))).GetId()
	p.naming(t, "ITEM", sku, "INBOUND_DELIVERY ORDER STOCK WAREHOUSE_ORDER")
	p.naming(t, "LOCATION", lifecycle.Site, "INBOUND_DELIVERY ORDER STOCK WAREHOUSE_ORDER")
	p.naming(t, "CARRIER", lifecycle.Carrier, "ORDER WAREHOUSE_ORDER")
	p.naming(t, "PARTY", lifecycle.Customer, "ORDER")
	for _, record := range []string{path, "/v1/parties/" + lifecycle.Customer, "/v1/carriers/" + lifecycle.Carrier, "/v1/locations/" + lifecycle.Site} {
		a := p.command(t, http.MethodPost, record+":retire", testkit.Name("retire"), `{}`)
		if q := a.problem(); a.status != http.StatusConflict || q.Code != "OPEN_DOCUMENTS" || len(q.Errors) == 0 || q.Errors[0].Pointer != "#/allowOpenDocuments" {
			t.Errorf("%s: %d %s", record, a.status, a.body)
		}
	}
	change := fmt.Sprintf(`{"code":"CR-LOTS","item":{"sku":%q,"name":"Item 0","baseUnit":"EA","baseWeightGrams":"250","tracking":{"lot":true}}}`, sku)
	if r := receipt(t, "proposed", p.command(t, http.MethodPost, "/v1/changes", "open-change", change)); len(r.GetReasons()) == 0 || r.GetReasons()[0].GetCode() != "OPEN_DOCUMENTS" {
		t.Errorf("proposed without a warning: %v", r)
	}
	if preview := p.read(t, "/v1/changes/CR-LOTS:preview"); !strings.Contains(preview, `"tracking"`) || !strings.Contains(preview, id) {
		t.Errorf("preview %s", preview)
	}
	a := other.command(t, http.MethodPost, "/v1/changes/CR-LOTS:approve", "open-approve-1", `{}`)
	if q := a.problem(); a.status != http.StatusConflict || q.Code != "OPEN_DOCUMENTS" {
		t.Errorf("approved: %d %s", a.status, a.body)
	}
	other.put(t, http.MethodPost, "/v1/changes/CR-LOTS:approve", `{"allowOpenDocuments":true}`)
	p.put(t, http.MethodPost, "/v1/orders/"+id+":cancel", `{"reason":"CUSTOMER_REQUEST"}`)
	p.naming(t, "PARTY", lifecycle.Customer, "")
	if r := receipt(t, "party", p.command(t, http.MethodPost, "/v1/parties/"+lifecycle.Customer+":retire", "open-party", `{}`)); r.GetState() != "RETIRED" || len(r.GetReasons()) != 0 {
		t.Errorf("nothing names it: %v", r)
	}
	if r := receipt(t, "item", p.command(t, http.MethodPost, path+":retire", "open-item", `{"allowOpenDocuments":true}`)); r.GetState() != "RETIRED" || len(r.GetReasons()) == 0 {
		t.Errorf("stock and a delivery name it: %v", r)
	}
}
