package storetest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// patience bounds what a test waits for.
const patience = 2 * time.Minute

// eventually polls until ok, for as long as patience lasts.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func lists(t *testing.T, open Opener) {
	_, c := opened(t, open, 1)
	for i := range 25 {
		if _, err := c.Update(As(t.Context(), "t", "open"), fmt.Sprintf("stk_%02d", i), Open("DC2", 1, time.Time{})); err != nil {
			t.Fatal(err)
		}
	}
	ctx := As(t.Context(), "t", "")
	var all []string
	eventually(t, "25 listed", func() bool {
		all = nil
		for token := ""; ; {
			p, err := c.List(ctx, store.Query{Index: "site", Key: "DC2", PageSize: 7, PageToken: token})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range p.Items {
				all = append(all, v.ID)
			}
			if token = p.NextToken; token == "" {
				return len(all) == 25
			}
		}
	})
	seen := map[string]bool{}
	for _, id := range all {
		if seen[id] {
			t.Errorf("%s twice", id)
		}
		seen[id] = true
	}
	p, err := c.List(ctx, store.Query{Index: "site", Key: "DC2", PageSize: 7})
	if err != nil {
		t.Fatal(err)
	}
	other := "A" // than the first character
	if p.NextToken[:1] == other {
		other = "B"
	}
	for _, q := range []store.Query{
		{Index: "site", Key: "DC1", PageToken: p.NextToken},
		{PageToken: p.NextToken},
		{Index: "site", Key: "DC2", PageToken: other + p.NextToken[1:]},
	} {
		if _, err := c.List(ctx, q); !fault.IsKind(err, fault.Invalid) {
			t.Errorf("a token of another list opened: %+v %v", q, err)
		}
	}
	if _, err := c.List(As(t.Context(), "u", ""), store.Query{Index: "site", Key: "DC2", PageToken: p.NextToken}); !fault.IsKind(err, fault.Invalid) {
		t.Errorf("a token of another tenant opened: %v", err)
	}
	// A key that changes moves the aggregate from one list to the other.
	if _, err := c.Update(As(t.Context(), "t", "move"), "stk_00", func(store.Current[Stock]) (store.Decision[Fact], error) {
		return store.Decision[Fact]{Facts: []Fact{Opened{"DC3", 1, time.Time{}}}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "moved", func() bool {
		from, err1 := c.List(ctx, store.Query{Index: "site", Key: "DC2"})
		to, err2 := c.List(ctx, store.Query{Index: "site", Key: "DC3"})
		return err1 == nil && err2 == nil && len(from.Items) == 24 && len(to.Items) == 1
	})
}

func tenants(t *testing.T, open Opener) {
	_, c := opened(t, open, 1)
	other := As(t.Context(), "u", "k")
	if _, err := c.Get(other, "stk_a"); !fault.IsKind(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	if _, err := c.Update(other, "stk_a", Take("x", 1)); !fault.IsKind(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	if vs, err := c.GetMany(other, []string{"stk_a"}); err != nil || len(vs) != 0 {
		t.Errorf("%v %v", vs, err)
	}
	if h, err := c.History(other, "stk_a", 0, 10); err != nil || len(h) != 0 {
		t.Errorf("%v %v", h, err)
	}
	eventually(t, "listed", func() bool {
		p, err := c.List(As(t.Context(), "t", ""), store.Query{Index: "site", Key: "DC1"})
		return err == nil && len(p.Items) == 1
	})
	if p, err := c.List(other, store.Query{Index: "site", Key: "DC1"}); err != nil || len(p.Items) != 0 {
		t.Errorf("%v %v", p, err)
	}
	if _, err := c.Update(t.Context(), "stk_a", Take("x", 1)); err == nil {
		t.Error("a command without a tenant was run")
	}
}

// tokenStays: who pages is not told that the process behind the list was another.
func tokenStays(t *testing.T, open Opener) {
	db, c := opened(t, open, 1)
	if _, err := c.Update(As(t.Context(), "t", "open"), "stk_b", Open("DC1", 1, time.Time{})); err != nil {
		t.Fatal(err)
	}
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	q := store.Query{Index: "site", Key: "DC1", PageSize: 1}
	first, err := c.List(As(t.Context(), "t", ""), q)
	if err != nil || first.NextToken == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	c = store.Register(open(t, store.Options{}), Type(1))
	q.PageToken = first.NextToken
	if second, err := c.List(As(t.Context(), "t", ""), q); err != nil || len(second.Items) != 1 || second.Items[0].ID == first.Items[0].ID {
		t.Errorf("after %s: %+v, %v", first.Items[0].ID, second, err)
	}
}

func tail(t *testing.T, open Opener) {
	db, c := opened(t, open, 1_000)
	const n = 300
	go together(n, func(i int) {
		id := fmt.Sprintf("stk_t%d", i%7)
		if i < 7 {
			id = fmt.Sprintf("stk_n%d", i)
		}
		ctx := As(context.WithoutCancel(t.Context()), "t", fmt.Sprint("k", i))
		_, _ = c.Update(ctx, id, func(cur store.Current[Stock]) (store.Decision[Fact], error) {
			return store.Decision[Fact]{Facts: []Fact{Took{"x", 1}, Took{"y", 1}}}, nil
		})
	})
	type at struct {
		key string
		pos store.Position
	}
	read := func(from store.Position, want int) (got []at, facts int) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		err := db.Tail(ctx, from, func(rc store.RawCommit) error {
			got = append(got, at{fmt.Sprintf("%s/%s/%d", rc.Tenant, rc.ID, rc.Version), rc.Position})
			facts += len(rc.Facts)
			if facts >= want {
				return errStop
			}
			return nil
		}, nil)
		if !stopped(err) {
			t.Fatalf("after %d facts: %v", facts, err)
		}
		return got, facts
	}
	all, _ := read("", 1+2*n)
	again, _ := read("", 1+2*n)
	if diff := cmp.Diff(keysOf(all, func(a at) string { return a.key }), keysOf(again, func(a at) string { return a.key })); diff != "" {
		t.Errorf("a second reading differs\n%s", diff)
	}
	middle := len(all) / 2
	left := 0
	_ = db.Tail(withTimeout(t), all[middle].pos, func(rc store.RawCommit) error {
		left++
		if got := fmt.Sprintf("%s/%s/%d", rc.Tenant, rc.ID, rc.Version); got != all[middle+left].key {
			t.Errorf("resumed at %s, want %s", got, all[middle+left].key)
		}
		if middle+left == len(all)-1 {
			return errStop
		}
		return nil
	}, nil)
	versions := map[string]int{}
	for _, a := range all {
		slash := strings.LastIndexByte(a.key, '/')
		agg := a.key[:slash]
		if v, err := strconv.Atoi(a.key[slash+1:]); err != nil || v != versions[agg]+1 {
			t.Errorf("%s after version %d", a.key, versions[agg])
		}
		versions[agg]++
	}
	if _, err := db.End(t.Context()); err != nil {
		t.Error(err)
	}
}

func keysOf[T any](in []T, key func(T) string) []string {
	out := make([]string, len(in))
	for i, x := range in {
		out[i] = key(x)
	}
	return out
}

func withTimeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func reopen(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	c := store.Register(db, Type(1))
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
	if _, err := c.Update(As(t.Context(), "t", "o"), "stk_a", Open("DC1", 9, at)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Update(As(t.Context(), "t", "x"), "stk_a", Take("bob", 2)); err != nil {
		t.Fatal(err)
	}
	want, err := c.Get(As(t.Context(), "t", ""), "stk_a")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	d := store.Register(open(t, store.Options{}), Type(1))
	got, err := d.Get(As(t.Context(), "t", ""), "stk_a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, sameState...); diff != "" || !got.State.Due.Equal(at) || got.State.Weight.String() != "1.25" {
		t.Errorf("%+v\n%s", got.State, diff)
	}
	if rec, err := d.Update(As(t.Context(), "t", "x"), "stk_a", Take("bob", 2)); err != nil || !rec.Replayed {
		t.Errorf("the receipt was lost: %+v %v", rec, err)
	}
}

func due(t *testing.T, open Opener) {
	_, c := opened(t, open, 1)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i, tenant := range []string{"b", "a", "c"} {
		ctx := As(t.Context(), tenant, "o")
		if _, err := c.Update(ctx, "stk_d", Open("DC1", 1, at.Add(time.Duration(i)*time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "two are due, in order", func() bool {
		refs, err := c.Due(t.Context(), "due", store.TimeKey(at.Add(time.Hour)), 10)
		return err == nil && cmp.Equal(refs, []store.Ref{{Tenant: "b", ID: "stk_d"}, {Tenant: "a", ID: "stk_d"}})
	})
}

func table(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	rows := db.Table("copies", "tint", "due")
	ctx := t.Context()
	row := func(id string, v uint64, tint string) store.Row {
		return store.Row{Tenant: "t", ID: id, Version: v, Body: []byte(fmt.Sprint(tint, v)), Keys: map[string][]string{"tint": {tint}}}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(rows.Put(ctx, row("a", 2, "red"), row("b", 1, "red"), row("a", 1, "blue")))
	check(rows.Put(ctx, row("b", 3, "blue")))
	check(rows.Put(ctx, row("b", 2, "red")))
	got, ok, err := rows.Get(ctx, "t", "b")
	if err != nil || !ok || got.Version != 3 || string(got.Body) != "blue3" || got.Keys["tint"][0] != "blue" {
		t.Errorf("%+v %v %v", got, ok, err)
	}
	red, err := rows.List(ctx, "t", "tint", "red", "", 10)
	if err != nil || len(red) != 1 || red[0].ID != "a" {
		t.Errorf("%+v %v", red, err)
	}
	all, err := rows.List(ctx, "t", "", "", "a", 10)
	if err != nil || len(all) != 1 || all[0].ID != "b" {
		t.Errorf("%+v %v", all, err)
	}
	if many, err := rows.GetMany(ctx, "t", []string{"a", "b", "c"}); err != nil || len(many) != 2 {
		t.Errorf("%+v %v", many, err)
	}
	if ok, err := rows.Swap(ctx, row("c", 7, "red"), 1); err != nil || ok {
		t.Errorf("swapped what is not there: %v", err)
	}
	if ok, err := rows.Swap(ctx, row("c", 7, "red"), 0); err != nil || !ok {
		t.Errorf("not created: %v", err)
	}
	if ok, err := rows.Swap(ctx, row("c", 3, "red"), 7); err != nil || !ok {
		t.Errorf("a swap may lower the version: %v", err)
	}
	check(rows.Put(ctx, store.Row{Tenant: "u", ID: "z", Version: 1, Keys: map[string][]string{"due": {"2"}}}, store.Row{Tenant: "t", ID: "y", Version: 1, Keys: map[string][]string{"due": {"1"}}}))
	dueRows, err := rows.Due(ctx, "due", "2", 10)
	if err != nil || len(dueRows) != 2 || dueRows[0].ID != "y" || dueRows[1].Tenant != "u" {
		t.Errorf("%+v %v", dueRows, err)
	}
	check(rows.Delete(ctx, "t", "a", "nothing"))
	if _, ok, _ := rows.Get(ctx, "t", "a"); ok {
		t.Error("deleted rows stay")
	}
}

func folds(t *testing.T, open Opener) {
	db, c := opened(t, open, 10)
	if _, err := c.Update(As(t.Context(), "t", "x"), "stk_a", Take("bob", 4)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	db = open(t, store.Options{})
	doubled := Type(2)
	doubled.Evolve = func(s Stock, f Fact) Stock {
		if took, ok := f.(Took); ok {
			f = Took{took.Who, 2 * took.N}
		}
		return evolve(s, f)
	}
	d := store.Register(db, doubled)
	if n := onHand(t, d, "stk_a"); n != 2 {
		t.Errorf("an older fold was not folded anew: %d", n)
	}
	if _, err := d.Update(As(t.Context(), "t", "y"), "stk_a", Take("bob", 1)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	old := store.Register(open(t, store.Options{}), Type(1))
	if _, err := old.Update(As(t.Context(), "t", "z"), "stk_a", Take("bob", 1)); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("an older binary wrote over a newer fold: %v", err)
	}
}

func history(t *testing.T, open Opener) {
	db, c := opened(t, open, 100_000)
	const n = 1100
	together(8, func(w int) {
		for i := range n / 8 {
			if _, err := c.Update(As(t.Context(), "t", fmt.Sprint(w, "-", i)), "stk_a", Take("x", 1)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	want := onHand(t, c, "stk_a")
	var facts int
	for after := uint64(0); ; {
		h, err := c.History(As(t.Context(), "t", ""), "stk_a", after, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(h) == 0 {
			break
		}
		for _, commit := range h {
			facts += len(commit.Facts)
			after = commit.Version
		}
	}
	if facts != 1+n/8*8 || want != 100_000-int64(n/8*8) {
		t.Errorf("%d facts, %d on hand", facts, want)
	}
	if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	again := store.Register(open(t, store.Options{}), Type(3)) // no snapshot and no base of this fold
	if n := onHand(t, again, "stk_a"); n != want {
		t.Errorf("folded anew: %d, want %d", n, want)
	}
}

func exports(t *testing.T, open Opener) {
	db, _ := opened(t, open, 10)
	var got []store.Snapshot
	eventually(t, "a snapshot", func() bool {
		if err := db.Refresh(t.Context(), []store.Touched{{AggregateType: "stock", Tenant: "t", ID: "stk_a", Version: 1}}); err != nil {
			t.Fatal(err)
		}
		var err error
		if got, err = db.Snapshots(t.Context(), "stock", store.Ref{}, 10, true); err != nil {
			t.Fatal(err)
		}
		return len(got) == 1
	})
	if got[0].ID != "stk_a" || got[0].Version != 1 || got[0].Fact.Type != "storetest.Opened" || got[0].Updated.IsZero() {
		t.Errorf("%+v", got[0])
	}
	if next, err := db.Snapshots(t.Context(), "stock", store.Ref{Tenant: "t", ID: "stk_a"}, 10, false); err != nil || len(next) != 0 {
		t.Errorf("%v %v", next, err)
	}
	if cs, err := db.Commits(t.Context(), "stock", "t", "stk_a", 0, 10); err != nil || len(cs) != 1 || len(cs[0].Facts) != 1 {
		t.Errorf("%v %v", cs, err)
	}
}
