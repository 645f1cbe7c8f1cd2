//go:build faults

package faults

import (
	"fmt"
	"sync"
	"syscall"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// TestKilledWhileItEnds: told to end under load, the process dies in one of the phases of its
// end. Afterwards every acknowledged order is there and took effect once. The shapes take turns:
// phases are the same code on both.
func TestKilledWhileItEnds(t *testing.T) {
	t.Parallel()
	for i, point := range []string{faultpoint.S1, faultpoint.S2, faultpoint.S3, faultpoint.S4} {
		shape := shapes[i%len(shapes)]
		t.Run(fmt.Sprintf("%s/%s", shape.name, point), func(t *testing.T) {
			t.Parallel()
			r := begin(t, shape.make(t), point+":kill")
			pid := r.Processes[fleet.Whole].PID()
			r.revive(t)
			var group sync.WaitGroup
			group.Go(func() {
				if err := await(t.Context(), r.underLoad); err != nil {
					t.Error(err)
					return
				}
				if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
					t.Error(err)
				}
			})
			ids := r.load(t)
			group.Wait()
			r.settle(t, ids)
			if err := r.struck(t, point); err != nil {
				t.Error(err)
			}
		})
	}
}

// underLoad is an error until some of the orders are answered; others are on their way then.
func (r *rig) underLoad() error {
	if n := r.answered.Load(); n < workers {
		return fmt.Errorf("%d orders are answered", n)
	}
	return nil
}
