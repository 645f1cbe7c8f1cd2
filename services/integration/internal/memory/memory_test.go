package memory_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/memory"
)

// TestBudget: however many come at a time, no more bytes are worked on than the budget has, Room
// times as many wait, and the rest is refused; what waited has its turn.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bytes, each, callers = 16, 5, 20 // three work, twelve wait
		b := memory.NewBudget(bytes)
		var working, worked, refused atomic.Int64
		let := make(chan struct{})
		var group sync.WaitGroup
		for range callers {
			group.Go(func() {
				done, err := b.Enter(t.Context(), each)
				if f, ok := fault.As(err); ok && f.Kind == fault.Exhausted && f.RetryAfter > 0 {
					refused.Add(1)
					return
				}
				if n := working.Add(each); n > bytes {
					t.Errorf("%d bytes are worked on", n)
				}
				<-let
				working.Add(-each)
				worked.Add(1)
				done()
			})
		}
		synctest.Wait()
		if working.Load() != 15 || refused.Load() != callers-15 {
			t.Errorf("%d bytes are worked on, %d callers refused", working.Load(), refused.Load())
		}
		close(let)
		group.Wait()
		if worked.Load() != 15 {
			t.Errorf("%d callers had their turn", worked.Load())
		}
		done, err := b.Enter(t.Context(), 100*bytes) // takes all of it
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Wait(ctx, 1); !fault.IsKind(err, fault.Exhausted) || !errors.Is(err, context.Canceled) {
			t.Errorf("beside what is larger than the budget: %v", err)
		}
		done()
		if done, err = b.Wait(t.Context(), bytes); err != nil {
			t.Error(err)
		} else {
			done()
		}
	})
}

func TestRecent(t *testing.T) {
	r := memory.NewRecent(10, func(s string) int64 { return int64(len(s)) })
	for i := range 5 {
		r.Add(fmt.Sprint(i), "xxx")
	}
	r.Add("4", "yyy")             // instead of another
	r.Add("large", "xxxxxxxxxxx") // never
	if _, ok := r.Get("2"); !ok { // the last three
		t.Error("2 is not there")
	}
	r.Add("5", "xxxx") // makes place for itself: 3 is the oldest
	for key, want := range map[string]bool{"0": false, "1": false, "2": true, "3": false, "4": true, "5": true, "large": false} {
		if _, ok := r.Get(key); ok != want {
			t.Errorf("%s is there: %t", key, ok)
		}
	}
	if v, _ := r.Get("4"); v != "yyy" {
		t.Errorf("4 is %q", v)
	}
}
