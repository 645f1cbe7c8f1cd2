package orderrelease_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	orderrelease "github.com/lockstep-logistics/lockstep/services/order-release"
)

func TestMain(m *testing.M) { testkit.Main(m, func() error { return goleak.Find() }) }

// patience bounds how long something may take to happen on a loaded machine.
const patience = time.Minute

type client = orderreleasev1.OrderReleaseServiceClient

// world is order release among what stands for the other services.
type world struct {
	*hosttest.Suite
	orders     client
	inventory  *inventory
	masterData *owner
	shipments  *owner
}

func unit(change ...func(*orderrelease.Config)) *host.Unit {
	cfg := orderrelease.Defaults() // which give no attempt up because the machine is loaded
	cfg.Sweep, cfg.RetryFirst = 50*time.Millisecond, 100*time.Millisecond
	for _, f := range change {
		f(&cfg)
	}
	return host.Bind(orderrelease.Name, cfg, orderrelease.New)
}

// impatient gives attempts up soon, where that is what a test is about.
func impatient(cfg *orderrelease.Config) { cfg.PromiseLimit = 2 * time.Second }

func newWorld(t *testing.T, engine string, change ...func(*orderrelease.Config)) *world {
	w := &world{
		inventory:  &inventory{broken: map[string]string{}},
		masterData: &owner{types: map[string]string{"itm": "item", "pty": "party", "loc": "location", "car": "carrier", "own": "ownership"}},
		shipments:  &owner{types: map[string]string{"shp": "shipment"}},
	}
	w.Suite = hosttest.Serve(t, engine, unit(change...), w.inventory.unit(), w.masterData.unit("master-data"), w.shipments.unit("shipment-visibility"))
	w.orders = w.as(commonv1.Role_ROLE_LOGISTICS)
	w.defineParty(t, "C-1")
	w.defineParty(t, "C-2")
	for i, code := range []string{"DC1", "DC2"} {
		w.masterData.publish(t, w.Tenant, w.id("loc", code), &md.LocationDefined{Location: &md.Location{
			Code: code, Kind: md.LocationKind_LOCATION_KIND_SITE, DefaultSite: i == 0,
		}})
	}
	w.masterData.publish(t, w.Tenant, w.id("car", "UPSN"), &md.CarrierDefined{Carrier: &md.Carrier{
		Code: "UPSN", Services: []*md.CarrierService{{Code: "GROUND"}},
	}})
	w.items(t, "BASE")
	return w
}

// onEngines runs the scenarios on each engine, side by side in one world.
func onEngines(t *testing.T, scenarios map[string]func(*testing.T, *world), change ...func(*orderrelease.Config)) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine, change...)
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
	return orderreleasev1.NewOrderReleaseServiceClient(w.Client(orderrelease.Name, w.Caller(role)))
}

func (w *world) id(prefix, code string) string { return ident.Derive(prefix, w.Tenant, code) }

func (w *world) defineParty(t *testing.T, code string) {
	w.masterData.publish(t, w.Tenant, w.id("pty", code), &md.PartyDefined{Party: &md.Party{
		Code: code, Roles: []md.PartyRole{md.PartyRole_PARTY_ROLE_CUSTOMER},
		Addresses: []*md.PartyAddress{{Code: "MAIN", Address: &commonv1.Address{Name: code, City: "Berlin", Country: "DE"}}},
	}})
}

// items defines items of pieces, of which a case has 12 and three sets have 10, and waits until orders know
// them and what else the orders of tests name: facts of different records arrive in any order.
func (w *world) items(t *testing.T, skus ...string) {
	t.Helper()
	for _, sku := range skus {
		w.masterData.publish(t, w.Tenant, w.id("itm", sku), &md.ItemDefined{Item: &md.Item{
			Sku: sku, BaseUnit: "EA", PackagingUnits: []*md.PackagingUnit{
				{Unit: "CS", Numerator: 12, Denominator: 1}, {Unit: "SET", Numerator: 10, Denominator: 3},
			},
		}})
	}
	for party, site := range map[string]string{"C-1": "DC1", "C-2": "DC2"} {
		doc := order(t)
		for i, sku := range skus {
			doc.Lines = append(doc.Lines, lineOf(i+1, sku, 1))
		}
		doc.SoldTo.PartyCode, doc.Site, doc.CarrierPreference = party, site, "UPSN"
		testkit.Eventually(t, patience, func() error {
			resp, err := w.orders.SubmitOrder(t.Context(), &orderreleasev1.SubmitOrderRequest{Order: doc, ValidateOnly: true})
			if err == nil && resp.GetReceipt().GetState() == "REJECTED" {
				err = fmt.Errorf("%v", resp.GetReceipt().GetReasons())
			}
			return err
		})
	}
}

