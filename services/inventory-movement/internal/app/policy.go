package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Policies is where the policies of tenants are kept, one each.
type Policies = store.Aggregates[domain.Policy, domain.PolicySet]

func policyID(tenant string) string { return ident.Derive("alp", tenant) }

// SetPolicy gives a site, or with "" every other site of the tenant, a strategy for what does
// not expire; "" takes it away. What is allocated already stays.
func (a *App) SetPolicy(ctx context.Context, site string, strategy domain.Strategy) (store.Receipt, error) {
	if site != "" {
		ref, err := a.Reference.Lookup(ctx, []string{site}, nil)
		if err != nil {
			return store.Receipt{}, err
		}
		if s, ok := ref.Sites[site]; !ok || !s.IsSite {
			return store.Receipt{}, domain.Invalid("site", "SITE_UNKNOWN", "no site %q: define it in master data", site)
		}
	}
	id := policyID(store.CauseOf(ctx).Tenant)
	return a.Policies.Update(ctx, id, func(c store.Current[domain.Policy]) (store.Decision[domain.PolicySet], error) {
		facts, err := domain.SetPolicy(c.State, site, strategy)
		return store.Decision[domain.PolicySet]{Facts: facts}, err
	})
}

// Policy is the tenant's policy, and what holds where it says nothing.
func (a *App) Policy(ctx context.Context) (domain.Policy, domain.Strategy, error) {
	v, err := a.Policies.Get(ctx, policyID(store.CauseOf(ctx).Tenant))
	if fault.IsKind(err, fault.NotFound) {
		err = nil
	}
	return v.State, a.Strategy, err
}

// strategy is the one by which a site allocates what does not expire.
func (a *App) strategy(ctx context.Context, site string) (domain.Strategy, error) {
	p, otherwise, err := a.Policy(ctx)
	return p.At(site, otherwise), err
}
