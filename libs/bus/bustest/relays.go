package bustest

import (
	"github.com/lockstep-logistics/lockstep/libs/clock"
)

// standby: lists are read on every replica, and the one that relays may be another.
func standby(r *rig) {
	a, b := WithFaults(r.src), WithFaults(r.src)
	r.source(a)
	r.source(b)
	r.many("thing", 20, 1)
	committed := clock.System{}.Now()
	for name, db := range map[string]*Faults{"first": a, "second": b} {
		r.eventually(func() error {
			goodTo, _ := db.told()
			return holds(goodTo.After(committed), "lists of the %s replica are good to %v", name, goodTo)
		})
	}
}

// deaf: a relay that cannot read does not know what waits, and says that it is behind.
func deaf(r *rig) {
	db, other := WithFaults(r.src), WithFaults(r.src)
	db.Deafen()
	other.Deafen()
	r.source(db)
	r.source(other)
	for _, db := range []*Faults{db, other} {
		r.eventually(func() error {
			_, age := db.told()
			return holds(age > 2*Fast.Lease, "a backlog of %v", age)
		})
	}
}

// idle: what an engine keeps is bounded by time, and a service may have nothing to do for long.
func idle(r *rig) {
	r.source(r.src)
	r.many("thing", 1, 1)
	rows := r.src.Table("bus_relay")
	at := func() (version uint64) {
		row, exists, err := rows.Get(r.t.Context(), "_bus", "head")
		if err != nil || !exists {
			r.t.Fatalf("the head: %v, %v", exists, err)
		}
		return row.Version
	}
	k := newKinds()
	r.sink(r.dst, k.consumers()...)
	k.settle(r)
	for range 3 {
		was := at()
		r.eventually(func() error { return holds(at() > was, "the head stays at %d", was) })
	}
	r.many("thing", 5, 2)
	k.settle(r)
}
