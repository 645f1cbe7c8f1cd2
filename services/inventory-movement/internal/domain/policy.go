package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// SitePolicy is in which order a site allocates what does not expire.
type SitePolicy struct {
	Site     string   `bson:"s"` // "" for every site that has none of its own
	Strategy Strategy `bson:"y"`
}

// Policy is in which order a tenant's sites allocate what does not expire.
type Policy struct {
	Sites []SitePolicy `bson:"s,omitempty"`
}

// maxPolicies bounds the sites of one tenant that have a policy of their own.
const maxPolicies = 1000

// PolicySet gives a site a strategy, or with "" takes it away.
type PolicySet SitePolicy

// SetPolicy gives a site, or with "" every other site, a strategy; "" takes it away.
func SetPolicy(p Policy, site string, strategy Strategy) ([]PolicySet, error) {
	if p.of(site) == strategy {
		return nil, nil
	}
	if strategy != "" && p.of(site) == "" && len(p.Sites) >= maxPolicies {
		return nil, fault.New(fault.Refused, "POLICIES_FULL", "%d sites have a policy of their own", len(p.Sites))
	}
	return []PolicySet{{site, strategy}}, nil
}

// EvolvePolicy applies one fact.
func EvolvePolicy(p Policy, f PolicySet) Policy {
	p.Sites = slices.DeleteFunc(slices.Clone(p.Sites), func(x SitePolicy) bool { return x.Site == f.Site })
	if f.Strategy != "" {
		p.Sites = append(p.Sites, SitePolicy(f))
	}
	return p
}

func (p Policy) of(site string) Strategy {
	for _, x := range p.Sites {
		if x.Site == site {
			return x.Strategy
		}
	}
	return ""
}

// At is the strategy of a site: its own, else the tenant's, else the one given.
func (p Policy) At(site string, otherwise Strategy) Strategy {
	for _, s := range []Strategy{p.of(site), p.of("")} {
		if s != "" {
			return s
		}
	}
	return otherwise
}
