package returns_test

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

// inspected is a return of n W that all arrived and were accepted.
func (w *world) inspected(t *testing.T, order string, n int, why returnsv1.ReturnReason) string {
	t.Helper()
	rma := w.request(t, ask(order, 10, n, why)).GetRmaId()
	w.arrive(t, rma, 1, n, "W", "DOCK-1")
	w.state(t, rma, returnsv1.ReturnState_RETURN_STATE_RECEIVED)
	_, err := w.logistics.InspectItems(t.Context(), &returnsv1.InspectItemsRequest{RmaId: rma, RmaLineNumber: 1, Accepted: ea(n), Grade: returnsv1.Grade_GRADE_A})
	if err != nil {
		t.Fatal(err)
	}
	return rma
}

func confirmations(t *testing.T, w *world) {
	rma := w.inspected(t, w.shipped(t), 2, defective)
	confirm := func(number int32, memo string, minor int64) *commonv1.Receipt {
		t.Helper()
		resp, err := w.finance.ConfirmCredit(t.Context(), &returnsv1.ConfirmCreditRequest{
			RmaId: rma, CreditNumber: number, CreditMemo: memo, Amount: &commonv1.Money{AmountMinor: minor, Currency: "EUR"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetReceipt()
	}
	if r := confirm(9, "CM-9", 1); len(r.GetReasons()) != 1 || r.GetReasons()[0].GetCode() != "CREDIT_UNKNOWN" {
		t.Errorf("%v", r)
	}
	if r := confirm(1, "CM-1", 2468); len(r.GetReasons()) != 1 || r.GetReasons()[0].GetCode() != "CREDIT_AMOUNT_DIFFERS" {
		t.Errorf("%v", r)
	}
	if r := confirm(1, "CM-1", 2469); len(r.GetReasons()) != 0 { // 2 × 12.345 = 24.69
		t.Errorf("told twice: %v", r)
	}
	got := w.get(t, rma)
	if c := got.GetCredits()[0]; c.GetState() != returnsv1.CreditState_CREDIT_STATE_CONFIRMED || c.GetCreditMemo() != "CM-1" || c.GetNet().GetAmountMinor() != 2469 {
		t.Errorf("%v", c)
	}
	if len(got.GetReasons()) != 2 {
		t.Errorf("marks %v", got.GetReasons())
	}
	resp, err := w.logistics.DisposeItems(t.Context(), &returnsv1.DisposeItemsRequest{
		RmaId: rma, RmaLineNumber: 1, Disposition: returnsv1.Disposition_DISPOSITION_QUARANTINE, Quantity: ea(2), ToLocation: "Q-1",
	})
	if err != nil || resp.GetReceipt().GetState() != "COMPLETED" {
		t.Error(resp, err)
	}
}

func refusals(t *testing.T, w *world) {
	order := w.shipped(t)
	rma := w.inspected(t, order, 2, defective)
	dispose := func(d returnsv1.Disposition, q *commonv1.Quantity, to string) error {
		_, err := w.logistics.DisposeItems(t.Context(), &returnsv1.DisposeItemsRequest{RmaId: rma, RmaLineNumber: 1, Disposition: d, Quantity: q, ToLocation: to})
		return err
	}
	reason(t, dispose(returnsv1.Disposition_DISPOSITION_RESTOCK, ea(1), ""), fault.Invalid, "TO_LOCATION")
	reason(t, dispose(returnsv1.Disposition_DISPOSITION_SCRAP, ea(3), ""), fault.Refused, "DISPOSITION_EXCEEDS_RECEIVED")
	reason(t, dispose(returnsv1.Disposition_DISPOSITION_BACK_TO_CUSTOMER, ea(1), ""), fault.Refused, "BACK_EXCEEDS_REJECTED")
	err := dispose(returnsv1.Disposition_DISPOSITION_SCRAP, &commonv1.Quantity{Value: "1", Unit: "CS"}, "")
	reason(t, err, fault.Invalid, "UNIT_MISMATCH")
	if fields, _ := details(err, ""); !slices.Equal(fields, []string{"quantity"}) {
		t.Errorf("%v", fields)
	}
	_, err = w.finance.RequestCredit(t.Context(), &returnsv1.RequestCreditRequest{RmaId: rma})
	reason(t, err, fault.Refused, "NOTHING_TO_CREDIT")
	_, err = w.service.CancelReturn(t.Context(), &returnsv1.CancelReturnRequest{RmaId: rma, Reason: "CUSTOMER_REQUEST"})
	reason(t, err, fault.Refused, "ALREADY_RECEIVED")
	_, err = w.service.AuthoriseReturn(t.Context(), &returnsv1.AuthoriseReturnRequest{RmaId: rma})
	reason(t, err, fault.Refused, "RETURN_STATE")
	if _, from := details(err, "from"); from != "INSPECTED" {
		t.Errorf("from %q", from)
	}
	_, err = w.service.AuthoriseReturn(t.Context(), &returnsv1.AuthoriseReturnRequest{RmaId: rma, Etag: "1"})
	if !fault.IsKind(err, fault.Stale) {
		t.Errorf("a stale version: %v", err)
	}
	half := ask(order, 10, 1, defective)
	half.Lines[0].Quantity.Value = "0.5"
	_, err = w.service.RequestReturn(t.Context(), half)
	reason(t, err, fault.Invalid, "QUANTITY_INVALID")
	if fields, _ := details(err, ""); !slices.Equal(fields, []string{"lines[0].quantity"}) {
		t.Errorf("%v", fields)
	}
}

func validateOnly(t *testing.T, w *world) {
	order := w.shipped(t)
	r := ask(order, 10, 1, defective)
	r.ValidateOnly = true
	resp, err := w.service.RequestReturn(t.Context(), r)
	if err != nil || resp.GetReceipt().GetState() != "REQUESTED" || resp.GetReturn() != nil {
		t.Fatal(resp, err)
	}
	w.available(t, order, "5", "14")
	_, err = w.service.GetReturn(t.Context(), &returnsv1.GetReturnRequest{RmaId: resp.GetReceipt().GetId()})
	reason(t, err, fault.NotFound, "NOT_FOUND")
}

// short: of two lines one never comes; a fee by hand; what is kept of the claim is what came.
func short(t *testing.T, w *world) {
	order := w.shipped(t)
	req := ask(order, 10, 2, defective)
	req.Lines = append(req.Lines, &returnsv1.RequestedLine{OrderLineNumber: 20, Quantity: ea(3), Reason: defective})
	rma := w.request(t, req).GetRmaId()
	w.available(t, order, "3", "11")
	w.arrive(t, rma, 2, 3, "V", "DOCK-1")
	w.state(t, rma, returnsv1.ReturnState_RETURN_STATE_PARTIALLY_RECEIVED)
	_, err := w.service.CompleteReturn(t.Context(), &returnsv1.CompleteReturnRequest{RmaId: rma})
	reason(t, err, fault.Refused, "NOT_FINISHED")
	_, err = w.logistics.InspectItems(t.Context(), &returnsv1.InspectItemsRequest{RmaId: rma, RmaLineNumber: 2, Rejected: ea(3), Grade: returnsv1.Grade_GRADE_D})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.logistics.DisposeItems(t.Context(), &returnsv1.DisposeItemsRequest{
		RmaId: rma, RmaLineNumber: 2, Disposition: returnsv1.Disposition_DISPOSITION_RETURN_TO_VENDOR, Quantity: ea(3),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = w.service.CompleteReturn(t.Context(), &returnsv1.CompleteReturnRequest{RmaId: rma}); err != nil {
		t.Fatal(err)
	}
	w.available(t, order, "5", "11")
	kept := of[*returnsv1.ReturnClaimReleased](w.facts(t, "returnable", ident.Derive("rtb", w.Tenant, order)))
	if len(kept) != 1 || len(kept[0].GetKept()) != 1 || !proto.Equal(kept[0].GetKept()[0].GetQuantity(), ea(3)) {
		t.Errorf("%v", kept)
	}
}

func lists(t *testing.T, w *world) {
	order := w.shipped(t)
	r := w.request(t, ask(order, 20, 2, otherReason))
	for name, req := range map[string]*returnsv1.ListReturnsRequest{
		"order":        {OrderId: order},
		"order number": {OrderNumber: r.GetOrderNumber()},
		"RMA number":   {RmaNumber: r.GetRmaNumber()},
		"state":        {State: returnsv1.ReturnState_RETURN_STATE_REQUESTED, PageSize: 200},
	} {
		testkit.Eventually(t, patience, func() error {
			resp, err := w.service.ListReturns(t.Context(), proto.CloneOf(req))
			if err == nil && !slices.ContainsFunc(resp.GetReturns(), func(s *returnsv1.ReturnSummary) bool {
				return s.GetRmaId() == r.GetRmaId() && s.GetState() == returnsv1.ReturnState_RETURN_STATE_REQUESTED && s.GetOrderNumber() == r.GetOrderNumber()
			}) {
				err = fmt.Errorf("by %s: %v", name, resp)
			}
			return err
		})
	}
	_, err := w.service.ListReturns(t.Context(), &returnsv1.ListReturnsRequest{OrderId: order, RmaNumber: r.GetRmaNumber()})
	if !fault.IsKind(err, fault.Invalid) {
		t.Errorf("two keys: %v", err)
	}
}

// comesAllTheSame: goods of a cancelled return are kept and marked; the money is for the return
// that holds the claim now, once.
func comesAllTheSame(t *testing.T, w *world) {
	order := w.shipped(t)
	cancelled := w.request(t, ask(order, 10, 5, defective)).GetRmaId()
	if _, err := w.service.CancelReturn(t.Context(), &returnsv1.CancelReturnRequest{RmaId: cancelled, Reason: "CUSTOMER_REQUEST"}); err != nil {
		t.Fatal(err)
	}
	w.available(t, order, "5", "14")
	second := w.request(t, ask(order, 10, 5, defective)).GetRmaId()
	for _, rma := range []string{cancelled, second} {
		w.arrive(t, rma, 1, 5, "W", "DOCK-1")
		w.until(t, rma, "received", func(r *returnsv1.Return) bool { return r.GetLines()[0].GetReceived() == "5" })
		_, err := w.logistics.InspectItems(t.Context(), &returnsv1.InspectItemsRequest{
			RmaId: rma, RmaLineNumber: 1, Accepted: ea(5), Grade: returnsv1.Grade_GRADE_A,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r := w.state(t, cancelled, returnsv1.ReturnState_RETURN_STATE_CANCELLED)
	if len(r.GetReasons()) != 1 || r.GetReasons()[0].GetCode() != "NOT_AUTHORISED" || len(r.GetCredits()) != 0 ||
		r.GetLines()[0].GetResolution() != returnsv1.ResolutionState_RESOLUTION_STATE_NONE {
		t.Errorf("%v", r)
	}
	_, err := w.finance.RequestCredit(t.Context(), &returnsv1.RequestCreditRequest{RmaId: cancelled})
	reason(t, err, fault.Refused, "NOTHING_TO_CREDIT")
	if c := of[*returnsv1.CreditRequested](w.facts(t, "return", cancelled)); len(c) != 0 {
		t.Errorf("%v", c)
	}
	if c := of[*returnsv1.CreditRequested](w.facts(t, "return", second)); len(c) != 1 || c[0].GetNet().GetAmountMinor() != 6172 {
		t.Errorf("%v", c)
	}
}
