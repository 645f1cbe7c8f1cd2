//go:build faults

package toxic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// TestPausedReplica: two processes serve the whole suite on the same servers. One of them stops
// for longer than its leases and locks last, and wakes up in a world that has moved on.
func TestPausedReplica(t *testing.T) {
	t.Parallel()
	uri := testkit.Mongo(t)
	prefix := testkit.Database(t, uri) + "_"
	servers := fleet.Servers{Mongo: uri, Prefix: prefix, NATS: testkit.StartNATS(t).URL(), Redis: testkit.StartRedis(t).URL()}
	opt, err := redis.ParseURL(servers.Redis)
	if err != nil {
		t.Fatal(err)
	}
	opt.Protocol = 2
	cache := redis.NewClient(opt)
	t.Cleanup(func() { _ = cache.Close() })
	var both [2]*rig
	for i := range both {
		f, err := fleet.NewWhole(programs, t.TempDir(), &servers)
		if err != nil {
			t.Fatal(err)
		}
		both[i] = begin(t, f, uri, prefix)
	}
	if !both[1].relayedBy(t, both[0].Processes[fleet.Whole].PID()) { // it stood still for long
		both[0], both[1] = both[1], both[0]
	}
	sleeper, other := both[0], both[1]
	other.entries = append(other.entries, sleeper.entries...) // one suite, and what made its other tenant
	victim := sleeper.Processes[fleet.Whole]

	// The relays are the sleeper's. It stops with facts on the way.
	t.Run("relay", func(t *testing.T) {
		other.under(t, func(ctx context.Context) {
			if err := victim.Pause(); err != nil {
				t.Fatal(err)
			}
			testkit.Eventually(t, eventually, func() bool { return !other.relayedBy(t, victim.PID()) })
			wait(ctx, 5*time.Second) // and the other one has published what came after
			if err := victim.Resume(); err != nil {
				t.Fatal(err)
			}
		})
	})

	// The sleeper stops in a command, right before its commit.
	t.Run("executor", func(t *testing.T) {
		victim.Kill()
		if err := victim.Start("FAULT=C3:delay=10s"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*eventually)
		defer cancel()
		if err := sleeper.Await(ctx, fleet.Whole); err != nil {
			t.Fatal(err)
		}
		sleeper.tenant = other.tenant
		var asleep, awake string
		other.logged(t, func(log *history.Log) {
			number, lines := fmt.Sprintf("SO-%d", other.orders.Add(1)), []lifecycle.Line{{SKU: lifecycle.SKU(0), Quantity: 1}}
			locks := func() int { return len(cache.Keys(ctx, "idem:{"+other.tenant+"}:*").Val()) }
			before, done := locks(), make(chan error, 1)
			go func() {
				var err error
				asleep, err = sleeper.driver(t, log, 0).Submit(ctx, number, lines)
				done <- err
			}()
			testkit.Eventually(t, eventually, func() bool { return locks() > before })
			if err := other.attempt(ctx, t, number, lines); err == nil || !strings.Contains(err.Error(), "IDEMPOTENCY_IN_PROGRESS") {
				t.Errorf("the key is not in progress: %v", err)
			}
			if err := victim.Pause(); err != nil {
				t.Fatal(err)
			}
			stopped := time.Now()
			var err error
			if awake, err = other.driver(t, log, 1).Submit(ctx, number, lines); err != nil {
				t.Error(err)
			}
			t.Logf("the other process answered %v after the sleeper stopped", time.Since(stopped).Round(time.Second/10))
			wait(ctx, time.Until(stopped.Add(20*time.Second)))
			if err := errors.Join(victim.Resume(), <-done); err != nil {
				t.Error(err)
			}
		})
		if asleep != awake || awake == "" {
			t.Errorf("one key named the orders %q and %q", asleep, awake)
		}
		victim.Kill()
		other.sound(t)
	})
}

// attempt submits an order once, by a client that does not try again and writes nothing down.
func (r *rig) attempt(ctx context.Context, t *testing.T, number string, lines []lifecycle.Line) error {
	t.Helper()
	conn := r.conn(t, r.tenant)
	d := &lifecycle.Driver{Dial: func(string) grpc.ClientConnInterface { return conn }, Now: clock.System{}.Now}
	_, err := d.Submit(ctx, number, lines)
	return err
}

// relayedBy reports whether a process holds the lease of the relay of orders.
func (r *rig) relayedBy(t *testing.T, pid int) bool {
	t.Helper()
	var row struct {
		Body []byte `bson:"b"`
	}
	err := r.Client.Database(r.Prefix+"order_release").Collection("rows_bus_relay").FindOne(t.Context(), bson.D{{Key: "_id", Value: "_bus/lease:relay"}}).Decode(&row)
	var lease struct {
		Owner string `json:"o"` // <host>.<process id>.<random>
	}
	if err == nil {
		err = json.Unmarshal(row.Body, &lease)
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(lease.Owner, fmt.Sprintf(".%d.", pid))
}
