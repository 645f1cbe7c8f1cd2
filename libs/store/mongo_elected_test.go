package store

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo/address"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// deposed is an engine that knows nothing until a write has gone through, as a primary may that
// was just elected; across says that an election comes across the next read.
type deposed struct {
	engine
	blind  atomic.Bool
	across func()
}

func (e *deposed) latest(ctx context.Context, agg string) (uint64, error) {
	if f := e.across; f != nil {
		e.across = nil
		f()
		return 0, nil
	}
	if e.blind.Load() {
		return 0, nil
	}
	return e.engine.latest(ctx, agg)
}

func (e *deposed) try(ctx context.Context) error {
	err := e.engine.try(ctx)
	if err == nil {
		e.blind.Store(false)
	}
	return err
}

// TestReadAfterAnElection: what was acknowledged is there, whichever primary is asked.
func TestReadAfterAnElection(t *testing.T) {
	uri := testkit.Mongo(t)
	db, err := Open(t.Context(), Config{URI: uri, Database: testkit.Database(t, uri)}, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	var of elections
	behind := &deposed{engine: bare(db.engine)}
	db.engine = newElected(behind, &of)
	c := Register(db, sumType())
	if _, err := add(t.Context(), c, "sum_a", "first", 1); err != nil {
		t.Fatal(err)
	}
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx := WithCause(t.Context(), Cause{Tenant: "t"})
	for name, happens := range map[string]func(){
		"before the read": func() { behind.blind.Store(true); of.count.Add(1) },
		"across the read": func() { behind.across = func() { behind.blind.Store(true); of.count.Add(1) } },
	} {
		forget(t, bare(behind.engine))
		c.cache.Purge()
		happens()
		if v, err := c.Get(ctx, "sum_a"); err != nil || v.Version != 1 {
			t.Errorf("an election %s: %+v, %v", name, v, err)
		}
	}
	behind.blind.Store(true) // no election: the read trusts what it is told
	forget(t, bare(behind.engine))
	c.cache.Purge()
	if _, err := c.Get(ctx, "sum_a"); !fault.IsKind(err, fault.NotFound) {
		t.Errorf("the engine is not as blind as the test needs: %v", err)
	}
}

// TestElectionsAreHeardOf: another primary, or the same one elected again, is an election; that
// there is none for a while, or a secondary, is not.
func TestElectionsAreHeardOf(t *testing.T) {
	var e elections
	set := func(servers ...event.ServerDescription) *event.TopologyDescriptionChangedEvent {
		return &event.TopologyDescriptionChangedEvent{NewDescription: event.TopologyDescription{Servers: servers}}
	}
	server := func(at, kind string, term byte) event.ServerDescription {
		return event.ServerDescription{Addr: address.Address(at), Kind: kind, ElectionID: bson.ObjectID{11: term}}
	}
	for n, step := range []struct {
		heard *event.TopologyDescriptionChangedEvent
		count uint64
	}{
		{set(server("a:1", "Unknown", 0)), 0},
		{set(server("a:1", "RSPrimary", 1), server("b:1", "RSSecondary", 0)), 1},
		{set(server("a:1", "RSPrimary", 1)), 1},
		{set(server("a:1", "Unknown", 0)), 1},
		{set(server("a:1", "RSPrimary", 1)), 1},
		{set(server("a:1", "RSSecondary", 0), server("b:1", "RSPrimary", 2)), 2},
		{set(server("b:1", "RSPrimary", 3)), 3},
	} {
		if e.heard(step.heard); e.count.Load() != step.count {
			t.Errorf("step %d: %d elections, want %d", n, e.count.Load(), step.count)
		}
	}
}

// TestADriverHearsOfItsPrimary: at the latest when it has been asked something.
func TestADriverHearsOfItsPrimary(t *testing.T) {
	uri := testkit.Mongo(t)
	db, err := Open(t.Context(), Config{URI: uri, Database: testkit.Database(t, uri)}, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	e, ok := db.engine.(watched).engine.(elected)
	if !ok || e.elections.count.Load() != 1 {
		t.Fatalf("%T has heard of %d elections", db.engine.(watched).engine, e.elections.count.Load())
	}
}
