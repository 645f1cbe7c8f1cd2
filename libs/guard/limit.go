package guard

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Limit bounds how many calls a service works on at a time. What is over it waits
// in a queue of twice that length; what is over that, or has too little time left,
// is refused at once, while the caller can still do something else.
type Limit struct {
	slots   chan struct{}
	waiting atomic.Int64
}

// leastTime is what a call must have left to be worth beginning.
const leastTime = 100 * time.Millisecond

// NewLimit returns a limit of n calls at a time.
func NewLimit(n int) *Limit { return &Limit{slots: make(chan struct{}, n)} }

// Unary is the interceptor.
func (l *Limit) Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if open[info.FullMethod] {
		return handle(ctx, req)
	}
	if err := l.acquire(ctx); err != nil {
		return nil, err
	}
	defer func() { <-l.slots }()
	return handle(ctx, req)
}

func (l *Limit) acquire(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < leastTime {
		return fault.New(fault.Deadline, "DEADLINE_TOO_SHORT", "less than %v is left", leastTime)
	}
	select {
	case l.slots <- struct{}{}:
		return nil
	default:
	}
	if l.waiting.Add(1) > 2*int64(cap(l.slots)) {
		l.waiting.Add(-1)
		return fault.New(fault.Exhausted, "OVERLOADED", "the service is working on as much as it can").After(retryAdvised)
	}
	defer l.waiting.Add(-1)
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fault.New(fault.Exhausted, "OVERLOADED", "no turn came in time").After(retryAdvised).Wrap(ctx.Err())
	}
}
