package store

import (
	"context"
	"sync"
)

// Bounds of a batch. Waiting is never added: a batch is what queued up while the one
// before was in flight.
const (
	maxCommands   = 128       // of one aggregate in one commit
	maxAggregates = 256       // in one batch
	maxFactBytes  = 256 << 10 // of one commit
	maxInFlight   = 2         // batches of a collection
)

// request is one command on its way.
type request[S, F any] struct {
	ctx    context.Context //nolint:containedctx // the command's own deadline, checked right before its decision
	cause  Cause
	scope  [16]byte
	decide func(Current[S]) (Decision[F], error)

	receipt Receipt
	err     error
	done    chan struct{}
	over    func() // told once it is answered
}

func (r *request[S, F]) answer(rec Receipt, err error) {
	r.receipt, r.err = rec, err
	close(r.done)
	r.over()
}

// line is the commands that queue for one aggregate.
type line[S, F any] struct {
	agg    string
	queued []*request[S, F]
	busy   bool // in a batch, or in ready
}

// combiner gathers commands into batches: at most maxInFlight at a time, each aggregate in
// at most one of them.
type combiner[S, F any] struct {
	run func(work []*line[S, F]) // gives each line back once its commands are answered

	mu      sync.Mutex
	pending map[string]*line[S, F]
	ready   []*line[S, F]
	flying  int
}

// idle reports that no command on the aggregates is under way.
func (q *combiner[S, F]) idle(aggs ...string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, agg := range aggs {
		if q.pending[agg] != nil {
			return false
		}
	}
	return true
}

func (q *combiner[S, F]) submit(agg string, r *request[S, F]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.pending[agg]
	if l == nil {
		l = &line[S, F]{agg: agg}
		q.pending[agg] = l
	}
	l.queued = append(l.queued, r)
	if !l.busy {
		l.busy = true
		q.ready = append(q.ready, l)
	}
	if len(q.ready) > 0 && q.flying < maxInFlight {
		q.flying++
		go q.fly()
	}
}

// fly runs batches until nothing is ready.
func (q *combiner[S, F]) fly() {
	for {
		work := q.take()
		if work == nil {
			return
		}
		q.run(work)
	}
}

func (q *combiner[S, F]) take() []*line[S, F] {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.ready), maxAggregates)
	if n == 0 {
		q.flying--
		return nil
	}
	work := q.ready[:n:n]
	q.ready = append([]*line[S, F](nil), q.ready[n:]...)
	return work
}

// some takes the commands of a line that one commit may hold.
func (q *combiner[S, F]) some(l *line[S, F]) []*request[S, F] {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(l.queued), maxCommands)
	for i := 1; i < n; i++ {
		if l.queued[i].cause.IfMatch != "" { // opens a batch of its own
			n = i
		}
	}
	some := l.queued[:n:n]
	l.queued = append([]*request[S, F](nil), l.queued[n:]...)
	return some
}

// back puts commands that did not fit to the head of their line.
func (q *combiner[S, F]) back(l *line[S, F], rs []*request[S, F]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.queued = append(append([]*request[S, F](nil), rs...), l.queued...)
}

// give frees lines of a batch; those with more to do are ready again.
func (q *combiner[S, F]) give(work []*line[S, F]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range work {
		if len(l.queued) > 0 {
			q.ready = append(q.ready, l)
			continue
		}
		l.busy = false
		delete(q.pending, l.agg)
	}
}
