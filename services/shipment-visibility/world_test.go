package shipmentvisibility_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	sv "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	shipmentvisibility "github.com/lockstep-logistics/lockstep/services/shipment-visibility"
)

func TestMain(m *testing.M) { testkit.Main(m, func() error { return goleak.Find() }) }

// patience bounds how long something may take to happen on a loaded machine.
const patience = time.Minute

type client = sv.ShipmentVisibilityServiceClient

// world is shipment visibility among what stands for inventory and master data.
type world struct {
	*hosttest.Suite
	tms        client
	inventory  *owner
	masterData *owner
}

// unit is the service, given every fact twice: as the bus may do after a crash.
func unit() *host.Unit {
	cfg := shipmentvisibility.Defaults()
	cfg.Sweep = 50 * time.Millisecond
	return host.Bind(shipmentvisibility.Name, cfg, func(c shipmentvisibility.Config, d host.Deps) (*host.Service, error) {
		s, err := shipmentvisibility.New(c, d)
		for i, consumer := range s.Consumers {
			s.Consumers[i].Handle = func(ctx context.Context, f bus.Fact) error {
				if err := consumer.Handle(ctx, f); err != nil {
					return err
				}
				return consumer.Handle(ctx, f)
			}
		}
		return s, err
	})
}

// ahead is the system's clock, put ahead at will: what is to pass in tests passes at once.
type ahead struct{ by atomic.Int64 }

func (a *ahead) Now() time.Time { return clock.System{}.Now().Add(time.Duration(a.by.Load())) }

func newWorld(t *testing.T, engine string) *world {
	return newWorldOn(t, hosttest.Options{Engine: engine})
}

func newWorldOn(t *testing.T, on hosttest.Options) *world {
	w := &world{
		inventory:  &owner{aggregate: "warehouse_order", prefix: "who"},
		masterData: &owner{aggregate: "carrier", prefix: "car"},
	}
	w.Suite = hosttest.ServeWith(t, on, unit(), w.inventory.unit("inventory-movement"), w.masterData.unit("master-data"))
	w.tms = w.as(commonv1.Role_ROLE_LOGISTICS)
	for _, c := range []*md.Carrier{
		{Code: "ACME", PartyCode: "P-ACME", Services: []*md.CarrierService{{Code: "LTL"}}},
		{Code: "OTHR", PartyCode: "P-OTHR"},
		{Code: "TWO1", PartyCode: "P-TWO"},
		{Code: "TWO2", PartyCode: "P-TWO"},
	} {
		w.masterData.publish(t, w.Tenant, w.id("car", c.GetCode()), &md.CarrierDefined{Carrier: c})
	}
	w.masterData.publish(t, w.Tenant, w.id("car", "GONE"),
		&md.CarrierDefined{Carrier: &md.Carrier{Code: "GONE"}}, &md.CarrierRetired{Carrier: &md.Carrier{Code: "GONE"}})
	shipment := w.planned(t, "known-carriers")
	for _, code := range []string{"ACME", "OTHR", "TWO1", "TWO2", "GONE"} { // until the copy has each of them
		testkit.Eventually(t, patience, func() error {
			_, err := w.tms.TenderShipment(t.Context(), &sv.TenderShipmentRequest{ShipmentId: shipment, Carrier: code, CarrierService: "NONE", RespondBy: in(time.Hour)})
			f, _ := fault.As(err)
			about := ""
			if f != nil && len(f.Fields) > 0 {
				about = f.Fields[0].Reason
			}
			if about == "CARRIER_UNKNOWN" || code == "GONE" && about != "CARRIER_RETIRED" || err != nil && fault.Transient(err) {
				return fmt.Errorf("%s: %w", code, err)
			}
			return nil
		})
	}
	return w
}

// onEngines runs the scenarios on each engine, side by side in one world.
func onEngines(t *testing.T, scenarios map[string]func(*testing.T, *world)) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine)
			t.Run("all", func(t *testing.T) {
				for name, run := range scenarios {
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						run(t, w)
					})
				}
			})
		})
	}
}

func (w *world) as(role commonv1.Role) client {
	return sv.NewShipmentVisibilityServiceClient(w.Client(shipmentvisibility.Name, w.Caller(role)))
}

// carrier is a person at the carrier that a party is.
func (w *world) carrier(party string) client {
	c := guard.Caller{Tenant: w.Tenant, Principal: "carrier " + party, Roles: []commonv1.Role{commonv1.Role_ROLE_PARTNER}, Systems: []string{"carrier"}}
	if party != "" {
		c.Party = w.id("pty", party)
	}
	return sv.NewShipmentVisibilityServiceClient(w.Client(shipmentvisibility.Name, c))
}

func (w *world) id(prefix, code string) string { return ident.Derive(prefix, w.Tenant, code) }

func (w *world) warehouseOrder(name string) string { return w.id("who", name) }

func (w *world) shipmentOf(name string) string {
	return ident.Derive("shp", w.Tenant, w.warehouseOrder(name))
}

func (w *world) keys(name string) *im.WarehouseOrderKeys {
	return &im.WarehouseOrderKeys{
		WarehouseOrderId: w.warehouseOrder(name), OrderId: w.id("ord", name), OrderNumber: "SO-" + name, ReleaseId: w.id("ord", name) + "-R1", ReleaseVersion: 1,
	}
}

// at is a time of the scenarios' day, which is over: hours after midnight.
func at(hour int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC))
}

func in(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(time.Now().Add(d)) }

func ea(n string) *commonv1.Quantity { return &commonv1.Quantity{Value: n, Unit: "EA"} }

