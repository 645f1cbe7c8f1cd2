package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/app"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// onReversed takes from what can be returned what was taken back.
func onReversed(a *app.App) bus.Route {
	return bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.LinesIssueReversed) error {
		lines, err := protovalue.TryEach(m.GetLines(), func(l *orderreleasev1.LineQuantity) (domain.ReversedLine, error) {
			q, err := protovalue.StoredQuantity(l.GetQuantity())
			return domain.ReversedLine{Line: int(l.GetLineNumber()), Quantity: q}, err
		})
		if err != nil {
			return err
		}
		return a.Reverse(ctx, domain.ItemsIssueReversed{Order: m.GetOrderId(), Number: m.GetOrderNumber(), Release: m.GetReleaseId(), Lines: lines})
	})
}

// reversedMessage is a fact of goods issues that were reversed, as it is stored and published.
func reversedMessage(f domain.ItemFact) proto.Message {
	if f, ok := f.(domain.ItemsIssueReversed); ok {
		return &returnsv1.ItemsIssueReversed{
			ReturnableId: f.ID, OrderId: f.Order, OrderNumber: f.Number, ReleaseId: f.Release,
			Lines: protovalue.Each(f.Lines, func(l domain.ReversedLine) *returnsv1.ReversedLine {
				return &returnsv1.ReversedLine{LineNumber: int32(l.Line), Quantity: protovalue.Quantity(l.Quantity)}
			}),
		}
	}
	return nil
}

// readReversed reads the fact of goods issues that were reversed.
func readReversed(rs protovalue.Readers[domain.ItemFact]) {
	protovalue.Read(rs, func(m *returnsv1.ItemsIssueReversed) (domain.ItemFact, error) {
		lines, err := protovalue.TryEach(m.GetLines(), func(l *returnsv1.ReversedLine) (domain.ReversedLine, error) {
			q, err := protovalue.StoredQuantity(l.GetQuantity())
			return domain.ReversedLine{Line: int(l.GetLineNumber()), Quantity: q}, err
		})
		return domain.ItemsIssueReversed{
			ID: m.GetReturnableId(), Order: m.GetOrderId(), Number: m.GetOrderNumber(), Release: m.GetReleaseId(), Lines: lines,
		}, err
	})
}
