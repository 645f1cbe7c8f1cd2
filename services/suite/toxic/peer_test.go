//go:build faults

package toxic

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// victim is the service that is slow or gone; its environment name is what others call it by.
const victim, victimSetting = "inventory-movement", "LOCKSTEP_SERVICES__INVENTORY_MOVEMENT="

var others = []string{"master-data", "order-release", "shipment-visibility", "freight-settlement", "returns", "integration", "control-tower"}

// TestWayToAService: one service is slow, behind a slow database, or gone for everyone else.
// Others answer as before, and nothing piles up.
func TestWayToAService(t *testing.T) {
	t.Parallel()
	uri := testkit.StartMongod(t).DirectURI()
	f, err := fleet.NewParts(programs, t.TempDir(), fleet.Servers{
		Mongo: uri, Prefix: prefix, NATS: testkit.StartNATS(t).URL(), Redis: testkit.StartRedis(t).URL(),
	}, []string{victim}, append([]string{guard.Gateway}, others...))
	if err != nil {
		t.Fatal(err)
	}
	inventory, rest := f.Processes[victim], f.Processes[guard.Gateway]
	at := slices.IndexFunc(rest.Env, func(s string) bool { return strings.HasPrefix(s, victimSetting) })
	peer := newWire(t, victim, strings.TrimPrefix(rest.Env[at], victimSetting))
	rest.Env = append(rest.Env, victimSetting+peer.address())
	store := newWire(t, "mongod", strings.TrimPrefix(strings.Split(uri, "/?")[0], "mongodb://"))
	inventory.Env = append(inventory.Env, "LOCKSTEP_STORE__URI=mongodb://"+store.address()+"/?directConnection=true")

	r := begin(t, f, uri, prefix)
	r.under(t, func(context.Context) {}) // every way has been used
	id := r.submitted(t)
	processes := map[string]int{victim: r.goroutines(t, victim), guard.Gateway: r.goroutines(t, guard.Gateway)}
	for _, c := range []struct {
		name string
		hurt func()
		time time.Duration
	}{
		{"answers take 5 s", func() { peer.poison(back, "latency", map[string]int{"latency": 5000}) }, 8 * time.Second},
		{"its database takes 0 to 1 s", func() { store.poison(back, "latency", map[string]int{"latency": 500, "jitter": 500}) }, 6 * time.Second},
		{"partition", func() { peer.lose(there, back) }, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.under(t, func(context.Context) {
				var well, hurt time.Duration
				for try := 0; try == 0 || hurt > max(3*well, stall) && try < 3; try++ { // a machine may stand still once
					well = r.slow(t, id, 3*time.Second) // under the same load
					c.hurt()
					hurt = r.slow(t, id, c.time)
					peer.heal()
					store.heal()
					t.Logf("the slowest twentieth of another service's answers: %v, before %v", hurt, well)
				}
				if hurt > max(3*well, stall) {
					t.Errorf("the slowest twentieth of another service's answers take %v, took %v", hurt, well)
				}
			})
			for process, before := range processes {
				testkit.Eventually(t, eventually, func() error {
					if n := r.goroutines(t, process); n > before+before/5+50 {
						return fmt.Errorf("%s has %d goroutines, had %d", process, n, before)
					}
					return nil
				})
			}
		})
	}
}

// stall is what two busy cores may show for reasons of their own; the faults here are of seconds.
const stall = 400 * time.Millisecond

// submitted returns the id of an order to ask for.
func (r *rig) submitted(t *testing.T) (id string) {
	t.Helper()
	r.logged(t, func(log *history.Log) {
		d, number := r.driver(t, log, 0), fmt.Sprintf("SO-%d", r.orders.Add(1))
		lines := []lifecycle.Line{{SKU: lifecycle.SKU(0), Quantity: 1}}
		var err error
		if id, err = d.Submit(t.Context(), number, lines); err == nil {
			err = d.Walk(t.Context(), number, lines) // its first step is the same command
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	return id
}

// slow asks order release for one order over and over, by two callers, for so long and a hundred
// times; it returns what all but a twentieth of the answers took at most.
func (r *rig) slow(t *testing.T, id string, d time.Duration) time.Duration {
	t.Helper()
	client := orderreleasev1.NewOrderReleaseServiceClient(r.conn(t, r.tenant))
	ctx, cancel := context.WithTimeout(t.Context(), eventually)
	defer cancel()
	var mu sync.Mutex
	var all []time.Duration
	var group sync.WaitGroup
	end := time.Now().Add(d)
	for range 2 {
		group.Go(func() {
			answered := func() int { mu.Lock(); defer mu.Unlock(); return len(all) }
			for time.Now().Before(end) || answered() < 100 && ctx.Err() == nil {
				begin := time.Now()
				_, err := client.GetOrder(ctx, &orderreleasev1.GetOrderRequest{OrderId: id})
				took := time.Since(begin)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				all = append(all, took)
				mu.Unlock()
				wait(ctx, 10*time.Millisecond)
			}
		})
	}
	group.Wait()
	if len(all) < 100 {
		t.Errorf("%d queries of another service were answered in %v", len(all), d)
		return d
	}
	slices.Sort(all)
	return all[len(all)*95/100]
}

// goroutines is how many a process has.
func (r *rig) goroutines(t *testing.T, process string) int {
	t.Helper()
	n, err := r.Goroutines(t.Context(), process)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
