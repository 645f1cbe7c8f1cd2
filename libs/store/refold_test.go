package store

import (
	"fmt"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// A snapshot that does not hold what the commits say is found, whether it is served already
// or only stored, and is replaced by what they say, which leaves the commits as they are.
func TestADriftedSnapshotIsFoundAndMended(t *testing.T) {
	onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
		db := open(asIs)
		c := Register(db, sumType())
		ctx := WithCause(t.Context(), Cause{Tenant: "t"})
		for i := range baseEvery + 3 { // a base does not help: it may have drifted too
			if _, err := add(t.Context(), c, "sum_a", fmt.Sprint(i), 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		audit := func(c *Collection[sum, int64]) Audit[sum] {
			t.Helper()
			a, err := c.Audit(ctx, "sum_a")
			if err != nil || a.Version != baseEvery+3 || !a.Stored.Found || a.Served.Ought.N != baseEvery+3 || a.Stored.Ought.N != baseEvery+3 {
				t.Fatalf("%+v %v", a, err)
			}
			return a
		}
		if a := audit(c); a.Served.Is.N != baseEvery+3 || a.Stored.Is.N != baseEvery+3 {
			t.Errorf("%+v", a)
		}
		damage(t, db, "t/sum_a", 7)
		if a := audit(c); a.Served.Is.N != baseEvery+3 || a.Stored.Is.N != 7 {
			t.Errorf("a drifted snapshot behind a good copy: %+v", a)
		}
		c.Drop(ctx, "sum_a")
		if a := audit(c); a.Served.Is.N != 7 || a.Stored.Is.N != 7 {
			t.Errorf("a drifted snapshot that is served: %+v", a)
		}
		before, err := c.Past(ctx, "sum_a")
		if err != nil {
			t.Fatal(err)
		}
		if v, err := c.Mend(ctx, "sum_a"); err != nil || v.State.N != baseEvery+3 || v.Version != baseEvery+3 {
			t.Errorf("%+v %v", v, err)
		}
		if a := audit(c); a.Served.Is.N != baseEvery+3 || a.Stored.Is.N != baseEvery+3 {
			t.Errorf("mended: %+v", a)
		}
		if after, err := c.Past(ctx, "sum_a"); err != nil || len(after.Steps) != len(before.Steps) {
			t.Errorf("%d commits became %d: %v", len(before.Steps), len(after.Steps), err)
		}
		if _, err := add(t.Context(), c, "sum_a", "next", 1); err != nil {
			t.Fatal(err)
		}
		if n, err := value(t, c, "sum_a"); err != nil || n != baseEvery+4 {
			t.Errorf("%d %v", n, err)
		}
		for _, err := range []error{func() error { _, err := c.Audit(ctx, "sum_z"); return err }(), func() error { _, err := c.Mend(ctx, "sum_z"); return err }()} {
			if !fault.IsKind(err, fault.NotFound) {
				t.Errorf("one that is not there: %v", err)
			}
		}
	})
}

// Mend never puts an older state over a newer snapshot.
func TestMendLeavesANewerSnapshot(t *testing.T) {
	onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
		db := open(asIs)
		c := Register(db, sumType())
		for i := range 2 {
			if _, err := add(t.Context(), c, "sum_a", fmt.Sprint(i), 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		docs, err := db.engine.snapshots(t.Context(), "sum", []string{"t/sum_a"})
		var older snapDoc
		if err == nil {
			err = unmarshal(docs["t/sum_a"], &older)
		}
		if err != nil {
			t.Fatal(err)
		}
		older.Version--
		if err := db.engine.replace(t.Context(), "sum", &older); err != nil {
			t.Fatal(err)
		}
		a, err := c.Audit(WithCause(t.Context(), Cause{Tenant: "t"}), "sum_a")
		if err != nil || a.Stored.Version != 2 {
			t.Errorf("%+v %v", a, err)
		}
	})
}

// damage stores a snapshot of the same version with another sum.
func damage(t *testing.T, db *DB, agg string, n int64) {
	t.Helper()
	docs, err := db.engine.snapshots(t.Context(), "sum", []string{agg})
	var d snapDoc
	if err == nil {
		err = unmarshal(docs[agg], &d)
	}
	if err == nil {
		d.State, err = marshal(sum{n})
	}
	if err == nil {
		err = db.engine.replace(t.Context(), "sum", &d)
	}
	if err != nil {
		t.Fatal(err)
	}
}
