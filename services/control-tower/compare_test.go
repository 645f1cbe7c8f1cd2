package controltower_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	controltower "github.com/lockstep-logistics/lockstep/services/control-tower"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/adapter"
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

// passed says what of a source's facts the tower's stored position does not stand for: positions
// are stored some time after the effects.
func passed(t *testing.T, s *hosttest.Suite, positions store.Rows, source string) error {
	t.Helper()
	owner := commonv1.NewFactsServiceClient(s.Client(source, s.Service(controltower.Name)))
	heads, err := owner.GetHeads(t.Context(), &commonv1.GetHeadsRequest{})
	if err != nil {
		return err
	}
	row, _, err := positions.Get(t.Context(), "_bus", fmt.Sprintf("trace-%d-%s", adapter.Fold, source))
	var position struct {
		Numbers map[string]int64 `json:"n"`
	}
	if err == nil {
		err = json.Unmarshal(row.Body, &position)
	}
	if err != nil {
		return fmt.Errorf("position of %s: %w", source, err)
	}
	for _, h := range heads.GetHeads() {
		lane := fmt.Sprintf("%s/%02d", h.GetAggregateType(), h.GetPartition())
		if at := position.Numbers[lane]; at < h.GetNumber() {
			return fmt.Errorf("%s is at %d of %d in %s", source, at, h.GetNumber(), lane)
		}
	}
	return nil
}

// later lets something happen in every aggregate type of every source, and waits until the tower
// tells of it: it is at work.
func (s sources) later(t *testing.T, suite *hosttest.Suite, c controltowerv1.ControlTowerServiceClient) {
	t.Helper()
	for name, source := range s {
		for aggregate, prefix := range source.prefixes {
			id := ident.Derive(prefix, suite.Tenant, "later")
			s.commitRaw(t, suite.Tenant, storytest.Commit{Service: name, Type: aggregate, ID: id, Version: 1}, store.RawFact{Type: "lockstep.later.v1.Happened"})
			told(t, c, id, 1)
		}
	}
}

// TestMissingFacts: what the tower lacks although its numbers are past it does not come by
// itself; the comparison with the owners finds all of it, fetches it and says so, once.
func TestMissingFacts(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			all := newSources()
			var log logs
			var positions store.Rows
			lost, compare := "", controltower.Defaults().Compare // tenant whose facts go at the next start
			units := append(all.units(), host.Bind(controltower.Name, controltower.Defaults(),
				func(cfg controltower.Config, d host.Deps) (*host.Service, error) {
					if lost != "" {
						drop(t, d.Store, lost, "trace_2", "bus_applied")
					}
					cfg.Compare, positions = compare, d.Store.Table("bus_positions")
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
			for source := range all {
				testkit.Eventually(t, within, func() error { return passed(t, s, positions, source) })
			}
			lost = s.Tenant
			s.Restart(t)
			all.later(t, s, c)
			if got, err := c.Trace(t.Context(), &controltowerv1.TraceRequest{Key: n.Number}); !fault.IsKind(err, fault.NotFound) {
				t.Fatalf("nothing is missing: %v %v", got, err)
			}
			lost, compare = "", time.Second
			s.Restart(t)
			told(t, c, n.Number, total)
			compared := func() { // all of it once more
				n := log.lines("compared with the owners")
				testkit.Eventually(t, within, func() bool { return log.lines("compared with the owners") > n+1 })
			}
			compared()
			if found := log.lines("facts were missing"); found != len(aggregates) || log.lines("fetched=true") != found {
				t.Errorf("%d of %d aggregates were told: %s", found, len(aggregates), &log.text)
			}
		})
	}
}
