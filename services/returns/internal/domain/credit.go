package domain

import (
	"fmt"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// credit is the credit for all that was accepted and not credited yet, false if nothing is
// due. fee is that of the whole credit; nil: as the policy says.
func (r Return) credit(e Env, fee *money.Amount) (CreditRequested, bool) {
	f := CreditRequested{Keys: r.Keys, Credit: len(r.Credits) + 1, SoldTo: r.SoldTo, At: e.Now}
	var weights []quantity.Decimal
	for _, l := range r.Lines {
		q := r.Creditable(l)
		if q.IsZero() || !l.Priced() {
			continue
		}
		gross := money.Amount{Minor: share(l.Paid.Minor, l.Credited.Add(q), l.Held) - l.Gross, Currency: l.Paid.Currency}
		c := CreditLine{Line: l.Number, OrderLine: l.OrderLine, SKU: l.SKU, Quantity: l.of(q), Gross: gross, Fee: money.Amount{Currency: gross.Currency}}
		if slices.Contains(e.Policy.FeeReasons, l.Reason) {
			c.Fee.Minor = feeOf(gross.Minor, e.Policy.FeePoints)
		}
		f.Lines, weights = append(f.Lines, c), append(weights, quantity.Int(gross.Minor))
	}
	if len(f.Lines) == 0 {
		return f, false
	}
	if fee != nil {
		// A fee of something has goods of something beneath it, so the weights are not all zero.
		if parts, err := fee.Allocate(weights); err == nil {
			for i := range f.Lines {
				f.Lines[i].Fee = parts[i]
			}
		}
	}
	currency := f.Lines[0].Gross.Currency
	f.Gross, f.Fee, f.Net = money.Amount{Currency: currency}, money.Amount{Currency: currency}, money.Amount{Currency: currency}
	for i := range f.Lines {
		l := &f.Lines[i]
		l.Net = money.Amount{Minor: l.Gross.Minor - l.Fee.Minor, Currency: currency}
		f.Gross.Minor, f.Fee.Minor, f.Net.Minor = f.Gross.Minor+l.Gross.Minor, f.Fee.Minor+l.Fee.Minor, f.Net.Minor+l.Net.Minor
	}
	return f, true
}

// RequestCredit asks for what is due.
func (r Return) RequestCredit(e Env, fee *money.Amount) ([]Fact, error) {
	unpriced := slices.IndexFunc(r.Lines, func(l Line) bool { return !l.Priced() && r.Creditable(l).Sign() > 0 })
	f, ok := r.credit(e, nil)
	switch {
	case !ok && unpriced >= 0:
		return nil, fault.New(fault.Refused, "PRICE_UNKNOWN", "the order has no price for line %d", r.Lines[unpriced].OrderLine)
	case !ok:
		return nil, fault.New(fault.Refused, "NOTHING_TO_CREDIT", "nothing that was accepted is left to credit")
	case fee == nil:
		return []Fact{f}, nil
	case fee.Currency != f.Gross.Currency || fee.Minor < 0 || fee.Minor > f.Gross.Minor:
		return nil, invalid("restocking_fee", "FEE_INVALID", fmt.Sprintf("a fee is from 0 to %s", f.Gross))
	}
	if f.Gross.IsZero() {
		return []Fact{f}, nil
	}
	f, _ = r.credit(e, fee)
	return []Fact{f}, nil
}

// ConfirmCredit records the ERP's credit memo. The ERP owns that fact: what contradicts the
// request is kept and marked.
func (r Return) ConfirmCredit(e Env, number int, memo string, amount *money.Amount) []Fact {
	f := CreditConfirmed{Keys: r.Keys, Credit: number, Memo: memo, At: e.Now}
	mark := func(code, format string, args ...any) {
		f.Contradictions = append(f.Contradictions, Reason{Code: code, Field: fmt.Sprintf("credits[%d]", number), Message: fmt.Sprintf(format, args...)})
	}
	if amount != nil {
		f.Amount = *amount
	}
	if number < 1 || number > len(r.Credits) {
		mark("CREDIT_UNKNOWN", "%s is for a credit that was not requested", memo)
		return []Fact{f}
	}
	c := r.Credits[number-1]
	if amount == nil {
		f.Amount = c.Net
	}
	if f.Amount != c.Net {
		mark("CREDIT_AMOUNT_DIFFERS", "%s requested, %s credited by %s", c.Net, f.Amount, memo)
	}
	if !c.Confirmed.IsZero() {
		if c.Memo == memo && len(f.Contradictions) == 0 {
			return nil // told twice
		}
		if c.Memo != memo {
			mark("CREDIT_CONFIRMED_TWICE", "%s by %s, now by %s", c.Net, c.Memo, memo)
		}
	}
	return r.finish([]Fact{f})
}

// open names what is still to be done with goods that arrived, or for them; "" for nothing.
func (r Return) open() string {
	for _, l := range r.Lines {
		switch {
		case !l.uninspected().IsZero():
			return fmt.Sprintf("%s of line %d are not inspected", l.of(l.uninspected()), l.Number)
		case !l.Pending().IsZero():
			return fmt.Sprintf("%s of line %d are not disposed of", l.of(l.Pending()), l.Number)
		case l.Priced() && r.Creditable(l).Sign() > 0:
			return fmt.Sprintf("%s of line %d are not credited", l.of(r.Creditable(l)), l.Number)
		}
	}
	for i, c := range r.Credits {
		if c.Confirmed.IsZero() {
			return fmt.Sprintf("credit %d is not confirmed", i+1)
		}
	}
	return ""
}

// Complete ends a return of which no more is expected than has arrived.
func (r Return) Complete(Env) ([]Fact, error) {
	if err := r.permit("CompleteReturn", Authorised, PartiallyReceived, Received, Inspected); err != nil {
		return nil, err
	}
	if open := r.open(); open != "" {
		return nil, fault.New(fault.Refused, "NOT_FINISHED", "%s", open)
	}
	return []Fact{r.completed()}, nil
}

// completed keeps of the claim what arrived.
func (r Return) completed() Fact {
	f := ReturnCompleted{Keys: r.Keys, ClaimKey: r.ClaimKey, Returnable: r.Returnable}
	f.Kept = r.claimed(func(l Line) Line {
		kept := quantity.Min(l.Received, l.Authorised)
		f.Short = f.Short || kept.Less(l.Authorised)
		l.Authorised = kept
		return l
	})
	return f
}
