// Package adapter joins shipment visibility to the outside: the gRPC API, the store's
// facts and indexes, its copy of carriers, and the facts of inventory that it follows.
package adapter

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/app"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// ShipmentType declares the aggregate to the store.
func ShipmentType() store.Type[domain.Shipment, domain.Fact] {
	return store.Type[domain.Shipment, domain.Fact]{
		Name: "shipment", Prefix: "shp", Fold: 3,
		Evolve: domain.Evolve, Encode: encode, Decode: readers.Decode,
		Indexes: map[string]func(domain.Shipment) []string{
			app.IndexState:     func(s domain.Shipment) []string { return []string{string(s.State())} },
			app.IndexOrder:     func(s domain.Shipment) []string { return []string{s.Keys.Order.ID} },
			app.IndexNumber:    func(s domain.Shipment) []string { return []string{s.Keys.Order.Number} },
			app.IndexReference: references,
			app.IndexCarrier:   app.CarriersOf,
			app.IndexDue:       due,
		},
	}
}

// references are the numbers a carrier or consignee may ask by, of every report.
func references(s domain.Shipment) []string {
	var keys []string
	add := func(k string) {
		if k != "" && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	for _, d := range s.Departures {
		add(d.Refs.Tracking)
		add(d.Refs.PRO)
		add(d.Refs.BillOfLading)
	}
	for _, u := range s.Units {
		add(u.SSCC)
	}
	return keys
}

// due is when an open tender expires.
func due(s domain.Shipment) []string {
	if at := s.Due(); !at.IsZero() {
		return []string{store.TimeKey(at)}
	}
	return nil
}
