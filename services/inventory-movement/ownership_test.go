package inventorymovement_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// from is a message of a system.
func from(system string) *commonv1.SourceRef {
	return &commonv1.SourceRef{System: system, MessageId: testkit.Name("m"), EventTime: timestamppb.New(time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC))}
}

// posts posts a goods issue in the name of a system, and returns the state and the codes of the receipt.
func (w *world) posts(t *testing.T, who, system string) (string, error) {
	resp, err := w.wms.PostGoodsIssue(t.Context(), &im.PostGoodsIssueRequest{WarehouseOrderId: who, Source: from(system)})
	return outcome(resp.GetReceipt()), err
}

func outcome(r *commonv1.Receipt) string {
	text := r.GetState()
	for _, reason := range r.GetReasons() {
		text += " " + reason.GetCode()
	}
	return text
}

// observed renders what is kept of foreign words: "PostGoodsIssue tms/wms true".
func observed(list []*commonv1.ForeignWord) string {
	var words []string
	for _, o := range list {
		words = append(words, fmt.Sprintf("%s %s/%s %t", o.GetCommand(), o.GetSystem(), o.GetOwner(), o.GetContradicts()))
	}
	return strings.Join(words, ", ")
}

// owned puts the tenant's policy of a type of object.
func (w *world) owned(t *testing.T, of md.ObjectType, rules ...*md.OwnershipRule) {
	t.Helper()
	name := strings.TrimPrefix(of.String(), "OBJECT_TYPE_")
	w.masterData.publish(t, w.Tenant, w.id("own", name), &md.OwnershipPolicyDefined{ObjectType: of, Rules: rules})
}

func rule(subject, owner string, r md.ConflictRule) *md.OwnershipRule {
	return &md.OwnershipRule{Subject: subject, Owner: owner, ConflictRule: r}
}

// TestOwnershipOfTransitions: a word of a system that does not own the transition changes nothing, is kept
// beside what it speaks of and published; by the tenant's policies it counts, or is refused. Master data
// is down all the while.
func TestOwnershipOfTransitions(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine)
			sku := w.stocked(t, 30)
			w.masterData.down.Store(true)
			t.Run("warehouse order", func(t *testing.T) { foreignIssue(t, w, sku) })
			t.Run("reports", func(t *testing.T) { foreignReports(t, w, sku) })
			t.Run("stock", func(t *testing.T) { foreignStock(t, w) })
			t.Run("policy", func(t *testing.T) { ownPolicy(t, w, sku) })
		})
	}
}

// packedOrder is a warehouse order that is ready to leave.
func (w *world) packedOrder(t *testing.T, sku string) (who string) {
	t.Helper()
	_, who = w.release(t, line{sku, 2, ""})
	w.state(t, who, "ALLOCATED")
	w.confirm(t, who, picked(1, 2))
	w.pack(t, who, picked(1, 2))
	return who
}

func foreignIssue(t *testing.T, w *world, sku string) {
	who := w.packedOrder(t, sku)
	for range 2 { // what is said again, of the same time, is kept once
		if got, err := w.posts(t, who, "tms"); err != nil || got != "PACKED TRANSITION_NOT_OWNED" {
			t.Fatalf("%q %v", got, err)
		}
	}
	o := w.state(t, who, "PACKED")
	if got := observed(o.GetObservations()); got != "PostGoodsIssue tms/wms true" || len(o.GetIssuedSsccs()) > 0 {
		t.Errorf("%s, %v issued", got, o.GetIssuedSsccs())
	}
	if s := o.GetObservations()[0]; s.GetSaid() != `{"warehouseOrderId":"`+who+`"}` || s.GetEventTime().AsTime().Hour() != 17 || s.GetMessageId() == "" {
		t.Errorf("%v", s)
	}
	facts := w.facts(t, who)
	if last := facts[len(facts)-1]; last.GetType() != "lockstep.inventorymovement.v1.WarehouseOrderWordObserved" || last.GetSource().GetSystem() != "tms" {
		t.Errorf("%v", last)
	}
	if got, err := w.posts(t, who, "wms"); err != nil || got != "ISSUED" {
		t.Errorf("its owner: %q %v", got, err)
	}
	if got, err := w.posts(t, who, "tms"); err != nil || got != "ISSUED TRANSITION_NOT_OWNED" {
		t.Errorf("after its owner: %q %v", got, err)
	}
	if got := observed(w.state(t, who, "ISSUED").GetObservations()); got != "PostGoodsIssue tms/wms false" {
		t.Errorf("the owner has said so too: %s", got)
	}
}

