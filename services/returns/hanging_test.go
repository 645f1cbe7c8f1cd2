package returns_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns"
)

// TestClaimThatNobodyDrives: whoever died before it drove a claim, the service takes it up.
func TestClaimThatNobodyDrives(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			cfg := returns.Defaults()
			cfg.Attempt, cfg.Sweep = 50*time.Millisecond, 50*time.Millisecond
			w := serve(t, engine, cfg, func(s *host.Service) {
				s.Consumers = slices.DeleteFunc(s.Consumers, func(c bus.Consumer) bool { return c.Name == "claim" })
			})
			order := w.shipped(t)
			req := ask(order, 10, 2, defective)
			req.WaitMs = 0
			w.state(t, w.request(t, req).GetRmaId(), returnsv1.ReturnState_RETURN_STATE_AUTHORISED)
			w.available(t, order, "3", "14")
		})
	}
}
