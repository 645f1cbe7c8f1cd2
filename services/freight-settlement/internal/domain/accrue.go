package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Estimate rates a shipment at tender. After dispatch, and after a newer tender or
// cancellation, it changes nothing.
func Estimate(f Freight, e FreightEstimated) ([]FreightFact, error) {
	if !f.Dispatched.IsZero() || e.Revision <= max(f.TenderRev, f.CancelRev) {
		return nil, nil
	}
	e.Rating = f.inBooks(e.Rating)
	return []FreightFact{e}, nil
}

// Accrue opens the accrual at dispatch: debit expense, credit accrual. A cancellation that
// is newer than the dispatch stands.
func Accrue(f Freight, a FreightAccrued) ([]FreightFact, error) {
	if !f.Dispatched.IsZero() || a.Revision <= f.CancelRev {
		return nil, nil
	}
	return accrue(f, a)
}

func accrue(f Freight, a FreightAccrued) ([]FreightFact, error) {
	var err error
	a.Rating = f.inBooks(a.Rating)
	if a.Rating.Rated() {
		a.Postings = entry(Expense, Accrual, a.Rating.Total)
	}
	if c := cost(f.Paid, accrued(f.Open, a.Postings)); c.Currency != "" {
		a.Allocations, err = Allocate(c, a.Lines)
	}
	return []FreightFact{a}, err
}

// books is the currency of what invoices have of the freight or were paid, "" if they have nothing.
func (f Freight) books() string {
	if len(f.Others) > 0 {
		return f.Others[0].Invoiced.Currency
	}
	return f.Paid.Currency
}

// inBooks is a rating, as one that covers nothing when it is in another currency than what
// invoices have already: a freight's books are in one.
func (f Freight) inBooks(r Rating) Rating {
	if c := f.books(); r.Rated() && c != "" && c != r.Total.Currency {
		return Rating{
			Carrier: r.Carrier, Service: r.Service, Weight: r.Weight, At: r.At,
			Why: []Why{{Code: "CURRENCY_MISMATCH", Message: "rated in " + r.Total.Currency + ", invoiced in " + c}},
		}
	}
	return r
}

// cost is what a freight costs so far: what was paid and what is still accrued.
func cost(paid, open money.Amount) money.Amount {
	currency := open.Currency
	if currency == "" {
		currency = paid.Currency
	}
	return money.Amount{Minor: paid.Minor + open.Minor, Currency: currency}
}

// Rerate gives a freight that no rate covered the rate that covers it now.
func Rerate(f Freight, r Rating) ([]FreightFact, error) {
	switch {
	case !f.WaitsForRate() || !f.inBooks(r).Rated():
		return nil, nil
	}
	basis := f.Basis
	basis.WeightGrams = r.Weight
	if f.Dispatched.IsZero() {
		return []FreightFact{FreightEstimated{f.Keys, basis, r, f.TenderRev}}, nil
	}
	return accrue(f, FreightAccrued{
		Keys: f.Keys, Refs: f.Refs, Basis: basis, Rating: r, Lines: f.Lines, At: f.Dispatched, Revision: f.DispatchRev,
	})
}

// entry debits one account and credits another.
func entry(debit, credit string, a money.Amount) []Posting {
	if a.Minor == 0 {
		return nil
	}
	return []Posting{{debit, a}, {credit, money.Amount{Minor: -a.Minor, Currency: a.Currency}}}
}

// Finalise rates the shipment again on what was delivered and posts the difference.
// Charges that an invoice has claimed stay as that invoice found them; TrueUp follows if it
// gives them back. A delivery that is heard of before its dispatch leaves the weight that
// the dispatch will be rated on.
func Finalise(f Freight, k Keys, delivered int64, r Rating) ([]FreightFact, error) {
	if f.IsFinal {
		return nil, nil
	}
	if f.Keys.Order != "" {
		k = f.Keys
	}
	return finalise(f, k, delivered, r)
}

// NeedsTrueUp reports whether charges that were claimed at delivery, and are free now, were
// rated on another weight than was delivered. What is not dispatched yet will be rated on it.
func (f Freight) NeedsTrueUp() bool {
	return f.IsFinal && !f.IsReversed && !f.Dispatched.IsZero() && f.Rating.Rated() && f.Delivered > 0 && f.Delivered != f.Rating.Weight && !f.isClaimed()
}

// TrueUp rates what was delivered once no invoice has a charge any more.
func TrueUp(f Freight, r Rating) ([]FreightFact, error) {
	if !f.NeedsTrueUp() || !r.Rated() {
		return nil, nil
	}
	return finalise(f, f.Keys, f.Delivered, r)
}

func finalise(f Freight, k Keys, delivered int64, r Rating) ([]FreightFact, error) {
	r = f.inBooks(r)
	out := FreightFinalised{Keys: k, Delivered: delivered, Rating: f.Rating, Allocations: f.Allocations}
	switch {
	case f.Dispatched.IsZero(), f.IsReversed:
	case !f.Rating.Rated() && !r.Rated():
		out.Rating = r
	case f.isClaimed(), !r.Rated(), f.Rating.Rated() && r.Total.Currency != f.Rating.Total.Currency:
	default:
		out.Rating = r
		out.Postings = entry(Expense, Accrual, money.Amount{Minor: r.Total.Minor - f.Rating.Total.Minor, Currency: r.Total.Currency})
		var err error
		if out.Allocations, err = Allocate(cost(f.Paid, accrued(f.Open, out.Postings)), f.Lines); err != nil {
			return nil, err
		}
	}
	return []FreightFact{out}, nil
}

// isClaimed reports whether an invoice has or was paid one of the expected charges.
func (f Freight) isClaimed() bool {
	return slices.ContainsFunc(f.Rating.Charges, func(c Charge) bool { return c.Invoice != "" || c.Settled })
}

// Reverse takes back the accrual of a shipment that was called off: debit accrual, credit
// expense. A dispatch that is newer than the cancellation stands.
func Reverse(f Freight, of Of, reason string, revision int64) ([]FreightFact, error) {
	if revision <= max(f.CancelRev, f.DispatchRev) {
		return nil, nil
	}
	out := FreightReversed{Of: of, Reason: reason, Revision: revision, Postings: entry(Accrual, Expense, f.Open)}
	if f.Paid.Currency != "" {
		var err error
		if out.Allocations, err = Allocate(f.Paid, f.Lines); err != nil {
			return nil, err
		}
	}
	return []FreightFact{out}, nil
}

// Allocate splits a cost over the lines by weight, by quantity where no line has a
// weight; the parts add up to the cost exactly.
func Allocate(total money.Amount, lines []Line) ([]Allocation, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	weights, quantities := make([]quantity.Decimal, len(lines)), make([]quantity.Decimal, len(lines))
	byWeight := false
	for i, l := range lines {
		weights[i], quantities[i] = quantity.Int(l.Weight), l.Quantity
		byWeight = byWeight || l.Weight > 0
	}
	if !byWeight {
		weights = quantities
	}
	if !slices.ContainsFunc(weights, func(w quantity.Decimal) bool { return w.Sign() > 0 }) {
		weights = slices.Repeat([]quantity.Decimal{quantity.Int(1)}, len(lines))
	}
	parts, err := total.Allocate(weights)
	if err != nil {
		return nil, err
	}
	out := make([]Allocation, len(lines))
	for i, l := range lines {
		out[i] = Allocation{l.Number, l.SKU, parts[i]}
	}
	return out, nil
}
