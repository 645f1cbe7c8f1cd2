package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// FreightState is where the freight of a shipment stands.
type FreightState string

// States of a freight.
const (
	Unrated   FreightState = "UNRATED"
	Estimated FreightState = "ESTIMATED"
	Accrued   FreightState = "ACCRUED"
	Final     FreightState = "FINAL"
	Settled   FreightState = "SETTLED"
)

// Line is an order line of the shipment: what the cost is allocated to.
type Line struct {
	Number   int              `bson:"n"`
	SKU      string           `bson:"s"`
	Quantity quantity.Decimal `bson:"q"` // base unit
	Weight   int64            `bson:"w,omitempty"`
}

// Allocation is the part of the cost that one order line bears.
type Allocation struct {
	Number int          `bson:"n"`
	SKU    string       `bson:"s"`
	Amount money.Amount `bson:"a"`
}

// Posting is one side of a ledger entry: debit positive, credit negative.
type Posting struct {
	Account string
	Amount  money.Amount
}

// Ledger accounts of the postings.
const (
	Expense  = "FREIGHT_EXPENSE"
	Accrual  = "FREIGHT_ACCRUAL"
	Variance = "FREIGHT_VARIANCE"
	Payable  = "ACCOUNTS_PAYABLE"
)

// Keys are the business keys of a freight.
type Keys struct {
	Freight     string `bson:"f"`
	Shipment    string `bson:"s"`
	Order       string `bson:"o,omitempty"`
	OrderNumber string `bson:"n,omitempty"`
}

// Refs are the numbers under which the carrier invoices.
type Refs struct {
	PRO          string `bson:"p,omitempty"`
	BillOfLading string `bson:"b,omitempty"`
	Tracking     string `bson:"t,omitempty"`
}

// Freight is what one shipment costs; its zero value is "nothing yet".
type Freight struct {
	Keys        Keys         `bson:"k"`
	Refs        Refs         `bson:"r"`
	Basis       Shipment     `bson:"h"` // what it was rated on
	Rating      Rating       `bson:"g"`
	Lines       []Line       `bson:"l,omitempty"`
	Allocations []Allocation `bson:"a,omitempty"`
	Dispatched  time.Time    `bson:"d,omitempty"`
	IsFinal     bool         `bson:"z,omitempty"`
	Open        money.Amount `bson:"o"`           // accrual not reversed yet
	Paid        int64        `bson:"p,omitempty"` // settled so far, minor units of the rating's currency
	Closed      []Claim      `bson:"c,omitempty"` // claims given back: they stay closed
}

// Claim names one attempt of an invoice to claim charges.
type Claim struct {
	Invoice string `bson:"i"`
	Attempt int    `bson:"n"`
}

// maxClosedClaims bounds the claims that are remembered as closed.
const maxClosedClaims = 64

// State derives where the freight stands.
func (f Freight) State() FreightState {
	switch {
	case f.Keys.Freight == "":
		return ""
	case !f.Rating.Rated():
		return Unrated
	case !slices.ContainsFunc(f.Rating.Charges, func(c Charge) bool { return !c.Settled }):
		return Settled
	case f.IsFinal:
		return Final
	case !f.Dispatched.IsZero():
		return Accrued
	}
	return Estimated
}

// FreightFact is what happened to the freight of a shipment.
type FreightFact interface{ isFreightFact() }

// The facts of a freight.
type (
	// FreightEstimated rates it at tender.
	FreightEstimated struct {
		Keys
		Rating Rating
	}
	// FreightAccrued accrues it at dispatch.
	FreightAccrued struct {
		Keys
		Refs
		Basis       Shipment
		Rating      Rating
		Lines       []Line
		Postings    []Posting
		Allocations []Allocation
		At          time.Time
	}
	// FreightFinalised rates it again on what was delivered.
	FreightFinalised struct {
		Keys
		Rating      Rating
		Postings    []Posting
		Allocations []Allocation
	}
	// ChargesClaimed keeps charges for one invoice.
	ChargesClaimed struct {
		Keys
		Claim
		Codes []string
	}
	// ChargesFreed gives them back.
	ChargesFreed struct {
		Keys
		Claim
	}
	// ChargesSettled pays them and reverses their accrual.
	ChargesSettled struct {
		Keys
		Invoice     string
		Charges     []Charge
		Paid        money.Amount // for this invoice
		Postings    []Posting
		Allocations []Allocation // of all that was paid so far
	}
)

