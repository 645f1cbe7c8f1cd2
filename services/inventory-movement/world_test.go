package inventorymovement_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
)

func TestMain(m *testing.M) { testkit.Main(m, func() error { return goleak.Find() }) }

// patience bounds how long something may take to happen on a loaded machine.
const patience = time.Minute

type client = im.InventoryMovementServiceClient

// world is inventory among what stands for the other services.
type world struct {
	*hosttest.Suite
	wms        client // a warehouse's system
	claims     client // order release
	masterData *masterData
	orders     *owner
	returns    *owner
	shipments  *owner
}

func unit() *host.Unit {
	return host.Bind(inventorymovement.Name, inventorymovement.Defaults(), inventorymovement.New)
}

func newWorld(t *testing.T, engine string) *world {
	w := &world{
		masterData: newMasterData(),
		orders:     &owner{types: map[string]string{"ord": "order"}},
		returns:    &owner{types: map[string]string{"rma": "return"}},
		shipments:  &owner{types: map[string]string{"shp": "shipment"}},
	}
	w.Suite = hosttest.Serve(t, engine, unit(), w.masterData.unit("master-data"), w.orders.unit("order-release"), w.returns.unit("returns"), w.shipments.unit("shipment-visibility"))
	w.wms = im.NewInventoryMovementServiceClient(w.Client(inventorymovement.Name, w.Caller(commonv1.Role_ROLE_LOGISTICS)))
	w.claims = im.NewInventoryMovementServiceClient(w.Client(inventorymovement.Name, w.Service("order-release")))
	for code, prefix := range map[string]string{"DC1": "4012345", "DC2": ""} {
		w.masterData.publish(t, w.Tenant, w.id("loc", code), &md.LocationDefined{Location: &md.Location{
			Code: code, Kind: md.LocationKind_LOCATION_KIND_SITE, Gs1CompanyPrefix: prefix,
		}})
	}
	w.masterData.publish(t, w.Tenant, w.id("loc", "B-1"), &md.LocationDefined{Location: &md.Location{Code: "B-1", Kind: md.LocationKind_LOCATION_KIND_BIN}})
	for _, site := range []string{"DC1", "DC2"} {
		w.knows(t, site)
	}
	return w
}

// knows waits until a site is known.
func (w *world) knows(t *testing.T, site string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		_, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: site, Sku: "NONE", Location: "B-1", Change: ea(1), Reason: "PROBE"})
		if f, ok := fault.As(err); ok && f.Reason == "ITEM_UNKNOWN" {
			return nil
		}
		return fmt.Errorf("not known: %w", err)
	})
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

func (w *world) id(prefix, code string) string { return ident.Derive(prefix, w.Tenant, code) }

func (w *world) stockID(sku string) string {
	return ident.Derive("stk", w.Tenant, "DC1", w.id("itm", sku), "OWN")
}

func ea(n int) *commonv1.Quantity { return &commonv1.Quantity{Value: fmt.Sprint(n), Unit: "EA"} }

// item defines an item of pieces, a case of which has 12, and waits until it is known.
func (w *world) item(t *testing.T) (sku string) {
	t.Helper()
	sku = strings.ToUpper(testkit.Name("i"))
	w.masterData.publish(t, w.Tenant, w.id("itm", sku), &md.ItemDefined{Item: &md.Item{
		Sku: sku, BaseUnit: "EA", PackagingUnits: []*md.PackagingUnit{
			{Unit: "CS", Numerator: 12, Denominator: 1}, {Unit: "HF", Numerator: 1, Denominator: 2},
		},
	}})
	testkit.Eventually(t, patience, func() error {
		_, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: "DC1", Sku: sku, Location: "B-1", Change: &commonv1.Quantity{Value: "-1", Unit: "EA"}, Reason: "PROBE"})
		if f, ok := fault.As(err); ok && f.Reason == "INSUFFICIENT_STOCK" {
			return nil
		}
		return fmt.Errorf("not known: %w", err)
	})
	return sku
}

// stocked defines an item and puts pieces of it into bin B-1 of DC1.
func (w *world) stocked(t *testing.T, pieces int) (sku string) {
	t.Helper()
	sku = w.item(t)
	w.receive(t, sku, "B-1", ea(pieces))
	return sku
}

func (w *world) receive(t *testing.T, sku, bin string, q *commonv1.Quantity) *commonv1.Receipt {
	t.Helper()
	resp, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{
		Site: "DC1", Sku: sku, Location: bin, Quantity: q, Document: "ASN-1",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetReceipt()
}

// rows renders a stock's rows: "B-1 6/2" is 6 on hand, 2 allocated.
func (w *world) rows(t *testing.T, sku string) string {
	t.Helper()
	return w.rowsAt(t, "DC1", sku)
}

func (w *world) rowsAt(t *testing.T, site, sku string) string {
	t.Helper()
	resp, err := w.wms.GetStock(t.Context(), &im.GetStockRequest{Site: site, Sku: sku})
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, r := range resp.GetStock().GetRows() {
		text := r.GetLocation()
		if r.GetLot() != "" {
			text += " lot " + r.GetLot()
		}
		if s := r.GetStatus(); s != im.StockStatus_STOCK_STATUS_AVAILABLE {
			text += " " + strings.TrimPrefix(s.String(), "STOCK_STATUS_")
		}
		text += " " + r.GetOnHand().GetValue()
		if a := r.GetAllocated().GetValue(); a != "0" {
			text += "/" + a
		}
		rows = append(rows, text)
	}
	slices.Sort(rows)
	return strings.Join(rows, ", ")
}

// whose rows waits for a stock's rows to be as rendered.
func (w *world) becomes(t *testing.T, sku, want string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		if got := w.rows(t, sku); got != want {
			return fmt.Errorf("got %s, want %s", got, want)
		}
		return nil
	})
}

