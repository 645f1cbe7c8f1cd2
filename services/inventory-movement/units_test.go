package inventorymovement_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

func TestHandlingUnits(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"cartons on a pallet":        cartonsOnAPallet,
		"into each other at once":    intoEachOther,
		"one carton, many pallets":   oneCartonManyPallets,
		"units that cannot be":       unitMistakes,
		"unit replays":               unitReplays,
		"a stranger's unit":          strangersUnit,
		"labels":                     labels,
		"weighed before goods issue": weighed,
		"tolerances of sites":        tolerances,
		"cartons planned":            cartonsPlanned,
		"plans that cannot be":       planMistakes,
		"left with the goods issue":  leftWithTheIssue,
	})
}

// measured defines an item with a GTIN, of 450 g and 100 × 100 × 100 mm, with changes.
func (w *world) measured(t *testing.T, pieces int, change func(*md.Item)) (sku string) {
	t.Helper()
	sku = w.item(t)
	item := &md.Item{
		Sku: sku, BaseUnit: "EA", BaseWeightGrams: "450", BaseDimensions: &md.Dimensions{LengthMm: 100, WidthMm: 100, HeightMm: 100},
		Identifiers:    []*md.ItemIdentifier{{Type: md.IdentifierType_IDENTIFIER_TYPE_GTIN, Value: "9501101530003"}},
		PackagingUnits: []*md.PackagingUnit{{Unit: "XX", Numerator: 7, Denominator: 1}},
	}
	if change != nil {
		change(item)
	}
	w.masterData.publish(t, w.Tenant, w.id("itm", sku), &md.ItemDefined{Item: item})
	testkit.Eventually(t, patience, func() error { // the unit is known once the measures are
		_, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: "DC1", Sku: sku, Location: "B-1", Change: &commonv1.Quantity{Value: "-1", Unit: "XX"}, Reason: "PROBE"})
		if f, ok := fault.As(err); ok && f.Reason == "UNIT_UNKNOWN" {
			return err
		}
		return nil
	})
	return sku
}

// order releases pieces of items that are in stock and has them picked.
func (w *world) pickedOrder(t *testing.T, pieces int, skus ...string) (who string) {
	t.Helper()
	var lines []line
	for _, sku := range skus {
		w.receive(t, sku, "B-1", ea(pieces))
		lines = append(lines, line{sku, pieces, ""})
	}
	_, who = w.release(t, lines...)
	w.state(t, who, "ALLOCATED")
	for i := range skus {
		w.confirm(t, who, picked(i+1, pieces))
	}
	return who
}

// cartoned packs pieces of a line into a carton with a tare of 100 g.
func (w *world) cartoned(t *testing.T, who string, number, pieces int) (sscc string) {
	t.Helper()
	resp, err := w.wms.PackCarton(t.Context(), &im.PackCartonRequest{
		WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(number, pieces)}, GrossWeightGrams: 1000,
		Packaging: &im.Packaging{PackageType: "CT", TareWeightGrams: 100, LengthMm: 300, WidthMm: 200, HeightMm: 150},
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetReceipt().GetCreatedIds()[0]
}

func (w *world) pallet(t *testing.T, level int32) (sscc string) {
	t.Helper()
	resp, err := w.wms.CreateHandlingUnit(t.Context(), &im.CreateHandlingUnitRequest{
		Site: "DC1", Level: level, Packaging: &im.Packaging{PackageType: "PX", TareWeightGrams: 20_000},
	})
	if err != nil || resp.GetReceipt().GetState() != "OPEN" {
		t.Fatal(resp, err)
	}
	return resp.GetReceipt().GetCreatedIds()[0]
}

func (w *world) nest(t *testing.T, parent string, children ...string) []*commonv1.ItemResult {
	t.Helper()
	resp, err := w.wms.BatchNestHandlingUnits(t.Context(), &im.BatchNestHandlingUnitsRequest{Sscc: parent, ChildSsccs: children})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetResults()
}

func (w *world) tree(t *testing.T, sscc string) *im.GetHandlingUnitResponse {
	t.Helper()
	resp, err := w.wms.GetHandlingUnit(t.Context(), &im.GetHandlingUnitRequest{Sscc: sscc})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func unitState(u *im.HandlingUnit) string {
	return strings.TrimPrefix(u.GetState().String(), "HANDLING_UNIT_STATE_")
}

// unitBecomes waits for a unit to stand somewhere.
func (w *world) unitBecomes(t *testing.T, sscc, want string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		resp, err := w.wms.GetHandlingUnit(t.Context(), &im.GetHandlingUnitRequest{Sscc: sscc})
		if got := unitState(resp.GetHandlingUnit()); err != nil || got != want {
			return fmt.Errorf("it is %s, not %s: %w", got, want, err)
		}
		return nil
	})
}

