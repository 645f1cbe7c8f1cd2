package masterdata_test

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	masterdata "github.com/lockstep-logistics/lockstep/services/master-data"
)

// as is a client of a person with a role.
func as(s *hosttest.Suite, person string, role commonv1.Role) masterdatav1.MasterDataServiceClient {
	who := s.Caller(role)
	who.Principal = person
	return masterdatav1.NewMasterDataServiceClient(s.Client(masterdata.Name, who))
}

// changeIs waits until a change is in a state.
func changeIs(t *testing.T, c masterdatav1.MasterDataServiceClient, code string, want masterdatav1.ChangeState) *masterdatav1.Change {
	t.Helper()
	var got *masterdatav1.GetChangeResponse
	testkit.Eventually(t, trails, func() error {
		var err error
		if got, err = c.GetChange(t.Context(), &masterdatav1.GetChangeRequest{Code: code}); err != nil || got.GetChange().GetState() != want {
			return fmt.Errorf("%v, %w, want %s", got, err, want)
		}
		return nil
	})
	return got.GetChange()
}

// TestChangeIsApprovedByAnother: a change waits for somebody else's approval and for its time;
// until then the record is as it was, and after it every version can be read.
func TestChangeIsApprovedByAnother(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			start := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
			now := clock.NewManual(start)
			s := hosttest.ServeWith(t, hosttest.Options{Engine: engine, Clock: now}, unit())
			ann, bob := as(s, "ann", commonv1.Role_ROLE_TENANT_ADMIN), as(s, "bob", commonv1.Role_ROLE_TENANT_ADMIN)
			putItems(t, ann, "TEA")
			next := item("TEA")
			next.Name = "Black tea"
			propose := &masterdatav1.ProposeChangeRequest{
				Code: "CR-1", Record: &masterdatav1.ProposeChangeRequest_Item{Item: next}, EffectiveFrom: timestamppb.New(start.Add(24 * time.Hour)), Note: "renamed",
			}
			first, err := ann.ProposeChange(t.Context(), propose)
			if err != nil || first.GetReceipt().GetState() != "PROPOSED" {
				t.Fatal(first, err)
			}
			if again, err := ann.ProposeChange(t.Context(), propose); err != nil || again.GetReceipt().GetId() != first.GetReceipt().GetId() {
				t.Errorf("proposed again: %v, %v", again, err)
			}
			_, err = bob.ProposeChange(t.Context(), propose)
			reason(t, err, fault.Conflict, "CHANGE_TAKEN")
			approve := &masterdatav1.ApproveChangeRequest{Code: "CR-1"}
			_, err = ann.ApproveChange(t.Context(), approve)
			reason(t, err, fault.Refused, "SAME_PERSON")
			_, err = as(s, "carl", commonv1.Role_ROLE_LOGISTICS).ApproveChange(t.Context(), approve)
			if !fault.IsKind(err, fault.Denied) {
				t.Errorf("approved by logistics: %v", err)
			}
			if r, err := bob.ApproveChange(t.Context(), approve); err != nil || r.GetReceipt().GetState() != "APPROVED" {
				t.Fatal(r, err)
			}
			name := func() string {
				got, err := ann.GetItem(t.Context(), &masterdatav1.GetItemRequest{Sku: "TEA"})
				if err != nil {
					t.Fatal(err)
				}
				return got.GetItem().GetItem().GetName()
			}
			now.Step(23 * time.Hour)
			soon := item("CUP") // another, whose time has come: once it is applied, the sweep has passed the first by
			if _, err := ann.ProposeChange(t.Context(), &masterdatav1.ProposeChangeRequest{Code: "CR-2", Record: &masterdatav1.ProposeChangeRequest_Item{Item: soon}}); err != nil {
				t.Fatal(err)
			}
			if _, err := bob.ApproveChange(t.Context(), &masterdatav1.ApproveChangeRequest{Code: "CR-2"}); err != nil {
				t.Fatal(err)
			}
			changeIs(t, ann, "CR-2", masterdatav1.ChangeState_CHANGE_STATE_APPLIED)
			if is := name(); is != "Green tea" {
				t.Errorf("before its time it is %q", is)
			}
			now.Step(time.Hour)
			done := changeIs(t, ann, "CR-1", masterdatav1.ChangeState_CHANGE_STATE_APPLIED)
			if name() != "Black tea" || done.GetProposedBy() != "ann" || done.GetDecidedBy() != "bob" || done.GetApplyTime().AsTime().Before(start.Add(24*time.Hour)) {
				t.Errorf("it is %q after %v", name(), done)
			}
			_, err = bob.RejectChange(t.Context(), &masterdatav1.RejectChangeRequest{Code: "CR-1", Reason: "too late"})
			reason(t, err, fault.Refused, "CHANGE_DECIDED")
			versionsOf(t, ann)
		})
	}
}

