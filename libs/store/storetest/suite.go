package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// Opener opens the database of one test: the same one each time it is called.
type Opener func(t testing.TB, opt store.Options) *store.DB

// Run runs the suite; fresh makes a new, empty database.
func Run(t *testing.T, fresh func(t *testing.T) Opener) {
	for _, m := range musts {
		t.Run(m.name, func(t *testing.T) { m.run(t, fresh(t)) })
	}
}

type must struct {
	name string
	run  func(t *testing.T, open Opener)
}

var musts = []must{
	{"M01 a command takes effect once under its key and answers the same", oneEffect},
	{"M02 a key with another request is refused and changes nothing", keyReused},
	{"M03 a refusal on an existing aggregate is recorded, one on nothing is not", refusals},
	{"M04 identical commands at once make one effect", identicalAtOnce},
	{"M05 many callers of one unit: one gets it", oneUnit},
	{"M06 two processes never commit one version", twoProcesses},
	{"M07 derived receipts live as long as their facts", ringTurnsOver},
	{"M08 If-Match names a version", ifMatch},
	{"M09 a panic and a late command leave no trace", panics},
	{"M10 lists page by index, sealed, without loss or repetition", lists},
	{"M11 tenants see nothing of each other", tenants},
	{"M12 Tail yields every commit in one order and resumes anywhere", tail},
	{"M13 state, time and value types survive a reopening", reopen},
	{"M14 validate_only stores nothing", validateOnly},
	{"M15 due aggregates of all tenants, by time", due},
	{"M16 a table keeps the newest row", table},
	{"M17 a closed store refuses", closed},
	{"M18 an older fold is folded anew, a newer one is left alone", folds},
	{"M19 history rebuilds the state at every version, beyond a packed one", history},
	{"M20 snapshots can be exported and refreshed", exports},
	{"M21 what no commit proves is answered on the newest state", provenFresh},
	{"M22 no id reaches into another aggregate", idsApart},
	{"M23 closing answers what is under way", closing},
	{"M24 a raised fold moves the lists by itself", refolded},
	{"M25 client receipts are found for as long as they are kept", retained},
	{"M26 a commit and an answer are bounded", bounded},
	{"M27 an unknown fact stops its aggregate only", unknownFact},
	{"M28 whole histories load in bulk, once", loads},
	{"M37 a past is taken to another place as it was", pasts},
	{"M38 what was loaded before the beginning is not relayed", begins},
	{"M29 of one commit's tags the last one's matches", etags},
	{"M30 a relay that is far behind holds commands back", backlog},
	{"M31 what Tail has shown, a read holds", seen},
	{"M32 an idle Tail names a position to go on from", rests},
	{"M34 a refusal takes nobody's tag away", tagStays},
	{"M35 a refusal is decided anew when somebody asks for it, an effect never", anew},
	{"M36 a page token outlives a restart", tokenStays},
	{"M39 a key that ran at one process is known at another", keyElsewhere},
	{"M33 of one commit's commands each is blamed for its own facts", blamed},
}

// As returns a context with a client's cause.
func As(ctx context.Context, tenant, key string) context.Context {
	return store.WithCause(ctx, store.Cause{Tenant: tenant, Principal: "ann", Key: key, Fingerprint: []byte("fp")})
}

func derived(ctx context.Context, key string, at time.Time) context.Context {
	return store.WithCause(ctx, store.Cause{Tenant: "t", Principal: "service:x", Key: key, Derived: true, KeyTime: at})
}

func opened(t *testing.T, open Opener, n int64) (*store.DB, *store.Collection[Stock, Fact]) {
	t.Helper()
	db := open(t, store.Options{})
	c := store.Register(db, Type(1))
	if _, err := c.Update(As(t.Context(), "t", "open"), "stk_a", Open("DC1", n, time.Time{})); err != nil {
		t.Fatal(err)
	}
	return db, c
}

func onHand(t *testing.T, c *store.Collection[Stock, Fact], id string) int64 {
	t.Helper()
	v, err := c.Get(As(t.Context(), "t", ""), id)
	if err != nil {
		t.Fatal(err)
	}
	return v.State.OnHand
}

var sameState = []cmp.Option{cmpopts.EquateEmpty(), cmpopts.EquateComparable(quantity.Decimal{})}

