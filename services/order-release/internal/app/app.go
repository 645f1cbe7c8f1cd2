// Package app holds the use cases of order release: each loads one order, lets the domain
// decide and commits what it decided. Promising drives claims on stock that belongs to
// inventory; every step of it can be taken again by anybody without a second effect.
package app

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Indexes under which orders are listed.
const (
	IndexNumber  = "number"  // order number, of any source system
	IndexPO      = "po"      // customer's purchase order number
	IndexState   = "state"   //
	IndexSoldTo  = "sold_to" // party code
	IndexWaiting = "waiting" // place (site/item) of what waits for stock
	IndexDue     = "due"     // when GiveUp, Retry or Wake has something to do
	IndexChannel = "channel" // code of the channel that a release waits for
)

// App is the use cases.
type App struct {
	Orders    Orders
	Stock     Stock
	Reference Reference
	Policies  *Policies
	Owners    *owners.Owners // who may give which command
	Loads     Loads
	Limits    domain.Limits
}

// OrderID derives the id of an order.
func OrderID(tenant, source, number string) string {
	return ident.Derive("ord", tenant, source, number)
}

// StockID derives the id of the stock of an item at a site.
func StockID(tenant, site, item string) string {
	return ident.Derive("stk", tenant, site, item, domain.Owner)
}

// decide is what a use case asks of the domain.
type decide func(o domain.Order, e domain.Env) ([]domain.Fact, error)

// change runs d on an order that must exist.
func (a *App) change(ctx context.Context, id string, d decide) (store.Receipt, error) {
	return a.changeWith(ctx, id, domain.Env{}, d)
}

// releasing runs d, which may release something, with the tenant's channels.
func (a *App) releasing(ctx context.Context, id string, seen domain.Places, d decide) (store.Receipt, error) {
	p, err := a.Policies.of(ctx)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.changeWith(ctx, id, domain.Env{Available: seen, Gate: p.gate, Freeze: p.freeze}, d)
}

func (a *App) changeWith(ctx context.Context, id string, e domain.Env, d decide) (store.Receipt, error) {
	v, err := a.Owners.Judge(ctx, ofOrders)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.Orders.Update(ctx, id, func(c store.Current[domain.Order]) (store.Decision[domain.Fact], error) {
		if c.Version == 0 {
			return store.Decision[domain.Fact]{}, notFound()
		}
		return a.judged(ctx, c, e, v, d)
	})
}

// notFound is the answer for an order that is unknown, another tenant's or another customer's.
func notFound() error { return fault.New(fault.NotFound, "NOT_FOUND", "unknown") }

// outcome decides with what e brings from elsewhere.
func (a *App) outcome(ctx context.Context, c store.Current[domain.Order], e domain.Env, d decide) (store.Decision[domain.Fact], error) {
	e.Now, e.By, e.Limits = c.Now, store.CauseOf(ctx).Principal, a.Limits
	e.Stock = func(site, item string) string { return StockID(c.Tenant, site, item) }
	facts, err := d(c.State, e)
	if err != nil {
		return store.Decision[domain.Fact]{}, err
	}
	next := domain.Apply(c.State, facts...)
	out := store.Decision[domain.Fact]{Facts: facts, State: string(next.State()), Values: map[string]string{}}
	for _, f := range facts {
		qualify(&out, f)
	}
	if len(next.Holds) > 0 {
		names := make([]string, len(next.Holds))
		for i, h := range next.Holds {
			names[i] = string(h.Type)
		}
		out.Values["holds"] = strings.Join(names, ",")
	}
	return out, nil
}

// Bounds of a receipt.
const (
	maxReasons = 6
	maxMessage = 160
	maxCreated = 30
)

// qualify puts into the receipt what the caller needs to know of a fact.
func qualify(out *store.Decision[domain.Fact], f domain.Fact) {
	switch f := f.(type) {
	case domain.OrderRejected:
		out.Values["reasons"] = strconv.Itoa(len(f.Reasons))
		for _, r := range f.Reasons[:min(len(f.Reasons), maxReasons)] {
			out.Reasons = append(out.Reasons, store.Reason{Code: r.Code, Field: r.Field, Message: shorten(r.Message)})
		}
	case domain.PromiseRequested:
		out.Values["attempt"] = strconv.Itoa(f.Attempt)
	case domain.ReleaseDeferred:
		out.Values["channel"], out.Values["deferred"] = f.Deferral.Channel, f.Deferral.Reason
	case domain.AmendmentAsked:
		out.Values["amended_version"] = strconv.Itoa(f.Amended)
	case domain.OrderReleased:
		if len(out.Created) < maxCreated {
			out.Created = append(out.Created, domain.ReleaseID(f.Order, f.Release))
		}
	}
}

func shorten(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "…"
}

// Place is where an item is stocked.
type Place = domain.Wanted

// waitingPlaces are the places whose stock an order's remainder waits for.
func waitingPlaces(o domain.Order) []Place {
	var places []Place
	known := map[Place]bool{}
	for i, q := range o.Quantities() {
		if !q.Promised.Less(q.Backordered) {
			continue
		}
		for _, site := range o.Candidates(i) {
			if p := (Place{Site: site, Item: o.Lines[i].Item}); !known[p] {
				known[p] = true
				places = append(places, p)
			}
		}
	}
	return places
}

// WaitingKeys are the index keys of waitingPlaces.
func WaitingKeys(o domain.Order) []string {
	var keys []string
	for _, p := range waitingPlaces(o) {
		keys = append(keys, p.Key())
	}
	return keys
}

// promisedTime orders those who wait: by the time promised to the customer.
func promisedTime(o domain.Order) time.Time {
	if o.Header.Promised.IsZero() {
		return o.Header.ReceivedTime
	}
	return o.Header.Promised
}
