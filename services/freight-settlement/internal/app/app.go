// Package app holds the use cases of freight settlement: rate cards, the freight of a
// shipment as its facts arrive, and the match of a carrier's invoice, which claims its
// charges one freight at a time and decides in one commit.
package app

import (
	"context"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
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
	IndexReference = "reference" // as people write it
	IndexCarrier   = "carrier"   // CarrierKey of each reference
	IndexUnrated   = "unrated"   // carrier whose card may rate it
	IndexWaiting   = "waiting"   // CarrierKey of each reference that an invoice waits for
	IndexDue       = "due"
)

// Carriers is master data as far as rate cards need it.
type Carriers interface {
	// Known reports whether there is such a carrier; Unavailable while nobody can tell.
	Known(ctx context.Context, code string) (bool, error)
}

// App is the use cases.
type App struct {
	Owners    *owners.Owners // who may give which command
	Carriers  Carriers
	Cards     Cards
	Freights  Freights
	Invoices  Invoices
	Clock     clock.Clock
	Tolerance domain.Tolerance
	// Retry is how long an invoice waits before its unknown references are looked up again;
	// it doubles with each attempt.
	Retry time.Duration
	// Attempt is how long a match may take before it is taken up again.
	Attempt time.Duration
}

// CardID derives the id of a carrier's rate cards.
func CardID(tenant, carrier string) string { return ident.Derive("rate", tenant, carrier) }

// FreightID derives the id of a shipment's freight.
func FreightID(tenant, shipment string) string { return ident.Derive("frt", tenant, shipment) }

// InvoiceID derives the id of a carrier's invoice from its number without dress.
func InvoiceID(tenant, carrier, number string) string {
	return ident.Derive("inv", tenant, carrier, domain.NormalNumber(number))
}

// CarrierKey is the key of a reference in the carrier's own numbers, which are nobody else's.
func CarrierKey(carrier, reference string) string {
	return carrier + " " + domain.NormalReference(reference)
}

func tenant(ctx context.Context) string { return store.CauseOf(ctx).Tenant }

// PublishCard publishes a version of the rate card of a carrier that master data knows.
func (a *App) PublishCard(ctx context.Context, card domain.Card) (store.Receipt, error) {
	switch known, err := a.Carriers.Known(ctx, card.Carrier); {
	case err != nil:
		return store.Receipt{}, err
	case !known:
		return store.Receipt{}, fault.New(fault.Invalid, "INVALID_REQUEST", "the rate card is of no carrier of yours").
			WithField("card.carrier", "CARRIER_UNKNOWN", "no carrier %q: define it in master data", card.Carrier)
	}
	return a.Cards.Update(ctx, CardID(tenant(ctx), card.Carrier), func(c store.Current[domain.Cards]) (store.Decision[domain.CardFact], error) {
		facts, err := domain.Publish(c.State, card)
		if err != nil {
			return store.Decision[domain.CardFact]{}, err
		}
		version := facts[0].(domain.CardPublished).Card.Version
		return store.Decision[domain.CardFact]{Facts: facts, State: "PUBLISHED", Created: []string{strconv.Itoa(version)}}, nil
	})
}

// Rate returns what a shipment costs; a shipment without a moment is rated for now.
func (a *App) Rate(ctx context.Context, s domain.Shipment) (domain.Rating, error) {
	if s.At.IsZero() {
		s.At = a.Clock.Now()
	}
	c, err := a.cards(ctx, s.Carrier)
	return domain.Rate(c, s), err
}

func (a *App) cards(ctx context.Context, carrier string) (domain.Cards, error) {
	v, err := a.Cards.Get(ctx, CardID(tenant(ctx), carrier))
	if err != nil && !fault.IsKind(err, fault.NotFound) {
		return domain.Cards{}, err
	}
	return v.State, nil
}
