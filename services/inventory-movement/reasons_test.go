package inventorymovement_test

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/codelist"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// TestReasonsOfATenant: a tenant's own reasons go over the embedded ones, and once it has some,
// adjustments are held against the list too; without them any code is taken, as ever.
func TestReasonsOfATenant(t *testing.T) {
	w := newWorld(t, "sqlite")
	sku := w.stocked(t, 10)
	change := func(why string) error {
		_, err := w.wms.ChangeStatus(t.Context(), &im.ChangeStatusRequest{
			Site: "DC1", Sku: sku, Location: "B-1", ToStatus: im.StockStatus_STOCK_STATUS_BLOCKED, Quantity: ea(1), Reason: why,
		})
		return err
	}
	adjust := func(why string) error {
		_, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: "DC1", Sku: sku, Location: "B-1", Change: ea(1), Reason: why})
		return err
	}
	if err := adjust("ANY"); err != nil {
		t.Fatal(err)
	}
	reason(t, change("LAB"), fault.Invalid, "REASON_CODE_UNKNOWN")
	list := &md.CodeList{Code: codelist.StockReasons, Entries: []*md.CodeEntry{{Code: "LAB", CanonicalCode: "SAMPLE", Meaning: "to the laboratory"}}}
	id := w.id("cdl", codelist.StockReasons)
	w.masterData.publish(t, w.Tenant, w.id("cdl", "OTHER"), &md.CodeListDefined{CodeList: &md.CodeList{Code: "OTHER", Entries: []*md.CodeEntry{{Code: "ANY"}}}})
	w.masterData.publish(t, w.Tenant, id, &md.CodeListDefined{CodeListId: id, CodeList: list})
	testkit.Eventually(t, patience, func() error { return change("LAB") })
	for _, why := range []string{"LAB", "COUNT"} {
		if err := adjust(why); err != nil {
			t.Errorf("%s: %v", why, err)
		}
	}
	reason(t, adjust("ANY"), fault.Invalid, "REASON_CODE_UNKNOWN")
	w.masterData.publish(t, w.Tenant, id, &md.CodeListRetired{CodeListId: id, CodeList: list})
	testkit.Eventually(t, patience, func() error { return adjust("ANY") })
	reason(t, change("LAB"), fault.Invalid, "REASON_CODE_UNKNOWN")
}