// atp is what can be promised of an item, and what is promised.
func (w *world) atp(t *testing.T, sku string) (atp, promised string) {
	t.Helper()
	resp, err := w.claims.GetAvailability(t.Context(), &im.GetAvailabilityRequest{Places: []*im.AvailabilityPlace{{Site: "DC1", ItemId: w.id("itm", sku)}}})
	if err != nil || len(resp.GetAvailabilities()) != 1 {
		t.Fatal(resp, err)
	}
	a := resp.GetAvailabilities()[0]
	return a.GetAvailableToPromise().GetValue(), a.GetPromised().GetValue()
}

func (w *world) claim(key, sku string, pieces int) *im.StockClaim {
	return &im.StockClaim{ClaimKey: key, Site: "DC1", ItemId: w.id("itm", sku), Owner: "OWN", Quantity: ea(pieces)}
}

func (w *world) reserve(t *testing.T, partial bool, claims ...*im.StockClaim) []*im.ReserveStockResponse_Grant {
	t.Helper()
	resp, err := w.claims.ReserveStock(t.Context(), &im.ReserveStockRequest{Claims: claims, AllowPartial: partial})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetGrants()
}

// line is a line of a release: pieces of an item, promised by a claim if there is a key.
type line struct {
	sku    string
	pieces int
	claim  string
}

// release publishes the release of an order and returns it with the id that its warehouse order has.
func (w *world) release(t *testing.T, lines ...line) (m *orderreleasev1.OrderReleased, who string) {
	t.Helper()
	m = w.released(lines...)
	w.orders.publish(t, w.Tenant, m.GetOrderId(), m)
	return m, w.who(m)
}

func (w *world) who(m *orderreleasev1.OrderReleased) string {
	return ident.Derive("who", w.Tenant, m.GetReleaseId(), "1")
}

func (w *world) released(lines ...line) *orderreleasev1.OrderReleased {
	order := w.id("ord", testkit.Name("so"))
	m := &orderreleasev1.OrderReleased{
		OrderId: order, OrderNumber: "SO-" + order[4:12], ReleaseId: order + "-R1", ReleaseVersion: 1, Site: "DC1", Owner: "OWN",
		ShipToAddress: &commonv1.Address{Name: "Acme", City: "Hamburg", Country: "DE"}, CarrierPreference: "UPSN", ServiceLevel: "GROUND",
		ReleasedTime: timestamppb.Now(),
	}
	for i, l := range lines {
		out := &orderreleasev1.ReleaseLine{LineNumber: int32(i + 1), ItemId: w.id("itm", l.sku), Sku: l.sku, Quantity: ea(l.pieces)}
		if l.claim != "" {
			out.Claims = []*orderreleasev1.ReleaseClaim{{ClaimKey: l.claim, Quantity: fmt.Sprint(l.pieces)}}
		}
		m.Lines = append(m.Lines, out)
	}
	return m
}

func (w *world) cancel(t *testing.T, m *orderreleasev1.OrderReleased) {
	t.Helper()
	w.orders.publish(t, w.Tenant, m.GetOrderId(), &orderreleasev1.CancelRequested{
		OrderId: m.GetOrderId(), OrderNumber: m.GetOrderNumber(), ReleaseId: m.GetReleaseId(), ReleaseVersion: 1, Site: "DC1", Reason: "CUSTOMER_REQUEST",
	})
}

// state waits for a warehouse order to stand somewhere.
func (w *world) state(t *testing.T, who, want string) *im.WarehouseOrder {
	t.Helper()
	var o *im.WarehouseOrder
	testkit.Eventually(t, patience, func() error {
		resp, err := w.wms.GetWarehouseOrder(t.Context(), &im.GetWarehouseOrderRequest{WarehouseOrderId: who})
		o = resp.GetWarehouseOrder()
		if got := strings.TrimPrefix(o.GetState().String(), "WAREHOUSE_ORDER_STATE_"); err != nil || got != want {
			return fmt.Errorf("it is %s, not %s: %w", got, want, err)
		}
		return nil
	})
	return o
}

func picked(number, pieces int) *im.WarehouseLineQuantity {
	return &im.WarehouseLineQuantity{LineNumber: int32(number), Quantity: ea(pieces)}
}

func (w *world) confirm(t *testing.T, who string, lines ...*im.WarehouseLineQuantity) {
	t.Helper()
	if _, err := w.wms.ConfirmPicks(t.Context(), &im.ConfirmPicksRequest{WarehouseOrderId: who, Lines: lines}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) pack(t *testing.T, who string, lines ...*im.WarehouseLineQuantity) (sscc string) {
	t.Helper()
	resp, err := w.wms.PackCarton(t.Context(), &im.PackCartonRequest{WarehouseOrderId: who, Lines: lines, GrossWeightGrams: 900})
	if err != nil || len(resp.GetReceipt().GetCreatedIds()) != 1 {
		t.Fatal(resp, err)
	}
	return resp.GetReceipt().GetCreatedIds()[0]
}

func (w *world) issue(t *testing.T, who string) {
	t.Helper()
	resp, err := w.wms.PostGoodsIssue(t.Context(), &im.PostGoodsIssueRequest{WarehouseOrderId: who})
	if err != nil || resp.GetReceipt().GetState() != "ISSUED" {
		t.Fatal(resp, err)
	}
}

// reason asserts the kind and reason of a fault, and returns it.
func reason(t *testing.T, err error, kind fault.Kind, want string) fault.Error {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Kind != kind || f.Reason != want {
		t.Fatalf("got %v, want %s %s", err, kind, want)
	}
	return *f
}
