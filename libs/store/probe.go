package store

import (
	"context"
	"sync"
)

// prober asks whether copies are the newest, for many readers in one read: a read is for
// those who came before it began, so nobody gets an answer older than the question.
type prober struct {
	next func(ctx context.Context, versions map[string]uint64) (map[string]bool, error)
	life context.Context //nolint:containedctx // of the database: a read serves several callers

	mu      sync.Mutex
	waiting []*probe
	flying  int
}

// probe is one reader's question.
type probe struct {
	agg   string
	held  uint64 // version of the copy
	later bool
	err   error
	done  chan struct{}
}

// Bounds of the reads of a prober.
const (
	maxProbes     = 256 // in one read
	probesFlying  = 2   // reads at a time
	probeDeadline = mongoOpTime
)

// later reports whether there is a commit after the version held.
func (p *prober) later(ctx context.Context, agg string, held uint64) (bool, error) {
	q := &probe{agg: agg, held: held, done: make(chan struct{})}
	p.mu.Lock()
	p.waiting = append(p.waiting, q)
	if p.flying < probesFlying {
		p.flying++
		go p.fly()
	}
	p.mu.Unlock()
	select {
	case <-q.done:
		return q.later, q.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// fly reads until nobody waits.
func (p *prober) fly() {
	for {
		p.mu.Lock()
		n := min(len(p.waiting), maxProbes)
		if n == 0 {
			p.flying--
			p.mu.Unlock()
			return
		}
		some := p.waiting[:n:n]
		p.waiting = append([]*probe(nil), p.waiting[n:]...)
		p.mu.Unlock()
		p.ask(some)
	}
}

// ask answers questions. Of two on one aggregate the lower copy is old: the other is newer.
func (p *prober) ask(some []*probe) {
	newest := make(map[string]uint64, len(some))
	for _, q := range some {
		newest[q.agg] = max(newest[q.agg], q.held)
	}
	versions := make(map[string]uint64, len(newest))
	for agg, held := range newest {
		versions[agg] = held + 1
	}
	ctx, cancel := context.WithTimeout(p.life, probeDeadline)
	defer cancel()
	later, err := p.next(ctx, versions)
	for _, q := range some {
		q.later, q.err = later[q.agg] || q.held < newest[q.agg], err
		close(q.done)
	}
}
