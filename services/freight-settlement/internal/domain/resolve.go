package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
)

func approve(i Invoice, a InvoiceApproved, pays func(InvoiceLine) int64) ([]InvoiceFact, error) {
	a.ID, a.Number, a.Attempt, a.Lines = i.ID, i.Number, i.Attempt, slices.Clone(i.Lines)
	for n := range a.Lines {
		a.Lines[n].Approved = money.Amount{Minor: pays(a.Lines[n]), Currency: i.Total.Currency}
	}
	var err error
	a.Sum, err = sum(a.Lines, func(l InvoiceLine) money.Amount { return l.Approved })
	return []InvoiceFact{a}, err
}

// Resolve ends a dispute. Whoever entered the invoice may not. An invoice in a currency
// that the charges are not in can only be credited: it cannot be settled against them.
func Resolve(i Invoice, how Resolution, agreed money.Amount, reason, approver string) ([]InvoiceFact, error) {
	if approver == i.Creator {
		return nil, fault.New(fault.Refused, "SAME_PERSON", "%s entered the invoice and may not resolve its dispute", approver)
	}
	if how == CarrierCredit {
		return credit(i, reason, approver)
	}
	if i.At != Disputed {
		return nil, stateRefusal(i, "resolve a dispute")
	}
	if slices.ContainsFunc(i.Why, func(w Why) bool { return w.Code == "CURRENCY_MISMATCH" }) {
		return nil, fault.New(fault.Refused, "CURRENCY_MISMATCH", "the carrier has to credit it and invoice in the currency of the charges")
	}
	a := InvoiceApproved{Resolution: how, Reason: reason, Approver: approver}
	switch how {
	case AsExpected:
		return approve(i, a, func(l InvoiceLine) int64 { return l.Expected.Minor })
	case AsInvoiced:
		return approve(i, a, func(l InvoiceLine) int64 { return l.Amount.Minor })
	}
	if agreed.Currency != i.Total.Currency || agreed.Minor < 0 || agreed.Minor > i.Total.Minor {
		return nil, invalid("amount", "AMOUNT_MISMATCH", "must be 0 to %s", i.Total)
	}
	facts, err := approve(i, a, func(InvoiceLine) int64 { return 0 })
	if err != nil {
		return nil, err
	}
	return spread(i, facts, agreed)
}

// spread pays an agreed sum by line in proportion to what was invoiced.
func spread(i Invoice, facts []InvoiceFact, agreed money.Amount) ([]InvoiceFact, error) {
	a := facts[0].(InvoiceApproved)
	weights := make([]Line, len(a.Lines))
	for n, l := range i.Lines {
		weights[n] = Line{Number: n, Weight: max(l.Amount.Minor, 0)}
	}
	parts, err := Allocate(agreed, weights)
	if err != nil {
		return nil, err
	}
	for n := range a.Lines {
		a.Lines[n].Approved = parts[n].Amount
	}
	a.Sum = agreed
	return []InvoiceFact{a}, nil
}

// credit ends an invoice that the carrier takes back, also one that waits or is a duplicate.
func credit(i Invoice, reason, approver string) ([]InvoiceFact, error) {
	if i.At != Disputed && i.At != Unmatched && i.At != Duplicate {
		return nil, stateRefusal(i, "be credited")
	}
	c := InvoiceCredited{ID: i.ID, Number: i.Number, Attempt: i.Attempt, Reason: reason, Approver: approver}
	if i.At == Disputed { // the others gave their claims back when they were decided
		ids := make([]string, len(i.Lines))
		for n, l := range i.Lines {
			ids[n] = l.Freight
		}
		c.Freed = unique(ids)
	}
	return []InvoiceFact{c}, nil
}

func stateRefusal(i Invoice, command string) error {
	return fault.New(fault.Refused, "INVOICE_STATE", "an invoice that is %s cannot %s", i.At, command).
		With("from", string(i.At)).With("command", command)
}

// Post records the ERP's voucher.
func Post(i Invoice, voucher string) ([]InvoiceFact, error) {
	if (i.At == Posted || i.At == Paid) && i.Voucher == voucher {
		return nil, nil
	}
	if i.At != Approved {
		return nil, stateRefusal(i, "be posted")
	}
	return []InvoiceFact{VoucherPosted{i.ID, voucher}}, nil
}

// Pay records the ERP's payment; it must be the sum that was approved.
func Pay(i Invoice, reference string, amount money.Amount) ([]InvoiceFact, error) {
	switch {
	case i.At == Paid && i.Payment == reference && amount == i.Sum:
		return nil, nil
	case i.At != Posted:
		return nil, stateRefusal(i, "be paid")
	case amount != i.Sum:
		return nil, fault.New(fault.Refused, "AMOUNT_MISMATCH", "%s was approved, not %s", i.Sum, amount).With("approved", i.Sum.String())
	}
	return []InvoiceFact{InvoicePaid{i.ID, reference, amount}}, nil
}
