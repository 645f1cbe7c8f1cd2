//go:build faults

package toxic

import (
	"context"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

const prefix = "toxic_"

// TestWayToMongoDB: the driver finds the replica set by the proxy's address, as its one member
// is called, so that every connection of the suite is the proxy's.
func TestWayToMongoDB(t *testing.T) {
	t.Parallel()
	var w *wire
	node := testkit.StartMongodBehind(t, func(address string) string {
		w = newWire(t, "mongod", address)
		return w.address()
	})
	f, err := fleet.NewWhole(programs, t.TempDir(), &fleet.Servers{
		Mongo: node.URI(), Prefix: prefix, NATS: testkit.StartNATS(t).URL(), Redis: testkit.StartRedis(t).URL(),
	})
	if err != nil {
		t.Fatal(err)
	}
	r := begin(t, f, node.DirectURI(), prefix)

	// A write that was applied and whose answer was lost is sent again, by the driver or by the
	// client under its key, and has one effect.
	t.Run("answers are cut", func(t *testing.T) {
		before := r.repeated(t)
		r.under(t, func(ctx context.Context) {
			begun := time.Now()
			for n := 0; n < 6 || r.repeated(t) == before && time.Since(begun) < eventually/2; n++ {
				w.poison(back, "limit_data", map[string]int{"bytes": 0})
				wait(ctx, 150*time.Millisecond)
				w.heal()
				wait(ctx, 700*time.Millisecond)
			}
		})
		if n := r.repeated(t) - before; n == 0 {
			t.Error("no write was sent again that had been applied")
		} else {
			t.Logf("%d writes were sent again that had been applied", n)
		}
	})
	t.Run("connections are reset", func(t *testing.T) {
		r.under(t, func(ctx context.Context) {
			for range 4 {
				w.poison(back, "reset_peer", map[string]int{"timeout": 0})
				wait(ctx, 150*time.Millisecond)
				w.heal()
				wait(ctx, 700*time.Millisecond)
			}
		})
	})
	t.Run("connections end in the middle of an answer", func(t *testing.T) {
		r.under(t, func(ctx context.Context) {
			w.poison(back, "limit_data", map[string]int{"bytes": 20_000})
			wait(ctx, 5*time.Second)
			w.heal()
		})
	})
	t.Run("slow", func(t *testing.T) {
		r.under(t, func(ctx context.Context) {
			w.poison(back, "latency", map[string]int{"latency": 500, "jitter": 500})
			wait(ctx, 6*time.Second)
			w.heal()
		})
	})
	t.Run("partition", func(t *testing.T) {
		r.under(t, func(ctx context.Context) {
			w.lose(there, back)
			wait(ctx, 10*time.Second)
			w.heal()
		})
		if longest := r.door.Seen().Longest; longest < 8*time.Second {
			t.Errorf("no request was caught in it: the longest took %v", longest)
		}
	})
}

// repeated is how many writes the server has met again after it had applied them.
func (r *rig) repeated(t *testing.T) int64 {
	t.Helper()
	var status struct {
		Transactions struct {
			Repeated int64 `bson:"retriedStatementsCount"`
		} `bson:"transactions"`
	}
	if err := r.Client.Database("admin").RunCommand(t.Context(), bson.D{{Key: "serverStatus", Value: 1}}).Decode(&status); err != nil {
		t.Fatal(err)
	}
	return status.Transactions.Repeated
}
