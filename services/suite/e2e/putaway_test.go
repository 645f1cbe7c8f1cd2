package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// putAwayByRules: S17 with put-away rules. What is inspected goes to the bins that were proposed, the
// floor's word stands beside them, and dangerous goods have a zone of their own.
func putAwayByRules(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 100, 10)
	for _, l := range []struct{ code, parent, kind string }{
		{"IN-1", lifecycle.Site, "DOCK"},
		{"PICK", lifecycle.Site, "ZONE"},
		{"P-1", "PICK", "BIN"},
		{"P-2", "PICK", "BIN"},
		{"P-10", "PICK", "BIN"},
		{"HAZ", lifecycle.Site, "ZONE"},
		{"H-1", "HAZ", "BIN"},
	} {
		p.must(t, http.MethodPut, "/v1/locations/"+l.code, fmt.Sprintf(`{"location":{"name":%q,"kind":"LOCATION_KIND_%s","parentCode":%q}}`, l.code, l.kind, l.parent))
	}
	p.must(t, http.MethodPut, "/v1/items/PAINT", `{"item":{"name":"Paint","baseUnit":"EA","baseWeightGrams":"900","hazmat":{"unNumber":"1263","hazardClass":"3","packingGroup":"II"}}}`)
	refused(t, "rules that cannot be", p.command(t, http.MethodPost, "/v1/putaway-rules:set", "bad-rules",
		`{"site":"DC1","rules":[{"name":"a","zone":"NONE"},{"name":"a","bins":["P-1"],"condition":"goods.sku"}]}`), "400 INVALID_REQUEST",
		"#/rules/0/zone ZONE_UNKNOWN", "#/rules/1/name RULE_NAME_DUPLICATE", "#/rules/1/condition CONDITION_INVALID")
	p.must(t, http.MethodPost, "/v1/putaway-rules:set", `{"site":"DC1","rules":[{"name":"dangerous","zone":"HAZ","condition":"goods.hazard_class != ''"},`+
		`{"name":"pick","zone":"PICK","limit":{"quantity":"60","singleItem":true}}]}`)
	rules := &inventorymovementv1.GetPutawayRulesResponse{}
	unmarshal(t, p.read(t, "/v1/putaway-rules?site=DC1"), rules)
	if len(rules.GetRules().GetRules()) != 2 || rules.GetRules().GetVersion() != 1 {
		t.Errorf("rules %v", rules)
	}
	p.dangerous(t)
	id, sku := p.exactByRules(t)
	p.waiting(t, id)
	p.putProposed(t, id, "most", `,"quantity":{"value":"90","unit":"EA"}`)
	p.putProposed(t, id, "elsewhere", `,"location":"P-10"`)
	p.lies(t, sku, "A-01 AVAILABLE 10, P-1 AVAILABLE 60, P-10 AVAILABLE 10, P-2 AVAILABLE 30, SUPPLIER AVAILABLE -110")
	d := p.delivery(t, id)
	if len(d.GetOverrides()) != 1 || d.GetState() != inventorymovementv1.InboundDeliveryState_INBOUND_DELIVERY_STATE_PUTAWAY {
		t.Fatalf("it is %v", d)
	}
	if o := d.GetOverrides()[0]; o.GetProposedLocation() != "P-2" || o.GetLocation() != "P-10" || o.GetRule() != "pick" || o.GetQuantity().GetValue() != "10" {
		t.Errorf("overridden: %v", o)
	}
	p.traced(t, d.GetAsnNumber(), "Put-away proposed", "Goods put away")
}

// dangerous goods go to their zone, once this and the item are known to inventory: its copies trail.
func (p party) dangerous(t *testing.T) {
	t.Helper()
	var id string
	testkit.Eventually(t, within, func() error {
		a := p.command(t, http.MethodPost, "/v1/inbound-deliveries:receiveBlind", testkit.Name("paint"),
			`{"site":"DC1","goods":[{"sku":"PAINT","quantity":{"value":"4","unit":"EA"},"location":"IN-1"}]}`)
		if a.status != http.StatusOK {
			return fmt.Errorf("%d %s", a.status, a.body)
		}
		id = receipt(t, "paint", a).GetId()
		if got, want := p.proposed(t, id, 1), "4 H-1 by dangerous (dangerous CHOSEN)"; got != want {
			return fmt.Errorf("%s is proposed, want %s", got, want)
		}
		return nil
	})
	p.putProposed(t, id, "paint", "")
	testkit.Eventually(t, within, func() error {
		if got := p.rows(t, "PAINT"); !strings.Contains(got, "H-1 AVAILABLE 4") {
			return fmt.Errorf("there are %s", got)
		}
		return nil
	})
}

