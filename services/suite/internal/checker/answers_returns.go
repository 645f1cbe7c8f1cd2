package checker

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	retv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

// returnFold is a return with the figures of its lines. The three states of a line follow from
// these and are left out, like marks.
type returnFold struct {
	*retv1.Return
	granted, over bool
}

func (r *returnFold) answer() proto.Message {
	if r.OrderId == "" {
		return nil // goods arrived, and nobody asked
	}
	if !r.over {
		r.State = r.standing()
	}
	return r.Return
}

// standing is where a return is that has not ended.
func (r *returnFold) standing() retv1.ReturnState {
	some, less, inspected := false, false, true
	for _, l := range r.Lines {
		some = some || l.Received != "0"
		less = less || number(l.Received, ignore).Cmp(number(l.Authorised, ignore)) < 0
		inspected = inspected && add(l.Accepted, l.Rejected) == l.Received
	}
	switch {
	case !r.granted:
		return retv1.ReturnState_RETURN_STATE_REQUESTED
	case !some:
		return retv1.ReturnState_RETURN_STATE_AUTHORISED
	case less:
		return retv1.ReturnState_RETURN_STATE_PARTIALLY_RECEIVED
	case inspected:
		return retv1.ReturnState_RETURN_STATE_INSPECTED
	}
	return retv1.ReturnState_RETURN_STATE_RECEIVED
}

// line is the line with a number; what came unasked has one of its own.
func (r *returnFold) line(n int32) *retv1.ReturnLine {
	for _, l := range r.Lines {
		if l.RmaLineNumber == n {
			return l
		}
	}
	r.Lines = append(r.Lines, &retv1.ReturnLine{
		RmaLineNumber: n, Requested: "0", Authorised: "0", Received: "0", Accepted: "0", Rejected: "0", Credited: "0",
		Disposed: &retv1.DisposedQuantities{Restocked: "0", Quarantined: "0", Scrapped: "0", ToVendor: "0", ToCustomer: "0", Pending: "0"},
	})
	return r.Lines[len(r.Lines)-1]
}

func (r *returnFold) apply(f *fact) {
	switch m := f.msg.(type) {
	case *retv1.ReturnRequested:
		r.RmaNumber, r.SourceSystem, r.OrderId, r.ReturnSite = m.GetRmaNumber(), m.GetSourceSystem(), m.GetOrderId(), m.GetReturnSite()
		for i, a := range m.GetLines() {
			l := r.line(int32(i + 1))
			l.OrderLineNumber, l.Unit, l.Reason, l.Note, l.Requested = a.GetOrderLineNumber(), a.GetQuantity().GetUnit(), a.GetReason(), a.GetNote(), a.GetQuantity().GetValue()
		}
	case *retv1.ReturnHeld:
		r.OrderNumber, r.SoldTo = m.GetOrderNumber(), m.GetSoldTo()
		for _, h := range m.GetLines() {
			l := r.line(h.GetRmaLineNumber())
			l.ItemId, l.Sku, l.Paid = h.GetItemId(), h.GetSku(), h.GetPaid()
		}
	case *retv1.ReturnAuthorised:
		r.granted, r.AuthorisedBy = true, m.GetAuthorisedBy()
		r.allow(m.GetLines())
	case *retv1.ReturnDenied:
		r.over, r.State = true, retv1.ReturnState_RETURN_STATE_DENIED
	case *retv1.ReturnCancelled:
		r.over, r.State = true, retv1.ReturnState_RETURN_STATE_CANCELLED
		r.allow(nil)
	case *retv1.ReturnCompleted:
		r.over, r.State = true, retv1.ReturnState_RETURN_STATE_COMPLETED
		r.allow(m.GetKept())
	default:
		r.goods(f)
	}
}

// allow says how much of each line may come, none of the others.
func (r *returnFold) allow(lines []*retv1.ClaimedLine) {
	for _, l := range r.Lines {
		l.Authorised = "0"
	}
	for _, c := range lines {
		r.line(c.GetRmaLineNumber()).Authorised = c.GetQuantity().GetValue()
	}
}

