package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// resource is a return as the API shows it.
func resource(v store.View[domain.Return]) *returnsv1.Return {
	r := v.State
	out := &returnsv1.Return{
		RmaId: v.ID, RmaNumber: r.Number, SourceSystem: r.Source, Etag: v.ETag, State: returnState(r.State()),
		OrderId: r.Order, OrderNumber: r.OrderNumber, SoldTo: r.SoldTo, ReturnSite: r.Site,
		Lines:   protovalue.Each(r.Lines, func(l domain.Line) *returnsv1.ReturnLine { return line(r, l) }),
		Reasons: append(protovalue.Each(r.Reasons, reason), protovalue.Each(r.Marks, reason)...), AuthorisedBy: r.AuthorisedBy,
		CreateTime: protovalue.Time(v.Created), UpdateTime: protovalue.Time(v.Updated),
		Observations: protovalue.Each(r.Heard, protovalue.ForeignWord),
	}
	for i, c := range r.Credits {
		out.Credits = append(out.Credits, credit(i+1, c))
	}
	if r.State() == domain.Requested && r.Held {
		out.Reasons = append(out.Reasons, &commonv1.Reason{
			Code: "AUTHORISATION_NEEDED", Message: "the policy does not authorise it: AuthoriseReturn or DenyReturn decides",
		})
	}
	return out
}

func line(r domain.Return, l domain.Line) *returnsv1.ReturnLine {
	return &returnsv1.ReturnLine{
		RmaLineNumber: int32(l.Number), OrderLineNumber: int32(l.OrderLine), ItemId: l.Item, Sku: l.SKU, Unit: l.Unit,
		Reason: returnReason(l.Reason), Note: l.Note, Requested: l.Requested.String(), Authorised: l.Authorised.String(),
		Received: l.Received.String(), Accepted: l.Accepted.String(), Rejected: l.Rejected.String(),
		Disposed: &returnsv1.DisposedQuantities{
			Restocked: l.Disposed.Restocked.String(), Quarantined: l.Disposed.Quarantined.String(), Scrapped: l.Disposed.Scrapped.String(),
			ToVendor: l.Disposed.ToVendor.String(), ToCustomer: l.Disposed.ToCustomer.String(), Pending: l.Pending().String(),
		},
		Credited: l.Credited.String(), Paid: amount(l.Paid),
		CreditedGross: amount(money.Amount{Minor: l.Gross, Currency: l.Paid.Currency}),
		Reception:     returnsv1.ReceptionState(returnsv1.ReceptionState_value["RECEPTION_STATE_"+r.Reception(l)]),
		Acceptance:    returnsv1.AcceptanceState(returnsv1.AcceptanceState_value["ACCEPTANCE_STATE_"+l.Acceptance()]),
		Resolution:    returnsv1.ResolutionState(returnsv1.ResolutionState_value["RESOLUTION_STATE_"+r.Resolution(l)]),
		Grade:         grade(l.Grade), Finding: finding(l.Finding), Places: protovalue.Each(l.Places, place),
	}
}

func place(p domain.Place) *returnsv1.ReceivedPlace {
	return &returnsv1.ReceivedPlace{
		StockId: p.Stock, Site: p.Site, Location: p.Location, Lot: p.Lot, ExpiryDate: p.Expiry, Quantity: p.Quantity.String(),
	}
}

func credit(number int, c domain.Credit) *returnsv1.Credit {
	state := returnsv1.CreditState_CREDIT_STATE_REQUESTED
	if !c.Confirmed.IsZero() {
		state = returnsv1.CreditState_CREDIT_STATE_CONFIRMED
	}
	return &returnsv1.Credit{
		CreditNumber: int32(number), State: state, Lines: protovalue.Each(c.Lines, creditLine),
		Gross: amount(c.Gross), Fee: amount(c.Fee), Net: amount(c.Net), CreditMemo: c.Memo,
		RequestedTime: protovalue.Time(c.Requested), ConfirmedTime: protovalue.Time(c.Confirmed),
	}
}

func summary(v store.View[domain.Return]) *returnsv1.ReturnSummary {
	r := v.State
	out := &returnsv1.ReturnSummary{
		RmaId: v.ID, RmaNumber: r.Number, Etag: v.ETag, State: returnState(r.State()), OrderId: r.Order, OrderNumber: r.OrderNumber,
		SoldTo: r.SoldTo, LineCount: int32(len(r.Lines)), CreateTime: protovalue.Time(v.Created),
	}
	var sum money.Amount
	for _, c := range r.Credits {
		sum.Minor, sum.Currency = sum.Minor+c.Net.Minor, c.Net.Currency
	}
	out.Credited = amount(sum)
	return out
}

// items is what of an order can be returned.
func items(order string, r domain.Returnable) *returnsv1.GetReturnableItemsResponse {
	out := &returnsv1.GetReturnableItemsResponse{OrderId: order, OrderNumber: r.Number, Currency: r.Currency}
	for _, l := range r.Lines {
		claimed, _ := r.Claimed(l.Line)
		item := &returnsv1.ReturnableItem{
			OrderLineNumber: int32(l.Line), ItemId: l.Item, Sku: l.SKU, Unit: l.Unit, Issued: l.Issued.String(),
			Claimed: claimed.String(), Available: quantity.Max(l.Issued.Sub(claimed), quantity.Decimal{}).String(), UnitPrice: l.Price.Unit, IssuedTime: protovalue.Time(l.At),
		}
		if paid, ok := l.Paid(); ok {
			item.Paid = amount(paid)
		}
		out.Items = append(out.Items, item)
	}
	return out
}
