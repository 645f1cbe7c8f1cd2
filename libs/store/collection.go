package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Collection is one aggregate type in a DB; it implements Aggregates.
type Collection[S, F any] struct {
	db     *DB
	t      Type[S, F]
	cache  *lru.Cache[string, *loaded[S]] // majority-committed states only
	queue  combiner[S, F]
	probes prober

	flushing sync.Mutex // held while snapshots are written: who flushes waits for those under way

	mu      sync.Mutex
	dirty   map[string]*loaded[S] // committed, snapshot not written yet
	resting map[string]rest       // snapshots that were just written
}

// loaded is an aggregate at a version. It is shared and never changes.
type loaded[S any] struct {
	header
	state S
}

// Register declares an aggregate type. Call it once a type, before the DB serves. It panics
// when the declaration is wrong or the engine cannot prepare it: defects found at start.
func Register[S, F any](db *DB, t Type[S, F]) *Collection[S, F] {
	if t.Name == "" || t.Prefix == "" || t.Evolve == nil || t.Encode == nil || t.Decode == nil {
		panic(fmt.Sprintf("aggregate type %q: name, prefix, Evolve, Encode and Decode are needed", t.Name))
	}
	cache, err := lru.New[string, *loaded[S]](db.opt.CacheSize)
	if err != nil {
		panic(err)
	}
	c := &Collection[S, F]{db: db, t: t, cache: cache, dirty: map[string]*loaded[S]{}, resting: map[string]rest{}}
	c.probes.next, c.probes.life = db.engine.next, db.ctx
	c.queue.run, c.queue.pending = c.batch, map[string]*line[S, F]{}
	indexes := make([]string, 0, len(t.Indexes))
	for name := range t.Indexes {
		indexes = append(indexes, name)
	}
	slices.Sort(indexes)
	if err := db.engine.declare(db.ctx, t.Name, indexes); err != nil {
		panic(fmt.Sprintf("aggregate type %q: %v", t.Name, err))
	}
	db.mu.Lock()
	db.types = append(db.types, c)
	db.mu.Unlock()
	if !db.engine.together() {
		db.done.Go(c.writeSnapshots)
	}
	db.done.Go(c.refoldSnapshots)
	return c
}

func (c *Collection[S, F]) info() TypeInfo {
	return TypeInfo{Name: c.t.Name, Prefix: c.t.Prefix, Exports: c.t.Export != nil}
}

// Update runs decide on the newest state and commits its facts with the receipt; see Aggregates.
func (c *Collection[S, F]) Update(ctx context.Context, id string, decide func(Current[S]) (Decision[F], error)) (Receipt, error) {
	cause := CauseOf(ctx)
	if cause.Tenant == "" || cause.Key == "" {
		return Receipt{}, fault.New(fault.Internal, "CAUSE_MISSING", "a command on %s has no tenant or no key", id)
	}
	if !validName(cause.Tenant) || !validName(id) {
		return Receipt{}, fault.New(fault.Invalid, "INVALID_REQUEST", "%q cannot be an id", id).
			WithField("id", "ID_INVALID", "1 to 200 bytes, no slash, no control characters")
	}
	if err := c.db.admit(); err != nil {
		return Receipt{}, err
	}
	if cause.KeyTime.IsZero() && cause.Derived {
		cause.KeyTime = c.db.opt.Clock.Now()
	}
	r := &request[S, F]{ctx: ctx, cause: cause, scope: cause.scope(), decide: decide, done: make(chan struct{}), over: c.db.leave}
	c.queue.submit(aggKey(cause.Tenant, id), r)
	select {
	case <-r.done:
		return r.receipt, r.err
	case <-ctx.Done():
		return Receipt{}, fault.New(fault.Unavailable, "OUTCOME_UNKNOWN", "time ran out before the commit was acknowledged").Wrap(ctx.Err())
	}
}

