package inventorymovement_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
)

// TestSnapshots: of a nightly balance file three keys differ: a lag that clears itself, a lost
// message that is told again, and a variance that is adjusted as it is proposed.
func TestSnapshots(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine)
			snapshotDiffers(t, w)
			snapshotMistakes(t, w)
		})
	}
}

// at is the source of a report of something that happened at a time.
func at(when time.Time) *commonv1.SourceRef {
	return &commonv1.SourceRef{System: "wms", MessageId: testkit.Name("m"), EventTime: timestamppb.New(when)}
}

func (w *world) received(t *testing.T, sku, owner, bin string, pieces int, when time.Time) {
	t.Helper()
	_, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{
		Receipt: &im.GoodsReceipt{Site: "DC1", Sku: sku, Owner: owner, Location: bin, Quantity: ea(pieces)}, Source: at(when),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) snapshot(t *testing.T, asOf time.Time, portions ...string) (id string) {
	t.Helper()
	resp, err := w.wms.CreateSnapshot(t.Context(), &im.CreateSnapshotRequest{Sites: []string{"DC1"}, AsOfTime: timestamppb.New(asOf), Source: at(asOf)})
	if err != nil || resp.GetReceipt().GetState() != "RECEIVING" {
		t.Fatal(resp, err)
	}
	id = resp.GetReceipt().GetId()
	for n, text := range portions {
		for range 2 { // under two keys
			if _, err := w.wms.AddSnapshotRows(t.Context(), &im.AddSnapshotRowsRequest{SnapshotId: id, PortionNumber: int32(n + 1), Content: []byte(text)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return id
}

// compared compares a snapshot and renders what came of it.
func (w *world) compared(t *testing.T, id string) string {
	t.Helper()
	runs := w.snapshotOf(t, id).GetRuns()
	if _, err := w.wms.CompareSnapshot(t.Context(), &im.CompareSnapshotRequest{SnapshotId: id}); err != nil {
		t.Fatal(err)
	}
	return w.outcome(t, id, runs+1)
}

// outcome waits for a comparison to end and renders it.
func (w *world) outcome(t *testing.T, id string, run int32) string {
	t.Helper()
	var s *im.StockSnapshot
	testkit.Eventually(t, patience, func() error {
		if s = w.snapshotOf(t, id); s.GetRuns() < run {
			return fmt.Errorf("it is %s", s.GetState())
		}
		return nil
	})
	out := []string{fmt.Sprintf("%d matched, %s %%", s.GetCounts().GetMatched(), s.GetReconciliationRatePercent())}
	for _, d := range w.differences(t, id) {
		d := d.GetDifference()
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", d.GetLocation(), strings.TrimPrefix(d.GetResult().String(), "SNAPSHOT_RESULT_"), d.GetDelta().GetValue(),
			strings.TrimPrefix(strings.TrimPrefix(d.GetLag().String(), "SNAPSHOT_LAG_"), "UNSPECIFIED"))))
	}
	return strings.Join(out, "; ")
}

func (w *world) snapshotOf(t *testing.T, id string) *im.StockSnapshot {
	t.Helper()
	resp, err := w.wms.GetSnapshot(t.Context(), &im.GetSnapshotRequest{SnapshotId: id})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetSnapshot()
}

// differences reads all pages, one difference a page.
func (w *world) differences(t *testing.T, id string) (all []*im.ListedDifference) {
	t.Helper()
	for r := (&im.ListSnapshotDifferencesRequest{SnapshotId: id, PageSize: 1}); ; {
		resp, err := w.wms.ListSnapshotDifferences(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, resp.GetDifferences()...)
		if r.PageToken = resp.GetNextPageToken(); r.PageToken == "" {
			return all
		}
	}
}

func snapshotDiffers(t *testing.T, w *world) {
	lagged, lost, varied, same, theirs := w.item(t), w.item(t), w.item(t), w.item(t), w.item(t)
	morning := time.Now().Add(-time.Hour)
	for _, sku := range []string{lagged, lost, varied, same} {
		w.received(t, sku, "", "B-1", 10, morning)
	}
	w.received(t, theirs, "3PL", "B-1", 4, morning)
	_, who := w.release(t, line{lagged, 3, ""})
	w.state(t, who, "ALLOCATED")
	asOf := time.Now()
	first := "sku,owner,location,status,quantity,unit\n" + lagged + ",,B-1,AVAILABLE,7,EA\n" + lost + ",,B-1,AVAILABLE,10,EA\n" + lost + ",,B-2,AVAILABLE,5,EA\nNOPE,,B-1,AVAILABLE,1,EA\n"
	second := varied + ",,B-1,AVAILABLE,8,EA\n" + same + ",OWN,B-1,AVAILABLE,10,EA\n" + theirs + ",3PL,B-1,AVAILABLE,4,EA\n" + same + ",,B-9,AVAILABLE,many,EA\n"
	id := w.snapshot(t, asOf, first, second)
	got := w.compared(t, id)
	for _, want := range []string{"3 matched, 50 %", "B-1 LAGGING -3 PICK_NOT_REPORTED", "B-2 MISSING_LEFT 5", "B-1 MISMATCH -2"} {
		if !strings.Contains(got, want) || strings.Count(got, ";") != 3 {
			t.Errorf("no %s in %s", want, got)
		}
	}
	w.badRows(t, id, "5 sku ITEM_UNKNOWN; 9 quantity QUANTITY_INVALID")
	if again := w.compared(t, id); again != got {
		t.Errorf("compared again it is\n%s\nand was\n%s", again, got)
	}

	if _, err := w.wms.ConfirmPicks(t.Context(), &im.ConfirmPicksRequest{WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(1, 3)}, Source: at(asOf.Add(-time.Minute))}); err != nil {
		t.Fatal(err)
	}
	w.becomes(t, lagged, "B-1 7, PACKING 3, SUPPLIER -10")
	w.received(t, lost, "", "B-2", 5, asOf.Add(-time.Minute))
	if _, err := w.wms.CompareSnapshot(t.Context(), &im.CompareSnapshotRequest{SnapshotId: id}); err != nil {
		t.Fatal(err)
	}
	w.Restart(t) // it goes on where it was
	if got := w.outcome(t, id, 3); got != "5 matched, 83.3333 %; B-1 MISMATCH -2" {
		t.Error(got)
	}
	w.adjusted(t, id, asOf)
	if got := w.compared(t, id); got != "6 matched, 100 %" {
		t.Error(got)
	}
	if got := w.rows(t, varied); got != "B-1 8, DISCREPANCY 2, SUPPLIER -10" {
		t.Error(got)
	}
	w.closed(t, id)
}

// adjusted does what is proposed of the one difference that is left.
func (w *world) adjusted(t *testing.T, id string, asOf time.Time) {
	t.Helper()
	export, err := w.wms.ExportSnapshotDifferences(t.Context(), &im.ExportSnapshotDifferencesRequest{SnapshotId: id})
	if text := string(export.GetContent()); err != nil || strings.Count(text, "\r\n") != 2 || !strings.Contains(text, ",OWN,B-1,,AVAILABLE,EA,10,8,-2,MISMATCH,,6,\r\n") {
		t.Errorf("%s %v", text, err)
	}
	p := w.differences(t, id)[0].GetProposedAdjustment()
	if !p.GetAsOfTime().AsTime().Equal(asOf.UTC().Truncate(time.Microsecond)) {
		t.Errorf("as of %v, not %v", p.GetAsOfTime().AsTime(), asOf)
	}
	_, err = w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{
		Site: p.GetSite(), Sku: p.GetSku(), Owner: p.GetOwner(), Location: p.GetLocation(), Lot: p.GetLot(), Status: p.GetStatus(), Change: p.GetChange(),
		Reason: p.GetReason(), Source: at(p.GetAsOfTime().AsTime()),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) badRows(t *testing.T, id, want string) {
	t.Helper()
	resp, err := w.wms.ListSnapshotErrors(t.Context(), &im.ListSnapshotErrorsRequest{SnapshotId: id})
	if err != nil || resp.GetBadRows() != 2 {
		t.Fatal(resp, err)
	}
	var got []string
	for _, e := range resp.GetErrors() {
		got = append(got, fmt.Sprintf("%d %s %s", e.GetLine(), e.GetField(), e.GetReason()))
	}
	if strings.Join(got, "; ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// closed closes a snapshot: it is listed with what was found, and not compared again.
func (w *world) closed(t *testing.T, id string) {
	t.Helper()
	resp, err := w.wms.CloseSnapshot(t.Context(), &im.CloseSnapshotRequest{SnapshotId: id})
	if err != nil || resp.GetReceipt().GetState() != "CLOSED" {
		t.Fatal(resp, err)
	}
	_, err = w.wms.CompareSnapshot(t.Context(), &im.CompareSnapshotRequest{SnapshotId: id})
	reason(t, err, fault.Refused, "SNAPSHOT_STATE")
	testkit.Eventually(t, patience, func() error { // lists trail
		resp, err := w.wms.ListSnapshots(t.Context(), &im.ListSnapshotsRequest{Site: "DC1"})
		if s := resp.GetSnapshots(); err != nil || len(s) != 1 || s[0].GetState() != im.SnapshotState_SNAPSHOT_STATE_CLOSED || s[0].GetCounts().GetMatched() != 6 {
			return fmt.Errorf("%v %w", s, err)
		}
		return nil
	})
}

func snapshotMistakes(t *testing.T, w *world) {
	create := func(site string, asOf time.Time) error {
		_, err := w.wms.CreateSnapshot(t.Context(), &im.CreateSnapshotRequest{Sites: []string{site}, AsOfTime: timestamppb.New(asOf)})
		return err
	}
	reason(t, create("NOWHERE", time.Now()), fault.Invalid, "SITE_UNKNOWN")
	reason(t, create("DC1", time.Now().Add(time.Hour)), fault.Invalid, "TIME_INVALID")
	id := w.snapshot(t, time.Now())
	add := func(c client, n int32, text string) error {
		_, err := c.AddSnapshotRows(t.Context(), &im.AddSnapshotRowsRequest{SnapshotId: id, PortionNumber: n, Content: []byte(text)})
		return err
	}
	_, err := w.wms.CompareSnapshot(t.Context(), &im.CompareSnapshotRequest{SnapshotId: id})
	reason(t, err, fault.Refused, "SNAPSHOT_EMPTY")
	reason(t, add(w.wms, 2, "x\n"), fault.Refused, "PORTION_OUT_OF_ORDER")
	reason(t, add(w.wms, 1, "sku,quantity\n"), fault.Invalid, "COLUMNS_INVALID")
	if err := add(w.wms, 1, "sku,quantity,unit\n"); err != nil {
		t.Fatal(err)
	}
	reason(t, add(w.wms, 1, "sku,quantity,unit\nTEA,1,EA\n"), fault.Refused, "PORTION_CHANGED")
	c := w.Caller(commonv1.Role_ROLE_LOGISTICS)
	c.Tenant = testkit.Name("t")
	stranger := im.NewInventoryMovementServiceClient(w.Client(inventorymovement.Name, c))
	reason(t, add(stranger, 2, "TEA,1,EA\n"), fault.NotFound, "NOT_FOUND")
	_, err = stranger.ListSnapshotDifferences(t.Context(), &im.ListSnapshotDifferencesRequest{SnapshotId: id})
	reason(t, err, fault.NotFound, "NOT_FOUND")
}
