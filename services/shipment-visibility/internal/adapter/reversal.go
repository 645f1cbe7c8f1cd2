package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/app"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// reversals are what the consumer of warehouse orders takes of goods issues that are reversed. A part
// of an order that is put back after its goods issue was reversed concerns the shipment no more.
func reversals(a *app.App) []bus.Route {
	return []bus.Route{
		bus.On(func(ctx context.Context, _ bus.Fact, m *inventorymovementv1.GoodsIssueReversalRequested) error {
			return a.AskReversal(ctx, orderKeys(m), int(m.GetAttempt()))
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *inventorymovementv1.GoodsIssueReversed) error {
			return a.Reverse(ctx, domain.IssueReversed{
				Keys: orderKeys(m), Reason: m.GetReason(),
				Cartons: protovalue.Each(m.GetCartons(), func(c *inventorymovementv1.Carton) string { return c.GetSscc() }),
			})
		}),
	}
}

// reversed is a fact about a goods issue that is reversed, as it is stored and published.
func reversed(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.ReversalAllowed:
		return &shipmentvisibilityv1.ShipmentReversalAllowed{
			ShipmentId: f.Shipment, OrderId: f.Order.ID, OrderNumber: f.Order.Number, ReleaseId: f.Order.Release,
			WarehouseOrderId: f.Order.WarehouseOrder, Attempt: int32(f.Attempt),
		}
	case domain.ReversalDenied:
		return &shipmentvisibilityv1.ShipmentReversalDenied{
			ShipmentId: f.Shipment, OrderId: f.Order.ID, OrderNumber: f.Order.Number, ReleaseId: f.Order.Release,
			WarehouseOrderId: f.Order.WarehouseOrder, Attempt: int32(f.Attempt), Reason: f.Reason,
		}
	case domain.IssueReversed:
		return &shipmentvisibilityv1.ShipmentIssueReversed{
			ShipmentId: f.Shipment, OrderId: f.Order.ID, OrderNumber: f.Order.Number, ReleaseId: f.Order.Release,
			WarehouseOrderId: f.Order.WarehouseOrder, Reason: f.Reason, Ssccs: f.Cartons, Units: units(f.Units), Lines: lines(f.Lines),
			GrossWeightGrams: f.WeightGrams,
		}
	}
	return nil
}

// readReversal reads the facts about goods issues that are reversed.
func readReversal(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ShipmentReversalAllowed) (domain.Fact, error) {
		return domain.ReversalAllowed{Keys: keys(m), Attempt: int(m.GetAttempt())}, nil
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ShipmentReversalDenied) (domain.Fact, error) {
		return domain.ReversalDenied{Keys: keys(m), Attempt: int(m.GetAttempt()), Reason: m.GetReason()}, nil
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ShipmentIssueReversed) (domain.Fact, error) {
		us, err := fromUnits(m.GetUnits())
		if err != nil {
			return nil, err
		}
		ls, err := fromLines(m.GetLines())
		return domain.IssueReversed{
			Keys: keys(m), Reason: m.GetReason(), Cartons: m.GetSsccs(), Units: us, Lines: ls, WeightGrams: m.GetGrossWeightGrams(),
		}, err
	})
}
