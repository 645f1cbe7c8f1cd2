package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// statusChanged: goods are taken out of what can be promised for a reason that people find in the
// list, and come back by a reversal that names the change.
func statusChanged(t *testing.T, p party) {
	list := &masterdatav1.GetCodeListResponse{}
	unmarshal(t, p.read(t, "/v1/code-lists/STOCK-REASON"), list)
	why := ""
	for _, e := range list.GetCodeList().GetCodeList().GetEntries() {
		if e.GetMeaning() == "to be inspected" {
			why = e.GetCode()
		}
	}
	change := func(key, reason string) answer {
		return p.command(t, http.MethodPost, "/v1/stocks:changeStatus", "status-"+key, fmt.Sprintf(
			`{"site":%q,"sku":%q,"location":"A-01","toStatus":"STOCK_STATUS_QI","quantity":{"value":"4","unit":"EA"},"reason":%q}`, lifecycle.Site, lifecycle.SKU(0), reason))
	}
	refused(t, "no reason of the list", change("just-so", "JUST_SO"), "400 REASON_CODE_UNKNOWN", "#/reason REASON_CODE_UNKNOWN")
	receipt(t, "changed", change("to-inspect", why))
	p.settled(t, "on hand 6, allocated 0, promised 0, to promise 6")
	explained := &inventorymovementv1.ExplainBalanceResponse{}
	unmarshal(t, p.read(t, "/v1/balances:explain?status=STOCK_STATUS_QI&site="+lifecycle.Site+"&sku="+lifecycle.SKU(0)), explained)
	if len(explained.GetEntries()) != 1 || explained.GetEntries()[0].GetReason() != why {
		t.Fatal(explained)
	}
	e := explained.GetEntries()[0]
	back := func(key string) answer {
		return p.command(t, http.MethodPost, "/v1/stocks/"+explained.GetStockId()+":reverseMovement", "reverse-"+key,
			fmt.Sprintf(`{"version":"%d","index":%d,"reason":"KEYING_ERROR"}`, e.GetVersion(), e.GetIndex()))
	}
	receipt(t, "reversed", back("as-it-was"))
	receipt(t, "reversed, told again", back("as-it-was"))
	refused(t, "reversed twice", back("once-more"), "409 MOVEMENT_REVERSED")
	p.settled(t, "on hand 10, allocated 0, promised 0, to promise 10")
}

// cycleCount: two people count a bin without knowing what the books say, a third has the ledger
// follow, and the count's story is told.
func cycleCount(t *testing.T, f *fleet.Fleet) {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	d, who := driver(t, f)
	if err := d.Setup(ctx, 1, 10); err != nil {
		t.Fatal(err)
	}
	admin := speak(t, f, who)
	as := func(name string) party {
		c := who
		c.Principal, c.Roles = name, []commonv1.Role{commonv1.Role_ROLE_LOGISTICS}
		return speak(t, f, c)
	}
	ann, bob := as("ann"), as("bob")
	receipt(t, "policy", admin.command(t, http.MethodPost, "/v1/count-policies:set", "count-policy", `{"policy":{"recount":{"percent":"5"},"approval":{"quantity":"1"}}}`))
	id := receipt(t, "planned", ann.command(t, http.MethodPost, "/v1/stock-counts", "count-plan", fmt.Sprintf(`{"site":%q,"locations":["A-01"],"skus":[%q]}`, lifecycle.Site, lifecycle.SKU(0)))).GetId()
	do := func(p party, verb, key, body string) answer {
		return p.command(t, http.MethodPost, "/v1/stock-counts/"+id+":"+verb, "count-"+key, body)
	}
	count := func() *inventorymovementv1.StockCount {
		got := &inventorymovementv1.GetCountResponse{}
		unmarshal(t, ann.read(t, "/v1/stock-counts/"+id), got)
		return got.GetCount()
	}
	eight := fmt.Sprintf(`{"lines":[{"location":"A-01","sku":%q,"quantity":{"value":"8","unit":"EA"}}]}`, lifecycle.SKU(0))
	receipt(t, "begun", do(ann, "start", "start", `{}`))
	if r := receipt(t, "counted", do(ann, "submit", "first", eight)); r.GetValues()["recounts"] != "1" {
		t.Errorf("%v", r)
	}
	receipt(t, "counted, told again", do(ann, "submit", "first", eight))
	if l := count().GetLines()[0]; !l.GetRecount() || l.GetExpected() != nil || l.GetTimesCounted() != 1 {
		t.Errorf("%v", l)
	}
	receipt(t, "counted again", do(bob, "submit", "second", eight))
	if l := count().GetLines()[0]; l.GetVariance().GetValue() != "-2" || l.GetExpected().GetValue() != "10" {
		t.Errorf("%v", l)
	}
	refused(t, "posted by who counted", do(ann, "post", "hers", `{}`), "409 SAME_PERSON")
	refused(t, "above the limit", do(as("zoe"), "post", "zoes", `{}`), "409 COUNT_LIMIT")
	receipt(t, "posted", do(admin, "post", "posted", `{"reason":"MISSING"}`))
	receipt(t, "posted, told again", do(admin, "post", "posted", `{"reason":"MISSING"}`))
	admin.settled(t, "on hand 8, allocated 0, promised 0, to promise 8")
	testkit.Eventually(t, within, func() error {
		if c := count(); c.GetState() != inventorymovementv1.CountState_COUNT_STATE_COMPLETE {
			return fmt.Errorf("%v", c)
		}
		return nil
	})
	admin.traced(t, id, "Count planned at "+lifecycle.Site, "Places counted", "Count complete")
}

