package orderrelease_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	sv "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// TestSourcing: orders whose lines several sites may deliver, and releases that wait for a channel.
func TestSourcing(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine)
			putRules(t, w)
			t.Run("all", func(t *testing.T) {
				for name, run := range map[string]func(*testing.T, *world){
					"split": split, "fewest": fewest, "backorder anywhere": backorderAnywhere, "together": together,
					"manual": manualSplit, "somebody was faster": faster, "down": lookFails, "cancel split": cancelSplit, "wrong rules": wrongRules,
					"locked channel": lockedChannel, "final channel": finalChannel, "asleep": asleepChannel, "wrong channels": wrongChannels, "missing": missingForRelease,
				} {
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						run(t, w)
					})
				}
			})
		})
	}
}

// forRule makes an order be sourced by the rule with a name.
func forRule(doc *or.OrderDocument, rule string) *or.OrderDocument {
	doc.PurchaseOrder = rule
	return doc
}

// putRules puts two versions of rules: orders name the newest.
func putRules(t *testing.T, w *world) {
	rules := []*or.SourcingRule{
		{Name: "split", Condition: "order.purchase_order == 'split' && line.quantity.atLeast('1')", Sites: []string{"DC1", "DC2"}},
		{Name: "few", Condition: "order.purchase_order == 'few'", Sites: []string{"DC1", "DC2"}, Strategy: or.SourcingStrategy_SOURCING_STRATEGY_FEWEST_SPLITS},
	}
	_, err := w.orders.GetSourcingRules(t.Context(), &or.GetSourcingRulesRequest{})
	reason(t, err, fault.NotFound, "NOT_FOUND")
	for i, list := range [][]*or.SourcingRule{rules[:1], rules, rules} {
		resp, err := w.orders.PutSourcingRules(t.Context(), &or.PutSourcingRulesRequest{Rules: list, Note: "n"})
		if err != nil || resp.GetReceipt().GetValues()["version"] != fmt.Sprint(min(i+1, 2)) {
			t.Fatal(resp, err)
		}
	}
	for version, n := range map[int32]int{1: 1, 2: 2, 0: 2} {
		resp, err := w.orders.GetSourcingRules(t.Context(), &or.GetSourcingRulesRequest{Version: version})
		if err != nil || len(resp.GetRules().GetRules()) != n || resp.GetRules().GetPutTime() == nil {
			t.Errorf("version %d: %v, %v", version, resp, err)
		}
	}
	_, err = w.orders.GetSourcingRules(t.Context(), &or.GetSourcingRulesRequest{Version: 3})
	reason(t, err, fault.NotFound, "NOT_FOUND")
}

// at renders where a line is: "DC1 60/60/60" for released, issued and delivered.
func at(l *or.OrderLineStatus) string {
	var all []string
	for _, s := range l.GetSites() {
		all = append(all, fmt.Sprintf("%s %s/%s/%s", s.GetSite(), s.GetReleased(), s.GetIssued(), s.GetDelivered()))
	}
	return strings.Join(all, ", ")
}

// sites renders where an order's releases go.
func sites(o *or.Order) string {
	var all []string
	for _, r := range o.GetReleases() {
		all = append(all, r.GetSite())
	}
	return strings.Join(all, " ")
}

