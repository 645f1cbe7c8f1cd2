package app

import (
	"context"
	"errors"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// Indexes of changes.
const (
	IndexState = "state"
	IndexDue   = "due"
)

// sweepAtOnce bounds the changes of one sweep.
const sweepAtOnce = 200

// Changes is the registry of proposed changes, and what they change.
type Changes struct {
	*Registry[domain.Change]
	Items     *Registry[domain.Item]
	Parties   *Registry[domain.Party]
	Locations Locations
	Carriers  *Registry[domain.Carrier]
	Documents Documents
}

// Propose puts a change up for a decision. The receipt warns of open documents that it may break.
func (r Changes) Propose(ctx context.Context, change domain.Change) (store.Receipt, error) {
	by := guard.Author(ctx)
	breaking, err := r.Preview(ctx, change)
	if err != nil {
		return store.Receipt{}, err
	}
	return r.decide(ctx, change.Code, breaking.Open.warnings(breaking.field()), func(c store.Current[domain.Record[domain.Change]]) (domain.Change, error) {
		return change.Propose(c.State, by, c.Now)
	})
}

// Approve approves a change; one that may break open documents only if they are allowed.
func (r Changes) Approve(ctx context.Context, code string, allow bool) (store.Receipt, error) {
	by := guard.Author(ctx)
	record, err := r.Find(ctx, code)
	if err != nil {
		return store.Receipt{}, err
	}
	breaking, err := r.Preview(ctx, record.Value)
	if err != nil {
		return store.Receipt{}, err
	}
	return r.decide(ctx, code, breaking.Open.warnings(breaking.field()), func(c store.Current[domain.Record[domain.Change]]) (domain.Change, error) {
		next, err := there(c).Approve(by, c.Now)
		if err == nil && !allow && next.State != there(c).State {
			err = breaking.Open.refused()
		}
		return next, err
	})
}

// Reject rejects a change.
func (r Changes) Reject(ctx context.Context, code, reason string) (store.Receipt, error) {
	by := guard.Author(ctx)
	return r.decide(ctx, code, nil, func(c store.Current[domain.Record[domain.Change]]) (domain.Change, error) {
		return there(c).Reject(by, reason, c.Now)
	})
}

func there(c store.Current[domain.Record[domain.Change]]) domain.Change { return c.State.Value }

// decide takes a step of a change's life; the receipt's state is the change's, and it has the warnings.
func (r Changes) decide(ctx context.Context, code string, warnings []store.Reason, step func(store.Current[domain.Record[domain.Change]]) (domain.Change, error)) (store.Receipt, error) {
	return r.records.Update(ctx, r.ID(ctx, code), func(c store.Current[domain.Record[domain.Change]]) (store.Decision[domain.Fact[domain.Change]], error) {
		next, err := step(c)
		if err != nil {
			return store.Decision[domain.Fact[domain.Change]]{}, err
		}
		facts, err := domain.Put(c.ID, c.State, next)
		return store.Decision[domain.Fact[domain.Change]]{Facts: facts, State: string(next.State), Reasons: warnings}, err
	})
}

// Sweep lets approved changes take effect whose time has come. The index only proposes, the
// change decides; what fails for the time being is met again by the next sweep.
func (r Changes) Sweep(ctx context.Context, now time.Time) error {
	due, err := r.records.Due(ctx, IndexDue, store.TimeKey(now), sweepAtOnce)
	if err != nil {
		return err
	}
	var failed error
	for _, ref := range due {
		ctx := store.WithCause(ctx, store.Cause{Tenant: ref.Tenant, Principal: "service:master-data", Correlation: ref.ID})
		failed = errors.Join(failed, r.apply(ctx, ref.ID, now))
	}
	return failed
}

func (r Changes) apply(ctx context.Context, id string, now time.Time) error {
	view, err := r.records.Get(ctx, id)
	if err != nil {
		return err
	}
	change := view.State.Value
	due, ok := change.Due()
	if !ok || now.Before(due) {
		return nil
	}
	tenant := store.CauseOf(ctx).Tenant
	reason := ""
	if err := r.put(guard.Derived(ctx, tenant, "change:"+id+":put", change.Decided), change); err != nil {
		f, isFault := fault.As(err)
		if !isFault || fault.Transient(err) || f.Kind == fault.Internal {
			return err
		}
		reason = f.Reason + ": " + f.Message
	}
	_, err = r.decide(guard.Derived(ctx, tenant, "change:"+id+":done", change.Decided), change.Code, nil, func(c store.Current[domain.Record[domain.Change]]) (domain.Change, error) {
		return there(c).Done(reason, c.Now), nil
	})
	return err
}

// put puts what a change is about, as the tenant's own word.
func (r Changes) put(ctx context.Context, c domain.Change) (err error) {
	switch {
	case c.Item != nil:
		_, err = r.Items.Put(ctx, *c.Item)
	case c.Party != nil:
		_, err = r.Parties.Put(ctx, *c.Party)
	case c.Location != nil:
		_, err = r.Locations.Put(ctx, *c.Location)
	case c.Carrier != nil:
		_, err = r.Carriers.Put(ctx, *c.Carrier)
	}
	return err
}

// Version is a record as it was from one commit on.
type Version[V domain.Value] struct {
	Record   domain.Record[V]
	Number   uint64
	Recorded time.Time
	Cause    store.Cause
}

// Versions returns the versions of a record after one, the oldest first, of up to limit commits,
// and the version after which there are more; 0 when there are none. A commit of refusals alone
// has no version to show.
func (r *Registry[V]) Versions(ctx context.Context, code string, after uint64, limit int) (all []Version[V], next uint64, err error) {
	commits, err := r.records.History(ctx, r.ID(ctx, code), after, limit+1)
	if err != nil {
		return nil, 0, err
	}
	last, versions := after, 0
	for _, c := range commits {
		if c.Version != last {
			if versions == limit {
				return all, last, nil
			}
			last, versions = c.Version, versions+1
		}
		for _, f := range c.Facts {
			v := Version[V]{domain.Evolve(domain.Record[V]{}, f), c.Version, c.Recorded, c.Cause}
			v.Cause.Principal = c.Principal
			all = append(all, v)
		}
	}
	return all, 0, nil
}
