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

// bySerialNumber: three pieces are received by their numbers, none of them at another site as well. Two
// are ordered, picked by number, packed and issued; the trace of a piece tells where it went, and the
// reversal of the goods issue brings back the very pieces.
func bySerialNumber(t *testing.T, f *fleet.Fleet) {
	p := twoSites(t, f, 1)
	const sku = "PHONE"
	p.put(t, http.MethodPut, "/v1/items/"+sku, `{"item":{"name":"Phone","baseUnit":"EA","baseWeightGrams":"180","tracking":{"serial":true}}}`)
	receive := func(site, key, serials string) answer {
		return p.command(t, http.MethodPost, "/v1/stocks:recordReceipt", "serials-"+key, fmt.Sprintf(
			`{"receipt":{"site":%q,"sku":%q,"location":"A-01","quantity":{"value":"%d","unit":"EA"},"document":"ASN-99","serials":[%s]}}`,
			site, sku, 1+strings.Count(serials, ","), serials))
	}
	testkit.Eventually(t, within, func() error { // the copy of master data may trail
		if a := receive(lifecycle.Site, testkit.Name("cmd"), `"SN-1","SN-2","SN-3"`); a.status != http.StatusOK {
			return fmt.Errorf("%d %s", a.status, a.body)
		}
		return nil
	})
	refused(t, "received elsewhere", receive("DC2", "twice", `"SN-2"`), "409 SERIAL_ELSEWHERE", "#/receipt/serials SERIAL_ELSEWHERE")
	refused(t, "a number twice", receive("DC2", "double", `"SN-9","SN-9"`), "400 SERIAL_DUPLICATE", "#/receipt/serials/1 SERIAL_DUPLICATE")
	refused(t, "none named", p.command(t, http.MethodPost, "/v1/stocks:move", "serials-move", fmt.Sprintf(
		`{"site":%q,"sku":%q,"fromLocation":"A-01","toLocation":"A-02","quantity":{"value":"1","unit":"EA"}}`, lifecycle.Site, sku)), "400 SERIAL_REQUIRED", "#/serials SERIAL_REQUIRED")

	doc := strings.Replace(order("SN", 2), lifecycle.SKU(0), sku, 1)
	var id string
	testkit.Eventually(t, within, func() error {
		a := p.command(t, http.MethodPost, "/v1/orders", testkit.Name("cmd"), doc)
		if a.status != http.StatusOK {
			return fmt.Errorf("%d %s", a.status, a.body)
		}
		id = receipt(t, "order", a).GetId()
		return nil
	})
	who := p.releases(t, id, 1).GetReleases()[0].GetWarehouseOrderId()
	if tasks := p.atWarehouse(t, who, "ALLOCATED").GetTasks(); len(tasks) != 2 || tasks[0].GetSerial() != "SN-1" || tasks[1].GetSerial() != "SN-2" {
		t.Errorf("%v", tasks)
	}
	at := "/v1/warehouse-orders/" + who
	lines := func(n int, more string) string {
		return fmt.Sprintf(`{"lines":[{"lineNumber":1,"quantity":{"value":"%d","unit":"EA"}%s}]}`, n, more)
	}
	refused(t, "no number", p.command(t, http.MethodPost, at+":confirmPicks", "pick-none", lines(2, "")), "400 SERIAL_REQUIRED", "#/lines/0/serials SERIAL_REQUIRED")
	refused(t, "not there", p.command(t, http.MethodPost, at+":confirmPicks", "pick-other", lines(1, `,"serials":["SN-7"]`)), "400 SERIAL_UNKNOWN", "#/lines/0/serials SERIAL_UNKNOWN")
	p.must(t, http.MethodPost, at+":confirmPicks", lines(2, `,"serials":["SN-1","SN-3"]`)) // SN-3 in place of SN-2
	p.must(t, http.MethodPost, at+":packCarton", strings.TrimSuffix(lines(2, ""), "}")+`,"grossWeightGrams":"400"}`)
	p.must(t, http.MethodPost, at+":postGoodsIssue", `{}`)
	p.state(t, id, "FULFILLED")

	p.pieceIs(t, sku, "SN-3", "at no site", "RECEIPT, PICK, ISSUE")
	p.pieceIs(t, sku, "SN-2", lifecycle.Site+" A-01", "RECEIPT")
	p.traced(t, "SN-3", "Serial number claimed for a stock", "Goods issued")
	p.reversed(t, who, "")
	p.pieceIs(t, sku, "SN-3", lifecycle.Site+" PACKING", "RECEIPT, PICK, ISSUE, ISSUE_REVERSAL")
	p.pieceIs(t, sku, "SN-1", lifecycle.Site+" PACKING", "RECEIPT, PICK, ISSUE, ISSUE_REVERSAL")
	refused(t, "received elsewhere while it is here", receive("DC2", "again", `"SN-3"`), "409 SERIAL_ELSEWHERE", "#/receipt/serials SERIAL_ELSEWHERE")
}

// pieceIs waits for a piece to stand somewhere and to have made these movements.
func (p party) pieceIs(t *testing.T, sku, serial, where, went string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		got := &inventorymovementv1.TraceSerialResponse{}
		unmarshal(t, p.read(t, "/v1/serials:trace?sku="+sku+"&serial="+serial), got)
		at, moves := "at no site", []string{}
		if s := got.GetPlace(); s != nil {
			at = s.GetSite() + " " + s.GetLocation()
		}
		for _, m := range got.GetMovements() {
			moves = append(moves, strings.TrimPrefix(m.GetType().String(), "MOVEMENT_TYPE_"))
		}
		if is := strings.Join(moves, ", "); at != where || is != went {
			return fmt.Errorf("%s is %s and went %s, want %s and %s", serial, at, is, where, went)
		}
		return nil
	})
}
