package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// document is the request that hands over orders as CSV under a message id.
func document(message, csv string) string {
	return fmt.Sprintf(`{"document":{"type":"DOCUMENT_TYPE_ORDERS","format":"DOCUMENT_FORMAT_CSV","content":%q,"source":{"system":"erp","messageId":%q}}}`,
		base64.StdEncoding.EncodeToString([]byte(csv)), message)
}

// documentWithBadRows: the good rows of a document become orders, the bad ones are named by line
// and field, and the same document again, under whatever key, changes nothing.
func documentWithBadRows(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 2, 100)
	sku := lifecycle.SKU(0)
	csv := "order_number,sold_to,site,line_number,sku,quantity,unit\r\n" + // 1
		"CSV-1,ACME,DC1,1," + sku + ",2,EA\r\n" + // 2
		"CSV-1,,,2," + lifecycle.SKU(1) + ",1,EA\r\n" + // 3, the same order
		"CSV-2,ACME,DC1,1,NOBODY-KNOWS,1,EA\r\n" + // 4
		"CSV-3,ACME,DC1,1," + sku + ",two,EA\r\n" + // 5
		"CSV-4,ACME,DC1,1," + sku + ",3,EA\r\n" + // 6
		"CSV-5,ACME,DC1,1," + sku + ",1\r\n" + // 7, a field is missing
		"CSV-6,ACME,DC1,x," + sku + ",1,EA\r\n" + // 8
		"CSV-7,ACME,NOWHERE,1," + sku + ",1,EA\r\n" + // 9
		"CSV-8,ACME,DC1,1," + sku + ",1,EA\r\n" + // 10
		"CSV-8,,,2," + sku + ",,EA\r\n" + // 11: an order without one of its lines is another order
		"CSV-9,ACME,DC1,1," + sku + ",4,EA\r\n" // 12
	first := p.command(t, http.MethodPost, "/v1/documents", "document-1", document("MSG-1", csv))
	id := receipt(t, "document", first).GetId()
	d := p.document(t, id)
	if got := fmt.Sprintf("%s %d/%d of %d rows", d.GetState(), d.GetApplied(), d.GetRefused(), d.GetRows()); got != "DOCUMENT_STATE_PARTIAL 3/6 of 11 rows" {
		t.Errorf("the document is %s: %v", got, d)
	}
	want := []string{
		"4 sku ITEM_UNKNOWN CSV-2", "5 quantity STRING_PATTERN CSV-3", "7  FIELD_COUNT ", "8 line_number VALUE_INVALID CSV-6",
		"9 site SITE_UNKNOWN CSV-7", "11 quantity STRING_PATTERN CSV-8",
	}
	report := p.report(t, id)
	if got := slices.Sorted(slices.Values(report)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("reported\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	p.settled(t, "on hand 100, allocated 9, promised 0, to promise 91")
	// What the owner refused is kept there as rejected; what could not be read never came there.
	all := p.orders(t, 5)
	states := map[string]string{}
	for number, o := range all {
		if number == "CSV-2" || number == "CSV-7" {
			states[number] = p.read(t, "/v1/orders/"+o.GetOrderId())
			if o.GetState() != orderreleasev1.OrderState_ORDER_STATE_REJECTED {
				t.Errorf("%s is %s", number, o.GetState())
			}
			continue
		}
		if o := p.allocated(t, o.GetOrderId()); number == "CSV-1" && len(o.GetLines()) != 2 {
			t.Errorf("CSV-1 has %d lines", len(o.GetLines()))
		}
		states[number] = p.read(t, "/v1/orders/"+o.GetOrderId())
	}

	replay := p.command(t, http.MethodPost, "/v1/documents", "document-1", document("MSG-1", csv))
	if replay.body != first.body || replay.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the same request: %v, first %v", replay, first)
	}
	again := receipt(t, "again", p.command(t, http.MethodPost, "/v1/documents", "document-2", document("MSG-1", csv)))
	if again.GetId() != id || len(again.GetReasons()) != 1 || again.GetReasons()[0].GetCode() != "DUPLICATE" {
		t.Errorf("the same document: %v", again)
	}
	refused(t, "another content", p.command(t, http.MethodPost, "/v1/documents", "document-3", document("MSG-1", csv+"CSV-10,ACME,DC1,1,"+sku+",1,EA\r\n")), "409 MESSAGE_ID_TAKEN")
	now := p.document(t, id)
	if now.GetApplied() != d.GetApplied() || now.GetRefused() != d.GetRefused() || now.GetErrors() != d.GetErrors() || now.GetDuplicates() != 1 {
		t.Errorf("the document was %v and is %v", d, now)
	}
	if again := p.report(t, id); !slices.Equal(again, report) {
		t.Errorf("the report was %v and is %v", report, again)
	}
	for number, o := range p.orders(t, 5) {
		if now := p.read(t, "/v1/orders/"+o.GetOrderId()); now != states[number] {
			t.Errorf("%s was %s and is %s", number, states[number], now)
		}
	}
	p.settled(t, "on hand 100, allocated 9, promised 0, to promise 91")
}

// document waits until a document is done.
func (p party) document(t *testing.T, id string) *integrationv1.Document {
	t.Helper()
	var d *integrationv1.Document
	testkit.Eventually(t, within, func() error {
		resp := &integrationv1.GetDocumentResponse{}
		unmarshal(t, p.read(t, "/v1/documents/"+id), resp)
		if d = resp.GetDocument(); d.GetState() < integrationv1.DocumentState_DOCUMENT_STATE_APPLIED {
			return fmt.Errorf("%s is %s", id, d.GetState())
		}
		return nil
	})
	return d
}

// report returns the errors of a document, each "line field REASON key".
func (p party) report(t *testing.T, id string) (all []string) {
	t.Helper()
	resp := &integrationv1.ListDocumentErrorsResponse{}
	unmarshal(t, p.read(t, "/v1/documents/"+id+"/errors?page_size=200"), resp)
	for _, e := range resp.GetErrors() {
		all = append(all, fmt.Sprintf("%d %s %s %s", e.GetLine(), e.GetField(), e.GetReason(), e.GetKey()))
	}
	return all
}
