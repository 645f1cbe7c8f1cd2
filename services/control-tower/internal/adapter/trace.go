package adapter

import (
	"context"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/domain"
)

const (
	pageOfRows = 200
	lookups    = 16 // of one layer at a time
)

// tracer answers one trace from the rows of one tenant.
type tracer struct {
	rows   store.Rows
	tenant string
	limits domain.Limits
	steps  map[string]*controltowerv1.TraceStep // by fact id
	read   sync.Map                             // row id → found: many keys lead to the same rows
}

// found are the facts of one index key.
type found struct {
	facts []domain.Fact
	steps []*controltowerv1.TraceStep
	more  bool
}

func (f found) ids() []string {
	return protovalue.Each(f.facts, func(f domain.Fact) string { return f.ID })
}

// trace resolves the key and walks from all that it may mean.
func (t *tracer) trace(ctx context.Context, key string, want domain.KeyType) (domain.Graph, []domain.Key, error) {
	starts, err := t.resolve(ctx, key, want)
	if err != nil {
		return domain.Graph{}, nil, err
	}
	if len(starts) == 0 {
		return domain.Graph{}, nil, fault.New(fault.NotFound, "KEY_UNKNOWN", "no fact carries this key")
	}
	w := domain.NewWalk(t.limits, starts...)
	for layer := w.Next(); len(layer) > 0; layer = w.Next() {
		results := make([]found, len(layer))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(lookups)
		for i, l := range layer {
			group.Go(func() (err error) {
				results[i], err = t.lookup(ctx, l)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return domain.Graph{}, nil, err
		}
		for i, l := range layer {
			for j, f := range results[i].facts {
				t.steps[f.ID] = results[i].steps[j]
			}
			w.Take(l, results[i].facts)
			if results[i].more {
				w.Truncate()
			}
		}
	}
	return w.Graph(), starts, nil
}

// resolve returns the keys that are meant: those written exactly so, else those of the same
// normal form, else the aggregate of this id.
func (t *tracer) resolve(ctx context.Context, key string, want domain.KeyType) ([]domain.Key, error) {
	var exact, alike []domain.Key
	for _, form := range domain.Forms(key) {
		meant := func(k domain.Key) bool { return domain.Normal(k.Value) == form && (want == "" || k.Type == want) }
		of, err := t.list(ctx, byKey(form), func(f domain.Fact) bool { return slices.ContainsFunc(f.Linking(), meant) })
		if err != nil {
			return nil, err
		}
		for _, f := range of.facts {
			for _, k := range f.Linking() {
				if meant(k) && k.Value == key {
					exact = append(exact, k)
				} else if meant(k) {
					alike = append(alike, k)
				}
			}
		}
	}
	if len(exact) == 0 {
		exact = alike
	}
	if len(exact) > 0 {
		return unique(exact), nil
	}
	own := domain.OfAggregate(key)
	if want != "" && own.Type != want {
		return nil, nil
	}
	rows, err := t.rows.List(ctx, t.tenant, index, byAggregate(key), "", 1)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return []domain.Key{own}, nil
}

func unique(keys []domain.Key) []domain.Key {
	slices.SortFunc(keys, func(a, b domain.Key) int {
		return strings.Compare(string(a.Type)+"\x00"+a.Value, string(b.Type)+"\x00"+b.Value)
	})
	return slices.Compact(keys)
}

// lookup returns the facts that the walk asks for.
func (t *tracer) lookup(ctx context.Context, l domain.Lookup) (found, error) {
	if l.Own {
		return t.list(ctx, byAggregate(l.Key.Value), func(f domain.Fact) bool { return f.Source.ID == l.Key.Value })
	}
	return t.list(ctx, byKey(domain.Normal(l.Key.Value)), func(f domain.Fact) bool { return slices.Contains(f.Linking(), l.Key) })
}

// list reads the facts under one index key that match, the oldest rows first, as many as an
// answer may hold. A fact that was written twice is one.
func (t *tracer) list(ctx context.Context, key string, match func(domain.Fact) bool) (found, error) {
	var out found
	seen := map[string]bool{}
	for after := ""; ; {
		rows, err := t.rows.List(ctx, t.tenant, index, key, after, pageOfRows)
		if err != nil {
			return found{}, err
		}
		for _, row := range rows {
			after = row.ID
			of, err := t.unpacked(row)
			if err != nil {
				return found{}, err
			}
			for i, f := range of.facts {
				if seen[f.ID] || !match(f) {
					continue
				}
				if len(out.facts) == t.limits.Facts {
					out.more = true
					return out, nil
				}
				seen[f.ID] = true
				out.facts, out.steps = append(out.facts, f), append(out.steps, of.steps[i])
			}
		}
		if len(rows) < pageOfRows {
			return out, nil
		}
	}
}

func (t *tracer) unpacked(row store.Row) (found, error) {
	if of, ok := t.read.Load(row.ID); ok {
		return of.(found), nil
	}
	of, err := unpack(row)
	if err == nil {
		t.read.Store(row.ID, of)
	}
	return of, err
}
