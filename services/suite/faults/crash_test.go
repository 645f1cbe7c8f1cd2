//go:build faults

package faults

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// Load of one case: workers submit orders of 1 to 3 pieces, each under its own key, and try
// again until they are answered.
const (
	workers        = 4
	ordersByWorker = 5
)

// TestKilledAtEveryCrashPoint: whatever step of a command, a relay or a consumer the process
// dies at, every acknowledged order is there afterwards and took effect once.
func TestKilledAtEveryCrashPoint(t *testing.T) {
	t.Parallel()
	points := []string{
		faultpoint.C1, faultpoint.C2, faultpoint.C3, faultpoint.C4, faultpoint.C5,
		faultpoint.R1, faultpoint.R2, faultpoint.N1, faultpoint.X1, faultpoint.X2,
	}
	for _, shape := range shapes {
		for i, point := range points {
			pass := 1 + i%4 // not always the first: what is in flight differs
			t.Run(fmt.Sprintf("%s/%s", shape.name, point), func(t *testing.T) {
				t.Parallel()
				r := begin(t, shape.make(t), fmt.Sprintf("%s:kill:n=%d", point, pass))
				r.revive(t)
				ids := r.load(t)
				r.settle(t, ids)
				if err := r.struck(t, point); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// load submits the orders and returns the pieces of each by its id.
func (r *rig) load(t *testing.T) map[string]int {
	t.Helper()
	var mu sync.Mutex
	ids := map[string]int{}
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for n := range ordersByWorker {
				pieces := 1 + (w+n)%3
				id, err := r.order(t.Context(), fmt.Sprintf("SO-%d-%d", w, n), pieces)
				if err != nil {
					t.Errorf("order %d-%d: %v", w, n, err)
					return
				}
				mu.Lock()
				if _, twice := ids[id]; twice {
					t.Errorf("two orders have the id %s", id)
				}
				ids[id] = pieces
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return ids
}

// settle waits until every order has taken effect, and holds the stock against the sum of them.
func (r *rig) settle(t *testing.T, ids map[string]int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*eventually)
	defer cancel()
	sum := 0
	for id, pieces := range ids {
		sum += pieces
		testkit.Eventually(t, eventually, func() error { return r.allocated(ctx, id) })
	}
	if len(ids) != workers*ordersByWorker {
		t.Errorf("%d orders are there", len(ids))
	}
	r.booked(ctx, t, 0, sum)
	r.replayed(ctx, t, ids)
}

// replayed sends every order again under its key: the answer names the same order.
func (r *rig) replayed(ctx context.Context, t *testing.T, ids map[string]int) {
	t.Helper()
	for w := range workers {
		for n := range ordersByWorker {
			id, err := r.order(ctx, fmt.Sprintf("SO-%d-%d", w, n), 1+(w+n)%3)
			if _, known := ids[id]; err != nil || !known {
				t.Errorf("order %d-%d again: %q, %v", w, n, id, err)
			}
		}
	}
}

// TestKilledForReal: kill -9 at moments of no choice, several times under load.
func TestKilledForReal(t *testing.T) {
	t.Parallel()
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			r := begin(t, shape.make(t), "")
			stop := make(chan struct{})
			var killer sync.WaitGroup
			killer.Go(func() {
				for i := range 3 {
					select {
					case <-stop:
						return
					case <-time.After(time.Duration(150+100*i) * time.Millisecond): // some moment, whatever is going on
						r.restart(t)
					}
				}
			})
			ids := r.load(t)
			close(stop)
			killer.Wait()
			r.settle(t, ids)
		})
	}
}
