package store

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestRingIsPackedWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want ring
		version := uint64(0)
		for range rapid.IntRange(0, ringSize).Draw(t, "entries") {
			version += rapid.Uint64Range(0, 1<<40).Draw(t, "versions on")
			e := entry{Version: version, Time: ceilMillis(rapid.Int64().Draw(t, "time"))}
			copy(e.Hash[:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "hash"))
			want = append(want, e)
		}
		packed := want.pack()
		got, err := unpackRing(packed)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%v became %v, %v", want, got, err)
		}
		if len(packed) == 0 {
			return
		}
		cut := packed[:rapid.IntRange(0, len(packed)-1).Draw(t, "cut")]
		if got, err := unpackRing(cut); err == nil && len(got) >= len(want) {
			t.Fatalf("%d of %d bytes became all entries", len(cut), len(packed))
		}
	})
}

func TestCeilMillis(t *testing.T) {
	for micros, want := range map[int64]int64{0: 0, 1: 1, 1000: 1, 1001: 2, -1: 0, -1000: -1, -1999: -1} {
		if got := ceilMillis(micros); got != want {
			t.Errorf("%d µs are %d ms, want %d", micros, got, want)
		}
	}
}

// A ring knows half of a hash: another key with the same half is not taken for the same.
func TestHalfOfAHashIsNoReceipt(t *testing.T) {
	onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
		c := Register(open(asIs), sumType())
		if _, err := add(t.Context(), c, "sum_1", "first", 1); err != nil {
			t.Fatal(err)
		}
		l, ok := c.cache.Get("t/sum_1")
		if !ok || len(l.client) != 1 {
			t.Fatalf("cached: %v, %+v", ok, l)
		}
		scope := Cause{Tenant: "t", Principal: "p", Key: "second"}.scope()
		copy(l.client[0].Hash[:], scope[:])
		if r, err := add(t.Context(), c, "sum_1", "second", 2); err != nil || r.Replayed {
			t.Fatalf("%+v, %v", r, err)
		}
		if n, err := value(t, c, "sum_1"); err != nil || n != 3 {
			t.Errorf("the sum is %d, %v", n, err)
		}
		if r, err := add(t.Context(), c, "sum_1", "second", 2); err != nil || !r.Replayed {
			t.Errorf("again: %+v, %v", r, err)
		}
	})
}