// load returns the aggregates at the newest version that is cheap to know: cached, else
// their snapshots in one read. A version that trails is refused by the commit.
func (c *Collection[S, F]) load(ctx context.Context, aggs []string) (map[string]*loaded[S], error) {
	out := make(map[string]*loaded[S], len(aggs))
	var misses []string
	for _, agg := range aggs {
		if l, ok := c.cache.Get(agg); ok {
			out[agg] = l
		} else {
			misses = append(misses, agg)
		}
	}
	if len(misses) == 0 {
		return out, nil
	}
	docs, err := c.db.engine.snapshots(ctx, c.t.Name, misses)
	if err != nil {
		return nil, err
	}
	for _, agg := range misses {
		l := new(loaded[S])
		if doc, ok := docs[agg]; ok {
			if l, err = c.fromSnapshot(doc); err != nil {
				return nil, err
			}
			c.hold(agg, l)
		}
		out[agg] = l
	}
	return out, nil
}

// hold caches a majority-committed state unless a newer one is held.
func (c *Collection[S, F]) hold(agg string, l *loaded[S]) {
	if l.version == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.cache.Peek(agg); !ok || old.version < l.version {
		c.cache.Add(agg, l)
	}
}

// fromSnapshot decodes a snapshot; one of an older fold counts as none.
func (c *Collection[S, F]) fromSnapshot(doc []byte) (*loaded[S], error) {
	d := new(snapDoc)
	if err := unmarshal(doc, d); err != nil {
		return nil, fmt.Errorf("%w: snapshot cannot be read: %w", errUnreadable, err)
	}
	return c.decoded(d)
}

func (c *Collection[S, F]) decoded(d *snapDoc) (*loaded[S], error) {
	switch {
	case int(d.Fold) > c.t.Fold || d.Writer > writerVersion:
		return nil, writtenByNewer(d.ID)
	case int(d.Fold) < c.t.Fold:
		return new(loaded[S]), nil
	}
	head, err := d.header()
	if err != nil {
		return nil, err
	}
	l := &loaded[S]{header: head}
	if err := unmarshal(d.State, &l.state); err != nil {
		return nil, fmt.Errorf("%w: state of %s cannot be read: %w", errUnreadable, d.ID, err)
	}
	return l, nil
}

// full returns an aggregate at its newest majority-committed version: the cached copy or
// the snapshot, then every later commit.
func (c *Collection[S, F]) full(ctx context.Context, agg string) (*loaded[S], error) {
	l, ok := c.cache.Get(agg)
	if !ok {
		got, err := c.load(ctx, []string{agg})
		if err != nil {
			return nil, err
		}
		if l = got[agg]; l.version == 0 {
			latest, err := c.db.engine.latest(ctx, agg)
			if err != nil || latest == 0 { // it has no commit
				return l, err
			}
			if l, err = c.fromBase(ctx, agg, latest); err != nil {
				return nil, err
			}
		}
	}
	return c.follow(ctx, agg, l)
}

// foldAtOnce is how many commits one read brings.
const foldAtOnce = 1000

// follow folds the commits after l's version.
func (c *Collection[S, F]) follow(ctx context.Context, agg string, l *loaded[S]) (*loaded[S], error) {
	for {
		docs, err := c.db.engine.commits(ctx, agg, l.version+1, foldAtOnce)
		if err != nil {
			return nil, err
		}
		for _, doc := range docs {
			if l, err = c.fold(l, doc); err != nil {
				return nil, err
			}
		}
		if len(docs) < foldAtOnce {
			c.hold(agg, l)
			return l, nil
		}
	}
}

// fromBase starts a rebuild at the newest commit up to latest that carries the packed state.
func (c *Collection[S, F]) fromBase(ctx context.Context, agg string, latest uint64) (*loaded[S], error) {
	v := latest - latest%baseEvery
	if v == 0 {
		return new(loaded[S]), nil
	}
	docs, err := c.db.engine.commits(ctx, agg, v, 1)
	if err != nil || len(docs) == 0 {
		return new(loaded[S]), err
	}
	d, err := readCommit(docs[0])
	if err != nil || len(d.Base) == 0 {
		return new(loaded[S]), err
	}
	l, err := c.fromSnapshot(d.Base)
	if err != nil {
		return nil, err
	}
	if l.version != v { // of an older fold, as all before it are: fold everything
		return new(loaded[S]), nil
	}
	l.parent = chain(docs[0])
	return l, nil
}

