// Package adapter joins shipment visibility to the outside: the gRPC API, the store's
// facts and indexes, and the facts of inventory that it follows.
package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/app"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// ShipmentType declares the aggregate to the store.
func ShipmentType() store.Type[domain.Shipment, domain.Fact] {
	return store.Type[domain.Shipment, domain.Fact]{
		Name: "shipment", Prefix: "shp", Fold: 1,
		Evolve: domain.Evolve, Encode: encode, Decode: readers.Decode,
		Indexes: map[string]func(domain.Shipment) []string{
			app.IndexState:     func(s domain.Shipment) []string { return []string{string(s.State())} },
			app.IndexOrder:     func(s domain.Shipment) []string { return []string{s.Keys.Order.ID} },
			app.IndexNumber:    func(s domain.Shipment) []string { return []string{s.Keys.Order.Number} },
			app.IndexReference: references,
			app.IndexDue:       due,
		},
	}
}

// references are the numbers a carrier or consignee may ask by.
func references(s domain.Shipment) []string {
	var keys []string
	for _, k := range []string{s.Refs.Tracking, s.Refs.PRO, s.Refs.BillOfLading} {
		if k != "" {
			keys = append(keys, k)
		}
	}
	for _, u := range s.Units {
		keys = append(keys, u.SSCC)
	}
	return keys
}

// due is when an open tender expires.
func due(s domain.Shipment) []string {
	if t, ok := s.Tender(); ok && t.State == domain.Offered && s.Dispatched.IsZero() && !s.IsCancelled {
		return []string{store.TimeKey(t.RespondBy)}
	}
	return nil
}
