package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// CountType declares cycle counts to the store.
func CountType() store.Type[domain.Count, domain.CountFact] {
	return store.Type[domain.Count, domain.CountFact]{
		Name: "stock_count", Prefix: "cnt", Fold: 2,
		Evolve: domain.EvolveCount,
		Encode: func(f domain.CountFact) (string, []byte, error) { return protovalue.Encode(countMessage(f)) },
		Decode: countReaders.Decode,
		Indexes: map[string]func(domain.Count) []string{
			app.IndexSite: func(c domain.Count) []string { return key(c.Keys.Site) },
		},
	}
}

// CountPolicyType declares how the sites of tenants count to the store.
func CountPolicyType() store.Type[domain.CountPolicies, domain.CountPolicySet] {
	return store.Type[domain.CountPolicies, domain.CountPolicySet]{
		Name: "count_policy", Prefix: "cpo", Fold: 1,
		Evolve: domain.EvolveCountPolicies,
		Encode: func(f domain.CountPolicySet) (string, []byte, error) { return protovalue.Encode(countPolicyMessage(f)) },
		Decode: countPolicyReaders.Decode,
	}
}

// CountConsumer carries what was counted into stock.
func CountConsumer(a *app.Counting) bus.Consumer {
	return bus.Routes(bus.Reactor, "counts", "inventory-movement",
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.CountApproved) error {
			f, err := fromCountApproved(m)
			if err != nil {
				return err
			}
			return a.FollowApproved(ctx, f)
		}),
	)
}

// countMessage is a fact of a count as it is stored and published.
func countMessage(f domain.CountFact) proto.Message {
	switch f := f.(type) {
	case domain.CountPlanned:
		return &imv1.CountPlanned{
			Keys: countKeys(f.CountKeys), Locations: f.Locations, Skus: f.SKUs, Policy: countPolicy(f.Policy), Places: protovalue.Each(f.Places, countPlace),
		}
	case domain.CountStarted:
		return &imv1.CountStarted{Keys: countKeys(f.CountKeys)}
	case domain.CountSubmitted:
		return &imv1.CountSubmitted{
			Keys: countKeys(f.CountKeys), CountedBy: f.By, CountedTime: protovalue.Time(f.At), MessageMark: f.Message,
			Places: protovalue.Each(f.Places, func(p domain.CountedPlace) *imv1.CountedPlace {
				return &imv1.CountedPlace{Place: countPlace(p.CountPlace), Counted: amount(p.Quantity, p.Unit), Expected: amount(p.Expected, p.Unit), Recount: p.Recount}
			}),
		}
	case domain.CountApproved:
		return &imv1.CountApproved{
			Keys: countKeys(f.CountKeys), Attempt: int32(f.Attempt), ApprovedBy: f.By, Reason: f.Reason,
			Adjustments: protovalue.Each(f.Adjustments, func(a domain.CountAdjustment) *imv1.CountAdjustment {
				return &imv1.CountAdjustment{
					LineNumber: int32(a.Line), Place: countPlace(a.CountPlace), Expected: amount(a.Expected, a.Unit), Variance: amount(a.Variance, a.Unit),
					CountedTime: protovalue.Time(a.At), Superseded: a.Superseded, Anew: a.Anew,
				}
			}),
		}
	case domain.CountAdjusted:
		return &imv1.CountAdjusted{
			Keys: countKeys(f.CountKeys), Attempt: int32(f.Attempt), ItemId: f.Item,
			Outcomes: protovalue.Each(f.Outcomes, func(o domain.CountOutcome) *imv1.CountOutcome {
				return &imv1.CountOutcome{LineNumber: int32(o.Line), Refusal: o.Refusal, HeldBy: o.HeldBy}
			}),
		}
	case domain.CountCompleted:
		return &imv1.CountCompleted{Keys: countKeys(f.CountKeys)}
	case domain.CountCancelled:
		return &imv1.CountCancelled{Keys: countKeys(f.CountKeys), Reason: f.Reason}
	}
	return nil
}

// countReaders reads every fact type that a count may have.
var countReaders = func() protovalue.Readers[domain.CountFact] {
	rs := protovalue.Readers[domain.CountFact]{}
	protovalue.Read(rs, func(m *imv1.CountPlanned) (domain.CountFact, error) {
		policy, err := fromCountPolicy(m.GetPolicy())
		return domain.CountPlanned{
			CountKeys: fromCountKeys(m.GetKeys()), Locations: m.GetLocations(), SKUs: m.GetSkus(), Policy: policy, Places: protovalue.Each(m.GetPlaces(), fromCountPlace),
		}, err
	})
	protovalue.Read(rs, func(m *imv1.CountStarted) (domain.CountFact, error) {
		return domain.CountStarted{CountKeys: fromCountKeys(m.GetKeys())}, nil
	})
	protovalue.Read(rs, func(m *imv1.CountSubmitted) (domain.CountFact, error) {
		places, err := protovalue.TryEach(m.GetPlaces(), fromCountedPlace)
		return domain.CountSubmitted{
			CountKeys: fromCountKeys(m.GetKeys()), Places: places, By: m.GetCountedBy(), At: protovalue.FromTime(m.GetCountedTime()), Message: m.GetMessageMark(),
		}, err
	})
	protovalue.Read(rs, func(m *imv1.CountApproved) (domain.CountFact, error) { return fromCountApproved(m) })
	protovalue.Read(rs, func(m *imv1.CountAdjusted) (domain.CountFact, error) {
		return domain.CountAdjusted{
			CountKeys: fromCountKeys(m.GetKeys()), Attempt: int(m.GetAttempt()), Item: m.GetItemId(),
			Outcomes: protovalue.Each(m.GetOutcomes(), func(o *imv1.CountOutcome) domain.CountOutcome {
				return domain.CountOutcome{Line: int(o.GetLineNumber()), Refusal: o.GetRefusal(), HeldBy: o.GetHeldBy()}
			}),
		}, nil
	})
	protovalue.Read(rs, func(m *imv1.CountCompleted) (domain.CountFact, error) {
		return domain.CountCompleted{CountKeys: fromCountKeys(m.GetKeys())}, nil
	})
	protovalue.Read(rs, func(m *imv1.CountCancelled) (domain.CountFact, error) {
		return domain.CountCancelled{CountKeys: fromCountKeys(m.GetKeys()), Reason: m.GetReason()}, nil
	})
	return rs
}()

