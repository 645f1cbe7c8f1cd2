package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// report applies a report about a release to its order.
func (a *App) report(ctx context.Context, release string, d decide) error {
	order, _, err := domain.ParseReleaseID(release)
	if err != nil {
		return fault.New(fault.Invalid, "RELEASE_UNKNOWN", "%v", err)
	}
	_, err = a.change(ctx, order, d)
	return err
}

// Allocated records stock that the warehouse allocated to a release.
func (a *App) Allocated(ctx context.Context, release, warehouseOrder string, lines []domain.LineQuantity) error {
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return o.Allocated(e, release, warehouseOrder, lines)
	})
}

// Acknowledge records that the warehouse has a release.
func (a *App) Acknowledge(ctx context.Context, release, warehouseOrder string) error {
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return o.Acknowledge(e, release, warehouseOrder)
	})
}

// Picked records a pick.
func (a *App) Picked(ctx context.Context, release string, lines []domain.LineQuantity) error {
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.Picked(e, release, lines) })
}

// Shorted records what was not there to be picked.
func (a *App) Shorted(ctx context.Context, release string, lines []domain.LineQuantity) error {
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.Shorted(e, release, lines) })
}

// Issued records what left the warehouse's books, and when.
func (a *App) Issued(ctx context.Context, release string, at time.Time, lines []domain.LineQuantity) error {
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		e.At = at
		return o.Issued(e, release, lines)
	})
}

// Delivered records the total that a shipment brought to the customer.
func (a *App) Delivered(ctx context.Context, release, shipment string, lines []domain.LineQuantity) error {
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return o.Delivered(e, release, shipment, lines)
	})
}

// ReleaseCancelled records that the warehouse cancelled a release, and what it put back.
func (a *App) ReleaseCancelled(ctx context.Context, release string, putBack []domain.LineQuantity) error {
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return o.ReleaseCancelled(e, release, putBack)
	})
}

// Withdrawn records that the warehouse stopped a release, and what of its stock is kept. What it
// stood for may go again at once.
func (a *App) Withdrawn(ctx context.Context, release string, kept []domain.Kept) error {
	order, _, err := domain.ParseReleaseID(release)
	if err != nil {
		return fault.New(fault.Invalid, "RELEASE_UNKNOWN", "%v", err)
	}
	_, err = a.releasing(ctx, order, nil, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.Withdrawn(e, release, kept) })
	return err
}

// StopRefused records that the warehouse goes on with a release, whatever is held.
func (a *App) StopRefused(ctx context.Context, release, reason string) error {
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.StopRefused(e, release, reason) })
}

// CancelRefused records that the warehouse goes on with a release.
func (a *App) CancelRefused(ctx context.Context, release, reason string) error {
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.CancelRefused(e, release, reason) })
}

// Amended records that the warehouse took off what it was asked to.
func (a *App) Amended(ctx context.Context, release string, version int) error {
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.Amended(e, release, version) })
}

// AmendmentRefused records that the warehouse goes on with a release as it is.
func (a *App) AmendmentRefused(ctx context.Context, release string, version int, reasons []domain.Reason) error {
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return o.AmendmentRefused(e, release, version, reasons)
	})
}
