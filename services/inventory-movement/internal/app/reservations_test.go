package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/adapter"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// A reservation ends at its time by the clock, not before, whether the sweep comes first or a
// command that wants the stock; and neither a claim of an order nor what was confirmed ends.
func TestReservationsEndByTheClock(t *testing.T) {
	for _, name := range hosttest.Engines {
		t.Run(name, func(t *testing.T) {
			now := clock.NewManual(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
			r, db, _ := opened(t, engine(t, name), now, adapter.StockType())
			defer closed(t, db)
			target := app.Target{Site: "DC1", SKU: "TEA"}
			_, err := r.Receive(r.command(), app.Goods{Target: target, Place: domain.Place{Location: "B-1", Status: domain.Available}, Quantity: ea(10)})
			if err != nil {
				t.Fatal(err)
			}
			end := now.Now().Add(time.Minute)
			for _, reference := range []string{"cart", "firm", "late"} {
				expires := end
				if reference == "late" {
					expires = end.Add(time.Hour)
				}
				if _, err := r.Book(r.command(), target, app.Reservation{Reference: reference, Quantity: ea(2), Expires: expires}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := r.Confirm(r.command(), target, "firm"); err != nil {
				t.Fatal(err)
			}
			promised := func() string {
				t.Helper()
				v, err := r.Stock(r.command(), target)
				if err != nil {
					t.Fatal(err)
				}
				return v.State.Figures("").Promised.String()
			}
			now.Step(time.Minute - time.Millisecond)
			if err := r.Sweep(t.Context(), now.Now()); err != nil || promised() != "6" {
				t.Errorf("before its time: %v, promised %s", err, promised())
			}
			now.Step(time.Millisecond)
			if _, err := r.Confirm(r.command(), target, "cart"); reasonOf(err) != "RESERVATION_EXPIRED" {
				t.Errorf("confirmed when it was over: %v", err)
			}
			testkit.Eventually(t, 20*time.Second, func() error { // lists trail
				if err := r.Sweep(t.Context(), now.Now()); err != nil {
					return err
				}
				if got := promised(); got != "4" {
					return fmt.Errorf("promised %s", got)
				}
				return nil
			})
			if err := r.Sweep(t.Context(), now.Now()); err != nil || promised() != "4" {
				t.Errorf("%v, promised %s", err, promised())
			}
			now.Step(2 * time.Hour) // nobody has swept, and an order wants everything
			g, err := r.Reserve(r.command(), []app.Claim{{Key: "clm:1", Site: "DC1", Item: app.ItemID(tenant, "TEA"), Quantity: ea(8)}}, false)
			if err != nil || g[0].Refusal != nil || g[0].Granted.Value != quantity.Int(8) {
				t.Errorf("%+v %v", g, err)
			}
			v, err := r.Verify(r.command(), target)
			if err != nil || len(v.Differences) > 0 {
				t.Errorf("%+v %v", v, err)
			}
		})
	}
}

func reasonOf(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Reason
	}
	return ""
}
