package inventorymovement_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

func TestPutaways(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"rules by version":              versionsOfRules,
		"rules refused whole":           rulesRefused,
		"proposed and put away":         proposedAndPutAway,
		"inspected goods":               inspectedGoods,
		"dangerous goods":               dangerousGoods,
		"two at once":                   twoAtOnce,
		"what people put there counts":  putThereBefore,
		"a bin that is retired":         retiredBin,
		"nothing proposed without rule": nothingProposed,
	})
}

// warehouse defines a site with a zone for each code, of bins that are named after it.
func (w *world) warehouse(t *testing.T, bins map[string]int) (site string) {
	t.Helper()
	site = strings.ToUpper(testkit.Name("w"))
	w.locate(t, site, &md.Location{Code: site, Kind: md.LocationKind_LOCATION_KIND_SITE})
	w.knows(t, site)
	all := []string{site + "/IN"}
	w.locate(t, site, &md.Location{Code: site + "/IN", ParentCode: site, Kind: md.LocationKind_LOCATION_KIND_BIN})
	for zone, n := range bins {
		code := site + "/" + zone
		w.locate(t, site, &md.Location{Code: code, ParentCode: site, Kind: md.LocationKind_LOCATION_KIND_ZONE})
		for i := range n {
			bin := fmt.Sprintf("%s-%d", code, i+1)
			w.locate(t, site, &md.Location{Code: bin, ParentCode: code, Kind: md.LocationKind_LOCATION_KIND_BIN})
			all = append(all, bin)
		}
	}
	var list []*im.PutawayRule
	for i, bin := range all {
		list = append(list, &im.PutawayRule{Name: fmt.Sprint(i), Bins: []string{bin}})
	}
	for zone := range bins {
		list = append(list, &im.PutawayRule{Name: zone, Zone: site + "/" + zone})
	}
	testkit.Eventually(t, patience, func() error { // the copy of locations trails
		_, err := w.wms.SetPutawayRules(t.Context(), &im.SetPutawayRulesRequest{Site: site, Rules: list})
		return err
	})
	return site
}

func (w *world) locate(t *testing.T, site string, l *md.Location) {
	t.Helper()
	w.masterData.publish(t, w.Tenant, w.id("loc", l.GetCode()), &md.LocationDefined{Location: l, SiteCode: site})
}

// rules sets the rules of a site, whose zones and bins are named without it.
func (w *world) rules(t *testing.T, site string, list ...*im.PutawayRule) {
	t.Helper()
	for _, r := range list {
		if r.Zone != "" {
			r.Zone = site + "/" + r.GetZone()
		}
		for i := range r.GetBins() {
			r.Bins[i] = site + "/" + r.GetBins()[i]
		}
	}
	if _, err := w.wms.SetPutawayRules(t.Context(), &im.SetPutawayRulesRequest{Site: site, Rules: list}); err != nil {
		t.Fatal(err)
	}
}

// defined defines an item and waits until it is known.
func (w *world) defined(t *testing.T, item *md.Item) (sku string) {
	t.Helper()
	sku = strings.ToUpper(testkit.Name("i"))
	item.Sku, item.BaseUnit = sku, "EA"
	w.masterData.publish(t, w.Tenant, w.id("itm", sku), &md.ItemDefined{Item: item})
	testkit.Eventually(t, patience, func() error {
		_, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: "DC1", Sku: sku, Location: "B-1", Change: &commonv1.Quantity{Value: "-1", Unit: "EA"}, Reason: "PROBE"})
		if f, ok := fault.As(err); ok && (f.Reason == "INSUFFICIENT_STOCK" || f.Reason == "LOT_REQUIRED") {
			return nil
		}
		return fmt.Errorf("not known: %w", err)
	})
	return sku
}

