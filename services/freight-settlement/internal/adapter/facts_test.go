package adapter

import (
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

var (
	at     = time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC)
	k      = domain.Keys{Freight: "frt_a", Shipment: "shp_a", Order: "ord_a", OrderNumber: "SO-1"}
	theOne = domain.Of{Freight: "frt_a", Shipment: "shp_a"}
	why    = []domain.Why{{Code: "NO_LANE", Field: "lines[0]", Message: "nothing fits"}}
	yen    = money.Amount{Minor: 9007199254740993, Currency: "JPY"}
	dinar  = money.Amount{Minor: -1235, Currency: "KWD"}
	books  = []domain.Posting{{Account: domain.Expense, Amount: yen}, {Account: domain.Accrual, Amount: dinar}}
	parts  = []domain.Allocation{{Number: 10, SKU: "W", Amount: yen}, {Number: 20, SKU: "V", Amount: dinar}}
	goods  = domain.Shipment{
		Carrier: "ACME", Service: "LTL", Site: "DC1", Place: "Addison", Country: "US", Region: "TX", PostalCode: "75001", WeightGrams: 12_500, At: at,
	}
	charges = []domain.Charge{
		{Code: "BASE", Amount: yen, Rule: "rule", Invoice: "inv_a", Attempt: 2, Invoiced: dinar, Settled: true, Paid: yen},
		{Code: "FUEL", Amount: yen, Settled: true, Paid: money.Amount{Currency: "JPY"}},
		{Code: "DETENTION", Amount: yen},
	}
	priced = domain.Rating{Carrier: "ACME", Service: "LTL", Weight: 12_500, Version: 3, Charges: charges, Total: yen, At: at}
	lines  = []domain.InvoiceLine{
		{Reference: "PRO 1", Code: "BASE", Amount: yen, Freight: "frt_a", Expected: money.Amount{Minor: 7, Currency: "JPY"}, Within: true, Approved: yen},
		{Reference: "?", Code: "FUEL", Amount: dinar},
	}
)

func cardFacts() []domain.CardFact {
	none := money.MustRate("0")
	return []domain.CardFact{domain.CardPublished{Card: domain.Card{
		Carrier: "ACME", Version: 3, Currency: "KWD", From: at, To: at.Add(time.Hour), Fuel: money.MustRate("12.50"),
		Lanes: []domain.Lane{{
			Origin: "DC1", Place: "Addison", Country: "US", Region: "TX", Postal: "750", Service: "LTL", Mode: "TRUCK",
			Bands: []domain.Band{{From: 1, To: 2, Minimum: 3, Per: money.MustRate("0.050"), Basis: domain.Hundredweight, Flat: 4}, {To: 1, Per: none, Basis: domain.Kilogram}, {To: 9, Per: none}},
		}},
	}}}
}

func freightFacts() []domain.FreightFact {
	unrated := domain.Rating{Carrier: "ACME", Service: "LTL", Weight: 12_500, Why: why, At: at}
	return []domain.FreightFact{
		domain.FreightEstimated{Keys: k, Basis: goods, Rating: priced, Revision: 7},
		domain.FreightEstimated{Keys: k, Basis: domain.Shipment{Carrier: "ACME", Service: "LTL", WeightGrams: 12_500, At: at}, Rating: unrated},
		domain.FreightAccrued{
			Keys: k, Refs: domain.Refs{PRO: "P", BillOfLading: "B", Tracking: "T"}, Basis: goods, Rating: priced, Postings: books, Allocations: parts, At: at, Revision: 8,
			Lines: []domain.Line{{Number: 10, SKU: "W", Quantity: quantity.MustParse("12.5"), Weight: 500}},
		},
		domain.FreightReferenced{Of: theOne, Reported: domain.Reported{Refs: domain.Refs{PRO: "P", BillOfLading: "B", Tracking: "T"}, Carrier: "ACME", Revision: 9}},
		domain.FreightFinalised{Keys: k, Delivered: 12_400, Rating: priced, Postings: books, Allocations: parts},
		domain.FreightReversed{Of: theOne, Reason: "CALLED_OFF", Postings: books, Allocations: parts, Revision: 9},
		domain.ChargesClaimed{Of: theOne, Claim: domain.Claim{Invoice: "inv_a", Attempt: 2}, Charges: []domain.Claimed{{Code: "BASE", Invoiced: yen}, {Code: "X", Invoiced: dinar, Unexpected: true}}},
		domain.ChargesFreed{Of: theOne, Claim: domain.Claim{Invoice: "inv_a", Attempt: 2}},
		domain.ChargesSettled{Of: theOne, Invoice: "inv_a", Charges: charges, Paid: yen, Postings: books, Allocations: parts},
	}
}

