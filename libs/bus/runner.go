package bus

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/lockstep-logistics/lockstep/libs/clock"
)

// errCompare ends following: numbers do not tell any more what is missing.
var errCompare = errors.New("numbers are lost")

// runner runs one consumer. A single goroutine owns its lanes; the pool applies facts; the
// reader, the heads and the owner's answers come in over channels.
type runner struct {
	Consumer
	cfg       Config
	owner     *owner
	positions positionStore
	parking   *parking
	applied   *Applied // of a recorder
	lease     *lease
	pool      *pool
	metrics   *metrics
	labels    metric.MeasurementOption
	log       *slog.Logger
	success   atomic.Int64 // when a handler last succeeded, nanoseconds of since()
	copied    atomic.Bool  // the first copy is there
	pending   atomic.Int64 // facts in memory
	behind    behind

	mu       sync.Mutex
	draining map[key]bool
	finished []place       // done since the loop last looked
	notify   chan struct{} // finished is not empty

	position position
	lanes    map[lane]*inflow
	reader   *reader
	stream   int64     // stream that the last arrival came from
	seq      uint64    // greatest sequence seen in it
	newest   time.Time // greatest recorded time that arrived
	filled   time.Time // when facts had to wait before the loop: some may be on their way for long
	came     time.Time // when the last fact came from the stream
	emptied  time.Time // when nothing was left in the stream
	back     time.Time // since when the owner says an earlier generation; zero when it does not
}

func (b *Bus) newRunner(c Consumer, l *lease) *runner {
	r := &runner{
		Consumer: c, cfg: b.cfg, owner: b.owner(c.From), lease: l, metrics: b.metrics,
		positions: positionStore{b.cfg.DB.Table(positionTable), c.Name},
		parking:   &parking{letters: b.letters, handler: c.Name, parked: map[key]bool{}},
		labels:    b.metrics.labels(b.cfg.Service, c),
		log:       b.cfg.Log.With("consumer", c.Name, "source", c.From),
		draining:  map[key]bool{}, notify: make(chan struct{}, 1),
	}
	if c.Kind == Recorder {
		r.applied = newApplied(b.cfg.DB.Table(appliedTable), c.Name)
	}
	r.pool = newPool(b.cfg.Workers, c.Together, r.steps)
	return r
}

// takes reports whether the handler wants facts of a type.
func (r *runner) takes(factType string) bool {
	return len(r.Types) == 0 || slices.Contains(r.Types, factType)
}

// follows reports whether the consumer takes facts of an aggregate type.
func (r *runner) follows(aggregate string) bool {
	return len(r.Aggregates) == 0 || slices.Contains(r.Aggregates, aggregate)
}

// run consumes while this replica holds the lease, which ends ctx.
func (r *runner) run(ctx context.Context) {
	r.behind.facts.Store(0) // another replica was at work meanwhile
	r.behind.heard.Store(int64(since()))
	stop, err := r.metrics.gauges(r)
	if err != nil {
		r.log.WarnContext(ctx, "gauges are missing", "error", err)
	}
	defer stop()
	for failed := 0; ctx.Err() == nil; {
		start := clock.Monotonic()
		if err := r.session(ctx); err != nil && ctx.Err() == nil {
			if clock.Elapsed(start) > settled {
				failed = 0
			}
			failed = min(failed+1, 3) // soon at first: the owner may be about to begin
			level := slog.LevelWarn
			if failed < 3 && reasonOf(err) == reasonNoHeads {
				level = slog.LevelDebug // nothing is wrong while all begin at once
			}
			r.log.Log(ctx, level, "consumer starts again", "error", err)
			pause(ctx, r.backoff(failed))
		}
	}
}

// settled is how long a session must have run for its end to be the first failure in a row.
const settled = 5 * time.Second

