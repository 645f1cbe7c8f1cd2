package adapter

import "github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"

// reversalFacts are those of an order of which a goods issue is reversed.
func reversalFacts() []domain.Fact {
	return []domain.Fact{
		facts()[0],
		facts()[9],
		domain.LinesIssued{Keys: k, Release: 2, Lines: parts},
		domain.ReversalAllowed{Keys: k, Release: 2, WarehouseOrder: "who_a", Attempt: 1},
		domain.ReversalEnded{Keys: k, Release: 2, Reason: "SHIPMENT_DISPATCHED"},
		domain.ReversalAllowed{Keys: k, Release: 2, WarehouseOrder: "who_a", Attempt: 2},
		domain.LinesIssueReversed{Keys: k, Release: 2, Lines: parts},
		domain.ReversalDenied{Keys: k, Release: 2, WarehouseOrder: "who_a", Attempt: 3, Reason: "ORDER_CLOSED"},
	}
}
