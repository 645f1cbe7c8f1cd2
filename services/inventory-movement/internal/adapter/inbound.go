package adapter

import (
	"context"
	"fmt"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// RegisterAsn takes an ASN.
func (s *Server) RegisterAsn(ctx context.Context, r *imv1.RegisterAsnRequest) (*imv1.RegisterAsnResponse, error) {
	asn, err := fromAsn(r)
	if err != nil {
		return nil, err
	}
	receipt, err := s.Inbound.Announce(ctx, asn)
	return &imv1.RegisterAsnResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

func fromAsn(r *imv1.RegisterAsnRequest) (app.ASN, error) {
	asn := app.ASN{
		Keys: domain.InboundKeys{
			ASN: r.GetAsnNumber(), PurchaseOrder: r.GetPurchaseOrder(), Supplier: r.GetSupplier(), Site: r.GetSite(), Owner: r.GetOwner(),
		},
		Expected: protovalue.FromTime(r.GetExpectedTime()), Percent: r.GetOverTolerancePercent(), Inspect: r.GetInspectionRequired(),
	}
	for i, l := range r.GetLines() {
		q, err := protovalue.FromQuantity(l.GetQuantity(), fmt.Sprintf("lines[%d].quantity", i))
		if err != nil {
			return asn, err
		}
		asn.Lines = append(asn.Lines, app.AnnouncedLine{
			Number: int(l.GetLineNumber()), SKU: l.GetSku(), Quantity: q, Lot: l.GetLot(), Expiry: l.GetExpiryDate(),
			Percent: l.GetOverTolerancePercent(), Inspect: l.GetInspectionRequired(),
		})
	}
	for i, u := range r.GetUnits() {
		unit := app.AnnouncedUnit{SSCC: u.GetSscc()}
		for n, c := range u.GetContents() {
			q, err := protovalue.FromQuantity(c.GetQuantity(), fmt.Sprintf("units[%d].contents[%d].quantity", i, n))
			if err != nil {
				return asn, err
			}
			unit.Contents = append(unit.Contents, app.UnitContent{Line: int(c.GetLineNumber()), Quantity: q})
		}
		asn.Units = append(asn.Units, unit)
	}
	return asn, nil
}

// RecordArrival records that a delivery is at the site.
func (s *Server) RecordArrival(ctx context.Context, r *imv1.RecordArrivalRequest) (*imv1.RecordArrivalResponse, error) {
	receipt, err := s.Inbound.Arrive(ctx, r.GetInboundDeliveryId(), r.GetDock())
	return &imv1.RecordArrivalResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ReceiveLines records goods received under a delivery.
func (s *Server) ReceiveLines(ctx context.Context, r *imv1.ReceiveLinesRequest) (*imv1.ReceiveLinesResponse, error) {
	goods, err := fromGoods(r.GetGoods())
	if err != nil {
		return nil, err
	}
	receipt, err := s.Inbound.ReceiveGoods(ctx, r.GetInboundDeliveryId(), goods)
	return &imv1.ReceiveLinesResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ReceiveBlind records goods received that no ASN announced.
func (s *Server) ReceiveBlind(ctx context.Context, r *imv1.ReceiveBlindRequest) (*imv1.ReceiveBlindResponse, error) {
	goods, err := fromGoods(r.GetGoods())
	if err != nil {
		return nil, err
	}
	receipt, err := s.Inbound.ReceiveBlind(ctx, domain.InboundKeys{
		PurchaseOrder: r.GetPurchaseOrder(), Supplier: r.GetSupplier(), Site: r.GetSite(), Owner: r.GetOwner(),
	}, goods, r.GetInspectionRequired())
	return &imv1.ReceiveBlindResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

func fromGoods(list []*imv1.ReceivedGoods) ([]app.Received, error) {
	goods := make([]app.Received, len(list))
	for i, g := range list {
		goods[i] = app.Received{
			Line: int(g.GetLineNumber()), SKU: g.GetSku(), SSCC: g.GetSscc(), Damaged: g.GetCondition() == imv1.GoodsCondition_GOODS_CONDITION_DAMAGED,
			Place: domain.Place{Location: g.GetLocation(), Lot: g.GetLot(), Expiry: g.GetExpiryDate()}, Serials: g.GetSerials(),
		}
		q, err := optional(g.GetQuantity(), fmt.Sprintf("goods[%d].quantity", i))
		if err != nil {
			return nil, err
		}
		if q != nil {
			goods[i].Quantity = *q
		}
	}
	return goods, nil
}

// optional reads a quantity that a request may leave out.
func optional(m *commonv1.Quantity, field string) (*quantity.Quantity, error) {
	if m == nil {
		return nil, nil //nolint:nilnil // it says nothing
	}
	q, err := protovalue.FromQuantity(m, field)
	return &q, err
}

// CancelRemaining ends the wait for what has not come.
func (s *Server) CancelRemaining(ctx context.Context, r *imv1.CancelRemainingRequest) (*imv1.CancelRemainingResponse, error) {
	lines := protovalue.Each(r.GetLineNumbers(), func(n int32) int { return int(n) })
	receipt, err := s.Inbound.CancelRest(ctx, r.GetInboundDeliveryId(), lines, r.GetReason())
	return &imv1.CancelRemainingResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// RecordInspection records what inspection found.
func (s *Server) RecordInspection(ctx context.Context, r *imv1.RecordInspectionRequest) (*imv1.RecordInspectionResponse, error) {
	accepted, err := optional(r.GetAccepted(), "accepted")
	if err != nil {
		return nil, err
	}
	rejected, err := optional(r.GetRejected(), "rejected")
	if err != nil {
		return nil, err
	}
	receipt, err := s.Inbound.Inspect(ctx, r.GetInboundDeliveryId(), int(r.GetLineNumber()), r.GetLot(),
		app.Amount{Quantity: accepted, Serials: r.GetAcceptedSerials()}, app.Amount{Quantity: rejected, Serials: r.GetRejectedSerials()})
	return &imv1.RecordInspectionResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ResolveOverReceipt decides what becomes of goods that are too many.
func (s *Server) ResolveOverReceipt(ctx context.Context, r *imv1.ResolveOverReceiptRequest) (*imv1.ResolveOverReceiptResponse, error) {
	q, err := optional(r.GetQuantity(), "quantity")
	if err != nil {
		return nil, err
	}
	receipt, err := s.Inbound.ResolveOver(ctx, r.GetInboundDeliveryId(), int(r.GetLineNumber()), fromOverDecision(r.GetDecision()), app.Amount{Quantity: q, Serials: r.GetSerials()})
	return &imv1.ResolveOverReceiptResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ConfirmPutaway records that goods were put away.
func (s *Server) ConfirmPutaway(ctx context.Context, r *imv1.ConfirmPutawayRequest) (*imv1.ConfirmPutawayResponse, error) {
	q, err := optional(r.GetQuantity(), "quantity")
	if err != nil {
		return nil, err
	}
	receipt, err := s.Inbound.ConfirmPutaway(ctx, r.GetInboundDeliveryId(), int(r.GetTaskNumber()), r.GetLocation(), q)
	return &imv1.ConfirmPutawayResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetInboundDelivery returns one inbound delivery.
func (s *Server) GetInboundDelivery(ctx context.Context, r *imv1.GetInboundDeliveryRequest) (*imv1.GetInboundDeliveryResponse, error) {
	v, err := s.Inbound.Delivery(ctx, r.GetInboundDeliveryId())
	if err != nil {
		return nil, err
	}
	plan, err := s.Inbound.Plan(ctx, v.State.Keys.Site)
	if err != nil {
		return nil, err
	}
	return &imv1.GetInboundDeliveryResponse{InboundDelivery: plannedDelivery(v, plan)}, nil
}

// ListInboundDeliveries pages inbound deliveries by one key.
func (s *Server) ListInboundDeliveries(ctx context.Context, r *imv1.ListInboundDeliveriesRequest) (*imv1.ListInboundDeliveriesResponse, error) {
	q := store.Query{PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()}
	switch {
	case r.GetState() != 0:
		q.Index, q.Key = app.IndexState, protovalue.Name(r.GetState(), "INBOUND_DELIVERY_STATE_")
	case r.GetAsnNumber() != "":
		q.Index, q.Key = app.IndexASN, r.GetAsnNumber()
	case r.GetSupplier() != "":
		q.Index, q.Key = app.IndexSupplier, r.GetSupplier()
	case r.GetSite() != "":
		q.Index, q.Key = app.IndexSite, r.GetSite()
	}
	page, err := s.Inbound.ListDeliveries(ctx, q)
	if err != nil {
		return nil, err
	}
	return &imv1.ListInboundDeliveriesResponse{
		InboundDeliveries: protovalue.Each(page.Items, inboundDelivery), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf),
	}, nil
}
