package app

import (
	"context"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/calendar"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// CutOffs is the registry of cut-offs.
type CutOffs struct {
	*Registry[domain.CutOff]
	Calendars *Registry[domain.Calendar]
	Locations *Registry[domain.Location]
	Carriers  *Registry[domain.Carrier]
}

// Put creates or replaces the cut-offs of a site for a carrier and its service.
func (r CutOffs) Put(ctx context.Context, value domain.CutOff) (store.Receipt, error) {
	site, err := r.Locations.Find(ctx, value.Site)
	if err != nil {
		return store.Receipt{}, err
	}
	var carrier domain.Record[domain.Carrier]
	if value.Carrier != "" {
		if carrier, err = r.Carriers.Find(ctx, value.Carrier); err != nil {
			return store.Receipt{}, err
		}
	}
	var dates domain.Record[domain.Calendar]
	if value.Calendar != "" {
		if dates, err = r.Calendars.Find(ctx, value.Calendar); err != nil {
			return store.Receipt{}, err
		}
	}
	return r.put(ctx, value.Key(), func(store.Current[domain.Record[domain.CutOff]]) (domain.CutOff, error) {
		return value.At(site, carrier, dates)
	})
}

// NextCutOff is a cut-off that comes, with the record that says so.
type NextCutOff struct {
	calendar.Next
	ID   string
	Zone *time.Location
}

// Next says which cut-off goods still make that are ready at a moment: of those of the service
// if there are any, else of the carrier, else of the site.
func (r CutOffs) Next(ctx context.Context, site, carrier, service string, at time.Time) (NextCutOff, error) {
	var out NextCutOff
	view, err := r.nearest(ctx, site, carrier, service)
	if err != nil {
		return out, err
	}
	cut := view.State.Value
	place, err := r.Locations.Find(ctx, site)
	if err != nil {
		return out, err
	}
	if place.State != domain.Absent { // the site's clock now, whatever it was when they were put
		cut.Zone = place.Value.TimeZone
	}
	var dates domain.Record[domain.Calendar]
	if cut.Calendar != "" {
		if dates, err = r.Calendars.Find(ctx, cut.Calendar); err != nil {
			return out, err
		}
	}
	out.ID = view.ID
	if out.Zone, err = time.LoadLocation(cut.Zone); err != nil {
		return out, err
	}
	var ok bool
	out.Next, ok = calendar.NextCutOff(cut.Rules(), dates.Value.Closed, at, out.Zone)
	if !ok {
		return out, fault.New(fault.NotFound, "NO_WORKING_TIME", "there is no cut-off within %d days", calendar.Horizon)
	}
	return out, nil
}

// nearest returns the record that says the most about a service of a carrier at a site.
func (r CutOffs) nearest(ctx context.Context, site, carrier, service string) (store.View[domain.Record[domain.CutOff]], error) {
	var ids []string
	for _, key := range []domain.CutOff{{Site: site, Carrier: carrier, Service: service}, {Site: site, Carrier: carrier}, {Site: site}} {
		if id := r.ID(ctx, key.Key()); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	views, err := r.records.GetMany(ctx, ids)
	if err != nil {
		return store.View[domain.Record[domain.CutOff]]{}, err
	}
	for _, id := range ids {
		for _, v := range views {
			if v.ID == id {
				return v, nil
			}
		}
	}
	return store.View[domain.Record[domain.CutOff]]{}, fault.New(fault.NotFound, "NOT_FOUND", "no cut-off was put for site %q", site)
}

// NextWorking says when a calendar next has working time.
func NextWorking(ctx context.Context, calendars *Registry[domain.Calendar], code string, at time.Time) (time.Time, *time.Location, error) {
	view, err := calendars.Get(ctx, code)
	if err != nil {
		return at, nil, err
	}
	zone, err := time.LoadLocation(view.State.Value.Zone)
	if err != nil {
		return at, nil, err
	}
	next, ok := view.State.Value.Working().NextWorking(at, zone)
	if !ok {
		return at, zone, fault.New(fault.NotFound, "NO_WORKING_TIME", "there is no working time within %d days", calendar.Horizon)
	}
	return next, zone, nil
}
