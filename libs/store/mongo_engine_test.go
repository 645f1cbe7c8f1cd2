package store

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

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
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for _, pos := range []Position{"no position", "42"} {
		if err := db.Tail(ctx, pos, func(RawCommit) error { return nil }, nil); !errors.Is(err, ErrPositionLost) {
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
	e := bare(db.engine).(*mongodb)
	err := db.Tail(ctx, "", func(RawCommit) error { return e.commit.Drop(ctx) }, nil)
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
		func() error { return rows.Put(t.Context(), Row{Tenant: "t", ID: "b", Version: 3}) },
		func() error { _, _, err := rows.Get(t.Context(), "t", "a"); return err },
		func() error { return rows.Delete(t.Context(), "t", "a") },
		func() error { return db.engine.try(t.Context()) },
		func() error { return db.Close(t.Context()) },
	} {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for kind, least := range map[string]int{"insert": 4, "update": 4, "delete": 1, "find": 4} {
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
