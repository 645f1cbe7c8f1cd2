package bustest

import (
	"context"
	"fmt"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/bus"
)

// Run holds the bus to its promises on a kind of database. open returns a new, empty one.
func Run(t *testing.T, open func(t *testing.T) DB) {
	for _, c := range []struct {
		name string
		test func(*rig)
	}{
		{"every fact takes effect once", everyFact},
		{"a service takes its own facts", ownFacts},
		{"duplicates and disorder", disorder},
		{"relay killed before it records", relayKilled},
		{"two relays", twoRelays},
		{"a replica without the relay knows what lists are good to", standby},
		{"an engine that yields nothing counts as behind", deaf},
		{"the position of an idle service moves", idle},
		{"a log that does not reach the head", short},
		{"stream deleted", streamDeleted},
		{"stream's consumers deleted", consumersDeleted},
		{"stream's tail cut and overwritten", tailOverwritten},
		{"a lane's last fact lost under unbroken load", unbroken},
		{"store directory deleted", storeDeleted},
		{"bus down, then up", busDown},
		{"no bus at all", noBus},
		{"no room for the stream", noRoom},
		{"consumer killed at any point", consumerKilled},
		{"consumer ended while a handler works", handlerEnded},
		{"replica takes over", takeOver},
		{"a recorder takes facts together", together},
		{"new generation", newGeneration},
		{"consumers that begin in a later generation", lateRecorder},
		{"a recorder whose rows are set back", rowsSetBack},
		{"new generation while consumers are away", awayAnew},
		{"numbers too old", tooOld},
		{"a copy ends within a commit", halfCommit},
		{"a replica of the owner that knows less", knowsLess},
		{"a replica of the owner that is always a moment behind", momentBehind},
		{"a relay's record stored in part", halfRecord},
		{"a relay that nobody told what snapshots hold", noGoodMark},
		{"an owner put back to an earlier generation", putBack},
		{"an owner put back within a generation", putBackWithin},
		{"follower's first copy", firstCopy},
		{"poison is parked", poison},
		{"a handler that panics is parked", panicked},
		{"a letter is left out", dropped},
		{"facts of unknown types are parked", unknownType},
		{"facts of unknown types reach who takes them opaque", opaqueType},
		{"transient failures hold one aggregate", transient},
		{"transient failures that last are parked and tried again", transientParked},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(newRig(t, open))
		})
	}
}

// kinds is a consumer of each kind with what it did.
type kinds struct{ react, record, follow *ledger }

func newKinds() kinds {
	return kinds{newLedger(bus.Reactor), newLedger(bus.Recorder), newLedger(bus.Follower)}
}

func (k kinds) consumers() []bus.Consumer {
	return []bus.Consumer{k.react.consumer("react"), k.record.consumer("record"), k.follow.consumer("follow")}
}

