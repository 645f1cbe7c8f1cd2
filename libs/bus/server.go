package bus

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// server is the FactsService of one service: what its consumers fetch when the bus did not bring it.
type server struct {
	commonv1.UnimplementedFactsServiceServer
	service string
	feed    store.Feed
	history *history
	// snapshots asks the relay, if it is in this process, to check the snapshots now.
	snapshots func()
}

// headsOf renders a mark, naming every aggregate type.
func headsOf(service string, types []store.TypeInfo, m mark) *commonv1.GetHeadsResponse {
	out := &commonv1.GetHeadsResponse{Service: service, Generation: int64(m.Generation)}
	add := func(l lane, n uint64) {
		out.Heads = append(out.Heads, &commonv1.Head{AggregateType: l.aggregate, Partition: int32(l.partition), Number: int64(n)})
	}
	for l, n := range m.Numbers {
		add(l, n)
	}
	for _, t := range types {
		if l := (lane{t.Name, 0}); m.Numbers[l] == 0 {
			add(l, 0)
		}
	}
	slices.SortFunc(out.Heads, func(a, b *commonv1.Head) int {
		return cmp.Or(strings.Compare(a.AggregateType, b.AggregateType), cmp.Compare(a.Partition, b.Partition))
	})
	return out
}

// GetHeads implements FactsServiceServer.
func (s *server) GetHeads(ctx context.Context, _ *commonv1.GetHeadsRequest) (*commonv1.GetHeadsResponse, error) {
	m, err := s.history.head(ctx)
	if err != nil {
		return nil, err
	}
	return headsOf(s.service, s.feed.Types(), m), nil
}

// ListFacts implements FactsServiceServer.
func (s *server) ListFacts(ctx context.Context, r *commonv1.ListFactsRequest) (*commonv1.ListFactsResponse, error) {
	l := lane{r.GetAggregateType(), int(r.GetPartition())}
	facts, err := s.history.list(ctx, uint64(r.GetGeneration()), l, uint64(r.GetFrom()), uint64(r.GetTo()))
	if err != nil {
		return nil, err
	}
	return &commonv1.ListFactsResponse{Facts: envelopes(facts)}, nil
}

func envelopes(facts []Fact) []*commonv1.FactEnvelope {
	out := make([]*commonv1.FactEnvelope, len(facts))
	for i, f := range facts {
		out[i] = f.envelope()
	}
	return out
}

// ListVersions implements FactsServiceServer. The versions are good to the first page's heads;
// those that another replica tells may be ahead of them.
func (s *server) ListVersions(ctx context.Context, r *commonv1.ListVersionsRequest) (*commonv1.ListVersionsResponse, error) {
	m, err := s.history.head(ctx)
	if err != nil {
		return nil, err
	}
	if r.GetPageToken() == "" {
		if err := s.settle(ctx, m); err != nil {
			return nil, err
		}
	}
	snaps, next, err := s.page(ctx, r.GetAggregateType(), r.GetPageSize(), r.GetPageToken(), false)
	if err != nil {
		return nil, err
	}
	heads := headsOf(s.service, nil, m)
	out := &commonv1.ListVersionsResponse{NextPageToken: next, Generation: heads.Generation, Heads: heads.Heads}
	recorded := timeOf(r.GetRecordedSince())
	for _, sn := range snaps {
		if sn.Updated.Before(recorded) {
			continue
		}
		out.Entries = append(out.Entries, &commonv1.ListVersionsResponse_Entry{
			Tenant: sn.Tenant, AggregateId: sn.ID, Version: int64(sn.Version),
		})
	}
	return out, nil
}

// ListAggregateFacts implements FactsServiceServer. It ends a page between two commits.
func (s *server) ListAggregateFacts(ctx context.Context, r *commonv1.ListAggregateFactsRequest) (*commonv1.ListAggregateFactsResponse, error) {
	out := &commonv1.ListAggregateFactsResponse{}
	after, bytes := uint64(r.GetAfterVersion()), 0
	for {
		const chunk = 100
		commits, err := s.feed.Commits(ctx, r.GetAggregateType(), r.GetTenant(), r.GetAggregateId(), after, chunk)
		if err != nil {
			return nil, err
		}
		for _, c := range commits {
			if len(out.Facts) > 0 && (len(out.Facts)+len(c.Facts) > pageFacts || bytes > pageBytes) {
				return out, nil
			}
			facts := factsOf(s.service, c)
			for _, f := range facts {
				bytes += f.size()
			}
			out.Facts = append(out.Facts, envelopes(facts)...)
			after = c.Version
		}
		if len(commits) < chunk {
			return out, nil
		}
	}
}

