package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Weigh records the weight of a handling unit on a scale, held against what it ought to be.
func (a *App) Weigh(ctx context.Context, sscc string, grams int64, device string) (store.Receipt, error) {
	expected, site, err := a.expected(ctx, sscc)
	if err != nil {
		return store.Receipt{}, err
	}
	t, _, err := a.Tolerance(ctx, site)
	if err != nil {
		return store.Receipt{}, err
	}
	w := domain.Weighing{Weight: grams, Expected: expected, Device: device}
	if w.Tolerance, err = t.Of(expected); err != nil {
		return store.Receipt{}, err
	}
	var reasons []store.Reason
	return a.onUnit(ctx, sscc, func(u domain.HandlingUnit, now time.Time) ([]domain.UnitFact, error) {
		w.At = when(ctx, now)
		facts, err := domain.Weigh(u, w)
		reasons = nil
		if after := domain.ApplyUnit(u, facts...); err == nil && after.Held() {
			f, _ := fault.As(domain.AuditRefusal(after))
			reasons = []store.Reason{{Code: f.Reason, Field: "weight_grams", Message: f.Message}}
		}
		return facts, err
	}, func(d *store.Decision[domain.UnitFact]) { d.Reasons = reasons })
}

// expected is what a unit ought to weigh, grams: its tare, what is packed in it, and what the
// units in it weigh; 0 if something of it is not known.
func (a *App) expected(ctx context.Context, sscc string) (grams int64, site string, err error) {
	views, more, err := a.Tree(ctx, sscc)
	if err != nil {
		return 0, "", err
	}
	units := States(views)
	u := units[0]
	var ids []string
	for _, l := range u.Content {
		ids = append(ids, l.Item)
	}
	items, err := a.Reference.Items(ctx, ids)
	if err != nil || more {
		return 0, u.Keys.Site, err
	}
	return domain.ExpectedWeight(u, items, domain.Weights(units)), u.Keys.Site, nil
}

// ReleaseHold lets a handling unit leave in spite of its weight.
func (a *App) ReleaseHold(ctx context.Context, sscc, reason string) (store.Receipt, error) {
	by := guard.Author(ctx)
	return a.onUnit(ctx, sscc, func(u domain.HandlingUnit, _ time.Time) ([]domain.UnitFact, error) {
		return domain.ReleaseHold(u, reason, by)
	})
}

// heldUnit is a carton of a warehouse order that is on hold, or a unit that it is in; nil for none.
// Units are read by id, so that whoever was told of a hold finds it.
func (a *App) heldUnit(ctx context.Context, order string) (*domain.HandlingUnit, error) {
	v, err := a.Order(ctx, order)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, c := range v.State.OpenCartons() {
		ids[unitID(ctx, c.SSCC)] = true
	}
	for len(ids) > 0 {
		units, err := a.unitsOf(ctx, keysOf(ids))
		if err != nil {
			return nil, err
		}
		ids = map[string]bool{}
		for _, u := range units {
			if u.State.Held() {
				return &u.State, nil
			}
			if u.State.Parent != "" {
				ids[unitID(ctx, u.State.Parent)] = true
			}
		}
	}
	return nil, nil //nolint:nilnil // none is held
}
