package bustest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/fault/wire"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// DB is a database under test: the bus's feed, and a way to commit.
type DB interface {
	store.Feed
	// Commit appends the facts to an aggregate and returns its version. Without facts it is a
	// command that changes nothing, whose commit only has a receipt.
	Commit(ctx context.Context, aggregate, tenant, id string, facts ...store.RawFact) (uint64, error)
}

// Aggregate types that a DB under test has registered, both with export; an export is the
// last fact of the aggregate.
const (
	Thing = "thing"
	Other = "other"
)

const (
	source = "source-service"
	sink   = "sink-service"
	within = 3 * time.Minute // costs nothing where all is well
)

// Fast are the bus's periods, shortened for tests. The lease is longer than what a busy machine
// stands still for, and a third of it longer than a write takes there.
var Fast = bus.Timing{
	Lease: 1500 * time.Millisecond, Record: 40 * time.Millisecond, Minute: 150 * time.Millisecond, Trail: 40 * time.Millisecond, Rest: 100 * time.Millisecond,
	Stall: 300 * time.Millisecond, Poll: 500 * time.Millisecond, FastPoll: 50 * time.Millisecond, Reorder: 20 * time.Millisecond,
	Down: 250 * time.Millisecond, Park: 300 * time.Millisecond, Grace: 2 * time.Second, Reattempt: 150 * time.Millisecond,
	Retries: []time.Duration{5 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond},
}

// rig is a source of facts and a sink that consumes them, with a bus between.
type rig struct {
	t    *testing.T
	nats *testkit.NATSServer
	open func(t *testing.T) DB
	src  DB
	dst  DB

	mu     sync.Mutex
	facts  map[string]string // event id → text, all that were committed
	last   map[string]string // aggregate → newest text
	server commonv1.FactsServiceServer
}

func newRig(t *testing.T, open func(t *testing.T) DB) *rig {
	r := &rig{
		t: t, nats: testkit.StartNATS(t), open: open, src: open(t), dst: open(t),
		facts: map[string]string{}, last: map[string]string{},
	}
	t.Cleanup(r.tell) // before the databases are closed, after the buses have stopped
	return r
}

// note is a fact with a text.
func note(text string) store.RawFact {
	b, err := proto.Marshal(wrapperspb.String(text))
	if err != nil {
		panic(err)
	}
	return store.RawFact{Type: "google.protobuf.StringValue", Data: b}
}

// commit appends to an aggregate of a tenant; no text is a commit without facts.
func (r *rig) commit(tenant, id string, texts ...string) {
	r.t.Helper()
	var facts []store.RawFact
	for _, text := range texts {
		facts = append(facts, note(text))
	}
	r.commitRaw(tenant, id, facts...)
}

func (r *rig) commitRaw(tenant, id string, facts ...store.RawFact) {
	r.t.Helper()
	aggregate := Thing
	if strings.HasPrefix(id, "oth") {
		aggregate = Other
	}
	version, err := r.src.Commit(r.t.Context(), aggregate, tenant, id, facts...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, f := range facts {
		r.facts[tenant+"/"+bus.EventID(id, version, i)] = string(f.Data)
		r.last[tenant+"/"+id] = string(f.Data)
	}
}

// many commits rounds facts to each of n aggregates, every third of which has two facts a
// commit and every fourth a commit without facts between.
func (r *rig) many(prefix string, n, rounds int) {
	r.t.Helper()
	for round := range rounds {
		for i := range n {
			tenant, id := fmt.Sprintf("t%d", i%3), fmt.Sprintf("%s_%04d", prefix, i)
			text := fmt.Sprintf("%s %d", id, round)
			switch {
			case i%3 == 0:
				r.commit(tenant, id, text, text+" too")
			case i%4 == 0:
				r.commit(tenant, id)
				fallthrough
			default:
				r.commit(tenant, id, text)
			}
		}
	}
}

func (r *rig) committed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.facts)
}

// node is a running bus.
type node struct {
	*bus.Bus
	cancel context.CancelFunc
	done   chan struct{}
}

// stop ends the node in order.
func (n *node) stop() {
	n.cancel()
	<-n.done
}

