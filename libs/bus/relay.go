package bus

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

const (
	maxBatch  = 512  // commits published together
	maxQueued = 4096 // commits numbered and not yet published
)

// relay reads the engine's order, numbers the facts and publishes them. One runs for a
// service database; two at once do the same work twice and harm nothing, because
// numbers are a function of the order and records only move up.
type relay struct {
	cfg     Config
	history *history
	publish *publisher
	metrics *metrics
	lease   *lease
	trail   *trail
	waiting atomic.Int64 // commits numbered and not yet published
	oldest  atomic.Int64 // recorded time of the oldest of them, µs since 1970; 0 when there is none
	heard   atomic.Int64 // when the engine last yielded something, or said that there is no more: since()
}

// relayed is a commit on its way through the relay, or the news that there was none.
type relayed struct {
	idle     time.Time // zero for a commit; else when there were no more
	rests    uint64
	count    uint64 // its place in the generation
	position store.Position
	recorded time.Time
	lane     lane
	number   uint64 // of its last fact; 0 when it has none
	facts    []Fact
	touched  store.Touched
}

// advance moves a mark over the commit.
func (c relayed) advance(m *mark) {
	if !c.idle.IsZero() {
		m.Rests, m.Position = c.rests, c.position
		return
	}
	m.Rests = 0
	m.Count, m.Position, m.Recorded = c.count, c.position, c.recorded
	if c.number > 0 {
		m.Numbers[c.lane] = c.number
	}
}

func newRelay(cfg Config, h *history, m *metrics) (*relay, error) {
	p, err := newPublisher(cfg, m)
	if err != nil {
		return nil, err
	}
	r := &relay{cfg: cfg, history: h, publish: p, metrics: m, trail: newTrail(cfg, h)}
	r.lease = newLease(cfg, h.relay, "relay")
	r.lease.note = r.note
	r.lease.watch = r.watch
	return r, nil
}

// run relays while this replica holds the lease, until ctx ends.
func (r *relay) run(ctx context.Context) {
	defer r.publish.close()
	r.lease.hold(ctx, func(ctx context.Context) {
		r.heard.Store(int64(since()))
		defer r.heard.Store(0)
		for ctx.Err() == nil {
			err := r.relay(ctx)
			if errors.Is(err, store.ErrPositionLost) {
				err = r.renumber(ctx)
			}
			if err != nil && ctx.Err() == nil {
				r.cfg.Log.WarnContext(ctx, "the relay starts again", "error", err)
				pause(ctx, 200*time.Millisecond)
			}
		}
	})
}

// relay works from the stored marks until something fails.
func (r *relay) relay(ctx context.Context) error {
	head, from, err := r.begin(ctx)
	if err != nil {
		return err
	}
	live := head.clone()
	r.trail.start(from)
	r.history.setLive(&live)
	defer r.history.setLive(nil)
	queue := make(chan relayed, maxQueued)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.read(gctx, from, queue) })
	g.Go(func() error { return r.drain(gctx, head.Count, queue) })
	g.Go(func() error { return r.tick(gctx) })
	err = g.Wait()
	r.waiting.Store(0)
	r.oldest.Store(0)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return errors.Join(err, r.history.save(last))
}

// begin returns the head and the mark to read on from: what is between them is published
// but its snapshots are not checked. The very first mark is stored before anything is published.
func (r *relay) begin(ctx context.Context) (head, from mark, err error) {
	head, version, err := r.history.stored(ctx, headRow)
	if err == nil && version == 0 {
		head.Generation = 1
		head, err = r.open(ctx, head, 0)
	}
	if err != nil {
		return head, from, err
	}
	from, _, err = r.history.stored(ctx, goodRow)
	switch {
	case err != nil:
	case from.rowVersion() > head.rowVersion():
		// Another relay stored both between the two reads, or one write of two got half-way: what
		// snapshots are good to is published, and its numbers are those of the head.
		head = from
	case from.Generation != head.Generation:
		if head.Count > 0 { // since the generation began nobody has said what snapshots hold
			err = r.rescan(ctx)
		}
		from = head
	}
	return head, from, err
}

