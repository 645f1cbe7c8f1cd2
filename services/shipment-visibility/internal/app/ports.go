package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// Shipments is where shipments are kept.
type Shipments = store.Aggregates[domain.Shipment, domain.Fact]

// Carrier is what this service keeps of a carrier of master data.
type Carrier struct {
	Code     string
	Services []string
	Retired  bool
}

// Carriers is the service's own copy of master data.
type Carriers interface {
	// Lookup returns a carrier by its code, and whether there is one.
	Lookup(ctx context.Context, code string) (Carrier, bool, error)
	// OfParty returns the codes of the carriers that a party is, retired ones included.
	OfParty(ctx context.Context, party string) ([]string, error)
}
