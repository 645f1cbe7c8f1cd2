package app

import (
	"context"
	"errors"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// Bounds of one sweep.
const (
	sweepAtOnce = 200
	sweepDrive  = 5 * time.Second // for one claim
)

// Sweep takes up claims that hang, and gives up those that still fail when their time is
// over. The index only proposes; the return decides. What fails is met again by the next sweep.
func (a *App) Sweep(ctx context.Context, now time.Time) error {
	due, err := a.Returns.Due(ctx, IndexUndecided, store.TimeKey(now.Add(-a.Limits.Attempt)), sweepAtOnce)
	if err != nil {
		return err
	}
	var failed error
	for _, ref := range due {
		ctx := store.WithCause(ctx, store.Cause{Tenant: ref.Tenant, Principal: "service:returns", Correlation: ref.ID})
		failed = errors.Join(failed, a.takeUp(ctx, ref.ID, now))
	}
	return failed
}

// takeUp drives a claim on. Only one that fails is given up, however old: after an outage
// claims are old, and nothing is wrong with them.
func (a *App) takeUp(ctx context.Context, id string, now time.Time) error {
	v, err := a.Returns.Get(ctx, id)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, sweepDrive)
	defer cancel()
	err = a.drive(limited, v.State)
	if err == nil || ctx.Err() != nil || now.Before(v.State.Requested.Add(a.Limits.Limit)) {
		return err
	}
	step := guard.Derived(ctx, store.CauseOf(ctx).Tenant, "give-up:"+id+":1", v.State.Requested)
	_, err = a.change(step, id, domain.Return.GiveUp)
	return err
}
