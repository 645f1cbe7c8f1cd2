package orderrelease_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	orderrelease "github.com/lockstep-logistics/lockstep/services/order-release"
)

// TestCommands is what every caller may rely on: keys, versions, tenants, parties, reasons.
func TestCommands(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"number taken":      numberTaken,
		"stale version":     staleVersion,
		"rejected":          rejected,
		"batch":             batch,
		"foreign tenant":    foreignTenant,
		"customer":          customer,
		"lists":             lists,
		"nothing is stored": nothingStored,
		"one unit":          oneUnit,
	})
}

func numberTaken(t *testing.T, w *world) {
	doc := order(t, lineOf(1, "BASE", 1))
	id := w.submit(t, doc)
	_, err := w.orders.SubmitOrder(t.Context(), &or.SubmitOrderRequest{Order: doc})
	if about := reason(t, err, fault.Conflict, "ORDER_NUMBER_TAKEN"); about["order_id"] != id || about["state"] == "" {
		t.Errorf("%v", about)
	}
	elsewhere := proto.CloneOf(doc)
	elsewhere.SourceSystem = "webshop"
	if other := w.submit(t, elsewhere); other == id {
		t.Error("two systems' orders are one")
	}
}

func staleVersion(t *testing.T, w *world) {
	doc := order(t, lineOf(1, "BASE", 1))
	doc.ReleaseMode = or.ReleaseMode_RELEASE_MODE_MANUAL
	id := w.submit(t, doc)
	etag := w.get(t, id).GetEtag()
	hold := &or.PlaceHoldRequest{OrderId: id, Type: or.HoldType_HOLD_TYPE_EXPORT, Etag: etag}
	if _, err := w.orders.PlaceHold(t.Context(), hold); err != nil {
		t.Fatal(err)
	}
	_, err := w.orders.LiftHold(t.Context(), &or.LiftHoldRequest{OrderId: id, Type: or.HoldType_HOLD_TYPE_EXPORT, Etag: etag})
	if !fault.IsKind(err, fault.Stale) {
		t.Fatalf("a stale version: %v", err)
	}
	if len(w.get(t, id).GetHolds()) != 1 {
		t.Error("the hold is gone")
	}
}

// rejected: everything that is wrong is said at once, each with its field; the corrected
// order takes the place of the rejected one.
func rejected(t *testing.T, w *world) {
	doc := order(t,
		lineOf(1, "NOBODY", 1),
		&or.OrderLine{LineNumber: 2, Sku: "BASE", Quantity: &commonv1.Quantity{Value: "1", Unit: "KGM"}},
		&or.OrderLine{LineNumber: 3, Sku: "BASE", Quantity: &commonv1.Quantity{Value: "0.3", Unit: "CS"}},
		lineOf(4, "BASE", 1),
		&or.OrderLine{LineNumber: 5, Sku: "BASE", Quantity: &commonv1.Quantity{Value: "1", Unit: "SET"}},
	)
	doc.SoldTo.PartyCode, doc.CarrierPreference = "C-9", "NONE"
	doc.Lines[3].Site = "DC9"
	resp, err := w.orders.SubmitOrder(t.Context(), &or.SubmitOrderRequest{Order: doc})
	if err != nil || resp.GetReceipt().GetState() != "REJECTED" || resp.GetReceipt().GetValues()["reasons"] != "7" {
		t.Fatal(resp, err)
	}
	id := resp.GetReceipt().GetId()
	var got []string
	for _, r := range w.get(t, id).GetReasons() {
		got = append(got, r.GetField()+" "+r.GetCode())
		if r.GetMessage() == "" {
			t.Errorf("%v says nothing", r)
		}
	}
	want := []string{
		"sold_to.party_code PARTY_UNKNOWN",
		"carrier_preference CARRIER_UNKNOWN",
		"lines[0].sku ITEM_UNKNOWN",
		"lines[1].quantity UNIT_UNKNOWN",
		"lines[2].quantity QUANTITY_INVALID", // 3.6 pieces
		"lines[3].site SITE_UNKNOWN",
		"lines[4].quantity QUANTITY_INEXACT",
	}
	if slices.Sort(got); !slices.Equal(got, sorted(want)) {
		t.Errorf("%q", got)
	}
	_, err = w.orders.PromiseLines(t.Context(), &or.PromiseLinesRequest{OrderId: id})
	if about := reason(t, err, fault.Refused, "ORDER_STATE"); about["from"] != "REJECTED" {
		t.Errorf("%v", about)
	}
	right := order(t, lineOf(1, "BASE", 1))
	right.OrderNumber = doc.OrderNumber
	if again := w.submit(t, right); again != id {
		t.Errorf("another order: %s, %s", again, id)
	}
	if o := w.get(t, id); o.GetRevision() != 2 || len(o.GetReasons()) != 0 || len(o.GetLines()) != 1 {
		t.Errorf("%v", o)
	}
	third := order(t, &or.OrderLine{LineNumber: 1, Sku: "BASE", Quantity: &commonv1.Quantity{Value: "1.5.0", Unit: "EA"}})
	_, err = w.orders.SubmitOrder(t.Context(), &or.SubmitOrderRequest{Order: third})
	if f, ok := fault.As(err); !ok || f.Kind != fault.Invalid || !strings.HasPrefix(f.Fields[0].Path, "order.lines[0].quantity") {
		t.Errorf("no number: %v", err)
	}
}

