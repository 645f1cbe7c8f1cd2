package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// TestReadOfWhatVanishes: a process dies with commits under way that have reached the journal
// of a primary and no majority. Another process reads the aggregates, then that primary dies
// too. What the reader commits next stands on what the successor has, not on what is gone.
func TestReadOfWhatVanishes(t *testing.T) {
	if testing.Short() {
		t.Skip("three nodes")
	}
	nodes := testkit.StartReplicaSet(t, 3)
	cfg := store.Config{URI: nodes[0].URI(), Database: "vanish"}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	open := func() *store.Collection[storetest.Stock, storetest.Fact] {
		db, err := store.Open(ctx, cfg, store.Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close(context.Background()) }) // of a server that may be gone by then
		return store.Register(db, storetest.Type(1))
	}
	c := open()
	openStocks(t, c)
	acknowledged := killedAfter(t, cfg, 100, func(victim *os.Process) {
		signal(t, victim, syscall.SIGSTOP)
		await(ctx, t, nodes[0], cfg.Database, func(primary, majority int64) bool { return primary == majority })
		for _, n := range nodes[1:] { // one that is only paused finds in its sockets, later, what it was sent
			n.Kill()
		}
		signal(t, victim, syscall.SIGCONT)
		await(ctx, t, nodes[0], cfg.Database, func(primary, majority int64) bool { return primary > majority })
	})
	for i := range stocks {
		// It reads what it may, or finds a primary no more that has stepped down meanwhile.
		_, _ = c.Get(storetest.As(ctx, "t", ""), fmt.Sprint("stk_", i))
	}
	nodes[0].Kill()
	for _, n := range nodes[1:] {
		n.Restart(t)
	}
	for i := range stocks { // one command on each
		key := fmt.Sprint(i)
		if err := insist(ctx, c, key); err != nil {
			t.Fatalf("%s on %s: %v", key, stockOf(key), err)
		}
		acknowledged = append(acknowledged, key)
	}
	fresh := open() // which holds no copy, and folds what is there
	states, facts := taken(t, fresh)
	if states != facts || states < int64(len(acknowledged)) {
		t.Errorf("%d taken by the states, %d by the facts, %d acknowledged", states, facts, len(acknowledged))
	}
	for _, key := range acknowledged {
		if rec, err := fresh.Update(storetest.As(ctx, "t", key), stockOf(key), storetest.Take("x", 1)); err != nil || !rec.Replayed {
			t.Fatalf("%s was acknowledged and is not there: %+v %v", key, rec, err)
		}
	}
}

func signal(t *testing.T, p *os.Process, s os.Signal) {
	t.Helper()
	if err := p.Signal(s); err != nil {
		t.Error(err)
	}
}

// await waits until the commits that the primary has, and those that a majority has, have been
// as they should for a while. It asks the primary itself, which may have stepped down meanwhile.
func await(ctx context.Context, t *testing.T, primary *testkit.Mongod, database string, cond func(primary, majority int64) bool) {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(primary.DirectURI()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }()
	count := func(level *readconcern.ReadConcern) int64 {
		commits := client.Database(database).Collection("commits", options.Collection().SetReadConcern(level))
		n, err := commits.CountDocuments(ctx, bson.D{})
		if err != nil {
			t.Error(err)
		}
		return n
	}
	for looks := 0; looks < 5 && ctx.Err() == nil && !t.Failed(); {
		if looks++; !cond(count(readconcern.Local()), count(readconcern.Majority())) {
			looks = 0
		}
		time.Sleep(10 * time.Millisecond) // between two looks
	}
}
