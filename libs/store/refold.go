package store

import (
	"context"
	"errors"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Ledger holds what is served and stored of an aggregate against its commits, which are the
// truth; *Collection implements it. The tenant comes from the context.
type Ledger[S any] interface {
	// Audit folds an aggregate from its first commit, looking at no snapshot and no base, and
	// returns what is served and what is stored beside it, each at its own version. fault.NotFound
	// when there is no such aggregate, fault.Internal when the commits do not follow one another.
	Audit(ctx context.Context, id string) (Audit[S], error)
	// Mend puts what the commits say in the place of the copy that this process serves and of
	// the stored snapshot, whatever these hold, unless a newer one is stored meanwhile. It
	// writes no commit. Commands that are under way may go on from the old copy: audit again.
	Mend(ctx context.Context, id string) (View[S], error)
	// Drop forgets the copy that this process serves: the next read takes the stored snapshot.
	Drop(ctx context.Context, id string)
}

// Audit is an aggregate as it is and as its commits make it.
type Audit[S any] struct {
	Version uint64 // newest
	Served  Compared[S]
	Stored  Compared[S]
}

// Compared is one copy of an aggregate; Found is false where there is none, or one of an older
// fold, which nobody serves.
type Compared[S any] struct {
	Found     bool
	Version   uint64
	Is, Ought S
}

var _ Ledger[int] = (*Collection[int, int])(nil)

// Audit implements Ledger.
func (c *Collection[S, F]) Audit(ctx context.Context, id string) (Audit[S], error) {
	var a Audit[S]
	v, err := c.Get(ctx, id)
	if err != nil {
		return a, err
	}
	a.Served = Compared[S]{Found: true, Version: v.Version, Is: v.State}
	agg, err := c.key(ctx, id)
	if err != nil {
		return a, err
	}
	docs, err := c.db.engine.snapshots(ctx, c.t.Name, []string{agg})
	if err != nil {
		return a, unavailable(err)
	}
	if doc, ok := docs[agg]; ok {
		l, err := c.fromSnapshot(doc)
		if err != nil {
			return a, unavailable(err)
		}
		a.Stored = Compared[S]{Found: l.version > 0, Version: l.version, Is: l.state}
	}
	l, err := c.refolded(ctx, agg, func(l *loaded[S]) {
		for _, copied := range []*Compared[S]{&a.Served, &a.Stored} {
			if copied.Version == l.version {
				copied.Ought = l.state
			}
		}
	})
	if err != nil {
		return a, unavailable(err)
	}
	a.Version = l.version
	return a, nil
}

// Mend implements Ledger.
func (c *Collection[S, F]) Mend(ctx context.Context, id string) (View[S], error) {
	agg, err := c.key(ctx, id)
	if errors.Is(err, errNoSuch) {
		return View[S]{}, fault.New(fault.NotFound, "NOT_FOUND", "no %s %s", c.t.Name, id)
	}
	if err != nil {
		return View[S]{}, err
	}
	l, err := c.refolded(ctx, agg, func(*loaded[S]) {})
	if err != nil {
		return View[S]{}, unavailable(err)
	}
	if l.version == 0 {
		return View[S]{}, fault.New(fault.NotFound, "NOT_FOUND", "no %s %s", c.t.Name, id)
	}
	snap, err := c.snapshot(agg, l)
	if err != nil {
		return View[S]{}, err
	}
	c.flushing.Lock() // no older state is on its way to the database meanwhile
	defer c.flushing.Unlock()
	c.forget(agg)
	if err := c.db.engine.replace(ctx, c.t.Name, snap); err != nil {
		return View[S]{}, unavailable(err)
	}
	c.forget(agg) // what was loaded before the snapshot was replaced
	c.hold(agg, l)
	return c.view(agg, l), nil
}

// Drop implements Ledger.
func (c *Collection[S, F]) Drop(ctx context.Context, id string) {
	if agg, err := c.key(ctx, id); err == nil {
		c.forget(agg)
	}
}

// forget drops the copy of an aggregate, written to a snapshot or not: its commits have it.
func (c *Collection[S, F]) forget(agg string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cache.Remove(agg)
	delete(c.dirty, agg)
	delete(c.resting, agg)
}

// refolded folds every commit of an aggregate from the first and shows the state after each.
func (c *Collection[S, F]) refolded(ctx context.Context, agg string, show func(*loaded[S])) (*loaded[S], error) {
	for l := new(loaded[S]); ; {
		docs, err := c.db.engine.commits(ctx, agg, l.version+1, foldAtOnce)
		if err != nil {
			return nil, err
		}
		for _, doc := range docs {
			if l, err = c.fold(l, doc); err != nil {
				return nil, err
			}
			show(l)
		}
		if len(docs) < foldAtOnce {
			return l, nil
		}
	}
}
