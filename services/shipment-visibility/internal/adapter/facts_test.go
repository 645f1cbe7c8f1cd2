package adapter

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
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
		domain.ShipmentPlanned{Keys: full, Site: "DC1", ShipTo: to, Preference: "ACME", Service: "LTL", Lines: ls, Policy: domain.ShippedOnIssue},
		domain.ShipmentReady{Keys: full, Units: []domain.Unit{{SSCC: "000000000000000017", WeightGrams: 9, Lines: ls}}, Lines: ls, WeightGrams: 9, Issued: at},
		domain.ShipmentTendered{Keys: short, Site: "DC1", ShipTo: to, Tender: domain.Tender{Number: 1, Carrier: "ACME", State: domain.Offered, RespondBy: at}},
		domain.TenderWasAccepted{Keys: booked, Number: 1, Carrier: "ACME", Service: "LTL", Site: "DC1", ShipTo: to, WeightGrams: 9, Lines: ls},
		domain.TenderClosed{Keys: short, Number: 1, Carrier: "ACME", Outcome: domain.Declined, Reason: "no truck"},
		domain.ShipmentDispatched{Keys: booked, Carrier: "ACME", Service: "LTL", Refs: domain.Refs{BillOfLading: "B", PRO: "P", Tracking: "T", Seal: "S"}, At: at, NotIssued: true, Reported: true, WeightGrams: 9, Lines: ls, Site: "DC1", ShipTo: to},
		domain.MilestoneRecorded{Keys: short, Milestone: domain.Milestone{Code: domain.PickedUp, Classifier: domain.Actual, At: at, Offset: 60, Place: "Bonn", Source: "acme", MessageID: "m", Recorded: at}, State: domain.InTransit},
		domain.ShipmentDelivered{Keys: delivered, At: at, WeightGrams: 9, Lines: ls},
		domain.ProofOfDeliveryRecorded{Keys: delivered, SignedBy: "Ada", SignedAt: at, Lines: ls, AsDispatched: true, Document: "ab"},
		domain.ShipmentCancelled{Keys: full, Reason: "r", Carrier: "ACME"},
		domain.DispatchReported{Keys: short, Departure: domain.Departure{Refs: domain.Refs{BillOfLading: "B", PRO: "P", Tracking: "T", Seal: "S"}, Carrier: "ACME", At: at}},
		domain.OlderProofRecorded{Keys: short, Proof: domain.Proof{SignedBy: "Ada", SignedAt: at, Lines: ls, Document: "ab"}},
		domain.CancellationContradicted{Keys: short, Reason: "r"},
		domain.ShipmentClosed{Keys: short},
	}
	facts = append(append(facts, reversedFacts()[2:5]...), amendedFacts()[0], observedFacts()[0])
	if len(facts) != len(readers) {
		t.Fatalf("%d facts tried, %d exist", len(facts), len(readers))
	}
	var stored strings.Builder
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
		stored.WriteString(name + "\n" + indented(t, message(f)) + "\n")
	}
	testkit.Golden(t, "testdata/facts.txt", stored.String())
}

// indented renders a message as JSON that does not vary, which protojson's own whitespace does.
func indented(t *testing.T, m proto.Message) string {
	t.Helper()
	raw, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// What a shipment planned before policies were told is read as.
func TestFactsOfEarlierVersions(t *testing.T) {
	_, data, err := protovalue.Encode(&shipmentvisibilityv1.ShipmentPlanned{ShipmentId: "shp_a", OrderId: "ord_a"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := readers.Decode("lockstep.shipmentvisibility.v1.ShipmentPlanned", data)
	if err != nil {
		t.Fatal(err)
	}
	if policy, _, _ := domain.Apply(domain.Shipment{}, f).Shipped(); policy != domain.ShippedOnBoth {
		t.Errorf("policy %q", policy)
	}
}

func TestUnknownFactTypeIsAnError(t *testing.T) {
	if _, err := readers.Decode("lockstep.shipmentvisibility.v1.FromTheFuture", nil); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}
