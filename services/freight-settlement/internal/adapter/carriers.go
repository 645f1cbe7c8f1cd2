package adapter

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// askLimit bounds how long a command waits for master data's word on a carrier.
const askLimit = 2 * time.Second

// Carriers is this service's copy of the carriers of master data: cards of carriers that it
// has are published while master data is down. What is retired stays known, because what it
// carried is still to be rated.
type Carriers struct {
	rows  store.Rows
	owner masterdatav1.MasterDataServiceClient
}

// NewCarriers returns the copy kept in the database, over a connection to master data.
func NewCarriers(db *store.DB, conn grpc.ClientConnInterface) *Carriers {
	return &Carriers{db.Table("carriers"), masterdatav1.NewMasterDataServiceClient(conn)}
}

// Follower keeps the copy.
func (c *Carriers) Follower() bus.Consumer {
	return bus.Routes(bus.Follower, "master-data", "master-data",
		bus.On(func(ctx context.Context, f bus.Fact, _ *masterdatav1.CarrierDefined) error { return c.put(ctx, f) }),
		bus.On(func(ctx context.Context, f bus.Fact, _ *masterdatav1.CarrierRetired) error { return c.put(ctx, f) }),
	)
}

// put notes that there is such a carrier, under the id of its fact's aggregate.
func (c *Carriers) put(ctx context.Context, f bus.Fact) error {
	return c.rows.Put(ctx, store.Row{Tenant: f.Tenant, ID: f.AggregateID, Version: f.Revision()})
}

// Known reports whether there is such a carrier. The copy may trail, so master data itself
// says so before one is called unknown; while it does not answer the fault is Unavailable.
func (c *Carriers) Known(ctx context.Context, code string) (bool, error) {
	tenant := store.CauseOf(ctx).Tenant
	_, ok, err := c.rows.Get(ctx, tenant, ident.Derive("car", tenant, code))
	if err != nil || ok {
		return ok, err
	}
	limited, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	_, err = c.owner.GetCarrier(limited, &masterdatav1.GetCarrierRequest{Code: code})
	switch {
	case err == nil:
		return true, nil
	case fault.IsKind(err, fault.NotFound):
		return false, nil
	case ctx.Err() == nil && fault.Transient(err):
		return false, fault.New(fault.Unavailable, "MASTER_DATA_UNAVAILABLE",
			"carrier %q is not known here yet and master data does not answer: try again", code).Wrap(err)
	}
	return false, err
}
