package bus

import (
	"context"
	"regexp"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// Tables of the bus in a service's database, beside those of parked facts.
const (
	positionTable = "bus_positions"
	appliedTable  = "bus_applied"
)

// Bus is one service's end of the bus: the relay of its facts, the FactsService that answers
// for them, and the consumers of the facts it takes.
type Bus struct {
	cfg     Config
	history *history
	relay   *relay
	server  *server
	letters *letters
	metrics *metrics
	lease   *lease // of the consumers
	poke    chan struct{}
	runners []*runner
}

// New makes a service's bus. The aggregate types must be registered with the database before Run.
func New(cfg Config) (*Bus, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(cfg.Service)
	if err != nil {
		return nil, err
	}
	b := &Bus{cfg: cfg, history: newHistory(cfg), letters: newLetters(cfg), metrics: m, poke: make(chan struct{}, 1)}
	if b.relay, err = newRelay(cfg, b.history, m); err != nil {
		return nil, err
	}
	b.server = &server{service: cfg.Service, feed: cfg.DB, history: b.history, snapshots: b.relay.trail.request}
	b.lease = newLease(cfg, b.history.relay, "consumers")
	return b, nil
}

// Server answers for the service's facts.
func (b *Bus) Server() commonv1.FactsServiceServer { return b.server }

// DeadLetters lists and replays what this service's handlers could not apply.
func (b *Bus) DeadLetters() *DeadLetters {
	return &DeadLetters{letters: b.letters, poke: func() {
		select {
		case b.poke <- struct{}{}:
		default:
		}
	}}
}

var consumerName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// Add declares consumers; call it before Run. A name is used once in a service and never
// changes: positions and keys derive from it.
func (b *Bus) Add(consumers ...Consumer) error {
	for _, c := range consumers {
		switch {
		case !consumerName.MatchString(c.Name):
			return fault.New(fault.Invalid, "CONSUMER_INVALID", "%q is no name for a consumer", c.Name)
		case c.Kind < Follower || c.Kind > Recorder || c.From == "" || c.Handle == nil:
			return fault.New(fault.Invalid, "CONSUMER_INVALID", "consumer %s needs a kind, a source and a handler", c.Name)
		case c.Together != 0 && c.Kind != Recorder:
			return fault.New(fault.Invalid, "CONSUMER_INVALID", "consumer %s is no recorder and takes one fact at a time", c.Name)
		case c.From != b.cfg.Service && b.cfg.Dial == nil:
			return fault.New(fault.Invalid, "CONSUMER_INVALID", "consumer %s cannot ask %s without a dialer", c.Name, c.From)
		}
		for _, r := range b.runners {
			if r.Name == c.Name {
				return fault.New(fault.Invalid, "CONSUMER_INVALID", "two consumers are called %s", c.Name)
			}
		}
		b.runners = append(b.runners, b.newRunner(c, b.lease))
	}
	return nil
}

// Applied returns the versions that a recorder has applied; nil if there is no such recorder.
func (b *Bus) Applied(consumer string) *Applied {
	for _, r := range b.runners {
		if r.Name == consumer {
			return r.applied
		}
	}
	return nil
}

// Run relays and consumes until ctx ends, then finishes what is in hand. Of several replicas
// one relays and one consumes; the others stand by.
func (b *Bus) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { b.relay.run(ctx) })
	if len(b.runners) > 0 {
		wg.Go(func() { b.lease.hold(ctx, b.consume) })
	}
	wg.Wait()
	return nil
}

// Here reports that this replica is the one that consumes, or, where nothing is consumed, the
// one that relays; false without a bus.
func (b *Bus) Here() bool {
	switch {
	case b == nil:
		return false
	case len(b.runners) > 0:
		return b.lease.valid()
	default:
		return b.relay.lease.valid()
	}
}

// consume runs the consumers while this replica holds their lease.
func (b *Bus) consume(ctx context.Context) {
	var wg sync.WaitGroup
	for _, r := range b.runners {
		wg.Go(func() { r.run(ctx) })
	}
	wg.Go(func() { b.drain(ctx) })
	wg.Wait()
}

// drain gives parked aggregates whose time has come to their consumers.
func (b *Bus) drain(ctx context.Context) {
	tick := time.NewTicker(b.cfg.Timing.Record)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-b.poke:
		}
		due, err := b.letters.due(ctx)
		if err != nil {
			b.cfg.Log.WarnContext(ctx, "parked facts cannot be read", "error", err)
		}
		for _, m := range due {
			for _, r := range b.runners {
				if r.Name == m.Handler {
					r.drainSoon(m.Key)
				}
			}
		}
	}
}

// drainSoon queues the drain of a parked aggregate, once at a time.
func (r *runner) drainSoon(k key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.draining[k] {
		return
	}
	r.draining[k] = true
	r.pool.submit(&task{key: k, drain: true, done: func() {}})
}

// drained lets the next drain of an aggregate be queued.
func (r *runner) drained(k key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.draining, k)
}

// Ready reports what the service still waits for: the first copy of each follower. Once that
// is there the source may be down. It does not wait.
func (b *Bus) Ready(ctx context.Context) error {
	for _, r := range b.runners {
		if r.Kind != Follower || r.copied.Load() {
			continue
		}
		p, err := r.positions.load(ctx)
		if err != nil {
			return err
		}
		if p.version == 0 {
			return fault.New(fault.Unavailable, "COPY_MISSING", "%s waits for its first copy from %s", r.Name, r.From)
		}
		r.copied.Store(true)
	}
	return nil
}
