package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/adapter"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// drifts counts what was verified and what had drifted.
type drifts struct{ verified, drifted int }

func (d *drifts) Verified(_ context.Context, differences int) {
	d.verified++
	if differences > 0 {
		d.drifted++
	}
}

// engine is where a database of a test is kept.
func engine(t *testing.T, name string) store.Config {
	t.Helper()
	if name == "mongodb" {
		uri := testkit.Mongo(t)
		return store.Config{URI: uri, Database: testkit.Database(t, uri)}
	}
	return store.Config{URI: "sqlite:" + t.TempDir(), Database: "inventory"}
}

// opened is the use cases on a database, with the stock's type as given, until it is closed.
func opened(t *testing.T, cfg store.Config, c clock.Clock, stock store.Type[domain.Stock, domain.StockFact]) (*rig, *store.DB, *drifts) {
	t.Helper()
	db, err := store.Open(t.Context(), cfg, store.Options{Clock: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	stocks, seen := store.Register(db, stock), &drifts{}
	r := &rig{App: &app.App{
		Stocks: stocks, Ledger: stocks, Orders: store.Register(db, adapter.OrderType()), Drift: seen,
		Reference: reference{}, Places: anywhere{}, Owners: owners.New(db, time.Now), Parallel: 8,
	}}
	r.steps = int(time.Now().UnixNano()) // keys are not those of an earlier one
	return r, db, seen
}

func closed(t *testing.T, db *store.DB) {
	t.Helper()
	if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// wrong is a stock whose program counts receipts twice and forgets claims.
func wrong() store.Type[domain.Stock, domain.StockFact] {
	typ := adapter.StockType()
	typ.Evolve = func(s domain.Stock, f domain.StockFact) domain.Stock {
		switch m := f.(type) {
		case domain.StockReserved:
			return s
		case domain.StockMoved:
			m.Quantity = m.Quantity.Add(m.Quantity)
			return domain.EvolveStock(s, m)
		}
		return domain.EvolveStock(s, f)
	}
	return typ
}

// TestADriftedStockIsNamedAndMended: a defective program leaves a snapshot that its commits do
// not make. VerifyStock names each difference, the steady check and the metric tell it, and
// RebuildStock mends it without a change of the commits that were there.
func TestADriftedStockIsNamedAndMended(t *testing.T) {
	for _, name := range hosttest.Engines {
		t.Run(name, func(t *testing.T) {
			cfg := engine(t, name)
			target := app.Target{Site: "DC1", SKU: "TEA"}
			r, db, _ := opened(t, cfg, clock.System{}, wrong())
			id := app.StockID(tenant, "DC1", app.ItemID(tenant, "TEA"), "")
			_, err := r.Receive(r.command(), app.Goods{Target: target, Place: domain.Place{Location: "B-1", Lot: "L1", Status: domain.Available}, Quantity: ea(10)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Reserve(r.command(), []app.Claim{{Key: "clm:1", Site: "DC1", Item: app.ItemID(tenant, "TEA"), Quantity: ea(4)}}, false); err != nil {
				t.Fatal(err)
			}
			closed(t, db)

			r, db, seen := opened(t, cfg, clock.System{}, adapter.StockType())
			v, err := r.Verify(r.command(), target)
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, d := range v.Differences {
				told = append(told, fmt.Sprintf("%s %s %s: %q, not %q", d.Copy, d.Part, d.Name, d.Has, d.Ought))
			}
			for _, want := range []string{
				`served rows B-1 lot L1 AVAILABLE: "20 on hand, 0 allocated", not "10 on hand, 0 allocated"`,
				`served claims clm:1: "", not "4"`,
				`stored rows SUPPLIER AVAILABLE: "-20 on hand, 0 allocated", not "-10 on hand, 0 allocated"`,
			} {
				if !strings.Contains(strings.Join(told, "\n"), want) {
					t.Errorf("%s is not told:\n%s", want, strings.Join(told, "\n"))
				}
			}
			check := &app.Check{App: r.App, Snapshots: db, AtOnce: 10}
			if err := check.Turn(t.Context()); err == nil || !strings.Contains(err.Error(), id) {
				t.Errorf("the check does not tell it: %v", err)
			}
			if seen.verified != 2 || seen.drifted != 2 {
				t.Errorf("counted %+v", *seen)
			}
			before := commits(t, r, id)
			receipt, found, err := r.Rebuild(r.command(), target)
			if err != nil || receipt.Values["differences"] != fmt.Sprint(len(told)) || len(found.Differences) != len(told) {
				t.Fatalf("%+v %+v %v", receipt, found, err)
			}
			if after := commits(t, r, id); len(after) != len(before)+1 || len(after[len(before)].Facts) > 0 {
				t.Errorf("%d commits became %d", len(before), len(after))
			}
			sound(t, r, target)
			if err := check.Turn(t.Context()); err != nil {
				t.Error(err)
			}
			closed(t, db)
			r, db, _ = opened(t, cfg, clock.System{}, adapter.StockType())
			sound(t, r, target)
			closed(t, db)
		})
	}
}

func commits(t *testing.T, r *rig, id string) []store.Commit[domain.StockFact] {
	t.Helper()
	all, err := r.Stocks.History(r.command(), id, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sound fails unless the stock is what its commits say: 10 on hand, 4 of them promised.
func sound(t *testing.T, r *rig, target app.Target) {
	t.Helper()
	v, err := r.Verify(r.command(), target)
	if err != nil || len(v.Differences) > 0 {
		t.Errorf("%+v %v", v, err)
	}
	s, err := r.Stock(r.command(), target)
	if f := s.State.Figures(""); err != nil || f.OnHand != quantity.Int(10) || f.Promised != quantity.Int(4) {
		t.Errorf("%+v %v", f, err)
	}
}

// A copy that drifted in this process alone goes at its turn: the stored one is good.
func TestADriftedCopyIsDropped(t *testing.T) {
	cfg := engine(t, "sqlite")
	r, db, _ := opened(t, cfg, clock.System{}, adapter.StockType())
	defer closed(t, db)
	r.promised(t, "TEA")
	bad := &copied{Ledger: r.Ledger}
	r.Ledger = bad
	if err := (&app.Check{App: r.App, Snapshots: db, AtOnce: 1}).Turn(t.Context()); err == nil || bad.dropped != 1 {
		t.Errorf("%v, dropped %d", err, bad.dropped)
	}
}

// copied serves a copy without any claim.
type copied struct {
	app.Ledger
	dropped int
}

func (c *copied) Audit(ctx context.Context, id string) (store.Audit[domain.Stock], error) {
	a, err := c.Ledger.Audit(ctx, id)
	a.Served.Is.Claims = nil
	return a, err
}

func (c *copied) Drop(context.Context, string) { c.dropped++ }

// older is a stock as the program before this one kept it: it did not know since when goods are there.
func older() store.Type[domain.Stock, domain.StockFact] {
	typ := adapter.StockType()
	typ.Fold--
	typ.Evolve = func(s domain.Stock, f domain.StockFact) domain.Stock {
		s = domain.EvolveStock(s, f)
		s.Rows = slices.Clone(s.Rows)
		for i := range s.Rows {
			s.Rows[i].Received = 0
		}
		return s
	}
	return typ
}

// What an older program left is read: its facts say since when the goods are there.
func TestAnOlderSnapshotIsRead(t *testing.T) {
	for _, name := range hosttest.Engines {
		t.Run(name, func(t *testing.T) {
			cfg, target := engine(t, name), app.Target{Site: "DC1", SKU: "TEA"}
			now := clock.NewManual(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
			r, db, _ := opened(t, cfg, now, older())
			for _, bin := range []string{"B-2", "B-1"} {
				now.Step(time.Hour)
				if _, err := r.Receive(r.command(), app.Goods{Target: target, Place: domain.Place{Location: bin, Status: domain.Available}, Quantity: ea(5)}); err != nil {
					t.Fatal(err)
				}
			}
			closed(t, db)
			r, db, _ = opened(t, cfg, now, adapter.StockType())
			defer closed(t, db)
			v, err := r.Stock(r.command(), target)
			if err != nil {
				t.Fatal(err)
			}
			since := map[string]int64{}
			for _, row := range v.State.Rows {
				since[row.Place.Location] = row.Received
			}
			if since["B-1"] != now.Now().UnixMilli() || since["B-2"] != now.Now().Add(-time.Hour).UnixMilli() {
				t.Errorf("%v", since)
			}
			if verdict, err := r.Verify(r.command(), target); err != nil || len(verdict.Differences) > 0 {
				t.Errorf("%+v %v", verdict, err)
			}
		})
	}
}
