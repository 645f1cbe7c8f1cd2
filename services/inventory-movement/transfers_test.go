package inventorymovement_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

func TestTransfers(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"from site to site":          fromSiteToSite,
		"what others have":           transferOfWhatOthersHave,
		"brought back":               transferBroughtBack,
		"one arrival, many messages": arrivedManyTimes,
		"mistakes":                   transferMistakes,
	})
}

func (w *world) transfer(t *testing.T, id string) *im.StockTransfer {
	t.Helper()
	resp, err := w.wms.GetTransfer(t.Context(), &im.GetTransferRequest{TransferId: id})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetTransfer()
}

func (w *world) sendOut(t *testing.T, sku string, pieces int) *commonv1.Receipt {
	t.Helper()
	resp, err := w.wms.TransferOut(t.Context(), outOf(sku, pieces))
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetReceipt()
}

func outOf(sku string, pieces int) *im.TransferOutRequest {
	return &im.TransferOutRequest{
		FromSite: "DC1", ToSite: "DC2", Reference: "TO-1", ExpectedTime: timestamppb.New(time.Now().Add(24 * time.Hour)),
		Lines: []*im.TransferGoods{{Sku: sku, Location: "B-1", Quantity: ea(pieces)}},
	}
}

func (w *world) takeIn(t *testing.T, id string, arrivals ...*im.TransferArrival) *commonv1.Receipt {
	t.Helper()
	resp, err := w.wms.TransferIn(t.Context(), &im.TransferInRequest{TransferId: id, Lines: arrivals})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetReceipt()
}

func came(pieces int) *im.TransferArrival {
	return &im.TransferArrival{LineNumber: 1, Quantity: ea(pieces), Location: "R-1"}
}

// sites waits for the rows of an item at both sites to be as rendered.
func (w *world) sites(t *testing.T, sku, from, to string) {
	t.Helper()
	w.becomes(t, sku, from)
	testkit.Eventually(t, patience, func() error {
		resp, err := w.wms.GetStock(t.Context(), &im.GetStockRequest{Site: "DC2", Sku: sku})
		if fault.IsKind(err, fault.NotFound) && to == "" {
			return nil
		}
		if err != nil || resp == nil {
			return fmt.Errorf("%w", err)
		}
		if got := w.rowsAt(t, "DC2", sku); got != to {
			return fmt.Errorf("got %s, want %s", got, to)
		}
		return nil
	})
}

// fromSiteToSite: goods are on their way, are to come at the other site, come in parts, too many and
// damaged, and the rest is lost.
func fromSiteToSite(t *testing.T, w *world) {
	sku := w.stocked(t, 20)
	r := w.sendOut(t, sku, 12)
	id := r.GetId()
	if r.GetState() != "IN_TRANSIT" || len(r.GetReasons()) > 0 {
		t.Fatal(r)
	}
	w.becomes(t, sku, "B-1 8, IN_TRANSIT 12, SUPPLIER -20")
	coming := func(want string) {
		t.Helper()
		testkit.Eventually(t, patience, func() error {
			resp, err := w.wms.CheckAvailability(t.Context(), &im.CheckAvailabilityRequest{Site: "DC2", Sku: sku})
			got := fmt.Sprint(resp.GetSupplies())
			if len(resp.GetSupplies()) == 1 {
				got = resp.GetSupplies()[0].GetQuantity()
			}
			if err != nil || got != want {
				return fmt.Errorf("%s %w", got, err)
			}
			return nil
		})
	}
	coming("12")
	w.takeIn(t, id, came(5))
	w.sites(t, sku, "B-1 8, IN_TRANSIT 7, OTHER_SITE 5, SUPPLIER -20", "OTHER_SITE -5, R-1 5")
	coming("7")
	broken := came(1)
	broken.Condition = im.GoodsCondition_GOODS_CONDITION_DAMAGED
	if r := w.takeIn(t, id, broken, came(4)); r.GetState() != "RECEIVING" {
		t.Errorf("%v", r)
	}
	w.sites(t, sku, "B-1 8, IN_TRANSIT 2, OTHER_SITE 10, SUPPLIER -20", "OTHER_SITE -10, R-1 9, R-1 DAMAGED 1")
	end := func(why string) error {
		_, err := w.wms.EndTransfer(t.Context(), &im.EndTransferRequest{TransferId: id, Outcome: im.TransferOutcome_TRANSFER_OUTCOME_LOST, Reason: why})
		return err
	}
	reason(t, end("GONE"), fault.Invalid, "REASON_CODE_UNKNOWN")
	if err := end("STOLEN"); err != nil {
		t.Fatal(err)
	}
	w.sites(t, sku, "B-1 8, DISCREPANCY 2, OTHER_SITE 10, SUPPLIER -20", "OTHER_SITE -10, R-1 9, R-1 DAMAGED 1")
	coming("[]")
	reason(t, end("STOLEN"), fault.Refused, "NOTHING_OPEN")
	if r := w.takeIn(t, id, came(1)); r.GetState() != "RECEIVED" || len(r.GetReasons()) != 1 || r.GetReasons()[0].GetCode() != "DISCREPANCY" {
		t.Errorf("one was there after all: %v", r)
	}
	w.sites(t, sku, "B-1 8, DISCREPANCY 2, OTHER_SITE 10, SUPPLIER -20", "DISCREPANCY -1, OTHER_SITE -10, R-1 9, R-1 DAMAGED 1, R-1 QUARANTINE 1")
	l := w.transfer(t, id).GetLines()[0]
	if got := fmt.Sprint([]string{l.GetShipped().GetValue(), l.GetReceived().GetValue(), l.GetDamaged().GetValue(), l.GetOver().GetValue(), l.GetLost().GetValue(), l.GetOpen().GetValue()}); got != "[12 10 1 1 2 0]" {
		t.Errorf("%s: %v", got, l)
	}
}

