package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// Seeded orders have the form of walked ones, are read like them, whether by snapshot or from
// their commits alone, and stand in nobody's way.
func TestSeededOrders(t *testing.T) {
	if testing.Short() {
		t.Skip("walks ten orders on a whole suite, one after another")
	}
	uri := testkit.Mongo(t)
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	ctx := t.Context()
	from, to := testkit.Database(t, uri)+"_", testkit.Database(t, uri)+"_"
	walked, err := walkTemplates(ctx, uri, client, from)
	if err != nil {
		t.Fatal(err)
	}
	if err := seed(ctx, client, walked, to, templates); err != nil {
		t.Fatal(err)
	}
	seeded := make([]*template, templates)
	for n := range seeded {
		if seeded[n], err = readTemplate(ctx, client, to, seededNumber(n)); err != nil {
			t.Fatal(err)
		}
		want, got := forms(t, walked[n]), forms(t, seeded[n])
		if !slices.Equal(want, got) {
			t.Errorf("order %d: walked\n%s\nseeded\n%s", n, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
	for _, d := range seeded[0].docs { // it has to be read from its commits
		if strings.HasPrefix(d.collection, "state_") {
			if _, err := client.Database(to+d.db).Collection(d.collection).DeleteOne(ctx, bson.D{{Key: "_id", Value: d.agg}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	e, err := onPrefix(ctx, "seeded", uri, client, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.close() })
	for n := range 2 {
		read(t, e, seeded[n])
	}
	trace(t, e, seeded[2])
	d := &lifecycle.Driver{Dial: e.grpc().dial, Now: clock.System{}.Now}
	if err := d.Walk(ctx, "W000000001", wide(3)); err != nil {
		t.Error(err)
	}
}

// forms tells of each document what it is: the types of a commit's facts, the fields of a
// snapshot and of its state.
func forms(t *testing.T, of *template) []string {
	t.Helper()
	var out []string
	for _, d := range of.docs {
		_, id, _ := strings.Cut(d.agg, "/")
		kind, _, _ := strings.Cut(id, "_")
		form := fmt.Sprintf("%s/%s %s %d:", d.db, d.collection, kind, d.version)
		if d.collection == "commits" {
			facts, _ := d.raw.Lookup("f").ArrayOK()
			values, _ := facts.Values()
			for _, v := range values {
				form += " " + v.Document().Lookup("t").StringValue()
			}
		}
		out = append(out, form+fields("", d.raw))
	}
	slices.Sort(out)
	return out
}

// fields lists the names and types of a document's fields, and of those within.
func fields(path string, raw bson.Raw) string {
	out := ""
	elements, _ := raw.Elements()
	for _, e := range elements {
		name := path + e.Key()
		out += fmt.Sprintf(" %s %s", name, e.Value().Type)
		if inner, ok := e.Value().DocumentOK(); ok {
			out += fields(name+".", inner)
		}
	}
	return out
}

// id returns the order's aggregate of a kind.
func (t *template) id(kind string) string {
	for _, x := range t.tokens {
		if x.kind == "id" && strings.HasPrefix(x.old, kind+"_") {
			return x.old
		}
	}
	return ""
}

// read gets every aggregate of a finished order that the API shows.
func read(t *testing.T, e *running, of *template) {
	t.Helper()
	ctx, dial := t.Context(), e.grpc().dial
	order, err := orderreleasev1.NewOrderReleaseServiceClient(dial("order-release")).GetOrder(ctx, &orderreleasev1.GetOrderRequest{OrderId: of.id("ord")})
	if err != nil || order.GetOrder().GetState() != orderreleasev1.OrderState_ORDER_STATE_CLOSED {
		t.Errorf("order %v, %v", order, err)
	}
	warehouse, err := inventorymovementv1.NewInventoryMovementServiceClient(dial("inventory-movement")).GetWarehouseOrder(ctx,
		&inventorymovementv1.GetWarehouseOrderRequest{WarehouseOrderId: of.id("who")})
	if err != nil || warehouse.GetWarehouseOrder().GetOrderId() != of.id("ord") {
		t.Errorf("warehouse order %v, %v", warehouse, err)
	}
	shipment, err := shipmentvisibilityv1.NewShipmentVisibilityServiceClient(dial("shipment-visibility")).GetShipment(ctx,
		&shipmentvisibilityv1.GetShipmentRequest{ShipmentId: of.id("shp")})
	if err != nil || shipment.GetShipment().GetState() != shipmentvisibilityv1.ShipmentState_SHIPMENT_STATE_CLOSED {
		t.Errorf("shipment %v, %v", shipment, err)
	}
	freights := freightsettlementv1.NewFreightSettlementServiceClient(dial("freight-settlement"))
	freight, err := freights.GetFreight(ctx, &freightsettlementv1.GetFreightRequest{FreightId: of.id("frt")})
	if err != nil || freight.GetFreight().GetState() != freightsettlementv1.FreightState_FREIGHT_STATE_SETTLED {
		t.Errorf("freight %v, %v", freight, err)
	}
	invoice, err := freights.GetFreightInvoice(ctx, &freightsettlementv1.GetFreightInvoiceRequest{InvoiceId: of.id("inv")})
	if err != nil || invoice.GetInvoice().GetState() != freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_PAID {
		t.Errorf("invoice %v, %v", invoice, err)
	}
}

// trace asks the tower for the story of a seeded order: all of its own facts are in it.
func trace(t *testing.T, e *running, of *template) {
	t.Helper()
	facts := 0
	for _, d := range of.docs {
		if d.collection == "commits" {
			list, _ := d.raw.Lookup("f").ArrayOK()
			values, _ := list.Values()
			facts += len(values)
		}
	}
	client := controltowerv1.NewControlTowerServiceClient(e.grpc().dial("control-tower"))
	got, err := client.Trace(t.Context(), &controltowerv1.TraceRequest{Key: of.tokens[0].old})
	if err != nil || len(got.GetSteps()) < facts {
		t.Errorf("%d steps of at least %d, %v", len(got.GetSteps()), facts, err)
	}
}
