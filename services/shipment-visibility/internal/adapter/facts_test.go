package adapter

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// Every fact survives being stored and read again.
func TestFactsRoundTrip(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 5000, time.UTC)
	full := domain.Keys{Shipment: "shp_a", Order: domain.Order{ID: "ord_a", Number: "SO-1", Release: "ord_a-R1", WarehouseOrder: "who_a"}}
	short := domain.Keys{Shipment: "shp_a"}
	booked := domain.Keys{Shipment: "shp_a", Order: domain.Order{ID: "ord_a", Number: "SO-1"}}
	delivered := domain.Keys{Shipment: "shp_a", Order: domain.Order{ID: "ord_a", Number: "SO-1", Release: "ord_a-R1"}}
	to := domain.Address{Name: "Ada", Lines: []string{"1 Road"}, City: "Bonn", Country: "DE"}
	ls := []domain.Line{{Number: 1, SKU: "A", Quantity: quantity.Quantity{Value: quantity.MustParse("2.5"), Unit: "KGM"}, WeightGrams: 2500}}
	facts := []domain.Fact{
		domain.ShipmentPlanned{Keys: full, Site: "DC1", ShipTo: to, Preference: "ACME", Service: "LTL", Lines: ls},
		domain.ShipmentReady{Keys: short, Units: []domain.Unit{{SSCC: "000000000000000017", WeightGrams: 9, Lines: ls}}, Lines: ls, WeightGrams: 9, Issued: at},
		domain.ShipmentTendered{Keys: short, Site: "DC1", ShipTo: to, Tender: domain.Tender{Number: 1, Carrier: "ACME", State: domain.Offered, RespondBy: at}},
		domain.TenderWasAccepted{Keys: booked, Number: 1, Carrier: "ACME", Service: "LTL", Site: "DC1", ShipTo: to, WeightGrams: 9, Lines: ls},
		domain.TenderClosed{Keys: short, Number: 1, Carrier: "ACME", Outcome: domain.Declined, Reason: "no truck"},
		domain.ShipmentDispatched{Keys: booked, Carrier: "ACME", Service: "LTL", Refs: domain.Refs{BillOfLading: "B", PRO: "P", Tracking: "T", Seal: "S"}, At: at, NotIssued: true, WeightGrams: 9, Lines: ls, Site: "DC1", ShipTo: to},
		domain.MilestoneRecorded{Keys: short, Milestone: domain.Milestone{Code: domain.PickedUp, Classifier: domain.Actual, At: at, Offset: 60, Place: "Bonn", Source: "acme", MessageID: "m", Recorded: at}, State: domain.InTransit},
		domain.ShipmentDelivered{Keys: delivered, At: at, WeightGrams: 9, Lines: ls},
		domain.ProofOfDeliveryRecorded{Keys: delivered, SignedBy: "Ada", SignedAt: at, Lines: ls, Document: "ab"},
		domain.ShipmentCancelled{Keys: short, Reason: "r", Carrier: "ACME"},
		domain.ShipmentClosed{Keys: short},
	}
	if len(facts) != len(readers) {
		t.Fatalf("%d facts tried, %d exist", len(facts), len(readers))
	}
	for _, f := range facts {
		name, data, err := encode(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readers.Decode(name, data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(f, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(quantity.Decimal{})); diff != "" {
			t.Errorf("%s\n%s", name, diff)
		}
	}
}

func TestUnknownFactTypeIsAnError(t *testing.T) {
	if _, err := readers.Decode("lockstep.shipmentvisibility.v1.FromTheFuture", nil); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}
