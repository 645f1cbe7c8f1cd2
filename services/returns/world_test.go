package returns_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns"
)

func TestMain(m *testing.M) { testkit.Main(m, func() error { return goleak.Find() }) }

// patience bounds how long something may take to happen on a loaded machine.
const patience = time.Minute

type client = returnsv1.ReturnsServiceClient

// world is returns among what stands for the other services.
type world struct {
	*hosttest.Suite
	orders    *orders
	inventory *owner
	sites     *sites

	service, logistics, finance client // customer service, and the others
}

func unit() *host.Unit { return host.Bind(returns.Name, returns.Defaults(), returns.New) }

func newWorld(t *testing.T, engine string) *world {
	cfg := returns.Defaults()
	cfg.FeePoints = 1000
	return serve(t, engine, cfg)
}

func serve(t *testing.T, engine string, cfg returns.Config, change ...func(*host.Service)) *world {
	w := &world{orders: newOrders(), inventory: &owner{name: "inventory-movement", aggregate: "stock", prefix: "stk"}, sites: newSites()}
	unit := host.Bind(returns.Name, cfg, func(c returns.Config, d host.Deps) (*host.Service, error) {
		s, err := returns.New(c, d)
		for _, f := range change {
			f(s)
		}
		return s, err
	})
	w.Suite = hosttest.Serve(t, engine, unit, w.orders.unit(), w.inventory.unit(), w.sites.unit())
	w.service, w.logistics, w.finance = w.as(commonv1.Role_ROLE_CUSTOMER_SERVICE), w.as(commonv1.Role_ROLE_LOGISTICS), w.as(commonv1.Role_ROLE_FINANCE)
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
	return returnsv1.NewReturnsServiceClient(w.Client(returns.Name, w.Caller(role)))
}

func ea(n int) *commonv1.Quantity { return &commonv1.Quantity{Value: strconv.Itoa(n), Unit: "EA"} }

// place puts an order of C-1 into order release: line 10 is 5 W at 12.345, line 20 is 2 cases of 7 V at 10 a case.
func (w *world) place(t *testing.T) string {
	t.Helper()
	number := testkit.Name("SO")
	id := ident.Derive("ord", w.Tenant, "erp", number)
	line := func(n int, sku string, q *commonv1.Quantity, base int, price string) *orderreleasev1.OrderLineStatus {
		return &orderreleasev1.OrderLineStatus{
			Line:     &orderreleasev1.OrderLine{LineNumber: int32(n), Sku: sku, Quantity: q, UnitPrice: price},
			Resolved: &orderreleasev1.ResolvedLine{LineNumber: int32(n), ItemId: ident.Derive("itm", w.Tenant, sku), BaseQuantity: ea(base), Site: "DC1"},
		}
	}
	w.orders.place(w.Tenant, &orderreleasev1.Order{
		OrderId:  id,
		Document: &orderreleasev1.OrderDocument{SourceSystem: "erp", OrderNumber: number, Currency: "EUR", SoldTo: &orderreleasev1.OrderParty{PartyCode: "C-1"}},
		Lines: []*orderreleasev1.OrderLineStatus{
			line(10, "W", ea(5), 5, "12.345"), line(20, "V", &commonv1.Quantity{Value: "2", Unit: "CS"}, 14, "10"),
		},
	})
	return id
}

func issued(order string, release int, quantities map[int]int) *orderreleasev1.LinesIssued {
	m := &orderreleasev1.LinesIssued{OrderId: order, ReleaseId: fmt.Sprintf("%s-R%d", order, release)}
	for _, n := range []int{10, 20} {
		if q := quantities[n]; q > 0 {
			m.Lines = append(m.Lines, &orderreleasev1.LineQuantity{LineNumber: int32(n), Quantity: ea(q)})
		}
	}
	return m
}

// shipped is an order of which everything was issued in two releases, as far as returns know.
func (w *world) shipped(t *testing.T) string {
	t.Helper()
	id := w.place(t)
	w.orders.publish(t, w.Tenant, id, issued(id, 1, map[int]int{10: 3, 20: 14}))
	w.orders.publish(t, w.Tenant, id, issued(id, 2, map[int]int{10: 2}))
	w.available(t, id, "5", "14")
	return id
}

// available waits until so much of an order's lines can be returned.
func (w *world) available(t *testing.T, order string, want ...string) *returnsv1.GetReturnableItemsResponse {
	t.Helper()
	var resp *returnsv1.GetReturnableItemsResponse
	testkit.Eventually(t, patience, func() error {
		var err error
		if resp, err = w.service.GetReturnableItems(t.Context(), &returnsv1.GetReturnableItemsRequest{OrderId: order}); err != nil {
			return err
		}
		var got []string
		for _, i := range resp.GetItems() {
			got = append(got, i.GetAvailable())
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			return fmt.Errorf("available %v, want %v", got, want)
		}
		return nil
	})
	return resp
}

