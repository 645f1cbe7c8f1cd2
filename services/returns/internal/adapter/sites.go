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

// askLimit bounds how long a command waits for master data's word on a site.
const askLimit = 2 * time.Second

// Sites is this service's copy of the sites of master data: returns to those that it has are
// asked for while master data is down. What is retired stays known: goods may be under way.
type Sites struct {
	rows  store.Rows
	owner masterdatav1.MasterDataServiceClient
}

// NewSites returns the copy kept in the database, over a connection to master data.
func NewSites(db *store.DB, conn grpc.ClientConnInterface) *Sites {
	return &Sites{db.Table("sites"), masterdatav1.NewMasterDataServiceClient(conn)}
}

// Follower keeps the copy.
func (s *Sites) Follower() bus.Consumer {
	return bus.Routes(bus.Follower, "master-data", "master-data",
		bus.On(func(ctx context.Context, f bus.Fact, m *masterdatav1.LocationDefined) error {
			return s.put(ctx, f, m.GetLocation())
		}),
		bus.On(func(ctx context.Context, f bus.Fact, m *masterdatav1.LocationRetired) error {
			return s.put(ctx, f, m.GetLocation())
		}),
	)
}

// put notes that there is such a site, under the id of its fact's aggregate; other places of
// a site are none, and a location's kind never changes.
func (s *Sites) put(ctx context.Context, f bus.Fact, l *masterdatav1.Location) error {
	if l.GetKind() != masterdatav1.LocationKind_LOCATION_KIND_SITE {
		return nil
	}
	return s.rows.Put(ctx, store.Row{Tenant: f.Tenant, ID: f.AggregateID, Version: f.Revision()})
}

// Known reports whether there is such a site. The copy may trail, so master data itself says
// so before one is called unknown; while it does not answer the fault is Unavailable.
func (s *Sites) Known(ctx context.Context, code string) (bool, error) {
	tenant := store.CauseOf(ctx).Tenant
	_, ok, err := s.rows.Get(ctx, tenant, ident.Derive("loc", tenant, code))
	if err != nil || ok {
		return ok, err
	}
	limited, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	resp, err := s.owner.GetLocation(limited, &masterdatav1.GetLocationRequest{Code: code})
	switch {
	case err == nil:
		return resp.GetLocation().GetLocation().GetKind() == masterdatav1.LocationKind_LOCATION_KIND_SITE, nil
	case fault.IsKind(err, fault.NotFound):
		return false, nil
	case ctx.Err() == nil && fault.Transient(err):
		return false, fault.New(fault.Unavailable, "MASTER_DATA_UNAVAILABLE",
			"site %q is not known here yet and master data does not answer: try again", code).Wrap(err)
	}
	return false, err
}
