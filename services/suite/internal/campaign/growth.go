package campaign

import (
	"context"
	"time"
)

// growth is how much a process had at two moments.
type growth struct {
	Process     string
	Early, Late int64
}

// Ratio is late ÷ early.
func (g growth) Ratio() float64 { return float64(g.Late) / float64(max(g.Early, 1)) }

// most is the process that grew most between two looks, by ratio.
func most(early, late map[string]int64) (worst growth) {
	for name, n := range late {
		if g := (growth{name, early[name], n}); g.Early > 0 && (worst.Process == "" || g.Ratio() > worst.Ratio()) {
			worst = g
		}
	}
	return worst
}

// resident is the memory of every process of the suite.
func (c *Cluster) resident() (map[string]int64, error) {
	out := map[string]int64{}
	for name, p := range c.Processes {
		n, err := p.Resident()
		if err != nil {
			return nil, err
		}
		out[name] = n
	}
	return out, nil
}

// goroutines are how many every process of the suite has.
func (c *Cluster) goroutines(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	for name := range c.Processes {
		n, err := c.Goroutines(ctx, name)
		if err != nil {
			return nil, err
		}
		out[name] = int64(n)
	}
	return out, nil
}

// largest is the process with the most.
func largest(of map[string]int64) (name string, most int64) {
	for process, n := range of {
		if n > most {
			name, most = process, n
		}
	}
	return name, most
}

// grown watches the suite under a load and says what its processes had early and late in it.
type grown struct {
	memory, routines [2]map[string]int64
	largest          string
	most             int64
}

// The moments that are compared: what fills at the beginning is full at the first.
const early, late = 15 * time.Second, overloadFor

// watch looks every second until ctx ends, and then a last time if the late look is missing.
func (g *grown) watch(ctx context.Context, c *Cluster) error {
	begin := time.Now()
	for moment, at := range []time.Duration{early, late} {
		for ctx.Err() == nil && time.Since(begin) < at-time.Second/2 {
			if err := g.look(c); err != nil {
				return err
			}
			pauseFor(ctx, time.Second)
		}
		var err error
		if g.memory[moment], err = c.resident(); err != nil {
			return err
		}
		if g.routines[moment], err = c.goroutines(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// look keeps the most that a process ever had.
func (g *grown) look(c *Cluster) error {
	memory, err := c.resident()
	if err != nil {
		return err
	}
	if name, n := largest(memory); n > g.most {
		g.largest, g.most = name, n
	}
	return nil
}
