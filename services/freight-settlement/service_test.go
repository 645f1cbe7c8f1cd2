package freightsettlement_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	freightsettlement "github.com/lockstep-logistics/lockstep/services/freight-settlement"
)

// patience bounds how long something may take to happen on a loaded machine.
const patience = time.Minute

// shipped is all that the test's shipments remember: how many facts they had.
type shipped struct {
	Facts int `bson:"f"`
}

type shipments = store.Collection[shipped, proto.Message]

// tms stands for shipment-visibility: a unit of that name whose shipments commit the facts
// that a test tells them to.
type tms struct{ shipments atomic.Pointer[shipments] }

func (f *tms) unit() *host.Unit {
	return host.Bind("shipment-visibility", none{}, func(_ none, d host.Deps) (*host.Service, error) {
		f.shipments.Store(register(d.Store, "shipment", "shp"))
		return &host.Service{Name: "shipment-visibility"}, nil
	})
}

// register makes an aggregate of which nothing is kept but its facts.
func register(db *store.DB, name, prefix string) *shipments {
	return store.Register(db, store.Type[shipped, proto.Message]{
		Name: name, Prefix: prefix,
		Evolve: func(s shipped, _ proto.Message) shipped { s.Facts++; return s },
		Encode: protovalue.Encode,
		Decode: func(name string, data []byte) (proto.Message, error) {
			t, err := protoregistry.GlobalTypes.FindMessageByURL(name)
			if err != nil {
				return nil, err
			}
			m := t.New().Interface()
			return m, proto.Unmarshal(data, m)
		},
	})
}

type none struct{}

func (none) Validate() error { return nil }

// world is freight settlement with the test's TMS and two people of finance.
type world struct {
	*testing.T
	suite *hosttest.Suite
	tms   *tms
	names *carriers
	ann   freightsettlementv1.FreightSettlementServiceClient // enters invoices
	bob   freightsettlementv1.FreightSettlementServiceClient // resolves disputes
}

// quick makes what waits in production wait less.
func quick() freightsettlement.Config {
	c := freightsettlement.Defaults()
	c.Retry, c.Sweep, c.Attempt = 200*time.Millisecond, 50*time.Millisecond, 500*time.Millisecond
	return c
}

func serve(t *testing.T, engine string, change ...func(*host.Service)) *world {
	t.Helper()
	t.Parallel() // most of a test is waiting for facts to arrive
	w := &world{T: t, tms: &tms{}, names: newCarriers()}
	unit := host.Bind(freightsettlement.Name, quick(), func(c freightsettlement.Config, d host.Deps) (*host.Service, error) {
		s, err := freightsettlement.New(c, d)
		for _, f := range change {
			f(s)
		}
		return s, err
	})
	reader := host.Bind("integration", none{}, func(none, host.Deps) (*host.Service, error) { return &host.Service{}, nil })
	w.suite = hosttest.Serve(t, engine, unit, w.tms.unit(), w.names.unit(), reader)
	w.ann, w.bob = w.person("ann"), w.person("bob")
	return w
}

func (w *world) person(who string) freightsettlementv1.FreightSettlementServiceClient {
	c := w.suite.Caller(commonv1.Role_ROLE_FINANCE)
	c.Principal = who
	return freightsettlementv1.NewFreightSettlementServiceClient(w.suite.Client(freightsettlement.Name, c))
}

func onEngines(t *testing.T, f func(w *world)) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) { f(serve(t, engine)) })
	}
}

// happens commits facts of a shipment in the TMS.
func (w *world) happens(shipment string, facts ...proto.Message) {
	w.Helper()
	w.commit(w.tms.shipments.Load(), shipment, facts...)
}

func (w *world) commit(in *shipments, id string, facts ...proto.Message) {
	w.Helper()
	ctx := store.WithCause(w.Context(), store.Cause{Tenant: w.suite.Tenant, Principal: "tms", Key: testkit.Name("key")})
	_, err := in.Update(ctx, id, func(store.Current[shipped]) (store.Decision[proto.Message], error) {
		return store.Decision[proto.Message]{Facts: facts}, nil
	})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) shipment(name string) string { return ident.Derive("shp", w.suite.Tenant, name) }

func (w *world) freightID(shipment string) string {
	return ident.Derive("frt", w.suite.Tenant, shipment)
}

var (
	shipDate = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	home     = &commonv1.Address{Name: "Their Dock", City: "Bonn", PostalCode: "53111", Country: "DE"}
	sold     = []*shipmentvisibilityv1.ShipmentLine{
		{LineNumber: 10, Sku: "TEA", Quantity: &commonv1.Quantity{Value: "3", Unit: "EA"}, WeightGrams: 1000},
		{LineNumber: 20, Sku: "POT", Quantity: &commonv1.Quantity{Value: "1", Unit: "EA"}, WeightGrams: 2000},
		{LineNumber: 30, Sku: "CUP", Quantity: &commonv1.Quantity{Value: "7", Unit: "EA"}, WeightGrams: 4000},
	}
)

