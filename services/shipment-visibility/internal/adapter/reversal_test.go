package adapter

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// reversedFacts are those of a shipment of which a goods issue is reversed, carton by carton.
func reversedFacts() []domain.Fact {
	at := time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC)
	k := domain.Keys{Shipment: "shp_a", Order: domain.Order{ID: "ord_a", Number: "SO-1", Release: "ord_a-R1", WarehouseOrder: "who_a"}}
	of := func(n int64) []domain.Line {
		return []domain.Line{{Number: 1, SKU: "TEA", Quantity: quantity.Quantity{Value: quantity.Int(n), Unit: "EA"}, WeightGrams: 100 * n}}
	}
	one := domain.Unit{SSCC: "040123450000000019", WeightGrams: 400, Lines: of(4)}
	two := domain.Unit{SSCC: "040123450000000026", WeightGrams: 600, Lines: of(6)}
	return []domain.Fact{
		domain.ShipmentPlanned{Keys: k, Site: "DC1", Lines: of(10)},
		domain.ShipmentReady{Keys: k, Units: []domain.Unit{one, two}, Lines: of(10), WeightGrams: 1000, Issued: at},
		domain.ReversalAllowed{Keys: k, Attempt: 1},
		domain.IssueReversed{Keys: k, Reason: "TRUCK_FULL", Cartons: []string{one.SSCC}, Units: []domain.Unit{two}, Lines: of(6), WeightGrams: 600},
		domain.ReversalDenied{Keys: k, Attempt: 2, Reason: "SHIPMENT_DISPATCHED"},
		domain.IssueReversed{Keys: k, Reason: "TRUCK_FULL", Cartons: []string{two.SSCC}, Lines: of(10)},
	}
}