// arrives receives pieces at the site's place of receipt under a delivery of their own.
func (w *world) arrives(t *testing.T, site, sku string, pieces int, inspect bool) (id string) {
	t.Helper()
	resp, err := w.wms.ReceiveBlind(t.Context(), &im.ReceiveBlindRequest{
		Site: site, Goods: []*im.ReceivedGoods{{Sku: sku, Quantity: ea(pieces), Location: site + "/IN"}}, InspectionRequired: inspect,
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetReceipt().GetId()
}

// proposals renders what waits of a delivery: "5 QI: 3 Q-1 by q, 2 left (a STATUS, q PARTLY)".
func (w *world) proposals(t *testing.T, site, id string) string {
	t.Helper()
	var out []string
	for _, s := range w.delivery(t, id).GetStandings() {
		if !s.GetPutAway() {
			out = append(out, rendered(site, s))
		}
	}
	return strings.Join(out, "; ")
}

func rendered(site string, s *im.InboundStanding) string {
	text := s.GetQuantity().GetValue() + " " + strings.TrimPrefix(s.GetStatus().String(), "STOCK_STATUS_")
	p := s.GetProposal()
	if p == nil {
		return text
	}
	var to, why []string
	for _, b := range p.GetBins() {
		to = append(to, b.GetQuantity().GetValue()+" "+strings.TrimPrefix(b.GetLocation(), site+"/")+" by "+b.GetRule())
	}
	if left := p.GetUnplaced().GetValue(); left != "0" {
		to = append(to, left+" left")
	}
	for _, c := range p.GetConsidered() {
		why = append(why, c.GetRule()+" "+strings.TrimPrefix(c.GetOutcome().String(), "PUTAWAY_OUTCOME_"))
	}
	return text + ": " + strings.Join(to, ", ") + " (" + strings.Join(why, ", ") + ")"
}

// waits holds that this waits of a delivery in the end: proposals follow what was received.
func (w *world) waits(t *testing.T, site, id, want string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		if got := w.proposals(t, site, id); got != want {
			return fmt.Errorf("\n got %s\nwant %s", got, want)
		}
		return nil
	})
}

func (w *world) putAway(t *testing.T, id, location string, q *commonv1.Quantity) {
	t.Helper()
	for _, s := range w.delivery(t, id).GetStandings() {
		if s.GetPutAway() {
			continue
		}
		if _, err := w.wms.ConfirmPutaway(t.Context(), &im.ConfirmPutawayRequest{InboundDeliveryId: id, TaskNumber: s.GetTaskNumber(), Location: location, Quantity: q}); err != nil {
			t.Fatal(err)
		}
		return
	}
}

// lies waits for the rows of a stock at a site, without the site in their bins.
func (w *world) lies(t *testing.T, site, sku, want string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		rows := strings.Split(strings.ReplaceAll(w.rowsAt(t, site, sku), site+"/", ""), ", ")
		slices.Sort(rows)
		if got := strings.Join(rows, ", "); got != want {
			return fmt.Errorf("got %s, want %s", got, want)
		}
		return nil
	})
}

func near(zone string, most int) *im.PutawayRule {
	return &im.PutawayRule{Name: "near", Zone: zone, Limit: &im.PutawayLimit{Quantity: fmt.Sprint(most)}}
}

