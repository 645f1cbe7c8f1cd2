package app

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Intent is an open attempt to promise: what anybody needs to drive it on.
type Intent struct {
	Order     string
	Attempt   int
	Requested time.Time
	Partial   bool
	Claims    []domain.Claim
}

// Promise starts an attempt to claim stock for an order. With a wait it drives the attempt
// itself and returns how it then stands; what is not done by then is done by the reactor
// of the intent.
func (a *App) Promise(ctx context.Context, id string, wait time.Duration) (store.Receipt, domain.Attempt, error) {
	receipt, err := a.request(ctx, id)
	if err != nil || store.CauseOf(ctx).Validate {
		return receipt, domain.Attempt{}, err
	}
	attempt := func() (domain.Attempt, error) {
		v, err := a.Orders.Get(ctx, id)
		return v.State.Attempt, err
	}
	now, err := attempt()
	if err != nil || wait <= 0 || now.State != domain.AttemptOpen || receipt.Values["attempt"] != strconv.Itoa(now.Number) {
		return receipt, now, err
	}
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for driven := 0; now.State == domain.AttemptOpen && now.Number != driven; { // the next one asks other sites for the rest
		driven = now.Number
		if err := a.Drive(limited, intent(id, now)); err != nil && !fault.Transient(err) {
			return receipt, now, err
		}
		if now, err = attempt(); err != nil {
			break
		}
	}
	return receipt, now, err
}

// request starts an attempt, after a look at stock if the order's lines have a choice of sites.
func (a *App) request(ctx context.Context, id string) (store.Receipt, error) {
	v, err := a.Orders.Get(ctx, id)
	if err != nil && !fault.IsKind(err, fault.NotFound) {
		return store.Receipt{}, err
	}
	seen, err := a.look(ctx, v.State)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.changeWith(ctx, id, domain.Env{Available: seen}, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return o.RequestPromise(e, domain.Wanted{})
	})
}

func intent(id string, at domain.Attempt) Intent {
	return Intent{Order: id, Attempt: at.Number, Requested: at.Requested, Partial: at.Partial, Claims: at.Claims}
}

// Drive makes the claims of an attempt and commits the decision. It may run as often as
// anybody likes, also at the same time: claims and decision have keys of their own. It may
// also run long after: stock remembers closed claims for a while only, so an attempt that
// is over claims nothing, and what was claimed while it ended goes back from here.
func (a *App) Drive(ctx context.Context, in Intent) error {
	if err := faultpoint.Hit(faultpoint.X1); err != nil {
		return err
	}
	step := func(name string) context.Context {
		key := name + ":" + in.Order + ":" + strconv.Itoa(in.Attempt)
		return guard.Derived(ctx, store.CauseOf(ctx).Tenant, key, in.Requested)
	}
	v, err := a.Orders.Get(ctx, in.Order) // never stale
	if err != nil {
		return err
	}
	if v.State.Attempt.Number != in.Attempt || v.State.Attempt.State != domain.AttemptOpen {
		return a.leave(step("left-late"), in)
	}
	granted, err := a.Stock.Reserve(step("reserve"), in.Claims, in.Partial)
	if err != nil {
		return err // run again, it looks again whether the attempt is open
	}
	if err := faultpoint.Hit(faultpoint.X2); err != nil {
		return err
	}
	var seen domain.Places
	if !v.State.Attempt.Again && in.lacks(granted) { // other sites may have the rest
		if seen, err = a.look(ctx, v.State); err != nil {
			return err
		}
	}
	_, err = a.releasing(step("decide"), in.Order, seen, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return o.DecidePromise(e, in.Attempt, granted)
	})
	if fault.IsKind(err, fault.Refused) { // it ended meanwhile
		return a.leave(step("left-granted"), in)
	}
	return err
}

// lacks reports whether a claim got less than it asked for.
func (in Intent) lacks(granted map[string]quantity.Decimal) bool {
	return slices.ContainsFunc(in.Claims, func(c domain.Claim) bool { return granted[c.Stock].Less(c.Quantity.Value) })
}

// leave gives back what a run may have claimed for an attempt that is over. A decided one
// had an answer to every claim, and a claim that was answered is never made again.
func (a *App) leave(ctx context.Context, in Intent) error {
	decided, err := a.isDecided(ctx, in)
	if err != nil || decided {
		return err
	}
	refs := make([]domain.ClaimRef, len(in.Claims))
	for i, c := range in.Claims {
		refs[i] = c.Ref()
	}
	return a.Stock.GiveBack(ctx, refs)
}

