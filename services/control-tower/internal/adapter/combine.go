package adapter

import (
	"context"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

const (
	mostFacts = 256              // of one write
	writing   = 20 * time.Second // at most; a handler has longer
)

// combiner turns the writes of many handlers into few: what comes while one write is under
// way goes into the next, facts together in rows. Nobody waits for others to come. A call
// returns when its fact is durable.
type combiner struct {
	rows store.Rows

	mu    sync.Mutex
	queue []waiting
	busy  bool
}

type waiting struct {
	entry   entry
	numbers []store.Row
	done    chan error
}

// put stores an entry and the numbers that it is the first to name. A call that ends early
// may have been written all the same: a fact that is stored twice is told once.
func (c *combiner) put(ctx context.Context, e entry, numbers []store.Row) error {
	w := waiting{entry: e, numbers: numbers, done: make(chan error, 1)}
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
		calls := c.take()
		if len(calls) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), writing)
		err := c.rows.Put(ctx, rowsOf(calls)...)
		cancel()
		for _, w := range calls {
			w.done <- err
		}
	}
}

// take returns the calls of the next write; none ends the drain.
func (c *combiner) take() []waiting {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.queue), mostFacts)
	calls := c.queue[:n:n]
	c.queue = append([]waiting(nil), c.queue[n:]...)
	c.busy = n > 0
	return calls
}

// rowsOf packs what waits into rows: of each tenant, as many facts together as a row holds,
// and each number once.
func rowsOf(calls []waiting) []store.Row {
	var rows []store.Row
	open, size := map[string][]entry{}, map[string]int{}
	type place struct{ tenant, id string }
	seen := map[place]bool{}
	for _, w := range calls {
		tenant := w.entry.tenant
		open[tenant] = append(open[tenant], w.entry)
		if size[tenant] += w.entry.size(); len(open[tenant]) == factsPerRow || size[tenant] >= bytesPerRow {
			rows = append(rows, pack(open[tenant]))
			delete(open, tenant)
			delete(size, tenant)
		}
		for _, n := range w.numbers {
			if p := (place{n.Tenant, n.ID}); !seen[p] {
				seen[p] = true
				rows = append(rows, n)
			}
		}
	}
	for _, entries := range open {
		rows = append(rows, pack(entries))
	}
	return rows
}
