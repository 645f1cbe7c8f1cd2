//go:build faults

package faults

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/sandbox"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// programs is the folder of the suite's program, built with its crash points.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	dir := ""
	err := flag.Set("test.parallel", fmt.Sprint(max(together, runtime.GOMAXPROCS(0))))
	if err == nil {
		dir, err = os.MkdirTemp("", "lockstep")
	}
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }() // of no use any more
		programs = dir
		err = fleet.Build(context.Background(), testkit.Root(), dir, "faults", "./services/suite/cmd/lockstep")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// together is how many cases run at a time: they wait for leases, copies and disks far more
// than they compute.
const together = 4

// shapes are where the suite runs.
var shapes = []struct {
	name string
	make func(t *testing.T) *fleet.Fleet
}{
	{"embedded", func(t *testing.T) *fleet.Fleet { return whole(t, nil) }},
	{"servers", func(t *testing.T) *fleet.Fleet {
		mongo := testkit.Mongo(t)
		// A Redis of its own: all cases use the same keys in the same tenant.
		return whole(t, &fleet.Servers{
			Mongo: mongo, Prefix: testkit.Database(t, mongo) + "_", NATS: testkit.StartNATS(t).URL(), Redis: testkit.StartRedis(t).URL(),
		})
	}},
}

func whole(t *testing.T, servers *fleet.Servers) *fleet.Fleet {
	t.Helper()
	f, err := fleet.NewWhole(programs, t.TempDir(), servers)
	return ended(t, f, err)
}

// ended sees to the end of a fleet.
func ended(t *testing.T, f *fleet.Fleet, err error) *fleet.Fleet {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			for _, p := range f.Processes {
				t.Log(p.Tail())
			}
		}
		f.Kill()
	})
	return f
}

// await waits until a condition holds; unlike testkit.Eventually it may be called in a goroutine.
func await(ctx context.Context, condition func() error) error {
	for {
		err := condition()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// eventually bounds what must come true after a crash: a lease of the dead process runs out,
// facts are relayed and applied.
const eventually = 2 * time.Minute

// rig is a suite with one item at one site.
type rig struct {
	*fleet.Fleet
	api      *sandbox.Client
	answered atomic.Int32 // orders
}

// opening is what is on hand at the beginning.
const opening = 1000

// begin starts the suite and puts what orders name.
func begin(t *testing.T, f *fleet.Fleet, fault string) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eventually)
	defer cancel()
	if err := f.Start(ctx); err != nil {
		t.Fatal(err)
	}
	r := &rig{Fleet: f, api: &sandbox.Client{Base: f.URL, Token: f.AdminToken, HTTP: &http.Client{Timeout: time.Minute}, Patience: 2 * eventually}}
	address := &commonv1.Address{Name: "Example", Lines: []string{"1 Example Way"}, City: "Hamburg", PostalCode: "20095", Country: "DE"}
	put := func(path string, in proto.Message) {
		t.Helper()
		if err := r.api.Do(ctx, http.MethodPut, path, "put-"+path, in, nil); err != nil {
			t.Fatal(err)
		}
	}
	put("/v1/locations/DC1", &masterdatav1.PutLocationRequest{Location: &masterdatav1.Location{
		Name: "Distribution centre", Kind: masterdatav1.LocationKind_LOCATION_KIND_SITE, TimeZone: "Europe/Berlin",
		Address: address, DefaultSite: true, Gs1CompanyPrefix: "4012345",
	}})
	put("/v1/items/WIDGET", &masterdatav1.PutItemRequest{Item: &masterdatav1.Item{Name: "Widget", BaseUnit: "EA", BaseWeightGrams: "250"}})
	put("/v1/parties/ACME", &masterdatav1.PutPartyRequest{Party: &masterdatav1.Party{
		Name: "Acme", Roles: []masterdatav1.PartyRole{masterdatav1.PartyRole_PARTY_ROLE_CUSTOMER, masterdatav1.PartyRole_PARTY_ROLE_SHIP_TO},
		Addresses: []*masterdatav1.PartyAddress{{Code: "MAIN", Address: address}},
	}})
	receipt := &inventorymovementv1.RecordReceiptRequest{Receipt: &inventorymovementv1.GoodsReceipt{
		Site: "DC1", Sku: "WIDGET", Location: "A-01", Quantity: &commonv1.Quantity{Value: fmt.Sprint(opening), Unit: "EA"}, Document: "OPENING",
	}}
	testkit.Eventually(t, eventually, func() error { // its copy of master data may trail
		return r.api.Post(ctx, "/v1/stocks:recordReceipt", "opening-stock", receipt, nil)
	})
	testkit.Eventually(t, eventually, func() error { // and so may that of order release
		resp := &orderreleasev1.SubmitOrderResponse{}
		err := r.api.Post(ctx, "/v1/orders", testkit.Name("dry"), &orderreleasev1.SubmitOrderRequest{Order: document("DRY", 1), ValidateOnly: true}, resp)
		if err == nil && resp.GetReceipt().GetState() == "REJECTED" {
			err = fmt.Errorf("%v", resp.GetReceipt().GetReasons())
		}
		return err
	})
	if fault != "" { // armed only now, so that it strikes under load
		r.restart(t, "FAULT="+fault)
	}
	return r
}

