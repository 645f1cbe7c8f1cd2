// Package bustest holds the promises of the bus as tests, with the faults that they must
// survive, for any database that the bus can run on; and a database in memory for tests of
// what is built on the bus.
package bustest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// Memory is a store.Feed in memory. Its snapshots change only when Refresh asks for it, so
// that what forgets to ask shows. Its state of an aggregate is its last fact.
type Memory struct {
	mu        sync.Mutex
	clock     clock.Clock
	types     []store.TypeInfo
	commits   []store.RawCommit
	newest    map[store.Touched]int // aggregate (version 0) → its last commit, index in commits
	snapshots map[store.Touched]int
	more      chan struct{} // closed at the next commit
	tables    map[string]*rows
}

// NewMemory returns an empty database with the aggregate types; all of them can be exported.
func NewMemory(types ...string) *Memory {
	m := &Memory{
		clock: clock.System{}, more: make(chan struct{}), tables: map[string]*rows{},
		newest: map[store.Touched]int{}, snapshots: map[store.Touched]int{},
	}
	for _, t := range types {
		m.types = append(m.types, store.TypeInfo{Name: t, Prefix: t, Exports: true})
	}
	return m
}

// Commit implements DB.
func (m *Memory) Commit(_ context.Context, aggregate, tenant, id string, facts ...store.RawFact) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := store.Touched{AggregateType: aggregate, Tenant: tenant, ID: id}
	c := store.RawCommit{
		Position: store.Position(strconv.Itoa(len(m.commits) + 1)), AggregateType: aggregate,
		Tenant: tenant, ID: id, Version: 1, Facts: facts, Recorded: m.clock.Now(),
	}
	if i, ok := m.newest[k]; ok {
		c.Version, c.Previous = m.commits[i].Version+1, m.commits[i].Previous
		if len(m.commits[i].Facts) > 0 {
			c.Previous = m.commits[i].Version
		}
	}
	m.newest[k] = len(m.commits)
	m.commits = append(m.commits, c)
	close(m.more)
	m.more = make(chan struct{})
	return c.Version, nil
}

// Tail implements store.Feed.
func (m *Memory) Tail(ctx context.Context, from store.Position, fn func(store.RawCommit) error, rest func(store.Position) error) error {
	next := 0
	if from != "" {
		var err error
		if next, err = strconv.Atoi(string(from)); err != nil {
			return fmt.Errorf("position %q: %w", from, err)
		}
	}
	for {
		m.mu.Lock()
		batch, more := m.commits[next:], m.more
		m.mu.Unlock()
		for _, c := range batch {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := fn(c); err != nil {
				return err
			}
		}
		next += len(batch)
		if rest != nil {
			if err := rest(store.Position(strconv.Itoa(next))); err != nil {
				return err
			}
		}
		select {
		case <-time.After(time.Second):
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// End implements store.Feed.
func (m *Memory) End(context.Context) (store.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return store.Position(strconv.Itoa(len(m.commits))), nil
}

// Types implements store.Feed.
func (m *Memory) Types() []store.TypeInfo { return m.types }

// Commits implements store.Feed.
func (m *Memory) Commits(_ context.Context, aggregate, tenant, id string, after uint64, limit int) ([]store.RawCommit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []store.RawCommit
	for _, c := range m.commits {
		if c.AggregateType == aggregate && c.Tenant == tenant && c.ID == id && c.Version > after && len(c.Facts) > 0 && len(out) < limit {
			c.Position = ""
			out = append(out, c)
		}
	}
	return out, nil
}

// Snapshots implements store.Feed.
func (m *Memory) Snapshots(_ context.Context, aggregate string, after store.Ref, limit int, export bool) ([]store.Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []store.Touched
	for k := range m.snapshots {
		if k.AggregateType == aggregate && cmp.Or(strings.Compare(k.Tenant, after.Tenant), strings.Compare(k.ID, after.ID)) > 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b store.Touched) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.ID, b.ID))
	})
	var out []store.Snapshot
	for _, k := range keys[:min(limit, len(keys))] {
		i := m.snapshots[k]
		s := store.Snapshot{Tenant: k.Tenant, ID: k.ID, Version: m.commits[i].Version, Updated: m.commits[i].Recorded}
		if export {
			s.Fact = m.last(k, i)
		}
		out = append(out, s)
	}
	return out, nil
}

