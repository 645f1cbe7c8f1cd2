package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// TestWritesThatFail: what counts as failing, and since when.
func TestWritesThatFail(t *testing.T) {
	begin := clock.Monotonic()
	bad := errors.New("no space")
	for name, c := range map[string]struct {
		seen []error // one a second
		want time.Duration
	}{
		"nothing was written":      {nil, 0},
		"all go through":           {[]error{nil, nil}, 0},
		"all fail":                 {[]error{nil, bad, bad, bad}, 3 * time.Second},
		"the last goes through":    {[]error{bad, bad, nil}, 0},
		"time runs out":            {[]error{context.DeadlineExceeded, bad}, 2 * time.Second},
		"a taken version is none":  {[]error{bad, errTaken, bad}, 3 * time.Second},
		"a caller goes away":       {[]error{fmt.Errorf("insert: %w", context.Canceled), nil}, 0},
		"no answer to one at last": {[]error{nil, nil, bad}, time.Second},
	} {
		w := &writes{good: begin}
		for i, err := range c.seen {
			w.saw(err, begin.Add(time.Duration(i)*time.Second))
		}
		if got, _, _ := w.state(begin.Add(time.Duration(len(c.seen)) * time.Second)); got != c.want {
			t.Errorf("%s: failing for %v, want %v", name, got, c.want)
		}
	}
}

// failing is an engine that writes nothing while it is told so.
type failing struct {
	engine
	on    atomic.Bool
	tries atomic.Int64 // that failed
}

var errNoSpace = errors.New("no space")

func (f *failing) insert(ctx context.Context, ws []*write) {
	if !f.on.Load() {
		f.engine.insert(ctx, ws)
		return
	}
	for _, w := range ws {
		w.result = errNoSpace
	}
}

func (f *failing) try(ctx context.Context) error {
	if f.on.Load() {
		f.tries.Add(1)
		return errNoSpace
	}
	return f.engine.try(ctx)
}

// TestReady: a database that takes no write makes Ready say so, only after a while; that it
// takes them again is found out without anybody writing.
func TestReady(t *testing.T) {
	onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
		db := open(asIs)
		f := &failing{engine: db.engine.(watched).engine}
		db.engine = watched{f, db.writes}
		c := Register(db, sumType())
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- db.Watch(ctx) }()
		f.on.Store(true)
		if _, err := add(t.Context(), c, "sum_a", "k", 1); !fault.IsKind(err, fault.Unavailable) {
			t.Fatalf("a command without space: %v", err)
		}
		if err := db.Ready(); err != nil {
			t.Errorf("after one failure: %v", err)
		}
		db.writes.mu.Lock()
		db.writes.failing = db.writes.failing.Add(-failingFor)
		db.writes.mu.Unlock()
		before := f.tries.Load()
		testkit.Eventually(t, time.Minute, func() bool { return f.tries.Load() > before+1 }) // the first has been noted
		if err := db.Ready(); !fault.IsKind(err, fault.Unavailable) {
			t.Errorf("while all fail: %v", err)
		}
		f.on.Store(false)
		testkit.Eventually(t, time.Minute, func() error { return db.Ready() })
		if _, err := add(t.Context(), c, "sum_a", "k", 1); err != nil {
			t.Error(err)
		}
		for range 2 { // it begins the count, it goes on counting
			if err := db.engine.try(t.Context()); err != nil {
				t.Error(err)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestIdleProcessKnows: one that has nothing to write finds out as well.
func TestIdleProcessKnows(t *testing.T) {
	onEngines(t, func(t *testing.T, open func(func(engine) engine) *DB) {
		db := open(asIs)
		f := &failing{engine: db.engine.(watched).engine}
		f.on.Store(true)
		db.engine = watched{f, db.writes}
		db.writes.mu.Lock()
		db.writes.good = clock.Monotonic().Add(-quietFor)
		db.writes.mu.Unlock()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- db.Watch(ctx) }()
		testkit.Eventually(t, time.Minute, func() bool {
			failing, _, _ := db.writes.state(clock.Monotonic())
			return failing > 0
		})
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
