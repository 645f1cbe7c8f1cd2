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
	testkit.Eventually(t, time.Minute, func() bool { return h.Ready()["probe"] == "not yet" })
	const changes = 20
	atOnce := 0 // a busy machine may look at some late
	for range changes {
		before, start := looks.Load(), time.Now()
		h.ready.changed()
		testkit.Eventually(t, time.Minute, func() bool { return looks.Load() > before })
		if time.Since(start) < pollEvery/2 {
			atOnce++
		}
	}
	if atOnce < changes/4 {
		t.Errorf("%d of %d changes were seen at once", atOnce, changes)
	}
	ready.Store(1)
	h.ready.changed()
	testkit.Eventually(t, time.Minute, func() bool { return len(h.Ready()) == 0 })
}
