package adapter

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// PutawayRulesType declares the put-away rules of sites to the store.
func PutawayRulesType() store.Type[domain.PutawayRules, domain.PutawayRulesSet] {
	return store.Type[domain.PutawayRules, domain.PutawayRulesSet]{
		Name: "putaway_rules", Prefix: "par", Fold: 1,
		Evolve: domain.EvolvePutawayRules,
		Encode: func(f domain.PutawayRulesSet) (string, []byte, error) {
			return protovalue.Encode(&imv1.PutawayRulesSet{Rules: putawayRules(f.Rules, "")})
		},
		Decode: putawayRulesReaders.Decode,
	}
}

// putawayRulesReaders reads the fact type of put-away rules.
var putawayRulesReaders = func() protovalue.Readers[domain.PutawayRulesSet] {
	rs := protovalue.Readers[domain.PutawayRulesSet]{}
	protovalue.Read(rs, func(m *imv1.PutawayRulesSet) (domain.PutawayRulesSet, error) {
		r := m.GetRules()
		list, err := protovalue.TryEach(r.GetRules(), fromPutawayRule)
		return domain.PutawayRulesSet{Rules: domain.PutawayRules{
			Site: r.GetSite(), Version: int(r.GetVersion()), List: list, Note: r.GetNote(), By: r.GetSetBy(), At: protovalue.FromTime(r.GetSetTime()),
		}}, err
	})
	return rs
}()

// PutawayPlanType declares what sites keep bins for to the store.
func PutawayPlanType() store.Type[domain.PutawayPlan, domain.PutawayFact] {
	return store.Type[domain.PutawayPlan, domain.PutawayFact]{
		Name: "putaway_plan", Prefix: "pap", Fold: 1,
		Evolve: domain.EvolvePutaways,
		Encode: func(f domain.PutawayFact) (string, []byte, error) { return protovalue.Encode(putawayMessage(f)) },
		Decode: putawayReaders.Decode,
	}
}

// putawayMessage is a fact of a plan as it is stored and published.
func putawayMessage(f domain.PutawayFact) proto.Message {
	switch f := f.(type) {
	case domain.PutawayProposed:
		return &imv1.PutawayProposed{Keys: inboundKeys(f.InboundKeys), Tasks: protovalue.Each(f.Tasks, proposedPutaway)}
	case domain.PutawaySettled:
		return &imv1.PutawaySettled{
			Keys: inboundKeys(f.InboundKeys), OverTaskNumbers: protovalue.Each(f.Over, func(n int) int32 { return int32(n) }),
			Parts: protovalue.Each(f.Parts, func(p domain.SettledPart) *imv1.SettledPutaway {
				return &imv1.SettledPutaway{TaskNumber: int32(p.Task), Location: p.Bin, Quantity: amount(p.Quantity, p.Unit), PutAway: p.PutAway}
			}),
		}
	}
	return nil
}

func proposedPutaway(t domain.ProposedTask) *imv1.ProposedPutaway {
	return &imv1.ProposedPutaway{
		TaskNumber: int32(t.Task), ItemId: t.Item, Sku: t.SKU, Lot: t.Lot, WeightGrams: t.Weight.String(), Unplaced: amount(t.Unplaced, t.Unit),
		RulesVersion: int32(t.Version), Considered: protovalue.Each(t.Considered, considered),
		Bins: protovalue.Each(t.Parts, func(p domain.BinPart) *imv1.PutawayBin { return putawayBin(p, t.Unit) }),
	}
}

func fromProposedPutaway(m *imv1.ProposedPutaway) (t domain.ProposedTask, err error) {
	t = domain.ProposedTask{
		Task: int(m.GetTaskNumber()), Item: m.GetItemId(), SKU: m.GetSku(), Lot: m.GetLot(), Version: int(m.GetRulesVersion()),
		Considered: protovalue.Each(m.GetConsidered(), fromConsidered),
	}
	unplaced, err := protovalue.StoredQuantity(m.GetUnplaced())
	if err != nil {
		return t, err
	}
	t.Unplaced, t.Unit = unplaced.Value, unplaced.Unit
	if t.Weight, err = quantity.Parse(m.GetWeightGrams()); err != nil {
		return t, err
	}
	t.Parts, err = protovalue.TryEach(m.GetBins(), fromPutawayBin)
	return t, err
}