// restart kills the suite, if it still runs, and starts it again.
func (r *rig) restart(t *testing.T, extra ...string) {
	t.Helper()
	p := r.Processes[fleet.Whole]
	p.Kill()
	if err := p.Start(extra...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), eventually)
	defer cancel()
	if err := r.Await(ctx, fleet.Whole); err != nil && extra == nil {
		t.Fatal(err)
	}
}

// revive starts the suite again, without its fault, when it has died.
func (r *rig) revive(t *testing.T) {
	t.Helper()
	p := r.Processes[fleet.Whole]
	exited := p.Exited()
	go func() {
		select {
		case <-exited:
			if err := p.Start(); t.Context().Err() == nil && err != nil {
				t.Error(err)
			}
		case <-t.Context().Done():
		}
	}()
}

// kill is how the suite has ended: at a point, in a function.
type kill struct{ point, function string }

// at reports whether that is a point, e.g. X3 or X3@returns.
func (k kill) at(point string) bool {
	name, place, _ := strings.Cut(point, "@")
	return k.point == name && strings.Contains(k.function, place)
}

// kills are the ends of the suite at points, as its log tells them.
func (r *rig) kills(t *testing.T) (all []kill) {
	log, err := os.ReadFile(r.Processes[fleet.Whole].Log)
	if err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(string(log)) {
		if _, at, killed := strings.Cut(strings.TrimSuffix(line, "\n"), "killed at "); killed {
			point, function, _ := strings.Cut(at, " by ")
			all = append(all, kill{point, function})
		}
	}
	return all
}

// struck is an error unless the suite was killed at the point, and not by anything else.
func (r *rig) struck(t *testing.T, point string) error {
	if slices.ContainsFunc(r.kills(t), func(k kill) bool { return k.at(point) }) {
		return nil
	}
	return fmt.Errorf("the process was never killed at %s", point)
}

// document is an order of n pieces.
func document(number string, n int) *orderreleasev1.OrderDocument {
	return &orderreleasev1.OrderDocument{
		SourceSystem: "erp", OrderNumber: number, SoldTo: &orderreleasev1.OrderParty{PartyCode: "ACME", AddressCode: "MAIN"}, Site: "DC1",
		Lines: []*orderreleasev1.OrderLine{{LineNumber: 1, Sku: "WIDGET", Quantity: &commonv1.Quantity{Value: fmt.Sprint(n), Unit: "EA"}}},
	}
}

// order submits an order of n pieces and returns its id.
func (r *rig) order(ctx context.Context, number string, n int) (string, error) {
	req := &orderreleasev1.SubmitOrderRequest{Order: document(number, n)}
	resp := &orderreleasev1.SubmitOrderResponse{}
	err := r.api.Post(ctx, "/v1/orders", "submit-"+number, req, resp)
	if err == nil {
		r.answered.Add(1)
	}
	return resp.GetReceipt().GetId(), err
}

// allocated is an error until the order is released once and its warehouse order allocated.
func (r *rig) allocated(ctx context.Context, id string) error {
	orders := &inventorymovementv1.ListWarehouseOrdersResponse{}
	if err := r.api.Get(ctx, "/v1/warehouse-orders?order_id="+id, orders); err != nil {
		return err
	}
	if n := len(orders.GetWarehouseOrders()); n != 1 {
		return fmt.Errorf("%s has %d warehouse orders", id, n)
	}
	if s := orders.GetWarehouseOrders()[0].GetState(); s != inventorymovementv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ALLOCATED {
		return fmt.Errorf("%s is %s", id, s)
	}
	order := &orderreleasev1.GetOrderResponse{}
	if err := r.api.Get(ctx, "/v1/orders/"+id, order); err != nil {
		return err
	}
	if n := len(order.GetOrder().GetReleases()); n != 1 {
		return fmt.Errorf("%s has %d releases", id, n)
	}
	return nil
}

// figures returns what the item's availability is.
func (r *rig) figures(ctx context.Context) (onHand, allocated, promised string, err error) {
	resp := &inventorymovementv1.GetAvailabilityResponse{}
	err = r.api.Post(ctx, "/v1/stocks:getAvailability", "", &inventorymovementv1.GetAvailabilityRequest{
		Places: []*inventorymovementv1.AvailabilityPlace{{Site: "DC1", Sku: "WIDGET"}},
	}, resp)
	if err != nil || len(resp.GetAvailabilities()) != 1 {
		return "", "", "", fmt.Errorf("availability: %v, %w", resp.GetAvailabilities(), err)
	}
	a := resp.GetAvailabilities()[0]
	return a.GetOnHand().GetValue(), a.GetAllocated().GetValue(), a.GetPromised().GetValue(), nil
}

// booked waits until so many pieces have left and so many are allocated.
func (r *rig) booked(ctx context.Context, t *testing.T, left, held int) {
	t.Helper()
	want := fmt.Sprintf("on hand %d, allocated %d, promised 0", opening-left, held)
	testkit.Eventually(t, eventually, func() error {
		onHand, allocated, promised, err := r.figures(ctx)
		if got := fmt.Sprintf("on hand %s, allocated %s, promised %s", onHand, allocated, promised); err != nil || got != want {
			return fmt.Errorf("%s, want %s (%w)", got, want, err)
		}
		return nil
	})
}
