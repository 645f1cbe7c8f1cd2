package inventorymovement_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
)

// reports sends a report of picks from a message of the WMS, and holds what its receipt says
// against the order: "OVER_PICK UNKNOWN_LINE".
func (w *world) reports(t *testing.T, who, message, want string, lines ...*im.WarehouseLineQuantity) *commonv1.Receipt {
	t.Helper()
	resp, err := w.wms.ConfirmPicks(hosttest.WithKey(t.Context(), message+who), &im.ConfirmPicksRequest{
		WarehouseOrderId: who, Lines: lines,
		Source: &commonv1.SourceRef{System: "wms", MessageId: message, EventTime: timestamppb.New(eventTime)},
	})
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, r := range resp.GetReceipt().GetReasons() {
		codes = append(codes, r.GetCode())
	}
	if got := strings.Join(codes, " "); got != want {
		t.Errorf("%s contradicts %q, want %q", message, got, want)
	}
	return resp.GetReceipt()
}

var eventTime = time.Date(2026, 3, 2, 7, 30, 0, 0, time.UTC)

// against renders what was reported against an order: "OVER_PICK PICK 1:2".
func against(o *im.WarehouseOrder) []string {
	var out []string
	for _, c := range o.GetContradictions() {
		out = append(out, fmt.Sprintf("%s %s %d:%s", strings.TrimPrefix(c.GetReason().String(), "CONTRADICTION_REASON_"),
			strings.TrimPrefix(c.GetReport().String(), "WAREHOUSE_REPORT_"), c.GetLine().GetLineNumber(), c.GetLine().GetQuantity().GetValue()))
	}
	return out
}

// facts are the types of the facts of a warehouse order, as its followers get them.
func (w *world) facts(t *testing.T, who string) []*commonv1.FactEnvelope {
	t.Helper()
	c := commonv1.NewFactsServiceClient(w.Client(inventorymovement.Name, w.Service(inventorymovement.Name)))
	resp, err := c.ListAggregateFacts(t.Context(), &commonv1.ListAggregateFactsRequest{AggregateType: "warehouse_order", Tenant: w.Tenant, AggregateId: who})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetFacts()
}

