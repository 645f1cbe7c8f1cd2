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
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

var (
	at    = time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC)
	k     = domain.Keys{Order: "ord_a", Number: "SO-1"}
	ea    = quantity.Quantity{Value: quantity.MustParse("12.5"), Unit: "EA"}
	parts = []domain.LineQuantity{{Line: 10, Quantity: ea, Reason: "DAMAGED"}, {Line: 20, Quantity: ea}}
	refs  = []domain.ClaimRef{{Key: "clm:ord_a:1:stk_x", Stock: "stk_x", Site: "DC1", Item: "itm_a"}}
	home  = domain.Address{Name: "Acme", Lines: []string{"1 Main St", "Dock 2"}, City: "Gary", Region: "IN", PostalCode: "46401", Country: "US"}
	head  = domain.Header{
		Source: "erp", Number: "SO-1", PO: "PO-7",
		SoldTo: domain.Party{Code: "ACME", AddressCode: "MAIN", Address: home}, ShipTo: domain.Party{Address: home}, BillTo: domain.Party{Code: "PAYER", Address: home},
		Incoterm: "DAP", Carrier: "UPSN", Service: "GROUND", Priority: 2, Rule: domain.Complete, Mode: domain.Manual,
		Requested: at, Promised: at.Add(1), ShipBy: at.Add(time.Hour), DeliverBy: at.Add(2 * time.Hour), Zone: "America/Chicago",
		Currency: "USD", Value: money.Amount{Minor: 9007199254740993, Currency: "USD"}, Site: "DC1", ReceivedTime: at,
	}
)

// facts are one of each type, every field set.
func facts() []domain.Fact {
	head.Promised = at.Add(time.Microsecond)
	released := domain.Header{
		Source: head.Source, Number: head.Number, PO: head.PO, SoldTo: domain.Party{Code: "ACME"}, ShipTo: domain.Party{Code: "SHIP", Address: home},
		Carrier: head.Carrier, Service: head.Service, Incoterm: head.Incoterm, Priority: 2, Rule: domain.Complete, ShipBy: head.ShipBy, DeliverBy: head.DeliverBy,
	}
	return []domain.Fact{
		domain.OrderReceived{Order: "ord_a", Revision: 2, Header: head, Lines: []domain.Line{
			{Number: 10, SKU: "W", GTIN: "4006381333931", Quantity: ea, Price: "1.505", AskedSite: "DC2", CustomerItem: "their W", Item: "itm_a", Base: ea, Site: "DC2"},
			{Number: 20, SKU: "NOPE", Quantity: ea},
		}},
		domain.OrderValidated{Keys: k, Revision: 2, Lines: 2},
		domain.OrderRejected{Keys: k, Revision: 1, Reasons: []domain.Reason{{Code: "ITEM_UNKNOWN", Field: "lines[1].sku", Message: "no item"}}},
		domain.HoldPlaced{Keys: k, Hold: domain.Hold{Type: domain.HoldMasterData, Note: "n", By: "ann", At: at}, AfterRelease: true},
		domain.HoldLifted{Keys: k, Type: domain.HoldCredit, Note: "paid"},
		domain.PromiseRequested{Keys: k, Attempt: 3, Requested: at, Due: at.Add(time.Second), Partial: true, Claims: []domain.Claim{
			{Key: "clm:ord_a:3:stk_x", Stock: "stk_x", Site: "DC1", Item: "itm_a", Quantity: ea, Lines: parts},
		}},
		domain.LinesPromised{Keys: k, Attempt: 3, Lines: []domain.PromisedLine{{Line: 10, Quantity: ea, Claim: "clm:ord_a:3:stk_x"}}, Missing: parts, GiveBack: refs},
		domain.PromiseRefused{Keys: k, Attempt: 3, Missing: parts, GiveBack: refs},
		domain.PromiseClosed{Keys: k, Attempt: 3, GiveBack: refs, Retry: at},
		domain.OrderReleased{Keys: k, Header: released, Release: 2, Version: 1, Parent: 1, Site: "DC1", At: at, Lines: []domain.ReleasedLine{
			{Line: 10, Item: "itm_a", SKU: "W", Quantity: ea, Unit: "CS", CustomerItem: "their W", Claims: []domain.LineClaim{{Key: "clm:ord_a:3:stk_x", Quantity: ea.Value}}},
		}},
		domain.ReleaseBackordered{Keys: k, Release: 3, Parent: 2, Site: "DC1", Lines: parts},
		domain.ReleaseAllocated{Keys: k, Release: 2, WarehouseOrder: "who_a", Lines: parts},
		domain.ReleaseAcknowledged{Keys: k, Release: 2, WarehouseOrder: "who_a"},
		domain.LinesPicked{Keys: k, Release: 2, Lines: parts},
		domain.LinesShorted{Keys: k, Release: 2, Lines: parts},
		domain.LinesIssued{Keys: k, Release: 2, Lines: parts},
		domain.LinesDelivered{Keys: k, Release: 2, Shipment: "shp_a", Lines: parts},
		domain.OrderFulfilled{Keys: k, Issued: parts},
		domain.RemainderCancelled{Keys: k, Lines: parts, GiveBack: refs, Reason: "CUSTOMER_REQUEST"},
		domain.CancelAsked{Keys: k, Release: 2, Version: 1, Site: "DC1", Reason: "CUSTOMER_REQUEST"},
		domain.ReleaseCancelled{Keys: k, Release: 2, Lines: parts},
		domain.CancelRefused{Keys: k, Release: 2, Reason: "PICKED"},
		domain.OrderCancelled{Keys: k, Reason: "CUSTOMER_REQUEST"},
		domain.OrderClosed{Keys: k},
		domain.ReportContradicted{Keys: k, Release: "ord_a-R9", Report: "DELIVERED", Shipment: "shp_a", Excess: parts},
	}
}

