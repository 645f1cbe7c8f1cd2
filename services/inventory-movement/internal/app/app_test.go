package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/adapter"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

const tenant = "t1"

// reference knows one site and every item.
type reference struct{}

func (reference) Lookup(_ context.Context, sites, skus []string) (domain.Reference, error) {
	ref := domain.Reference{Items: map[string]domain.Item{}, Sites: map[string]domain.Site{}}
	for _, s := range sites {
		ref.Sites[s] = domain.Site{Code: s, IsSite: true, Prefix: "4012345"}
	}
	for _, s := range skus {
		ref.Items[s] = domain.Item{ID: app.ItemID(tenant, s), SKU: s, BaseUnit: "EA"}
	}
	return ref, nil
}

func (reference) Items(context.Context, []string) (map[string]domain.Item, error) {
	return map[string]domain.Item{}, nil
}

// anywhere takes goods at every location.
type anywhere struct{}

func (anywhere) Check(context.Context, string, []string) (map[string]app.Standing, error) {
	return nil, nil
}

// rig is the use cases on a store of their own.
type rig struct {
	*app.App
	numbers app.Numbers
	foreign app.Foreign
	steps   int
	mu      sync.Mutex
}

func newRig(t testing.TB) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URI: "sqlite:" + t.TempDir(), Database: "inventory"}, store.Options{
		Clock: clock.System{}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	r := &rig{numbers: store.Register(db, adapter.NumbersType()), foreign: store.Register(db, adapter.ForeignType())}
	r.App = &app.App{
		Stocks: store.Register(db, adapter.StockType()), Orders: store.Register(db, adapter.OrderType()),
		SSCCs: app.NewSSCCs(r.numbers, r.foreign, 10), Reference: reference{}, Places: anywhere{}, Owners: owners.New(db, time.Now), Parallel: 8, Policies: store.Register(db, adapter.PolicyType()),
		Units: store.Register(db, adapter.UnitType()), Packing: store.Register(db, adapter.PackingType()), Waves: store.Register(db, adapter.WaveType()),
	}
	return r
}

// fact is the context of a reaction to a fact: the same name is the same fact.
func (r *rig) fact(name string) context.Context {
	ctx := store.WithCause(context.Background(), store.Cause{Tenant: tenant, Principal: "service:inventory-movement"})
	return guard.Derived(ctx, tenant, "evt:"+name, time.Unix(1_700_000_000, 0))
}

// command is the context of a command with a key of its own.
func (r *rig) command() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps++
	return r.fact(fmt.Sprint("command-", r.steps))
}

func ea(n int64) quantity.Quantity { return quantity.Quantity{Value: quantity.Int(n), Unit: "EA"} }

// promised puts 10 pieces of an item on stock and promises all of them.
func (r *rig) promised(t rapid.TB, sku string) app.Claim {
	t.Helper()
	_, err := r.Receive(r.command(), app.Goods{
		Target: app.Target{Site: "DC1", SKU: sku}, Place: domain.Place{Location: "B-1", Status: domain.Available}, Quantity: ea(10),
	})
	if err != nil {
		t.Fatal(err)
	}
	c := app.Claim{Key: "clm:" + sku, Site: "DC1", Item: app.ItemID(tenant, sku), Quantity: ea(10)}
	if g, err := r.Reserve(r.command(), []app.Claim{c}, false); err != nil || g[0].Refusal != nil {
		t.Fatal(g, err)
	}
	return c
}

// released is the release of an order of two items, of one of them in two lines.
func (r *rig) released(t rapid.TB, name string) domain.OrderCreated {
	t.Helper()
	f := domain.OrderCreated{OrderKeys: domain.OrderKeys{Release: "ord_" + name + "-R1", ReleaseVersion: 1}, Site: "DC1", Owner: domain.OwnStock}
	for i, part := range []int64{4, 10, 6} {
		sku := name + strconv.Itoa(i%2)
		if i < 2 {
			r.promised(t, sku)
		}
		f.Lines = append(f.Lines, domain.OrderLine{
			Number: i + 1, Item: app.ItemID(tenant, sku), SKU: sku, Quantity: ea(part),
			Claims: []domain.Claim{{Key: "clm:" + sku, Quantity: quantity.Int(part)}},
		})
	}
	f.ID = app.WarehouseOrderID(tenant, f.Release, 1)
	return f
}

