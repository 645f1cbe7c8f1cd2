package inventorymovement_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
)

func TestInbound(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"announced, inspected, put away": announcedAndInspected,
		"more than announced":            moreThanAnnounced,
		"less than announced":            lessThanAnnounced,
		"received blind":                 receivedBlind,
		"told twice":                     toldTwice,
		"inbound mistakes":               inboundMistakes,
		"a supplier announces":           supplierAnnounces,
		"a stranger's delivery":          strangersDelivery,
		"inbound replays":                inboundReplays,
	})
}

const sscc = "340123450000000017"

func asn(sku string, pieces int) *im.RegisterAsnRequest {
	return &im.RegisterAsnRequest{
		Supplier: "ACME", AsnNumber: testkit.Name("ASN"), PurchaseOrder: "PO-7", Site: "DC1",
		Lines: []*im.AsnLine{{LineNumber: 1, Sku: sku, Quantity: ea(pieces), Lot: "L1", ExpiryDate: "2031-01-31"}},
	}
}

func (w *world) announce(t *testing.T, r *im.RegisterAsnRequest) (id string) {
	t.Helper()
	resp, err := w.wms.RegisterAsn(t.Context(), r)
	if err != nil || resp.GetReceipt().GetState() != "EXPECTED" {
		t.Fatal(resp, err)
	}
	return resp.GetReceipt().GetId()
}

func goods(n int) *im.ReceivedGoods {
	return &im.ReceivedGoods{LineNumber: 1, Quantity: ea(n), Location: "B-1"}
}

func (w *world) take(t *testing.T, id string, goods ...*im.ReceivedGoods) *commonv1.Receipt {
	t.Helper()
	resp, err := w.wms.ReceiveLines(t.Context(), &im.ReceiveLinesRequest{InboundDeliveryId: id, Goods: goods})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetReceipt()
}

// booked waits for a stock, which comes into being with its first receipt, to be as rendered.
func (w *world) booked(t *testing.T, sku, want string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		_, err := w.wms.GetStock(t.Context(), &im.GetStockRequest{Site: "DC1", Sku: sku})
		return err
	})
	w.becomes(t, sku, want)
}

