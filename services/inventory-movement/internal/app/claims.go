package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Claim is a claim on one stock.
type Claim struct {
	Key               string
	Site, Item, Owner string
	Quantity          quantity.Quantity
	Promise           string // of what is to come, whose goods it may take; "" for none
}

// Grant is what a claim was granted, or why it was not.
type Grant struct {
	Granted quantity.Quantity // value 0 when it was refused
	Refusal *fault.Error
}

// Reserve makes each claim under a key derived from its own, so that the same claim in
// another call is the same command. Claims on one stock are made one after another, so
// that their sum counts; stocks are taken in the order of their ids.
func (a *App) Reserve(ctx context.Context, claims []Claim, partial bool) ([]Grant, error) {
	grants := make([]Grant, len(claims))
	ids := make([]string, len(claims))
	for i, c := range claims {
		ids[i] = c.Item
	}
	items, err := a.Reference.Items(ctx, ids)
	if err != nil {
		return nil, err
	}
	err = a.byStock(ctx, claims, func(ctx context.Context, id string, i int) error {
		c := claims[i]
		r, err := a.reserve(ctx, id, c, partial, items[c.Item])
		f, refused := fault.As(err)
		switch {
		case err == nil:
			value, err := quantity.Parse(r.Values["granted"])
			grants[i].Granted = quantity.Quantity{Value: value, Unit: c.Quantity.Unit}
			return err
		case refused && (f.Kind == fault.Refused || f.Kind == fault.Invalid):
			grants[i].Refusal = f
			return nil
		}
		return err
	})
	return grants, err
}

func (a *App) reserve(ctx context.Context, id string, c Claim, partial bool, item domain.Item) (store.Receipt, error) {
	if c.Quantity.Value.Sign() <= 0 {
		return store.Receipt{}, domain.Invalid("quantity", "QUANTITY_INVALID", "a claim must be more than 0")
	}
	key := stockKey(id, c)
	return a.onStock(derived(ctx, c.Key), id, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
		if s.Key.Unit != "" && s.Key.Unit != c.Quantity.Unit {
			return nil, fault.New(fault.Refused, "UNIT_UNKNOWN", "the stock is counted in %s, not %s", s.Key.Unit, c.Quantity.Unit)
		}
		return domain.ReserveFor(s, key, domain.Claim{Key: c.Key, Quantity: c.Quantity.Value}, c.Promise, partial, domain.RuleOf(item, now, a.Strategy))
	}, func(d *store.Decision[domain.StockFact], s domain.Stock) {
		d.Values = map[string]string{"granted": s.Held(c.Key).String()}
	})
}

// derived gives a step of a claim its key; the time is that of what the caller acts for.
func derived(ctx context.Context, key string) context.Context {
	cause := store.CauseOf(ctx)
	return guard.Derived(ctx, cause.Tenant, key, cause.KeyTime)
}

func stockKey(id string, c Claim) domain.StockKey {
	return domain.StockKey{ID: id, Site: c.Site, Item: c.Item, Owner: ownerOf(c.Owner), Unit: c.Quantity.Unit}
}

// Release closes each claim for good.
func (a *App) Release(ctx context.Context, claims []Claim) ([]store.Receipt, error) {
	receipts := make([]store.Receipt, len(claims))
	err := a.byStock(ctx, claims, func(ctx context.Context, id string, i int) error {
		c := claims[i]
		var err error
		receipts[i], err = a.onStock(derived(ctx, c.Key+"/close"), id, func(s domain.Stock, _ time.Time) ([]domain.StockFact, error) {
			return domain.Release(s, stockKey(id, c), c.Key)
		}, nil)
		return err
	})
	return receipts, err
}

// byStock runs do for each claim: those of one stock in the order of their keys, several
// stocks at a time.
func (a *App) byStock(ctx context.Context, claims []Claim, do func(ctx context.Context, stock string, i int) error) error {
	tenant := store.CauseOf(ctx).Tenant
	byID := map[string][]int{}
	for i, c := range claims {
		id := StockID(tenant, c.Site, c.Item, c.Owner)
		byID[id] = append(byID[id], i)
	}
	var group errgroup.Group
	group.SetLimit(a.Parallel)
	ids := make([]string, 0, len(byID))
	for id, of := range byID {
		ids = append(ids, id)
		slices.SortStableFunc(of, func(x, y int) int { return strings.Compare(claims[x].Key, claims[y].Key) })
	}
	slices.Sort(ids)
	for _, id := range ids {
		group.Go(func() error {
			for _, i := range byID[id] {
				if err := do(ctx, id, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}
