package adapter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// gate is a table whose writes wait until they are let through.
type gate struct {
	store.Rows
	let chan error

	mu     sync.Mutex
	writes [][]store.Row
}

func (g *gate) Put(ctx context.Context, rows ...store.Row) error {
	g.mu.Lock()
	g.writes = append(g.writes, rows)
	g.mu.Unlock()
	select {
	case err := <-g.let:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.writes)
}

func (c *combiner) queued() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue)
}

// TestCombiner: what comes during a write goes together into the next, each row once; each
// call is answered by the write that held its rows, and not before.
func TestCombiner(t *testing.T) {
	g := &gate{let: make(chan error)}
	c := &combiner{rows: g}
	answers := make(chan error, 16)
	put := func(ids ...string) {
		var rows []store.Row
		for _, id := range ids {
			rows = append(rows, store.Row{Tenant: "t", ID: id, Version: 1})
		}
		go func() { answers <- c.put(context.Background(), rows) }()
	}
	put("first")
	testkit.Eventually(t, 10*time.Second, func() bool { return g.count() == 1 })
	for i := range 8 {
		put(fmt.Sprint(i), "common")
	}
	testkit.Eventually(t, 10*time.Second, func() bool { return c.queued() == 8 })
	if len(answers) != 0 {
		t.Fatal("answered before anything was written")
	}
	g.let <- nil
	if err := <-answers; err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 10*time.Second, func() bool { return g.count() == 2 })
	if n := len(g.writes[1]); n != 9 {
		t.Errorf("the second write has %d rows, want 8 and the common one", n)
	}
	broken := errors.New("no disk")
	g.let <- broken
	for range 8 {
		if err := <-answers; !errors.Is(err, broken) {
			t.Errorf("answered %v", err)
		}
	}
	put("after a failure")
	testkit.Eventually(t, 10*time.Second, func() bool { return g.count() == 3 })
	g.let <- nil
	if err := <-answers; err != nil {
		t.Error(err)
	}
}

// TestCombinerBounds: a write has a bounded number of rows, but one call is never torn.
func TestCombinerBounds(t *testing.T) {
	c := &combiner{busy: true}
	for i := range 5 {
		var rows []store.Row
		for j := range 100 {
			rows = append(rows, store.Row{ID: fmt.Sprint(i, "-", j)})
		}
		c.queue = append(c.queue, waiting{rows: rows})
	}
	huge := make([]store.Row, 0, mostRows+50)
	for j := range mostRows + 50 {
		huge = append(huge, store.Row{ID: fmt.Sprint("huge-", j)})
	}
	c.queue = append(c.queue, waiting{rows: huge})
	var sizes []int
	for {
		calls, rows := c.take()
		if len(calls) == 0 {
			break
		}
		sizes = append(sizes, len(rows))
	}
	if got, want := fmt.Sprint(sizes), fmt.Sprint([]int{200, 200, 100, mostRows + 50}); got != want {
		t.Errorf("writes of %s rows, want %s", got, want)
	}
	if c.busy {
		t.Error("busy although nobody waits")
	}
}

// TestCombinerLeavesWithItsContext: a caller who gives up does not wait for the write.
func TestCombinerLeavesWithItsContext(t *testing.T) {
	g := &gate{let: make(chan error, 1)}
	c := &combiner{rows: g}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.put(ctx, []store.Row{{ID: "x"}}); !errors.Is(err, context.Canceled) || !fault.Transient(err) {
		t.Errorf("answered %v", err)
	}
	g.let <- nil
}
