package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// AskReversal says whether a warehouse may reverse the goods issue of lines of a release.
func (a *App) AskReversal(ctx context.Context, release, warehouseOrder string, attempt int, lines []domain.LineQuantity) error {
	if err := faultpoint.Hit(faultpoint.X1); err != nil {
		return err
	}
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return o.AskReversal(e, release, warehouseOrder, attempt, lines)
	})
}

// IssueReversed records what a warehouse took back of what was issued.
func (a *App) IssueReversed(ctx context.Context, release string, lines []domain.LineQuantity) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.IssueReversed(e, release, lines) })
}

// ReversalRefused records that the goods issue of a release stays.
func (a *App) ReversalRefused(ctx context.Context, release, reason string) error {
	return a.report(ctx, release, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return o.ReversalRefused(e, release, reason)
	})
}
