package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	gatewayv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/gateway/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// TestStraightOrders: orders walked side by side all reach their end, and the books agree with
// what was shipped; the composed read shows all parts of one.
func TestStraightOrders(t *testing.T) {
	onBothShapes(t, func(t *testing.T, f *fleet.Fleet) {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		d, caller := driver(t, f)
		const onHand, each = 1000, 8
		if err := d.Setup(ctx, 3, onHand); err != nil {
			t.Fatal(err)
		}
		lines := []lifecycle.Line{{SKU: lifecycle.SKU(0), Quantity: 3}, {SKU: lifecycle.SKU(1), Quantity: 2}, {SKU: lifecycle.SKU(2), Quantity: 1}}
		var group sync.WaitGroup
		for n := range each {
			group.Go(func() {
				if err := d.Walk(ctx, fmt.Sprintf("SO-%d", n), lines); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if t.Failed() {
			return
		}
		api := conn(t, f, caller)
		stock := inventorymovementv1.NewInventoryMovementServiceClient(api)
		for _, l := range lines {
			testkit.Eventually(t, within, func() error {
				resp, err := stock.GetAvailability(ctx, &inventorymovementv1.GetAvailabilityRequest{
					Places: []*inventorymovementv1.AvailabilityPlace{{Site: lifecycle.Site, Sku: l.SKU}},
				})
				if err != nil || len(resp.GetAvailabilities()) != 1 {
					return fmt.Errorf("%v %w", resp, err)
				}
				a, left := resp.GetAvailabilities()[0], fmt.Sprint(onHand-each*l.Quantity)
				if a.GetOnHand().GetValue() != left || a.GetAvailableToPromise().GetValue() != left {
					return fmt.Errorf("%s: %v, want %s on hand and to promise", l.SKU, a, left)
				}
				return nil
			})
		}
		view(ctx, t, gatewayv1.NewOrderViewServiceClient(api), len(lines))
	})
}

// view wants all parts of the closed order SO-0 in its composed read, which does without those
// that are not there in time.
func view(ctx context.Context, t *testing.T, client gatewayv1.OrderViewServiceClient, items int) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		resp, err := client.GetOrderView(ctx, &gatewayv1.GetOrderViewRequest{OrderNumber: "SO-0", SourceSystem: "erp"})
		v := resp.GetOrderView()
		if err != nil || v.GetOrder().GetState() != orderreleasev1.OrderState_ORDER_STATE_CLOSED ||
			len(v.GetWarehouseOrders()) != 1 || len(v.GetShipments()) != 1 || len(v.GetFreights()) != 1 || len(v.GetStock()) != items || len(v.GetMissing()) != 0 {
			return fmt.Errorf("view %v, %w", v, err)
		}
		return nil
	})
}
