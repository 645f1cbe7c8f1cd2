package store

import "context"

// Scan pages the tenant's aggregates in the order of their ids, those after one: each no older
// than any commit that was acknowledged before the call. What is read stays out of the cache, so
// that reading everything costs the memory of a page. An aggregate that came into being a moment
// ago may be missing; nothing may be decided on that.
func (c *Collection[S, F]) Scan(ctx context.Context, after string, limit int) ([]View[S], error) {
	tenant := CauseOf(ctx).Tenant
	ctx, over, err := c.db.abreast(ctx)
	if err != nil {
		return nil, err
	}
	defer over()
	docs, err := c.db.engine.scan(ctx, c.t.Name, aggKey(tenant, after), limit)
	if err != nil {
		return nil, unavailable(err)
	}
	var aggs []string
	states, probe := map[string]*loaded[S]{}, map[string]uint64{}
	for _, doc := range docs {
		l, agg, err := c.listed(ctx, doc)
		if err != nil {
			return nil, unavailable(err)
		}
		if of, _ := splitKey(agg); of != tenant {
			break
		}
		aggs, states[agg], probe[agg] = append(aggs, agg), l, l.version+1
	}
	if len(aggs) == 0 {
		return nil, nil
	}
	later, err := c.db.engine.next(ctx, probe)
	if err != nil {
		return nil, unavailable(err)
	}
	out := make([]View[S], 0, len(aggs))
	for _, agg := range aggs {
		l := states[agg]
		if later[agg] {
			if l, err = c.follow(ctx, agg, l); err != nil {
				return nil, unavailable(err)
			}
		}
		out = append(out, c.view(agg, l))
	}
	return out, nil
}
