package store

import (
	"context"
	"errors"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
)

// writeTime bounds one batch, whatever its callers' deadlines are.
const writeTime = 15 * time.Second

// round is one aggregate in a batch: its commands, the state they are decided on and the
// commit they made.
type round[S, F any] struct {
	line     *line[S, F]
	requests []*request[S, F]
	base     *loaded[S]
	fresh    bool // base was read whole, after the commands came
	made     *made[S, F]
	write    *write
}

// batch decides and commits the commands of the lines, each line by itself. One whose
// version was taken goes back with its commands, to be decided anew on what is there now.
func (c *Collection[S, F]) batch(work []*line[S, F]) {
	defer c.queue.give(work)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.db.ctx), writeTime)
	defer cancel()
	ctx, end := c.db.engine.session(ctx)
	defer end()
	rounds := make([]*round[S, F], len(work))
	aggs := make([]string, len(work))
	for i, l := range work {
		rounds[i] = &round[S, F]{line: l, requests: c.queue.some(l)}
		aggs[i] = l.agg
	}
	states, err := c.load(ctx, aggs)
	if err != nil {
		c.each(ctx, rounds) // one that cannot be read must not fail the others
		states = map[string]*loaded[S]{}
	}
	todo := rounds[:0:0]
	for _, r := range rounds {
		if r.base == nil {
			r.base = states[r.line.agg]
		}
		if r.base != nil {
			todo = append(todo, r)
		}
	}
	c.attempt(ctx, todo)
}

// each loads the aggregates one by one and answers those that cannot be.
func (c *Collection[S, F]) each(ctx context.Context, rounds []*round[S, F]) {
	for _, r := range rounds {
		states, err := c.load(ctx, []string{r.line.agg})
		if err != nil {
			fail(r.requests, unavailable(err))
			continue
		}
		r.base = states[r.line.agg]
	}
}

// attempt decides all rounds and commits them together.
func (c *Collection[S, F]) attempt(ctx context.Context, rounds []*round[S, F]) {
	defer c.db.deciding()()
	var ws []*write
	flying := rounds[:0:0]
	for _, r := range rounds {
		err := c.decide(ctx, r)
		if errors.Is(err, errAgain) {
			err = c.decide(ctx, r)
		}
		switch {
		case err != nil:
			fail(r.requests, unavailable(err))
		case r.write != nil:
			ws, flying = append(ws, r.write), append(flying, r)
		}
	}
	if len(ws) == 0 {
		return
	}
	if err := faultpoint.Hit(faultpoint.C3); err != nil {
		for _, r := range flying {
			fail(r.requests, err)
		}
		return
	}
	c.finish(ctx, ws, flying)
}

// land answers a round whose insert is over, or puts it back.
func (c *Collection[S, F]) land(ctx context.Context, r *round[S, F]) {
	switch err := r.write.result; {
	case err == nil:
		c.keep(r.line.agg, r.made.next, r.write.snap != nil)
		r.made.answer()
	case errors.Is(err, errTaken):
		c.cache.Remove(r.line.agg)
		if r.requests = expire(r.requests); len(r.requests) == 0 {
			return
		}
		// In this session, which has met the version that is there: the next batch starts from it.
		if _, err := c.full(ctx, r.line.agg); err != nil {
			fail(r.requests, unavailable(err))
			return
		}
		c.queue.back(r.line, r.requests)
	default: // the outcome is unknown: so is what we held
		c.cache.Remove(r.line.agg)
		fail(r.requests, fault.New(fault.Unavailable, "OUTCOME_UNKNOWN", "the commit was not acknowledged").Wrap(err))
	}
}

// keep holds a committed state for the next command and for the snapshot writer.
func (c *Collection[S, F]) keep(agg string, l *loaded[S], written bool) {
	c.hold(agg, l)
	if written {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dirty[agg] = l
}

// expire answers the requests whose time has run out and returns the others.
func expire[S, F any](rs []*request[S, F]) []*request[S, F] {
	left := rs[:0:0]
	for _, r := range rs {
		if r.ctx.Err() != nil {
			r.answer(Receipt{}, fault.New(fault.Unavailable, "CONTENTION", "other commands kept changing it").After(100*time.Millisecond))
			continue
		}
		left = append(left, r)
	}
	return left
}

func fail[S, F any](rs []*request[S, F], err error) {
	for _, r := range rs {
		r.answer(Receipt{}, err)
	}
}

// unavailable keeps a fault and makes anything else a dependency that failed.
func unavailable(err error) error {
	if _, ok := fault.As(err); ok {
		return err
	}
	return fault.New(fault.Unavailable, "STORE_UNAVAILABLE", "the store did not answer").Wrap(err)
}