func (r *rig) start(cfg bus.Config, consumers ...bus.Consumer) *node {
	r.t.Helper()
	if cfg.Timing.Lease == 0 {
		cfg.Timing = Fast
	}
	cfg.Dial = r.dial
	switch {
	case cfg.Log != nil:
	case !testing.Verbose():
		cfg.Log = slog.New(slog.DiscardHandler)
	default:
		cfg.Log = slog.New(slog.NewTextHandler(r.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})).With("service", cfg.Service)
	}
	b, err := bus.New(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := b.Add(consumers...); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := &node{Bus: b, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(n.done)
		if err := b.Run(ctx); err != nil {
			r.t.Error(err)
		}
	}()
	r.t.Cleanup(n.stop)
	return n
}

// source runs the owner of the facts on a database.
func (r *rig) source(db store.Feed, consumers ...bus.Consumer) *node {
	r.t.Helper()
	n := r.start(bus.Config{Service: source, DB: db, NATS: r.connect()}, consumers...)
	r.serve(n.Server())
	return n
}

// sink runs a consumer on a database.
func (r *rig) sink(db store.Feed, consumers ...bus.Consumer) *node {
	r.t.Helper()
	return r.start(bus.Config{Service: sink, DB: db, NATS: r.connect()}, consumers...)
}

func (r *rig) connect() *nats.Conn { return r.nats.Connect(r.t) }

// serve makes s the server that others reach; nil: the source is down.
func (r *rig) serve(s commonv1.FactsServiceServer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.server = s
}

// dial reaches the source's current server over gRPC, with faults as they cross the wire.
func (r *rig) dial(string) grpc.ClientConnInterface {
	listener := bufconn.Listen(1 << 20)
	s := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, q any, info *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
		a, err := h(ctx, q)
		if err != nil {
			err = wire.Status(err, source).Err()
		}
		return a, err
	}))
	commonv1.RegisterFactsServiceServer(s, current{rig: r})
	go func() { _ = s.Serve(listener) }() // ends with Stop
	c, err := grpc.NewClient("passthrough:///"+source, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		_ = c.Close()
		s.Stop()
	})
	return c
}

// current passes calls to the source's server of the moment.
type current struct {
	commonv1.UnimplementedFactsServiceServer
	rig *rig
}

func (c current) server() (commonv1.FactsServiceServer, error) {
	c.rig.mu.Lock()
	defer c.rig.mu.Unlock()
	if c.rig.server == nil {
		return nil, fault.New(fault.Unavailable, "SOURCE_DOWN", "the source is down")
	}
	return c.rig.server, nil
}

func pass[Q, A any](ctx context.Context, c current, q Q, method func(commonv1.FactsServiceServer, context.Context, Q) (A, error)) (A, error) {
	s, err := c.server()
	if err != nil {
		var none A
		return none, err
	}
	return method(s, ctx, q)
}

func (c current) GetHeads(ctx context.Context, q *commonv1.GetHeadsRequest) (*commonv1.GetHeadsResponse, error) {
	return pass(ctx, c, q, commonv1.FactsServiceServer.GetHeads)
}

func (c current) ListFacts(ctx context.Context, q *commonv1.ListFactsRequest) (*commonv1.ListFactsResponse, error) {
	return pass(ctx, c, q, commonv1.FactsServiceServer.ListFacts)
}

func (c current) ListVersions(ctx context.Context, q *commonv1.ListVersionsRequest) (*commonv1.ListVersionsResponse, error) {
	return pass(ctx, c, q, commonv1.FactsServiceServer.ListVersions)
}

func (c current) ListAggregateFacts(ctx context.Context, q *commonv1.ListAggregateFactsRequest) (*commonv1.ListAggregateFactsResponse, error) {
	return pass(ctx, c, q, commonv1.FactsServiceServer.ListAggregateFacts)
}

func (c current) Export(ctx context.Context, q *commonv1.ExportRequest) (*commonv1.ExportResponse, error) {
	return pass(ctx, c, q, commonv1.FactsServiceServer.Export)
}

// eventually waits until cond holds.
func (r *rig) eventually(cond func() error) {
	r.t.Helper()
	testkit.Eventually(r.t, within, cond)
}

// holds turns a condition into one that explains itself.
func holds(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
