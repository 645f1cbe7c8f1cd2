package masterdata_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

func said(system, message string) *commonv1.SourceRef {
	return &commonv1.SourceRef{System: system, MessageId: message}
}

// itemBy puts an item by the word of a system.
func itemBy(t *testing.T, c masterdatav1.MasterDataServiceClient, i *masterdatav1.Item, system, message string) *commonv1.Receipt {
	t.Helper()
	resp, err := c.PutItem(t.Context(), &masterdatav1.PutItemRequest{Sku: "TEA", Item: i, Source: said(system, message)})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetReceipt()
}

// notTaken is what a receipt says was not taken, "field CODE".
func notTaken(r *commonv1.Receipt) string {
	var all []string
	for _, reason := range r.GetReasons() {
		all = append(all, reason.GetField()+" "+reason.GetCode())
		if !strings.Contains(reason.GetMessage(), "owned by") {
			all = append(all, "with no owner")
		}
	}
	return strings.Join(all, ", ")
}

// TestSurvivorship: the ERP owns an item's name, the WMS its weight. Each put changes its own
// system's fields only, answers what it did not change, and leaves what was said in the record,
// until the systems agree.
func TestSurvivorship(t *testing.T) {
	onEngines(t, func(t *testing.T, s *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		admin := clientOf(s, commonv1.Role_ROLE_TENANT_ADMIN)
		observe := masterdatav1.ConflictRule_CONFLICT_RULE_OBSERVE
		if _, err := admin.PutOwnershipPolicy(t.Context(), &masterdatav1.PutOwnershipPolicyRequest{ObjectType: itemType, Rules: []*masterdatav1.OwnershipRule{
			{Subject: "*", Owner: "erp", ConflictRule: observe}, {Subject: "base_weight_grams", Owner: "wms", ConflictRule: observe},
		}}); err != nil {
			t.Fatal(err)
		}
		get := func() *masterdatav1.ItemRecord {
			t.Helper()
			got, err := c.GetItem(t.Context(), &masterdatav1.GetItemRequest{Sku: "TEA"})
			if err != nil {
				t.Fatal(err)
			}
			return got.GetItem()
		}
		if r := itemBy(t, c, item(""), "wms", "M-1"); notTaken(r) != "" {
			t.Fatalf("who says it first says all of it: %v", r)
		}
		weighed := item("")
		weighed.Name, weighed.BaseWeightGrams = "WMS tea", "600"
		r := itemBy(t, c, weighed, "wms", "M-2")
		got := get()
		if notTaken(r) != "name FIELD_NOT_OWNED" || got.GetItem().GetName() != "Green tea" || got.GetItem().GetBaseWeightGrams() != "600" {
			t.Errorf("the WMS: %v, %v", r, got)
		}
		if o := got.GetObservations(); len(o) != 1 || o[0].GetField() != "name" || o[0].GetSystem() != "wms" || o[0].GetOwner() != "erp" ||
			o[0].GetSaid() != "WMS tea" || o[0].GetHeld() != "Green tea" || o[0].GetMessageId() != "M-2" || o[0].GetConflictRule() != observe || o[0].GetObserveTime() == nil {
			t.Errorf("observed %v", o)
		}
		testkit.Eventually(t, trails, func() error {
			list, err := c.ListObservations(t.Context(), &masterdatav1.ListObservationsRequest{ObjectType: itemType})
			if err != nil || len(list.GetRecords()) != 1 || list.GetRecords()[0].GetObjectKey() != "TEA" || len(list.GetRecords()[0].GetObservations()) != 1 {
				return fmt.Errorf("%v, %w", list, err)
			}
			return nil
		})
		again := itemBy(t, c, weighed, "wms", "M-3")
		now := get()
		now.UpdateTime = got.UpdateTime // the answer is on record
		if notTaken(again) != "name FIELD_NOT_OWNED" || !proto.Equal(now, got) {
			t.Errorf("said again: %v, %v", again, now)
		}
		renamed := item("")
		renamed.Name = "WMS tea"
		r = itemBy(t, c, renamed, "erp", "M-4")
		got = get()
		if notTaken(r) != "base_weight_grams FIELD_NOT_OWNED" || got.GetItem().GetName() != "WMS tea" || got.GetItem().GetBaseWeightGrams() != "600" {
			t.Errorf("the ERP: %v, %v", r, got)
		}
		if o := got.GetObservations(); len(o) != 1 || o[0].GetField() != "base_weight_grams" || o[0].GetSystem() != "erp" {
			t.Errorf("they agree about the name: %v", o)
		}
		if _, err := c.PutItem(t.Context(), &masterdatav1.PutItemRequest{Sku: "TEA", Item: item("")}); err != nil {
			t.Fatal(err)
		}
		if got := get(); got.GetItem().GetName() != "Green tea" || got.GetItem().GetBaseWeightGrams() != "512.5" || len(got.GetObservations()) != 0 {
			t.Errorf("the tenant's own staff says what the ERP said: %v", got)
		}
		testkit.Eventually(t, trails, func() error {
			list, err := c.ListObservations(t.Context(), &masterdatav1.ListObservationsRequest{ObjectType: itemType})
			if err != nil || len(list.GetRecords()) != 0 {
				return fmt.Errorf("%v, %w", list, err)
			}
			return nil
		})
	})
}

