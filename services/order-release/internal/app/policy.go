package app

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Policies are the tenants' sourcing rules and release channels, compiled once a version. What
// another process changed counts here within fresh.
type Policies struct {
	Rules      store.Aggregates[domain.Rules, domain.RulesFact]
	Channels   store.Aggregates[domain.Channel, domain.ChannelFact]
	Conditions Conditions
	Shipped    Shipped
	Now        func() time.Time

	mu      sync.Mutex
	tenants map[string]*policy
	changes map[string]int             // that this process made, by tenant
	here    map[string]map[string]bool // ids of channels that it changed: a list may not have them yet
}

// fresh is how long rules and channels are used without a look at the store.
const fresh = time.Second

// maxChannels is how many channels a tenant may have.
const maxChannels = 100

// RulesID derives the id of a tenant's sourcing rules.
func RulesID(tenant string) string { return ident.Derive("srl", tenant) }

// ChannelID derives the id of a channel.
func ChannelID(tenant, code string) string { return ident.Derive("rch", tenant, code) }

// policy is what counts for one tenant.
type policy struct {
	read     time.Time
	rules    domain.Rulebook
	channels []channel            // in the order in which they are tried
	shipped  domain.ShippedPolicy // of releases whose channel leaves it open; "" when the tenant says nothing
}

// channel is a channel with its condition.
type channel struct {
	domain.Channel
	fits OrderCondition
}

// gate is whether a channel lets what is promised at a site go: the first that fits the order.
func (p *policy) gate(h domain.Header, site string, now time.Time) domain.Gate {
	for _, c := range p.channels {
		if c.Site != site {
			continue
		}
		switch fits, err := c.fits(h); {
		case err != nil:
			return c.Undecided(err)
		case fits:
			g := c.Gate(now)
			g.Shipped = domain.ShippedAs(c.Channel, p.shipped)
			return g
		}
	}
	return domain.Gate{Shipped: domain.ShippedAs(domain.Channel{}, p.shipped)}
}

// freeze is until when a site's releases may be amended, by the channel that fits the order. Where
// that cannot be told nothing is.
func (p *policy) freeze(h domain.Header, site string) domain.FreezePoint {
	for _, c := range p.channels {
		if c.Site != site {
			continue
		}
		switch fits, err := c.fits(h); {
		case err != nil:
			return domain.FreezeReleased
		case fits:
			return cmp.Or(c.Freeze, domain.FreezePicked)
		}
	}
	return domain.FreezePicked
}

// of returns what counts for the caller's tenant.
func (p *Policies) of(ctx context.Context) (*policy, error) {
	tenant := store.CauseOf(ctx).Tenant
	p.mu.Lock()
	known, changes := p.tenants[tenant], p.changes[tenant]
	p.mu.Unlock()
	now := p.Now()
	if known != nil && !now.Before(known.read) && now.Sub(known.read) < fresh {
		return known, nil
	}
	next, err := p.load(ctx, known)
	if err != nil {
		return nil, err
	}
	next.read = now
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changes[tenant] == changes { // else it may be older than a change
		put(&p.tenants, tenant, next)
	}
	return next, nil
}

// forget lets the next decision of the caller's tenant look at the store.
func (p *Policies) forget(ctx context.Context) {
	tenant := store.CauseOf(ctx).Tenant
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tenants, tenant)
	put(&p.changes, tenant, p.changes[tenant]+1)
}

// changed is forget after a change of a channel.
func (p *Policies) changed(ctx context.Context, id string) {
	p.forget(ctx)
	tenant := store.CauseOf(ctx).Tenant
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := p.here[tenant]
	put(&ids, id, true)
	put(&p.here, tenant, ids)
}

// put puts an entry into a map, which it makes first if there is none.
func put[V any](m *map[string]V, key string, value V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = value
}

// load reads rules and channels; what is compiled and has not changed is kept.
func (p *Policies) load(ctx context.Context, known *policy) (*policy, error) {
	next := &policy{}
	rules, err := p.Rules.Get(ctx, RulesID(store.CauseOf(ctx).Tenant))
	switch {
	case fault.IsKind(err, fault.NotFound):
	case err != nil:
		return nil, err
	case known != nil && known.rules.Version == rules.State.Version:
		next.rules = known.rules
	default:
		if next.rules, err = p.book(rules.State); err != nil {
			return nil, err
		}
	}
	if next.shipped, err = p.Shipped.Policy(ctx); err != nil {
		return nil, err
	}
	channels, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range channels {
		compiled := channel{Channel: c}
		if known != nil {
			if i := slices.IndexFunc(known.channels, func(k channel) bool { return k.Code == c.Code && k.Condition == c.Condition }); i >= 0 {
				compiled.fits = known.channels[i].fits
			}
		}
		if compiled.fits == nil {
			if compiled.fits, err = p.fits(c.Condition); err != nil {
				return nil, err
			}
		}
		next.channels = append(next.channels, compiled)
	}
	slices.SortFunc(next.channels, func(a, b channel) int { return cmp.Or(a.Priority-b.Priority, cmp.Compare(a.Code, b.Code)) })
	return next, nil
}

// fits compiles a channel's condition; an empty one fits every order.
func (p *Policies) fits(source string) (OrderCondition, error) {
	if source == "" {
		return func(domain.Header) (bool, error) { return true, nil }, nil
	}
	return p.Conditions.OfOrder(source)
}

// book compiles rules.
func (p *Policies) book(r domain.Rules) (domain.Rulebook, error) {
	conditions := make([]LineCondition, len(r.List))
	for i, rule := range r.List {
		if rule.Condition == "" {
			continue
		}
		var err error
		if conditions[i], err = p.Conditions.OfLine(rule.Condition); err != nil {
			return domain.Rulebook{}, err
		}
	}
	return domain.Rulebook{Version: r.Version, List: r.List, Fits: func(i int, h domain.Header, l domain.Line) (bool, error) {
		if conditions[i] == nil {
			return true, nil
		}
		return conditions[i](h, l)
	}}, nil
}

// list returns the tenant's channels as they are: the list, which may trail, says only which there are.
func (p *Policies) list(ctx context.Context) ([]domain.Channel, error) {
	p.mu.Lock()
	ids := slices.Collect(maps.Keys(p.here[store.CauseOf(ctx).Tenant]))
	p.mu.Unlock()
	q := store.Query{PageSize: maxChannels}
	for {
		page, err := p.Channels.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, v := range page.Items {
			if !slices.Contains(ids, v.ID) {
				ids = append(ids, v.ID)
			}
		}
		if q.PageToken = page.NextToken; q.PageToken == "" {
			break
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	views, err := p.Channels.GetMany(ctx, ids)
	channels := make([]domain.Channel, len(views))
	for i, v := range views {
		channels[i] = v.State
	}
	return channels, err
}