func (w *world) created(name string) proto.Message {
	return &im.WarehouseOrderCreated{
		Keys: w.keys(name), Site: "DC1", Owner: "OWN", ShipTo: &commonv1.Address{Name: "Ada", City: "Bonn", Country: "DE"},
		CarrierPreference: "ACME", ServiceLevel: "LTL",
		Lines: []*im.WarehouseOrderLineToShip{{LineNumber: 1, Sku: "TEA", Quantity: ea("10")}, {LineNumber: 2, Sku: "POT", Quantity: ea("4")}},
	}
}

// issued is a goods issue from two lots of one line, short of the other by one.
func (w *world) issued(name string) proto.Message {
	return &im.GoodsIssued{
		Keys: w.keys(name), GrossWeightGrams: 7000, IssuedTime: at(9),
		Lines: []*im.WarehouseLineQuantity{
			{LineNumber: 1, Sku: "TEA", Quantity: ea("6"), Lot: "L1"},
			{LineNumber: 1, Sku: "TEA", Quantity: ea("4"), Lot: "L2"},
			{LineNumber: 2, Sku: "POT", Quantity: ea("3")},
		},
		Cartons: []*im.Carton{
			{Sscc: sscc(name, 1), GrossWeightGrams: 5000, Lines: []*im.WarehouseLineQuantity{
				{LineNumber: 1, Sku: "TEA", Quantity: ea("6"), Lot: "L1"},
				{LineNumber: 1, Sku: "TEA", Quantity: ea("4"), Lot: "L2"},
			}},
			{Sscc: sscc(name, 2), GrossWeightGrams: 2000, Lines: []*im.WarehouseLineQuantity{{LineNumber: 2, Sku: "POT", Quantity: ea("3")}}},
		},
	}
}

func (w *world) cancelled(name string) proto.Message {
	return &im.WarehouseOrderCancelled{Keys: w.keys(name), Reason: "CUSTOMER_REQUEST"}
}

// sscc is a number of a carton that no other scenario uses; its check digit is nobody's business here.
func sscc(name string, n int) string { return fmt.Sprintf("SSCC-%s-%d", name, n) }

// happens publishes facts of a warehouse order.
func (w *world) happens(t *testing.T, name string, facts ...proto.Message) {
	t.Helper()
	w.inventory.publish(t, w.Tenant, w.warehouseOrder(name), facts...)
}

// planned has a shipment planned and returns its id.
func (w *world) planned(t *testing.T, name string) string {
	t.Helper()
	w.happens(t, name, w.created(name))
	w.becomes(t, name, sv.ShipmentState_SHIPMENT_STATE_PLANNED)
	return w.shipmentOf(name)
}

// becomes waits for a shipment to be in a state, with exactly these contradictions.
func (w *world) becomes(t *testing.T, name string, state sv.ShipmentState, contradictions ...string) *sv.Shipment {
	t.Helper()
	var s *sv.Shipment
	testkit.Eventually(t, patience, func() error {
		resp, err := w.tms.GetShipment(t.Context(), &sv.GetShipmentRequest{ShipmentId: w.shipmentOf(name)})
		if s = resp.GetShipment(); err != nil {
			return err
		}
		var codes []string
		for _, c := range s.GetContradictions() {
			codes = append(codes, c.GetCode())
		}
		if s.GetState() != state || !slices.Equal(codes, contradictions) {
			return fmt.Errorf("%s %v, want %s %v", s.GetState(), codes, state, contradictions)
		}
		return nil
	})
	return s
}

// lines renders lines: "1:10 EA 5000g 2:3 EA 2000g".
func lines(ls []*sv.ShipmentLine) string {
	parts := make([]string, len(ls))
	for i, l := range ls {
		parts[i] = fmt.Sprintf("%d:%s %s %dg", l.GetLineNumber(), l.GetQuantity().GetValue(), l.GetQuantity().GetUnit(), l.GetWeightGrams())
	}
	return strings.Join(parts, " ")
}

// facts are the names of a shipment's published facts, and the facts.
func (w *world) facts(t *testing.T, name string) (names []string, facts []proto.Message) {
	t.Helper()
	c := commonv1.NewFactsServiceClient(w.Client(shipmentvisibility.Name, w.Service(shipmentvisibility.Name)))
	resp, err := c.ListAggregateFacts(t.Context(), &commonv1.ListAggregateFactsRequest{AggregateType: "shipment", Tenant: w.Tenant, AggregateId: w.shipmentOf(name)})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range resp.GetFacts() {
		m, err := decode(f.GetType(), f.GetData())
		if err != nil {
			t.Fatal(err)
		}
		names, facts = append(names, strings.TrimPrefix(f.GetType(), "lockstep.shipmentvisibility.v1.")), append(facts, m)
	}
	return names, facts
}

// refused asserts the kind and reason of a fault, and returns it.
func refused(t *testing.T, err error, kind fault.Kind, reason string) fault.Error {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Kind != kind || f.Reason != reason {
		t.Fatalf("got %v, want %s %s", err, kind, reason)
	}
	return *f
}

// done asserts the state that a command's receipt names, and the codes of its reasons.
func done(t *testing.T, r *commonv1.Receipt, err error, state string, reasons ...string) {
	t.Helper()
	var codes []string
	for _, c := range r.GetReasons() {
		codes = append(codes, c.GetCode())
	}
	if err != nil || r.GetState() != state || !slices.Equal(codes, reasons) {
		t.Fatalf("%v, %v; want %s %v", r, err, state, reasons)
	}
}
