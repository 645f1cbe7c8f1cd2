package adapter

import (
	"context"
	"fmt"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// PlanCount says what is to be counted.
func (s *Server) PlanCount(ctx context.Context, r *imv1.PlanCountRequest) (*imv1.PlanCountResponse, error) {
	receipt, err := s.Counting.PlanCount(ctx, app.NewCount{Site: r.GetSite(), Owner: r.GetOwner(), Locations: r.GetLocations(), SKUs: r.GetSkus()})
	return &imv1.PlanCountResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// StartCount begins to count.
func (s *Server) StartCount(ctx context.Context, r *imv1.StartCountRequest) (*imv1.StartCountResponse, error) {
	receipt, err := s.Counting.StartCount(ctx, r.GetCountId())
	return &imv1.StartCountResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// SubmitCount takes what somebody counted.
func (s *Server) SubmitCount(ctx context.Context, r *imv1.SubmitCountRequest) (*imv1.SubmitCountResponse, error) {
	counted := make([]app.Counted, len(r.GetLines()))
	for i, l := range r.GetLines() {
		q, err := protovalue.FromQuantity(l.GetQuantity(), fmt.Sprintf("lines[%d].quantity", i))
		if err != nil {
			return nil, err
		}
		counted[i] = app.Counted{
			SKU: l.GetSku(), Quantity: q,
			Place: domain.Place{Location: l.GetLocation(), Lot: l.GetLot(), Serial: l.GetSerial(), Expiry: l.GetExpiryDate(), Status: available(l.GetStatus())},
		}
	}
	receipt, err := s.Counting.SubmitCount(ctx, r.GetCountId(), counted, s.Clock.Now())
	return &imv1.SubmitCountResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// PostCount has the ledger follow what was counted.
func (s *Server) PostCount(ctx context.Context, r *imv1.PostCountRequest) (*imv1.PostCountResponse, error) {
	c, _ := guard.CallerOf(ctx)
	receipt, err := s.Counting.PostCount(ctx, r.GetCountId(), r.GetReason(), c.Has(commonv1.Role_ROLE_TENANT_ADMIN), s.Clock.Now())
	return &imv1.PostCountResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// CancelCount calls a count off.
func (s *Server) CancelCount(ctx context.Context, r *imv1.CancelCountRequest) (*imv1.CancelCountResponse, error) {
	receipt, err := s.Counting.CancelCount(ctx, r.GetCountId(), r.GetReason())
	return &imv1.CancelCountResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetCount returns one count with its places.
func (s *Server) GetCount(ctx context.Context, r *imv1.GetCountRequest) (*imv1.GetCountResponse, error) {
	v, err := s.Counting.Count(ctx, r.GetCountId())
	if err != nil {
		return nil, err
	}
	m := stockCount(v)
	for i, l := range v.State.Lines {
		m.Lines = append(m.Lines, countLine(i+1, l, shows(v.State.State())))
	}
	return &imv1.GetCountResponse{Count: m}, nil
}

// ListCounts pages counts.
func (s *Server) ListCounts(ctx context.Context, r *imv1.ListCountsRequest) (*imv1.ListCountsResponse, error) {
	q := store.Query{PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()}
	if r.GetSite() != "" {
		q.Index, q.Key = app.IndexSite, r.GetSite()
	}
	page, err := s.Counting.ListCounts(ctx, q)
	if err != nil {
		return nil, err
	}
	return &imv1.ListCountsResponse{Counts: protovalue.Each(page.Items, stockCount), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}, nil
}

// SetCountPolicy says how a site counts.
func (s *Server) SetCountPolicy(ctx context.Context, r *imv1.SetCountPolicyRequest) (*imv1.SetCountPolicyResponse, error) {
	var policy *domain.CountPolicy
	if r.GetPolicy() != nil {
		p, err := fromCountPolicy(r.GetPolicy())
		if err != nil {
			return nil, err
		}
		policy = &p
	}
	receipt, err := s.Counting.SetCountPolicy(ctx, r.GetSite(), policy)
	return &imv1.SetCountPolicyResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetCountPolicy returns how the tenant's sites count.
func (s *Server) GetCountPolicy(ctx context.Context, _ *imv1.GetCountPolicyRequest) (*imv1.GetCountPolicyResponse, error) {
	p, err := s.Counting.CountPolicies(ctx)
	if err != nil {
		return nil, err
	}
	return &imv1.GetCountPolicyResponse{Sites: protovalue.Each(p.Sites, func(x domain.SiteCounts) *imv1.SiteCountPolicy {
		return &imv1.SiteCountPolicy{Site: x.Site, Policy: countPolicy(x.Policy)}
	})}, nil
}

// shows reports whether nobody counts any more, so that what others counted
// and what the books have may be seen.
func shows(s domain.CountState) bool { return s == domain.CountValidation || s == domain.CountComplete }

func stockCount(v store.View[domain.Count]) *imv1.StockCount {
	c := v.State
	return &imv1.StockCount{
		CountId: v.ID, State: imv1.CountState(imv1.CountState_value["COUNT_STATE_"+string(c.State())]), Site: c.Keys.Site, Owner: c.Keys.Owner,
		Locations: c.Locations, Skus: c.SKUs, Policy: countPolicy(c.Policy), LineCount: int32(len(c.Lines)), OpenCount: int32(c.Open()),
		PostedBy: c.ApprovedBy, Reason: c.Reason, Posting: c.Posting(), Etag: v.ETag, CreateTime: protovalue.Time(v.Created),
	}
}

// countLine is a place of a count; shown says whether what was counted, and what
// the books have, is.
func countLine(number int, l domain.CountLine, shown bool) *imv1.CountLine {
	m := &imv1.CountLine{
		LineNumber: int32(number), Sku: l.SKU, Location: l.Place.Location, Lot: l.Place.Lot, Serial: l.Place.Serial, ExpiryDate: l.Place.Expiry, Status: status(l.Place.Status),
		Planned: l.Planned, TimesCounted: int32(len(l.Countings)), Recount: l.Recount, Posted: l.Posted, Refusal: l.Refusal, HeldBy: l.HeldBy, Superseded: l.Superseded,
	}
	c, counted := l.Last()
	if !counted {
		return m
	}
	m.CountedBy, m.CountedTime = c.By, protovalue.Time(time.UnixMilli(c.At))
	if shown {
		expected, variance := l.Balance()
		m.Counted, m.Expected, m.Variance = amount(c.Quantity, l.Unit), amount(expected, l.Unit), amount(variance, l.Unit)
	}
	return m
}
