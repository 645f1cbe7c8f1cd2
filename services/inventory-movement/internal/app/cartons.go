package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// PackingSites is where is kept what each site packs into.
type PackingSites = store.Aggregates[domain.PackingSite, domain.PackingFact]

func packingID(ctx context.Context, site string) string {
	return ident.Derive("pks", store.CauseOf(ctx).Tenant, site)
}

// onPacking changes what a site packs into; the site must be one.
func (a *App) onPacking(ctx context.Context, site string, decide func(domain.PackingSite) ([]domain.PackingFact, error)) (store.Receipt, error) {
	ref, err := a.Reference.Lookup(ctx, []string{site}, nil)
	if err != nil {
		return store.Receipt{}, err
	}
	if s, ok := ref.Sites[site]; !ok || !s.IsSite {
		return store.Receipt{}, domain.Invalid("site", "SITE_UNKNOWN", "no site %q: define it in master data", site)
	}
	return a.Packing.Update(ctx, packingID(ctx, site), func(c store.Current[domain.PackingSite]) (store.Decision[domain.PackingFact], error) {
		facts, err := decide(c.State)
		return store.Decision[domain.PackingFact]{Facts: facts}, err
	})
}

// packingOf is what a site packs into; nothing if nobody said.
func (a *App) packingOf(ctx context.Context, site string) (domain.PackingSite, error) {
	v, err := a.Packing.Get(ctx, packingID(ctx, site))
	if fault.IsKind(err, fault.NotFound) {
		err = nil
	}
	return v.State, err
}

// PutCartonType gives a site a type of carton.
func (a *App) PutCartonType(ctx context.Context, site string, t domain.CartonType) (store.Receipt, error) {
	return a.onPacking(ctx, site, func(p domain.PackingSite) ([]domain.PackingFact, error) { return domain.DefineCartonType(p, site, t) })
}

// RetireCartonType takes a type of carton away from a site.
func (a *App) RetireCartonType(ctx context.Context, site, code string) (store.Receipt, error) {
	return a.onPacking(ctx, site, func(p domain.PackingSite) ([]domain.PackingFact, error) {
		return domain.RetireCartonType(p, site, code)
	})
}

// CartonTypes are the carton types of a site, by code.
func (a *App) CartonTypes(ctx context.Context, site string) ([]domain.CartonType, error) {
	p, err := a.packingOf(ctx, site)
	return p.Types, err
}

// SetTolerance says by how much a weight may differ at a site.
func (a *App) SetTolerance(ctx context.Context, site string, t domain.Tolerance) (store.Receipt, error) {
	if _, err := domain.Percent(t.Percent, "tolerance_percent"); err != nil {
		return store.Receipt{}, err
	}
	return a.onPacking(ctx, site, func(p domain.PackingSite) ([]domain.PackingFact, error) { return domain.SetTolerance(p, site, t), nil })
}

// Tolerance is by how much a weight may differ at a site, and whether that is the setting's word.
func (a *App) Tolerance(ctx context.Context, site string) (t domain.Tolerance, bySetting bool, err error) {
	p, err := a.packingOf(ctx, site)
	if p.Tolerance == nil {
		return a.PackAudit, true, err
	}
	return *p.Tolerance, false, err
}

// PlanCartons suggests into which cartons what is not packed yet of a warehouse order goes; it
// changes nothing. Upright are SKUs that must not be tilted.
func (a *App) PlanCartons(ctx context.Context, order string, upright []string) (domain.CartonPlan, error) {
	v, err := a.Order(ctx, order)
	if err != nil {
		return domain.CartonPlan{}, err
	}
	types, err := a.CartonTypes(ctx, v.State.Site)
	if err != nil {
		return domain.CartonPlan{}, err
	}
	var ids []string
	for _, l := range v.State.Lines {
		ids = append(ids, l.Item)
	}
	items, err := a.Reference.Items(ctx, ids)
	if err != nil {
		return domain.CartonPlan{}, err
	}
	return domain.PlanCartons(v.State, items, types, upright)
}
