package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
)

// Snapshots of what changed are looked at every snapshotEvery: nobody waits for them. One that
// was just written is not written again for snapshotRest, unless it is to be listed under
// other keys, so that an aggregate with many commands in a row costs few. That is well below
// the time after which a relay looks for snapshots that are missing.
const (
	snapshotEvery = 50 * time.Millisecond
	snapshotRest  = time.Second
)

// rest is how long a snapshot rests that was just written, and the keys it is listed under.
type rest struct {
	until time.Time
	keys  map[string][]string
}

// snapshotsAtOnce bounds one write of snapshots.
const snapshotsAtOnce = 500

// writeSnapshots writes the newest state of every aggregate that changed, coalesced, until
// the database closes.
func (c *Collection[S, F]) writeSnapshots() {
	tick := time.NewTicker(snapshotEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.db.ctx.Done():
			return
		case <-tick.C:
			if err := c.write(c.db.ctx, clock.Monotonic()); err != nil && c.db.ctx.Err() == nil {
				c.db.opt.Log.Warn("snapshots are late", "type", c.t.Name, "error", err)
			}
		}
	}
}

// flush writes all that is dirty.
func (c *Collection[S, F]) flush(ctx context.Context) error { return c.write(ctx, time.Time{}) }

// write writes what is dirty and rests no more at a time; all of it when that is zero. What
// cannot be written stays dirty, unless newer by now.
func (c *Collection[S, F]) write(ctx context.Context, now time.Time) error {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	dirty := c.takeDirty(now)
	snaps := make([]*snapDoc, 0, len(dirty))
	for agg, l := range dirty {
		s, err := c.snapshot(agg, l)
		if err != nil {
			c.db.opt.Log.Error("a state has no snapshot", "type", c.t.Name, "error", err)
			continue // the others have
		}
		snaps = append(snaps, s)
	}
	for len(snaps) > 0 {
		n := min(len(snaps), snapshotsAtOnce)
		if err := c.db.engine.save(ctx, c.t.Name, snaps[:n]); err != nil {
			c.keepDirty(dirty, snaps)
			return err
		}
		snaps = snaps[n:]
	}
	return nil
}

// takeDirty takes what write writes.
func (c *Collection[S, F]) takeDirty(now time.Time) map[string]*loaded[S] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.IsZero() {
		dirty := c.dirty
		c.dirty = make(map[string]*loaded[S], len(dirty))
		return dirty
	}
	for agg, r := range c.resting {
		if !now.Before(r.until) {
			delete(c.resting, agg)
		}
	}
	dirty := map[string]*loaded[S]{}
	for agg, l := range c.dirty {
		keys := c.keys(l.state)
		if r, rests := c.resting[agg]; rests && maps.EqualFunc(r.keys, keys, slices.Equal) {
			continue
		}
		dirty[agg] = l
		c.resting[agg] = rest{now.Add(snapshotRest), keys}
		delete(c.dirty, agg)
	}
	return dirty
}

func (c *Collection[S, F]) keepDirty(dirty map[string]*loaded[S], left []*snapDoc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range left {
		if _, newer := c.dirty[s.ID]; !newer {
			c.dirty[s.ID] = dirty[s.ID]
		}
	}
}

// refoldEvery is how often snapshots of an older fold are looked for: replicas of an older
// binary go on writing them until the last one is gone.
const refoldEvery = 30 * time.Second

// refoldSnapshots folds anew what an older fold wrote, so that lists show a changed fold and
// changed index keys without anyone touching the aggregates.
func (c *Collection[S, F]) refoldSnapshots() {
	tick := time.NewTicker(refoldEvery)
	defer tick.Stop()
	for {
		if err := c.refold(c.db.ctx); err != nil && c.db.ctx.Err() == nil {
			c.db.opt.Log.Warn("snapshots of an older fold stay", "type", c.t.Name, "error", err)
		}
		select {
		case <-c.db.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (c *Collection[S, F]) refold(ctx context.Context) error {
	for {
		aggs, err := c.db.engine.outdated(ctx, c.t.Name, c.t.Fold, snapshotsAtOnce)
		if err != nil || len(aggs) == 0 {
			return err
		}
		touched := make([]Touched, len(aggs))
		for i, agg := range aggs {
			touched[i].Tenant, touched[i].ID = splitKey(agg)
		}
		written, err := c.refreshed(ctx, touched)
		if err != nil || written == 0 {
			return err // what is left cannot be read by this binary
		}
	}
}

// refresh writes the snapshots of those touched aggregates that trail the version they
// reached: what a process left undone that died between commit and snapshot.
func (c *Collection[S, F]) refresh(ctx context.Context, touched []Touched) error {
	_, err := c.refreshed(ctx, touched)
	return err
}

// refreshed is refresh; it returns how many snapshots it wrote.
func (c *Collection[S, F]) refreshed(ctx context.Context, touched []Touched) (int, error) {
	want := map[string]uint64{}
	aggs := make([]string, 0, len(touched))
	for _, t := range touched {
		agg := aggKey(t.Tenant, t.ID)
		if _, ok := want[agg]; !ok {
			aggs = append(aggs, agg)
		}
		want[agg] = max(want[agg], t.Version)
	}
	docs, err := c.db.engine.snapshots(ctx, c.t.Name, aggs)
	if err != nil {
		return 0, err
	}
	var late []*snapDoc
	for _, agg := range aggs {
		d := new(snapDoc)
		if doc, ok := docs[agg]; ok {
			if err := unmarshal(doc, d); err != nil {
				return 0, err
			}
		}
		if uint64(d.Version) >= want[agg] && int(d.Fold) >= c.t.Fold {
			continue
		}
		l, err := c.atLeast(ctx, agg, want[agg])
		if errors.Is(err, errUnreadable) { // a newer binary refreshes its own; a broken history has had its alarm
			c.db.opt.Log.Warn("a snapshot stays behind", "aggregate", agg, "error", err)
			continue
		}
		if err != nil {
			return 0, err
		}
		s, err := c.snapshot(agg, l)
		if err != nil {
			c.db.opt.Log.Error("a state has no snapshot", "type", c.t.Name, "error", err)
			continue
		}
		late = append(late, s)
	}
	if len(late) == 0 {
		return 0, nil
	}
	return len(late), c.db.engine.save(ctx, c.t.Name, late)
}

// atLeast is full for an aggregate that the engine's order has told to be at a version. A new
// primary may not know yet what the one before it told: then it is asked again.
func (c *Collection[S, F]) atLeast(ctx context.Context, agg string, version uint64) (*loaded[S], error) {
	l, err := c.full(ctx, agg)
	if err != nil || l.version >= version {
		return l, err
	}
	ctx, over, err := c.db.abreast(ctx)
	if err != nil {
		return nil, err
	}
	defer over()
	if l, err = c.full(ctx, agg); err == nil && l.version < version {
		c.db.opt.Log.Error("commits that were told of are missing", "aggregate", agg, "version", l.version, "told", version)
	}
	return l, err
}
