package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// reversals are what the consumer of warehouse orders takes of goods issues that are reversed.
func reversals(a *app.App) []bus.Route {
	return []bus.Route{
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.GoodsIssueReversalRequested) error {
			lines, err := byLine(m.GetLines(), "")
			if err != nil {
				return err
			}
			return a.AskReversal(ctx, m.GetKeys().GetReleaseId(), m.GetKeys().GetWarehouseOrderId(), int(m.GetAttempt()), lines)
		})),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.GoodsIssueReversed) error {
			return withLines(ctx, m, "", a.IssueReversed)
		})),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.GoodsIssueReversalRefused) error {
			return a.ReversalRefused(ctx, m.GetKeys().GetReleaseId(), m.GetReason())
		})),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.WarehouseOrderRestCancelled) error {
			putBack, err := byLine(m.GetPutBack(), "")
			if err != nil {
				return err
			}
			return a.ReleaseCancelled(ctx, m.GetKeys().GetReleaseId(), putBack)
		})),
	}
}

// reversalMessage is a fact about a goods issue that is reversed, as it is stored and published.
func reversalMessage(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.ReversalAllowed:
		return &orderreleasev1.IssueReversalAllowed{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), WarehouseOrderId: f.WarehouseOrder, Attempt: int32(f.Attempt),
		}
	case domain.ReversalDenied:
		return &orderreleasev1.IssueReversalDenied{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), WarehouseOrderId: f.WarehouseOrder, Attempt: int32(f.Attempt),
			Reason: f.Reason,
		}
	case domain.LinesIssueReversed:
		return &orderreleasev1.LinesIssueReversed{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), Lines: protovalue.Each(f.Lines, lineQuantity),
		}
	case domain.ReversalEnded:
		return &orderreleasev1.IssueReversalEnded{OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), Reason: f.Reason}
	}
	return nil
}

// readReversal reads the facts about goods issues that are reversed.
func readReversal(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, func(m *orderreleasev1.IssueReversalAllowed) (domain.Fact, error) {
		n, err := releaseNumber(m.GetReleaseId())
		return domain.ReversalAllowed{Keys: keys(m), Release: n, WarehouseOrder: m.GetWarehouseOrderId(), Attempt: int(m.GetAttempt())}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.IssueReversalDenied) (domain.Fact, error) {
		n, err := releaseNumber(m.GetReleaseId())
		return domain.ReversalDenied{
			Keys: keys(m), Release: n, WarehouseOrder: m.GetWarehouseOrderId(), Attempt: int(m.GetAttempt()), Reason: m.GetReason(),
		}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.LinesIssueReversed) (domain.Fact, error) {
		k, n, lines, err := part(m)
		return domain.LinesIssueReversed{Keys: k, Release: n, Lines: lines}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.IssueReversalEnded) (domain.Fact, error) {
		n, err := releaseNumber(m.GetReleaseId())
		return domain.ReversalEnded{Keys: keys(m), Release: n, Reason: m.GetReason()}, err
	})
}
