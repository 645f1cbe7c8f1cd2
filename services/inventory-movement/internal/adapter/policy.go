package adapter

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// PolicyType declares the policies of tenants to the store.
func PolicyType() store.Type[domain.Policy, domain.PolicySet] {
	return store.Type[domain.Policy, domain.PolicySet]{
		Name: "allocation_policy", Prefix: "alp", Fold: 1,
		Evolve: domain.EvolvePolicy,
		Encode: func(f domain.PolicySet) (string, []byte, error) {
			return protovalue.Encode(&imv1.AllocationPolicySet{Site: f.Site, Strategy: strategy(f.Strategy)})
		},
		Decode: policyReaders.Decode,
	}
}

// policyReaders reads the fact type of a policy.
var policyReaders = func() protovalue.Readers[domain.PolicySet] {
	rs := protovalue.Readers[domain.PolicySet]{}
	protovalue.Read(rs, func(m *imv1.AllocationPolicySet) (domain.PolicySet, error) {
		return domain.PolicySet{Site: m.GetSite(), Strategy: fromStrategy(m.GetStrategy())}, nil
	})
	return rs
}()

func strategy(s domain.Strategy) imv1.AllocationStrategy {
	return imv1.AllocationStrategy(imv1.AllocationStrategy_value["ALLOCATION_STRATEGY_"+string(s)])
}

func fromStrategy(s imv1.AllocationStrategy) domain.Strategy {
	if s == 0 {
		return ""
	}
	return domain.Strategy(protovalue.Name(s, "ALLOCATION_STRATEGY_"))
}

// SetAllocationPolicy gives a site or all others a strategy.
func (s *Server) SetAllocationPolicy(ctx context.Context, r *imv1.SetAllocationPolicyRequest) (*imv1.SetAllocationPolicyResponse, error) {
	receipt, err := s.App.SetPolicy(ctx, r.GetSite(), fromStrategy(r.GetStrategy()))
	return &imv1.SetAllocationPolicyResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetAllocationPolicy returns in which order the tenant's sites allocate.
func (s *Server) GetAllocationPolicy(ctx context.Context, _ *imv1.GetAllocationPolicyRequest) (*imv1.GetAllocationPolicyResponse, error) {
	p, otherwise, err := s.App.Policy(ctx)
	if err != nil {
		return nil, err
	}
	resp := &imv1.GetAllocationPolicyResponse{Otherwise: strategy(otherwise)}
	for _, x := range p.Sites {
		resp.Sites = append(resp.Sites, &imv1.SiteAllocationPolicy{Site: x.Site, Strategy: strategy(x.Strategy)})
	}
	return resp, nil
}