func accepted(shipment, carrier string) proto.Message {
	return &shipmentvisibilityv1.TenderAccepted{
		ShipmentId: shipment, TenderNumber: 1, Carrier: carrier, OrderId: "ord_" + shipment[4:], OrderNumber: "SO-1", Site: "DC1", ShipTo: home, GrossWeightGrams: 5000, Lines: sold,
	}
}

func dispatched(shipment, carrier, pro string) proto.Message {
	return &shipmentvisibilityv1.ShipmentDispatched{
		ShipmentId: shipment, OrderId: "ord_" + shipment[4:], OrderNumber: "SO-1", Carrier: carrier, Site: "DC1", ShipTo: home, ProNumber: pro,
		BillOfLading: "BOL-" + pro, DispatchedTime: timestamppb.New(shipDate), GrossWeightGrams: 7001, Lines: sold,
	}
}

func delivered(shipment string, grams int64) proto.Message {
	return &shipmentvisibilityv1.ShipmentDelivered{ShipmentId: shipment, OrderId: "ord_" + shipment[4:], OrderNumber: "SO-1", GrossWeightGrams: grams, Lines: sold}
}

// publish publishes a carrier's card: 100 for a kilogram and 10 % fuel, from the year's start.
func (w *world) publish(carrier, currency string) {
	w.Helper()
	w.names.know(carrier)
	resp, err := w.card(rateCard(carrier, currency))
	if err != nil || resp.GetReceipt().GetState() != "PUBLISHED" || len(resp.GetReceipt().GetCreatedIds()) != 1 {
		w.Fatal(resp, err)
	}
}

// card publishes a rate card, again where a loaded machine had no word of master data in time.
func (w *world) card(card *freightsettlementv1.RateCard) (resp *freightsettlementv1.PublishRateCardResponse, err error) {
	w.Helper()
	testkit.Eventually(w, patience, func() bool {
		resp, err = w.ann.PublishRateCard(w.Context(), &freightsettlementv1.PublishRateCardRequest{Card: card})
		return w.names.down.Load() || reasonOf(err) != "MASTER_DATA_UNAVAILABLE"
	})
	return resp, err
}

