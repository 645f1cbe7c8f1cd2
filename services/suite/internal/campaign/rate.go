package campaign

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Plain is a cluster whose cost is that of the suite's processes: one server of each kind.
func Plain(replicas int) Layout { return Layout{Mongods: 1, NATSServers: 1, Replicas: replicas} }

// Rate is the load of a cluster that nothing strikes at.
type Rate struct{ l *load }

// NewRate prepares a cluster for load.
func NewRate(ctx context.Context, c *Cluster) (*Rate, error) {
	l := newLoad(c, nil, nil, 0)
	return &Rate{l}, l.setup(ctx)
}

// Orders lets clients walk orders for a while and returns how many came to their end a second,
// counted until the last one that was begun has.
func (r *Rate) Orders(ctx context.Context, clients int, d time.Duration) (float64, error) {
	r.l.turn++
	before, begin := r.l.walked.Load()+r.l.cancelled.Load(), time.Now()
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var group sync.WaitGroup
	r.l.walk(ctx, clients, &group)
	group.Wait()
	return float64(r.l.walked.Load()+r.l.cancelled.Load()-before) / time.Since(begin).Seconds(), errors.Join(r.l.failed...)
}
