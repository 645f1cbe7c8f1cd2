package app

import (
	"context"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// nesting is one attempt of a unit to go into another: what its steps are keyed by.
type nesting struct {
	child, parent  string
	attempt, level int
	at             time.Time
}

func (n nesting) key(step string) string {
	return "nest:" + n.child + ":" + strconv.Itoa(n.attempt) + ":" + step
}

// Nest puts units into another, each by itself under a key of its own. A unit first says where
// it goes, so that no other takes it; then the other takes it or not. Whatever ends in between
// is gone on with by the fact.
func (a *App) Nest(ctx context.Context, parent string, children []string) ([]Result, error) {
	p, err := a.Unit(ctx, parent)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(children))
	index := map[string]int{}
	for i, c := range children {
		index[unitID(ctx, c)] = i
	}
	err = a.each(ctx, keysOf(index), func(ctx context.Context, id string) error {
		i := index[id]
		r, err := a.nest(ctx, p.State, children[i])
		results[i] = Result{r, under("child_ssccs["+strconv.Itoa(i)+"]", err)}
		return nil
	})
	return results, err // the errors are in the results
}

func (a *App) nest(ctx context.Context, parent domain.HandlingUnit, child string) (store.Receipt, error) {
	var asked domain.NestRequested
	r, err := a.onUnit(ctx, child, func(u domain.HandlingUnit, now time.Time) ([]domain.UnitFact, error) {
		facts, err := domain.RequestNest(u, parent, now)
		if err == nil {
			asked = facts[0].(domain.NestRequested)
		}
		return facts, err
	}, func(d *store.Decision[domain.UnitFact]) {
		d.Values = map[string]string{
			"attempt": strconv.Itoa(asked.Attempt), "level": strconv.Itoa(asked.Level), "at": asked.At.Format(time.RFC3339Nano),
		}
	})
	if err != nil {
		return r, err
	}
	n := nesting{child: child, parent: parent.Keys.SSCC}
	if n.attempt, err = strconv.Atoi(r.Values["attempt"]); err != nil {
		return r, err
	}
	if n.level, err = strconv.Atoi(r.Values["level"]); err != nil {
		return r, err
	}
	if n.at, err = time.Parse(time.RFC3339Nano, r.Values["at"]); err != nil {
		return r, err
	}
	r.Values = nil
	return r, a.settleNest(ctx, n)
}

// FollowNest goes on with an attempt of a unit to go into another; that the other did not take
// it is no failure of the fact.
func (a *App) FollowNest(ctx context.Context, f domain.NestRequested) error {
	err := a.settleNest(ctx, nesting{f.SSCC, f.Parent, f.Attempt, f.Level, f.At})
	if fault.IsKind(err, fault.Refused) {
		return nil
	}
	return err
}

// settleNest has the other unit take the one, or frees it; it returns why it was not taken.
func (a *App) settleNest(ctx context.Context, n nesting) error {
	tenant := store.CauseOf(ctx).Tenant
	_, taken := a.onUnit(guard.Derived(ctx, tenant, n.key("take"), n.at), n.parent, func(u domain.HandlingUnit, _ time.Time) ([]domain.UnitFact, error) {
		return domain.TakeChild(u, n.child, n.attempt, n.level)
	})
	refusal, refused := fault.As(taken)
	if !refused || refusal.Kind != fault.Refused {
		return taken
	}
	_, err := a.onUnit(guard.Derived(ctx, tenant, n.key("refuse"), n.at), n.child, func(u domain.HandlingUnit, _ time.Time) ([]domain.UnitFact, error) {
		return domain.RefuseNest(u, n.parent, n.attempt, refusal.Reason), nil
	})
	if err != nil {
		return err
	}
	return taken
}

// Unnest takes a unit out of the one that it is in, which says so first; then the unit is free.
func (a *App) Unnest(ctx context.Context, parent, child string) (store.Receipt, error) {
	var out domain.UnitUnnested
	r, err := a.onUnit(ctx, parent, func(u domain.HandlingUnit, now time.Time) ([]domain.UnitFact, error) {
		facts, err := domain.Unnest(u, child, now)
		if err == nil {
			out = facts[0].(domain.UnitUnnested)
		}
		return facts, err
	}, func(d *store.Decision[domain.UnitFact]) {
		d.Values = map[string]string{"attempt": strconv.Itoa(out.Attempt), "at": out.At.Format(time.RFC3339Nano)}
	})
	if err != nil {
		return r, err
	}
	n := nesting{child: child, parent: parent}
	if n.attempt, err = strconv.Atoi(r.Values["attempt"]); err != nil {
		return r, err
	}
	if n.at, err = time.Parse(time.RFC3339Nano, r.Values["at"]); err != nil {
		return r, err
	}
	r.Values = nil
	return r, a.free(ctx, n)
}

// FollowUnnest frees a unit that was taken out of another.
func (a *App) FollowUnnest(ctx context.Context, f domain.UnitUnnested) error {
	return a.free(ctx, nesting{child: f.Child, parent: f.SSCC, attempt: f.Attempt, at: f.At})
}

func (a *App) free(ctx context.Context, n nesting) error {
	_, err := a.onUnit(guard.Derived(ctx, store.CauseOf(ctx).Tenant, n.key("free"), n.at), n.child, func(u domain.HandlingUnit, _ time.Time) ([]domain.UnitFact, error) {
		return domain.Free(u, n.parent, n.attempt), nil
	})
	return err
}
