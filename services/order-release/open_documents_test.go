package orderrelease_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	operationsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/operations/v1"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	orderrelease "github.com/lockstep-logistics/lockstep/services/order-release"
)

// TestOpenDocuments: an order is told of by every record that it names until it is over, and to
// nobody but its own tenant.
func TestOpenDocuments(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){"named": namedByOrders})
}

func namedByOrders(t *testing.T, w *world) {
	open := operationsv1.NewOpenDocumentServiceClient(w.Client(orderrelease.Name, w.Service("master-data")))
	skus := w.stocked(t, 5, 0)
	doc := order(t, lineOf(1, skus[0], 2), lineOf(2, skus[1], 1))
	doc.SoldTo.PartyCode, doc.Site, doc.CarrierPreference = "C-2", "DC2", "UPSN"
	id := w.submit(t, doc)
	tells := func(kind operationsv1.NamedRecordType, key, recordID string, want bool) {
		t.Helper()
		testkit.Eventually(t, patience, func() error {
			resp, err := open.FindOpenDocuments(t.Context(), &operationsv1.FindOpenDocumentsRequest{RecordType: kind, RecordKey: key, RecordId: recordID})
			if err != nil {
				return err
			}
			told := slices.ContainsFunc(resp.GetDocuments(), func(d *operationsv1.OpenDocument) bool {
				return d.GetType() == operationsv1.OpenDocumentType_OPEN_DOCUMENT_TYPE_ORDER && d.GetDocumentId() == id && d.GetNumber() == doc.GetOrderNumber() && d.GetState() != ""
			})
			if told != want {
				return fmt.Errorf("told of %s %s: %t, %v", kind, key, told, resp)
			}
			return nil
		})
	}
	records := map[operationsv1.NamedRecordType][2]string{
		operationsv1.NamedRecordType_NAMED_RECORD_TYPE_ITEM:     {skus[1], w.id("itm", skus[1])},
		operationsv1.NamedRecordType_NAMED_RECORD_TYPE_PARTY:    {"C-2", w.id("pty", "C-2")},
		operationsv1.NamedRecordType_NAMED_RECORD_TYPE_LOCATION: {"DC2", w.id("loc", "DC2")},
		operationsv1.NamedRecordType_NAMED_RECORD_TYPE_CARRIER:  {"UPSN", w.id("car", "UPSN")},
	}
	for kind, r := range records {
		tells(kind, r[0], r[1], true)
	}
	tells(operationsv1.NamedRecordType_NAMED_RECORD_TYPE_ITEM, "BASE", w.id("itm", "BASE"), false)
	if _, err := w.orders.RequestCancel(t.Context(), &or.RequestCancelRequest{OrderId: id, Reason: "CUSTOMER_REQUEST"}); err != nil {
		t.Fatal(err)
	}
	w.state(t, id, or.OrderState_ORDER_STATE_CANCELLED)
	for kind, r := range records {
		tells(kind, r[0], r[1], false)
	}
}