func oneEffect(t *testing.T, open Opener) {
	_, c := opened(t, open, 10)
	ctx := As(t.Context(), "t", "k1")
	first, err := c.Update(ctx, "stk_a", Take("bob", 3))
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Update(ctx, "stk_a", Take("bob", 3))
	if err != nil || !again.Replayed {
		t.Fatalf("%+v %v", again, err)
	}
	again.Replayed = false
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the replay differs\n%s", diff)
	}
	if n := onHand(t, c, "stk_a"); n != 7 {
		t.Errorf("on hand %d", n)
	}
	other := store.WithCause(t.Context(), store.Cause{Tenant: "t", Principal: "eve", Key: "k1", Fingerprint: []byte("fp")})
	if rec, err := c.Update(other, "stk_a", Take("eve", 1)); err != nil || rec.Replayed {
		t.Errorf("a key belongs to its principal: %+v %v", rec, err)
	}
}

func keyReused(t *testing.T, open Opener) {
	_, c := opened(t, open, 10)
	if _, err := c.Update(As(t.Context(), "t", "k"), "stk_a", Take("bob", 1)); err != nil {
		t.Fatal(err)
	}
	cause := store.Cause{Tenant: "t", Principal: "ann", Key: "k", Fingerprint: []byte("other")}
	if _, err := c.Update(store.WithCause(t.Context(), cause), "stk_a", Take("bob", 2)); !fault.IsKind(err, fault.KeyReused) {
		t.Errorf("%v", err)
	}
	if n := onHand(t, c, "stk_a"); n != 9 {
		t.Errorf("on hand %d", n)
	}
}

