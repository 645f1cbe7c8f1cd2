package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// AmendRelease takes off the warehouse order of a release what is asked for, or answers why not;
// keys lack its id.
func (a *App) AmendRelease(ctx context.Context, m domain.Amendment) error {
	m.ID = WarehouseOrderID(store.CauseOf(ctx).Tenant, m.Release, m.ReleaseVersion)
	_, err := a.Orders.Update(ctx, m.ID, func(c store.Current[domain.WarehouseOrder]) (store.Decision[domain.OrderFact], error) {
		return outcome(c, func(o domain.WarehouseOrder, _ time.Time) ([]domain.OrderFact, error) {
			if len(o.Lines) == 0 && !o.IsCancelled {
				return nil, fault.New(fault.Unavailable, "WAREHOUSE_ORDER_MISSING", "the warehouse order of release %s has not come yet", m.Release)
			}
			return domain.Amend(o, m), nil
		})
	})
	return err
}

// FollowAmendment frees what is allocated to lines that something was taken off.
func (a *App) FollowAmendment(ctx context.Context, f domain.OrderAmended) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	lines, keys := map[string][]domain.AmendedLine{}, map[string]domain.StockKey{}
	for _, l := range f.Lines {
		key := keyOf(ctx, f.Site, f.Owner, l.Item, l.SKU, l.Quantity.Unit)
		lines[key.ID], keys[key.ID] = append(lines[key.ID], l), key
	}
	return a.each(ctx, keysOf(lines), func(ctx context.Context, id string) error {
		_, err := a.onStock(ctx, id, func(s domain.Stock, _ time.Time) ([]domain.StockFact, error) {
			return domain.TakeAmendments(s, keys[id], f.ID, lines[id]), nil
		}, nil)
		return err
	})
}