// Export implements FactsServiceServer. The heads are read first and the snapshots wait for
// them, so a follower that starts at the first page's heads misses nothing.
func (s *server) Export(ctx context.Context, r *commonv1.ExportRequest) (*commonv1.ExportResponse, error) {
	i := slices.IndexFunc(s.feed.Types(), func(t store.TypeInfo) bool { return t.Name == r.GetAggregateType() })
	if i < 0 || !s.feed.Types()[i].Exports {
		return nil, fault.New(fault.Refused, reasonNoExport, "%s has no export of %q", s.service, r.GetAggregateType())
	}
	m, err := s.history.head(ctx)
	if err != nil {
		return nil, err
	}
	if m.Generation == 0 {
		return nil, fault.New(fault.Unavailable, reasonNoHeads, "%s has not begun to number its facts", s.service)
	}
	if r.GetPageToken() == "" {
		if err := s.settle(ctx, m); err != nil {
			return nil, err
		}
	}
	snaps, next, err := s.page(ctx, r.GetAggregateType(), r.GetPageSize(), r.GetPageToken(), true)
	if err != nil {
		return nil, err
	}
	heads := headsOf(s.service, nil, m)
	out := &commonv1.ExportResponse{NextPageToken: next, Generation: heads.Generation, Heads: heads.Heads}
	for _, sn := range snaps {
		out.Facts = append(out.Facts, stateFact(s.service, r.GetAggregateType(), sn, m.Generation).envelope())
	}
	return out, nil
}

// stateFact renders a snapshot as a fact that comes after all of its version: a follower may
// have the first of them and not the last.
func stateFact(service, aggregate string, sn store.Snapshot, generation uint64) Fact {
	return Fact{
		ID: EventID(sn.ID, sn.Version, whole), Service: service, AggregateType: aggregate,
		Tenant: sn.Tenant, AggregateID: sn.ID, Version: sn.Version, Index: whole, Count: whole + 1,
		Generation: generation, Partition: partitionOf(sn.ID),
		Type: sn.Fact.Type, Data: sn.Fact.Data, Recorded: sn.Updated,
	}
}

// settle waits until the snapshots hold every commit up to a mark.
func (s *server) settle(ctx context.Context, m mark) error {
	s.snapshots()
	for {
		good, err := s.history.goodMark(ctx)
		if err != nil {
			return err
		}
		if good.Generation > m.Generation || good.Generation == m.Generation && good.Count >= m.Count {
			return nil
		}
		pause(ctx, 25*time.Millisecond)
		if ctx.Err() != nil {
			return fault.New(fault.Unavailable, "SNAPSHOTS_BEHIND", "snapshots of %s are behind its commits", s.service)
		}
	}
}

// page reads a page of snapshots. The token is the last (tenant, id) of the page before.
func (s *server) page(ctx context.Context, aggregate string, size int32, token string, export bool) ([]store.Snapshot, string, error) {
	if size <= 0 {
		size = 200
	}
	after, err := parseToken(token)
	if err != nil {
		return nil, "", err
	}
	snaps, err := s.feed.Snapshots(ctx, aggregate, after, int(size), export)
	if err != nil {
		return nil, "", err
	}
	n, bytes := 0, 0
	for n < len(snaps) && bytes < pageBytes {
		bytes += len(snaps[n].Fact.Data) + 512
		n++
	}
	if n == len(snaps) && n < int(size) {
		return snaps, "", nil
	}
	snaps = snaps[:n]
	last := snaps[n-1]
	return snaps, base64.RawURLEncoding.EncodeToString([]byte(last.Tenant + "/" + last.ID)), nil
}

func parseToken(token string) (store.Ref, error) {
	if token == "" {
		return store.Ref{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	tenant, id, ok := strings.Cut(string(b), "/")
	if err != nil || !ok {
		return store.Ref{}, fault.New(fault.Invalid, "PAGE_TOKEN_INVALID", "page token is not one of ours")
	}
	return store.Ref{Tenant: tenant, ID: id}, nil
}
