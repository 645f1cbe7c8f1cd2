//go:build faults

package faults

import (
	"context"
	"fmt"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

// Code that passes points while a goods issue is reversed.
const (
	orderAsked    = "@services/order-release/internal/app.(*App).AskReversal"
	shipmentAsked = "@services/shipment-visibility/internal/app.(*App).AskReversal"
	answered      = "@services/inventory-movement/internal/app.(*App).AnswerReversal"
	booksBack     = "@services/inventory-movement/internal/app.(*App).FollowReversal"
	orderFollows  = "@services/order-release/internal/app.(*App).IssueReversed"
	shipmentOff   = "@services/shipment-visibility/internal/app.(*App).Reverse"
	returnsFollow = "@services/returns/internal/app.(*App).Reverse"
)

// TestKilledWhileReversing: goods issues are reversed and posted again, and the process dies at each
// point between the request, what order and shipment say to it, the decision, and what follows from it,
// once. Afterwards each is reversed once and issued again once, and the stock shows it.
func TestKilledWhileReversing(t *testing.T) {
	t.Parallel()
	r := begin(t, shapes[0].make(t), "")
	ctx, cancel := context.WithTimeout(t.Context(), 4*eventually)
	defer cancel()
	const pieces = 2
	var orders []string
	for n := range 2 {
		number := fmt.Sprintf("SO-REV-%d", n)
		id, err := r.order(ctx, number, pieces)
		if err == nil {
			err = r.issue(ctx, id, number, pieces)
		}
		if err != nil {
			t.Fatal(err)
		}
		orders = append(orders, id)
	}
	r.booked(ctx, t, pieces*len(orders), 0)
	struck := r.strike(ctx, t, 1, faultpoint.X1+orderAsked, faultpoint.X1+shipmentAsked, faultpoint.X2+answered, faultpoint.X3+booksBack,
		faultpoint.X3+orderFollows, faultpoint.X3+shipmentOff, faultpoint.X3+returnsFollow)
	for _, id := range orders {
		who, err := r.warehouseOrder(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		at := "/v1/warehouse-orders/" + who.GetWarehouseOrderId()
		if err := r.api.Post(ctx, at+":reverseGoodsIssue", "reverse-"+id, &inventorymovementv1.ReverseGoodsIssueRequest{Reason: "TRUCK_FULL"}, nil); err != nil {
			t.Fatal(err)
		}
		if err := await(ctx, func() error {
			o, err := r.warehouseOrder(ctx, id)
			if s := o.GetState(); err != nil || s != inventorymovementv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PACKED {
				return fmt.Errorf("%s is %s, %w", id, s, err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	struck()
	r.packed(ctx, t, pieces*len(orders))
	for _, id := range orders {
		who, err := r.warehouseOrder(ctx, id)
		if err == nil {
			err = r.api.Post(ctx, "/v1/warehouse-orders/"+who.GetWarehouseOrderId()+":postGoodsIssue", "again-"+id, &inventorymovementv1.PostGoodsIssueRequest{}, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r.packed(ctx, t, 0)
	r.booked(ctx, t, pieces*len(orders), 0)
}

// warehouseOrder is the one of an order.
func (r *rig) warehouseOrder(ctx context.Context, order string) (*inventorymovementv1.WarehouseOrder, error) {
	got := &inventorymovementv1.ListWarehouseOrdersResponse{}
	if err := r.api.Get(ctx, "/v1/warehouse-orders?order_id="+order, got); err != nil || len(got.GetWarehouseOrders()) != 1 {
		return nil, fmt.Errorf("%d warehouse orders of %s, %w", len(got.GetWarehouseOrders()), order, err)
	}
	return got.GetWarehouseOrders()[0], nil
}

// packed waits until so many pieces stand in packing.
func (r *rig) packed(ctx context.Context, t *testing.T, want int) {
	t.Helper()
	if err := await(ctx, func() error {
		got := &inventorymovementv1.GetStockResponse{}
		if err := r.api.Get(ctx, "/v1/stocks?site=DC1&sku=WIDGET", got); err != nil {
			return err
		}
		is := "0"
		for _, row := range got.GetStock().GetRows() {
			if row.GetLocation() == "PACKING" {
				is = row.GetOnHand().GetValue()
			}
		}
		if is != fmt.Sprint(want) {
			return fmt.Errorf("%s stand in packing, want %d", is, want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
