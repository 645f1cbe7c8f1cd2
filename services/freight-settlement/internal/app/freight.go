package app

import (
	"context"
	"errors"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// Estimate rates a shipment whose tender was accepted.
func (a *App) Estimate(ctx context.Context, k domain.Keys, s domain.Shipment, revision int64) error {
	f, err := a.freight(ctx, &k)
	if err != nil {
		return err
	}
	s.WeightGrams = f.Weight(s.WeightGrams)
	r, err := a.Rate(ctx, s)
	if err != nil {
		return err
	}
	return a.change(ctx, k.Freight, func(f domain.Freight) ([]domain.FreightFact, error) {
		return domain.Estimate(f, domain.FreightEstimated{Keys: k, Basis: s, Rating: r, Revision: revision})
	})
}

// Accrue opens the accrual of a dispatched shipment.
func (a *App) Accrue(ctx context.Context, e domain.FreightAccrued) error {
	f, err := a.freight(ctx, &e.Keys)
	if err != nil {
		return err
	}
	e.Basis.WeightGrams = f.Weight(e.Basis.WeightGrams)
	if e.Rating, err = a.Rate(ctx, e.Basis); err != nil {
		return err
	}
	return a.change(ctx, e.Freight, func(f domain.Freight) ([]domain.FreightFact, error) { return domain.Accrue(f, e) })
}

// Finalise rates a delivered shipment again on what was delivered, by the version of the
// rate card that it was dispatched under.
func (a *App) Finalise(ctx context.Context, k domain.Keys, weight int64) error {
	f, err := a.freight(ctx, &k)
	if err != nil {
		return err
	}
	r, err := a.rateAgain(ctx, f, weight)
	if err != nil {
		return err
	}
	return a.change(ctx, k.Freight, func(f domain.Freight) ([]domain.FreightFact, error) { return domain.Finalise(f, k, weight, r) })
}

// rateAgain rates a freight on another weight, if there is one, by the version that rated it.
func (a *App) rateAgain(ctx context.Context, f domain.Freight, weight int64) (domain.Rating, error) {
	s := f.Basis
	if weight > 0 {
		s.WeightGrams = weight
	}
	c, err := a.cards(ctx, s.Carrier)
	return domain.RateAgain(c, s, f.Rating.Version), err
}

// trueUp rates what was delivered of a freight whose charges an invoice gave back.
func (a *App) trueUp(ctx context.Context, id string) error {
	v, err := a.Freights.Get(ctx, id)
	if err != nil || !v.State.NeedsTrueUp() {
		return err
	}
	r, err := a.rateAgain(ctx, v.State, v.State.Delivered)
	if err != nil {
		return err
	}
	return a.change(ctx, id, func(f domain.Freight) ([]domain.FreightFact, error) { return domain.TrueUp(f, r) })
}

// Reverse takes back what was accrued for a shipment that was called off. One that no
// carrier had accepted, so that nothing was ever expected, leaves no trace.
func (a *App) Reverse(ctx context.Context, shipment, reason string, hadCarrier bool, revision int64) error {
	k := domain.Keys{Shipment: shipment}
	f, err := a.freight(ctx, &k)
	if err != nil || f.Keys.Freight == "" && !hadCarrier {
		return err
	}
	return a.change(ctx, k.Freight, func(f domain.Freight) ([]domain.FreightFact, error) {
		return domain.Reverse(f, domain.Of{Freight: k.Freight, Shipment: shipment}, reason, revision)
	})
}

// Refer adds the numbers of a later report of a departure.
func (a *App) Refer(ctx context.Context, shipment string, r domain.Reported) error {
	id := FreightID(tenant(ctx), shipment)
	return a.change(ctx, id, func(f domain.Freight) ([]domain.FreightFact, error) {
		return domain.Refer(f, domain.Of{Freight: id, Shipment: shipment}, r)
	})
}

// freight completes the keys and returns the freight as it is; zero if it is not begun.
func (a *App) freight(ctx context.Context, k *domain.Keys) (domain.Freight, error) {
	k.Freight = FreightID(tenant(ctx), k.Shipment)
	v, err := a.Freights.Get(ctx, k.Freight)
	if err != nil && !fault.IsKind(err, fault.NotFound) {
		return domain.Freight{}, err
	}
	return v.State, nil
}

// Rerate rates one freight that no rate covered when it was reckoned. A card that is
// published while a freight begins is seen here or by RateWaiting, in whatever order.
func (a *App) Rerate(ctx context.Context, id string) error {
	v, err := a.Freights.Get(ctx, id)
	if err != nil || !v.State.WaitsForRate() {
		return err
	}
	f := v.State
	s := f.Basis
	s.WeightGrams = f.Weight(s.WeightGrams)
	r, err := a.Rate(ctx, s)
	if err != nil || !r.Rated() {
		return err
	}
	return a.change(ctx, id, func(f domain.Freight) ([]domain.FreightFact, error) { return domain.Rerate(f, r) })
}

// RateWaiting rates what waited for a card that a carrier published at a moment.
func (a *App) RateWaiting(ctx context.Context, carrier string, published time.Time) error {
	var failed error
	q := store.Query{Index: IndexUnrated, Key: carrier, PageSize: 200}
	for {
		page, err := a.Freights.List(ctx, q)
		if err != nil {
			return err
		}
		if page.AsOf.Before(published) { // one that began to wait before is not in the list yet
			return fault.New(fault.Unavailable, "LIST_TRAILS", "the list of unrated freights is good to %s only", page.AsOf)
		}
		for _, v := range page.Items {
			step := guard.Derived(ctx, tenant(ctx), store.CauseOf(ctx).Key+"/"+v.ID, published)
			failed = errors.Join(failed, a.Rerate(step, v.ID))
		}
		if q.PageToken = page.NextToken; q.PageToken == "" {
			return failed
		}
	}
}

// change runs a decision on a freight.
func (a *App) change(ctx context.Context, id string, d func(domain.Freight) ([]domain.FreightFact, error)) error {
	_, err := a.Freights.Update(ctx, id, func(c store.Current[domain.Freight]) (store.Decision[domain.FreightFact], error) {
		facts, err := d(c.State)
		if err != nil {
			return store.Decision[domain.FreightFact]{}, err
		}
		return store.Decision[domain.FreightFact]{Facts: facts, State: string(domain.ApplyFreight(c.State, facts...).State())}, nil
	})
	return err
}

// Freight returns one freight.
func (a *App) Freight(ctx context.Context, id string) (store.View[domain.Freight], error) {
	return a.Freights.Get(ctx, id)
}
