package store

import (
	"context"
	"errors"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

var (
	_ Feed      = (*DB)(nil)
	_ Rescanner = (*DB)(nil)
)

// End returns the position after the newest durable commit.
func (db *DB) End(ctx context.Context) (Position, error) { return db.engine.end(ctx) }

// Types returns the registered aggregate types.
func (db *DB) Types() []TypeInfo {
	var out []TypeInfo
	for _, t := range db.registered() {
		out = append(out, t.info())
	}
	return out
}

func (db *DB) typeOf(name string) (aggregateType, error) {
	for _, t := range db.registered() {
		if t.info().Name == name {
			return t, nil
		}
	}
	return nil, fault.New(fault.Invalid, "AGGREGATE_TYPE_UNKNOWN", "no aggregate type %q here", name)
}

// Commits returns the commits of one aggregate that carry facts; see Feed.
func (db *DB) Commits(ctx context.Context, aggregateType, tenant, id string, after uint64, limit int) ([]RawCommit, error) {
	if _, err := db.typeOf(aggregateType); err != nil {
		return nil, err
	}
	var out []RawCommit
	for from := after + 1; len(out) < limit; {
		docs, err := db.engine.commits(ctx, aggKey(tenant, id), from, limit)
		if err != nil || len(docs) == 0 {
			return out, err
		}
		for _, doc := range docs {
			d, err := readCommit(doc)
			if err != nil {
				return nil, err
			}
			from = uint64(d.Version) + 1
			if len(d.Facts) > 0 && len(out) < limit {
				out = append(out, d.raw(""))
			}
		}
	}
	return out, nil
}

// Snapshots pages the snapshots of a type over all tenants; see Feed.
func (db *DB) Snapshots(ctx context.Context, aggregateType string, after Ref, limit int, export bool) ([]Snapshot, error) {
	t, err := db.typeOf(aggregateType)
	if err != nil {
		return nil, err
	}
	ctx, over, err := db.abreast(ctx)
	if err != nil {
		return nil, err
	}
	defer over()
	cursor := ""
	if after.ID != "" {
		cursor = aggKey(after.Tenant, after.ID)
	}
	docs, err := db.engine.scan(ctx, aggregateType, cursor, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Snapshot, len(docs))
	for i, doc := range docs {
		d := new(snapDoc)
		if err := unmarshal(doc, d); err != nil {
			return nil, err
		}
		tenant, id := splitKey(d.ID)
		out[i] = Snapshot{Tenant: tenant, ID: id, Version: uint64(d.Version), Updated: fromMicros(d.Updated)}
		if export {
			if out[i].Fact, err = t.export(d); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Refresh makes sure that the snapshots of the touched aggregates are good to their versions.
func (db *DB) Refresh(ctx context.Context, touched []Touched) error {
	if db.engine.together() {
		return nil
	}
	by := map[string][]Touched{}
	for _, t := range touched {
		by[t.AggregateType] = append(by[t.AggregateType], t)
	}
	for name, list := range by {
		t, err := db.typeOf(name)
		if err != nil {
			continue // written by a newer binary: it refreshes its own
		}
		if err := t.refresh(ctx, list); err != nil {
			return err
		}
	}
	return nil
}

// refreshAtOnce is how many aggregates RefreshAll looks at in one go.
const refreshAtOnce = 500

// RefreshAll makes sure that every aggregate has a snapshot of its newest version, those
// included that End has passed; see Rescanner.
func (db *DB) RefreshAll(ctx context.Context) error {
	if db.engine.together() {
		return nil
	}
	ctx, over, err := db.abreast(ctx)
	if err != nil {
		return err
	}
	defer over()
	var some []Touched
	err = db.engine.heads(ctx, func(typ, agg string, version uint64) error {
		tenant, id := splitKey(agg)
		if some = append(some, Touched{typ, tenant, id, version}); len(some) < refreshAtOnce {
			return nil
		}
		err := db.Refresh(ctx, some)
		some = some[:0]
		return err
	})
	if err != nil || len(some) == 0 {
		return err
	}
	return db.Refresh(ctx, some)
}

// abreast returns a context whose reads hold all that End has passed and all that anybody was
// told of before the call; over ends it. Reads see what a majority is known to have, and that
// may be less: End says where the primary is, and a new primary learns last of what the one
// before it acknowledged. A write that is durable has everything before it durable too, and a
// read that follows it in one session sees it.
func (db *DB) abreast(ctx context.Context) (_ context.Context, over func(), err error) {
	if db.engine.exclusive() {
		return ctx, func() {}, nil // one process, whose reads see what is committed
	}
	ctx, over = db.engine.session(ctx)
	for err = errTaken; errors.Is(err, errTaken); { // by another's first one
		err = db.engine.try(ctx)
	}
	if err != nil {
		over()
		return ctx, func() {}, unavailable(err)
	}
	return ctx, over, nil
}

// SetGoodTo tells that snapshots hold every commit recorded before t: once true, always true.
func (db *DB) SetGoodTo(t time.Time) {
	for at := micros(t); ; {
		old := db.goodTo.Load()
		if old != 0 && old >= at || db.goodTo.CompareAndSwap(old, at) {
			return
		}
	}
}

// SetBacklog tells how far the relay is behind.
func (db *DB) SetBacklog(age time.Duration, count int) {
	db.backlog.Store(age.Microseconds())
	db.waiting.Store(int64(count))
}

// Exclusive reports that no other process can have this database open.
func (db *DB) Exclusive() bool { return db.engine.exclusive() }

// deciding tells that commits recorded from now on are under way until the returned function
// is called.
func (db *DB) deciding() (over func()) {
	now := micros(db.opt.Clock.Now())
	db.mu.Lock()
	defer db.mu.Unlock()
	db.turn++
	turn := db.turn
	db.underWay[turn] = now
	return func() {
		db.mu.Lock()
		defer db.mu.Unlock()
		delete(db.underWay, turn)
	}
}

// settled is the time before which no commit of this process is under way.
func (db *DB) settled() time.Time {
	at := micros(db.opt.Clock.Now())
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, began := range db.underWay {
		at = min(at, began)
	}
	return fromMicros(at)
}

// asOf is what lists are good to.
func (db *DB) asOf() time.Time {
	if db.engine.together() {
		return db.settled()
	}
	if n := db.goodTo.Load(); n != 0 {
		return fromMicros(n)
	}
	return time.Time{}
}
