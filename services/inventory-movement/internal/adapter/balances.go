package adapter

import (
	"context"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// ofBalance is a request about a part of a stock as of a moment.
type ofBalance interface {
	GetLocation() string
	GetLot() string
	GetSerial() string
	GetStatus() imv1.StockStatus
	GetAsOfEventTime() *timestamppb.Timestamp
	GetAsOfRecordedTime() *timestamppb.Timestamp
}

func moment(r ofBalance) app.Moment {
	return app.Moment{Event: protovalue.FromTime(r.GetAsOfEventTime()), Recorded: protovalue.FromTime(r.GetAsOfRecordedTime())}
}

func filter(r ofBalance) domain.Filter {
	f := domain.Filter{Location: r.GetLocation(), Lot: r.GetLot(), Serial: r.GetSerial()}
	if r.GetStatus() != 0 {
		f.Status = fromStatus(r.GetStatus())
	}
	return f
}

// GetBalance returns a part of a stock as of a moment.
func (s *Server) GetBalance(ctx context.Context, r *imv1.GetBalanceRequest) (*imv1.GetBalanceResponse, error) {
	b, err := s.App.Balance(ctx, target(r), filter(r), moment(r), s.Clock.Now())
	if err != nil {
		return nil, err
	}
	return &imv1.GetBalanceResponse{Balance: balance(b, filter(r))}, nil
}

// ExplainBalance returns what made a part of a stock what it is.
func (s *Server) ExplainBalance(ctx context.Context, r *imv1.ExplainBalanceRequest) (*imv1.ExplainBalanceResponse, error) {
	after, err := fromMark(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	e, err := s.App.Explain(ctx, target(r), filter(r), moment(r), s.Clock.Now(), after, pageSize(r.GetPageSize()))
	if err != nil {
		return nil, err
	}
	unit := e.Key.Unit
	return &imv1.ExplainBalanceResponse{
		StockId: e.Key.ID, OpeningOnHand: amount(e.Before.OnHand, unit), OpeningAllocated: amount(e.Before.Allocated, unit),
		OpeningPromised: amount(e.Before.Promised, unit), NextPageToken: e.Next.String(),
		Entries: protovalue.Each(e.Entries, func(x app.Entry) *imv1.BalanceEntry { return balanceEntry(x, unit) }),
	}, nil
}

func fromMark(token string) (app.Mark, error) {
	if token == "" {
		return app.Mark{}, nil
	}
	version, index, found := strings.Cut(token, ".")
	v, errV := strconv.ParseUint(version, 10, 64)
	i, errI := strconv.Atoi(index)
	if !found || errV != nil || errI != nil || v == 0 || i < 0 {
		return app.Mark{}, domain.Invalid("page_token", "PAGE_TOKEN_INVALID", "it is not one that this method gave out")
	}
	return app.Mark{Version: v, Index: i}, nil
}

func balance(b domain.Balance, f domain.Filter) *imv1.Balance {
	k := b.Key
	m := &imv1.Balance{
		StockId: k.ID, Site: k.Site, ItemId: k.Item, Sku: k.SKU, Owner: k.Owner, Version: int64(b.Version),
		OnHand: amount(b.OnHand, k.Unit), Allocated: amount(b.Allocated, k.Unit),
		Rows: protovalue.Each(b.Rows, func(r domain.Row) *imv1.StockRow { return stockRow(r, k.Unit) }),
	}
	if f.Promises() {
		m.Promised = amount(b.Promised, k.Unit)
	}
	return m
}

func stockRow(r domain.Row, unit string) *imv1.StockRow {
	m := &imv1.StockRow{
		Location: r.Place.Location, Lot: r.Place.Lot, Serial: r.Place.Serial, ExpiryDate: r.Place.Expiry, Status: status(r.Place.Status),
		OnHand: amount(r.OnHand, unit), Allocated: amount(r.Allocated, unit),
	}
	if r.Received != 0 {
		m.ReceivedTime = protovalue.Time(time.UnixMilli(r.Received))
	}
	return m
}

// balanceEntry is a change of a balance as data and in words.
func balanceEntry(e app.Entry, unit string) *imv1.BalanceEntry {
	m := &imv1.BalanceEntry{
		Version: int64(e.Version), Index: int32(e.Index), Text: told(e.Fact),
		EventTime: protovalue.Time(e.Happened), RecordedTime: protovalue.Time(e.Recorded), Principal: e.Cause.Principal, Source: guard.SourceProto(e.Cause.Source),
		OnHandChange: amount(e.Change.OnHand, unit), AllocatedChange: amount(e.Change.Allocated, unit), PromisedChange: amount(e.Change.Promised, unit),
		OnHand: amount(e.After.OnHand, unit), Allocated: amount(e.After.Allocated, unit), Promised: amount(e.After.Promised, unit),
	}
	switch f := e.Fact.(type) {
	case domain.StockMoved:
		m.Kind, m.MovementType = imv1.BalanceEntryKind_BALANCE_ENTRY_KIND_MOVEMENT, movement(f.Type)
		m.From, m.To, m.Reason, m.RmaId = place(f.From), place(f.To), f.Reason, f.RMA
		m.WarehouseOrderId, m.LineNumber = f.Order, int32(f.Line)
	case domain.StockReserved:
		m.Kind, m.Claims = imv1.BalanceEntryKind_BALANCE_ENTRY_KIND_RESERVATION, []*imv1.ClaimUse{claimUse(f.Claim)}
	case domain.ReservationReleased:
		m.Kind, m.Claims = imv1.BalanceEntryKind_BALANCE_ENTRY_KIND_RESERVATION, []*imv1.ClaimUse{claimUse(f.Claim)}
	case domain.ReservationConfirmed:
		m.Kind, m.Claims = imv1.BalanceEntryKind_BALANCE_ENTRY_KIND_RESERVATION, []*imv1.ClaimUse{claimUse(f.Claim)}
	case domain.StockAllocated:
		m.Kind, m.Claims = imv1.BalanceEntryKind_BALANCE_ENTRY_KIND_ALLOCATION, protovalue.Each(f.Claims, claimUse)
		m.WarehouseOrderId, m.LineNumber = f.Order, int32(f.Line)
	case domain.AllocationFreed:
		m.Kind = imv1.BalanceEntryKind_BALANCE_ENTRY_KIND_ALLOCATION
		m.WarehouseOrderId, m.LineNumber = f.Order, int32(f.Line)
	}
	return m
}

// shownDifferences bounds how many differences an answer names.
const shownDifferences = 100

// VerifyStock names what of a stock differs from its commits.
func (s *Server) VerifyStock(ctx context.Context, r *imv1.VerifyStockRequest) (*imv1.VerifyStockResponse, error) {
	v, err := s.App.Verify(ctx, target(r))
	if err != nil {
		return nil, err
	}
	return &imv1.VerifyStockResponse{
		StockId: v.Stock, Version: int64(v.Version), Differences: differences(v), DifferenceCount: int32(len(v.Differences)),
	}, nil
}

// RebuildStock puts what the commits say in the place of what has drifted.
func (s *Server) RebuildStock(ctx context.Context, r *imv1.RebuildStockRequest) (*imv1.RebuildStockResponse, error) {
	receipt, v, err := s.App.Rebuild(ctx, target(r))
	return &imv1.RebuildStockResponse{Receipt: guard.Receipt(ctx, receipt), Differences: differences(v)}, err
}

func differences(v app.Verdict) []*imv1.StockDifference {
	shown := v.Differences[:min(len(v.Differences), shownDifferences)]
	return protovalue.Each(shown, func(d app.Difference) *imv1.StockDifference {
		return &imv1.StockDifference{Copy: d.Copy, Part: d.Part, Name: d.Name, Has: d.Has, ShouldHave: d.Ought}
	})
}
