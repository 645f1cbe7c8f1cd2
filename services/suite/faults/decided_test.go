//go:build faults

package faults

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// TestKilledAfterTheDecision: orders are cancelled or go through the warehouse, and the process
// dies between a decision and what follows from it: claims that go back, stock that is booked.
// Afterwards all of it has followed, once. The shapes take turns.
func TestKilledAfterTheDecision(t *testing.T) {
	t.Parallel()
	for i, pass := range []int{1, 4, 9} { // of 20: what is in flight differs
		shape := shapes[i%len(shapes)]
		t.Run(fmt.Sprintf("%s/%s/%d", shape.name, faultpoint.X3, pass), func(t *testing.T) {
			t.Parallel()
			r := begin(t, shape.make(t), fmt.Sprintf("%s:kill:n=%d", faultpoint.X3, pass))
			r.revive(t)
			issued := r.decide(t)
			r.booked(t.Context(), t, issued, 0)
			if err := r.struck(t, faultpoint.X3); err != nil {
				t.Error(err)
			}
		})
	}
}

// decide submits the orders, cancels every other one and issues the rest; it returns the pieces
// that left, once every order has come to its end.
func (r *rig) decide(t *testing.T) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*eventually)
	defer cancel()
	var mu sync.Mutex
	issued, ends := 0, map[string]orderreleasev1.OrderState{}
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for n := range ordersByWorker {
				number, pieces := fmt.Sprintf("SO-%d-%d", w, n), 1+(w+n)%3
				id, err := r.order(ctx, number, pieces)
				end := orderreleasev1.OrderState_ORDER_STATE_FULFILLED
				if (w+n)%2 == 0 && err == nil {
					end = orderreleasev1.OrderState_ORDER_STATE_CANCELLED
					err = r.api.Post(ctx, "/v1/orders/"+id+":cancel", "cancel-"+number, &orderreleasev1.RequestCancelRequest{Reason: "CUSTOMER_REQUEST"}, nil)
				} else if err == nil {
					err = r.issue(ctx, id, number, pieces)
				}
				if err != nil {
					t.Errorf("%s: %v", number, err)
					return
				}
				mu.Lock()
				if ends[id] = end; end == orderreleasev1.OrderState_ORDER_STATE_FULFILLED {
					issued += pieces
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if len(ends) != workers*ordersByWorker {
		t.Errorf("%d orders are there", len(ends))
	}
	for id, end := range ends {
		testkit.Eventually(t, eventually, func() error {
			got := &orderreleasev1.GetOrderResponse{}
			if err := r.api.Get(ctx, "/v1/orders/"+id, got); err != nil || got.GetOrder().GetState() != end {
				return fmt.Errorf("%s is %s, want %s (%w)", id, got.GetOrder().GetState(), end, err)
			}
			return nil
		})
	}
	return issued
}

// issue is the warehouse's part of an order.
func (r *rig) issue(ctx context.Context, id, number string, pieces int) error {
	if err := await(ctx, func() error { return r.allocated(ctx, id) }); err != nil {
		return err
	}
	orders := &inventorymovementv1.ListWarehouseOrdersResponse{}
	if err := r.api.Get(ctx, "/v1/warehouse-orders?order_id="+id, orders); err != nil {
		return err
	}
	lines := []*inventorymovementv1.WarehouseLineQuantity{{LineNumber: 1, Quantity: &commonv1.Quantity{Value: fmt.Sprint(pieces), Unit: "EA"}}}
	for _, step := range []struct {
		verb string
		in   proto.Message
	}{
		{"acknowledge", &inventorymovementv1.AcknowledgeWarehouseOrderRequest{}},
		{"confirmPicks", &inventorymovementv1.ConfirmPicksRequest{Lines: lines}},
		{"packCarton", &inventorymovementv1.PackCartonRequest{Lines: lines, GrossWeightGrams: 500}},
		{"postGoodsIssue", &inventorymovementv1.PostGoodsIssueRequest{}},
	} {
		path := "/v1/warehouse-orders/" + orders.GetWarehouseOrders()[0].GetWarehouseOrderId() + ":" + step.verb
		if err := r.api.Post(ctx, path, step.verb+"-"+number, step.in, nil); err != nil {
			return fmt.Errorf("%s: %w", step.verb, err)
		}
	}
	return nil
}
