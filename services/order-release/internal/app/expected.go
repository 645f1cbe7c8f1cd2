package app

import (
	"context"
	"slices"
	"strconv"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// SupplyWish is what an order asks for of what comes to a place, in all.
type SupplyWish struct {
	Order      string
	Place      Place
	Quantity   quantity.Quantity
	Partial    bool // a part of it helps
	LeaveStock bool // nothing is promised while something is here that others may be first in line for
}

// Date asks inventory to promise what an order waits for of what comes: at the places at which
// it waits and those given no more and no less than that. Stock tells by facts what it promises;
// what it does not is recorded here. Whoever asked looks again whether the order still waits for
// as much, so that the last one who asks has asked for what it is.
//
// Goods that came since somebody looked are not for whoever asks first: those in line are served
// of them before.
func (a *App) Date(ctx context.Context, id string, also ...Place) error {
	for served := false; ; {
		v, err := a.Orders.Get(ctx, id)
		if err != nil {
			return err
		}
		places := union(also, v.State.AwaitedPlaces())
		if len(places) == 0 {
			return nil
		}
		wishes := make([]SupplyWish, len(places))
		for i, p := range places {
			wishes[i] = SupplyWish{Order: id, Place: p, Quantity: v.State.Awaits(p), Partial: v.State.Header.Rule != domain.Complete, LeaveStock: !served}
		}
		asked := store.WithItem(ctx, "v"+strconv.FormatUint(v.Version, 10))
		if served {
			asked = store.WithItem(asked, "served")
		}
		missing, err := a.Stock.PromiseSupplies(asked, wishes)
		if err != nil {
			return err
		}
		if !served && slices.ContainsFunc(missing, isHere) {
			if err := a.serveOf(ctx, missing); err != nil {
				return err
			}
			served = true
			continue
		}
		same, err := a.undate(ctx, v, places, missing)
		if err != nil || same {
			return err
		}
	}
}

// isHere tells what is not promised because it is here, for those who are in line.
func isHere(u domain.Undated) bool { return u.Reason == "STOCK_AVAILABLE" }

// serveOf serves those who wait for what is here.
func (a *App) serveOf(ctx context.Context, missing []domain.Undated) error {
	for _, u := range missing {
		if !isHere(u) {
			continue
		}
		if err := a.Replenish(store.WithItem(ctx, "here"), Place{Site: u.Site, Item: u.Item}); err != nil {
			return err
		}
	}
	return nil
}

// undate records what is not promised; same is false when the order waits for something else by now.
func (a *App) undate(ctx context.Context, v store.View[domain.Order], places []Place, missing []domain.Undated) (same bool, err error) {
	now, err := a.Orders.Get(ctx, v.ID)
	if err != nil {
		return false, err
	}
	for _, p := range union(places, now.State.AwaitedPlaces()) {
		if v.State.Awaits(p).Value != now.State.Awaits(p).Value {
			return false, nil
		}
	}
	for i, u := range missing {
		if facts, err := now.State.Undate(domain.Env{}, u); err != nil || len(facts) == 0 {
			continue // as is known
		}
		item := store.WithItem(store.WithItem(ctx, "u"+strconv.FormatUint(v.Version, 10)), strconv.Itoa(i))
		if _, err := a.change(item, v.ID, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.Undate(e, u) }); err != nil {
			return false, err
		}
	}
	return true, nil
}

func union(places, more []Place) []Place {
	for _, p := range more {
		if !slices.Contains(places, p) {
			places = append(slices.Clip(places), p)
		}
	}
	return places
}

// Dated records what stock says of an order's promise against supplies. A promise of more than
// the order waits for, because whoever asked for it did not look again, is made less.
func (a *App) Dated(ctx context.Context, id string, x domain.Expected, reason string) error {
	if _, err := a.change(ctx, id, func(o domain.Order, e domain.Env) ([]domain.Fact, error) { return o.Date(e, x, reason) }); err != nil {
		return err
	}
	v, err := a.Orders.Get(ctx, id)
	p := Place{Site: x.Site, Item: x.Item}
	if err != nil || !v.State.Awaits(p).Value.Less(x.Promised()) {
		return err
	}
	return a.Date(ctx, id, p)
}

// SuppliesChanged promises what comes to a place to the orders that wait there, the earliest
// promised to its customer first. Who begins to wait meanwhile asks itself, with Date.
func (a *App) SuppliesChanged(ctx context.Context, p Place) error {
	waiting, _, err := a.waiting(ctx, p)
	if err != nil {
		return err
	}
	for _, v := range waiting {
		if v.State.Awaits(p).Value.Sign() <= 0 || v.State.IsPromised(p) {
			continue
		}
		if err := a.Date(store.WithItem(ctx, v.ID), v.ID); err != nil {
			return err
		}
	}
	return nil
}
