package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Return is one return merchandise authorisation with all that became of it. The two axes
// of a line, reception and acceptance, and the state of the whole follow from quantities.
type Return struct {
	Keys       `bson:",inline"`
	Source     string    `bson:"src,omitempty"`
	Requested  time.Time `bson:"req,omitempty"` // zero: goods came under a return that nobody asked for
	ClaimKey   string    `bson:"ck,omitempty"`
	Returnable string    `bson:"rtb,omitempty"`
	SoldTo     string    `bson:"st,omitempty"`
	SoldToID   string    `bson:"sti,omitempty"`
	Site       string    `bson:"site,omitempty"`
	Held       bool      `bson:"held,omitempty"` // the claim is made

	Authorised   time.Time `bson:"aut,omitempty"`
	AuthorisedBy string    `bson:"aby,omitempty"`
	Denied       bool      `bson:"den,omitempty"`
	Cancelled    bool      `bson:"can,omitempty"`
	Completed    bool      `bson:"com,omitempty"`

	Reasons []Reason `bson:"rs,omitempty"` // of the denial
	Marks   []Reason `bson:"mk,omitempty"` // contradictions to clear, the newest
	Lines   []Line   `bson:"l,omitempty"`  // by number
	Credits []Credit `bson:"cr,omitempty"` // by number, from 1

	// What systems said by commands that others own, the last of it.
	Heard []authority.Heard `bson:"hd,omitempty"`
}

// Keys name a return in each fact.
type Keys struct {
	ID          string `bson:"id,omitempty"`
	Number      string `bson:"no,omitempty"` // for people
	Order       string `bson:"o,omitempty"`
	OrderNumber string `bson:"on,omitempty"`
}

// Line is one line of a return, quantities in its base unit.
type Line struct {
	Number    int    `bson:"n"`
	OrderLine int    `bson:"o,omitempty"` // 0: it came unasked
	Item      string `bson:"i,omitempty"`
	SKU       string `bson:"s,omitempty"`
	Unit      string `bson:"u"`
	Reason    string `bson:"r,omitempty"` // the customer's
	Note      string `bson:"nt,omitempty"`

	Requested  quantity.Decimal `bson:"rq,omitempty"`
	Held       quantity.Decimal `bson:"hd,omitempty"` // by the claim as it was made: what Paid is for
	Authorised quantity.Decimal `bson:"au,omitempty"`
	Received   quantity.Decimal `bson:"rc,omitempty"`
	Accepted   quantity.Decimal `bson:"ac,omitempty"`
	Rejected   quantity.Decimal `bson:"rj,omitempty"`
	Disposed   Disposed         `bson:"d,omitempty"`
	Places     []Place          `bson:"p,omitempty"` // where the rest stands

	Credited quantity.Decimal `bson:"cq,omitempty"` // accepted quantity that credits cover
	Gross    int64            `bson:"cg,omitempty"` // minor units of Paid's currency that credits cover, before fees
	Paid     money.Amount     `bson:"pd,omitempty"` // for Held; without currency the price is not known
	IssuedAt time.Time        `bson:"ia,omitempty"`
	Grade    string           `bson:"g,omitempty"`
	Finding  string           `bson:"f,omitempty"`
}

// Disposed is what of a line became of which disposition.
type Disposed struct {
	Restocked   quantity.Decimal `bson:"r,omitempty"`
	Quarantined quantity.Decimal `bson:"q,omitempty"`
	Scrapped    quantity.Decimal `bson:"s,omitempty"`
	ToVendor    quantity.Decimal `bson:"v,omitempty"`
	ToCustomer  quantity.Decimal `bson:"c,omitempty"`
}

// Sum is all that is disposed of.
func (d Disposed) Sum() quantity.Decimal {
	return quantity.Sum(d.Restocked, d.Quarantined, d.Scrapped, d.ToVendor, d.ToCustomer)
}

// Stand is where goods stand in inventory.
type Stand struct {
	Stock    string `bson:"k"`
	Site     string `bson:"s"`
	Item     string `bson:"i"`
	SKU      string `bson:"u"`
	Owner    string `bson:"o,omitempty"`
	Location string `bson:"l,omitempty"`
	Lot      string `bson:"t,omitempty"`
	Expiry   string `bson:"e,omitempty"` // YYYY-MM-DD
	Status   string `bson:"st,omitempty"`
}

// Place is a quantity that stands somewhere.
type Place struct {
	Stand    `bson:",inline"`
	Quantity quantity.Decimal `bson:"q"`
}

