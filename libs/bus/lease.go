package bus

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// own is the tenant of the bus's own rows: positions, records and leases belong to no customer.
const own = "_bus"

// process tells this process's leases from those of a process that died, and an operator who
// holds one: "<host>.<process id>.<random>".
var process = processName()

func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s.%d.%s", strings.ReplaceAll(host, "/", "_"), os.Getpid(), rand.Text())
}

// lease lets one of several replicas work at a time. Nothing rests on it but economy: two
// holders do the same work twice. It compares no clocks of machines: a row that did not
// change for the lease's time by one's own clock is free.
type lease struct {
	rows      store.Rows
	name      string
	owner     string
	ttl       time.Duration
	exclusive bool // leases of other processes are dead ones
	log       *slog.Logger
	// note is what the holder tells others in its lease; watch gets what the holder told and
	// for how long nothing was heard. Either may be nil.
	note  func() []byte
	watch func(note []byte, silent time.Duration)

	until atomic.Int64 // nanoseconds of since(); holding before it is certain
}

var epoch = clock.Monotonic()

func since() time.Duration { return clock.Elapsed(epoch) }

type leaseBody struct {
	Owner string `json:"o"` // "" when released
	Note  []byte `json:"n,omitempty"`
}

func newLease(cfg Config, rows store.Rows, name string) *lease {
	return &lease{
		rows: rows, name: "lease:" + name, owner: process + "/" + rand.Text(), ttl: cfg.Timing.Lease,
		exclusive: cfg.DB.Exclusive(), log: cfg.Log.With("lease", name),
	}
}

// valid reports that the lease is held for certain. A process that was stopped for a while
// sees here that it was replaced, before it has asked.
func (l *lease) valid() bool { return int64(since()) < l.until.Load() }

// hold runs work each time the lease is got, with a context that ends when it is lost.
// It returns when ctx ends.
func (l *lease) hold(ctx context.Context, work func(context.Context)) {
	for ctx.Err() == nil {
		version, ok := l.acquire(ctx)
		if !ok {
			continue
		}
		held, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			work(held)
			cancel()
		}()
		version = l.keep(held, version)
		cancel()
		<-done
		l.release(version)
	}
}

// acquire waits until the lease is free and takes it; false when it should be tried again.
func (l *lease) acquire(ctx context.Context) (uint64, bool) {
	var seen uint64
	first := since()
	for ctx.Err() == nil {
		row, exists, err := l.rows.Get(ctx, own, l.name)
		var body leaseBody
		if err == nil && exists {
			err = json.Unmarshal(row.Body, &body)
		}
		switch {
		case err != nil:
			l.log.WarnContext(ctx, "lease cannot be read", "error", err)
		case !exists || body.Owner == "" || l.dead(body.Owner) || row.Version == seen && since()-first >= l.ttl:
			if version, ok := l.swap(ctx, row.Version); ok {
				return version, true
			}
		case row.Version != seen:
			seen, first = row.Version, since()
		}
		if l.watch != nil && exists {
			l.watch(body.Note, since()-first)
		}
		pause(ctx, l.ttl/3) // as often as a holder renews
	}
	return 0, false
}

func (l *lease) dead(owner string) bool {
	return l.exclusive && !strings.HasPrefix(owner, process+"/")
}

// swap writes the lease on the version seen, and knows from when on it is held.
func (l *lease) swap(ctx context.Context, seen uint64) (uint64, bool) {
	body := leaseBody{Owner: l.owner}
	if l.note != nil {
		body.Note = l.note()
	}
	b, err := json.Marshal(body)
	if err != nil {
		return 0, false
	}
	start := since()
	ok, err := l.rows.Swap(ctx, store.Row{Tenant: own, ID: l.name, Version: seen + 1, Body: b}, seen)
	if err != nil || !ok {
		return 0, false
	}
	l.until.Store(int64(start + l.ttl))
	return seen + 1, true
}

// keep renews the lease until ctx ends or it is lost; it returns the last version written.
func (l *lease) keep(ctx context.Context, version uint64) uint64 {
	for ctx.Err() == nil && l.valid() {
		pause(ctx, l.ttl/3)
		if ctx.Err() != nil {
			break
		}
		renew, cancel := context.WithTimeout(ctx, l.ttl/3)
		next, ok := l.swap(renew, version)
		if ok {
			version = next
		} else if row, exists, err := l.rows.Get(renew, own, l.name); err == nil {
			var body leaseBody
			if !exists || json.Unmarshal(row.Body, &body) != nil || body.Owner != l.owner {
				cancel()
				l.log.InfoContext(ctx, "lease lost")
				break
			}
			version = row.Version // our own write, whose answer was lost
		}
		cancel()
	}
	l.until.Store(0)
	return version
}

// release frees the lease for the next holder, if it is still ours.
func (l *lease) release(version uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	b, err := json.Marshal(leaseBody{})
	if err != nil {
		return
	}
	if _, err := l.rows.Swap(ctx, store.Row{Tenant: own, ID: l.name, Version: version + 1, Body: b}, version); err != nil {
		l.log.WarnContext(ctx, "lease not released; it runs out", "error", err)
	}
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