// beyondTheOrder: of a report what fits is picked; the rest is kept with who told it and when,
// is published, and neither leaves a bin nor the site.
func beyondTheOrder(t *testing.T, w *world) {
	sku := w.stocked(t, 20)
	_, who := w.release(t, line{sku, 10, ""})
	w.state(t, who, "ALLOCATED")
	report := func() *commonv1.Receipt {
		return w.reports(t, who, "945-1", "OVER_PICK UNKNOWN_LINE", picked(1, 12), picked(7, 1))
	}
	first := report()
	w.Redis.FlushAll()
	if again := report(); first.GetState() != "PICKED" || !proto.Equal(first, again) {
		t.Errorf("%v, replayed %v", first, again)
	}
	_, err := w.wms.ReportShortPick(t.Context(), &im.ReportShortPickRequest{
		WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(1, 3)}, Reason: im.ShortReason_SHORT_REASON_DAMAGED,
	})
	if err != nil {
		t.Fatal(err)
	}
	o := w.state(t, who, "PICKED")
	if got := against(o); !slices.Equal(got, []string{"OVER_PICK PICK 1:2", "UNKNOWN_LINE PICK 7:1", "OVER_SHORT SHORT_PICK 1:3"}) || o.GetContradictionCount() != 3 {
		t.Errorf("%v, %d in all", got, o.GetContradictionCount())
	}
	if l := o.GetLines()[0]; l.GetPicked().GetValue() != "10" || l.GetShort().GetValue() != "0" {
		t.Errorf("%v", l)
	}
	c, s := o.GetContradictions()[0], o.GetContradictions()[2]
	if c.GetReportedBy() != "tester" || c.GetSource().GetMessageId() != "945-1" || !c.GetEventTime().AsTime().Equal(eventTime) || c.GetLine().GetSku() != sku {
		t.Errorf("%v", c)
	}
	if s.GetShortReason() != im.ShortReason_SHORT_REASON_DAMAGED || s.GetEventTime() == nil {
		t.Errorf("%v", s)
	}
	var told []string
	for _, f := range w.facts(t, who) {
		m := &im.ReportContradicted{}
		if f.GetType() != string(m.ProtoReflect().Descriptor().FullName()) {
			continue
		}
		if err := proto.Unmarshal(f.GetData(), m); err != nil {
			t.Fatal(err)
		}
		told = append(told, fmt.Sprint(m.GetReason(), " ", len(m.GetLines()), " ", m.GetReportedBy(), " ", m.GetSource().GetMessageId()))
	}
	if want := []string{
		"CONTRADICTION_REASON_OVER_PICK 1 tester 945-1", "CONTRADICTION_REASON_UNKNOWN_LINE 1 tester 945-1", "CONTRADICTION_REASON_OVER_SHORT 1 tester ",
	}; !slices.Equal(told, want) {
		t.Errorf("published %q", told)
	}
	w.becomes(t, sku, "B-1 10, PACKING 10, SUPPLIER -20")
	_, err = w.wms.PackCarton(t.Context(), &im.PackCartonRequest{WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(1, 12)}})
	reason(t, err, fault.Invalid, "QUANTITY_EXCEEDED")
	w.pack(t, who, picked(1, 10))
	w.issue(t, who)
	w.becomes(t, sku, "B-1 10, CUSTOMER 10, SUPPLIER -20")
	w.reports(t, who, "945-2", "AFTER_ISSUE", picked(1, 2))
	if o := w.state(t, who, "ISSUED"); len(o.GetContradictions()) != 4 {
		t.Errorf("%v", against(o))
	}
	w.becomes(t, sku, "B-1 10, CUSTOMER 10, SUPPLIER -20")
}

// ofAnOrderThatIsOver: picks of an order that was cancelled, also of one that never came, are
// kept and take nothing from stock that others may have.
func ofAnOrderThatIsOver(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	m, who := w.release(t, line{sku, 8, ""})
	w.state(t, who, "ALLOCATED")
	w.cancel(t, m)
	w.state(t, who, "CANCELLED")
	w.becomes(t, sku, "B-1 10, SUPPLIER -10")
	if r := w.reports(t, who, "945-3", "AFTER_CANCEL AFTER_CANCEL", picked(1, 8), picked(7, 1)); r.GetState() != "CANCELLED" {
		t.Errorf("%v", r)
	}
	o := w.state(t, who, "CANCELLED")
	if got := against(o); !slices.Equal(got, []string{"AFTER_CANCEL PICK 1:8", "AFTER_CANCEL PICK 7:1"}) {
		t.Errorf("%v", got)
	}
	never := w.released(line{sku, 8, ""})
	w.cancel(t, never)
	w.state(t, w.who(never), "CANCELLED")
	w.reports(t, w.who(never), "945-4", "AFTER_CANCEL", picked(1, 8))
	w.orders.publish(t, w.Tenant, never.GetOrderId(), never)
	testkit.Eventually(t, patience, func() error { // what it took when it came at last is given up
		resp, err := w.wms.ListMovements(t.Context(), &im.ListMovementsRequest{StockId: w.stockID(sku)})
		for _, c := range resp.GetMovements() {
			if slices.Contains(c.GetFacts(), "FREED 8 EA of "+w.who(never)) {
				return err
			}
		}
		return fmt.Errorf("%v, %w", resp, err)
	})
	// another order gets all there is: nothing was taken, nothing is held
	_, next := w.release(t, line{sku, 10, ""})
	if o := w.state(t, next, "ALLOCATED"); len(o.GetTasks()) != 1 || o.GetTasks()[0].GetQuantity().GetValue() != "10" {
		t.Errorf("%v", o.GetTasks())
	}
	w.becomes(t, sku, "B-1 10/10, SUPPLIER -10")
}
