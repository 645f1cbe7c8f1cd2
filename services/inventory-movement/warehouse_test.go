package inventorymovement_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

// fromReleaseToIssue walks the straight path: three lines, two of them of one item.
func fromReleaseToIssue(t *testing.T, w *world) {
	tea, pot := w.stocked(t, 10), w.stocked(t, 5)
	for _, g := range w.reserve(t, false, w.claim("clm:a:1:tea", tea, 7), w.claim("clm:a:1:pot", pot, 5)) {
		if g.GetRefusal() != nil {
			t.Fatal(g)
		}
	}
	m, who := w.release(t, line{tea, 4, "clm:a:1:tea"}, line{pot, 5, "clm:a:1:pot"}, line{tea, 3, "clm:a:1:tea"})
	o := w.state(t, who, "ALLOCATED")
	if len(o.GetTasks()) != 3 || o.GetOrderId() != m.GetOrderId() || o.GetShipTo().GetCity() != "Hamburg" || o.GetCarrierPreference() != "UPSN" {
		t.Fatalf("%v", o)
	}
	for i, want := range []string{"4", "5", "3"} {
		if task := o.GetTasks()[i]; task.GetQuantity().GetValue() != want || task.GetLocation() != "B-1" || task.GetLineNumber() != int32(i+1) {
			t.Errorf("task %v", task)
		}
	}
	if atp, promised := w.atp(t, tea); atp != "3" || promised != "0" {
		t.Errorf("ATP %s, promised %s: the allocation takes the claim", atp, promised)
	}
	w.becomes(t, tea, "B-1 10/7, SUPPLIER -10")
	if _, err := w.wms.AcknowledgeWarehouseOrder(t.Context(), &im.AcknowledgeWarehouseOrderRequest{WarehouseOrderId: who}); err != nil {
		t.Fatal(err)
	}
	w.state(t, who, "ACKNOWLEDGED")
	all := []*im.WarehouseLineQuantity{picked(1, 4), picked(2, 5), picked(3, 3)}
	w.confirm(t, who, all...)
	w.becomes(t, tea, "B-1 3, PACKING 7, SUPPLIER -10")
	sscc := w.pack(t, who, all...)
	if _, err := gs1.ParseSSCC(sscc); err != nil || sscc[1:8] != "4012345" {
		t.Errorf("SSCC %s: %v", sscc, err)
	}
	w.issue(t, who)
	w.becomes(t, tea, "B-1 3, CUSTOMER 7, SUPPLIER -10")
	w.becomes(t, pot, "CUSTOMER 5, SUPPLIER -5")
	listed := func(req *im.ListWarehouseOrdersRequest) func() bool {
		return func() bool {
			resp, err := w.wms.ListWarehouseOrders(t.Context(), req)
			return err == nil && slices.ContainsFunc(resp.GetWarehouseOrders(), func(o *im.WarehouseOrder) bool { return o.GetWarehouseOrderId() == who })
		}
	}
	testkit.Eventually(t, patience, listed(&im.ListWarehouseOrdersRequest{OrderId: m.GetOrderId()}))
	testkit.Eventually(t, patience, listed(&im.ListWarehouseOrdersRequest{State: im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ISSUED, PageSize: 200}))
	w.fewCommits(t, tea, 5)
	if o := w.state(t, who, "ISSUED"); o.GetEtag() != "6" {
		t.Errorf("created, allocated, acknowledged, picked, packed and issued took %s commits", o.GetEtag())
	}
}

// fewCommits holds that a stock took so many commits: receipt, claim, allocation, pick, issue.
func (w *world) fewCommits(t *testing.T, sku string, want int) {
	t.Helper()
	resp, err := w.wms.ListMovements(t.Context(), &im.ListMovementsRequest{StockId: w.stockID(sku)})
	if err != nil || len(resp.GetMovements()) != want {
		t.Errorf("%d commits: %v %v", len(resp.GetMovements()), resp, err)
	}
}

func shortPicks(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	_, who := w.release(t, line{sku, 10, ""})
	w.state(t, who, "ALLOCATED")
	w.confirm(t, who, picked(1, 6))
	for _, r := range []im.ShortReason{im.ShortReason_SHORT_REASON_DAMAGED, im.ShortReason_SHORT_REASON_MISSING} {
		_, err := w.wms.ReportShortPick(t.Context(), &im.ReportShortPickRequest{WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(1, 2)}, Reason: r})
		if err != nil {
			t.Fatal(err)
		}
	}
	o := w.state(t, who, "PICKED")
	if l := o.GetLines()[0]; l.GetPicked().GetValue() != "6" || l.GetShort().GetValue() != "4" {
		t.Errorf("%v", l)
	}
	w.becomes(t, sku, "B-1 DAMAGED 2, DISCREPANCY 2, PACKING 6, SUPPLIER -10")
	_, err := w.wms.PostGoodsIssue(t.Context(), &im.PostGoodsIssueRequest{WarehouseOrderId: who})
	reason(t, err, fault.Refused, "NOT_PACKED")
	w.pack(t, who, picked(1, 6))
	w.issue(t, who)
	w.becomes(t, sku, "B-1 DAMAGED 2, CUSTOMER 6, DISCREPANCY 2, SUPPLIER -10")
}

func cancelledBeforePicking(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	w.reserve(t, false, w.claim("clm:c:1:x", sku, 8))
	m, who := w.release(t, line{sku, 8, "clm:c:1:x"})
	w.state(t, who, "ALLOCATED")
	w.cancel(t, m)
	w.state(t, who, "CANCELLED")
	w.becomes(t, sku, "B-1 10, SUPPLIER -10")
	if atp, promised := w.atp(t, sku); atp != "10" || promised != "0" {
		t.Errorf("ATP %s, promised %s", atp, promised)
	}
	_, err := w.wms.AcknowledgeWarehouseOrder(t.Context(), &im.AcknowledgeWarehouseOrderRequest{WarehouseOrderId: who})
	if f := reason(t, err, fault.Refused, "WAREHOUSE_ORDER_STATE"); f.Metadata["from"] != "CANCELLED" {
		t.Errorf("%+v", f)
	}
}

