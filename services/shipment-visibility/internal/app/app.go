// Package app holds the use cases of shipment visibility: each loads one shipment,
// lets the domain decide and commits what it decided.
package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// Indexes under which shipments are listed.
const (
	IndexState     = "state"
	IndexOrder     = "order"
	IndexNumber    = "number"
	IndexReference = "reference"
	IndexCarrier   = "carrier" // who was offered it or took it
	IndexDue       = "due"
)

// App is the use cases.
type App struct {
	Shipments Shipments
	Carriers  Carriers
	Owners    *owners.Owners // who may give which command
	Policy    domain.Policy  // of shipments whose warehouse order does not say how its release counts as shipped
}

// ShipmentID derives the id of the shipment of a warehouse order.
func ShipmentID(tenant, warehouseOrder string) string {
	return ident.Derive("shp", tenant, warehouseOrder)
}

// decide is what a use case asks of the domain.
type decide func(s domain.Shipment, now time.Time) ([]domain.Fact, error)

// change runs d on a shipment that must exist and be visible to the caller.
func (a *App) change(ctx context.Context, id string, may scope, d decide) (store.Receipt, error) {
	v, err := a.Owners.Judge(ctx, "SHIPMENT")
	if err != nil {
		return store.Receipt{}, err
	}
	return a.Shipments.Update(ctx, id, func(c store.Current[domain.Shipment]) (store.Decision[domain.Fact], error) {
		if c.Version == 0 || !may.see(c.State) {
			return store.Decision[domain.Fact]{}, notFound(id)
		}
		out, err := outcome(c, func(s domain.Shipment, now time.Time) ([]domain.Fact, error) {
			return authority.Take(v, now, s.Heard, func() ([]domain.Fact, error) { return d(s, now) }, s.Hear)
		})
		if !v.Counts() {
			out.Reasons = []store.Reason{{Code: authority.NotOwned, Message: v.Text()}}
		}
		return out, err
	})
}

// Bounds of a receipt.
const maxReasons = 10

func outcome(c store.Current[domain.Shipment], d decide) (store.Decision[domain.Fact], error) {
	facts, err := d(c.State, c.Now)
	if err != nil {
		return store.Decision[domain.Fact]{}, err
	}
	next := domain.Apply(c.State, facts...)
	out := store.Decision[domain.Fact]{Facts: facts, State: string(next.State())}
	contradictions := next.Contradictions()
	for _, r := range contradictions[:min(len(contradictions), maxReasons)] {
		out.Reasons = append(out.Reasons, store.Reason{Code: r.Code, Field: r.Field, Message: r.Message})
	}
	return out, nil
}

// notFound is the answer for a shipment that is unknown, another tenant's or another carrier's.
func notFound(id string) error {
	return fault.New(fault.NotFound, "NOT_FOUND", "no shipment %s", id)
}

// Plan starts the shipment of a warehouse order.
func (a *App) Plan(ctx context.Context, p domain.ShipmentPlanned) error {
	if p.Policy == "" {
		p.Policy = a.Policy
	}
	return a.follow(ctx, p.Keys, func(s domain.Shipment, k domain.Keys) ([]domain.Fact, error) {
		p.Keys = k
		return domain.Plan(s, p)
	})
}

// Amend plans the shipment of an amended warehouse order with what is left of it, planned or not yet.
func (a *App) Amend(ctx context.Context, f domain.ShipmentAmended) error {
	return a.follow(ctx, f.Keys, func(s domain.Shipment, k domain.Keys) ([]domain.Fact, error) {
		f.Keys = k
		return domain.Amend(s, f)
	})
}

// Issue records the goods issue of a warehouse order on its shipment, planned or not yet.
func (a *App) Issue(ctx context.Context, r domain.ShipmentReady) error {
	return a.follow(ctx, r.Keys, func(s domain.Shipment, k domain.Keys) ([]domain.Fact, error) {
		r.Keys = k
		return domain.Issue(s, r)
	})
}

// Cancel calls the shipment of a cancelled warehouse order off, planned or not yet.
func (a *App) Cancel(ctx context.Context, c domain.ShipmentCancelled) error {
	return a.follow(ctx, c.Keys, func(s domain.Shipment, k domain.Keys) ([]domain.Fact, error) {
		c.Keys = k
		return domain.Cancel(s, c)
	})
}

// follow applies a fact of a warehouse order to its shipment, in whatever order such facts come.
func (a *App) follow(ctx context.Context, k domain.Keys, d func(domain.Shipment, domain.Keys) ([]domain.Fact, error)) error {
	k.Shipment = ShipmentID(store.CauseOf(ctx).Tenant, k.Order.WarehouseOrder)
	_, err := a.Shipments.Update(ctx, k.Shipment, func(c store.Current[domain.Shipment]) (store.Decision[domain.Fact], error) {
		return outcome(c, func(s domain.Shipment, _ time.Time) ([]domain.Fact, error) { return d(s, k) })
	})
	return err
}

// Close ends the shipment.
func (a *App) Close(ctx context.Context, id string) (store.Receipt, error) {
	return a.change(ctx, id, everything, func(s domain.Shipment, _ time.Time) ([]domain.Fact, error) { return domain.Close(s) })
}
