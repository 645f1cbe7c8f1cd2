//go:build faults

package toxic

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// TestWaysToNATSAndRedis: what is lost on the way to the bus is published again or fetched from
// its owner; a cache that swallows everything costs no command anything but time.
func TestWaysToNATSAndRedis(t *testing.T) {
	t.Parallel()
	uri := testkit.Mongo(t)
	prefix := testkit.Database(t, uri) + "_"
	nats, redis := testkit.StartNATS(t), testkit.StartRedis(t)
	bus := newWire(t, "nats", strings.TrimPrefix(nats.URL(), "nats://"))
	cache := newWire(t, "redis", strings.TrimSuffix(strings.TrimPrefix(redis.URL(), "redis://"), "/0"))
	f, err := fleet.NewWhole(programs, t.TempDir(), &fleet.Servers{
		Mongo: uri, Prefix: prefix, NATS: "nats://" + bus.address(), Redis: "redis://" + cache.address() + "/0",
	})
	if err != nil {
		t.Fatal(err)
	}
	r := begin(t, f, uri, prefix)
	js, err := jetstream.New(nats.Connect(t), jetstream.WithDefaultTimeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	// stored is how many facts the bus has ever taken.
	stored := func() uint64 {
		var n uint64
		streams := js.ListStreams(t.Context())
		for info := range streams.Info() {
			n += info.State.LastSeq
		}
		if err := streams.Err(); err != nil {
			t.Error(err)
		}
		return n
	}

	t.Run("acknowledgements are lost", func(t *testing.T) {
		r.under(t, func(ctx context.Context) {
			bus.lose(back)
			before, until := stored(), time.Now().Add(eventually)
			for stored() == before {
				if time.Now().After(until) {
					t.Error("nothing was stored whose acknowledgement could be lost")
					break
				}
				wait(ctx, 100*time.Millisecond)
			}
			wait(ctx, 4*time.Second)
			bus.heal()
		})
	})
	t.Run("publications are lost", func(t *testing.T) {
		r.under(t, func(ctx context.Context) {
			bus.lose(there)
			before := stored()
			for quiet := 0; quiet < 5 && ctx.Err() == nil; quiet++ { // until nothing is under way any more
				wait(ctx, 200*time.Millisecond)
				if now := stored(); now != before {
					before, quiet = now, -1
				}
			}
			wait(ctx, 4*time.Second)
			if n := stored() - before; n > 0 {
				t.Errorf("%d facts were stored through a way that loses them", n)
			}
			bus.heal()
		})
	})
	t.Run("partition from NATS", func(t *testing.T) {
		r.under(t, func(ctx context.Context) {
			bus.lose(there, back)
			wait(ctx, 10*time.Second)
			bus.heal()
		})
	})
	t.Run("Redis swallows everything", func(t *testing.T) {
		r.under(t, func(ctx context.Context) {
			cache.lose(there, back)
			before := r.door.Seen().Status
			answered := func() int { return r.door.Seen().Status[200] - before[200] }
			wait(ctx, 5*time.Second)
			for begun := time.Now(); answered() < 20 && time.Since(begun) < eventually/2; {
				wait(ctx, 100*time.Millisecond)
			}
			if n := answered(); n < 20 {
				t.Errorf("%d requests were answered without Redis", n)
			}
			cache.heal()
		})
		if seen := r.door.Seen(); len(seen.Status) > 1 || seen.Longest > deadline {
			t.Errorf("answers by status %v, the longest after %v", seen, seen.Longest)
		}
	})
}
