package store

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What Past returns, loaded elsewhere on any engine, is stored as it was committed: the bytes
// of all commits, the fields of the snapshot.
func TestLoadedAsCommitted(t *testing.T) {
	stored := func(t *testing.T, e engine) (commits [][]byte, snap snapDoc) {
		commits, err := e.commits(t.Context(), "t/sum_a", 1, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		docs, err := e.snapshots(t.Context(), "sum", []string{"t/sum_a"})
		if err == nil {
			err = unmarshal(docs["t/sum_a"], &snap)
		}
		if err != nil {
			t.Fatal(err)
		}
		return commits, snap
	}
	committed := func(t *testing.T, db *DB) Past[int64] {
		c := Register(db, sumType())
		one := func(i int) {
			if _, err := add(context.WithoutCancel(t.Context()), c, "sum_a", fmt.Sprint(i), int64(i%3)); err != nil {
				t.Error(err)
			}
		}
		for i := range baseEvery + 1 {
			one(i)
		}
		var group sync.WaitGroup
		for i := range 64 { // some of which share commits
			group.Go(func() { one(1000 + i) })
		}
		group.Wait()
		if err := db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		past, err := c.Past(WithCause(t.Context(), Cause{Tenant: "t"}), "sum_a")
		if err != nil {
			t.Fatal(err)
		}
		return past
	}
	onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
		db := open(asIs)
		past := committed(t, db)
		commits, snap := stored(t, db.engine)
		t.Run("loaded", func(t *testing.T) {
			onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
				db := open(asIs)
				if err := Register(db, sumType()).Load(WithCause(t.Context(), Cause{Tenant: "t"}), []Past[int64]{past}); err != nil {
					t.Fatal(err)
				}
				gotCommits, gotSnap := stored(t, db.engine)
				if diff := cmp.Diff(commits, gotCommits) + cmp.Diff(snap, gotSnap); diff != "" {
					t.Error(diff)
				}
			})
		})
	})
}
