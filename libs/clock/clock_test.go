package clock_test

import (
	"sync"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
)

var _ = []clock.Clock{clock.System{}, &clock.Manual{}}

func TestSystem(t *testing.T) {
	before := time.Now().Truncate(time.Microsecond)
	now := clock.System{}.Now()
	if now.Before(before) || now.After(time.Now()) {
		t.Errorf("%s is not now", now)
	}
	if now.Location() != time.UTC || now.Nanosecond()%1000 != 0 {
		t.Errorf("%s is not UTC in microseconds", now)
	}
}

func TestManual(t *testing.T) {
	var zero clock.Manual
	if !zero.Now().Equal(time.Unix(0, 0)) {
		t.Errorf("the zero clock stands at %s", zero.Now())
	}
	zone := time.FixedZone("", 2*3600)
	c := clock.NewManual(time.Date(2028, 2, 29, 1, 0, 0, 123456789, zone))
	want := time.Date(2028, 2, 28, 23, 0, 0, 123456000, time.UTC)
	if first, second := c.Now(), c.Now(); first != want || second != want {
		t.Errorf("the clock stands at %s, want %s", c.Now(), want)
	}
	c.Step(-time.Hour)
	if got := c.Now(); got != want.Add(-time.Hour) {
		t.Errorf("stepped back to %s", got)
	}
	c.Step(1500 * time.Nanosecond)
	if got := c.Now(); got.Nanosecond()%1000 != 0 {
		t.Errorf("%s is finer than what is stored", got)
	}
}

// TestConcurrentSteps: no step is lost.
func TestConcurrentSteps(t *testing.T) {
	c := clock.NewManual(time.Unix(0, 0))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				c.Step(time.Microsecond)
			}
		})
	}
	wg.Wait()
	if got := c.Now(); !got.Equal(time.Unix(0, 0).Add(8 * time.Millisecond)) {
		t.Errorf("the clock stands at %s", got)
	}
}
