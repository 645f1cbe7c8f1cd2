// Package adapter joins returns to the outside: the gRPC API, the store's facts and indexes,
// order release's orders, and the facts of order release and inventory that returns follow.
package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/app"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// ReturnType declares returns to the store.
func ReturnType() store.Type[domain.Return, domain.Fact] {
	return store.Type[domain.Return, domain.Fact]{
		Name: "return", Prefix: "rma", Fold: 2,
		Evolve: domain.Evolve,
		Encode: func(f domain.Fact) (string, []byte, error) { return protovalue.Encode(message(f)) },
		Decode: readers.Decode,
		Indexes: map[string]func(domain.Return) []string{
			app.IndexState:       func(r domain.Return) []string { return app.Keys(r, string(r.State())) },
			app.IndexOrder:       func(r domain.Return) []string { return app.Keys(r, r.Order) },
			app.IndexOrderNumber: func(r domain.Return) []string { return app.Keys(r, r.OrderNumber) },
			app.IndexNumber:      func(r domain.Return) []string { return app.Keys(r, r.Number) },
			app.IndexUndecided: func(r domain.Return) []string {
				if !r.Undecided() {
					return nil
				}
				return []string{store.TimeKey(r.Requested)}
			},
			app.IndexSoldTo: func(r domain.Return) []string {
				if r.SoldToID == "" {
					return nil
				}
				return []string{r.SoldToID}
			},
		},
	}
}

// ItemsType declares to the store what of orders can be returned.
func ItemsType() store.Type[domain.Returnable, domain.ItemFact] {
	return store.Type[domain.Returnable, domain.ItemFact]{
		Name: "returnable", Prefix: "rtb", Fold: 2,
		Evolve: domain.EvolveItems,
		Encode: func(f domain.ItemFact) (string, []byte, error) { return protovalue.Encode(itemMessage(f)) },
		Decode: itemReaders.Decode,
	}
}
