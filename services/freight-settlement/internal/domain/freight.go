package domain

import (
	"slices"
	"time"

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
	Reversed  FreightState = "REVERSED"
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

// Of are the keys that facts about an existing freight carry.
type Of struct{ Freight, Shipment string }

// Refs are the numbers under which the carrier invoices.
type Refs struct {
	PRO          string `bson:"p,omitempty"`
	BillOfLading string `bson:"b,omitempty"`
	Tracking     string `bson:"t,omitempty"`
}

// Reported are the numbers that a later report of the departure names.
type Reported struct {
	Refs     Refs   `bson:"r"`
	Carrier  string `bson:"c,omitempty"` // whose they are; empty: the freight's carrier's
	Revision int64  `bson:"v"`
}

// Freight is what one shipment costs; its zero value is "nothing yet". The revisions are the
// places of the shipment's facts in its own history: facts may arrive in any order.
type Freight struct {
	Keys        Keys         `bson:"k"`
	Refs        Refs         `bson:"r"`           // of the dispatch
	Reported    []Reported   `bson:"y,omitempty"` // by revision
	Basis       Shipment     `bson:"h"`           // what it was rated on; its weight is the rating's
	Rating      Rating       `bson:"g"`
	Others      []Charge     `bson:"x,omitempty"` // charges on invoices that nobody expected
	Lines       []Line       `bson:"l,omitempty"`
	Allocations []Allocation `bson:"a,omitempty"`
	Dispatched  time.Time    `bson:"d,omitempty"`
	IsFinal     bool         `bson:"z,omitempty"`
	Delivered   int64        `bson:"w,omitempty"` // grams, once that is known
	IsReversed  bool         `bson:"v,omitempty"`
	TenderRev   int64        `bson:"rt,omitempty"`
	DispatchRev int64        `bson:"rd,omitempty"`
	CancelRev   int64        `bson:"rc,omitempty"`
	Open        money.Amount `bson:"o"`           // accrual not reversed yet
	Paid        money.Amount `bson:"p"`           // settled so far, by all invoices
	Closed      []Claim      `bson:"c,omitempty"` // claims given back: they stay closed
}

// Claim names one attempt of an invoice to claim charges.
type Claim struct {
	Invoice string `bson:"i"`
	Attempt int    `bson:"n"`
}

// Bounds of what a freight remembers.
const (
	maxClosedClaims = 64
	maxOthers       = 200
)

// State derives where the freight stands.
func (f Freight) State() FreightState {
	switch {
	case f.Keys.Freight == "":
		return ""
	case f.IsReversed:
		return Reversed
	case !f.Rating.Rated():
		return Unrated
	case f.Dispatched.IsZero():
		return Estimated
	case !slices.ContainsFunc(f.Rating.Charges, func(c Charge) bool { return !c.Settled }):
		return Settled
	case f.IsFinal:
		return Final
	}
	return Accrued
}

// Weight is what counts for its rate: what was delivered, once that is known, else what the
// shipment's fact says.
func (f Freight) Weight(told int64) int64 {
	if f.Delivered > 0 {
		return f.Delivered
	}
	return told
}

// WaitsForRate reports whether a rate card that is published later would rate it.
func (f Freight) WaitsForRate() bool {
	return f.State() == Unrated && f.Basis.Carrier != ""
}

// FreightFact is what happened to the freight of a shipment.
type FreightFact interface{ isFreightFact() }

// The facts of a freight.
type (
	// FreightEstimated rates it at tender.
	FreightEstimated struct {
		Keys
		Basis    Shipment
		Rating   Rating
		Revision int64
	}
	// FreightAccrued accrues it at dispatch, or later when a rate comes.
	FreightAccrued struct {
		Keys
		Refs
		Basis       Shipment
		Rating      Rating
		Lines       []Line
		Postings    []Posting
		Allocations []Allocation
		At          time.Time
		Revision    int64
	}
	// FreightFinalised rates it again on what was delivered.
	FreightFinalised struct {
		Keys
		Delivered   int64
		Rating      Rating
		Postings    []Posting
		Allocations []Allocation
	}
	// FreightReferenced adds numbers by which its carrier may invoice it.
	FreightReferenced struct {
		Of
		Reported
	}
	// FreightReversed takes back what was accrued and not settled.
	FreightReversed struct {
		Of
		Reason      string
		Postings    []Posting
		Allocations []Allocation
		Revision    int64
	}
	// ChargesClaimed keeps charges for one invoice.
	ChargesClaimed struct {
		Of
		Claim
		Charges []Claimed
	}
	// ChargesFreed gives them back.
	ChargesFreed struct {
		Of
		Claim
	}
	// ChargesSettled pays them and reverses their accrual.
	ChargesSettled struct {
		Of
		Invoice     string
		Charges     []Charge
		Paid        money.Amount // for this invoice
		Postings    []Posting
		Allocations []Allocation // of all that it costs so far
	}
)

// Claimed is one charge as an invoice claims it.
type Claimed struct {
	Code       string
	Invoiced   money.Amount
	Unexpected bool
}

func (FreightEstimated) isFreightFact()  {}
func (FreightAccrued) isFreightFact()    {}
func (FreightFinalised) isFreightFact()  {}
func (FreightReferenced) isFreightFact() {}
func (FreightReversed) isFreightFact()   {}
func (ChargesClaimed) isFreightFact()    {}
func (ChargesFreed) isFreightFact()      {}
func (ChargesSettled) isFreightFact()    {}

// EvolveFreight applies one fact.
func EvolveFreight(f Freight, fact FreightFact) Freight {
	switch e := fact.(type) {
	case FreightEstimated:
		// It is newer than a cancellation before it: the shipment is to go after all.
		f.Keys, f.Basis, f.Rating, f.TenderRev, f.IsReversed = e.Keys, e.Basis, e.Rating, e.Revision, false
	case FreightAccrued:
		f.Keys, f.Refs, f.Rating, f.Lines, f.Allocations = e.Keys, e.Refs, e.Rating, e.Lines, e.Allocations
		f.Dispatched, f.Basis, f.DispatchRev, f.IsReversed = e.At, e.Basis, e.Revision, false
		f.Open = accrued(f.Open, e.Postings)
	case FreightFinalised:
		f.Keys, f.Rating, f.Allocations, f.IsFinal, f.Delivered = e.Keys, e.Rating, e.Allocations, true, e.Delivered
		f.Open = accrued(f.Open, e.Postings)
	case FreightReferenced:
		f.Keys.Freight, f.Keys.Shipment = e.Freight, e.Shipment
		if at, known := f.report(e.Revision); !known {
			f.Reported = slices.Insert(slices.Clone(f.Reported), at, e.Reported)
		}
	case FreightReversed:
		f.Keys.Freight, f.Keys.Shipment = e.Freight, e.Shipment
		f.Rating.Charges, f.Others = cutOff(f.Rating.Charges, f.Others)
		f.Rating.Total.Minor = 0
		for _, c := range f.Rating.Charges {
			f.Rating.Total.Minor += c.Amount.Minor
		}
		f.Allocations, f.IsReversed, f.CancelRev = e.Allocations, true, e.Revision
		f.Open = accrued(f.Open, e.Postings)
	case ChargesClaimed:
		f.Rating.Charges, f.Others = claimed(f.Rating.Charges, f.Others, e)
	case ChargesFreed:
		f.Rating.Charges, f.Others = freed(f.Rating.Charges, f.Others, e.Claim)
		f.Closed = append(slices.Clip(f.Closed), e.Claim)
		if n := len(f.Closed) - maxClosedClaims; n > 0 {
			f.Closed = f.Closed[n:]
		}
	case ChargesSettled:
		f.Rating.Charges, f.Others = settled(f.Rating.Charges, e), settled(f.Others, e)
		f.Allocations = e.Allocations
		f.Paid = money.Amount{Minor: f.Paid.Minor + e.Paid.Minor, Currency: e.Paid.Currency}
		f.Open = accrued(f.Open, e.Postings)
	}
	return f
}

// cutOff keeps the charges that were settled; what an invoice has claimed is no longer expected.
func cutOff(charges, others []Charge) (kept, rest []Charge) {
	rest = slices.Clone(others)
	for _, c := range charges {
		switch {
		case c.Settled:
			kept = append(kept, c)
		case c.Invoice != "":
			c.Amount.Minor = 0
			rest = append(rest, c)
		}
	}
	return kept, rest
}

func claimed(charges, others []Charge, e ChargesClaimed) ([]Charge, []Charge) {
	charges, others = slices.Clone(charges), slices.Clone(others)
	take := func(c *Charge, q Claimed) { c.Invoice, c.Attempt, c.Invoiced = e.Claim.Invoice, e.Attempt, q.Invoiced }
	for _, q := range e.Charges {
		if !q.Unexpected {
			others = slices.DeleteFunc(others, func(c Charge) bool { return c.Code == q.Code && c.Invoice == e.Claim.Invoice && !c.Settled })
			if i := slices.IndexFunc(charges, func(c Charge) bool { return c.Code == q.Code }); i >= 0 {
				take(&charges[i], q)
			}
			continue
		}
		i := find(others, q.Code, e.Claim.Invoice)
		if i < 0 {
			i = len(others)
			others = append(others, Charge{Code: q.Code, Amount: money.Amount{Currency: q.Invoiced.Currency}})
		}
		take(&others[i], q)
	}
	return charges, others
}

// freed gives back what the attempt and those before it have.
func freed(charges, others []Charge, claim Claim) ([]Charge, []Charge) {
	is := func(c Charge) bool { return c.Invoice == claim.Invoice && c.Attempt <= claim.Attempt && !c.Settled }
	charges = slices.Clone(charges)
	for i := range charges {
		if is(charges[i]) {
			charges[i].Invoice, charges[i].Attempt, charges[i].Invoiced = "", 0, money.Amount{}
		}
	}
	return charges, slices.DeleteFunc(slices.Clone(others), is)
}

func settled(charges []Charge, e ChargesSettled) []Charge {
	out := slices.Clone(charges)
	for _, s := range e.Charges {
		if i := find(out, s.Code, e.Invoice); i >= 0 {
			out[i].Settled, out[i].Paid = true, s.Paid
		}
	}
	return out
}

// find returns the place of an invoice's charge, -1 if there is none.
func find(charges []Charge, code, invoice string) int {
	return slices.IndexFunc(charges, func(c Charge) bool { return c.Code == code && c.Invoice == invoice })
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
