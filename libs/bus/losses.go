package bus

import (
	"context"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
)

// losses finds what a stream that never rests has lost of the end of a lane, where no later
// fact shows a gap. A fact is in the stream, or given up, before its head is told: so the
// stream is asked for its end after the heads were heard, and once it is read past that end
// what is missing up to those heads does not come any more. What still waits in the stream
// lies before the end and is never taken for lost, however slow the consumer is.
type losses struct {
	*runner
	wg     *sync.WaitGroup
	out    chan<- hint
	busy   bool
	asked  time.Time
	known  numbers // heads when the stream was asked for its end; nil when nothing is looked for
	beyond hint    // that end, after the last message
}

// look goes on looking: it asks for the end when a lane stands still below its head, and has
// fetched what is missing when that end is read.
func (s *losses) look(ctx context.Context) {
	now, stall := clock.Monotonic(), s.cfg.Timing.Stall
	if s.busy {
		return
	}
	if s.known != nil && s.beyond.Stream == s.stream {
		if s.seq+1 < s.beyond.Seq {
			return
		}
		for l, head := range s.known {
			s.lane(l).lost(head)
		}
		s.known = nil
		return
	}
	if now.Sub(s.asked) < stall || s.reader.down() || !s.still(now, stall) {
		return
	}
	s.busy, s.asked, s.known, s.beyond = true, now, numbers{}, hint{}
	for l, f := range s.lanes {
		if f.head > f.next {
			s.known[l] = f.head
		}
	}
	s.wg.Go(func() { s.out <- s.reader.here(ctx) }) // there is room: one request at a time
}

// still reports whether a lane stands still below its head and is not being fetched.
func (s *losses) still(now time.Time, stall time.Duration) bool {
	for _, f := range s.lanes {
		if f.head > f.next && f.target <= f.next && now.Sub(f.moved) >= stall && now.Sub(f.ahead) >= stall {
			return true
		}
	}
	return false
}

// take hears where the stream ends; none when it did not say.
func (s *losses) take(end hint) {
	s.busy, s.beyond = false, end
}