// inParts are the facts of an order whose line two sites deliver, the second once its channel opens.
func inParts() []domain.Fact {
	whole, most, rest := quantity.Int(100), quantity.Int(60), quantity.Int(40)
	of := func(d quantity.Decimal) quantity.Quantity { return quantity.Quantity{Value: d, Unit: "EA"} }
	claimed := func(attempt, site string, d quantity.Decimal) domain.Claim {
		return domain.Claim{
			Key: "clm:ord_a:" + attempt + ":stk_" + site, Stock: "stk_" + site, Site: site, Item: "itm_a", Quantity: of(d),
			Lines: []domain.LineQuantity{{Line: 10, Quantity: of(d)}},
		}
	}
	promised := func(attempt, site string, d quantity.Decimal) []domain.PromisedLine {
		return []domain.PromisedLine{{Line: 10, Quantity: of(d), Claim: "clm:ord_a:" + attempt + ":stk_" + site}}
	}
	sourced := domain.Header{Source: "erp", Number: "SO-1", SoldTo: domain.Party{Code: "ACME"}, Rule: domain.ShipTogether, Mode: domain.Automatic, Priority: 5, ReceivedTime: at}
	return []domain.Fact{
		domain.OrderReceived{Order: "ord_a", Revision: 1, Header: sourced, Lines: []domain.Line{{Number: 10, SKU: "W", Quantity: of(whole), Item: "itm_a", Base: of(whole), Site: "DC2"}}},
		domain.OrderValidated{Keys: k, Revision: 1, Lines: 1},
		domain.OrderSourced{Keys: k, Lines: []domain.SourcedLine{{Line: 10, Rule: 1}}, Sourcing: domain.Sourcing{Version: 3, Rules: []domain.Sourcers{
			{Rule: "north", Strategy: domain.Priority, Sites: []string{"DC2", "DC1"}}, {Rule: "rest", Strategy: domain.FewestSplits, Sites: []string{"DC1"}},
		}}},
		domain.PromiseRequested{Keys: k, Attempt: 1, Requested: at, Due: at.Add(time.Second), Partial: true, Claims: []domain.Claim{claimed("1", "DC2", whole)}},
		domain.LinesPromised{Keys: k, Attempt: 1, Lines: promised("1", "DC2", most), Missing: []domain.LineQuantity{{Line: 10, Quantity: of(rest)}}},
		domain.PromiseRequested{Keys: k, Attempt: 2, Requested: at, Due: at.Add(time.Second), Partial: true, Again: true, Claims: []domain.Claim{claimed("2", "DC1", rest)}},
		domain.LinesPromised{Keys: k, Attempt: 2, Lines: promised("2", "DC1", rest)},
		domain.OrderReleased{Keys: k, Header: domain.Header{Source: "erp", Number: "SO-1", Rule: domain.ShipTogether, Priority: 5}, Release: 1, Version: 1, Site: "DC2", At: at, Lines: []domain.ReleasedLine{
			{Line: 10, Item: "itm_a", SKU: "W", Quantity: of(most), Unit: "EA", Claims: []domain.LineClaim{{Key: "clm:ord_a:1:stk_DC2", Quantity: most}}},
		}},
		domain.ReleaseDeferred{Keys: k, Deferral: domain.Deferral{
			Site: "DC1", Channel: "NIGHT", Reason: "CUT_OFF_PASSED", Zone: "Europe/Berlin", Next: at.Add(time.Hour), Since: at,
		}},
		domain.ReleaseBackordered{Keys: k, Release: 2, Parent: 1, Site: "DC1", Lines: []domain.LineQuantity{{Line: 10, Quantity: of(rest)}}},
	}
}

