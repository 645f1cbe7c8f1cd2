package bus

import (
	"context"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

const (
	maxTrail     = 100_000 // commits that may wait for their check; more are checked at once
	refreshChunk = 500     // aggregates in one look at the snapshots
)

// trail follows the relay at a distance and makes sure that the snapshots of what was
// committed are there: one that a crash swallowed would stay old for ever, and with it
// lists, timers and exports. Its mark is stored beside the head; a new relay starts there.
type trail struct {
	cfg     Config
	history *history
	ask     chan struct{} // somebody waits for the snapshots

	mu      sync.Mutex
	mark    mark      // snapshots hold every commit up to here
	goodTo  time.Time // and every one recorded before
	pending []trailed
	hurry   bool // check without the distance
}

type trailed struct {
	relayed
	at time.Time
}

func newTrail(cfg Config, h *history) *trail {
	return &trail{cfg: cfg, history: h, ask: make(chan struct{}, 1)}
}

func (t *trail) start(m mark) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mark, t.pending = m.clone(), nil
	t.goodTo = m.Recorded
	t.history.setGood(t.mark)
}

// request asks for a check now; an export waits for it.
func (t *trail) request() {
	t.mu.Lock()
	t.hurry = true
	t.mu.Unlock()
	select {
	case t.ask <- struct{}{}:
	default:
	}
}

func (t *trail) add(batch []relayed) {
	now := clock.Monotonic()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range batch {
		c.facts = nil // their bytes are not needed any more
		t.pending = append(t.pending, trailed{c, now})
	}
}

// due returns the commits whose snapshots are to be checked.
func (t *trail) due() []trailed {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hurry || len(t.pending) > maxTrail {
		t.hurry = false
		return t.pending
	}
	limit := clock.Monotonic().Add(-t.cfg.Timing.Trail)
	n := 0
	for n < len(t.pending) && (t.pending[n].at.Before(limit) || !t.pending[n].idle.IsZero()) {
		n++
	}
	return t.pending[:n]
}

// check refreshes what trails and moves the mark.
func (t *trail) check(ctx context.Context) error {
	due := t.due()
	newest := map[store.Touched]uint64{}
	for _, c := range due {
		if !c.idle.IsZero() {
			continue
		}
		key := c.touched
		key.Version = 0
		newest[key] = c.touched.Version // in the engine's order, so the last is the newest
	}
	chunk := make([]store.Touched, 0, refreshChunk)
	for key, version := range newest {
		key.Version = version
		if chunk = append(chunk, key); len(chunk) == refreshChunk {
			if err := t.cfg.DB.Refresh(ctx, chunk); err != nil {
				return err
			}
			chunk = chunk[:0]
		}
	}
	if len(chunk) > 0 {
		if err := t.cfg.DB.Refresh(ctx, chunk); err != nil {
			return err
		}
	}
	t.pass(len(due))
	return nil
}

// pass moves the mark over the first n pending commits and tells what lists are good to.
func (t *trail) pass(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.pending[:n] {
		c.advance(&t.mark)
		upTo := c.recorded
		if !c.idle.IsZero() { // what was recorded that long before is not on its way any more
			upTo = c.idle.Add(-2 * t.cfg.Timing.Trail)
		}
		if upTo.After(t.goodTo) {
			t.goodTo = upTo
		}
	}
	t.pending = append([]trailed(nil), t.pending[n:]...)
	t.history.setGood(t.mark)
	if !t.goodTo.IsZero() {
		t.cfg.DB.SetGoodTo(t.goodTo)
	}
}

// good returns the time before which every recorded commit is in the snapshots; zero when
// that is not known yet.
func (t *trail) good() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.goodTo
}
