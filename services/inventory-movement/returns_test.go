package inventorymovement_test

import (
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

// returnedGoods come back into a bin, where nobody can have them, and go where returns
// decides; more than came back is a discrepancy.
func returnedGoods(t *testing.T, w *world) {
	sku := w.item(t)
	rma := w.id("rma", sku)
	resp, err := w.wms.RecordReturnReceipt(t.Context(), &im.RecordReturnReceiptRequest{
		Site: "DC1", Sku: sku, Location: "RET-1", Lot: "L7", Quantity: ea(10), RmaId: rma, RmaLineNumber: 2,
	})
	if err != nil || resp.GetReceipt().GetId() != w.stockID(sku) {
		t.Fatal(resp, err)
	}
	if atp, _ := w.atp(t, sku); atp != "0" {
		t.Errorf("%s can be promised", atp)
	}
	w.becomes(t, sku, "CUSTOMER -10, RET-1 lot L7 RETURNED 10")
	dispose := func(d returnsv1.Disposition, to string, n int) {
		w.returns.publish(t, w.Tenant, rma, &returnsv1.ItemsDisposed{
			RmaId: rma, RmaLineNumber: 2, Disposition: d, Quantity: ea(n), StockId: w.stockID(sku), Site: "DC1",
			ItemId: w.id("itm", sku), Sku: sku, Owner: "OWN", FromLocation: "RET-1", Lot: "L7", FromStatus: "RETURNED", ToLocation: to,
			EventTime: timestamppb.Now(),
		})
	}
	dispose(returnsv1.Disposition_DISPOSITION_RESTOCK, "B-1", 4)
	w.becomes(t, sku, "B-1 lot L7 4, CUSTOMER -10, RET-1 lot L7 RETURNED 6")
	if atp, _ := w.atp(t, sku); atp != "4" {
		t.Errorf("%s can be promised", atp)
	}
	dispose(returnsv1.Disposition_DISPOSITION_QUARANTINE, "Q-1", 2)
	dispose(returnsv1.Disposition_DISPOSITION_SCRAP, "", 1)
	dispose(returnsv1.Disposition_DISPOSITION_BACK_TO_CUSTOMER, "", 1)
	dispose(returnsv1.Disposition_DISPOSITION_RETURN_TO_VENDOR, "", 1)
	w.becomes(t, sku, "B-1 lot L7 4, CUSTOMER -9, Q-1 lot L7 BLOCKED 2, RET-1 lot L7 RETURNED 1, SCRAP 1, SUPPLIER 1")
	dispose(returnsv1.Disposition_DISPOSITION_RESTOCK, "", 3)
	w.becomes(t, sku, "B-1 lot L7 4, CUSTOMER -9, DISCREPANCY -2, Q-1 lot L7 BLOCKED 2, RET-1 lot L7 3, SCRAP 1, SUPPLIER 1")
}