func sorted(s []string) []string { slices.Sort(s); return s }

func batch(t *testing.T, w *world) {
	first := order(t, lineOf(1, "BASE", 1))
	req := &or.BatchSubmitOrdersRequest{Orders: []*or.OrderDocument{first, order(t, lineOf(1, "NOBODY", 1)), first}}
	ctx := hosttest.WithKey(t.Context(), testkit.Name("batch-key"))
	done, err := w.orders.BatchSubmitOrders(ctx, req)
	if err != nil || len(done.GetResults()) != 3 {
		t.Fatal(done, err)
	}
	r := done.GetResults()
	if r[0].GetReceipt().GetId() == "" || r[1].GetReceipt().GetState() != "REJECTED" {
		t.Errorf("%v", r)
	}
	if f := r[2].GetFailure(); f.GetReason() != "ORDER_NUMBER_TAKEN" || codes.Code(f.GetCode()) == codes.OK || f.GetRetryable() {
		t.Errorf("%v", f)
	}
	again, err := w.orders.BatchSubmitOrders(ctx, req)
	if err != nil || !proto.Equal(done, again) {
		t.Errorf("replay %v, %v", again, err)
	}
}

// foreignTenant: what is another tenant's is unknown, in the same words.
func foreignTenant(t *testing.T, w *world) {
	id := w.submit(t, order(t, lineOf(1, "BASE", 1)))
	who := w.Caller(commonv1.Role_ROLE_LOGISTICS)
	who.Tenant = testkit.Name("t")
	stranger := or.NewOrderReleaseServiceClient(w.Client(orderrelease.Name, who))
	unknown := w.id("ord", "nobody")
	for name, call := range map[string]func(string) error{
		"get": func(id string) error {
			_, err := stranger.GetOrder(t.Context(), &or.GetOrderRequest{OrderId: id})
			return err
		},
		"history": func(id string) error {
			_, err := stranger.GetOrderHistory(t.Context(), &or.GetOrderHistoryRequest{OrderId: id})
			return err
		},
		"hold": func(id string) error {
			_, err := stranger.PlaceHold(t.Context(), &or.PlaceHoldRequest{OrderId: id, Type: or.HoldType_HOLD_TYPE_MANUAL})
			return err
		},
		"cancel": func(id string) error {
			_, err := stranger.RequestCancel(t.Context(), &or.RequestCancelRequest{OrderId: id, Reason: "X"})
			return err
		},
		"close": func(id string) error {
			_, err := stranger.CloseOrder(t.Context(), &or.CloseOrderRequest{OrderId: id})
			return err
		},
	} {
		foreign, nobody := call(id), call(unknown)
		reason(t, foreign, fault.NotFound, "NOT_FOUND")
		if foreign.Error() != nobody.Error() {
			t.Errorf("%s: foreign %v, unknown %v", name, foreign, nobody)
		}
	}
}

