package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

func freightState(s domain.FreightState) freightsettlementv1.FreightState {
	return freightsettlementv1.FreightState(freightsettlementv1.FreightState_value["FREIGHT_STATE_"+string(s)])
}

func invoiceState(s domain.InvoiceState) freightsettlementv1.FreightInvoiceState {
	return freightsettlementv1.FreightInvoiceState(freightsettlementv1.FreightInvoiceState_value["FREIGHT_INVOICE_STATE_"+string(s)])
}

func fromInvoiceState(s freightsettlementv1.FreightInvoiceState) domain.InvoiceState {
	return domain.InvoiceState(protovalue.Name(s, "FREIGHT_INVOICE_STATE_"))
}

func resolution(r domain.Resolution) freightsettlementv1.DisputeResolution {
	return freightsettlementv1.DisputeResolution(freightsettlementv1.DisputeResolution_value["DISPUTE_RESOLUTION_"+string(r)])
}

func fromResolution(r freightsettlementv1.DisputeResolution) domain.Resolution {
	return domain.Resolution(protovalue.Name(r, "DISPUTE_RESOLUTION_"))
}

func basis(b domain.Basis) freightsettlementv1.RateBasis {
	return freightsettlementv1.RateBasis(freightsettlementv1.RateBasis_value["RATE_BASIS_"+string(b)])
}

// amount is an amount as a message, nil when it has no currency.
func amount(a money.Amount) *commonv1.Money {
	if a.Currency == "" {
		return nil
	}
	return &commonv1.Money{AmountMinor: a.Minor, Currency: a.Currency}
}

func fromAmount(m *commonv1.Money) money.Amount {
	return money.Amount{Minor: m.GetAmountMinor(), Currency: m.GetCurrency()}
}

func reason(w domain.Why) *commonv1.Reason {
	return &commonv1.Reason{Code: w.Code, Field: w.Field, Message: w.Message}
}

func fromReason(r *commonv1.Reason) domain.Why {
	return domain.Why{Code: r.GetCode(), Field: r.GetField(), Message: r.GetMessage()}
}

func charge(c domain.Charge) *freightsettlementv1.Charge {
	out := &freightsettlementv1.Charge{
		Code: c.Code, Amount: amount(c.Amount), Rule: c.Rule, InvoiceId: c.Invoice, Attempt: int32(c.Attempt), Invoiced: amount(c.Invoiced),
	}
	if c.Settled {
		out.Settled = amount(c.Paid)
	}
	return out
}

func fromCharge(c *freightsettlementv1.Charge) domain.Charge {
	return domain.Charge{
		Code: c.GetCode(), Amount: fromAmount(c.GetAmount()), Rule: c.GetRule(), Invoice: c.GetInvoiceId(), Attempt: int(c.GetAttempt()),
		Invoiced: fromAmount(c.GetInvoiced()), Settled: c.GetSettled() != nil, Paid: fromAmount(c.GetSettled()),
	}
}

func rating(r domain.Rating) *freightsettlementv1.Rating {
	return &freightsettlementv1.Rating{
		Carrier: r.Carrier, CarrierService: r.Service, WeightGrams: r.Weight, RateCardVersion: int32(r.Version),
		Charges: protovalue.Each(r.Charges, charge), Total: amount(r.Total), Reasons: protovalue.Each(r.Why, reason), RatedForTime: protovalue.Time(r.At),
	}
}

func fromRating(r *freightsettlementv1.Rating) domain.Rating {
	return domain.Rating{
		Carrier: r.GetCarrier(), Service: r.GetCarrierService(), Weight: r.GetWeightGrams(), Version: int(r.GetRateCardVersion()),
		Charges: protovalue.Each(r.GetCharges(), fromCharge), Total: fromAmount(r.GetTotal()), Why: protovalue.Each(r.GetReasons(), fromReason),
		At: protovalue.FromTime(r.GetRatedForTime()),
	}
}

func posting(p domain.Posting) *freightsettlementv1.Posting {
	return &freightsettlementv1.Posting{Account: p.Account, Amount: amount(p.Amount)}
}

func fromPosting(p *freightsettlementv1.Posting) domain.Posting {
	return domain.Posting{Account: p.GetAccount(), Amount: fromAmount(p.GetAmount())}
}

func allocation(a domain.Allocation) *freightsettlementv1.CostAllocation {
	return &freightsettlementv1.CostAllocation{LineNumber: int32(a.Number), Sku: a.SKU, Amount: amount(a.Amount)}
}

func fromAllocation(a *freightsettlementv1.CostAllocation) domain.Allocation {
	return domain.Allocation{Number: int(a.GetLineNumber()), SKU: a.GetSku(), Amount: fromAmount(a.GetAmount())}
}

func freightLine(l domain.Line) *freightsettlementv1.FreightLine {
	return &freightsettlementv1.FreightLine{LineNumber: int32(l.Number), Sku: l.SKU, Quantity: l.Quantity.String(), WeightGrams: l.Weight}
}

func fromFreightLine(l *freightsettlementv1.FreightLine) (domain.Line, error) {
	q, err := quantity.Parse(l.GetQuantity())
	return domain.Line{Number: int(l.GetLineNumber()), SKU: l.GetSku(), Quantity: q, Weight: l.GetWeightGrams()}, err
}

// destination is where a shipment goes, as far as rates depend on it; nil when nothing is known.
func destination(s domain.Shipment) *commonv1.Address {
	a := commonv1.Address{City: s.Place, Region: s.Region, PostalCode: s.PostalCode, Country: s.Country}
	if a.City+a.Region+a.PostalCode+a.Country == "" {
		return nil
	}
	return &a
}

// shipment is what a rate depends on.
func shipment(r domain.Rating, site string, to *commonv1.Address) domain.Shipment {
	return domain.Shipment{
		Carrier: r.Carrier, Service: r.Service, Site: site, Place: to.GetCity(), Country: to.GetCountry(), Region: to.GetRegion(),
		PostalCode: to.GetPostalCode(), WeightGrams: r.Weight, At: r.At,
	}
}

func invoiceLine(l domain.InvoiceLine) *freightsettlementv1.FreightInvoiceLine {
	out := &freightsettlementv1.FreightInvoiceLine{
		Reference: l.Reference, ChargeCode: l.Code, Amount: amount(l.Amount), FreightId: l.Freight, Expected: amount(l.Expected),
		WithinTolerance: l.Within, Approved: amount(l.Approved),
	}
	if l.Expected.Currency != "" {
		out.Variance = amount(l.Variance())
	}
	return out
}

func fromInvoiceLine(l *freightsettlementv1.FreightInvoiceLine) domain.InvoiceLine {
	return domain.InvoiceLine{
		Reference: l.GetReference(), Code: l.GetChargeCode(), Amount: fromAmount(l.GetAmount()), Freight: l.GetFreightId(),
		Expected: fromAmount(l.GetExpected()), Within: l.GetWithinTolerance(), Approved: fromAmount(l.GetApproved()),
	}
}
