package checker

import (
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	fsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
)

// accrual is the account whose balance is what is still owed.
const accrual = "FREIGHT_ACCRUAL"

// sum adds amounts up; all must be in one currency.
func sum[T any](parts []T, of func(T) *commonv1.Money, bad func(string, ...any)) (total int64, currency string) {
	for _, p := range parts {
		m := of(p)
		if m == nil {
			continue
		}
		if currency == "" {
			currency = m.GetCurrency()
		} else if m.GetCurrency() != currency {
			bad("adds %s to %s", m.GetCurrency(), currency)
		}
		total += m.GetAmountMinor()
	}
	return total, currency
}

// freight checks the books of one shipment's freight (I3): charges are their total, postings
// balance, allocations are what was paid and what is still accrued, to the minor unit, and no
// charge is paid twice.
func (c *checker) freight(facts [][]*fact) {
	var open, paid int64
	settled := map[string]string{} // charge and invoice → the fact
	for _, of := range facts {
		for _, f := range of {
			bad := func(format string, args ...any) { c.report.add("I3", Aggregate, f.where()+" "+f.id, format, args...) }
			if m, ok := f.msg.(interface{ GetRating() *fsv1.Rating }); ok {
				r := m.GetRating()
				if total, _ := sum(r.GetCharges(), (*fsv1.Charge).GetAmount, bad); total != r.GetTotal().GetAmountMinor() {
					bad("charges of %d are said to be %d", total, r.GetTotal().GetAmountMinor())
				}
			}
			if m, ok := f.msg.(interface{ GetPostings() []*fsv1.Posting }); ok {
				if total, _ := sum(m.GetPostings(), (*fsv1.Posting).GetAmount, bad); total != 0 {
					bad("postings are out of balance by %d", total)
				}
				for _, p := range m.GetPostings() {
					if p.GetAccount() == accrual {
						open -= p.GetAmount().GetAmountMinor()
					}
				}
			}
			if m, ok := f.msg.(*fsv1.ChargesSettled); ok {
				paid += m.GetPaid().GetAmountMinor()
				total, _ := sum(m.GetCharges(), (*fsv1.Charge).GetSettled, bad)
				if total != m.GetPaid().GetAmountMinor() {
					bad("charges of %d were settled with %d", total, m.GetPaid().GetAmountMinor())
				}
				for _, ch := range m.GetCharges() {
					key := ch.GetCode() + " " + m.GetInvoiceId()
					if first, again := settled[key]; again {
						bad("%s is paid, which %s paid before", key, first)
					}
					settled[key] = f.id
				}
			}
			if m, ok := f.msg.(interface{ GetAllocations() []*fsv1.CostAllocation }); ok && len(m.GetAllocations()) > 0 {
				if total, _ := sum(m.GetAllocations(), (*fsv1.CostAllocation).GetAmount, bad); total != open+paid {
					bad("%d are allocated of %d paid and %d accrued", total, paid, open)
				}
			}
		}
	}
}

// invoice checks one carrier's invoice (I3): no more is approved than its lines allow, and
// what is paid, once, is what was approved.
func (c *checker) invoice(facts [][]*fact) {
	var received *fsv1.FreightInvoiceReceived
	var approved *commonv1.Money
	payments := 0
	for _, of := range facts {
		for _, f := range of {
			bad := func(format string, args ...any) { c.report.add("I3", Aggregate, f.where()+" "+f.id, format, args...) }
			switch m := f.msg.(type) {
			case *fsv1.FreightInvoiceReceived:
				received = m
				if total, _ := sum(m.GetLines(), (*fsv1.FreightInvoiceLine).GetAmount, bad); total != m.GetTotal().GetAmountMinor() {
					bad("lines of %d are said to be %d", total, m.GetTotal().GetAmountMinor())
				}
			case *fsv1.FreightInvoiceApproved:
				if approved != nil {
					bad("is approved again")
				}
				approved = m.GetApproved()
				approval(m, received, bad)
			case *fsv1.FreightInvoicePaid:
				payments++
				if payments > 1 {
					bad("is paid again")
				}
				if m.GetAmount().GetAmountMinor() != approved.GetAmountMinor() || m.GetAmount().GetCurrency() != approved.GetCurrency() {
					bad("%v is paid of %v approved", m.GetAmount(), approved)
				}
			}
		}
	}
}

// approval checks what is to be paid by line.
func approval(m *fsv1.FreightInvoiceApproved, received *fsv1.FreightInvoiceReceived, bad func(string, ...any)) {
	total, _ := sum(m.GetLines(), (*fsv1.FreightInvoiceLine).GetApproved, bad)
	if total != m.GetApproved().GetAmountMinor() {
		bad("lines of %d are approved as %d", total, m.GetApproved().GetAmountMinor())
	}
	if len(m.GetLines()) != len(received.GetLines()) {
		bad("%d lines are approved of %d", len(m.GetLines()), len(received.GetLines()))
		return
	}
	for i, l := range m.GetLines() {
		pays, asked, expected := l.GetApproved().GetAmountMinor(), received.GetLines()[i].GetAmount().GetAmountMinor(), l.GetExpected().GetAmountMinor()
		switch {
		case m.GetResolution() == fsv1.DisputeResolution_DISPUTE_RESOLUTION_UNSPECIFIED && !l.GetWithinTolerance():
			bad("line %d is approved by itself, beyond tolerance", i+1)
		case m.GetResolution() == fsv1.DisputeResolution_DISPUTE_RESOLUTION_UNSPECIFIED && pays != asked:
			bad("line %d is approved with %d of %d invoiced", i+1, pays, asked)
		case pays > max(asked, expected):
			bad("line %d is approved with %d, beyond %d invoiced and %d expected", i+1, pays, asked, expected)
		}
	}
}
