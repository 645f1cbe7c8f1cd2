package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// tries tells when a write of no meaning is asked for.
type tries struct {
	engine
	asked chan struct{}
}

func (e *tries) try(ctx context.Context) error {
	select {
	case e.asked <- struct{}{}:
	default:
	}
	return e.engine.try(ctx)
}

// TestRefreshAllHoldsWhatEndHasPassed: a commit is under way when a relay begins anew. Its
// primary has it and no majority does, so the position that End returns lies behind it and
// reads do not see it yet. Nobody will be told of it by number: it has to be in the snapshots.
func TestRefreshAllHoldsWhatEndHasPassed(t *testing.T) {
	node := testkit.StartMongodBehind(t, func(address string) string { return address },
		"--setParameter", "enableTestCommands=1", "--wiredTigerCacheSizeGB", "0.25")
	db, err := Open(t.Context(), Config{URI: node.URI(), Database: "abreast"}, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	e := bare(db.engine).(*mongodb)
	writes := &tries{db.engine, make(chan struct{}, 1)}
	db.engine = writes
	c := Register(db, sumType())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := add(ctx, c, "sum_a", "first", 1); err != nil {
		t.Fatal(err)
	}
	if err := db.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	failpoint(ctx, t, e, "alwaysOn")
	added, refreshed := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := add(context.WithoutCancel(ctx), c, "sum_a", "second", 2)
		added <- err
	}()
	local := e.db.Collection("commits", options.Collection().SetReadConcern(readconcern.Local()))
	testkit.Eventually(t, time.Minute, func() error {
		return local.FindOne(ctx, bson.D{{Key: "_id", Value: commitID("t/sum_a", 2)}}).Err()
	})
	end, err := db.End(ctx)
	if err != nil {
		t.Fatal(err)
	}
	held := uint64(0)
	go func() {
		err := db.RefreshAll(ctx)
		held = snapshotAt(ctx, t, e)
		refreshed <- err
	}()
	select {
	case <-writes.asked: // it waits
	case err := <-refreshed: // it has read what a majority has
		refreshed <- err
	case <-ctx.Done():
		t.Fatal("the rescan neither waits nor ends")
	}
	failpoint(ctx, t, e, "off")
	if _, err := e.records.InsertOne(ctx, bson.D{{Key: "_id", Value: "nudge"}}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-added, <-refreshed); err != nil {
		t.Fatal(err)
	}
	told := false
	enough := errors.New("enough")
	err = db.Tail(ctx, end, func(c RawCommit) error {
		told = told || c.Version == 2
		return nil
	}, func(Position) error { return enough })
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
	if !told && held < 2 {
		t.Errorf("version 2 lies before the position that End returned, and the rescan ended at version %d", held)
	}
}

// failpoint makes what a majority has stand still, or go on.
func failpoint(ctx context.Context, t *testing.T, e *mongodb, mode string) {
	t.Helper()
	command := bson.D{{Key: "configureFailPoint", Value: "disableSnapshotting"}, {Key: "mode", Value: mode}}
	if err := e.client.Database("admin").RunCommand(ctx, command).Err(); err != nil {
		t.Fatal(err)
	}
}

// snapshotAt is the version of the stored snapshot of sum_a.
func snapshotAt(ctx context.Context, t *testing.T, e engine) uint64 {
	t.Helper()
	docs, err := e.snapshots(ctx, "sum", []string{"t/sum_a"})
	if err != nil {
		t.Error(err)
		return 0
	}
	d := new(snapDoc)
	if doc, ok := docs["t/sum_a"]; ok {
		if err := unmarshal(doc, d); err != nil {
			t.Error(err)
		}
	}
	return uint64(d.Version)
}

// lagging is an engine whose reads of an aggregate lack the newest commit until something is
// written, as those of a primary that was just elected may.
type lagging struct {
	engine
	on atomic.Bool
}

func (e *lagging) commits(ctx context.Context, agg string, from uint64, limit int) ([][]byte, error) {
	docs, err := e.engine.commits(ctx, agg, from, limit)
	if e.on.Load() && len(docs) > 0 {
		docs = docs[:len(docs)-1]
	}
	return docs, err
}

func (e *lagging) try(ctx context.Context) error {
	err := e.engine.try(ctx)
	if err == nil {
		e.on.Store(false)
	}
	return err
}

// TestRefreshAfterAnElection: the order has told of a commit, by a primary that is gone, and the
// new one does not show it yet. The snapshot is not taken for good before it holds the commit.
func TestRefreshAfterAnElection(t *testing.T) {
	uri := testkit.Mongo(t)
	db, err := Open(t.Context(), Config{URI: uri, Database: testkit.Database(t, uri)}, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	e := &lagging{engine: db.engine}
	db.engine = e
	c := Register(db, sumType())
	for _, key := range []string{"first", "second"} {
		if _, err := add(t.Context(), c, "sum_a", key, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	forget(t, bare(e.engine))
	c.cache.Purge()
	e.on.Store(true)
	if err := db.Refresh(t.Context(), []Touched{{"sum", "t", "sum_a", 2}}); err != nil {
		t.Fatal(err)
	}
	if at := snapshotAt(t.Context(), t, e); at != 2 {
		t.Errorf("the snapshot counts as good to version 2 and is at %d", at)
	}
}

// TestSnapshotsAreReadAbreast: a page of snapshots is read after a durable write, in one session
// with it, so that a primary that was just elected does not show what it had before.
func TestSnapshotsAreReadAbreast(t *testing.T) {
	uri := testkit.Mongo(t)
	var mu sync.Mutex
	written := map[string]bool{} // sessions
	abreast := false
	commands := &event.CommandMonitor{Started: func(_ context.Context, ev *event.CommandStartedEvent) {
		mu.Lock()
		defer mu.Unlock()
		session := ev.Command.Lookup("lsid").String()
		switch ev.CommandName {
		case "update":
			written[session] = true
		case "find":
			name, _ := ev.Command.Lookup("find").StringValueOK()
			follows := !ev.Command.Lookup("readConcern", "afterClusterTime").IsZero()
			abreast = abreast || name == stateName("sum") && follows && written[session]
		}
	}}
	db, err := Open(t.Context(), Config{URI: uri, Database: testkit.Database(t, uri)}, Options{commands: commands, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	Register(db, sumType())
	if _, err := db.Snapshots(t.Context(), "sum", Ref{}, 10, false); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if !abreast {
		t.Error("a page is read without a write before it in its session")
	}
}
