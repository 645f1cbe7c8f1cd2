package adapter

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

var (
	at      = time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC)
	k       = domain.Keys{ID: "rma_a", Number: "RMA-1", Order: "ord_a", OrderNumber: "SO-1"}
	kg      = quantity.Quantity{Value: quantity.MustParse("12.5"), Unit: "KGM"}
	eur     = money.Amount{Minor: 9007199254740993, Currency: "EUR"}
	claimed = []domain.ClaimedLine{
		{Line: 1, OrderLine: 10, Quantity: kg, Item: "itm_a", SKU: "W", Paid: eur, IssuedAt: at},
		{Line: 2, OrderLine: 20, Quantity: kg, Item: "itm_b", SKU: "V", IssuedAt: at},
	}
	reasons = []domain.Reason{{Code: "QUANTITY_EXCEEDS_ISSUED", Field: "lines[0].quantity", Message: "available 1 KGM"}}
	stand   = domain.Stand{Stock: "stk_a", Site: "DC1", Item: "itm_a", SKU: "W", Owner: "OWN", Location: "DOCK-1", Lot: "L1", Expiry: "2027-01-31", Status: "RETURNED"}
	credits = []domain.CreditLine{{Line: 1, OrderLine: 10, SKU: "W", Quantity: kg, Gross: eur, Fee: money.Amount{Minor: 1, Currency: "EUR"}, Net: eur}}
)

// facts are one of each type of a return, every field set.
func facts() []domain.Fact {
	return []domain.Fact{
		domain.ReturnRequested{
			Keys: k, Source: "erp", ClaimKey: "clm:rma_a:1:rtb_a", Returnable: "rtb_a", Site: "DC1", SoldTo: "C-1", SoldToID: "pty_a", At: at,
			Lines: []domain.AskedLine{{OrderLine: 10, Quantity: kg, Reason: "DAMAGED_IN_TRANSIT", Note: "box open"}},
		},
		domain.ReturnHeld{Keys: k, SoldTo: "C-1", SoldToID: "pty_a", Lines: claimed},
		domain.ReturnAuthorised{Keys: k, By: "policy", Site: "DC1", Lines: claimed, At: at},
		domain.ReturnDenied{Keys: k, Reasons: reasons, By: "ann", ClaimKey: "clm:rma_a:1:rtb_a", Returnable: "rtb_a"},
		domain.ReturnCancelled{Keys: k, Reason: "CUSTOMER_REQUEST", ClaimKey: "clm:rma_a:1:rtb_a", Returnable: "rtb_a"},
		domain.ReceiptRecorded{Keys: k, Named: 7, Booked: 2, Stand: stand, Quantity: kg, Excess: kg, Marks: reasons, At: at},
		domain.ReceiptRecorded{Keys: k, Named: 1, Booked: 1, Stand: stand, Quantity: kg, At: at},
		domain.ItemsInspected{Keys: k, Line: 1, Accepted: kg, Rejected: kg, Grade: "B", Finding: "AS_NEW", Note: "n"},
		domain.ItemsInspected{Keys: k, Line: 1, Accepted: kg, Grade: "A"},
		domain.ItemsDisposed{ID: k.ID, Number: k.Number, Order: k.Order, Line: 1, Disposition: domain.ReturnToVendor, Quantity: kg, Stand: stand, To: "A-01", At: at},
		domain.CreditRequested{Keys: k, Credit: 2, SoldTo: "C-1", Lines: credits, Gross: eur, Fee: eur, Net: eur, At: at},
		domain.CreditConfirmed{Keys: k, Credit: 2, Memo: "CM-1", Amount: eur, Contradictions: reasons, At: at},
		domain.ReturnCompleted{Keys: k, Kept: claimed, ClaimKey: "clm:rma_a:1:rtb_a", Returnable: "rtb_a", Short: true},
	}
}

