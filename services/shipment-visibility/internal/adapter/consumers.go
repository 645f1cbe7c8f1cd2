package adapter

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/app"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// Consumers are the facts that shipments follow: those of warehouse orders. Master data is
// followed by Carriers.
func Consumers(a *app.App) []bus.Consumer { return []bus.Consumer{warehouse(a)} }

// warehouse makes a shipment of each warehouse order and follows what becomes of it. The
// facts may come in any order and more than once.
func warehouse(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "warehouse-order", "inventory-movement", append(reversals(a),
		bus.On(func(ctx context.Context, _ bus.Fact, m *inventorymovementv1.WarehouseOrderCreated) error {
			ls, err := toShip(m.GetLines())
			if err != nil {
				return err
			}
			return a.Plan(ctx, domain.ShipmentPlanned{
				Keys: orderKeys(m), Site: m.GetSite(), ShipTo: fromAddress(m.GetShipTo()),
				Preference: m.GetCarrierPreference(), Service: m.GetServiceLevel(), Lines: ls,
				Policy: domain.Policy(protovalue.Name(m.GetShippedPolicy(), "SHIPPED_POLICY_")),
			})
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *inventorymovementv1.WarehouseOrderAmended) error {
			ls, err := toShip(m.GetLines())
			if err != nil {
				return err
			}
			return a.Amend(ctx, domain.ShipmentAmended{Keys: orderKeys(m), Version: int(m.GetAmendedVersion()), Lines: ls})
		}),
		bus.On(func(ctx context.Context, f bus.Fact, m *inventorymovementv1.GoodsIssued) error {
			r, err := ready(m, f.Recorded)
			if err != nil {
				return err
			}
			return a.Issue(ctx, r)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *inventorymovementv1.WarehouseOrderCancelled) error {
			return a.Cancel(ctx, domain.ShipmentCancelled{Keys: orderKeys(m), Reason: m.GetReason()})
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *inventorymovementv1.WarehouseOrderStopped) error {
			return a.Cancel(ctx, domain.ShipmentCancelled{Keys: orderKeys(m), Reason: m.GetReason()})
		}),
	)...)
}

// orderKeys are the keys of a shipment that its warehouse order knows.
func orderKeys(m interface {
	GetKeys() *inventorymovementv1.WarehouseOrderKeys
},
) domain.Keys {
	k := m.GetKeys()
	return domain.Keys{Order: domain.Order{
		ID: k.GetOrderId(), Number: k.GetOrderNumber(), Release: k.GetReleaseId(), WarehouseOrder: k.GetWarehouseOrderId(),
	}}
}

// toShip are the lines of a warehouse order, as it was made or amended.
func toShip[L interface {
	GetLineNumber() int32
	GetSku() string
	GetQuantity() *commonv1.Quantity
}](in []L,
) ([]domain.Line, error) {
	return protovalue.TryEach(in, func(l L) (domain.Line, error) {
		q, err := protovalue.StoredQuantity(l.GetQuantity())
		return domain.Line{Number: int(l.GetLineNumber()), SKU: l.GetSku(), Quantity: q}, err
	})
}

// ready converts a goods issue; one that does not tell when is as old as its fact.
func ready(m *inventorymovementv1.GoodsIssued, recorded time.Time) (domain.ShipmentReady, error) {
	r := domain.ShipmentReady{Keys: orderKeys(m), WeightGrams: m.GetGrossWeightGrams(), Issued: protovalue.FromTime(m.GetIssuedTime())}
	if r.Issued.IsZero() {
		r.Issued = recorded
	}
	var err error
	if r.Lines, err = byLine(m.GetLines()); err != nil {
		return r, err
	}
	for _, c := range m.GetCartons() {
		u := domain.Unit{SSCC: c.GetSscc(), WeightGrams: c.GetGrossWeightGrams()}
		if u.Lines, err = byLine(c.GetLines()); err != nil {
			return r, err
		}
		r.Units = append(r.Units, u)
	}
	if r.WeightGrams == 0 {
		for _, u := range r.Units {
			r.WeightGrams += u.WeightGrams
		}
	}
	domain.Weigh(r.Lines, r.Units)
	return r, nil
}

// byLine sums up what comes from several bins and lots: a shipment does not know them.
func byLine(parts []*inventorymovementv1.WarehouseLineQuantity) ([]domain.Line, error) {
	type key struct {
		line int32
		unit string
	}
	var out []domain.Line
	at := map[key]int{}
	for _, p := range parts {
		q, err := protovalue.StoredQuantity(p.GetQuantity())
		if err != nil {
			return nil, err
		}
		k := key{p.GetLineNumber(), q.Unit}
		i, known := at[k]
		if !known {
			i = len(out)
			at[k] = i
			out = append(out, domain.Line{Number: int(k.line), SKU: p.GetSku(), Quantity: quantity.Quantity{Unit: k.unit}})
		}
		out[i].Quantity.Value = out[i].Quantity.Value.Add(q.Value)
	}
	return out, nil
}
