package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// CountLimit is by how much a count may differ: the greater of both.
type CountLimit struct {
	Quantity quantity.Decimal `bson:"q,omitempty"` // base units
	Percent  string           `bson:"p,omitempty"` // of what is expected; "": 0
}

// CountPolicy is from which difference on a place is counted again, and from which on the
// adjustment is somebody else's to approve. The zero value lets no difference through.
type CountPolicy struct {
	Recount  CountLimit `bson:"r"`
	Approval CountLimit `bson:"a"`
}

// exceeded reports whether a difference is more than the limit.
func (l CountLimit) exceeded(variance, expected quantity.Decimal, unit string) bool {
	allowed := l.Quantity
	if percent, err := Percent(l.percent(), ""); err == nil { // it was checked when it was set
		if part, err := Allowance(quantity.Quantity{Value: expected.Abs(), Unit: unit}, percent); err == nil {
			allowed = quantity.Max(allowed, part)
		}
	}
	return allowed.Less(variance.Abs())
}

func (l CountLimit) percent() string {
	if l.Percent == "" {
		return "0"
	}
	return l.Percent
}

// Check refuses a limit whose percentage is none.
func (l CountLimit) Check(field string) error {
	_, err := Percent(l.percent(), field+".percent")
	return err
}

// SiteCounts is how a site counts; "" stands for every site that has nothing of its own.
type SiteCounts struct {
	Site   string      `bson:"s"`
	Policy CountPolicy `bson:"p"`
}

// CountPolicies is how a tenant's sites count.
type CountPolicies struct {
	Sites []SiteCounts `bson:"s,omitempty"`
}

// CountPolicySet says how a site counts; without a policy that it has none any more.
type CountPolicySet struct {
	Site   string
	Policy *CountPolicy
}

// SetCountPolicy says how a site counts, or with "" every site that has nothing of its own.
func SetCountPolicy(p CountPolicies, site string, policy *CountPolicy) ([]CountPolicySet, error) {
	was, has := p.of(site)
	switch {
	case policy == nil && !has, policy != nil && has && was == *policy:
		return nil, nil
	case policy != nil && !has && len(p.Sites) >= maxPolicies:
		return nil, fault.New(fault.Refused, "POLICIES_FULL", "%d sites have a policy of their own", len(p.Sites))
	}
	return []CountPolicySet{{site, policy}}, nil
}

// EvolveCountPolicies applies one fact.
func EvolveCountPolicies(p CountPolicies, f CountPolicySet) CountPolicies {
	p.Sites = slices.DeleteFunc(slices.Clone(p.Sites), func(s SiteCounts) bool { return s.Site == f.Site })
	if f.Policy != nil {
		p.Sites = append(p.Sites, SiteCounts{f.Site, *f.Policy})
	}
	return p
}

func (p CountPolicies) of(site string) (CountPolicy, bool) {
	for _, s := range p.Sites {
		if s.Site == site {
			return s.Policy, true
		}
	}
	return CountPolicy{}, false
}

// At is how a site counts: as it says itself, else as the tenant says for all.
func (p CountPolicies) At(site string) CountPolicy {
	if own, has := p.of(site); has {
		return own
	}
	all, _ := p.of("")
	return all
}