func refusals(t *testing.T, open Opener) {
	_, c := opened(t, open, 1)
	ctx := As(t.Context(), "t", "greedy")
	_, first := c.Update(ctx, "stk_a", Take("bob", 5))
	if _, err := c.Update(derived(t.Context(), "more", time.Now()), "stk_a", func(store.Current[Stock]) (store.Decision[Fact], error) {
		return store.Decision[Fact]{Facts: []Fact{Took{"supplier", -9}}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	_, again := c.Update(ctx, "stk_a", Take("bob", 5))
	f, _ := fault.As(first)
	g, ok := fault.As(again)
	if !ok || f.Replayed || !g.Replayed || f.Reason != "NOT_ENOUGH" || g.Reason != f.Reason || g.Metadata["on_hand"] != "1" || g.Kind != fault.Refused {
		t.Errorf("the refusal was not kept: %v, then %v", first, again)
	}
	nothing := As(t.Context(), "t", "early")
	if _, err := c.Update(nothing, "stk_b", Take("bob", 1)); !fault.IsKind(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	if _, err := c.Update(nothing, "stk_b", Open("DC1", 1, time.Time{})); err != nil {
		t.Errorf("a refusal on nothing was recorded: %v", err)
	}
}

func identicalAtOnce(t *testing.T, open Opener) {
	_, c := opened(t, open, 1000)
	var replayed atomic.Int64
	together(64, func(int) {
		rec, err := c.Update(As(t.Context(), "t", "same"), "stk_a", Take("bob", 1))
		if err != nil {
			t.Error(err)
		}
		if rec.Replayed {
			replayed.Add(1)
		}
	})
	if n := onHand(t, c, "stk_a"); n != 999 || replayed.Load() != 63 {
		t.Errorf("on hand %d, replayed %d", n, replayed.Load())
	}
}

func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func oneUnit(t *testing.T, open Opener) {
	_, c := opened(t, open, 1)
	var got, refused atomic.Int64
	together(500, func(i int) {
		_, err := c.Update(As(t.Context(), "t", fmt.Sprint("k", i)), "stk_a", Take(fmt.Sprint(i), 1))
		switch {
		case err == nil:
			got.Add(1)
		case fault.IsKind(err, fault.Refused):
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	if got.Load() != 1 || refused.Load() != 499 || onHand(t, c, "stk_a") != 0 {
		t.Errorf("%d got it, %d were refused", got.Load(), refused.Load())
	}
}

func twoProcesses(t *testing.T, open Opener) {
	db, c := opened(t, open, 100)
	if db.Exclusive() {
		t.Log("one process at a time here: two collections on one database stand for it")
	}
	d := c
	if !db.Exclusive() {
		d = store.Register(open(t, store.Options{}), Type(1))
	}
	var got atomic.Int64
	together(200, func(i int) {
		who := c
		if i%2 == 0 {
			who = d
		}
		if _, err := who.Update(As(t.Context(), "t", fmt.Sprint("k", i)), "stk_a", Take("x", 1)); err == nil {
			got.Add(1)
		} else if !fault.IsKind(err, fault.Refused) {
			t.Error(err)
		}
	})
	if got.Load() != 100 || onHand(t, c, "stk_a") != 0 || onHand(t, d, "stk_a") != 0 {
		t.Errorf("%d took of 100, %d and %d left", got.Load(), onHand(t, c, "stk_a"), onHand(t, d, "stk_a"))
	}
}

func ringTurnsOver(t *testing.T, open Opener) {
	_, c := opened(t, open, 10_000)
	base := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	take := func(i int) store.Receipt {
		rec, err := c.Update(derived(t.Context(), fmt.Sprint("evt:", i), base.Add(time.Duration(i)*time.Second)), "stk_a", Take("x", 1))
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	first := take(0)
	together(600, func(i int) { take(i + 1) })
	if again := take(0); !again.Replayed || again.ETag != first.ETag {
		t.Errorf("an old event took effect again: %+v, first %+v", again, first)
	}
	if n := onHand(t, c, "stk_a"); n != 10_000-601 {
		t.Errorf("on hand %d", n)
	}
}

func ifMatch(t *testing.T, open Opener) {
	_, c := opened(t, open, 10)
	v, err := c.Get(As(t.Context(), "t", ""), "stk_a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Update(store.WithIfMatch(As(t.Context(), "t", "a"), v.ETag), "stk_a", Take("x", 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Update(store.WithIfMatch(As(t.Context(), "t", "b"), v.ETag), "stk_a", Take("x", 1)); !fault.IsKind(err, fault.Stale) {
		t.Errorf("%v", err)
	}
	if n := onHand(t, c, "stk_a"); n != 9 {
		t.Errorf("on hand %d", n)
	}
	var ok atomic.Int64
	v, _ = c.Get(As(t.Context(), "t", ""), "stk_a")
	together(20, func(i int) {
		if _, err := c.Update(store.WithIfMatch(As(t.Context(), "t", fmt.Sprint("c", i)), v.ETag), "stk_a", Take("x", 1)); err == nil {
			ok.Add(1)
		}
	})
	if ok.Load() != 1 {
		t.Errorf("%d of 20 matched one version", ok.Load())
	}
}

func panics(t *testing.T, open Opener) {
	_, c := opened(t, open, 100)
	var wrong atomic.Int64
	together(30, func(i int) {
		ctx, decide := As(t.Context(), "t", fmt.Sprint("k", i)), Take("x", 1)
		switch i % 3 {
		case 1:
			decide = func(store.Current[Stock]) (store.Decision[Fact], error) { panic("defect") }
		case 2:
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(ctx)
			cancel()
		}
		if _, err := c.Update(ctx, "stk_a", decide); (err == nil) != (i%3 == 0) {
			wrong.Add(1)
		}
	})
	if n := onHand(t, c, "stk_a"); n != 90 || wrong.Load() != 0 {
		t.Errorf("on hand %d, %d wrong answers", n, wrong.Load())
	}
}

func closed(t *testing.T, open Opener) {
	db, c := opened(t, open, 1)
	if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Update(As(t.Context(), "t", "k"), "stk_a", Take("x", 1)); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}

func validateOnly(t *testing.T, open Opener) {
	_, c := opened(t, open, 5)
	cause := store.Cause{Tenant: "t", Principal: "ann", Key: "dry", Validate: true}
	rec, err := c.Update(store.WithCause(t.Context(), cause), "stk_a", Take("x", 2))
	if err != nil || rec.Values["granted"] != "2" {
		t.Fatalf("%+v %v", rec, err)
	}
	if _, err := c.Update(store.WithCause(t.Context(), cause), "stk_a", Take("x", 9)); !fault.IsKind(err, fault.Refused) {
		t.Errorf("%v", err)
	}
	if h, err := c.History(As(t.Context(), "t", ""), "stk_a", 0, 10); err != nil || len(h) != 1 {
		t.Errorf("%d commits, %v", len(h), err)
	}
}

func stopped(err error) bool { return errors.Is(err, context.Canceled) || errors.Is(err, errStop) }

var errStop = errors.New("enough")