// session consumes from the stored position until something fails.
func (r *runner) session(ctx context.Context) error {
	resume, err := r.parking.load(ctx)
	if err != nil {
		return err
	}
	if r.position, err = r.positions.load(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	clear(r.draining) // those of an earlier session went with it
	r.mu.Unlock()
	for _, k := range resume {
		r.drainSoon(k)
	}
	if r.position.version == 0 {
		if err := r.begin(ctx); err != nil {
			r.pool.reset(r.cfg.Timing.Grace)
			return err
		}
	}
	if !r.copied.Swap(true) && r.Kind == Follower {
		r.cfg.Copied()
	}
	err = r.follow(ctx)
	if errors.Is(err, errCompare) && ctx.Err() == nil {
		r.log.WarnContext(ctx, "comparing with the owner", "reason", err)
		r.metrics.catchUps.Add(ctx, 1, r.labels)
		err = r.catchUp(ctx)
		r.pool.reset(r.cfg.Timing.Grace)
	}
	return err
}

// follow takes facts as they come and fetches those that do not.
func (r *runner) follow(ctx context.Context) (err error) {
	now := clock.Monotonic()
	r.lanes, r.finished, r.newest = map[lane]*inflow{}, nil, r.position.Recorded
	for l, n := range r.position.Numbers {
		r.lanes[l] = newInflow(n, now)
	}
	r.stream, r.seq = r.position.Hint.Stream, r.position.Hint.Seq-min(1, r.position.Hint.Seq)
	r.filled, r.came, r.emptied, r.back = now, now, time.Time{}, time.Time{}

	work, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	in := inputs{arrivals: make(chan arrival, 256), heads: make(chan headsSeen, 16), fetched: make(chan fetched, 1), ends: make(chan hint, 1)}
	r.reader = &reader{
		nc: r.cfg.NATS, stream: streamName(r.From), subjects: subjectsOf(r.From, r.Aggregates),
		next: r.position.Hint, out: in.arrivals, patience: r.cfg.Timing.FastPoll,
		onError: func(err error) { r.log.DebugContext(ctx, "stream is read anew", "error", err) },
	}
	wg.Go(func() { r.reader.run(work) })
	wg.Go(func() { r.poll(work, in.heads) })
	unsubscribe := r.listen(in.heads)
	err = r.loop(work, in, &wg)
	unsubscribe()
	stop()
	r.pool.reset(r.cfg.Timing.Grace)
	wg.Wait()
	r.collect()
	save, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err = errors.Join(err, r.save(save))
	r.pending.Store(0)
	return err
}

// inputs are where a loop hears from others.
type inputs struct {
	arrivals chan arrival
	heads    chan headsSeen
	fetched  chan fetched
	ends     chan hint // where the stream ends
}

// fetched is the owner's answer to a request for facts of a lane.
type fetched struct {
	lane  lane
	facts []Fact
	err   error
}

// loop owns the lanes.
func (r *runner) loop(ctx context.Context, in inputs, wg *sync.WaitGroup) error {
	tick := time.NewTicker(r.cfg.Timing.Record)
	defer tick.Stop()
	gaps := time.NewTimer(time.Hour)
	defer gaps.Stop()
	f := newFetcher(r, wg, in.fetched)
	defer f.timer.Stop()
	lost := &losses{runner: r, wg: wg, out: in.ends}
	for {
		arrivals := in.arrivals
		if r.full() {
			arrivals = nil // the stream keeps them
		}
		if arrivals == nil || len(arrivals) > 0 {
			r.filled = clock.Monotonic()
		}
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case a := <-arrivals:
			var gap bool
			if gap, err = r.arrive(a); gap {
				gaps.Reset(r.cfg.Timing.Reorder)
			}
		case h := <-in.heads:
			err = r.hear(h)
		case a := <-in.fetched:
			err = f.take(a)
		case end := <-in.ends:
			lost.take(end)
		case <-r.notify:
			r.collect()
		case <-gaps.C:
			if r.late() {
				gaps.Reset(r.cfg.Timing.Reorder)
			}
		case <-tick.C:
			r.late()
			lost.look(ctx)
			r.measure()
			err = r.save(ctx)
		case <-f.timer.C: // the owner has had its rest
		}
		if err != nil {
			return err
		}
		f.next(ctx)
	}
}

func (r *runner) full() bool { return int(r.pending.Load()) >= r.cfg.Pending }

