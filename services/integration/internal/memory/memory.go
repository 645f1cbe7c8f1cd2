// Package memory bounds what documents take of this process's memory, however many come at a
// time: a budget of the bytes that are worked on, and caches that hold so many bytes and no more.
package memory

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Budget is the bytes of documents that may be worked on at a time. Those who wait have their
// turn in the order in which they came.
type Budget struct {
	bytes   int64
	turns   *semaphore.Weighted
	waiting atomic.Int64 // bytes
}

// NewBudget returns a budget of so many bytes.
func NewBudget(bytes int64) *Budget {
	return &Budget{bytes: bytes, turns: semaphore.NewWeighted(bytes)}
}

// Wait takes bytes of the budget, all of it for what is larger, and returns what gives them back.
func (b *Budget) Wait(ctx context.Context, bytes int64) (done func(), err error) {
	bytes = min(bytes, b.bytes)
	if err := b.turns.Acquire(ctx, bytes); err != nil {
		return nil, fault.New(fault.Exhausted, "OVERLOADED", "no turn came in time").After(again).Wrap(err)
	}
	return func() { b.turns.Release(bytes) }, nil
}

// Room is for how much may wait: what is worked on takes many times its bytes, what waits takes
// them once or twice.
const Room = 4

const (
	again    = time.Second      // what a sender is told to wait
	patience = 10 * time.Second // for a turn of what is in memory
)

// Enter is Wait for what is in memory already, once: when Room times the budget waits, more is
// refused.
func (b *Budget) Enter(ctx context.Context, bytes int64) (done func(), err error) {
	bytes = min(bytes, b.bytes)
	if b.turns.TryAcquire(bytes) {
		return func() { b.turns.Release(bytes) }, nil
	}
	defer b.waiting.Add(-bytes)
	if b.waiting.Add(bytes) > Room*b.bytes {
		return nil, fault.New(fault.Exhausted, "OVERLOADED", "as many bytes of documents are worked on, and wait, as may be").After(again)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return b.Wait(ctx, bytes)
}
