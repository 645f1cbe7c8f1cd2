package app_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/adapter"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/app"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// broken are returnable items on which commands may fail.
type broken struct {
	app.Items
	err   error
	tried int
}

func (b *broken) Update(ctx context.Context, id string, decide func(store.Current[domain.Returnable]) (store.Decision[domain.ItemFact], error)) (store.Receipt, error) {
	b.tried++
	if b.err != nil {
		return store.Receipt{}, b.err
	}
	return b.Items.Update(ctx, id, decide)
}

// sold is an order of one line: 5 EA at 2 EUR.
type sold struct{}

func (sold) Lines(_ context.Context, order string) (domain.ItemsIssued, error) {
	five := quantity.Quantity{Value: quantity.Int(5), Unit: "EA"}
	return domain.ItemsIssued{Order: order, Number: "SO-1", Currency: "EUR", Lines: []domain.IssuedLine{{
		Line: 10, Item: "itm_w", SKU: "W", Unit: "EA", Price: domain.Price{Unit: "2", Currency: "EUR", Ordered: five, Base: five.Value},
	}}}, nil
}

const order = "ord_1"

// newApp is returns among whose orders one was issued, and its items.
func newApp(t *testing.T) (*app.App, *broken) {
	t.Helper()
	// Snapshots trail, as on MongoDB.
	opt := store.Options{Log: slog.New(slog.DiscardHandler), DelaySnapshots: true}
	db, err := store.Open(t.Context(), store.Config{URI: "sqlite:" + t.TempDir(), Database: "returns"}, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	items := &broken{Items: store.Register(db, adapter.ItemsType())}
	a := &app.App{
		Returns: store.Register(db, adapter.ReturnType()), Items: items, Orders: sold{},
		Policy: domain.Policy{Auto: true, Window: 24 * time.Hour, AutoReasons: []string{"DEFECTIVE"}},
		Limits: app.Limits{Attempt: time.Minute, Limit: time.Hour},
	}
	five := quantity.Quantity{Value: quantity.Int(5), Unit: "EA"}
	if err := a.Issue(as(t, "issue"), order, order+"-R1", []app.Issued{{Line: 10, Quantity: five}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	return a, items
}

// as is the context of a command under the key.
func as(t *testing.T, key string) context.Context {
	ctx := guard.WithCaller(t.Context(), guard.Caller{Tenant: "t", Principal: "ann", Systems: []string{"*"}})
	return guard.Derived(store.WithCause(ctx, store.Cause{Tenant: "t", Principal: "ann"}), "t", key, time.Unix(1, 0))
}

// asked is a return of which nobody drives the claim.
func asked(t *testing.T, a *app.App, reason string) string {
	t.Helper()
	r, _, err := a.Request(as(t, "request "+reason), app.Asked{Order: order, Lines: []domain.AskedLine{{
		OrderLine: 10, Quantity: quantity.Quantity{Value: quantity.Int(2), Unit: "EA"}, Reason: reason,
	}}}, 0)
	if err != nil || r.State != string(domain.Requested) {
		t.Fatal(r, err)
	}
	return r.ID
}

func get(t *testing.T, a *app.App, id string) domain.Return {
	t.Helper()
	v, err := a.Returns.Get(as(t, "get"), id)
	if err != nil {
		t.Fatal(err)
	}
	return v.State
}

// sweeps sweeps, with a clock so far ahead, until the return is in the state: lists trail.
func sweeps(t *testing.T, a *app.App, ahead time.Duration, id string, want domain.State) domain.Return {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		err := a.Sweep(t.Context(), time.Now().Add(ahead))
		if r := get(t, a, id); r.State() != want {
			return fault.New(fault.Unavailable, "NOT_YET", "%s: %v", r.State(), err)
		}
		return err
	})
	return get(t, a, id)
}

// listed waits until a sweep that far ahead would meet so many returns.
func listed(t *testing.T, a *app.App, ahead time.Duration, n int) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		due, err := a.Returns.Due(t.Context(), app.IndexUndecided, store.TimeKey(time.Now().Add(ahead)), 10)
		if err == nil && len(due) != n {
			err = fault.New(fault.Unavailable, "NOT_YET", "%d instead of %d", len(due), n)
		}
		return err
	})
}

// TestHangingClaimIsTakenUp: a claim that nobody drives is driven by the sweep, however old
// it is, and not before its time.
func TestHangingClaimIsTakenUp(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"soon": 2 * time.Minute, "after an outage": 48 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			a, _ := newApp(t)
			a.Policy.Window = 1000 * time.Hour
			id := asked(t, a, "DEFECTIVE")
			listed(t, a, 0, 1)
			if err := a.Sweep(t.Context(), time.Now()); err != nil || get(t, a, id).Held {
				t.Fatalf("taken up before its time, %v", err)
			}
			if r := sweeps(t, a, ahead, id, domain.Authorised); r.Lines[0].Held != quantity.Int(2) {
				t.Errorf("held %s", r.Lines[0].Held)
			}
			listed(t, a, ahead, 0)
		})
	}
}

// TestClaimThatFailsIsGivenUp: not before its time; then the return is denied, says why, and
// its claim can be given back.
func TestClaimThatFailsIsGivenUp(t *testing.T) {
	a, items := newApp(t)
	id := asked(t, a, "DEFECTIVE")
	items.err = fault.New(fault.Internal, "HISTORY_BROKEN", "cannot be read")
	listed(t, a, 0, 1)
	items.tried = 0
	if err := a.Sweep(t.Context(), time.Now().Add(59*time.Minute)); !errors.Is(err, items.err) || items.tried != 1 {
		t.Errorf("tried %d times: %v", items.tried, err)
	}
	if r := get(t, a, id); !r.Undecided() {
		t.Fatalf("given up before its time: %s", r.State())
	}
	r := sweeps(t, a, 61*time.Minute, id, domain.Denied)
	if len(r.Reasons) != 1 || r.Reasons[0].Code != "CLAIM_TIMED_OUT" {
		t.Errorf("reasons %v", r.Reasons)
	}
	commits, err := a.Returns.History(as(t, "history"), id, 1, 10)
	if err != nil || len(commits) != 1 || len(commits[0].Facts) != 1 {
		t.Fatalf("%v, %v", commits, err)
	}
	f := commits[0].Facts[0].(domain.ReturnDenied)
	if f.ClaimKey == "" || f.ClaimKey != r.ClaimKey || f.Returnable != app.ReturnableID("t", order) {
		t.Errorf("nothing to give back: %+v", f)
	}
	items.err, items.tried = nil, 0
	if err := a.Drive(as(t, "drive"), id); err != nil || items.tried != 0 {
		t.Errorf("a return that is denied claims: %d times, %v", items.tried, err)
	}
	listed(t, a, 61*time.Minute, 0)
}

// TestWaitingForSomebodyIsNoHanging: what the policy leaves to people is never given up.
func TestWaitingForSomebodyIsNoHanging(t *testing.T) {
	a, items := newApp(t)
	id := asked(t, a, "OTHER")
	if err := a.Drive(as(t, "drive"), id); err != nil || !get(t, a, id).Held {
		t.Fatal(err)
	}
	items.err = errors.New("not asked for anything")
	listed(t, a, 48*time.Hour, 0)
	if err := a.Sweep(t.Context(), time.Now().Add(48*time.Hour)); err != nil || get(t, a, id).State() != domain.Requested {
		t.Errorf("%s, %v", get(t, a, id).State(), err)
	}
}
