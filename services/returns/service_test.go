package returns_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns"
)

func TestReturns(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"life of a return":                    life,
		"a hundred want the same five":        hundred,
		"denied and cancelled give back":      givesBack,
		"cancelled while it is claimed":       cancelledEarly,
		"cancelled and it comes all the same": comesAllTheSame,
		"what nobody asked for is kept":       unexpected,
		"the same number twice":               numbers,
		"nothing was issued":                  nothingIssued,
		"goods issue reversed":                issueReversed,
		"the price comes later":               orderReleaseDown,
		"strangers see nothing":               strangers,
		"lists":                               lists,
		"the ERP has the last word":           confirmations,
		"commands name what is wrong":         refusals,
		"validate only leaves no trace":       validateOnly,
		"a return of two lines and a short":   short,
	})
}

func life(t *testing.T, w *world) {
	order := w.shipped(t)
	items := w.available(t, order, "5", "14")
	if p := items.GetItems(); p[0].GetPaid().GetAmountMinor() != 6172 || p[1].GetPaid().GetAmountMinor() != 2000 || p[0].GetUnitPrice() != "12.345" {
		t.Errorf("paid %v", p)
	}
	r := w.request(t, ask(order, 10, 3, changedMind))
	rma := r.GetRmaId()
	if r.GetState() != returnsv1.ReturnState_RETURN_STATE_AUTHORISED || r.GetAuthorisedBy() != "policy" || r.GetOrderNumber() != items.GetOrderNumber() ||
		r.GetLines()[0].GetPaid().GetAmountMinor() != 3704 || r.GetSoldTo() != "C-1" {
		t.Fatalf("%v", r)
	}
	w.available(t, order, "2", "14")
	w.arrive(t, rma, 1, 1, "W", "DOCK-1")
	w.arrive(t, rma, 1, 1, "W", "DOCK-2")
	w.until(t, rma, "two received", func(r *returnsv1.Return) bool { return r.GetLines()[0].GetReceived() == "2" })
	inspected, err := w.logistics.InspectItems(t.Context(), &returnsv1.InspectItemsRequest{
		RmaId: rma, RmaLineNumber: 1, Accepted: ea(1), Rejected: ea(1), Grade: returnsv1.Grade_GRADE_B, Finding: returnsv1.Finding_FINDING_OPENED,
	})
	if err != nil || !slices.Equal(inspected.GetReceipt().GetCreatedIds(), []string{"1"}) || inspected.GetReceipt().GetValues()["net"] != "11.11 EUR" {
		t.Fatal(inspected, err)
	}
	dispose := func(d returnsv1.Disposition, n int, to string) {
		t.Helper()
		_, err := w.logistics.DisposeItems(t.Context(), &returnsv1.DisposeItemsRequest{RmaId: rma, RmaLineNumber: 1, Disposition: d, Quantity: ea(n), ToLocation: to})
		if err != nil {
			t.Fatal(err)
		}
	}
	dispose(returnsv1.Disposition_DISPOSITION_RESTOCK, 1, "A-01")
	dispose(returnsv1.Disposition_DISPOSITION_BACK_TO_CUSTOMER, 1, "")
	foreign, err := w.finance.ConfirmCredit(t.Context(), &returnsv1.ConfirmCreditRequest{
		RmaId: rma, CreditNumber: 1, CreditMemo: "CM-9", Source: &commonv1.SourceRef{System: "wms", MessageId: "M-1"},
	})
	if r := foreign.GetReceipt(); err != nil || r.GetState() != "PARTIALLY_RECEIVED" || len(r.GetReasons()) != 1 || r.GetReasons()[0].GetCode() != "TRANSITION_NOT_OWNED" {
		t.Fatal(foreign, err)
	}
	confirmed, err := w.finance.ConfirmCredit(t.Context(), &returnsv1.ConfirmCreditRequest{RmaId: rma, CreditNumber: 1, CreditMemo: "CM-1"})
	if err != nil || confirmed.GetReceipt().GetState() != "PARTIALLY_RECEIVED" {
		t.Fatal(confirmed, err)
	}
	done, err := w.service.CompleteReturn(t.Context(), &returnsv1.CompleteReturnRequest{RmaId: rma})
	if err != nil || done.GetReceipt().GetState() != "COMPLETED" {
		t.Fatal(done, err)
	}
	w.available(t, order, "3", "14") // the one that never came can be returned again
	facts := w.facts(t, "return", rma)
	want := "ReturnRequested ReturnHeld ReturnAuthorised ReturnReceiptRecorded ReturnReceiptRecorded ItemsInspected CreditRequested " +
		"ItemsDisposed ItemsDisposed ReturnWordObserved CreditConfirmed ReturnCompleted"
	if got := names(facts); got != want {
		t.Errorf("facts\n got %s\nwant %s", got, want)
	}
	checkMoves(t, w, of[*returnsv1.ItemsDisposed](facts))
	c := of[*returnsv1.CreditRequested](facts)[0]
	if c.GetGross().GetAmountMinor() != 1234 || c.GetFee().GetAmountMinor() != 123 || c.GetNet().GetAmountMinor() != 1111 || c.GetLines()[0].GetQuantity().GetValue() != "1" {
		t.Errorf("credit %v", c)
	}
	l := w.get(t, rma).GetLines()[0]
	if l.GetReception() != returnsv1.ReceptionState_RECEPTION_STATE_SHORT || l.GetAcceptance() != returnsv1.AcceptanceState_ACCEPTANCE_STATE_PARTIALLY_ACCEPTED ||
		l.GetResolution() != returnsv1.ResolutionState_RESOLUTION_STATE_DONE || l.GetDisposed().GetPending() != "0" {
		t.Errorf("%v", l)
	}
}

