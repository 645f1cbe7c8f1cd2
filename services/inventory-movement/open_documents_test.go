package inventorymovement_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	operationsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/operations/v1"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
)

// TestOpenDocuments: warehouse orders, deliveries and stock are told of by the records that they
// name until they are over, or nothing is there any more.
func TestOpenDocuments(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){"named": namedInTheWarehouse})
}

func namedInTheWarehouse(t *testing.T, w *world) {
	open := operationsv1.NewOpenDocumentServiceClient(w.Client(inventorymovement.Name, w.Service("master-data")))
	sku := w.stocked(t, 10)
	tells := func(kind operationsv1.NamedRecordType, key, recordID, want string) {
		t.Helper()
		testkit.Eventually(t, patience, func() error {
			resp, err := open.FindOpenDocuments(t.Context(), &operationsv1.FindOpenDocumentsRequest{RecordType: kind, RecordKey: key, RecordId: recordID})
			if err != nil {
				return err
			}
			var told []string
			for _, d := range resp.GetDocuments() {
				told = append(told, strings.TrimSpace(strings.TrimPrefix(d.GetType().String(), "OPEN_DOCUMENT_TYPE_")+" "+d.GetState()))
			}
			slices.Sort(told)
			if is := strings.Join(told, ", "); is != want {
				return fmt.Errorf("%s %s: %s, want %s", kind, key, is, want)
			}
			return nil
		})
	}
	item := func(want string) {
		t.Helper()
		tells(operationsv1.NamedRecordType_NAMED_RECORD_TYPE_ITEM, sku, w.id("itm", sku), want)
	}
	item("STOCK")
	r := asn(sku, 5)
	r.Supplier = testkit.Name("S")
	delivery := w.announce(t, r)
	tells(operationsv1.NamedRecordType_NAMED_RECORD_TYPE_PARTY, r.GetSupplier(), w.id("pty", r.GetSupplier()), "INBOUND_DELIVERY EXPECTED")
	_, who := w.release(t, line{sku, 10, ""})
	w.state(t, who, "ALLOCATED")
	item("INBOUND_DELIVERY EXPECTED, STOCK, WAREHOUSE_ORDER ALLOCATED")
	if _, err := w.wms.CancelRemaining(t.Context(), &im.CancelRemainingRequest{InboundDeliveryId: delivery, Reason: "SUPPLIER_SHORT"}); err != nil {
		t.Fatal(err)
	}
	w.confirm(t, who, picked(1, 10))
	w.pack(t, who, picked(1, 10))
	if _, err := w.wms.PostGoodsIssue(t.Context(), &im.PostGoodsIssueRequest{WarehouseOrderId: who}); err != nil {
		t.Fatal(err)
	}
	w.state(t, who, "ISSUED")
	item("")
	tells(operationsv1.NamedRecordType_NAMED_RECORD_TYPE_PARTY, r.GetSupplier(), w.id("pty", r.GetSupplier()), "")
}
