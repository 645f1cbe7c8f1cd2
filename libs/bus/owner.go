package bus

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// Deadlines of calls to an owner, which may have to read its order to list facts.
const (
	headsTimeout = 5 * time.Second
	callTimeout  = 30 * time.Second
)

// owner asks the service that owns facts.
type owner struct {
	service string
	client  commonv1.FactsServiceClient
}

// owner returns the owner of a service's facts; the service itself is asked without a connection.
func (b *Bus) owner(service string) *owner {
	if service == b.cfg.Service {
		return &owner{service, local{b.server}}
	}
	return &owner{service, commonv1.NewFactsServiceClient(b.cfg.Dial(service))}
}

// local is a client of a FactsService in this process.
type local struct{ commonv1.FactsServiceServer }

func (l local) GetHeads(ctx context.Context, q *commonv1.GetHeadsRequest, _ ...grpc.CallOption) (*commonv1.GetHeadsResponse, error) {
	return l.FactsServiceServer.GetHeads(ctx, q)
}

func (l local) ListFacts(ctx context.Context, q *commonv1.ListFactsRequest, _ ...grpc.CallOption) (*commonv1.ListFactsResponse, error) {
	return l.FactsServiceServer.ListFacts(ctx, q)
}

func (l local) ListVersions(ctx context.Context, q *commonv1.ListVersionsRequest, _ ...grpc.CallOption) (*commonv1.ListVersionsResponse, error) {
	return l.FactsServiceServer.ListVersions(ctx, q)
}

func (l local) ListAggregateFacts(ctx context.Context, q *commonv1.ListAggregateFactsRequest, _ ...grpc.CallOption) (*commonv1.ListAggregateFactsResponse, error) {
	return l.FactsServiceServer.ListAggregateFacts(ctx, q)
}

func (l local) Export(ctx context.Context, q *commonv1.ExportRequest, _ ...grpc.CallOption) (*commonv1.ExportResponse, error) {
	return l.FactsServiceServer.Export(ctx, q)
}

// positions are what heads say: a generation and the newest number of each lane.
type positions struct {
	generation uint64
	numbers    numbers
}

func positionsOf(generation int64, heads []*commonv1.Head) positions {
	p := positions{uint64(generation), numbers{}}
	for _, h := range heads {
		p.numbers[lane{h.GetAggregateType(), int(h.GetPartition())}] = uint64(h.GetNumber())
	}
	return p
}

// types returns the aggregate types among the lanes.
func (p positions) types() []string {
	seen := map[string]bool{}
	var out []string
	for l := range p.numbers {
		if !seen[l.aggregate] {
			seen[l.aggregate] = true
			out = append(out, l.aggregate)
		}
	}
	return out
}

// heads returns the owner's heads; an owner that has not numbered anything yet is unavailable.
func (o *owner) heads(ctx context.Context) (positions, error) {
	ctx, cancel := context.WithTimeout(ctx, headsTimeout)
	defer cancel()
	a, err := o.client.GetHeads(ctx, &commonv1.GetHeadsRequest{})
	if err != nil {
		return positions{}, err
	}
	if a.GetGeneration() == 0 {
		return positions{}, fault.New(fault.Unavailable, reasonNoHeads, "%s has not begun to number its facts", o.service)
	}
	return positionsOf(a.GetGeneration(), a.GetHeads()), nil
}

// facts returns facts of a lane, without a hole from the first one wanted, a page; none when
// they are not numbered yet.
func (o *owner) facts(ctx context.Context, generation uint64, l lane, from, to uint64) ([]Fact, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	a, err := o.client.ListFacts(ctx, &commonv1.ListFactsRequest{
		Generation: int64(generation), AggregateType: l.aggregate, Partition: int32(l.partition),
		From: int64(from), To: int64(min(to, from+pageFacts-1)),
	})
	return factsIn(a.GetFacts()), err
}

// aggregate calls each for the facts of one aggregate after a version, in order.
func (o *owner) aggregate(ctx context.Context, aggregate, tenant, id string, after uint64, each func(Fact) error) error {
	for {
		page, err := o.aggregatePage(ctx, aggregate, tenant, id, after)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, f := range page {
			if err := each(f); err != nil {
				return err
			}
			after = f.Version
		}
	}
}

func (o *owner) aggregatePage(ctx context.Context, aggregate, tenant, id string, after uint64) ([]Fact, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	a, err := o.client.ListAggregateFacts(ctx, &commonv1.ListAggregateFactsRequest{
		AggregateType: aggregate, Tenant: tenant, AggregateId: id, AfterVersion: int64(after),
	})
	return factsIn(a.GetFacts()), err
}

// versions calls each for the aggregates of a type that changed since a time, all when it is
// zero, and returns the heads that the versions are good to; none when the owner is of a release
// that does not say.
func (o *owner) versions(ctx context.Context, aggregate string, recorded time.Time, each func(*commonv1.ListVersionsResponse_Entry) error) (positions, error) {
	q := &commonv1.ListVersionsRequest{AggregateType: aggregate, PageSize: pageFacts}
	if !recorded.IsZero() {
		q.RecordedSince = timestamppb.New(recorded)
	}
	var first positions
	for {
		page, cancel := context.WithTimeout(ctx, callTimeout)
		a, err := o.client.ListVersions(page, q)
		cancel()
		if err != nil {
			return first, err
		}
		if q.PageToken == "" {
			first = positionsOf(a.GetGeneration(), a.GetHeads())
		}
		for _, e := range a.GetEntries() {
			if err := each(e); err != nil {
				return first, err
			}
		}
		if q.PageToken = a.GetNextPageToken(); q.PageToken == "" {
			return first, nil
		}
	}
}

// export calls each for the states of a type as facts and returns the heads that all of them are good to.
func (o *owner) export(ctx context.Context, aggregate string, each func(Fact) error) (positions, error) {
	q := &commonv1.ExportRequest{AggregateType: aggregate}
	var first positions
	for {
		page, cancel := context.WithTimeout(ctx, callTimeout)
		a, err := o.client.Export(page, q)
		cancel()
		if err != nil {
			return first, err
		}
		if q.PageToken == "" {
			first = positionsOf(a.GetGeneration(), a.GetHeads())
		}
		for _, e := range a.GetFacts() {
			if err := each(factOf(e)); err != nil {
				return first, err
			}
		}
		if q.PageToken = a.GetNextPageToken(); q.PageToken == "" {
			return first, nil
		}
	}
}

func factsIn(envelopes []*commonv1.FactEnvelope) []Fact {
	out := make([]Fact, len(envelopes))
	for i, e := range envelopes {
		out[i] = factOf(e)
	}
	return out
}