// checkMoves: inventory is told to move each unit once, from where it stands.
func checkMoves(t *testing.T, w *world, moves []*returnsv1.ItemsDisposed) {
	t.Helper()
	item := ident.Derive("itm", w.Tenant, "W")
	want := []string{
		"DISPOSITION_RESTOCK 1 DOCK-1>A-01", "DISPOSITION_BACK_TO_CUSTOMER 1 DOCK-2>",
	}
	for i, m := range moves {
		got := fmt.Sprintf("%s %s %s>%s", m.GetDisposition(), m.GetQuantity().GetValue(), m.GetFromLocation(), m.GetToLocation())
		if i >= len(want) || got != want[i] || m.GetSite() != "DC1" || m.GetItemId() != item || m.GetSku() != "W" || m.GetOwner() != "OWN" ||
			m.GetLot() != "L1" || m.GetExpiryDate() != "2027-01-31" || m.GetStockId() != ident.Derive("stk", w.Tenant, "DC1", item, "OWN") {
			t.Errorf("move %d: %v", i, m)
		}
	}
	if len(moves) != len(want) {
		t.Errorf("%d moves", len(moves))
	}
}

func hundred(t *testing.T, w *world) {
	order := w.shipped(t)
	ids := make([]string, 100)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			r := ask(order, 10, 1, defective)
			r.WaitMs = int32(i%2) * 5000 // half of them leave it to the reactor
			resp, err := w.service.RequestReturn(t.Context(), r)
			if err != nil {
				t.Error(err)
			}
			ids[i] = resp.GetReceipt().GetId()
		})
	}
	wg.Wait()
	authorised := 0
	for _, id := range ids {
		r := w.until(t, id, "decided", func(r *returnsv1.Return) bool { return r.GetState() != returnsv1.ReturnState_RETURN_STATE_REQUESTED })
		switch r.GetState() {
		case returnsv1.ReturnState_RETURN_STATE_AUTHORISED:
			authorised++
		case returnsv1.ReturnState_RETURN_STATE_DENIED:
			if why := r.GetReasons()[0]; why.GetCode() != "QUANTITY_EXCEEDS_ISSUED" || why.GetField() != "lines[0].quantity" || why.GetMessage() != "available 0 EA" {
				t.Errorf("denied because of %v", why)
			}
		default:
			t.Errorf("%v", r)
		}
	}
	if authorised != 5 {
		t.Errorf("%d of 5 were authorised", authorised)
	}
	w.available(t, order, "0", "14")
	if claims := len(of[*returnsv1.ReturnClaimed](w.facts(t, "returnable", ident.Derive("rtb", w.Tenant, order)))); claims != 5 {
		t.Errorf("%d claims", claims)
	}
}