// Credit is one credit asked of the ERP.
type Credit struct {
	Lines     []CreditLine `bson:"l"`
	Gross     money.Amount `bson:"g"`
	Fee       money.Amount `bson:"f"`
	Net       money.Amount `bson:"n"`
	Requested time.Time    `bson:"r"`
	Memo      string       `bson:"m,omitempty"` // the ERP's
	Confirmed time.Time    `bson:"c,omitempty"`
}

// CreditLine is one line of a credit.
type CreditLine struct {
	Line      int               `bson:"n"`
	OrderLine int               `bson:"o"`
	SKU       string            `bson:"s"`
	Quantity  quantity.Quantity `bson:"q"`
	Gross     money.Amount      `bson:"g"`
	Fee       money.Amount      `bson:"f"`
	Net       money.Amount      `bson:"t"`
}

// State is where a return stands; it follows from facts, nobody sets it.
type State string

// The states of a return.
const (
	Requested         State = "REQUESTED"
	Authorised        State = "AUTHORISED"
	Denied            State = "DENIED"
	PartiallyReceived State = "PARTIALLY_RECEIVED"
	Received          State = "RECEIVED"
	Inspected         State = "INSPECTED"
	Completed         State = "COMPLETED"
	Cancelled         State = "CANCELLED"
	Unexpected        State = "UNEXPECTED"
)

// State returns where the return stands.
func (r Return) State() State {
	switch {
	case r.Completed:
		return Completed
	case r.Cancelled:
		return Cancelled
	case r.Denied:
		return Denied
	case r.Requested.IsZero():
		return Unexpected
	case r.Authorised.IsZero():
		return Requested
	case !r.anyReceived():
		return Authorised
	case slices.ContainsFunc(r.Lines, func(l Line) bool { return l.Received.Less(l.Authorised) }):
		return PartiallyReceived
	case r.allInspected():
		return Inspected
	}
	return Received
}

// over reports whether the return has ended: what arrives for it now is kept, but not authorised.
func (r Return) over() bool { return r.Completed || r.Cancelled || r.Denied }

func (r Return) anyReceived() bool {
	return slices.ContainsFunc(r.Lines, func(l Line) bool { return !l.Received.IsZero() })
}

func (r Return) allInspected() bool {
	return !slices.ContainsFunc(r.Lines, func(l Line) bool { return !l.uninspected().IsZero() })
}

// Pending arrived and is not disposed of.
func (l Line) Pending() quantity.Decimal { return l.Received.Sub(l.Disposed.Sum()) }

func (l Line) uninspected() quantity.Decimal { return l.Received.Sub(l.Accepted).Sub(l.Rejected) }

// Creditable was accepted of a line within what was authorised and is not credited yet; nothing
// once the return is over, because what it does not need of its claim is free for others.
func (r Return) Creditable(l Line) quantity.Decimal {
	if r.over() {
		return quantity.Decimal{}
	}
	return quantity.Max(quantity.Min(l.Accepted, l.Authorised).Sub(l.Credited), quantity.Decimal{})
}

// Priced reports whether it is known what was paid.
func (l Line) Priced() bool { return l.Paid.Currency != "" }

// Reception says how much of a line has arrived.
func (r Return) Reception(l Line) string {
	ended := r.Denied || r.Cancelled
	switch {
	case l.OrderLine == 0 || l.Authorised.Less(l.Received):
		return "EXCESS"
	case ended:
		return "CANCELLED"
	case r.Completed && l.Received.Less(l.Requested):
		return "SHORT"
	case l.Received.IsZero():
		return "AWAITING"
	case l.Received.Less(l.Authorised):
		return "PARTIALLY_RECEIVED"
	}
	return "RECEIVED"
}

// Acceptance says what inspection made of what arrived of a line.
func (l Line) Acceptance() string {
	switch {
	case l.Received.IsZero() || !l.uninspected().IsZero():
		return "PENDING"
	case l.Rejected.IsZero():
		return "ACCEPTED"
	case l.Accepted.IsZero():
		return "REJECTED"
	}
	return "PARTIALLY_ACCEPTED"
}

// Resolution says how far the money for a line is.
func (r Return) Resolution(l Line) string {
	switch {
	case l.Priced() && r.Creditable(l).Sign() > 0:
		return "PENDING"
	case l.Credited.IsZero():
		return "NONE"
	}
	for _, c := range r.Credits {
		if c.Confirmed.IsZero() && slices.ContainsFunc(c.Lines, func(cl CreditLine) bool { return cl.Line == l.Number }) {
			return "PENDING"
		}
	}
	return "DONE"
}

// find returns the index of the line with the number.
func (r Return) find(number int) (int, bool) {
	return slices.BinarySearchFunc(r.Lines, number, func(l Line, n int) int { return l.Number - n })
}
