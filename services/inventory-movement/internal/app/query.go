package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// found makes every unknown thing alike.
func found[S any](v store.View[S], err error) (store.View[S], error) {
	if fault.IsKind(err, fault.NotFound) {
		return v, notFound()
	}
	return v, err
}

// Stock returns the stock of one item at one site.
func (a *App) Stock(ctx context.Context, t Target) (store.View[domain.Stock], error) {
	tenant := store.CauseOf(ctx).Tenant
	return found(a.Stocks.Get(ctx, StockID(tenant, t.Site, ItemID(tenant, t.SKU), t.Owner)))
}

// Place is where an item is stocked; the item is named by id or SKU.
type Place struct {
	Site, Item, SKU, Owner string
	Promise                string // of what is to come, of whoever asks; "" for none
}

// Available returns the stocks of the places that have any, in the order of the places, and
// what of them can be promised on a day to whoever asks.
func (a *App) Available(ctx context.Context, places []Place, now time.Time) ([]domain.Stock, []domain.Figures, error) {
	tenant := store.CauseOf(ctx).Tenant
	ids := make([]string, len(places))
	promises := map[string]string{}
	for i, p := range places {
		if p.Item == "" {
			p.Item = ItemID(tenant, p.SKU)
		}
		ids[i] = StockID(tenant, p.Site, p.Item, p.Owner)
		promises[ids[i]] = p.Promise
	}
	views, err := a.Stocks.GetMany(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	byID := map[string]domain.Stock{}
	for _, v := range views {
		byID[v.ID] = v.State
	}
	var stocks []domain.Stock
	var figures []domain.Figures
	items, err := a.itemsOf(ctx, views)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		if s, ok := byID[id]; ok {
			day := domain.RuleOf(items[s.Key.Item], now, a.Strategy).Day()
			stocks, figures = append(stocks, s), append(figures, s.FiguresFor(promises[id], day))
			delete(byID, id) // a place named twice is answered once
		}
	}
	return stocks, figures, nil
}

func (a *App) itemsOf(ctx context.Context, views []store.View[domain.Stock]) (map[string]domain.Item, error) {
	ids := make([]string, len(views))
	for i, v := range views {
		ids[i] = v.State.Key.Item
	}
	return a.Reference.Items(ctx, ids)
}

// Movements returns the commits of a stock that had facts, ascending from after+1; next is
// where to go on, 0 at the end.
func (a *App) Movements(ctx context.Context, id string, after uint64, limit int) (commits []store.Commit[domain.StockFact], next uint64, err error) {
	if _, err := found(a.Stocks.Get(ctx, id)); err != nil {
		return nil, 0, err
	}
	all, err := a.Stocks.History(ctx, id, after, limit)
	if err != nil {
		return nil, 0, err
	}
	for _, c := range all {
		if len(c.Facts) > 0 {
			commits = append(commits, c)
		}
	}
	if len(all) >= limit { // of as many commands or more: there may be more versions
		next = all[len(all)-1].Version
	}
	return commits, next, nil
}

// Order returns one warehouse order.
func (a *App) Order(ctx context.Context, id string) (store.View[domain.WarehouseOrder], error) {
	return found(a.Orders.Get(ctx, id))
}

// List pages warehouse orders by a declared index.
func (a *App) List(ctx context.Context, q store.Query) (store.Page[domain.WarehouseOrder], error) {
	return a.Orders.List(ctx, q)
}