func (FreightEstimated) isFreightFact() {}
func (FreightAccrued) isFreightFact()   {}
func (FreightFinalised) isFreightFact() {}
func (ChargesClaimed) isFreightFact()   {}
func (ChargesFreed) isFreightFact()     {}
func (ChargesSettled) isFreightFact()   {}

// EvolveFreight applies one fact.
func EvolveFreight(f Freight, fact FreightFact) Freight {
	switch e := fact.(type) {
	case FreightEstimated:
		f.Keys, f.Rating = e.Keys, e.Rating
	case FreightAccrued:
		f.Keys, f.Refs, f.Rating, f.Lines, f.Allocations = e.Keys, e.Refs, e.Rating, e.Lines, e.Allocations
		f.Dispatched, f.Basis = e.At, e.Basis
		f.Open = accrued(f.Open, e.Postings)
	case FreightFinalised:
		f.Rating, f.Allocations, f.IsFinal = e.Rating, e.Allocations, true
		f.Open = accrued(f.Open, e.Postings)
	case ChargesClaimed:
		f.Rating.Charges = edit(f.Rating.Charges, func(c *Charge) {
			if slices.Contains(e.Codes, c.Code) {
				c.Invoice, c.Attempt = e.Claim.Invoice, e.Attempt
			}
		})
	case ChargesFreed:
		f.Rating.Charges = edit(f.Rating.Charges, func(c *Charge) {
			if c.Invoice == e.Claim.Invoice && c.Attempt == e.Attempt && !c.Settled {
				c.Invoice, c.Attempt = "", 0
			}
		})
		f.Closed = append(slices.Clip(f.Closed), e.Claim)
		if n := len(f.Closed) - maxClosedClaims; n > 0 {
			f.Closed = f.Closed[n:]
		}
	case ChargesSettled:
		f.Rating.Charges = edit(f.Rating.Charges, func(c *Charge) {
			for _, s := range e.Charges {
				if s.Code == c.Code {
					c.Settled, c.Paid, c.Invoice = true, s.Paid, e.Invoice
				}
			}
		})
		f.Allocations, f.Paid = e.Allocations, f.Paid+e.Paid.Minor
		f.Open = accrued(f.Open, e.Postings)
	}
	return f
}

func edit(charges []Charge, each func(*Charge)) []Charge {
	out := slices.Clone(charges)
	for i := range out {
		each(&out[i])
	}
	return out
}

// accrued moves the open accrual by the accrual side of the postings: a credit opens it.
func accrued(open money.Amount, ps []Posting) money.Amount {
	for _, p := range ps {
		if p.Account == Accrual {
			open = money.Amount{Minor: open.Minor - p.Amount.Minor, Currency: p.Amount.Currency}
		}
	}
	return open
}

// ApplyFreight folds facts onto a state.
func ApplyFreight(f Freight, facts ...FreightFact) Freight {
	for _, x := range facts {
		f = EvolveFreight(f, x)
	}
	return f
}

// Estimate rates a shipment at tender; after dispatch it changes nothing.
func Estimate(f Freight, k Keys, r Rating) ([]FreightFact, error) {
	if !f.Dispatched.IsZero() {
		return nil, nil
	}
	return []FreightFact{FreightEstimated{k, r}}, nil
}

// Accrue opens the accrual at dispatch: debit expense, credit accrual.
func Accrue(f Freight, a FreightAccrued) ([]FreightFact, error) {
	if !f.Dispatched.IsZero() {
		return nil, nil
	}
	var err error
	if a.Rating.Rated() {
		a.Postings = entry(Expense, Accrual, a.Rating.Total)
		a.Allocations, err = Allocate(a.Rating.Total, a.Lines)
	}
	return []FreightFact{a}, err
}

