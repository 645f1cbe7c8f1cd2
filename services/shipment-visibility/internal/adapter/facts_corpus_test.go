package adapter

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// TestFactsCorpus folds facts of every type ever released to the states that they always made.
func TestFactsCorpus(t *testing.T) {
	storetest.Corpus[domain.Shipment, domain.Fact]{
		Type: ShipmentType(), File: "../../testdata/facts/shipment.jsonl", Known: slices.Sorted(maps.Keys(readers)),
		Histories: []storetest.History[domain.Fact]{{Name: "every field", Facts: everyField()}, {Name: "reversed", Facts: reversedFacts()}, {Name: "amended", Facts: amendedFacts()}, {Name: "observed", Facts: observedFacts()}},
	}.Check(t)
}

// everyField has a fact of each type with all that it can say, in an order in which they may come.
func everyField() []domain.Fact {
	at := func(hour int) time.Time { return time.Date(2026, 3, 2, hour, 0, 0, 123456000, time.UTC) }
	k := domain.Keys{Shipment: "shp_a", Order: domain.Order{ID: "ord_a", Number: "SO-1", Release: "ord_a-R1", WarehouseOrder: "who_a"}}
	short := domain.Keys{Shipment: "shp_a"}
	booked := domain.Keys{Shipment: "shp_a", Order: domain.Order{ID: "ord_a", Number: "SO-1"}}
	delivered := domain.Keys{Shipment: "shp_a", Order: domain.Order{ID: "ord_a", Number: "SO-1", Release: "ord_a-R1"}}
	to := domain.Address{Name: "Ada", Lines: []string{"1 Road", "Dock 2"}, City: "Gary", Region: "IN", PostalCode: "46401", Country: "US"}
	lines := []domain.Line{
		{Number: 1, SKU: "TEA", Quantity: quantity.Quantity{Value: quantity.MustParse("2.5"), Unit: "KGM"}, WeightGrams: 2500},
		{Number: 2, SKU: "POT", Quantity: quantity.Quantity{Value: quantity.Int(7), Unit: "EA"}, WeightGrams: 4900},
	}
	refs := domain.Refs{BillOfLading: "B-1", PRO: "P-1", Tracking: "1Z999", Seal: "S-1"}
	milestone := func(hour int, code domain.Code) domain.Milestone {
		return domain.Milestone{
			Code: code, Classifier: domain.Actual, At: at(hour), Offset: -360, Place: "Gary, IN", Source: "acme", MessageID: "214-" + string(code), Recorded: at(hour + 1),
		}
	}
	return []domain.Fact{
		domain.ShipmentPlanned{Keys: k, Site: "DC1", ShipTo: to, Preference: "ACME", Service: "LTL", Lines: lines, Policy: domain.ShippedOnIssue},
		domain.ShipmentTendered{Keys: short, Site: "DC1", ShipTo: to, Tender: domain.Tender{Number: 1, Carrier: "ACME", Service: "LTL", State: domain.Offered, RespondBy: at(9)}},
		domain.TenderClosed{Keys: short, Number: 1, Carrier: "ACME", Outcome: domain.Declined, Reason: "no truck"},
		domain.ShipmentTendered{Keys: short, Site: "DC1", ShipTo: to, Tender: domain.Tender{Number: 2, Carrier: "UPSN", Service: "LTL", State: domain.Offered, RespondBy: at(10)}},
		domain.TenderWasAccepted{Keys: booked, Number: 2, Carrier: "UPSN", Service: "LTL", Site: "DC1", ShipTo: to, WeightGrams: 7400, Lines: lines},
		domain.ShipmentCancelled{Keys: k, Reason: "CUSTOMER_REQUEST", Carrier: "UPSN"},
		domain.CancellationContradicted{Keys: short, Reason: "CUSTOMER_REQUEST"},
		domain.ShipmentDispatched{
			Keys: booked, Carrier: "UPSN", Service: "LTL", Refs: refs, At: at(11), NotIssued: true, Reported: true, WeightGrams: 7400, Lines: lines, Site: "DC1", ShipTo: to,
		},
		domain.ShipmentReady{Keys: k, Units: []domain.Unit{{SSCC: "040123450000000019", WeightGrams: 7400, Lines: lines}}, Lines: lines, WeightGrams: 7400, Issued: at(11)},
		domain.DispatchReported{Keys: short, Departure: domain.Departure{Refs: domain.Refs{BillOfLading: "B-1", PRO: "P-2", Tracking: "1Z998", Seal: "S-2"}, Carrier: "ACME", At: at(12)}},
		domain.MilestoneRecorded{Keys: short, Milestone: milestone(12, domain.PickedUp), State: domain.InTransit},
		domain.MilestoneRecorded{Keys: short, Milestone: milestone(15, domain.DeliveredCode), State: domain.Delivered},
		domain.ShipmentDelivered{Keys: delivered, At: at(15), WeightGrams: 7400, Lines: lines},
		domain.ProofOfDeliveryRecorded{Keys: delivered, SignedBy: "Ada", SignedAt: at(16), Lines: lines, AsDispatched: true, Document: "ab"},
		domain.OlderProofRecorded{Keys: short, Proof: domain.Proof{SignedBy: "Bob", SignedAt: at(15), Lines: lines[:1], Document: "cd"}},
		domain.ShipmentClosed{Keys: short},
	}
}

// amendedFacts are those of a shipment of which an amendment is heard before it is planned, and another after.
func amendedFacts() []domain.Fact {
	k := domain.Keys{Shipment: "shp_a", Order: domain.Order{ID: "ord_a", Number: "SO-1", Release: "ord_a-R1", WarehouseOrder: "who_a"}}
	line := func(number int, n int64) domain.Line {
		return domain.Line{Number: number, SKU: "TEA", Quantity: quantity.Quantity{Value: quantity.Int(n), Unit: "EA"}}
	}
	return []domain.Fact{
		domain.ShipmentAmended{Keys: k, Version: 2, Lines: []domain.Line{line(1, 8), line(2, 0)}},
		domain.ShipmentPlanned{Keys: k, Site: "DC1", Lines: []domain.Line{line(1, 10), line(2, 4)}, Policy: domain.ShippedOnDispatch},
		domain.ShipmentAmended{Keys: k, Version: 3, Lines: []domain.Line{line(1, 5)}},
	}
}
