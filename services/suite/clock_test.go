package suite_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/host"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/suite"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// shifted is a clock that runs, and is off by what it was stepped.
type shifted struct{ by atomic.Int64 }

func (s *shifted) Now() time.Time       { return clock.System{}.Now().Add(time.Duration(s.by.Load())) }
func (s *shifted) step(d time.Duration) { s.by.Add(int64(d)) }

// at sets the clock.
func (s *shifted) at(t time.Time) { s.step(t.Sub(s.Now())) }

// TestClockDecidesNothing: the same orders, walked to their end by a clock that is right, wrong,
// set forth and back between commands, or that passes a leap day or the begin and end of summer
// time on the way, leave the same state but for the times in it.
func TestClockDecidesNothing(t *testing.T) {
	var right any
	for _, c := range []struct {
		name  string
		set   func(s *shifted)
		jumps []time.Duration // after a command each, in turn
	}{
		{name: "right", set: func(*shifted) {}},
		{name: "an hour slow", set: func(s *shifted) { s.step(-time.Hour) }},
		{name: "an hour fast", set: func(s *shifted) { s.step(time.Hour) }},
		// By less than an hour: so long a tender is good, whoever turns the clock.
		{name: "set back and forth", set: func(*shifted) {}, jumps: []time.Duration{55 * time.Minute, -55 * time.Minute}},
		{name: "set forth and back", set: func(*shifted) {}, jumps: []time.Duration{-55 * time.Minute, 55 * time.Minute}},
		{name: "leap day", set: func(s *shifted) { s.at(time.Date(2028, 2, 28, 23, 59, 59, 0, time.UTC)) }},
		{name: "after a leap day", set: func(s *shifted) { s.at(time.Date(2028, 2, 29, 23, 59, 59, 0, time.UTC)) }},
		{name: "summer time begins", set: func(s *shifted) { s.at(time.Date(2027, 3, 28, 0, 59, 59, 0, time.UTC)) }},
		{name: "summer time ends", set: func(s *shifted) { s.at(time.Date(2027, 10, 31, 0, 59, 59, 0, time.UTC)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := &shifted{}
			c.set(now)
			if got := walked(t, now, c.jumps, right); right == nil {
				right = got
			} else if diff := cmp.Diff(right, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// walked runs a suite by a clock, walks two orders and returns what it shows of them: once that is
// what is expected, or, where nothing is, does not change any more. Lists and copies trail.
func walked(t *testing.T, now *shifted, jumps []time.Duration, expected any) any {
	t.Helper()
	s, err := suite.New()
	if err != nil {
		t.Fatal(err)
	}
	s.Data, s.Log, s.Clock = t.TempDir(), io.Discard, now
	if err := host.Load("", []string{"GATEWAY__LISTEN=127.0.0.1:0"}, nil, &s.Config, s.Units...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	}()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	api := &history.Conn{API: &rest.Conn{Base: s.URL(), Token: s.AdminToken(), HTTP: &http.Client{Timeout: time.Minute, Transport: transport}}}
	commands := 0
	d := &lifecycle.Driver{Dial: func(string) grpc.ClientConnInterface { return api }, Now: now.Now, Observe: func(string, time.Duration) {
		if commands++; len(jumps) > 0 {
			now.step(jumps[commands%len(jumps)])
		}
	}}
	if err := d.Setup(ctx, 2, 100); err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{"SO-1", "SO-2"} {
		if err := d.Walk(ctx, number, []lifecycle.Line{{SKU: lifecycle.SKU(0), Quantity: 2}, {SKU: lifecycle.SKU(1), Quantity: 3}}); err != nil {
			t.Fatal(err)
		}
	}
	got, same := shown(ctx, t, api), 0
	for end := clock.Monotonic(); clock.Elapsed(end) < time.Minute; time.Sleep(200 * time.Millisecond) { // between two looks
		if expected != nil && cmp.Equal(expected, got) || expected == nil && same == 10 {
			break
		}
		again := shown(ctx, t, api)
		if same++; !cmp.Equal(again, got) {
			same = 0
		}
		got = again
	}
	return got
}

// shown is all of it, without times and what is made of them.
func shown(ctx context.Context, t *testing.T, api grpc.ClientConnInterface) any {
	t.Helper()
	all := map[string]any{}
	add := func(name string, m proto.Message, err error) {
		t.Helper()
		text, bad := protojson.Marshal(m)
		var v any
		if bad == nil {
			bad = json.Unmarshal(text, &v)
		}
		if err != nil || bad != nil {
			t.Fatal(name, err, bad)
		}
		all[name] = timeless(v)
	}
	orders, err := orderreleasev1.NewOrderReleaseServiceClient(api).ListOrders(ctx, &orderreleasev1.ListOrdersRequest{})
	add("orders", orders, err)
	inventory := inventorymovementv1.NewInventoryMovementServiceClient(api)
	warehouse, err := inventory.ListWarehouseOrders(ctx, &inventorymovementv1.ListWarehouseOrdersRequest{})
	add("warehouse orders", warehouse, err)
	for n := range 2 {
		stock, err := inventory.GetStock(ctx, &inventorymovementv1.GetStockRequest{Site: lifecycle.Site, Sku: lifecycle.SKU(n)})
		add("stock of "+lifecycle.SKU(n), stock, err)
	}
	shipments, err := shipmentvisibilityv1.NewShipmentVisibilityServiceClient(api).ListShipments(ctx, &shipmentvisibilityv1.ListShipmentsRequest{})
	add("shipments", shipments, err)
	settlement := freightsettlementv1.NewFreightSettlementServiceClient(api)
	freights, err := settlement.ListFreights(ctx, &freightsettlementv1.ListFreightsRequest{})
	add("freights", freights, err)
	invoices, err := settlement.ListFreightInvoices(ctx, &freightsettlementv1.ListFreightInvoicesRequest{})
	add("invoices", invoices, err)
	return all
}

var day = regexp.MustCompile(`^\d{4}-\d\d-\d\d`)

// timeless removes times, dates and the tags of versions, and the order of lists, which is that
// of recorded times.
func timeless(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if text, ok := e.(string); k == "etag" || ok && day.MatchString(text) {
				v[k] = "a time"
				continue
			}
			v[k] = timeless(e)
		}
	case []any:
		for i, e := range v {
			v[i] = timeless(e)
		}
		slices.SortFunc(v, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return v
}
