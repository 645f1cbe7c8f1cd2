package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// AskReversal says whether the goods issue of a warehouse order may be reversed.
func (a *App) AskReversal(ctx context.Context, k domain.Keys, attempt int) error {
	if err := faultpoint.Hit(faultpoint.X1); err != nil {
		return err
	}
	return a.follow(ctx, k, func(s domain.Shipment, k domain.Keys) ([]domain.Fact, error) {
		return domain.AskReversal(s, k, attempt)
	})
}

// Reverse takes cartons off the shipment of a warehouse order whose goods issue was reversed.
func (a *App) Reverse(ctx context.Context, r domain.IssueReversed) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	return a.follow(ctx, r.Keys, func(s domain.Shipment, k domain.Keys) ([]domain.Fact, error) {
		r.Keys = k
		return domain.Reverse(s, r)
	})
}
