package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// The types of object whose transitions systems own, as master data names them.
const (
	ofOrders = "WAREHOUSE_ORDER"
	ofStock  = "STOCK"
	ofReturn = "RETURN"
)

// orderBy decides about a warehouse order by whose word it is.
func orderBy(v authority.Verdict, decide decideOrder) decideOrder {
	return func(o domain.WarehouseOrder, now time.Time) ([]domain.OrderFact, error) {
		return authority.Take(v, now, o.Heard, func() ([]domain.OrderFact, error) { return decide(o, now) },
			func(w authority.Heard) domain.OrderFact { return domain.OrderWordObserved{OrderKeys: o.Keys, Word: w} })
	}
}

// noted says in a receipt that a word did not count.
func noted(v authority.Verdict) []store.Reason {
	if v.Counts() {
		return nil
	}
	return []store.Reason{{Code: authority.NotOwned, Message: v.Text()}}
}

// asserted changes a stock by a command that a system may own, as a type of object has it, and tells in the
// receipt what was booked.
func (a *App) asserted(ctx context.Context, of string, key domain.StockKey, q quantity.Quantity, serials []string, decide decideStock) (store.Receipt, error) {
	v, err := a.Owners.Judge(ctx, of)
	if err != nil {
		return store.Receipt{}, err
	}
	if v.Counts() {
		return a.command(ctx, key.ID, serials, decide, moved(q))
	}
	return a.onStock(ctx, key.ID, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
		return authority.Take(v, now, s.Heard, func() ([]domain.StockFact, error) { return decide(s, now) },
			func(w authority.Heard) domain.StockFact { return domain.HearOfStock(s, key, w) })
	}, func(d *store.Decision[domain.StockFact], _ domain.Stock) { d.Reasons = noted(v) })
}
