package sandbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

// warehouse stands for the suite: one warehouse order behind the public API, which takes each
// report once a key and may lose answers.
type warehouse struct {
	mu      sync.Mutex
	order   *im.WarehouseOrder
	keys    map[string]bool
	reports []string
	lose    bool // of each report the first answer
}

func (w *warehouse) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := "/v1/warehouse-orders/" + w.order.GetWarehouseOrderId()
	answer := func(m proto.Message) {
		text, _ := protojson.Marshal(m) // a test's own message
		_, _ = rw.Write(text)           // the client tells
	}
	switch {
	case r.URL.Path == "/v1/warehouse-orders":
		answer(&im.ListWarehouseOrdersResponse{WarehouseOrders: []*im.WarehouseOrder{{WarehouseOrderId: w.order.GetWarehouseOrderId()}}})
	case r.URL.Path == "/v1/returns":
		answer(&returnsv1.ListReturnsResponse{})
	case strings.HasPrefix(r.URL.Path, "/v1/items/"):
		answer(&masterdatav1.GetItemResponse{Item: &masterdatav1.ItemRecord{Item: &masterdatav1.Item{BaseWeightGrams: "12000.5"}}})
	case r.URL.Path == id:
		answer(&im.GetWarehouseOrderResponse{WarehouseOrder: w.order})
	default:
		_, verb, _ := strings.Cut(r.URL.Path, ":")
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		if key := r.Header.Get("Idempotency-Key"); !w.keys[key] {
			w.keys[key] = true
			w.take(verb, body)
			if w.lose {
				rw.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		}
		answer(&im.PackCartonResponse{Receipt: &commonv1.Receipt{Id: "x"}})
	}
}

// take books a report.
func (w *warehouse) take(verb string, body []byte) {
	var req im.PackCartonRequest // the lines are the first field of those that have any
	_ = protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, &req)
	text := verb
	o := w.order
	for _, l := range req.GetLines() {
		text += fmt.Sprintf(" %d:%s", l.GetLineNumber(), l.GetQuantity().GetValue())
		at := o.GetLines()[l.GetLineNumber()-1]
		for on, field := range map[string]**commonv1.Quantity{"confirmPicks": &at.Picked, "reportShortPick": &at.Short, "packCarton": &at.Packed} {
			if on == verb {
				*field = &commonv1.Quantity{Value: value(*field).Add(value(l.GetQuantity())).String(), Unit: "EA"}
			}
		}
	}
	w.reports = append(w.reports, text)
	if verb == "packCarton" {
		o.Cartons = append(o.Cartons, &im.Carton{GrossWeightGrams: req.GetGrossWeightGrams()})
	}
	done, packed := true, true
	for _, l := range o.GetLines() {
		done = done && value(l.GetQuantity()).Equal(value(l.GetPicked()).Add(value(l.GetShort())))
		packed = packed && value(l.GetPicked()).Equal(value(l.GetPacked()))
	}
	switch {
	case verb == "acknowledge":
		o.State = im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ACKNOWLEDGED
	case verb == "postGoodsIssue":
		o.State = im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ISSUED
	case done && packed:
		o.State = im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PACKED
	case done:
		o.State = im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PICKED
	default:
		o.State = im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PICKING
	}
}

// TestWarehouseReportsOnce: a warehouse system that is started anew for every look, and whose
// answers are lost, reports each thing once: picks, the scripted short, cartons, goods issue.
func TestWarehouseReportsOnce(t *testing.T) {
	for name, lose := range map[string]bool{"answered": false, "answers lost": true} {
		t.Run(name, func(t *testing.T) {
			line := func(n int32, q string) *im.WarehouseOrderLine {
				return &im.WarehouseOrderLine{LineNumber: n, Sku: "KETTLE-17", Quantity: &commonv1.Quantity{Value: q, Unit: "EA"}}
			}
			w := &warehouse{keys: map[string]bool{}, lose: lose, order: &im.WarehouseOrder{
				WarehouseOrderId: "who_a", OrderNumber: "SO-1", ReleaseId: "ord_a-R1", State: im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ALLOCATED,
				Lines: []*im.WarehouseOrderLine{line(1, "5"), line(2, "2")},
			}}
			server := httptest.NewServer(w)
			defer server.Close()
			for range 3 {
				client := &Client{Base: server.URL, HTTP: server.Client()}
				cast := NewCast(client, client)
				cast.Script(Scenario{Number: "SO-1", Shorts: []Short{{1, "2", "DAMAGED"}}})
				if err := cast.WMS.Tend(t.Context(), "ord_a"); err != nil {
					t.Fatal(err)
				}
			}
			want := "acknowledge; confirmPicks 1:3 2:2; reportShortPick 1:2; packCarton 1:2; packCarton 1:1 2:1; packCarton 2:1; postGoodsIssue"
			if got := strings.Join(w.reports, "; "); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if first := w.order.GetCartons()[0].GetGrossWeightGrams(); first != 2*12000+1+tareGrams {
				t.Errorf("the first carton weighs %d g", first)
			}
		})
	}
}

func TestFitting(t *testing.T) {
	for _, tt := range []struct {
		left, each string
		room       int64
		want       string
	}{
		{"10", "780", 30000, "10"},
		{"100", "640", 30000, "46"},
		{"12.5", "1000", 30000, "12.5"},
		{"40.25", "1000", 30000, "30"},
		{"3", "40000", 30000, "0"},
		{"3", "0", 30000, "3"},
		{"3", "10", 0, "0"},
	} {
		if got := fitting(quantity.MustParse(tt.left), quantity.MustParse(tt.each), tt.room); got.String() != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
	if got := gramsOf(quantity.MustParse("3"), quantity.MustParse("24.5")); got != 74 {
		t.Errorf("3 × 24.5 g are %d g", got)
	}
}
