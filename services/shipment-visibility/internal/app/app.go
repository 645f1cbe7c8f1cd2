// Package app holds the use cases of shipment visibility: each loads one shipment,
// lets the domain decide and commits what it decided.
package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// Shipments is where shipments are kept.
type Shipments = store.Aggregates[domain.Shipment, domain.Fact]

// Indexes under which shipments are listed.
const (
	IndexState     = "state"
	IndexOrder     = "order"
	IndexNumber    = "number"
	IndexReference = "reference"
	IndexDue       = "due"
)

// App is the use cases.
type App struct{ Shipments Shipments }

// ShipmentID derives the id of the shipment of a warehouse order.
func ShipmentID(tenant, warehouseOrder string) string {
	return ident.Derive("shp", tenant, warehouseOrder)
}

// decide is what a use case asks of the domain.
type decide func(s domain.Shipment, now time.Time) ([]domain.Fact, error)

// change runs d on a shipment that must exist.
func (a *App) change(ctx context.Context, id string, d decide) (store.Receipt, error) {
	return a.Shipments.Update(ctx, id, func(c store.Current[domain.Shipment]) (store.Decision[domain.Fact], error) {
		if c.Version == 0 {
			return store.Decision[domain.Fact]{}, NotFound(id)
		}
		return outcome(c, d)
	})
}

func outcome(c store.Current[domain.Shipment], d decide) (store.Decision[domain.Fact], error) {
	facts, err := d(c.State, c.Now)
	if err != nil {
		return store.Decision[domain.Fact]{}, err
	}
	next := domain.Apply(c.State, facts...)
	out := store.Decision[domain.Fact]{Facts: facts, State: string(next.State())}
	if next.NotIssued {
		out.Reasons = []store.Reason{{Code: "DISPATCHED_NOT_ISSUED", Message: "the shipment left before a goods issue was known"}}
	}
	return out, nil
}

// NotFound is the answer for a shipment that is unknown or another tenant's.
func NotFound(id string) error {
	return fault.New(fault.NotFound, "SHIPMENT_NOT_FOUND", "no shipment %s", id)
}

// Plan starts the shipment of a warehouse order.
func (a *App) Plan(ctx context.Context, p domain.ShipmentPlanned) error {
	p.Shipment = ShipmentID(store.CauseOf(ctx).Tenant, p.Order.WarehouseOrder)
	_, err := a.Shipments.Update(ctx, p.Shipment, func(c store.Current[domain.Shipment]) (store.Decision[domain.Fact], error) {
		return outcome(c, func(s domain.Shipment, _ time.Time) ([]domain.Fact, error) { return domain.Plan(s, p) })
	})
	return err
}

// Issue records the goods issue of a warehouse order on its shipment.
func (a *App) Issue(ctx context.Context, warehouseOrder string, r domain.ShipmentReady) error {
	return a.follow(ctx, warehouseOrder, func(s domain.Shipment, _ time.Time) ([]domain.Fact, error) { return domain.Issue(s, r) })
}

// Cancel calls the shipment of a cancelled warehouse order off.
func (a *App) Cancel(ctx context.Context, warehouseOrder, reason string) error {
	return a.follow(ctx, warehouseOrder, func(s domain.Shipment, _ time.Time) ([]domain.Fact, error) { return domain.Cancel(s, reason) })
}

// follow applies a fact of the warehouse order. The fact that plans the shipment comes
// first on the same lane, so a shipment that is missing is only late: the fact waits.
func (a *App) follow(ctx context.Context, warehouseOrder string, d decide) error {
	id := ShipmentID(store.CauseOf(ctx).Tenant, warehouseOrder)
	_, err := a.change(ctx, id, d)
	if fault.IsKind(err, fault.NotFound) {
		return fault.New(fault.Unavailable, "SHIPMENT_NOT_PLANNED_YET", "shipment of %s is not planned yet", warehouseOrder)
	}
	return err
}

// Tender offers the shipment to a carrier.
func (a *App) Tender(ctx context.Context, id, carrier, service string, respondBy time.Time) (store.Receipt, error) {
	return a.change(ctx, id, func(s domain.Shipment, now time.Time) ([]domain.Fact, error) {
		return domain.OfferTo(s, carrier, service, respondBy, now)
	})
}

// Respond records the carrier's answer.
func (a *App) Respond(ctx context.Context, id, carrier string, accept bool, reason string) (store.Receipt, error) {
	return a.change(ctx, id, func(s domain.Shipment, now time.Time) ([]domain.Fact, error) {
		return domain.Respond(s, carrier, accept, reason, now)
	})
}

// Dispatch records that the shipment left; the time of the source's report counts, else now.
func (a *App) Dispatch(ctx context.Context, id string, refs domain.Refs, carrier string) (store.Receipt, error) {
	at := store.CauseOf(ctx).Source.EventTime
	return a.change(ctx, id, func(s domain.Shipment, now time.Time) ([]domain.Fact, error) {
		if at.IsZero() {
			return domain.Dispatch(s, refs, carrier, now)
		}
		return domain.Dispatch(s, refs, carrier, at)
	})
}

// Record keeps milestones.
func (a *App) Record(ctx context.Context, id string, ms []domain.Milestone) (store.Receipt, error) {
	return a.change(ctx, id, func(s domain.Shipment, now time.Time) ([]domain.Fact, error) {
		for i := range ms {
			ms[i].Recorded = now
		}
		return domain.Record(s, ms)
	})
}

// Confirm records a proof of delivery.
func (a *App) Confirm(ctx context.Context, id string, p domain.ProofOfDeliveryRecorded) (store.Receipt, error) {
	return a.change(ctx, id, func(s domain.Shipment, _ time.Time) ([]domain.Fact, error) { return domain.Confirm(s, p) })
}

// Close ends the shipment.
func (a *App) Close(ctx context.Context, id string) (store.Receipt, error) {
	return a.change(ctx, id, func(s domain.Shipment, _ time.Time) ([]domain.Fact, error) { return domain.Close(s) })
}

// Get returns one shipment.
func (a *App) Get(ctx context.Context, id string) (store.View[domain.Shipment], error) {
	v, err := a.Shipments.Get(ctx, id)
	if fault.IsKind(err, fault.NotFound) {
		return v, NotFound(id)
	}
	return v, err
}