func givesBack(t *testing.T, w *world) {
	order := w.shipped(t)
	denied := w.request(t, ask(order, 10, 4, otherReason))
	if denied.GetState() != returnsv1.ReturnState_RETURN_STATE_REQUESTED || denied.GetReasons()[0].GetCode() != "AUTHORISATION_NEEDED" {
		t.Fatalf("%v", denied)
	}
	w.available(t, order, "1", "14")
	if _, err := w.service.DenyReturn(t.Context(), &returnsv1.DenyReturnRequest{RmaId: denied.GetRmaId(), Reason: "worn"}); err != nil {
		t.Fatal(err)
	}
	w.available(t, order, "5", "14")
	cancelled := w.request(t, ask(order, 10, 5, defective))
	w.available(t, order, "0", "14")
	if _, err := w.service.CancelReturn(t.Context(), &returnsv1.CancelReturnRequest{RmaId: cancelled.GetRmaId(), Reason: "CUSTOMER_REQUEST"}); err != nil {
		t.Fatal(err)
	}
	w.available(t, order, "5", "14")
	manual := w.request(t, ask(order, 10, 5, otherReason))
	resp, err := w.service.AuthoriseReturn(t.Context(), &returnsv1.AuthoriseReturnRequest{RmaId: manual.GetRmaId()})
	if err != nil || resp.GetReceipt().GetState() != "AUTHORISED" || w.get(t, manual.GetRmaId()).GetAuthorisedBy() != "tester" {
		t.Fatal(resp, err)
	}
}

