package app

import (
	"context"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// Tender offers the shipment to a carrier that master data knows.
func (a *App) Tender(ctx context.Context, id, carrier, service string, respondBy time.Time) (store.Receipt, error) {
	if err := a.knows(ctx, carrier, service); err != nil {
		return store.Receipt{}, err
	}
	return a.change(ctx, id, everything, func(s domain.Shipment, now time.Time) ([]domain.Fact, error) {
		return domain.OfferTo(s, carrier, service, respondBy, now)
	})
}

// knows checks a carrier and its service against the copy of master data.
func (a *App) knows(ctx context.Context, code, service string) error {
	c, known, err := a.Carriers.Lookup(ctx, code)
	invalid := fault.New(fault.Invalid, "INVALID_REQUEST", "the shipment cannot be offered to %s", code)
	switch {
	case err != nil:
		return err
	case !known:
		return invalid.WithField("carrier", "CARRIER_UNKNOWN", "no carrier %q: define it in master data", code)
	case c.Retired:
		return invalid.WithField("carrier", "CARRIER_RETIRED", "carrier %q is retired: name another", code)
	case service != "" && len(c.Services) > 0 && !slices.Contains(c.Services, service):
		return invalid.WithField("carrier_service", "SERVICE_UNKNOWN", "carrier %q has no service %q, only %v", code, service, c.Services)
	}
	return nil
}

// Respond records the carrier's answer. A carrier answers for itself only, and only what it
// was offered.
func (a *App) Respond(ctx context.Context, id, carrier string, accept bool, reason string) (store.Receipt, error) {
	may, err := a.scope(ctx)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.change(ctx, id, may.offered(carrier), func(s domain.Shipment, now time.Time) ([]domain.Fact, error) {
		return domain.Respond(s, carrier, accept, reason, now)
	})
}