// transferOfWhatOthersHave: of 24 transfers at once of one unit each with 10 that nobody has, 10 leave.
func transferOfWhatOthersHave(t *testing.T, w *world) {
	sku := w.stocked(t, 14)
	w.reserve(t, false, w.claim("clm:t:"+sku, sku, 4))
	states := make([]string, 24)
	var wg sync.WaitGroup
	for i := range states {
		wg.Go(func() {
			for {
				resp, err := w.wms.TransferOut(hosttest.WithKey(t.Context(), fmt.Sprintf("out:%s:%d", sku, i)), outOf(sku, 1))
				if err == nil {
					states[i] = resp.GetReceipt().GetState()
					return
				}
				if !fault.Transient(err) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	n := map[string]int{}
	for _, s := range states {
		n[s]++
	}
	if n["IN_TRANSIT"] != 10 || n["CANCELLED"] != 14 {
		t.Errorf("%v", n)
	}
	w.becomes(t, sku, "B-1 4, IN_TRANSIT 10, SUPPLIER -14")
}

// transferBroughtBack: what has not come is brought back, and the transfer is replayed as it was.
func transferBroughtBack(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	ctx, req := hosttest.WithKey(t.Context(), "out:"+sku), outOf(sku, 6)
	first, err := w.wms.TransferOut(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	w.Redis.FlushAll()
	if again, err := w.wms.TransferOut(ctx, req); err != nil || !proto.Equal(first, again) {
		t.Errorf("%v %v", again, err)
	}
	id := first.GetReceipt().GetId()
	w.takeIn(t, id, came(2))
	back := &im.EndTransferRequest{TransferId: id, Outcome: im.TransferOutcome_TRANSFER_OUTCOME_BROUGHT_BACK, Reason: "TRUCK_BROKE_DOWN"}
	_, err = w.wms.EndTransfer(t.Context(), back)
	reason(t, err, fault.Invalid, "LOCATION_REQUIRED")
	back.Location = "B-7"
	ctx = hosttest.WithKey(t.Context(), "back:"+sku)
	for range 2 {
		if _, err := w.wms.EndTransfer(ctx, back); err != nil {
			t.Fatal(err)
		}
	}
	w.sites(t, sku, "B-1 4, B-7 4, OTHER_SITE 2, SUPPLIER -10", "OTHER_SITE -2, R-1 2")
	if s := w.transfer(t, id); s.GetState() != im.TransferState_TRANSFER_STATE_RECEIVED || s.GetLines()[0].GetBroughtBack().GetValue() != "4" {
		t.Errorf("%v", s)
	}
	whole := w.sendOut(t, sku, 4).GetId()
	if _, err := w.wms.EndTransfer(t.Context(), &im.EndTransferRequest{
		TransferId: whole, Outcome: im.TransferOutcome_TRANSFER_OUTCOME_BROUGHT_BACK, Location: "B-1", Reason: "CALLED_OFF",
	}); err != nil {
		t.Fatal(err)
	}
	w.sites(t, sku, "B-1 4, B-7 4, OTHER_SITE 2, SUPPLIER -10", "OTHER_SITE -2, R-1 2")
	if s := w.transfer(t, whole).GetState(); s != im.TransferState_TRANSFER_STATE_CANCELLED {
		t.Errorf("%s", s)
	}
}

// arrivedManyTimes: one message is taken once, whatever the keys and however many at once.
func arrivedManyTimes(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	id := w.sendOut(t, sku, 6).GetId()
	src := &commonv1.SourceRef{System: "wms", MessageId: "in:" + sku}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := w.wms.TransferIn(t.Context(), &im.TransferInRequest{TransferId: id, Lines: []*im.TransferArrival{came(4)}, Source: src})
			if err != nil && !fault.Transient(err) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.sites(t, sku, "B-1 4, IN_TRANSIT 2, OTHER_SITE 4, SUPPLIER -10", "OTHER_SITE -4, R-1 4")
	testkit.Eventually(t, patience, func() error { // lists trail
		list, err := w.wms.ListTransfers(t.Context(), &im.ListTransfersRequest{Site: "DC2", PageSize: 200})
		for _, x := range list.GetTransfers() {
			if x.GetTransferId() == id && x.GetState() == im.TransferState_TRANSFER_STATE_RECEIVING {
				return nil
			}
		}
		return fmt.Errorf("%v %w", list, err)
	})
}

func transferMistakes(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	for name, c := range map[string]struct {
		change        func(*im.TransferOutRequest)
		kind          fault.Kind
		reason, field string
	}{
		"a site that nobody knows":     {func(r *im.TransferOutRequest) { r.ToSite = "DC9" }, fault.Invalid, "SITE_UNKNOWN", "to_site"},
		"to where it is":               {func(r *im.TransferOutRequest) { r.ToSite = "DC1" }, fault.Invalid, "TRANSFER_SITE", "to_site"},
		"an item that nobody knows":    {func(r *im.TransferOutRequest) { r.Lines[0].Sku = "NONE" }, fault.Invalid, "ITEM_UNKNOWN", "lines[0].sku"},
		"an item that was never there": {func(r *im.TransferOutRequest) { r.FromSite, r.ToSite = "DC2", "DC1" }, fault.Refused, "INSUFFICIENT_STOCK", ""},
		"half a piece":                 {func(r *im.TransferOutRequest) { r.Lines[0].Quantity.Unit = "HF" }, fault.Invalid, "QUANTITY_INEXACT", "lines[0].quantity"},
		"out of what is on its way":    {func(r *im.TransferOutRequest) { r.Lines[0].Location = "IN_TRANSIT" }, fault.Invalid, "LOCATION_RESERVED", "lines[0].location"},
		"the same place a second time": {func(r *im.TransferOutRequest) { r.Lines = append(r.Lines, r.GetLines()[0]) }, fault.Invalid, "LINE_DUPLICATE", "lines[1].location"},
	} {
		req := outOf(sku, 1)
		c.change(req)
		_, err := w.wms.TransferOut(t.Context(), req)
		if f := reason(t, err, c.kind, c.reason); c.field != "" && (len(f.Fields) != 1 || f.Fields[0].Path != c.field) {
			t.Errorf("%s: %+v", name, f.Fields)
		}
	}
	if got := w.rows(t, sku); got != "B-1 10, SUPPLIER -10" {
		t.Errorf("something was booked: %s", got)
	}
	id := w.sendOut(t, sku, 1).GetId()
	other := came(1)
	other.LineNumber = 2
	_, err := w.wms.TransferIn(t.Context(), &im.TransferInRequest{TransferId: id, Lines: []*im.TransferArrival{other}})
	reason(t, err, fault.Invalid, "LINE_UNKNOWN")
	_, err = w.wms.TransferIn(t.Context(), &im.TransferInRequest{TransferId: w.id("trf", sku), Lines: []*im.TransferArrival{came(1)}})
	reason(t, err, fault.NotFound, "NOT_FOUND")
}

// TestRestartInATransfer: a transfer and a count go on after a restart at every step, and each of them
// is booked once.
func TestRestartInATransfer(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine)
			sku := w.stocked(t, 10)
			id := w.sendOut(t, sku, 6).GetId()
			w.Restart(t)
			w.takeIn(t, id, came(4))
			w.Restart(t)
			w.sites(t, sku, "B-1 4, IN_TRANSIT 2, OTHER_SITE 4, SUPPLIER -10", "OTHER_SITE -4, R-1 4")
			count := w.counting(t, sku)
			submit(t, w.person("ann", commonv1.Role_ROLE_LOGISTICS), count, found(sku, "B-1", 3))
			w.Restart(t)
			submit(t, w.person("bob", commonv1.Role_ROLE_LOGISTICS), count, found(sku, "B-1", 3))
			if _, err := w.person("eve", commonv1.Role_ROLE_TENANT_ADMIN).PostCount(t.Context(), &im.PostCountRequest{CountId: count}); err != nil {
				t.Fatal(err)
			}
			w.Restart(t)
			w.posted(t, count, im.CountState_COUNT_STATE_COMPLETE)
			w.sites(t, sku, "B-1 3, DISCREPANCY 1, IN_TRANSIT 2, OTHER_SITE 4, SUPPLIER -10", "OTHER_SITE -4, R-1 4")
		})
	}
}