func fromCountApproved(m *imv1.CountApproved) (domain.CountApproved, error) {
	all, err := protovalue.TryEach(m.GetAdjustments(), func(a *imv1.CountAdjustment) (domain.CountAdjustment, error) {
		out := domain.CountAdjustment{
			Line: int(a.GetLineNumber()), CountPlace: fromCountPlace(a.GetPlace()), At: protovalue.FromTime(a.GetCountedTime()), Superseded: a.GetSuperseded(), Anew: a.GetAnew(),
		}
		expected, err := protovalue.StoredQuantity(a.GetExpected())
		if err != nil {
			return out, err
		}
		variance, err := protovalue.StoredQuantity(a.GetVariance())
		out.Expected, out.Variance = expected.Value, variance.Value
		return out, err
	})
	return domain.CountApproved{
		CountKeys: fromCountKeys(m.GetKeys()), Attempt: int(m.GetAttempt()), By: m.GetApprovedBy(), Reason: m.GetReason(), Adjustments: all,
	}, err
}

func fromCountedPlace(m *imv1.CountedPlace) (domain.CountedPlace, error) {
	out := domain.CountedPlace{CountPlace: fromCountPlace(m.GetPlace()), Recount: m.GetRecount()}
	counted, err := protovalue.StoredQuantity(m.GetCounted())
	if err != nil {
		return out, err
	}
	expected, err := protovalue.StoredQuantity(m.GetExpected())
	out.Quantity, out.Expected = counted.Value, expected.Value
	return out, err
}

func countKeys(k domain.CountKeys) *imv1.CountKeys {
	return &imv1.CountKeys{CountId: k.ID, Site: k.Site, Owner: k.Owner}
}

func fromCountKeys(k *imv1.CountKeys) domain.CountKeys {
	return domain.CountKeys{ID: k.GetCountId(), Site: k.GetSite(), Owner: k.GetOwner()}
}

func countPlace(p domain.CountPlace) *imv1.CountPlace {
	return &imv1.CountPlace{ItemId: p.Item, Sku: p.SKU, Unit: p.Unit, Place: place(p.Place)}
}

func fromCountPlace(p *imv1.CountPlace) domain.CountPlace {
	return domain.CountPlace{Item: p.GetItemId(), SKU: p.GetSku(), Unit: p.GetUnit(), Place: fromPlace(p.GetPlace())}
}

// countPolicyMessage is the fact of how a site counts.
func countPolicyMessage(f domain.CountPolicySet) proto.Message {
	m := &imv1.CountPolicySet{Site: f.Site}
	if f.Policy != nil {
		m.Policy = countPolicy(*f.Policy)
	}
	return m
}

// countPolicyReaders reads the fact type of how sites count.
var countPolicyReaders = func() protovalue.Readers[domain.CountPolicySet] {
	rs := protovalue.Readers[domain.CountPolicySet]{}
	protovalue.Read(rs, func(m *imv1.CountPolicySet) (domain.CountPolicySet, error) {
		f := domain.CountPolicySet{Site: m.GetSite()}
		if m.GetPolicy() == nil {
			return f, nil
		}
		p, err := fromCountPolicy(m.GetPolicy())
		f.Policy = &p
		return f, err
	})
	return rs
}()

func countPolicy(p domain.CountPolicy) *imv1.CountPolicy {
	return &imv1.CountPolicy{Recount: countLimit(p.Recount), Approval: countLimit(p.Approval)}
}

func countLimit(l domain.CountLimit) *imv1.CountLimit {
	m := &imv1.CountLimit{Percent: l.Percent}
	if !l.Quantity.IsZero() {
		m.Quantity = l.Quantity.String()
	}
	return m
}

func fromCountPolicy(m *imv1.CountPolicy) (domain.CountPolicy, error) {
	var p domain.CountPolicy
	var err error
	if p.Recount, err = fromCountLimit(m.GetRecount(), "policy.recount"); err != nil {
		return p, err
	}
	p.Approval, err = fromCountLimit(m.GetApproval(), "policy.approval")
	return p, err
}

func fromCountLimit(m *imv1.CountLimit, field string) (domain.CountLimit, error) {
	l := domain.CountLimit{Percent: m.GetPercent()}
	if m.GetQuantity() == "" {
		return l, nil
	}
	var err error
	if l.Quantity, err = quantity.Parse(m.GetQuantity()); err != nil {
		return l, domain.Invalid(field+".quantity", "QUANTITY_INVALID", "%q is no quantity", m.GetQuantity())
	}
	return l, nil
}
