package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// restart comes with a release, or by itself: as one fault of many it would take most of the time.
var restart = fault{"rolling restart of the servers", restartServers}

// restartServers ends the servers under the suite in order and starts them again, one after the
// other, as their own upgrades do: a replica set's secondaries first and its primary last, a
// nats-server when the streams of the one before have caught up, and Redis, which comes back empty.
func restartServers(ctx context.Context, n *nemesis) (string, error) {
	primary, err := n.primary(ctx)
	if err != nil {
		return "", err
	}
	last := func(m *testkit.Mongod) int {
		if m == primary {
			return 1
		}
		return 0
	}
	nodes := slices.SortedStableFunc(slices.Values(n.Mongo), func(a, b *testkit.Mongod) int { return last(a) - last(b) })
	for _, m := range nodes {
		if err := errors.Join(m.Stop(), m.Again(ctx)); err != nil {
			return "", err
		}
		if _, err := n.primary(ctx); err != nil {
			return "", err
		}
	}
	for _, s := range n.NATS {
		if err := errors.Join(s.Stop(), s.Again(false), n.current(ctx)); err != nil {
			return "", fmt.Errorf("%s: %w", s.Name(), err)
		}
	}
	return fmt.Sprintf("%d mongods, %d nats-servers, Redis", len(n.Mongo), len(n.NATS)), errors.Join(n.Redis.Stop(), n.Redis.Again())
}

// current waits until every replica of every stream has what its leader has.
func (n *nemesis) current(ctx context.Context) error {
	for deadline := time.Now().Add(time.Minute); ; {
		var behind []string
		for _, service := range Services {
			ok := false
			err := n.stream(ctx, service, func(s jetstream.Stream) error {
				info, err := s.Info(ctx)
				ok = err == nil && caughtUp(info.Cluster)
				return err
			})
			if !ok && !errors.Is(err, jetstream.ErrStreamNotFound) {
				behind = append(behind, service)
			}
		}
		if len(behind) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the streams of %s have not caught up", strings.Join(behind, ", "))
		}
		if err := n.rest(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// caughtUp: a stream of one server has nobody to wait for.
func caughtUp(c *jetstream.ClusterInfo) bool {
	return c == nil || c.Leader != "" && !slices.ContainsFunc(c.Replicas, func(p *jetstream.PeerInfo) bool { return !p.Current })
}