// rescan makes sure that the snapshots hold every commit that the stored marks have passed.
func (r *relay) rescan(ctx context.Context) error {
	if all, ok := r.cfg.DB.(store.Rescanner); ok {
		return all.RefreshAll(ctx)
	}
	return nil
}

// renumber opens a new generation: the engine no longer holds what follows the stored mark,
// so numbers cannot go on. It starts at the engine's end; consumers compare by other means
// (Export, ListVersions) after they see it, so nothing between is lost.
func (r *relay) renumber(ctx context.Context) error {
	old, version, err := r.history.stored(ctx, headRow)
	if err != nil {
		return err
	}
	end, err := r.cfg.DB.End(ctx)
	if err != nil {
		return err
	}
	// Nobody has followed what was committed since the stored mark: consumers are going to
	// compare by snapshots, so these must be whole first, up to the engine's end. Not before
	// that is known: what is committed between the two would be in neither.
	if err := r.rescan(ctx); err != nil {
		return err
	}
	m := mark{Generation: old.Generation + 1, Position: end}
	r.cfg.Log.WarnContext(ctx, "position lost: a new generation", "generation", m.Generation)
	_, err = r.open(ctx, m.clone(), version)
	return err
}

// open stores the first mark of a generation, unless another relay was faster.
func (r *relay) open(ctx context.Context, m mark, seen uint64) (mark, error) {
	body, err := m.encode(r.cfg.Clock.Now())
	if err != nil {
		return m, err
	}
	ok, err := r.history.relay.Swap(ctx, store.Row{Tenant: own, ID: headRow, Version: m.rowVersion(), Body: body}, seen)
	if err != nil {
		return m, err
	}
	if !ok {
		m, _, err = r.history.stored(ctx, headRow)
		return m, err
	}
	return m, r.history.keep(ctx, m, r.cfg.Timing.Keep)
}

