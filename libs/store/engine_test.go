package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// The sum is the least aggregate there can be: facts are numbers, the state adds them up.
type sum struct {
	N int64 `bson:"n"`
}

func sumType() Type[sum, int64] {
	return Type[sum, int64]{
		Name: "sum", Prefix: "sum", Fold: 1,
		Evolve:  func(s sum, n int64) sum { return sum{s.N + n} },
		Encode:  func(n int64) (string, []byte, error) { return "n", binary.AppendVarint(nil, n), nil },
		Decode:  func(_ string, data []byte) (int64, error) { n, _ := binary.Varint(data); return n, nil },
		Indexes: map[string]func(sum) []string{"all": func(sum) []string { return []string{"x"} }},
	}
}

func add(ctx context.Context, c *Collection[sum, int64], id, key string, n int64) (Receipt, error) {
	ctx = WithCause(ctx, Cause{Tenant: "t", Principal: "p", Key: key})
	return c.Update(ctx, id, func(Current[sum]) (Decision[int64], error) { return Decision[int64]{Facts: []int64{n}}, nil })
}

func value(t *testing.T, c *Collection[sum, int64], id string) (int64, error) {
	v, err := c.Get(WithCause(t.Context(), Cause{Tenant: "t"}), id)
	return v.State.N, err
}

// onEngines runs a test on both engines; wrap comes between the store and its engine.
func onEngines(t *testing.T, test func(t *testing.T, open func(wrap func(engine) engine) *DB)) {
	for name, config := range map[string]func(t *testing.T) Config{
		"MongoDB": func(t *testing.T) Config {
			uri := testkit.Mongo(t)
			return Config{URI: uri, Database: testkit.Database(t, uri)}
		},
		"SQLite": func(t *testing.T) Config { return Config{URI: "sqlite:" + t.TempDir(), Database: "test"} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			test(t, func(wrap func(engine) engine) *DB {
				db, err := Open(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), DelaySnapshots: true})
				if err != nil {
					t.Fatal(err)
				}
				db.engine = wrap(db.engine)
				t.Cleanup(func() {
					if err := db.Close(context.Background()); err != nil {
						t.Error(err)
					}
				})
				return db
			})
		})
	}
}

func asIs(e engine) engine { return e }

// doubtful is an engine that does not tell what became of a write.
type doubtful struct {
	engine
	mu   sync.Mutex
	then string // "stored" or "lost": what happens to the next write
}

var errNoAnswer = errors.New("no answer")

func (d *doubtful) insert(ctx context.Context, ws []*write) {
	d.mu.Lock()
	then := d.then
	d.then = ""
	d.mu.Unlock()
	if then != "lost" {
		d.engine.insert(ctx, ws)
	}
	if then != "" {
		for _, w := range ws {
			w.result = errNoAnswer
		}
	}
}

// An outcome that is unknown is told as such, what was held of the aggregate is dropped, and
// the same key finds out what became of it: one effect in the end, stored or lost.
func TestUnknownOutcome(t *testing.T) {
	onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
		var d *doubtful
		c := Register(open(func(e engine) engine { d = &doubtful{engine: e}; return d }), sumType())
		want := int64(0)
		for i, what := range []string{"", "stored", "lost", "stored", "lost"} {
			key := fmt.Sprint("k", i)
			d.mu.Lock()
			d.then = what
			d.mu.Unlock()
			_, err := add(t.Context(), c, "sum_a", key, 1)
			if what != "" {
				if f, _ := fault.As(err); f == nil || f.Reason != "OUTCOME_UNKNOWN" || f.Kind != fault.Unavailable {
					t.Fatalf("%s: %v", what, err)
				}
				if _, held := c.cache.Get("t/sum_a"); held {
					t.Errorf("%s: a copy of unknown standing is kept", what)
				}
				rec, err := add(t.Context(), c, "sum_a", key, 1)
				if err != nil || rec.Replayed != (what == "stored") {
					t.Errorf("%s: %+v %v", what, rec, err)
				}
			}
			want++
			if n, err := value(t, c, "sum_a"); err != nil || n != want {
				t.Fatalf("%s: %d, %v; want %d", what, n, err, want)
			}
		}
	})
}