func content(resp *im.GetHandlingUnitResponse) string {
	var out []string
	for _, l := range resp.GetTotalContent() {
		out = append(out, l.GetQuantity().GetValue()+" "+l.GetSku())
	}
	return strings.Join(out, ", ")
}

func cartonsOnAPallet(t *testing.T, w *world) {
	a, b := w.measured(t, 0, nil), w.measured(t, 0, nil)
	who := w.pickedOrder(t, 10, a, b)
	one, two := w.cartoned(t, who, 1, 6), w.cartoned(t, who, 1, 4)
	three := w.cartoned(t, who, 2, 10)
	u := w.tree(t, one)
	if h := u.GetHandlingUnit(); unitState(h) != "CLOSED" || h.GetLevel() != 1 || h.GetPackaging().GetPackageType() != "CT" || h.GetGrossWeightGrams() != 1000 ||
		h.GetWarehouseOrderId() != who || len(h.GetContent()) != 1 || h.GetContent()[0].GetLineNumber() != 1 || content(u) != "6 "+a {
		t.Errorf("%v", u)
	}
	pallet, container := w.pallet(t, 0), w.pallet(t, 3)
	for _, r := range w.nest(t, pallet, one, two, three) {
		if r.GetReceipt() == nil {
			t.Errorf("%v", r)
		}
	}
	w.nest(t, container, pallet)
	got := w.tree(t, container)
	want := fmt.Sprintf("10 %s, 10 %s", min(a, b), max(a, b))
	if content(got) != want || len(got.GetDescendants()) != 4 || got.GetDescendants()[0].GetSscc() != pallet ||
		got.GetHandlingUnit().GetGrossWeightGrams() != 20_000+20_000+3000 || got.GetDescendants()[0].GetGrossWeightGrams() != 23_000 {
		t.Errorf("%s, want %s: %v", content(got), want, got)
	}
	if p := w.tree(t, two).GetHandlingUnit().GetParentSscc(); p != pallet {
		t.Errorf("it is in %q", p)
	}
	if _, err := w.wms.UnnestHandlingUnit(t.Context(), &im.UnnestHandlingUnitRequest{Sscc: pallet, ChildSscc: two}); err != nil {
		t.Fatal(err)
	}
	if u := w.tree(t, two).GetHandlingUnit(); u.GetParentSscc() != "" {
		t.Errorf("%v", u)
	}
	w.nest(t, pallet, two)
	closed, err := w.wms.CloseHandlingUnit(t.Context(), &im.CloseHandlingUnitRequest{Sscc: pallet, Location: "D-1"})
	if err != nil || closed.GetReceipt().GetState() != "CLOSED" {
		t.Fatal(closed, err)
	}
	_, err = w.wms.UnnestHandlingUnit(t.Context(), &im.UnnestHandlingUnitRequest{Sscc: pallet, ChildSscc: two})
	reason(t, err, fault.Refused, "HANDLING_UNIT_STATE")
	if _, err := w.wms.ReopenHandlingUnit(t.Context(), &im.ReopenHandlingUnitRequest{Sscc: pallet}); err != nil {
		t.Fatal(err)
	}
	if u := w.tree(t, pallet).GetHandlingUnit(); unitState(u) != "OPEN" || u.GetLocation() != "D-1" || len(u.GetChildSsccs()) != 3 {
		t.Errorf("%v", u)
	}
	testkit.Eventually(t, patience, func() error { // lists trail
		resp, err := w.wms.ListHandlingUnits(t.Context(), &im.ListHandlingUnitsRequest{WarehouseOrderId: who})
		if err != nil || len(resp.GetHandlingUnits()) != 3 {
			return fmt.Errorf("%v %w", resp, err)
		}
		return nil
	})
}

