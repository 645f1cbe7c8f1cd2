package app

import (
	"context"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Dispatched records what left on a shipment of an order, and when.
func (a *App) Dispatched(ctx context.Context, order, shipment string, at time.Time, lines []domain.LineQuantity) error {
	tenant := store.CauseOf(ctx).Tenant
	_, err := a.change(ctx, order, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		e.At = at
		return o.Dispatched(e, releaseOf(tenant, o, shipment), shipment, lines)
	})
	return err
}

// releaseOf is the id of the release that a shipment carries out; "" when the order has none such. A
// departure does not name it, but ids follow from each other: a shipment's from its warehouse order, that
// one's from its release and version.
func releaseOf(tenant string, o domain.Order, shipment string) string {
	for _, r := range o.Releases {
		id := domain.ReleaseID(o.ID, r.Number)
		if !r.Sent.IsZero() && ShipmentID(tenant, id, r.Version) == shipment {
			return id
		}
	}
	return ""
}

// ShipmentID derives the id of the shipment that carries out a version of a release.
func ShipmentID(tenant, release string, version int) string {
	return ident.Derive("shp", tenant, ident.Derive("who", tenant, release, strconv.Itoa(version)))
}
