package app

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/guard"
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
	receipt, err := a.change(ctx, id, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return o.RequestPromise(e, domain.Wanted{})
	})
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
	if err := a.Drive(limited, intent(id, now)); err != nil && !fault.Transient(err) {
		return receipt, now, err
	}
	now, err = attempt()
	return receipt, now, err
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
	_, err = a.change(step("decide"), in.Order, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return o.DecidePromise(e, in.Attempt, granted)
	})
	if fault.IsKind(err, fault.Refused) { // it ended meanwhile
		return a.leave(step("left-granted"), in)
	}
	return err
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

// Sweep gives up attempts that hang and starts those that are due again. The index only
// proposes; the order decides. What fails is met again by the next sweep.
func (a *App) Sweep(ctx context.Context, now time.Time) error {
	due, err := a.Orders.Due(ctx, IndexDue, store.TimeKey(now), sweepAtOnce)
	if err != nil {
		return err
	}
	var failed error
	for _, ref := range due {
		ctx := store.WithCause(ctx, store.Cause{Tenant: ref.Tenant, Principal: "service:order-release", Correlation: ref.ID})
		if err := a.due(ctx, ref.ID); err != nil {
			failed = err
		}
	}
	return failed
}

func (a *App) due(ctx context.Context, id string) error {
	v, err := a.Orders.Get(ctx, id)
	if err != nil {
		return err
	}
	at, step, name := v.State.Attempt, decide(domain.Order.GiveUp), "give-up"
	if at.State == domain.AttemptClosed {
		step, name = domain.Order.Retry, "retry"
	}
	key := name + ":" + id + ":" + strconv.Itoa(at.Number)
	_, err = a.change(guard.Derived(ctx, store.CauseOf(ctx).Tenant, key, v.State.Due()), id, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		if due := o.Due(); !due.IsZero() && e.Now.Before(due) {
			return nil, fault.New(fault.Unavailable, "NOT_DUE", "due at %s only", due) // no receipt, or it would never be due
		}
		return step(o, e)
	})
	return err
}
