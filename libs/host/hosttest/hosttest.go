// Package hosttest runs whole services in a test: real gRPC through every
// interceptor, a real store, bus and cache, a fresh tenant. What a component test
// sees here is what a deployment does; only addresses differ.
package hosttest

import (
	"context"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// Engines are the stores that every component test runs on.
var Engines = []string{"sqlite", "mongodb"}

// Options change what a suite runs on.
type Options struct {
	Engine string      // of Engines; "" is sqlite
	Clock  clock.Clock // nil: the system's
	Log    io.Writer   // where log lines go; nil: nowhere, unless LOCKSTEP_TEST_LOG=1
}

// Suite is some services, running in the test's process.
type Suite struct {
	Tenant string // fresh
	Redis  *miniredis.Miniredis
	NATS   *testkit.NATSServer

	cfg   host.Config
	parts host.Parts
	units []*host.Unit
	host  atomic.Pointer[host.Host] // clients go on while a Restart replaces it
}

// settle bounds how long services may take to become ready on a loaded machine.
const settle = 2 * time.Minute

// Serve runs the units on an engine until the test ends, and returns when they are ready.
func Serve(t testing.TB, engine string, units ...*host.Unit) *Suite {
	t.Helper()
	return ServeWith(t, Options{Engine: engine}, units...)
}

// ServeWith is Serve with options.
func ServeWith(t testing.TB, o Options, units ...*host.Unit) *Suite {
	t.Helper()
	s := &Suite{Tenant: testkit.Name("t"), units: units, cfg: host.Defaults()}
	s.cfg.Listen, s.cfg.Limits.Deadline = host.Listen{}, 30*time.Second
	s.cfg.Redis.Timeout = 20 * time.Second // a busy test machine is no slow Redis
	s.cfg.Shutdown = host.Shutdown{Wait: time.Millisecond, Grace: 20 * time.Second, Drain: time.Minute}
	switch o.Engine {
	case "mongodb":
		uri := testkit.Mongo(t)
		s.cfg.Store = host.Store{URI: host.Secret(uri), Prefix: testkit.Database(t, uri) + "_"}
	case "sqlite", "":
		s.cfg.Store = host.Store{URI: host.Secret("sqlite:" + t.TempDir())}
	default:
		t.Fatalf("no engine %q", o.Engine)
	}
	s.NATS = testkit.StartNATS(t)
	s.Redis = miniredis.RunT(t)
	cache := redis.NewClient(&redis.Options{
		Addr: s.Redis.Addr(), Protocol: 2, ContextTimeoutEnabled: true,
		DialTimeout: s.cfg.Redis.Timeout, ReadTimeout: s.cfg.Redis.Timeout, WriteTimeout: s.cfg.Redis.Timeout, PoolTimeout: s.cfg.Redis.Timeout,
	})
	t.Cleanup(func() { _ = cache.Close() })
	if o.Log == nil {
		o.Log = logs()
	}
	s.parts = host.Parts{Clock: o.Clock, NATS: s.connect(t), Redis: cache, Log: o.Log, Bus: periods}
	s.start(t)
	t.Cleanup(func() { s.stop(t) })
	return s
}

// periods are the bus's, made short, but for the lease: nobody waits for it to run out, and it
// should not because the machine stands still.
var periods = bus.Timing{
	Lease: 5 * time.Second, Record: 100 * time.Millisecond, Trail: 100 * time.Millisecond,
	Stall: 500 * time.Millisecond, Poll: time.Second, FastPoll: 100 * time.Millisecond,
}

func (s *Suite) connect(t testing.TB) *nats.Conn {
	nc, err := bus.Connect(s.NATS.URL(), "hosttest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// logs go to standard error with LOCKSTEP_TEST_LOG=1, else nowhere.
func logs() io.Writer {
	if os.Getenv("LOCKSTEP_TEST_LOG") == "1" {
		return os.Stderr
	}
	return io.Discard
}

func (s *Suite) start(t testing.TB) {
	t.Helper()
	h, err := host.Start(context.Background(), "hosttest", s.cfg, s.parts, s.units...)
	if err != nil {
		t.Fatal(err)
	}
	s.host.Store(h)
	testkit.Eventually(t, settle, func() bool { return len(h.Ready()) == 0 })
}

func (s *Suite) stop(t testing.TB) {
	t.Helper()
	select {
	case err := <-s.Host().Failed():
		t.Errorf("a part failed: %v", err)
	default:
	}
	if err := s.Host().Stop(context.Background()); err != nil {
		t.Errorf("stopping: %v", err)
	}
}

// Restart stops all services in order and starts them again on the same data.
func (s *Suite) Restart(t testing.TB) {
	t.Helper()
	s.stop(t)
	s.start(t)
}

// Host returns the running host, for what tests of the framework need of it.
func (s *Suite) Host() *host.Host { return s.host.Load() }

// Caller returns a member of the suite's tenant who speaks for every source system.
func (s *Suite) Caller(roles ...commonv1.Role) guard.Caller {
	return guard.Caller{Tenant: s.Tenant, Principal: "tester", Roles: roles, Systems: []string{"*"}}
}

// Service returns the identity of a service, for internal RPCs.
func (s *Suite) Service(name string) guard.Caller { return guard.ServiceCaller(name, s.Tenant) }

// Client returns a connection on which the caller calls a service. A call that brings
// no idempotency key (WithKey) gets a fresh one. Calls of a service identity are made
// by that service of the suite, with the cause in their context.
func (s *Suite) Client(service string, c guard.Caller) grpc.ClientConnInterface {
	return &client{suite: s, service: service, caller: c}
}

// WithKey returns a context whose next calls carry the idempotency key.
func WithKey(ctx context.Context, key string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, guard.MetaKey, key)
}

// client looks its connection up at each call, so that it survives a Restart.
type client struct {
	suite   *Suite
	service string
	caller  guard.Caller
}

func (c *client) prepare(ctx context.Context) (context.Context, grpc.ClientConnInterface) {
	if c.caller.Service != "" {
		return asService(ctx, c.caller), c.suite.Host().Dial(c.caller.Service, c.service)
	}
	if md, _ := metadata.FromOutgoingContext(ctx); len(md.Get(guard.MetaKey)) == 0 {
		ctx = WithKey(ctx, uuid.NewString())
	}
	return guard.WithCaller(ctx, c.caller), c.suite.Host().Dial(guard.Gateway, c.service)
}

// asService gives a context without a cause one: a command of the service's own.
func asService(ctx context.Context, c guard.Caller) context.Context {
	ctx = guard.WithCaller(ctx, c)
	if store.CauseOf(ctx).Key != "" {
		return ctx
	}
	md, _ := metadata.FromOutgoingContext(ctx)
	key := uuid.NewString()
	if given := md.Get(guard.MetaKey); len(given) > 0 {
		key = given[0]
		md = md.Copy()
		md.Delete(guard.MetaKey) // the client interceptor writes the one of the cause
		ctx = metadata.NewOutgoingContext(ctx, md)
	}
	return guard.Derived(ctx, c.Tenant, key, time.Unix(1, 0))
}

// Invoke implements grpc.ClientConnInterface.
func (c *client) Invoke(ctx context.Context, method string, req, reply any, opts ...grpc.CallOption) error {
	ctx, conn := c.prepare(ctx)
	return conn.Invoke(ctx, method, req, reply, opts...)
}

// NewStream implements grpc.ClientConnInterface.
func (c *client) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, conn := c.prepare(ctx)
	return conn.NewStream(ctx, desc, method, opts...)
}
