package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

func returnState(s domain.State) returnsv1.ReturnState {
	return returnsv1.ReturnState(returnsv1.ReturnState_value["RETURN_STATE_"+string(s)])
}

func returnReason(s string) returnsv1.ReturnReason {
	return returnsv1.ReturnReason(returnsv1.ReturnReason_value["RETURN_REASON_"+s])
}

func grade(s string) returnsv1.Grade {
	return returnsv1.Grade(returnsv1.Grade_value["GRADE_"+s])
}

func finding(s string) returnsv1.Finding {
	return returnsv1.Finding(returnsv1.Finding_value["FINDING_"+s])
}

func disposition(d domain.Disposition) returnsv1.Disposition {
	return returnsv1.Disposition(returnsv1.Disposition_value["DISPOSITION_"+string(d)])
}

// amount is nil for the zero amount without a currency.
func amount(a money.Amount) *commonv1.Money {
	if a.Currency == "" {
		return nil
	}
	return &commonv1.Money{AmountMinor: a.Minor, Currency: a.Currency}
}

func fromAmount(m *commonv1.Money) money.Amount {
	return money.Amount{Minor: m.GetAmountMinor(), Currency: m.GetCurrency()}
}

// stored reads a quantity that may be absent.
func stored(m *commonv1.Quantity) (quantity.Quantity, error) {
	if m == nil {
		return quantity.Quantity{}, nil
	}
	return protovalue.StoredQuantity(m)
}

func reason(r domain.Reason) *commonv1.Reason {
	return &commonv1.Reason{Code: r.Code, Field: r.Field, Message: r.Message}
}

func fromReason(r *commonv1.Reason) domain.Reason {
	return domain.Reason{Code: r.GetCode(), Field: r.GetField(), Message: r.GetMessage()}
}

func askedLine(l domain.AskedLine) *returnsv1.RequestedLine {
	return &returnsv1.RequestedLine{
		OrderLineNumber: int32(l.OrderLine), Quantity: protovalue.Quantity(l.Quantity), Reason: returnReason(l.Reason), Note: l.Note,
	}
}

func fromAskedLine(l *returnsv1.RequestedLine) (domain.AskedLine, error) {
	q, err := protovalue.FromQuantity(l.GetQuantity(), "quantity")
	return domain.AskedLine{
		OrderLine: int(l.GetOrderLineNumber()), Quantity: q, Reason: protovalue.Name(l.GetReason(), "RETURN_REASON_"), Note: l.GetNote(),
	}, err
}

func claimedLine(l domain.ClaimedLine) *returnsv1.ClaimedLine {
	return &returnsv1.ClaimedLine{
		RmaLineNumber: int32(l.Line), OrderLineNumber: int32(l.OrderLine), Quantity: protovalue.Quantity(l.Quantity),
		ItemId: l.Item, Sku: l.SKU, Paid: amount(l.Paid), IssuedTime: protovalue.Time(l.IssuedAt),
	}
}

func fromClaimedLine(l *returnsv1.ClaimedLine) (domain.ClaimedLine, error) {
	q, err := protovalue.StoredQuantity(l.GetQuantity())
	return domain.ClaimedLine{
		Line: int(l.GetRmaLineNumber()), OrderLine: int(l.GetOrderLineNumber()), Quantity: q,
		Item: l.GetItemId(), SKU: l.GetSku(), Paid: fromAmount(l.GetPaid()), IssuedAt: protovalue.FromTime(l.GetIssuedTime()),
	}, err
}

func creditLine(l domain.CreditLine) *returnsv1.CreditLine {
	return &returnsv1.CreditLine{
		RmaLineNumber: int32(l.Line), OrderLineNumber: int32(l.OrderLine), Sku: l.SKU, Quantity: protovalue.Quantity(l.Quantity),
		Gross: amount(l.Gross), Fee: amount(l.Fee), Net: amount(l.Net),
	}
}

func fromCreditLine(l *returnsv1.CreditLine) (domain.CreditLine, error) {
	q, err := protovalue.StoredQuantity(l.GetQuantity())
	return domain.CreditLine{
		Line: int(l.GetRmaLineNumber()), OrderLine: int(l.GetOrderLineNumber()), SKU: l.GetSku(), Quantity: q,
		Gross: fromAmount(l.GetGross()), Fee: fromAmount(l.GetFee()), Net: fromAmount(l.GetNet()),
	}, err
}

func issuedLine(l domain.IssuedLine) *returnsv1.IssuedLine {
	return &returnsv1.IssuedLine{
		OrderLineNumber: int32(l.Line), ItemId: l.Item, Sku: l.SKU,
		Quantity:  protovalue.Quantity(quantity.Quantity{Value: l.Issued, Unit: l.Unit}),
		UnitPrice: l.Price.Unit, OrderedQuantity: protovalue.Quantity(l.Price.Ordered),
		BaseQuantity: baseQuantity(l),
	}
}

// baseQuantity is absent for a line without a price.
func baseQuantity(l domain.IssuedLine) *commonv1.Quantity {
	if l.Price.Unit == "" {
		return nil
	}
	return protovalue.Quantity(quantity.Quantity{Value: l.Price.Base, Unit: l.Unit})
}

func fromIssuedLine(l *returnsv1.IssuedLine, currency string) (domain.IssuedLine, error) {
	out := domain.IssuedLine{Line: int(l.GetOrderLineNumber()), Item: l.GetItemId(), SKU: l.GetSku()}
	q, err := protovalue.StoredQuantity(l.GetQuantity())
	if err != nil {
		return out, err
	}
	out.Issued, out.Unit = q.Value, q.Unit
	if l.GetUnitPrice() == "" {
		return out, nil
	}
	out.Price = domain.Price{Unit: l.GetUnitPrice(), Currency: currency}
	if out.Price.Ordered, err = stored(l.GetOrderedQuantity()); err != nil {
		return out, err
	}
	base, err := stored(l.GetBaseQuantity())
	out.Price.Base = base.Value
	return out, err
}
