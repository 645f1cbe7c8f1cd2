package bus

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
)

// fetcher asks the owner for facts that the stream did not bring, one request at a time,
// the lanes in turn.
type fetcher struct {
	*runner
	wg     *sync.WaitGroup
	out    chan<- fetched
	busy   bool
	failed int         // requests in a row
	rest   time.Time   // no request before it
	timer  *time.Timer // fires at rest
	turn   lane        // last lane asked for
}

func newFetcher(r *runner, wg *sync.WaitGroup, out chan<- fetched) *fetcher {
	f := &fetcher{runner: r, wg: wg, out: out, timer: time.NewTimer(time.Hour)}
	f.timer.Stop()
	return f
}

// next starts a request if one is wanted and possible.
func (f *fetcher) next(ctx context.Context) {
	if f.busy || f.full() || clock.Monotonic().Before(f.rest) {
		return
	}
	l, from, to, ok := f.pick()
	if !ok {
		return
	}
	f.busy, f.turn = true, l
	generation := f.position.Generation
	f.wg.Go(func() {
		facts, err := f.owner.facts(ctx, generation, l, from, to)
		f.out <- fetched{l, facts, err} // there is room: one request at a time
	})
}

// pick chooses the lane after the last one asked for that wants something.
func (f *fetcher) pick() (chosen lane, from, to uint64, ok bool) {
	var wanting []lane
	for l, s := range f.lanes {
		if _, _, ok := s.wanted(); ok {
			wanting = append(wanting, l)
		}
	}
	if len(wanting) == 0 {
		return lane{}, 0, 0, false
	}
	slices.SortFunc(wanting, func(a, b lane) int { return strings.Compare(a.String(), b.String()) })
	i := slices.IndexFunc(wanting, func(l lane) bool { return l.String() > f.turn.String() })
	chosen = wanting[max(i, 0)]
	from, to, _ = f.lanes[chosen].wanted()
	return chosen, from, to, true
}

// take brings an answer into the lanes.
func (f *fetcher) take(a fetched) error {
	f.busy = false
	if reason := reasonOf(a.err); reason == reasonGeneration || reason == reasonTooOld {
		return errCompare
	}
	if a.err != nil || len(a.facts) == 0 {
		// Not there, or not yet: heads ask again if it should be.
		f.lane(a.lane).target = 0
		f.failed++
		pause := f.backoff(min(f.failed, 4))
		f.rest = clock.Monotonic().Add(pause)
		f.timer.Reset(pause)
		if a.err != nil {
			f.log.Debug("facts not fetched", "lane", a.lane.String(), "error", a.err)
		}
		return nil
	}
	f.failed = 0
	f.metrics.fetched.Add(context.Background(), int64(len(a.facts)), f.labels)
	for _, fact := range a.facts {
		if _, err := f.arrive(arrival{fact: fact}); err != nil {
			return err
		}
	}
	return nil
}
