package adapter

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// ofWarehouse is a fact about a warehouse order.
type ofWarehouse interface {
	GetKeys() *inventorymovementv1.WarehouseOrderKeys
}

// quantified is a fact about quantities of a warehouse order.
type quantified interface {
	ofWarehouse
	GetLines() []*inventorymovementv1.WarehouseLineQuantity
}

// warehouse records what the warehouse reports of releases. One consumer takes all of it,
// so that the reports on one warehouse order are applied in their order.
func warehouse(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "warehouse", "inventory-movement", append(reversals(a),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.WarehouseOrderAllocated) error {
			lines, err := byLine(m.GetTasks(), "")
			if err != nil {
				return err
			}
			return a.Allocated(ctx, m.GetKeys().GetReleaseId(), m.GetKeys().GetWarehouseOrderId(), lines)
		})),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.WarehouseOrderAcknowledged) error {
			return a.Acknowledge(ctx, m.GetKeys().GetReleaseId(), m.GetKeys().GetWarehouseOrderId())
		})),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.PickConfirmed) error {
			return withLines(ctx, m, "", a.Picked)
		})),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.PickShorted) error {
			return withLines(ctx, m, protovalue.Name(m.GetReason(), "SHORT_REASON_"), a.Shorted)
		})),
		bus.On(issued(a)),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.WarehouseOrderCancelled) error {
			putBack, err := byLine(m.GetPutBack(), "")
			if err != nil {
				return err
			}
			return a.ReleaseCancelled(ctx, m.GetKeys().GetReleaseId(), putBack)
		})),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.WarehouseOrderCancelRefused) error {
			return a.CancelRefused(ctx, m.GetKeys().GetReleaseId(), m.GetReason())
		})),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.WarehouseOrderStockKept) error {
			kept, err := protovalue.TryEach(m.GetClaims(), fromKept)
			if err != nil {
				return err
			}
			return a.Withdrawn(ctx, m.GetKeys().GetReleaseId(), kept)
		})),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.WarehouseOrderStopRefused) error {
			return a.StopRefused(ctx, m.GetKeys().GetReleaseId(), m.GetReason())
		})),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.WarehouseOrderAmended) error {
			return a.Amended(ctx, m.GetKeys().GetReleaseId(), int(m.GetAmendedVersion()))
		})),
		bus.On(ours(func(ctx context.Context, m *inventorymovementv1.WarehouseOrderAmendmentRefused) error {
			return a.AmendmentRefused(ctx, m.GetKeys().GetReleaseId(), int(m.GetAmendedVersion()), protovalue.Each(m.GetReasons(), fromReason))
		})),
	)...)
}

// ours passes on the facts about warehouse orders that execute a release.
func ours[M ofWarehouse](h func(context.Context, M) error) func(context.Context, bus.Fact, M) error {
	return func(ctx context.Context, _ bus.Fact, m M) error {
		if m.GetKeys().GetReleaseId() == "" {
			return nil
		}
		return h(ctx, m)
	}
}

func withLines(ctx context.Context, m quantified, reason string, report func(context.Context, string, []domain.LineQuantity) error) error {
	lines, err := byLine(m.GetLines(), reason)
	if err != nil {
		return err
	}
	return report(ctx, m.GetKeys().GetReleaseId(), lines)
}

// placed is a quantity of a line at one place of several.
type placed interface {
	GetLineNumber() int32
	GetQuantity() *commonv1.Quantity
}

// byLine sums up what comes from several places or lots: an order does not know them.
func byLine[P placed](parts []P, reason string) ([]domain.LineQuantity, error) {
	type key struct {
		line int32
		unit string
	}
	var lines []domain.LineQuantity
	at := map[key]int{}
	for _, p := range parts {
		q, err := protovalue.StoredQuantity(p.GetQuantity())
		if err != nil {
			return nil, err
		}
		k := key{p.GetLineNumber(), q.Unit}
		i, known := at[k]
		if !known {
			i = len(lines)
			at[k] = i
			lines = append(lines, domain.LineQuantity{Line: int(k.line), Quantity: quantity.Quantity{Unit: k.unit}, Reason: reason})
		}
		lines[i].Quantity.Value = lines[i].Quantity.Value.Add(q.Value)
	}
	return lines, nil
}

// stock lets orders that wait have what becomes free to promise: received, corrected,
// unblocked, given back, or no longer allocated; and promises them what is to come.
func stock(a *app.App) bus.Consumer {
	freed := func(ctx context.Context, s *inventorymovementv1.StockKey, amount string) error {
		q, err := quantity.Parse(amount)
		if err != nil || q.Sign() <= 0 || s.GetOwner() != domain.Owner {
			return err
		}
		return a.Replenish(ctx, app.Place{Site: s.GetSite(), Item: s.GetItemId()})
	}
	return bus.Routes(bus.Reactor, "stock", "inventory-movement",
		bus.On(func(ctx context.Context, _ bus.Fact, m *inventorymovementv1.StockMoved) error {
			if promisable(m.GetFrom()) || !promisable(m.GetTo()) {
				return nil
			}
			return freed(ctx, m.GetStock(), m.GetQuantity())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *inventorymovementv1.ReservationReleased) error {
			return freed(ctx, m.GetStock(), m.GetQuantity())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *inventorymovementv1.AllocationFreed) error {
			return freed(ctx, m.GetStock(), m.GetQuantity())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *inventorymovementv1.SupplyChanged) error {
			return supplyChanged(ctx, a, m)
		}),
		bus.On(func(ctx context.Context, f bus.Fact, m *inventorymovementv1.SupplyPromiseDated) error {
			return dated(ctx, a, f.Version, m)
		}),
	)
}

// promisable reports whether stock at the place can be promised: in a bin, and AVAILABLE.
func promisable(p *inventorymovementv1.Place) bool {
	switch p.GetLocation() {
	case "SUPPLIER", "CUSTOMER", "PACKING", "DISCREPANCY", "SCRAP", "IN_TRANSIT", "OTHER_SITE":
		return false
	}
	return p.GetStatus() == inventorymovementv1.StockStatus_STOCK_STATUS_AVAILABLE
}
