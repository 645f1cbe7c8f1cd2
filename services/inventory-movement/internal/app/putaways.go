package app

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// IndexPutaway lists by site the inbound deliveries of which something waits to be put away.
const IndexPutaway = "putaway"

// PutawayRules is where the put-away rules of sites are kept.
type PutawayRules = store.Aggregates[domain.PutawayRules, domain.PutawayRulesSet]

// PutawayPlans is where is kept what each site keeps bins for.
type PutawayPlans = store.Aggregates[domain.PutawayPlan, domain.PutawayFact]

// PutawayConditions compiles what rules ask of goods. A source that cannot be compiled is an error
// that says where and why.
type PutawayConditions interface {
	Compile(source string) (func(domain.PutawayGoods) (bool, error), error)
}

// Zones is the service's own copy of how a site's bins lie in its zones.
type Zones interface {
	// BinsOf returns the bins in use of a zone, in no order.
	BinsOf(ctx context.Context, site, zone string) ([]string, error)
	// InUse leaves out those that are no bins of the site or are retired.
	InUse(ctx context.Context, site string, bins []string) ([]string, error)
	// Kinds says what is in use of locations; what the copy does not know master data is asked for.
	Kinds(ctx context.Context, site string, codes []string) (map[string]domain.PlaceKind, error)
}

// Shelves knows which stocks may have something in which bin: what is there is read from them.
type Shelves interface {
	// Note says that a stock has something in a bin, durable on return.
	Note(ctx context.Context, site, bin, stock string) error
	// Stocks returns what is noted of bins.
	Stocks(ctx context.Context, site string, bins []string) (map[string][]Noted, error)
	// Forget takes stocks off that have nothing in a bin any more, but those that were noted again since.
	Forget(ctx context.Context, site, bin string, gone []Noted) error
}

// Noted is a stock that may have something in a bin, and the version of the note.
type Noted struct {
	Stock   string
	Version uint64
}

// Putaways is where goods that came go to.
type Putaways struct {
	Rules      PutawayRules
	Plans      PutawayPlans
	Conditions PutawayConditions
	Zones      Zones
	Shelves    Shelves
}

const (
	// putawaysAtOnce is for how many tasks one commit finds bins.
	putawaysAtOnce = 50
	// putawayTries is how often bins are looked for while others are found beside.
	putawayTries = 20
	// shelvesAtOnce is of how many bins the contents are read at a time.
	shelvesAtOnce = 100
	// rulesAtOnce is how many versions one read of the rules' history brings.
	rulesAtOnce = 50
)

func putawayRulesID(tenant, site string) string { return ident.Derive("par", tenant, site) }

func putawayPlanID(tenant, site string) string { return ident.Derive("pap", tenant, site) }

// PutawayNames are the sites under which a delivery waits to be put away.
func PutawayNames(d domain.Inbound) []string {
	if slices.ContainsFunc(d.Standings, func(s domain.Standing) bool { return !s.Stored }) {
		return []string{d.Keys.Site}
	}
	return nil
}

// SetPutawayRules makes a list the next version of a site's rules, or says all that is wrong with it.
func (a *Inbound) SetPutawayRules(ctx context.Context, site string, list []domain.PutawayRule, note string) (store.Receipt, error) {
	ref, err := a.Reference.Lookup(ctx, []string{site}, nil)
	if err != nil {
		return store.Receipt{}, err
	}
	if s, ok := ref.Sites[site]; !ok || !s.IsSite {
		return store.Receipt{}, domain.Invalid("site", "SITE_UNKNOWN", "no site %q: define it in master data", site)
	}
	var codes []string
	for _, r := range list {
		if r.Zone != "" {
			codes = append(codes, r.Zone)
		}
		codes = append(codes, r.Bins...)
	}
	kinds, err := a.Putaways.Zones.Kinds(ctx, site, slices.Compact(slices.Sorted(slices.Values(codes))))
	if err != nil {
		return store.Receipt{}, err
	}
	compile := func(source string) error {
		_, err := a.Putaways.Conditions.Compile(source)
		return err
	}
	if err := domain.CheckPutawayRules(list, kinds, compile); err != nil {
		return store.Receipt{}, err
	}
	cause := store.CauseOf(ctx)
	return a.Putaways.Rules.Update(ctx, putawayRulesID(cause.Tenant, site), func(c store.Current[domain.PutawayRules]) (store.Decision[domain.PutawayRulesSet], error) {
		facts := domain.SetPutawayRules(c.State, domain.PutawayRules{Site: site, List: list, Note: note, By: cause.Principal, At: c.Now})
		next := c.State
		for _, f := range facts {
			next = domain.EvolvePutawayRules(next, f)
		}
		return store.Decision[domain.PutawayRulesSet]{Facts: facts, Values: map[string]string{"version": strconv.Itoa(next.Version)}}, nil
	})
}

