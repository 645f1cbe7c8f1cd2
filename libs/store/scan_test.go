package store

import (
	"fmt"
	"slices"
	"testing"
)

// A scan pages one tenant's aggregates in the order of their ids, each as new as what was
// acknowledged, and holds none of them in the cache.
func TestScan(t *testing.T) {
	onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
		db := open(asIs)
		c := Register(db, sumType())
		for i := range 5 {
			if _, err := add(t.Context(), c, fmt.Sprint("sum_", 4-i), fmt.Sprint(i), 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := add(t.Context(), c, "sum_2", "late", 6); err != nil {
			t.Fatal(err)
		}
		c.cache.Purge()
		scan := func(tenant string) (all []string) {
			t.Helper()
			for after := ""; ; {
				page, err := c.Scan(WithCause(t.Context(), Cause{Tenant: tenant}), after, 2)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range page {
					all, after = append(all, fmt.Sprint(v.ID, "=", v.State.N)), v.ID
				}
				if len(page) < 2 {
					return all
				}
			}
		}
		if got, want := scan("t"), []string{"sum_0=1", "sum_1=1", "sum_2=7", "sum_3=1", "sum_4=1"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		for _, other := range []string{"s", "u"} {
			if got := scan(other); len(got) > 0 {
				t.Errorf("%s has %v", other, got)
			}
		}
		if n := c.cache.Len(); n > 1 {
			t.Errorf("%d aggregates are in the cache", n)
		}
	})
}
