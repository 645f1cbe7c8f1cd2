package bustest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
)

// Patience lets a consumer take one fact a second for longer than its place in the stream is
// kept for one who is gone, while a backlog waits: it keeps the one place that it has, the
// stream sends every fact once, and no more of them than it may hold wait here.
func Patience(t *testing.T, open func(t *testing.T) DB) {
	const (
		waiting = 2000 // facts
		slowly  = 45 * time.Second
	)
	r := newRig(t, open)
	name := fmt.Sprintf("patience-%d", consumers.Add(1))
	read, places := measured(t, name), r.places()
	l := newLedger(bus.Reactor)
	c := l.consumer(name)
	var fast atomic.Bool
	c.Handle = func(ctx context.Context, f bus.Fact) error {
		for begun := clock.Monotonic(); clock.Elapsed(begun) < time.Second && !fast.Load(); {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return l.handle(ctx, f)
	}
	owner := r.start(bus.Config{Service: source, DB: r.src, NATS: r.connect(), Timing: patient()})
	r.serve(owner.Server())
	for i := range waiting / 10 {
		r.commit("t0", fmt.Sprintf("thing_%d", i%8), "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
	}
	r.eventually(func() error { return r.streamHolds(waiting) })
	reader := r.start(bus.Config{Service: sink, DB: r.dst, NATS: r.connect(), Timing: patient(), Workers: 1, Pending: 16}, c)
	r.eventually(func() error { return holds(l.ran() > 0, "no fact was taken") })
	still := standsStill(r.t.Context())
	for begun := clock.Monotonic(); clock.Elapsed(begun) < slowly; time.Sleep(time.Second) { // the consumer works
		if held := read("bus.pending"); held > 16 {
			t.Errorf("%v facts in memory", held)
		}
	}
	if ran := l.ran(); ran < 5 || ran > waiting/4 {
		t.Errorf("%d facts in %v: the consumer is not slow", ran, slowly)
	}
	fast.Store(true)
	r.eventually(func() error { return l.complete(r) })
	made, gone := places.counts()
	if longest := still(); longest > time.Second {
		t.Logf("the machine stood still for %v: %d places in the stream, %d of which went", longest, made, gone) // its silence is like the server's
	} else if made != 1 || gone != 0 {
		t.Errorf("the consumer had %d places in the stream, %d of which went", made, gone)
	}
	reader.stop()
	r.eventually(func() error {
		made, gone := places.counts()
		return holds(gone == made, "%d of %d places went with their reader", gone, made)
	})
	for metric, want := range map[string]float64{"bus.duplicates": 0, "bus.facts.fetched": 0, "bus.facts.applied": waiting} {
		if got := read(metric); got != want {
			t.Errorf("%s is %v, not %v", metric, got, want)
		}
	}
}

// standsStill watches for how long nothing runs here. The returned function ends it and tells the
// longest time.
func standsStill(ctx context.Context) func() time.Duration {
	const look = 20 * time.Millisecond
	ctx, cancel := context.WithCancel(ctx)
	longest := make(chan time.Duration, 1)
	go func() {
		most := time.Duration(0)
		for ctx.Err() == nil {
			begun := clock.Monotonic()
			time.Sleep(look)
			most = max(most, clock.Elapsed(begun)-look)
		}
		longest <- most
	}()
	return func() time.Duration {
		cancel()
		return <-longest
	}
}

// places counts the consumers that the stream's server had.
type places struct {
	mu         sync.Mutex
	made, gone int
}

// places watches the stream's server from now on.
func (r *rig) places() *places {
	p := new(places)
	nc := r.connect()
	_, err := nc.Subscribe("$JS.EVENT.ADVISORY.CONSUMER.*."+stream+".>", func(m *nats.Msg) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case strings.Contains(m.Subject, ".CREATED."):
			p.made++
		case strings.Contains(m.Subject, ".DELETED."):
			p.gone++
		}
	})
	if err == nil {
		err = nc.Flush()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (p *places) counts() (made, gone int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made, p.gone
}
