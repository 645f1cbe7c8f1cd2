package adapter

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

const (
	// indexBins is the site, by code, that a bin is of.
	indexBins = "bins"
	// indexParents is the location, by code, that holds a bin or zone.
	indexParents = "parents"
	// placesAtOnce is how many places are read at a time.
	placesAtOnce = 500
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
	return &Places{db.Table("places_2", indexBins, indexParents), masterdatav1.NewMasterDataServiceClient(conn)}
}

// location is what the copy has of a place.
type location struct {
	Site    string           `json:"site"`
	Code    string           `json:"code"`
	Kind    domain.PlaceKind `json:"kind,omitempty"` // none: neither bin nor zone
	Retired bool             `json:"retired,omitempty"`
}

func (l location) inUse(site string, kind domain.PlaceKind) bool {
	return l.Code != "" && l.Site == site && l.Kind == kind && !l.Retired
}

// Follower keeps the copy. Its number rises with what the copy holds of a location, so that the
// copy is made anew from everything that master data has.
func (p *Places) Follower() bus.Consumer {
	return bus.Routes(bus.Follower, "places-2", "master-data",
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.LocationDefined) error {
			return p.put(ctx, f, e.GetLocation(), e.GetSiteCode(), false)
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.LocationRetired) error {
			return p.put(ctx, f, e.GetLocation(), e.GetSiteCode(), true)
		}),
	)
}

// put stores a location under the id of its fact's aggregate.
func (p *Places) put(ctx context.Context, f bus.Fact, l *masterdatav1.Location, site string, retired bool) error {
	body, err := json.Marshal(location{site, l.GetCode(), kindOf(l), retired})
	if err != nil {
		return err
	}
	row := store.Row{Tenant: f.Tenant, ID: f.AggregateID, Version: f.Revision(), Body: body, Keys: map[string][]string{indexParents: {l.GetParentCode()}}}
	switch l.GetKind() {
	case masterdatav1.LocationKind_LOCATION_KIND_SITE:
		return nil
	case masterdatav1.LocationKind_LOCATION_KIND_BIN:
		row.Keys[indexBins] = []string{site}
	}
	return p.rows.Put(ctx, row)
}

func kindOf(l *masterdatav1.Location) domain.PlaceKind {
	switch l.GetKind() {
	case masterdatav1.LocationKind_LOCATION_KIND_ZONE:
		return domain.ZonePlace
	case masterdatav1.LocationKind_LOCATION_KIND_BIN:
		return domain.BinPlace
	}
	return ""
}

// known returns what the copy has of locations, by code.
func (p *Places) known(ctx context.Context, codes []string) (map[string]location, error) {
	tenant := store.CauseOf(ctx).Tenant
	ids := make([]string, len(codes))
	for i, code := range codes {
		ids[i] = ident.Derive("loc", tenant, code)
	}
	found := map[string]location{}
	for ids := range slices.Chunk(ids, placesAtOnce) {
		rows, err := p.rows.GetMany(ctx, tenant, ids)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			var l location
			if err := json.Unmarshal(r.Body, &l); err != nil {
				return nil, err
			}
			found[l.Code] = l
		}
	}
	return found, nil
}

// InUse implements app.Zones.
func (p *Places) InUse(ctx context.Context, site string, bins []string) ([]string, error) {
	known, err := p.known(ctx, bins)
	return slices.DeleteFunc(slices.Clone(bins), func(code string) bool { return !known[code].inUse(site, domain.BinPlace) }), err
}

// BinsOf implements app.Zones.
func (p *Places) BinsOf(ctx context.Context, site, zone string) (bins []string, err error) {
	known, err := p.known(ctx, []string{zone})
	if err != nil || !known[zone].inUse(site, domain.ZonePlace) {
		return nil, err
	}
	seen := map[string]bool{zone: true}
	for next := []string{zone}; len(next) > 0; next = next[1:] {
		for after := ""; ; {
			rows, err := p.rows.List(ctx, store.CauseOf(ctx).Tenant, indexParents, next[0], after, placesAtOnce)
			if err != nil {
				return nil, err
			}
			for _, r := range rows {
				var l location
				if err := json.Unmarshal(r.Body, &l); err != nil {
					return nil, err
				}
				switch after = r.ID; {
				case l.inUse(site, domain.BinPlace):
					bins = append(bins, l.Code)
				case l.inUse(site, domain.ZonePlace) && !seen[l.Code]:
					seen[l.Code], next = true, append(next, l.Code)
				}
			}
			if len(rows) < placesAtOnce {
				break
			}
		}
	}
	return bins, nil
}

// Kinds implements app.Zones: what the copy does not have in use master data is asked for.
func (p *Places) Kinds(ctx context.Context, site string, codes []string) (map[string]domain.PlaceKind, error) {
	known, err := p.known(ctx, codes)
	if err != nil {
		return nil, err
	}
	kinds := map[string]domain.PlaceKind{}
	limited, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	for _, code := range codes {
		if l := known[code]; l.inUse(site, l.Kind) {
			kinds[code] = l.Kind
			continue
		}
		resp, err := p.owner.GetLocation(limited, &masterdatav1.GetLocationRequest{Code: code})
		switch r := resp.GetLocation(); {
		case fault.IsKind(err, fault.NotFound):
		case err != nil && fault.Transient(err):
			return nil, fault.New(fault.Unavailable, "MASTER_DATA_UNAVAILABLE",
				"location %q of site %q is not known here and master data does not answer: try again", code, site)
		case err != nil:
			return nil, err
		case r.GetSiteCode() == site && r.GetState() != masterdatav1.RecordState_RECORD_STATE_RETIRED:
			kinds[code] = kindOf(r.GetLocation())
		}
	}
	return kinds, ctx.Err()
}

// Check returns the locations of a site that are not fit to take goods. The copy may trail,
// so master data itself says so before a location is called unknown.
func (p *Places) Check(ctx context.Context, site string, locations []string) (map[string]app.Standing, error) {
	known, err := p.known(ctx, locations)
	if err != nil {
		return nil, err
	}
	missing := slices.DeleteFunc(slices.Clone(locations), func(code string) bool {
		l, is := known[code]
		return is && l.Site == site
	})
	if len(missing) == 0 {
		return nil, nil
	}
	tenant := store.CauseOf(ctx).Tenant
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
