package store

import (
	"context"
	"sync"
)

// Bounds of what is gathered. Waiting is never added: what goes together is what queued up while
// others were in flight.
const (
	gatherFlights = 2
	gatherRows    = 500
	gatherBytes   = 4 << 20
)

// gather puts the rows of many callers into one write: a follower of many records at a time
// otherwise waits for the journal once a record. There is no worker: the first caller writes for
// those that came meanwhile, then another of them does.
type gather struct {
	write func(context.Context, []Row) error

	mu     sync.Mutex
	queued []*putting
	flying int
}

// putting is the rows of one caller.
type putting struct {
	rows []Row
	err  error
	turn chan struct{} // closed when the caller is to write for those behind it
	done chan struct{} // closed when somebody has written for it
}

// put writes rows, with those of others where there are any. Of a write that failed everybody
// tries their own rows again, so that nobody fails by the rows or the deadline of another.
func (g *gather) put(ctx context.Context, rows []Row) error {
	p := &putting{rows: rows, turn: make(chan struct{}), done: make(chan struct{})}
	g.mu.Lock()
	if g.flying < gatherFlights {
		g.flying++
		g.mu.Unlock()
		return g.lead(ctx, p)
	}
	g.queued = append(g.queued, p)
	g.mu.Unlock()
	select {
	case <-p.turn:
		return g.lead(ctx, p)
	case <-p.done:
		if p.err == nil {
			return nil
		}
		return g.write(ctx, p.rows)
	case <-ctx.Done():
		g.leave(p)
		return ctx.Err()
	}
}

// lead writes what a caller brings with what is queued, then gives its turn to the next.
func (g *gather) lead(ctx context.Context, p *putting) error {
	others := g.take(len(p.rows), sizeOf(p.rows))
	rows := p.rows
	for _, o := range others {
		rows = append(rows[:len(rows):len(rows)], o.rows...)
	}
	err := g.write(ctx, rows)
	for _, o := range others {
		o.err = err
		close(o.done)
	}
	g.next()
	if err != nil && len(others) > 0 {
		return g.write(ctx, p.rows)
	}
	return err
}

// take takes what may go with so many rows and bytes.
func (g *gather) take(rows, bytes int) []*putting {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for ; n < len(g.queued); n++ {
		rows, bytes = rows+len(g.queued[n].rows), bytes+sizeOf(g.queued[n].rows)
		if rows > gatherRows || bytes > gatherBytes {
			break
		}
	}
	taken := g.queued[:n:n]
	g.queued = append([]*putting(nil), g.queued[n:]...)
	return taken
}

// next gives a flight that is over to the first who waits.
func (g *gather) next() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queued) == 0 {
		g.flying--
		return
	}
	first := g.queued[0]
	g.queued = g.queued[1:]
	close(first.turn)
}

// leave takes a caller that does not wait any longer out of the queue, or passes on its turn.
func (g *gather) leave(p *putting) {
	g.mu.Lock()
	for i, q := range g.queued {
		if q == p {
			g.queued = append(append([]*putting(nil), g.queued[:i]...), g.queued[i+1:]...)
			break
		}
	}
	g.mu.Unlock()
	select {
	case <-p.turn:
		g.next()
	default: // it waited for nobody, or somebody writes for it
	}
}

func sizeOf(rows []Row) (bytes int) {
	for _, r := range rows {
		bytes += len(r.Body)
	}
	return bytes
}
