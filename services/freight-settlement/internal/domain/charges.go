package domain

import (
	"cmp"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
)

// Payment is what an invoice asks, or an approved one pays, for one charge.
type Payment struct {
	Code   string
	Amount money.Amount
}

// byCode adds up what concerns one charge, in the order in which the charges come.
func byCode(ps []Payment) []Payment {
	var out []Payment
	for _, p := range ps {
		if i := slices.IndexFunc(out, func(o Payment) bool { return o.Code == p.Code }); i >= 0 {
			out[i].Amount.Minor += p.Amount.Minor
		} else {
			out = append(out, p)
		}
	}
	return out
}

// ClaimCharges keeps charges for one attempt of a carrier's invoice. It is refused when
// another invoice asks or asked the same for one of them: that is the guard against
// duplicates. What was not expected, or is on another invoice with another amount, is kept
// beside the expected charges, so that it is not paid twice either.
func ClaimCharges(f Freight, c Claim, carrier string, asks []Payment) ([]FreightFact, error) {
	refuse := func(reason, format string, args ...any) ([]FreightFact, error) {
		return nil, fault.New(fault.Refused, reason, format, args...)
	}
	switch {
	case slices.Contains(f.Closed, c):
		return refuse("CLAIM_CLOSED", "attempt %d of %s was closed", c.Attempt, c.Invoice)
	case f.Basis.Carrier != "" && f.Basis.Carrier != carrier:
		return refuse("REFERENCE_UNKNOWN", "shipment %s is not with %s", f.Keys.Shipment, carrier)
	case f.Dispatched.IsZero() && !f.IsReversed:
		return refuse("NOT_ACCRUED", "shipment %s is not dispatched", f.Keys.Shipment)
	case !f.Rating.Rated() && !f.IsReversed:
		return refuse("NOT_RATED", "no rate covers shipment %s yet", f.Keys.Shipment)
	}
	out := ChargesClaimed{Of: Of{f.Keys.Freight, f.Keys.Shipment}, Claim: c}
	others, fresh := len(f.Others), false
	currency := cmp.Or(f.books(), f.Rating.Total.Currency)
	for _, ask := range byCode(asks) {
		if currency != "" && ask.Amount.Currency != currency {
			return refuse("CURRENCY_MISMATCH", "expected in %s", currency)
		}
		if o, ok := f.invoicedElsewhere(ask, c.Invoice); ok {
			return nil, fault.New(fault.Refused, "CHARGE_CLAIMED", "%s of %s is on another invoice", ask.Code, f.Keys.Shipment).
				With("invoice_id", o.Invoice).With("charge_code", ask.Code)
		}
		mine, expected := f.place(ask.Code, c.Invoice)
		if mine.Attempt > c.Attempt {
			return refuse("CLAIM_CLOSED", "attempt %d of %s has %s already", mine.Attempt, c.Invoice, ask.Code)
		}
		out.Charges = append(out.Charges, Claimed{ask.Code, ask.Amount, !expected})
		if !expected && mine.Invoice == "" {
			others++
		}
		fresh = fresh || mine.Invoice != c.Invoice || mine.Attempt != c.Attempt
	}
	switch {
	case !fresh:
		return nil, nil
	case others > maxOthers:
		return refuse("TOO_MANY_CHARGES", "shipment %s has %d unexpected charges", f.Keys.Shipment, others)
	}
	return []FreightFact{out}, nil
}

// invoicedElsewhere returns the charge under which another invoice asks or was paid the same.
func (f Freight) invoicedElsewhere(ask Payment, invoice string) (Charge, bool) {
	for _, c := range slices.Concat(f.Rating.Charges, f.Others) {
		if c.Code == ask.Code && c.Invoice != "" && c.Invoice != invoice && (c.Invoiced == ask.Amount || c.Settled && c.Paid == ask.Amount) {
			return c, true
		}
	}
	return Charge{}, false
}

// place returns the charge that an invoice has or may take under a code, and whether it
// was expected; the zero charge when it is new. One that has become free is taken before
// the balance that the invoice had while another had it.
func (f Freight) place(code, invoice string) (c Charge, expected bool) {
	for _, c := range f.Rating.Charges {
		if c.Code == code && (c.Invoice == "" || c.Invoice == invoice) {
			return c, true
		}
	}
	if i := find(f.Others, code, invoice); i >= 0 {
		return f.Others[i], false
	}
	return Charge{}, false
}

// held returns the charge that an invoice has under a code, and whether it was expected.
func (f Freight) held(code, invoice string) (c Charge, expected bool) {
	if i := find(f.Rating.Charges, code, invoice); i >= 0 {
		return f.Rating.Charges[i], true
	}
	if i := find(f.Others, code, invoice); i >= 0 {
		return f.Others[i], false
	}
	return Charge{}, false
}

// FreeCharges gives a claim back, whether it ever arrived or not, and closes it for good.
func FreeCharges(f Freight, of Of, c Claim) ([]FreightFact, error) {
	if slices.Contains(f.Closed, c) {
		return nil, nil
	}
	return []FreightFact{ChargesFreed{of, c}}, nil
}

// Settle pays charges of an approved invoice: the accrual of each is reversed, what
// differs from it goes to the variance account, the payable to accounts payable.
func Settle(f Freight, of Of, invoice string, payments []Payment) ([]FreightFact, error) {
	out := ChargesSettled{Of: of, Invoice: invoice}
	var paid, expected int64
	currency := f.Rating.Total.Currency
	for _, p := range byCode(payments) {
		currency = p.Amount.Currency
		paid += p.Amount.Minor
		c, isExpected := f.held(p.Code, invoice)
		switch {
		case c.Invoice != invoice:
			c = Charge{Code: p.Code, Amount: money.Amount{Currency: currency}, Invoice: invoice} // all of it is variance
		case c.Settled:
			return nil, nil
		case isExpected:
			expected += c.Amount.Minor
		}
		c.Settled, c.Paid = true, p.Amount
		out.Charges = append(out.Charges, c)
	}
	post := func(account string, minor int64) {
		if minor != 0 {
			out.Postings = append(out.Postings, Posting{account, money.Amount{Minor: minor, Currency: currency}})
		}
	}
	post(Accrual, expected)
	post(Variance, paid-expected)
	post(Payable, -paid)
	out.Paid = money.Amount{Minor: paid, Currency: currency}
	var err error
	out.Allocations, err = Allocate(money.Amount{Minor: f.Paid.Minor + paid + f.Open.Minor - expected, Currency: currency}, f.Lines)
	return []FreightFact{out}, err
}