// leftWithTheIssue: a pallet with cartons of two orders left with the second one.
func leftWithTheIssue(t *testing.T, w *world) {
	a := w.measured(t, 0, nil)
	first, second := w.pickedOrder(t, 2, a), w.pickedOrder(t, 3, a)
	one, two := w.cartoned(t, first, 1, 2), w.cartoned(t, second, 1, 3)
	pallet, container := w.pallet(t, 2), w.pallet(t, 4)
	w.nest(t, pallet, one, two)
	w.nest(t, container, pallet)
	w.issue(t, first)
	w.unitBecomes(t, one, "ISSUED")
	_, err := w.wms.UnnestHandlingUnit(t.Context(), &im.UnnestHandlingUnitRequest{Sscc: pallet, ChildSscc: two})
	if err != nil {
		t.Fatal(err)
	}
	w.unitBecomes(t, pallet, "ISSUED") // all that is left on it is gone
	w.unitBecomes(t, container, "ISSUED")
	if r := w.nest(t, w.pallet(t, 2), one)[0].GetFailure(); r.GetReason() != "HANDLING_UNIT_STATE" {
		t.Errorf("nested after it left: %v", r)
	}
	if r := w.nest(t, pallet, two)[0].GetFailure(); r.GetReason() != "HANDLING_UNIT_STATE" {
		t.Errorf("nested into what left: %v", r)
	}
	if p := w.tree(t, two).GetHandlingUnit().GetParentSscc(); p != "" {
		t.Errorf("it is in %q", p)
	}
	other := w.pallet(t, 2)
	w.nest(t, other, two)
	w.issue(t, second)
	w.unitBecomes(t, other, "ISSUED")
}