// itemFacts are one of each type of what of an order can be returned.
func itemFacts() []domain.ItemFact {
	claim := domain.Claim{Key: "clm:rma_a:1:rtb_a", RMA: "rma_a", Lines: claimed}
	return []domain.ItemFact{
		domain.ItemsIssued{
			ID: "rtb_a", Order: "ord_a", Number: "SO-1", Source: "erp", Release: "ord_a-R1", SoldTo: "C-1", SoldToID: "pty_a", Currency: "EUR", At: at,
			Lines: []domain.IssuedLine{
				{Line: 10, Item: "itm_a", SKU: "W", Unit: "KGM", Issued: kg.Value, Price: domain.Price{
					Unit: "1.505", Currency: "EUR", Ordered: quantity.Quantity{Value: quantity.Int(3), Unit: "CS"}, Base: kg.Value,
				}},
				{Line: 20, Item: "itm_b", SKU: "V", Unit: "EA", Issued: quantity.Int(3)},
			},
		},
		domain.ReturnClaimed{ID: "rtb_a", Order: "ord_a", Claim: claim},
		domain.ClaimReleased{ID: "rtb_a", Order: "ord_a", Claim: claim},
	}
}

// reversedItems are those of an order of which a goods issue was reversed.
func reversedItems() []domain.ItemFact {
	return []domain.ItemFact{
		itemFacts()[0],
		domain.ItemsIssueReversed{ID: "rtb_a", Order: "ord_a", Number: "SO-1", Release: "ord_a-R1", Lines: []domain.ReversedLine{
			{Line: 20, Quantity: quantity.Quantity{Value: quantity.Int(1), Unit: "EA"}},
		}},
	}
}

// roundTrip encodes and decodes each fact, and returns the types that it met.
func roundTrip[F any](t *testing.T, all []F, encode func(F) (string, []byte, error), decode func(string, []byte) (F, error)) map[string]bool {
	t.Helper()
	covered := map[string]bool{}
	for _, want := range all {
		name, data, err := encode(want)
		if err != nil {
			t.Fatal(err)
		}
		covered[name] = true
		got, err := decode(name, data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v (%v)", name, got, want, err)
		}
	}
	if _, err := decode("lockstep.returns.v1.ReturnSung", nil); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("an unknown fact: %v", err)
	}
	return covered
}

func TestFactsSurviveTheStore(t *testing.T) {
	covered := roundTrip(t, facts(), ReturnType().Encode, ReturnType().Decode)
	for name := range roundTrip(t, append(itemFacts(), reversedItems()...), ItemsType().Encode, ItemsType().Decode) {
		covered[name] = true
	}
	parts := []protoreflect.Name{"ClaimedLine", "IssuedLine"} // of facts, none themselves
	messages := returnsv1.File_lockstep_returns_v1_events_proto.Messages()
	for i := range messages.Len() {
		m := messages.Get(i)
		name := string(m.FullName())
		_, read := readers[name]
		_, readItem := itemReaders[name]
		if fact := !slices.Contains(parts, m.Name()); fact != (read || readItem) || fact && !covered[name] {
			t.Errorf("%s: read %v, covered %v", name, read || readItem, covered[name])
		}
	}
}

// TestNamesOfValues holds the domain's states and dispositions against the enums of the API.
func TestNamesOfValues(t *testing.T) {
	for _, s := range []domain.State{
		domain.Requested, domain.Authorised, domain.Denied, domain.PartiallyReceived, domain.Received, domain.Inspected,
		domain.Completed, domain.Cancelled, domain.Unexpected,
	} {
		if returnState(s) == 0 {
			t.Errorf("the API has no state %s", s)
		}
	}
	for _, d := range []domain.Disposition{domain.Restock, domain.Quarantine, domain.Scrap, domain.ReturnToVendor, domain.BackToCustomer} {
		if disposition(d) == 0 {
			t.Errorf("the API has no disposition %s", d)
		}
	}
	if protovalue.Name(returnsv1.Grade_GRADE_UNSPECIFIED, "GRADE_") != "" || protovalue.Time(time.Time{}) != nil {
		t.Error("what is not given is not empty")
	}
}