// takenBack are the facts of an order whose first release is stopped for a hold and whose second is put back.
func takenBack() []domain.Fact {
	ten := quantity.Int(10)
	q := quantity.Quantity{Value: ten, Unit: "EA"}
	whole := []domain.LineQuantity{{Line: 10, Quantity: q}}
	sent := func(release int, claim string) domain.Fact {
		return domain.OrderReleased{
			Keys: k, Header: domain.Header{Source: "erp", Number: "SO-1", Rule: domain.Partial, Priority: 5}, Release: release, Version: 1, Site: "DC1", At: at,
			Lines: []domain.ReleasedLine{{Line: 10, Item: "itm_a", SKU: "W", Quantity: q, Unit: "EA", Claims: []domain.LineClaim{{Key: claim, Quantity: ten}}}},
		}
	}
	h := domain.Header{Source: "erp", Number: "SO-1", SoldTo: domain.Party{Code: "ACME"}, Rule: domain.Partial, Mode: domain.Automatic, Priority: 5, ReceivedTime: at}
	return []domain.Fact{
		domain.OrderReceived{Order: "ord_a", Revision: 1, Header: h, Lines: []domain.Line{{Number: 10, SKU: "W", Quantity: q, Item: "itm_a", Base: q, Site: "DC1"}}},
		domain.OrderValidated{Keys: k, Revision: 1, Lines: 1},
		sent(1, "clm:ord_a:1:stk_x"),
		domain.StopAsked{Keys: k, Release: 1, Version: 1, Site: "DC1", Hold: domain.HoldCredit},
		domain.StopRefused{Keys: k, Release: 1, Reason: "PICKING_BEGUN"},
		domain.ReleaseWithdrawn{Keys: k, Release: 1, Lines: whole, Claims: []domain.WithdrawnClaim{{Line: 10, Key: "clm:ord_a-R1:v1:stk_x", Quantity: ten}}},
		sent(2, "clm:ord_a-R1:v1:stk_x"),
		domain.LinesPicked{Keys: k, Release: 2, Lines: whole},
		domain.CancelAsked{Keys: k, Release: 2, Version: 1, Site: "DC1", Reason: "CUSTOMER_REQUEST"},
		domain.ReleaseCancelled{Keys: k, Release: 2, Lines: whole, PutBack: whole},
	}
}

// shippedFacts are those of an order that counts as shipped by goods issue and dispatch, a part by a part.
func shippedFacts() []domain.Fact {
	q := func(n int64) quantity.Quantity { return quantity.Quantity{Value: quantity.Int(n), Unit: "EA"} }
	of := func(n int64) []domain.LineQuantity { return []domain.LineQuantity{{Line: 10, Quantity: q(n)}} }
	h := domain.Header{Source: "erp", Number: "SO-1", SoldTo: domain.Party{Code: "ACME"}, Rule: domain.Partial, Mode: domain.Automatic, Priority: 5, ReceivedTime: at}
	return []domain.Fact{
		domain.OrderReceived{Order: "ord_a", Revision: 1, Header: h, Lines: []domain.Line{{Number: 10, SKU: "W", Quantity: q(10), Item: "itm_a", Base: q(10), Site: "DC1"}}},
		domain.OrderValidated{Keys: k, Revision: 1, Lines: 1},
		domain.OrderReleased{
			Keys: k, Header: domain.Header{Source: "erp", Number: "SO-1", Rule: domain.Partial, Priority: 5}, Release: 1, Version: 1, Site: "DC1", At: at,
			Lines:   []domain.ReleasedLine{{Line: 10, Item: "itm_a", SKU: "W", Quantity: q(10), Unit: "EA", Claims: []domain.LineClaim{{Key: "clm:ord_a:1:stk_x", Quantity: quantity.Int(10)}}}},
			Shipped: domain.ShippedRule{Policy: domain.ShippedOnBoth, Source: domain.ShippedByChannel, Channel: "EXPRESS"},
		},
		domain.LinesDispatched{Keys: k, Release: 1, Shipment: "shp_a", Lines: of(10), At: at.Add(time.Hour)},
		domain.LinesIssued{Keys: k, Release: 1, Lines: of(8), At: at},
		domain.LinesShipped{Keys: k, Release: 1, Policy: domain.ShippedOnBoth, Lines: of(8), At: at.Add(time.Hour)},
	}
}