// rewrite changes a stored commit behind the store's back.
func rewrite(t *testing.T, e engine, agg string, version uint64, change func(*commitDoc)) {
	t.Helper()
	docs, err := e.commits(t.Context(), agg, version, 1)
	if err != nil || len(docs) != 1 {
		t.Fatal(docs, err)
	}
	d, err := readCommit(docs[0])
	if err != nil {
		t.Fatal(err)
	}
	change(d)
	doc, err := marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	switch e := bare(e).(type) {
	case *mongodb:
		_, err = e.commit.ReplaceOne(t.Context(), bson.D{{Key: "_id", Value: d.ID}}, bson.Raw(doc))
	case *sqlite:
		_, err = e.write.Exec(`UPDATE commits SET doc = ? WHERE agg = ? AND version = ?`, doc, agg, version)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// bare is the engine itself, whoever watches it.
func bare(e engine) engine {
	if w, ok := e.(watched); ok {
		e = w.engine
	}
	if x, ok := e.(elected); ok {
		e = x.engine
	}
	return e
}

// forget deletes all snapshots, as if no process had come to write them.
func forget(t *testing.T, e engine) {
	t.Helper()
	var err error
	switch e := bare(e).(type) {
	case *mongodb:
		_, err = e.snaps("sum").DeleteMany(t.Context(), bson.D{})
	case *sqlite:
		_, err = e.write.Exec(`DELETE FROM docs; DELETE FROM keys`)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A commit that does not follow its predecessor stops its aggregate with an alarm: it is
// neither read nor changed, and the others go on.
func TestBrokenHistory(t *testing.T) {
	for name, change := range map[string]func(*commitDoc){
		"another fact":   func(d *commitDoc) { d.Facts[0].Data = binary.AppendVarint(nil, 1000) },
		"another parent": func(d *commitDoc) { d.Parent++ },
		"a version lost": func(d *commitDoc) { d.Version = 9 },
	} {
		t.Run(name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
				db := open(asIs)
				c := Register(db, sumType())
				for i := range 4 {
					for _, id := range []string{"sum_a", "sum_b"} {
						if _, err := add(t.Context(), c, id, fmt.Sprint("k", i), 1); err != nil {
							t.Fatal(err)
						}
					}
				}
				e := db.engine
				if err := db.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				rewrite(t, e, "t/sum_a", 2, change)
				forget(t, e)
				c.cache.Purge()
				var log bytes.Buffer
				db.opt.Log = slog.New(slog.NewTextHandler(&log, nil))
				if _, err := value(t, c, "sum_a"); !fault.IsKind(err, fault.Internal) {
					t.Errorf("read: %v", err)
				}
				if !bytes.Contains(log.Bytes(), []byte("history is broken")) || !bytes.Contains(log.Bytes(), []byte("ERROR")) {
					t.Errorf("no alarm: %s", log.String())
				}
				if _, err := add(t.Context(), c, "sum_a", "more", 1); err == nil {
					t.Error("it was changed")
				}
				if _, err := add(t.Context(), c, "sum_b", "more", 1); err != nil {
					t.Errorf("the other: %v", err)
				}
				if n, err := value(t, c, "sum_b"); err != nil || n != 5 {
					t.Errorf("the other: %d %v", n, err)
				}
			})
		})
	}
}

// What a crash between commit and snapshot left undone is found by a walk over all commits,
// when no relay remembers where to look.
func TestRefreshAll(t *testing.T) {
	onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
		db := open(asIs)
		c := Register(db, sumType())
		const n = 700 // more than are looked at in one go
		var pasts []Past[int64]
		for i := range n {
			steps := []Step[int64]{
				{Cause: Cause{Key: "a"}, Recorded: time.Unix(1, 0), Decision: Decision[int64]{Facts: []int64{1}}},
				{Cause: Cause{Key: "b"}, Recorded: time.Unix(2, 0), Decision: Decision[int64]{Facts: []int64{int64(i)}}},
			}
			pasts = append(pasts, Past[int64]{ID: fmt.Sprintf("sum_%03d", i), Steps: steps[:1+i%2]})
		}
		ctx := WithCause(t.Context(), Cause{Tenant: "t"})
		if err := c.Load(ctx, pasts); err != nil {
			t.Fatal(err)
		}
		forget(t, db.engine)
		var rescan Rescanner = db
		if err := rescan.RefreshAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		seen, total := 0, int64(0)
		for q := (Query{Index: "all", Key: "x", PageSize: 200}); ; {
			p, err := c.List(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range p.Items {
				seen++
				total += v.State.N
			}
			if q.PageToken = p.NextToken; q.PageToken == "" {
				break
			}
		}
		if want := int64(n + n/2*n/2); seen != n || total != want {
			t.Errorf("%d listed with %d, want %d with %d", seen, total, n, want)
		}
	})
}

// slow is an engine whose next insert waits.
type slow struct {
	engine
	met, release chan struct{}
}

func (s *slow) insert(ctx context.Context, ws []*write) {
	s.met <- struct{}{}
	<-s.release
	s.engine.insert(ctx, ws)
}

