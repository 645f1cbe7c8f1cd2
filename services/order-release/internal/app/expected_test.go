package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// waits is an order of 3 pieces that waits for stock.
func waits(t *testing.T, stock *shelf) (a *app.App, id string) {
	t.Helper()
	a = newApp(t, stock)
	id, in := submit(t, a, 3)
	if err := a.Drive(as(t, "drive"), in); err != nil {
		t.Fatal(err)
	}
	if o := order(t, a, id); o.Awaits(place).Value != quantity.Int(3) {
		t.Fatalf("%+v", o)
	}
	return a, id
}

// TestDateLooksAgain: an order that waits for less by the time its wish was answered asks again,
// so that nothing is kept for what nobody waits for.
func TestDateLooksAgain(t *testing.T) {
	stock := &shelf{coming: quantity.Int(9)}
	a, id := waits(t, stock)
	stock.meanwhile = func() {
		stock.meanwhile = nil
		if _, err := a.Cancel(as(t, "cancel"), id, "CUSTOMER_REQUEST"); err != nil {
			t.Error(err)
		}
	}
	if err := a.Date(as(t, "date"), id, place); err != nil {
		t.Fatal(err)
	}
	if want := []string{"3", "0"}; !slices.Equal(stock.wishes, want) {
		t.Errorf("asked for %v, want %v", stock.wishes, want)
	}
}

// TestPromisedMoreThanWaitsIsMadeLess: whoever asked may have died before it looked again.
func TestPromisedMoreThanWaitsIsMadeLess(t *testing.T) {
	stock := &shelf{}
	a, id := waits(t, stock)
	x := domain.Expected{Site: "DC1", Item: "itm_a", Version: 1, Parts: []domain.SupplyPart{
		{Delivery: "asn_a", ASN: "A-1", Expected: time.Unix(1_900_000_000, 0).UTC(), Quantity: quantity.Int(5)},
	}}
	if err := a.Dated(as(t, "dated"), id, x, "PROMISED"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"3"}; !slices.Equal(stock.wishes, want) {
		t.Errorf("asked for %v, want %v", stock.wishes, want)
	}
	if _, err := a.Cancel(as(t, "cancel"), id, "CUSTOMER_REQUEST"); err != nil {
		t.Fatal(err)
	}
	x.Version = 2
	if err := a.Dated(as(t, "dated again"), id, x, "PROMISED"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"3", "0"}; !slices.Equal(stock.wishes, want) {
		t.Errorf("asked for %v, want %v", stock.wishes, want)
	}
}

// TestUndatedIsToldOnce: what comes too late is recorded once, however often it is asked for.
func TestUndatedIsToldOnce(t *testing.T) {
	stock := &shelf{why: "SUPPLY_OUTSIDE_HORIZON"}
	a, id := waits(t, stock)
	for n, key := range []string{"one", "two"} {
		if err := a.Date(as(t, key), id); err != nil {
			t.Fatal(err)
		}
		commits, err := a.Orders.History(as(t, "get"), id, 0, 50)
		if err != nil {
			t.Fatal(err)
		}
		if got := undated(commits); got != 1 {
			t.Errorf("told %d times after asking %d times", got, n+1)
		}
	}
	stock.coming = quantity.Int(3)
	if err := a.Date(as(t, "three"), id); err != nil {
		t.Fatal(err)
	}
	if o := order(t, a, id); len(o.Undated) > 0 {
		t.Errorf("%+v", o.Undated)
	}
}

func undated(commits []store.Commit[domain.Fact]) (n int) {
	for _, c := range commits {
		for _, f := range c.Facts {
			if _, ok := f.(domain.PromiseUndated); ok {
				n++
			}
		}
	}
	return n
}