// foreignReports: no carton is made, no number is used and nothing is picked by what the ERP says.
func foreignReports(t *testing.T, w *world, sku string) {
	_, who := w.release(t, line{sku, 2, ""})
	w.state(t, who, "ALLOCATED")
	ack, err := w.wms.AcknowledgeWarehouseOrder(t.Context(), &im.AcknowledgeWarehouseOrderRequest{WarehouseOrderId: who, Source: from("erp")})
	if got := outcome(ack.GetReceipt()); err != nil || got != "ALLOCATED TRANSITION_NOT_OWNED" {
		t.Errorf("%q %v", got, err)
	}
	picks, err := w.wms.ConfirmPicks(t.Context(), &im.ConfirmPicksRequest{WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(1, 2)}, Source: from("erp")})
	if got := outcome(picks.GetReceipt()); err != nil || got != "ALLOCATED TRANSITION_NOT_OWNED" {
		t.Errorf("%q %v", got, err)
	}
	if got := observed(w.state(t, who, "ALLOCATED").GetObservations()); got != "AcknowledgeWarehouseOrder erp/wms true, ConfirmPicks erp/wms true" {
		t.Errorf("kept is %s", got)
	}
	w.confirm(t, who, picked(1, 2))
	pack, err := w.wms.PackCarton(t.Context(), &im.PackCartonRequest{WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(1, 2)}, GrossWeightGrams: 900, Source: from("erp")})
	if r := pack.GetReceipt(); err != nil || outcome(r) != "PICKED TRANSITION_NOT_OWNED" || len(r.GetCreatedIds()) > 0 {
		t.Errorf("%v %v", r, err)
	}
	o := w.state(t, who, "PICKED")
	if got := observed(o.GetObservations()); got != "AcknowledgeWarehouseOrder erp/wms true, ConfirmPicks erp/wms false, PackCarton erp/wms true" || len(o.GetCartons()) > 0 {
		t.Errorf("the owner has picked: %s, %v", got, o.GetCartons())
	}
	_, err = w.wms.ConfirmPicks(t.Context(), &im.ConfirmPicksRequest{
		WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{{LineNumber: 1, Quantity: ea(1), Location: "SUPPLIER"}}, Source: from("erp"),
	})
	reason(t, err, fault.Invalid, "LOCATION_RESERVED") // what nobody could say is no word
}

// foreignStock: what the ERP says to have come is kept beside a stock that there may not have been.
func foreignStock(t *testing.T, w *world) {
	w.masterData.down.Store(false)
	sku := w.item(t)
	w.masterData.down.Store(true)
	batch, err := w.wms.BatchRecordReceipts(t.Context(), &im.BatchRecordReceiptsRequest{Source: from("erp"), Receipts: []*im.GoodsReceipt{
		{Site: "DC1", Sku: sku, Location: "B-1", Quantity: ea(7)},
	}})
	if r := batch.GetResults(); err != nil || len(r) != 1 || outcome(r[0].GetReceipt()) != " TRANSITION_NOT_OWNED" || len(r[0].GetReceipt().GetValues()) > 0 {
		t.Fatalf("%v %v", r, err)
	}
	got, err := w.wms.GetStock(t.Context(), &im.GetStockRequest{Site: "DC1", Sku: sku})
	if err != nil || len(got.GetStock().GetRows()) > 0 || observed(got.GetStock().GetObservations()) != "RecordReceipt erp/wms true" || got.GetStock().GetSku() != sku {
		t.Errorf("%v %v", got, err)
	}
	w.receive(t, sku, "B-1", ea(7))
	for name, give := range map[string]func() (*commonv1.Receipt, error){
		"AdjustStock": func() (*commonv1.Receipt, error) {
			resp, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: "DC1", Sku: sku, Location: "B-1", Change: ea(1), Reason: "COUNT", Source: from("erp")})
			return resp.GetReceipt(), err
		},
		"MoveStock": func() (*commonv1.Receipt, error) {
			resp, err := w.wms.MoveStock(t.Context(), &im.MoveStockRequest{Site: "DC1", Sku: sku, FromLocation: "B-1", ToLocation: "B-2", Quantity: ea(1), Source: from("erp")})
			return resp.GetReceipt(), err
		},
	} {
		if r, err := give(); err != nil || outcome(r) != " TRANSITION_NOT_OWNED" {
			t.Errorf("%s: %v %v", name, r, err)
		}
	}
	w.becomes(t, sku, "B-1 7, SUPPLIER -7")
}

// ownPolicy: the tenant lets the TMS post goods issues, then refuses everybody but one system of its own.
func ownPolicy(t *testing.T, w *world, sku string) {
	who := w.packedOrder(t, sku)
	w.owned(t, md.ObjectType_OBJECT_TYPE_WAREHOUSE_ORDER, rule("PostGoodsIssue", "wms-1", md.ConflictRule_CONFLICT_RULE_REFUSE))
	testkit.Eventually(t, patience, func() error { // the copy may trail
		_, err := w.posts(t, who, "tms")
		f, _ := fault.As(err)
		if f == nil || f.Kind != fault.Refused || f.Reason != "TRANSITION_NOT_OWNED" || f.Metadata["owner"] != "wms-1" || f.Metadata["rule"] != "REFUSE" || f.Metadata["system"] != "tms" {
			return fmt.Errorf("not refused: %w", err)
		}
		return nil
	})
	w.state(t, who, "PACKED")
	w.owned(t, md.ObjectType_OBJECT_TYPE_WAREHOUSE_ORDER, rule("PostGoodsIssue", "wms-1", md.ConflictRule_CONFLICT_RULE_ACCEPT))
	testkit.Eventually(t, patience, func() error {
		if got, err := w.posts(t, who, "tms"); err != nil || got != "ISSUED" {
			return fmt.Errorf("%q %w", got, err)
		}
		return nil
	})
}
