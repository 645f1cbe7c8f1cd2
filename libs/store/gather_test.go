package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// written notes the writes of a gather, each of which takes a second.
type written struct {
	mu    sync.Mutex
	calls [][]string
}

// write refuses every write that has the row "bad".
func (w *written) write(ctx context.Context, rows []Row) error {
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	w.mu.Lock()
	w.calls = append(w.calls, ids)
	w.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
	}
	if slices.Contains(ids, "bad") {
		return errors.New("bad row")
	}
	return nil
}

// TestGather: rows that come while others are written go together, each once, two writes at a
// time; one that fails costs its caller only, and so does one that does not wait.
func TestGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &written{}
		g := &gather{write: w.write}
		var group sync.WaitGroup
		errs := make([]error, 40)
		for i := range errs {
			group.Go(func() {
				id := fmt.Sprint(i)
				if i == 30 {
					id = "bad"
				}
				errs[i] = g.put(t.Context(), []Row{{ID: id}})
			})
			synctest.Wait()
			if i == 0 { // the first two end apart, or whoever comes next shares the rows between them
				time.Sleep(time.Second / 2)
			}
		}
		brief, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := g.put(brief, []Row{{ID: "brief"}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one that does not wait: %v", err)
		}
		group.Wait()
		for i, err := range errs {
			if (err != nil) != (i == 30) {
				t.Errorf("row %d: %v", i, err)
			}
		}
		if len(w.calls[0]) != 1 || len(w.calls[1]) != 1 || len(w.calls[2]) != 38 {
			t.Errorf("written as %v", w.calls[:3])
		}
		ok := map[string]int{}
		for _, call := range w.calls {
			if !slices.Contains(call, "bad") {
				for _, id := range call {
					ok[id]++
				}
			}
		}
		if len(ok) != 39 || ok["brief"] > 0 || g.flying != 0 || len(g.queued) != 0 {
			t.Errorf("%d rows are there; %d fly, %d wait", len(ok), g.flying, len(g.queued))
		}
		w.calls = nil
		large := make([]byte, gatherBytes/2)
		for i := range 6 {
			group.Go(func() {
				if err := g.put(t.Context(), []Row{{ID: fmt.Sprint(i), Body: large}}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		group.Wait()
		for _, call := range w.calls {
			if len(call) > 2 {
				t.Errorf("%d large rows in one write", len(call))
			}
		}
	})
}

// TestGatherPassesTurnsOn: whoever leaves when its turn has come gives it to the next.
func TestGatherPassesTurnsOn(t *testing.T) {
	for range 200 {
		g := &gather{write: func(context.Context, []Row) error { return nil }}
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				go cancel()
				_ = g.put(ctx, []Row{{ID: "x"}}) // it is written, or its caller went away
			})
		}
		group.Wait()
		if g.flying != 0 || len(g.queued) != 0 {
			t.Fatalf("%d fly, %d wait", g.flying, len(g.queued))
		}
	}
}
