package inventorymovement_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// places: a site that has bins takes goods at places of its own only, and one without takes
// any. What stands anywhere may leave. A place that master data has is never too early, and
// while master data is down what is known here is received all the same.
func places(t *testing.T, w *world) {
	sku := w.item(t)
	site := testkit.Name("S")
	define := func(code, parent string, kind md.LocationKind) {
		l := &md.Location{Code: code, ParentCode: parent, Kind: kind}
		w.masterData.put(w.Tenant, l)
		w.masterData.publish(t, w.Tenant, w.id("loc", code), &md.LocationDefined{Location: l, SiteCode: site})
	}
	receive := func(at string) error {
		return w.answered(t, func() error {
			_, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{Site: site, Sku: sku, Location: at, Quantity: ea(1)}})
			return err
		})
	}
	define(site, "", md.LocationKind_LOCATION_KIND_SITE)
	testkit.Eventually(t, patience, func() error { return receive("ANY") }) // no bins: anywhere

	define(site+"/DOOR", site, md.LocationKind_LOCATION_KIND_DOCK)
	define(site+"/BIN", site, md.LocationKind_LOCATION_KIND_BIN)
	refused := func(err error, field string) error {
		if f, ok := fault.As(err); !ok || f.Kind != fault.Invalid || f.Reason != "LOCATION_UNKNOWN" || len(f.Fields) != 1 || f.Fields[0].Path != field {
			return fmt.Errorf("%s: %w", field, err)
		}
		return nil
	}
	testkit.Eventually(t, patience, func() error { return refused(receive("ANY"), "receipt.location") })
	before := w.rowsAt(t, site, sku)
	move := func(from, to string) error {
		return w.answered(t, func() error {
			_, err := w.wms.MoveStock(t.Context(), &im.MoveStockRequest{Site: site, Sku: sku, FromLocation: from, ToLocation: to, Quantity: ea(1)})
			return err
		})
	}
	adjust := func(at string, by int) error {
		return w.answered(t, func() error {
			_, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: site, Sku: sku, Location: at, Change: ea(by), Reason: "COUNT"})
			return err
		})
	}
	returned := func(at string) error {
		return w.answered(t, func() error {
			_, err := w.wms.RecordReturnReceipt(t.Context(), &im.RecordReturnReceiptRequest{Site: site, Sku: sku, Location: at, Quantity: ea(1), RmaId: w.id("rma", sku)})
			return err
		})
	}
	w.masterData.put(w.Tenant, &md.Location{Code: "ELSEWHERE-" + site, ParentCode: "DC1", Kind: md.LocationKind_LOCATION_KIND_BIN})
	for field, err := range map[string]error{
		"receipt.location": receive("ELSEWHERE-" + site), "to_location": move("ANY", "NONE"), "location": returned("NONE"),
	} {
		if err := refused(err, field); err != nil {
			t.Error(err)
		}
	}
	if err := refused(adjust("NONE", 1), "location"); err != nil {
		t.Error(err)
	}
	if after := w.rowsAt(t, site, sku); after != before {
		t.Errorf("refused, and yet stock was %s and is %s", before, after)
	}
	for what, err := range map[string]error{"a bin": receive(site + "/BIN"), "a dock": receive(site + "/DOOR"), "leaving": move("ANY", site+"/BIN"), "a count": adjust(site+"/BIN", -1)} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	early(t, w, site, sku, receive)
}

// answered runs a command, again where a loaded machine had no word of master data in time.
func (w *world) answered(t *testing.T, command func() error) (err error) {
	t.Helper()
	testkit.Eventually(t, patience, func() bool {
		err = command()
		f, ok := fault.As(err)
		return w.masterData.down.Load() || !ok || f.Reason != "MASTER_DATA_UNAVAILABLE"
	})
	return err
}

// early: facts trail. Master data is asked then, in the zone of a site too.
func early(t *testing.T, w *world, site, sku string, receive func(at string) error) {
	w.masterData.put(w.Tenant, &md.Location{Code: site + "/ZONE", ParentCode: site, Kind: md.LocationKind_LOCATION_KIND_ZONE})
	w.masterData.put(w.Tenant, &md.Location{Code: site + "/Z-1", ParentCode: site + "/ZONE", Kind: md.LocationKind_LOCATION_KIND_BIN})
	if err := receive(site + "/Z-1"); err != nil {
		t.Errorf("master data knows it: %v", err)
	}
	w.masterData.down.Store(true)
	defer w.masterData.down.Store(false)
	testkit.Eventually(t, patience, func() error { return receive(site + "/BIN") }) // known here, or soon, while master data is down
	reason(t, receive(site+"/Z-1"), fault.Unavailable, "MASTER_DATA_UNAVAILABLE")
	resp, err := w.wms.BatchRecordReceipts(t.Context(), &im.BatchRecordReceiptsRequest{Receipts: []*im.GoodsReceipt{
		{Site: site, Sku: sku, Location: site + "/BIN", Quantity: ea(1)}, {Site: site, Sku: sku, Location: site + "/Z-1", Quantity: ea(1)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var whys []string
	for _, r := range resp.GetResults() {
		whys = append(whys, r.GetFailure().GetReason()+" "+strconv.FormatBool(r.GetFailure().GetRetryable()))
	}
	if !slices.Equal(whys, []string{" false", "MASTER_DATA_UNAVAILABLE true"}) {
		t.Errorf("of a batch: %v", whys)
	}
}
