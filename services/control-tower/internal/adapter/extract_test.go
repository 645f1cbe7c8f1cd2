package adapter

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	inventoryv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/domain"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/storytest"
)

// factTypes are the facts of the services that are linked in: the messages of an
// events.proto that are no part of another message.
func factTypes() []protoreflect.MessageDescriptor {
	var out []protoreflect.MessageDescriptor
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if !strings.HasSuffix(f.Path(), "/events.proto") {
			return true
		}
		parts := map[protoreflect.FullName]bool{}
		for i := range f.Messages().Len() {
			fields := f.Messages().Get(i).Fields()
			for j := range fields.Len() {
				if m := fields.Get(j).Message(); m != nil {
					parts[m.FullName()] = true
				}
			}
		}
		for i := range f.Messages().Len() {
			if m := f.Messages().Get(i); !parts[m.FullName()] {
				out = append(out, m)
			}
		}
		return true
	})
	return out
}

// keyTypes are the types of key that messages of a type can carry, at any depth.
func keyTypes(m protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) map[domain.KeyType]bool {
	out := map[domain.KeyType]bool{}
	if seen[m.FullName()] {
		return out
	}
	seen[m.FullName()] = true
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		if t := keyType(f); t != 0 {
			out[typeOf(t)] = true
		}
		if f.Message() != nil {
			for t := range keyTypes(f.Message(), seen) {
				out[t] = true
			}
		}
	}
	return out
}

// unlinked are the facts without a linking key of their own, and why that is right.
var unlinked = map[string]string{
	"inventorymovement.StockReserved":        "an order's claim on a stock: joins the order whose fact caused it",
	"inventorymovement.ReservationReleased":  "the end of such a claim: joins the order whose fact caused it",
	"inventorymovement.ReservationConfirmed": "a claim that has no order yet: in nobody's story",
	"inventorymovement.AllocationPolicySet":  "how a site allocates: reference data",
	"inventorymovement.PutawayRulesSet":      "to which bins goods go: reference data",
	"inventorymovement.NumbersTaken":         "a block of serial numbers of a company prefix: in nobody's story",
	"freightsettlement.RateCardPublished":    "reference data: a charge says which card made it",
	"orderrelease.SourcingRulesChanged":      "reference data: an order says which version sourced it",
	"orderrelease.ReleaseChannelDefined":     "reference data: a release that waits names its channel",
	"orderrelease.ReleaseChannelClosed":      "the same",
	"orderrelease.ReleaseChannelOpened":      "the same",
}

// TestEveryFactLinks: every fact of every service carries a key by which it is found, or is
// known not to.
func TestEveryFactLinks(t *testing.T) {
	facts := factTypes()
	if len(facts) < 70 {
		t.Fatalf("only %d facts are linked in", len(facts))
	}
	for _, m := range facts {
		name := strings.TrimSuffix(strings.TrimPrefix(string(m.ParentFile().Package()), "lockstep."), ".v1") + "." + string(m.Name())
		links := false
		for k := range keyTypes(m, map[protoreflect.FullName]bool{}) {
			links = links || domain.Key{Type: k, Value: "x"}.Links()
		}
		if _, known := unlinked[name]; known == links {
			t.Errorf("%s links: %t, on the list of those that do not: %t", name, links, known)
		}
	}
}

// notSources are the packages with facts that make no story, and why.
var notSources = map[string]string{
	"masterdata": "records that documents refer to; no story goes through them",
	"probe":      "the framework's own test service",
}

// TestEverySourceIsLinked: the facts of every service of the repository are known by name, so
// that none of them waits as a dead letter.
func TestEverySourceIsLinked(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testkit.Root(), "proto/lockstep/*/v1/events.proto"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d event files, %v", len(files), err)
	}
	for _, file := range files {
		pkg := filepath.Base(filepath.Dir(filepath.Dir(file)))
		_, err := protoregistry.GlobalFiles.FindFileByPath("lockstep/" + pkg + "/v1/events.proto")
		if linked := err == nil; linked == (notSources[pkg] != "") {
			t.Errorf("facts of %s are linked: %t", pkg, linked)
		}
		isSource := slices.ContainsFunc(Sources, func(s string) bool { return strings.ReplaceAll(s, "-", "") == pkg })
		if isSource == (notSources[pkg] != "") {
			t.Errorf("%s is a source: %t", pkg, isSource)
		}
	}
}

// TestTitlesAreOfFacts: no title outlives its fact.
func TestTitlesAreOfFacts(t *testing.T) {
	for pkg, names := range titles {
		for name, template := range names {
			full := protoreflect.FullName("lockstep." + pkg + ".v1." + name)
			m, err := protoregistry.GlobalTypes.FindMessageByName(full)
			if err != nil {
				t.Errorf("%s: %v", full, err)
				continue
			}
			for _, field := range named.FindAllStringSubmatch(template, -1) {
				if !hasPath(m.Descriptor(), field[1]) {
					t.Errorf("%s: no field %s", full, field[1])
				}
			}
		}
	}
}

