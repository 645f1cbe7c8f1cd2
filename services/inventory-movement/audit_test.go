package inventorymovement_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

func (w *world) weigh(t *testing.T, sscc string, grams int64) *commonv1.Receipt {
	t.Helper()
	resp, err := w.wms.WeighHandlingUnit(t.Context(), &im.WeighHandlingUnitRequest{Sscc: sscc, WeightGrams: grams, Device: "SCALE-1"})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetReceipt()
}

// weighed: 4 pieces of 450 g and a carton of 100 g ought to weigh 1,900 g, within 3 % or 50 g.
func weighed(t *testing.T, w *world) {
	sku := w.measured(t, 0, nil)
	who := w.pickedOrder(t, 4, sku)
	carton, pallet := w.cartoned(t, who, 1, 4), w.pallet(t, 0)
	w.nest(t, pallet, carton)
	refused := func(sscc string) {
		t.Helper()
		_, err := w.wms.PostGoodsIssue(t.Context(), &im.PostGoodsIssueRequest{WarehouseOrderId: who})
		if f := reason(t, err, fault.Refused, "PACK_AUDIT"); f.Metadata["sscc"] != sscc {
			t.Errorf("%v", f)
		}
	}
	r := w.weigh(t, carton, 1450) // a piece is missing
	if len(r.GetReasons()) != 1 || r.GetReasons()[0].GetCode() != "PACK_AUDIT" {
		t.Errorf("%v", r)
	}
	if h := w.tree(t, carton).GetHandlingUnit().GetAuditHold(); h.GetWeightGrams() != 1450 || h.GetExpectedWeightGrams() != 1900 || h.GetToleranceGrams() != 57 {
		t.Errorf("%v", h)
	}
	refused(carton)
	_, err := w.wms.ReleaseAuditHold(t.Context(), &im.ReleaseAuditHoldRequest{Sscc: carton, Reason: "SEEN"})
	reason(t, err, fault.Denied, "METHOD_NOT_ALLOWED")
	if r := w.weigh(t, carton, 1957); len(r.GetReasons()) != 0 {
		t.Errorf("%v", r)
	}
	if u := w.tree(t, carton).GetHandlingUnit(); u.GetAuditHold() != nil || u.GetGrossWeightGrams() != 1957 {
		t.Errorf("%v", u)
	}
	w.weigh(t, pallet, 30_000) // 20,000 g and the carton are expected
	refused(pallet)
	if _, err := w.admin().ReleaseAuditHold(t.Context(), &im.ReleaseAuditHoldRequest{Sscc: pallet, Reason: "WET_PALLET"}); err != nil {
		t.Fatal(err)
	}
	_, err = w.admin().ReleaseAuditHold(t.Context(), &im.ReleaseAuditHoldRequest{Sscc: pallet, Reason: "AGAIN"})
	reason(t, err, fault.Refused, "NOT_ON_HOLD")
	w.issue(t, who)
	w.unitBecomes(t, pallet, "ISSUED")
	_, err = w.wms.WeighHandlingUnit(t.Context(), &im.WeighHandlingUnitRequest{Sscc: carton, WeightGrams: 1})
	reason(t, err, fault.Refused, "HANDLING_UNIT_STATE")
	w.issue(t, who) // what is issued stays issued
}

func tolerances(t *testing.T, w *world) {
	const site = "DC2"
	get := func() string {
		resp, err := w.wms.GetPackAuditTolerance(t.Context(), &im.GetPackAuditToleranceRequest{Site: site})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d g, %s %%, by setting %t", resp.GetToleranceGrams(), resp.GetTolerancePercent(), resp.GetBySetting())
	}
	set := func(site, percent string) error {
		_, err := w.admin().SetPackAuditTolerance(t.Context(), &im.SetPackAuditToleranceRequest{Site: site, ToleranceGrams: 20, TolerancePercent: percent})
		return err
	}
	reason(t, set(site, "101"), fault.Invalid, "QUANTITY_INVALID")
	reason(t, set("DC9", "1"), fault.Invalid, "SITE_UNKNOWN")
	if err := set(site, "2.5"); err != nil {
		t.Fatal(err)
	}
	if got := get(); got != "20 g, 2.5 %, by setting false" {
		t.Error(got)
	}
	other, err := w.wms.GetPackAuditTolerance(t.Context(), &im.GetPackAuditToleranceRequest{Site: "DC1"})
	if err != nil || other.GetToleranceGrams() != 50 || other.GetTolerancePercent() != "3" || !other.GetBySetting() {
		t.Errorf("%v %v", other, err)
	}
}

