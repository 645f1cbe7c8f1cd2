package adapter

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
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

// Shelves keeps in a table which stocks may have something in which bin: a row each, so that goods
// of one bin wait for no others. It is written when goods go to a bin, and not when they leave: what
// is there is read from the stocks.
type Shelves struct{ rows store.Rows }

// indexShelf lists the stocks of a bin.
const indexShelf = "shelf"

// NewShelves returns the table in the database.
func NewShelves(db *store.DB) *Shelves { return &Shelves{db.Table("shelves", indexShelf)} }

const (
	// noteTries is how often a row is written that others write beside.
	noteTries = 50
	// shelfPage is how many stocks of a bin one read brings, shelvesBeside of how many bins at a time.
	shelfPage, shelvesBeside = 500, 8
)

// Consumer notes where goods go.
func (s *Shelves) Consumer() bus.Consumer {
	return bus.Routes(bus.Reactor, "bins", "inventory-movement",
		bus.On(func(ctx context.Context, f bus.Fact, m *imv1.StockMoved) error {
			if to := m.GetTo().GetLocation(); !domain.Reserved(to) && to != m.GetFrom().GetLocation() {
				return s.Note(ctx, m.GetStock().GetSite(), to, f.AggregateID)
			}
			return nil
		}),
	)
}

func shelfID(ctx context.Context, site, bin string) string {
	return ident.Derive("shf", store.CauseOf(ctx).Tenant, site, bin)
}

// row is what is noted of a stock in a bin; one that was forgotten is listed nowhere, and stays for
// its version.
func (s *Shelves) row(ctx context.Context, site, bin, stock string, listed bool) store.Row {
	r := store.Row{Tenant: store.CauseOf(ctx).Tenant, ID: ident.Derive("shs", store.CauseOf(ctx).Tenant, site, bin, stock), Body: []byte(stock)}
	if listed {
		r.Keys = map[string][]string{indexShelf: {shelfID(ctx, site, bin)}}
	}
	return r
}

// Note implements app.Shelves. The row is written although the stock is noted already, so that
// nobody forgets it who looked before the goods came.
func (s *Shelves) Note(ctx context.Context, site, bin, stock string) error {
	row := s.row(ctx, site, bin, stock, true)
	for range noteTries {
		is, _, err := s.rows.Get(ctx, row.Tenant, row.ID)
		if err != nil {
			return err
		}
		row.Version = is.Version + 1
		if done, err := s.rows.Swap(ctx, row, is.Version); done || err != nil {
			return err
		}
	}
	return fault.New(fault.Unavailable, "PUTAWAY_CONTENDED", "bin %s is written all the while: try again", bin).After(time.Second)
}

// Stocks implements app.Shelves.
func (s *Shelves) Stocks(ctx context.Context, site string, bins []string) (map[string][]app.Noted, error) {
	found := make([][]app.Noted, len(bins))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(shelvesBeside)
	for i, bin := range bins {
		group.Go(func() (err error) {
			found[i], err = s.stocks(ctx, site, bin)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := make(map[string][]app.Noted, len(bins))
	for i, bin := range bins {
		all[bin] = found[i]
	}
	return all, nil
}

func (s *Shelves) stocks(ctx context.Context, site, bin string) (found []app.Noted, err error) {
	for after := ""; ; {
		rows, err := s.rows.List(ctx, store.CauseOf(ctx).Tenant, indexShelf, shelfID(ctx, site, bin), after, shelfPage)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			found, after = append(found, app.Noted{Stock: string(r.Body), Version: r.Version}), r.ID
		}
		if len(rows) < shelfPage {
			return found, nil
		}
	}
}

// Forget implements app.Shelves.
func (s *Shelves) Forget(ctx context.Context, site, bin string, gone []app.Noted) error {
	for _, n := range gone {
		row := s.row(ctx, site, bin, n.Stock, false)
		row.Version = n.Version + 1
		if _, err := s.rows.Swap(ctx, row, n.Version); err != nil {
			return err
		}
	}
	return nil
}
