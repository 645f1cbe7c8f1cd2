package inventorymovement_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

func TestSerials(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"a piece is in one place":     inOnePlace,
		"many receive one piece":      receivedByMany,
		"picked, issued, taken back":  piecesOfAnOrder,
		"short picked":                piecesShort,
		"received under a delivery":   piecesDelivered,
		"from site to site by number": piecesTransferred,
		"counted by number":           piecesCounted,
		"returned by number":          piecesReturned,
		"mistakes with numbers":       serialMistakes,
		"a story in pages":            storyInPages,
	})
}

// phone defines an item that is kept by serial number and waits until it is known.
func (w *world) phone(t *testing.T) (sku string) {
	t.Helper()
	sku = w.item(t)
	w.masterData.publish(t, w.Tenant, w.id("itm", sku), &md.ItemDefined{Item: &md.Item{
		Sku: sku, BaseUnit: "EA", Tracking: &md.TrackingPolicy{Serial: true}, PackagingUnits: []*md.PackagingUnit{{Unit: "PR", Numerator: 2, Denominator: 1}},
	}})
	testkit.Eventually(t, patience, func() error {
		_, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: "DC1", Sku: sku, Location: "B-1", Change: ea(-1), Reason: "PROBE"})
		if f, ok := fault.As(err); ok && f.Reason == "SERIAL_REQUIRED" {
			return nil
		}
		return fmt.Errorf("its tracking is not known: %w", err)
	})
	return sku
}

func (w *world) receiveAt(t *testing.T, site, sku, bin string, serials ...string) error {
	t.Helper()
	_, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{
		Site: site, Sku: sku, Location: bin, Quantity: ea(len(serials)), Document: "ASN-1", Serials: serials,
	}})
	return err
}

// phones defines such an item and puts pieces of it into bin B-1 of DC1.
func (w *world) phones(t *testing.T, serials ...string) (sku string) {
	t.Helper()
	sku = w.phone(t)
	if err := w.receiveAt(t, "DC1", sku, "B-1", serials...); err != nil {
		t.Fatal(err)
	}
	return sku
}

func byNumber(number int, serials ...string) *im.WarehouseLineQuantity {
	l := picked(number, len(serials))
	l.Serials = serials
	return l
}

func (w *world) piece(t *testing.T, sku, serial string) *im.TraceSerialResponse {
	t.Helper()
	resp, err := w.wms.TraceSerial(t.Context(), &im.TraceSerialRequest{Sku: sku, Serial: serial, PageSize: 200})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// isAt waits for a piece to stand somewhere: "DC1 B-1 AVAILABLE"; "" for at no site.
func (w *world) isAt(t *testing.T, sku, serial, want string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		is := ""
		if p := w.piece(t, sku, serial).GetPlace(); p != nil {
			is = p.GetSite() + " " + p.GetLocation() + " " + strings.TrimPrefix(p.GetStatus().String(), "STOCK_STATUS_")
		}
		if is != want {
			return fmt.Errorf("%s is at %q, want %q", serial, is, want)
		}
		return nil
	})
}

// story waits for the movements of a piece to be as rendered.
func (w *world) story(t *testing.T, sku, serial, want string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		var all []string
		for _, m := range w.piece(t, sku, serial).GetMovements() {
			all = append(all, fmt.Sprintf("%s %s-%s", m.GetSite(), strings.TrimPrefix(m.GetType().String(), "MOVEMENT_TYPE_"), m.GetTo().GetLocation()))
		}
		if is := strings.Join(all, ", "); is != want {
			return fmt.Errorf("%s went %s, want %s", serial, is, want)
		}
		return nil
	})
}

