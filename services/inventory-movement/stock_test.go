package inventorymovement_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

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

// statusChanges: goods get another status for a reason of the list, and back by a reversal; what
// is promised does not.
func statusChanges(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	change := func(n int, to im.StockStatus, why string) error {
		_, err := w.wms.ChangeStatus(t.Context(), &im.ChangeStatusRequest{Site: "DC1", Sku: sku, Location: "B-1", ToStatus: to, Quantity: ea(n), Reason: why})
		return err
	}
	qi := im.StockStatus_STOCK_STATUS_QI
	if f := reason(t, change(4, qi, "BECAUSE"), fault.Invalid, "REASON_CODE_UNKNOWN"); len(f.Fields) != 1 || f.Fields[0].Path != "reason" {
		t.Errorf("%+v", f.Fields)
	}
	if err := change(4, qi, "QUALITY_HOLD"); err != nil {
		t.Fatal(err)
	}
	w.reserve(t, false, w.claim("clm:q:"+sku, sku, 5))
	reason(t, change(2, qi, "QUALITY_HOLD"), fault.Refused, "STOCK_COMMITTED")
	reason(t, change(1, im.StockStatus_STOCK_STATUS_RETURNED, "QUALITY_HOLD"), fault.Invalid, "STATUS_INVALID")
	if got, want := w.rows(t, sku), "B-1 6, B-1 QI 4, SUPPLIER -10"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	explained, err := w.wms.ExplainBalance(t.Context(), &im.ExplainBalanceRequest{Site: "DC1", Sku: sku, Status: qi})
	if err != nil || len(explained.GetEntries()) != 1 || explained.GetEntries()[0].GetReason() != "QUALITY_HOLD" {
		t.Fatal(explained, err)
	}
	e := explained.GetEntries()[0]
	back := &im.ReverseMovementRequest{StockId: w.stockID(sku), Version: e.GetVersion(), Index: e.GetIndex(), Reason: "KEYING_ERROR"}
	ctx := hosttest.WithKey(t.Context(), "reverse:"+sku)
	first, err := w.wms.ReverseMovement(ctx, back)
	if err != nil || first.GetReceipt().GetValues()["quantity"] != "4" {
		t.Fatal(first, err)
	}
	if again, err := w.wms.ReverseMovement(ctx, back); err != nil || !proto.Equal(first, again) {
		t.Errorf("%v %v", again, err)
	}
	_, err = w.wms.ReverseMovement(t.Context(), back)
	reason(t, err, fault.Refused, "MOVEMENT_REVERSED")
	back.Index = 9
	_, err = w.wms.ReverseMovement(t.Context(), back)
	reason(t, err, fault.Invalid, "MOVEMENT_UNKNOWN")
	back.Version, back.Index = 1, 0
	_, err = w.wms.ReverseMovement(t.Context(), back)
	reason(t, err, fault.Refused, "MOVEMENT_NOT_REVERSIBLE")
	if got, want := w.rows(t, sku), "B-1 10, SUPPLIER -10"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
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
		if f := r.GetFailure(); (f != nil) != (i == 7) || f != nil && (f.GetReason() != "ITEM_UNKNOWN" || f.GetFields()[0].GetField() != "receipts[7].sku" || f.GetRetryable()) {
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
