package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// other returns the collection of a second process, or the same one where there can be only one.
func other(t *testing.T, open Opener, db *store.DB, c *store.Collection[Stock, Fact]) *store.Collection[Stock, Fact] {
	if db.Exclusive() {
		return c
	}
	return store.Register(open(t, store.Options{}), Type(1))
}

// provenFresh lets one process decide on a copy that another has outdated: its refusals and
// dry runs leave no commit that would show it.
func provenFresh(t *testing.T, open Opener) {
	db, c := opened(t, open, 10)
	d := other(t, open, db, c)
	newest := func(key string) string {
		t.Helper()
		if rec, err := d.Update(As(t.Context(), "t", key), "stk_a", Take("ann", 1)); err != nil {
			t.Fatal(err)
		} else {
			return rec.ETag
		}
		return ""
	}
	etag := newest("d1")
	if _, err := c.Update(store.WithIfMatch(As(t.Context(), "t", "c1"), etag), "stk_a", Take("bob", 1)); err != nil {
		t.Errorf("the newest etag was refused on an old copy: %v", err)
	}
	newest("d2")
	invalid := func(cur store.Current[Stock]) (store.Decision[Fact], error) {
		return store.Decision[Fact]{}, fault.New(fault.Invalid, "ON_HAND", "%d", cur.State.OnHand)
	}
	if _, err := c.Update(As(t.Context(), "t", "c2"), "stk_a", invalid); reasonOf(err) != "ON_HAND" || message(err) != "7" {
		t.Errorf("refused on an old copy: %v", err)
	}
	newest("d3")
	dry := store.Cause{Tenant: "t", Principal: "ann", Key: "c3", Validate: true}
	seen := int64(0)
	if _, err := c.Update(store.WithCause(t.Context(), dry), "stk_a", func(cur store.Current[Stock]) (store.Decision[Fact], error) {
		seen = cur.State.OnHand
		return store.Decision[Fact]{State: "OPEN"}, nil
	}); err != nil || seen != 6 {
		t.Errorf("a dry run saw %d on hand: %v", seen, err)
	}
	// Among commands that do commit, the refusals are answered too.
	var accepted, refused atomic.Int64
	together(60, func(i int) {
		decide := func(cur store.Current[Stock]) (store.Decision[Fact], error) {
			return store.Decision[Fact]{Facts: []Fact{Took{"x", 1}}}, nil
		}
		if i%3 == 0 {
			decide = invalid
		}
		switch _, err := c.Update(As(t.Context(), "t", fmt.Sprint("m", i)), "stk_a", decide); {
		case err == nil:
			accepted.Add(1)
		case fault.IsKind(err, fault.Invalid):
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	if accepted.Load() != 40 || refused.Load() != 20 || onHand(t, c, "stk_a") != 6-40 {
		t.Errorf("%d accepted, %d refused, %d on hand", accepted.Load(), refused.Load(), onHand(t, c, "stk_a"))
	}
	restocked(t, c, d)
}

// restocked brings in at one process what the copy of the other lacks: that one must not refuse.
func restocked(t *testing.T, c, d *store.Collection[Stock, Fact]) {
	t.Helper()
	if _, err := d.Update(As(t.Context(), "t", "d4"), "stk_a", Take("supplier", -44)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Update(As(t.Context(), "t", "c4"), "stk_a", Take("bob", 5)); err != nil {
		t.Errorf("refused on an old copy: %v", err)
	}
}

// keyElsewhere sends a command to one process and, under the same key, to another whose copy
// is from before; then to both at once. It takes effect once, whosever key it is.
func keyElsewhere(t *testing.T, open Opener) {
	db, c := opened(t, open, 1000)
	d := other(t, open, db, c)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	of := func(i int) context.Context {
		if i%2 == 0 {
			return derived(t.Context(), fmt.Sprint("evt:", i), at)
		}
		return As(t.Context(), "t", fmt.Sprint("k", i))
	}
	for i := range 20 {
		first, err := d.Update(of(i), "stk_a", Take("bob", 1))
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.Update(of(i), "stk_a", Take("bob", 1))
		if err != nil || !again.Replayed || again.ETag != first.ETag {
			t.Errorf("%d took effect again elsewhere: %+v, first %+v, %v", i, again, first, err)
		}
	}
	together(200, func(i int) {
		if _, err := []*store.Collection[Stock, Fact]{c, d}[i%2].Update(of(100+i/2), "stk_a", Take("bob", 1)); err != nil {
			t.Error(err)
		}
	})
	if n := onHand(t, c, "stk_a"); n != 1000-20-100 {
		t.Errorf("%d on hand after 120 keys took one each", n)
	}
}

func reasonOf(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Reason
	}
	return ""
}

func message(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Message
	}
	return ""
}

// idsApart tries ids that would lie within another aggregate's range of commits.
func idsApart(t *testing.T, open Opener) {
	_, c := opened(t, open, 10)
	ctx := As(t.Context(), "t", "k")
	for _, id := range []string{"stk_a/0000000001", "stk_a/x", "", "stk_a\x00", "/"} {
		if _, err := c.Update(ctx, id, Open("DC9", 1, time.Time{})); !fault.IsKind(err, fault.Invalid) {
			t.Errorf("%q was opened: %v", id, err)
		}
		if _, err := c.Get(ctx, id); !fault.IsKind(err, fault.NotFound) {
			t.Errorf("%q was read: %v", id, err)
		}
		if h, err := c.History(ctx, id, 0, 10); err != nil || len(h) != 0 {
			t.Errorf("%q has a history: %v %v", id, h, err)
		}
	}
	if many, err := c.GetMany(ctx, []string{"stk_a", "stk_a/x"}); err != nil || len(many) != 1 {
		t.Errorf("%v %v", many, err)
	}
	if _, err := c.Update(As(t.Context(), "t/stk_a", "k"), "x", Open("DC9", 1, time.Time{})); !fault.IsKind(err, fault.Invalid) {
		t.Errorf("a tenant with a slash: %v", err)
	}
	if n := onHand(t, c, "stk_a"); n != 10 {
		t.Errorf("on hand %d", n)
	}
	// Neighbours in the order of keys stay apart.
	for i, id := range []string{"stk_a-R1", "stk_a.1", "stk_a0", "stk_"} {
		if _, err := c.Update(As(t.Context(), "t", "open"), id, Open("DC1", int64(i), time.Time{})); err != nil {
			t.Error(err)
		}
	}
	if h, err := c.History(ctx, "stk_a", 0, 10); err != nil || len(h) != 1 {
		t.Errorf("%v %v", h, err)
	}
}

// closing closes the store under load: each command is either answered as committed and is
// there, or refused for certain and is not.
func closing(t *testing.T, open Opener) {
	db, c := opened(t, open, 1_000_000)
	var began, yes, no atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		together(16, func(w int) {
			for i := 0; ; i++ {
				began.Add(1)
				_, err := c.Update(As(context.WithoutCancel(t.Context()), "t", fmt.Sprint(w, "-", i)), "stk_a", Take("x", 1))
				if err == nil {
					yes.Add(1)
					continue
				}
				if reasonOf(err) != "STORE_CLOSED" {
					t.Errorf("not answered for certain: %v", err)
				}
				no.Add(1)
				return
			}
		})
	}()
	eventually(t, "load", func() bool { return began.Load() > 100 })
	if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	<-done
	again := store.Register(open(t, store.Options{}), Type(1))
	if n := 1_000_000 - onHand(t, again, "stk_a"); n != yes.Load() || no.Load() != 16 {
		t.Errorf("%d took effect, %d were acknowledged, %d refused", n, yes.Load(), no.Load())
	}
}

// refolded raises the fold of a type and changes its index.
func refolded(t *testing.T, open Opener) {
	db, c := opened(t, open, 10)
	for i := range 30 {
		if _, err := c.Update(As(t.Context(), "t", "open"), fmt.Sprintf("stk_%02d", i), Open("DC2", 1, time.Time{})); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	changed := Type(2)
	changed.Indexes["site"] = func(s Stock) []string { return []string{"site:" + s.Site} }
	d := store.Register(open(t, store.Options{}), changed)
	ids := make([]string, 30)
	for i := range ids {
		ids[i] = fmt.Sprintf("stk_%02d", i)
	}
	if many, err := d.GetMany(As(t.Context(), "t", ""), ids); err != nil || len(many) != len(ids) {
		t.Errorf("%d of %d are read while the snapshots are of the older fold, %v", len(many), len(ids), err)
	}
	eventually(t, "lists by the new key", func() bool {
		p, err := d.List(As(t.Context(), "t", ""), store.Query{Index: "site", Key: "site:DC2"})
		if err != nil {
			t.Fatal(err)
		}
		return len(p.Items) == 30
	})
	eventually(t, "gone from the old key", func() bool {
		p, err := d.List(As(t.Context(), "t", ""), store.Query{Index: "site", Key: "DC2"})
		return err == nil && len(p.Items) == 0
	})
}