// split: a line of 100, 60 from one site and 40 from another: two releases, each delivered by
// itself.
func split(t *testing.T, w *world) {
	sku := w.stocked(t, 60)[0]
	w.inventory.receive(t, w.Tenant, "DC2", w.id("itm", sku), 45)
	id := w.submit(t, forRule(order(t, lineOf(1, sku, 100)), "split"))
	o := w.releases(t, id, "R1 RELEASED 1:60, R2 RELEASED 1:40")
	if sites(o) != "DC1 DC2" || o.GetSourcing().GetRulesVersion() != 2 || o.GetSourcing().GetRules()[0].GetRule() != "split" {
		t.Errorf("%v %v", sites(o), o.GetSourcing())
	}
	want := []string{"OrderReceived OrderValidated OrderSourced", "PromiseRequested", "LinesPromised OrderReleased OrderReleased"}
	if got := w.history(t, id); len(got) < 3 || !slices.Equal(got[:3], want) {
		t.Errorf("commits %q", got)
	}
	explained, err := w.orders.ExplainOrder(t.Context(), &or.ExplainOrderRequest{OrderId: id})
	if err != nil || fmt.Sprint(explained.GetSourcing().GetRules()[0].GetLineNumbers()) != "[1]" {
		t.Errorf("%v, %v", explained, err)
	}
	for i, n := range []int{60, 40} {
		release := fmt.Sprintf("%s-R%d", id, i+1)
		w.inventory.pick(t, w.Tenant, release, map[int]int{1: n})
		w.inventory.issue(t, w.Tenant, release)
		shipment := w.id("shp", release)
		w.shipments.publish(t, w.Tenant, shipment, &sv.ShipmentDelivered{
			ShipmentId: shipment, OrderId: id, ReleaseId: release, Lines: []*sv.ShipmentLine{{LineNumber: 1, Quantity: ea(quantity.Int(int64(n)))}},
		})
		status := []or.DeliveryStatus{or.DeliveryStatus_DELIVERY_STATUS_PARTIALLY_DELIVERED, or.DeliveryStatus_DELIVERY_STATUS_DELIVERED}[i]
		w.until(t, id, status.String(), func(o *or.Order) bool { return o.GetDeliveryStatus() == status })
	}
	o = w.state(t, id, or.OrderState_ORDER_STATE_FULFILLED)
	if got := at(o.GetLines()[0]); got != "DC1 60/60/60, DC2 40/40/40" {
		t.Error(got)
	}
	fixed := order(t, lineOf(1, sku, 5))
	fixed.Site = "DC2"
	if o := w.releases(t, w.submit(t, forRule(fixed, "split")), "R1 RELEASED 1:5"); sites(o) != "DC2" || o.GetSourcing() != nil {
		t.Errorf("%v %v", sites(o), o.GetSourcing())
	}
}

// fewest: one site that has both lines delivers them, though another has the first.
func fewest(t *testing.T, w *world) {
	skus := w.stocked(t, 10, 0)
	for _, sku := range skus {
		w.inventory.receive(t, w.Tenant, "DC2", w.id("itm", sku), 5)
	}
	o := w.releases(t, w.submit(t, forRule(order(t, lineOf(1, skus[0], 5), lineOf(2, skus[1], 5)), "few")), "R1 RELEASED 1:5 2:5")
	if sites(o) != "DC2" {
		t.Error(sites(o))
	}
}

// backorderAnywhere: what waits goes from the site to which stock comes.
func backorderAnywhere(t *testing.T, w *world) {
	sku := w.stocked(t, 6)[0]
	id := w.submit(t, forRule(order(t, lineOf(1, sku, 10)), "split"))
	w.releases(t, id, "R1 RELEASED 1:6, R2 BACKORDERED of R1 1:4")
	w.inventory.receive(t, w.Tenant, "DC2", w.id("itm", sku), 3)
	w.releases(t, id, "R1 RELEASED 1:6, R2 BACKORDERED of R1 1:1, R3 RELEASED 1:3")
	w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", sku), 9)
	o := w.releases(t, id, "R1 RELEASED 1:6, R2 RELEASED of R1 1:1, R3 RELEASED 1:3")
	if sites(o) != "DC1 DC1 DC2" {
		t.Error(sites(o))
	}
	w.inventory.pick(t, w.Tenant, id+"-R3", map[int]int{1: 1})
	w.inventory.short(t, w.Tenant, id+"-R3", map[int]int{1: 2}) // DC1 has 8 of them
	o = w.until(t, id, "sent again", func(o *or.Order) bool {
		return len(o.GetReleases()) == 4 && o.GetReleases()[3].GetReleasedTime() != nil
	})
	if sites(o) != "DC1 DC1 DC2 DC1" || o.GetReleases()[3].GetParentReleaseId() != id+"-R3" {
		t.Errorf("%v", o.GetReleases())
	}
}