// versionsOf reads the versions of the item, one a page.
func versionsOf(t *testing.T, c masterdatav1.MasterDataServiceClient) {
	t.Helper()
	var told []string
	req := &masterdatav1.ListRecordVersionsRequest{ObjectType: itemType, ObjectKey: "TEA", PageSize: 1}
	for {
		page, err := c.ListRecordVersions(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.GetVersions() {
			told = append(told, v.GetItem().GetName()+" by "+v.GetPrincipal())
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if fmt.Sprint(told) != "[Green tea by ann Black tea by service:master-data]" {
		t.Errorf("versions %v", told)
	}
}

// TestChangeThatCannotBe: what is wrong with a record is said when it is proposed; what has become
// wrong when its time comes fails the change and leaves the record as it is; a rejected one does nothing.
func TestChangeThatCannotBe(t *testing.T) {
	onEngines(t, func(t *testing.T, s *hosttest.Suite, _ masterdatav1.MasterDataServiceClient) {
		ann, bob := as(s, "ann", commonv1.Role_ROLE_LOGISTICS), as(s, "bob", commonv1.Role_ROLE_TENANT_ADMIN)
		propose := func(code string, i *masterdatav1.Item) error {
			_, err := ann.ProposeChange(t.Context(), &masterdatav1.ProposeChangeRequest{Code: code, Record: &masterdatav1.ProposeChangeRequest_Item{Item: i}})
			return err
		}
		bad := item("TEA")
		bad.BaseUnit = "XYZ"
		if fields := reason(t, propose("CR-1", bad), fault.Invalid, "UNIT_UNKNOWN"); fields[0].Path != "item.base_unit" {
			t.Errorf("%+v", fields)
		}
		kilos := item("TEA")
		kilos.BaseUnit, kilos.PackagingUnits = "KGM", nil
		for code, i := range map[string]*masterdatav1.Item{"CR-2": kilos, "CR-3": item("CUP")} {
			if err := propose(code, i); err != nil {
				t.Fatal(err)
			}
		}
		putItems(t, ann, "TEA") // in pieces, meanwhile
		if _, err := bob.ApproveChange(t.Context(), &masterdatav1.ApproveChangeRequest{Code: "CR-2"}); err != nil {
			t.Fatal(err)
		}
		if c := changeIs(t, ann, "CR-2", masterdatav1.ChangeState_CHANGE_STATE_FAILED); len(c.GetReason()) < len("BASE_UNIT_FIXED") || c.GetReason()[:len("BASE_UNIT_FIXED")] != "BASE_UNIT_FIXED" {
			t.Errorf("failed for %q", c.GetReason())
		}
		if r, err := bob.RejectChange(t.Context(), &masterdatav1.RejectChangeRequest{Code: "CR-3", Reason: "no"}); err != nil || r.GetReceipt().GetState() != "REJECTED" {
			t.Error(r, err)
		}
		_, err := bob.ApproveChange(t.Context(), &masterdatav1.ApproveChangeRequest{Code: "CR-3"})
		reason(t, err, fault.Refused, "CHANGE_DECIDED")
		_, err = bob.ApproveChange(t.Context(), &masterdatav1.ApproveChangeRequest{Code: "CR-9"})
		reason(t, err, fault.NotFound, "NOT_FOUND")
		if _, err := ann.GetItem(t.Context(), &masterdatav1.GetItemRequest{Sku: "CUP"}); !fault.IsKind(err, fault.NotFound) {
			t.Errorf("a rejected item is there: %v", err)
		}
		testkit.Eventually(t, trails, func() bool {
			list, err := ann.ListChanges(t.Context(), &masterdatav1.ListChangesRequest{State: masterdatav1.ChangeState_CHANGE_STATE_REJECTED})
			return err == nil && len(list.GetChanges()) == 1 && list.GetChanges()[0].GetCode() == "CR-3"
		})
	})
}
