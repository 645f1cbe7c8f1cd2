package store

import (
	"context"
	"errors"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Get returns the aggregate by id, never stale; see Aggregates.
func (c *Collection[S, F]) Get(ctx context.Context, id string) (View[S], error) {
	agg, err := c.key(ctx, id)
	if errors.Is(err, errNoSuch) {
		return View[S]{}, fault.New(fault.NotFound, "NOT_FOUND", "no %s %s", c.t.Name, id)
	}
	if err != nil {
		return View[S]{}, err
	}
	l, err := c.newest(ctx, agg)
	if err != nil {
		return View[S]{}, unavailable(err)
	}
	if l.version == 0 {
		return View[S]{}, fault.New(fault.NotFound, "NOT_FOUND", "no %s %s", c.t.Name, id)
	}
	return c.view(agg, l), nil
}

func (c *Collection[S, F]) key(ctx context.Context, id string) (string, error) {
	tenant := CauseOf(ctx).Tenant
	if tenant == "" {
		return "", fault.New(fault.Internal, "CAUSE_MISSING", "a read of %s has no tenant", id)
	}
	if !validName(tenant) || !validName(id) {
		return "", errNoSuch
	}
	return aggKey(tenant, id), nil
}

// errNoSuch says that nothing can have this id.
var errNoSuch = fault.New(fault.NotFound, "NOT_FOUND", "no aggregate can have this id")

// newest returns an aggregate no older than any commit that anybody can have seen. Where
// this process is the only writer, what it holds is that, unless a command is under way:
// its commit may be in Tail, and what it causes at work, before it is held here.
func (c *Collection[S, F]) newest(ctx context.Context, agg string) (*loaded[S], error) {
	l, ok := c.cache.Get(agg)
	switch exclusive := c.db.engine.exclusive(); {
	case !ok || exclusive && !c.queue.idle(agg):
		return c.full(ctx, agg)
	case exclusive:
		if l, ok = c.cache.Get(agg); ok { // as it is now that nothing is under way
			return l, nil
		}
		return c.full(ctx, agg)
	}
	later, err := c.probes.later(ctx, agg, l.version)
	if err != nil {
		return nil, err
	}
	if later {
		return c.full(ctx, agg)
	}
	return l, nil
}

// GetMany returns those of the ids that exist: snapshots in one read, then one probe for
// later commits, then the few that have any.
func (c *Collection[S, F]) GetMany(ctx context.Context, ids []string) ([]View[S], error) {
	aggs := make([]string, 0, len(ids))
	for _, id := range ids {
		agg, err := c.key(ctx, id)
		if errors.Is(err, errNoSuch) {
			continue
		}
		if err != nil {
			return nil, err
		}
		aggs = append(aggs, agg)
	}
	held := c.db.engine.exclusive() && c.db.engine.together() && c.queue.idle(aggs...)
	states, err := c.load(ctx, aggs)
	if err != nil {
		return nil, unavailable(err)
	}
	probe := make(map[string]uint64, len(states))
	for agg, l := range states {
		if !held || l.version == 0 { // no snapshot, or one of an older fold
			probe[agg] = l.version + 1
		}
	}
	if len(probe) > 0 {
		later, err := c.db.engine.next(ctx, probe)
		if err != nil {
			return nil, unavailable(err)
		}
		for agg := range later {
			if states[agg], err = c.full(ctx, agg); err != nil {
				return nil, unavailable(err)
			}
		}
	}
	out := make([]View[S], 0, len(states))
	for agg, l := range states {
		if l.version > 0 {
			out = append(out, c.view(agg, l))
		}
	}
	return out, nil
}

// Sizes of a page.
const (
	defaultPage = 50
	maxPage     = 200
)

// List pages the snapshots by a declared index; see Aggregates.
func (c *Collection[S, F]) List(ctx context.Context, q Query) (Page[S], error) {
	tenant := CauseOf(ctx).Tenant
	if _, ok := c.t.Indexes[q.Index]; (!ok && q.Index != "") || tenant == "" {
		return Page[S]{}, fault.New(fault.Internal, "INDEX_UNKNOWN", "no index %q on %s, or no tenant", q.Index, c.t.Name)
	}
	size := q.PageSize
	if size <= 0 {
		size = defaultPage
	}
	size = min(size, maxPage)
	lq := listQuery{tenant: tenant, index: q.Index, key: q.Key, limit: size + 1}
	scope := strings.Join([]string{tenant, c.t.Name, q.Index, q.Key}, "\x00")
	if q.PageToken != "" {
		var err error
		if lq.created, lq.after, err = c.db.open(scope, q.PageToken); err != nil {
			return Page[S]{}, err
		}
	}
	asOf := c.db.asOf()
	docs, err := c.db.engine.list(ctx, c.t.Name, lq)
	if err != nil {
		return Page[S]{}, unavailable(err)
	}
	page := Page[S]{AsOf: asOf}
	for i, doc := range docs {
		if i == size {
			last := page.Items[size-1]
			page.NextToken = c.db.seal(scope, micros(last.Created), aggKey(tenant, last.ID))
			break
		}
		l, id, err := c.listed(ctx, doc)
		if err != nil {
			return Page[S]{}, unavailable(err)
		}
		page.Items = append(page.Items, c.view(id, l))
	}
	return page, nil
}

// listed decodes a listed snapshot; one of an older fold is folded anew.
func (c *Collection[S, F]) listed(ctx context.Context, doc []byte) (*loaded[S], string, error) {
	d := new(snapDoc)
	if err := unmarshal(doc, d); err != nil {
		return nil, "", err
	}
	l, err := c.decoded(d)
	if err == nil && l.version == 0 {
		l, err = c.full(ctx, d.ID)
	}
	return l, d.ID, err
}

// Due returns the aggregates of all tenants whose index key is at most upTo; see Aggregates.
func (c *Collection[S, F]) Due(ctx context.Context, index, upTo string, limit int) ([]Ref, error) {
	refs, err := c.db.engine.due(ctx, c.t.Name, index, upTo, limit)
	if err != nil {
		return nil, unavailable(err)
	}
	return refs, nil
}

// History returns the commits of an aggregate, ascending; see Aggregates.
func (c *Collection[S, F]) History(ctx context.Context, id string, after uint64, limit int) ([]Commit[F], error) {
	agg, err := c.key(ctx, id)
	if errors.Is(err, errNoSuch) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	docs, err := c.db.engine.commits(ctx, agg, after+1, limit)
	if err != nil {
		return nil, unavailable(err)
	}
	tenant, _ := splitKey(agg)
	out := make([]Commit[F], 0, len(docs))
	for _, doc := range docs {
		d, err := readCommit(doc)
		if err != nil {
			return nil, err
		}
		facts, err := c.decodeFacts(d)
		if err != nil {
			return nil, err
		}
		first := len(out)
		for _, r := range d.Receipts {
			out = append(out, Commit[F]{
				Version: uint64(d.Version), Recorded: fromMicros(d.At), Cause: r.cause(tenant), Principal: r.Principal,
			})
		}
		for i, f := range facts {
			of := &out[first+int(d.Facts[i].Receipt)]
			of.Facts = append(of.Facts, f)
		}
	}
	return out, nil
}