// read numbers every commit in the engine's order.
func (r *relay) read(ctx context.Context, m mark, queue chan<- relayed) error {
	m = m.clone()
	moved := clock.Monotonic()
	return r.cfg.DB.Tail(ctx, m.Position, func(c store.RawCommit) error {
		r.heard.Store(int64(since()))
		facts := m.take(r.cfg.Service, c)
		r.history.recent.add(facts)
		if m.Count%markEvery == 0 {
			r.history.remember(m)
		}
		r.waiting.Add(1)
		r.oldest.CompareAndSwap(0, c.Recorded.UnixMicro())
		select {
		case queue <- onItsWay(m, c, facts):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}, func(at store.Position) error {
		r.heard.Store(int64(since()))
		if clock.Elapsed(moved) >= r.cfg.Timing.Rest && m.Rests < maxRests {
			m.Rests++
			m.Position, moved = at, clock.Monotonic()
		}
		select {
		case queue <- relayed{idle: r.cfg.Clock.Now(), rests: m.Rests, count: m.Count, position: m.Position}:
		default: // not idle after all
		}
		return nil
	})
}

// onItsWay makes what the relay passes on of a commit.
func onItsWay(m mark, c store.RawCommit, facts []Fact) relayed {
	out := relayed{
		count: m.Count, position: c.Position, recorded: c.Recorded, facts: facts,
		touched: store.Touched{AggregateType: c.AggregateType, Tenant: c.Tenant, ID: c.ID, Version: c.Version},
	}
	if n := len(facts); n > 0 {
		out.lane, out.number = facts[0].lane(), facts[n-1].Number
	}
	return out
}

// drain publishes what queued up, batch by batch: waiting is never added.
func (r *relay) drain(ctx context.Context, published uint64, queue <-chan relayed) error {
	r.publish.open(ctx)
	batch := make([]relayed, 0, maxBatch)
	var facts []Fact
	for {
		batch, facts = batch[:0], facts[:0]
		select {
		case c := <-queue:
			batch = append(batch, c)
		case <-ctx.Done():
			return ctx.Err()
		}
		for len(batch) < maxBatch && len(queue) > 0 {
			batch = append(batch, <-queue)
		}
		commits := 0
		var oldest time.Time
		for _, c := range batch {
			if !c.idle.IsZero() {
				continue
			}
			if commits++; commits == 1 {
				oldest = c.recorded
			}
			if c.count > published {
				facts = append(facts, c.facts...)
			}
		}
		if commits > 0 {
			r.oldest.Store(oldest.UnixMicro())
			if err := r.send(ctx, facts); err != nil {
				return err
			}
			r.metrics.relayLag.Record(ctx, r.cfg.Clock.Now().Sub(oldest).Seconds(), r.metrics.own)
		}
		r.history.advance(batch)
		r.trail.add(batch)
		if r.waiting.Add(-int64(commits)) == 0 {
			r.oldest.Store(0)
		}
	}
}

// send publishes the facts of a batch.
func (r *relay) send(ctx context.Context, facts []Fact) error {
	if err := faultpoint.Hit(faultpoint.R1); err != nil {
		return err
	}
	if len(facts) > 0 {
		r.publish.publish(ctx, facts)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return faultpoint.Hit(faultpoint.R2)
}

// tick stores the mark, announces the heads and tells the backlog, once a second.
func (r *relay) tick(ctx context.Context) error {
	t := time.NewTicker(r.cfg.Timing.Record)
	defer t.Stop()
	minute := clock.Monotonic()
	for {
		if err := r.record(ctx, &minute); err != nil {
			return err
		}
		select {
		case <-t.C:
		case <-r.trail.ask:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *relay) record(ctx context.Context, minute *time.Time) error {
	age, count := r.backlog()
	r.cfg.DB.SetBacklog(age, count)
	if err := r.trail.check(ctx); err != nil {
		return err
	}
	if err := r.history.save(ctx); err != nil {
		return err
	}
	m, err := r.history.head(ctx)
	if err != nil {
		return err
	}
	heads, err := proto.Marshal(headsOf(r.cfg.Service, r.cfg.DB.Types(), m))
	if err != nil {
		return err
	}
	r.publish.announce(r.cfg.Service, heads)
	if clock.Elapsed(*minute) < r.cfg.Timing.Minute {
		return nil
	}
	*minute = clock.Monotonic()
	return r.history.keep(ctx, m, r.cfg.Timing.Keep)
}

// backlog is how far publishing is behind the commits. An engine that does not even say that
// there are no more is behind by its silence.
func (r *relay) backlog() (age time.Duration, count int) {
	if heard := r.heard.Load(); heard != 0 {
		if silent := since() - time.Duration(heard); silent > 2*r.cfg.Timing.Lease {
			age = silent
		}
	}
	if oldest := r.oldest.Load(); oldest != 0 {
		age, count = max(age, r.cfg.Clock.Now().Sub(time.UnixMicro(oldest))), int(r.waiting.Load())
	}
	return age, count
}

// relayNote is what other replicas read in the relay's lease.
type relayNote struct {
	Age    time.Duration `json:"a"` // backlog
	Count  int           `json:"c"`
	GoodTo time.Time     `json:"g"` // snapshots hold every commit recorded before
}

func (r *relay) note() []byte {
	age, count := r.backlog()
	b, err := json.Marshal(relayNote{age, count, r.trail.good()})
	if err != nil {
		return nil
	}
	return b
}

// watch takes the backlog, and what lists are good to, from the lease of the relay elsewhere.
// One that is silent is behind by its silence.
func (r *relay) watch(note []byte, silent time.Duration) {
	var b relayNote
	if json.Unmarshal(note, &b) != nil {
		return
	}
	if !b.GoodTo.IsZero() {
		r.cfg.DB.SetGoodTo(b.GoodTo)
	}
	if silent > r.cfg.Timing.Lease {
		b.Age += silent
	}
	r.cfg.DB.SetBacklog(b.Age, b.Count)
}
