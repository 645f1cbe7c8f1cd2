package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Get returns one order; a customer sees its own only, another's is as unknown.
func (a *App) Get(ctx context.Context, id string) (store.View[domain.Order], error) {
	own, limited, err := a.ownParty(ctx)
	if err != nil {
		return store.View[domain.Order]{}, err
	}
	v, err := a.Orders.Get(ctx, id)
	if fault.IsKind(err, fault.NotFound) || err == nil && limited && v.State.Header.SoldTo.Code != own {
		return store.View[domain.Order]{}, notFound()
	}
	return v, err
}

// Explain returns one order with what counts for it now.
func (a *App) Explain(ctx context.Context, id string) (store.View[domain.Order], domain.Env, error) {
	v, err := a.Get(ctx, id)
	if err != nil {
		return v, domain.Env{}, err
	}
	now, err := a.Now(ctx)
	return v, now, err
}

// List pages the orders that the caller may see.
func (a *App) List(ctx context.Context, q store.Query) (store.Page[domain.Order], error) {
	own, limited, err := a.ownParty(ctx)
	if err != nil {
		return store.Page[domain.Order]{}, err
	}
	if limited {
		if q.Index == "" {
			q.Index, q.Key = IndexSoldTo, own
		} else {
			q.Key = OwnKey(own, q.Key)
		}
	}
	return a.Orders.List(ctx, q)
}

// OwnKey is the index key under which a customer finds its own.
func OwnKey(party, key string) string { return party + "\n" + key }

// Keys are the index keys of an order: for everybody, and for the customer that bought.
func Keys(o domain.Order, key string) []string {
	if key == "" {
		return nil
	}
	return []string{key, OwnKey(o.Header.SoldTo.Code, key)}
}

// History returns the versions of an order that had facts, ascending from after+1; next is
// where to go on, 0 at the end.
func (a *App) History(ctx context.Context, id string, after uint64, limit int) (commits []store.Commit[domain.Fact], next uint64, err error) {
	if _, err := a.Get(ctx, id); err != nil {
		return nil, 0, err
	}
	all, err := a.Orders.History(ctx, id, after, limit)
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
