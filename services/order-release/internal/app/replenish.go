package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// maxWaiting bounds the orders looked at for one place.
const maxWaiting = 2000

// Replenish promises stock that became available to the orders that wait for it, the
// earliest promised to its customer first. An order that begins to wait meanwhile and is
// not listed yet looks for the stock itself, with Await.
func (a *App) Replenish(ctx context.Context, p Place) error {
	waiting, _, err := a.waiting(ctx, p)
	if err != nil {
		return err
	}
	return a.serveAll(ctx, p, waiting)
}

// Await looks for stock for an order that has just begun to wait: once it is listed, so
// that whoever brings stock later finds it, and stock that came before is found here.
func (a *App) Await(ctx context.Context, id string) error {
	v, err := a.Orders.Get(ctx, id)
	if err != nil {
		return err
	}
	for _, p := range waitingPlaces(v.State) {
		waiting, all, err := a.waiting(ctx, p)
		if err != nil {
			return err
		}
		if all && !slices.ContainsFunc(waiting, func(v store.View[domain.Order]) bool { return v.ID == id }) {
			return fault.New(fault.Unavailable, "LIST_TRAILS", "the order is not yet listed as waiting at %s", p.Key())
		}
		if err := a.serveAll(ctx, p, waiting); err != nil {
			return err
		}
	}
	return nil
}

// serveAll serves the orders in their order until nothing is left. It passes by none that another
// is just serving, which could get what that one is about to claim: it comes back when that is over.
func (a *App) serveAll(ctx context.Context, p Place, waiting []store.View[domain.Order]) error {
	for _, v := range waiting {
		if left, err := a.serve(ctx, v.ID, v.State, p); err != nil || !left {
			return err
		}
	}
	return nil
}

// waiting lists the orders that wait for the place, in the order in which they are served;
// all is false when there are more.
func (a *App) waiting(ctx context.Context, p Place) (views []store.View[domain.Order], all bool, err error) {
	q := store.Query{Index: IndexWaiting, Key: p.Key(), PageSize: 200}
	for !all && len(views) < maxWaiting {
		page, err := a.Orders.List(ctx, q)
		if err != nil {
			return nil, false, err
		}
		views = append(views, page.Items...)
		q.PageToken = page.NextToken
		all = page.NextToken == ""
	}
	slices.SortStableFunc(views, func(a, b store.View[domain.Order]) int {
		return cmp.Or(byDate(a.State, b.State, p), promisedTime(a.State).Compare(promisedTime(b.State)), a.Created.Compare(b.Created))
	})
	return views, all, nil
}

// byDate puts those first who were promised what comes to a place, the earliest date first. The
// others are alike, whether nothing is to come for them or that was not looked at yet.
func byDate(a, b domain.Order, p Place) int {
	rank := func(o domain.Order) (int, time.Time) {
		if x, promised := o.ExpectedAt(p); promised && x.Uncovered.Sign() <= 0 {
			return 0, x.Complete()
		}
		return 1, time.Time{}
	}
	first, at := rank(a)
	second, other := rank(b)
	return cmp.Or(first-second, at.Compare(other))
}

// serve starts and drives an attempt of one order, if the stock there is would help it.
// It reports whether stock is left for others.
func (a *App) serve(ctx context.Context, id string, o domain.Order, p Place) (left bool, err error) {
	if !slices.Contains(waitingPlaces(o), p) {
		return true, nil
	}
	places := []Place{p}
	if o.Header.Rule == domain.Complete { // a part does not help it
		places, _ = o.Needs()
	}
	available, err := a.Stock.Available(ctx, id, places)
	if err != nil {
		return false, err
	}
	if available[p].Sign() <= 0 {
		_, promised := o.ExpectedAt(p)
		return promised, nil // nothing for this one may still be something for another that was promised it
	}
	if o.Header.Rule == domain.Complete && !o.Covers(available) {
		return true, nil
	}
	// One event may serve an order at several places.
	ctx = store.WithItem(store.WithItem(ctx, StockID(store.CauseOf(ctx).Tenant, p.Site, p.Item)), id)
	_, err = a.changeWith(ctx, id, domain.Env{Available: available}, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		if o.Attempt.State == domain.AttemptOpen {
			return nil, fault.New(fault.Unavailable, reasonBusy, "attempt %d of the order is under way", o.Attempt.Number)
		}
		return o.RequestPromise(e, p)
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

// reasonBusy says that another attempt of the order is under way: nothing is recorded, the
// same event comes again.
const reasonBusy = "PROMISE_UNDER_WAY"
