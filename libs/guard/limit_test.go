package guard

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

func TestLimitQueuesTwiceAndRefusesTheRest(t *testing.T) {
	const n = 3
	l := NewLimit(n)
	let := make(chan struct{})
	var busy, most, refused, done atomic.Int64
	var wg sync.WaitGroup
	for range 5 * n {
		wg.Go(func() {
			_, err := l.Unary(t.Context(), nil, &grpc.UnaryServerInfo{}, func(context.Context, any) (any, error) {
				if b := busy.Add(1); b > most.Load() {
					most.Store(b)
				}
				<-let
				busy.Add(-1)
				done.Add(1)
				return nil, nil
			})
			if err != nil {
				refused.Add(1)
				if f, ok := fault.As(err); !ok || f.Kind != fault.Exhausted || f.RetryAfter == 0 {
					t.Error(err)
				}
			}
		})
	}
	testkit.Eventually(t, time.Minute, func() bool { return refused.Load() == 2*n && busy.Load() == n })
	close(let)
	wg.Wait()
	if done.Load() != 3*n || most.Load() != n {
		t.Fatalf("%d done, at most %d at a time", done.Load(), most.Load())
	}
}

func TestTooLittleTimeIsRefusedAtOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), leastTime/2)
	defer cancel()
	_, err := NewLimit(1).Unary(ctx, nil, &grpc.UnaryServerInfo{}, func(context.Context, any) (any, error) {
		t.Error("began")
		return nil, nil
	})
	if !fault.IsKind(err, fault.Deadline) {
		t.Fatal(err)
	}
}
