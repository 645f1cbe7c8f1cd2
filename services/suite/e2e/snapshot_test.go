package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// TestSnapshot: the nightly balance file of the warehouse differs from the ledger in three keys.
// One is a pick that is told late and clears itself, one a receipt that was lost and is told
// again, one a real variance, ended by the adjustment that is proposed.
func TestSnapshot(t *testing.T) {
	onBothShapes(t, func(t *testing.T, f *fleet.Fleet) {
		t.Run("S22 WMS snapshot vs ledger", func(t *testing.T) { snapshotVersusLedger(t, supplied(t, f, 20, 10)) })
	})
}

// snapshot hands over a balance file of a site, a portion each.
func (p party) snapshot(t *testing.T, site string, asOf time.Time, portions ...string) *commonv1.Receipt {
	t.Helper()
	number := testkit.Name("file")
	r := receipt(t, "snapshot", p.command(t, http.MethodPost, "/v1/stock-snapshots", number, fmt.Sprintf(
		`{"sites":[%q],"asOfTime":%q,"source":{"system":"wms","messageId":%q}}`, site, asOf.UTC().Format(time.RFC3339Nano), number)))
	for i, text := range portions {
		body := fmt.Sprintf(`{"portionNumber":%d,"content":%q}`, i+1, base64.StdEncoding.EncodeToString([]byte(text)))
		receipt(t, "rows", p.command(t, http.MethodPost, "/v1/stock-snapshots/"+r.GetId()+":addRows", fmt.Sprintf("%s-%d", number, i), body))
	}
	return r
}

// compared compares a snapshot and renders how its keys compare.
func (p party) compared(t *testing.T, id string, run int32) string {
	t.Helper()
	receipt(t, "compare", p.command(t, http.MethodPost, "/v1/stock-snapshots/"+id+":compare", fmt.Sprintf("compare-%s-%d", id, run), `{}`))
	got := &inventorymovementv1.GetSnapshotResponse{}
	testkit.Eventually(t, within, func() error {
		unmarshal(t, p.read(t, "/v1/stock-snapshots/"+id), got)
		if s := got.GetSnapshot(); s.GetRuns() != run {
			return fmt.Errorf("%d comparisons ended, %s", s.GetRuns(), s.GetState())
		}
		return nil
	})
	c := got.GetSnapshot().GetCounts()
	return fmt.Sprintf("%d matched, %d lagging, %d mismatch, %d and %d missing, %s %%",
		c.GetMatched(), c.GetLagging(), c.GetMismatch(), c.GetMissingLeft(), c.GetMissingRight(), got.GetSnapshot().GetReconciliationRatePercent())
}

func snapshotVersusLedger(t *testing.T, p party) {
	receipt(t, "order", p.command(t, http.MethodPost, "/v1/orders", "late-pick", order("LATE-1", 3)))
	p.settled(t, "on hand 10, allocated 3, promised 0, to promise 7")
	asOf := time.Now()
	earlier := asOf.Add(-time.Minute).UTC().Format(time.RFC3339)
	var file strings.Builder
	file.WriteString("site;sku;location;status;quantity;unit\r\n")
	row := func(n int, location string, pieces int) {
		fmt.Fprintf(&file, "%s;%s;%s;AVAILABLE;%d;EA\r\n", lifecycle.Site, lifecycle.SKU(n), location, pieces)
	}
	for n := range 20 {
		row(n, "A-01", map[int]int{0: 7, 1: 8}[n]+map[bool]int{true: 10}[n > 1])
	}
	row(2, "A-02", 5)
	half := strings.Index(file.String(), "SKU-00010")
	half = strings.LastIndex(file.String()[:half], "\n") + 1
	id := p.snapshot(t, lifecycle.Site, asOf, file.String()[:half], file.String()[half:]).GetId()
	if got := p.compared(t, id, 1); got != "18 matched, 1 lagging, 1 mismatch, 1 and 0 missing, 85.7142 %" {
		t.Error(got)
	}

	orders := &inventorymovementv1.ListWarehouseOrdersResponse{}
	testkit.Eventually(t, within, func() error { // lists trail
		unmarshal(t, p.read(t, "/v1/warehouse-orders?site="+lifecycle.Site), orders)
		if len(orders.GetWarehouseOrders()) != 1 {
			return fmt.Errorf("%v", orders)
		}
		return nil
	})
	receipt(t, "pick", p.command(t, http.MethodPost, "/v1/warehouse-orders/"+orders.GetWarehouseOrders()[0].GetWarehouseOrderId()+":confirmPicks", "told-late",
		`{"lines":[{"lineNumber":1,"quantity":{"value":"3","unit":"EA"},"location":"A-01"}],"source":{"system":"wms","messageId":"945-1","eventTime":"`+earlier+`"}}`))
	receipt(t, "lost", p.command(t, http.MethodPost, "/v1/stocks:recordReceipt", "told-again", `{"receipt":{"site":"`+lifecycle.Site+`","sku":"`+lifecycle.SKU(2)+
		`","location":"A-02","quantity":{"value":"5","unit":"EA"}},"source":{"system":"wms","messageId":"944-1","eventTime":"`+earlier+`"}}`))
	p.settled(t, "on hand 7, allocated 0, promised 0, to promise 7")
	if got := p.compared(t, id, 2); got != "20 matched, 0 lagging, 1 mismatch, 0 and 0 missing, 95.238 %" {
		t.Error(got)
	}

	list := &inventorymovementv1.ListSnapshotDifferencesResponse{}
	unmarshal(t, p.read(t, "/v1/stock-snapshots/"+id+"/differences?result=SNAPSHOT_RESULT_MISMATCH"), list)
	if len(list.GetDifferences()) != 1 || list.GetDifferences()[0].GetDifference().GetDelta().GetValue() != "-2" {
		t.Fatal(list)
	}
	a := list.GetDifferences()[0].GetProposedAdjustment()
	receipt(t, "adjust", p.command(t, http.MethodPost, "/v1/stocks:adjust", "as-proposed", fmt.Sprintf(
		`{"site":%q,"sku":%q,"location":%q,"status":%q,"change":{"value":%q,"unit":%q},"reason":%q,"source":{"system":"wms","messageId":"947-1","eventTime":%q}}`,
		a.GetSite(), a.GetSku(), a.GetLocation(), a.GetStatus(), a.GetChange().GetValue(), a.GetChange().GetUnit(), a.GetReason(), a.GetAsOfTime().AsTime().Format(time.RFC3339Nano))))
	if got := p.compared(t, id, 3); got != "21 matched, 0 lagging, 0 mismatch, 0 and 0 missing, 100 %" {
		t.Error(got)
	}
	p.traced(t, id, "Balance file announced", "Balance file compared with the ledger")
}
