// Package adapter joins inventory to the outside: the gRPC API, the store's facts and
// indexes, its copy of master data, and the facts that it follows.
package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// StockType declares stock to the store.
func StockType() store.Type[domain.Stock, domain.StockFact] {
	return store.Type[domain.Stock, domain.StockFact]{
		Name: "stock", Prefix: "stk", Fold: 7,
		Evolve: domain.EvolveStock,
		Encode: func(f domain.StockFact) (string, []byte, error) { return protovalue.Encode(stockMessage(f)) },
		Decode: stockReaders.Decode,
		Indexes: map[string]func(domain.Stock) []string{
			app.IndexDue: func(s domain.Stock) []string {
				if due := s.Due(); !due.IsZero() {
					return []string{store.TimeKey(due)}
				}
				return nil
			},
			app.IndexNames: app.StockNames,
		},
	}
}

// OrderType declares warehouse orders to the store.
func OrderType() store.Type[domain.WarehouseOrder, domain.OrderFact] {
	return store.Type[domain.WarehouseOrder, domain.OrderFact]{
		Name: "warehouse_order", Prefix: "who", Fold: 6,
		Evolve: domain.EvolveOrder,
		Encode: func(f domain.OrderFact) (string, []byte, error) { return protovalue.Encode(orderMessage(f)) },
		Decode: orderReaders.Decode,
		Indexes: map[string]func(domain.WarehouseOrder) []string{
			app.IndexState: func(o domain.WarehouseOrder) []string { return key(string(o.State())) },
			app.IndexOrder: func(o domain.WarehouseOrder) []string { return key(o.Keys.Order) },
			app.IndexSite:  func(o domain.WarehouseOrder) []string { return key(o.Site) },
			app.IndexWaveable: func(o domain.WarehouseOrder) []string {
				if o.Waveable() {
					return key(o.Site)
				}
				return nil
			},
			app.IndexOpen:  openAt,
			app.IndexNames: app.OrderNames,
		},
	}
}

// NumbersType declares the numbers handed out to the store.
func NumbersType() store.Type[domain.Numbers, domain.NumbersFact] {
	return store.Type[domain.Numbers, domain.NumbersFact]{
		Name: "numbers", Prefix: "num", Fold: 1,
		Evolve: domain.EvolveNumbers,
		Encode: func(f domain.NumbersFact) (string, []byte, error) { return protovalue.Encode(numbersMessage(f)) },
		Decode: numbersReaders.Decode,
	}
}

// ForeignType declares the SSCCs that warehouses gave themselves to the store.
func ForeignType() store.Type[domain.ForeignSSCC, domain.SSCCClaimed] {
	return store.Type[domain.ForeignSSCC, domain.SSCCClaimed]{
		Name: "sscc", Prefix: "ssc", Fold: 1,
		Evolve: domain.EvolveSSCC,
		Encode: func(f domain.SSCCClaimed) (string, []byte, error) { return protovalue.Encode(ssccMessage(f)) },
		Decode: ssccReaders.Decode,
	}
}

func key(k string) []string {
	if k == "" {
		return nil
	}
	return []string{k}
}

// openAt is the site of a warehouse order that is neither issued nor cancelled.
func openAt(o domain.WarehouseOrder) []string {
	switch o.State() {
	case domain.Issued, domain.Cancelled:
		return nil
	}
	return key(o.Site)
}