// cancelledAfterShorts: nothing was picked, so the order can still be cancelled; what was not
// there is booked once and not free again.
func cancelledAfterShorts(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	m, who := w.release(t, line{sku, 8, ""})
	w.state(t, who, "ALLOCATED")
	for n, r := range []im.ShortReason{im.ShortReason_SHORT_REASON_DAMAGED, im.ShortReason_SHORT_REASON_MISSING} {
		lines := []*im.WarehouseLineQuantity{picked(1, n+1)}
		if _, err := w.wms.ReportShortPick(t.Context(), &im.ReportShortPickRequest{WarehouseOrderId: who, Lines: lines, Reason: r}); err != nil {
			t.Fatal(err)
		}
	}
	w.state(t, who, "PICKING")
	w.cancel(t, m)
	o := w.state(t, who, "CANCELLED")
	if l := o.GetLines()[0]; l.GetPicked().GetValue() != "0" || l.GetShort().GetValue() != "3" {
		t.Errorf("%v", l)
	}
	w.becomes(t, sku, "B-1 7, B-1 DAMAGED 1, DISCREPANCY 2, SUPPLIER -10")
	if atp, promised := w.atp(t, sku); atp != "7" || promised != "0" {
		t.Errorf("ATP %s, promised %s", atp, promised)
	}
}

// cancelledBeforeItCame: whatever comes first, nothing stays allocated and no claim stays.
func cancelledBeforeItCame(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	w.reserve(t, false, w.claim("clm:e:1:x", sku, 8))
	m := w.released(line{sku, 8, "clm:e:1:x"})
	w.cancel(t, m)
	w.state(t, w.who(m), "CANCELLED")
	w.orders.publish(t, w.Tenant, m.GetOrderId(), m)
	testkit.Eventually(t, patience, func() error {
		if atp, promised := w.atp(t, sku); atp != "10" || promised != "0" {
			return fmt.Errorf("ATP %s, promised %s", atp, promised)
		}
		return nil
	})
	w.state(t, w.who(m), "CANCELLED")
	w.becomes(t, sku, "B-1 10, SUPPLIER -10")
}

// beyondTheBooks: a report is booked whatever the books say; what they lack is a discrepancy.
func beyondTheBooks(t *testing.T, w *world) {
	sku := w.stocked(t, 3)
	_, who := w.release(t, line{sku, 5, ""})
	o := w.state(t, who, "ALLOCATED")
	if len(o.GetTasks()) != 1 || o.GetTasks()[0].GetQuantity().GetValue() != "3" {
		t.Errorf("%v", o.GetTasks())
	}
	w.confirm(t, who, picked(1, 5))
	w.becomes(t, sku, "DISCREPANCY -2, PACKING 5, SUPPLIER -3")
	w.pack(t, who, picked(1, 5))
	w.issue(t, who)
	w.becomes(t, sku, "CUSTOMER 5, DISCREPANCY -2, SUPPLIER -3")
	nowhere := w.item(t)
	_, who = w.release(t, line{nowhere, 2, ""})
	w.state(t, who, "ALLOCATED")
	w.confirm(t, who, picked(1, 2))
	testkit.Eventually(t, patience, func() bool {
		_, err := w.wms.GetStock(t.Context(), &im.GetStockRequest{Site: "DC1", Sku: nowhere})
		return err == nil
	})
	w.becomes(t, nowhere, "DISCREPANCY -2, PACKING 2")
}

func ssccs(t *testing.T, w *world) {
	sku := w.stocked(t, 300)
	_, who := w.release(t, line{sku, 250, ""})
	w.state(t, who, "ALLOCATED")
	w.confirm(t, who, picked(1, 250))
	seen := map[string]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 30 {
				sscc := w.pack(t, who, picked(1, 1))
				mu.Lock()
				if _, err := gs1.ParseSSCC(sscc); err != nil || seen[sscc] {
					t.Errorf("%s came twice or is wrong: %v", sscc, err)
				}
				seen[sscc] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	given := func(sscc string) error {
		_, err := w.wms.PackCarton(t.Context(), &im.PackCartonRequest{WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(1, 1)}, Sscc: sscc})
		return err
	}
	own, err := gs1.SSCC("4099999", 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := given(own); err != nil {
		t.Errorf("a warehouse's own: %v", err)
	}
	reason(t, given(own), fault.Refused, "SSCC_INVALID")
	_, another := w.release(t, line{sku, 50, ""})
	w.state(t, another, "ALLOCATED")
	w.confirm(t, another, picked(1, 1))
	for name, sscc := range map[string]string{"another order's": own, "handed out here": slices.Collect(maps.Keys(seen))[0]} {
		_, err := w.wms.PackCarton(t.Context(), &im.PackCartonRequest{WarehouseOrderId: another, Lines: []*im.WarehouseLineQuantity{picked(1, 1)}, Sscc: sscc})
		if f, ok := fault.As(err); !ok || f.Reason != "SSCC_INVALID" {
			t.Errorf("%s: %v", name, err)
		}
	}
	wrong := own[:17] + string('0'+(own[17]-'0'+1)%10)
	if f := reason(t, given(wrong), fault.Invalid, "SSCC_INVALID"); f.Fields[0].Path != "sscc" {
		t.Errorf("%+v", f)
	}
}
