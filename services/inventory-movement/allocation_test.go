package inventorymovement_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// tracked defines an item that is kept by lot and expires, and must live for some days when it leaves.
func (w *world) tracked(t *testing.T, minDays int32) (sku string) {
	t.Helper()
	sku = w.item(t)
	w.masterData.publish(t, w.Tenant, w.id("itm", sku), &md.ItemDefined{Item: &md.Item{
		Sku: sku, BaseUnit: "EA", Tracking: &md.TrackingPolicy{Lot: true, Expiry: true, MinRemainingDays: minDays},
	}})
	testkit.Eventually(t, patience, func() error {
		_, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: "DC1", Sku: sku, Location: "B-1", Change: ea(-1), Reason: "PROBE"})
		if f, ok := fault.As(err); ok && f.Reason == "LOT_REQUIRED" {
			return nil
		}
		return fmt.Errorf("its tracking is not known: %w", err)
	})
	return sku
}

func inDays(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly) }

func (w *world) lot(t *testing.T, sku, lot, expiry string, pieces int) error {
	t.Helper()
	_, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{
		Site: "DC1", Sku: sku, Location: "B-1", Lot: lot, ExpiryDate: expiry, Quantity: ea(pieces),
	}})
	return err
}

// shelfLife: what does not live for the days that the item wants is neither promised nor
// allocated, and that is the reason told.
func shelfLife(t *testing.T, w *world) {
	sku := w.tracked(t, 30)
	for lot, days := range map[string]int{"SHORT": 29, "LONG": 31} {
		if err := w.lot(t, sku, lot, inDays(days), 5); err != nil {
			t.Fatal(err)
		}
	}
	if atp, _ := w.atp(t, sku); atp != "5" {
		t.Errorf("%s can be promised", atp)
	}
	if g := w.reserve(t, false, w.claim("clm:life:"+sku, sku, 8)); g[0].GetRefusal().GetCode() != "REMAINING_LIFE" {
		t.Errorf("%v", g)
	}
	if g := w.reserve(t, false, w.claim("clm:all:"+sku, sku, 11)); g[0].GetRefusal().GetCode() != "INSUFFICIENT_STOCK" {
		t.Errorf("%v", g)
	}
	_, who := w.release(t, line{sku, 8, ""})
	o := w.state(t, who, "ALLOCATED")
	if len(o.GetTasks()) != 1 || o.GetTasks()[0].GetLot() != "LONG" || o.GetTasks()[0].GetQuantity().GetValue() != "5" {
		t.Errorf("%v", o.GetTasks())
	}
	if s := o.GetShortages(); len(s) != 1 || s[0].GetQuantity().GetValue() != "3" || s[0].GetReason() != im.ShortageReason_SHORTAGE_REASON_REMAINING_LIFE {
		t.Errorf("%v", s)
	}
}

// lots: goods of an item that is kept by lot name it, and a lot has one date.
func lots(t *testing.T, w *world) {
	sku := w.tracked(t, 0)
	for _, tt := range []struct{ lot, expiry, want, field string }{
		{"", inDays(9), "LOT_REQUIRED", "receipt.lot"},
		{"L1", "", "EXPIRY_REQUIRED", "receipt.expiry_date"},
		{"L1", inDays(9), "", ""},
		{"L1", inDays(10), "LOT_EXPIRY_CONFLICT", "receipt.expiry_date"},
		{"L1", "", "", ""}, // its date is known by now
	} {
		err := w.lot(t, sku, tt.lot, tt.expiry, 1)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%+v: %v", tt, err)
			}
		} else if f := reason(t, err, fault.Invalid, tt.want); len(f.Fields) != 1 || f.Fields[0].Path != tt.field {
			t.Errorf("%+v: %+v", tt, f.Fields)
		}
	}
	if got := w.rows(t, sku); got != "B-1 lot L1 2, SUPPLIER -2" {
		t.Errorf("%s", got)
	}
	_, err := w.wms.MoveStock(t.Context(), &im.MoveStockRequest{Site: "DC1", Sku: sku, FromLocation: "B-1", ToLocation: "B-2", Quantity: ea(1)})
	reason(t, err, fault.Invalid, "LOT_REQUIRED")
	_, err = w.wms.RecordReturnReceipt(t.Context(), &im.RecordReturnReceiptRequest{Site: "DC1", Sku: sku, Location: "B-1", Quantity: ea(1), RmaId: w.id("rma", sku)})
	reason(t, err, fault.Invalid, "LOT_REQUIRED")
}

// firstReceived: what does not expire goes in the order in which it was received, bin by bin.
func firstReceived(t *testing.T, w *world) {
	sku := w.item(t)
	for _, bin := range []string{"B-3", "B-1", "B-2"} {
		w.receive(t, sku, bin, ea(2))
	}
	_, who := w.release(t, line{sku, 5, ""})
	var bins []string
	for _, task := range w.state(t, who, "ALLOCATED").GetTasks() {
		bins = append(bins, task.GetLocation()+" "+task.GetQuantity().GetValue())
	}
	if got := strings.Join(bins, ", "); got != "B-3 2, B-1 2, B-2 1" {
		t.Errorf("%s", got)
	}
}

