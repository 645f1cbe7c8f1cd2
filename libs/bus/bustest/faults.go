package bustest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/store"
)

var errFrozen = errors.New("this process writes no more")

// Faults is a database as a process with troubles sees it.
type Faults struct {
	store.Feed
	mu     sync.Mutex
	frozen bool                    // nothing is written: the process is dead but for its clean-up
	leased bool                    // but leases are
	alone  bool                    // leases of others are not seen
	seen   map[store.Position]bool // positions given out
	lost   map[store.Position]bool
	leases *rows
	deaf   bool          // nothing is yielded
	stuck  bool          // nor does it fail
	goodTo time.Time     // what the bus told
	age    time.Duration // of the backlog, likewise
}

// WithFaults returns db, without faults until they are asked for.
func WithFaults(db store.Feed) *Faults {
	return &Faults{Feed: db, seen: map[store.Position]bool{"": true}, leases: &rows{byID: map[store.Ref]store.Row{}}}
}

// Freeze makes every write to a table fail: what a killed process leaves is what is written by now.
func (f *Faults) Freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frozen = true
}

// FreezeRecords is Freeze for all but leases, and untold: the process works on, and what it
// recorded is lost.
func (f *Faults) FreezeRecords() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frozen, f.leased = true, true
}

// Alone hides the leases of other replicas, as if a paused process did not know that it lost its own.
func (f *Faults) Alone() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.alone = true
}

// Deafen makes every Tail from now on fail, as for want of a privilege.
func (f *Faults) Deafen() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deaf = true
}

// Stick makes every Tail from now on wait for ever, or end that.
func (f *Faults) Stick(stuck bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stuck = stuck
}

// SetGoodTo implements store.Feed.
func (f *Faults) SetGoodTo(t time.Time) {
	f.mu.Lock()
	f.goodTo = t
	f.mu.Unlock()
	f.Feed.SetGoodTo(t)
}

// SetBacklog implements store.Feed; the store is not told, so that a test can go on.
func (f *Faults) SetBacklog(age time.Duration, _ int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.age = age
}

// told returns what the bus last said of lists and of the relay's lag.
func (f *Faults) told() (goodTo time.Time, age time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.goodTo, f.age
}

// LosePositions makes the engine lose every position that it has given out, but for those kept.
func (f *Faults) LosePositions(kept ...store.Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lost, f.seen = f.seen, map[store.Position]bool{}
	for _, p := range kept {
		delete(f.lost, p)
		f.seen[p] = true
	}
}

// Tail implements store.Feed.
func (f *Faults) Tail(ctx context.Context, from store.Position, fn func(store.RawCommit) error, rest func(store.Position) error) error {
	f.mu.Lock()
	lost, deaf, stuck := f.lost[from], f.deaf, f.stuck
	f.mu.Unlock()
	switch {
	case lost:
		return store.ErrPositionLost
	case deaf:
		return errors.New("the log cannot be read")
	case stuck:
		<-ctx.Done()
		return ctx.Err()
	}
	return f.Feed.Tail(ctx, from, func(c store.RawCommit) error {
		f.saw(c.Position)
		return fn(c)
	}, func(p store.Position) error {
		f.saw(p)
		if rest == nil {
			return nil
		}
		return rest(p)
	})
}

func (f *Faults) saw(p store.Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[p] = true
}

// End implements store.Feed.
func (f *Faults) End(ctx context.Context) (store.Position, error) {
	p, err := f.Feed.End(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.lost, p)
	f.seen[p] = true
	return p, err
}

// RefreshAll implements store.Rescanner.
func (f *Faults) RefreshAll(ctx context.Context) error {
	if all, ok := f.Feed.(store.Rescanner); ok {
		return all.RefreshAll(ctx)
	}
	return nil
}

// Table implements store.Feed.
func (f *Faults) Table(name string, indexes ...string) store.Rows {
	return &faultyRows{f.Feed.Table(name, indexes...), f}
}

func isLease(id string) bool { return strings.HasPrefix(id, "lease:") }

type faultyRows struct {
	store.Rows
	faults *Faults
}

func (r *faultyRows) check(id string) error {
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	if r.faults.frozen && !(r.faults.leased && isLease(id)) {
		return errFrozen
	}
	return nil
}

// lost says that what is put is told to be there and is not.
func (r *faultyRows) lost() bool {
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	return r.faults.frozen && r.faults.leased
}

func (r *faultyRows) hidden(id string) bool {
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	return r.faults.alone && isLease(id)
}

func (r *faultyRows) Put(ctx context.Context, rs ...store.Row) error {
	if r.lost() {
		return nil
	}
	if err := r.check(""); err != nil {
		return err
	}
	return r.Rows.Put(ctx, rs...)
}

func (r *faultyRows) Swap(ctx context.Context, row store.Row, expect uint64) (bool, error) {
	if err := r.check(row.ID); err != nil {
		return false, err
	}
	if r.hidden(row.ID) {
		return r.faults.leases.Swap(ctx, row, expect)
	}
	return r.Rows.Swap(ctx, row, expect)
}

func (r *faultyRows) Get(ctx context.Context, tenant, id string) (store.Row, bool, error) {
	if r.hidden(id) {
		return r.faults.leases.Get(ctx, tenant, id)
	}
	return r.Rows.Get(ctx, tenant, id)
}

func (r *faultyRows) Delete(ctx context.Context, tenant string, ids ...string) error {
	if err := r.check(""); err != nil {
		return err
	}
	return r.Rows.Delete(ctx, tenant, ids...)
}
