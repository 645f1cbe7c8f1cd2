package app

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// StockCounts is where counts are kept.
type StockCounts = store.Aggregates[domain.Count, domain.CountFact]

// CountPolicies is where is kept how the sites of each tenant count.
type CountPolicies = store.Aggregates[domain.CountPolicies, domain.CountPolicySet]

// Counting is the use cases of cycle counts.
type Counting struct {
	*App
	Counts   StockCounts
	Policies CountPolicies
}

// NewCount is a count as a request has it.
type NewCount struct {
	Site, Owner     string
	Locations, SKUs []string
}

// PlanCount says what is to be counted: every place of the bins and items where the books have
// something. What comes later, and is found, is counted beside.
func (a *Counting) PlanCount(ctx context.Context, n NewCount) (store.Receipt, error) {
	cause := store.CauseOf(ctx)
	f := domain.CountPlanned{Locations: n.Locations, SKUs: n.SKUs}
	f.CountKeys = domain.CountKeys{ID: ident.Derive("cnt", cause.Tenant, cause.Principal, cause.Key), Site: n.Site, Owner: ownerOf(n.Owner)}
	if _, err := a.Counts.Get(ctx, f.ID); fault.IsKind(err, fault.NotFound) { // whoever asks again is answered by the receipt
		var err error
		if f.Policy, err = a.countPolicy(ctx, n.Site); err != nil {
			return store.Receipt{}, err
		}
		if f.Places, err = a.toCount(ctx, f); err != nil {
			return store.Receipt{}, err
		}
	} else if err != nil {
		return store.Receipt{}, err
	}
	return a.onCount(ctx, f.ID, true, func(c domain.Count, _ time.Time) ([]domain.CountFact, error) { return domain.PlanCount(c, f) },
		func(d *store.Decision[domain.CountFact], c domain.Count) {
			d.Values = map[string]string{"lines": strconv.Itoa(len(c.Lines))}
		})
}

// toCount are the places of a count where the books have something, by bin, item and lot.
func (a *Counting) toCount(ctx context.Context, f domain.CountPlanned) ([]domain.CountPlace, error) {
	ref, err := a.Reference.Lookup(ctx, []string{f.Site}, f.SKUs)
	if err != nil {
		return nil, err
	}
	if s, ok := ref.Sites[f.Site]; !ok || !s.IsSite {
		return nil, domain.Invalid("site", "SITE_UNKNOWN", "no site %q: define it in master data", f.Site)
	}
	for i, sku := range f.SKUs {
		if _, ok := ref.Items[sku]; !ok {
			return nil, domain.Invalid("skus["+strconv.Itoa(i)+"]", "ITEM_UNKNOWN", "no item %q: define it in master data", sku)
		}
	}
	for i, l := range f.Locations {
		if err := checkPlace(domain.Place{Location: l}, "locations["+strconv.Itoa(i)+"]"); err != nil {
			return nil, err
		}
	}
	stocks, err := a.stocksOf(ctx, f, ref)
	if err != nil {
		return nil, err
	}
	c := domain.ApplyCount(domain.Count{}, f)
	var all []domain.CountPlace
	for _, s := range stocks {
		for _, r := range s.Rows {
			p := domain.CountPlace{Item: s.Key.Item, SKU: s.Key.SKU, Unit: s.Key.Unit, Place: r.Place}
			if !domain.Reserved(r.Place.Location) && c.Covers(p) {
				all = append(all, p)
			}
		}
	}
	slices.SortFunc(all, func(x, y domain.CountPlace) int {
		return cmp.Or(strings.Compare(x.Place.Location, y.Place.Location), strings.Compare(x.SKU, y.SKU), strings.Compare(x.Place.Lot, y.Place.Lot), strings.Compare(x.Place.Serial, y.Place.Serial),
			strings.Compare(x.Place.Expiry, y.Place.Expiry), strings.Compare(string(x.Place.Status), string(y.Place.Status)))
	})
	return all, nil
}

