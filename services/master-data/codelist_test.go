package masterdata_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// resolve asks what a code means, or how a canonical one is written: the codes with "=" before
// what they mean.
func resolve(t *testing.T, c masterdatav1.MasterDataServiceClient, list, code, canonical string, day int) string {
	t.Helper()
	resp, err := c.ResolveCode(t.Context(), &masterdatav1.ResolveCodeRequest{Code: list, EntryCode: code, CanonicalCode: canonical, AsOfTime: onDay(day)})
	if err != nil {
		f, _ := fault.As(err)
		return f.Reason
	}
	var all []string
	for _, e := range resp.GetEntries() {
		all = append(all, e.GetCode()+"="+e.GetCanonicalCode())
	}
	return strings.Join(all, " ")
}

// TestCodeLists: embedded lists hold; a tenant adds a code, overrides one for a time, makes a
// list of its own, and takes all of it back.
func TestCodeLists(t *testing.T) {
	onEngines(t, func(t *testing.T, s *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		admin := clientOf(s, commonv1.Role_ROLE_TENANT_ADMIN)
		for _, tt := range []struct{ list, code, canonical, want string }{
			{"X12-355", "CA", "", "CA=CS"},
			{"X12-355", "", "CS", "CA=CS"},
			{"X12-1650", "D1", "", "D1=DELIVERED"},
			{"UNECE-20", "KGM", "", "KGM=KGM"},
			{"ISO-3166-1", "DE", "", "DE=DE"},
			{"ISO-4217", "JPY", "", "JPY=JPY"},
			{"EDIFACT-4405", "", "DELIVERED", "21=DELIVERED 22=DELIVERED"},
			{"X12-1650", "QQ", "", "CODE_UNKNOWN"},
			{"NO-LIST", "QQ", "", "NOT_FOUND"},
			{"X12-355", "", "", "REQUIRED"},
			{"X12-355", "CA", "CS", "REQUIRED"},
		} {
			if got := resolve(t, c, tt.list, tt.code, tt.canonical, 1); got != tt.want {
				t.Errorf("%+v: %s", tt, got)
			}
		}
		put := func(code string, entries ...*masterdatav1.CodeEntry) error {
			_, err := admin.PutCodeList(t.Context(), &masterdatav1.PutCodeListRequest{Code: code, CodeList: &masterdatav1.CodeList{Name: "ours", Entries: entries}})
			return err
		}
		if err := put("X12-355", &masterdatav1.CodeEntry{Code: "ZZ", CanonicalCode: "EA"}, &masterdatav1.CodeEntry{Code: "CA", CanonicalCode: "CT", ValidFrom: onDay(10)}); err != nil {
			t.Fatal(err)
		}
		if err := put("ERP-HOLDS", &masterdatav1.CodeEntry{Code: "01", CanonicalCode: "CREDIT", Meaning: "credit limit"}); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			list, code, canonical string
			day                   int
			want                  string
		}{
			{"X12-355", "ZZ", "", 1, "ZZ=EA"},
			{"X12-355", "CA", "", 9, "CODE_UNKNOWN"},
			{"X12-355", "CA", "", 10, "CA=CT"},
			{"X12-355", "", "CT", 10, "CA=CT CT=CT"},
			{"X12-355", "BX", "", 1, "BX=BX"},
			{"ERP-HOLDS", "01", "", 1, "01=CREDIT"},
		} {
			if got := resolve(t, c, tt.list, tt.code, tt.canonical, tt.day); got != tt.want {
				t.Errorf("%+v: %s", tt, got)
			}
		}
		got, err := c.GetCodeList(t.Context(), &masterdatav1.GetCodeListRequest{Code: "X12-355"})
		own := slices.DeleteFunc(slices.Clone(got.GetCodeList().GetCodeList().GetEntries()), func(e *masterdatav1.CodeEntry) bool { return !e.GetOwn() })
		if err != nil || len(own) != 2 || !got.GetCodeList().GetEmbedded() || int(got.GetCodeList().GetEntryCount()) != len(got.GetCodeList().GetCodeList().GetEntries()) ||
			got.GetCodeList().GetCodeList().GetName() != "ours" || got.GetCodeList().GetCodeList().GetStandard() != "ANSI ASC X12" {
			t.Error(got, err)
		}
		testkit.Eventually(t, trails, func() bool {
			list, err := c.ListCodeLists(t.Context(), &masterdatav1.ListCodeListsRequest{})
			return err == nil && len(list.GetCodeLists()) == 11 && list.GetCodeLists()[10].GetCodeList().GetCode() == "ERP-HOLDS"
		})
		err = put("ERP-HOLDS", &masterdatav1.CodeEntry{Code: "01", ValidTo: onDay(5)}, &masterdatav1.CodeEntry{Code: "01", ValidFrom: onDay(4)})
		if fields := reason(t, err, fault.Invalid, "DUPLICATE"); fields[0].Path != "code_list.entries[1].code" {
			t.Errorf("two meanings: %+v", fields)
		}
		for _, code := range []string{"X12-355", "ERP-HOLDS"} {
			if _, err := admin.RetireCodeList(t.Context(), &masterdatav1.RetireCodeListRequest{Code: code}); err != nil {
				t.Fatal(err)
			}
		}
		if now := resolve(t, c, "X12-355", "CA", "", 9) + " " + resolve(t, c, "ERP-HOLDS", "01", "", 9); now != "CA=CS NOT_FOUND" {
			t.Errorf("taken back: %s", now)
		}
		if _, err := c.PutCodeList(t.Context(), &masterdatav1.PutCodeListRequest{Code: "X", CodeList: &masterdatav1.CodeList{}}); !fault.IsKind(err, fault.Denied) {
			t.Errorf("put by logistics: %v", err)
		}
	})
}

// TestUnitsHaveExactFactors: a pound is 0.45359237 kg, as a ratio.
func TestUnitsHaveExactFactors(t *testing.T) {
	c := clientOf(hosttest.Serve(t, "sqlite", unit()), commonv1.Role_ROLE_LOGISTICS)
	units, err := c.ListUnits(t.Context(), &masterdatav1.ListUnitsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range units.GetUnits() {
		if u.GetCode() == "LBR" && (u.GetFactorNumerator() != 45_359_237 || u.GetFactorDenominator() != 100_000_000) {
			t.Errorf("a pound: %v", u)
		}
		if (u.GetFactorDenominator() == 0) != (u.GetDimension() == "") {
			t.Errorf("factor and dimension go together: %v", u)
		}
	}
}
