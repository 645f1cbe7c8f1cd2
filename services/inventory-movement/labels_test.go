package inventorymovement_test

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
)

func unitReplays(t *testing.T, w *world) {
	carton, pallet := w.cartoned(t, w.pickedOrder(t, 1, w.measured(t, 0, nil)), 1, 1), w.pallet(t, 0)
	spare := w.pallet(t, 0)
	for _, tt := range []struct {
		name string
		run  func(key string) (proto.Message, error)
	}{
		{"create", func(k string) (proto.Message, error) {
			return w.wms.CreateHandlingUnit(hosttest.WithKey(t.Context(), k), &im.CreateHandlingUnitRequest{Site: "DC1"})
		}},
		{"nest", func(k string) (proto.Message, error) {
			return w.wms.BatchNestHandlingUnits(hosttest.WithKey(t.Context(), k), &im.BatchNestHandlingUnitsRequest{Sscc: pallet, ChildSsccs: []string{carton}})
		}},
		{"weigh", func(k string) (proto.Message, error) {
			return w.wms.WeighHandlingUnit(hosttest.WithKey(t.Context(), k), &im.WeighHandlingUnitRequest{Sscc: carton, WeightGrams: 5000, Device: "S1"})
		}},
		{"release", func(k string) (proto.Message, error) {
			return w.admin().ReleaseAuditHold(hosttest.WithKey(t.Context(), k), &im.ReleaseAuditHoldRequest{Sscc: carton, Reason: "SEEN"})
		}},
		{"unnest", func(k string) (proto.Message, error) {
			return w.wms.UnnestHandlingUnit(hosttest.WithKey(t.Context(), k), &im.UnnestHandlingUnitRequest{Sscc: pallet, ChildSscc: carton})
		}},
		{"close", func(k string) (proto.Message, error) {
			return w.wms.CloseHandlingUnit(hosttest.WithKey(t.Context(), k), &im.CloseHandlingUnitRequest{Sscc: pallet})
		}},
		{"reopen", func(k string) (proto.Message, error) {
			return w.wms.ReopenHandlingUnit(hosttest.WithKey(t.Context(), k), &im.ReopenHandlingUnitRequest{Sscc: pallet})
		}},
		{"void", func(k string) (proto.Message, error) {
			return w.wms.VoidHandlingUnit(hosttest.WithKey(t.Context(), k), &im.VoidHandlingUnitRequest{Sscc: spare, Reason: "BROKEN"})
		}},
		{"carton-type", func(k string) (proto.Message, error) {
			return w.wms.PutCartonType(hosttest.WithKey(t.Context(), k), &im.PutCartonTypeRequest{Site: "DC2", CartonType: &im.CartonType{Code: "R", InnerLengthMm: 1, InnerWidthMm: 1, InnerHeightMm: 1}})
		}},
		{"no-carton-type", func(k string) (proto.Message, error) {
			return w.wms.RetireCartonType(hosttest.WithKey(t.Context(), k), &im.RetireCartonTypeRequest{Site: "DC2", Code: "R"})
		}},
		{"tolerance", func(k string) (proto.Message, error) {
			return w.wms.SetPackAuditTolerance(hosttest.WithKey(t.Context(), k), &im.SetPackAuditToleranceRequest{Site: "DC2", ToleranceGrams: 1, TolerancePercent: "1"})
		}},
	} {
		key := "unit-replay-" + tt.name + carton
		first, err := tt.run(key)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		w.Redis.FlushAll()
		again, err := tt.run(key)
		if err != nil || !proto.Equal(first, again) {
			t.Errorf("%s: %v %v, first %v", tt.name, again, err, first)
		}
	}
}

func (w *world) admin() client {
	return im.NewInventoryMovementServiceClient(w.Client(inventorymovement.Name, w.Caller(commonv1.Role_ROLE_TENANT_ADMIN)))
}

