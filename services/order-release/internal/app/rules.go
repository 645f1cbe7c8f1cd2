package app

import (
	"context"
	"fmt"
	"strconv"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// PutRules makes the list the tenant's next version of sourcing rules. Each condition is
// compiled and each site looked up first: all that is wrong is named at once.
func (a *App) PutRules(ctx context.Context, list []domain.Rule, note string) (store.Receipt, error) {
	if err := a.checkRules(ctx, list); err != nil {
		return store.Receipt{}, err
	}
	defer a.Policies.forget(ctx)
	return a.Policies.Rules.Update(ctx, RulesID(store.CauseOf(ctx).Tenant), func(c store.Current[domain.Rules]) (store.Decision[domain.RulesFact], error) {
		facts, err := c.State.Put(domain.Env{Now: c.Now, By: store.CauseOf(ctx).Principal}, list, note)
		next := c.State
		for _, f := range facts {
			next = domain.EvolveRules(next, f)
		}
		return store.Decision[domain.RulesFact]{Facts: facts, State: "ACTIVE", Values: map[string]string{"version": strconv.Itoa(next.Version)}}, err
	})
}

func (a *App) checkRules(ctx context.Context, list []domain.Rule) error {
	wrong := fault.New(fault.Invalid, "INVALID_REQUEST", "the rules cannot be taken")
	for i, r := range list {
		if r.Condition == "" {
			continue
		}
		if _, err := a.Policies.Conditions.OfLine(r.Condition); err != nil {
			wrong = wrong.WithField(fmt.Sprintf("rules[%d].condition", i), "CONDITION_INVALID", "rule %q: %v", r.Name, err)
		}
	}
	ref, err := a.Reference.Lookup(ctx, domain.Header{}, nil, domain.Rulebook{List: list}.Sites())
	if err != nil {
		return err
	}
	for i, r := range list {
		for n, code := range r.Sites {
			if reason, message := wrongSite(ref, code); reason != "" {
				wrong = wrong.WithField(fmt.Sprintf("rules[%d].sites[%d]", i, n), reason, "rule %q: %s", r.Name, message)
			}
		}
	}
	if len(wrong.Fields) > 0 {
		return wrong
	}
	return nil
}

// wrongSite says why a location cannot ship; an empty reason is one that can.
func wrongSite(ref domain.Reference, code string) (reason, message string) {
	switch site, ok := ref.Sites[code]; {
	case !ok:
		return "SITE_UNKNOWN", fmt.Sprintf("no location %q: define it in master data or correct the code", code)
	case site.Retired || !site.Ships:
		return "SITE_INVALID", fmt.Sprintf("location %q is retired or no site: name another", code)
	}
	return "", ""
}

// GetRules returns the tenant's sourcing rules: the newest version, or the one with the number.
func (a *App) GetRules(ctx context.Context, version int) (domain.Rules, string, error) {
	id := RulesID(store.CauseOf(ctx).Tenant)
	v, err := a.Policies.Rules.Get(ctx, id)
	if err != nil {
		if fault.IsKind(err, fault.NotFound) {
			err = notFound()
		}
		return domain.Rules{}, "", err
	}
	if version == 0 || version == v.State.Version {
		return v.State, v.ETag, nil
	}
	for after, more := uint64(0), true; more; {
		commits, err := a.Policies.Rules.History(ctx, id, after, historyAtOnce)
		if err != nil {
			return domain.Rules{}, "", err
		}
		for _, c := range commits {
			for _, f := range c.Facts {
				if r, ok := f.(domain.RulesChanged); ok && r.Rules.Version == version {
					return r.Rules, v.ETag, nil
				}
			}
			after = c.Version
		}
		more = len(commits) >= historyAtOnce
	}
	return domain.Rules{}, "", notFound()
}
