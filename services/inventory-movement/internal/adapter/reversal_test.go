package adapter

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// reversalFacts are those of an order of which a goods issue is reversed, and a part put back.
func reversalFacts() []domain.OrderFact {
	issued := domain.GoodsIssued{OrderKeys: keys, Number: 1, Site: "DC1", Owner: "OWN", Lines: lines, Cartons: []domain.Carton{box}, Weight: 1250, At: at}
	return []domain.OrderFact{
		orderFacts()[0],
		domain.PickConfirmed{OrderKeys: keys, Site: "DC1", Owner: "OWN", Lines: lines, At: at},
		domain.CartonPacked{OrderKeys: keys, Carton: box},
		issued,
		domain.ReversalRequested{OrderKeys: keys, Attempt: 1, Cartons: []string{box.SSCC}, Lines: lines, Reason: "TRUCK_FULL", At: at},
		domain.ReversalAgreed{OrderKeys: keys, Attempt: 1, Party: domain.PartyOrder},
		domain.ReversalDenied{OrderKeys: keys, Attempt: 1, Party: domain.PartyShipment, Reason: "SHIPMENT_DISPATCHED"},
		domain.ReversalRequested{OrderKeys: keys, Attempt: 2, Cartons: []string{box.SSCC}, Lines: lines, Reason: "TRUCK_FULL", At: at},
		domain.IssueReversed{
			OrderKeys: keys, Attempt: 2, Site: "DC1", Owner: "OWN", Lines: lines, Cartons: []domain.Carton{box}, Of: []int{1}, Reason: "TRUCK_FULL", At: at,
		},
		domain.PutBackStarted{OrderKeys: keys, Reason: "CUSTOMER_REQUEST", Lines: lines},
		domain.PutBackConfirmed{OrderKeys: keys, Site: "DC1", Owner: "OWN", Lines: lines[:1], At: at},
		domain.RestCancelled{OrderKeys: keys, Reason: "CUSTOMER_REQUEST", PutBack: lines[:1], Voided: []string{box.SSCC}},
	}
}

// reversedStock is a goods issue of two lots, one of which is taken back.
func reversedStock() []domain.StockFact {
	packing := domain.Place{Location: domain.Packing, Lot: "L1", Expiry: "2027-01-31", Status: domain.Available}
	customer := packing
	customer.Location = domain.Customer
	return []domain.StockFact{
		domain.StockMoved{StockKey: stk, Type: domain.Pick, From: bin, To: packing, Quantity: twelve, Order: "who_a", Line: 10, At: at},
		domain.StockMoved{StockKey: stk, Type: domain.Issue, From: packing, To: customer, Quantity: twelve, Order: "who_a", Line: 10, At: at},
		domain.StockMoved{
			StockKey: stk, Type: domain.IssueReversal, From: customer, To: packing, Quantity: twelve, Order: "who_a", Line: 10, Reverses: domain.MoveRef{Version: 2}, At: at,
		},
	}
}

// reversedUnits are those of a pallet that left and is back.
func reversedUnits() []domain.UnitFact {
	keys := domain.UnitKeys{ID: "hun_a", SSCC: box.SSCC, Site: "DC1", Owner: "OWN", Warehouse: "who_a", Order: "ord_a", OrderNumber: "SO-1"}
	const other, child = "340123450000000024", "340123450000000031"
	return []domain.UnitFact{
		domain.UnitCreated{UnitKeys: keys, Level: 2},
		domain.UnitNested{UnitKeys: keys, Child: child, Attempt: 1},
		domain.ChildLeft{UnitKeys: keys, Child: child},
		domain.UnitLeft{UnitKeys: keys, Parent: other, At: at},
		domain.ChildCameBack{UnitKeys: keys, Child: child},
		domain.UnitCameBack{UnitKeys: keys, Parent: other, At: at},
	}
}

func TestNamesOfReversals(t *testing.T) {
	for _, p := range []domain.ReversalParty{domain.PartyOrder, domain.PartyShipment} {
		known(t, reversalParty(p), string(p))
		if fromReversalParty(reversalParty(p)) != p {
			t.Errorf("%s comes back as %s", p, fromReversalParty(reversalParty(p)))
		}
	}
	for _, s := range []domain.ReversalState{domain.ReversalAsked, domain.ReversalDone, domain.ReversalRefused} {
		known(t, goodsIssueReversal(domain.Reversal{Attempt: 1, State: s}).GetState(), string(s))
	}
	known(t, movement(domain.IssueReversal), string(domain.IssueReversal))
}