// TestOwnershipRefuses: a word that a policy refuses changes nothing and names field, owner and
// rule; in a batch it costs that record only.
func TestOwnershipRefuses(t *testing.T) {
	onEngines(t, func(t *testing.T, s *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		admin := clientOf(s, commonv1.Role_ROLE_TENANT_ADMIN)
		policy := &masterdatav1.PutOwnershipPolicyRequest{ObjectType: itemType, Rules: []*masterdatav1.OwnershipRule{
			{Subject: "name", Owner: "pim", ConflictRule: masterdatav1.ConflictRule_CONFLICT_RULE_REFUSE},
			{Subject: "state", Owner: "erp", ConflictRule: masterdatav1.ConflictRule_CONFLICT_RULE_OBSERVE},
		}}
		if _, err := admin.PutOwnershipPolicy(t.Context(), policy); err != nil {
			t.Fatal(err)
		}
		itemBy(t, c, item(""), "erp", "M-1")
		other := item("TEA")
		other.Name, other.CustomsCode = "Other", "090210"
		_, err := c.PutItem(t.Context(), &masterdatav1.PutItemRequest{Sku: "TEA", Item: other, Source: said("erp", "M-2")})
		if fields := reason(t, err, fault.Refused, "FIELD_NOT_OWNED"); len(fields) != 1 || fields[0].Path != "item.name" {
			t.Errorf("refused for %+v", fields)
		}
		if f, _ := fault.As(err); f.Metadata["owner"] != "pim" || f.Metadata["rule"] != "REFUSE" {
			t.Errorf("refused by %v", f.Metadata)
		}
		resp, err := c.BatchPutItems(t.Context(), &masterdatav1.BatchPutItemsRequest{Items: []*masterdatav1.Item{other, item("CUP")}, Source: said("erp", "M-3")})
		if err != nil || resp.GetResults()[0].GetFailure().GetReason() != "FIELD_NOT_OWNED" || resp.GetResults()[1].GetReceipt() == nil {
			t.Errorf("in a batch: %v, %v", resp, err)
		}
		got, err := c.GetItem(t.Context(), &masterdatav1.GetItemRequest{Sku: "TEA"})
		if err != nil || !proto.Equal(got.GetItem().GetItem(), item("TEA")) {
			t.Errorf("it is now %v, %v", got, err)
		}
		gone, err := c.RetireItem(t.Context(), &masterdatav1.RetireItemRequest{Sku: "TEA", Source: said("pim", "M-4")})
		if err != nil || gone.GetReceipt().GetState() != "ACTIVE" || notTaken(gone.GetReceipt()) != "state FIELD_NOT_OWNED" {
			t.Errorf("retired by another: %v, %v", gone, err)
		}
		gone, err = c.RetireItem(t.Context(), &masterdatav1.RetireItemRequest{Sku: "TEA", Source: said("erp", "M-5")})
		if err != nil || gone.GetReceipt().GetState() != "RETIRED" {
			t.Errorf("retired by its owner: %v, %v", gone, err)
		}
	})
}