// settle waits until all that was committed has taken effect, in order where that is promised.
func (k kinds) settle(r *rig) {
	r.t.Helper()
	for name, l := range map[string]*ledger{"reactor": k.react, "recorder": k.record, "follower": k.follow} {
		r.eventually(func() error {
			if err := l.complete(r); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	if err := k.record.ordered(); err != nil {
		r.t.Error(err)
	}
}

func everyFact(r *rig) {
	k := newKinds()
	r.many("thing", 10, 1) // before anybody runs
	r.source(r.src)
	r.sink(r.dst, k.consumers()...)
	r.many("thing", 60, 4)
	r.many("other", 20, 4)
	k.settle(r)
	if err := k.react.ordered(); err != nil {
		r.t.Error(err)
	}
}

func ownFacts(r *rig) {
	k := newKinds()
	r.source(r.src, k.consumers()...)
	r.many("thing", 30, 3)
	k.settle(r)
}

func twoRelays(r *rig) {
	k := newKinds()
	a, b := WithFaults(r.src), WithFaults(r.src)
	a.Alone()
	b.Alone()
	r.source(a)
	r.source(b)
	r.sink(r.dst, k.consumers()...)
	r.many("thing", 60, 4)
	k.settle(r)
}

func relayKilled(r *rig) {
	k := newKinds()
	r.sink(r.dst, k.consumers()...)
	for round := range 3 {
		db := WithFaults(r.src)
		n := r.source(db)
		for range 2 {
			r.many("thing", 20, 1)
			r.eventually(func() error {
				return holds(k.react.effects() == r.committed(), "round %d: %d effects", round, k.react.effects())
			})
			db.FreezeRecords() // what is published from here on is not recorded
		}
		n.stop()
	}
	r.source(r.src)
	r.many("thing", 20, 1)
	k.settle(r)
}

func consumerKilled(r *rig) {
	k := newKinds()
	r.source(r.src)
	for range 6 {
		db := WithFaults(r.dst)
		n := r.sink(db, k.consumers()...)
		before := k.react.effects()
		r.many("thing", 40, 2)
		r.eventually(func() error { return holds(k.react.effects() > before, "nothing takes effect") })
		db.Freeze()
		n.stop()
	}
	r.sink(r.dst, k.consumers()...)
	k.settle(r)
}

func takeOver(r *rig) {
	first, second := newKinds(), newKinds()
	second.react.keys, second.react.done = first.react.keys, first.react.done // effects lie in one database
	r.source(r.src)
	db := WithFaults(r.dst)
	n := r.start(bus.Config{Service: sink, DB: db, NATS: r.connect(), Timing: steady()}, first.react.consumer("react"))
	r.many("thing", 20, 1)
	r.eventually(func() error { return first.react.complete(r) })
	r.start(bus.Config{Service: sink, DB: r.dst, NATS: r.connect(), Timing: steady()}, second.react.consumer("react"))
	ran := second.react.ran()
	db.Freeze() // it cannot renew its lease, nor give it back
	n.stop()
	r.many("thing", 20, 1)
	r.eventually(func() error { return second.react.complete(r) })
	if ran != 0 {
		r.t.Errorf("the replica that stood by applied %d facts", ran)
	}
}

func newGeneration(r *rig) {
	k := newKinds()
	src := WithFaults(r.src)
	n := r.source(src)
	r.sink(r.dst, k.consumers()...)
	for range 2 {
		r.many("thing", 40, 2)
		k.settle(r)
		n.stop()
		r.many("thing", 50, 1)
		src.LosePositions() // what was committed meanwhile will never be numbered
		n = r.source(src)
		r.many("thing", 40, 1)
	}
	k.settle(r)
}

// headsReach says whether the relay has numbered so many facts.
func headsReach(r *rig, n *node, facts int) error {
	a, err := n.Server().GetHeads(r.t.Context(), nil)
	if err != nil {
		return err
	}
	sum := 0
	for _, h := range a.GetHeads() {
		sum += int(h.GetNumber())
	}
	return holds(sum >= facts, "%d of %d facts are numbered", sum, facts)
}

func firstCopy(r *rig) {
	l := newLedger(bus.Follower)
	r.many("thing", 300, 1)
	r.many("other", 250, 1) // more than a page
	copied := make(chan struct{}, 1)
	s := r.start(bus.Config{Service: sink, DB: r.dst, NATS: r.connect(), Copied: func() { copied <- struct{}{} }}, l.consumer("follow"))
	if s.Ready(r.t.Context()) == nil {
		r.t.Error("ready without a copy")
	}
	n := r.start(bus.Config{Service: source, DB: r.src, NATS: r.connect()}) // not reached before it has caught up itself
	r.eventually(func() error { return headsReach(r, n, r.committed()) })
	r.serve(n.Server())
	r.eventually(func() error { return holds(len(copied) == 1, "no copy is announced") })
	if err := s.Ready(r.t.Context()); err != nil {
		r.t.Errorf("a copy is announced before it is there: %v", err)
	}
	if err := l.complete(r); err != nil {
		r.t.Errorf("ready before the copy is whole: %v", err)
	}
	r.many("thing", 30, 1)
	r.eventually(func() error { return l.complete(r) })
	s.stop()
	n.stop()
	r.serve(nil)
	again := r.sink(r.dst, l.consumer("follow"))
	if err := again.Ready(context.Background()); err != nil {
		r.t.Errorf("not ready while the source is down: %v", err)
	}
	r.source(r.src)
	r.many("thing", 30, 1)
	r.eventually(func() error { return l.complete(r) })
}
