package app

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// StopRelease stops the warehouse order of a release, or answers why not; keys lack its id. An
// order that has not come yet is stopped all the same.
func (a *App) StopRelease(ctx context.Context, keys domain.OrderKeys, reason string) error {
	return a.takeBack(ctx, keys, reason, domain.Stop)
}

// takeBack ends the warehouse order of a release in some way.
func (a *App) takeBack(ctx context.Context, keys domain.OrderKeys, reason string, how func(domain.WarehouseOrder, domain.OrderKeys, string) ([]domain.OrderFact, error)) error {
	keys.ID = WarehouseOrderID(store.CauseOf(ctx).Tenant, keys.Release, keys.ReleaseVersion)
	_, err := a.Orders.Update(ctx, keys.ID, func(c store.Current[domain.WarehouseOrder]) (store.Decision[domain.OrderFact], error) {
		return outcome(c, func(o domain.WarehouseOrder, _ time.Time) ([]domain.OrderFact, error) { return how(o, keys, reason) })
	})
	return err
}

// RefuseCancellation lets the warehouse go on.
func (a *App) RefuseCancellation(ctx context.Context, id, reason string) (store.Receipt, error) {
	return a.onOrder(ctx, id, func(o domain.WarehouseOrder, _ time.Time) ([]domain.OrderFact, error) {
		return domain.RefuseCancellation(o, reason)
	})
}

// ConfirmPutBack records what stands in bins again.
func (a *App) ConfirmPutBack(ctx context.Context, id string, lines []domain.PickedLine) (store.Receipt, error) {
	v, err := a.Order(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	for n, l := range lines {
		if l.Location == "" {
			continue // the order says what is missing
		}
		if err := a.takes(ctx, v.State.Site, l.Location, "lines["+strconv.Itoa(n)+"].location"); err != nil {
			return store.Receipt{}, err
		}
	}
	return a.onOrder(ctx, id, func(o domain.WarehouseOrder, now time.Time) ([]domain.OrderFact, error) {
		return domain.PutBack(o, lines, when(ctx, now))
	})
}

// FollowPutBack books what was put back.
func (a *App) FollowPutBack(ctx context.Context, r Reported) error {
	return a.follow(ctx, r, func(s domain.Stock, key domain.StockKey, l domain.PickedLine) []domain.StockFact {
		return domain.TakePutBack(s, key, r.Order, l, r.At)
	})
}

// FollowStop makes claims of what is allocated to a stopped order, and tells the order.
func (a *App) FollowStop(ctx context.Context, id string) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	v, err := a.Orders.Get(ctx, id)
	if err != nil || len(v.State.Lines) == 0 {
		return err
	}
	created, err := a.created(ctx, id)
	if err != nil {
		return err
	}
	f := asCreated(v.State)
	if !v.State.IsAllocated { // or the claims that promised its lines would stay beside what is kept
		if _, _, err := a.allocate(ctx, f, created); err != nil {
			return err
		}
	}
	return a.keep(ctx, f, created)
}

// keep does so under keys of the order, whoever asks: what is allocated becomes a claim once.
func (a *App) keep(ctx context.Context, f domain.OrderCreated, created time.Time) error {
	stocks := byStock(ctx, f)
	var mu sync.Mutex
	var claims []domain.KeptClaim
	step := func(name string) context.Context {
		return guard.Derived(ctx, store.CauseOf(ctx).Tenant, name+":"+f.ID, created)
	}
	err := a.each(ctx, keysOf(stocks), func(ctx context.Context, id string) error {
		key, claim := stocks[id].key, keptKey(f.OrderKeys, id)
		ctx = guard.Derived(ctx, store.CauseOf(ctx).Tenant, "keep:"+f.ID+":"+id, created)
		if _, err := a.onStock(ctx, id, func(s domain.Stock, _ time.Time) ([]domain.StockFact, error) {
			return domain.Keep(s, key, f.ID, claim), nil
		}, nil); err != nil {
			return err
		}
		v, err := a.Stocks.Get(ctx, id)
		if held := v.State.Held(claim); err == nil && held.Sign() > 0 {
			mu.Lock()
			defer mu.Unlock()
			claims = append(claims, domain.KeptClaim{Key: claim, Item: key.Item, SKU: key.SKU, Quantity: quantity.Quantity{Value: held, Unit: key.Unit}})
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(claims, func(a, b domain.KeptClaim) int { return strings.Compare(a.Key, b.Key) })
	if err := faultpoint.Hit(faultpoint.X2); err != nil {
		return err
	}
	_, err = a.onOrder(step("kept"), f.ID, func(o domain.WarehouseOrder, _ time.Time) ([]domain.OrderFact, error) {
		return domain.SetKept(o, claims)
	})
	return err
}

// keptKey is the claim that what was allocated of a stock to a stopped order becomes. It ends with
// the stock, as the claims of orders do.
func keptKey(k domain.OrderKeys, stock string) string {
	return "clm:" + k.Release + ":v" + strconv.Itoa(k.ReleaseVersion) + ":" + stock
}