// customer: orders for its own party and sees those only.
func customer(t *testing.T, w *world) {
	who := w.Caller(commonv1.Role_ROLE_CUSTOMER)
	who.Party, who.Systems = w.id("pty", "C-2"), []string{"portal"}
	mine := or.NewOrderReleaseServiceClient(w.Client(orderrelease.Name, who))
	theirs := w.submit(t, order(t, lineOf(1, "BASE", 1)))
	_, err := mine.GetOrder(t.Context(), &or.GetOrderRequest{OrderId: theirs})
	reason(t, err, fault.NotFound, "NOT_FOUND")
	_, err = mine.ExplainOrder(t.Context(), &or.ExplainOrderRequest{OrderId: theirs})
	reason(t, err, fault.NotFound, "NOT_FOUND")
	doc := order(t, lineOf(1, "BASE", 1))
	doc.PurchaseOrder = testkit.Name("po")
	_, err = mine.SubmitOrder(t.Context(), &or.SubmitOrderRequest{Order: doc})
	reason(t, err, fault.Denied, "SOURCE_NOT_ALLOWED")
	doc.SourceSystem = "portal"
	_, err = mine.SubmitOrder(t.Context(), &or.SubmitOrderRequest{Order: doc})
	reason(t, err, fault.Denied, "PARTY_NOT_ALLOWED")
	doc.SoldTo.PartyCode = "C-2"
	resp, err := mine.SubmitOrder(t.Context(), &or.SubmitOrderRequest{Order: doc})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mine.GetOrder(t.Context(), &or.GetOrderRequest{OrderId: resp.GetReceipt().GetId()}); err != nil {
		t.Error(err)
	}
	for name, req := range map[string]*or.ListOrdersRequest{"all": {}, "by its number": {PurchaseOrder: doc.GetPurchaseOrder()}} {
		testkit.Eventually(t, patience, func() bool {
			list, err := mine.ListOrders(t.Context(), req)
			if err != nil {
				t.Fatal(name, err)
			}
			for _, o := range list.GetOrders() {
				if o.GetSoldTo() != "C-2" {
					t.Fatalf("%s: sees %v", name, o)
				}
			}
			return len(list.GetOrders()) == 1
		})
	}
}

func lists(t *testing.T, w *world) {
	doc := order(t, lineOf(1, "BASE", 1))
	doc.PurchaseOrder, doc.ReleaseMode = testkit.Name("po"), or.ReleaseMode_RELEASE_MODE_MANUAL
	id := w.submit(t, doc)
	for name, tt := range map[string]struct {
		req   *or.ListOrdersRequest
		found bool
	}{
		"number":         {&or.ListOrdersRequest{OrderNumber: doc.GetOrderNumber()}, true},
		"purchase order": {&or.ListOrdersRequest{PurchaseOrder: doc.GetPurchaseOrder()}, true},
		"state":          {&or.ListOrdersRequest{State: or.OrderState_ORDER_STATE_VALIDATED, PageSize: 200}, true},
		"other state":    {&or.ListOrdersRequest{State: or.OrderState_ORDER_STATE_CLOSED, PageSize: 200}, false},
		"nobody's":       {&or.ListOrdersRequest{OrderNumber: "NOBODY"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Eventually(t, patience, func() bool {
				list, err := w.orders.ListOrders(t.Context(), tt.req)
				if err != nil {
					t.Fatal(err)
				}
				return tt.found == slices.ContainsFunc(list.GetOrders(), func(o *or.OrderSummary) bool { return o.GetOrderId() == id })
			})
		})
	}
	_, err := w.orders.ListOrders(t.Context(), &or.ListOrdersRequest{OrderNumber: "A", PurchaseOrder: "B"})
	if !fault.IsKind(err, fault.Invalid) {
		t.Errorf("two keys: %v", err)
	}
}

func nothingStored(t *testing.T, w *world) {
	doc := order(t, lineOf(1, "BASE", 1))
	for _, number := range []string{" " + doc.GetOrderNumber(), doc.GetOrderNumber() + " ", " "} {
		blank := proto.CloneOf(doc)
		blank.OrderNumber = number
		if _, err := w.orders.SubmitOrder(t.Context(), &or.SubmitOrderRequest{Order: blank}); !fault.IsKind(err, fault.Invalid) {
			t.Errorf("order number %q: %v", number, err)
		}
	}
	resp, err := w.orders.SubmitOrder(t.Context(), &or.SubmitOrderRequest{Order: doc, ValidateOnly: true})
	if err != nil || resp.GetReceipt().GetState() != "PROMISING" {
		t.Fatal(resp, err)
	}
	_, err = w.orders.GetOrder(t.Context(), &or.GetOrderRequest{OrderId: resp.GetReceipt().GetId()})
	reason(t, err, fault.NotFound, "NOT_FOUND")
}

