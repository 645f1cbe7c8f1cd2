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

func waits(id string) entry { return entry{tenant: "t", id: id, keys: []string{"n:" + id}} }

// TestCombiner: what comes during a write goes together into the next, in one row, and each
// number once; each call is answered by the write that held its fact, and not before.
func TestCombiner(t *testing.T) {
	g := &gate{let: make(chan error)}
	c := &combiner{rows: g}
	answers := make(chan error, 16)
	put := func(id string, numbers ...store.Row) {
		go func() { answers <- c.put(context.Background(), waits(id), numbers) }()
	}
	put("first")
	testkit.Eventually(t, time.Minute, func() bool { return g.count() == 1 })
	for i := range 8 {
		put(fmt.Sprint(i), store.Row{Tenant: "t", ID: "k/common"})
	}
	testkit.Eventually(t, time.Minute, func() bool { return c.queued() == 8 })
	if len(answers) != 0 {
		t.Fatal("answered before anything was written")
	}
	g.let <- nil
	if err := <-answers; err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, time.Minute, func() bool { return g.count() == 2 })
	if second := g.writes[1]; len(second) != 2 || len(second[0].Keys[index])+len(second[1].Keys[index]) != 8 {
		t.Errorf("the second write is %v, want one row of 8 facts and one number", second)
	}
	broken := errors.New("no disk")
	g.let <- broken
	for range 8 {
		if err := <-answers; !errors.Is(err, broken) {
			t.Errorf("answered %v", err)
		}
	}
	put("after a failure")
	testkit.Eventually(t, time.Minute, func() bool { return g.count() == 3 })
	g.let <- nil
	if err := <-answers; err != nil {
		t.Error(err)
	}
}

// TestBounds: a write has a bounded number of facts, and so has a row; tenants share none.
func TestBounds(t *testing.T) {
	c := &combiner{busy: true}
	for i := range mostFacts + 10 {
		e := waits(fmt.Sprint(i))
		if i%2 == 0 {
			e.tenant = "u"
		}
		c.queue = append(c.queue, waiting{entry: e})
	}
	if n := len(c.take()); n != mostFacts {
		t.Errorf("a write of %d facts", n)
	}
	rest := c.take()
	if len(rest) != 10 || len(rowsOf(rest)) != 2 {
		t.Errorf("%d facts of two tenants in %d rows", len(rest), len(rowsOf(rest)))
	}
	if len(c.take()) != 0 || c.busy {
		t.Error("busy although nobody waits")
	}
	var many, large []waiting
	for i := range factsPerRow + 1 {
		many = append(many, waiting{entry: waits(fmt.Sprint(i))})
	}
	for i := range 3 {
		e := waits(fmt.Sprint(i))
		e.body = make([]byte, bytesPerRow)
		large = append(large, waiting{entry: e})
	}
	if len(rowsOf(many)) != 2 || len(rowsOf(large)) != 3 {
		t.Errorf("%d and %d rows, want 2 and 3", len(rowsOf(many)), len(rowsOf(large)))
	}
}

// TestPackedFactsComeBack: a row gives back what was packed, its id is that of its facts, and
// a broken one is an error.
func TestPackedFactsComeBack(t *testing.T) {
	var entries []entry
	facts := orders(1)
	for _, f := range facts {
		e, _, err := entryOf(f)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	row := pack(entries)
	got, err := unpack(row)
	if err != nil || len(got.facts) != len(facts) {
		t.Fatalf("%d of %d facts, %v", len(got.facts), len(facts), err)
	}
	for i, f := range facts {
		if got.steps[i].GetEventId() != f.ID || got.facts[i].Version != f.Version || got.facts[i].Index != f.Index {
			t.Errorf("%s came back as %v", f.ID, got.facts[i])
		}
	}
	if again := pack(entries); again.ID != row.ID || pack(entries[1:]).ID == row.ID {
		t.Errorf("ids %s, %s, %s", row.ID, again.ID, pack(entries[1:]).ID)
	}
	row.Body = row.Body[:len(row.Body)-1]
	if _, err := unpack(row); err == nil {
		t.Error("a torn row is read")
	}
}

// TestCombinerLeavesWithItsContext: a caller who gives up does not wait for the write.
func TestCombinerLeavesWithItsContext(t *testing.T) {
	g := &gate{let: make(chan error, 1)}
	c := &combiner{rows: g}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.put(ctx, waits("x"), nil); !errors.Is(err, context.Canceled) || !fault.Transient(err) {
		t.Errorf("answered %v", err)
	}
	g.let <- nil
}