// entry debits one account and credits another.
func entry(debit, credit string, a money.Amount) []Posting {
	if a.Minor == 0 {
		return nil
	}
	return []Posting{{debit, a}, {credit, money.Amount{Minor: -a.Minor, Currency: a.Currency}}}
}

// Finalise rates the shipment again on what was delivered and posts the difference.
// Charges that an invoice has claimed stay as that invoice found them.
func Finalise(f Freight, r Rating) ([]FreightFact, error) {
	claimed := slices.ContainsFunc(f.Rating.Charges, func(c Charge) bool { return c.Invoice != "" })
	if f.Dispatched.IsZero() || f.IsFinal {
		return nil, nil
	}
	if claimed || !r.Rated() || f.Rating.Rated() && r.Total.Currency != f.Rating.Total.Currency {
		r = f.Rating
	}
	out := FreightFinalised{Keys: f.Keys, Rating: r, Allocations: f.Allocations}
	if r.Rated() {
		diff := money.Amount{Minor: r.Total.Minor - f.Rating.Total.Minor, Currency: r.Total.Currency}
		out.Postings = entry(Expense, Accrual, diff)
		var err error
		if out.Allocations, err = Allocate(r.Total, f.Lines); err != nil {
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

// ClaimCharges keeps the named charges for one attempt of an invoice. It is refused when
// another invoice has one of them, and when the attempt was closed before it arrived.
// Codes that were not expected are left out: the match finds them missing.
func ClaimCharges(f Freight, c Claim, codes []string) ([]FreightFact, error) {
	switch {
	case slices.Contains(f.Closed, c):
		return nil, fault.New(fault.Refused, "CLAIM_CLOSED", "attempt %d of %s was closed", c.Attempt, c.Invoice)
	case f.Dispatched.IsZero():
		return nil, fault.New(fault.Refused, "NOT_ACCRUED", "shipment %s is not dispatched", f.Keys.Shipment)
	}
	var mine []string
	for _, ch := range f.Rating.Charges {
		if !slices.Contains(codes, ch.Code) {
			continue
		}
		if ch.Invoice != "" && ch.Invoice != c.Invoice {
			return nil, fault.New(fault.Refused, "CHARGE_CLAIMED", "%s of %s is on another invoice", ch.Code, f.Keys.Shipment).
				With("invoice_id", ch.Invoice).With("charge_code", ch.Code)
		}
		mine = append(mine, ch.Code)
	}
	return []FreightFact{ChargesClaimed{f.Keys, c, mine}}, nil
}

// FreeCharges gives a claim back, whether it ever arrived or not, and closes it for good.
func FreeCharges(f Freight, c Claim) ([]FreightFact, error) {
	if slices.Contains(f.Closed, c) {
		return nil, nil
	}
	return []FreightFact{ChargesFreed{f.Keys, c}}, nil
}

// Payment is what an approved invoice pays for one charge.
type Payment struct {
	Code   string
	Amount money.Amount
}

// Settle pays charges of an approved invoice: the accrual of each is reversed, what
// differs from it goes to the variance account, the payable to accounts payable.
func Settle(f Freight, invoice string, payments []Payment) ([]FreightFact, error) {
	out := ChargesSettled{Keys: f.Keys, Invoice: invoice}
	var paid, expected int64
	currency := f.Rating.Total.Currency
	for _, p := range payments {
		currency = p.Amount.Currency
		paid += p.Amount.Minor
		i := slices.IndexFunc(f.Rating.Charges, func(c Charge) bool { return c.Code == p.Code && c.Invoice == invoice })
		if i < 0 {
			continue // an unexpected charge that a resolution pays: all of it is variance
		}
		c := f.Rating.Charges[i]
		if c.Settled {
			return nil, nil
		}
		c.Paid = p.Amount
		expected += c.Amount.Minor
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
	out.Allocations, err = Allocate(money.Amount{Minor: f.Paid + paid, Currency: currency}, f.Lines)
	return []FreightFact{out}, err
}
