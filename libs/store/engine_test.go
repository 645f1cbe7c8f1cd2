package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"

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
	switch e := e.(type) {
	case *mongodb:
		_, err = e.commit.ReplaceOne(t.Context(), bson.D{{Key: "_id", Value: d.ID}}, bson.Raw(doc))
	case *sqlite:
		_, err = e.write.Exec(`UPDATE commits SET doc = ? WHERE agg = ? AND version = ?`, doc, agg, version)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// forget deletes all snapshots, as if no process had come to write them.
func forget(t *testing.T, e engine) {
	t.Helper()
	var err error
	switch e := e.(type) {
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
			steps := []Step[int64]{{Key: "a", Recorded: time.Unix(1, 0), Facts: []int64{1}}, {Key: "b", Recorded: time.Unix(2, 0), Facts: []int64{int64(i)}}}
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

func TestStandaloneIsRefused(t *testing.T) {
	db, err := Open(t.Context(), Config{URI: testkit.StartStandalone(t), Database: "x"}, Options{})
	if err == nil {
		_ = db.Close(t.Context())
		t.Fatal("a standalone mongod was accepted")
	}
	if !bytes.Contains([]byte(err.Error()), []byte("replica set")) {
		t.Errorf("the message does not say what to do: %v", err)
	}
}

// TestPositionLost asks for positions that no server can know and for commits that are gone;
// and shows the warning about an oplog that is too short.
func TestPositionLost(t *testing.T) {
	uri := testkit.StartMongod(t).URI()
	var log bytes.Buffer
	open := func(name string) *DB {
		db, err := Open(t.Context(), Config{URI: uri, Database: name}, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close(context.Background()) })
		return db
	}
	db := open("a")
	if log.Len() > 0 {
		t.Errorf("warned for nothing: %s", log.String())
	}
	c := Register(db, sumType())
	if _, err := add(t.Context(), c, "sum_a", "k", 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, pos := range []Position{"no position", "42"} {
		if err := db.Tail(ctx, pos, func(RawCommit) error { return nil }); !errors.Is(err, ErrPositionLost) {
			t.Errorf("%q: %v", pos, err)
		}
	}
	for _, code := range lostCodes {
		if err := lost(mongo.CommandError{Code: int32(code)}); !errors.Is(err, ErrPositionLost) {
			t.Errorf("code %d: %v", code, err)
		}
	}
	if err := lost(mongo.CommandError{Code: 11600}); errors.Is(err, ErrPositionLost) {
		t.Error("an interruption is no loss")
	}
	e := db.engine.(*mongodb)
	err := db.Tail(ctx, "", func(RawCommit) error { return e.commit.Drop(ctx) })
	if !errors.Is(err, ErrPositionLost) {
		t.Errorf("the commits were dropped: %v", err)
	}
	resize := bson.D{{Key: "replSetResizeOplog", Value: 1}, {Key: "minRetentionHours", Value: 2.0}}
	if err := e.client.Database("admin").RunCommand(t.Context(), resize).Err(); err != nil {
		t.Fatal(err)
	}
	open("b")
	if !bytes.Contains(log.Bytes(), []byte("oplogMinRetentionHours")) {
		t.Errorf("no warning about two hours: %s", log.String())
	}
}

// Every write waits for a journaled majority and has a time limit at the server; every read
// is majority.
func TestMongoConcerns(t *testing.T) {
	uri := testkit.Mongo(t)
	var mu sync.Mutex
	sent := map[string][]bson.Raw{}
	commands := &event.CommandMonitor{Started: func(_ context.Context, ev *event.CommandStartedEvent) {
		mu.Lock()
		defer mu.Unlock()
		sent[ev.CommandName] = append(sent[ev.CommandName], append(bson.Raw(nil), ev.Command...))
	}}
	db, err := Open(t.Context(), Config{URI: uri, Database: testkit.Database(t, uri)}, Options{commands: commands, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c := Register(db, sumType())
	rows := db.Table("things", "due")
	for i, step := range []func() error{
		func() error { _, err := add(t.Context(), c, "sum_a", "k", 1); return err },
		func() error { return db.Flush(t.Context()) },
		func() error { c.cache.Purge(); _, err := value(t, c, "sum_a"); return err },
		func() error { return rows.Put(t.Context(), Row{Tenant: "t", ID: "a", Version: 1}) },
		func() error { _, err := rows.Swap(t.Context(), Row{Tenant: "t", ID: "a", Version: 2}, 1); return err },
		func() error { _, err := rows.Swap(t.Context(), Row{Tenant: "t", ID: "b", Version: 2}, 0); return err },
		func() error { _, _, err := rows.Get(t.Context(), "t", "a"); return err },
		func() error { return rows.Delete(t.Context(), "t", "a") },
		func() error { return db.Close(t.Context()) },
	} {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for kind, least := range map[string]int{"insert": 3, "update": 3, "delete": 1, "find": 4} {
		if len(sent[kind]) < least {
			t.Errorf("%d of %s were seen", len(sent[kind]), kind)
		}
		for _, command := range sent[kind] {
			if kind == "find" {
				if level, _ := command.Lookup("readConcern", "level").StringValueOK(); level != "majority" {
					t.Errorf("reads what may vanish: %s", command)
				}
				continue
			}
			w, _ := command.Lookup("writeConcern", "w").StringValueOK()
			journal, _ := command.Lookup("writeConcern", "j").BooleanOK()
			if w != "majority" || !journal || command.Lookup("maxTimeMS").IsZero() {
				t.Errorf("w %q, j %t, or no time limit: %s", w, journal, command)
			}
		}
	}
}