// inOnePlace: a piece stands in one place over sites and owners, and can come back when it is gone.
func inOnePlace(t *testing.T, w *world) {
	sku := w.phones(t, "A", "B", "C")
	w.becomes(t, sku, "B-1 1, B-1 1, B-1 1, SUPPLIER -3")
	f := reason(t, w.receiveAt(t, "DC2", sku, "B-7", "X", "B"), fault.Refused, "SERIAL_ELSEWHERE")
	if f.Metadata["site"] != "DC1" || f.Metadata["location"] != "B-1" || f.Metadata["serial"] != "B" || f.Fields[0].Path != "receipt.serials" {
		t.Errorf("%+v", f)
	}
	reason(t, w.receiveAt(t, "DC1", sku, "B-2", "B"), fault.Refused, "SERIAL_ELSEWHERE")
	_, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{
		Site: "DC1", Sku: sku, Owner: "ACME", Location: "B-2", Quantity: ea(1), Serials: []string{"B"},
	}})
	reason(t, err, fault.Refused, "SERIAL_ELSEWHERE")
	if err := w.receiveAt(t, "DC2", sku, "B-7", "X"); err != nil { // nothing of the refused receipt is booked
		t.Fatal(err)
	}
	move := func(to string, serials ...string) error {
		_, err := w.wms.MoveStock(t.Context(), &im.MoveStockRequest{Site: "DC1", Sku: sku, FromLocation: "B-1", ToLocation: to, Quantity: ea(len(serials)), Serials: serials})
		return err
	}
	if err := move("B-2", "A", "B"); err != nil {
		t.Fatal(err)
	}
	reason(t, move("B-3", "A"), fault.Refused, "SERIAL_UNKNOWN")
	if _, err := w.wms.ChangeStatus(t.Context(), &im.ChangeStatusRequest{
		Site: "DC1", Sku: sku, Location: "B-2", ToStatus: im.StockStatus_STOCK_STATUS_QI, Quantity: ea(1), Serials: []string{"A"}, Reason: "QUALITY_HOLD",
	}); err != nil {
		t.Fatal(err)
	}
	w.isAt(t, sku, "A", "DC1 B-2 QI")
	adjust := func(n int, serials ...string) error {
		_, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: "DC1", Sku: sku, Location: "B-2", Change: ea(n), Reason: "COUNT", Serials: serials})
		return err
	}
	reason(t, adjust(1, "C"), fault.Refused, "SERIAL_ELSEWHERE")
	if err := adjust(-1, "B"); err != nil {
		t.Fatal(err)
	}
	w.isAt(t, sku, "B", "")
	key := testkit.Name("receipt")
	there := &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{Site: "DC2", Sku: sku, Location: "B-7", Quantity: ea(1), Serials: []string{"B"}}}
	first, err := w.wms.RecordReceipt(hosttest.WithKey(t.Context(), key), there)
	if err != nil {
		t.Fatal(err)
	}
	w.isAt(t, sku, "B", "DC2 B-7 AVAILABLE")
	reason(t, adjust(1, "B"), fault.Refused, "SERIAL_ELSEWHERE") // it may not be found in two places
	lost := w.piece(t, sku, "B").GetMovements()[2]
	_, err = w.wms.ReverseMovement(t.Context(), &im.ReverseMovementRequest{StockId: lost.GetStockId(), Version: lost.GetVersion(), Index: lost.GetIndex(), Reason: "KEYING_ERROR"})
	reason(t, err, fault.Refused, "SERIAL_ELSEWHERE")
	if _, err := w.wms.AdjustStock(t.Context(), &im.AdjustStockRequest{Site: "DC2", Sku: sku, Location: "B-7", Change: ea(-1), Reason: "COUNT", Serials: []string{"B"}}); err != nil {
		t.Fatal(err)
	}
	if _, err = w.wms.ReverseMovement(t.Context(), &im.ReverseMovementRequest{StockId: lost.GetStockId(), Version: lost.GetVersion(), Index: lost.GetIndex(), Reason: "KEYING_ERROR"}); err != nil {
		t.Fatal(err)
	}
	w.isAt(t, sku, "B", "DC1 B-2 AVAILABLE")
	w.story(t, sku, "B", "DC1 RECEIPT-B-1, DC1 MOVE-B-2, DC1 ADJUSTMENT-DISCREPANCY, DC2 RECEIPT-B-7, DC2 ADJUSTMENT-DISCREPANCY, DC1 ADJUSTMENT-B-2")
	if again, err := w.wms.RecordReceipt(hosttest.WithKey(t.Context(), key), there); err != nil || !proto.Equal(again, first) {
		t.Errorf("told again: %v %v, first %v", again, err, first)
	}
	b, err := w.wms.GetBalance(t.Context(), &im.GetBalanceRequest{Site: "DC1", Sku: sku, Serial: "B"})
	if err != nil || b.GetBalance().GetOnHand().GetValue() != "1" || b.GetBalance().GetRows()[0].GetSerial() != "B" || b.GetBalance().GetPromised() != nil {
		t.Error(b, err)
	}
	e, err := w.wms.ExplainBalance(t.Context(), &im.ExplainBalanceRequest{Site: "DC1", Sku: sku, Serial: "B"})
	if err != nil || len(e.GetEntries()) != 3 {
		t.Error(e, err)
	}
}