// intoEachOther: many callers put units of all levels into each other, and take them out again.
// Then none is in itself, none is in two, and both sides say the same.
func intoEachOther(t *testing.T, w *world) {
	var units []string
	for i := range 6 {
		units = append(units, w.pallet(t, int32(2+i%3)))
	}
	var group sync.WaitGroup
	for caller := range 16 {
		group.Go(func() {
			for i := range 6 {
				parent, child := units[(caller+i)%6], units[(caller*5+i*2+1)%6]
				if parent == child {
					continue
				}
				resp, err := w.wms.BatchNestHandlingUnits(t.Context(), &im.BatchNestHandlingUnitsRequest{Sscc: parent, ChildSsccs: []string{child}})
				if err != nil {
					t.Error(err)
					return
				}
				if f := resp.GetResults()[0].GetFailure(); f != nil && !slices.Contains([]string{"HANDLING_UNIT_LEVEL", "HANDLING_UNIT_NESTED"}, f.GetReason()) {
					t.Errorf("%v", f)
				}
				if i%2 == 0 {
					_, err := w.wms.UnnestHandlingUnit(t.Context(), &im.UnnestHandlingUnitRequest{Sscc: parent, ChildSscc: child})
					if f, refused := fault.As(err); err != nil && (!refused || f.Reason != "HANDLING_UNIT_NOT_NESTED") {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	in := map[string]string{}
	for _, parent := range units {
		for _, child := range w.tree(t, parent).GetHandlingUnit().GetChildSsccs() {
			if in[child] != "" {
				t.Errorf("%s is in %s and in %s", child, in[child], parent)
			}
			in[child] = parent
		}
	}
	for _, u := range units {
		if got := w.tree(t, u).GetHandlingUnit().GetParentSscc(); got != in[u] {
			t.Errorf("%s is in %q, %q has it", u, got, in[u])
		}
		for at, n := in[u], 0; at != ""; at, n = in[at], n+1 {
			if n > len(units) {
				t.Fatalf("%s is in itself: %v", u, in)
			}
		}
	}
}

func oneCartonManyPallets(t *testing.T, w *world) {
	carton := w.cartoned(t, w.pickedOrder(t, 1, w.measured(t, 0, nil)), 1, 1)
	var pallets []string
	for range 4 {
		pallets = append(pallets, w.pallet(t, 0))
	}
	var taken sync.Map
	var group sync.WaitGroup
	for caller := range 32 {
		group.Go(func() {
			parent := pallets[caller%len(pallets)]
			resp, err := w.wms.BatchNestHandlingUnits(t.Context(), &im.BatchNestHandlingUnitsRequest{Sscc: parent, ChildSsccs: []string{carton}})
			switch {
			case err != nil:
				t.Error(err)
			case resp.GetResults()[0].GetReceipt() != nil:
				taken.Store(caller, parent)
			case resp.GetResults()[0].GetFailure().GetReason() != "HANDLING_UNIT_NESTED":
				t.Errorf("%v", resp)
			}
		})
	}
	group.Wait()
	n := 0
	taken.Range(func(_, parent any) bool {
		n++
		if got := w.tree(t, carton).GetHandlingUnit().GetParentSscc(); got != parent {
			t.Errorf("it is in %q, %v took it", got, parent)
		}
		return true
	})
	if n != 1 {
		t.Errorf("%d pallets took it", n)
	}
}

func unitMistakes(t *testing.T, w *world) {
	pallet := w.pallet(t, 0)
	for name, tt := range map[string]struct {
		run    func() error
		kind   fault.Kind
		reason string
	}{
		"a site that is none": {func() error {
			_, err := w.wms.CreateHandlingUnit(t.Context(), &im.CreateHandlingUnitRequest{Site: "DC9"})
			return err
		}, fault.Invalid, "SITE_UNKNOWN"},
		"a site that issues no SSCC": {func() error {
			_, err := w.wms.CreateHandlingUnit(t.Context(), &im.CreateHandlingUnitRequest{Site: "DC2"})
			return err
		}, fault.Invalid, "SSCC_REQUIRED"},
		"a level of cartons": {func() error {
			_, err := w.wms.CreateHandlingUnit(t.Context(), &im.CreateHandlingUnitRequest{Site: "DC1", Level: 1})
			return err
		}, fault.Invalid, "HANDLING_UNIT_LEVEL"},
		"a wrong check digit": {func() error {
			_, err := w.wms.CreateHandlingUnit(t.Context(), &im.CreateHandlingUnitRequest{Site: "DC2", Sscc: "340123450000000018"})
			return err
		}, fault.Invalid, "SSCC_INVALID"},
		"an SSCC that was issued here": {func() error {
			_, err := w.wms.CreateHandlingUnit(t.Context(), &im.CreateHandlingUnitRequest{Site: "DC1", Sscc: pallet})
			return err
		}, fault.Refused, "SSCC_INVALID"},
		"a virtual place": {func() error {
			_, err := w.wms.CloseHandlingUnit(t.Context(), &im.CloseHandlingUnitRequest{Sscc: pallet, Location: "PACKING"})
			return err
		}, fault.Invalid, "LOCATION_RESERVED"},
		"an unknown unit": {func() error {
			_, err := w.wms.ReopenHandlingUnit(t.Context(), &im.ReopenHandlingUnitRequest{Sscc: "340123450000000017"})
			return err
		}, fault.NotFound, "NOT_FOUND"},
		"not in it": {func() error {
			_, err := w.wms.UnnestHandlingUnit(t.Context(), &im.UnnestHandlingUnitRequest{Sscc: pallet, ChildSscc: pallet})
			return err
		}, fault.Refused, "HANDLING_UNIT_NOT_NESTED"},
	} {
		t.Run(name, func(t *testing.T) { reason(t, tt.run(), tt.kind, tt.reason) })
	}
	if f := w.nest(t, pallet, "340123450000000017", pallet); f[0].GetFailure().GetReason() != "NOT_FOUND" || f[1].GetFailure().GetReason() != "HANDLING_UNIT_LEVEL" {
		t.Errorf("%v", f)
	}
	own, err := w.wms.CreateHandlingUnit(t.Context(), &im.CreateHandlingUnitRequest{Site: "DC2", Sscc: "340123460000000016"})
	if err != nil {
		t.Fatal(err)
	}
	if f := w.nest(t, w.pallet(t, 5), own.GetReceipt().GetCreatedIds()[0]); f[0].GetFailure().GetReason() != "HANDLING_UNIT_SITE" {
		t.Errorf("%v", f)
	}
	void, err := w.wms.VoidHandlingUnit(t.Context(), &im.VoidHandlingUnitRequest{Sscc: pallet, Reason: "BROKEN"})
	if err != nil || void.GetReceipt().GetState() != "VOID" {
		t.Errorf("%v %v", void, err)
	}
}
