package orderrelease_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	orderrelease "github.com/lockstep-logistics/lockstep/services/order-release"
)

// TestMasterDataDown: once the first copy is there, orders are taken, rejected, promised
// and released without master data, also after a restart.
func TestMasterDataDown(t *testing.T) {
	w := &world{
		inventory:  &inventory{broken: map[string]string{}},
		masterData: &owner{types: map[string]string{"itm": "item", "pty": "party", "loc": "location", "car": "carrier", "own": "ownership"}},
		shipments:  &owner{types: map[string]string{"shp": "shipment"}},
	}
	w.Suite = &hosttest.Suite{Tenant: testkit.Name("t")} // of which this test uses the tenant only
	cfg := host.Defaults()
	cfg.Listen, cfg.Shutdown = host.Listen{}, host.Shutdown{Wait: time.Millisecond, Grace: patience, Drain: patience}
	cfg.Redis.URL = ""
	cfg.Store = host.Store{URI: host.Secret("sqlite:" + t.TempDir())}
	nc, err := bus.Connect(testkit.StartNATS(t).URL(), "alone")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	start := func(units ...*host.Unit) (client, func()) {
		h, err := host.Start(t.Context(), "alone", cfg, host.Parts{NATS: nc, Log: io.Discard, Bus: bus.Timing{Trail: 100 * time.Millisecond, Poll: time.Second}}, units...)
		if err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, patience, func() bool { return len(h.Ready()) == 0 })
		stop := func() {
			if err := h.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}
		return or.NewOrderReleaseServiceClient(h.Dial(guard.Gateway, orderrelease.Name)), stop
	}
	ctx := func() context.Context {
		caller := guard.Caller{Tenant: w.Tenant, Principal: "tester", Roles: []commonv1.Role{commonv1.Role_ROLE_LOGISTICS}, Systems: []string{"*"}}
		return hosttest.WithKey(guard.WithCaller(t.Context(), caller), uuid.NewString())
	}

	orders, stop := start(unit(), w.inventory.unit(), w.masterData.unit("master-data"), w.shipments.unit("shipment-visibility"))
	w.defineParty(t, "C-1")
	w.masterData.publish(t, w.Tenant, w.id("loc", "DC1"), &md.LocationDefined{Location: &md.Location{
		Code: "DC1", Kind: md.LocationKind_LOCATION_KIND_SITE, DefaultSite: true,
	}})
	w.masterData.publish(t, w.Tenant, w.id("itm", "A"), &md.ItemDefined{Item: &md.Item{Sku: "A", BaseUnit: "EA"}})
	w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", "A"), 5)
	testkit.Eventually(t, patience, func() bool {
		resp, err := orders.SubmitOrder(ctx(), &or.SubmitOrderRequest{Order: order(t, lineOf(1, "A", 1)), ValidateOnly: true})
		return err == nil && resp.GetReceipt().GetState() != "REJECTED"
	})
	w.masterData.publish(t, w.Tenant, w.id("own", "ORDER"), &md.OwnershipPolicyDefined{ObjectType: md.ObjectType_OBJECT_TYPE_ORDER, PolicyVersion: 1, Rules: []*md.OwnershipRule{
		{Subject: "SubmitOrder", Owner: "erp-1", ConflictRule: md.ConflictRule_CONFLICT_RULE_REFUSE},
	}})
	foreign := func() bool {
		_, err := orders.SubmitOrder(ctx(), &or.SubmitOrderRequest{Order: order(t, lineOf(1, "A", 1)), ValidateOnly: true, Source: from("shop")})
		f, _ := fault.As(err)
		return f != nil && f.Reason == "TRANSITION_NOT_OWNED"
	}
	testkit.Eventually(t, patience, foreign)
	stop()

	orders, stop = start(unit(), w.inventory.unit())
	defer stop()
	if !foreign() {
		t.Error("who may submit orders is forgotten while master data is down")
	}
	resp, err := orders.SubmitOrder(ctx(), &or.SubmitOrderRequest{Order: order(t, lineOf(1, "A", 3))})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() bool {
		got, err := orders.GetOrder(ctx(), &or.GetOrderRequest{OrderId: resp.GetReceipt().GetId()})
		return err == nil && releases(got.GetOrder()) == "R1 RELEASED 1:3"
	})
	wrong := order(t, lineOf(1, "B", 1))
	resp, err = orders.SubmitOrder(ctx(), &or.SubmitOrderRequest{Order: wrong})
	if err != nil || resp.GetReceipt().GetState() != "REJECTED" || resp.GetReceipt().GetReasons()[0].GetCode() != "ITEM_UNKNOWN" {
		t.Error(resp, err)
	}
	half := lineOf(1, "A", 1)
	half.Quantity = ea(quantity.MustParse("0.5"))
	resp, err = orders.SubmitOrder(ctx(), &or.SubmitOrderRequest{Order: order(t, half)})
	if err != nil || resp.GetReceipt().GetReasons()[0].GetCode() != "QUANTITY_INVALID" {
		t.Error(resp, err)
	}
	_, err = orders.GetOrder(ctx(), &or.GetOrderRequest{OrderId: w.id("ord", "nobody")})
	if !fault.IsKind(err, fault.NotFound) {
		t.Error(err)
	}
}
