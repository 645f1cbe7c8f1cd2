package app

import (
	"cmp"
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// IndexWarehouse lists handling units by the warehouse order that they were packed for.
const IndexWarehouse = "warehouse"

// Units is where handling units are kept.
type Units = store.Aggregates[domain.HandlingUnit, domain.UnitFact]

// UnitID derives the id of the handling unit of an SSCC.
func UnitID(tenant, sscc string) string { return ident.Derive("hun", tenant, sscc) }

func unitID(ctx context.Context, sscc string) string { return UnitID(store.CauseOf(ctx).Tenant, sscc) }

// decideUnit is what a use case asks of the domain.
type decideUnit func(u domain.HandlingUnit, now time.Time) ([]domain.UnitFact, error)

// onUnit changes a handling unit that must exist.
func (a *App) onUnit(ctx context.Context, sscc string, decide decideUnit, qualify ...func(*store.Decision[domain.UnitFact])) (store.Receipt, error) {
	return a.Units.Update(ctx, unitID(ctx, sscc), func(c store.Current[domain.HandlingUnit]) (store.Decision[domain.UnitFact], error) {
		if c.Version == 0 {
			return store.Decision[domain.UnitFact]{}, notFound()
		}
		facts, err := decide(c.State, c.Now)
		if err != nil {
			return store.Decision[domain.UnitFact]{}, err
		}
		d := store.Decision[domain.UnitFact]{Facts: facts, State: string(domain.ApplyUnit(c.State, facts...).Stands)}
		for _, q := range qualify {
			q(&d)
		}
		return d, nil
	})
}

// createUnit makes a handling unit; one that is there already stays as it is.
func (a *App) createUnit(ctx context.Context, f domain.UnitCreated) (store.Receipt, error) {
	return a.Units.Update(ctx, f.ID, func(c store.Current[domain.HandlingUnit]) (store.Decision[domain.UnitFact], error) {
		facts, err := domain.CreateUnit(c.State, f)
		d := store.Decision[domain.UnitFact]{Facts: facts, Created: []string{f.SSCC}}
		d.State = string(domain.ApplyUnit(c.State, facts...).Stands)
		return d, err
	})
}

// NewUnit is a handling unit that others go into, as a request has it.
type NewUnit struct {
	Site, SSCC, Location string
	Level                int // 0 for what cartons stand on
	Packaging            domain.Packaging
}

// CreateUnit makes a handling unit that others go into; without an SSCC it issues one of the
// site's. The unit's id comes from its SSCC, so a number is taken under the command's own key.
func (a *App) CreateUnit(ctx context.Context, n NewUnit) (store.Receipt, error) {
	ref, err := a.Reference.Lookup(ctx, []string{n.Site}, nil)
	if err != nil {
		return store.Receipt{}, err
	}
	site, ok := ref.Sites[n.Site]
	switch {
	case !ok || !site.IsSite:
		return store.Receipt{}, domain.Invalid("site", "SITE_UNKNOWN", "no site %q: define it in master data", n.Site)
	case n.Level == domain.CartonLevel:
		return store.Receipt{}, domain.Invalid("level", "HANDLING_UNIT_LEVEL", "level 1 is that of packed cartons, into which nothing goes: give 2 to 9")
	case n.SSCC == "" && site.Prefix == "":
		return store.Receipt{}, domain.Invalid("sscc", "SSCC_REQUIRED", "site %s has no GS1 company prefix: give the unit's SSCC", n.Site)
	}
	if err := a.standsAt(ctx, n.Site, n.Location); err != nil {
		return store.Receipt{}, err
	}
	if n.SSCC == "" {
		if n.SSCC, err = a.SSCCs.TakeFor(ctx, site.Prefix); err != nil {
			return store.Receipt{}, err
		}
	} else if _, bad := gs1.ParseSSCC(n.SSCC); bad != nil {
		return store.Receipt{}, domain.Invalid("sscc", "SSCC_INVALID", "its check digit is wrong")
	} else if err := a.SSCCs.Claim(ctx, n.SSCC, unitID(ctx, n.SSCC)); err != nil {
		return store.Receipt{}, err
	}
	return a.createUnit(ctx, domain.UnitCreated{
		UnitKeys: domain.UnitKeys{ID: unitID(ctx, n.SSCC), SSCC: n.SSCC, Site: n.Site},
		Level:    cmp.Or(n.Level, domain.PalletLevel), Packaging: n.Packaging, Location: n.Location,
	})
}

// standsAt refuses a place that is none of the site; "" says nothing.
func (a *App) standsAt(ctx context.Context, site, location string) error {
	if location == "" {
		return nil
	}
	if err := checkPlace(domain.Place{Location: location}, "location"); err != nil {
		return err
	}
	return a.takes(ctx, site, location, "location")
}

// FollowPacked makes the handling unit of a packed carton. PackCarton does so at once, and the
// fact again, under one key.
func (a *App) FollowPacked(ctx context.Context, f domain.CartonPacked, site, owner string) error {
	tenant := store.CauseOf(ctx).Tenant
	made := domain.UnitCreated{
		UnitKeys: domain.UnitKeys{
			ID: UnitID(tenant, f.Carton.SSCC), SSCC: f.Carton.SSCC, Site: site, Owner: owner,
			Warehouse: f.ID, Order: f.Order, OrderNumber: f.OrderNumber,
		},
		Level: domain.CartonLevel, Content: f.Carton.Lines, Told: f.Carton.Weight,
	}
	if f.Carton.Packaging != nil {
		made.Packaging = *f.Carton.Packaging
	}
	_, err := a.createUnit(guard.Derived(ctx, tenant, "packed:"+f.ID+":"+f.Carton.SSCC, time.Time{}), made)
	return err
}

// FollowUnitIssue says of each carton of a goods issue that it left.
func (a *App) FollowUnitIssue(ctx context.Context, cartons []domain.Carton, at time.Time) error {
	ids := map[string]string{}
	for _, c := range cartons {
		ids[unitID(ctx, c.SSCC)] = c.SSCC
	}
	return a.each(ctx, keysOf(ids), func(ctx context.Context, id string) error {
		_, err := a.onUnit(ctx, ids[id], func(u domain.HandlingUnit, _ time.Time) ([]domain.UnitFact, error) {
			return domain.TakeUnitIssue(u, at), nil
		})
		if fault.IsKind(err, fault.NotFound) {
			return nil // it was packed when cartons were no handling units yet
		}
		return err
	})
}

// FollowVoid gives up the cartons of a cancelled order, and takes them out of the units that they are in.
func (a *App) FollowVoid(ctx context.Context, ssccs []string, reason string) error {
	ids := map[string]string{}
	for _, sscc := range ssccs {
		ids[unitID(ctx, sscc)] = sscc
	}
	return a.each(ctx, keysOf(ids), func(ctx context.Context, id string) error {
		sscc := ids[id]
		_, err := a.onUnit(ctx, sscc, func(u domain.HandlingUnit, _ time.Time) ([]domain.UnitFact, error) {
			return domain.TakeUnitVoid(u, reason), nil
		})
		if fault.IsKind(err, fault.NotFound) {
			return nil // it was packed when cartons were no handling units yet
		}
		if err != nil {
			return err
		}
		v, err := a.Unit(ctx, sscc)
		if err != nil || v.State.Parent == "" {
			return err
		}
		_, err = a.onUnit(store.WithItem(ctx, sscc), v.State.Parent, func(u domain.HandlingUnit, now time.Time) ([]domain.UnitFact, error) {
			return domain.TakeChildVoid(u, sscc, now), nil
		})
		return err
	})
}

// FollowChildIssue says of a unit that one in it left.
func (a *App) FollowChildIssue(ctx context.Context, parent, child string, at time.Time) error {
	_, err := a.onUnit(ctx, parent, func(u domain.HandlingUnit, _ time.Time) ([]domain.UnitFact, error) {
		return domain.TakeChildIssue(u, child, at), nil
	})
	return err
}

// CloseUnit closes a handling unit.
func (a *App) CloseUnit(ctx context.Context, sscc, location string) (store.Receipt, error) {
	v, err := a.Unit(ctx, sscc)
	if err != nil {
		return store.Receipt{}, err
	}
	if err := a.standsAt(ctx, v.State.Keys.Site, location); err != nil {
		return store.Receipt{}, err
	}
	return a.onUnit(ctx, sscc, func(u domain.HandlingUnit, _ time.Time) ([]domain.UnitFact, error) {
		return domain.CloseUnit(u, location)
	})
}

// ReopenUnit opens a handling unit again.
func (a *App) ReopenUnit(ctx context.Context, sscc string) (store.Receipt, error) {
	return a.onUnit(ctx, sscc, func(u domain.HandlingUnit, _ time.Time) ([]domain.UnitFact, error) { return domain.ReopenUnit(u) })
}

// VoidUnit gives up a handling unit.
func (a *App) VoidUnit(ctx context.Context, sscc, reason string) (store.Receipt, error) {
	return a.onUnit(ctx, sscc, func(u domain.HandlingUnit, _ time.Time) ([]domain.UnitFact, error) {
		return domain.VoidUnit(u, reason)
	})
}

// Unit returns one handling unit.
func (a *App) Unit(ctx context.Context, sscc string) (store.View[domain.HandlingUnit], error) {
	return found(a.Units.Get(ctx, unitID(ctx, sscc)))
}

// maxTree bounds the units that one answer tells.
const maxTree = 2000

// Tree returns a handling unit and all in it, each behind the one that it is in; more says that
// there are further ones.
func (a *App) Tree(ctx context.Context, sscc string) (units []store.View[domain.HandlingUnit], more bool, err error) {
	v, err := a.Unit(ctx, sscc)
	if err != nil {
		return nil, false, err
	}
	units = append(units, v)
	for at := 0; at < len(units); {
		var ids []string
		for ; at < len(units); at++ {
			for _, c := range units[at].State.Children {
				ids = append(ids, unitID(ctx, c.SSCC))
			}
		}
		if room := maxTree + 1 - len(units); len(ids) > room {
			ids, more = ids[:room], true
		}
		level, err := a.unitsOf(ctx, ids)
		if err != nil {
			return nil, false, err
		}
		units = append(units, level...)
	}
	return units, more, nil
}

// unitsOf returns the units of ids that there are, in their order.
func (a *App) unitsOf(ctx context.Context, ids []string) ([]store.View[domain.HandlingUnit], error) {
	if len(ids) == 0 {
		return nil, nil
	}
	views, err := a.Units.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]store.View[domain.HandlingUnit], len(views))
	for _, v := range views {
		byID[v.ID] = v
	}
	out := make([]store.View[domain.HandlingUnit], 0, len(views))
	for _, id := range ids {
		if v, ok := byID[id]; ok {
			out = append(out, v)
		}
	}
	return out, nil
}

// States are the states of views.
func States(views []store.View[domain.HandlingUnit]) []domain.HandlingUnit {
	out := make([]domain.HandlingUnit, len(views))
	for i, v := range views {
		out[i] = v.State
	}
	return out
}

// ListUnits pages handling units by a declared index.
func (a *App) ListUnits(ctx context.Context, q store.Query) (store.Page[domain.HandlingUnit], error) {
	return a.Units.List(ctx, q)
}
