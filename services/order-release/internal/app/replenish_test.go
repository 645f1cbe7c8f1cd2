package app_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/adapter"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// shelf is stock of one place, which has forgotten what was closed long ago. before runs before
// a claim is looked at, then before it is answered.
type shelf struct {
	free         quantity.Decimal
	held         map[string]quantity.Decimal // what each claim that is open holds
	back         []string                    // the claims that were given back, each time
	before, then func()

	coming    quantity.Decimal // what is to come and may be promised
	why       string           // more is not
	wishes    []string         // how much was asked for of what is to come, each time
	meanwhile func()           // runs before a wish is answered
}

func (s *shelf) Reserve(_ context.Context, claims []domain.Claim, partial bool) (map[string]quantity.Decimal, error) {
	if s.before != nil {
		s.before()
	}
	granted := map[string]quantity.Decimal{}
	for _, c := range claims {
		q := quantity.Min(s.free, c.Quantity.Value)
		if q.Sign() > 0 && (partial || q == c.Quantity.Value) {
			s.free = s.free.Sub(q)
			granted[c.Stock] = q
			if s.held == nil {
				s.held = map[string]quantity.Decimal{}
			}
			s.held[c.Key] = q
		}
	}
	if s.then != nil {
		s.then()
	}
	return granted, nil
}

func (s *shelf) GiveBack(_ context.Context, refs []domain.ClaimRef) error {
	for _, c := range refs {
		s.back = append(s.back, c.Key)
		s.free = s.free.Add(s.held[c.Key])
		delete(s.held, c.Key)
	}
	return nil
}

func (s *shelf) Available(_ context.Context, _ string, places []app.Place) (map[app.Place]quantity.Decimal, error) {
	return map[app.Place]quantity.Decimal{places[0]: s.free}, nil
}

// PromiseSupplies promises all that is asked for, as far as something is to come.
func (s *shelf) PromiseSupplies(_ context.Context, wishes []app.SupplyWish) (missing []domain.Undated, err error) {
	for _, w := range wishes {
		if w.LeaveStock && s.free.Sign() > 0 {
			missing = append(missing, domain.Undated{Site: w.Place.Site, Item: w.Place.Item, Quantity: w.Quantity.Value, Reason: "STOCK_AVAILABLE"})
			continue
		}
		less := w.Quantity.Value.Sub(quantity.Min(w.Quantity.Value, s.coming))
		s.wishes = append(s.wishes, w.Quantity.Value.String())
		missing = append(missing, domain.Undated{Site: w.Place.Site, Item: w.Place.Item, Quantity: less, Reason: s.why})
	}
	if s.meanwhile != nil {
		s.meanwhile()
	}
	return missing, nil
}

// known is a reference that knows everything that these tests name.
type known struct{}

func (known) Lookup(context.Context, domain.Header, []domain.Line, []string) (domain.Reference, error) {
	return domain.Reference{
		Items: map[string]domain.Item{"A": {ID: "itm_a", SKU: "A", BaseUnit: "EA"}},
		Parties: map[string]domain.PartyRecord{"C-1": {
			Code: "C-1", Roles: []string{domain.RoleCustomer}, Addresses: []domain.PartyAddress{{Address: domain.Address{Country: "DE"}}},
		}},
		Sites: map[string]domain.Site{"DC1": {Code: "DC1", Ships: true}}, DefaultSite: "DC1",
	}, nil
}

func (known) PartyCode(context.Context, string) (string, error) { return "", nil }

var place = app.Place{Site: "DC1", Item: "itm_a"}