// isDecided reports whether an attempt that is over ended with a decision; otherwise it was
// given up, or ended with its order.
func (a *App) isDecided(ctx context.Context, in Intent) (bool, error) {
	v, err := a.Orders.Get(ctx, in.Order)
	if err != nil || v.State.Attempt.Number == in.Attempt {
		return v.State.Attempt.State != domain.AttemptClosed, err
	}
	for after, more := uint64(0), true; more; {
		commits, err := a.Orders.History(ctx, in.Order, after, historyAtOnce)
		if err != nil {
			return false, err
		}
		for _, c := range commits {
			if slices.ContainsFunc(c.Facts, in.decides) {
				return true, nil
			}
			after = c.Version
		}
		more = len(commits) >= historyAtOnce
	}
	return false, nil
}

// historyAtOnce is how many versions one read of an order's history brings.
const historyAtOnce = 200

// decides reports whether a fact is the decision of the attempt.
func (in Intent) decides(f domain.Fact) bool {
	switch f := f.(type) {
	case domain.LinesPromised:
		return f.Attempt == in.Attempt
	case domain.PromiseRefused:
		return f.Attempt == in.Attempt
	}
	return false
}

// GiveBack closes claims that a decision or a cancellation left. Inventory publishes what
// becomes free by it, and that serves those who wait.
func (a *App) GiveBack(ctx context.Context, claims []domain.ClaimRef) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	return a.Stock.GiveBack(ctx, claims)
}

// sweepAtOnce bounds one sweep.
const sweepAtOnce = 200

// Sweep gives up attempts that hang, starts those that are due again, and releases what waited
// for a channel that has opened. The index only proposes; the order decides. What fails is met
// again by the next sweep.
func (a *App) Sweep(ctx context.Context, now time.Time) error {
	due, err := a.Orders.Due(ctx, IndexDue, store.TimeKey(now), sweepAtOnce)
	if err != nil {
		return err
	}
	var failed error
	served := map[[2]string]bool{}
	for _, ref := range due {
		ctx := store.WithCause(ctx, store.Cause{Tenant: ref.Tenant, Principal: "service:order-release", Correlation: ref.ID})
		if err := a.due(ctx, ref.ID, served); err != nil {
			failed = err
		}
	}
	return failed
}

// due takes the step of an order that is due. served are the channels, by tenant, of which this
// sweep has let the most urgent have their places.
func (a *App) due(ctx context.Context, id string, served map[[2]string]bool) error {
	v, err := a.Orders.Get(ctx, id)
	if err != nil {
		return err
	}
	at := v.State.Attempt
	switch due, opens := v.State.AttemptDue(), v.State.Opens(); {
	case !opens.IsZero() && (due.IsZero() || opens.Before(due)):
		if code, err := a.limitedBy(ctx, v.State); code != "" || err != nil {
			if err != nil {
				return err
			}
			channel := [2]string{store.CauseOf(ctx).Tenant, code}
			if served[channel] {
				_, err = a.admit(ctx, id, code)
				return err
			}
			served[channel] = true
			return a.serveChannel(ctx, code, id)
		}
		key := "wake:" + id + ":" + store.TimeKey(opens)
		return a.timely(ctx, id, key, opens, nil, domain.Order.Opens, domain.Order.Wake)
	case at.State == domain.AttemptClosed:
		seen, err := a.look(ctx, v.State)
		if err != nil {
			return err
		}
		return a.timely(ctx, id, "retry:"+id+":"+strconv.Itoa(at.Number), due, seen, domain.Order.AttemptDue, domain.Order.Retry)
	default:
		return a.timely(ctx, id, "give-up:"+id+":"+strconv.Itoa(at.Number), due, nil, domain.Order.AttemptDue, domain.Order.GiveUp)
	}
}

// timely takes a step of an order at its time, and no earlier by the store's clock.
func (a *App) timely(ctx context.Context, id, key string, at time.Time, seen domain.Places, due func(domain.Order) time.Time, step decide) error {
	_, err := a.releasing(guard.Derived(ctx, store.CauseOf(ctx).Tenant, key, at), id, seen, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		if due := due(o); !due.IsZero() && e.Now.Before(due) {
			return nil, fault.New(fault.Unavailable, "NOT_DUE", "due at %s only", due) // no receipt, or it would never be due
		}
		return step(o, e)
	})
	return err
}