// policies: a site goes by its own policy, else by the tenant's, from then on.
func policies(t *testing.T, w *world) {
	set := func(site string, s im.AllocationStrategy) error {
		_, err := w.wms.SetAllocationPolicy(t.Context(), &im.SetAllocationPolicyRequest{Site: site, Strategy: s})
		return err
	}
	bins := func(want string) {
		t.Helper()
		sku := w.item(t)
		for _, bin := range []string{"B-3", "B-1", "B-2"} {
			resp, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{Site: "DC2", Sku: sku, Location: bin, Quantity: ea(2)}})
			if err != nil {
				t.Fatal(resp, err)
			}
		}
		m := w.released(line{sku, 5, ""})
		m.Site = "DC2"
		w.orders.publish(t, w.Tenant, m.GetOrderId(), m)
		var got []string
		for _, task := range w.state(t, w.who(m), "ALLOCATED").GetTasks() {
			got = append(got, task.GetLocation()+" "+task.GetQuantity().GetValue())
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
	bins("B-3 2, B-1 2, B-2 1")
	if err := set("DC2", im.AllocationStrategy_ALLOCATION_STRATEGY_LIFO); err != nil {
		t.Fatal(err)
	}
	bins("B-2 2, B-1 2, B-3 1")
	reason(t, set("DC9", im.AllocationStrategy_ALLOCATION_STRATEGY_LIFO), fault.Invalid, "SITE_UNKNOWN")
	resp, err := w.wms.GetAllocationPolicy(t.Context(), &im.GetAllocationPolicyRequest{})
	if err != nil || len(resp.GetSites()) != 1 || resp.GetSites()[0].GetSite() != "DC2" || resp.GetOtherwise() != im.AllocationStrategy_ALLOCATION_STRATEGY_FIFO {
		t.Errorf("%v %v", resp, err)
	}
	if err := set("DC2", 0); err != nil {
		t.Fatal(err)
	}
	bins("B-3 2, B-1 2, B-2 1")
}

// atOnce: 24 releases of one unit each at once, with 10 on hand: 10 get theirs, and each of the
// other 14 is told why not.
func atOnce(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	const releases = 24
	who := make([]string, releases)
	var wg sync.WaitGroup
	for i := range releases {
		wg.Go(func() { _, who[i] = w.release(t, line{sku, 1, ""}) })
	}
	wg.Wait()
	allocated, short := 0, 0
	for _, id := range who {
		o := w.state(t, id, "ALLOCATED")
		allocated += len(o.GetTasks())
		for _, s := range o.GetShortages() {
			if s.GetReason() != im.ShortageReason_SHORTAGE_REASON_INSUFFICIENT_STOCK || s.GetQuantity().GetValue() != "1" || len(o.GetTasks()) > 0 {
				t.Errorf("%v", o)
			}
			short++
		}
	}
	if allocated != 10 || short != 14 {
		t.Errorf("%d allocated, %d short", allocated, short)
	}
	w.becomes(t, sku, "B-1 10/10, SUPPLIER -10")
}

// theSumOfLines: two lines of one item are held against the stock together.
func theSumOfLines(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	_, who := w.release(t, line{sku, 6, ""}, line{sku, 6, ""})
	o := w.state(t, who, "ALLOCATED")
	if s := o.GetShortages(); len(s) != 1 || s[0].GetLineNumber() != 2 || s[0].GetQuantity().GetValue() != "2" {
		t.Errorf("%v", s)
	}
	w.becomes(t, sku, "B-1 10/10, SUPPLIER -10")
}

// crossed: 64 callers want overlapping items in crossed orders, as claims and as releases.
// Nobody waits for what another holds, so all come to an end and the sums are right.
func crossed(t *testing.T, w *world) {
	const items, callers, each = 6, 64, 3
	wants := func(c, i int) int {
		if c%2 == 1 {
			return (c + each - i) % items
		}
		return (c + i) % items
	}
	demand := make([]int, items)
	for c := range callers {
		for i := range each {
			demand[wants(c, i)]++
		}
	}
	skus := make([]string, items)
	for i := range skus {
		skus[i] = w.stocked(t, demand[i])
	}
	var mu sync.Mutex
	granted := map[string]int{}
	var who []string
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			var claims []*im.StockClaim
			var lines []line
			for i := range each {
				sku := skus[wants(c, i)]
				key := fmt.Sprintf("clm:x:%d:%s", c, sku)
				claims, lines = append(claims, w.claim(key, sku, 1)), append(lines, line{sku, 1, key})
			}
			for {
				resp, err := w.claims.ReserveStock(t.Context(), &im.ReserveStockRequest{Claims: claims})
				if err == nil {
					mu.Lock()
					for i, g := range resp.GetGrants() {
						if g.GetGranted() != nil {
							granted[lines[i].sku]++
						}
					}
					mu.Unlock()
					break
				}
				if !fault.Transient(err) {
					t.Error(err)
					return
				}
			}
			_, id := w.release(t, lines...)
			mu.Lock()
			defer mu.Unlock()
			who = append(who, id)
		})
	}
	wg.Wait()
	for _, id := range who {
		w.state(t, id, "ALLOCATED")
	}
	for i, sku := range skus {
		if granted[sku] != demand[i] {
			t.Errorf("%d of %d were promised", granted[sku], demand[i])
		}
		w.becomes(t, sku, fmt.Sprintf("B-1 %d/%d, SUPPLIER -%d", demand[i], demand[i], demand[i]))
	}
}
