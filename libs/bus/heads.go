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
	switch {
	case h.generation > r.position.Generation:
		return errCompare
	case h.generation < r.position.Generation:
		return nil
	}
	r.behind.heard.Store(int64(since()))
	now, down := clock.Monotonic(), r.reader.down()
	for l, n := range h.numbers {
		if !r.follows(l.aggregate) {
			continue
		}
		s := r.lane(l)
		s.rise(n, now)
		if down {
			s.target = s.head
		}
		if !h.asked {
			continue
		}
		// An owner whose numbers stay below what it said before was put back to an older
		// state: the numbers that it gives out next are not those that were taken.
		switch {
		case n >= s.next:
			s.above = time.Time{}
		case s.above.IsZero():
			s.above = now
		case now.Sub(s.above) > 12*r.cfg.Timing.Stall:
			return errCompare
		}
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
