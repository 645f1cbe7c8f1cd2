package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// migrated is a step that another system's export became.
func migrated(key string, at time.Time, facts ...Fact) store.Step[Fact] {
	return store.Step[Fact]{
		Cause:    store.Cause{Principal: "service:migration", Key: key, Derived: true},
		Recorded: at, Decision: store.Decision[Fact]{Facts: facts, State: "OPEN"},
	}
}

// joined is one commit of n steps.
func joined(s store.Step[Fact], n int) []store.Step[Fact] {
	out := make([]store.Step[Fact], n)
	for i := range out {
		out[i] = s
		out[i].Cause.Key += fmt.Sprint("-", i)
		out[i].Joined = i > 0
	}
	return out
}

// loads brings histories in bulk, twice, and goes on from them.
func loads(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	c := store.Register(db, Type(1))
	begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	var pasts []store.Past[Fact]
	for i := range 300 {
		p := store.Past[Fact]{ID: fmt.Sprintf("stk_%03d", i)}
		for step := range 1 + i%5 {
			var f Fact = Took{"x", 1}
			if step == 0 {
				f = Opened{"DC1", 100, time.Time{}}
			}
			p.Steps = append(p.Steps, migrated(fmt.Sprint("mig:", i, ":", step), begin.Add(time.Duration(step)*time.Hour), f))
		}
		pasts = append(pasts, p)
	}
	ctx := As(t.Context(), "t", "")
	// An end half-way, as a crash would leave it: the second Load goes on.
	half := make([]store.Past[Fact], len(pasts))
	for i, p := range pasts {
		half[i] = store.Past[Fact]{ID: p.ID, Steps: p.Steps[:1+len(p.Steps)/2]}
	}
	for _, load := range [][]store.Past[Fact]{half, pasts, pasts} {
		if err := c.Load(ctx, load); err != nil {
			t.Fatal(err)
		}
	}
	v, err := c.Get(ctx, "stk_004")
	if err != nil || v.State.OnHand != 96 || v.Version != 5 || !v.Created.Equal(begin) || !v.Updated.Equal(begin.Add(4*time.Hour)) {
		t.Errorf("%+v %v", v, err)
	}
	p, err := c.List(ctx, store.Query{Index: "site", Key: "DC1", PageSize: 200})
	if err != nil || len(p.Items) != 200 || p.Items[4].State.OnHand != 96 {
		t.Errorf("%d listed, %v", len(p.Items), err)
	}
	late := store.WithCause(t.Context(), store.Cause{Tenant: "t", Key: "mig:4:2", Derived: true, KeyTime: begin.Add(2 * time.Hour)})
	if rec, err := c.Update(late, "stk_004", Take("x", 1)); err != nil || !rec.Replayed || rec.ETag != "3" {
		t.Errorf("a loaded step took effect again: %+v %v", rec, err)
	}
	if _, err := c.Update(As(t.Context(), "t", "now"), "stk_004", Take("x", 6)); err != nil || onHand(t, c, "stk_004") != 90 {
		t.Errorf("%v", err)
	}
	loadsNot(t, c, begin)
	facts := 0
	err = db.Tail(withTimeout(t), "", func(rc store.RawCommit) error {
		if facts += len(rc.Facts); facts == 60*(1+2+3+4+5)+1 {
			return errStop
		}
		return nil
	}, nil)
	if !stopped(err) {
		t.Errorf("after %d facts: %v", facts, err)
	}
}