func newApp(t *testing.T, stock *shelf) *app.App {
	t.Helper()
	// Snapshots trail, as on MongoDB.
	opt := store.Options{Log: slog.New(slog.DiscardHandler), DelaySnapshots: true}
	db, err := store.Open(t.Context(), store.Config{URI: "sqlite:" + t.TempDir(), Database: "orders"}, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &app.App{Orders: store.Register(db, adapter.OrderType()), Stock: stock, Reference: known{}, Limits: domain.DefaultLimits, Policies: &app.Policies{
		Rules: store.Register(db, adapter.RulesType()), Channels: store.Register(db, adapter.ChannelType()), Shipped: adapter.NewOwnership(owners.New(db, time.Now)), Now: time.Now,
	}, Loads: store.Register(db, adapter.LoadType())}
}

// as is the context of a command under the key.
func as(t *testing.T, key string) context.Context {
	ctx := guard.WithCaller(t.Context(), guard.Caller{Tenant: "t", Principal: "ann", Systems: []string{"*"}})
	return guard.Derived(store.WithCause(ctx, store.Cause{Tenant: "t", Principal: "ann"}), "t", key, time.Unix(1, 0))
}

func submit(t *testing.T, a *app.App, pieces int64) (id string, in app.Intent) {
	t.Helper()
	return submitted(t, a, "SO-1", pieces, time.Time{})
}

func submitted(t *testing.T, a *app.App, number string, pieces int64, promised time.Time) (id string, in app.Intent) {
	t.Helper()
	r, err := a.Submit(as(t, "submit "+number), app.Document{
		Header: domain.Header{Source: "erp", Number: number, SoldTo: domain.Party{Code: "C-1"}, Promised: promised},
		Lines:  []domain.Line{{Number: 1, SKU: "A", Quantity: quantity.Quantity{Value: quantity.Int(pieces), Unit: "EA"}}},
	})
	if err != nil || r.State != string(domain.Promising) {
		t.Fatal(r, err)
	}
	at := order(t, a, r.ID).Attempt
	return r.ID, app.Intent{Order: r.ID, Attempt: at.Number, Requested: at.Requested, Partial: at.Partial, Claims: at.Claims}
}

func order(t *testing.T, a *app.App, id string) domain.Order {
	t.Helper()
	v, err := a.Orders.Get(as(t, "get"), id)
	if err != nil {
		t.Fatal(err)
	}
	return v.State
}

// TestStockThatArrivesWhileDeciding: it is announced before anybody waits for it, and the
// order that then begins to wait finds it.
func TestStockThatArrivesWhileDeciding(t *testing.T) {
	stock := &shelf{}
	a := newApp(t, stock)
	stock.then = func() {
		stock.free, stock.then = quantity.Int(5), nil
		if err := a.Replenish(as(t, "announced"), place); err != nil {
			t.Error(err)
		}
	}
	id, in := submit(t, a, 5)
	if err := a.Drive(as(t, "drive"), in); err != nil {
		t.Fatal(err)
	}
	if s := order(t, a, id).State(); s != domain.Backordered {
		t.Fatalf("state %s", s)
	}
	testkit.Eventually(t, time.Minute, func() error {
		err := a.Await(as(t, "await"), id)
		if err != nil && !fault.IsKind(err, fault.Unavailable) {
			t.Fatal(err)
		}
		return err
	})
	if s := order(t, a, id).State(); s != domain.Released || !stock.free.IsZero() {
		t.Errorf("state %s, %s left", s, stock.free)
	}
}

// TestNobodyIsServedBeforeOneBeingServed: what comes while the first in line is being served is
// not given to the next, who would get what the first is about to claim.
func TestNobodyIsServedBeforeOneBeingServed(t *testing.T) {
	stock := &shelf{}
	a, ids := inLine(t, stock)
	stock.free = quantity.Int(6)
	var meanwhile error
	stock.before = func() {
		stock.before = nil
		meanwhile = a.Replenish(as(t, "announced again"), place)
	}
	if err := a.Replenish(as(t, "announced"), place); err != nil {
		t.Fatal(err)
	}
	if !fault.IsKind(meanwhile, fault.Unavailable) {
		t.Errorf("meanwhile: %v", meanwhile)
	}
	released(t, a, ids, 4, 2)
}

// TestWhatIsHereIsForWhoIsInLine: of goods that come while an order asks for what is to come, the
// first in line is served first.
func TestWhatIsHereIsForWhoIsInLine(t *testing.T) {
	stock := &shelf{}
	a, ids := inLine(t, stock)
	stock.free = quantity.Int(6)
	if err := a.Date(as(t, "date"), ids[1]); err != nil {
		t.Fatal(err)
	}
	released(t, a, ids, 4, 2)
	if want := []string{"2"}; !slices.Equal(stock.wishes, want) {
		t.Errorf("asked for %v, want %v", stock.wishes, want)
	}
}

// inLine are two orders of 4 pieces that wait and are listed, the one promised first in front.
func inLine(t *testing.T, stock *shelf) (a *app.App, ids []string) {
	t.Helper()
	a = newApp(t, stock)
	for n, number := range []string{"SO-1", "SO-2"} {
		id, in := submitted(t, a, number, 4, time.Date(2026, 3, 1+n, 0, 0, 0, 0, time.UTC))
		if err := a.Drive(as(t, "drive"+number), in); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, time.Minute, func() error { return a.Await(as(t, "await"), id) })
		ids = append(ids, id)
	}
	return a, ids
}

func released(t *testing.T, a *app.App, ids []string, want ...int64) {
	t.Helper()
	for i, n := range want {
		if got := order(t, a, ids[i]).Quantities()[0].Released; got != quantity.Int(n) {
			t.Errorf("%s has %s, want %d", ids[i], got, n)
		}
	}
}

// TestDrivenTwice: an attempt may be driven again at any time, and nothing comes of it.
func TestDrivenTwice(t *testing.T) {
	stock := &shelf{free: quantity.Int(3)}
	a := newApp(t, stock)
	id, in := submit(t, a, 3)
	for range 2 {
		stock.free = quantity.Int(3) // inventory answers the same claim alike
		if err := a.Drive(as(t, "drive"), in); err != nil {
			t.Fatal(err)
		}
	}
	if o := order(t, a, id); o.State() != domain.Released || len(o.Releases) != 1 {
		t.Errorf("%s, %d releases", o.State(), len(o.Releases))
	}
}

// TestSweepIsOnTime: an attempt is given up when its time is over and not before, also when
// the sweep's clock ran ahead of the store's; what has nothing left to claim is never due.
func TestSweepIsOnTime(t *testing.T) {
	a := newApp(t, &shelf{})
	a.Limits.Attempt = 200 * time.Millisecond
	id, _ := submit(t, a, 3)
	ahead := time.Now().Add(time.Hour)
	sweep := func() error { return a.Sweep(as(t, "sweep"), ahead) }
	testkit.Eventually(t, time.Minute, func() error { // the list trails, then the time is not over
		if err := sweep(); err != nil && !fault.IsKind(err, fault.Unavailable) {
			t.Fatal(err)
		}
		if o := order(t, a, id); o.Attempt.State != domain.AttemptClosed {
			return fault.New(fault.Unavailable, "NOT_YET", "attempt %s", o.Attempt.State)
		}
		return nil
	})
	if o := order(t, a, id); o.Due().IsZero() {
		t.Error("an order with something to claim is not due again")
	}
	if _, err := a.Cancel(as(t, "cancel"), id, "CUSTOMER_REQUEST"); err != nil {
		t.Fatal(err)
	}
	if o := order(t, a, id); !o.Due().IsZero() {
		t.Errorf("a cancelled order is due at %s", o.Due())
	}
}
