package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// Dispatch records that the shipment left; the time of the source's report counts, else now.
func (a *App) Dispatch(ctx context.Context, id string, refs domain.Refs, carrier string) (store.Receipt, error) {
	at := store.CauseOf(ctx).Source.EventTime
	return a.change(ctx, id, everything, func(s domain.Shipment, now time.Time) ([]domain.Fact, error) {
		return domain.Dispatch(s, refs, carrier, at, now)
	})
}

// Record keeps milestones.
func (a *App) Record(ctx context.Context, id string, ms []domain.Milestone) (store.Receipt, error) {
	may, err := a.scope(ctx)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.change(ctx, id, may.carried(), func(s domain.Shipment, now time.Time) ([]domain.Fact, error) {
		told := make([]domain.Milestone, len(ms))
		for i, m := range ms {
			m.Recorded = now
			told[i] = m
		}
		return domain.Record(s, told)
	})
}

// Confirm records a proof of delivery.
func (a *App) Confirm(ctx context.Context, id string, p domain.Proof) (store.Receipt, error) {
	may, err := a.scope(ctx)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.change(ctx, id, may.carried(), func(s domain.Shipment, _ time.Time) ([]domain.Fact, error) { return domain.Confirm(s, p) })
}