// GetPutawayRules returns the rules of a site: the newest version, or the one with the number.
func (a *Inbound) GetPutawayRules(ctx context.Context, site string, version int) (domain.PutawayRules, string, error) {
	id := putawayRulesID(store.CauseOf(ctx).Tenant, site)
	v, err := a.Putaways.Rules.Get(ctx, id)
	if fault.IsKind(err, fault.NotFound) {
		v.State.Site, err = site, nil
	}
	if err != nil || version == 0 || version == v.State.Version {
		return v.State, v.ETag, err
	}
	for after, more := uint64(0), v.Version > 0; more; {
		commits, err := a.Putaways.Rules.History(ctx, id, after, rulesAtOnce)
		if err != nil {
			return domain.PutawayRules{}, "", err
		}
		for _, c := range commits {
			for _, f := range c.Facts {
				if f.Rules.Version == version {
					return f.Rules, v.ETag, nil
				}
			}
			after = c.Version
		}
		more = len(commits) >= rulesAtOnce
	}
	return domain.PutawayRules{}, "", notFound()
}

// Plan is what a site keeps bins for.
func (a *Inbound) Plan(ctx context.Context, site string) (domain.PutawayPlan, error) {
	v, err := a.plan(ctx, site)
	return v.State, err
}

func (a *Inbound) plan(ctx context.Context, site string) (store.View[domain.PutawayPlan], error) {
	v, err := a.Putaways.Plans.Get(ctx, putawayPlanID(store.CauseOf(ctx).Tenant, site))
	if fault.IsKind(err, fault.NotFound) {
		err = nil
	}
	return v, err
}

// book is the rules of a site with their conditions.
func (a *Inbound) book(ctx context.Context, site string) (domain.PutawayBook, error) {
	rules, _, err := a.GetPutawayRules(ctx, site, 0)
	if err != nil {
		return domain.PutawayBook{}, err
	}
	return domain.PutawayBook{Version: rules.Version, List: rules.List, Fits: func(i int, g domain.PutawayGoods) (bool, error) {
		fits, err := a.Putaways.Conditions.Compile(rules.List[i].Condition)
		if err != nil {
			return false, err
		}
		return fits(g)
	}}, nil
}

// Propose finds bins for what of a delivery waits and has none, and returns the plan as it is then.
// Each decision is made on the plan that it changes: a bin is never kept for more than it takes.
func (a *Inbound) Propose(ctx context.Context, id string) (domain.PutawayPlan, error) {
	v, err := a.Deliveries.Get(ctx, id)
	if err != nil {
		return domain.PutawayPlan{}, err
	}
	book, err := a.book(ctx, v.State.Keys.Site)
	if err != nil || len(book.List) == 0 {
		return domain.PutawayPlan{}, err
	}
	var ids []string
	for _, l := range v.State.Lines {
		ids = append(ids, l.Item)
	}
	items, err := a.Reference.Items(ctx, ids)
	if err != nil {
		return domain.PutawayPlan{}, err
	}
	tried := map[int]bool{}
	for tries := 0; tries < putawayTries; {
		plan, err := a.plan(ctx, v.State.Keys.Site)
		if err != nil {
			return plan.State, err
		}
		f, tasks, err := a.search(ctx, v.State, book, items, plan.State, tried)
		if err != nil || len(tasks) == 0 {
			return plan.State, err
		}
		switch kept, err := a.commit(ctx, plan, f); {
		case err != nil:
			return plan.State, err
		case !kept:
			tries++
			continue
		case store.CauseOf(ctx).Validate:
			return domain.EvolvePutaways(plan.State, f), nil
		}
		for _, n := range tasks {
			tried[n] = true
		}
	}
	return domain.PutawayPlan{}, contended()
}

func contended() *fault.Error {
	return fault.New(fault.Unavailable, "PUTAWAY_CONTENDED", "the bins of the site are chosen for others all the while: try again").After(time.Second)
}