// receivedByMany: of many who receive one piece at two sites at once one is told that it has it.
func receivedByMany(t *testing.T, w *world) {
	sku := w.phone(t)
	for round := range 3 {
		serial := fmt.Sprint("S", round)
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() { errs[i] = w.receiveAt(t, fmt.Sprint("DC", 1+i%2), sku, fmt.Sprint("B-", i), serial) })
		}
		wg.Wait()
		got := 0
		for _, err := range errs {
			if err == nil {
				got++
			} else if f, ok := fault.As(err); !ok || f.Reason != "SERIAL_ELSEWHERE" && f.Reason != "SERIAL_CONTENDED" {
				t.Errorf("%v", err)
			}
		}
		if got != 1 {
			t.Errorf("%d received %s: %v", got, serial, errs)
		}
	}
}

// piecesOfAnOrder: two pieces are allocated, another free one is picked in place of one of them; these
// very pieces are packed, issued, taken back, and put back.
func piecesOfAnOrder(t *testing.T, w *world) {
	sku := w.phones(t, "A", "B", "C", "D")
	m, who := w.release(t, line{sku, 2, ""})
	o := w.state(t, who, "ALLOCATED")
	if tasks := o.GetTasks(); len(tasks) != 2 || tasks[0].GetSerial() != "A" || tasks[1].GetSerial() != "B" {
		t.Errorf("%v", tasks)
	}
	_, other := w.release(t, line{sku, 1, ""})
	w.state(t, other, "ALLOCATED") // C
	confirm := func(lines ...*im.WarehouseLineQuantity) error {
		_, err := w.wms.ConfirmPicks(t.Context(), &im.ConfirmPicksRequest{WarehouseOrderId: who, Lines: lines})
		return err
	}
	reason(t, confirm(picked(1, 2)), fault.Invalid, "SERIAL_REQUIRED")
	reason(t, confirm(byNumber(1, "A", "A")), fault.Invalid, "SERIAL_DUPLICATE")
	reason(t, confirm(byNumber(1, "A", "X")), fault.Invalid, "SERIAL_UNKNOWN")
	if f := reason(t, confirm(byNumber(1, "A", "C")), fault.Refused, "STOCK_COMMITTED"); f.Fields[0].Path != "lines[0].serials" {
		t.Errorf("%+v", f)
	}
	key := testkit.Name("pick")
	req := &im.ConfirmPicksRequest{WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{byNumber(1, "D", "B")}}
	first, err := w.wms.ConfirmPicks(hosttest.WithKey(t.Context(), key), req)
	if err != nil {
		t.Fatal(err)
	}
	w.isAt(t, sku, "D", "DC1 PACKING AVAILABLE")
	w.isAt(t, sku, "B", "DC1 PACKING AVAILABLE")
	w.isAt(t, sku, "A", "DC1 B-1 AVAILABLE")
	if p := w.piece(t, sku, "D").GetPlace(); p.GetWarehouseOrderId() != who {
		t.Errorf("%v", p)
	}
	if again, err := w.wms.ConfirmPicks(hosttest.WithKey(t.Context(), key), req); err != nil || !proto.Equal(again, first) {
		t.Errorf("told again: %v %v", again, err)
	}
	reason(t, confirm(byNumber(1, "D")), fault.Refused, "SERIAL_DUPLICATE")
	w.pack(t, who, byNumber(1, "D"))
	w.pack(t, who, picked(1, 1)) // what is left
	cartons := w.state(t, who, "PACKED").GetCartons()
	if cartons[0].GetLines()[0].GetSerials()[0] != "D" || cartons[1].GetLines()[0].GetSerials()[0] != "B" {
		t.Errorf("%v", cartons)
	}
	w.issue(t, who)
	w.isAt(t, sku, "D", "")
	w.isAt(t, sku, "B", "")
	for _, f := range w.facts(t, who) {
		issued := &im.GoodsIssued{}
		if f.GetType() == string(proto.MessageName(issued)) {
			if err := proto.Unmarshal(f.GetData(), issued); err != nil || len(issued.GetLines()) != 1 || !slices.Equal(issued.GetLines()[0].GetSerials(), []string{"D", "B"}) || issued.GetLines()[0].GetQuantity().GetValue() != "2" {
				t.Error(issued, err)
			}
		}
	}
	if _, err := w.reverse(t, &im.ReverseGoodsIssueRequest{WarehouseOrderId: who}); err != nil {
		t.Fatal(err)
	}
	w.answers(t, m, who, 1, "", "")
	w.state(t, who, "PACKED")
	w.isAt(t, sku, "D", "DC1 PACKING AVAILABLE")
	w.isAt(t, sku, "B", "DC1 PACKING AVAILABLE")
	w.cancel(t, m)
	w.state(t, who, "PUTTING_BACK")
	if state, err := w.putBack(t, who, "B-9", byNumber(1, "B")); err != nil || state != "PUTTING_BACK" {
		t.Fatal(state, err)
	}
	if state, err := w.putBack(t, who, "B-8", picked(1, 1)); err != nil || state != "CANCELLED" {
		t.Fatal(state, err)
	}
	w.isAt(t, sku, "B", "DC1 B-9 AVAILABLE")
	w.isAt(t, sku, "D", "DC1 B-8 AVAILABLE")
	w.story(t, sku, "D", "DC1 RECEIPT-B-1, DC1 PICK-PACKING, DC1 ISSUE-CUSTOMER, DC1 ISSUE_REVERSAL-PACKING, DC1 PUT_BACK-B-8")
	for _, x := range w.piece(t, sku, "D").GetMovements()[1:] {
		if x.GetWarehouseOrderId() != who || x.GetLineNumber() != 1 {
			t.Errorf("%v", x)
		}
	}
}

