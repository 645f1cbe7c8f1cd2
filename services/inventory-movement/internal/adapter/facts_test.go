package adapter

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

var (
	at     = time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC)
	twelve = quantity.MustParse("12.5")
	stk    = domain.StockKey{ID: "stk_a", Site: "DC1", Item: "itm_a", SKU: "TEA", Owner: "OWN", Unit: "EA"}
	bin    = domain.Place{Location: "B-1", Lot: "L1", Expiry: "2027-01-31", Status: domain.Available}
	clm    = domain.Claim{Key: "clm:ord_a:1:stk_a", Quantity: twelve}
	rsv    = domain.Claim{Key: "rsv:cart-1", Quantity: quantity.Int(2)}
	keys   = domain.OrderKeys{ID: "who_a", Order: "ord_a", OrderNumber: "SO-1", Release: "ord_a-R1", ReleaseVersion: 2}
	lines  = []domain.PickedLine{
		{Line: 10, Item: "itm_a", SKU: "TEA", Location: "B-1", Lot: "L1", Quantity: twelve, Unit: "EA"},
		{Line: 20, Item: "itm_b", SKU: "POT", Quantity: quantity.Int(1), Unit: "EA"},
	}
	box = domain.Carton{SSCC: "040123450000000019", Weight: 1250, Lines: lines}
)

func stockFacts() []domain.StockFact {
	damaged := bin
	damaged.Status = domain.Damaged
	return []domain.StockFact{
		domain.StockMoved{
			StockKey: stk, Type: domain.Pick, From: bin, To: domain.Place{Location: domain.Packing, Status: domain.Available},
			Quantity: twelve, Reason: "R", Order: "who_a", Line: 10, Used: quantity.Int(3), RMA: "rma_a", At: at,
		},
		domain.StockMoved{StockKey: stk, Type: domain.ReturnReceipt, From: bin, To: damaged, Quantity: twelve, At: at},
		domain.ReturnReceived{StockKey: stk, RMA: "rma_a", RMALine: 3, Place: damaged, Quantity: twelve, At: at},
		domain.StockReserved{StockKey: stk, Claim: clm},
		domain.ReservationReleased{StockKey: stk, Claim: clm},
		domain.StockAllocated{
			StockKey: stk, Order: "who_a", Line: 10, Claims: []domain.Claim{clm},
			Parts: []domain.Allocation{{Order: "who_a", Line: 10, Place: bin, Quantity: twelve}},
		},
		domain.AllocationFreed{StockKey: stk, Order: "who_a", Line: 10, Quantity: twelve},
		domain.AllocationFreed{StockKey: stk, Order: "who_a"},
	}
}

// reservationFacts are those of claims that no order has.
func reservationFacts() []domain.StockFact {
	two := domain.Claim{Key: "rsv:cart-2", Quantity: quantity.Int(1)}
	return []domain.StockFact{
		domain.StockReserved{StockKey: stk, Claim: rsv, Expires: at.UnixMilli(), Priority: 3},
		domain.StockReserved{StockKey: stk, Claim: two, Expires: at.UnixMilli() + 1},
		domain.ReservationConfirmed{StockKey: stk, Claim: two},
		domain.ReservationReleased{StockKey: stk, Claim: rsv, Reason: domain.Displaced, By: "rsv:cart-2"},
		domain.ReservationReleased{StockKey: stk, Claim: rsv, Reason: domain.Expired},
	}
}

// reversedFacts are a movement that somebody made by hand, and the one that takes it back.
func reversedFacts() []domain.StockFact {
	blocked := bin
	blocked.Status = domain.Blocked
	return []domain.StockFact{
		domain.StockMoved{StockKey: stk, Type: domain.StatusChange, From: bin, To: blocked, Quantity: twelve, Reason: "QUALITY_HOLD", At: at},
		domain.StockMoved{StockKey: stk, Type: domain.StatusChange, From: blocked, To: bin, Quantity: twelve, Reason: "RELEASED", Reverses: domain.MoveRef{Version: 7, Index: 1}, At: at},
	}
}