func versionsOfRules(t *testing.T, w *world) {
	site := w.warehouse(t, map[string]int{"Z": 1})
	set := func(r *im.SetPutawayRulesRequest) string {
		resp, err := w.wms.SetPutawayRules(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetReceipt().GetValues()["version"]
	}
	r := &im.SetPutawayRulesRequest{Site: site, Note: "spring", Rules: []*im.PutawayRule{{
		Name: "all", Condition: "goods.sku != ''", Statuses: []im.StockStatus{im.StockStatus_STOCK_STATUS_QI}, Zone: site + "/Z",
		Strategy: im.PutawayStrategy_PUTAWAY_STRATEGY_EMPTY, Limit: &im.PutawayLimit{Quantity: "2.5", WeightGrams: "1000", SingleItem: true},
	}}}
	if a, b := set(r), set(r); a != "2" || b != "2" {
		t.Errorf("set twice they are version %s and %s", a, b)
	}
	if got := set(&im.SetPutawayRulesRequest{Site: site}); got != "3" {
		t.Errorf("version %s", got)
	}
	get := func(site string, version int32) *im.PutawayRules {
		resp, err := w.wms.GetPutawayRules(t.Context(), &im.GetPutawayRulesRequest{Site: site, Version: version})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetRules()
	}
	if got := get(site, 2); got.GetVersion() != 2 || got.GetNote() != "spring" || got.GetSetBy() == "" || len(got.GetRules()) != 1 || got.GetRules()[0].String() != r.GetRules()[0].String() {
		t.Errorf("version 2 is %v", got)
	}
	if got := get(site, 0); got.GetVersion() != 3 || len(got.GetRules()) != 0 || got.GetEtag() == "" {
		t.Errorf("the newest is %v", got)
	}
	if got := get("DC2", 0); got.GetVersion() != 0 {
		t.Errorf("a site without rules has %v", got)
	}
	_, err := w.wms.GetPutawayRules(t.Context(), &im.GetPutawayRulesRequest{Site: site, Version: 9})
	reason(t, err, fault.NotFound, "NOT_FOUND")
}

func rulesRefused(t *testing.T, w *world) {
	site := w.warehouse(t, map[string]int{"Z": 1})
	before, _ := w.wms.GetPutawayRules(t.Context(), &im.GetPutawayRulesRequest{Site: site})
	_, err := w.wms.SetPutawayRules(t.Context(), &im.SetPutawayRulesRequest{Site: site, Rules: []*im.PutawayRule{
		{Name: "a", Zone: site + "/Z"},
		{Name: "a", Zone: site + "/NONE", Condition: "goods.sku =="},
		{Name: "c", Condition: "goods.weight_grams"},
		{Name: "d", Bins: []string{site + "/Z-1", site + "/Z", "DC1"}},
	}})
	f := reason(t, err, fault.Invalid, "INVALID_REQUEST")
	var got []string
	for _, x := range f.Fields {
		got = append(got, x.Path+" "+x.Reason)
	}
	if want := []string{
		"rules[1].name RULE_NAME_DUPLICATE", "rules[1].condition CONDITION_INVALID", "rules[1].zone ZONE_UNKNOWN",
		"rules[2].condition CONDITION_INVALID", "rules[2].zone PUTAWAY_DESTINATION_INVALID", "rules[3].bins[1] BIN_UNKNOWN", "rules[3].bins[2] BIN_UNKNOWN",
	}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if after, _ := w.wms.GetPutawayRules(t.Context(), &im.GetPutawayRulesRequest{Site: site}); after.String() != before.String() {
		t.Errorf("refused, and yet the rules are %v", after)
	}
	_, err = w.wms.SetPutawayRules(t.Context(), &im.SetPutawayRulesRequest{Site: "NOWHERE"})
	reason(t, err, fault.Invalid, "SITE_UNKNOWN")
}

func proposedAndPutAway(t *testing.T, w *world) {
	site, sku := w.warehouse(t, map[string]int{"Z": 3}), w.item(t)
	w.rules(t, site,
		&im.PutawayRule{Name: "same", Zone: "Z", Strategy: im.PutawayStrategy_PUTAWAY_STRATEGY_SAME_LOT, Limit: &im.PutawayLimit{Quantity: "10"}}, near("Z", 10))
	first := w.arrives(t, site, sku, 15, false)
	w.waits(t, site, first, "15 AVAILABLE: 10 Z-1 by near, 5 Z-2 by near (same NO_BIN, near CHOSEN)")
	second := w.arrives(t, site, sku, 8, false)
	w.waits(t, site, second, "8 AVAILABLE: 5 Z-2 by same, 3 Z-3 by near (same PARTLY, near CHOSEN)")
	w.listedAt(t, site, first, second)

	w.putAway(t, first, "", ea(11))
	w.putAway(t, first, site+"/Z-3", ea(2)) // the floor's word
	w.putAway(t, first, "", nil)
	w.putAway(t, second, "", nil)
	w.lies(t, site, sku, "SUPPLIER -23, Z-1 10, Z-2 8, Z-3 5")
	d := w.delivery(t, first)
	if len(d.GetOverrides()) != 1 || d.GetState() != im.InboundDeliveryState_INBOUND_DELIVERY_STATE_PUTAWAY {
		t.Fatalf("%v", d)
	}
	if o := d.GetOverrides()[0]; o.GetProposedLocation() != site+"/Z-2" || o.GetLocation() != site+"/Z-3" || o.GetRule() != "near" || o.GetQuantity().GetValue() != "2" {
		t.Errorf("overridden: %v", o)
	}
	w.listedAt(t, site)

	// What lies there counts now, and what was put elsewhere left its room.
	third := w.arrives(t, site, sku, 20, false)
	w.waits(t, site, third, "20 AVAILABLE: 2 Z-2 by same, 5 Z-3 by same, 13 left (same PARTLY, near NO_ROOM)")
	resp, err := w.wms.ConfirmPutaway(t.Context(), &im.ConfirmPutawayRequest{InboundDeliveryId: third, TaskNumber: 1, Quantity: ea(8)})
	if f := reason(t, err, fault.Refused, "PUTAWAY_UNPROPOSED"); f.Metadata["available"] != "7" {
		t.Errorf("%v %v", resp, f.Metadata)
	}
}

// listedAt holds that these deliveries, and no others, wait at a site.
func (w *world) listedAt(t *testing.T, site string, ids ...string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error { // lists trail
		resp, err := w.wms.ListPutaways(t.Context(), &im.ListPutawaysRequest{Site: site})
		if err != nil {
			return err
		}
		var got []string
		for _, p := range resp.GetPutaways() {
			got = append(got, p.GetInboundDeliveryId())
			if len(p.GetStanding().GetProposal().GetBins()) == 0 || p.GetSku() == "" {
				return fmt.Errorf("no proposal: %v", p)
			}
		}
		if !slices.Equal(got, ids) {
			return fmt.Errorf("%v wait, want %v", got, ids)
		}
		return nil
	})
}

