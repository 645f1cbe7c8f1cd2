package inventorymovement_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

// ownersApart: goods of another owner in the same bin are a stock of their own, whatever is done:
// they are received, moved, blocked, adjusted, promised and allocated apart from the tenant's.
func ownersApart(t *testing.T, w *world) {
	const owner = "3PL-1"
	sku := w.stocked(t, 5)
	w.received(t, sku, owner, "B-1", 6, time.Now())
	theirs := func() string {
		t.Helper()
		resp, err := w.wms.GetBalance(t.Context(), &im.GetBalanceRequest{Site: "DC1", Sku: sku, Owner: owner, Status: im.StockStatus_STOCK_STATUS_AVAILABLE})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetBalance().GetOwner() + " " + resp.GetBalance().GetOnHand().GetValue()
	}
	_, err := w.wms.MoveStock(t.Context(), &im.MoveStockRequest{
		Site: "DC1", Sku: sku, Owner: owner, FromLocation: "B-1", ToLocation: "B-1", ToStatus: im.StockStatus_STOCK_STATUS_BLOCKED, Quantity: ea(1), Reason: "RECALL",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: "DC1", Sku: sku, Owner: owner, Location: "B-1", Change: ea(1), Reason: "COUNT"}); err != nil {
		t.Fatal(err)
	}
	if got := theirs(); got != owner+" 6" {
		t.Errorf("theirs are %s", got)
	}
	book := func(pieces int) error {
		_, err := w.wms.CreateReservation(t.Context(), &im.CreateReservationRequest{
			Site: "DC1", Sku: sku, Owner: owner, Reference: "cart-" + sku, Quantity: ea(pieces), ExpiresTime: timestamppb.New(time.Now().Add(time.Hour)),
		})
		return err
	}
	if f := reason(t, book(7), fault.Refused, "INSUFFICIENT_STOCK"); f.Metadata["available"] != "6" {
		t.Errorf("available %v", f.Metadata)
	}
	if err := book(6); err != nil {
		t.Fatal(err)
	}
	if atp, promised := w.atp(t, sku); atp != "5" || promised != "0" {
		t.Errorf("of our own %s can be promised, %s is", atp, promised)
	}
	_, who := w.release(t, line{sku, 7, ""})
	o := w.state(t, who, "ALLOCATED")
	if a := o.GetLines()[0].GetAllocated().GetValue(); a != "5" || len(o.GetShortages()) != 1 || o.GetShortages()[0].GetQuantity().GetValue() != "2" {
		t.Errorf("%s allocated, short %v", a, o.GetShortages())
	}
	if got := theirs(); got != owner+" 6" {
		t.Errorf("after the allocation theirs are %s", got)
	}
	if got := w.rows(t, sku); got != "B-1 5/5, SUPPLIER -5" {
		t.Errorf("ours are %s", got)
	}
}