// shortFacts are those of an order that could not be allocated whole.
func shortFacts() []domain.OrderFact {
	return []domain.OrderFact{
		orderFacts()[0],
		domain.OrderAllocated{OrderKeys: keys, Tasks: []domain.Task{{Line: 10, SKU: "TEA", Location: "B-1", Lot: "L1", Quantity: twelve, Unit: "EA"}}, Lacks: []domain.Lack{
			{Line: 20, Quantity: quantity.Int(2), Unit: "EA", Reason: "REMAINING_LIFE"},
		}},
	}
}

func orderFacts() []domain.OrderFact {
	return []domain.OrderFact{
		domain.OrderCreated{
			OrderKeys: keys, Site: "DC1", Owner: "OWN", Carrier: "UPSN", Service: "GROUND",
			ShipTo: domain.Address{Name: "Acme", Lines: []string{"1 Main St", "Dock 2"}, City: "Gary", Region: "IN", PostalCode: "46401", Country: "US"},
			Lines: []domain.OrderLine{
				{Number: 10, Item: "itm_a", SKU: "TEA", Quantity: quantity.Quantity{Value: twelve, Unit: "EA"}, Claims: []domain.Claim{clm}},
				{Number: 20, Item: "itm_b", SKU: "POT", Quantity: quantity.Quantity{Value: twelve, Unit: "KGM"}},
			},
		},
		domain.OrderAllocated{OrderKeys: keys, Tasks: []domain.Task{{Line: 10, SKU: "TEA", Location: "B-1", Lot: "L1", Quantity: twelve, Unit: "EA"}}},
		domain.OrderAcknowledged{OrderKeys: keys},
		domain.PickConfirmed{OrderKeys: keys, Site: "DC1", Owner: "OWN", Lines: lines, At: at},
		domain.PickShorted{OrderKeys: keys, Site: "DC1", Owner: "OWN", Lines: lines, Damaged: true, At: at},
		domain.PickShorted{OrderKeys: keys, Site: "DC1", Owner: "OWN", Lines: lines, At: at},
		domain.ReportContradicted{OrderKeys: keys, Site: "DC1", Owner: "OWN", Reason: domain.OverPick, Report: domain.Report{
			Kind: domain.PickReport, Lines: lines, At: at, By: "wms@dc1",
			Source: ident.SourceRef{System: "wms", MessageID: "945-1", EventTime: at, Offset: 60, Zone: "Europe/Berlin", Sequence: 7},
		}},
		domain.ReportContradicted{OrderKeys: keys, Site: "DC1", Owner: "OWN", Reason: domain.AfterCancel, Report: domain.Report{
			Kind: domain.ShortReport, Lines: lines, Damaged: true, At: at, By: "wms@dc1",
		}},
		domain.CartonPacked{OrderKeys: keys, Carton: box},
		domain.GoodsIssued{OrderKeys: keys, Site: "DC1", Owner: "OWN", Lines: lines, Cartons: []domain.Carton{box}, Weight: 1250, At: at},
		domain.OrderCancelled{OrderKeys: keys, Reason: "CUSTOMER_REQUEST"},
		domain.CancelRefused{OrderKeys: keys, Reason: "PICKING_BEGUN"},
	}
}

// recallFacts are those of orders that are taken back.
func recallFacts() []domain.OrderFact {
	return []domain.OrderFact{
		orderFacts()[0],
		domain.PutBackStarted{OrderKeys: keys, Reason: "CUSTOMER_REQUEST", Lines: lines},
		domain.PutBackConfirmed{OrderKeys: keys, Site: "DC1", Owner: "OWN", Lines: lines, At: at},
		domain.OrderCancelled{OrderKeys: keys, Reason: "CUSTOMER_REQUEST", PutBack: lines, Voided: []string{box.SSCC}},
		domain.StopRefused{OrderKeys: keys, Reason: "PICKING_BEGUN"},
		domain.OrderStopped{OrderKeys: keys, Reason: "HOLD_CREDIT"},
		domain.StockKept{OrderKeys: keys, Claims: []domain.KeptClaim{
			{Key: "clm:ord_a-R1:v1:stk_a", Item: "itm_a", SKU: "TEA", Quantity: quantity.Quantity{Value: twelve, Unit: "EA"}},
		}},
	}
}

