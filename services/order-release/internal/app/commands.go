package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// PlaceHold opens a hold.
func (a *App) PlaceHold(ctx context.Context, id string, t domain.HoldType, note string) (store.Receipt, error) {
	if err := mayHold(ctx, t); err != nil {
		return store.Receipt{}, err
	}
	return a.change(ctx, id, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.PlaceHold(e, t, note) })
}

// LiftHold ends a hold.
func (a *App) LiftHold(ctx context.Context, id string, t domain.HoldType, note string) (store.Receipt, error) {
	if err := mayHold(ctx, t); err != nil {
		return store.Receipt{}, err
	}
	return a.change(ctx, id, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.LiftHold(e, t, note) })
}

// mayHold lets finance decide on credit only; others decide on every hold.
func mayHold(ctx context.Context, t domain.HoldType) error {
	caller, _ := guard.CallerOf(ctx)
	if t == domain.HoldCredit || caller.Service != "" || caller.Has(commonv1.Role_ROLE_LOGISTICS, commonv1.Role_ROLE_CUSTOMER_SERVICE) {
		return nil
	}
	return fault.New(fault.Denied, "HOLD_NOT_ALLOWED", "the caller may not decide on %s holds", t)
}

// Release releases what is promised.
func (a *App) Release(ctx context.Context, id string) (store.Receipt, error) {
	return a.change(ctx, id, domain.Order.Release)
}

// ReleaseRemainder releases what was promised of backordered releases.
func (a *App) ReleaseRemainder(ctx context.Context, id string) (store.Receipt, error) {
	return a.change(ctx, id, domain.Order.ReleaseRemainder)
}

// Cancel cancels what no warehouse has and asks the warehouses to cancel the rest.
func (a *App) Cancel(ctx context.Context, id, reason string) (store.Receipt, error) {
	return a.change(ctx, id, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.RequestCancel(e, reason) })
}

// Close records that the ERP has posted the order.
func (a *App) Close(ctx context.Context, id string) (store.Receipt, error) {
	return a.change(ctx, id, domain.Order.Close)
}

// Continue takes an automatic order's next step after one that filled a commit.
func (a *App) Continue(ctx context.Context, id string) error {
	_, err := a.change(ctx, id, domain.Order.Continue)
	return err
}
