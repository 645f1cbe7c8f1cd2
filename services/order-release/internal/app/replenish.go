package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Bounds of serving those who wait.
const (
	maxWaiting = 2000                  // orders looked at for one place
	freshWait  = 2 * time.Second       // for the list to show what was recorded before
	freshPause = 20 * time.Millisecond //
)

// Replenish promises stock that became available to the orders that wait for it, the
// earliest promised to its customer first. recorded is when it became available: the list
// must show every order that began to wait before.
func (a *App) Replenish(ctx context.Context, places []Place, recorded time.Time) error {
	slices.SortFunc(places, func(a, b Place) int { return strings.Compare(a.Key(), b.Key()) })
	for _, p := range slices.Compact(places) {
		if err := a.replenish(ctx, p, recorded); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) replenish(ctx context.Context, p Place, recorded time.Time) error {
	if available, err := a.Stock.Available(ctx, []Place{p}); err != nil || available[p].Sign() <= 0 {
		return err
	}
	waiting, err := a.waiting(ctx, p, recorded)
	if err != nil {
		return err
	}
	var late error
	for _, v := range waiting {
		switch left, err := a.serve(ctx, v.ID, v.State, p); {
		case isBusy(err):
			late = err // it is being served; come back when that is over
		case err != nil:
			return err
		case !left:
			return late
		}
	}
	return late
}

// waiting lists the orders that wait for the place, in the order in which they are served.
func (a *App) waiting(ctx context.Context, p Place, recorded time.Time) ([]store.View[domain.Order], error) {
	deadline := time.Now().Add(freshWait)
	for {
		views, asOf, err := a.listWaiting(ctx, p)
		if err != nil {
			return nil, err
		}
		if !asOf.Before(recorded) {
			slices.SortStableFunc(views, func(a, b store.View[domain.Order]) int {
				if c := promisedTime(a.State).Compare(promisedTime(b.State)); c != 0 {
					return c
				}
				return a.Created.Compare(b.Created)
			})
			return views, nil
		}
		if time.Now().After(deadline) {
			return nil, fault.New(fault.Unavailable, "LIST_TRAILS", "the list of waiting orders is good to %s only", asOf)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(freshPause):
		}
	}
}

// listWaiting reads all pages; the first page says how old the oldest of them may be.
func (a *App) listWaiting(ctx context.Context, p Place) (views []store.View[domain.Order], asOf time.Time, err error) {
	q := store.Query{Index: IndexWaiting, Key: p.Key(), PageSize: 200}
	for {
		page, err := a.Orders.List(ctx, q)
		if err != nil {
			return nil, asOf, err
		}
		if q.PageToken == "" {
			asOf = page.AsOf
		}
		views = append(views, page.Items...)
		if q.PageToken = page.NextToken; q.PageToken == "" || len(views) >= maxWaiting {
			return views, asOf, nil
		}
	}
}

// serve starts and drives an attempt of one order, if the stock there is would help it.
// It reports whether stock is left for others.
func (a *App) serve(ctx context.Context, id string, o domain.Order, p Place) (left bool, err error) {
	needs := needs(o, p)
	if len(needs) == 0 {
		return true, nil
	}
	places := make([]Place, 0, len(needs))
	for place := range needs {
		places = append(places, place)
	}
	available, err := a.Stock.Available(ctx, places)
	if err != nil {
		return false, err
	}
	if available[p].Sign() <= 0 {
		return false, nil
	}
	if o.Header.Rule == domain.Complete {
		for place, need := range needs {
			if available[place].Less(need) {
				return true, nil
			}
		}
	}
	// One event may serve an order at several places.
	ctx = store.WithItem(store.WithItem(ctx, StockID(store.CauseOf(ctx).Tenant, p.Site, p.Item)), id)
	_, err = a.change(ctx, id, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		if o.Attempt.State == domain.AttemptOpen {
			return nil, fault.New(fault.Unavailable, reasonBusy, "attempt %d of the order is under way", o.Attempt.Number)
		}
		return o.RequestPromise(e, domain.Wanted{Site: p.Site, Item: p.Item})
	})
	switch {
	case fault.IsKind(err, fault.Refused):
		return true, nil // nothing to promise any more
	case err != nil:
		return true, err
	}
	v, err := a.Orders.Get(ctx, id)
	if err != nil || v.State.Attempt.State != domain.AttemptOpen {
		return true, err
	}
	return true, a.Drive(ctx, intent(id, v.State.Attempt))
}

// Await looks for stock for an order that has just begun to wait: what arrived while it was
// being promised was announced before the order was listed.
func (a *App) Await(ctx context.Context, id string, recorded time.Time) error {
	v, err := a.Orders.Get(ctx, id)
	if err != nil {
		return err
	}
	return a.Replenish(ctx, waitingPlaces(v.State), recorded)
}

// needs is what the order waits for: at the place, or everywhere when it goes complete.
func needs(o domain.Order, p Place) map[Place]quantity.Decimal {
	sum := map[Place]quantity.Decimal{}
	for i, q := range o.Quantities() {
		at := Place{o.Lines[i].Site, o.Lines[i].Item}
		if q.Promised.Less(q.Backordered) && (at == p || o.Header.Rule == domain.Complete) {
			sum[at] = sum[at].Add(q.Unpromised())
		}
	}
	return sum
}

// reasonBusy says that another attempt of the order is under way: nothing is recorded, the
// same event comes again.
const reasonBusy = "PROMISE_UNDER_WAY"

func isBusy(err error) bool {
	f, ok := fault.As(err)
	return ok && f.Reason == reasonBusy
}
