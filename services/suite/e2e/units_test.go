package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// TestHandlingUnits: orders are picked in waves; cartons are planned, packed, put on a pallet and
// labelled; the pallet does not leave until the scale says what it ought to, or somebody else.
func TestHandlingUnits(t *testing.T) {
	onBothShapes(t, func(t *testing.T, f *fleet.Fleet) {
		t.Run("planned, packed, on a pallet, weighed", func(t *testing.T) { packedAndWeighed(t, supplied(t, f, 1, 10)) })
		t.Run("two orders in a wave", func(t *testing.T) { twoOrdersInAWave(t, supplied(t, f, 1, 10)) })
	})
}

// unit is a handling unit with all that is in it.
func (p party) unit(t *testing.T, sscc string) *inventorymovementv1.GetHandlingUnitResponse {
	t.Helper()
	got := &inventorymovementv1.GetHandlingUnitResponse{}
	unmarshal(t, p.read(t, "/v1/handling-units/"+sscc), got)
	return got
}

func packedAndWeighed(t *testing.T, p party) {
	site, sku := lifecycle.Site, lifecycle.SKU(0)
	p.must(t, http.MethodPut, "/v1/items/"+sku, `{"item":{"name":"Item 0","baseUnit":"EA","baseWeightGrams":"250","baseDimensions":{"lengthMm":"100","widthMm":"100","heightMm":"100"},`+
		`"identifiers":[{"type":"IDENTIFIER_TYPE_GTIN","value":"9501101530003"}]}}`)
	p.must(t, http.MethodPost, "/v1/carton-types:put", fmt.Sprintf(
		`{"site":%q,"cartonType":{"code":"S","innerLengthMm":"200","innerWidthMm":"200","innerHeightMm":"200","tareWeightGrams":"100","maxGrossWeightGrams":"5000"}}`, site))
	id := receipt(t, "order", p.command(t, http.MethodPost, "/v1/orders", "units-order", order("UNITS-1", 10))).GetId()
	p.allocated(t, id)
	who := p.releases(t, id, 1).GetReleases()[0].GetWarehouseOrderId()
	at := "/v1/warehouse-orders/" + who
	testkit.Eventually(t, within, func() error { // the copy of the item may trail
		plan := &inventorymovementv1.PlanCartonsResponse{}
		unmarshal(t, p.read(t, at+":planCartons"), plan)
		if c := plan.GetCartons(); len(c) != 2 || c[0].GetGrossWeightGrams() != 2100 || c[0].GetFillPercent() != "100.0" || c[1].GetGrossWeightGrams() != 600 {
			return fmt.Errorf("%v", plan)
		}
		return nil
	})
	pieces := func(n int) string {
		return fmt.Sprintf(`{"lines":[{"lineNumber":1,"quantity":{"value":"%d","unit":"EA"}}]`, n)
	}
	p.must(t, http.MethodPost, at+":confirmPicks", pieces(10)+`}`)
	var cartons []string
	for i, n := range []int{8, 2} {
		r := receipt(t, "carton", p.command(t, http.MethodPost, at+":packCarton", fmt.Sprintf("units-carton-%d", i),
			pieces(n)+fmt.Sprintf(`,"grossWeightGrams":"%d","packaging":{"packageType":"CT","tareWeightGrams":"100"}}`, 100+250*n)))
		cartons = append(cartons, r.GetCreatedIds()[0])
	}
	pallet := receipt(t, "pallet", p.command(t, http.MethodPost, "/v1/handling-units", "units-pallet",
		fmt.Sprintf(`{"site":%q,"packaging":{"packageType":"PX","tareWeightGrams":"20000"}}`, site))).GetCreatedIds()[0]
	on := "/v1/handling-units/" + pallet
	p.must(t, http.MethodPost, on+":batchNest", fmt.Sprintf(`{"childSsccs":[%q,%q]}`, cartons[0], cartons[1]))
	p.must(t, http.MethodPost, on+":unnest", fmt.Sprintf(`{"childSscc":%q}`, cartons[1]))
	p.must(t, http.MethodPost, on+":batchNest", fmt.Sprintf(`{"childSsccs":[%q]}`, cartons[1]))
	p.must(t, http.MethodPost, on+":close", `{}`)
	got := p.unit(t, pallet)
	if total := got.GetTotalContent(); len(total) != 1 || total[0].GetQuantity().GetValue() != "10" || len(got.GetDescendants()) != 2 ||
		got.GetHandlingUnit().GetGrossWeightGrams() != 22_700 {
		t.Errorf("%v", got)
	}
	label := &inventorymovementv1.GetLabelDataResponse{}
	unmarshal(t, p.read(t, on+"/label-data?customer_purchase_order=PO-1"), label)
	var printed []string
	for _, b := range label.GetBarcodes() {
		printed = append(printed, b.GetHumanReadable())
	}
	text := strings.Join(printed, " ")
	if !strings.HasPrefix(text, "(02)09501101530003(37)10(3303)022700(400)PO-1") || !strings.HasSuffix(text, " (00)"+pallet) {
		t.Errorf("the label says %s", text)
	}

	r := receipt(t, "scale", p.command(t, http.MethodPost, on+":weigh", "units-scale-1", `{"weightGrams":"24000","device":"SCALE-1"}`))
	if len(r.GetReasons()) != 1 || r.GetReasons()[0].GetCode() != "PACK_AUDIT" {
		t.Errorf("%v", r)
	}
	refused(t, "too heavy", p.command(t, http.MethodPost, at+":postGoodsIssue", "units-issue-early", `{}`), "409 PACK_AUDIT")
	p.must(t, http.MethodPost, on+":releaseAuditHold", `{"reason":"WET_PALLET"}`)
	p.must(t, http.MethodPost, at+":postGoodsIssue", `{}`)
	testkit.Eventually(t, within, func() error {
		if s := p.unit(t, pallet).GetHandlingUnit().GetState(); s != inventorymovementv1.HandlingUnitState_HANDLING_UNIT_STATE_ISSUED {
			return fmt.Errorf("the pallet is %s", s)
		}
		return nil
	})
	refused(t, "gone", p.command(t, http.MethodPost, on+":reopen", "units-reopen", `{}`), "409 HANDLING_UNIT_STATE")
	p.traced(t, pallet, "Handling unit put into another", "Handling unit weighed", "Handling unit left")
}