// rulesFacts and channelFacts are one of each type, every field set.
func rulesFacts() []domain.RulesFact {
	return []domain.RulesFact{domain.RulesChanged{Rules: domain.Rules{Version: 2, Note: "n", By: "ann", At: at, List: []domain.Rule{
		{Name: "north", Condition: "order.priority < 3", Sites: []string{"DC2", "DC1"}, Strategy: domain.FewestSplits},
		{Name: "rest", Sites: []string{"DC1"}, Strategy: domain.Priority},
	}}}}
}

func channelFacts() []domain.ChannelFact {
	return []domain.ChannelFact{
		domain.ChannelDefined{Channel: domain.Channel{
			Code: "NIGHT", Name: "Night", Site: "DC1", Condition: "order.priority > 5", Priority: 7, Zone: "Europe/Berlin",
			Windows: []domain.Window{{Day: 1, Opens: 480, CutOff: 990}, {Day: 7, Opens: 0, CutOff: 1440}},
		}},
		domain.ChannelClosed{Code: "NIGHT", Site: "DC1", Until: at.Add(time.Hour), Note: "n", By: "ann", At: at},
		domain.ChannelOpened{Code: "NIGHT", Site: "DC1", Note: "n", By: "ann", At: at},
	}
}

// expectedFacts are those of an order that is promised of what comes.
func expectedFacts() []domain.Fact {
	return []domain.Fact{
		facts()[0],
		domain.OrderValidated{Keys: k, Revision: 2, Lines: 2},
		domain.PromiseDated{
			Keys: k, Lines: []int{10, 20}, Before: at, Reason: "RESCHEDULED",
			Expected: domain.Expected{Site: "DC1", Item: "itm_a", Version: 7, Uncovered: quantity.Int(1), Parts: []domain.SupplyPart{
				{Quantity: quantity.Int(2)}, {Delivery: "asn_a", ASN: "A-1", Expected: at, Quantity: ea.Value},
			}},
		},
		domain.PromiseUndated{Keys: k, Undated: domain.Undated{Site: "DC1", Item: "itm_b", Quantity: ea.Value, Reason: "SUPPLY_OUTSIDE_HORIZON", Horizon: at}},
	}
}

// amendedFacts are those of a release that something is taken off.
func amendedFacts() []domain.Fact {
	less := []domain.AmendedLine{{Line: 10, From: ea.Value, To: quantity.Int(1)}}
	return []domain.Fact{
		facts()[0],
		facts()[9],
		domain.AmendmentAsked{Keys: k, Release: 2, Version: 1, Amended: 2, Site: "DC1", Reason: "CUSTOMER_REQUEST", Lines: less},
		domain.ReleaseAmended{Keys: k, Release: 2, Amended: 2, Lines: parts},
		domain.AmendmentRefused{Keys: k, Release: 2, Amended: 3, Reasons: []domain.Reason{{Code: "QUANTITY_PICKED", Field: "lines.10", Message: "2 are picked"}}},
	}
}

func loadFacts() []domain.LoadFact {
	return []domain.LoadFact{
		domain.PlaceTaken{Channel: "NIGHT", Site: "DC1", Opens: at, Placed: domain.Placed{Order: "ord_a", Turn: 1, Lines: 3}},
		domain.PlaceTaken{Channel: "NIGHT", Site: "DC1", Opens: at, Placed: domain.Placed{Order: "ord_b", Turn: 2, Lines: 1}},
		domain.PlaceFreed{Channel: "NIGHT", Site: "DC1", Opens: at, Order: "ord_a", Turn: 1},
	}
}

// limitedFacts are those of a channel that lets so much go in a window.
func limitedFacts() []domain.ChannelFact {
	return []domain.ChannelFact{domain.ChannelDefined{Channel: domain.Channel{
		Code: "DAY", Site: "DC1", Priority: 7, Zone: "UTC", Capacity: domain.Capacity{Releases: 40, Lines: 400},
	}}}
}

// finalFacts are those of a channel by which releases are final early.
func finalFacts() []domain.ChannelFact {
	return []domain.ChannelFact{domain.ChannelDefined{Channel: domain.Channel{
		Code: "FINAL", Site: "DC1", Priority: 7, Zone: "UTC", Freeze: domain.FreezeAcknowledged,
	}}}
}

// shippingFacts are those of a channel with a policy of its own.
func shippingFacts() []domain.ChannelFact {
	return []domain.ChannelFact{domain.ChannelDefined{Channel: domain.Channel{Code: "EXPRESS", Site: "DC1", Priority: 7, Zone: "UTC", Shipped: domain.ShippedOnDispatch}}}
}

