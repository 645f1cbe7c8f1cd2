package bustest

import (
	"context"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/bus"
)

// handlerEnded ends a consumer while its handlers work on one fact and are done with those
// behind it: the fact comes again, for its effect is not there.
func handlerEnded(r *rig) {
	k := newKinds()
	r.source(r.src)
	slow := k.consumers()
	for i, c := range slow {
		slow[i].Handle = func(ctx context.Context, f bus.Fact) error {
			if strings.Contains(string(f.Data), "slow") {
				<-ctx.Done()
				return ctx.Err()
			}
			return c.Handle(ctx, f)
		}
	}
	n := r.sink(r.dst, slow...)
	r.eventually(func() error { return n.Ready(r.t.Context()) }) // a first copy has no older facts
	r.commit("t0", "thing_slow", "slow news")
	r.many("thing", 40, 2)
	for _, l := range []*ledger{k.react, k.record} {
		r.eventually(func() error {
			return holds(l.effects() == r.committed()-1, "%d of %d effects", l.effects(), r.committed()-1)
		})
	}
	n.stop()
	r.sink(r.dst, k.consumers()...)
	k.settle(r)
}

// lateRecorder starts a recorder when the numbers have begun anew: they do not tell of the
// facts before, only the facts themselves do, by the version that they follow.
func lateRecorder(r *rig) {
	l := newLedger(bus.Recorder)
	src := WithFaults(r.src)
	n := r.source(src)
	r.many("thing", 20, 2)
	r.eventually(func() error { return headsReach(r, n, r.committed()) })
	n.stop()
	src.LosePositions()
	n = r.source(src)
	r.eventually(func() error {
		a, err := n.Server().GetHeads(r.t.Context(), nil)
		return holds(err == nil && a.GetGeneration() == 2, "generation %d, %v", a.GetGeneration(), err)
	})
	r.many("thing", 20, 1)
	r.sink(r.dst, l.consumer("record"))
	r.eventually(func() error { return l.complete(r) })
	if err := l.ordered(); err != nil {
		r.t.Error(err)
	}
}
