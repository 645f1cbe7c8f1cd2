package store

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Past is an aggregate's whole history for Load: what a migration brings, or a benchmark
// needs to stand on.
type Past[F any] struct {
	ID    string
	Steps []Step[F] // at least one
}

// Step is one command of the past, which becomes one commit.
type Step[F any] struct {
	Key      string    // derived key: the step takes effect once under it; unique in its aggregate
	Recorded time.Time // when; not before the step before it
	Facts    []F       // at most 256 KiB
	State    string    // for the receipt
	Source   Cause     // Principal, Correlation, Causation, Source and TraceParent are kept
}

// loadAtOnce is how many aggregates are loaded side by side.
const loadAtOnce = 1000

// Load appends whole histories of the context's tenant, in bulk, with their receipts and
// snapshots. Version n of every aggregate is durable before version n+1 is sent, so an end
// half-way leaves each a valid beginning, and the same Load again goes on from there. It
// returns fault.Conflict, with the others loaded or not, when an aggregate has another past
// than the one given; fault.Invalid when an id or step cannot be; fault.Unavailable when the
// outcome is unknown. Relays publish what is loaded like everything else.
func (c *Collection[S, F]) Load(ctx context.Context, pasts []Past[F]) error {
	if c.db.isClosed.Load() {
		return fault.New(fault.Unavailable, "STORE_CLOSED", "the store is closed")
	}
	tenant := CauseOf(ctx).Tenant
	ids := make(map[string]bool, len(pasts))
	for _, p := range pasts {
		if !validName(tenant) || !validName(p.ID) || len(p.Steps) == 0 || ids[p.ID] {
			return fault.New(fault.Invalid, "PAST_INVALID", "%q of tenant %q cannot be loaded: bad id, given twice, or no steps", p.ID, tenant)
		}
		ids[p.ID] = true
	}
	for len(pasts) > 0 {
		n := min(len(pasts), loadAtOnce)
		if err := c.loadSome(ctx, tenant, pasts[:n]); err != nil {
			return err
		}
		pasts = pasts[n:]
	}
	return nil
}

// loading is one aggregate on its way.
type loading[S, F any] struct {
	agg   string
	steps []Step[F]
	at    *loaded[S]
	next  *loaded[S] // after the commit under way
}

func (c *Collection[S, F]) loadSome(ctx context.Context, tenant string, pasts []Past[F]) error {
	all := make([]*loading[S, F], len(pasts))
	most := 0
	for i, p := range pasts {
		all[i] = &loading[S, F]{agg: aggKey(tenant, p.ID), steps: p.Steps, at: new(loaded[S])}
		most = max(most, len(p.Steps))
	}
	for step := range most {
		if err := c.loadStep(ctx, all, step); err != nil {
			return err
		}
	}
	if c.db.engine.together() {
		return nil
	}
	for len(all) > 0 {
		n := min(len(all), snapshotsAtOnce)
		snaps := make([]*snapDoc, n)
		for i, l := range all[:n] {
			var err error
			if snaps[i], err = c.snapshot(l.agg, l.at); err != nil {
				return err
			}
		}
		if err := c.db.engine.save(ctx, c.t.Name, snaps); err != nil {
			return unavailable(err)
		}
		all = all[n:]
	}
	return nil
}

// loadStep commits one step of every aggregate that has it.
func (c *Collection[S, F]) loadStep(ctx context.Context, all []*loading[S, F], step int) error {
	var ws []*write
	var of []*loading[S, F]
	for _, l := range all {
		if step >= len(l.steps) {
			continue
		}
		w, err := c.prepare(l, step)
		if err != nil {
			return err
		}
		ws, of = append(ws, w), append(of, l)
	}
	c.db.engine.insert(ctx, ws)
	for i, w := range ws {
		switch l := of[i]; {
		case w.result == nil:
			l.at = l.next
			c.cache.Remove(l.agg) // what was read of it half-way
		case w.result == errTaken: //nolint:errorlint // set by the engine, never wrapped
			if err := c.adopt(ctx, l, w); err != nil {
				return err
			}
		default:
			return fault.New(fault.Unavailable, "OUTCOME_UNKNOWN", "the commits were not acknowledged").Wrap(w.result)
		}
	}
	return nil
}

// prepare makes the commit of a step.
func (c *Collection[S, F]) prepare(l *loading[S, F], step int) (*write, error) {
	s := l.steps[step]
	at := micros(s.Recorded)
	if s.Key == "" || s.Recorded.IsZero() || at < l.at.updated && step > 0 {
		return nil, fault.New(fault.Invalid, "PAST_INVALID", "step %d of %s has no key or an earlier time than the step before", step+1, l.agg)
	}
	tenant, id := splitKey(l.agg)
	cause := s.Source
	cause.Tenant, cause.Key, cause.Derived, cause.KeyTime, cause.Fingerprint = tenant, s.Key, true, s.Recorded, nil
	stored := receiptOf(&request[S, F]{cause: cause, scope: cause.scope()})
	stored.Answer = &Receipt{ID: id, ETag: etag(uint64(step) + 1), State: s.State}
	m := c.begin(l.agg, l.at, at)
	if err := c.append(m, s.Facts, stored); err != nil {
		return nil, err
	}
	w, err := c.seal(m)
	if err != nil {
		return nil, err
	}
	if step < len(l.steps)-1 {
		w.snap = nil // the last one's is enough
	}
	l.next = m.next
	return w, nil
}

// adopt goes on after a commit that an earlier Load left, if it is the same.
func (c *Collection[S, F]) adopt(ctx context.Context, l *loading[S, F], w *write) error {
	docs, err := c.db.engine.commits(ctx, l.agg, uint64(w.doc.Version), 1)
	if err != nil {
		return unavailable(err)
	}
	mine, err := readCommit(w.bytes)
	if err != nil {
		return err
	}
	if len(docs) == 1 {
		stored, err := readCommit(docs[0])
		if err != nil {
			return err
		}
		stored.Base, mine.Base = nil, nil // as good as what it packs
		if reflect.DeepEqual(stored, mine) {
			l.at = l.next
			l.at.parent = chain(docs[0])
			if w.snap != nil { // the last step: its snapshot may be what is missing
				w.snap.Parent = l.at.parent
				return c.db.engine.save(ctx, c.t.Name, []*snapDoc{w.snap})
			}
			return nil
		}
	}
	return fault.New(fault.Conflict, "PAST_DIFFERS", "%s has another past at version %d", l.agg, w.doc.Version).
		With("version", fmt.Sprint(w.doc.Version))
}