// together: nothing goes before everything is promised, and what is promised stays so.
func together(t *testing.T, w *world) {
	skus := w.stocked(t, 5, 1)
	doc := forRule(order(t, lineOf(1, skus[0], 5), lineOf(2, skus[1], 3)), "split")
	doc.DeliveryRule = or.DeliveryRule_DELIVERY_RULE_SHIP_TOGETHER
	id := w.submit(t, doc)
	w.releases(t, id, "R1 BACKORDERED 1:5 2:3")
	w.free(t, skus[0], "0")
	_, err := w.orders.ReleaseOrder(t.Context(), &or.ReleaseOrderRequest{OrderId: id})
	reason(t, err, fault.Refused, "NOT_COMPLETE")
	w.inventory.receive(t, w.Tenant, "DC2", w.id("itm", skus[1]), 2)
	if o := w.releases(t, id, "R1 RELEASED 1:5 2:1, R2 RELEASED 2:2"); sites(o) != "DC1 DC2" {
		t.Error(sites(o))
	}
}

// manualSplit: PromiseLines chooses the sites, and its answer has both attempts' outcome.
func manualSplit(t *testing.T, w *world) {
	sku := w.stocked(t, 2)[0]
	w.inventory.receive(t, w.Tenant, "DC2", w.id("itm", sku), 2)
	doc := forRule(order(t, lineOf(1, sku, 5)), "split")
	doc.ReleaseMode = or.ReleaseMode_RELEASE_MODE_MANUAL
	id := w.submit(t, doc)
	if p := w.promise(t, id); len(p.GetLines()) != 1 || p.GetLines()[0].GetPromised() != "4" || p.GetLines()[0].GetRequested() != "5" {
		t.Fatal(p)
	}
	if _, err := w.orders.ReleaseOrder(t.Context(), &or.ReleaseOrderRequest{OrderId: id}); err != nil {
		t.Fatal(err)
	}
	w.releases(t, id, "R1 RELEASED 1:2, R2 RELEASED 1:2, R3 BACKORDERED of R1 1:1")
}

// faster: what a claim does not get of what was seen is asked of the other site, once.
func faster(t *testing.T, w *world) {
	sku := w.stocked(t, 2)[0]
	w.inventory.receive(t, w.Tenant, "DC2", w.id("itm", sku), 9)
	w.inventory.lie("DC1", w.id("itm", sku), 5)
	id := w.submit(t, forRule(order(t, lineOf(1, sku, 5)), "split"))
	o := w.releases(t, id, "R1 RELEASED 1:2, R2 RELEASED 1:3")
	if sites(o) != "DC1 DC2" || o.GetPromise().GetAttempt() != 2 {
		t.Errorf("%s in attempt %d", sites(o), o.GetPromise().GetAttempt())
	}
	if got := w.history(t, id); !slices.Contains(got, "LinesPromised PromiseRequested") {
		t.Errorf("%q", got)
	}
}

// lookFails: orders are taken while inventory does not answer, and go on when it does.
func lookFails(t *testing.T, w *world) {
	sku := w.stocked(t, 5)[0]
	w.inventory.fails(w.id("itm", sku), "down")
	id := w.submit(t, forRule(order(t, lineOf(1, sku, 5)), "split"))
	explained, err := w.orders.ExplainOrder(t.Context(), &or.ExplainOrderRequest{OrderId: id})
	if code := explained.GetReasons()[0].GetCode(); err != nil || code != "SOURCING_PENDING" && code != "PROMISE_PENDING" {
		t.Errorf("%v, %v", explained, err)
	}
	w.inventory.fails(w.id("itm", sku), "")
	w.releases(t, id, "R1 RELEASED 1:5")
}