// A list is not called good to a time at which a commit that it lacks was recorded.
func TestAsOfWaitsForWhatIsUnderWay(t *testing.T) {
	now := clock.NewManual(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	db, err := Open(t.Context(), Config{URI: "sqlite:" + t.TempDir(), Database: "test"}, Options{Clock: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s := &slow{db.engine, make(chan struct{}), make(chan struct{})}
	db.engine = s
	c := Register(db, sumType())
	done := make(chan error)
	go func() {
		_, err := add(context.WithoutCancel(t.Context()), c, "sum_a", "k", 1)
		done <- err
	}()
	<-s.met
	recorded := now.Now()
	now.Step(time.Second)
	list := func() Page[sum] {
		p, err := c.List(WithCause(t.Context(), Cause{Tenant: "t"}), Query{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := list(); len(p.Items) != 0 || p.AsOf.After(recorded) {
		t.Errorf("%d listed, good to %s; one is recorded at %s", len(p.Items), p.AsOf, recorded)
	}
	close(s.release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, time.Minute, func() bool {
		p := list()
		return len(p.Items) == 1 && p.AsOf.Equal(now.Now())
	})
	if err := db.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// counting is an engine that tells which versions a rebuild reads.
type counting struct {
	engine
	mu   sync.Mutex
	from []uint64
}

func (c *counting) commits(ctx context.Context, agg string, from uint64, limit int) ([][]byte, error) {
	c.mu.Lock()
	c.from = append(c.from, from)
	c.mu.Unlock()
	return c.engine.commits(ctx, agg, from, limit)
}

// A rebuild starts at the newest commit that packs the state, receipts included.
func TestRebuildStartsAtAPackedState(t *testing.T) {
	onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
		var e *counting
		c := Register(open(func(inner engine) engine { e = &counting{engine: inner}; return e }), sumType())
		const n = 2*baseEvery + 30
		past := Past[int64]{ID: "sum_a"}
		begin := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
		for i := range n {
			past.Steps = append(past.Steps, Step[int64]{
				Cause:    Cause{Key: fmt.Sprint("k", i), Derived: true},
				Recorded: begin.Add(time.Duration(i) * time.Second), Decision: Decision[int64]{Facts: []int64{1}},
			})
		}
		if err := c.Load(WithCause(t.Context(), Cause{Tenant: "t"}), []Past[int64]{past}); err != nil {
			t.Fatal(err)
		}
		forget(t, e.engine)
		c.cache.Purge()
		e.mu.Lock()
		e.from = nil
		e.mu.Unlock()
		if got, err := value(t, c, "sum_a"); err != nil || got != n {
			t.Errorf("%d, %v", got, err)
		}
		e.mu.Lock()
		for _, from := range e.from {
			if from < 2*baseEvery {
				t.Errorf("read from version %d on", from)
			}
		}
		e.mu.Unlock()
		for _, i := range []int{0, baseEvery, n - 1} { // behind the ring, and in it
			ctx := WithCause(t.Context(), Cause{Tenant: "t", Key: fmt.Sprint("k", i), Derived: true, KeyTime: begin.Add(time.Duration(i) * time.Second)})
			rec, err := c.Update(ctx, "sum_a", func(Current[sum]) (Decision[int64], error) { return Decision[int64]{Facts: []int64{1}}, nil })
			if err != nil || !rec.Replayed {
				t.Errorf("step %d: %+v %v", i, rec, err)
			}
		}
	})
}

// What a newer writer version wrote is neither read nor changed by this one.
func TestNewerWriter(t *testing.T) {
	onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
		db := open(asIs)
		c := Register(db, sumType())
		for i := range 2 {
			if _, err := add(t.Context(), c, "sum_a", fmt.Sprint("k", i), 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		rewrite(t, db.engine, "t/sum_a", 2, func(d *commitDoc) { d.Writer = writerVersion + 1 })
		forget(t, db.engine)
		c.cache.Purge()
		if _, err := value(t, c, "sum_a"); !fault.IsKind(err, fault.Unavailable) {
			t.Errorf("read: %v", err)
		}
		if _, err := add(t.Context(), c, "sum_a", "k3", 1); !fault.IsKind(err, fault.Unavailable) {
			t.Errorf("changed: %v", err)
		}
		if v, err := db.engine.latest(t.Context(), "t/sum_a"); err != nil || v != 2 {
			t.Errorf("version %d, %v", v, err)
		}
	})
}

// Snapshots are coalesced: many commits of one aggregate cost few.
func TestSnapshotsAreCoalesced(t *testing.T) {
	onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
		var saved atomic.Int64
		db := open(func(e engine) engine { return &saving{e, &saved} })
		c := Register(db, sumType())
		for i := range 200 {
			if _, err := add(t.Context(), c, "sum_a", fmt.Sprint("k", i), 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := saved.Load(); n < 1 || n > 100 {
			t.Errorf("%d snapshots of 200 commits", n)
		}
		docs, err := db.engine.snapshots(t.Context(), "sum", []string{"t/sum_a"})
		if err != nil {
			t.Fatal(err)
		}
		if l, err := c.fromSnapshot(docs["t/sum_a"]); err != nil || l.version != 200 || l.state.N != 200 {
			t.Errorf("%+v %v", l, err)
		}
	})
}

type saving struct {
	engine
	n *atomic.Int64
}

func (s *saving) save(ctx context.Context, typ string, snaps []*snapDoc) error {
	s.n.Add(int64(len(snaps)))
	return s.engine.save(ctx, typ, snaps)
}
