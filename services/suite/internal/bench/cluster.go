package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/campaign"
)

// clusterClients walk orders at a time.
const clusterClients = 16

// Cluster runs the suite's own programs, one process a replica with mutual TLS: whole orders
// on two replicas of each service against one, and ten times as many commands as it takes.
func Cluster(ctx context.Context, r *Report) error {
	dir, err := os.MkdirTemp("", "lockstep-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // of no use any more
	bin := filepath.Join(dir, "bin")
	if err := campaign.Programs(ctx, testkit.Root(), bin, ""); err != nil {
		return err
	}
	return errors.Join(scale(ctx, r, bin, dir), flood(ctx, r, bin, dir))
}

// scale loads a cluster of one replica a service and one of two in turns. There is never more
// than one: its processes have work to do even when nobody asks for anything.
func scale(ctx context.Context, r *Report, bin, dir string) error {
	rounds, long := 5, 20*time.Second
	if r.Quick {
		rounds, long = 1, 10*time.Second
	}
	for round := range rounds {
		var got [2]float64
		for i := range got {
			which := (i + round) % 2
			sub := filepath.Join(dir, fmt.Sprintf("scale-%d-%d", which+1, round))
			var err error
			if got[which], err = scaled(ctx, which+1, long, bin, sub); err != nil {
				return err
			}
		}
		r.Add("cluster.orders_per_s.1", "1/s", got[0])
		r.Add("cluster.orders_per_s.2", "1/s", got[1])
		r.Add("cluster.scale", "ratio", got[1]/got[0])
	}
	return nil
}

// scaled is how many orders a second a new cluster walks, after a while for getting warm.
func scaled(ctx context.Context, replicas int, long time.Duration, bin, dir string) (float64, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	c, err := campaign.Start(ctx, bin, dir, campaign.Plain(replicas))
	if err != nil {
		return 0, err
	}
	defer c.Kill()
	rate, err := campaign.NewRate(ctx, c)
	if err != nil {
		return 0, err
	}
	if _, err := rate.Orders(ctx, clusterClients, long/2); err != nil {
		return 0, err
	}
	return rate.Orders(ctx, clusterClients, long)
}

// flood offers ten times the peak.
func flood(ctx context.Context, r *Report, bin, dir string) error {
	sub := filepath.Join(dir, "flood")
	if err := os.MkdirAll(sub, 0o700); err != nil {
		return err
	}
	c, err := campaign.Start(ctx, bin, sub, campaign.Plain(1))
	if err != nil {
		return err
	}
	defer c.Kill()
	o, err := campaign.Flood(ctx, c, os.Stdout)
	if err != nil {
		return err
	}
	r.Add("cluster.peak", "1/s", o.Peak)
	r.Add("cluster.offered", "1/s", o.Offered)
	r.Add("cluster.goodput", "ratio", o.Goodput/o.Peak)
	r.Add("cluster.refused", "commands", float64(o.Refused))
	r.Add("cluster.failed", "commands", float64(o.Other))
	r.Add("cluster.memory_mb", "MB", float64(o.Memory)/(1<<20))
	r.Add("cluster.memory_before_mb", "MB", float64(o.MemoryBefore)/(1<<20))
	r.Add("cluster.memory_growth", "ratio", o.MemoryGrowth.Ratio())
	r.Add("cluster.memory_15s_mb", "MB", float64(o.MemoryGrowth.Early)/(1<<20))
	r.Add("cluster.memory_60s_mb", "MB", float64(o.MemoryGrowth.Late)/(1<<20))
	r.Add("cluster.goroutine_growth", "ratio", o.GoroutineGrowth.Ratio())
	r.Add("cluster.recovery_s", "s", o.Recovery.Seconds())
	return nil
}
