package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// ConfirmPutBack records what of a cancelled order was put back.
func (s *Server) ConfirmPutBack(ctx context.Context, r *imv1.ConfirmPutBackRequest) (*imv1.ConfirmPutBackResponse, error) {
	lines, err := reportedLines(r.GetLines())
	if err != nil {
		return nil, err
	}
	receipt, err := s.App.ConfirmPutBack(ctx, r.GetWarehouseOrderId(), lines)
	return &imv1.ConfirmPutBackResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// RefuseCancellation says that the warehouse goes on.
func (s *Server) RefuseCancellation(ctx context.Context, r *imv1.RefuseCancellationRequest) (*imv1.RefuseCancellationResponse, error) {
	receipt, err := s.App.RefuseCancellation(ctx, r.GetWarehouseOrderId(), r.GetReason())
	return &imv1.RefuseCancellationResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// recallMessage is a fact of a warehouse order that is taken back, as it is stored and published.
func recallMessage(f domain.OrderFact) proto.Message {
	switch f := f.(type) {
	case domain.PutBackStarted:
		return &imv1.WarehouseOrderPutBackStarted{Keys: orderKeys(f.OrderKeys), Reason: f.Reason, Lines: pickedLines(f.Lines)}
	case domain.PutBackConfirmed:
		return &imv1.PutBackConfirmed{
			Keys: orderKeys(f.OrderKeys), Lines: pickedLines(f.Lines), EventTime: protovalue.Time(f.At), Site: f.Site, Owner: f.Owner,
		}
	case domain.OrderStopped:
		return &imv1.WarehouseOrderStopped{Keys: orderKeys(f.OrderKeys), Reason: f.Reason}
	case domain.StopRefused:
		return &imv1.WarehouseOrderStopRefused{Keys: orderKeys(f.OrderKeys), Reason: f.Reason}
	case domain.StockKept:
		return &imv1.WarehouseOrderStockKept{
			Keys: orderKeys(f.OrderKeys),
			Claims: protovalue.Each(f.Claims, func(c domain.KeptClaim) *imv1.KeptClaim {
				return &imv1.KeptClaim{ClaimKey: c.Key, ItemId: c.Item, Sku: c.SKU, Quantity: protovalue.Quantity(c.Quantity)}
			}),
		}
	}
	return reversalMessage(f)
}

// readRecall reads the facts of warehouse orders that are taken back.
func readRecall(rs protovalue.Readers[domain.OrderFact]) {
	protovalue.Read(rs, func(m *imv1.WarehouseOrderCancelled) (domain.OrderFact, error) {
		lines, err := fromPickedLines(m.GetPutBack())
		return domain.OrderCancelled{OrderKeys: fromOrderKeys(m.GetKeys()), Reason: m.GetReason(), PutBack: lines, Voided: m.GetVoidedSsccs()}, err
	})
	protovalue.Read(rs, func(m *imv1.WarehouseOrderCancelRefused) (domain.OrderFact, error) {
		return domain.CancelRefused{OrderKeys: fromOrderKeys(m.GetKeys()), Reason: m.GetReason()}, nil
	})
	protovalue.Read(rs, func(m *imv1.WarehouseOrderPutBackStarted) (domain.OrderFact, error) {
		lines, err := fromPickedLines(m.GetLines())
		return domain.PutBackStarted{OrderKeys: fromOrderKeys(m.GetKeys()), Reason: m.GetReason(), Lines: lines}, err
	})
	protovalue.Read(rs, func(m *imv1.PutBackConfirmed) (domain.OrderFact, error) {
		lines, err := fromPickedLines(m.GetLines())
		return domain.PutBackConfirmed{
			OrderKeys: fromOrderKeys(m.GetKeys()), Site: m.GetSite(), Owner: m.GetOwner(), Lines: lines, At: protovalue.FromTime(m.GetEventTime()),
		}, err
	})
	protovalue.Read(rs, func(m *imv1.WarehouseOrderStopped) (domain.OrderFact, error) {
		return domain.OrderStopped{OrderKeys: fromOrderKeys(m.GetKeys()), Reason: m.GetReason()}, nil
	})
	protovalue.Read(rs, func(m *imv1.WarehouseOrderStopRefused) (domain.OrderFact, error) {
		return domain.StopRefused{OrderKeys: fromOrderKeys(m.GetKeys()), Reason: m.GetReason()}, nil
	})
	protovalue.Read(rs, func(m *imv1.WarehouseOrderStockKept) (domain.OrderFact, error) {
		claims, err := protovalue.TryEach(m.GetClaims(), func(c *imv1.KeptClaim) (domain.KeptClaim, error) {
			q, err := protovalue.StoredQuantity(c.GetQuantity())
			return domain.KeptClaim{Key: c.GetClaimKey(), Item: c.GetItemId(), SKU: c.GetSku(), Quantity: q}, err
		})
		return domain.StockKept{OrderKeys: fromOrderKeys(m.GetKeys()), Claims: claims}, err
	})
}