// fold applies one stored commit after checking that it follows l. One that does not is an
// alarm: the aggregate is left alone, never folded on.
func (c *Collection[S, F]) fold(l *loaded[S], doc []byte) (*loaded[S], error) {
	d, err := readCommit(doc)
	if err != nil {
		return nil, err
	}
	if uint64(d.Version) != l.version+1 || d.Parent != l.parent || uint64(d.Prev) != l.prev {
		c.db.opt.Log.Error("history is broken", "aggregate", d.Agg, "version", d.Version, "after", l.version)
		return nil, fmt.Errorf("%w: %w", errUnreadable,
			fault.New(fault.Internal, "HISTORY_BROKEN", "%s: commit %d does not follow version %d", d.Agg, d.Version, l.version))
	}
	if d.Writer > writerVersion {
		return nil, writtenByNewer(d.Agg)
	}
	facts, err := c.decodeFacts(d)
	if err != nil {
		return nil, err
	}
	next := &loaded[S]{header: l.header, state: l.state}
	for _, f := range facts {
		next.state = c.t.Evolve(next.state, f)
	}
	for _, r := range d.Receipts {
		next.push(r, uint64(d.Version), d.At)
	}
	next.advance(d, doc)
	return next, nil
}

// errUnreadable marks what is wrong with one aggregate, not with the engine: it is left
// alone by this binary, and others go on.
var errUnreadable = errors.New("left alone")

func writtenByNewer(agg string) error {
	return fmt.Errorf("%w: %w", errUnreadable,
		fault.New(fault.Unavailable, "WRITTEN_BY_NEWER", "%s was written by a newer version of this service", agg))
}

// advance moves the header to a commit.
func (h *header) advance(d *commitDoc, bytes []byte) {
	h.version, h.parent, h.updated, h.writer = uint64(d.Version), chain(bytes), d.At, d.Writer
	if h.version == 1 {
		h.created = d.At
	}
	if len(d.Facts) > 0 {
		h.prev = h.version
	}
}

func (c *Collection[S, F]) decodeFacts(d *commitDoc) ([]F, error) {
	out := make([]F, len(d.Facts))
	for i, f := range d.Facts {
		var err error
		if out[i], err = c.t.Decode(f.Type, f.Data); err != nil {
			return nil, fmt.Errorf("%w: %w", errUnreadable, err)
		}
	}
	return out, nil
}

// snapshot renders an aggregate as its snapshot document.
func (c *Collection[S, F]) snapshot(agg string, l *loaded[S]) (*snapDoc, error) {
	state, err := marshal(l.state)
	if err != nil {
		return nil, fmt.Errorf("state of %s cannot be written: %w", agg, err)
	}
	return l.snap(agg, c.t.Fold, bson.Raw(state), c.keys(l.state)), nil
}

// keys are what a state is listed under.
func (c *Collection[S, F]) keys(s S) map[string][]string {
	keys := make(map[string][]string, len(c.t.Indexes))
	for name, index := range c.t.Indexes {
		if ks := index(s); len(ks) > 0 {
			keys[name] = ks
		}
	}
	return keys
}

func (c *Collection[S, F]) export(d *snapDoc) (RawFact, error) {
	if c.t.Export == nil {
		return RawFact{}, fault.New(fault.Invalid, "NOT_EXPORTED", "aggregate type %q is not exported", c.t.Name)
	}
	l, err := c.decoded(d)
	if err != nil {
		return RawFact{}, err
	}
	_, id := splitKey(d.ID)
	f, err := c.t.Export(id, l.state)
	if err != nil {
		return RawFact{}, err
	}
	name, data, err := c.t.Encode(f)
	return RawFact{Type: name, Data: data}, err
}

// view renders an aggregate for a reader.
func (c *Collection[S, F]) view(agg string, l *loaded[S]) View[S] {
	_, id := splitKey(agg)
	return View[S]{
		State: l.state, ID: id, Version: l.version, ETag: etag(l.prev),
		Created: fromMicros(l.created), Updated: fromMicros(l.updated),
	}
}

func etag(version uint64) string { return fmt.Sprintf("%d", version) }

var _ Aggregates[int, int] = (*Collection[int, int])(nil)
