package adapter

import (
	"context"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// Orders asks order release.
type Orders struct {
	client orderreleasev1.OrderReleaseServiceClient
}

// NewOrders returns the adapter over a connection to order release.
func NewOrders(conn grpc.ClientConnInterface) *Orders {
	return &Orders{orderreleasev1.NewOrderReleaseServiceClient(conn)}
}

// Lines returns an order's keys, buyer and prices.
func (o *Orders) Lines(ctx context.Context, order string) (domain.ItemsIssued, error) {
	resp, err := o.client.GetOrder(ctx, &orderreleasev1.GetOrderRequest{OrderId: order})
	if err != nil {
		return domain.ItemsIssued{}, err
	}
	doc := resp.GetOrder().GetDocument()
	f := domain.ItemsIssued{
		Order: order, Number: doc.GetOrderNumber(), Source: doc.GetSourceSystem(), SoldTo: doc.GetSoldTo().GetPartyCode(), Currency: doc.GetCurrency(),
	}
	f.Lines, err = protovalue.TryEach(resp.GetOrder().GetLines(), func(l *orderreleasev1.OrderLineStatus) (domain.IssuedLine, error) {
		base, err := protovalue.StoredQuantity(l.GetResolved().GetBaseQuantity())
		if err != nil {
			return domain.IssuedLine{}, err
		}
		ordered, err := protovalue.StoredQuantity(l.GetLine().GetQuantity())
		return domain.IssuedLine{
			Line: int(l.GetLine().GetLineNumber()), Item: l.GetResolved().GetItemId(), SKU: l.GetLine().GetSku(), Unit: base.Unit,
			Price: domain.Price{Unit: l.GetLine().GetUnitPrice(), Currency: doc.GetCurrency(), Ordered: ordered, Base: base.Value},
		}, err
	})
	return f, err
}
