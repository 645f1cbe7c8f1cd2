package gateway

import (
	"context"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/gateway/internal/edge"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	gatewayv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/gateway/v1"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	operationsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/operations/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// services are the gRPC services whose public RPCs are served over HTTP; a new one is an entry here.
var services = []edge.Service{
	{Name: "master-data", Proto: "lockstep.masterdata.v1.MasterDataService", Register: over(masterdatav1.NewMasterDataServiceClient, masterdatav1.RegisterMasterDataServiceHandlerClient)},
	{Name: "order-release", Proto: "lockstep.orderrelease.v1.OrderReleaseService", Register: over(orderreleasev1.NewOrderReleaseServiceClient, orderreleasev1.RegisterOrderReleaseServiceHandlerClient)},
	{Name: "inventory-movement", Proto: "lockstep.inventorymovement.v1.InventoryMovementService", Register: over(inventorymovementv1.NewInventoryMovementServiceClient, inventorymovementv1.RegisterInventoryMovementServiceHandlerClient)},
	{Name: "shipment-visibility", Proto: "lockstep.shipmentvisibility.v1.ShipmentVisibilityService", Register: over(shipmentvisibilityv1.NewShipmentVisibilityServiceClient, shipmentvisibilityv1.RegisterShipmentVisibilityServiceHandlerClient)},
	{Name: "freight-settlement", Proto: "lockstep.freightsettlement.v1.FreightSettlementService", Register: over(freightsettlementv1.NewFreightSettlementServiceClient, freightsettlementv1.RegisterFreightSettlementServiceHandlerClient)},
	{Name: "returns", Proto: "lockstep.returns.v1.ReturnsService", Register: over(returnsv1.NewReturnsServiceClient, returnsv1.RegisterReturnsServiceHandlerClient)},
	{Name: "integration", Proto: "lockstep.integration.v1.IntegrationService", Register: over(integrationv1.NewIntegrationServiceClient, integrationv1.RegisterIntegrationServiceHandlerClient)},
	{Name: "control-tower", Proto: "lockstep.controltower.v1.ControlTowerService", Register: over(controltowerv1.NewControlTowerServiceClient, controltowerv1.RegisterControlTowerServiceHandlerClient)},
	{Name: byName, Proto: "lockstep.operations.v1.DeadLetterService", Register: over(operationsv1.NewDeadLetterServiceClient, operationsv1.RegisterDeadLetterServiceHandlerClient)},
	{Name: Name, Proto: "lockstep.gateway.v1.OrderViewService", Register: over(gatewayv1.NewOrderViewServiceClient, gatewayv1.RegisterOrderViewServiceHandlerClient)},
}

// over joins a generated client with its generated routes.
func over[C any](client func(grpc.ClientConnInterface) C, register func(context.Context, *runtime.ServeMux, C) error) func(context.Context, *runtime.ServeMux, grpc.ClientConnInterface) error {
	return func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
		return register(ctx, mux, client(conn))
	}
}