// exactByRules receives and inspects 100 pieces of an item until they find the bins that they are to:
// the copy of locations trails, and what found others before gives them free.
func (p party) exactByRules(t *testing.T) (id, sku string) {
	t.Helper()
	n := 0
	testkit.Eventually(t, within, func() error {
		sku = lifecycle.SKU(n)
		n++
		number := fmt.Sprintf("ASN-17R-%d", n)
		id = p.announce(t, number, lifecycle.Site, sku, 100, `,"inspectionRequired":true`).GetId()
		p.inbound(t, id, "receiveLines", number, received(100))
		if got, want := p.proposed(t, id, 1), "100 left (dangerous STATUS, pick STATUS)"; got != want {
			t.Fatalf("%s is proposed of what is to be inspected, want %s", got, want)
		}
		p.inbound(t, id, "recordInspection", "inspection-"+number, `{"lineNumber":1,"accepted":{"value":"100","unit":"EA"}}`)
		if got, want := p.proposed(t, id, 2), "60 P-1 by pick, 40 P-2 by pick (dangerous CONDITION, pick CHOSEN)"; got != want {
			p.putProposed(t, id, "again-"+number, `,"location":"IN-1"`)
			return fmt.Errorf("%s is proposed, want %s", got, want)
		}
		return nil
	})
	return id, sku
}

// proposed waits until something is proposed for a task of a delivery.
func (p party) proposed(t *testing.T, id string, task int32) (proposal string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		for _, s := range p.delivery(t, id).GetStandings() {
			if s.GetTaskNumber() == task && s.GetProposal() != nil {
				proposal = rendered(s.GetProposal())
				return nil
			}
		}
		return fmt.Errorf("nothing is proposed for task %d", task)
	})
	return proposal
}

// rendered says where goods are to go: "60 P-1 by pick, 40 left (pick PARTLY)".
func rendered(p *inventorymovementv1.PutawayProposal) string {
	var to, why []string
	for _, b := range p.GetBins() {
		to = append(to, b.GetQuantity().GetValue()+" "+b.GetLocation()+" by "+b.GetRule())
	}
	if left := p.GetUnplaced().GetValue(); left != "0" {
		to = append(to, left+" left")
	}
	for _, c := range p.GetConsidered() {
		why = append(why, c.GetRule()+" "+strings.TrimPrefix(c.GetOutcome().String(), "PUTAWAY_OUTCOME_"))
	}
	return strings.Join(to, ", ") + " (" + strings.Join(why, ", ") + ")"
}

// rows are what stands of an item at the site.
func (p party) rows(t *testing.T, sku string) string {
	t.Helper()
	got := &inventorymovementv1.GetStockResponse{}
	unmarshal(t, p.read(t, "/v1/stocks?site="+lifecycle.Site+"&sku="+sku), got)
	var rows []string
	for _, r := range got.GetStock().GetRows() {
		rows = append(rows, r.GetLocation()+" "+strings.TrimPrefix(r.GetStatus().String(), "STOCK_STATUS_")+" "+r.GetOnHand().GetValue())
	}
	slices.Sort(rows)
	return strings.Join(rows, ", ")
}

func (p party) lies(t *testing.T, sku, want string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		if got := p.rows(t, sku); got != want {
			return fmt.Errorf("there are %s, want %s", got, want)
		}
		return nil
	})
}

// waiting holds that a delivery is listed among what waits at the site.
func (p party) waiting(t *testing.T, id string) {
	t.Helper()
	testkit.Eventually(t, within, func() error { // lists trail
		got := &inventorymovementv1.ListPutawaysResponse{}
		unmarshal(t, p.read(t, "/v1/putaways?site=DC1"), got)
		for _, w := range got.GetPutaways() {
			if w.GetInboundDeliveryId() == id && strings.HasPrefix(w.GetAsnNumber(), "ASN-17R") && len(w.GetStanding().GetProposal().GetBins()) == 2 {
				return nil
			}
		}
		return fmt.Errorf("not listed: %v", got)
	})
}

// putProposed puts what waits of a delivery where it was proposed, or as the further fields say.
func (p party) putProposed(t *testing.T, id, key, more string) {
	t.Helper()
	for _, s := range p.delivery(t, id).GetStandings() {
		if !s.GetPutAway() {
			p.inbound(t, id, "confirmPutaway", key, fmt.Sprintf(`{"taskNumber":%d%s}`, s.GetTaskNumber(), more))
		}
	}
}