func invoiceFacts() []domain.InvoiceFact {
	return []domain.InvoiceFact{
		domain.InvoiceReceived{ID: "inv_a", Carrier: "ACME", Number: "INV-0012", Date: at, Lines: lines, Total: yen, Creator: "ann"},
		domain.MatchRequested{ID: "inv_a", Attempt: 2, Freights: []string{"frt_a", ""}, Requested: at, Due: at.Add(time.Minute)},
		domain.MatchDecided{ID: "inv_a", Attempt: 2, Outcome: domain.Unmatched, Lines: lines, Why: why, Freed: []string{"frt_a"}, Due: at},
		domain.InvoiceApproved{ID: "inv_a", Number: "INV-0012", Attempt: 2, Lines: lines, Sum: yen, Resolution: domain.Split, Reason: "DETENTION", Approver: "bob"},
		domain.InvoiceCredited{ID: "inv_a", Number: "INV-0012", Attempt: 2, Reason: "WITHDRAWN", Approver: "bob", Freed: []string{"frt_a"}},
		domain.VoucherPosted{ID: "inv_a", Voucher: "V-1"},
		domain.InvoicePaid{ID: "inv_a", Reference: "PAY-1", Amount: dinar},
	}
}

// roundTrip holds that facts survive the store and that there is one of every type.
func roundTrip[F any](t *testing.T, covered map[string]bool, facts []F, message func(F) proto.Message, readers protovalue.Readers[F]) {
	t.Helper()
	for _, want := range facts {
		name, data, err := protovalue.Encode(message(want))
		if err != nil {
			t.Fatal(err)
		}
		covered[name] = true
		got, err := readers.Decode(name, data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v (%v)", name, got, want, err)
		}
	}
	for name := range readers {
		if !covered[name] {
			t.Errorf("no example of %s", name)
		}
	}
	if _, err := readers.Decode("lockstep.freightsettlement.v1.FreightSung", nil); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("an unknown fact: %v", err)
	}
}

func TestFactsSurviveTheStore(t *testing.T) {
	covered := map[string]bool{}
	roundTrip(t, covered, cardFacts(), cardMessage, cardReaders)
	roundTrip(t, covered, freightFacts(), freightMessage, freightReaders)
	roundTrip(t, covered, append(invoiceFacts(), observedFacts()[1]), invoiceMessage, invoiceReaders)
	parts := map[string]bool{"Rating": true, "ClaimedCharge": true}
	messages := freightsettlementv1.File_lockstep_freightsettlement_v1_events_proto.Messages()
	for i := range messages.Len() {
		if m := messages.Get(i); !covered[string(m.FullName())] && !parts[string(m.Name())] {
			t.Errorf("%s cannot be read", m.FullName())
		}
	}
}

// TestNamesOfValues holds the domain's states against the enums of the API, both ways.
func TestNamesOfValues(t *testing.T) {
	known := func(value protoreflect.Enum, n int, want string) {
		t.Helper()
		if value.Number() == 0 {
			t.Errorf("%s is no value of %s", want, value.Descriptor().FullName())
		}
		if have := value.Descriptor().Values().Len() - 1; have != n {
			t.Errorf("%s has %d values, the domain %d", value.Descriptor().FullName(), have, n)
		}
	}
	freights := []domain.FreightState{domain.Unrated, domain.Estimated, domain.Accrued, domain.Final, domain.Settled, domain.Reversed}
	for _, s := range freights {
		known(freightState(s), len(freights), string(s))
	}
	invoices := []domain.InvoiceState{
		domain.Received, domain.Unmatched, domain.Duplicate, domain.Disputed, domain.Approved, domain.Posted, domain.Paid, domain.Credited,
	}
	for _, s := range invoices {
		known(invoiceState(s), len(invoices), string(s))
		if fromInvoiceState(invoiceState(s)) != s {
			t.Errorf("%s does not come back", s)
		}
	}
	resolutions := []domain.Resolution{domain.AsExpected, domain.AsInvoiced, domain.Split, domain.CarrierCredit}
	for _, r := range resolutions {
		known(resolution(r), len(resolutions), string(r))
	}
	bases := []domain.Basis{domain.Kilogram, domain.Hundredweight}
	for _, b := range bases {
		known(basis(b), len(bases), string(b))
	}
}