// amendedFacts are those of an order that something is taken off.
func amendedFacts() []domain.OrderFact {
	return []domain.OrderFact{
		orderFacts()[0],
		domain.OrderAmended{OrderKeys: keys, Version: 2, Site: "DC1", Owner: "OWN", Lines: []domain.AmendedLine{{
			Line: 1, Item: "itm_a", SKU: "TEA", Quantity: quantity.Quantity{Value: quantity.Int(7), Unit: "EA"}, TakenOff: quantity.Int(5), Open: quantity.Int(7),
		}}},
		domain.AmendmentRefused{OrderKeys: keys, Version: 3, Reasons: []domain.Refusal{{Code: "QUANTITY_PICKED", Field: "lines.1", Message: "7 are picked"}}},
	}
}

// survive holds that each fact comes back from the store as it was, and that there is a
// sample of every type that can be read.
func survive[F any](t *testing.T, facts []F, message func(F) proto.Message, readers protovalue.Readers[F]) {
	t.Helper()
	covered := map[string]bool{}
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
			t.Errorf("no sample of %s", name)
		}
	}
	if _, err := readers.Decode("lockstep.inventorymovement.v1.StockSung", nil); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("an unknown fact: %v", err)
	}
}

func TestFactsSurviveTheStore(t *testing.T) {
	survive(t, slices.Concat(orderFacts(), shortFacts(), recallFacts(), wavedFacts(), amendedFacts(), reversalFacts(), observedFacts(), numberedOrder()), orderMessage, orderReaders)
	survive(t, slices.Concat(stockFacts(), reservationFacts(), supplyFacts(), reversedFacts(), countedFacts(), transferredFacts(), reversedStock(), observedStock(), numberedStock()), stockMessage, stockReaders)
	survive(t, append(inboundFacts(), rescheduledFacts()...), inboundMessage, inboundReaders)
	survive(t, serialFacts(), serialMessage, serialReaders)
	survive(t, snapshotFacts(), snapshotMessage, snapshotReaders)
	survive(t, countFacts(), countMessage, countReaders)
	survive(t, transferFacts(), transferMessage, transferReaders)
	survive(t, countPolicyFacts(), countPolicyMessage, countPolicyReaders)
	survive(t, []domain.NumbersFact{domain.NumbersTaken{Prefix: "4012345", First: 101, Last: 200}}, numbersMessage, numbersReaders)
	survive(t, []domain.SSCCClaimed{{SSCC: box.SSCC, Order: "who_a"}}, ssccMessage, ssccReaders)
}

// Every published message that has the keys of an aggregate can be read back.
func TestEveryFactOfTheContractIsRead(t *testing.T) {
	messages := imv1.File_lockstep_inventorymovement_v1_events_proto.Messages()
	for i := range messages.Len() {
		m := messages.Get(i)
		name := string(m.FullName())
		_, ofStock := stockReaders[name]
		_, ofOrder := orderReaders[name]
		if m.Fields().ByName("stock") != nil && !ofStock || m.Fields().ByName("keys") != nil && !ofOrder {
			t.Errorf("%s cannot be read", name)
		}
	}
}

