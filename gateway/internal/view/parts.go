package view

import (
	"context"

	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	gatewayv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/gateway/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// parts are the pieces of an order's view: a new one is a field of OrderView, an entry
// here, and its read function below.
var parts = []part{
	{"order", "order-release", readOrder},
	{"warehouse_orders", "inventory-movement", readWarehouseOrders},
	{"stock", "inventory-movement", readStock},
	{"shipments", "shipment-visibility", readShipments},
	{"freights", "freight-settlement", readFreights},
	{"returns", "returns", readReturns},
}

// listMax is the most of one kind that a view shows.
const listMax = 200

func readOrder(ctx context.Context, r reader) (func(*gatewayv1.OrderView), error) {
	resp, err := orderreleasev1.NewOrderReleaseServiceClient(r.conn).GetOrder(ctx, &orderreleasev1.GetOrderRequest{OrderId: r.orderID})
	return func(v *gatewayv1.OrderView) { v.Order = resp.GetOrder() }, err
}

func readWarehouseOrders(ctx context.Context, r reader) (func(*gatewayv1.OrderView), error) {
	resp, err := inventorymovementv1.NewInventoryMovementServiceClient(r.conn).ListWarehouseOrders(ctx, &inventorymovementv1.ListWarehouseOrdersRequest{OrderId: r.orderID, PageSize: listMax})
	return func(v *gatewayv1.OrderView) { v.WarehouseOrders = resp.GetWarehouseOrders() }, err
}

// readStock waits for the order: it asks for the places of its lines, each once.
func readStock(ctx context.Context, r reader) (func(*gatewayv1.OrderView), error) {
	order, err := r.order(ctx)
	if err != nil {
		return nil, err
	}
	req := &inventorymovementv1.GetAvailabilityRequest{}
	seen := map[string]bool{}
	for _, l := range order.GetLines() {
		site, item := l.GetResolved().GetSite(), l.GetResolved().GetItemId()
		if key := site + "/" + item; item != "" && !seen[key] && len(seen) < listMax {
			seen[key] = true
			req.Places = append(req.Places, &inventorymovementv1.AvailabilityPlace{Site: site, ItemId: item})
		}
	}
	if len(req.GetPlaces()) == 0 {
		return func(*gatewayv1.OrderView) {}, nil
	}
	resp, err := inventorymovementv1.NewInventoryMovementServiceClient(r.conn).GetAvailability(ctx, req)
	return func(v *gatewayv1.OrderView) { v.Stock = resp.GetAvailabilities() }, err
}

func readShipments(ctx context.Context, r reader) (func(*gatewayv1.OrderView), error) {
	resp, err := shipmentvisibilityv1.NewShipmentVisibilityServiceClient(r.conn).ListShipments(ctx, &shipmentvisibilityv1.ListShipmentsRequest{OrderId: r.orderID, PageSize: listMax})
	return func(v *gatewayv1.OrderView) { v.Shipments = resp.GetShipments() }, err
}

func readFreights(ctx context.Context, r reader) (func(*gatewayv1.OrderView), error) {
	resp, err := freightsettlementv1.NewFreightSettlementServiceClient(r.conn).ListFreights(ctx, &freightsettlementv1.ListFreightsRequest{OrderId: r.orderID, PageSize: listMax})
	return func(v *gatewayv1.OrderView) { v.Freights = resp.GetFreights() }, err
}

func readReturns(ctx context.Context, r reader) (func(*gatewayv1.OrderView), error) {
	resp, err := returnsv1.NewReturnsServiceClient(r.conn).ListReturns(ctx, &returnsv1.ListReturnsRequest{OrderId: r.orderID, PageSize: listMax})
	return func(v *gatewayv1.OrderView) { v.Returns = resp.GetReturns() }, err
}
