package bus

import (
	"context"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/lockstep-logistics/lockstep/libs/store"
)

// whole is the index of a revision whose commit is applied to its last fact.
const whole = 1<<16 - 1

// Applied keeps, for a recorder, the last fact of each aggregate that has taken effect. It
// is stored after the effects, so after a crash facts may come again, never fail to come.
type Applied struct {
	rows     store.Rows
	consumer string

	mu    sync.Mutex
	known *lru.Cache[key, uint64]
	dirty map[key]uint64
}

// newApplied keeps versions in the table for one consumer.
func newApplied(rows store.Rows, consumer string) *Applied {
	known, err := lru.New[key, uint64](1 << 16)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &Applied{rows: rows, consumer: consumer, known: known, dirty: map[key]uint64{}}
}

// Version returns the newest version of an aggregate that is applied as a whole; 0 for none.
func (a *Applied) Version(ctx context.Context, aggregateType, tenant, id string) (uint64, error) {
	r, err := a.get(ctx, key{aggregateType, tenant, id})
	if r != 0 && r&whole != whole {
		return r>>16 - 1, err // all of an aggregate's facts before this commit are
	}
	return r >> 16, err
}

func (a *Applied) rowID(k key) string { return a.consumer + ":" + k.id }

// get returns the revision applied: version and index, or whole.
func (a *Applied) get(ctx context.Context, k key) (uint64, error) {
	a.mu.Lock()
	r, ok := a.dirty[k]
	if !ok {
		r, ok = a.known.Get(k)
	}
	a.mu.Unlock()
	if ok {
		return r, nil
	}
	row, _, err := a.rows.Get(ctx, k.tenant, a.rowID(k))
	if err != nil {
		return 0, err
	}
	a.mu.Lock()
	a.known.Add(k, row.Version)
	a.mu.Unlock()
	return row.Version, nil
}

// revisionOf is the revision applied once a fact is.
func revisionOf(f Fact) uint64 {
	if f.Index+1 >= f.Count {
		return f.Version<<16 | whole
	}
	return f.Revision()
}

// set tells that a fact is applied.
func (a *Applied) set(f Fact) {
	r := revisionOf(f)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known.Add(f.key(), r)
	a.dirty[f.key()] = r
}

// flush stores what changed.
func (a *Applied) flush(ctx context.Context) error {
	a.mu.Lock()
	dirty := a.dirty
	a.dirty = map[key]uint64{}
	a.mu.Unlock()
	rows := make([]store.Row, 0, len(dirty))
	for k, r := range dirty {
		rows = append(rows, store.Row{Tenant: k.tenant, ID: a.rowID(k), Version: r})
	}
	const chunk = 500
	for i := 0; i < len(rows); i += chunk {
		if err := a.rows.Put(ctx, rows[i:min(i+chunk, len(rows))]...); err != nil {
			a.mu.Lock()
			for k, r := range dirty {
				a.dirty[k] = max(a.dirty[k], r)
			}
			a.mu.Unlock()
			return err
		}
	}
	return nil
}

// covers reports that f is applied already.
func covers(applied uint64, f Fact) bool {
	v := applied >> 16
	return v > f.Version || v == f.Version && applied&whole >= uint64(f.Index)
}
