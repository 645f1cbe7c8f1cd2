package hosttest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

func TestMain(m *testing.M) { testkit.Main(m, func() error { return goleak.Find() }) }

// onEngines runs a test on each engine.
func onEngines(t *testing.T, f func(t *testing.T, s *Suite, c probev1.ProbeServiceClient)) {
	for _, engine := range Engines {
		t.Run(engine, func(t *testing.T) {
			s := Serve(t, engine, probeUnit(), mirrorUnit())
			f(t, s, probev1.NewProbeServiceClient(s.Client("probe", s.Caller(commonv1.Role_ROLE_LOGISTICS))))
		})
	}
}

func value(t *testing.T, c probev1.ProbeServiceClient, name string) int64 {
	t.Helper()
	got, err := c.GetCount(t.Context(), &probev1.GetCountRequest{CounterId: name})
	if fault.IsKind(err, fault.NotFound) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return got.Value
}

func TestReplayAnswersTheSameWithAndWithoutCache(t *testing.T) {
	onEngines(t, func(t *testing.T, s *Suite, c probev1.ProbeServiceClient) {
		ctx := WithKey(t.Context(), "key-of-mine")
		req := &probev1.AddRequest{CounterId: "c", Amount: 7}
		first, err := c.Add(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		for name, before := range map[string]func(){"cached": func() {}, "flushed": s.Redis.FlushAll, "restarted": func() { s.Redis.FlushAll(); s.Restart(t) }} {
			before()
			var header metadata.MD
			again, err := c.Add(ctx, req, grpc.Header(&header))
			if err != nil || !proto.Equal(first, again) {
				t.Errorf("%s: %v, %v; first %v", name, again, err, first)
			}
			if got := header.Get(guard.MetaReplayed); len(got) != 1 || got[0] != "true" {
				t.Errorf("%s: not marked as replayed: %v", name, header)
			}
			if _, err := c.Add(ctx, &probev1.AddRequest{CounterId: "c", Amount: 8}); !fault.IsKind(err, fault.KeyReused) {
				t.Errorf("%s: another body under the key: %v", name, err)
			}
		}
		if v := value(t, c, "c"); v != 7 {
			t.Errorf("the counter stands at %d", v)
		}
	})
}

// TestParallelIdenticalCommandsHaveOneEffect sends each of several commands 64 times at
// once, while the cache is wiped again and again.
func TestParallelIdenticalCommandsHaveOneEffect(t *testing.T) {
	onEngines(t, func(t *testing.T, s *Suite, c probev1.ProbeServiceClient) {
		done := make(chan struct{})
		var wiper sync.WaitGroup
		wiper.Go(func() {
			tick := time.NewTicker(2 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-done:
					return
				case <-tick.C:
					s.Redis.FlushAll()
				}
			}
		})
		var answered atomic.Int64
		for round := range 5 {
			answers := make([]*probev1.AddResponse, 64)
			var wg sync.WaitGroup
			for i := range answers {
				wg.Go(func() {
					ctx := WithKey(t.Context(), fmt.Sprintf("round-%d-key", round))
					answer, err := c.Add(ctx, &probev1.AddRequest{CounterId: "c", Amount: 1})
					if err != nil && !fault.IsKind(err, fault.InProgress) {
						t.Errorf("round %d: %v", round, err)
					}
					answers[i] = answer
				})
			}
			wg.Wait()
			for _, a := range answers {
				if a == nil {
					continue
				}
				answered.Add(1)
				if !proto.Equal(a, answers[0]) && answers[0] != nil {
					t.Errorf("two answers: %v and %v", a, answers[0])
				}
			}
		}
		close(done)
		wiper.Wait()
		if answered.Load() == 0 {
			t.Error("no command was answered")
		}
		if v := value(t, c, "c"); v != 5 {
			t.Errorf("the counter stands at %d after 5 commands", v)
		}
	})
}

func TestRefusalIsAnsweredAgain(t *testing.T) {
	onEngines(t, func(t *testing.T, s *Suite, c probev1.ProbeServiceClient) {
		if _, err := c.Add(t.Context(), &probev1.AddRequest{CounterId: "c", Amount: 1000}); err != nil {
			t.Fatal(err)
		}
		ctx := WithKey(t.Context(), "key-of-mine")
		for range 2 {
			_, err := c.Add(ctx, &probev1.AddRequest{CounterId: "c", Amount: 1})
			if f, ok := fault.As(err); !ok || f.Reason != "COUNTER_FULL" {
				t.Fatal(err)
			}
		}
		if _, err := c.Add(t.Context(), &probev1.AddRequest{CounterId: "c", Amount: -10}); err != nil {
			t.Fatal(err)
		}
		s.Redis.FlushAll()
		if _, err := c.Add(ctx, &probev1.AddRequest{CounterId: "c", Amount: 1}); !fault.IsKind(err, fault.Refused) {
			t.Errorf("the same key is decided anew: %v", err)
		}
	})
}

func TestTenantsDoNotMeet(t *testing.T) {
	onEngines(t, func(t *testing.T, s *Suite, c probev1.ProbeServiceClient) {
		if _, err := c.Add(t.Context(), &probev1.AddRequest{CounterId: "c", Amount: 7}); err != nil {
			t.Fatal(err)
		}
		other := s.Caller(commonv1.Role_ROLE_LOGISTICS)
		other.Tenant = testkit.Name("t")
		stranger := probev1.NewProbeServiceClient(s.Client("probe", other))
		if _, err := stranger.GetCount(t.Context(), &probev1.GetCountRequest{CounterId: "c"}); !fault.IsKind(err, fault.NotFound) {
			t.Errorf("a foreign counter: %v", err)
		}
	})
}

func TestFactsReachAnotherServiceOnceOverARestart(t *testing.T) {
	onEngines(t, func(t *testing.T, s *Suite, c probev1.ProbeServiceClient) {
		for i := range 20 {
			if i == 10 {
				s.Restart(t)
			}
			if _, err := c.Add(t.Context(), &probev1.AddRequest{CounterId: fmt.Sprint("c", i), Amount: 3}); err != nil {
				t.Fatal(err)
			}
		}
		testkit.Eventually(t, settle, func() bool { return value(t, c, "sum") == 60 })
	})
}

// TestRestartUnderLoadLosesNothing stops and starts the services while clients add, each
// trying again under its key what did not come through.
func TestRestartUnderLoadLosesNothing(t *testing.T) {
	onEngines(t, func(t *testing.T, s *Suite, c probev1.ProbeServiceClient) {
		var wg sync.WaitGroup
		var acked atomic.Int64
		for worker := range 8 {
			wg.Go(func() {
				for i := range 25 {
					ctx, cancel := context.WithTimeout(WithKey(t.Context(), fmt.Sprintf("worker-%d-%d", worker, i)), settle)
					for {
						_, err := c.Add(ctx, &probev1.AddRequest{CounterId: "c", Amount: 1})
						if err == nil {
							acked.Add(1)
							break
						}
						if !fault.Transient(err) || ctx.Err() != nil {
							t.Error(err)
							break
						}
					}
					cancel()
				}
			})
		}
		testkit.Eventually(t, settle, func() bool { return acked.Load() > 40 })
		s.Restart(t)
		wg.Wait()
		if v := value(t, c, "c"); v != 200 || acked.Load() != 200 {
			t.Errorf("the counter stands at %d, %d were acknowledged", v, acked.Load())
		}
	})
}

func TestAccessOfTheProbe(t *testing.T) {
	s := Serve(t, "sqlite", probeUnit())
	s.AccessMatrix(t, "probe", "testdata/access.md")
}