// last returns the last fact of an aggregate up to a commit.
func (m *Memory) last(k store.Touched, i int) store.RawFact {
	for ; i >= 0; i-- {
		c := m.commits[i]
		if c.AggregateType == k.AggregateType && c.Tenant == k.Tenant && c.ID == k.ID && len(c.Facts) > 0 {
			return c.Facts[len(c.Facts)-1]
		}
	}
	return store.RawFact{}
}

// Refresh implements store.Feed.
func (m *Memory) Refresh(_ context.Context, touched []store.Touched) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range touched {
		t.Version = 0
		m.snapshots[t] = m.newest[t]
	}
	return nil
}

// RefreshAll implements store.Rescanner.
func (m *Memory) RefreshAll(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.Copy(m.snapshots, m.newest)
	return nil
}

// SetGoodTo implements store.Feed.
func (m *Memory) SetGoodTo(time.Time) {}

// SetBacklog implements store.Feed.
func (m *Memory) SetBacklog(time.Duration, int) {}

// Exclusive implements store.Feed.
func (m *Memory) Exclusive() bool { return false }

// Table implements store.Feed.
func (m *Memory) Table(name string, _ ...string) store.Rows {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.tables[name]
	if !ok {
		t = &rows{byID: map[store.Ref]store.Row{}}
		m.tables[name] = t
	}
	return t
}

// rows is a store.Rows in memory.
type rows struct {
	mu   sync.Mutex
	byID map[store.Ref]store.Row
}

func (r *rows) Put(_ context.Context, rs ...store.Row) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, row := range rs {
		ref := store.Ref{Tenant: row.Tenant, ID: row.ID}
		if old, ok := r.byID[ref]; !ok || row.Version > old.Version {
			r.byID[ref] = row
		}
	}
	return nil
}

func (r *rows) Swap(_ context.Context, row store.Row, expect uint64) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ref := store.Ref{Tenant: row.Tenant, ID: row.ID}
	if old, ok := r.byID[ref]; old.Version != expect || ok != (expect != 0) {
		return false, nil
	}
	r.byID[ref] = row
	return true, nil
}

func (r *rows) Get(_ context.Context, tenant, id string) (store.Row, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	row, ok := r.byID[store.Ref{Tenant: tenant, ID: id}]
	return row, ok, nil
}

func (r *rows) GetMany(ctx context.Context, tenant string, ids []string) ([]store.Row, error) {
	var out []store.Row
	for _, id := range ids {
		if row, ok, _ := r.Get(ctx, tenant, id); ok {
			out = append(out, row)
		}
	}
	return out, nil
}

func (r *rows) List(_ context.Context, tenant, index, key, after string, limit int) ([]store.Row, error) {
	return r.some(limit, func(row store.Row) (string, bool) {
		ok := row.Tenant == tenant && row.ID > after && (index == "" || slices.Contains(row.Keys[index], key))
		return row.ID, ok
	})
}

func (r *rows) Due(_ context.Context, index, upTo string, limit int) ([]store.Row, error) {
	return r.some(limit, func(row store.Row) (string, bool) {
		if len(row.Keys[index]) == 0 {
			return "", false
		}
		key := slices.Min(row.Keys[index])
		return key, key <= upTo
	})
}

// some returns the first rows, by the key that pick gives them.
func (r *rows) some(limit int, pick func(store.Row) (string, bool)) ([]store.Row, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	type keyed struct {
		key string
		row store.Row
	}
	var found []keyed
	for _, row := range r.byID {
		if key, ok := pick(row); ok {
			found = append(found, keyed{key, row})
		}
	}
	slices.SortFunc(found, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	out := make([]store.Row, 0, limit)
	for _, f := range found[:min(limit, len(found))] {
		out = append(out, f.row)
	}
	return out, nil
}

func (r *rows) Delete(_ context.Context, tenant string, ids ...string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		delete(r.byID, store.Ref{Tenant: tenant, ID: id})
	}
	return nil
}
