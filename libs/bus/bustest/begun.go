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

// lateRecorder starts consumers when the numbers have begun anew: these do not tell of the
// facts before, also of what does not change any more.
func lateRecorder(r *rig) {
	l, react := newLedger(bus.Recorder), newLedger(bus.Reactor)
	src := WithFaults(r.src)
	n := r.source(src)
	r.many("thing", 20, 2)
	r.many("quiet", 10, 2)
	r.eventually(func() error { return headsReach(r, n, r.committed()) })
	n.stop()
	src.LosePositions()
	n = r.source(src)
	r.eventually(func() error {
		a, err := n.Server().GetHeads(r.t.Context(), nil)
		return holds(err == nil && a.GetGeneration() == 2, "generation %d, %v", a.GetGeneration(), err)
	})
	r.many("thing", 20, 1)
	r.sink(r.dst, l.consumer("record"), react.consumer("react"))
	r.eventually(func() error { return l.complete(r) })
	r.eventually(func() error { return react.complete(r) })
	if err := l.ordered(); err != nil {
		r.t.Error(err)
	}
}

// rowsSetBack takes away what a recorder has noted of each aggregate, as an older copy of its
// rows would, and leaves its position: the next fact of an aggregate does not follow, so those
// before it are fetched.
func rowsSetBack(r *rig) {
	r.source(r.src)
	l := newLedger(bus.Recorder)
	n := r.sink(r.dst, l.consumer("record"))
	r.many("thing", 20, 2)
	r.eventually(func() error { return l.complete(r) })
	n.stop()
	rows := r.dst.Table("bus_applied")
	for _, tenant := range []string{"t0", "t1", "t2"} {
		noted, err := rows.List(r.t.Context(), tenant, "", "", "", 100)
		if err != nil || len(noted) == 0 {
			r.t.Fatalf("%d rows of %s, %v", len(noted), tenant, err)
		}
		for _, row := range noted {
			if err := rows.Delete(r.t.Context(), tenant, row.ID); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	again := newLedger(bus.Recorder)
	r.sink(r.dst, again.consumer("record"))
	r.many("thing", 20, 1)
	r.eventually(func() error { return again.complete(r) })
	if err := again.ordered(); err != nil {
		r.t.Error(err)
	}
}