func rateCard(carrier, currency string) *freightsettlementv1.RateCard {
	return &freightsettlementv1.RateCard{
		Carrier: carrier, Currency: currency, FuelPercent: "10", ValidFrom: timestamppb.New(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		Lanes: []*freightsettlementv1.Lane{{Origin: "DC1", DestinationCountry: "DE", Bands: []*freightsettlementv1.WeightBand{{ToGrams: 1_000_000, RatePerKg: "100"}}}},
	}
}

func (w *world) freight(shipment string) *freightsettlementv1.Freight {
	resp, err := w.ann.GetFreight(w.Context(), &freightsettlementv1.GetFreightRequest{FreightId: w.freightID(shipment)})
	if err != nil && !fault.IsKind(err, fault.NotFound) {
		w.Fatal(err)
	}
	return resp.GetFreight()
}

// becomes waits until the freight of a shipment is in a state, and holds its books.
func (w *world) becomes(shipment string, want freightsettlementv1.FreightState) *freightsettlementv1.Freight {
	w.Helper()
	var f *freightsettlementv1.Freight
	testkit.Eventually(w, patience, func() error {
		if f = w.freight(shipment); f.GetState() != want {
			return fmt.Errorf("freight of %s is %s, want %s: %v", shipment, f.GetState(), want, f)
		}
		return nil
	})
	var sum int64
	for _, a := range f.GetAllocations() {
		sum += a.GetAmount().GetAmountMinor()
	}
	if cost := f.GetOpenAccrual().GetAmountMinor() + f.GetPaid().GetAmountMinor(); sum != cost {
		w.Errorf("allocated %d of %d: %v", sum, cost, f)
	}
	return f
}

func minor(amount int64, currency string) *commonv1.Money {
	return &commonv1.Money{AmountMinor: amount, Currency: currency}
}

func charged(reference, code string, amount int64, currency string) *freightsettlementv1.FreightInvoiceLine {
	return &freightsettlementv1.FreightInvoiceLine{Reference: reference, ChargeCode: code, Amount: minor(amount, currency)}
}

func bill(carrier, number string, lines ...*freightsettlementv1.FreightInvoiceLine) *freightsettlementv1.ReceiveFreightInvoiceRequest {
	return &freightsettlementv1.ReceiveFreightInvoiceRequest{Carrier: carrier, InvoiceNumber: number, InvoiceDate: timestamppb.New(shipDate), Lines: lines}
}

// invoiced enters an invoice and returns its id.
func (w *world) invoiced(carrier, number string, lines ...*freightsettlementv1.FreightInvoiceLine) string {
	w.Helper()
	resp, err := w.ann.ReceiveFreightInvoice(w.Context(), bill(carrier, number, lines...))
	if err != nil || resp.GetReceipt().GetState() != "RECEIVED" {
		w.Fatal(resp, err)
	}
	return resp.GetReceipt().GetId()
}

func (w *world) invoice(id string) *freightsettlementv1.FreightInvoice {
	w.Helper()
	resp, err := w.ann.GetFreightInvoice(w.Context(), &freightsettlementv1.GetFreightInvoiceRequest{InvoiceId: id})
	if err != nil {
		w.Fatal(err)
	}
	return resp.GetInvoice()
}

// ends waits until an invoice is in a state, for a reason if one is given.
func (w *world) ends(id string, want freightsettlementv1.FreightInvoiceState, reason string) *freightsettlementv1.FreightInvoice {
	w.Helper()
	var i *freightsettlementv1.FreightInvoice
	testkit.Eventually(w, patience, func() error {
		i = w.invoice(id)
		has := reason == ""
		for _, r := range i.GetReasons() {
			has = has || r.GetCode() == reason
		}
		if i.GetState() != want || !has {
			return fmt.Errorf("invoice %s is %s, want %s %s: %v", i.GetInvoiceNumber(), i.GetState(), want, reason, i.GetReasons())
		}
		return nil
	})
	return i
}

// balances holds that the postings of every fact of a freight balance, and returns what
// each account has at the end.
func (w *world) balances(shipment string) map[string]int64 {
	w.Helper()
	facts := commonv1.NewFactsServiceClient(w.suite.Client(freightsettlement.Name, w.suite.Service(freightsettlement.Name)))
	resp, err := facts.ListAggregateFacts(w.Context(), &commonv1.ListAggregateFactsRequest{AggregateType: "freight", Tenant: w.suite.Tenant, AggregateId: w.freightID(shipment)})
	if err != nil {
		w.Fatal(err)
	}
	accounts := map[string]int64{}
	for _, f := range resp.GetFacts() {
		t, err := protoregistry.GlobalTypes.FindMessageByURL(f.GetType())
		if err != nil {
			w.Fatal(err)
		}
		m := t.New().Interface()
		if err := proto.Unmarshal(f.GetData(), m); err != nil {
			w.Fatal(err)
		}
		posted, ok := m.(interface {
			GetPostings() []*freightsettlementv1.Posting
		})
		if !ok {
			continue
		}
		var sum int64
		for _, p := range posted.GetPostings() {
			sum += p.GetAmount().GetAmountMinor()
			accounts[p.GetAccount()] += p.GetAmount().GetAmountMinor()
		}
		if sum != 0 {
			w.Errorf("%s: debits and credits differ by %d", f.GetType(), sum)
		}
	}
	return accounts
}

// refused asserts the kind and reason of a fault.
func (w *world) refused(err error, kind fault.Kind, reason string) {
	w.Helper()
	_ = w.refusal(err, kind, reason)
}

// refusal is refused, for those who look closer.
func (w *world) refusal(err error, kind fault.Kind, reason string) *fault.Error {
	w.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Reason != reason {
		w.Fatalf("got %v, want %s %s", err, kind, reason)
	}
	return f
}

// wrap replaces the handler of one of the service's consumers.
func wrap(consumer string, around func(bus.Handler) bus.Handler) func(*host.Service) {
	return func(s *host.Service) {
		for i, c := range s.Consumers {
			if c.Name == consumer {
				s.Consumers[i].Handle = around(c.Handle)
				return
			}
		}
		panic("no consumer " + consumer)
	}
}

func TestAccess(t *testing.T) {
	serve(t, "sqlite").suite.AccessMatrix(t, freightsettlement.Name, "testdata/access.md")
}

func TestReadmeIsTrue(t *testing.T) {
	hosttest.ConfigTable(t, "README.md", host.Bind(freightsettlement.Name, freightsettlement.Defaults(), freightsettlement.New))
}

func TestConfigThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*freightsettlement.Config){
		"share":  func(c *freightsettlement.Config) { c.TolerancePercent = 101 },
		"amount": func(c *freightsettlement.Config) { c.ToleranceMinor = -1 },
		"sweep":  func(c *freightsettlement.Config) { c.Sweep = 0 },
	} {
		c := freightsettlement.Defaults()
		change(&c)
		if c.Validate() == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
