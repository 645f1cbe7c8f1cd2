package bus

import (
	"sync/atomic"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
)

// behind is how far a consumer is behind its source, as its loop last saw it. The age is
// told of the moment in which it is asked for: a loop that stands still grows old.
type behind struct {
	facts  atomic.Int64
	oldest atomic.Int64 // recorded time of the oldest of them, as far as known, µs since 1970
	heard  atomic.Int64 // when the source last told its heads: since()
}

// age is that of the oldest fact without effect. A source that tells no heads for longer than
// patience hides what is behind them: its silence counts.
func (b *behind) age(now time.Time, patience time.Duration) (age time.Duration) {
	if b.facts.Load() > 0 {
		age = max(0, now.Sub(time.UnixMicro(b.oldest.Load())))
	}
	if silent := since() - time.Duration(b.heard.Load()); silent > patience {
		age = max(age, silent)
	}
	return age
}

// measure tells how far the lanes are behind.
func (r *runner) measure() {
	now, wall := clock.Monotonic(), r.cfg.Clock.Now()
	oldest, facts := wall, uint64(0)
	for _, l := range r.lanes {
		n, at := l.behind(now, wall)
		if facts += n; n > 0 && at.Before(oldest) {
			oldest = at
		}
	}
	r.behind.oldest.Store(oldest.UnixMicro())
	r.behind.facts.Store(int64(facts))
}

// apart tells that nothing but the heads is known: the consumer compares or copies.
func (r *runner) apart(heads positions) {
	facts := uint64(0)
	for l, n := range heads.numbers {
		if r.follows(l.aggregate) {
			facts += n
		}
	}
	if r.behind.facts.Load() == 0 {
		r.behind.oldest.Store(r.cfg.Clock.Now().UnixMicro())
	}
	r.behind.facts.Store(int64(facts))
	r.behind.heard.Store(int64(since()))
}

// behind tells how many facts of the lane are not done, and of when the oldest of them is:
// at the earliest, when it is not here to be asked.
func (l *inflow) behind(now, wall time.Time) (facts uint64, oldest time.Time) {
	oldest = wall
	for _, waiting := range []map[uint64]arrival{l.open, l.held} {
		for _, a := range waiting {
			if a.fact.Recorded.Before(oldest) {
				oldest = a.fact.Recorded
			}
		}
	}
	if l.head > l.next {
		// The next one is not older than the one before it, and became known when the head rose.
		at := wall.Add(-now.Sub(l.ahead))
		if l.recorded.After(at) {
			at = l.recorded
		}
		if at.Before(oldest) {
			oldest = at
		}
	}
	return max(l.head, l.next) - l.low(), oldest
}