// stocked defines an item for this test and puts pieces of it into DC1's bin.
func (w *world) stocked(t *testing.T, pieces ...int) (skus []string) {
	t.Helper()
	for range pieces {
		skus = append(skus, strings.ToUpper(testkit.Name("i")))
	}
	w.items(t, skus...)
	for i, n := range pieces {
		if n > 0 {
			w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", skus[i]), n)
		}
	}
	return skus
}

func lineOf(number int, sku string, pieces int) *orderreleasev1.OrderLine {
	return &orderreleasev1.OrderLine{LineNumber: int32(number), Sku: sku, Quantity: ea(quantity.Int(int64(pieces)))}
}

// order is a document with a number of its own.
func order(_ testing.TB, lines ...*orderreleasev1.OrderLine) *orderreleasev1.OrderDocument {
	return &orderreleasev1.OrderDocument{
		SourceSystem: "erp", OrderNumber: testkit.Name("SO"), SoldTo: &orderreleasev1.OrderParty{PartyCode: "C-1"}, Lines: lines,
	}
}

// submit takes an order and returns its id.
func (w *world) submit(t *testing.T, doc *orderreleasev1.OrderDocument) string {
	t.Helper()
	resp, err := w.orders.SubmitOrder(t.Context(), &orderreleasev1.SubmitOrderRequest{Order: doc})
	if err != nil || resp.GetReceipt().GetState() == "REJECTED" {
		t.Fatal(resp, err)
	}
	return resp.GetReceipt().GetId()
}

func (w *world) get(t *testing.T, id string) *orderreleasev1.Order {
	t.Helper()
	resp, err := w.orders.GetOrder(t.Context(), &orderreleasev1.GetOrderRequest{OrderId: id})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetOrder()
}

// until waits for an order to be as the condition wants it.
func (w *world) until(t *testing.T, id string, what string, holds func(*orderreleasev1.Order) bool) *orderreleasev1.Order {
	t.Helper()
	var o *orderreleasev1.Order
	testkit.Eventually(t, patience, func() error {
		resp, err := w.orders.GetOrder(t.Context(), &orderreleasev1.GetOrderRequest{OrderId: id})
		if o = resp.GetOrder(); err == nil && !holds(o) {
			err = fmt.Errorf("not %s: %v", what, o)
		}
		return err
	})
	return o
}

// promise asks for an order's promise, and waits for what drives it when it takes longer than one
// may wait with the call.
func (w *world) promise(t *testing.T, id string) *orderreleasev1.Promise {
	t.Helper()
	resp, err := w.orders.PromiseLines(t.Context(), &orderreleasev1.PromiseLinesRequest{OrderId: id, WaitMs: 5000})
	if err != nil {
		t.Fatal(err)
	}
	if p := resp.GetPromise(); p.GetState() != orderreleasev1.PromiseState_PROMISE_STATE_OPEN {
		return p
	}
	return w.until(t, id, "decided", func(o *orderreleasev1.Order) bool {
		return o.GetPromise().GetState() != orderreleasev1.PromiseState_PROMISE_STATE_OPEN
	}).GetPromise()
}

func (w *world) state(t *testing.T, id string, s orderreleasev1.OrderState) *orderreleasev1.Order {
	t.Helper()
	return w.until(t, id, s.String(), func(o *orderreleasev1.Order) bool { return o.GetState() == s })
}

// releases renders an order's releases: "R1 FULFILLED 1:6, R2 BACKORDERED of R1 1:4".
func releases(o *orderreleasev1.Order) string {
	var all []string
	short := func(id string) string { return id[strings.LastIndex(id, "-")+1:] }
	for _, r := range o.GetReleases() {
		text := short(r.GetReleaseId()) + " " + strings.TrimPrefix(r.GetState().String(), "RELEASE_STATE_")
		if r.GetParentReleaseId() != "" {
			text += " of " + short(r.GetParentReleaseId())
		}
		for _, l := range r.GetLines() {
			text += fmt.Sprintf(" %d:%s", l.GetLineNumber(), l.GetQuantity())
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// whose releases waits for an order's releases to be as rendered.
func (w *world) releases(t *testing.T, id, want string) *orderreleasev1.Order {
	t.Helper()
	return w.until(t, id, want, func(o *orderreleasev1.Order) bool { return releases(o) == want })
}

// reason asserts the kind and reason of a fault, and returns its metadata.
func reason(t *testing.T, err error, kind fault.Kind, want string) map[string]string {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Kind != kind || f.Reason != want {
		t.Fatalf("got %v, want %s %s", err, kind, want)
	}
	return f.Metadata
}

// history is the names of an order's facts, a commit each.
func (w *world) history(t *testing.T, id string) (commits []string) {
	t.Helper()
	resp, err := w.orders.GetOrderHistory(t.Context(), &orderreleasev1.GetOrderHistoryRequest{OrderId: id, PageSize: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range resp.GetEntries() {
		var names []string
		for _, f := range e.GetFacts() {
			names = append(names, strings.TrimPrefix(f.GetType(), "lockstep.orderrelease.v1."))
		}
		commits = append(commits, strings.Join(names, " "))
	}
	return commits
}
