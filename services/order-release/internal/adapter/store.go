// Package adapter joins order release to the outside: the gRPC API, the store's facts and
// indexes, its copy of master data, inventory's stock, and the facts that it follows.
package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// OrderType declares the aggregate to the store.
func OrderType() store.Type[domain.Order, domain.Fact] {
	return store.Type[domain.Order, domain.Fact]{
		Name: "order", Prefix: "ord", Fold: 4,
		Evolve: domain.Evolve,
		Encode: func(f domain.Fact) (string, []byte, error) { return protovalue.Encode(message(f)) },
		Decode: readers.Decode,
		Indexes: map[string]func(domain.Order) []string{
			app.IndexNumber:  func(o domain.Order) []string { return app.Keys(o, o.Header.Number) },
			app.IndexPO:      func(o domain.Order) []string { return app.Keys(o, o.Header.PO) },
			app.IndexState:   func(o domain.Order) []string { return app.Keys(o, string(o.State())) },
			app.IndexSoldTo:  func(o domain.Order) []string { return []string{o.Header.SoldTo.Code} },
			app.IndexWaiting: app.WaitingKeys,
			app.IndexDue:     due,
		},
	}
}

// due is when an attempt is to be given up or tried again.
func due(o domain.Order) []string {
	if at := o.Due(); !at.IsZero() {
		return []string{store.TimeKey(at)}
	}
	return nil
}