func (w *world) cartonType(t *testing.T, c *im.CartonType) {
	t.Helper()
	if _, err := w.wms.PutCartonType(t.Context(), &im.PutCartonTypeRequest{Site: "DC1", CartonType: c}); err != nil {
		t.Fatal(err)
	}
}

func cartonsPlanned(t *testing.T, w *world) {
	w.cartonType(t, &im.CartonType{Code: "S", InnerLengthMm: 200, InnerWidthMm: 200, InnerHeightMm: 200, TareWeightGrams: 100})
	w.cartonType(t, &im.CartonType{Code: "L", InnerLengthMm: 1, InnerWidthMm: 1, InnerHeightMm: 1})
	w.cartonType(t, &im.CartonType{Code: "L", InnerLengthMm: 400, InnerWidthMm: 300, InnerHeightMm: 300, TareWeightGrams: 250, MaxGrossWeightGrams: 30_000})
	w.cartonType(t, &im.CartonType{Code: "X", InnerLengthMm: 9000, InnerWidthMm: 9000, InnerHeightMm: 9000})
	if _, err := w.wms.RetireCartonType(t.Context(), &im.RetireCartonTypeRequest{Site: "DC1", Code: "X"}); err != nil {
		t.Fatal(err)
	}
	types, err := w.wms.GetCartonTypes(t.Context(), &im.GetCartonTypesRequest{Site: "DC1"})
	if err != nil || len(types.GetCartonTypes()) != 2 || types.GetCartonTypes()[0].GetCode() != "L" || types.GetCartonTypes()[0].GetInnerLengthMm() != 400 {
		t.Errorf("%v %v", types, err)
	}
	cube := w.measured(t, 0, nil)
	spray := w.measured(t, 0, func(i *md.Item) { i.Hazmat = &md.Hazmat{UnNumber: "1950", HazardClass: "2.1"} })
	pole := w.measured(t, 0, func(i *md.Item) { i.BaseDimensions.LengthMm = 2000 })
	flat := w.measured(t, 0, func(i *md.Item) { i.BaseDimensions = nil })
	who := w.pickedOrder(t, 38, cube, spray, pole, flat)
	got := w.plan(t, who)
	// 36 cubes fill L, two more go into S; of sprays the same, apart from the cubes.
	want := "L 36 of 1 16450 g 100.0 %; S 2 of 1 1000 g 25.0 %; L 36 of 2 16450 g 100.0 %; S 2 of 2 1000 g 25.0 %; 38 of 4: DIMENSIONS_UNKNOWN; 38 of 3: NO_CARTON_FITS"
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	w.cartoned(t, who, 1, 36) // what happened counts, whatever was suggested
	if got := w.plan(t, who); !strings.HasPrefix(got, "S 2 of 1 1000 g 25.0 %; L 36 of 2") {
		t.Error(got)
	}
}

func (w *world) plan(t *testing.T, who string) string {
	t.Helper()
	resp, err := w.wms.PlanCartons(t.Context(), &im.PlanCartonsRequest{WarehouseOrderId: who})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range resp.GetCartons() {
		text := c.GetCartonType()
		pieces := map[int32]int32{}
		for _, b := range c.GetBlocks() {
			pieces[b.GetLineNumber()] += b.GetCountLength() * b.GetCountWidth() * b.GetCountHeight()
		}
		for number, n := range pieces {
			text += fmt.Sprintf(" %d of %d", n, number)
		}
		out = append(out, fmt.Sprintf("%s %d g %s %%", text, c.GetGrossWeightGrams(), c.GetFillPercent()))
	}
	for _, u := range resp.GetUnplanned() {
		out = append(out, fmt.Sprintf("%s of %d: %s", u.GetQuantity().GetValue(), u.GetLineNumber(), strings.TrimPrefix(u.GetReason().String(), "UNPLANNED_REASON_")))
	}
	return strings.Join(out, "; ")
}

func planMistakes(t *testing.T, w *world) {
	_, err := w.wms.PlanCartons(t.Context(), &im.PlanCartonsRequest{WarehouseOrderId: w.id("who", "none")})
	reason(t, err, fault.NotFound, "NOT_FOUND")
	_, err = w.wms.PutCartonType(t.Context(), &im.PutCartonTypeRequest{Site: "DC9", CartonType: &im.CartonType{Code: "S", InnerLengthMm: 1, InnerWidthMm: 1, InnerHeightMm: 1}})
	reason(t, err, fault.Invalid, "SITE_UNKNOWN")
	_, err = w.wms.RetireCartonType(t.Context(), &im.RetireCartonTypeRequest{Site: "DC1", Code: "NONE"})
	reason(t, err, fault.NotFound, "CARTON_TYPE_UNKNOWN")
}
