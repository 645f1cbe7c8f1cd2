package adapter

import (
	"context"
	"fmt"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Server is the gRPC API over the use cases.
type Server struct {
	orderreleasev1.UnimplementedOrderReleaseServiceServer
	App *app.App
}

// SubmitOrder takes an order.
func (s *Server) SubmitOrder(ctx context.Context, r *orderreleasev1.SubmitOrderRequest) (*orderreleasev1.SubmitOrderResponse, error) {
	doc, err := submitted(r.GetOrder(), "order")
	if err != nil {
		return nil, err
	}
	receipt, err := s.App.Submit(ctx, doc)
	return &orderreleasev1.SubmitOrderResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// BatchSubmitOrders takes orders, each on its own.
func (s *Server) BatchSubmitOrders(ctx context.Context, r *orderreleasev1.BatchSubmitOrdersRequest) (*orderreleasev1.BatchSubmitOrdersResponse, error) {
	docs := make([]app.Document, len(r.GetOrders()))
	for i, d := range r.GetOrders() {
		var err error
		if docs[i], err = submitted(d, fmt.Sprintf("orders[%d]", i)); err != nil {
			return nil, err
		}
	}
	done := s.App.SubmitBatch(ctx, docs)
	results, err := guard.ItemResults(ctx, len(done), func(i int) (store.Receipt, error) { return done[i].Receipt, done[i].Err })
	return &orderreleasev1.BatchSubmitOrdersResponse{Results: results}, err
}

// submitted converts a document that stands at a path of the request.
func submitted(d *orderreleasev1.OrderDocument, path string) (app.Document, error) {
	doc := app.Document{Header: fromDocument(d), Lines: make([]domain.Line, len(d.GetLines())), Asked: d}
	for i, l := range d.GetLines() {
		var err error
		if doc.Lines[i], err = fromOrderLine(l); err != nil {
			return doc, fault.New(fault.Invalid, "INVALID_REQUEST", "a quantity cannot be read").
				WithField(fmt.Sprintf("%s.lines[%d].quantity", path, i), "QUANTITY_MALFORMED", "%v", err).Wrap(err)
		}
	}
	return doc, nil
}

// PlaceHold opens a hold.
func (s *Server) PlaceHold(ctx context.Context, r *orderreleasev1.PlaceHoldRequest) (*orderreleasev1.PlaceHoldResponse, error) {
	receipt, err := s.App.PlaceHold(owners.Says(ctx, "PlaceHold", r), r.GetOrderId(), fromHoldType(r.GetType()), r.GetNote())
	return &orderreleasev1.PlaceHoldResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// LiftHold ends a hold.
func (s *Server) LiftHold(ctx context.Context, r *orderreleasev1.LiftHoldRequest) (*orderreleasev1.LiftHoldResponse, error) {
	receipt, err := s.App.LiftHold(owners.Says(ctx, "LiftHold", r), r.GetOrderId(), fromHoldType(r.GetType()), r.GetNote())
	return &orderreleasev1.LiftHoldResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// PromiseLines starts an attempt to claim stock.
func (s *Server) PromiseLines(ctx context.Context, r *orderreleasev1.PromiseLinesRequest) (*orderreleasev1.PromiseLinesResponse, error) {
	receipt, attempt, err := s.App.Promise(ctx, r.GetOrderId(), time.Duration(r.GetWaitMs())*time.Millisecond)
	return &orderreleasev1.PromiseLinesResponse{Receipt: guard.Receipt(ctx, receipt), Promise: promise(attempt)}, err
}

// ReleaseOrder releases what is promised.
func (s *Server) ReleaseOrder(ctx context.Context, r *orderreleasev1.ReleaseOrderRequest) (*orderreleasev1.ReleaseOrderResponse, error) {
	receipt, err := s.App.Release(owners.Says(ctx, "ReleaseOrder", r), r.GetOrderId())
	return &orderreleasev1.ReleaseOrderResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ReleaseRemainder releases what was promised of backordered releases.
func (s *Server) ReleaseRemainder(ctx context.Context, r *orderreleasev1.ReleaseRemainderRequest) (*orderreleasev1.ReleaseRemainderResponse, error) {
	receipt, err := s.App.ReleaseRemainder(owners.Says(ctx, "ReleaseRemainder", r), r.GetOrderId())
	return &orderreleasev1.ReleaseRemainderResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// RequestCancel cancels an order, as far as it still can be.
func (s *Server) RequestCancel(ctx context.Context, r *orderreleasev1.RequestCancelRequest) (*orderreleasev1.RequestCancelResponse, error) {
	receipt, err := s.App.Cancel(owners.Says(ctx, "RequestCancel", r), r.GetOrderId(), r.GetReason())
	return &orderreleasev1.RequestCancelResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// CloseOrder ends an order that the ERP has posted.
func (s *Server) CloseOrder(ctx context.Context, r *orderreleasev1.CloseOrderRequest) (*orderreleasev1.CloseOrderResponse, error) {
	receipt, err := s.App.Close(owners.Says(ctx, "CloseOrder", r), r.GetOrderId())
	return &orderreleasev1.CloseOrderResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetOrder returns one order.
func (s *Server) GetOrder(ctx context.Context, r *orderreleasev1.GetOrderRequest) (*orderreleasev1.GetOrderResponse, error) {
	v, err := s.App.Get(ctx, r.GetOrderId())
	if err != nil {
		return nil, err
	}
	return &orderreleasev1.GetOrderResponse{Order: order(v)}, nil
}

// ListOrders pages orders by one key.
func (s *Server) ListOrders(ctx context.Context, r *orderreleasev1.ListOrdersRequest) (*orderreleasev1.ListOrdersResponse, error) {
	q := store.Query{PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()}
	switch {
	case r.GetOrderNumber() != "":
		q.Index, q.Key = app.IndexNumber, r.GetOrderNumber()
	case r.GetPurchaseOrder() != "":
		q.Index, q.Key = app.IndexPO, r.GetPurchaseOrder()
	case r.GetState() != 0:
		q.Index, q.Key = app.IndexState, protovalue.Name(r.GetState(), "ORDER_STATE_")
	}
	page, err := s.App.List(ctx, q)
	return &orderreleasev1.ListOrdersResponse{
		Orders: protovalue.Each(page.Items, summary), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf),
	}, err
}

// ExplainOrder says what stands against the next release.
func (s *Server) ExplainOrder(ctx context.Context, r *orderreleasev1.ExplainOrderRequest) (*orderreleasev1.ExplainOrderResponse, error) {
	v, now, err := s.App.Explain(ctx, r.GetOrderId())
	if err != nil {
		return nil, err
	}
	return &orderreleasev1.ExplainOrderResponse{
		State: orderState(v.State.State()), Releasable: v.State.Valid && v.State.MayGo(now) == nil, Reasons: protovalue.Each(v.State.ExplainAt(now), reason),
		Sourcing: orderSourcing(v.State), Deferrals: protovalue.Each(v.State.Deferrals(), deferral),
		ShippedStatus: shippedStatus(v.State.Shipped()), Shipping: shippings(v.State),
	}, nil
}

// historyPage is how many versions a page of a history has when the caller does not say.
const historyPage = 50

// GetOrderHistory returns what happened to an order.
func (s *Server) GetOrderHistory(ctx context.Context, r *orderreleasev1.GetOrderHistoryRequest) (*orderreleasev1.GetOrderHistoryResponse, error) {
	limit := int(r.GetPageSize())
	if limit == 0 {
		limit = historyPage
	}
	commits, next, err := s.App.History(ctx, r.GetOrderId(), uint64(r.GetAfterVersion()), limit)
	if err != nil {
		return nil, err
	}
	entries, err := protovalue.TryEach(commits, historyEntry)
	return &orderreleasev1.GetOrderHistoryResponse{Entries: entries, NextAfterVersion: int64(next)}, err
}
