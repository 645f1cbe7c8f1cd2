package bustest

import (
	"strings"
	"sync/atomic"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// bad makes a handler fail for facts that say so.
func bad(kind fault.Kind) func(bus.Fact) error {
	return func(f bus.Fact) error {
		if strings.Contains(string(f.Data), "bad") {
			return fault.New(kind, "NOT_TODAY", "the handler does not take %s", f.ID)
		}
		return nil
	}
}

// poison lets one of a thousand aggregates fail for good, with facts behind it.
func poison(r *rig) {
	k := newKinds()
	for _, l := range []*ledger{k.react, k.record, k.follow} {
		l.setFail(bad(fault.Refused))
	}
	r.source(r.src)
	n := r.start(bus.Config{Service: sink, DB: r.dst, NATS: r.connect(), Timing: steady()}, k.consumers()...) // its runs are counted
	r.eventually(func() error { return n.Ready(r.t.Context()) })                                              // a first copy has no older facts
	r.many("thing", 499, 1)
	r.commit("t9", "thing_poison", "bad news")
	r.commit("t9", "thing_poison", "good news", "better news")
	r.many("other", 500, 1)
	r.commit("t9", "thing_poison", "last news")
	for _, l := range []*ledger{k.react, k.record} {
		r.eventually(func() error {
			return holds(l.effects() == r.committed()-4, "%d of %d effects", l.effects(), r.committed()-4)
		})
	}
	if n := k.react.ranAnew(); n > 0 {
		r.t.Errorf("%d facts were decided anew, and none was replayed", n)
	}
	letters := n.DeadLetters()
	var list []bus.DeadLetter
	r.eventually(func() (err error) {
		list, err = letters.List(r.t.Context(), "t9", "", "", 100)
		return holds(err == nil && len(list) == 3, "%d letters, %v", len(list), err)
	})
	for _, d := range list {
		r.eventually(func() error {
			full, err := letters.Get(r.t.Context(), "t9", d.ID)
			ok := err == nil && full.Reason == "NOT_TODAY" && full.EventID == "thing_poison:1:0" && full.Attempts == 1 && full.Behind == 3
			return holds(ok, "letter %+v, %v", full, err)
		})
	}
	if err := r.answered(func() error { return letters.Replay(r.t.Context(), "t9", list[0].ID) }); !fault.IsKind(err, fault.Refused) {
		r.t.Errorf("a replay that fails again answers %v", err)
	}
	replayAll(r, n, list, k)
	k.settle(r)
	if n := k.react.ranAnew(); n < 4 {
		r.t.Errorf("%d facts of the queue were decided anew, of 4", n)
	}
	ran := k.react.ran()
	if err := letters.Replay(r.t.Context(), "t9", list[0].ID); !fault.IsKind(err, fault.NotFound) {
		r.t.Errorf("the second replay answers %v", err)
	}
	r.commit("t9", "thing_poison", "news of today")
	k.settle(r)
	if k.react.ran() != ran+1 {
		r.t.Error("the second replay ran something")
	}
}

func replayAll(r *rig, n *node, list []bus.DeadLetter, k kinds) {
	r.t.Helper()
	for _, l := range []*ledger{k.react, k.record, k.follow} {
		l.setFail(nil)
	}
	for _, d := range list {
		if err := r.answered(func() error { return n.DeadLetters().Replay(r.t.Context(), d.Tenant, d.ID) }); err != nil {
			r.t.Errorf("replay of %s: %v", d.ID, err)
		}
	}
}

// answered asks again for the outcome of what a busy machine has not done in time. A letter that
// is gone by then was done with.
func (r *rig) answered(do func() error) error {
	r.t.Helper()
	var err error
	pending := false
	r.eventually(func() error {
		err = do()
		if f, ok := fault.As(err); ok && f.Reason == "REPLAY_PENDING" {
			pending = true
			return err
		}
		return nil
	})
	if pending && fault.IsKind(err, fault.NotFound) {
		return nil
	}
	return err
}

// dropped leaves a fact out for good; those behind it go on, also at a recorder.
func dropped(r *rig) {
	k := newKinds()
	k.react.setFail(bad(fault.Invalid))
	k.record.setFail(bad(fault.Invalid))
	r.source(r.src)
	n := r.sink(r.dst, k.consumers()...)
	r.commit("t9", "thing_poison", "bad news")
	r.commit("t9", "thing_poison", "good news")
	var list []bus.DeadLetter
	r.eventually(func() (err error) {
		list, err = n.DeadLetters().List(r.t.Context(), "t9", "", "", 100)
		return holds(err == nil && len(list) == 2, "%d letters, %v", len(list), err)
	})
	for _, d := range list {
		r.eventually(func() error { // the letter is there a moment before its aggregate is marked as parked
			err := r.answered(func() error { return n.DeadLetters().Drop(r.t.Context(), "t9", d.ID) })
			if f, ok := fault.As(err); ok && f.Reason == "NOT_PARKED" {
				return err
			}
			if err != nil {
				r.t.Errorf("drop %s: %v", d.ID, err)
			}
			return nil
		})
	}
	r.commit("t9", "thing_poison", "more good news")
	r.eventually(func() error {
		return holds(k.react.effects() == 2 && k.record.effects() == 2, "%d and %d effects", k.react.effects(), k.record.effects())
	})
	list, err := n.DeadLetters().List(r.t.Context(), "t9", "", "", 100)
	if err != nil || len(list) != 0 {
		r.t.Errorf("%d letters are left, %v", len(list), err)
	}
}

func unknownType(r *rig) {
	all, some := newLedger(bus.Reactor), newLedger(bus.Reactor)
	only := some.consumer("only-known")
	only.Types = []string{"google.protobuf.StringValue"}
	r.source(r.src)
	n := r.sink(r.dst, all.consumer("takes-all"), only)
	r.commitRaw("t1", "thing_1", store.RawFact{Type: "lockstep.future.v1.Unheard", Data: []byte{8, 1}})
	r.commit("t1", "thing_1", "known")
	r.eventually(func() error {
		list, err := n.DeadLetters().List(r.t.Context(), "t1", "", "", 10)
		ok := err == nil && len(list) == 1 && list[0].Reason == "FACT_TYPE_UNKNOWN" && list[0].Handler == "takes-all"
		return holds(ok && some.effects() == 1, "letters %+v, %v, %d effects", list, err, some.effects())
	})
	if all.effects() != 0 {
		r.t.Error("a fact behind a parked one was applied")
	}
}

// opaqueType: a consumer of each kind that can do with an envelope gets what it has no type for,
// in its place among the others.
func opaqueType(r *rig) {
	k := newKinds()
	consumers := k.consumers()
	for i := range consumers {
		consumers[i].Opaque = true
	}
	r.source(r.src)
	n := r.sink(r.dst, consumers...)
	r.commit("t1", "thing_1", "before")
	unheard := note("unheard")
	unheard.Type = "lockstep.future.v1.Unheard"
	r.commitRaw("t1", "thing_1", unheard)
	r.commit("t1", "thing_1", "after")
	k.settle(r)
	list, err := n.DeadLetters().List(r.t.Context(), "t1", "", "", 10)
	if err != nil || len(list) != 0 {
		r.t.Errorf("letters %+v, %v", list, err)
	}
}

func transient(r *rig) {
	l := newLedger(bus.Reactor)
	var failing atomic.Bool
	failing.Store(true)
	l.setFail(func(f bus.Fact) error {
		if failing.Load() && f.AggregateID == "thing_0001" {
			return fault.New(fault.Unavailable, "AWAY", "come back later")
		}
		if failing.Load() && f.AggregateID == "thing_0002" { // a clock or a key is a moment apart
			return fault.New(fault.Unauthenticated, "TOKEN_INVALID", "who is that")
		}
		return nil
	})
	r.source(r.src)
	n := r.sink(r.dst, l.consumer("react"))
	r.commit("t1", "thing_0001", "first")
	r.commit("t1", "thing_0002", "first")
	r.many("other", 50, 2)
	r.eventually(func() error { return holds(l.effects() == r.committed()-2, "%d effects", l.effects()) })
	failing.Store(false)
	r.eventually(func() error { return l.complete(r) })
	if err := l.ordered(); err != nil {
		r.t.Error(err)
	}
	r.eventually(func() error { // on a busy machine it may have been parked for a while
		list, err := n.DeadLetters().List(r.t.Context(), "t1", "", "", 10)
		return holds(err == nil && len(list) == 0, "letters %+v, %v", list, err)
	})
}

func transientParked(r *rig) {
	l := newLedger(bus.Recorder)
	var failing atomic.Bool
	failing.Store(true)
	l.setFail(func(f bus.Fact) error {
		if failing.Load() && f.AggregateID == "thing_stuck" {
			return fault.New(fault.Unavailable, "AWAY", "come back later")
		}
		return nil
	})
	r.source(r.src)
	n := r.sink(r.dst, l.consumer("record"))
	r.commit("t1", "thing_stuck", "first")
	r.commit("t1", "thing_stuck", "second")
	r.eventually(func() error {
		r.many("other", 3, 1) // others succeed
		list, err := n.DeadLetters().List(r.t.Context(), "t1", "", "", 10)
		return holds(err == nil && len(list) == 1 && list[0].Transient && list[0].Reason == "AWAY", "letters %+v, %v", list, err)
	})
	failing.Store(false)
	r.eventually(func() error { return l.complete(r) })
	if err := l.ordered(); err != nil {
		r.t.Error(err)
	}
}

// panicked lets a handler panic for one aggregate: that one is parked, others go on, and its
// letter tells nothing of the inside. Like what failed for want of something it is tried again.
func panicked(r *rig) {
	l := newLedger(bus.Reactor)
	var failing atomic.Bool
	failing.Store(true)
	l.setFail(func(f bus.Fact) error {
		if failing.Load() && f.AggregateID == "thing_stuck" {
			panic("canary in a panic")
		}
		return nil
	})
	r.source(r.src)
	n := r.sink(r.dst, l.consumer("react"))
	r.commit("t1", "thing_stuck", "first")
	r.commit("t1", "thing_stuck", "second")
	r.eventually(func() error {
		r.many("other", 3, 1) // others succeed
		list, err := n.DeadLetters().List(r.t.Context(), "t1", "", "", 10)
		ok := err == nil && len(list) == 1 && list[0].Reason == "HANDLER_PANICKED" && list[0].EventID == "thing_stuck:1:0"
		return holds(ok && !strings.Contains(list[0].Message, "canary"), "letters %+v, %v", list, err)
	})
	r.eventually(func() error { return holds(l.effects() == r.committed()-2, "%d effects", l.effects()) })
	failing.Store(false)
	r.eventually(func() error { return l.complete(r) })
	if err := l.ordered(); err != nil {
		r.t.Error(err)
	}
}
