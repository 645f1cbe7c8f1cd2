package app

import (
	"context"
	"errors"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// expireAtOnce bounds one sweep.
const expireAtOnce = 200

// ExpireTenders ends the tenders whose time to answer has passed. The index only
// proposes; the shipment decides. A tender that could not be ended is met again by the next sweep.
func (a *App) ExpireTenders(clk clock.Clock) func(context.Context) error {
	return func(ctx context.Context) error {
		now := clk.Now()
		due, err := a.Shipments.Due(ctx, IndexDue, store.TimeKey(now), expireAtOnce)
		if err != nil {
			return err
		}
		var failed error
		for _, ref := range due {
			ctx := store.WithCause(ctx, store.Cause{
				Tenant: ref.Tenant, Principal: "service:shipment-visibility", Derived: true, KeyTime: now,
				Key: "due:" + ref.ID + ":" + store.TimeKey(now.Truncate(time.Second)),
			})
			_, err := a.change(ctx, ref.ID, func(s domain.Shipment, now time.Time) ([]domain.Fact, error) { return domain.Expire(s, now) })
			failed = errors.Join(failed, err)
		}
		return failed
	}
}
