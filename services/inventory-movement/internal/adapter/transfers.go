package adapter

import (
	"context"
	"fmt"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// TransferOut has goods leave their bins for another site.
func (s *Server) TransferOut(ctx context.Context, r *imv1.TransferOutRequest) (*imv1.TransferOutResponse, error) {
	n := app.NewTransfer{
		From: r.GetFromSite(), To: r.GetToSite(), Owner: r.GetOwner(), Reference: r.GetReference(), Expected: protovalue.FromTime(r.GetExpectedTime()),
	}
	for i, l := range r.GetLines() {
		q, err := protovalue.FromQuantity(l.GetQuantity(), fmt.Sprintf("lines[%d].quantity", i))
		if err != nil {
			return nil, err
		}
		n.Lines = append(n.Lines, app.SentGoods{
			SKU: l.GetSku(), Quantity: q, Serials: l.GetSerials(), Place: domain.Place{Location: l.GetLocation(), Lot: l.GetLot(), Expiry: l.GetExpiryDate(), Status: available(l.GetStatus())},
		})
	}
	receipt, err := s.Transfers.SendOut(ctx, n)
	return &imv1.TransferOutResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// TransferIn books what came of a transfer.
func (s *Server) TransferIn(ctx context.Context, r *imv1.TransferInRequest) (*imv1.TransferInResponse, error) {
	arrived := make([]app.Arrived, len(r.GetLines()))
	for i, l := range r.GetLines() {
		q, err := protovalue.FromQuantity(l.GetQuantity(), fmt.Sprintf("lines[%d].quantity", i))
		if err != nil {
			return nil, err
		}
		arrived[i] = app.Arrived{
			Line: int(l.GetLineNumber()), Quantity: q, Location: l.GetLocation(), Damaged: l.GetCondition() == imv1.GoodsCondition_GOODS_CONDITION_DAMAGED,
		}
	}
	receipt, err := s.Transfers.TakeIn(ctx, r.GetTransferId(), arrived)
	return &imv1.TransferInResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// EndTransfer ends the wait for what is open of a transfer.
func (s *Server) EndTransfer(ctx context.Context, r *imv1.EndTransferRequest) (*imv1.EndTransferResponse, error) {
	lines := protovalue.Each(r.GetLineNumbers(), func(n int32) int { return int(n) })
	receipt, err := s.Transfers.End(ctx, r.GetTransferId(), fromTransferOutcome(r.GetOutcome()), r.GetLocation(), r.GetReason(), lines, s.Clock.Now())
	return &imv1.EndTransferResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetTransfer returns one transfer.
func (s *Server) GetTransfer(ctx context.Context, r *imv1.GetTransferRequest) (*imv1.GetTransferResponse, error) {
	v, err := s.Transfers.Transfer(ctx, r.GetTransferId())
	if err != nil {
		return nil, err
	}
	return &imv1.GetTransferResponse{Transfer: stockTransfer(v)}, nil
}

// ListTransfers pages transfers.
func (s *Server) ListTransfers(ctx context.Context, r *imv1.ListTransfersRequest) (*imv1.ListTransfersResponse, error) {
	q := store.Query{PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()}
	if r.GetSite() != "" {
		q.Index, q.Key = app.IndexSite, r.GetSite()
	}
	page, err := s.Transfers.ListTransfers(ctx, q)
	if err != nil {
		return nil, err
	}
	return &imv1.ListTransfersResponse{
		Transfers: protovalue.Each(page.Items, stockTransfer), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf),
	}, nil
}

func stockTransfer(v store.View[domain.SiteTransfer]) *imv1.StockTransfer {
	t := v.State
	return &imv1.StockTransfer{
		TransferId: v.ID, State: imv1.TransferState(imv1.TransferState_value["TRANSFER_STATE_"+string(t.State())]), FromSite: t.Keys.From, ToSite: t.Keys.To,
		Owner: t.Keys.Owner, Reference: t.Keys.Reference, ExpectedTime: protovalue.Time(t.Expected), Lines: protovalue.Each(t.Lines, transferLine),
		Etag: v.ETag, CreateTime: protovalue.Time(v.Created),
	}
}

func transferLine(l domain.TransferLine) *imv1.TransferLine {
	return &imv1.TransferLine{
		LineNumber: int32(l.Number), ItemId: l.Item, Sku: l.SKU, Location: l.Place.Location, Lot: l.Place.Lot, Serial: l.Place.Serial, ExpiryDate: l.Place.Expiry, Status: status(l.Place.Status),
		Requested: amount(l.Asked, l.Unit), Shipped: amount(l.Shipped, l.Unit), Received: amount(l.Received, l.Unit), Damaged: amount(l.Damaged, l.Unit),
		Over: amount(l.Over, l.Unit), BroughtBack: amount(l.Returned, l.Unit), Lost: amount(l.Lost, l.Unit), Open: amount(l.Open(), l.Unit), Refusal: l.Refusal,
	}
}
