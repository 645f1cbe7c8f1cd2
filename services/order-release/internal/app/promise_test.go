package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// eventually sweeps until the order is as wanted: the list of what is due trails.
func eventually(t *testing.T, a *app.App, id string, want func(domain.Order) bool) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		if err := a.Sweep(as(t, "sweep"), time.Now().Add(time.Hour)); err != nil && !fault.IsKind(err, fault.Unavailable) {
			t.Fatal(err)
		}
		if o := order(t, a, id); !want(o) {
			return fault.New(fault.Unavailable, "NOT_YET", "attempt %d is %s", o.Attempt.Number, o.Attempt.State)
		}
		return nil
	})
}

// givenUp is an order whose only attempt was given up before anybody drove it.
func givenUp(t *testing.T, stock *shelf) (a *app.App, id string, in app.Intent) {
	t.Helper()
	a = newApp(t, stock)
	a.Limits = domain.Limits{Attempt: time.Millisecond, RetryFirst: time.Hour, RetryMost: time.Hour}
	id, in = submit(t, a, 3)
	eventually(t, a, id, func(o domain.Order) bool { return o.Attempt.State == domain.AttemptClosed })
	return a, id, in
}

// TestDrivenLongAfterItWasGivenUp: stock may have forgotten that the claims were closed, so
// none is made; what an earlier run that died had claimed goes back.
func TestDrivenLongAfterItWasGivenUp(t *testing.T) {
	stock := &shelf{free: quantity.Int(3)}
	a, _, in := givenUp(t, stock)
	stock.held = map[string]quantity.Decimal{in.Claims[0].Key: quantity.Int(1)}
	stock.then = func() { t.Error("an attempt that is over claims stock") }
	if err := a.Drive(as(t, "drive"), in); err != nil {
		t.Fatal(err)
	}
	if stock.free != quantity.Int(4) || len(stock.held) > 0 {
		t.Errorf("%s free, %v held", stock.free, stock.held)
	}
}

// TestOrderThatEndsWhileItsStockIsClaimed: the give-back of the end may have come before
// the claim, so the claim goes back from here.
func TestOrderThatEndsWhileItsStockIsClaimed(t *testing.T) {
	stock := &shelf{free: quantity.Int(3)}
	a := newApp(t, stock)
	id, in := submit(t, a, 3)
	stock.then = func() {
		stock.then = nil
		if _, err := a.Cancel(as(t, "cancel"), id, "CUSTOMER_REQUEST"); err != nil {
			t.Error(err)
		}
	}
	if err := a.Drive(as(t, "drive"), in); err != nil {
		t.Fatal(err)
	}
	if o := order(t, a, id); o.State() != domain.Cancelled || stock.free != quantity.Int(3) || len(stock.held) > 0 {
		t.Errorf("%s, %s free, %v held", o.State(), stock.free, stock.held)
	}
}

// TestOlderAttemptDrivenLongAfter: only what it claimed itself goes back, and nothing when
// it had been decided.
func TestOlderAttemptDrivenLongAfter(t *testing.T) {
	stock := &shelf{free: quantity.Int(3)}
	a, id, first := givenUp(t, stock)
	a.Limits.Attempt = time.Minute
	if _, _, err := a.Promise(as(t, "promise"), id, 0); err != nil {
		t.Fatal(err)
	}
	second := first
	second.Attempt, second.Claims = 2, order(t, a, id).Attempt.Claims
	stock.free = quantity.Int(1)
	if err := a.Drive(as(t, "drive"), second); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Promise(as(t, "promise again"), id, 0); err != nil {
		t.Fatal(err)
	}
	if o := order(t, a, id); o.Attempt.Number != 3 || o.Attempt.State != domain.AttemptOpen {
		t.Fatalf("attempt %d is %s", o.Attempt.Number, o.Attempt.State)
	}
	stock.then = func() { t.Error("an attempt that is over claims stock") }
	for _, in := range []app.Intent{second, first, second} {
		if err := a.Drive(as(t, "drive"), in); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{first.Claims[0].Key}; !slices.Equal(stock.back, want) {
		t.Errorf("given back: %v instead of %v", stock.back, want)
	}
	if stock.held[second.Claims[0].Key] != quantity.Int(1) {
		t.Errorf("held: %v", stock.held)
	}
}