func inspectedGoods(t *testing.T, w *world) {
	site, sku := w.warehouse(t, map[string]int{"Z": 1, "Q": 1}), w.item(t)
	w.rules(t, site, near("Z", 100), &im.PutawayRule{
		Name: "held", Bins: []string{"Q-1"}, Strategy: im.PutawayStrategy_PUTAWAY_STRATEGY_FIXED, Limit: &im.PutawayLimit{Quantity: "10"},
		Statuses: []im.StockStatus{im.StockStatus_STOCK_STATUS_QI, im.StockStatus_STOCK_STATUS_BLOCKED},
	})
	id := w.arrives(t, site, sku, 10, true)
	w.waits(t, site, id, "10 QI: 10 Q-1 by held (near STATUS, held CHOSEN)")
	if _, err := w.wms.RecordInspection(t.Context(), &im.RecordInspectionRequest{InboundDeliveryId: id, LineNumber: 100001, Accepted: ea(7), Rejected: ea(3)}); err != nil {
		t.Fatal(err)
	}
	w.waits(t, site, id, "7 AVAILABLE: 7 Z-1 by near (near CHOSEN); 3 BLOCKED: 3 Q-1 by held (near STATUS, held CHOSEN)")
	w.putAway(t, id, "", nil)
	w.putAway(t, id, "", nil)
	w.lies(t, site, sku, "Q-1 BLOCKED 3, SUPPLIER -10, Z-1 7")
	other := w.arrives(t, site, sku, 9, true)
	w.waits(t, site, other, "9 QI: 7 Q-1 by held, 2 left (near STATUS, held PARTLY)")
}

func dangerousGoods(t *testing.T, w *world) {
	site := w.warehouse(t, map[string]int{"Z": 1, "H": 2})
	w.rules(t, site,
		&im.PutawayRule{Name: "hazmat", Zone: "H", Condition: "goods.hazard_class != ''", Limit: &im.PutawayLimit{WeightGrams: "3000"}},
		&im.PutawayRule{Name: "rest", Zone: "Z", Condition: "goods.hazard_class == '' && goods.document_type == 'BLIND' && goods.weight_grams.atMost('500')"})
	paint := w.defined(t, &md.Item{BaseWeightGrams: "1000", Hazmat: &md.Hazmat{UnNumber: "1263", HazardClass: "3"}})
	id := w.arrives(t, site, paint, 5, false)
	w.waits(t, site, id, "5 AVAILABLE: 3 H-1 by hazmat, 2 H-2 by hazmat (hazmat CHOSEN)")
	w.putAway(t, id, "", nil)
	w.lies(t, site, paint, "H-1 3, H-2 2, SUPPLIER -5")
	tea := w.defined(t, &md.Item{BaseWeightGrams: "500"})
	w.waits(t, site, w.arrives(t, site, tea, 5, false), "5 AVAILABLE: 5 Z-1 by rest (hazmat CONDITION, rest CHOSEN)")
	anvil := w.defined(t, &md.Item{BaseWeightGrams: "500.1"})
	w.waits(t, site, w.arrives(t, site, anvil, 5, false), "5 AVAILABLE: 5 left (hazmat CONDITION, rest CONDITION)")
}

// twoAtOnce: what is proposed at once is never more than a bin takes.
func twoAtOnce(t *testing.T, w *world) {
	site, sku := w.warehouse(t, map[string]int{"Z": 2}), w.item(t)
	w.rules(t, site, near("Z", 10))
	var all sync.WaitGroup
	ids := make([]string, 6)
	for i := range ids {
		all.Go(func() { ids[i] = w.arrives(t, site, sku, 4, false) })
	}
	all.Wait()
	testkit.Eventually(t, patience, func() error {
		sum := map[string]int{}
		for _, id := range ids {
			for _, s := range w.delivery(t, id).GetStandings() {
				p := s.GetProposal()
				if p == nil {
					return fmt.Errorf("nothing is proposed for %s", id)
				}
				for _, b := range p.GetBins() {
					n, err := strconv.Atoi(b.GetQuantity().GetValue())
					if err != nil {
						t.Fatal(err)
					}
					sum[strings.TrimPrefix(b.GetLocation(), site+"/")] += n
				}
			}
		}
		if sum["Z-1"] != 10 || sum["Z-2"] != 10 || len(sum) != 2 {
			t.Errorf("proposed are %v", sum)
		}
		return nil
	})
}

