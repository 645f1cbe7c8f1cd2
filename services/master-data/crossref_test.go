package masterdata_test

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	masterdata "github.com/lockstep-logistics/lockstep/services/master-data"
)

// trails bounds how long a list may take to show what was put.
const trails = 30 * time.Second

const itemType = masterdatav1.ObjectType_OBJECT_TYPE_ITEM

func onDay(n int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC))
}

func reference(system, external, object string) *masterdatav1.CrossReference {
	return &masterdatav1.CrossReference{
		System: system, ObjectType: itemType, ExternalId: external, ObjectKey: object,
		Direction: masterdatav1.CrossReferenceDirection_CROSS_REFERENCE_DIRECTION_BOTH,
	}
}

func putItems(t *testing.T, c masterdatav1.MasterDataServiceClient, skus ...string) {
	t.Helper()
	for _, sku := range skus {
		if _, err := c.PutItem(t.Context(), &masterdatav1.PutItemRequest{Sku: sku, Item: item(sku)}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCrossReferences: one item known by several ids in several systems, an id that changes its
// meaning, and the refusal of a second meaning with who has it.
func TestCrossReferences(t *testing.T) {
	onEngines(t, func(t *testing.T, s *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		putItems(t, c, "TEA", "CUP")
		put := func(r *masterdatav1.CrossReference) (*commonv1.Receipt, error) {
			resp, err := c.PutCrossReference(t.Context(), &masterdatav1.PutCrossReferenceRequest{CrossReference: r})
			return resp.GetReceipt(), err
		}
		old := reference("erp", "4711/A", "TEA")
		old.ValidTo = onDay(10)
		first, err := put(old)
		if err != nil || first.GetId() != ident.Derive("xrf", s.Tenant, "erp", "ITEM", "4711/A") {
			t.Fatal(first, err)
		}
		if same, err := put(old); err != nil || same.GetEtag() != first.GetEtag() {
			t.Errorf("put twice alike: %v, %v", same, err)
		}
		late := reference("erp", "4711/A", "CUP")
		late.ValidFrom = onDay(9)
		_, err = put(late)
		fields := reason(t, err, fault.Conflict, "EXTERNAL_ID_TAKEN")
		if f, _ := fault.As(err); f.Metadata["object_key"] != "TEA" || fields[0].Path != "cross_reference.external_id" {
			t.Errorf("taken: %v %v", f.Metadata, fields)
		}
		late.ValidFrom = onDay(10)
		for _, r := range []*masterdatav1.CrossReference{late, reference("wms", "T-1", "TEA"), reference("wms", "T-2", "TEA")} {
			if _, err := put(r); err != nil {
				t.Fatal(err)
			}
		}
		for at, want := range map[int]string{1: "TEA", 9: "TEA", 10: "CUP", 31: "CUP"} {
			resp, err := c.ResolveCrossReference(t.Context(), &masterdatav1.ResolveCrossReferenceRequest{System: "erp", ObjectType: itemType, ExternalId: "4711/A", AsOfTime: onDay(at)})
			if err != nil || resp.GetObjectKey() != want || resp.GetObjectId() != ident.Derive("itm", s.Tenant, want) {
				t.Errorf("day %d: %v, %v", at, resp, err)
			}
		}
		now, err := c.ResolveCrossReference(t.Context(), &masterdatav1.ResolveCrossReferenceRequest{System: "erp", ObjectType: itemType, ExternalId: "4711/A"})
		if err != nil || now.GetObjectKey() != "CUP" {
			t.Error(now, err)
		}
		got, err := c.GetCrossReference(t.Context(), &masterdatav1.GetCrossReferenceRequest{System: "erp", ObjectType: itemType, ExternalId: "4711/A"})
		if err != nil || len(got.GetCrossReference().GetMeanings()) != 2 || got.GetCrossReference().GetMeanings()[1].GetObjectKey() != "CUP" {
			t.Error(got, err)
		}
		outbound(t, c, "TEA", "wms", 0, "T-1", "T-2")
		outbound(t, c, "TEA", "erp", 5, "4711/A")
		outbound(t, c, "TEA", "erp", 10)
		listed(t, c)
		ended(t, c)
	})
}

// outbound asks by which ids a system knows an item on a day; day 0 is now.
func outbound(t *testing.T, c masterdatav1.MasterDataServiceClient, sku, system string, at int, want ...string) {
	t.Helper()
	req := &masterdatav1.ResolveExternalIdsRequest{ObjectType: itemType, ObjectKey: sku, System: system}
	if at > 0 {
		req.AsOfTime = onDay(at)
	}
	testkit.Eventually(t, trails, func() error {
		resp, err := c.ResolveExternalIds(t.Context(), req)
		if fault.IsKind(err, fault.NotFound) && len(want) == 0 {
			return nil
		}
		var got []string
		for _, e := range resp.GetExternalIds() {
			got = append(got, e.GetExternalId())
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("%s knows %s by %v, want %v: %w", system, sku, got, want, err)
		}
		return nil
	})
}

func listed(t *testing.T, c masterdatav1.MasterDataServiceClient) {
	t.Helper()
	for name, tt := range map[string]struct {
		req  *masterdatav1.ListCrossReferencesRequest
		want int
	}{
		"all": {&masterdatav1.ListCrossReferencesRequest{}, 3}, "of a system": {&masterdatav1.ListCrossReferencesRequest{System: "wms"}, 2},
		"of an item": {&masterdatav1.ListCrossReferencesRequest{ObjectType: itemType, ObjectKey: "TEA"}, 3},
		"of nobody":  {&masterdatav1.ListCrossReferencesRequest{ObjectType: masterdatav1.ObjectType_OBJECT_TYPE_PARTY, ObjectKey: "TEA"}, 0},
	} {
		testkit.Eventually(t, trails, func() error {
			resp, err := c.ListCrossReferences(t.Context(), proto.CloneOf(tt.req))
			if err != nil || len(resp.GetCrossReferences()) != tt.want {
				return fmt.Errorf("%s: %v, %w", name, resp, err)
			}
			return nil
		})
	}
}

// ended ends the meanings of an id: then it means nothing, and may mean something else.
func ended(t *testing.T, c masterdatav1.MasterDataServiceClient) {
	t.Helper()
	end := &masterdatav1.RetireCrossReferenceRequest{System: "wms", ObjectType: itemType, ExternalId: "T-1"}
	if _, err := c.RetireCrossReference(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	_, err := c.RetireCrossReference(t.Context(), end)
	reason(t, err, fault.NotFound, "NOT_IN_USE")
	_, err = c.ResolveCrossReference(t.Context(), &masterdatav1.ResolveCrossReferenceRequest{System: "wms", ObjectType: itemType, ExternalId: "T-1"})
	reason(t, err, fault.NotFound, "NOT_IN_USE")
	outbound(t, c, "TEA", "wms", 0, "T-2")
	again := reference("wms", "T-1", "CUP")
	again.ValidFrom = timestamppb.New(time.Now().Add(time.Hour))
	if _, err := c.PutCrossReference(t.Context(), &masterdatav1.PutCrossReferenceRequest{CrossReference: again}); err != nil {
		t.Errorf("an id that is free again: %v", err)
	}
	end.ExternalId = "NOBODY"
	_, err = c.RetireCrossReference(t.Context(), end)
	reason(t, err, fault.NotFound, "NOT_FOUND")
}

// TestCrossReferencesInBatches: each on its own, and of two that claim one id one is refused.
func TestCrossReferencesInBatches(t *testing.T) {
	onEngines(t, func(t *testing.T, _ *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		putItems(t, c, "TEA", "CUP")
		if _, err := c.PutCarrier(t.Context(), &masterdatav1.PutCarrierRequest{Code: "UPSN", Carrier: &masterdatav1.Carrier{Name: "UPS", Services: []*masterdatav1.CarrierService{
			{Code: "GROUND", Mode: masterdatav1.TransportMode_TRANSPORT_MODE_PARCEL},
		}}}); err != nil {
			t.Fatal(err)
		}
		typed := func(kind masterdatav1.ObjectType, external, object string) *masterdatav1.CrossReference {
			r := reference("tms", external, object)
			r.ObjectType = kind
			return r
		}
		backwards := reference("tms", "X", "TEA")
		backwards.ValidFrom, backwards.ValidTo = onDay(5), onDay(4)
		resp, err := c.BatchPutCrossReferences(t.Context(), &masterdatav1.BatchPutCrossReferencesRequest{CrossReferences: []*masterdatav1.CrossReference{
			reference("tms", "1", "TEA"), reference("tms", "1", "CUP"), reference("tms", "2", "NOBODY"), backwards,
			typed(masterdatav1.ObjectType_OBJECT_TYPE_CARRIER_SERVICE, "1", "UPSN/GROUND"), typed(masterdatav1.ObjectType_OBJECT_TYPE_CARRIER_SERVICE, "2", "UPSN/AIR"),
			typed(masterdatav1.ObjectType_OBJECT_TYPE_UNIT, "CAS", "CS"), typed(masterdatav1.ObjectType_OBJECT_TYPE_UNIT, "QQ", "QQQ"),
			typed(masterdatav1.ObjectType_OBJECT_TYPE_ORDER, "SO-1", "ord_x"),
		}})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"ACTIVE", "EXTERNAL_ID_TAKEN cross_references[1].external_id", "OBJECT_UNKNOWN cross_references[2].object_key",
			"VALIDITY_INVALID cross_references[3].valid_to", "ACTIVE", "OBJECT_UNKNOWN cross_references[5].object_key", "ACTIVE",
			"OBJECT_UNKNOWN cross_references[7].object_key", "ACTIVE",
		}
		for i, r := range resp.GetResults() {
			got := r.GetReceipt().GetState()
			if f := r.GetFailure(); f != nil {
				got = f.GetReason() + " " + f.GetFields()[0].GetField()
			}
			if got != want[i] {
				t.Errorf("%d: %s, want %s", i, got, want[i])
			}
		}
	})
}

// TestNewRecordsAreExported: cross-references, policies, calendars and cut-offs are facts that
// carry their whole state, so that followers keep copies.
func TestNewRecordsAreExported(t *testing.T) {
	onEngines(t, func(t *testing.T, s *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		putItems(t, c, "TEA")
		if _, err := c.PutCrossReference(t.Context(), &masterdatav1.PutCrossReferenceRequest{CrossReference: reference("erp", "1", "TEA")}); err != nil {
			t.Fatal(err)
		}
		office(t, c)
		admin := clientOf(s, commonv1.Role_ROLE_TENANT_ADMIN)
		if _, err := admin.PutOwnershipPolicy(t.Context(), &masterdatav1.PutOwnershipPolicyRequest{ObjectType: itemType}); err != nil {
			t.Fatal(err)
		}
		facts := commonv1.NewFactsServiceClient(s.Client(masterdata.Name, s.Service(masterdata.Name)))
		for kind, m := range map[string]proto.Message{
			"cross_reference": &masterdatav1.CrossReferenceDefined{}, "ownership": &masterdatav1.OwnershipPolicyDefined{},
			"calendar": &masterdatav1.CalendarDefined{}, "cut_off": &masterdatav1.CutOffDefined{},
		} {
			testkit.Eventually(t, trails, func() error {
				resp, err := facts.Export(t.Context(), &commonv1.ExportRequest{AggregateType: kind})
				if err != nil || len(resp.GetFacts()) != 1 {
					return fmt.Errorf("%s: %v, %w", kind, resp, err)
				}
				return proto.Unmarshal(resp.GetFacts()[0].GetData(), m)
			})
		}
		var ref masterdatav1.CrossReferenceDefined
		resp, err := facts.Export(t.Context(), &commonv1.ExportRequest{AggregateType: "cross_reference"})
		if err != nil || proto.Unmarshal(resp.GetFacts()[0].GetData(), &ref) != nil || ref.GetExternalId() != "1" || ref.GetMeanings()[0].GetObjectKey() != "TEA" {
			t.Error(resp, err)
		}
	})
}