// survives: a fact reads back from the store as it was.
func survives[F any](t *testing.T, message func(F) proto.Message, decode func(string, []byte) (F, error), want F) {
	t.Helper()
	name, data, err := protovalue.Encode(message(want))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decode(name, data); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s\n got %+v\nwant %+v (%v)", name, got, want, err)
	}
}

func TestFactsSurviveTheStore(t *testing.T) {
	covered := map[string]bool{}
	for _, want := range slices.Concat(facts(), inParts(), takenBack(), expectedFacts(), amendedFacts(), shippedFacts(), reversalFacts(), observedFacts()) {
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
	for _, want := range rulesFacts() {
		survives(t, rulesMessage, rulesReaders.Decode, want)
	}
	for _, want := range slices.Concat(channelFacts(), limitedFacts(), finalFacts(), shippingFacts()) {
		survives(t, channelMessage, channelReaders.Decode, want)
	}
	for _, want := range loadFacts() {
		survives(t, loadMessage, loadReaders.Decode, want)
	}
	messages := orderreleasev1.File_lockstep_orderrelease_v1_events_proto.Messages()
	for i := range messages.Len() {
		name := string(messages.Get(i).FullName())
		if _, read := readers[name]; !read && messages.Get(i).Fields().ByName("order_id") != nil {
			t.Errorf("%s cannot be read", name)
		}
	}
	if _, err := readers.Decode("lockstep.orderrelease.v1.OrderSung", nil); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("an unknown fact: %v", err)
	}
}

// TestNamesOfValues holds the domain's states, types and rules against the enums of the API.
func TestNamesOfValues(t *testing.T) {
	for _, s := range []domain.State{
		domain.Rejected, domain.Validated, domain.Promising, domain.Promised, domain.Backordered, domain.Released, domain.Acknowledged,
		domain.InExecution, domain.Fulfilled, domain.CancelRequested, domain.Cancelled, domain.Closed,
	} {
		known(t, orderState(s), string(s))
	}
	for _, s := range []domain.ReleaseState{
		domain.ReleaseBackorderedState, domain.ReleaseSent, domain.ReleaseAcknowledgedBy, domain.ReleaseInExecution, domain.ReleaseFulfilled,
		domain.ReleaseCancelAsked, domain.ReleaseIsCancelled, domain.ReleasePutBack, domain.ReleaseIsWithdrawn,
	} {
		known(t, releaseState(s), string(s))
	}
	for _, s := range []domain.AttemptState{domain.AttemptOpen, domain.AttemptPromised, domain.AttemptRefused, domain.AttemptClosed} {
		known(t, promiseState(s), string(s))
	}
	for _, h := range []domain.HoldType{domain.HoldCredit, domain.HoldExport, domain.HoldAddress, domain.HoldPrice, domain.HoldManual, domain.HoldMasterData} {
		known(t, holdType(h), string(h))
	}
	for _, r := range []domain.DeliveryRule{domain.Partial, domain.Complete, domain.CancelRemainder, domain.ShipTogether} {
		known(t, ruleOf(r), string(r))
	}
	for _, m := range []domain.ReleaseMode{domain.Automatic, domain.Manual} {
		known(t, modeOf(m), string(m))
	}
	for _, s := range []domain.Strategy{domain.Priority, domain.FewestSplits} {
		known(t, strategy(s), string(s))
	}
	for _, s := range []domain.ChannelState{domain.ChannelOpen, domain.ChannelLocked, domain.ChannelAsleep} {
		known(t, channelState(s), string(s))
	}
	for _, p := range []domain.ShippedPolicy{domain.ShippedOnIssue, domain.ShippedOnDispatch, domain.ShippedOnBoth} {
		known(t, shippedPolicy(p), string(p))
	}
	for _, s := range []domain.ShippedSource{domain.ShippedByChannel, domain.ShippedByTenant} {
		known(t, shippedSource(s), string(s))
	}
	for _, s := range []domain.ShippedStatus{domain.PartiallyShipped, domain.Shipped} {
		known(t, shippedStatus(s), string(s))
	}
	for _, d := range []domain.Delivery{domain.PartiallyDelivered, domain.Delivered} {
		known(t, deliveryStatus(d), string(d))
	}
}

func known(t *testing.T, value protoreflect.Enum, name string) {
	t.Helper()
	v := value.Descriptor().Values().ByNumber(value.Number())
	if value.Number() == 0 || !strings.HasSuffix(string(v.Name()), "_"+name) {
		t.Errorf("%s is %s in the API", name, v.Name())
	}
}