// twoOrdersInAWave: two orders are picked by bin, each into its tote; no other wave has them until
// the first is called off.
func twoOrdersInAWave(t *testing.T, p party) {
	var orders []string
	for i, pieces := range []int{3, 4} {
		number := fmt.Sprintf("WAVE-%d", i)
		id := receipt(t, number, p.command(t, http.MethodPost, "/v1/orders", "waves-order-"+number, order(number, pieces))).GetId()
		p.allocated(t, id)
		orders = append(orders, p.releases(t, id, 1).GetReleases()[0].GetWarehouseOrderId())
	}
	plan := func(key, method string) (state, id, reasons string) {
		t.Helper()
		r := receipt(t, key, p.command(t, http.MethodPost, "/v1/waves", "waves-plan-"+key,
			fmt.Sprintf(`{"site":%q,"method":"WAVE_METHOD_%s","warehouseOrderIds":[%q,%q]}`, lifecycle.Site, method, orders[0], orders[1])))
		for _, x := range r.GetReasons() {
			reasons += x.GetCode() + " "
		}
		return r.GetState(), r.GetId(), reasons
	}
	state, id, reasons := plan("first", "CLUSTER")
	if state != "PLANNED" || reasons != "" {
		t.Fatalf("%s %s", state, reasons)
	}
	got := &inventorymovementv1.GetWaveResponse{}
	unmarshal(t, p.read(t, "/v1/waves/"+id), got)
	steps := got.GetWave().GetSteps()
	if len(steps) != 1 || steps[0].GetQuantity().GetValue() != "7" || len(steps[0].GetSplits()) != 2 || steps[0].GetSplits()[1].GetTote() != 2 {
		t.Errorf("%v", steps)
	}
	if state, _, reasons := plan("second", "BATCH"); state != "CANCELLED" || reasons != "ORDER_WAVED ORDER_WAVED " {
		t.Errorf("%s %s", state, reasons)
	}
	at := "/v1/waves/" + id
	p.must(t, http.MethodPost, at+":release", `{}`)
	p.must(t, http.MethodPost, at+":cancel", `{"reason":"REPLAN"}`)
	refused(t, "off", p.command(t, http.MethodPost, at+":release", "waves-release-again", `{}`), "409 WAVE_STATE")
	testkit.Eventually(t, within, func() error { // the orders are freed by the fact
		one := &inventorymovementv1.GetWarehouseOrderResponse{}
		for _, who := range orders {
			unmarshal(t, p.read(t, "/v1/warehouse-orders/"+who), one)
			if in := one.GetWarehouseOrder().GetWaveId(); in != "" {
				return fmt.Errorf("%s is in %s", who, in)
			}
		}
		return nil
	})
	if state, _, reasons := plan("third", "WAVE"); state != "PLANNED" || reasons != "" {
		t.Errorf("%s %s", state, reasons)
	}
	p.traced(t, "WAVE-0", "Warehouse order put into a wave")
}
