package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// TestWithoutMasterData: once the services have their copies, master data may be down: an
// order is walked from its submission to the paid freight invoice and a credited return, and
// so is another after every service that follows master data was started again without it.
func TestWithoutMasterData(t *testing.T) {
	mongo := testkit.Mongo(t)
	f, err := fleet.New(programs, t.TempDir(), fleet.Servers{
		Mongo: mongo, Prefix: testkit.Database(t, mongo) + "_", NATS: testkit.StartNATS(t).URL(), Redis: testkit.Redis(t),
	}, services)
	started(t, f, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*within)
	defer cancel()
	d, caller := driver(t, f)
	if err := d.Setup(ctx, 1, 100); err != nil {
		t.Fatal(err)
	}
	api := conn(t, f, caller)
	there := func(number string) {
		t.Helper()
		if err := d.Walk(ctx, number, []lifecycle.Line{{SKU: lifecycle.SKU(0), Quantity: 3}}); err != nil {
			t.Fatal(err)
		}
		comesBack(ctx, t, api, number)
	}
	there("UP-1") // which also shows that the copies are there
	if err := f.Processes["master-data"].Stop(ctx); err != nil {
		t.Fatal(err)
	}
	there("DOWN-1")
	for _, name := range []string{"order-release", "inventory-movement", "shipment-visibility", "freight-settlement", "returns"} {
		if err := f.Processes[name].Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if err := f.Processes[name].Start(); err != nil {
			t.Fatal(err)
		}
		if err := f.Await(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/v1/orders", "/v1/warehouse-orders", "/v1/shipments", "/v1/freights", "/v1/returns"} {
		testkit.Eventually(t, within, func() error { return reached(ctx, api, path) })
	}
	there("AGAIN-1")
}

// reached reports whether the gateway has found a service again that was started anew: it does
// not repeat commands by itself.
func reached(ctx context.Context, api *rest.Conn, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, api.Base+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+api.Token)
	resp, err := api.HTTP.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close() // only its status counts
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	return nil
}

// comesBack returns one piece of an order to its site, and follows it to its end.
func comesBack(ctx context.Context, t *testing.T, api *rest.Conn, number string) {
	t.Helper()
	// once runs a command under a key of its own.
	once := func(name string, do func(context.Context) error) {
		t.Helper()
		keyed := metadata.AppendToOutgoingContext(ctx, guard.MetaKey, number+":"+name+":"+uuid.NewString())
		if err := do(keyed); err != nil {
			t.Fatalf("%s of %s: %v", name, number, err)
		}
	}
	order, returns := "", returnsv1.NewReturnsServiceClient(api)
	testkit.Eventually(t, within, func() error { // lists trail
		orders, err := orderreleasev1.NewOrderReleaseServiceClient(api).ListOrders(ctx, &orderreleasev1.ListOrdersRequest{OrderNumber: number})
		if err != nil || len(orders.GetOrders()) != 1 {
			return fmt.Errorf("orders %s: %v %w", number, orders, err)
		}
		order = orders.GetOrders()[0].GetOrderId()
		return nil
	})
	one := &commonv1.Quantity{Value: "1", Unit: "EA"}
	testkit.Eventually(t, within, func() error {
		_, err := returns.GetReturnableItems(ctx, &returnsv1.GetReturnableItemsRequest{OrderId: order})
		return err
	})
	var rma string
	once("request", func(ctx context.Context) error {
		resp, err := returns.RequestReturn(ctx, &returnsv1.RequestReturnRequest{OrderId: order, ReturnSite: lifecycle.Site, WaitMs: 5000, Lines: []*returnsv1.RequestedLine{
			{OrderLineNumber: 1, Quantity: one, Reason: returnsv1.ReturnReason_RETURN_REASON_DEFECTIVE},
		}})
		rma = resp.GetReceipt().GetId()
		return err
	})
	becomes := func(want returnsv1.ReturnState) {
		t.Helper()
		testkit.Eventually(t, within, func() error {
			got, err := returns.GetReturn(ctx, &returnsv1.GetReturnRequest{RmaId: rma})
			if err == nil && got.GetReturn().GetState() != want {
				err = fmt.Errorf("the return is %s: %v", got.GetReturn().GetState(), got.GetReturn().GetReasons())
			}
			return err
		})
	}
	becomes(returnsv1.ReturnState_RETURN_STATE_AUTHORISED)
	once("arrive", func(ctx context.Context) error {
		_, err := inventorymovementv1.NewInventoryMovementServiceClient(api).RecordReturnReceipt(ctx, &inventorymovementv1.RecordReturnReceiptRequest{
			Site: lifecycle.Site, Sku: lifecycle.SKU(0), Location: "R-01", Quantity: one, RmaId: rma, RmaLineNumber: 1,
		})
		return err
	})
	becomes(returnsv1.ReturnState_RETURN_STATE_RECEIVED)
	once("inspect", func(ctx context.Context) error {
		_, err := returns.InspectItems(ctx, &returnsv1.InspectItemsRequest{RmaId: rma, RmaLineNumber: 1, Accepted: one, Grade: returnsv1.Grade_GRADE_A})
		return err
	})
	once("dispose", func(ctx context.Context) error {
		_, err := returns.DisposeItems(ctx, &returnsv1.DisposeItemsRequest{
			RmaId: rma, RmaLineNumber: 1, Disposition: returnsv1.Disposition_DISPOSITION_RESTOCK, Quantity: one, ToLocation: "A-01",
		})
		return err
	})
	once("credit", func(ctx context.Context) error {
		_, err := returns.ConfirmCredit(ctx, &returnsv1.ConfirmCreditRequest{RmaId: rma, CreditNumber: 1, CreditMemo: "CM-" + number})
		return err
	})
	becomes(returnsv1.ReturnState_RETURN_STATE_COMPLETED)
}
