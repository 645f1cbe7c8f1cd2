package store

import (
	"context"
	"time"
)

// snapshotEvery is how often snapshots of what changed are written: nobody waits for them.
const snapshotEvery = 50 * time.Millisecond

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
			if err := c.flush(c.db.ctx); err != nil && c.db.ctx.Err() == nil {
				c.db.opt.Log.Warn("snapshots are late", "type", c.t.Name, "error", err)
			}
		}
	}
}

// flush writes what is dirty. What cannot be written stays dirty, unless newer by now.
func (c *Collection[S, F]) flush(ctx context.Context) error {
	c.mu.Lock()
	dirty := c.dirty
	c.dirty = make(map[string]*loaded[S], len(dirty))
	c.mu.Unlock()
	var snaps []*snapDoc
	for agg, l := range dirty {
		s, err := c.snapshot(agg, l)
		if err != nil {
			return err
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

func (c *Collection[S, F]) keepDirty(dirty map[string]*loaded[S], left []*snapDoc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range left {
		if _, newer := c.dirty[s.ID]; !newer {
			c.dirty[s.ID] = dirty[s.ID]
		}
	}
}

// refresh writes the snapshots of those touched aggregates that trail the version they
// reached: what a process left undone that died between commit and snapshot.
func (c *Collection[S, F]) refresh(ctx context.Context, touched []Touched) error {
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
		return err
	}
	var late []*snapDoc
	for _, agg := range aggs {
		d := new(snapDoc)
		if doc, ok := docs[agg]; ok {
			if err := unmarshal(doc, d); err != nil {
				return err
			}
		}
		if uint64(d.Version) >= want[agg] {
			continue
		}
		l, err := c.full(ctx, agg)
		if err != nil {
			return err
		}
		s, err := c.snapshot(agg, l)
		if err != nil {
			return err
		}
		late = append(late, s)
	}
	if len(late) == 0 {
		return nil
	}
	return c.db.engine.save(ctx, c.t.Name, late)
}