// cancelSplit: claims at both sites go back.
func cancelSplit(t *testing.T, w *world) {
	sku := w.stocked(t, 2)[0]
	w.inventory.receive(t, w.Tenant, "DC2", w.id("itm", sku), 2)
	doc := forRule(order(t, lineOf(1, sku, 4)), "split")
	doc.ReleaseMode = or.ReleaseMode_RELEASE_MODE_MANUAL
	id := w.submit(t, doc)
	w.promise(t, id)
	w.state(t, id, or.OrderState_ORDER_STATE_PROMISED)
	if _, err := w.orders.RequestCancel(t.Context(), &or.RequestCancelRequest{OrderId: id, Reason: "CUSTOMER_REQUEST"}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() error {
		for _, site := range []string{"DC1", "DC2"} {
			v, err := w.inventory.stocks.Get(command(t, w.Tenant), stockID(w.Tenant, site, w.id("itm", sku)))
			if err != nil || v.State.free() != quantity.Int(2) {
				return fmt.Errorf("%s: %v: %w", site, v.State, err)
			}
		}
		return nil
	})
}

// fields renders what is wrong with a request.
func fields(err error) string {
	f, _ := fault.As(err)
	var all []string
	for _, at := range f.Fields {
		all = append(all, at.Reason+"@"+at.Path)
	}
	return strings.Join(all, " ")
}

func wrongRules(t *testing.T, w *world) {
	for name, c := range map[string]struct {
		rules []*or.SourcingRule
		want  string
	}{
		"all of it": {
			[]*or.SourcingRule{
				{Name: "a", Condition: "order.shipto == 'X'", Sites: []string{"DC1"}},
				{Name: "b", Condition: "order.priority", Sites: []string{"NOWHERE", "DC2"}},
			},
			"CONDITION_INVALID@rules[0].condition CONDITION_INVALID@rules[1].condition SITE_UNKNOWN@rules[1].sites[0]",
		},
		"a name twice": {[]*or.SourcingRule{{Name: "a", Sites: []string{"DC1"}}, {Name: "a", Sites: []string{"DC1", "DC1"}}}, "RULE_NAME_DUPLICATE@rules[1].name SITE_DUPLICATE@rules[1].sites[1]"},
	} {
		_, err := w.orders.PutSourcingRules(t.Context(), &or.PutSourcingRulesRequest{Rules: c.rules})
		if reason(t, err, fault.Invalid, "INVALID_REQUEST"); fields(err) != c.want {
			t.Errorf("%s: %s", name, fields(err))
		}
	}
	if resp, err := w.orders.GetSourcingRules(t.Context(), &or.GetSourcingRulesRequest{}); err != nil || resp.GetRules().GetVersion() != 2 {
		t.Errorf("%v, %v", resp, err)
	}
	_, err := w.orders.PutSourcingRules(t.Context(), &or.PutSourcingRulesRequest{Etag: "999"})
	reason(t, err, fault.Stale, "ETAG_MISMATCH")
}

// forChannel makes an order be one of a channel of this test alone.
func forChannel(t *testing.T, w *world, code string, windows ...*or.ReleaseWindow) (customer string) {
	t.Helper()
	c := &or.ReleaseChannel{Site: "DC1", Condition: fmt.Sprintf("order.purchase_order == '%s'", code), TimeZone: "Europe/Berlin", Windows: windows}
	if resp, err := w.orders.PutReleaseChannel(t.Context(), &or.PutReleaseChannelRequest{Code: code, Channel: c}); err != nil || resp.GetReceipt().GetState() != "OPEN" {
		t.Fatal(resp, err)
	}
	return code
}

