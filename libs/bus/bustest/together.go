package bustest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// together lets a recorder have many facts of one aggregate at once. Some fail for a while:
// they and what is behind them come again, nothing is left out and nothing counts as applied
// before what precedes it.
func together(r *rig) {
	l := newLedger(bus.Recorder)
	var under, most atomic.Int64
	var tries sync.Map // event id → how often it came
	var met sync.Once
	four := make(chan struct{}) // closed when so many were under way at once
	l.setFail(func(f bus.Fact) error {
		if f.AggregateID != "thing_busy" || f.Version%7 != 0 {
			return nil
		}
		n, _ := tries.LoadOrStore(f.ID, new(atomic.Int64))
		if n.(*atomic.Int64).Add(1) <= 2 {
			return fault.New(fault.Unavailable, "AWAY", "come back later")
		}
		return nil
	})
	c := l.consumer("record")
	c.Together = 16
	c.Handle = func(ctx context.Context, f bus.Fact) error {
		if f.AggregateID != "thing_busy" {
			return l.handle(ctx, f)
		}
		now := under.Add(1)
		defer under.Add(-1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
		}
		if now >= 4 {
			met.Do(func() { close(four) })
		}
		select { // a handler that takes its time, until others have come
		case <-four:
		case <-time.After(within / 8): // nobody comes
		case <-ctx.Done():
		}
		return l.handle(ctx, f)
	}
	for range 40 {
		r.commit("t1", "thing_busy", "before anybody runs", "and again")
	}
	r.source(r.src)
	n := r.sink(r.dst, c)
	r.many("thing", 12, 3)
	for range 20 {
		r.commit("t1", "thing_busy", "while it runs")
	}
	r.eventually(func() error { return l.complete(r) })
	r.eventually(func() error {
		v, err := n.Applied("record").Version(r.t.Context(), Thing, "t1", "thing_busy")
		return holds(err == nil && v == 60, "version %d is applied, %v", v, err)
	})
	if got := most.Load(); got < 4 || got > 16 {
		r.t.Errorf("%d facts were given at once", got)
	}
}
