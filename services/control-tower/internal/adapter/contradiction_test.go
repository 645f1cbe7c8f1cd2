package adapter

import (
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventoryv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/storytest"
)

// TestAContradictionIsTold: what a warehouse reported against its order is a step of the order's
// story, with what was reported, when it happened and why it does not fit.
func TestAContradictionIsTold(t *testing.T) {
	story, n, _ := straight("t")
	facts := story.Envelopes()
	last := facts[len(facts)-1].Recorded
	name, data, err := protovalue.Encode(&inventoryv1.ReportContradicted{
		Keys:   &inventoryv1.WarehouseOrderKeys{WarehouseOrderId: n.WarehouseOrder, OrderId: n.Order, OrderNumber: n.Number, ReleaseId: n.Release},
		Reason: inventoryv1.ContradictionReason_CONTRADICTION_REASON_OVER_PICK, Report: inventoryv1.WarehouseReport_WAREHOUSE_REPORT_PICK,
		Lines:      []*inventoryv1.WarehouseLineQuantity{{LineNumber: 1, Quantity: &commonv1.Quantity{Value: "2", Unit: "EA"}, Sku: storytest.SKU}},
		EventTime:  protovalue.Time(last.Add(time.Minute)),
		ReportedBy: "wms@dc1", Source: &commonv1.SourceRef{System: "wms", MessageId: "945-1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := newTower(t)
	w.record(t, append(facts, bus.Fact{
		ID: bus.EventID(n.WarehouseOrder, 50, 0), Service: storytest.Inventory, AggregateType: "warehouse_order", Tenant: "t", AggregateID: n.WarehouseOrder,
		Version: 50, Count: 1, Type: name, Data: data, Recorded: last.Add(time.Hour), Principal: "wms@dc1",
		Source: ident.SourceRef{System: "wms", MessageID: "945-1"},
	})...)
	steps := w.ask(t, "t", n.SSCC).GetSteps()
	got := steps[len(steps)-1]
	if got.GetTitle() != "A report of the warehouse contradicts its order: over pick" || got.GetPrincipal() != "wms@dc1" || got.GetSourceMessageId() != "945-1" ||
		!got.GetEventTime().AsTime().Equal(last.Add(time.Minute)) || len(got.GetQuantities()) != 1 || got.GetQuantities()[0].GetQuantity().GetValue() != "2" {
		t.Errorf("told as %v", got)
	}
}
