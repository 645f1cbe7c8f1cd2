package view

import (
	"context"

	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	gatewayv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/gateway/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// parts are the pieces of an order's view: a new one is a field of OrderView, an entry
// here, and its read function below.
var parts = []part{
	{"order", "order-release", readOrder},
	{"shipments", "shipment-visibility", readShipments},
	{"freights", "freight-settlement", readFreights},
}

// listMax is the most of one kind that a view shows.
const listMax = 200

func readOrder(ctx context.Context, r reader) (func(*gatewayv1.OrderView), error) {
	resp, err := orderreleasev1.NewOrderReleaseServiceClient(r.conn).GetOrder(ctx, &orderreleasev1.GetOrderRequest{OrderId: r.orderID})
	return func(v *gatewayv1.OrderView) { v.Order = resp.GetOrder() }, err
}

func readShipments(ctx context.Context, r reader) (func(*gatewayv1.OrderView), error) {
	resp, err := shipmentvisibilityv1.NewShipmentVisibilityServiceClient(r.conn).ListShipments(ctx, &shipmentvisibilityv1.ListShipmentsRequest{OrderId: r.orderID, PageSize: listMax})
	return func(v *gatewayv1.OrderView) { v.Shipments = resp.GetShipments() }, err
}

func readFreights(ctx context.Context, r reader) (func(*gatewayv1.OrderView), error) {
	resp, err := freightsettlementv1.NewFreightSettlementServiceClient(r.conn).ListFreights(ctx, &freightsettlementv1.ListFreightsRequest{OrderId: r.orderID, PageSize: listMax})
	return func(v *gatewayv1.OrderView) { v.Freights = resp.GetFreights() }, err
}
