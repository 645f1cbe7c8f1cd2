package host

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

func TestMain(m *testing.M) { testkit.Main(m, func() error { return goleak.Find() }) }

// probe is the probe service without a database.
type probe struct {
	probev1.UnimplementedProbeServiceServer
	deps  Deps
	calls atomic.Int64
	began chan struct{} // one for each handler in the mood to wait
	let   chan struct{} // closed to let them go on
	seen  sync.Map      // "ctx" → context of the last call
}

func newProbe() *probe {
	return &probe{began: make(chan struct{}, 100_000), let: make(chan struct{})}
}

func (p *probe) Add(ctx context.Context, req *probev1.AddRequest) (*probev1.AddResponse, error) {
	p.calls.Add(1)
	p.seen.Store("ctx", ctx)
	switch req.Mood {
	case "panic":
		panic("canary in a panic")
	case "fail":
		return nil, errors.New("canary: mongo E11000 at store.go:17")
	case "refuse":
		return nil, fault.New(fault.Refused, "COUNTER_ON_HOLD", "the counter is on hold").With("counter", req.CounterId)
	case "unavailable":
		return nil, fault.New(fault.Unavailable, "GONE", "gone")
	case "wait":
		p.began <- struct{}{}
		select {
		case <-p.let:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return &probev1.AddResponse{Receipt: &commonv1.Receipt{Id: req.CounterId, Etag: "1"}}, nil
}

func (p *probe) GetCount(ctx context.Context, req *probev1.GetCountRequest) (*probev1.GetCountResponse, error) {
	p.seen.Store("ctx", ctx)
	if p.calls.Add(1) < 3 && req.CounterId == "flaky" {
		return nil, fault.New(fault.Unavailable, "GONE", "gone")
	}
	return &probev1.GetCountResponse{Value: 42}, nil
}

func (p *probe) WatchCount(req *probev1.WatchCountRequest, s grpc.ServerStreamingServer[probev1.WatchCountResponse]) error {
	if req.CounterId == "panic" {
		panic("canary in a stream")
	}
	for req.CounterId == "endless" {
		if err := s.Send(&probev1.WatchCountResponse{Value: 42}); err != nil {
			return err
		}
	}
	for range req.Times {
		if err := s.Send(&probev1.WatchCountResponse{Value: 42}); err != nil {
			return err
		}
	}
	return nil
}

type none struct{}

func (none) Validate() error { return nil }

// unit makes the probe a stateless unit; change adds to its service.
func (p *probe) unit(name string, change ...func(*Service)) *Unit {
	return Bind(name, none{}, func(_ none, d Deps) (*Service, error) {
		p.deps = d
		s := &Service{Register: func(r grpc.ServiceRegistrar) { probev1.RegisterProbeServiceServer(r, p) }}
		for _, c := range change {
			c(s)
		}
		return s, nil
	}, Stateless)
}

func quick() Config {
	cfg := Defaults()
	cfg.Listen, cfg.NATS, cfg.Redis.URL, cfg.Limits.Deadline = Listen{}, NATS{}, "", maxDeadline
	cfg.Shutdown = Shutdown{Wait: time.Millisecond, Grace: time.Minute, Drain: time.Minute}
	return cfg
}

func startHost(t *testing.T, cfg Config, units ...*Unit) *Host {
	t.Helper()
	h, err := Start(t.Context(), "test", cfg, Parts{Log: io.Discard}, units...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !h.ready.stopping.Load() {
			if err := h.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	return h
}

// as returns a context for calls of a person with all roles.
func as(t *testing.T, key string) context.Context {
	c := guard.Caller{
		Tenant: "t1", Principal: "ada", Systems: []string{"*"},
		Roles: []commonv1.Role{commonv1.Role_ROLE_LOGISTICS, commonv1.Role_ROLE_FINANCE},
	}
	ctx := guard.WithCaller(t.Context(), c)
	if key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, guard.MetaKey, key)
	}
	return ctx
}

func client(h *Host) probev1.ProbeServiceClient {
	return probev1.NewProbeServiceClient(h.Dial(guard.Gateway, "probe"))
}
