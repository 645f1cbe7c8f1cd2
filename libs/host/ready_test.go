package host

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// TestReadinessIsSeenAtOnce: who says that something changed need not wait for the next turn
// of the poll.
func TestReadinessIsSeenAtOnce(t *testing.T) {
	var looks, ready atomic.Int64
	h := startHost(t, quick(), newProbe().unit("probe", func(s *Service) {
		s.Ready = func(context.Context) error {
			looks.Add(1)
			if ready.Load() == 0 {
				return errors.New("not yet")
			}
			return nil
		}
	}))
	testkit.Eventually(t, 5*time.Second, func() bool { return h.Ready()["probe"] == "not yet" })
	const changes = 20
	start := time.Now()
	for range changes {
		before := looks.Load()
		h.ready.changed()
		testkit.Eventually(t, 5*time.Second, func() bool { return looks.Load() > before })
	}
	if took := time.Since(start); took > changes*pollEvery/2 {
		t.Errorf("%d changes were seen after %v", changes, took)
	}
	ready.Store(1)
	h.ready.changed()
	testkit.Eventually(t, 5*time.Second, func() bool { return len(h.Ready()) == 0 })
}
