package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// IndexWaveable lists by site the warehouse orders that a wave may have.
const IndexWaveable = "waveable"

// Waves is where waves are kept.
type Waves = store.Aggregates[domain.Wave, domain.WaveFact]

// NewWave is a wave as a request has it.
type NewWave struct {
	Site     string
	Method   domain.WaveMethod
	Orders   []string // empty: as the criteria say
	Criteria domain.Criteria
}

// ordersOfWave is how many orders a wave has if the request does not say.
const ordersOfWave = 50

// PlanWave starts a wave, asks its orders and tells which it has. Each order is in one wave at
// most; what ends in between is gone on with by the fact.
func (a *App) PlanWave(ctx context.Context, n NewWave) (store.Receipt, error) {
	cause := store.CauseOf(ctx)
	id := ident.Derive("wav", cause.Tenant, cause.Principal, cause.Key)
	v, err := a.Waves.Get(ctx, id)
	switch {
	case fault.IsKind(err, fault.NotFound):
		if n, err = a.chosen(ctx, n); err != nil {
			return store.Receipt{}, err
		}
	case err != nil:
		return store.Receipt{}, err
	default:
		n.Orders = v.State.Asked // whoever asks again is answered by the receipt
	}
	r, err := a.Waves.Update(ctx, id, func(c store.Current[domain.Wave]) (store.Decision[domain.WaveFact], error) {
		facts, err := domain.RequestWave(c.State, domain.WaveRequested{ID: id, Site: n.Site, Method: n.Method, Orders: n.Orders, At: c.Now.Truncate(time.Millisecond)})
		return store.Decision[domain.WaveFact]{Facts: facts}, err
	})
	if err != nil {
		return r, err
	}
	settled, err := a.settleWave(ctx, id)
	settled.Replayed = r.Replayed
	return settled, err
}

// chosen are the orders of a wave that names none: those of the site that meet the criteria,
// oldest first. A list only proposes; each order decides.
func (a *App) chosen(ctx context.Context, n NewWave) (NewWave, error) {
	ref, err := a.Reference.Lookup(ctx, []string{n.Site}, nil)
	if err != nil {
		return n, err
	}
	if s, ok := ref.Sites[n.Site]; !ok || !s.IsSite {
		return n, domain.Invalid("site", "SITE_UNKNOWN", "no site %q: define it in master data", n.Site)
	}
	if len(n.Orders) > 0 {
		return n, nil
	}
	most, lines := cmp.Or(n.Criteria.MaxOrders, ordersOfWave), 0
	for q := (store.Query{Index: IndexWaveable, Key: n.Site, PageSize: 200}); ; {
		page, err := a.Orders.List(ctx, q)
		if err != nil {
			return n, err
		}
		for _, v := range page.Items {
			if len(n.Orders) < most && n.Criteria.Meets(v.State, lines) {
				n.Orders, lines = append(n.Orders, v.ID), lines+len(v.State.Lines)
			}
		}
		if q.PageToken = page.NextToken; q.PageToken == "" || len(n.Orders) == most {
			return n, nil
		}
	}
}

// settleWave asks the orders of a wave, each under a key of its own, and says which it has.
func (a *App) settleWave(ctx context.Context, id string) (store.Receipt, error) {
	v, err := found(a.Waves.Get(ctx, id))
	if err != nil {
		return store.Receipt{}, err
	}
	w, tenant := v.State, store.CauseOf(ctx).Tenant
	outcome := make([]string, len(w.Asked))
	index := map[string]int{}
	for i, o := range w.Asked {
		index[o] = i
	}
	err = a.each(ctx, slices.Clone(w.Asked), func(ctx context.Context, order string) error {
		_, err := a.onOrder(guard.Derived(ctx, tenant, "wave:"+id+":"+order, w.At), order, func(o domain.WarehouseOrder, _ time.Time) ([]domain.OrderFact, error) {
			return domain.JoinWave(o, w.Site, id)
		})
		if f, refused := fault.As(err); refused && fault.IsKind(err, fault.Refused, fault.NotFound) {
			outcome[index[order]] = f.Reason
			return nil
		}
		return err
	})
	if err != nil {
		return store.Receipt{}, err
	}
	var had []string
	var refused []domain.WaveRefusal
	for i, o := range w.Asked {
		if outcome[i] == "" {
			had = append(had, o)
		} else {
			refused = append(refused, domain.WaveRefusal{ID: o, Reason: outcome[i]})
		}
	}
	return a.onWave(guard.Derived(ctx, tenant, "wave:"+id+":settle", w.At), id, func(w domain.Wave, _ time.Time) ([]domain.WaveFact, error) {
		return domain.SettleWave(w, had, refused), nil
	}, id)
}

// FollowWave goes on with a wave that asked its orders.
func (a *App) FollowWave(ctx context.Context, id string) error {
	_, err := a.settleWave(ctx, id)
	return err
}

// onWave changes a wave that must exist.
func (a *App) onWave(ctx context.Context, id string, decide func(domain.Wave, time.Time) ([]domain.WaveFact, error), created ...string) (store.Receipt, error) {
	return a.Waves.Update(ctx, id, func(c store.Current[domain.Wave]) (store.Decision[domain.WaveFact], error) {
		if c.Version == 0 {
			return store.Decision[domain.WaveFact]{}, notFound()
		}
		facts, err := decide(c.State, c.Now)
		if err != nil {
			return store.Decision[domain.WaveFact]{}, err
		}
		after := c.State
		for _, f := range facts {
			after = domain.EvolveWave(after, f)
		}
		d := store.Decision[domain.WaveFact]{Facts: facts, State: string(after.Stands), Created: created}
		for _, r := range after.Refused[:min(len(after.Refused), maxReasons)] {
			d.Reasons = append(d.Reasons, store.Reason{Code: r.Reason, Field: "warehouse_order_ids", Message: r.ID})
		}
		return d, nil
	})
}

// ReleaseWave gives the steps of a wave to the floor.
func (a *App) ReleaseWave(ctx context.Context, id string) (store.Receipt, error) {
	return a.onWave(ctx, id, func(w domain.Wave, _ time.Time) ([]domain.WaveFact, error) { return domain.ReleaseWave(w) })
}

// CancelWave calls a wave off.
func (a *App) CancelWave(ctx context.Context, id, reason string) (store.Receipt, error) {
	return a.onWave(ctx, id, func(w domain.Wave, now time.Time) ([]domain.WaveFact, error) {
		return domain.CancelWave(w, reason, now)
	})
}

// FollowWaveCancel frees the orders of a wave that was called off.
func (a *App) FollowWaveCancel(ctx context.Context, wave string, orders []string) error {
	return a.each(ctx, orders, func(ctx context.Context, order string) error {
		_, err := a.onOrder(ctx, order, func(o domain.WarehouseOrder, _ time.Time) ([]domain.OrderFact, error) {
			return domain.LeaveWave(o, wave), nil
		})
		return err
	})
}

// Wave returns one wave with its steps, as its orders have their tasks.
func (a *App) Wave(ctx context.Context, id string) (store.View[domain.Wave], []domain.PickStep, error) {
	v, err := found(a.Waves.Get(ctx, id))
	if err != nil {
		return v, nil, err
	}
	ids := make([]string, len(v.State.Orders))
	for i, o := range v.State.Orders {
		ids[i] = o.ID
	}
	views, err := a.Orders.GetMany(ctx, ids)
	if err != nil {
		return v, nil, err
	}
	orders := map[string]domain.WarehouseOrder{}
	for _, o := range views {
		orders[o.ID] = o.State
	}
	return v, domain.PickPath(v.State, orders), nil
}
