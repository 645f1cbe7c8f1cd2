package bustest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// A backlog is half of one aggregate type, then half of another, so that the lanes of the
// other stand still for long while nothing is wrong.
const (
	backlogOf  = 1000 // aggregates of each type
	commitsOf  = 5
	factsOf    = 10
	backlog    = 2 * backlogOf * commitsOf * factsOf
	backlogAge = time.Hour
	// A consumer that holds all it may costs the first; while the backlog lasts the heap grows by
	// no more than the second. The rig's nats-server and the owner are on the same heap.
	whole, flat = 32 << 20, 16 << 20
)

// Backlog lets a consumer that takes one fact at a time meet a hundred thousand: what it
// holds in memory is bounded however long the backlog lasts, every fact is delivered once,
// by the stream, and the gauges tell how far it is behind.
func Backlog(t *testing.T, open func(t *testing.T) DB) {
	consumer := strings.ToLower(t.Name())
	read := measured(t, consumer)
	r, slow := newRig(t, open), newSlow()
	for _, aggregate := range []string{Thing, Other} {
		if err := r.src.(*onStore).load(t.Context(), aggregate, clock.System{}.Now().Add(-backlogAge)); err != nil {
			t.Fatal(err)
		}
	}
	owner := r.start(bus.Config{Service: source, DB: r.src, NATS: r.connect(), Timing: patient()})
	r.serve(owner.Server())
	r.eventually(func() error { return headsReach(r, owner, backlog) })
	before := heap()
	r.start(bus.Config{Service: sink, DB: r.dst, NATS: r.connect(), Timing: patient()}, bus.Consumer{
		Name: consumer, Kind: bus.Reactor, From: source, Handle: slow.handle,
	})
	r.eventually(func() error {
		held, behind := read("bus.pending"), read("bus.consumer.behind.facts")
		return holds(held == 4096 && behind == backlog, "%v facts in memory, %v behind", held, behind)
	})
	waited := read("bus.consumer.behind")
	full := heap()
	most, taken := full, 0
	for range 60 { // of which each takes longer than a tick
		for range 20 {
			slow.gate <- struct{}{}
			taken++
		}
		most = max(most, heap())
	}
	t.Logf("heap: %d KiB, with a consumer %d, at most %d while it took %d facts", before>>10, full>>10, most>>10, taken)
	if full-before > whole || most-full > flat {
		t.Errorf("the heap grew from %d to %d, then to %d bytes", before, full, most)
	}
	if held := read("bus.pending"); held > 4096 {
		t.Errorf("%v facts in memory", held)
	}
	r.eventually(func() error {
		behind := read("bus.consumer.behind.facts")
		return holds(behind < backlog && behind >= float64(backlog-taken), "%v behind after %d", behind, taken)
	})
	if later := read("bus.consumer.behind"); waited < backlogAge.Seconds() || later <= waited || later > 2*backlogAge.Seconds() {
		t.Errorf("behind by %v, then %v seconds", waited, later)
	}
	close(slow.gate)
	r.eventually(func() error { return slow.complete() })
	r.eventually(func() error {
		facts, seconds := read("bus.consumer.behind.facts"), read("bus.consumer.behind")
		return holds(facts == 0 && seconds == 0, "still %v facts and %v seconds behind", facts, seconds)
	})
	for name, want := range map[string]float64{"bus.facts.applied": backlog, "bus.duplicates": 0, "bus.facts.fetched": 0} {
		if got := read(name); got != want {
			t.Errorf("%s is %v, not %v", name, got, want)
		}
	}
}

// load brings an aggregate type's part of the backlog into a database.
func (s *onStore) load(ctx context.Context, aggregate string, at time.Time) error {
	pasts := make([]store.Past[store.RawFact], backlogOf)
	for i := range pasts {
		pasts[i].ID = fmt.Sprintf("%s_%04d", aggregate, i)
		for version := range commitsOf {
			step := store.Step[store.RawFact]{Recorded: at, Cause: store.Cause{Principal: "tester", Key: fmt.Sprint(version)}}
			for n := range factsOf {
				step.Facts = append(step.Facts, note(fmt.Sprint(pasts[i].ID, version, n)))
			}
			pasts[i].Steps = append(pasts[i].Steps, step)
		}
	}
	return s.types[aggregate].Load(store.WithCause(ctx, store.Cause{Tenant: "t"}), pasts)
}

// slow is a handler that ends when it is let.
type slow struct {
	gate chan struct{} // one fact for each; all once it is closed
	mu   sync.Mutex
	at   map[string]uint64 // aggregate → newest revision
	runs int
	err  error // a fact that came twice or out of order
}

func newSlow() *slow { return &slow{gate: make(chan struct{}), at: map[string]uint64{}} }

func (s *slow) handle(ctx context.Context, f bus.Fact) error {
	select {
	case <-s.gate:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs++
	if f.Revision() <= s.at[f.AggregateID] {
		s.err = fmt.Errorf("%s came after revision %d", f.ID, s.at[f.AggregateID])
	}
	s.at[f.AggregateID] = f.Revision()
	return nil
}

func (s *slow) complete() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	return holds(s.runs == backlog, "%d of %d facts ran", s.runs, backlog)
}

// heap is what is reachable.
func heap() int64 {
	runtime.GC()
	runtime.GC() // pools give up what they keep the second time
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// meters reads what the buses of this process measure.
var meters = sync.OnceValue(func() *sdkmetric.ManualReader {
	reader := sdkmetric.NewManualReader()
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	return reader
})

// measured returns a function that reads a consumer's counter or gauge; one that was never
// written is 0.
func measured(t *testing.T, consumer string) func(name string) float64 {
	reader := meters()
	of := func(set attribute.Set) bool {
		v, _ := set.Value("consumer")
		return v.AsString() == consumer
	}
	return func(name string) float64 {
		var all metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &all); err != nil {
			t.Error(err)
		}
		for _, scope := range all.ScopeMetrics {
			for _, m := range scope.Metrics {
				if m.Name != name {
					continue
				}
				switch data := m.Data.(type) {
				case metricdata.Sum[int64]:
					return valueOf(data.DataPoints, of)
				case metricdata.Gauge[int64]:
					return valueOf(data.DataPoints, of)
				case metricdata.Gauge[float64]:
					return valueOf(data.DataPoints, of)
				}
			}
		}
		return 0
	}
}

func valueOf[N int64 | float64](points []metricdata.DataPoint[N], of func(attribute.Set) bool) float64 {
	for _, p := range points {
		if of(p.Attributes) {
			return float64(p.Value)
		}
	}
	return 0
}