// putThereBefore: what comes to a bin without a proposal counts, and what left it counts no more.
func putThereBefore(t *testing.T, w *world) {
	site, sku := w.warehouse(t, map[string]int{"Z": 2}), w.item(t)
	other := w.item(t)
	w.rules(t, site, &im.PutawayRule{Name: "empty", Zone: "Z", Strategy: im.PutawayStrategy_PUTAWAY_STRATEGY_EMPTY})
	move := func(sku, from, to string) {
		if _, err := w.wms.MoveStock(t.Context(), &im.MoveStockRequest{Site: site, Sku: sku, FromLocation: site + from, ToLocation: site + to, Quantity: ea(1)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{Site: site, Sku: other, Location: site + "/Z-1", Quantity: ea(1), Document: "D"}}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() error { // bins that people fill are noted by the fact
		id := w.arrives(t, site, sku, 1, false)
		w.waitsFor(t, site, id)
		got := w.proposals(t, site, id)
		w.putAway(t, id, site+"/IN", nil)
		if got != "1 AVAILABLE: 1 Z-2 by empty (empty CHOSEN)" {
			return fmt.Errorf("got %s", got)
		}
		return nil
	})
	move(other, "/Z-1", "/Z-2")
	testkit.Eventually(t, patience, func() error {
		id := w.arrives(t, site, sku, 1, false)
		w.waitsFor(t, site, id)
		got := w.proposals(t, site, id)
		w.putAway(t, id, site+"/IN", nil)
		if got != "1 AVAILABLE: 1 Z-1 by empty (empty CHOSEN)" {
			return fmt.Errorf("got %s", got)
		}
		return nil
	})
}

// waitsFor waits until something is proposed for a delivery.
func (w *world) waitsFor(t *testing.T, site, id string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		if got := w.proposals(t, site, id); !strings.Contains(got, ":") {
			return fmt.Errorf("nothing yet: %s", got)
		}
		return nil
	})
}

func retiredBin(t *testing.T, w *world) {
	site, sku := w.warehouse(t, map[string]int{"Z": 2}), w.item(t)
	w.rules(t, site, near("Z", 1000))
	id := w.arrives(t, site, sku, 3, false)
	w.waits(t, site, id, "3 AVAILABLE: 3 Z-1 by near (near CHOSEN)")
	bin := &md.Location{Code: site + "/Z-1", ParentCode: site + "/Z", Kind: md.LocationKind_LOCATION_KIND_BIN}
	w.masterData.publish(t, w.Tenant, w.id("loc", bin.GetCode()), &md.LocationRetired{Location: bin, SiteCode: site})
	testkit.Eventually(t, patience, func() error { // the copy of locations trails
		other := w.arrives(t, site, sku, 1, false)
		w.waitsFor(t, site, other)
		if got := w.proposals(t, site, other); got != "1 AVAILABLE: 1 Z-2 by near (near CHOSEN)" {
			return fmt.Errorf("got %s", got)
		}
		return nil
	})
	_, err := w.wms.ConfirmPutaway(t.Context(), &im.ConfirmPutawayRequest{InboundDeliveryId: id, TaskNumber: 1})
	reason(t, err, fault.Invalid, "PUTAWAY_LOCATION_REQUIRED")
}

// nothingProposed: a site without rules goes on as ever; what came before its rules is found a bin
// when somebody puts it away.
func nothingProposed(t *testing.T, w *world) {
	site, sku := w.warehouse(t, map[string]int{"Z": 1}), w.item(t)
	w.rules(t, site)
	id := w.arrives(t, site, sku, 3, false)
	_, err := w.wms.ConfirmPutaway(t.Context(), &im.ConfirmPutawayRequest{InboundDeliveryId: id, TaskNumber: 1})
	reason(t, err, fault.Invalid, "PUTAWAY_LOCATION_REQUIRED")
	if got := w.proposals(t, site, id); got != "3 AVAILABLE" {
		t.Errorf("got %s", got)
	}
	w.rules(t, site, near("Z", 10))
	w.putAway(t, id, "", nil)
	w.lies(t, site, sku, "SUPPLIER -3, Z-1 3")
}