func hasPath(m protoreflect.MessageDescriptor, path string) bool {
	first, rest, nested := strings.Cut(path, ".")
	f := m.Fields().ByName(protoreflect.Name(first))
	if f == nil {
		return false
	}
	if nested {
		return f.Message() != nil && hasPath(f.Message(), rest)
	}
	return f.Kind() == protoreflect.EnumKind || isTold(f)
}

// TestEveryKeyIsExtracted fills every field of every fact that is a key, at any depth, and
// finds each of them.
func TestEveryKeyIsExtracted(t *testing.T) {
	for _, d := range factTypes() {
		m := dynamicpb.NewMessage(d)
		want := map[string]bool{}
		fill(m, "v", want, 0)
		got := map[string]bool{}
		for _, k := range extract(m).keys {
			got[k.GetValue()] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", d.FullName(), diff)
		}
	}
}

// fill sets the key fields of a message to values of their own, two in each list.
func fill(m protoreflect.Message, path string, want map[string]bool, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		at := fmt.Sprintf("%s.%s", path, f.Name())
		set := func(value string) protoreflect.Value {
			want[value] = true
			return protoreflect.ValueOfString(value)
		}
		isKey := keyType(f) != 0 && f.Kind() == protoreflect.StringKind
		switch {
		case f.IsMap() || depth > 5:
		case f.IsList() && isKey:
			list := m.Mutable(f).List()
			list.Append(set(at + "0"))
			list.Append(set(at + "1"))
		case isKey:
			m.Set(f, set(at))
		case f.Message() == nil || f.Message().ParentFile().Package() == "google.protobuf" || f.Message().Name() == "Quantity":
		case f.IsList():
			list := m.Mutable(f).List()
			for j := range 2 {
				e := list.NewElement()
				fill(e.Message(), at+fmt.Sprint(j), want, depth+1)
				list.Append(e)
			}
		default:
			fill(m.Mutable(f).Message(), at, want, depth+1)
		}
	}
}