// goods takes what happened to goods that came, and to the money for them.
func (r *returnFold) goods(f *fact) {
	switch m := f.msg.(type) {
	case *retv1.ReturnReceiptRecorded:
		l := r.line(m.GetBookedLineNumber())
		l.Received, l.Disposed.Pending = add(l.Received, m.GetQuantity().GetValue()), add(l.Disposed.Pending, m.GetQuantity().GetValue())
	case *retv1.ItemsInspected:
		l := r.line(m.GetRmaLineNumber())
		l.Accepted, l.Rejected = add(l.Accepted, m.GetAccepted().GetValue()), add(l.Rejected, m.GetRejected().GetValue())
		l.Grade, l.Finding = m.GetGrade(), m.GetFinding()
	case *retv1.ItemsDisposed:
		d, q := r.line(m.GetRmaLineNumber()).Disposed, m.GetQuantity().GetValue()
		d.Pending = minus(d.Pending, q)
		into := map[retv1.Disposition]*string{
			retv1.Disposition_DISPOSITION_RESTOCK: &d.Restocked, retv1.Disposition_DISPOSITION_QUARANTINE: &d.Quarantined,
			retv1.Disposition_DISPOSITION_SCRAP: &d.Scrapped, retv1.Disposition_DISPOSITION_RETURN_TO_VENDOR: &d.ToVendor,
			retv1.Disposition_DISPOSITION_BACK_TO_CUSTOMER: &d.ToCustomer,
		}[m.GetDisposition()]
		*into = add(*into, q)
	case *retv1.CreditRequested:
		r.Credits = append(r.Credits, &retv1.Credit{
			CreditNumber: m.GetCreditNumber(), State: retv1.CreditState_CREDIT_STATE_REQUESTED, Lines: m.GetLines(),
			Gross: m.GetGross(), Fee: m.GetFee(), Net: m.GetNet(), RequestedTime: m.GetRequestedTime(),
		})
		for _, c := range m.GetLines() {
			l := r.line(c.GetRmaLineNumber())
			l.Credited = add(l.Credited, c.GetQuantity().GetValue())
			l.CreditedGross = &commonv1.Money{AmountMinor: l.CreditedGross.GetAmountMinor() + c.GetGross().GetAmountMinor(), Currency: c.GetGross().GetCurrency()}
		}
	case *retv1.CreditConfirmed:
		for _, c := range r.Credits {
			if c.CreditNumber == m.GetCreditNumber() && c.State == retv1.CreditState_CREDIT_STATE_REQUESTED {
				c.State, c.CreditMemo, c.ConfirmedTime = retv1.CreditState_CREDIT_STATE_CONFIRMED, m.GetCreditMemo(), m.GetConfirmedTime()
			}
		}
	}
}

// itemsFold is what of an order can be returned. What was paid is reckoned by I3.
type itemsFold struct {
	*retv1.GetReturnableItemsResponse
	claims map[string][]*retv1.ClaimedLine
}

func (r *itemsFold) answer() proto.Message {
	if r.OrderId == "" {
		return nil // nothing was issued
	}
	for _, i := range r.Items {
		i.Claimed = "0"
		for _, of := range r.claims {
			for _, l := range of {
				if l.GetOrderLineNumber() == i.OrderLineNumber {
					i.Claimed = add(i.Claimed, l.GetQuantity().GetValue())
				}
			}
		}
		if i.Available = minus(i.Issued, i.Claimed); strings.HasPrefix(i.Available, "-") {
			i.Available = "0" // what a return holds was taken back
		}
	}
	return r.GetReturnableItemsResponse
}

func (r *itemsFold) apply(f *fact) {
	if r.claims == nil {
		r.claims = map[string][]*retv1.ClaimedLine{}
	}
	switch m := f.msg.(type) {
	case *retv1.ItemsIssued:
		r.OrderId, r.OrderNumber, r.Currency = m.GetOrderId(), m.GetOrderNumber(), m.GetCurrency()
		for _, l := range m.GetLines() {
			at, known := slices.BinarySearchFunc(r.Items, l.GetOrderLineNumber(), func(i *retv1.ReturnableItem, n int32) int { return int(i.OrderLineNumber - n) })
			if !known {
				r.Items = slices.Insert(r.Items, at, &retv1.ReturnableItem{
					OrderLineNumber: l.GetOrderLineNumber(), ItemId: l.GetItemId(), Sku: l.GetSku(), Unit: l.GetQuantity().GetUnit(), UnitPrice: l.GetUnitPrice(),
				})
			}
			i := r.Items[at]
			i.Issued = add(i.Issued, l.GetQuantity().GetValue())
			if i.IssuedTime.AsTime().Before(m.GetIssuedTime().AsTime()) {
				i.IssuedTime = m.GetIssuedTime()
			}
		}
	case *retv1.ItemsIssueReversed:
		for _, i := range r.Items {
			for _, l := range m.GetLines() {
				if l.GetLineNumber() == i.OrderLineNumber {
					i.Issued = minus(i.Issued, l.GetQuantity().GetValue())
				}
			}
		}
	case *retv1.ReturnClaimed:
		r.claims[m.GetClaimKey()] = m.GetLines()
	case *retv1.ReturnClaimReleased:
		r.claims[m.GetClaimKey()] = m.GetKept()
	}
}