// piecesShort: one of two pieces is not there: the one that is named, or the one that is left.
func piecesShort(t *testing.T, w *world) {
	sku := w.phones(t, "A", "B", "C", "D")
	_, who := w.release(t, line{sku, 4, ""})
	w.state(t, who, "ALLOCATED")
	short := func(l *im.WarehouseLineQuantity, why im.ShortReason) {
		t.Helper()
		if _, err := w.wms.ReportShortPick(t.Context(), &im.ReportShortPickRequest{WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{l}, Reason: why}); err != nil {
			t.Fatal(err)
		}
	}
	short(byNumber(1, "C"), im.ShortReason_SHORT_REASON_DAMAGED)
	w.isAt(t, sku, "C", "DC1 B-1 DAMAGED")
	w.confirm(t, who, byNumber(1, "A", "D"))
	short(picked(1, 1), im.ShortReason_SHORT_REASON_MISSING)
	w.isAt(t, sku, "B", "")
	w.pack(t, who, picked(1, 2))
	w.issue(t, who)
	w.becomes(t, sku, "B-1 DAMAGED 1, CUSTOMER 2, DISCREPANCY 1, SUPPLIER -4")
	w.isAt(t, sku, "A", "")
}

// piecesDelivered: a piece that is received under a delivery is taken from that moment on, before the
// books have it; it is inspected and put away by its number.
func piecesDelivered(t *testing.T, w *world) {
	sku := w.phone(t)
	r := asn(sku, 3)
	r.Lines[0].Lot, r.Lines[0].ExpiryDate, r.InspectionRequired = "", "", true
	id := w.announce(t, r)
	take := func(n int, serials ...string) error {
		g := goods(n)
		g.Serials = serials
		_, err := w.wms.ReceiveLines(t.Context(), &im.ReceiveLinesRequest{InboundDeliveryId: id, Goods: []*im.ReceivedGoods{g}})
		return err
	}
	if f := reason(t, take(2), fault.Invalid, "SERIAL_REQUIRED"); f.Fields[0].Path != "goods[0].serials" {
		t.Errorf("%+v", f)
	}
	reason(t, take(3, "A", "B"), fault.Invalid, "SERIAL_COUNT")
	reason(t, take(2, "A", "A"), fault.Invalid, "SERIAL_DUPLICATE")
	if err := take(3, "A", "B", "C"); err != nil {
		t.Fatal(err)
	}
	reason(t, w.receiveAt(t, "DC2", sku, "B-7", "A"), fault.Refused, "SERIAL_ELSEWHERE")
	reason(t, take(1, "A"), fault.Refused, "SERIAL_ELSEWHERE")
	other := asn(sku, 1)
	other.Site, other.Lines[0].Lot, other.Lines[0].ExpiryDate = "DC2", "", ""
	g := goods(1)
	g.Serials = []string{"B"}
	_, err := w.wms.ReceiveLines(t.Context(), &im.ReceiveLinesRequest{InboundDeliveryId: w.announce(t, other), Goods: []*im.ReceivedGoods{g}})
	reason(t, err, fault.Refused, "SERIAL_ELSEWHERE")
	w.isAt(t, sku, "A", "DC1 B-1 QI")
	if _, err := w.wms.RecordInspection(t.Context(), &im.RecordInspectionRequest{
		InboundDeliveryId: id, LineNumber: 1, Accepted: ea(2), AcceptedSerials: []string{"C", "A"}, Rejected: ea(1), RejectedSerials: []string{"B"},
	}); err != nil {
		t.Fatal(err)
	}
	w.isAt(t, sku, "B", "DC1 B-1 BLOCKED")
	w.isAt(t, sku, "C", "DC1 B-1 AVAILABLE")
	for _, s := range w.delivery(t, id).GetStandings() {
		if s.GetSerial() == "C" {
			if _, err := w.wms.ConfirmPutaway(t.Context(), &im.ConfirmPutawayRequest{InboundDeliveryId: id, TaskNumber: s.GetTaskNumber(), Location: "S-1"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.isAt(t, sku, "C", "DC1 S-1 AVAILABLE")
	w.story(t, sku, "C", "DC1 RECEIPT-B-1, DC1 STATUS_CHANGE-B-1, DC1 PUT_AWAY-S-1")
	reason(t, w.receiveAt(t, "DC2", sku, "B-7", "C"), fault.Refused, "SERIAL_ELSEWHERE")
}

// piecesTransferred: a piece is on its way in the books of the one site, then it is the other's.
func piecesTransferred(t *testing.T, w *world) {
	sku := w.phones(t, "A", "B", "C")
	r := outOf(sku, 2)
	r.Lines[0].Serials = []string{"A", "C"}
	resp, err := w.wms.TransferOut(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	id := resp.GetReceipt().GetId()
	w.isAt(t, sku, "A", "DC1 IN_TRANSIT AVAILABLE")
	reason(t, w.receiveAt(t, "DC2", sku, "B-7", "A"), fault.Refused, "SERIAL_ELSEWHERE")
	lines := w.transfer(t, id).GetLines()
	if len(lines) != 2 || lines[0].GetSerial() != "A" || lines[1].GetSerial() != "C" {
		t.Fatal(lines)
	}
	w.takeIn(t, id, came(1))
	w.isAt(t, sku, "A", "DC2 R-1 AVAILABLE")
	w.isAt(t, sku, "C", "DC1 IN_TRANSIT AVAILABLE")
	if _, err := w.wms.EndTransfer(t.Context(), &im.EndTransferRequest{TransferId: id, Outcome: im.TransferOutcome_TRANSFER_OUTCOME_BROUGHT_BACK, Location: "B-5", Reason: "ROAD_CLOSED"}); err != nil {
		t.Fatal(err)
	}
	w.isAt(t, sku, "C", "DC1 B-5 AVAILABLE")
	w.story(t, sku, "A", "DC1 RECEIPT-B-1, DC1 TRANSFER_OUT-IN_TRANSIT, DC1 TRANSFER_OUT-OTHER_SITE, DC2 TRANSFER_IN-R-1")
	for _, m := range w.piece(t, sku, "A").GetMovements()[1:] {
		if m.GetTransferId() != id {
			t.Errorf("%v", m)
		}
	}
	gone := outOf(sku, 1)
	gone.Lines[0].Serials = []string{"A"}
	if resp, err := w.wms.TransferOut(t.Context(), gone); err != nil || resp.GetReceipt().GetState() != "CANCELLED" || resp.GetReceipt().GetReasons()[0].GetCode() != "SERIAL_UNKNOWN" {
		t.Error(resp, err)
	}
}

// piecesCounted: a piece that is not where the books have it is missing, one that is there and not in
// the books is found; one that another site has is not booked twice.
func piecesCounted(t *testing.T, w *world) {
	sku := w.phones(t, "A", "B")
	if err := w.receiveAt(t, "DC2", sku, "B-7", "Z"); err != nil {
		t.Fatal(err)
	}
	id := w.counting(t, sku)
	c, _ := w.count(t, id)
	if lines := c.GetLines(); len(lines) != 2 || lines[0].GetSerial() != "A" || lines[1].GetSerial() != "B" {
		t.Fatal(c)
	}
	at := func(location, serial string, n int) *im.CountedQuantity {
		return &im.CountedQuantity{Location: location, Sku: sku, Serial: serial, Quantity: ea(n)}
	}
	submit := func(who string, lines ...*im.CountedQuantity) error {
		_, err := w.person(who, commonv1.Role_ROLE_LOGISTICS).SubmitCount(t.Context(), &im.SubmitCountRequest{CountId: id, Lines: lines})
		return err
	}
	reason(t, submit("ann", at("B-1", "", 2)), fault.Invalid, "SERIAL_REQUIRED")
	reason(t, submit("ann", at("B-1", "A", 2)), fault.Invalid, "SERIAL_COUNT")
	for _, who := range []string{"ann", "bob"} { // what differs is counted again
		if err := submit(who, at("B-1", "A", 0), at("B-2", "A", 1), at("B-1", "B", 0), at("B-1", "N", 1), at("B-1", "Z", 1)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.admin().PostCount(t.Context(), &im.PostCountRequest{CountId: id}); err != nil {
		t.Fatal(err)
	}
	w.isAt(t, sku, "A", "DC1 B-2 AVAILABLE")
	w.isAt(t, sku, "B", "")
	w.isAt(t, sku, "N", "DC1 B-1 AVAILABLE")
	w.isAt(t, sku, "Z", "DC2 B-7 AVAILABLE")
	testkit.Eventually(t, patience, func() error {
		c, _ := w.count(t, id)
		refusals := map[string]string{}
		for _, l := range c.GetLines() {
			refusals[l.GetSerial()+l.GetLocation()] = l.GetRefusal()
		}
		if refusals["ZB-1"] != "SERIAL_ELSEWHERE" || refusals["NB-1"] != "" {
			return fmt.Errorf("%v", refusals)
		}
		return nil
	})
}

// piecesReturned: a piece that was issued comes back at another site, under its return, and goes where
// returns decides; the goods issue that it left by can be reversed, without it.
func piecesReturned(t *testing.T, w *world) {
	sku := w.phones(t, "A", "B")
	m, who := w.release(t, line{sku, 2, ""})
	w.state(t, who, "ALLOCATED")
	w.confirm(t, who, byNumber(1, "A", "B"))
	w.pack(t, who, picked(1, 2))
	w.issue(t, who)
	w.isAt(t, sku, "A", "")
	w.isAt(t, sku, "B", "")
	rma := w.id("rma", sku)
	back := func(serials ...string) error {
		_, err := w.wms.RecordReturnReceipt(t.Context(), &im.RecordReturnReceiptRequest{
			Site: "DC2", Sku: sku, Location: "RET-1", Quantity: ea(1), RmaId: rma, RmaLineNumber: 1, Serials: serials,
		})
		return err
	}
	if err := back("A"); err != nil {
		t.Fatal(err)
	}
	reason(t, back("A"), fault.Refused, "SERIAL_ELSEWHERE")
	w.isAt(t, sku, "A", "DC2 RET-1 RETURNED")
	stock := w.piece(t, sku, "A").GetPlace().GetStockId()
	w.returns.publish(t, w.Tenant, rma, &returnsv1.ItemsDisposed{
		RmaId: rma, RmaLineNumber: 1, Disposition: returnsv1.Disposition_DISPOSITION_RESTOCK, Quantity: ea(1), StockId: stock, Site: "DC2",
		ItemId: w.id("itm", sku), Sku: sku, Owner: "OWN", FromLocation: "RET-1", FromStatus: "RETURNED", ToLocation: "B-3",
	})
	w.isAt(t, sku, "A", "DC2 B-3 AVAILABLE")
	if _, err := w.reverse(t, &im.ReverseGoodsIssueRequest{WarehouseOrderId: who}); err != nil {
		t.Fatal(err)
	}
	w.answers(t, m, who, 1, "", "")
	w.isAt(t, sku, "B", "DC1 PACKING AVAILABLE")
	w.isAt(t, sku, "A", "DC2 B-3 AVAILABLE")
	w.becomes(t, sku, "PACKING 1, PACKING 1, SUPPLIER -2") // one of them nobody knows
	if err := back(); err != nil {                         // a customer who does not say which
		t.Fatal(err)
	}
}

func serialMistakes(t *testing.T, w *world) {
	sku, plain := w.phones(t, "A", "B"), w.stocked(t, 5)
	receive := func(sku string, q int, unit string, serials ...string) error {
		_, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{
			Site: "DC1", Sku: sku, Location: "B-1", Quantity: &commonv1.Quantity{Value: fmt.Sprint(q), Unit: unit}, Serials: serials,
		}})
		return err
	}
	if err := receive(sku, 1, "PR", "P1", "P2"); err != nil { // a pair is two pieces
		t.Error(err)
	}
	for _, tt := range []struct {
		name   string
		err    error
		kind   fault.Kind
		reason string
	}{
		{"none", receive(sku, 2, "EA"), fault.Invalid, "SERIAL_REQUIRED"},
		{"too few", receive(sku, 1, "PR", "X"), fault.Invalid, "SERIAL_COUNT"},
		{"too many", receive(sku, 1, "EA", "X", "Y"), fault.Invalid, "SERIAL_COUNT"},
		{"twice", receive(sku, 2, "EA", "X", "X"), fault.Invalid, "SERIAL_DUPLICATE"},
		{"not kept by number", receive(plain, 1, "EA", "X"), fault.Invalid, "SERIAL_UNTRACKED"},
	} {
		f := reason(t, tt.err, tt.kind, tt.reason)
		if !strings.HasPrefix(f.Fields[0].Path, "receipt.serials") {
			t.Errorf("%s: %+v", tt.name, f)
		}
	}
	_, err := w.wms.MoveStock(t.Context(), &im.MoveStockRequest{Site: "DC1", Sku: sku, FromLocation: "B-1", ToLocation: "B-2", Quantity: ea(1)})
	reason(t, err, fault.Invalid, "SERIAL_REQUIRED")
	_, err = w.wms.MoveStock(t.Context(), &im.MoveStockRequest{Site: "DC1", Sku: plain, FromLocation: "B-1", ToLocation: "B-2", Quantity: ea(1), Serials: []string{"X"}})
	reason(t, err, fault.Invalid, "SERIAL_UNTRACKED")
	_, err = w.wms.MoveStock(t.Context(), &im.MoveStockRequest{Site: "DC1", Sku: sku, FromLocation: "B-1", ToLocation: "B-2", Quantity: ea(2), Serials: []string{"A", "X"}})
	reason(t, err, fault.Refused, "SERIAL_UNKNOWN")
	w.isAt(t, sku, "A", "DC1 B-1 AVAILABLE")
	_, err = w.wms.TraceSerial(t.Context(), &im.TraceSerialRequest{Sku: sku, Serial: "X"})
	reason(t, err, fault.NotFound, "NOT_FOUND")
	w.becomes(t, plain, "B-1 5, SUPPLIER -5")
}

// storyInPages: the story of a piece comes in pages that leave nothing out and tell nothing twice.
func storyInPages(t *testing.T, w *world) {
	sku := w.phones(t, "A", "B")
	for i := range 7 {
		from, to := fmt.Sprint("B-", 1+i), fmt.Sprint("B-", 2+i)
		if _, err := w.wms.MoveStock(t.Context(), &im.MoveStockRequest{Site: "DC1", Sku: sku, FromLocation: from, ToLocation: to, Quantity: ea(2), Serials: []string{"A", "B"}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int32{1, 3, 8} {
		var went []string
		req := &im.TraceSerialRequest{Sku: sku, Serial: "B", PageSize: size}
		for {
			page, err := w.wms.TraceSerial(t.Context(), req)
			if err != nil || len(page.GetMovements()) > int(size) {
				t.Fatal(page, err)
			}
			for _, m := range page.GetMovements() {
				went = append(went, m.GetTo().GetLocation())
			}
			if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		if is := strings.Join(went, " "); is != "B-1 B-2 B-3 B-4 B-5 B-6 B-7 B-8" {
			t.Errorf("by %d: %s", size, is)
		}
	}
	_, err := w.wms.TraceSerial(t.Context(), &im.TraceSerialRequest{Sku: sku, Serial: "B", PageToken: "x"})
	reason(t, err, fault.Invalid, "PAGE_TOKEN_INVALID")
}
