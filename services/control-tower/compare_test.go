package controltower_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	controltower "github.com/lockstep-logistics/lockstep/services/control-tower"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/storytest"
)

// logs keeps what is logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) lines(with string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), with)
}

// TestMissingFacts: what the tower lacks although its numbers are past it does not come by
// itself; the comparison with the owners finds all of it, fetches it and says so, once.
func TestMissingFacts(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			all := newSources()
			var log logs
			lost, compare := "", controltower.Defaults().Compare // tenant whose facts go at the next start
			units := append(all.units(), host.Bind(controltower.Name, controltower.Defaults(),
				func(cfg controltower.Config, d host.Deps) (*host.Service, error) {
					if lost != "" {
						drop(t, d.Store, lost, "trace_2", "bus_applied")
					}
					cfg.Compare = compare
					d.Log = slog.New(slog.NewTextHandler(&log, nil))
					return controltower.New(cfg, d)
				}))
			s := hosttest.Serve(t, engine, units...)
			story := storytest.New(s.Tenant)
			n := story.Ship("4711")
			story.Return(n)
			aggregates := map[string]bool{}
			for _, c := range story.Commits {
				all.commit(t, s.Tenant, c)
				aggregates[c.ID] = true
			}
			c := client(s, commonv1.Role_ROLE_CUSTOMER_SERVICE)
			total := len(story.Envelopes())
			told(t, c, n.Number, total)
			time.Sleep(3 * time.Second) // positions are stored after the effects, each second
			lost = s.Tenant
			s.Restart(t)
			time.Sleep(3 * time.Second)
			if got, err := c.Trace(t.Context(), &controltowerv1.TraceRequest{Key: n.Number}); !fault.IsKind(err, fault.NotFound) {
				t.Fatalf("nothing is missing: %v %v", got, err)
			}
			lost, compare = "", time.Second
			s.Restart(t)
			told(t, c, n.Number, total)
			if found := log.lines("facts were missing"); found != len(aggregates) || log.lines("fetched=true") != found {
				t.Errorf("%d of %d aggregates were told: %s", found, len(aggregates), &log.text)
			}
		})
	}
}
