// Package app holds the use cases of inventory: stock and its claims, what the warehouse
// reports of its orders, and what follows from that in stock. Each step that follows has a
// key of its own for each stock, so that taking it again has no second effect.
package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Indexes under which warehouse orders are listed.
const (
	IndexState = "state"
	IndexOrder = "order" // order id
	IndexSite  = "site"
)

// Stocks is where stock is kept.
type Stocks = store.Aggregates[domain.Stock, domain.StockFact]

// Orders is where warehouse orders are kept.
type Orders = store.Aggregates[domain.WarehouseOrder, domain.OrderFact]

// Ledger holds stock against its commits.
type Ledger = store.Ledger[domain.Stock]

// Reference is the service's own copy of master data.
type Reference interface {
	// Lookup returns the sites and items named by code, as far as they exist.
	Lookup(ctx context.Context, sites, skus []string) (domain.Reference, error)
	// Items returns the items named by id, as far as they are known.
	Items(ctx context.Context, ids []string) (map[string]domain.Item, error)
}

// App is the use cases.
type App struct {
	Stocks    Stocks
	Ledger    Ledger
	Drift     Drift
	Orders    Orders
	SSCCs     *SSCCs
	Serials   Serials
	Inbounds  Inbounds
	Clock     clock.Clock
	Units     Units
	Packing   PackingSites
	Waves     Waves
	Reference Reference
	Places    Places
	Reasons   Reasons
	Owners    *owners.Owners // who may give which command
	Parallel  int            // stocks that one command or fact changes at a time
	// Policies say by site in which order stock is allocated that does not expire; Strategy
	// holds where they do not.
	Policies Policies
	Strategy domain.Strategy
	// PackAudit is by how much a weight may differ at a site that does not say.
	PackAudit domain.Tolerance
	Horizon   time.Duration // supplies that come later are not promised
	// Timetables say when carriers come; Rates how much a site does in an hour.
	Timetables Timetables
	Rates      domain.Rates
}

// StockID derives the id of the stock of an item at a site.
func StockID(tenant, site, item, owner string) string {
	return ident.Derive("stk", tenant, site, item, ownerOf(owner))
}

// ItemID derives the id of an item, as master data does.
func ItemID(tenant, sku string) string { return ident.Derive("itm", tenant, sku) }

// notFound is the answer for what is unknown or another tenant's.
func notFound() error { return fault.New(fault.NotFound, "NOT_FOUND", "unknown") }

func ownerOf(owner string) string {
	if owner == "" {
		return domain.OwnStock
	}
	return owner
}

// when is when the report that is being recorded happened, as far as its source says.
func when(ctx context.Context, now time.Time) time.Time {
	if at := store.CauseOf(ctx).Source.EventTime; !at.IsZero() {
		return at
	}
	return now
}

// decideStock is what a use case asks of the domain.
type decideStock func(s domain.Stock, now time.Time) ([]domain.StockFact, error)

// onStock changes one stock, which comes into being with its first fact. What it is told of pieces
// that come into it is a report.
func (a *App) onStock(ctx context.Context, id string, decide decideStock, qualify func(*store.Decision[domain.StockFact], domain.Stock)) (store.Receipt, error) {
	r, err := a.Stocks.Update(ctx, id, func(c store.Current[domain.Stock]) (store.Decision[domain.StockFact], error) {
		facts, err := decide(c.State, c.Now)
		if err == nil && domain.Entering(facts) {
			err = errUnclaimed
		}
		return settled(c, facts, err, qualify)
	})
	if err != nil && errors.Is(err, errUnclaimed) {
		return a.enter(ctx, id, entry{}, decide, qualify)
	}
	return r, err
}

// settled is the decision of a use case with what follows from it in the same commit.
func settled(c store.Current[domain.Stock], facts []domain.StockFact, err error, qualify func(*store.Decision[domain.StockFact], domain.Stock)) (store.Decision[domain.StockFact], error) {
	if err == nil {
		facts = append(facts, domain.Redated(c.State, facts, dayOf(c.Now))...)
	}
	d := store.Decision[domain.StockFact]{Facts: facts}
	if err == nil && qualify != nil {
		qualify(&d, domain.ApplyStock(c.State, facts...))
	}
	return d, err
}

// each runs do for every stock, in the order of their ids and several at a time, under a
// key of its own each. It returns the first error after all have ended.
func (a *App) each(ctx context.Context, stocks []string, do func(ctx context.Context, stock string) error) error {
	stocks = slices.Compact(slices.Sorted(slices.Values(stocks)))
	if len(stocks) == 1 {
		return do(store.WithItem(ctx, stocks[0]), stocks[0])
	}
	var group errgroup.Group
	group.SetLimit(a.Parallel)
	for _, id := range stocks {
		group.Go(func() error { return do(store.WithItem(ctx, id), id) })
	}
	return group.Wait()
}

// under puts the fields of a fault under the place of the item in a request.
func under(path string, err error) error {
	if path == "" {
		return err
	}
	return domain.Below(path, err)
}