// created is when the order's creation was recorded.
func (r *rig) created(t rapid.TB, id string) time.Time {
	t.Helper()
	commits, err := r.Orders.History(r.command(), id, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commits {
		if slices.ContainsFunc(c.Facts, func(f domain.OrderFact) bool { _, ok := f.(domain.OrderCreated); return ok }) {
			return c.Recorded
		}
	}
	t.Fatalf("%s was never created", id)
	return time.Time{}
}

// untouched fails unless everything of the stocks that the order names is free to promise.
func (r *rig) untouched(t rapid.TB, f domain.OrderCreated) {
	t.Helper()
	for _, l := range f.Lines {
		v, err := r.Stocks.Get(r.command(), app.StockID(tenant, "DC1", l.Item, ""))
		if err != nil {
			t.Fatal(err)
		}
		if fig := v.State.Figures(""); fig.ATP != quantity.Int(10) || len(v.State.Allocations) > 0 || len(v.State.Claims) > 0 {
			t.Fatalf("%s: %+v %+v", l.SKU, fig, v.State)
		}
	}
}

// However a cancellation and an allocation come, how often, and at the same time: at the
// end nothing is allocated, and the claims that had promised the order are spent.
func TestACancelledOrderHoldsNothing(t *testing.T) {
	r := newRig(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		name := fmt.Sprintf("c%d-", n)
		f := r.released(t, name)
		create := func() error { return r.Create(r.fact(name+"released"), f) }
		cancel := func() error { return r.CancelRelease(r.fact(name+"cancel-requested"), f.OrderKeys, "TEST") }
		reactions := map[string]func() error{
			"allocate": func() error { return r.Allocate(r.fact(name+"created"), f, r.created(t, f.ID)) },
			"cancel":   func() error { return r.FollowCancel(r.fact(name+"cancelled"), f.ID) },
		}
		run := func(steps ...func() error) {
			for _, s := range steps {
				if err := s(); err != nil {
					t.Fatal(err)
				}
			}
		}
		switch rapid.SampledFrom([]string{"created first", "cancelled first", "allocated before"}).Draw(t, "order") {
		case "created first":
			run(create, cancel)
		case "cancelled first":
			run(cancel, create)
		case "allocated before":
			run(create, reactions["allocate"], cancel)
		}
		names := append(rapid.SliceOfN(rapid.SampledFrom([]string{"allocate", "cancel"}), 0, 3).Draw(t, "more"), "allocate", "cancel")
		names = rapid.Permutation(names).Draw(t, "reactions")
		if rapid.Bool().Draw(t, "at the same time") {
			var group errgroup.Group
			for _, name := range names {
				group.Go(reactions[name])
			}
			run(group.Wait)
		} else {
			for _, name := range names {
				run(reactions[name])
			}
		}
		r.untouched(t, f)
		if v, err := r.Order(r.command(), f.ID); err != nil || v.State.State() != domain.Cancelled {
			t.Fatal(v.State, err)
		}
	})
}

// A late allocation of an order that has left holds nothing either.
func TestAnAllocationAfterTheIssueHoldsNothing(t *testing.T) {
	r := newRig(t)
	f := r.released(t, "late-")
	if err := r.Create(r.fact("late-released"), f); err != nil {
		t.Fatal(err)
	}
	var lines []domain.PickedLine
	for _, l := range f.Lines {
		lines = append(lines, domain.PickedLine{Line: l.Number, Item: l.Item, SKU: l.SKU, Quantity: l.Quantity.Value, Unit: "EA"})
	}
	for _, run := range []func(context.Context) (store.Receipt, error){
		func(ctx context.Context) (store.Receipt, error) { return r.ConfirmPicks(ctx, f.ID, lines) },
		func(ctx context.Context) (store.Receipt, error) {
			return r.Pack(ctx, f.ID, domain.Carton{Lines: lines})
		},
		func(ctx context.Context) (store.Receipt, error) { return r.IssueGoods(ctx, f.ID) },
	} {
		if _, err := run(r.command()); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Allocate(r.fact("late-created"), f, r.created(t, f.ID)); err != nil {
		t.Fatal(err)
	}
	r.untouched(t, f) // the picks have not been booked: they would come next
}

// Two processes never issue the same SSCC, and neither issues one that a warehouse chose.
func TestSSCCsAreOneCartonsEach(t *testing.T) {
	r := newRig(t)
	const prefix = "4012345"
	own, err := domain.SSCC(prefix, 25)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.SSCCs.Claim(r.command(), own, "who_a"); err != nil {
		t.Fatal(err)
	}
	other := app.NewSSCCs(r.numbers, r.foreign, 7)
	var mu sync.Mutex
	seen := map[string]bool{own: true}
	var group errgroup.Group
	for i := range 60 {
		group.Go(func() error {
			issued, err := []*app.SSCCs{r.SSCCs, other}[i%2].Take(r.command(), prefix)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if seen[issued.SSCC] {
				return fmt.Errorf("%s came twice", issued.SSCC)
			}
			seen[issued.SSCC] = true
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for sscc := range seen {
		err := r.SSCCs.Claim(r.command(), sscc, "who_b")
		if f, ok := fault.As(err); !ok || f.Reason != "SSCC_INVALID" {
			t.Errorf("%s is given away again: %v", sscc, err)
		}
	}
	foreign, err := domain.SSCC("4099999", 1)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.SSCCs.Claim(r.command(), foreign, "who_a"); err != nil {
			t.Errorf("a number of nobody here: %v", err)
		}
	}
	if err := r.SSCCs.Claim(r.command(), foreign, "who_b"); !fault.IsKind(err, fault.Refused) {
		t.Errorf("two orders have it: %v", err)
	}
}

func TestAnSSCCThatWasNotUsedIsIssuedNext(t *testing.T) {
	r := newRig(t)
	first, err := r.SSCCs.Take(r.command(), "4012345")
	if err != nil {
		t.Fatal(err)
	}
	first.GiveBack()
	if again, err := r.SSCCs.Take(r.command(), "4012345"); err != nil || again.SSCC != first.SSCC {
		t.Errorf("%v %v, after %v", again, err, first)
	}
}
