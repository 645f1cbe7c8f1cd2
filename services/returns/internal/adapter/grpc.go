package adapter

import (
	"context"
	"fmt"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/app"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// Server is the gRPC API over the use cases.
type Server struct {
	returnsv1.UnimplementedReturnsServiceServer
	App *app.App
}

// RequestReturn starts a return.
func (s *Server) RequestReturn(ctx context.Context, r *returnsv1.RequestReturnRequest) (*returnsv1.RequestReturnResponse, error) {
	asked := app.Asked{Order: r.GetOrderId(), Source: r.GetSourceSystem(), Number: r.GetRmaNumber(), Site: r.GetReturnSite()}
	for i, l := range r.GetLines() {
		line, err := fromAskedLine(l)
		if err != nil {
			return nil, malformed(fmt.Sprintf("lines[%d].quantity", i), err)
		}
		asked.Lines = append(asked.Lines, line)
	}
	receipt, v, err := s.App.Request(ctx, asked, time.Duration(r.GetWaitMs())*time.Millisecond)
	out := &returnsv1.RequestReturnResponse{Receipt: guard.Receipt(ctx, receipt)}
	if v.ID != "" {
		out.Return = resource(v)
	}
	return out, err
}

func malformed(field string, err error) error {
	return fault.New(fault.Invalid, "INVALID_REQUEST", "a quantity cannot be read").WithField(field, "QUANTITY_MALFORMED", "%v", err).Wrap(err)
}

// given reads a quantity that may be absent.
func given(m *commonv1.Quantity, field string) (quantity.Quantity, error) {
	if m == nil {
		return quantity.Quantity{}, nil
	}
	q, err := protovalue.FromQuantity(m, field)
	if err != nil {
		return q, malformed(field, err)
	}
	return q, nil
}

// AuthoriseReturn allows a return.
func (s *Server) AuthoriseReturn(ctx context.Context, r *returnsv1.AuthoriseReturnRequest) (*returnsv1.AuthoriseReturnResponse, error) {
	receipt, err := s.App.Authorise(owners.Says(ctx, "AuthoriseReturn", r), r.GetRmaId())
	return &returnsv1.AuthoriseReturnResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// DenyReturn does not allow it.
func (s *Server) DenyReturn(ctx context.Context, r *returnsv1.DenyReturnRequest) (*returnsv1.DenyReturnResponse, error) {
	receipt, err := s.App.Deny(owners.Says(ctx, "DenyReturn", r), r.GetRmaId(), r.GetReason())
	return &returnsv1.DenyReturnResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// InspectItems records an inspection.
func (s *Server) InspectItems(ctx context.Context, r *returnsv1.InspectItemsRequest) (*returnsv1.InspectItemsResponse, error) {
	in := domain.Inspection{
		Line: int(r.GetRmaLineNumber()), Grade: protovalue.Name(r.GetGrade(), "GRADE_"), Finding: protovalue.Name(r.GetFinding(), "FINDING_"), Note: r.GetNote(),
	}
	var err error
	if in.Accepted, err = given(r.GetAccepted(), "accepted"); err != nil {
		return nil, err
	}
	if in.Rejected, err = given(r.GetRejected(), "rejected"); err != nil {
		return nil, err
	}
	receipt, err := s.App.Inspect(owners.Says(ctx, "InspectItems", r), r.GetRmaId(), in)
	return &returnsv1.InspectItemsResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// DisposeItems decides what becomes of goods.
func (s *Server) DisposeItems(ctx context.Context, r *returnsv1.DisposeItemsRequest) (*returnsv1.DisposeItemsResponse, error) {
	q, err := given(r.GetQuantity(), "quantity")
	if err != nil {
		return nil, err
	}
	receipt, err := s.App.Dispose(owners.Says(ctx, "DisposeItems", r), r.GetRmaId(), domain.Disposal{
		Line: int(r.GetRmaLineNumber()), Disposition: domain.Disposition(protovalue.Name(r.GetDisposition(), "DISPOSITION_")), Quantity: q,
		From: r.GetFromLocation(), Lot: r.GetLot(), To: r.GetToLocation(),
	})
	return &returnsv1.DisposeItemsResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// optional is the amount of a message that may be absent.
func optional(m *commonv1.Money) *money.Amount {
	if m == nil {
		return nil
	}
	a := fromAmount(m)
	return &a
}

// RequestCredit asks the ERP for what is due.
func (s *Server) RequestCredit(ctx context.Context, r *returnsv1.RequestCreditRequest) (*returnsv1.RequestCreditResponse, error) {
	receipt, err := s.App.RequestCredit(owners.Says(ctx, "RequestCredit", r), r.GetRmaId(), optional(r.GetRestockingFee()))
	return &returnsv1.RequestCreditResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ConfirmCredit records the ERP's credit memo.
func (s *Server) ConfirmCredit(ctx context.Context, r *returnsv1.ConfirmCreditRequest) (*returnsv1.ConfirmCreditResponse, error) {
	receipt, err := s.App.ConfirmCredit(owners.Says(ctx, "ConfirmCredit", r), r.GetRmaId(), int(r.GetCreditNumber()), r.GetCreditMemo(), optional(r.GetAmount()))
	return &returnsv1.ConfirmCreditResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// CompleteReturn ends a return of which no more is expected.
func (s *Server) CompleteReturn(ctx context.Context, r *returnsv1.CompleteReturnRequest) (*returnsv1.CompleteReturnResponse, error) {
	receipt, err := s.App.Complete(owners.Says(ctx, "CompleteReturn", r), r.GetRmaId())
	return &returnsv1.CompleteReturnResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// CancelReturn calls a return off.
func (s *Server) CancelReturn(ctx context.Context, r *returnsv1.CancelReturnRequest) (*returnsv1.CancelReturnResponse, error) {
	receipt, err := s.App.Cancel(owners.Says(ctx, "CancelReturn", r), r.GetRmaId(), r.GetReason())
	return &returnsv1.CancelReturnResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetReturn returns one return.
func (s *Server) GetReturn(ctx context.Context, r *returnsv1.GetReturnRequest) (*returnsv1.GetReturnResponse, error) {
	v, err := s.App.Get(ctx, r.GetRmaId())
	if err != nil {
		return nil, err
	}
	return &returnsv1.GetReturnResponse{Return: resource(v)}, nil
}

// ListReturns pages returns by one key.
func (s *Server) ListReturns(ctx context.Context, r *returnsv1.ListReturnsRequest) (*returnsv1.ListReturnsResponse, error) {
	q := store.Query{PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()}
	switch {
	case r.GetState() != 0:
		q.Index, q.Key = app.IndexState, protovalue.Name(r.GetState(), "RETURN_STATE_")
	case r.GetOrderId() != "":
		q.Index, q.Key = app.IndexOrder, r.GetOrderId()
	case r.GetOrderNumber() != "":
		q.Index, q.Key = app.IndexOrderNumber, r.GetOrderNumber()
	case r.GetRmaNumber() != "":
		q.Index, q.Key = app.IndexNumber, r.GetRmaNumber()
	}
	page, err := s.App.List(ctx, q)
	return &returnsv1.ListReturnsResponse{
		Returns: protovalue.Each(page.Items, summary), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf),
	}, err
}

// GetReturnableItems returns what of an order can be sent back.
func (s *Server) GetReturnableItems(ctx context.Context, r *returnsv1.GetReturnableItemsRequest) (*returnsv1.GetReturnableItemsResponse, error) {
	v, err := s.App.ItemsOf(ctx, r.GetOrderId())
	if err != nil {
		return nil, err
	}
	return items(r.GetOrderId(), v.State), nil
}
