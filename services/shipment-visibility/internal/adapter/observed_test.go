package adapter

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// observedFacts are those of a shipment of which a system said what another one owns, before that one
// said it and after.
func observedFacts() []domain.Fact {
	at := time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC)
	k := domain.Keys{Shipment: "shp_a", Order: domain.Order{ID: "ord_a", Number: "SO-1", Release: "ord_a-R1", WarehouseOrder: "who_a"}}
	word := func(contradicts bool) domain.Fact {
		return domain.ShipmentWordObserved{Keys: k, Word: authority.Heard{
			Command: "DispatchShipment", System: "wms", Owner: "tms", Said: `{"shipmentId":"shp_a"}`, Contradicts: contradicts, Message: "M-1",
			EventTime: at.Add(-time.Hour), At: at,
		}}
	}
	return []domain.Fact{
		word(true),
		domain.ShipmentDispatched{Keys: k, Carrier: "UPSN", At: at},
		word(false),
	}
}
