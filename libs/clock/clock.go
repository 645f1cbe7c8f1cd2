// Package clock is the only source of the current time in Lockstep's services,
// so that tests can set, step and skew it. Times are UTC with microseconds.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time.
type Clock interface {
	// Now returns the current time in UTC, truncated to microseconds (the precision that is stored).
	Now() time.Time
}

// System is the machine's clock.
type System struct{}

// Now implements Clock.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Monotonic returns a reading of this process's monotonic clock. It is for pauses, time-outs
// and durations, which no step of the wall clock may stretch; it is never stored or sent.
func Monotonic() time.Time { return time.Now() }

// Elapsed returns the time since a reading of Monotonic.
func Elapsed(since time.Time) time.Duration { return time.Since(since) }

// Manual is a clock that only moves when told to. The zero value stands at the Unix epoch.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// NewManual returns a clock that stands at t.
func NewManual(t time.Time) *Manual { return &Manual{now: t.UTC().Truncate(time.Microsecond)} }

// Now implements Clock.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stand()
}

// Step moves the clock by d, which may be negative.
func (m *Manual) Step(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.stand().Add(d).Truncate(time.Microsecond)
}

func (m *Manual) stand() time.Time {
	if m.now.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return m.now
}
