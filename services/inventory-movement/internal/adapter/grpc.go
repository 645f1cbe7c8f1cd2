package adapter

import (
	"context"
	"fmt"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Server is the gRPC API over the use cases.
type Server struct {
	imv1.UnimplementedInventoryMovementServiceServer
	App            *app.App
	Inbound        *app.Inbound
	Reconciliation *app.Reconciliation
	Counting       *app.Counting
	Transfers      *app.Transfers
	Clock          clock.Clock // the day on which stock can be promised
}

// RecordReceipt records goods received.
func (s *Server) RecordReceipt(ctx context.Context, r *imv1.RecordReceiptRequest) (*imv1.RecordReceiptResponse, error) {
	g, err := fromReceipt(r.GetReceipt(), "receipt")
	if err != nil {
		return nil, err
	}
	receipt, err := s.App.Receive(ctx, g)
	return &imv1.RecordReceiptResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// BatchRecordReceipts records many receipts, each on its own.
func (s *Server) BatchRecordReceipts(ctx context.Context, r *imv1.BatchRecordReceiptsRequest) (*imv1.BatchRecordReceiptsResponse, error) {
	goods := make([]app.Goods, len(r.GetReceipts()))
	for i, m := range r.GetReceipts() {
		var err error
		if goods[i], err = fromReceipt(m, fmt.Sprintf("receipts[%d]", i)); err != nil {
			return nil, err
		}
	}
	results, err := s.App.ReceiveBatch(ctx, goods)
	if err != nil {
		return nil, err
	}
	done, err := guard.ItemResults(ctx, len(results), func(i int) (store.Receipt, error) { return results[i].Receipt, results[i].Err })
	return &imv1.BatchRecordReceiptsResponse{Results: done}, err
}

func fromReceipt(m *imv1.GoodsReceipt, path string) (app.Goods, error) {
	q, err := protovalue.FromQuantity(m.GetQuantity(), path+".quantity")
	return app.Goods{
		Target:   app.Target{Site: m.GetSite(), SKU: m.GetSku(), Owner: m.GetOwner()},
		Place:    domain.Place{Location: m.GetLocation(), Lot: m.GetLot(), Expiry: m.GetExpiryDate(), Status: domain.Available},
		Quantity: q, Serials: m.GetSerials(), Document: m.GetDocument(), Request: m,
	}, err
}

// RecordReturnReceipt records returned goods.
func (s *Server) RecordReturnReceipt(ctx context.Context, r *imv1.RecordReturnReceiptRequest) (*imv1.RecordReturnReceiptResponse, error) {
	q, err := protovalue.FromQuantity(r.GetQuantity(), "quantity")
	if err != nil {
		return nil, err
	}
	receipt, err := s.App.ReceiveReturn(owners.Says(ctx, "RecordReturnReceipt", r), app.Returned{
		Target: target(r), Quantity: q, Serials: r.GetSerials(), RMA: r.GetRmaId(), Line: int(r.GetRmaLineNumber()),
		Place: domain.Place{Location: r.GetLocation(), Lot: r.GetLot(), Expiry: r.GetExpiryDate(), Status: domain.Returned},
	})
	return &imv1.RecordReturnReceiptResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// AdjustStock corrects the quantity in a bin.
func (s *Server) AdjustStock(ctx context.Context, r *imv1.AdjustStockRequest) (*imv1.AdjustStockResponse, error) {
	q, err := protovalue.FromQuantity(r.GetChange(), "change")
	if err != nil {
		return nil, err
	}
	p := domain.Place{Location: r.GetLocation(), Lot: r.GetLot(), Expiry: r.GetExpiryDate(), Status: available(r.GetStatus())}
	receipt, err := s.App.Adjust(owners.Says(ctx, "AdjustStock", r), target(r), p, q, r.GetSerials(), r.GetReason(), s.Clock.Now())
	return &imv1.AdjustStockResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// MoveStock moves free stock between bins or changes its status.
func (s *Server) MoveStock(ctx context.Context, r *imv1.MoveStockRequest) (*imv1.MoveStockResponse, error) {
	q, err := protovalue.FromQuantity(r.GetQuantity(), "quantity")
	if err != nil {
		return nil, err
	}
	from := domain.Place{Location: r.GetFromLocation(), Lot: r.GetLot(), Expiry: r.GetExpiryDate(), Status: available(r.GetFromStatus())}
	to := from
	to.Location = r.GetToLocation()
	if r.GetToStatus() != 0 {
		to.Status = fromStatus(r.GetToStatus())
	}
	receipt, err := s.App.Move(owners.Says(ctx, "MoveStock", r), target(r), from, to, q, r.GetSerials(), r.GetReason())
	return &imv1.MoveStockResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetStock returns the stock of one item at one site.
func (s *Server) GetStock(ctx context.Context, r *imv1.GetStockRequest) (*imv1.GetStockResponse, error) {
	v, err := s.App.Stock(ctx, target(r))
	if err != nil {
		return nil, err
	}
	return &imv1.GetStockResponse{Stock: stock(v)}, nil
}

// GetAvailability returns what can be promised.
func (s *Server) GetAvailability(ctx context.Context, r *imv1.GetAvailabilityRequest) (*imv1.GetAvailabilityResponse, error) {
	stocks, figures, err := s.App.Available(ctx, protovalue.Each(r.GetPlaces(), func(p *imv1.AvailabilityPlace) app.Place {
		return app.Place{Site: p.GetSite(), Item: p.GetItemId(), SKU: p.GetSku(), Owner: p.GetOwner(), Promise: p.GetPromiseKey()}
	}), s.Clock.Now())
	if err != nil {
		return nil, err
	}
	resp := &imv1.GetAvailabilityResponse{}
	for i, st := range stocks {
		resp.Availabilities = append(resp.Availabilities, availability(st, figures[i]))
	}
	return resp, nil
}

// ListMovements returns the commits that made a stock what it is.
func (s *Server) ListMovements(ctx context.Context, r *imv1.ListMovementsRequest) (*imv1.ListMovementsResponse, error) {
	after, err := fromPageToken(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	commits, next, err := s.App.Movements(ctx, r.GetStockId(), after, pageSize(r.GetPageSize()))
	if err != nil {
		return nil, err
	}
	return &imv1.ListMovementsResponse{Movements: protovalue.Each(commits, stockCommit), NextPageToken: pageToken(next)}, nil
}

// ReserveStock makes claims.
func (s *Server) ReserveStock(ctx context.Context, r *imv1.ReserveStockRequest) (*imv1.ReserveStockResponse, error) {
	claims, err := claims(r.GetClaims(), true)
	if err != nil {
		return nil, err
	}
	grants, err := s.App.Reserve(ctx, claims, r.GetAllowPartial())
	if err != nil {
		return nil, err
	}
	resp := &imv1.ReserveStockResponse{}
	for i, g := range grants {
		m := &imv1.ReserveStockResponse_Grant{ClaimKey: claims[i].Key}
		if g.Refusal != nil {
			m.Refusal = &commonv1.Reason{Code: g.Refusal.Reason, Field: fmt.Sprintf("claims[%d]", i), Message: g.Refusal.Message}
		} else {
			m.Granted = protovalue.Quantity(g.Granted)
		}
		resp.Grants = append(resp.Grants, m)
	}
	return resp, nil
}

// ReleaseReservations closes claims.
func (s *Server) ReleaseReservations(ctx context.Context, r *imv1.ReleaseReservationsRequest) (*imv1.ReleaseReservationsResponse, error) {
	claims, err := claims(r.GetClaims(), false)
	if err != nil {
		return nil, err
	}
	receipts, err := s.App.Release(ctx, claims)
	if err != nil {
		return nil, err
	}
	return &imv1.ReleaseReservationsResponse{Receipts: protovalue.Each(receipts, protovalue.Receipt)}, nil
}

func claims(list []*imv1.StockClaim, quantified bool) ([]app.Claim, error) {
	out := make([]app.Claim, len(list))
	for i, c := range list {
		if domain.Booked(c.GetClaimKey()) {
			return nil, domain.Invalid(fmt.Sprintf("claims[%d].claim_key", i), "CLAIM_KEY_RESERVED", "%s is a reservation's", c.GetClaimKey())
		}
		out[i] = app.Claim{Key: c.GetClaimKey(), Site: c.GetSite(), Item: c.GetItemId(), Owner: c.GetOwner(), Promise: c.GetPromiseKey()}
		if !quantified {
			continue
		}
		field := fmt.Sprintf("claims[%d].quantity", i)
		if c.GetQuantity() == nil {
			return nil, domain.Invalid(field, "QUANTITY_INVALID", "a claim says how much")
		}
		var err error
		if out[i].Quantity, err = protovalue.FromQuantity(c.GetQuantity(), field); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AcknowledgeWarehouseOrder records that the warehouse has an order.
func (s *Server) AcknowledgeWarehouseOrder(ctx context.Context, r *imv1.AcknowledgeWarehouseOrderRequest) (*imv1.AcknowledgeWarehouseOrderResponse, error) {
	receipt, err := s.App.Acknowledge(owners.Says(ctx, "AcknowledgeWarehouseOrder", r), r.GetWarehouseOrderId())
	return &imv1.AcknowledgeWarehouseOrderResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ConfirmPicks records picks.
func (s *Server) ConfirmPicks(ctx context.Context, r *imv1.ConfirmPicksRequest) (*imv1.ConfirmPicksResponse, error) {
	lines, err := reportedLines(r.GetLines())
	if err != nil {
		return nil, err
	}
	receipt, err := s.App.ConfirmPicks(owners.Says(ctx, "ConfirmPicks", r), r.GetWarehouseOrderId(), lines)
	return &imv1.ConfirmPicksResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ReportShortPick records what was not there to be picked.
func (s *Server) ReportShortPick(ctx context.Context, r *imv1.ReportShortPickRequest) (*imv1.ReportShortPickResponse, error) {
	lines, err := reportedLines(r.GetLines())
	if err != nil {
		return nil, err
	}
	receipt, err := s.App.ReportShort(owners.Says(ctx, "ReportShortPick", r), r.GetWarehouseOrderId(), lines, r.GetReason() == imv1.ShortReason_SHORT_REASON_DAMAGED)
	return &imv1.ReportShortPickResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// PackCarton records a packed carton.
func (s *Server) PackCarton(ctx context.Context, r *imv1.PackCartonRequest) (*imv1.PackCartonResponse, error) {
	lines, err := reportedLines(r.GetLines())
	if err != nil {
		return nil, err
	}
	receipt, err := s.App.Pack(owners.Says(ctx, "PackCarton", r), r.GetWarehouseOrderId(), domain.Carton{
		SSCC: r.GetSscc(), Weight: r.GetGrossWeightGrams(), Lines: lines, Packaging: fromPackagingIfAny(r.GetPackaging()),
	})
	return &imv1.PackCartonResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// PostGoodsIssue posts the goods issue of everything packed.
func (s *Server) PostGoodsIssue(ctx context.Context, r *imv1.PostGoodsIssueRequest) (*imv1.PostGoodsIssueResponse, error) {
	receipt, err := s.App.IssueGoods(owners.Says(ctx, "PostGoodsIssue", r), r.GetWarehouseOrderId())
	return &imv1.PostGoodsIssueResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// reportedLines reads the lines of a report; items and SKUs are the order's, whatever it says.
func reportedLines(list []*imv1.WarehouseLineQuantity) ([]domain.PickedLine, error) {
	lines := make([]domain.PickedLine, 0, len(list))
	for i, l := range list {
		q, err := protovalue.FromQuantity(l.GetQuantity(), fmt.Sprintf("lines[%d].quantity", i))
		if err != nil {
			return nil, err
		}
		if domain.Reserved(l.GetLocation()) {
			return nil, domain.Invalid(fmt.Sprintf("lines[%d].location", i), "LOCATION_RESERVED", "%s is no bin", l.GetLocation())
		}
		if serials := l.GetSerials(); len(serials) > 0 {
			if err := domain.Numbered(serials, q.Value, fmt.Sprintf("lines[%d].serials", i)); err != nil {
				return nil, err
			}
		}
		lines = append(lines, pieces(domain.PickedLine{
			Line: int(l.GetLineNumber()), Location: l.GetLocation(), Lot: l.GetLot(), Quantity: q.Value, Unit: q.Unit, Row: i + 1,
		}, l.GetSerials())...)
	}
	return lines, nil
}

// GetWarehouseOrder returns one warehouse order.
func (s *Server) GetWarehouseOrder(ctx context.Context, r *imv1.GetWarehouseOrderRequest) (*imv1.GetWarehouseOrderResponse, error) {
	v, err := s.App.Order(ctx, r.GetWarehouseOrderId())
	if err != nil {
		return nil, err
	}
	return &imv1.GetWarehouseOrderResponse{WarehouseOrder: warehouseOrder(v)}, nil
}

// ListWarehouseOrders pages warehouse orders by one key.
func (s *Server) ListWarehouseOrders(ctx context.Context, r *imv1.ListWarehouseOrdersRequest) (*imv1.ListWarehouseOrdersResponse, error) {
	q := store.Query{PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()}
	switch {
	case r.GetState() != 0:
		q.Index, q.Key = app.IndexState, protovalue.Name(r.GetState(), "WAREHOUSE_ORDER_STATE_")
	case r.GetOrderId() != "":
		q.Index, q.Key = app.IndexOrder, r.GetOrderId()
	case r.GetSite() != "":
		q.Index, q.Key = app.IndexSite, r.GetSite()
	}
	page, err := s.App.List(ctx, q)
	if err != nil {
		return nil, err
	}
	return &imv1.ListWarehouseOrdersResponse{
		WarehouseOrders: protovalue.Each(page.Items, warehouseOrder), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf),
	}, nil
}

// ofStock is a request that names a stock as people do.
type ofStock interface {
	GetSite() string
	GetSku() string
	GetOwner() string
}

func target(r ofStock) app.Target {
	return app.Target{Site: r.GetSite(), SKU: r.GetSku(), Owner: r.GetOwner()}
}

func available(s imv1.StockStatus) domain.Status {
	if s == 0 {
		return domain.Available
	}
	return fromStatus(s)
}
