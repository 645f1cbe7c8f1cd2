package inventorymovement_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
)

func TestInventory(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"from release to goods issue":  fromReleaseToIssue,
		"short picks":                  shortPicks,
		"cancelled before picking":     cancelledBeforePicking,
		"cancelled too late":           cancelledTooLate,
		"cancelled before it came":     cancelledBeforeItCame,
		"the last unit":                lastUnit,
		"claims":                       claims,
		"stock movements":              movements,
		"mistakes name the field":      mistakes,
		"batch of receipts":            batch,
		"picks the books do not have":  beyondTheBooks,
		"returned goods":               returnedGoods,
		"SSCCs":                        ssccs,
		"replays":                      replays,
		"another tenant finds nothing": strangers,
	})
}

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
	_, err := w.wms.ConfirmPicks(t.Context(), &im.ConfirmPicksRequest{WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(1, 1)}})
	if f := reason(t, err, fault.Refused, "WAREHOUSE_ORDER_STATE"); f.Metadata["from"] != "CANCELLED" {
		t.Errorf("%+v", f)
	}
}

func cancelledTooLate(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	m, who := w.release(t, line{sku, 8, ""})
	w.state(t, who, "ALLOCATED")
	w.confirm(t, who, picked(1, 1))
	w.cancel(t, m)
	w.becomes(t, sku, "B-1 9/7, PACKING 1, SUPPLIER -10")
	w.state(t, who, "PICKING") // and goes on
	w.confirm(t, who, picked(1, 7))
	w.pack(t, who, picked(1, 8))
	w.issue(t, who)
	w.becomes(t, sku, "B-1 2, CUSTOMER 8, SUPPLIER -10")
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

// lastUnit: 500 callers want one unit, one gets it.
func lastUnit(t *testing.T, w *world) {
	sku := w.stocked(t, 1)
	const callers = 500
	grants := make([]*im.ReserveStockResponse_Grant, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			req := &im.ReserveStockRequest{Claims: []*im.StockClaim{w.claim(fmt.Sprintf("clm:%s:%d", sku, i), sku, 1)}}
			var err error
			for {
				var resp *im.ReserveStockResponse
				if resp, err = w.claims.ReserveStock(t.Context(), req); err == nil {
					grants[i] = resp.GetGrants()[0]
					return
				}
				if !fault.Transient(err) { // full: the same claim comes again
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	granted := 0
	for _, g := range grants {
		if g.GetGranted() != nil {
			granted++
		} else if g.GetRefusal().GetCode() != "INSUFFICIENT_STOCK" {
			t.Errorf("%v", g)
		}
	}
	if atp, promised := w.atp(t, sku); granted != 1 || atp != "0" || promised != "1" {
		t.Errorf("%d got it; ATP %s, promised %s", granted, atp, promised)
	}
}

func claims(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	k := func(n int) string { return fmt.Sprintf("clm:%s:%d", sku, n) }
	// two claims on one item are checked on their sum
	g := w.reserve(t, false, w.claim(k(2), sku, 6), w.claim(k(1), sku, 6))
	if g[1].GetGranted().GetValue() != "6" || g[0].GetRefusal().GetCode() != "INSUFFICIENT_STOCK" {
		t.Fatalf("%v", g)
	}
	// the same claims in another call are the same commands
	if again := w.reserve(t, false, w.claim(k(1), sku, 6)); again[0].GetGranted().GetValue() != "6" {
		t.Errorf("%v", again)
	}
	// a part of a claim
	if part := w.reserve(t, true, w.claim(k(3), sku, 6)); part[0].GetGranted().GetValue() != "4" {
		t.Errorf("%v", part)
	}
	// closed for good, also one that was never made
	release := func(n int) {
		for range 2 {
			resp, err := w.claims.ReleaseReservations(t.Context(), &im.ReleaseReservationsRequest{Claims: []*im.StockClaim{w.claim(k(n), sku, 0)}})
			if err != nil || len(resp.GetReceipts()) != 1 {
				t.Fatal(resp, err)
			}
		}
	}
	release(1)
	release(9)
	if late := w.reserve(t, true, w.claim(k(9), sku, 1)); late[0].GetRefusal().GetCode() != "CLAIM_CLOSED" {
		t.Errorf("%v", late)
	}
	if atp, promised := w.atp(t, sku); atp != "6" || promised != "4" {
		t.Errorf("ATP %s, promised %s", atp, promised)
	}
	nothing := w.claim(k(10), w.item(t), 1)
	if g := w.reserve(t, true, nothing); g[0].GetRefusal().GetCode() != "INSUFFICIENT_STOCK" {
		t.Errorf("%v", g)
	}
}

func movements(t *testing.T, w *world) {
	sku := w.item(t)
	r := w.receive(t, sku, "B-1", &commonv1.Quantity{Value: "2", Unit: "CS"})
	if r.GetId() != w.stockID(sku) || r.GetValues()["quantity"] != "24" || r.GetValues()["unit"] != "EA" {
		t.Errorf("%v", r)
	}
	move := func(from, to string, fs, ts im.StockStatus, n int) error {
		_, err := w.wms.MoveStock(t.Context(), &im.MoveStockRequest{
			Site: "DC1", Sku: sku, FromLocation: from, ToLocation: to, FromStatus: fs, ToStatus: ts, Quantity: ea(n),
		})
		return err
	}
	adjust := func(n int) error {
		_, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: "DC1", Sku: sku, Location: "B-1", Change: ea(n), Reason: "COUNT"})
		return err
	}
	if err := move("B-1", "B-2", 0, 0, 10); err != nil {
		t.Fatal(err)
	}
	if err := move("B-2", "B-2", 0, im.StockStatus_STOCK_STATUS_BLOCKED, 4); err != nil {
		t.Fatal(err)
	}
	if err := adjust(3); err != nil {
		t.Fatal(err)
	}
	if got, want := w.rows(t, sku), "B-1 17, B-2 6, B-2 BLOCKED 4, DISCREPANCY -3, SUPPLIER -24"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w.reserve(t, false, w.claim("clm:m:"+sku, sku, 20))
	reason(t, adjust(-4), fault.Refused, "STOCK_COMMITTED")
	reason(t, adjust(-40), fault.Refused, "INSUFFICIENT_STOCK")
	reason(t, move("B-1", "B-1", 0, im.StockStatus_STOCK_STATUS_QI, 4), fault.Refused, "STOCK_COMMITTED")
	if err := move("B-1", "B-3", 0, 0, 17); err != nil {
		t.Errorf("promised stock may move between bins: %v", err)
	}
	var all []string
	req := &im.ListMovementsRequest{StockId: w.stockID(sku), PageSize: 2}
	for {
		resp, err := w.wms.ListMovements(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range resp.GetMovements() {
			all = append(all, c.GetFacts()...)
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	want := []string{
		"RECEIPT 24 EA from SUPPLIER to B-1 because ASN-1", "MOVE 10 EA from B-1 to B-2", "STATUS_CHANGE 4 EA from B-2 to B-2 BLOCKED",
		"ADJUSTMENT 3 EA from DISCREPANCY to B-1 because COUNT", "RESERVED 20 EA for clm:m:" + sku, "MOVE 17 EA from B-1 to B-3",
	}
	if !slices.Equal(all, want) {
		t.Errorf("got %q", all)
	}
	req.PageToken = "x"
	_, err := w.wms.ListMovements(t.Context(), req)
	reason(t, err, fault.Invalid, "PAGE_TOKEN_INVALID")
}

func mistakes(t *testing.T, w *world) {
	sku := w.stocked(t, 5)
	good := func() *im.GoodsReceipt {
		return &im.GoodsReceipt{Site: "DC1", Sku: sku, Location: "B-1", Quantity: ea(1)}
	}
	for name, tt := range map[string]struct {
		change        func(*im.GoodsReceipt)
		field, reason string
	}{
		"an item that nobody knows": {func(g *im.GoodsReceipt) { g.Sku = "NOPE" }, "receipt.sku", "ITEM_UNKNOWN"},
		"a site that nobody knows":  {func(g *im.GoodsReceipt) { g.Site = "DC9" }, "receipt.site", "SITE_UNKNOWN"},
		"a bin instead of a site":   {func(g *im.GoodsReceipt) { g.Site = "B-1" }, "receipt.site", "SITE_UNKNOWN"},
		"a unit of others":          {func(g *im.GoodsReceipt) { g.Quantity.Unit = "PL" }, "receipt.quantity", "UNIT_UNKNOWN"},
		"half a piece":              {func(g *im.GoodsReceipt) { g.Quantity.Unit = "HF" }, "receipt.quantity", "QUANTITY_INEXACT"},
		"nothing":                   {func(g *im.GoodsReceipt) { g.Quantity.Value = "0" }, "receipt.quantity", "QUANTITY_INVALID"},
		"a place that is none":      {func(g *im.GoodsReceipt) { g.Location = "CUSTOMER" }, "receipt.location", "LOCATION_RESERVED"},
		"a day that is none":        {func(g *im.GoodsReceipt) { g.ExpiryDate = "2026-02-30" }, "receipt.expiry_date", "EXPIRY_INVALID"},
	} {
		g := good()
		tt.change(g)
		_, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{Receipt: g})
		if f := reason(t, err, fault.Invalid, tt.reason); len(f.Fields) != 1 || f.Fields[0].Path != tt.field || f.Fields[0].Reason != tt.reason {
			t.Errorf("%s: %+v", name, f.Fields)
		}
	}
	if got := w.rows(t, sku); got != "B-1 5, SUPPLIER -5" {
		t.Errorf("something was booked: %s", got)
	}
	_, who := w.release(t, line{sku, 5, ""})
	w.state(t, who, "ALLOCATED")
	for want, lines := range map[string][]*im.WarehouseLineQuantity{
		"LINE_UNKNOWN":      {picked(1, 1), picked(7, 1)},
		"QUANTITY_EXCEEDED": {picked(1, 3), picked(1, 3)},
		"UNIT_UNKNOWN":      {{LineNumber: 1, Quantity: &commonv1.Quantity{Value: "1", Unit: "CS"}}},
		"QUANTITY_INVALID":  {{LineNumber: 1, Quantity: &commonv1.Quantity{Value: "0.5", Unit: "EA"}}},
		"LOCATION_RESERVED": {{LineNumber: 1, Quantity: ea(1), Location: "PACKING"}},
	} {
		_, err := w.wms.ConfirmPicks(t.Context(), &im.ConfirmPicksRequest{WarehouseOrderId: who, Lines: lines})
		if f := reason(t, err, fault.Invalid, want); len(f.Fields) != 1 {
			t.Errorf("%s names no field: %+v", want, f)
		}
	}
}

func batch(t *testing.T, w *world) {
	sku := w.item(t)
	req := &im.BatchRecordReceiptsRequest{}
	for range 50 {
		req.Receipts = append(req.Receipts, &im.GoodsReceipt{Site: "DC1", Sku: sku, Location: "B-1", Quantity: ea(2)})
	}
	req.Receipts[7].Sku = "NOPE"
	ctx := hosttest.WithKey(t.Context(), "batch:"+sku)
	first, err := w.wms.BatchRecordReceipts(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range first.GetResults() {
		if f := r.GetFailure(); (f != nil) != (i == 7) || f != nil && (f.GetCode() != "ITEM_UNKNOWN" || f.GetField() != "receipts[7].sku") {
			t.Errorf("receipt %d: %v", i, r)
		}
	}
	w.Redis.FlushAll()
	again, err := w.wms.BatchRecordReceipts(ctx, req)
	if err != nil || !proto.Equal(first, again) {
		t.Errorf("%v %v", again, err)
	}
	if got := w.rows(t, sku); got != "B-1 98, SUPPLIER -98" {
		t.Errorf("%s", got)
	}
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

func replays(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	_, who := w.release(t, line{sku, 10, ""})
	w.state(t, who, "ALLOCATED")
	one := []*im.WarehouseLineQuantity{picked(1, 9)}
	short := []*im.WarehouseLineQuantity{picked(1, 1)}
	var header metadata.MD
	h := grpc.Header(&header)
	for _, tt := range []struct {
		name string
		run  func(key string) (proto.Message, error)
	}{
		{"receipt", func(k string) (proto.Message, error) {
			return w.wms.RecordReceipt(hosttest.WithKey(t.Context(), k), &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{Site: "DC1", Sku: sku, Location: "B-2", Quantity: ea(1)}}, h)
		}},
		{"return", func(k string) (proto.Message, error) {
			return w.wms.RecordReturnReceipt(hosttest.WithKey(t.Context(), k), &im.RecordReturnReceiptRequest{
				Site: "DC1", Sku: sku, Location: "B-9", Quantity: ea(1), RmaId: w.id("rma", sku),
			}, h)
		}},
		{"adjustment", func(k string) (proto.Message, error) {
			return w.wms.AdjustStock(hosttest.WithKey(t.Context(), k), &im.AdjustStockRequest{Site: "DC1", Sku: sku, Location: "B-2", Change: ea(1), Reason: "COUNT"}, h)
		}},
		{"move", func(k string) (proto.Message, error) {
			return w.wms.MoveStock(hosttest.WithKey(t.Context(), k), &im.MoveStockRequest{Site: "DC1", Sku: sku, FromLocation: "B-2", ToLocation: "B-3", Quantity: ea(1)}, h)
		}},
		{"acknowledgement", func(k string) (proto.Message, error) {
			return w.wms.AcknowledgeWarehouseOrder(hosttest.WithKey(t.Context(), k), &im.AcknowledgeWarehouseOrderRequest{WarehouseOrderId: who}, h)
		}},
		{"picks", func(k string) (proto.Message, error) {
			return w.wms.ConfirmPicks(hosttest.WithKey(t.Context(), k), &im.ConfirmPicksRequest{WarehouseOrderId: who, Lines: one}, h)
		}},
		{"short", func(k string) (proto.Message, error) {
			return w.wms.ReportShortPick(hosttest.WithKey(t.Context(), k), &im.ReportShortPickRequest{WarehouseOrderId: who, Lines: short, Reason: im.ShortReason_SHORT_REASON_MISSING}, h)
		}},
		{"carton", func(k string) (proto.Message, error) {
			return w.wms.PackCarton(hosttest.WithKey(t.Context(), k), &im.PackCartonRequest{WarehouseOrderId: who, Lines: one}, h)
		}},
		{"issue", func(k string) (proto.Message, error) {
			return w.wms.PostGoodsIssue(hosttest.WithKey(t.Context(), k), &im.PostGoodsIssueRequest{WarehouseOrderId: who}, h)
		}},
	} {
		key := "replay-" + tt.name + sku
		first, err := tt.run(key)
		if err != nil || len(header.Get(guard.MetaReplayed)) > 0 {
			t.Fatalf("%s: %v %v", tt.name, err, header)
		}
		w.Redis.FlushAll()
		again, err := tt.run(key)
		if err != nil || !proto.Equal(first, again) || !slices.Equal(header.Get(guard.MetaReplayed), []string{"true"}) {
			t.Errorf("%s: %v %v %v, first %v", tt.name, again, err, header, first)
		}
		header = nil
	}
	w.becomes(t, sku, "B-2 1, B-3 1, B-9 RETURNED 1, CUSTOMER 8, SUPPLIER -11")
	_, err := w.wms.RecordReceipt(hosttest.WithKey(t.Context(), "replay-receipt"+sku), &im.RecordReceiptRequest{
		Receipt: &im.GoodsReceipt{Site: "DC1", Sku: sku, Location: "B-2", Quantity: ea(2)},
	})
	if !fault.IsKind(err, fault.KeyReused) {
		t.Errorf("another body under the key: %v", err)
	}
}

// strangers: another tenant's stock and orders are as unknown ones.
func strangers(t *testing.T, w *world) {
	sku := w.stocked(t, 5)
	_, who := w.release(t, line{sku, 5, ""})
	w.state(t, who, "ALLOCATED")
	c := w.Caller(commonv1.Role_ROLE_LOGISTICS)
	c.Tenant = testkit.Name("t")
	s := im.NewInventoryMovementServiceClient(w.Client(inventorymovement.Name, c))
	for name, ask := range map[string]func(who, stock string) error{
		"get": func(who, _ string) error {
			_, err := s.GetWarehouseOrder(t.Context(), &im.GetWarehouseOrderRequest{WarehouseOrderId: who})
			return err
		},
		"acknowledge": func(who, _ string) error {
			_, err := s.AcknowledgeWarehouseOrder(t.Context(), &im.AcknowledgeWarehouseOrderRequest{WarehouseOrderId: who})
			return err
		},
		"pack": func(who, _ string) error {
			_, err := s.PackCarton(t.Context(), &im.PackCartonRequest{WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(1, 1)}})
			return err
		},
		"issue": func(who, _ string) error {
			_, err := s.PostGoodsIssue(t.Context(), &im.PostGoodsIssueRequest{WarehouseOrderId: who})
			return err
		},
		"movements": func(_, stock string) error {
			_, err := s.ListMovements(t.Context(), &im.ListMovementsRequest{StockId: stock})
			return err
		},
	} {
		foreign := reason(t, ask(who, w.stockID(sku)), fault.NotFound, "NOT_FOUND")
		unknown := reason(t, ask(w.id("who", "none"), w.id("stk", "none")), fault.NotFound, "NOT_FOUND")
		if foreign.Message != unknown.Message {
			t.Errorf("%s: %q and %q", name, foreign.Message, unknown.Message)
		}
	}
	_, err := s.GetStock(t.Context(), &im.GetStockRequest{Site: "DC1", Sku: sku})
	reason(t, err, fault.NotFound, "NOT_FOUND")
}

// TestRestartInTheMiddle: an order goes on after a restart at every step, from where it stood.
func TestRestartInTheMiddle(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine)
			sku := w.stocked(t, 10)
			w.reserve(t, false, w.claim("clm:r:1:x", sku, 10))
			w.Restart(t)
			_, who := w.release(t, line{sku, 10, "clm:r:1:x"})
			w.Restart(t)
			w.state(t, who, "ALLOCATED")
			w.confirm(t, who, picked(1, 10))
			w.Restart(t)
			first := w.pack(t, who, picked(1, 5))
			w.Restart(t)
			if second := w.pack(t, who, picked(1, 5)); second == first {
				t.Errorf("SSCC %s came twice", second)
			}
			w.issue(t, who)
			w.Restart(t)
			w.becomes(t, sku, "CUSTOMER 10, SUPPLIER -10")
			w.fewCommits(t, sku, 5)
		})
	}
}

func TestAccess(t *testing.T) {
	w := newWorld(t, "sqlite")
	w.AccessMatrix(t, inventorymovement.Name, "testdata/access.md")
}

func TestConfigTable(t *testing.T) { hosttest.ConfigTable(t, "README.md", unit()) }

func TestSettingsThatCannotBe(t *testing.T) {
	for name, cfg := range map[string]inventorymovement.Config{
		"nothing at a time":      {SSCCBlock: 1},
		"blocks without numbers": {Parallel: 1},
		"too much":               {Parallel: 1001, SSCCBlock: 1},
	} {
		if cfg.Validate() == nil {
			t.Errorf("%s is allowed", name)
		}
	}
	if err := inventorymovement.Defaults().Validate(); err != nil {
		t.Error(err)
	}
}