// TestNamesOfValues holds the domain's states, statuses and types against the enums of the API.
func TestNamesOfValues(t *testing.T) {
	for _, s := range []domain.Status{domain.Available, domain.QI, domain.Blocked, domain.Damaged, domain.Returned, domain.Quarantine} {
		known(t, status(s), string(s))
		if fromStatus(status(s)) != s {
			t.Errorf("%s comes back as %s", s, fromStatus(status(s)))
		}
	}
	for _, m := range []domain.MovementType{
		domain.Receipt, domain.Pick, domain.Issue, domain.Adjustment, domain.Move, domain.StatusChange, domain.ReturnReceipt, domain.Disposition,
		domain.PutAway, domain.SupplierReturn, domain.TransferOut, domain.TransferIn, domain.TransferBack,
	} {
		known(t, movement(m), string(m))
		if fromMovement(movement(m)) != m {
			t.Errorf("%s comes back as %s", m, fromMovement(movement(m)))
		}
	}
	for _, s := range []domain.OrderState{
		domain.Created, domain.Allocated, domain.Acknowledged, domain.Picking, domain.Picked, domain.Packed, domain.Issued, domain.Cancelled,
	} {
		known(t, orderState(s), string(s))
	}
	for _, c := range []domain.Contradicts{domain.OverPick, domain.OverShort, domain.UnknownLine, domain.AfterCancel, domain.AfterIssue} {
		known(t, contradicts(c), string(c))
		if fromContradicts(contradicts(c)) != c || strings.Contains(c.Text(lines[0]), string(c)) {
			t.Errorf("%s comes back as %s, said as %q", c, fromContradicts(contradicts(c)), c.Text(lines[0]))
		}
	}
	for _, s := range []domain.Strategy{domain.FIFO, domain.LIFO} {
		known(t, strategy(s), string(s))
		if fromStrategy(strategy(s)) != s {
			t.Errorf("%s comes back as %s", s, fromStrategy(strategy(s)))
		}
	}
	for _, r := range []domain.ReleaseReason{domain.Freed, domain.Expired, domain.Displaced} {
		known(t, releaseReason(r), string(r))
		if fromReleaseReason(releaseReason(r)) != r {
			t.Errorf("%s comes back as %s", r, fromReleaseReason(releaseReason(r)))
		}
	}
	for _, l := range []string{"INSUFFICIENT_STOCK", "REMAINING_LIFE", "STOCK_FULL"} {
		known(t, shortage(domain.Lack{Reason: l}).GetReason(), l)
	}
	for _, k := range []domain.ReportKind{domain.PickReport, domain.ShortReport} {
		known(t, reportKind(k), string(k))
		if fromReportKind(reportKind(k)) != k {
			t.Errorf("%s comes back as %s", k, fromReportKind(reportKind(k)))
		}
	}
}

func known(t *testing.T, value protoreflect.Enum, name string) {
	t.Helper()
	v := value.Descriptor().Values().ByNumber(value.Number())
	if value.Number() == 0 || !strings.HasSuffix(string(v.Name()), "_"+name) {
		t.Errorf("%s is %s in the API", name, v.Name())
	}
}

// Each fact of a stock is told in one line.
func TestFactsAreTold(t *testing.T) {
	want := []string{
		"PICK 12.5 EA from B-1 lot L1 to PACKING for who_a of rma_a because R",
		"RETURN_RECEIPT 12.5 EA from B-1 lot L1 to B-1 lot L1 DAMAGED",
		"RETURNED 12.5 EA of rma_a line 3",
		"RESERVED 12.5 EA for clm:ord_a:1:stk_a",
		"RELEASED 12.5 EA of clm:ord_a:1:stk_a",
		"ALLOCATED 12.5 EA at B-1 lot L1 to who_a line 10",
		"FREED 12.5 EA of who_a",
		"FREED 0 EA of who_a",
		"RESERVED 2 EA for rsv:cart-1 until 2026-03-02T08:00:00Z",
		"RESERVED 1 EA for rsv:cart-2 until 2026-03-02T08:00:00Z",
		"CONFIRMED 1 EA for rsv:cart-2",
		"RELEASED 2 EA of rsv:cart-1 because DISPLACED by rsv:cart-2",
		"RELEASED 2 EA of rsv:cart-1 because EXPIRED",
		"STATUS_CHANGE 12.5 EA from B-1 lot L1 to B-1 lot L1 BLOCKED because QUALITY_HOLD",
		"STATUS_CHANGE 12.5 EA from B-1 lot L1 BLOCKED to B-1 lot L1 because RELEASED reversing 7.1",
	}
	for i, f := range slices.Concat(stockFacts(), reservationFacts(), reversedFacts()) {
		if got := told(f); got != want[i] {
			t.Errorf("got  %s\nwant %s", got, want[i])
		}
	}
}
