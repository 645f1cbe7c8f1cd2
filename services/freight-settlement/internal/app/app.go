// Package app holds the use cases of freight settlement: rate cards, the freight of a
// shipment as its facts arrive, and the match of a carrier's invoice, which claims its
// charges one freight at a time and decides in one commit.
package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// The stores of this service's aggregates.
type (
	// Cards keeps the rate cards of a carrier.
	Cards = store.Aggregates[domain.Cards, domain.CardFact]
	// Freights keeps the freight of a shipment.
	Freights = store.Aggregates[domain.Freight, domain.FreightFact]
	// Invoices keeps carriers' invoices.
	Invoices = store.Aggregates[domain.Invoice, domain.InvoiceFact]
)

// Indexes of the lists and timers.
const (
	IndexState     = "state"
	IndexOrder     = "order"
	IndexReference = "reference"
	IndexDue       = "due"
)

// App is the use cases.
type App struct {
	Cards     Cards
	Freights  Freights
	Invoices  Invoices
	Clock     clock.Clock
	Tolerance domain.Tolerance
	// Retry is how long an invoice waits before its unknown references are looked up again.
	Retry time.Duration
}

// CardID derives the id of a carrier's rate cards.
func CardID(tenant, carrier string) string { return ident.Derive("rate", tenant, carrier) }

// FreightID derives the id of a shipment's freight.
func FreightID(tenant, shipment string) string { return ident.Derive("frt", tenant, shipment) }

// InvoiceID derives the id of a carrier's invoice from its number without dress.
func InvoiceID(tenant, carrier, number string) string {
	return ident.Derive("inv", tenant, carrier, domain.NormalNumber(number))
}

func tenant(ctx context.Context) string { return store.CauseOf(ctx).Tenant }

// PublishCard publishes a version of a carrier's rate card.
func (a *App) PublishCard(ctx context.Context, card domain.Card) (store.Receipt, error) {
	return a.Cards.Update(ctx, CardID(tenant(ctx), card.Carrier), func(c store.Current[domain.Cards]) (store.Decision[domain.CardFact], error) {
		facts, err := domain.Publish(c.State, card)
		if err != nil {
			return store.Decision[domain.CardFact]{}, err
		}
		return store.Decision[domain.CardFact]{Facts: facts, State: "PUBLISHED"}, nil
	})
}

// Rate returns what a shipment costs; a shipment without a moment is rated for now.
func (a *App) Rate(ctx context.Context, s domain.Shipment) (domain.Rating, error) {
	if s.At.IsZero() {
		s.At = a.Clock.Now()
	}
	v, err := a.Cards.Get(ctx, CardID(tenant(ctx), s.Carrier))
	if err != nil && !fault.IsKind(err, fault.NotFound) {
		return domain.Rating{}, err
	}
	return domain.Rate(v.State, s), nil
}

// Estimate rates a shipment whose tender was accepted.
func (a *App) Estimate(ctx context.Context, k domain.Keys, s domain.Shipment) error {
	return a.rated(ctx, k, s, domain.Estimate)
}

// Finalise rates a delivered shipment again on what was delivered.
func (a *App) Finalise(ctx context.Context, shipment string, weight int64) error {
	id := FreightID(tenant(ctx), shipment)
	v, err := a.Freights.Get(ctx, id)
	if err != nil {
		return waits(err, shipment)
	}
	s := v.State.Basis
	if weight > 0 {
		s.WeightGrams = weight
	}
	return a.rated(ctx, v.State.Keys, s, func(f domain.Freight, _ domain.Keys, r domain.Rating) ([]domain.FreightFact, error) {
		return domain.Finalise(f, r)
	})
}

// waits turns "no such freight" into "not yet": the fact that starts it comes before on the same lane.
func waits(err error, shipment string) error {
	if fault.IsKind(err, fault.NotFound) {
		return fault.New(fault.Unavailable, "FREIGHT_NOT_STARTED_YET", "freight of %s is not started yet", shipment)
	}
	return err
}

type onRating func(domain.Freight, domain.Keys, domain.Rating) ([]domain.FreightFact, error)

func (a *App) rated(ctx context.Context, k domain.Keys, s domain.Shipment, then onRating) error {
	k.Freight = FreightID(tenant(ctx), k.Shipment)
	r, err := a.Rate(ctx, s)
	if err != nil {
		return err
	}
	_, err = a.change(ctx, k.Freight, func(f domain.Freight) ([]domain.FreightFact, error) { return then(f, k, r) })
	return err
}

// Accrue opens the accrual of a dispatched shipment.
func (a *App) Accrue(ctx context.Context, f domain.FreightAccrued, s domain.Shipment) error {
	return a.rated(ctx, f.Keys, s, func(now domain.Freight, k domain.Keys, r domain.Rating) ([]domain.FreightFact, error) {
		f := f
		f.Keys, f.Rating, f.Basis = k, r, s
		return domain.Accrue(now, f)
	})
}

// change runs a decision on a freight.
func (a *App) change(ctx context.Context, id string, d func(domain.Freight) ([]domain.FreightFact, error)) (store.Receipt, error) {
	return a.Freights.Update(ctx, id, func(c store.Current[domain.Freight]) (store.Decision[domain.FreightFact], error) {
		facts, err := d(c.State)
		if err != nil {
			return store.Decision[domain.FreightFact]{}, err
		}
		return store.Decision[domain.FreightFact]{Facts: facts, State: string(domain.ApplyFreight(c.State, facts...).State())}, nil
	})
}
