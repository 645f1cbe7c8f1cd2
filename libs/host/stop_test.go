package host

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

type netConn = net.Conn

// lockedWriter lets many goroutines write.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func TestStopFinishesWhatHasBegun(t *testing.T) {
	p := newProbe()
	var order []string
	var mu sync.Mutex
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, what)
	}
	h := startHost(t, quick(), p.unit("probe", func(s *Service) {
		s.Front = func(ctx context.Context) error { <-ctx.Done(); note("front"); return nil }
		s.Loops = []func(context.Context) error{func(ctx context.Context) error {
			<-ctx.Done()
			// The context of a call ends with the call; its caller may hear of it later.
			if call, _ := p.seen.Load("ctx"); call.(context.Context).Err() != nil {
				note("call")
			}
			note("loop")
			return ctx.Err()
		}}
	}))
	answer := make(chan error, 1)
	go func() {
		_, err := client(h).Add(as(t, "key-of-mine"), &probev1.AddRequest{CounterId: "c", Mood: "wait"})
		answer <- err
	}()
	<-p.began
	stopped := make(chan error, 1)
	go func() { stopped <- h.Stop(context.Background()) }()
	testkit.Eventually(t, time.Minute, func() bool { mu.Lock(); defer mu.Unlock(); return len(order) == 1 })
	if h.Ready()["process"] != "stopping" {
		t.Errorf("ready while stopping: %v", h.Ready())
	}
	close(p.let)
	if err := <-answer; err != nil {
		t.Errorf("the call in progress: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if got := strings.Join(order, " "); got != "front call loop" {
		t.Errorf("order: %s", got)
	}
}

func TestStopCutsWhatDoesNotFinish(t *testing.T) {
	cfg := quick()
	cfg.Shutdown.Grace, cfg.Shutdown.Drain = 50*time.Millisecond, 5*time.Minute
	p := newProbe()
	h := startHost(t, cfg, p.unit("probe"))
	answer := make(chan error, 1)
	go func() {
		_, err := client(h).Add(as(t, "key-of-mine"), &probev1.AddRequest{CounterId: "c", Mood: "wait"})
		answer <- err
	}()
	<-p.began
	start := time.Now()
	if err := h.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 2*time.Minute {
		t.Errorf("took %v", took)
	}
	if err := <-answer; !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("a call that was cut: %v", err)
	}
}

// Under load and with streams open, a stop cuts the streams after their grace, answers every
// call or says that it may be sent again, and leaves no goroutine of the host behind.
func TestStopUnderLoadLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	cfg := quick()
	cfg.Shutdown.Grace = 200 * time.Millisecond
	h := startHost(t, cfg, newProbe().unit("probe"))
	var callers, busy sync.WaitGroup
	for range 8 {
		stream, err := client(h).WatchCount(as(t, ""), &probev1.WatchCountRequest{CounterId: "endless", Times: 1})
		if err == nil {
			_, err = stream.Recv()
		}
		if err != nil {
			t.Fatal(err)
		}
		busy.Add(1)
		callers.Go(func() {
			var err error
			for err == nil {
				_, err = stream.Recv()
			}
			if !fault.IsKind(err, fault.Unavailable) {
				t.Errorf("a stream that was cut: %v", err)
			}
		})
		callers.Go(func() {
			for n := 0; ; n++ {
				if _, err := client(h).GetCount(as(t, ""), &probev1.GetCountRequest{CounterId: "c"}); err != nil {
					if !fault.Transient(err) {
						t.Errorf("a call during the stop: %v", err)
					}
					if h.ready.stopping.Load() {
						return
					}
				}
				if n == 0 {
					busy.Done()
				}
			}
		})
	}
	busy.Wait()
	if err := h.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	callers.Wait()
	testkit.Eventually(t, time.Minute, func() error { return goleak.Find(before) })
}

func TestAPartThatFailsEndsTheProcess(t *testing.T) {
	for name, loop := range map[string]func(context.Context) error{
		"error": func(context.Context) error { return errors.New("broken") },
		"panic": func(context.Context) error { panic("broken") },
		"end":   func(context.Context) error { return nil },
	} {
		p := newProbe()
		err := Run(t.Context(), "test", quick(), Parts{Log: io.Discard}, p.unit("probe", func(s *Service) { s.Loops = append(s.Loops, loop) }))
		if err == nil || !strings.Contains(err.Error(), "probe loop 0") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFailedStartLeavesNothing(t *testing.T) {
	p := newProbe()
	bad := Bind("bad", none{}, func(none, Deps) (*Service, error) { return nil, errors.New("no such thing") }, Stateless)
	if _, err := Start(t.Context(), "test", quick(), Parts{Log: io.Discard}, p.unit("probe"), bad); err == nil || !strings.Contains(err.Error(), "bad: no such thing") {
		t.Fatal(err)
	}
	cfg := quick()
	cfg.Listen.GRPC = "127.0.0.1:0"
	if _, err := Start(t.Context(), "test", cfg, Parts{Log: io.Discard}, newProbe().unit("a"), newProbe().unit("b")); err == nil {
		t.Fatal("two services on one address")
	}
}

func TestSweepGoesOnAfterAFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	turns := 0
	err := Every(time.Millisecond, func(context.Context) error {
		switch turns++; turns {
		case 1:
			return errors.New("broken")
		case 2:
			panic("broken")
		case 4:
			cancel()
		}
		return nil
	})(ctx)
	if err != nil || turns != 4 {
		t.Fatalf("%d turns, %v", turns, err)
	}
}