func (r *runner) lane(l lane) *inflow {
	s, ok := r.lanes[l]
	if !ok {
		s = newInflow(0, clock.Monotonic())
		r.lanes[l] = s
	}
	return s
}

// arrive takes a fact from the stream or from the owner. It reports a new gap.
func (r *runner) arrive(a arrival) (gap bool, err error) {
	if a.stream != 0 {
		if a.stream != r.stream {
			r.stream, r.seq = a.stream, 0
		}
		r.seq, r.came = max(r.seq, a.seq), clock.Monotonic()
	}
	switch {
	case a.fact.Generation > r.position.Generation:
		return false, errCompare
	case a.fact.Generation < r.position.Generation || !r.follows(a.fact.AggregateType):
		return false, nil // a slow relay of an earlier generation: compared when this one began
	}
	a.skipped = r.Kind != Recorder && !r.takes(a.fact.Type)
	l := r.lane(a.fact.lane())
	ready, duplicate := l.offer(a, clock.Monotonic())
	if duplicate {
		r.metrics.duplicates.Add(context.Background(), 1, r.labels)
	}
	for _, a := range ready {
		if a.fact.Recorded.After(r.newest) {
			r.newest = a.fact.Recorded
		}
		if !a.skipped {
			r.submit(a.fact)
		}
	}
	return len(ready) == 0 && !duplicate, nil
}

// submit gives a fact to the pool; its number is told to the loop when it is done.
func (r *runner) submit(f Fact) {
	r.pending.Add(1)
	p := place{f.lane(), f.Number}
	r.pool.submit(&task{key: f.key(), fact: f, done: func() {
		r.pending.Add(-1)
		r.mu.Lock()
		r.finished = append(r.finished, p)
		r.mu.Unlock()
		select {
		case r.notify <- struct{}{}:
		default:
		}
	}})
}

// collect moves lanes over what is done.
func (r *runner) collect() {
	r.mu.Lock()
	finished := r.finished
	r.finished = nil
	r.mu.Unlock()
	for _, p := range finished {
		r.lane(p.lane).done(p.number)
	}
}

// late looks for what did not come, and reports whether a gap is younger than it should be
// to be fetched.
func (r *runner) late() (young bool) {
	now, stall := clock.Monotonic(), r.cfg.Timing.Stall
	if now.Sub(r.filled) >= stall && r.reader.idle(now.Sub(r.came) >= 2*stall) {
		r.emptied = now
	}
	for _, l := range r.lanes {
		if !r.full() {
			l.late(now, r.emptied, r.cfg.Timing.Reorder, stall)
		}
		young = young || !l.gap.IsZero() && l.target <= l.next
	}
	return young
}

// save stores the position, if it moved: first what the recorder has applied.
func (r *runner) save(ctx context.Context) error {
	p := position{Generation: r.position.Generation, Numbers: numbers{}, Recorded: r.position.Recorded, version: r.position.version}
	p.Hint = hint{r.stream, r.seq + 1}
	var open time.Time
	moved := false
	for l, s := range r.lanes {
		if low := s.low(); low > 0 {
			p.Numbers[l] = low
			moved = moved || low != r.position.Numbers[l]
		}
		for _, waiting := range []map[uint64]arrival{s.open, s.held} {
			for _, a := range waiting {
				if a.stream == r.stream {
					p.Hint.Seq = min(p.Hint.Seq, a.seq)
				}
				if open.IsZero() || a.fact.Recorded.Before(open) {
					open = a.fact.Recorded
				}
			}
		}
	}
	if p.Recorded = r.newest; !open.IsZero() && open.Before(p.Recorded) {
		p.Recorded = open
	}
	if !moved {
		return nil
	}
	return r.store(ctx, p)
}

// store writes a position after what it stands for.
func (r *runner) store(ctx context.Context, p position) error {
	if r.applied != nil {
		if err := r.applied.flush(ctx); err != nil {
			return err
		}
	}
	if err := r.positions.save(ctx, &p); err != nil {
		return err
	}
	r.position = p
	return nil
}