// stocksOf are the stocks of a count's items, or of all items of the site.
func (a *Counting) stocksOf(ctx context.Context, f domain.CountPlanned, ref domain.Reference) (all []domain.Stock, err error) {
	if len(f.SKUs) > 0 {
		ids := make([]string, len(f.SKUs))
		for i, sku := range f.SKUs {
			ids[i] = StockID(store.CauseOf(ctx).Tenant, f.Site, ref.Items[sku].ID, f.Owner)
		}
		views, err := a.Stocks.GetMany(ctx, ids)
		for _, v := range views {
			all = append(all, v.State)
		}
		return all, err
	}
	for q := (store.Query{Index: IndexNames, Key: NameKey("LOCATION", f.Site), PageSize: 200}); ; {
		page, err := a.Stocks.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, v := range page.Items {
			if v.State.Key.Owner == f.Owner {
				all = append(all, v.State)
			}
		}
		if q.PageToken = page.NextToken; q.PageToken == "" {
			return all, nil
		}
	}
}

// onCount changes a count, which must exist unless the command makes it.
func (a *Counting) onCount(
	ctx context.Context, id string, makes bool, decide func(domain.Count, time.Time) ([]domain.CountFact, error),
	qualify func(*store.Decision[domain.CountFact], domain.Count),
) (store.Receipt, error) {
	return a.Counts.Update(ctx, id, func(c store.Current[domain.Count]) (store.Decision[domain.CountFact], error) {
		if c.Version == 0 && !makes {
			return store.Decision[domain.CountFact]{}, notFound()
		}
		facts, err := decide(c.State, c.Now)
		if err != nil {
			return store.Decision[domain.CountFact]{}, err
		}
		after := domain.ApplyCount(c.State, facts...)
		d := store.Decision[domain.CountFact]{Facts: facts, State: string(after.State())}
		if qualify != nil {
			qualify(&d, after)
		}
		return d, nil
	})
}

// StartCount begins to count.
func (a *Counting) StartCount(ctx context.Context, id string) (store.Receipt, error) {
	return a.onCount(ctx, id, false, func(c domain.Count, _ time.Time) ([]domain.CountFact, error) { return domain.StartCount(c) }, nil)
}

// CancelCount calls a count off.
func (a *Counting) CancelCount(ctx context.Context, id, reason string) (store.Receipt, error) {
	return a.onCount(ctx, id, false, func(c domain.Count, _ time.Time) ([]domain.CountFact, error) { return domain.CancelCount(c, reason) }, nil)
}

// Count returns one count.
func (a *Counting) Count(ctx context.Context, id string) (store.View[domain.Count], error) {
	return found(a.Counts.Get(ctx, id))
}

// ListCounts pages counts by a declared index.
func (a *Counting) ListCounts(ctx context.Context, q store.Query) (store.Page[domain.Count], error) {
	return a.Counts.List(ctx, q)
}

func countPolicyID(ctx context.Context) string {
	return ident.Derive("cpo", store.CauseOf(ctx).Tenant)
}

// CountPolicies is how the tenant's sites count.
func (a *Counting) CountPolicies(ctx context.Context) (domain.CountPolicies, error) {
	v, err := a.Policies.Get(ctx, countPolicyID(ctx))
	if fault.IsKind(err, fault.NotFound) {
		err = nil
	}
	return v.State, err
}

func (a *Counting) countPolicy(ctx context.Context, site string) (domain.CountPolicy, error) {
	p, err := a.CountPolicies(ctx)
	return p.At(site), err
}

// SetCountPolicy says how a site counts, or with "" every site that has nothing of its own; nil
// takes it away.
func (a *Counting) SetCountPolicy(ctx context.Context, site string, p *domain.CountPolicy) (store.Receipt, error) {
	if site != "" {
		ref, err := a.Reference.Lookup(ctx, []string{site}, nil)
		if err != nil {
			return store.Receipt{}, err
		}
		if s, ok := ref.Sites[site]; !ok || !s.IsSite {
			return store.Receipt{}, domain.Invalid("site", "SITE_UNKNOWN", "no site %q: define it in master data", site)
		}
	}
	if p != nil {
		if err := p.Recount.Check("policy.recount"); err != nil {
			return store.Receipt{}, err
		}
		if err := p.Approval.Check("policy.approval"); err != nil {
			return store.Receipt{}, err
		}
	}
	return a.Policies.Update(ctx, countPolicyID(ctx), func(c store.Current[domain.CountPolicies]) (store.Decision[domain.CountPolicySet], error) {
		facts, err := domain.SetCountPolicy(c.State, site, p)
		return store.Decision[domain.CountPolicySet]{Facts: facts}, err
	})
}

// Counted is what was counted at one place, as a request has it.
type Counted struct {
	SKU      string
	Place    domain.Place
	Quantity quantity.Quantity
}
