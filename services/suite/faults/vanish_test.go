//go:build faults

package faults

import (
	"sync"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// TestCacheAndBusVanish: Redis is killed and comes back empty, and NATS loses its store with
// every stream and consumer, both under load. What was acknowledged is there and takes effect
// once: neither held the only copy of anything.
func TestCacheAndBusVanish(t *testing.T) {
	t.Parallel()
	mongo := testkit.Mongo(t)
	nats, redis := testkit.StartNATS(t), testkit.StartRedis(t)
	r := begin(t, whole(t, &fleet.Servers{
		Mongo: mongo, Prefix: testkit.Database(t, mongo) + "_", NATS: nats.URL(), Redis: redis.URL(),
	}), "")
	var group sync.WaitGroup
	group.Go(func() {
		for range 2 {
			redis.Kill()
			redis.Restart(t)
			nats.Stop()
			nats.Restart(t, true)
		}
	})
	ids := r.load(t)
	group.Wait()
	r.settle(t, ids)
}