// TestPoliciesAreData: the embedded ones hold until the tenant puts its own, which are counted;
// a subject that is no field is refused, and only the administrator may put one.
func TestPoliciesAreData(t *testing.T) {
	onEngines(t, func(t *testing.T, s *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		policy := func() *masterdatav1.OwnershipPolicy {
			t.Helper()
			resp, err := c.GetOwnershipPolicy(t.Context(), &masterdatav1.GetOwnershipPolicyRequest{ObjectType: itemType})
			if err != nil {
				t.Fatal(err)
			}
			return resp.GetPolicy()
		}
		first := policy()
		if !first.GetEmbedded() || first.GetPolicyVersion() != 0 || len(first.GetRules()) == 0 {
			t.Errorf("before any: %v", first)
		}
		itemBy(t, c, item(""), "erp", "M-1")
		named := item("")
		named.Name = "Other"
		if r := itemBy(t, c, named, "wms", "M-2"); notTaken(r) != "name FIELD_NOT_OWNED" {
			t.Errorf("the embedded policy: %v", r)
		}
		if r := itemBy(t, c, named, "sap-eu", "M-3"); notTaken(r) != "" {
			t.Errorf("a system that it does not know: %v", r)
		}
		admin := clientOf(s, commonv1.Role_ROLE_TENANT_ADMIN)
		put := func(etag string, rules ...*masterdatav1.OwnershipRule) (*commonv1.Receipt, error) {
			resp, err := admin.PutOwnershipPolicy(t.Context(), &masterdatav1.PutOwnershipPolicyRequest{ObjectType: itemType, Rules: rules, Etag: etag})
			return resp.GetReceipt(), err
		}
		mine := &masterdatav1.OwnershipRule{Subject: "name", Owner: "sap-eu", ConflictRule: masterdatav1.ConflictRule_CONFLICT_RULE_OBSERVE}
		one, err := put("", mine)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := put(one.GetEtag(), mine); err != nil || same.GetEtag() != one.GetEtag() || policy().GetPolicyVersion() != 1 {
			t.Errorf("the same rules: %v, %v, %v", same, err, policy())
		}
		if _, err := put(one.GetEtag()); err != nil {
			t.Fatal(err)
		}
		if p := policy(); p.GetEmbedded() || p.GetPolicyVersion() != 2 || len(p.GetRules()) != 0 {
			t.Errorf("nobody owns anything: %v", p)
		}
		_, err = put(one.GetEtag(), mine)
		if !fault.IsKind(err, fault.Stale) {
			t.Errorf("a stale version: %v", err)
		}
		_, err = put("", &masterdatav1.OwnershipRule{Subject: "colour", Owner: "erp", ConflictRule: masterdatav1.ConflictRule_CONFLICT_RULE_OBSERVE})
		if fields := reason(t, err, fault.Invalid, "SUBJECT_INVALID"); fields[0].Path != "rules[0].subject" {
			t.Errorf("no field: %+v", fields)
		}
		list, err := c.ListOwnershipPolicies(t.Context(), &masterdatav1.ListOwnershipPoliciesRequest{})
		if err != nil || len(list.GetPolicies()) < 8 || list.GetPolicies()[0].GetEmbedded() || !list.GetPolicies()[1].GetEmbedded() {
			t.Error(list, err)
		}
		_, err = c.PutOwnershipPolicy(t.Context(), &masterdatav1.PutOwnershipPolicyRequest{ObjectType: itemType})
		if !fault.IsKind(err, fault.Denied) {
			t.Errorf("put by logistics: %v", err)
		}
	})
}
