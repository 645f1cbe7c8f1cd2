package adapter

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/storytest"
)

// tower is a recorder and a server on a database of its own.
type tower struct {
	*Recorder
	*Server
	written int // rows that were written
}

func newTower(t *testing.T) *tower {
	t.Helper()
	out := &tower{}
	db, err := store.Open(context.Background(), store.Config{URI: "sqlite:" + t.TempDir(), Database: "control_tower"},
		store.Options{Monitor: func(_ string, documents int) { out.written += documents }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	out.written = 0 // what opening wrote is not a fact's
	out.Recorder, out.Server = NewRecorder(db), NewServer(db, clock.System{}, Bounds{Nodes: 500, Steps: 2000})
	return out
}

func (w *tower) record(t *testing.T, facts ...bus.Fact) {
	t.Helper()
	for _, f := range facts {
		if err := w.Record(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
}

// together records facts as the workers of consumers do, many at a time.
func (w *tower) together(t *testing.T, facts ...bus.Fact) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(32)
	for _, f := range facts {
		group.Go(func() error { return w.Record(ctx, f) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

func as(ctx context.Context, tenant string) context.Context {
	return store.WithCause(ctx, store.Cause{Tenant: tenant, Principal: "tester"})
}

func (w *tower) ask(t *testing.T, tenant, key string) *controltowerv1.TraceResponse {
	t.Helper()
	resp, err := w.Trace(as(t.Context(), tenant), &controltowerv1.TraceRequest{Key: key})
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return resp
}

func types(resp *controltowerv1.TraceResponse) []string {
	var out []string
	for _, s := range resp.GetSteps() {
		out = append(out, s.GetType()[strings.LastIndexByte(s.GetType(), '.')+1:])
	}
	return out
}

// straight is one order with its invoice and a return.
func straight(tenant string) (*storytest.Story, storytest.Names, storytest.Bill) {
	story := storytest.New(tenant)
	n := story.Ship("4711")
	bill := story.Invoice("INV-1", n)
	story.Return(n)
	return story, n, bill
}

// TestEveryKeyTellsTheWholeStory: each key of an order, and its ids, lead to all its facts in
// the order in which they happened.
func TestEveryKeyTellsTheWholeStory(t *testing.T) {
	story, n, bill := straight("t")
	w := newTower(t)
	w.record(t, story.Envelopes()...)
	var want *controltowerv1.TraceResponse
	for _, key := range []string{
		n.Number, n.PO, n.SSCC, n.BOL, n.PRO, n.Tracking, n.RMANumber, n.CreditMemo, bill.Number, bill.Voucher,
		n.Order, n.Release, n.WarehouseOrder, n.Shipment, n.Freight, n.RMA, bill.ID,
		"pro 4711", "(00)" + n.SSCC,
	} {
		got := w.ask(t, "t", key)
		if len(got.GetSteps()) != len(story.Envelopes()) || got.GetTruncated() {
			t.Errorf("%s: %d of %d facts: %v", key, len(got.GetSteps()), len(story.Envelopes()), types(got))
		}
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want.GetSteps(), got.GetSteps(), protocmp.Transform()); diff != "" {
			t.Errorf("%s tells another story than %s: %s", key, n.Number, diff)
		}
		if first := got.GetNodes()[0]; first.GetDistance() != 0 || !proto.Equal(first.GetKey(), got.GetKeys()[0]) {
			t.Errorf("%s: the first node is %v, the key %v", key, first, got.GetKeys())
		}
	}
	if got := types(want); got[0] != "OrderReceived" || got[len(got)-1] != "CreditConfirmed" || !slices.Contains(got, "StockReserved") {
		t.Errorf("told as %v", got)
	}
}

// TestOrdersStayApart: orders of one item, one stock and one invoice have stories of their
// own, and the invoice tells both.
func TestOrdersStayApart(t *testing.T) {
	story := storytest.New("t")
	a, b := story.Ship("4711"), story.Ship("4712")
	bill := story.Invoice("INV-1", a, b)
	w := newTower(t)
	w.record(t, story.Envelopes()...)
	for _, key := range []string{a.Number, a.PRO, a.SSCC} {
		got := w.ask(t, "t", key)
		for _, node := range got.GetNodes() {
			if v := node.GetKey().GetValue(); v == b.Order || v == b.Freight || v == b.Number {
				t.Errorf("%s leads to %v", key, node)
			}
			if node.GetGathersMore() != (node.GetKey().GetValue() == bill.ID) {
				t.Errorf("%v gathers more: %t", node.GetKey(), node.GetGathersMore())
			}
		}
		for _, s := range got.GetSteps() {
			for _, k := range s.GetKeys() {
				if k.GetValue() == b.Freight {
					t.Errorf("%s: %s tells of the other order's freight", key, s.GetTitle())
				}
			}
		}
		if names := types(got); !slices.Contains(names, "FreightInvoicePaid") || !slices.Contains(names, "StockReserved") {
			t.Errorf("%s: %v", key, names)
		}
	}
	if got := w.ask(t, "t", bill.Number); len(got.GetSteps()) != len(story.Envelopes()) {
		t.Errorf("the invoice tells %d of %d facts", len(got.GetSteps()), len(story.Envelopes()))
	}
}

// TestDocumentBroughtOrders: a document, by id or by its message's, tells of all orders that
// it brought; an order tells of its document and not of the others.
func TestDocumentBroughtOrders(t *testing.T) {
	story := storytest.New("t")
	document := story.Import("ORDERS-0815")
	a, b := story.Ship("4711"), story.Ship("4712")
	w := newTower(t)
	w.record(t, story.Envelopes()...)
	for _, key := range []string{document, "ORDERS-0815"} {
		if got := w.ask(t, "t", key); len(got.GetSteps()) != len(story.Envelopes()) {
			t.Errorf("%s tells %d of %d facts", key, len(got.GetSteps()), len(story.Envelopes()))
		}
	}
	got := w.ask(t, "t", a.Number)
	if names := types(got); names[0] != "DocumentReceived" || len(names) >= len(story.Envelopes()) {
		t.Errorf("the order is told as %v", names)
	}
	for _, node := range got.GetNodes() {
		if node.GetKey().GetValue() == b.Order || node.GetGathersMore() != (node.GetKey().GetValue() == document) {
			t.Errorf("the order leads to %v", node)
		}
	}
}

// TestInterleavingAndRepetitionDoNotShow: in whatever order aggregates come, and however
// often, the answer is the same.
func TestInterleavingAndRepetitionDoNotShow(t *testing.T) {
	story, n, bill := straight("t")
	facts := story.Envelopes()
	keys := []string{n.Number, n.SSCC, bill.Number, storytest.StockID("t")}
	var want []*controltowerv1.TraceResponse
	for round := range 8 {
		w := newTower(t)
		order := slices.Clone(facts)
		if round > 0 {
			random := rand.New(rand.NewPCG(uint64(round), 7))
			order = append(order, facts[:len(facts)/2]...)
			random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		w.together(t, order...)
		for i, key := range keys {
			got := w.ask(t, "t", key)
			if round == 0 {
				want = append(want, got)
			} else if diff := cmp.Diff(want[i], got, protocmp.Transform()); diff != "" {
				t.Fatalf("round %d, %s: %s", round, key, diff)
			}
		}
	}
}

// TestUnknownFactIsKept: a fact of a later release is a step with what its envelope says, in
// the story of its aggregate or of what caused it.
func TestUnknownFactIsKept(t *testing.T) {
	story, n, _ := straight("t")
	facts := story.Envelopes()
	unknown := facts[len(facts)-1]
	unknown.ID, unknown.Type, unknown.Data = bus.EventID(n.Shipment, 90, 0), "lockstep.shipmentvisibility.v1.ShipmentBlessed", []byte{0xff, 0x01}
	unknown.Service, unknown.AggregateType, unknown.AggregateID, unknown.Version = storytest.Shipments, "shipment", n.Shipment, 90
	caused := unknown
	caused.AggregateType, caused.AggregateID, caused.Causation = "later", ident.Derive("ltr", "t", "1"), bus.EventID(n.Order, 1, 0)
	caused.ID, caused.Version = bus.EventID(caused.AggregateID, 1, 0), 1
	broken := facts[0]
	broken.ID, broken.Version, broken.Data = bus.EventID(n.Order, 90, 0), 90, []byte("\xff\xff no proto")
	w := newTower(t)
	w.record(t, append(facts, unknown, caused, broken)...)
	got := w.ask(t, "t", n.Number)
	opaque := map[string]string{}
	for _, s := range got.GetSteps() {
		if s.GetOpaque() {
			opaque[s.GetEventId()] = s.GetTitle()
		}
	}
	want := map[string]string{unknown.ID: "Shipment blessed", caused.ID: "Shipment blessed", broken.ID: "Order received"}
	if diff := cmp.Diff(want, opaque); diff != "" {
		t.Error(diff)
	}
	if own := w.ask(t, "t", caused.AggregateID); len(own.GetSteps()) < 1 || own.GetKeys()[0].GetType() != 0 {
		t.Errorf("by its own id: %v", own)
	}
}

// TestRowsPerFact bounds what is written: alone a row a fact, and one a number once, whatever
// else names it; together several facts a row.
func TestRowsPerFact(t *testing.T) {
	story, _, _ := straight("t")
	facts := story.Envelopes()
	w := newTower(t)
	w.record(t, facts...)
	const numbers = 10 // of one order: order, PO, SSCC, BOL, PRO, tracking, invoice, voucher, RMA, credit memo
	const tenants = 1  // those with claims
	if want := len(facts) + numbers + tenants; w.written != want {
		t.Errorf("%d rows for %d facts, want %d", w.written, len(facts), want)
	}
	const requests = 2 // for claims: of the order and of the invoice
	if before := w.written; w.Settle(t.Context()) != nil || w.written != before+requests {
		t.Errorf("%d writes to settle %d requests", w.written-before, requests)
	}
	w, facts = newTower(t), orders(20)
	w.together(t, facts...)
	if w.written*2 > len(facts) {
		t.Errorf("%d rows for %d facts that came together", w.written, len(facts))
	}
}

func TestForeignTenantSeesNothing(t *testing.T) {
	story, n, _ := straight("t")
	w := newTower(t)
	w.record(t, story.Envelopes()...)
	for _, tenant := range []string{"u", "", "t0"} {
		_, foreign := w.Trace(as(t.Context(), tenant), &controltowerv1.TraceRequest{Key: n.Number})
		_, unknown := w.Trace(as(t.Context(), tenant), &controltowerv1.TraceRequest{Key: "nowhere"})
		if !fault.IsKind(foreign, fault.NotFound) || foreign.Error() != unknown.Error() {
			t.Errorf("tenant %q: %v, an unknown key %v", tenant, foreign, unknown)
		}
		found, err := w.SearchKeys(as(t.Context(), tenant), &controltowerv1.SearchKeysRequest{Prefix: "47"})
		if err != nil || len(found.GetKeys()) != 0 {
			t.Errorf("tenant %q finds %v, %v", tenant, found, err)
		}
	}
}

func TestTypeNarrows(t *testing.T) {
	story := storytest.New("t")
	a := story.Ship("4711")
	story.Invoice("4711", a) // the same digits name an order and an invoice
	w := newTower(t)
	w.record(t, story.Envelopes()...)
	if got := w.ask(t, "t", "4711"); len(got.GetKeys()) != 2 {
		t.Errorf("4711 means %v", got.GetKeys())
	}
	for want, n := range map[commonv1.BusinessKeyType]int{
		commonv1.BusinessKeyType_BUSINESS_KEY_TYPE_FREIGHT_INVOICE: 1,
		commonv1.BusinessKeyType_BUSINESS_KEY_TYPE_ORDER_NUMBER:    1,
		commonv1.BusinessKeyType_BUSINESS_KEY_TYPE_SSCC:            0,
		commonv1.BusinessKeyType_BUSINESS_KEY_TYPE_STOCK:           0,
	} {
		got, err := w.Trace(as(t.Context(), "t"), &controltowerv1.TraceRequest{Key: "4711", Type: want})
		if n == 0 {
			if f, ok := fault.As(err); !ok || f.Kind != fault.NotFound || f.Reason != "KEY_UNKNOWN" {
				t.Errorf("as %v: %v, %v", want, got, err)
			}
			continue
		}
		if err != nil || len(got.GetKeys()) != n || got.GetKeys()[0].GetType() != want {
			t.Errorf("as %v: %v, %v", want, got.GetKeys(), err)
		}
	}
}

// TestSearch finds numbers by how they begin, page by page, in whatever way they are written.
func TestSearch(t *testing.T) {
	story := storytest.New("t")
	for i := range 30 {
		story.Ship(fmt.Sprintf("SO-%02d/x", i))
	}
	w := newTower(t)
	w.record(t, story.Envelopes()...)
	search := func(req *controltowerv1.SearchKeysRequest) (values []string, pages int) {
		for {
			resp, err := w.SearchKeys(as(t.Context(), "t"), req)
			if err != nil {
				t.Fatal(err)
			}
			if size := int(req.GetPageSize()); size > 0 && len(resp.GetKeys()) > size {
				t.Fatalf("a page of %d has %d", size, len(resp.GetKeys()))
			}
			for _, k := range resp.GetKeys() {
				values = append(values, k.GetValue())
			}
			pages++
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				return values, pages
			}
		}
	}
	orders := commonv1.BusinessKeyType_BUSINESS_KEY_TYPE_ORDER_NUMBER
	for name, tt := range map[string]struct {
		req   *controltowerv1.SearchKeysRequest
		n     int
		pages int
		first string
	}{
		"all orders":         {&controltowerv1.SearchKeysRequest{Prefix: "so", PageSize: 7}, 30, 5, "SO-00/x"},
		"one":                {&controltowerv1.SearchKeysRequest{Prefix: "SO 07"}, 1, 1, "SO-07/x"},
		"a decade":           {&controltowerv1.SearchKeysRequest{Prefix: "so.1"}, 10, 1, "SO-10/x"},
		"whole key":          {&controltowerv1.SearchKeysRequest{Prefix: "SO-29/x"}, 1, 1, "SO-29/x"},
		"of a type":          {&controltowerv1.SearchKeysRequest{Prefix: "PRO-SO", Type: orders}, 0, 1, ""},
		"PRO numbers":        {&controltowerv1.SearchKeysRequest{Prefix: "prose"}, 0, 1, ""},
		"PRO numbers of all": {&controltowerv1.SearchKeysRequest{Prefix: "proso", PageSize: 30}, 30, 1, "PRO-SO-00/x"},
		"nothing":            {&controltowerv1.SearchKeysRequest{Prefix: "zz"}, 0, 1, ""},
	} {
		values, pages := search(tt.req)
		if len(values) != tt.n || pages != tt.pages || len(values) > 0 && values[0] != tt.first {
			t.Errorf("%s: %d keys on %d pages: %v", name, len(values), pages, values)
		}
		if !slices.IsSorted(values) {
			t.Errorf("%s: not in order: %v", name, values)
		}
	}
	for reason, req := range map[string]*controltowerv1.SearchKeysRequest{
		"INVALID_REQUEST":    {Prefix: "--"},
		"PAGE_TOKEN_INVALID": {Prefix: "so", PageToken: token(keyRow + "ZZ")},
	} {
		_, err := w.SearchKeys(as(t.Context(), "t"), req)
		if f, ok := fault.As(err); !ok || f.Kind != fault.Invalid || f.Reason != reason || len(f.Fields) != 1 {
			t.Errorf("%v: %v", req, err)
		}
	}
}
