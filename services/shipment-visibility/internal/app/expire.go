package app

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// expireAtOnce bounds one sweep.
const expireAtOnce = 200

// ExpireTenders ends the tenders whose time to answer has passed. The index only proposes;
// the shipment decides. A tender that could not be ended is met again by the next sweep.
func (a *App) ExpireTenders(ctx context.Context, now time.Time) error {
	due, err := a.Shipments.Due(ctx, IndexDue, store.TimeKey(now), expireAtOnce)
	if err != nil {
		return err
	}
	var failed error
	for _, ref := range due {
		ctx := store.WithCause(ctx, store.Cause{Tenant: ref.Tenant, Principal: "service:shipment-visibility", Correlation: ref.ID})
		if err := a.expire(ctx, ref.ID); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func (a *App) expire(ctx context.Context, id string) error {
	v, err := a.Shipments.Get(ctx, id)
	if err != nil {
		return err
	}
	t, ok := v.State.Tender()
	if !ok || t.State != domain.Offered {
		return nil // the index trails
	}
	key := "expire:" + id + ":" + strconv.Itoa(t.Number)
	_, err = a.change(guard.Derived(ctx, store.CauseOf(ctx).Tenant, key, t.RespondBy), id, everything, func(s domain.Shipment, now time.Time) ([]domain.Fact, error) {
		if due := s.Due(); !due.IsZero() && !now.After(due) {
			return nil, fault.New(fault.Unavailable, "NOT_DUE", "due at %s only", due) // no receipt, or it would never be due
		}
		return domain.Expire(s, now)
	})
	return err
}
