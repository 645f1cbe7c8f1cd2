package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Whether the database can be written is known from the writes themselves, leases included.
// Where nobody writes, or writes fail, Watch makes one: a process without work must know it
// too, and one that gets no more calls because it cannot write must find out that it can again.
const (
	// failingFor is how long no write has gone through before Ready says so. A fail-over of
	// MongoDB (10 s to notice, 2 s to elect) is over by then: callers try again over it.
	failingFor = 15 * time.Second
	quietFor   = 5 * time.Second // without a write, before Watch makes one
	tryEvery   = time.Second     // while writes fail
	tryTime    = 5 * time.Second
)

// writes is what became of this process's writes.
type writes struct {
	mu      sync.Mutex
	good    time.Time // when the last one went through, or the database was opened
	failing time.Time // when the first one failed since; zero: none has
	why     error     // of the last that failed
}

// saw notes how a write ended. One that met a version which was there, or whose caller went
// away, says nothing of the database.
func (w *writes) saw(err error, now time.Time) {
	if errors.Is(err, errTaken) || errors.Is(err, context.Canceled) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.good, w.failing, w.why = now, time.Time{}, nil
	case w.failing.IsZero():
		w.failing, w.why = now, err
	default:
		w.why = err
	}
}

// state returns for how long all writes have failed, 0 when the last one went through, and
// since when none has been made.
func (w *writes) state(now time.Time) (failing, quiet time.Duration, why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.failing.IsZero() {
		failing = max(now.Sub(w.failing), 1)
	}
	return failing, now.Sub(w.good), w.why
}

// Ready says that commands cannot be stored, once no write of this process has gone through
// for 15 s: what is shorter is for callers to try again over. The next write that goes through
// takes it back. Ready does not wait, and needs Watch to run.
func (db *DB) Ready() error {
	if failing, _, _ := db.writes.state(clock.Monotonic()); failing >= failingFor {
		return fault.New(fault.Unavailable, "STORE_NOT_WRITABLE", "no write has gone through for %s", failingFor)
	}
	return nil
}

// Watch keeps Ready true to what is. It returns when ctx ends, or with the error after which
// nothing can be written until the database is opened again: the process had better end than
// go on.
func (db *DB) Watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var tries sync.WaitGroup
	tries.Go(func() { db.tryWrites(ctx) })
	defer tries.Wait()
	defer cancel()
	select {
	case <-ctx.Done():
		return nil
	case err := <-db.engine.failure():
		return err
	}
}

// tryWrites writes something when nobody else does, and says when that changes whether it can.
func (db *DB) tryWrites(ctx context.Context) {
	tick := time.NewTicker(tryEvery)
	defer tick.Stop()
	failed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if failing, quiet, _ := db.writes.state(clock.Monotonic()); failing > 0 || quiet >= quietFor {
			try, cancel := context.WithTimeout(ctx, tryTime)
			err := db.engine.try(try)
			cancel()
			db.writes.saw(err, clock.Monotonic())
		}
		switch failing, _, why := db.writes.state(clock.Monotonic()); {
		case failing > 0 && !failed:
			db.opt.Log.WarnContext(ctx, "nothing can be written", "error", why)
			failed = true
		case failing == 0 && failed:
			db.opt.Log.InfoContext(ctx, "writes go through again")
			failed = false
		}
	}
}

// watched is an engine whose writes are noted.
type watched struct {
	engine
	writes *writes
}

func (e watched) insert(ctx context.Context, ws []*write) {
	e.engine.insert(ctx, ws)
	err := errTaken
	for _, w := range ws {
		if w.result == nil {
			err = nil
			break
		}
		if !errors.Is(w.result, errTaken) {
			err = w.result
		}
	}
	e.writes.saw(err, clock.Monotonic())
}

func (e watched) save(ctx context.Context, typ string, snaps []*snapDoc) error {
	return e.noted(e.engine.save(ctx, typ, snaps))
}

func (e watched) replace(ctx context.Context, typ string, snap *snapDoc) error {
	return e.noted(e.engine.replace(ctx, typ, snap))
}

func (e watched) table(ctx context.Context, name string, indexes []string) (Rows, error) {
	rows, err := e.engine.table(ctx, name, indexes)
	return watchedRows{rows, e}, err
}

func (e watched) noted(err error) error {
	e.writes.saw(err, clock.Monotonic())
	return err
}

// watchedRows is a table whose writes are noted.
type watchedRows struct {
	Rows
	e watched
}

func (t watchedRows) Put(ctx context.Context, rows ...Row) error {
	if len(rows) == 0 {
		return nil
	}
	return t.e.noted(t.Rows.Put(ctx, rows...))
}

func (t watchedRows) Swap(ctx context.Context, row Row, expect uint64) (bool, error) {
	ok, err := t.Rows.Swap(ctx, row, expect)
	if ok || err != nil { // what met another version has written nothing
		_ = t.e.noted(err)
	}
	return ok, err
}

func (t watchedRows) Delete(ctx context.Context, tenant string, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	return t.e.noted(t.Rows.Delete(ctx, tenant, ids...))
}
