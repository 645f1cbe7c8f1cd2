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
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
)

const (
	// indexBins is the site, by code, that a bin is of.
	indexBins = "bins"
	// askLimit bounds how long a command waits for master data's word on its locations.
	askLimit = 2 * time.Second
	// maxDepth bounds how deep a bin lies in its site.
	maxDepth = 5
)

// Places is this service's copy of the bins, docks and zones of each site: what they hold is
// received while master data is down. What is retired stays known, because it may hold stock.
type Places struct {
	rows  store.Rows
	owner masterdatav1.MasterDataServiceClient
}

// NewPlaces returns the copy kept in the database, over a connection to master data.
func NewPlaces(db *store.DB, conn grpc.ClientConnInterface) *Places {
	return &Places{db.Table("places", indexBins), masterdatav1.NewMasterDataServiceClient(conn)}
}

// Follower keeps the copy.
func (p *Places) Follower() bus.Consumer {
	return bus.Routes(bus.Follower, "places", "master-data",
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.LocationDefined) error {
			return p.put(ctx, f, e.GetLocation(), e.GetSiteCode())
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.LocationRetired) error {
			return p.put(ctx, f, e.GetLocation(), e.GetSiteCode())
		}),
	)
}

// put stores the site of a location under the id of its fact's aggregate.
func (p *Places) put(ctx context.Context, f bus.Fact, l *masterdatav1.Location, site string) error {
	row := store.Row{Tenant: f.Tenant, ID: f.AggregateID, Version: f.Revision(), Body: []byte(site)}
	switch l.GetKind() {
	case masterdatav1.LocationKind_LOCATION_KIND_SITE:
		return nil
	case masterdatav1.LocationKind_LOCATION_KIND_BIN:
		row.Keys = map[string][]string{indexBins: {site}}
	}
	return p.rows.Put(ctx, row)
}

// Check returns the locations of a site that are not fit to take goods. The copy may trail,
// so master data itself says so before a location is called unknown.
func (p *Places) Check(ctx context.Context, site string, locations []string) (map[string]app.Standing, error) {
	tenant := store.CauseOf(ctx).Tenant
	missing, ids := map[string]string{}, make([]string, len(locations))
	for i, code := range locations {
		ids[i] = ident.Derive("loc", tenant, code)
		missing[ids[i]] = code
	}
	rows, err := p.rows.GetMany(ctx, tenant, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if string(r.Body) == site {
			delete(missing, r.ID)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	bins, err := p.rows.List(ctx, tenant, indexBins, site, "", 1)
	if err != nil || len(bins) == 0 {
		return nil, err
	}
	found := make(map[string]app.Standing, len(missing))
	limited, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	for _, code := range missing {
		if found[code], err = p.ask(limited, site, code); err != nil {
			return nil, err
		}
	}
	return found, ctx.Err()
}

// ask asks master data whether a location is a place of the site: it names the parent only.
func (p *Places) ask(ctx context.Context, site, code string) (app.Standing, error) {
	for range maxDepth {
		resp, err := p.owner.GetLocation(ctx, &masterdatav1.GetLocationRequest{Code: code})
		switch {
		case fault.IsKind(err, fault.NotFound):
			return app.Unknown, nil
		case err != nil && fault.Transient(err):
			return app.Unclear, nil
		case err != nil:
			return app.Unclear, err
		}
		switch code = resp.GetLocation().GetLocation().GetParentCode(); code {
		case site:
			return app.Fit, nil
		case "":
			return app.Unknown, nil
		}
	}
	return app.Unknown, nil
}
