package host

import (
	"context"
	"crypto/rand"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

// TestCallsSpreadOverReplicas: two replicas by address, each proving itself under its own host,
// share the calls; when one has ended, the other gets them all.
func TestCallsSpreadOverReplicas(t *testing.T) {
	ca := newAuthority(t)
	tokens := keysOf(t, guard.Gateway, "probe")
	replica := func(host string) (*probe, *Host, string) {
		cfg := quick()
		cfg.Tokens, cfg.TLS, cfg.Listen.GRPC = tokens, ca.issue(t, host), freeAddressOf(t, host)
		p := newProbe()
		h, err := Start(t.Context(), "test", cfg, Parts{Log: io.Discard}, p.unit("probe"))
		if err != nil {
			t.Fatal(err)
		}
		return p, h, cfg.Listen.GRPC
	}
	first, one, a := replica("127.0.0.1")
	second, two, b := replica("127.0.0.2")
	cfg := quick()
	cfg.Tokens, cfg.TLS, cfg.Services = tokens, ca.issue(t, "127.0.0.1"), map[string]string{"probe": a + ";" + b}
	caller := probev1.NewProbeServiceClient(startHost(t, cfg, newProbe().unit(guard.Gateway)).Dial(guard.Gateway, "probe"))
	call := func() {
		t.Helper()
		if _, err := caller.GetCount(as(t, ""), &probev1.GetCountRequest{CounterId: "c"}); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(time.Minute); first.calls.Load() < 5 || second.calls.Load() < 5; call() {
		if time.Now().After(deadline) {
			t.Fatalf("the replicas had %d and %d calls", first.calls.Load(), second.calls.Load())
		}
	}
	if err := one.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	before := second.calls.Load()
	for range 10 {
		call()
	}
	if got := second.calls.Load() - before; got != 10 {
		t.Errorf("the one that is left had %d calls of 10", got)
	}
	if err := two.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

// TestAFrozenReplicaGetsNoMoreCalls: one that takes calls and never answers holds up those that
// it has, not those that come after.
func TestAFrozenReplicaGetsNoMoreCalls(t *testing.T) {
	tokens := keysOf(t, guard.Gateway, "probe")
	start := func() (*probe, string) {
		cfg := quick()
		cfg.Tokens, cfg.Listen.GRPC = tokens, freeAddress(t)
		p := newProbe()
		startHost(t, cfg, p.unit("probe"))
		return p, cfg.Listen.GRPC
	}
	frozen, a := start()
	well, b := start()
	close(well.let)
	cfg := quick()
	cfg.Tokens, cfg.Services = tokens, map[string]string{"probe": a + ";" + b}
	caller := probev1.NewProbeServiceClient(startHost(t, cfg, newProbe().unit(guard.Gateway)).Dial(guard.Gateway, "probe"))
	var group sync.WaitGroup
	defer group.Wait()
	defer close(frozen.let)
	var answered atomic.Int64
	for deadline := time.Now().Add(time.Minute); (answered.Load() < 200 || frozen.calls.Load() == 0) && time.Now().Before(deadline); {
		done := make(chan struct{})
		group.Go(func() {
			defer close(done)
			if _, err := caller.Add(as(t, rand.Text()), &probev1.AddRequest{CounterId: "c", Amount: 1, Mood: "wait"}); err == nil {
				answered.Add(1)
			}
		})
		select { // one after another: those that do not come back are the frozen one's
		case <-done:
		case <-frozen.began:
		}
	}
	if answered.Load() < 200 || frozen.calls.Load() == 0 || frozen.calls.Load() > 20 {
		t.Errorf("%d calls were answered, the frozen replica holds %d", answered.Load(), frozen.calls.Load())
	}
}
