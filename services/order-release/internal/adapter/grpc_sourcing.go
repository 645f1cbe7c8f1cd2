package adapter

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// ExplainNotReleasable says all that is missing before the next release.
func (s *Server) ExplainNotReleasable(ctx context.Context, r *orderreleasev1.ExplainNotReleasableRequest) (*orderreleasev1.ExplainNotReleasableResponse, error) {
	v, now, err := s.App.Explain(ctx, r.GetOrderId())
	if err != nil {
		return nil, err
	}
	lacks := v.State.Lacks(now)
	var next time.Time
	for _, l := range lacks {
		if !l.Next.IsZero() && (next.IsZero() || l.Next.Before(next)) {
			next = l.Next
		}
	}
	return &orderreleasev1.ExplainNotReleasableResponse{
		Releasable: v.State.Valid && v.State.MayGo(now) == nil, Missing: protovalue.Each(lacks, missing), NextTime: protovalue.Time(next),
	}, nil
}

// PutSourcingRules makes a list of rules the next version.
func (s *Server) PutSourcingRules(ctx context.Context, r *orderreleasev1.PutSourcingRulesRequest) (*orderreleasev1.PutSourcingRulesResponse, error) {
	receipt, err := s.App.PutRules(ctx, protovalue.Each(r.GetRules(), fromRule), r.GetNote())
	return &orderreleasev1.PutSourcingRulesResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetSourcingRules returns a version of the rules.
func (s *Server) GetSourcingRules(ctx context.Context, r *orderreleasev1.GetSourcingRulesRequest) (*orderreleasev1.GetSourcingRulesResponse, error) {
	found, etag, err := s.App.GetRules(ctx, int(r.GetVersion()))
	if err != nil {
		return nil, err
	}
	return &orderreleasev1.GetSourcingRulesResponse{Rules: rules(found, etag)}, nil
}

// PutReleaseChannel defines a channel.
func (s *Server) PutReleaseChannel(ctx context.Context, r *orderreleasev1.PutReleaseChannelRequest) (*orderreleasev1.PutReleaseChannelResponse, error) {
	d, err := fromChannel(r.GetChannel())
	if err != nil {
		return nil, err
	}
	d.Code = r.GetCode()
	receipt, err := s.App.PutChannel(ctx, d)
	return &orderreleasev1.PutReleaseChannelResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetReleaseChannel returns a channel, and whether it is closed now.
func (s *Server) GetReleaseChannel(ctx context.Context, r *orderreleasev1.GetReleaseChannelRequest) (*orderreleasev1.GetReleaseChannelResponse, error) {
	v, err := s.App.GetChannel(ctx, r.GetCode())
	if err != nil {
		return nil, err
	}
	out := &orderreleasev1.GetReleaseChannelResponse{Channel: channelView(v)}
	g := v.State.Gate(s.App.Policies.Now())
	if g.Reason != "" {
		out.Closed = deferral(domain.Deferral{Site: v.State.Site, Channel: g.Channel, Reason: g.Reason, Zone: g.Zone, Next: g.Next})
	}
	if g.Slot == nil {
		return out, nil
	}
	taken, err := s.App.Load(ctx, *g.Slot)
	out.Load = load(*g.Slot, taken)
	return out, err
}

// ListReleaseChannels pages the channels.
func (s *Server) ListReleaseChannels(ctx context.Context, r *orderreleasev1.ListReleaseChannelsRequest) (*orderreleasev1.ListReleaseChannelsResponse, error) {
	page, err := s.App.ListChannels(ctx, store.Query{PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()})
	return &orderreleasev1.ListReleaseChannelsResponse{
		Channels: protovalue.Each(page.Items, channelView), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf),
	}, err
}

// LockReleaseChannel locks a channel, or puts it to sleep.
func (s *Server) LockReleaseChannel(ctx context.Context, r *orderreleasev1.LockReleaseChannelRequest) (*orderreleasev1.LockReleaseChannelResponse, error) {
	receipt, err := s.App.CloseChannel(ctx, r.GetCode(), protovalue.FromTime(r.GetUntilTime()), r.GetNote())
	return &orderreleasev1.LockReleaseChannelResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// OpenReleaseChannel opens a channel.
func (s *Server) OpenReleaseChannel(ctx context.Context, r *orderreleasev1.OpenReleaseChannelRequest) (*orderreleasev1.OpenReleaseChannelResponse, error) {
	receipt, err := s.App.OpenChannel(ctx, r.GetCode(), r.GetNote())
	return &orderreleasev1.OpenReleaseChannelResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}
