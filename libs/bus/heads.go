package bus

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// headsSeen are heads and whether the owner itself said them.
type headsSeen struct {
	positions
	asked bool
}

// hear takes heads. While messages do not come, what they say is fetched at once.
func (r *runner) hear(h headsSeen) error {
	now := clock.Monotonic()
	switch {
	case h.generation > r.position.Generation:
		return errCompare
	case h.generation < r.position.Generation:
		return r.earlier(h, now)
	}
	r.behind.heard.Store(int64(since()))
	down := r.reader.down()
	for l, n := range h.numbers {
		if !r.follows(l.aggregate) {
			continue
		}
		s := r.lane(l)
		s.rise(n, now)
		if down {
			s.target = s.head
		}
	}
	if !h.asked {
		return nil
	}
	r.back = time.Time{}
	for l, s := range r.lanes { // also those that the owner does not know
		if s.below(h.numbers[l], now) > r.putBack() {
			return errCompare
		}
	}
	return nil
}

// putBack is how long an owner says less than it said before until it counts as put back to an
// older state: the numbers that it gives out next are not those that were taken. A replica of it
// that does not relay, or does not know yet that another one does, says less for a moment.
func (r *runner) putBack() time.Duration { return 12 * r.cfg.Timing.Stall }

// earlier takes heads of a generation before the one that was counted in.
func (r *runner) earlier(h headsSeen, now time.Time) error {
	switch {
	case !h.asked:
	case r.back.IsZero():
		r.back = now
	case now.Sub(r.back) > r.putBack():
		return errCompare
	}
	return nil
}

// listen hears the heads that the owner's relay announces.
func (r *runner) listen(out chan<- headsSeen) (stop func()) {
	if r.cfg.NATS == nil {
		return func() {}
	}
	sub, err := r.cfg.NATS.Subscribe(headsSubject(r.From), func(m *nats.Msg) {
		var h commonv1.GetHeadsResponse
		if proto.Unmarshal(m.Data, &h) != nil || h.GetGeneration() == 0 {
			return
		}
		select {
		case out <- headsSeen{positions: positionsOf(h.GetGeneration(), h.GetHeads())}:
		default: // the next ones come in a second
		}
	})
	if err != nil {
		r.log.Warn("heads are only polled", "error", err)
		return func() {}
	}
	return func() { _ = sub.Unsubscribe() } // an error means that the connection is closed
}

// poll asks the owner for its heads: now, then seldom, and often while messages do not come.
func (r *runner) poll(ctx context.Context, out chan<- headsSeen) {
	for ctx.Err() == nil {
		start := clock.Monotonic()
		h, err := r.owner.heads(ctx)
		if err == nil {
			select {
			case out <- headsSeen{h, true}:
			case <-ctx.Done():
			}
		} else if !fault.IsKind(err, fault.Unavailable, fault.Deadline) {
			r.log.DebugContext(ctx, "no heads", "error", err)
		}
		for ctx.Err() == nil {
			pause(ctx, r.cfg.Timing.FastPoll)
			if err != nil || r.reader.down() || clock.Elapsed(start) >= r.cfg.Timing.Poll {
				break
			}
		}
	}
}