// TestEveryKeyTypeHasARole: a new type of key is a decision.
func TestEveryKeyTypeHasARole(t *testing.T) {
	want := map[domain.Role][]string{
		domain.Label:    {"ITEM", "ORDER_LINE", "STOCK"},
		domain.Document: {"", "FREIGHT", "ORDER", "RELEASE", "RMA", "SHIPMENT", "WAREHOUSE_ORDER"},
		domain.Gather:   {"CONTROL_NUMBER", "FREIGHT_INVOICE", "LOAD", "WAVE"},
		domain.Name: {
			"ASN_NUMBER", "BILL_OF_LADING", "DELIVERY_NUMBER", "INBOUND_DELIVERY", "ORDER_NUMBER", "PRO_NUMBER", "PURCHASE_ORDER", "SERIAL", "SSCC",
			"STOCK_COUNT", "STOCK_SNAPSHOT", "STOCK_TRANSFER",
			"TRACKING_NUMBER", "VOUCHER",
		},
	}
	got := map[domain.Role][]string{}
	for n := range commonv1.BusinessKeyType_name {
		k := domain.Key{Type: typeOf(commonv1.BusinessKeyType(n)), Value: ident.Derive("xyz", "t")}
		got[k.Role()] = append(got[k.Role()], string(k.Type))
		if back := typeProto(k.Type); back != commonv1.BusinessKeyType(n) {
			t.Errorf("%s comes back as %s", k.Type, back)
		}
	}
	for _, names := range got {
		slices.Sort(names)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func envelope(m proto.Message) bus.Fact {
	data, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return bus.Fact{
		ID: "x:1:0", Service: "s", AggregateType: "a", Tenant: "t", AggregateID: "x", Version: 1, Count: 1,
		Type: string(proto.MessageName(m)), Data: data,
	}
}

// TestFigures: a step tells what the fact states as a whole, or its topmost lines, and not the
// same again by carton or posting.
func TestFigures(t *testing.T) {
	story := storytest.New("t")
	n := story.Ship("4711")
	story.Invoice("INV-1", n)
	got := map[string][]string{}
	for _, f := range story.Envelopes() {
		s := step(f)
		name := f.Type[strings.LastIndexByte(f.Type, '.')+1:]
		got[name] = nil
		for _, q := range s.GetQuantities() {
			got[name] = append(got[name], fmt.Sprintf("%s %d: %s %s", q.GetName(), q.GetLineNumber(), q.GetQuantity().GetValue(), q.GetQuantity().GetUnit()))
		}
		for _, a := range s.GetAmounts() {
			got[name] = append(got[name], fmt.Sprintf("%s %d: %d %s", a.GetName(), a.GetLineNumber(), a.GetAmount().GetAmountMinor(), a.GetAmount().GetCurrency()))
		}
	}
	for name, want := range map[string][]string{
		"PickConfirmed":      {"quantity 1: 12 EA"},
		"GoodsIssued":        {"quantity 1: 12 EA"}, // once, not by carton again
		"StockMoved":         {"quantity 1: 12 EA"}, // a plain decimal in the stock's unit
		"StockReserved":      {"quantity 0: 12 EA"},
		"CartonPacked":       {"quantity 1: 12 EA"},
		"FreightEstimated":   {"total 0: 11300 EUR"},
		"ChargesSettled":     {"paid 0: 10000 EUR"},
		"FreightInvoicePaid": {"amount 0: 10000 EUR"},
		"OrderValidated":     nil,
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	var many []*inventoryv1.WarehouseLineQuantity
	for i := range mostFigures + 1 {
		many = append(many, &inventoryv1.WarehouseLineQuantity{LineNumber: int32(i + 1), Quantity: &commonv1.Quantity{Value: "1", Unit: "EA"}})
	}
	if s := step(envelope(&inventoryv1.PickConfirmed{Lines: many})); len(s.GetQuantities()) != mostFigures || !s.GetFiguresOmitted() {
		t.Errorf("%d quantities, omitted: %t", len(s.GetQuantities()), s.GetFiguresOmitted())
	}
}

// TestEventTime: what happened, not what is due; else what the source says; else nothing.
func TestEventTime(t *testing.T) {
	at := &timestamppb.Timestamp{Seconds: 1_800_000_000}
	due := &timestamppb.Timestamp{Seconds: 1_900_000_000}
	for name, tt := range map[string]struct {
		m    proto.Message
		want *timestamppb.Timestamp
	}{
		"of the fact":     {&inventoryv1.PickConfirmed{EventTime: at}, at},
		"of a part of it": {&shipmentv1.MilestoneRecorded{Milestone: &shipmentv1.Milestone{EventTime: at, RecordedTime: due}}, at},
		"not a deadline":  {&orderv1.PromiseRequested{DueTime: due, RequestedTime: at}, at},
		"nothing":         {&orderv1.PromiseClosed{RetryTime: due}, nil},
	} {
		if diff := cmp.Diff(tt.want, step(envelope(tt.m)).GetEventTime(), protocmp.Transform()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	f := envelope(&orderv1.OrderClosed{})
	f.Source = ident.SourceRef{System: "erp", MessageID: "m-1", EventTime: at.AsTime()}
	if s := step(f); !proto.Equal(s.GetEventTime(), at) || s.GetSourceSystem() != "erp" || s.GetSourceMessageId() != "m-1" {
		t.Errorf("the source's own words are lost: %v", s)
	}
}

func TestTitles(t *testing.T) {
	for want, m := range map[string]proto.Message{
		"Released to DC[1]": &orderv1.OrderReleased{Site: "DC[1]"},
		"Released":          &orderv1.OrderReleased{},
		"Counts as shipped by goods issue and dispatch":                 &orderv1.LinesShipped{Policy: orderv1.ShippedPolicy_SHIPPED_POLICY_GOODS_ISSUE_AND_DISPATCH},
		"Milestone: out for delivery, estimated":                        milestone(""),
		"Milestone: out for delivery, estimated, at Bremen":             milestone("Bremen"),
		"A report of the warehouse contradicts its order: after cancel": &inventoryv1.ReportContradicted{Reason: inventoryv1.ContradictionReason_CONTRADICTION_REASON_AFTER_CANCEL},
		"Picked short: damaged":                                         &inventoryv1.PickShorted{Reason: inventoryv1.ShortReason_SHORT_REASON_DAMAGED},
	} {
		if got := title(step(envelope(m))); got != want {
			t.Errorf("%T is %q, want %q", m, got, want)
		}
	}
	if got := title(&controltowerv1.TraceStep{Type: "lockstep.later.v1.PalletWrapped"}); got != "Pallet wrapped" {
		t.Errorf("a fact without a title is %q", got)
	}
}

func milestone(place string) *shipmentv1.MilestoneRecorded {
	return &shipmentv1.MilestoneRecorded{Milestone: &shipmentv1.Milestone{
		Code:       shipmentv1.MilestoneCode_MILESTONE_CODE_OUT_FOR_DELIVERY,
		Classifier: shipmentv1.MilestoneClassifier_MILESTONE_CLASSIFIER_ESTIMATED, Place: place,
	}}
}