// putawayReaders reads every fact type of a plan.
var putawayReaders = func() protovalue.Readers[domain.PutawayFact] {
	rs := protovalue.Readers[domain.PutawayFact]{}
	protovalue.Read(rs, func(m *imv1.PutawayProposed) (domain.PutawayFact, error) {
		tasks, err := protovalue.TryEach(m.GetTasks(), fromProposedPutaway)
		return domain.PutawayProposed{InboundKeys: fromInboundKeys(m.GetKeys()), Tasks: tasks}, err
	})
	protovalue.Read(rs, func(m *imv1.PutawaySettled) (domain.PutawayFact, error) {
		parts, err := protovalue.TryEach(m.GetParts(), func(p *imv1.SettledPutaway) (domain.SettledPart, error) {
			q, err := protovalue.StoredQuantity(p.GetQuantity())
			return domain.SettledPart{Task: int(p.GetTaskNumber()), Bin: p.GetLocation(), Unit: q.Unit, Quantity: q.Value, PutAway: p.GetPutAway()}, err
		})
		return domain.PutawaySettled{
			InboundKeys: fromInboundKeys(m.GetKeys()), Parts: parts, Over: protovalue.Each(m.GetOverTaskNumbers(), func(n int32) int { return int(n) }),
		}, err
	})
	return rs
}()

// Shelves keeps in a table which stocks may have something in which bin. It is written when goods
// go to a bin, and not when they leave: what is there is read from the stocks.
type Shelves struct{ rows store.Rows }

// NewShelves returns the table in the database.
func NewShelves(db *store.DB) *Shelves { return &Shelves{db.Table("shelves")} }

// noteTries is how often a bin is written for that others write beside.
const noteTries = 50

// Consumer notes where goods go.
func (s *Shelves) Consumer() bus.Consumer {
	return bus.Routes(bus.Reactor, "bins", "inventory-movement",
		bus.On(func(ctx context.Context, f bus.Fact, m *imv1.StockMoved) error {
			if to := m.GetTo().GetLocation(); !domain.Reserved(to) && to != m.GetFrom().GetLocation() {
				return s.Note(ctx, m.GetStock().GetSite(), f.AggregateID, to)
			}
			return nil
		}),
	)
}

func shelfID(ctx context.Context, site, bin string) string {
	return ident.Derive("shf", store.CauseOf(ctx).Tenant, site, bin)
}

// shelf is the body of a row.
type shelf struct {
	Bin    string   `json:"bin"`
	Stocks []string `json:"stocks,omitempty"`
}

// Note implements app.Shelves. The row is written although the stock is noted already, so that
// nobody forgets it who looked before the goods came.
func (s *Shelves) Note(ctx context.Context, site, stock string, bins ...string) error {
	for _, bin := range bins {
		if err := s.note(ctx, site, stock, bin); err != nil {
			return err
		}
	}
	return nil
}

func (s *Shelves) note(ctx context.Context, site, stock, bin string) error {
	for range noteTries {
		row, _, err := s.rows.Get(ctx, store.CauseOf(ctx).Tenant, shelfID(ctx, site, bin))
		if err != nil {
			return err
		}
		is := shelf{Bin: bin}
		if row.Version > 0 {
			if err := json.Unmarshal(row.Body, &is); err != nil {
				return err
			}
		}
		if !slices.Contains(is.Stocks, stock) {
			is.Stocks = append(is.Stocks, stock)
		}
		if done, err := s.swap(ctx, site, is, row.Version); done || err != nil {
			return err
		}
	}
	return fault.New(fault.Unavailable, "PUTAWAY_CONTENDED", "bin %s is written all the while: try again", bin).After(time.Second)
}

func (s *Shelves) swap(ctx context.Context, site string, is shelf, expect uint64) (bool, error) {
	body, err := json.Marshal(is)
	if err != nil {
		return false, err
	}
	return s.rows.Swap(ctx, store.Row{Tenant: store.CauseOf(ctx).Tenant, ID: shelfID(ctx, site, is.Bin), Version: expect + 1, Body: body}, expect)
}

// Stocks implements app.Shelves.
func (s *Shelves) Stocks(ctx context.Context, site string, bins []string) (map[string]app.Shelf, error) {
	ids := make([]string, len(bins))
	for i, bin := range bins {
		ids[i] = shelfID(ctx, site, bin)
	}
	rows, err := s.rows.GetMany(ctx, store.CauseOf(ctx).Tenant, ids)
	if err != nil {
		return nil, err
	}
	found := make(map[string]app.Shelf, len(rows))
	for _, r := range rows {
		var is shelf
		if err := json.Unmarshal(r.Body, &is); err != nil {
			return nil, err
		}
		found[is.Bin] = app.Shelf{Version: r.Version, Stocks: is.Stocks}
	}
	return found, nil
}

// Forget implements app.Shelves.
func (s *Shelves) Forget(ctx context.Context, site, bin string, seen app.Shelf, gone []string) error {
	left := slices.DeleteFunc(slices.Clone(seen.Stocks), func(id string) bool { return slices.Contains(gone, id) })
	_, err := s.swap(ctx, site, shelf{bin, left}, seen.Version)
	return err
}