// oneUnit: many orders at once for the last unit; one gets it.
func oneUnit(t *testing.T, w *world) {
	sku := w.stocked(t, 1)[0]
	req := &or.BatchSubmitOrdersRequest{}
	for range 100 {
		req.Orders = append(req.Orders, order(t, lineOf(1, sku, 1)))
	}
	done, err := w.orders.BatchSubmitOrders(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, r := range done.GetResults() {
		o := w.until(t, r.GetReceipt().GetId(), "decided", func(o *or.Order) bool { return len(o.GetReleases()) > 0 })
		count[releases(o)]++
	}
	if count["R1 RELEASED 1:1"] != 1 || count["R1 BACKORDERED 1:1"] != 99 {
		t.Errorf("%v", count)
	}
	w.free(t, sku, "0")
}

// TestReplay: the same key gets the same answer, with and without the cache, over a restart;
// another body under it is refused.
func TestReplay(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine)
			ctx := hosttest.WithKey(t.Context(), "submit-0001")
			req := &or.SubmitOrderRequest{Order: order(t, lineOf(1, "BASE", 1))}
			first, err := w.orders.SubmitOrder(ctx, req)
			if err != nil {
				t.Fatal(err)
			}
			id := first.GetReceipt().GetId()
			w.releases(t, id, "R1 BACKORDERED 1:1")
			cancel := &or.RequestCancelRequest{OrderId: id, Reason: "CUSTOMER_REQUEST"}
			cancelled, err := w.orders.RequestCancel(hosttest.WithKey(t.Context(), "cancel-0001"), cancel)
			if err != nil {
				t.Fatal(err)
			}
			_, refused := w.orders.RequestCancel(hosttest.WithKey(t.Context(), "cancel-0002"), cancel)
			reason(t, refused, fault.Refused, "ORDER_STATE")
			for name, before := range map[string]func(){"cached": func() {}, "flushed": w.Redis.FlushAll, "restarted": func() { w.Redis.FlushAll(); w.Restart(t) }} {
				before()
				var header metadata.MD
				again, err := w.orders.SubmitOrder(ctx, req, grpc.Header(&header))
				if err != nil || !proto.Equal(first, again) || !slices.Equal(header.Get(guard.MetaReplayed), []string{"true"}) {
					t.Errorf("%s: %v, %v, %v; first %v", name, again, err, header, first)
				}
				if again, err := w.orders.RequestCancel(hosttest.WithKey(t.Context(), "cancel-0001"), cancel); err != nil || !proto.Equal(cancelled, again) {
					t.Errorf("%s: %v, %v; first %v", name, again, err, cancelled)
				}
				if _, err := w.orders.RequestCancel(hosttest.WithKey(t.Context(), "cancel-0002"), cancel); err == nil || err.Error() != refused.Error() {
					t.Errorf("%s: %v; first %v", name, err, refused)
				}
				other := proto.CloneOf(req)
				other.Order.Lines[0].Quantity = ea(quantity.Int(2))
				if _, err := w.orders.SubmitOrder(ctx, other); !fault.IsKind(err, fault.KeyReused) {
					t.Errorf("%s: another body under the key: %v", name, err)
				}
			}
		})
	}
}

// TestRestartWhilePromising: an attempt that a stop interrupts is driven to its end after it.
func TestRestartWhilePromising(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine)
			skus := w.stocked(t, 5, 5)
			w.inventory.fails(w.id("itm", skus[1]), "down") // the first claim is made, the second not
			var ids []string
			for range 2 {
				ids = append(ids, w.submit(t, order(t, lineOf(1, skus[0], 2), lineOf(2, skus[1], 2))))
			}
			w.Restart(t)
			for _, id := range ids {
				w.state(t, id, or.OrderState_ORDER_STATE_PROMISING)
			}
			w.inventory.fails(w.id("itm", skus[1]), "")
			for _, id := range ids {
				w.releases(t, id, "R1 RELEASED 1:2 2:2")
			}
			last := w.submit(t, order(t, lineOf(1, skus[0], 1), lineOf(2, skus[1], 1)))
			w.releases(t, last, "R1 RELEASED 1:1 2:1")
		})
	}
}

func TestAccess(t *testing.T) {
	w := newWorld(t, "sqlite")
	w.AccessMatrix(t, orderrelease.Name, "testdata/access.md")
}

func TestReadmeIsTrue(t *testing.T) {
	hosttest.ConfigTable(t, "README.md", host.Bind(orderrelease.Name, orderrelease.Defaults(), orderrelease.New))
}