// lockedChannel: what is promised waits for its channel, says so, and goes when that opens.
func lockedChannel(t *testing.T, w *world) {
	sku := w.stocked(t, 10)[0]
	code := forChannel(t, w, testkit.Name("LOCK"))
	lock := &or.LockReleaseChannelRequest{Code: code, Note: "stocktaking"}
	if resp, err := w.orders.LockReleaseChannel(t.Context(), lock); err != nil || resp.GetReceipt().GetState() != "LOCKED" {
		t.Fatal(resp, err)
	}
	id := w.submit(t, forRule(order(t, lineOf(1, sku, 3)), code))
	w.until(t, id, "promised", func(o *or.Order) bool { return o.GetLines()[0].GetQuantities().GetPromised() == "3" })
	w.state(t, id, or.OrderState_ORDER_STATE_PROMISED)
	_, err := w.orders.ReleaseOrder(t.Context(), &or.ReleaseOrderRequest{OrderId: id})
	if about := reason(t, err, fault.Refused, "CHANNEL_LOCKED"); about["channel"] != code || about["site"] != "DC1" || about["time_zone"] != "Europe/Berlin" {
		t.Errorf("%v", about)
	}
	explained, err := w.orders.ExplainOrder(t.Context(), &or.ExplainOrderRequest{OrderId: id})
	if err != nil || explained.GetReleasable() || explained.GetReasons()[0].GetCode() != "CHANNEL_LOCKED" || explained.GetDeferrals()[0].GetChannel() != code {
		t.Errorf("%v, %v", explained, err)
	}
	other := w.submit(t, order(t, lineOf(1, sku, 3))) // no order of the channel
	w.releases(t, other, "R1 RELEASED 1:3")
	if resp, err := w.orders.OpenReleaseChannel(t.Context(), &or.OpenReleaseChannelRequest{Code: code}); err != nil || resp.GetReceipt().GetState() != "OPEN" {
		t.Fatal(resp, err)
	}
	w.releases(t, id, "R1 RELEASED 1:3")
	if got := w.history(t, id); !slices.Contains(got, "LinesPromised ReleaseDeferred") || !slices.Contains(got, "OrderReleased") {
		t.Errorf("%q", got)
	}
	got, err := w.orders.GetReleaseChannel(t.Context(), &or.GetReleaseChannelRequest{Code: code})
	if err != nil || got.GetChannel().GetState() != or.ReleaseChannelState_RELEASE_CHANNEL_STATE_OPEN || got.GetClosed() != nil || got.GetChannel().GetPriority() != 500 {
		t.Errorf("%v, %v", got, err)
	}
	testkit.Eventually(t, patience, func() bool {
		list, err := w.orders.ListReleaseChannels(t.Context(), &or.ListReleaseChannelsRequest{PageSize: 200})
		return err == nil && slices.ContainsFunc(list.GetChannels(), func(c *or.ReleaseChannel) bool { return c.GetCode() == code })
	})
}

// asleepChannel: one that sleeps until a time lets go by itself what waits for it.
func asleepChannel(t *testing.T, w *world) {
	sku := w.stocked(t, 10)[0]
	code := forChannel(t, w, testkit.Name("SLEEP"))
	until := timestamppb.New(time.Now().Add(8 * time.Second).Truncate(time.Millisecond))
	if resp, err := w.orders.LockReleaseChannel(t.Context(), &or.LockReleaseChannelRequest{Code: code, UntilTime: until}); err != nil || resp.GetReceipt().GetState() != "ASLEEP" {
		t.Fatal(resp, err)
	}
	id := w.submit(t, forRule(order(t, lineOf(1, sku, 3)), code))
	o := w.releases(t, id, "R1 RELEASED 1:3")
	if sent := o.GetReleases()[0].GetReleasedTime().AsTime(); sent.Before(until.AsTime()) {
		t.Errorf("it went at %s, before %s", sent, until.AsTime())
	}
}

