package inventorymovement_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

// balances: a receipt that is told late counts by event time since it happened, by recorded
// time since it was told; and everything that made the balance is told with its document.
func balances(t *testing.T, w *world) {
	sku := w.item(t)
	get := func(change func(*im.GetBalanceRequest)) *im.Balance {
		t.Helper()
		r := &im.GetBalanceRequest{Site: "DC1", Sku: sku}
		change(r)
		resp, err := w.wms.GetBalance(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetBalance()
	}
	w.receive(t, sku, "B-1", ea(10))
	entries := func(change func(*im.ExplainBalanceRequest)) []*im.BalanceEntry {
		t.Helper()
		var all []*im.BalanceEntry
		for r := (&im.ExplainBalanceRequest{Site: "DC1", Sku: sku, PageSize: 2}); ; {
			change(r)
			resp, err := w.wms.ExplainBalance(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, resp.GetEntries()...)
			if r.PageToken = resp.GetNextPageToken(); r.PageToken == "" {
				return all
			}
		}
	}
	first := entries(func(*im.ExplainBalanceRequest) {})[0]
	late := first.GetEventTime().AsTime().Add(-time.Hour)
	_, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{
		Receipt: &im.GoodsReceipt{Site: "DC1", Sku: sku, Location: "B-1", Lot: "L7", Quantity: ea(5), Document: "ASN-0"},
		Source:  &commonv1.SourceRef{System: "wms", MessageId: "861-1", EventTime: timestamppb.New(late)},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, who := w.release(t, line{sku, 12, ""})
	w.state(t, who, "ALLOCATED")
	w.reserve(t, false, w.claim("clm:b:"+sku, sku, 2))

	told := first.GetRecordedTime()
	if b := get(func(r *im.GetBalanceRequest) { r.AsOfRecordedTime = told }); b.GetOnHand().GetValue() != "10" || b.GetVersion() != 1 {
		t.Errorf("as recorded: %v", b)
	}
	if b := get(func(r *im.GetBalanceRequest) { r.AsOfEventTime = timestamppb.New(late) }); b.GetOnHand().GetValue() != "5" || b.GetAllocated().GetValue() != "0" {
		t.Errorf("as it happened: %v", b)
	}
	if b := get(func(r *im.GetBalanceRequest) { r.AsOfEventTime = timestamppb.New(late.Add(-time.Second)) }); b.GetOnHand().GetValue() != "0" || len(b.GetRows()) > 0 {
		t.Errorf("before anything happened: %v", b)
	}
	now := get(func(*im.GetBalanceRequest) {})
	if now.GetOnHand().GetValue() != "15" || now.GetAllocated().GetValue() != "12" || now.GetPromised().GetValue() != "2" {
		t.Errorf("now: %v", now)
	}
	if b := get(func(r *im.GetBalanceRequest) { r.Lot = "L7" }); b.GetOnHand().GetValue() != "5" || b.GetPromised() != nil || len(b.GetRows()) != 1 {
		t.Errorf("of a lot: %v", b)
	}
	if b := get(func(r *im.GetBalanceRequest) { r.Location = "SUPPLIER" }); b.GetOnHand().GetValue() != "-15" {
		t.Errorf("beyond the site: %v", b)
	}
	var got []string
	for _, e := range entries(func(*im.ExplainBalanceRequest) {}) {
		got = append(got, fmt.Sprintf("%s %s/%s/%s", e.GetText(), e.GetOnHand().GetValue(), e.GetAllocated().GetValue(), e.GetPromised().GetValue()))
		switch e.GetKind() {
		case im.BalanceEntryKind_BALANCE_ENTRY_KIND_ALLOCATION:
			if e.GetWarehouseOrderId() != who || e.GetLineNumber() != 1 {
				t.Errorf("%v", e)
			}
		case im.BalanceEntryKind_BALANCE_ENTRY_KIND_RESERVATION:
			if len(e.GetClaims()) != 1 || e.GetPromisedChange().GetValue() != "2" {
				t.Errorf("%v", e)
			}
		default:
			if e.GetFrom().GetLocation() != "SUPPLIER" || e.GetMovementType() != im.MovementType_MOVEMENT_TYPE_RECEIPT || !strings.HasPrefix(e.GetReason(), "ASN-") {
				t.Errorf("%v", e)
			}
		}
	}
	want := []string{
		"RECEIPT 10 EA from SUPPLIER to B-1 because ASN-1 10/0/0", "RECEIPT 5 EA from SUPPLIER to B-1 lot L7 because ASN-0 15/0/0",
		"ALLOCATED 5 EA at B-1 lot L7, 7 EA at B-1 to " + who + " line 1 15/12/0", "RESERVED 2 EA for clm:b:" + sku + " 15/12/2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if e := entries(func(r *im.ExplainBalanceRequest) { r.AsOfEventTime = timestamppb.New(late) }); len(e) != 1 || e[0].GetSource().GetMessageId() != "861-1" {
		t.Errorf("as it happened: %v", e)
	}
	w.balanceMistakes(t, sku)
}

func (w *world) balanceMistakes(t *testing.T, sku string) {
	t.Helper()
	future := timestamppb.New(time.Now().Add(time.Hour))
	_, err := w.wms.GetBalance(t.Context(), &im.GetBalanceRequest{Site: "DC1", Sku: sku, AsOfEventTime: future})
	reason(t, err, fault.Invalid, "TIME_INVALID")
	_, err = w.wms.GetBalance(t.Context(), &im.GetBalanceRequest{Site: "DC1", Sku: sku, AsOfRecordedTime: future})
	reason(t, err, fault.Invalid, "TIME_INVALID")
	_, err = w.wms.GetBalance(t.Context(), &im.GetBalanceRequest{Site: "DC1", Sku: sku, AsOfEventTime: future, AsOfRecordedTime: future})
	reason(t, err, fault.Invalid, "VALIDATION_FAILED")
	_, err = w.wms.ExplainBalance(t.Context(), &im.ExplainBalanceRequest{Site: "DC1", Sku: sku, PageToken: "x"})
	reason(t, err, fault.Invalid, "PAGE_TOKEN_INVALID")
	_, err = w.wms.GetBalance(t.Context(), &im.GetBalanceRequest{Site: "DC1", Sku: "NOPE"})
	reason(t, err, fault.NotFound, "NOT_FOUND")
}

// verified: a stock that is sound has no differences, and rebuilding it changes nothing.
func verified(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	w.reserve(t, false, w.claim("clm:v:"+sku, sku, 3))
	check := func() {
		t.Helper()
		resp, err := w.wms.VerifyStock(t.Context(), &im.VerifyStockRequest{Site: "DC1", Sku: sku})
		if err != nil || resp.GetStockId() != w.stockID(sku) || len(resp.GetDifferences()) > 0 || resp.GetVersion() < 2 {
			t.Fatal(resp, err)
		}
	}
	check()
	resp, err := w.wms.RebuildStock(t.Context(), &im.RebuildStockRequest{Site: "DC1", Sku: sku})
	if err != nil || resp.GetReceipt().GetValues()["differences"] != "0" || resp.GetReceipt().GetId() != w.stockID(sku) {
		t.Fatal(resp, err)
	}
	check()
	if atp, promised := w.atp(t, sku); atp != "7" || promised != "3" {
		t.Errorf("ATP %s, promised %s", atp, promised)
	}
	_, err = w.wms.VerifyStock(t.Context(), &im.VerifyStockRequest{Site: "DC1", Sku: "NOPE"})
	reason(t, err, fault.NotFound, "NOT_FOUND")
	_, err = w.wms.RebuildStock(t.Context(), &im.RebuildStockRequest{Site: "DC1", Sku: "NOPE"})
	reason(t, err, fault.NotFound, "NOT_FOUND")
}