// transferred: goods go from one site to the other in two steps; on their way they are in the balance
// of the one and to come at the other, they come in parts, and the rest is brought back.
func transferred(t *testing.T, f *fleet.Fleet) {
	p := twoSites(t, f, 1)
	sku := lifecycle.SKU(0)
	rows := func(site string) string {
		t.Helper()
		got := &inventorymovementv1.GetStockResponse{}
		unmarshal(t, p.read(t, "/v1/stocks?site="+site+"&sku="+sku), got)
		var all []string
		for _, r := range got.GetStock().GetRows() {
			if r.GetLocation() == "IN_TRANSIT" || r.GetLocation() == "B-77" || r.GetStatus() == inventorymovementv1.StockStatus_STOCK_STATUS_DAMAGED {
				all = append(all, r.GetLocation()+" "+r.GetOnHand().GetValue())
			}
		}
		return strings.Join(all, ", ")
	}
	stand := func(from, to, coming string) {
		t.Helper()
		testkit.Eventually(t, within, func() error {
			resp := &inventorymovementv1.CheckAvailabilityResponse{}
			unmarshal(t, p.read(t, "/v1/stocks:checkAvailability?site=DC2&sku="+sku), resp)
			supply := ""
			for _, u := range resp.GetSupplies() {
				supply += u.GetQuantity()
			}
			if is := rows(lifecycle.Site) + "; " + rows("DC2") + "; " + supply; is != from+"; "+to+"; "+coming {
				return fmt.Errorf("%s", is)
			}
			return nil
		})
	}
	out := fmt.Sprintf(`{"fromSite":%q,"toSite":"DC2","reference":"TO-1","expectedTime":"2099-01-01T00:00:00Z","lines":[{"sku":%q,"location":"A-01","quantity":{"value":"12","unit":"EA"}}]}`, lifecycle.Site, sku)
	r := receipt(t, "out", p.command(t, http.MethodPost, "/v1/stock-transfers", "transfer-out", out))
	if again := receipt(t, "out, told again", p.command(t, http.MethodPost, "/v1/stock-transfers", "transfer-out", out)); r.GetState() != "IN_TRANSIT" || again.GetId() != r.GetId() {
		t.Fatal(r, again)
	}
	do := func(verb, key, body string) answer {
		return p.command(t, http.MethodPost, "/v1/stock-transfers/"+r.GetId()+":"+verb, "transfer-"+key, body)
	}
	stand("IN_TRANSIT 12", "", "12")
	in := `{"lines":[{"lineNumber":1,"quantity":{"value":"7","unit":"EA"},"location":"A-01"},{"lineNumber":1,"quantity":{"value":"1","unit":"EA"},"location":"A-01","condition":"GOODS_CONDITION_DAMAGED"}],"source":{"system":"wms","messageId":"944-T"}}`
	receipt(t, "in", do("in", "in-1", in))
	receipt(t, "in, the message again", do("in", "in-2", in))
	stand("IN_TRANSIT 4", "A-01 1", "4")
	receipt(t, "brought back", do("end", "back", `{"outcome":"TRANSFER_OUTCOME_BROUGHT_BACK","location":"B-77","reason":"ROAD_CLOSED"}`))
	stand("B-77 4", "A-01 1", "")
	refused(t, "nothing is open", do("end", "once-more", `{"outcome":"TRANSFER_OUTCOME_LOST","reason":"STOLEN"}`), "409 NOTHING_OPEN")
	p.traced(t, r.GetId(), "Goods on their way to the other site", "Goods came from the other site")
}
