package adapter

import (
	"context"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

const (
	mostRows = 256              // of one write
	writing  = 20 * time.Second // at most; a handler has longer
)

// combiner turns the writes of many handlers into few: what comes while one write is under
// way goes into the next. Nobody waits for others to come. A call returns when its rows are
// durable.
type combiner struct {
	rows store.Rows

	mu    sync.Mutex
	queue []waiting
	busy  bool
}

type waiting struct {
	rows []store.Row
	done chan error
}

// put stores the rows. A call that ends early may have been written all the same; rows are
// keyed by what they hold, so writing them again changes nothing.
func (c *combiner) put(ctx context.Context, rows []store.Row) error {
	w := waiting{rows: rows, done: make(chan error, 1)}
	c.mu.Lock()
	c.queue = append(c.queue, w)
	if !c.busy {
		c.busy = true
		go c.drain()
	}
	c.mu.Unlock()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "ROWS_UNCERTAIN", "the rows are not known to be written").Wrap(ctx.Err())
	}
}

// drain writes until nobody waits.
func (c *combiner) drain() {
	for {
		calls, rows := c.take()
		if len(calls) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), writing)
		err := c.rows.Put(ctx, rows...)
		cancel()
		for _, w := range calls {
			w.done <- err
		}
	}
}

// take returns the next calls and their rows, each row once.
func (c *combiner) take() (calls []waiting, rows []store.Row) {
	c.mu.Lock()
	defer c.mu.Unlock()
	type place struct{ tenant, id string }
	seen := map[place]bool{}
	for len(calls) < len(c.queue) && (len(calls) == 0 || len(rows)+len(c.queue[len(calls)].rows) <= mostRows) {
		for _, row := range c.queue[len(calls)].rows {
			if p := (place{row.Tenant, row.ID}); !seen[p] {
				seen[p] = true
				rows = append(rows, row)
			}
		}
		calls = append(calls, c.queue[len(calls)])
	}
	c.queue = append([]waiting(nil), c.queue[len(calls):]...)
	c.busy = len(calls) > 0
	return calls, rows
}