func strangersUnit(t *testing.T, w *world) {
	pallet := w.pallet(t, 0)
	c := w.Caller(commonv1.Role_ROLE_LOGISTICS)
	c.Tenant = testkit.Name("t")
	s := im.NewInventoryMovementServiceClient(w.Client(inventorymovement.Name, c))
	for _, sscc := range []string{pallet, "340123450000000017"} {
		_, err := s.GetHandlingUnit(t.Context(), &im.GetHandlingUnitRequest{Sscc: sscc})
		reason(t, err, fault.NotFound, "NOT_FOUND")
		_, err = s.CloseHandlingUnit(t.Context(), &im.CloseHandlingUnitRequest{Sscc: sscc})
		reason(t, err, fault.NotFound, "NOT_FOUND")
		_, err = s.WeighHandlingUnit(t.Context(), &im.WeighHandlingUnitRequest{Sscc: sscc, WeightGrams: 1})
		reason(t, err, fault.NotFound, "NOT_FOUND")
	}
	if types, err := s.GetCartonTypes(t.Context(), &im.GetCartonTypesRequest{Site: "DC1"}); err != nil || len(types.GetCartonTypes()) != 0 {
		t.Errorf("%v %v", types, err)
	}
}

func labels(t *testing.T, w *world) {
	a, b := w.measured(t, 0, nil), w.measured(t, 0, nil)
	who := w.pickedOrder(t, 12, a, b)
	one, two := w.cartoned(t, who, 1, 12), w.cartoned(t, who, 2, 12)
	pallet := w.pallet(t, 0)
	w.nest(t, pallet, one, two)
	ask := &im.GetLabelDataRequest{Sscc: one, CustomerPurchaseOrder: "PO-4711", ShipToGln: "0614141123452"}
	l, err := w.wms.GetLabelData(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	last := l.GetBarcodes()[len(l.GetBarcodes())-1]
	if last.GetData() != "00"+one || last.GetHumanReadable() != "(00)"+one {
		t.Errorf("the last symbol is %v", last)
	}
	var read, printed string
	for _, x := range l.GetBarcodes() {
		elements, err := gs1.Parse(x.GetData())
		if err != nil {
			t.Fatal(err)
		}
		read, printed = read+gs1.Print(elements), printed+x.GetHumanReadable()
	}
	if want := "(02)09501101530003(37)12(3303)001000(400)PO-4711(410)0614141123452(00)" + one; read != want || printed != want {
		t.Errorf("%s, printed %s; want %s", read, printed, want)
	}
	if want := []string{"Acme", "Hamburg", "DE", "UPSN GROUND"}; len(l.GetText()) != 5 || !slices.Equal(l.GetText()[:4], want) {
		t.Errorf("%q", l.GetText())
	}
	if l.GetElements()[0].GetTitle() != "CONTENT" {
		t.Errorf("%v", l.GetElements())
	}
	mixed, err := w.wms.GetLabelData(t.Context(), &im.GetLabelDataRequest{Sscc: pallet})
	if err != nil || len(mixed.GetElements()) != 2 || mixed.GetElements()[0].GetAi() != "3303" || mixed.GetElements()[0].GetValue() != "022000" {
		t.Errorf("%v %v", mixed, err)
	}
	for field, r := range map[string]*im.GetLabelDataRequest{
		"customer_purchase_order": {Sscc: one, CustomerPurchaseOrder: "PO 4711"},
		"consignment":             {Sscc: one, Consignment: "Ä"},
	} {
		_, err := w.wms.GetLabelData(t.Context(), r)
		if f := reason(t, err, fault.Invalid, "GS1_MALFORMED"); f.Fields[0].Path != field {
			t.Errorf("%v", f)
		}
	}
	_, err = w.wms.GetLabelData(t.Context(), &im.GetLabelDataRequest{Sscc: one, Shipment: "40123450000000018"})
	reason(t, err, fault.Invalid, "GS1_CHECK_DIGIT")
}
