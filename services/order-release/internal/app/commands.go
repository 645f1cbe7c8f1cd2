package app

import (
	"context"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// PlaceHold opens a hold.
func (a *App) PlaceHold(ctx context.Context, id string, t domain.HoldType, note string) (store.Receipt, error) {
	if err := mayHold(ctx, t, "place", t.Placers()); err != nil {
		return store.Receipt{}, err
	}
	return a.change(ctx, id, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.PlaceHold(e, t, note) })
}

// LiftHold ends a hold.
func (a *App) LiftHold(ctx context.Context, id string, t domain.HoldType, note string) (store.Receipt, error) {
	if err := mayHold(ctx, t, "lift", t.Lifters()); err != nil {
		return store.Receipt{}, err
	}
	return a.releasing(ctx, id, nil, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.LiftHold(e, t, note) })
}

// mayHold lets the callers of some roles decide on a hold.
func mayHold(ctx context.Context, t domain.HoldType, what string, roles []string) error {
	caller, _ := guard.CallerOf(ctx)
	if caller.Service != "" {
		return nil
	}
	for _, r := range roles {
		if caller.Has(commonv1.Role(commonv1.Role_value["ROLE_"+r])) {
			return nil
		}
	}
	return fault.New(fault.Denied, "HOLD_NOT_ALLOWED", "the caller may not %s %s holds: %s may", what, t, strings.Join(slices.Compact(slices.Sorted(slices.Values(roles))), ", ")).
		With("type", string(t))
}

// Release releases what is promised.
func (a *App) Release(ctx context.Context, id string) (store.Receipt, error) {
	return a.releasing(ctx, id, nil, domain.Order.Release)
}

// ReleaseRemainder releases what was promised of backordered releases.
func (a *App) ReleaseRemainder(ctx context.Context, id string) (store.Receipt, error) {
	return a.releasing(ctx, id, nil, domain.Order.ReleaseRemainder)
}

// Cancel cancels what no warehouse has and asks the warehouses to cancel the rest.
func (a *App) Cancel(ctx context.Context, id, reason string) (store.Receipt, error) {
	return a.change(ctx, id, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.RequestCancel(e, reason) })
}

// Amend asks a warehouse to take something off a release.
func (a *App) Amend(ctx context.Context, id, release string, lines []domain.LineAmendment, reason string) (store.Receipt, error) {
	return a.releasing(ctx, id, nil, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return o.Amend(e, release, lines, reason)
	})
}

// Close records that the ERP has posted the order.
func (a *App) Close(ctx context.Context, id string) (store.Receipt, error) {
	return a.change(ctx, id, domain.Order.Close)
}

// Source looks at stock for an automatic order whose sites are still to be chosen, and asks for it.
func (a *App) Source(ctx context.Context, id string) error {
	v, err := a.Orders.Get(ctx, id)
	if err != nil || v.State.Header.Mode != domain.Automatic || v.State.Attempt.Number > 0 {
		return err
	}
	return a.Continue(ctx, id)
}

// Continue takes an order's next step after one that filled a commit, or that left it to somebody
// who looks at stock.
func (a *App) Continue(ctx context.Context, id string) error {
	v, err := a.Orders.Get(ctx, id)
	if err != nil {
		return err
	}
	seen, err := a.look(ctx, v.State)
	if err != nil {
		return err
	}
	_, err = a.releasing(ctx, id, seen, domain.Order.Continue)
	return err
}

// look returns what there is at the places among which the order's lines may choose, in one
// call; nil when they have no choice.
func (a *App) look(ctx context.Context, o domain.Order) (domain.Places, error) {
	places, choice := o.Needs()
	if !choice {
		return nil, nil
	}
	return a.Stock.Available(ctx, o.ID, places)
}