// search looks for bins for the next tasks of a delivery that were not tried, and names them.
func (a *Inbound) search(
	ctx context.Context, d domain.Inbound, book domain.PutawayBook, items map[string]domain.Item, plan domain.PutawayPlan, tried map[int]bool,
) (f domain.PutawayProposed, tasks []int, err error) {
	bins := &siteBins{ctx: ctx, a: a, site: d.Keys.Site, rules: book.List, found: map[int][]string{}, in: map[string][]domain.BinGoods{}}
	f.InboundKeys = d.Keys
	for _, g := range plan.Wanting(d, items) {
		if tried[g.Task] || len(tasks) >= putawaysAtOnce {
			continue
		}
		t, err := plan.Propose(book, g, bins)
		if err != nil {
			return f, nil, err
		}
		tasks = append(tasks, g.Task)
		if plan.News(d.Keys.ID, t) {
			one := domain.PutawayProposed{InboundKeys: d.Keys, Tasks: []domain.ProposedTask{t}}
			plan = domain.EvolvePutaways(plan, one)
			f.Tasks = append(f.Tasks, t)
		}
	}
	return f, tasks, nil
}

// commit adds proposals to the plan that they were decided on; false if it is another by now.
func (a *Inbound) commit(ctx context.Context, plan store.View[domain.PutawayPlan], f domain.PutawayProposed) (bool, error) {
	if len(f.Tasks) == 0 {
		return true, nil
	}
	ctx = store.WithItem(store.WithIfMatch(ctx, ""), "putaway/"+f.ID+"/"+strconv.Itoa(plan.State.Revision))
	moved := contended()
	_, err := a.Putaways.Plans.Update(ctx, putawayPlanID(store.CauseOf(ctx).Tenant, f.Site), func(c store.Current[domain.PutawayPlan]) (store.Decision[domain.PutawayFact], error) {
		if c.State.Revision != plan.State.Revision {
			return store.Decision[domain.PutawayFact]{}, moved
		}
		return store.Decision[domain.PutawayFact]{Facts: []domain.PutawayFact{f}}, nil
	})
	if x, ok := fault.As(err); ok && x.Reason == moved.Reason {
		return false, nil
	}
	return err == nil, err
}

// Settle gives free what was kept for goods that were moved, once their movement is booked: what
// went to bins is noted there first, so that it is counted all the while.
func (a *Inbound) Settle(ctx context.Context, k domain.InboundKeys, moves []domain.InboundMove, putAway bool) error {
	plan, err := a.plan(ctx, k.Site)
	if err != nil || len(plan.State.Tasks) == 0 {
		return err
	}
	if putAway {
		for _, m := range moves {
			stock := StockID(store.CauseOf(ctx).Tenant, k.Site, m.Item, k.Owner)
			if err := a.Putaways.Shelves.Note(ctx, k.Site, m.To.Location, stock); err != nil {
				return err
			}
		}
	}
	v, err := a.Deliveries.Get(ctx, k.ID)
	if err != nil || len(domain.SettlePutaways(plan.State, v.State, moves, putAway)) == 0 {
		return err
	}
	_, err = a.Putaways.Plans.Update(store.WithItem(ctx, "settle"), plan.ID, func(c store.Current[domain.PutawayPlan]) (store.Decision[domain.PutawayFact], error) {
		return store.Decision[domain.PutawayFact]{Facts: domain.SettlePutaways(c.State, v.State, moves, putAway)}, nil
	})
	return err
}

// proposed are the bins that are proposed for a task, for decisions on the delivery: without a
// location that is named only those that are in use, looked for if there are none yet.
func (a *Inbound) proposed(ctx context.Context, d domain.Inbound, task int, location string) (func(domain.Inbound) []domain.BinPart, error) {
	plan, err := a.Plan(ctx, d.Keys.Site)
	if err != nil {
		return nil, err
	}
	if location != "" {
		return func(d domain.Inbound) []domain.BinPart { return plan.Parts(d, task) }, nil
	}
	if len(plan.Parts(d, task)) == 0 {
		if plan, err = a.Propose(ctx, d.Keys.ID); err != nil {
			return nil, err
		}
	}
	var bins []string
	for _, p := range plan.Parts(d, task) {
		bins = append(bins, p.Bin)
	}
	fit, err := a.Putaways.Zones.InUse(ctx, d.Keys.Site, bins)
	return func(d domain.Inbound) []domain.BinPart { return domain.Without(plan.Parts(d, task), fit) }, err
}
