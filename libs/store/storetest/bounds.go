package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// retained turns the ring of client receipts over: within the retention the first is still
// found, after it the key is new.
func retained(t *testing.T, open Opener) {
	now := clock.NewManual(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))
	c := store.Register(open(t, store.Options{Clock: now}), Type(1))
	if _, err := c.Update(As(t.Context(), "t", "open"), "stk_a", Open("DC1", 10_000, time.Time{})); err != nil {
		t.Fatal(err)
	}
	take := func(key string) store.Receipt {
		rec, err := c.Update(As(t.Context(), "t", key), "stk_a", Take("x", 1))
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	first := take("first")
	together(400, func(i int) { take(fmt.Sprint("k", i)) })
	now.Step(71 * time.Hour)
	if again := take("first"); !again.Replayed || again.ETag != first.ETag {
		t.Errorf("a receipt behind the ring was not found: %+v, first %+v", again, first)
	}
	now.Step(2 * time.Hour)
	if again := take("first"); again.Replayed {
		t.Error("a receipt outlived its retention")
	}
	if n := onHand(t, c, "stk_a"); n != 10_000-402 {
		t.Errorf("on hand %d", n)
	}
}

// bounded puts more into a batch than one commit may hold.
func bounded(t *testing.T, open Opener) {
	_, c := opened(t, open, 10)
	take := func(i, size int) error {
		fact := Took{fmt.Sprint(i, strings.Repeat("w", size)), 0}
		_, err := c.Update(As(t.Context(), "t", fmt.Sprint("k", i)), "stk_a", func(store.Current[Stock]) (store.Decision[Fact], error) {
			return store.Decision[Fact]{Facts: []Fact{fact}}, nil
		})
		return err
	}
	if err := take(0, 300<<10); !fault.IsKind(err, fault.TooLarge) {
		t.Errorf("%v", err)
	}
	together(12, func(i int) {
		if err := take(i+1, 90<<10); err != nil {
			t.Error(err)
		}
	})
	h, err := c.History(As(t.Context(), "t", ""), "stk_a", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	facts, of := 0, map[uint64]int{}
	for _, commit := range h {
		if of[commit.Version] += len(commit.Facts); of[commit.Version] > 2 {
			t.Errorf("version %d holds %d facts of 90 KiB", commit.Version, of[commit.Version])
		}
		facts += len(commit.Facts)
	}
	if facts != 13 {
		t.Errorf("%d facts", facts)
	}
	big := func(store.Current[Stock]) (store.Decision[Fact], error) {
		return store.Decision[Fact]{Facts: []Fact{Took{"x", 1}}, State: strings.Repeat("s", 3<<10)}, nil
	}
	if _, err := c.Update(As(t.Context(), "t", "big"), "stk_a", big); !fault.IsKind(err, fault.Internal) {
		t.Errorf("an answer of 3 KiB: %v", err)
	}
	if n := onHand(t, c, "stk_a"); n != 10 {
		t.Errorf("a command that cannot be answered took effect: %d", n)
	}
}

// backlog tells the store that its relay is behind: commands are refused for now, reads and
// what was acknowledged are not touched.
func backlog(t *testing.T, open Opener) {
	db, c := opened(t, open, 10)
	for _, behind := range []func(){func() { db.SetBacklog(3*time.Minute, 1) }, func() { db.SetBacklog(0, 300_000) }} {
		behind()
		_, err := c.Update(As(t.Context(), "t", "k"), "stk_a", Take("x", 1))
		if f, ok := fault.As(err); !ok || f.Kind != fault.Exhausted || f.RetryAfter == 0 {
			t.Errorf("%v", err)
		}
		if n := onHand(t, c, "stk_a"); n != 10 {
			t.Errorf("on hand %d", n)
		}
	}
	db.SetBacklog(time.Second, 10)
	if _, err := c.Update(As(t.Context(), "t", "k"), "stk_a", Take("x", 1)); err != nil {
		t.Error(err)
	}
}

// Lost is a fact of a newer binary.
type Lost struct{ N int64 }

func (Lost) isFact() {}

// unknownFact lets a newer binary write a fact that this one does not know: that aggregate
// can neither be read nor changed here, and no fact of it is skipped; others go on.
func unknownFact(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	newer := Type(1)
	newer.Decode = func(name string, data []byte) (Fact, error) {
		if name == "storetest.Lost" {
			return Lost{}, nil
		}
		return decode(name, data)
	}
	n := store.Register(db, newer)
	for _, id := range []string{"stk_a", "stk_b"} {
		if _, err := n.Update(As(t.Context(), "t", "open"), id, Open("DC1", 10, time.Time{})); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.Update(As(t.Context(), "t", "lose"), "stk_a", func(store.Current[Stock]) (store.Decision[Fact], error) {
		return store.Decision[Fact]{Facts: []Fact{Lost{1}}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	db = open(t, store.Options{})
	c := store.Register(db, Type(2)) // another fold, so that the facts are needed
	if _, err := c.Get(As(t.Context(), "t", ""), "stk_a"); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("read: %v", err)
	}
	if _, err := c.Update(As(t.Context(), "t", "k"), "stk_a", Take("x", 1)); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("changed: %v", err)
	}
	if _, err := c.Update(As(t.Context(), "t", "k"), "stk_b", Take("x", 1)); err != nil {
		t.Errorf("the other aggregate: %v", err)
	}
	touched := []store.Touched{{AggregateType: "stock", Tenant: "t", ID: "stk_a", Version: 2}, {AggregateType: "stock", Tenant: "t", ID: "stk_b", Version: 2}}
	if err := db.Refresh(t.Context(), touched); err != nil {
		t.Errorf("one aggregate holds up the refresh of all: %v", err)
	}
}

// tagStays: a refusal is a commit, but it changes nothing that a tag stands for.
func tagStays(t *testing.T, open Opener) {
	_, c := opened(t, open, 5)
	taken, err := c.Update(As(t.Context(), "t", "first"), "stk_a", Take("x", 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Update(As(t.Context(), "t", "too much"), "stk_a", Take("x", 9)); !fault.IsKind(err, fault.Refused) {
		t.Fatalf("taking 9 of 4: %v", err)
	}
	v, err := c.Get(As(t.Context(), "t", ""), "stk_a")
	if err != nil || v.ETag != taken.ETag || v.Version != 3 {
		t.Errorf("version %d has the tag %s, %v; the last change left %s", v.Version, v.ETag, err, taken.ETag)
	}
	ctx := store.WithIfMatch(As(t.Context(), "t", "second"), taken.ETag)
	if _, err := c.Update(ctx, "stk_a", Take("x", 1)); err != nil {
		t.Errorf("a change on %s: %v", taken.ETag, err)
	}
	again := store.WithIfMatch(As(t.Context(), "t", "third"), taken.ETag)
	if _, err := c.Update(again, "stk_a", Take("x", 1)); !fault.IsKind(err, fault.Stale) {
		t.Errorf("a second change on %s: %v", taken.ETag, err)
	}
}

// etags takes the tags that the commands of one commit were answered with: only the last
// one's names the state that they left.
func etags(t *testing.T, open Opener) {
	_, c := opened(t, open, 1000)
	for round := range 10 {
		tags := make([]string, 40)
		together(len(tags), func(i int) {
			ctx := As(t.Context(), "t", fmt.Sprint("k", round, "-", i))
			rec, err := c.Update(ctx, "stk_a", Take("x", 1))
			if err != nil {
				t.Error(err)
			}
			tags[i] = rec.ETag
			if again, err := c.Update(ctx, "stk_a", Take("x", 1)); err != nil || again.ETag != rec.ETag {
				t.Errorf("replayed with another tag: %+v, first %+v, %v", again, rec, err)
			}
		})
		distinct := map[string]bool{}
		matching := 0
		for i, tag := range tags {
			distinct[tag] = true
			ctx := store.WithIfMatch(store.WithCause(t.Context(), store.Cause{Tenant: "t", Key: fmt.Sprint("d", round, "-", i), Validate: true}), tag)
			if _, err := c.Update(ctx, "stk_a", Take("x", 1)); err == nil {
				matching++
			} else if !fault.IsKind(err, fault.Stale) {
				t.Error(err)
			}
		}
		if len(distinct) != len(tags) || matching != 1 {
			t.Fatalf("%d tags of %d commands, %d match\n%s", len(distinct), len(tags), matching, cmp.Diff(nil, tags))
		}
	}
}