// ask is a request for one line.
func ask(order string, line, n int, why returnsv1.ReturnReason) *returnsv1.RequestReturnRequest {
	return &returnsv1.RequestReturnRequest{OrderId: order, WaitMs: 5000, Lines: []*returnsv1.RequestedLine{
		{OrderLineNumber: int32(line), Quantity: ea(n), Reason: why},
	}}
}

const (
	defective   = returnsv1.ReturnReason_RETURN_REASON_DEFECTIVE
	changedMind = returnsv1.ReturnReason_RETURN_REASON_CHANGED_MIND
	otherReason = returnsv1.ReturnReason_RETURN_REASON_OTHER
)

func (w *world) request(t *testing.T, r *returnsv1.RequestReturnRequest) *returnsv1.Return {
	t.Helper()
	return w.requestAs(t, w.service, r)
}

// requestAs asks for a return and, where the request waits, gives it back decided or left to
// people: on a loaded machine that may take longer than one may wait with the call.
func (w *world) requestAs(t *testing.T, c client, r *returnsv1.RequestReturnRequest) *returnsv1.Return {
	t.Helper()
	resp, err := c.RequestReturn(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	driven := func(r *returnsv1.Return) bool {
		return r.GetState() != returnsv1.ReturnState_RETURN_STATE_REQUESTED || len(r.GetReasons()) > 0
	}
	if r.GetWaitMs() == 0 || driven(resp.GetReturn()) {
		return resp.GetReturn()
	}
	return w.until(t, resp.GetReceipt().GetId(), "driven", driven)
}

func (w *world) get(t *testing.T, rma string) *returnsv1.Return {
	t.Helper()
	resp, err := w.service.GetReturn(t.Context(), &returnsv1.GetReturnRequest{RmaId: rma})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetReturn()
}

// until waits for a return to be as the condition wants it.
func (w *world) until(t *testing.T, rma, what string, holds func(*returnsv1.Return) bool) *returnsv1.Return {
	t.Helper()
	var r *returnsv1.Return
	testkit.Eventually(t, patience, func() error {
		resp, err := w.service.GetReturn(t.Context(), &returnsv1.GetReturnRequest{RmaId: rma})
		if err != nil {
			return err
		}
		if r = resp.GetReturn(); !holds(r) {
			return fmt.Errorf("not %s: %v", what, r)
		}
		return nil
	})
	return r
}

func (w *world) state(t *testing.T, rma string, s returnsv1.ReturnState) *returnsv1.Return {
	t.Helper()
	return w.until(t, rma, s.String(), func(r *returnsv1.Return) bool { return r.GetState() == s })
}

var receivedAt = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// arrive lets inventory report goods of a return at a dock.
func (w *world) arrive(t *testing.T, rma string, line, n int, sku, dock string) {
	t.Helper()
	item := ident.Derive("itm", w.Tenant, sku)
	stock := ident.Derive("stk", w.Tenant, "DC1", item, "OWN")
	w.inventory.publish(t, w.Tenant, stock, &inventorymovementv1.ReturnReceived{
		Stock: &inventorymovementv1.StockKey{StockId: stock, Site: "DC1", ItemId: item, Sku: sku, Owner: "OWN", Unit: "EA"},
		RmaId: rma, RmaLineNumber: int32(line), Quantity: ea(n), EventTime: timestamppb.New(receivedAt),
		Place: &inventorymovementv1.Place{Location: dock, Lot: "L1", ExpiryDate: "2027-01-31"},
	})
}

// facts are the facts of one aggregate, in order.
func (w *world) facts(t *testing.T, aggregate, id string) (all []proto.Message) {
	t.Helper()
	c := commonv1.NewFactsServiceClient(w.Client(returns.Name, w.Service(returns.Name)))
	resp, err := c.ListAggregateFacts(t.Context(), &commonv1.ListAggregateFactsRequest{AggregateType: aggregate, Tenant: w.Tenant, AggregateId: id})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range resp.GetFacts() {
		m, err := decode(f.GetType(), f.GetData())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// names are the short names of facts.
func names(facts []proto.Message) string {
	var all []string
	for _, f := range facts {
		all = append(all, string(f.ProtoReflect().Descriptor().Name()))
	}
	return strings.Join(all, " ")
}

// of keeps the facts of one type.
func of[M proto.Message](facts []proto.Message) (found []M) {
	for _, f := range facts {
		if m, ok := f.(M); ok {
			found = append(found, m)
		}
	}
	return found
}

// reason asserts the kind and reason of a fault.
func reason(t *testing.T, err error, kind fault.Kind, want string) {
	t.Helper()
	if f, ok := fault.As(err); !ok || f.Kind != kind || f.Reason != want {
		t.Fatalf("got %v, want %s %s", err, kind, want)
	}
}

// details are the paths of the fields that a fault names, and one piece of its metadata.
func details(err error, key string) (fields []string, value string) {
	f, _ := fault.As(err)
	for _, field := range f.Fields {
		fields = append(fields, field.Path)
	}
	return fields, f.Metadata[key]
}