func cancelledEarly(t *testing.T, w *world) {
	order := w.shipped(t)
	for range 10 {
		r := ask(order, 20, 14, defective)
		r.WaitMs = 0
		resp, err := w.service.RequestReturn(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.service.CancelReturn(t.Context(), &returnsv1.CancelReturnRequest{RmaId: resp.GetReceipt().GetId(), Reason: "CUSTOMER_REQUEST"})
		if err != nil && !fault.IsKind(err, fault.Refused) {
			t.Fatal(err)
		}
	}
	w.available(t, order, "5", "14")
}

func unexpected(t *testing.T, w *world) {
	order := w.shipped(t)
	r := w.request(t, ask(order, 10, 1, defective))
	w.arrive(t, r.GetRmaId(), 1, 2, "W", "DOCK-1")
	w.arrive(t, r.GetRmaId(), 7, 1, "X", "DOCK-1")
	got := w.until(t, r.GetRmaId(), "all there", func(r *returnsv1.Return) bool { return len(r.GetLines()) == 2 && r.GetLines()[0].GetReceived() == "2" })
	if l := got.GetLines(); l[0].GetReception() != returnsv1.ReceptionState_RECEPTION_STATE_EXCESS || l[1].GetSku() != "X" || l[1].GetOrderLineNumber() != 0 {
		t.Errorf("%v", l)
	}
	var codes []string
	for _, m := range got.GetReasons() {
		codes = append(codes, m.GetCode())
	}
	slices.Sort(codes)
	if !slices.Equal(codes, []string{"LINE_UNKNOWN", "RECEIPT_EXCEEDS_AUTHORISED"}) {
		t.Errorf("marks %v", codes)
	}
	stray := ident.Derive("rma", w.Tenant, "erp", testkit.Name("stray"))
	w.arrive(t, stray, 1, 3, "W", "DOCK-1")
	w.state(t, stray, returnsv1.ReturnState_RETURN_STATE_UNEXPECTED)
	if _, err := w.logistics.DisposeItems(t.Context(), &returnsv1.DisposeItemsRequest{
		RmaId: stray, RmaLineNumber: 1, Disposition: returnsv1.Disposition_DISPOSITION_SCRAP, Quantity: ea(3),
	}); err != nil {
		t.Error(err)
	}
}

func numbers(t *testing.T, w *world) {
	order := w.shipped(t)
	r := ask(order, 10, 1, defective)
	r.SourceSystem, r.RmaNumber = "erp", testkit.Name("RMA")
	first := w.request(t, r)
	if first.GetRmaId() != ident.Derive("rma", w.Tenant, "erp", r.GetRmaNumber()) {
		t.Errorf("id %s", first.GetRmaId())
	}
	_, err := w.service.RequestReturn(t.Context(), r)
	reason(t, err, fault.Conflict, "RMA_NUMBER_TAKEN")
	if _, taken := details(err, "rma_id"); taken != first.GetRmaId() {
		t.Errorf("taken by %q", taken)
	}
	who := w.Caller(commonv1.Role_ROLE_CUSTOMER_SERVICE)
	who.Systems = []string{"shop"}
	_, err = returnsv1.NewReturnsServiceClient(w.Client(returns.Name, who)).RequestReturn(t.Context(), r)
	reason(t, err, fault.Denied, "SOURCE_NOT_ALLOWED")
	r.SourceSystem = ""
	if _, err = w.service.RequestReturn(t.Context(), r); !fault.IsKind(err, fault.Invalid) {
		t.Errorf("a number without its source: %v", err)
	}
}

func nothingIssued(t *testing.T, w *world) {
	order := w.place(t)
	r := w.request(t, ask(order, 10, 1, defective))
	if r.GetState() != returnsv1.ReturnState_RETURN_STATE_DENIED || r.GetReasons()[0].GetCode() != "LINE_NOT_ISSUED" {
		t.Errorf("%v", r)
	}
	_, err := w.service.GetReturnableItems(t.Context(), &returnsv1.GetReturnableItemsRequest{OrderId: order})
	reason(t, err, fault.NotFound, "NOT_FOUND")
	w.orders.publish(t, w.Tenant, order, issued(order, 1, map[int]int{10: 1}))
	w.available(t, order, "1")
}

func orderReleaseDown(t *testing.T, w *world) {
	order := w.place(t)
	w.orders.down.Store(true)
	before := w.orders.asked.Load()
	w.orders.publish(t, w.Tenant, order, issued(order, 1, map[int]int{10: 5, 20: 7}))
	testkit.Eventually(t, patience, func() bool { return w.orders.asked.Load() > before+1 }) // it asks again
	w.orders.down.Store(false)
	w.available(t, order, "5", "7")
}

func strangers(t *testing.T, w *world) {
	order := w.shipped(t)
	rma := w.request(t, ask(order, 10, 1, defective)).GetRmaId()
	foreign := w.Caller(commonv1.Role_ROLE_CUSTOMER_SERVICE)
	foreign.Tenant = testkit.Name("t")
	customer := func(code string) client {
		who := w.Caller(commonv1.Role_ROLE_CUSTOMER)
		who.Party = ident.Derive("pty", w.Tenant, code)
		return returnsv1.NewReturnsServiceClient(w.Client(returns.Name, who))
	}
	unknown := ident.Derive("rma", "nobody")
	_, want := w.service.GetReturn(t.Context(), &returnsv1.GetReturnRequest{RmaId: unknown})
	for name, c := range map[string]client{"another tenant": returnsv1.NewReturnsServiceClient(w.Client(returns.Name, foreign)), "another customer": customer("C-2")} {
		_, err := c.GetReturn(t.Context(), &returnsv1.GetReturnRequest{RmaId: rma})
		reason(t, err, fault.NotFound, "NOT_FOUND")
		if err.Error() != want.Error() {
			t.Errorf("%s: %v, unknown is %v", name, err, want)
		}
		_, err = c.GetReturnableItems(t.Context(), &returnsv1.GetReturnableItemsRequest{OrderId: order})
		reason(t, err, fault.NotFound, "NOT_FOUND")
		list, err := c.ListReturns(t.Context(), &returnsv1.ListReturnsRequest{OrderId: order})
		if err != nil || len(list.GetReturns()) != 0 {
			t.Errorf("%s: %v %v", name, list, err)
		}
	}
	_, err := customer("C-2").RequestReturn(t.Context(), ask(order, 10, 1, defective))
	reason(t, err, fault.NotFound, "NOT_FOUND")
	buyer := customer("C-1")
	if own := w.requestAs(t, buyer, ask(order, 10, 1, defective)); own.GetState() != returnsv1.ReturnState_RETURN_STATE_AUTHORISED {
		t.Fatal(own)
	}
	testkit.Eventually(t, patience, func() bool {
		list, err := buyer.ListReturns(t.Context(), &returnsv1.ListReturnsRequest{OrderId: order})
		return err == nil && len(list.GetReturns()) == 2
	})
	all, err := buyer.ListReturns(t.Context(), &returnsv1.ListReturnsRequest{PageSize: 200})
	if err != nil || !slices.ContainsFunc(all.GetReturns(), func(s *returnsv1.ReturnSummary) bool { return s.GetRmaId() == rma }) {
		t.Error(all, err)
	}
}

func TestReplayRestartAndALostStream(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine)
			order := w.shipped(t)
			ctx := hosttest.WithKey(t.Context(), "request-0001")
			req := ask(order, 10, 2, defective)
			req.WaitMs = 0
			first, err := w.service.RequestReturn(ctx, req)
			if err != nil {
				t.Fatal(err)
			}
			rma := first.GetReceipt().GetId()
			w.state(t, rma, returnsv1.ReturnState_RETURN_STATE_AUTHORISED)
			w.arrive(t, rma, 1, 2, "W", "DOCK-1")
			w.state(t, rma, returnsv1.ReturnState_RETURN_STATE_RECEIVED)
			disposal := &returnsv1.DisposeItemsRequest{RmaId: rma, RmaLineNumber: 1, Disposition: returnsv1.Disposition_DISPOSITION_SCRAP, Quantity: ea(1)}
			scrap := hosttest.WithKey(t.Context(), "scrap-0001")
			if _, err := w.logistics.DisposeItems(scrap, disposal); err != nil {
				t.Fatal(err)
			}
			before := w.facts(t, "return", rma)
			w.Redis.FlushAll()
			w.NATS.Stop()
			w.NATS.Restart(t, true)
			w.Restart(t)
			var header metadata.MD
			again, err := w.service.RequestReturn(ctx, req, grpc.Header(&header))
			if err != nil || !proto.Equal(first.GetReceipt(), again.GetReceipt()) || !slices.Equal(header.Get(guard.MetaReplayed), []string{"true"}) {
				t.Errorf("replay %v, %v; first %v", again, err, first)
			}
			if _, err := w.logistics.DisposeItems(scrap, disposal); err != nil {
				t.Error(err)
			}
			changed := proto.CloneOf(req)
			changed.Lines[0].Quantity = ea(1)
			if _, err := w.service.RequestReturn(ctx, changed); !fault.IsKind(err, fault.KeyReused) {
				t.Errorf("another body under the key: %v", err)
			}
			other := w.request(t, ask(order, 10, 3, defective)) // the bus works again
			w.arrive(t, other.GetRmaId(), 1, 3, "W", "DOCK-1")
			w.state(t, other.GetRmaId(), returnsv1.ReturnState_RETURN_STATE_RECEIVED)
			if after := w.facts(t, "return", rma); names(after) != names(before) {
				t.Errorf("facts before %s\nafter %s", names(before), names(after))
			}
			w.available(t, order, "0", "14")
		})
	}
}

func TestAccess(t *testing.T) {
	w := newWorld(t, "sqlite")
	w.AccessMatrix(t, returns.Name, "testdata/access.md")
}

func TestReadmeIsTrue(t *testing.T) {
	hosttest.ConfigTable(t, "README.md", unit())
}

func TestConfigIsChecked(t *testing.T) {
	for name, change := range map[string]func(*returns.Config){
		"window_days":      func(c *returns.Config) { c.WindowDays = -1 },
		"fee_basis_points": func(c *returns.Config) { c.FeePoints = 10_001 },
		"auto_reasons":     func(c *returns.Config) { c.AutoReasons = []string{"BORED"} },
		"fee_reasons":      func(c *returns.Config) { c.FeeReasons = []string{"UNSPECIFIED"} },
	} {
		cfg := returns.Defaults()
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