// loadsNot gives pasts that cannot be, or that are not those which are there.
func loadsNot(t *testing.T, c *store.Collection[Stock, Fact], begin time.Time) {
	t.Helper()
	ctx := As(t.Context(), "t", "")
	opening := store.Past[Fact]{ID: "stk_y", Steps: []store.Step[Fact]{migrated("a", begin, Opened{"DC1", 1, time.Time{}})}}
	other := []store.Past[Fact]{{ID: "stk_000", Steps: []store.Step[Fact]{migrated("mig:0:0", begin, Opened{"DC2", 1, time.Time{}})}}}
	if err := c.Load(ctx, other); !fault.IsKind(err, fault.Conflict) {
		t.Errorf("another past was loaded: %v", err)
	}
	first, next := opening.Steps[0], migrated("b", begin, Took{"x", 1})
	early, mixed := next, next
	early.Recorded, mixed.Refusal = begin.Add(-1), fault.New(fault.Refused, "NO", "no")
	for name, bad := range map[string][]store.Past[Fact]{
		"no steps":             {{ID: "stk_x"}},
		"twice":                {opening, opening},
		"slash":                {{ID: "a/b", Steps: opening.Steps}},
		"no key":               {{ID: "stk_x", Steps: []store.Step[Fact]{migrated("", begin, Took{"x", 1})}}},
		"no time":              {{ID: "stk_x", Steps: []store.Step[Fact]{migrated("a", time.Time{}, Took{"x", 1})}}},
		"backward":             {{ID: "stk_x", Steps: []store.Step[Fact]{first, early}}},
		"a refusal with facts": {{ID: "stk_x", Steps: []store.Step[Fact]{first, mixed}}},
		"nothing to begin":     {{ID: "stk_x", Steps: []store.Step[Fact]{migrated("a", begin)}}},
		"too much together":    {{ID: "stk_x", Steps: joined(first, 129)}},
	} {
		if err := c.Load(ctx, bad); !fault.IsKind(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// command takes units from a stock, for a tenant.
type command struct {
	ctx  func(tenant string) context.Context
	take int64
}

// kinds are commands of every kind that leaves a receipt.
func kinds(t *testing.T) map[string]command {
	t.Helper()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return map[string]command{
		"a client's": {func(tenant string) context.Context {
			return store.WithSource(As(t.Context(), tenant, "client"), ident.SourceRef{System: "wms", MessageID: "m", EventTime: at})
		}, 1},
		"a reaction": {func(tenant string) context.Context {
			return store.WithCause(t.Context(), store.Cause{
				Tenant: tenant, Principal: "service:x", Key: "evt:ord_a:1:0:take", Derived: true, KeyTime: at,
				Correlation: "corr", Causation: "ord_a:1:0", TraceParent: "00-01-02-01",
			})
		}, 2},
		"a refused": {func(tenant string) context.Context { return As(t.Context(), tenant, "too much") }, 1000},
	}
}

// pasts takes what commands of every kind left on one tenant's stock, through the door that
// knows no Go types, to another tenant: all is there, and all keys are found.
func pasts(t *testing.T, open Opener) {
	db, c := opened(t, open, 100)
	commands := kinds(t)
	for i := range 600 { // beyond a packed state and a ring
		if _, err := c.Update(As(t.Context(), "t", fmt.Sprint("k", i)), "stk_a", Take("x", 0)); err != nil {
			t.Fatal(err)
		}
	}
	for name, cmd := range commands {
		if _, err := c.Update(cmd.ctx("t"), "stk_a", Take("x", cmd.take)); err != nil && name != "a refused" {
			t.Fatal(err)
		}
	}
	together(64, func(i int) { // some of which share commits
		if _, err := c.Update(As(t.Context(), "t", fmt.Sprint("together", i)), "stk_a", Take("y", 1)); err != nil {
			t.Error(err)
		}
	})
	from, to := As(t.Context(), "t", ""), As(t.Context(), "u", "")
	past, err := db.Past(from, "stock", "stk_a")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Load(to, "stock", []store.Past[store.RawFact]{past}); err != nil {
		t.Fatal(err)
	}
	again, err := db.Past(to, "stock", "stk_a")
	for i := range again.Steps {
		again.Steps[i].Cause.Tenant = "t"
	}
	if diff := cmp.Diff(past, again, cmpopts.EquateComparable(), cmpopts.IgnoreUnexported(fault.Error{})); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	want, err := c.Get(from, "stk_a")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Get(to, "stk_a"); err != nil || !cmp.Equal(want, got, sameState...) {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got, sameState...))
	}
	for name, cmd := range commands {
		first, refused := c.Update(cmd.ctx("t"), "stk_a", Take("x", cmd.take))
		got, err := c.Update(cmd.ctx("u"), "stk_a", Take("x", cmd.take))
		if !got.Replayed || !cmp.Equal(first, got) || fmt.Sprint(err) != fmt.Sprint(refused) {
			t.Errorf("%s: %+v %v, where it ran %+v %v", name, got, err, first, refused)
		}
	}
	if _, err := c.Update(store.WithIfMatch(As(t.Context(), "u", "new"), want.ETag), "stk_a", Take("x", 1)); err != nil {
		t.Errorf("going on: %v", err)
	}
	if _, err := db.Past(from, "stock", "stk_none"); !fault.IsKind(err, fault.NotFound) {
		t.Errorf("the past of nothing: %v", err)
	}
	unknown(t, db, past)
}

// unknown loads what the door cannot know.
func unknown(t *testing.T, db *store.DB, past store.Past[store.RawFact]) {
	t.Helper()
	to := As(t.Context(), "v", "")
	past.Steps[0].Facts[0].Type = "storetest.Later"
	for kind, err := range map[string]error{
		"a fact": db.Load(to, "stock", []store.Past[store.RawFact]{past}),
		"a type": db.Load(to, "stocks", []store.Past[store.RawFact]{past}),
	} {
		if !fault.IsKind(err, fault.Invalid) {
			t.Errorf("%s that is not known: %v", kind, err)
		}
	}
}

// begins loads before anybody follows: Tail passes over it, at every opening, and where it
// begins cannot be moved any more.
func begins(t *testing.T, open Opener) {
	db := open(t, store.Options{})
	c := store.Register(db, Type(1))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	past := store.Past[Fact]{ID: "stk_old", Steps: []store.Step[Fact]{migrated("a", at, Opened{"DC1", 9, time.Time{}})}}
	if err := c.Load(As(t.Context(), "t", ""), []store.Past[Fact]{past}); err != nil {
		t.Fatal(err)
	}
	if err := db.BeginHere(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		id := fmt.Sprint("stk_new", i)
		if _, err := c.Update(As(t.Context(), "t", "open"), id, Open("DC1", 1, time.Time{})); err != nil {
			t.Fatal(err)
		}
		var seen []string
		err := db.Tail(withTimeout(t), "", func(rc store.RawCommit) error {
			if seen = append(seen, rc.ID); rc.ID == id {
				return errStop
			}
			return nil
		}, nil)
		if !stopped(err) || len(seen) != i+1 || seen[0] != "stk_new0" {
			t.Errorf("Tail yields %v, %v", seen, err)
		}
		if err := db.BeginHere(t.Context()); !fault.IsKind(err, fault.Conflict) {
			t.Errorf("a second beginning: %v", err)
		}
		if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		db = open(t, store.Options{})
		c = store.Register(db, Type(1))
	}
	if n := onHand(t, c, "stk_old"); n != 9 {
		t.Errorf("%d on hand of what was loaded", n)
	}
}
