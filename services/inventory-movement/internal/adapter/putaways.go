package adapter

import (
	"context"

	lru "github.com/hashicorp/golang-lru/v2"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/condition"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// maxCompiled bounds the conditions that are kept compiled.
const maxCompiled = 1000

// PutawayConditions compiles CEL expressions over PutawayGoods, each once.
type PutawayConditions struct {
	compiler *condition.Compiler
	compiled *lru.Cache[string, condition.Condition]
}

// NewPutawayConditions returns the compiler.
func NewPutawayConditions() (*PutawayConditions, error) {
	c, err := condition.New(map[string]proto.Message{"goods": &imv1.PutawayGoods{}})
	if err != nil {
		return nil, err
	}
	compiled, err := lru.New[string, condition.Condition](maxCompiled)
	return &PutawayConditions{c, compiled}, err
}

// Compile implements app.PutawayConditions.
func (p *PutawayConditions) Compile(source string) (func(domain.PutawayGoods) (bool, error), error) {
	c, known := p.compiled.Get(source)
	if !known {
		var err error
		if c, err = p.compiler.Compile(source); err != nil {
			return nil, err
		}
		p.compiled.Add(source, c)
	}
	return func(g domain.PutawayGoods) (bool, error) {
		return c.Holds(map[string]proto.Message{"goods": putawayGoods(g)})
	}, nil
}

// putawayGoods are goods as conditions see them.
func putawayGoods(g domain.PutawayGoods) *imv1.PutawayGoods {
	document := "BLIND"
	if g.Keys.ASN != "" {
		document = "ASN"
	}
	return &imv1.PutawayGoods{
		Sku: g.Item.SKU, Quantity: g.Quantity.String(), Unit: g.Item.BaseUnit, Lot: g.Place.Lot, ExpiryDate: g.Place.Expiry,
		LotTracked: g.Item.Lot, SerialTracked: g.Item.Serial, ExpiryTracked: g.Item.Expires, HazardClass: g.Item.Hazard,
		WeightGrams: g.Item.Weight.String(), Status: string(g.Place.Status), Owner: g.Keys.Owner, Supplier: g.Keys.Supplier,
		PurchaseOrder: g.Keys.PurchaseOrder, DocumentType: document, Location: g.Place.Location,
	}
}

// SetPutawayRules makes a list the next version of a site's rules.
func (s *Server) SetPutawayRules(ctx context.Context, r *imv1.SetPutawayRulesRequest) (*imv1.SetPutawayRulesResponse, error) {
	list, err := protovalue.TryEach(r.GetRules(), fromPutawayRule)
	if err != nil {
		return nil, err
	}
	receipt, err := s.Inbound.SetPutawayRules(ctx, r.GetSite(), list, r.GetNote())
	return &imv1.SetPutawayRulesResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetPutawayRules returns a version of a site's rules.
func (s *Server) GetPutawayRules(ctx context.Context, r *imv1.GetPutawayRulesRequest) (*imv1.GetPutawayRulesResponse, error) {
	found, etag, err := s.Inbound.GetPutawayRules(ctx, r.GetSite(), int(r.GetVersion()))
	if err != nil {
		return nil, err
	}
	return &imv1.GetPutawayRulesResponse{Rules: putawayRules(found, etag)}, nil
}

// ListPutaways pages what waits at a site to be put away.
func (s *Server) ListPutaways(ctx context.Context, r *imv1.ListPutawaysRequest) (*imv1.ListPutawaysResponse, error) {
	page, err := s.Inbound.ListDeliveries(ctx, store.Query{Index: app.IndexPutaway, Key: r.GetSite(), PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()})
	if err != nil {
		return nil, err
	}
	plan, err := s.Inbound.Plan(ctx, r.GetSite())
	if err != nil {
		return nil, err
	}
	resp := &imv1.ListPutawaysResponse{NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}
	for _, v := range page.Items {
		for _, t := range v.State.Standings {
			if t.Stored {
				continue
			}
			l, _ := v.State.Line(t.Line)
			resp.Putaways = append(resp.Putaways, &imv1.Putaway{
				InboundDeliveryId: v.ID, AsnNumber: v.State.Keys.ASN, Owner: v.State.Keys.Owner, Sku: l.SKU, Standing: inboundStanding(v.State, t, plan),
			})
		}
	}
	return resp, nil
}

// inboundStanding is goods that stand together, with where they are to go by the plan.
func inboundStanding(d domain.Inbound, s domain.Standing, plan domain.PutawayPlan) *imv1.InboundStanding {
	l, _ := d.Line(s.Line)
	m := &imv1.InboundStanding{
		TaskNumber: int32(s.Number), LineNumber: int32(s.Line), Location: s.Place.Location, Lot: s.Place.Lot, Serial: s.Place.Serial, ExpiryDate: s.Place.Expiry,
		Status: status(s.Place.Status), Quantity: amount(s.Quantity, l.Unit), PutAway: s.Stored,
	}
	if v, is := plan.View(d, s); is {
		m.Proposal = &imv1.PutawayProposal{
			RulesVersion: int32(v.Version), Unplaced: amount(v.Unplaced, l.Unit), Considered: protovalue.Each(v.Considered, considered),
			Bins: protovalue.Each(v.Parts, func(p domain.BinPart) *imv1.PutawayBin { return putawayBin(p, l.Unit) }),
		}
	}
	return m
}

func putawayOverride(o domain.Override) *imv1.PutawayOverride {
	return &imv1.PutawayOverride{
		TaskNumber: int32(o.Task), LineNumber: int32(o.Line), ProposedLocation: o.Proposed, Rule: o.Rule, Location: o.Location,
		Quantity: amount(o.Quantity, o.Unit), EventTime: protovalue.Time(o.At),
	}
}

func putawayBin(p domain.BinPart, unit string) *imv1.PutawayBin {
	return &imv1.PutawayBin{Location: p.Bin, Quantity: amount(p.Quantity, unit), Rule: p.Rule}
}

func fromPutawayBin(m *imv1.PutawayBin) (domain.BinPart, error) {
	q, err := protovalue.StoredQuantity(m.GetQuantity())
	return domain.BinPart{Bin: m.GetLocation(), Rule: m.GetRule(), Quantity: q.Value}, err
}

func considered(c domain.Considered) *imv1.PutawayConsidered {
	return &imv1.PutawayConsidered{Rule: c.Rule, Outcome: putawayOutcome(c.Outcome), Message: c.Message}
}

func fromConsidered(m *imv1.PutawayConsidered) domain.Considered {
	return domain.Considered{Rule: m.GetRule(), Outcome: domain.PutawayOutcome(protovalue.Name(m.GetOutcome(), "PUTAWAY_OUTCOME_")), Message: m.GetMessage()}
}

func putawayOutcome(o domain.PutawayOutcome) imv1.PutawayOutcome {
	return imv1.PutawayOutcome(imv1.PutawayOutcome_value["PUTAWAY_OUTCOME_"+string(o)])
}

func putawayStrategy(s domain.PutawayStrategy) imv1.PutawayStrategy {
	return imv1.PutawayStrategy(imv1.PutawayStrategy_value["PUTAWAY_STRATEGY_"+string(s)])
}

// fromPutawayStrategy is NEAREST of a rule that does not say.
func fromPutawayStrategy(s imv1.PutawayStrategy) domain.PutawayStrategy {
	if s == 0 {
		return domain.NearestBin
	}
	return domain.PutawayStrategy(protovalue.Name(s, "PUTAWAY_STRATEGY_"))
}

func putawayRules(r domain.PutawayRules, etag string) *imv1.PutawayRules {
	return &imv1.PutawayRules{
		Site: r.Site, Version: int32(r.Version), Etag: etag, Rules: protovalue.Each(r.List, putawayRule), Note: r.Note, SetBy: r.By, SetTime: protovalue.Time(r.At),
	}
}

func putawayRule(r domain.PutawayRule) *imv1.PutawayRule {
	m := &imv1.PutawayRule{
		Name: r.Name, Condition: r.Condition, Statuses: protovalue.Each(r.Statuses, status), Zone: r.Zone, Bins: r.Bins, Strategy: putawayStrategy(r.Strategy),
	}
	if r.Limit != (domain.BinLimit{}) {
		m.Limit = &imv1.PutawayLimit{Quantity: decimal(r.Limit.Quantity), WeightGrams: decimal(r.Limit.Weight), SingleItem: r.Limit.SingleItem}
	}
	return m
}

// decimal is empty for 0.
func decimal(d quantity.Decimal) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func fromPutawayRule(m *imv1.PutawayRule) (r domain.PutawayRule, err error) {
	r = domain.PutawayRule{
		Name: m.GetName(), Condition: m.GetCondition(), Statuses: protovalue.Each(m.GetStatuses(), fromStatus), Zone: m.GetZone(), Bins: m.GetBins(),
		Strategy: fromPutawayStrategy(m.GetStrategy()), Limit: domain.BinLimit{SingleItem: m.GetLimit().GetSingleItem()},
	}
	if text := m.GetLimit().GetQuantity(); text != "" {
		if r.Limit.Quantity, err = quantity.Parse(text); err != nil {
			return r, err
		}
	}
	if text := m.GetLimit().GetWeightGrams(); text != "" {
		r.Limit.Weight, err = quantity.Parse(text)
	}
	return r, err
}