func wrongChannels(t *testing.T, w *world) {
	put := func(c *or.ReleaseChannel) error {
		_, err := w.orders.PutReleaseChannel(t.Context(), &or.PutReleaseChannelRequest{Code: "WRONG", Channel: c})
		return err
	}
	window := func(day int32, opens, cut string) *or.ReleaseWindow {
		return &or.ReleaseWindow{Day: day, Opens: opens, CutOff: cut}
	}
	for want, c := range map[string]*or.ReleaseChannel{
		"CONDITION_INVALID@channel.condition SITE_UNKNOWN@channel.site": {Site: "NOWHERE", Condition: "line.sku == 'X'"},
		"TIME_ZONE_UNKNOWN@channel.time_zone":                           {Site: "DC1", TimeZone: "Mars/Base"},
		"WINDOW_INVALID@channel.windows[0].cut_off":                     {Site: "DC1", TimeZone: "UTC", Windows: []*or.ReleaseWindow{window(1, "08:00", "08:00")}},
		"WINDOW_INVALID@channel.windows[1].cut_off":                     {Site: "DC1", TimeZone: "UTC", Windows: []*or.ReleaseWindow{window(1, "08:00", "10:00"), window(1, "09:00", "11:00")}},
	} {
		if err := put(c); fields(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	_, err := w.orders.GetReleaseChannel(t.Context(), &or.GetReleaseChannelRequest{Code: "WRONG"})
	reason(t, err, fault.NotFound, "NOT_FOUND")
	_, err = w.orders.LockReleaseChannel(t.Context(), &or.LockReleaseChannelRequest{Code: "WRONG"})
	reason(t, err, fault.NotFound, "NOT_FOUND")
	code := forChannel(t, w, testkit.Name("PAST"))
	_, err = w.orders.LockReleaseChannel(t.Context(), &or.LockReleaseChannelRequest{Code: code, UntilTime: stamp(0)})
	if fields(err) != "TIME_PAST@until_time" {
		t.Error(err)
	}
	_, err = w.orders.PutReleaseChannel(t.Context(), &or.PutReleaseChannelRequest{Code: code, Channel: &or.ReleaseChannel{Site: "DC2", TimeZone: "UTC"}})
	if fields(err) != "SITE_FIXED@channel.site" {
		t.Error(err)
	}
}

// missingForRelease: all that is missing is told at once, with who can lift it.
func missingForRelease(t *testing.T, w *world) {
	sku := w.stocked(t, 3)[0]
	code := forChannel(t, w, testkit.Name("MISS"))
	if _, err := w.orders.LockReleaseChannel(t.Context(), &or.LockReleaseChannelRequest{Code: code}); err != nil {
		t.Fatal(err)
	}
	doc := forRule(order(t, lineOf(1, sku, 3)), code)
	doc.ReleaseMode = or.ReleaseMode_RELEASE_MODE_MANUAL
	id := w.submit(t, doc)
	for _, h := range []or.HoldType{or.HoldType_HOLD_TYPE_CREDIT, or.HoldType_HOLD_TYPE_EXPORT} {
		if _, err := w.orders.PlaceHold(t.Context(), &or.PlaceHoldRequest{OrderId: id, Type: h, Note: "wait"}); err != nil {
			t.Fatal(err)
		}
	}
	lacks := func(releasable bool, want ...string) {
		t.Helper()
		resp, err := w.orders.ExplainNotReleasable(t.Context(), &or.ExplainNotReleasableRequest{OrderId: id})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range resp.GetMissing() {
			if m.GetReason().GetMessage() == "" || m.GetCommand() == "" || len(m.GetLiftedBy()) == 0 {
				t.Errorf("%v", m)
			}
			got = append(got, m.GetReason().GetCode()+"@"+m.GetReason().GetField())
		}
		if !slices.Equal(got, want) || resp.GetReleasable() != releasable {
			t.Errorf("%v %q, want %q", resp.GetReleasable(), got, want)
		}
	}
	lacks(false, "ORDER_ON_HOLD@holds.CREDIT", "ORDER_ON_HOLD@holds.EXPORT", "NOT_PROMISED@")
	w.promise(t, id)
	lacks(false, "ORDER_ON_HOLD@holds.CREDIT", "ORDER_ON_HOLD@holds.EXPORT", "CHANNEL_LOCKED@sites.DC1")
	for h, role := range map[or.HoldType]commonv1.Role{
		or.HoldType_HOLD_TYPE_CREDIT: commonv1.Role_ROLE_FINANCE, or.HoldType_HOLD_TYPE_EXPORT: commonv1.Role_ROLE_LOGISTICS,
	} {
		if _, err := w.as(role).LiftHold(t.Context(), &or.LiftHoldRequest{OrderId: id, Type: h}); err != nil {
			t.Fatal(err)
		}
	}
	lacks(false, "CHANNEL_LOCKED@sites.DC1")
	if _, err := w.orders.OpenReleaseChannel(t.Context(), &or.OpenReleaseChannelRequest{Code: code}); err != nil {
		t.Fatal(err)
	}
	lacks(true)
	if _, err := w.orders.ReleaseOrder(t.Context(), &or.ReleaseOrderRequest{OrderId: id}); err != nil {
		t.Fatal(err)
	}
	lacks(false)
}
