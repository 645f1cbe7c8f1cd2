package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// oneUnitForMany: of 500 orders that come at once for the only unit exactly one gets it, and all
// others wait; nothing is claimed that is not there, neither meanwhile nor in the end.
func oneUnitForMany(t *testing.T, f *fleet.Fleet) {
	const callers = 500
	ctx, cancel := context.WithTimeout(t.Context(), 2*within)
	defer cancel()
	d, who := driver(t, f)
	if err := d.Setup(ctx, 1, 1); err != nil {
		t.Fatal(err)
	}
	p := speak(t, f, who)
	api := patient(t, f, who)
	var group sync.WaitGroup
	begin := make(chan struct{})
	for n := range callers {
		number := fmt.Sprintf("RACE-%03d", n)
		req, resp := &orderreleasev1.SubmitOrderRequest{}, &orderreleasev1.SubmitOrderResponse{}
		unmarshal(t, order(number, 1), req)
		group.Go(func() {
			<-begin
			if err := api.Post(ctx, "/v1/orders", "race-"+number, req, resp); err != nil || resp.GetReceipt().GetState() == "REJECTED" {
				t.Errorf("%s: %v %v", number, resp, err)
			}
		})
	}
	close(begin)
	group.Wait()
	if t.Failed() {
		return
	}
	testkit.Eventually(t, 2*within, func() error { return p.decided(t, callers) })
	p.settled(t, "on hand 1, allocated 1, promised 0, to promise 0")
	testkit.Eventually(t, within, func() error { // lists trail
		got := &inventorymovementv1.ListWarehouseOrdersResponse{}
		unmarshal(t, p.read(t, "/v1/warehouse-orders?site="+lifecycle.Site), got)
		if len(got.GetWarehouseOrders()) != 1 {
			return fmt.Errorf("warehouse orders %v", got)
		}
		return nil
	})

	// One more unit goes to one more order.
	receive := fmt.Sprintf(`{"receipt":{"site":%q,"sku":%q,"location":"A-01","quantity":{"value":"1","unit":"EA"},"document":"MORE"}}`, lifecycle.Site, lifecycle.SKU(0))
	if a := p.command(t, http.MethodPost, "/v1/stocks:recordReceipt", "race-receipt", receive); a.status != http.StatusOK {
		t.Fatalf("receipt: %d %s", a.status, a.body)
	}
	p.settled(t, "on hand 2, allocated 2, promised 0, to promise 0")
}

// decided is an error until one order is released and all others are backordered.
func (p party) decided(t *testing.T, callers int) error {
	t.Helper()
	states := map[orderreleasev1.OrderState]int{}
	for _, o := range p.orders(t, callers) {
		states[o.GetState()]++
	}
	released, waiting := states[orderreleasev1.OrderState_ORDER_STATE_RELEASED], states[orderreleasev1.OrderState_ORDER_STATE_BACKORDERED]
	if released > 1 {
		t.Fatalf("one unit went to %d orders", released)
	}
	if released != 1 || waiting != callers-1 {
		return fmt.Errorf("states %v", states)
	}
	return nil
}