// inbound renders a delivery: state, lines, and what stands where.
func (w *world) inbound(t *testing.T, id string) string {
	t.Helper()
	d := w.delivery(t, id)
	out := []string{strings.TrimPrefix(d.GetState().String(), "INBOUND_DELIVERY_STATE_")}
	for _, l := range d.GetLines() {
		text := fmt.Sprintf("%d: %s of %s, over %s, cancelled %s, open %s", l.GetLineNumber(), l.GetReceived().GetValue(), l.GetAnnounced().GetValue(),
			l.GetOver().GetValue(), l.GetCancelled().GetValue(), l.GetOpen().GetValue())
		for _, x := range l.GetDiscrepancies() {
			text += ", " + strings.TrimPrefix(x.GetType().String(), "DISCREPANCY_TYPE_") + " " + x.GetQuantity().GetValue()
		}
		out = append(out, text)
	}
	for _, s := range d.GetStandings() {
		text := fmt.Sprintf("%s %s at %s", s.GetQuantity().GetValue(), strings.TrimPrefix(s.GetStatus().String(), "STOCK_STATUS_"), s.GetLocation())
		if s.GetPutAway() {
			text += " for good"
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func (w *world) delivery(t *testing.T, id string) *im.InboundDelivery {
	t.Helper()
	resp, err := w.wms.GetInboundDelivery(t.Context(), &im.GetInboundDeliveryRequest{InboundDeliveryId: id})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetInboundDelivery()
}

func (w *world) stands(t *testing.T, id, want string) {
	t.Helper()
	if got := w.inbound(t, id); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// putAll puts away everything of a delivery that is not yet.
func (w *world) putAll(t *testing.T, id, location string) {
	t.Helper()
	for _, s := range w.delivery(t, id).GetStandings() {
		if s.GetPutAway() {
			continue
		}
		if _, err := w.wms.ConfirmPutaway(t.Context(), &im.ConfirmPutawayRequest{InboundDeliveryId: id, TaskNumber: s.GetTaskNumber(), Location: location}); err != nil {
			t.Fatal(err)
		}
	}
}

func announcedAndInspected(t *testing.T, w *world) {
	sku := w.item(t)
	r := asn(sku, 24)
	r.InspectionRequired = true
	r.Lines[0].Quantity = &commonv1.Quantity{Value: "2", Unit: "CS"}
	r.Units = []*im.AsnUnit{{Sscc: sscc, Contents: []*im.AsnUnitContent{{LineNumber: 1, Quantity: &commonv1.Quantity{Value: "2", Unit: "CS"}}}}}
	id := w.announce(t, r)
	if again := w.announce(t, r); again != id {
		t.Errorf("announced again it is %s", again)
	}
	if got := w.delivery(t, id).GetOpenSsccs(); len(got) != 1 || got[0] != sscc {
		t.Errorf("open units %v", got)
	}
	resp, err := w.wms.RecordArrival(t.Context(), &im.RecordArrivalRequest{InboundDeliveryId: id, Dock: "B-1"})
	if err != nil || resp.GetReceipt().GetState() != "ARRIVED" {
		t.Fatal(resp, err)
	}
	if got := w.take(t, id, &im.ReceivedGoods{Sscc: sscc, Location: "B-1"}).GetState(); got != "RECEIVED" {
		t.Errorf("it is %s", got)
	}
	w.booked(t, sku, "B-1 lot L1 QI 24, SUPPLIER -24")
	if atp, _ := w.atp(t, sku); atp != "0" {
		t.Errorf("%s can be promised", atp)
	}
	if _, err := w.wms.RecordInspection(t.Context(), &im.RecordInspectionRequest{InboundDeliveryId: id, LineNumber: 1, Accepted: ea(20), Rejected: ea(4)}); err != nil {
		t.Fatal(err)
	}
	w.booked(t, sku, "B-1 lot L1 20, B-1 lot L1 BLOCKED 4, SUPPLIER -24")
	w.putAll(t, id, "B-7")
	w.booked(t, sku, "B-7 lot L1 20, B-7 lot L1 BLOCKED 4, SUPPLIER -24")
	w.stands(t, id, "PUTAWAY; 1: 24 of 24, over 0, cancelled 0, open 0; 20 AVAILABLE at B-7 for good; 4 BLOCKED at B-7 for good")
	w.listed(t, id, r)
}

// listed holds that the delivery is found by each of its keys.
func (w *world) listed(t *testing.T, id string, r *im.RegisterAsnRequest) {
	t.Helper()
	for _, q := range []*im.ListInboundDeliveriesRequest{
		{State: im.InboundDeliveryState_INBOUND_DELIVERY_STATE_PUTAWAY, PageSize: 200},
		{AsnNumber: r.GetAsnNumber()},
		{Supplier: r.GetSupplier(), PageSize: 200},
		{Site: "DC1", PageSize: 200},
	} {
		testkit.Eventually(t, patience, func() error { // lists trail
			resp, err := w.wms.ListInboundDeliveries(t.Context(), q)
			if err != nil {
				return err
			}
			for _, d := range resp.GetInboundDeliveries() {
				if d.GetInboundDeliveryId() == id && d.GetPurchaseOrder() == "PO-7" {
					return nil
				}
			}
			return fmt.Errorf("%v does not list %s", q, id)
		})
	}
}

func moreThanAnnounced(t *testing.T, w *world) {
	sku := w.item(t)
	r := asn(sku, 100)
	r.OverTolerancePercent = "2"
	id := w.announce(t, r)
	got := w.take(t, id, goods(104))
	if len(got.GetReasons()) != 1 || got.GetReasons()[0].GetCode() != "DISCREPANCY" || got.GetReasons()[0].GetMessage() != "OVER: 2 EA of "+sku {
		t.Errorf("reasons %v", got.GetReasons())
	}
	w.booked(t, sku, "B-1 lot L1 102, B-1 lot L1 QUARANTINE 2, SUPPLIER -104")
	resolve := func(d im.OverReceiptDecision) {
		if _, err := w.wms.ResolveOverReceipt(t.Context(), &im.ResolveOverReceiptRequest{InboundDeliveryId: id, LineNumber: 1, Decision: d, Quantity: ea(1)}); err != nil {
			t.Fatal(err)
		}
	}
	resolve(im.OverReceiptDecision_OVER_RECEIPT_DECISION_KEEP)
	w.booked(t, sku, "B-1 lot L1 103, B-1 lot L1 QUARANTINE 1, SUPPLIER -104")
	resolve(im.OverReceiptDecision_OVER_RECEIPT_DECISION_RETURN)
	w.booked(t, sku, "B-1 lot L1 103, SUPPLIER -103")
	w.stands(t, id, "RECEIVED; 1: 104 of 100, over 4, cancelled 0, open 0, OVER 2; 103 AVAILABLE at B-1")
}

func lessThanAnnounced(t *testing.T, w *world) {
	sku := w.item(t)
	id := w.announce(t, asn(sku, 100))
	w.take(t, id, goods(60))
	damaged := goods(25)
	damaged.Condition = im.GoodsCondition_GOODS_CONDITION_DAMAGED
	w.take(t, id, damaged)
	w.stands(t, id, "RECEIVING; 1: 85 of 100, over 0, cancelled 0, open 15, DAMAGED 25; 60 AVAILABLE at B-1; 25 DAMAGED at B-1")
	if _, err := w.wms.CancelRemaining(t.Context(), &im.CancelRemainingRequest{InboundDeliveryId: id, Reason: "SUPPLIER_SHORT"}); err != nil {
		t.Fatal(err)
	}
	w.stands(t, id, "RECEIVED; 1: 85 of 100, over 0, cancelled 15, open 0, DAMAGED 25, SHORT 15; 60 AVAILABLE at B-1; 25 DAMAGED at B-1")
	w.booked(t, sku, "B-1 lot L1 60, B-1 lot L1 DAMAGED 25, SUPPLIER -85")
}

func receivedBlind(t *testing.T, w *world) {
	sku, other := w.item(t), w.item(t)
	r := &im.ReceiveBlindRequest{
		Site: "DC1", Goods: []*im.ReceivedGoods{{Sku: sku, Quantity: ea(7), Location: "B-1"}},
		Source: &commonv1.SourceRef{System: "wms", MessageId: testkit.Name("944")},
	}
	resp, err := w.wms.ReceiveBlind(t.Context(), r)
	if err != nil || resp.GetReceipt().GetState() != "RECEIVED" {
		t.Fatal(resp, err)
	}
	again, err := w.wms.ReceiveBlind(t.Context(), r)
	if err != nil || again.GetReceipt().GetId() != resp.GetReceipt().GetId() || again.GetReceipt().GetReasons()[0].GetCode() != "RECEIPT_KNOWN" {
		t.Fatal(again, err)
	}
	w.booked(t, sku, "B-1 7, SUPPLIER -7")
	id := w.announce(t, asn(sku, 5))
	w.take(t, id, &im.ReceivedGoods{Sku: other, Quantity: ea(2), Location: "B-1"}, &im.ReceivedGoods{LineNumber: 1, Sku: other, Quantity: ea(1), Location: "B-1"})
	w.booked(t, other, "B-1 3, SUPPLIER -3")
	w.stands(t, id, "RECEIVING; 1: 0 of 5, over 0, cancelled 0, open 5; 100001: 2 of 0, over 2, cancelled 0, open 0, UNEXPECTED 2; "+
		"100002: 1 of 0, over 1, cancelled 0, open 0, WRONG_ITEM 1; 2 AVAILABLE at B-1; 1 AVAILABLE at B-1")
}

// toldTwice: a message is booked once, under whatever key it comes; another part of it is not it.
func toldTwice(t *testing.T, w *world) {
	sku := w.item(t)
	id := w.announce(t, asn(sku, 10))
	src := &commonv1.SourceRef{System: "wms", MessageId: "861-" + sku}
	for n, want := range map[int]int{4: 1, 3: 1} {
		var known int
		for range 3 {
			resp, err := w.wms.ReceiveLines(t.Context(), &im.ReceiveLinesRequest{InboundDeliveryId: id, Goods: []*im.ReceivedGoods{goods(n)}, Source: src})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range resp.GetReceipt().GetReasons() {
				if r.GetCode() == "RECEIPT_KNOWN" {
					known++
				}
			}
		}
		if known != 3-want {
			t.Errorf("%d of 3 were known", known)
		}
	}
	w.booked(t, sku, "B-1 lot L1 7, SUPPLIER -7")
}

func inboundMistakes(t *testing.T, w *world) {
	sku := w.item(t)
	id := w.announce(t, asn(sku, 10))
	register := func(change func(*im.RegisterAsnRequest)) error {
		r := asn(sku, 10)
		change(r)
		_, err := w.wms.RegisterAsn(t.Context(), r)
		return err
	}
	receive := func(g *im.ReceivedGoods) error {
		_, err := w.wms.ReceiveLines(t.Context(), &im.ReceiveLinesRequest{InboundDeliveryId: id, Goods: []*im.ReceivedGoods{g}})
		return err
	}
	for want, err := range map[string]error{
		"SITE_UNKNOWN site":                   register(func(r *im.RegisterAsnRequest) { r.Site = "B-1" }),
		"ITEM_UNKNOWN lines[0].sku":           register(func(r *im.RegisterAsnRequest) { r.Lines[0].Sku = "NOPE" }),
		"UNIT_UNKNOWN lines[0].quantity":      register(func(r *im.RegisterAsnRequest) { r.Lines[0].Quantity.Unit = "PF" }),
		"EXPIRY_INVALID lines[0].expiry_date": register(func(r *im.RegisterAsnRequest) { r.Lines[0].ExpiryDate = "2026-02-30" }),
		"LINE_UNKNOWN units[0].contents[0].line_number": register(func(r *im.RegisterAsnRequest) {
			r.Units = []*im.AsnUnit{{Sscc: sscc, Contents: []*im.AsnUnitContent{{LineNumber: 2, Quantity: ea(1)}}}}
		}),
		"GOODS_INCOMPLETE goods[0].sku":       receive(&im.ReceivedGoods{Quantity: ea(1), Location: "B-1"}),
		"GOODS_INCOMPLETE goods[0].quantity":  receive(&im.ReceivedGoods{Sku: sku, Location: "B-1"}),
		"GOODS_INCOMPLETE goods[0].sscc":      receive(&im.ReceivedGoods{Sku: sku, Sscc: sscc, Location: "B-1"}),
		"SSCC_UNKNOWN goods[0].sscc":          receive(&im.ReceivedGoods{Sscc: sscc, Location: "B-1"}),
		"LINE_UNKNOWN goods[0].line_number":   receive(&im.ReceivedGoods{LineNumber: 5, Quantity: ea(1), Location: "B-1"}),
		"ITEM_UNKNOWN goods[0].sku":           receive(&im.ReceivedGoods{Sku: "NOPE", Quantity: ea(1), Location: "B-1"}),
		"LOCATION_RESERVED goods[0].location": receive(&im.ReceivedGoods{LineNumber: 1, Quantity: ea(1), Location: "CUSTOMER"}),
		"QUANTITY_INEXACT goods[0].quantity":  receive(&im.ReceivedGoods{LineNumber: 1, Quantity: &commonv1.Quantity{Value: "0.5", Unit: "EA"}, Location: "B-1"}),
	} {
		code, field, _ := strings.Cut(want, " ")
		if f := reason(t, err, fault.Invalid, code); len(f.Fields) != 1 || f.Fields[0].Path != field {
			t.Errorf("%s: fields %+v", want, f.Fields)
		}
	}
	w.stands(t, id, "EXPECTED; 1: 0 of 10, over 0, cancelled 0, open 10")
}

// supplierAnnounces: a supplier announces its own deliveries and nobody else's.
func supplierAnnounces(t *testing.T, w *world) {
	sku := w.item(t)
	c := w.Caller(commonv1.Role_ROLE_PARTNER)
	c.Party = ident.Derive("pty", w.Tenant, "ACME")
	supplier := im.NewInventoryMovementServiceClient(w.Client(inventorymovement.Name, c))
	if _, err := supplier.RegisterAsn(t.Context(), asn(sku, 1)); err != nil {
		t.Error(err)
	}
	r := asn(sku, 1)
	r.Supplier = "OTHER"
	_, err := supplier.RegisterAsn(t.Context(), r)
	reason(t, err, fault.Denied, "SUPPLIER_FOREIGN")
}

// strangersDelivery: another tenant's delivery is as an unknown one.
func strangersDelivery(t *testing.T, w *world) {
	id := w.announce(t, asn(w.item(t), 1))
	c := w.Caller(commonv1.Role_ROLE_LOGISTICS)
	c.Tenant = testkit.Name("t")
	s := im.NewInventoryMovementServiceClient(w.Client(inventorymovement.Name, c))
	for name, ask := range map[string]func() error{
		"get": func() error {
			_, err := s.GetInboundDelivery(t.Context(), &im.GetInboundDeliveryRequest{InboundDeliveryId: id})
			return err
		},
		"arrival": func() error {
			_, err := s.RecordArrival(t.Context(), &im.RecordArrivalRequest{InboundDeliveryId: id})
			return err
		},
		"receipt": func() error {
			_, err := s.ReceiveLines(t.Context(), &im.ReceiveLinesRequest{InboundDeliveryId: id, Goods: []*im.ReceivedGoods{goods(1)}})
			return err
		},
		"cancellation": func() error {
			_, err := s.CancelRemaining(t.Context(), &im.CancelRemainingRequest{InboundDeliveryId: id, Reason: "R"})
			return err
		},
	} {
		if f := reason(t, ask(), fault.NotFound, "NOT_FOUND"); f.Message != "unknown" {
			t.Errorf("%s: %s", name, f.Message)
		}
	}
}

// inboundReplays: each command under its key takes effect once.
func inboundReplays(t *testing.T, w *world) {
	sku := w.item(t)
	r := asn(sku, 10)
	id := w.announce(t, r)
	for name, run := range map[string]func(key string) (proto.Message, error){
		"lines": func(k string) (proto.Message, error) {
			return w.wms.ReceiveLines(hosttest.WithKey(t.Context(), k), &im.ReceiveLinesRequest{InboundDeliveryId: id, Goods: []*im.ReceivedGoods{goods(4)}})
		},
		"blind": func(k string) (proto.Message, error) {
			return w.wms.ReceiveBlind(hosttest.WithKey(t.Context(), k), &im.ReceiveBlindRequest{
				Site: "DC1", Goods: []*im.ReceivedGoods{{Sku: sku, Quantity: ea(3), Location: "B-1"}},
			})
		},
	} {
		first, err := run(name + sku)
		if err != nil {
			t.Fatal(name, err)
		}
		w.Redis.FlushAll()
		again, err := run(name + sku)
		if err != nil || !proto.Equal(first, again) {
			t.Errorf("%s: %v %v, first %v", name, again, err, first)
		}
	}
	w.booked(t, sku, "B-1 3, B-1 lot L1 4, SUPPLIER -7")
}
