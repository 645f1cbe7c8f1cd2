package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// Reverse records that what of an order was issued was taken back: it cannot be returned.
func (a *App) Reverse(ctx context.Context, f domain.ItemsIssueReversed) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	f.ID = ReturnableID(store.CauseOf(ctx).Tenant, f.Order)
	_, err := a.Items.Update(ctx, f.ID, func(c store.Current[domain.Returnable]) (store.Decision[domain.ItemFact], error) {
		return store.Decision[domain.ItemFact]{Facts: c.State.Reverse(f), State: "REVERSED"}, nil
	})
	return err
}
