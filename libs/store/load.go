package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Past is an aggregate's whole history: what a migration brings, or a benchmark needs to
// stand on.
type Past[F any] struct {
	ID    string
	Steps []Step[F] // at least one
}

// Step is one command of the past.
type Step[F any] struct {
	// Cause is why it ran. Its key is that of the receipt: a client's, under which the caller's
	// repeat is answered, or a derived one, whose KeyTime may be left to Recorded. Tenant,
	// IfMatch, Validate and Anew are not looked at.
	Cause       Cause
	Recorded    time.Time    // when; not before the step before it
	Decision[F]              // at most 256 KiB of facts; the first step has some
	Refusal     *fault.Error // instead of a decision
	Joined      bool         // committed together with the step before it, at that one's time
}

// loadAtOnce is how many aggregates are loaded side by side.
const loadAtOnce = 1000

// Load appends whole histories of the context's tenant, in bulk, with their receipts and
// snapshots: what it stores is what the commands would have left. Version n of every aggregate
// is durable before version n+1 is sent, so an end half-way leaves each a valid beginning, and
// the same Load again goes on from there. It returns fault.Conflict, with the others loaded or
// not, when an aggregate has another past than the one given; fault.Invalid when an id or step
// cannot be; fault.Unavailable when the outcome is unknown. Relays publish what is loaded like
// everything else, but for what lies before DB.BeginHere.
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
	agg     string
	commits [][]Step[F]
	at      *loaded[S]
	next    *loaded[S] // after the commit under way
}

func (c *Collection[S, F]) loadSome(ctx context.Context, tenant string, pasts []Past[F]) error {
	all := make([]*loading[S, F], len(pasts))
	most := 0
	for i, p := range pasts {
		all[i] = &loading[S, F]{agg: aggKey(tenant, p.ID), commits: commitsOf(p.Steps), at: new(loaded[S])}
		most = max(most, len(all[i].commits))
	}
	for n := range most {
		if err := c.loadNext(ctx, all, n); err != nil {
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

// commitsOf splits steps into commits.
func commitsOf[F any](steps []Step[F]) [][]Step[F] {
	var out [][]Step[F]
	for i, s := range steps {
		if i == 0 || !s.Joined {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], s)
	}
	return out
}

// loadNext makes commit n of every aggregate that has it.
func (c *Collection[S, F]) loadNext(ctx context.Context, all []*loading[S, F], n int) error {
	var ws []*write
	var of []*loading[S, F]
	for _, l := range all {
		if n >= len(l.commits) {
			continue
		}
		w, err := c.prepare(l, n)
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

// prepare makes commit n.
func (c *Collection[S, F]) prepare(l *loading[S, F], n int) (*write, error) {
	invalid := func(why string) error {
		return fault.New(fault.Invalid, "PAST_INVALID", "commit %d of %s %s", n+1, l.agg, why)
	}
	steps := l.commits[n]
	at := micros(steps[0].Recorded)
	switch {
	case steps[0].Recorded.IsZero() || n > 0 && at < l.at.updated:
		return nil, invalid("has no time or an earlier one than the commit before")
	case len(steps) > maxCommands:
		return nil, invalid("has too many steps")
	}
	tenant, id := splitKey(l.agg)
	m := c.begin(l.agg, l.at, at)
	for _, s := range steps {
		if s.Cause.Key == "" || s.Refusal != nil && len(s.Facts) > 0 {
			return nil, invalid("has a step without a key, or a refusal with facts")
		}
		if err := c.append(m, s.Facts, s.receipt(tenant, id)); errors.Is(err, errFull) {
			return nil, invalid("has too many facts")
		} else if err != nil {
			return nil, err
		}
	}
	if n == 0 && len(m.doc.Facts) == 0 {
		return nil, invalid("has no facts to begin with")
	}
	w, err := c.seal(m)
	if err != nil {
		return nil, err
	}
	if n < len(l.commits)-1 {
		w.snap = nil // the last one's is enough
	}
	l.next = m.next
	return w, nil
}

// receipt is what the step left behind.
func (s Step[F]) receipt(tenant, id string) *receiptDoc {
	cause := s.Cause
	cause.Tenant = tenant
	if cause.Derived && cause.KeyTime.IsZero() {
		cause.KeyTime = s.Recorded
	}
	d := receiptOf(&request[struct{}, F]{cause: cause, scope: cause.scope()})
	if s.Refusal != nil {
		d.Refusal = refusalOf(s.Refusal)
	} else { // its tag is known once the commit is whole
		d.Answer = &Receipt{ID: id, State: s.State, Reasons: s.Reasons, Created: s.Created, Values: s.Values}
	}
	return d
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
