package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/app"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

const (
	typePrefix = "OBJECT_TYPE_"
	rulePrefix = "CONFLICT_RULE_"
)

func objectType(t mdv1.ObjectType) string { return protovalue.Name(t, typePrefix) }

func toObjectType(name string) mdv1.ObjectType {
	return mdv1.ObjectType(mdv1.ObjectType_value[typePrefix+name])
}

func conflictRule(r authority.Rule) mdv1.ConflictRule {
	return mdv1.ConflictRule(mdv1.ConflictRule_value[rulePrefix+string(r)])
}

func observationsToProto(list []domain.Observation) []*mdv1.FieldObservation {
	return protovalue.Each(list, func(o domain.Observation) *mdv1.FieldObservation {
		return &mdv1.FieldObservation{
			Field: o.Field, System: o.System, Owner: o.Owner, ConflictRule: conflictRule(o.Rule),
			Said: o.Said, Held: o.Held, ObserveTime: protovalue.Time(o.Time), MessageId: o.Message,
		}
	})
}

func observationsFromProto(list []*mdv1.FieldObservation) []domain.Observation {
	return protovalue.Each(list, func(o *mdv1.FieldObservation) domain.Observation {
		return domain.Observation{
			Field: o.GetField(), System: o.GetSystem(), Owner: o.GetOwner(), Rule: authority.Rule(protovalue.Name(o.GetConflictRule(), rulePrefix)),
			Said: o.GetSaid(), Held: o.GetHeld(), Time: protovalue.FromTime(o.GetObserveTime()), Message: o.GetMessageId(),
		}
	})
}

func rulesFromProto(list []*mdv1.OwnershipRule) []domain.OwnershipRule {
	return protovalue.Each(list, func(r *mdv1.OwnershipRule) domain.OwnershipRule {
		return domain.OwnershipRule{Subject: r.GetSubject(), Owner: r.GetOwner(), Rule: authority.Rule(protovalue.Name(r.GetConflictRule(), rulePrefix))}
	})
}

func rulesToProto(list []authority.Policy) []*mdv1.OwnershipRule {
	return protovalue.Each(list, func(p authority.Policy) *mdv1.OwnershipRule {
		return &mdv1.OwnershipRule{Subject: p.Subject, Owner: p.Owner, ConflictRule: conflictRule(p.Rule)}
	})
}

var ownershipWire = wire[domain.Ownership]{
	empty: []proto.Message{&mdv1.OwnershipPolicyDefined{}},
	encode: func(f domain.Fact[domain.Ownership]) proto.Message {
		return &mdv1.OwnershipPolicyDefined{
			PolicyId: f.ID, ObjectType: toObjectType(f.Value.Type), Rules: rulesToProto(f.Value.Table().Policies), PolicyVersion: f.Value.Version,
		}
	},
	decode: func(m proto.Message) domain.Fact[domain.Ownership] {
		e := m.(*mdv1.OwnershipPolicyDefined)
		return domain.Fact[domain.Ownership]{ID: e.GetPolicyId(), Value: domain.Ownership{
			Type: objectType(e.GetObjectType()), Rules: rulesFromProto(e.GetRules()), Version: e.GetPolicyVersion(),
		}}
	},
}

// PutOwnershipPolicy replaces the tenant's own policy about a type of object.
func (s *Server) PutOwnershipPolicy(ctx context.Context, req *mdv1.PutOwnershipPolicyRequest) (*mdv1.PutOwnershipPolicyResponse, error) {
	receipt, err := s.owners.Put(ctx, domain.Ownership{Type: objectType(req.GetObjectType()), Rules: rulesFromProto(req.GetRules())})
	if err != nil {
		return nil, err
	}
	return &mdv1.PutOwnershipPolicyResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// GetOwnershipPolicy returns the policy that holds for a type of object.
func (s *Server) GetOwnershipPolicy(ctx context.Context, req *mdv1.GetOwnershipPolicyRequest) (*mdv1.GetOwnershipPolicyResponse, error) {
	policy, err := s.policy(ctx, objectType(req.GetObjectType()))
	return &mdv1.GetOwnershipPolicyResponse{Policy: policy}, err
}

// ListOwnershipPolicies returns the policies of all types.
func (s *Server) ListOwnershipPolicies(ctx context.Context, _ *mdv1.ListOwnershipPoliciesRequest) (*mdv1.ListOwnershipPoliciesResponse, error) {
	out := &mdv1.ListOwnershipPoliciesResponse{}
	for n := range int32(len(mdv1.ObjectType_name)) {
		if n == 0 {
			continue
		}
		p, err := s.policy(ctx, objectType(mdv1.ObjectType(n)))
		if err != nil {
			return nil, err
		}
		if len(p.GetRules()) > 0 || !p.GetEmbedded() {
			out.Policies = append(out.Policies, p)
		}
	}
	return out, nil
}

func (s *Server) policy(ctx context.Context, name string) (*mdv1.OwnershipPolicy, error) {
	view, err := s.owners.Get(ctx, name)
	if err != nil && !fault.IsKind(err, fault.NotFound) {
		return nil, err
	}
	return &mdv1.OwnershipPolicy{
		ObjectType: toObjectType(name), Rules: rulesToProto(domain.TableOf(name, view.State).Policies), Embedded: view.State.State == domain.Absent,
		PolicyVersion: view.State.Value.Version, Etag: view.ETag, UpdateTime: protovalue.Time(view.Updated),
	}, nil
}

// ListObservations pages the records of which systems say what they do not own.
func (s *Server) ListObservations(ctx context.Context, req *mdv1.ListObservationsRequest) (*mdv1.ListObservationsResponse, error) {
	q := query(req)
	q.Index, q.Key = indexOdds, oddsKey
	switch objectType(req.GetObjectType()) {
	case "PARTY":
		return observed(ctx, s.parties.Registry, q)
	case "LOCATION":
		return observed(ctx, s.locations.Registry, q)
	case "CARRIER":
		return observed(ctx, s.carriers, q)
	}
	return observed(ctx, s.items, q)
}

func observed[V domain.Value](ctx context.Context, r *app.Registry[V], q store.Query) (*mdv1.ListObservationsResponse, error) {
	page, err := r.List(ctx, q)
	out := &mdv1.ListObservationsResponse{NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}
	for _, v := range page.Items {
		out.Records = append(out.Records, &mdv1.ListObservationsResponse_ObservedRecord{
			ObjectKey: v.State.Value.Key(), ObjectId: v.ID, Observations: observationsToProto(v.State.Observed),
		})
	}
	return out, err
}
