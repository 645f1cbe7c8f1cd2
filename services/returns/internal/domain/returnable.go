package domain

import (
	"fmt"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Returnable is what of one order was issued, at which price, and what returns hold of it.
type Returnable struct {
	ID       string       `bson:"id,omitempty"`
	Order    string       `bson:"o,omitempty"` // "" until something was issued
	Number   string       `bson:"no,omitempty"`
	Source   string       `bson:"src,omitempty"`
	SoldTo   string       `bson:"st,omitempty"` // party code
	SoldToID string       `bson:"sti,omitempty"`
	Currency string       `bson:"cur,omitempty"`
	Lines    []IssuedLine `bson:"l,omitempty"` // by number
	Claims   []Claim      `bson:"c,omitempty"` // in the order in which they were made
	Closed   []string     `bson:"x,omitempty"` // keys of claims that are closed for ever
}

// IssuedLine is a line of an order of which something left the warehouse.
type IssuedLine struct {
	Line   int              `bson:"n"`
	Item   string           `bson:"i"`
	SKU    string           `bson:"s"`
	Unit   string           `bson:"u"` // base unit
	Issued quantity.Decimal `bson:"q"`
	Price  Price            `bson:"p"`
	At     time.Time        `bson:"t"` // last issue
}

// Claim is what one return holds of an order.
type Claim struct {
	Key   string        `bson:"k"`
	RMA   string        `bson:"r"`
	Lines []ClaimedLine `bson:"l"`
}

// ClaimedLine is a line of a return as claimed of an order.
type ClaimedLine struct {
	Line      int               `bson:"n"` // of the return
	OrderLine int               `bson:"o"`
	Quantity  quantity.Quantity `bson:"q"`
	Item      string            `bson:"i,omitempty"`
	SKU       string            `bson:"s,omitempty"`
	Paid      money.Amount      `bson:"p,omitempty"` // zero when the price is not known
	IssuedAt  time.Time         `bson:"t,omitempty"`
}

// Wanted is a line of a return before it is claimed.
type Wanted struct {
	Line      int // of the return
	OrderLine int
	Quantity  quantity.Quantity
}

// Bounds of what one order may hold.
const (
	maxClaimedLines = 5_000 // of all returns of an order
	maxClosed       = 1_000 // tombstones; older ones are of claims that nobody drives any more
	maxFields       = 6     // that a refusal names
)

// ItemFact is something that happened to the returnable items of an order.
type ItemFact interface{ itemFact() }

// ItemsIssued says that quantities of an order left the warehouse.
type ItemsIssued struct {
	ID, Order, Number, Source, Release, SoldTo, SoldToID, Currency string

	Lines []IssuedLine // Issued is what this report adds
	At    time.Time
}

// ReturnClaimed says that a return holds quantities.
type ReturnClaimed struct {
	ID, Order string
	Claim     Claim
}

// ClaimReleased says that a claim holds only Lines from here on; none of them: it is closed for ever.
type ClaimReleased struct {
	ID, Order string
	Claim     Claim
}

func (ItemsIssued) itemFact()   {}
func (ReturnClaimed) itemFact() {}
func (ClaimReleased) itemFact() {}

// EvolveItems applies one fact.
func EvolveItems(r Returnable, f ItemFact) Returnable {
	switch f := f.(type) {
	case ItemsIssued:
		r.ID, r.Order, r.Number, r.Source = f.ID, f.Order, f.Number, f.Source
		r.SoldTo, r.SoldToID, r.Currency = f.SoldTo, f.SoldToID, f.Currency
		r.Lines = slices.Clone(r.Lines)
		for _, l := range f.Lines {
			l.At = f.At
			i, found := r.find(l.Line)
			if !found {
				r.Lines = slices.Insert(r.Lines, i, l)
				continue
			}
			r.Lines[i].Issued = r.Lines[i].Issued.Add(l.Issued)
			if l.At.After(r.Lines[i].At) {
				r.Lines[i].At = l.At
			}
		}
	case ItemsIssueReversed:
		r = r.reversed(f)
	case ReturnClaimed:
		r.ID, r.Order = f.ID, f.Order
		r.Claims = append(slices.Clone(r.Claims), f.Claim)
	case ClaimReleased:
		r.ID = f.ID
		r.Claims = slices.DeleteFunc(slices.Clone(r.Claims), func(c Claim) bool { return c.Key == f.Claim.Key })
		if len(f.Claim.Lines) > 0 {
			r.Claims = append(r.Claims, f.Claim)
			break
		}
		r.Closed = append(slices.Clone(r.Closed), f.Claim.Key)
		r.Closed = r.Closed[max(0, len(r.Closed)-maxClosed):]
	}
	return r
}

func (r Returnable) find(line int) (int, bool) {
	return slices.BinarySearchFunc(r.Lines, line, func(l IssuedLine, n int) int { return l.Line - n })
}

// Claim returns the claim with the key.
func (r Returnable) Claim(key string) (Claim, bool) {
	for _, c := range r.Claims {
		if c.Key == key {
			return c, true
		}
	}
	return Claim{}, false
}

// Claimed is what returns hold of a line of the order, and what was paid for that.
func (r Returnable) Claimed(line int) (q quantity.Decimal, paid int64) {
	for _, c := range r.Claims {
		for _, l := range c.Lines {
			if l.OrderLine == line {
				q, paid = q.Add(l.Quantity.Value), paid+l.Paid.Minor
			}
		}
	}
	return q, paid
}

// Paid is what was paid for all that was issued of a line; false when it is not known.
func (l IssuedLine) Paid() (money.Amount, bool) { return l.Price.paid(l.Issued) }

// Issue records what left the warehouse. It is a report: lines without a usable price are kept unpriced.
func (r Returnable) Issue(f ItemsIssued) []ItemFact {
	f.Lines = slices.Clone(f.Lines)
	for i := range f.Lines {
		l := &f.Lines[i]
		total := l.Issued
		if at, found := r.find(l.Line); found {
			l.Price = r.Lines[at].Price // one price a line, as it was first
			total = total.Add(r.Lines[at].Issued)
		}
		if _, ok := l.Price.paid(quantity.Max(total, l.Price.Base)); !ok {
			l.Price = Price{}
		}
	}
	return []ItemFact{f}
}

// Take claims what a return wants, or refuses all of it, naming what is not there.
func (r Returnable) Take(id, key, rma string, wanted []Wanted) ([]ItemFact, error) {
	if slices.Contains(r.Closed, key) {
		return nil, fault.New(fault.Refused, "CLAIM_CLOSED", "the claim was closed before it was made")
	}
	if _, ok := r.Claim(key); ok {
		return nil, nil
	}
	held := len(wanted)
	for _, c := range r.Claims {
		held += len(c.Lines)
	}
	if held > maxClaimedLines {
		return nil, fault.New(fault.Refused, "TOO_MANY_RETURNS", "the order has as many returns as it may have")
	}
	claim := Claim{Key: key, RMA: rma}
	var short *fault.Error
	for i, w := range wanted {
		line, reason, message := r.take(claim, w)
		if reason == "" {
			claim.Lines = append(claim.Lines, line)
			continue
		}
		if short == nil {
			short = fault.New(fault.Refused, reason, "line %d: %s", w.Line, message)
		}
		if len(short.Fields) < maxFields {
			short = short.WithField(fmt.Sprintf("lines[%d].quantity", i), reason, "%s", message)
		}
	}
	if short != nil {
		return nil, short
	}
	return []ItemFact{ReturnClaimed{ID: id, Order: r.Order, Claim: claim}}, nil
}

// take prices one line of a claim that already has others. All claims on a line of the order
// together are worth what was paid for their quantity, so no rounding adds up to more.
func (r Returnable) take(with Claim, w Wanted) (line ClaimedLine, reason, message string) {
	i, found := r.find(w.OrderLine)
	if !found || r.Lines[i].Issued.IsZero() {
		return line, "LINE_NOT_ISSUED", fmt.Sprintf("nothing of line %d of the order was issued", w.OrderLine)
	}
	issued := r.Lines[i]
	if f := check(w.Quantity, issued.Unit, ""); f != nil {
		known, _ := fault.As(f)
		return line, known.Reason, known.Message
	}
	q, paid := r.Claimed(w.OrderLine)
	for _, l := range with.Lines {
		if l.OrderLine == w.OrderLine {
			q, paid = q.Add(l.Quantity.Value), paid+l.Paid.Minor
		}
	}
	if available := issued.Issued.Sub(q); available.Less(w.Quantity.Value) {
		return line, "QUANTITY_EXCEEDS_ISSUED", fmt.Sprintf("available %s %s", quantity.Max(available, quantity.Decimal{}), issued.Unit)
	}
	line = ClaimedLine{
		Line: w.Line, OrderLine: w.OrderLine, Quantity: w.Quantity, Item: issued.Item, SKU: issued.SKU, IssuedAt: issued.At,
	}
	if total, ok := issued.Price.paid(q.Add(w.Quantity.Value)); ok {
		line.Paid = money.Amount{Minor: max(0, total.Minor-paid), Currency: total.Currency}
	}
	return line, "", ""
}

// Release gives back what a claim holds beyond the kept lines. It always commits: without
// kept lines a claim that was never made is closed, too, and can never be made.
func (r Returnable) Release(id, key, rma string, kept []ClaimedLine) []ItemFact {
	if slices.Contains(r.Closed, key) {
		return nil
	}
	if _, ok := r.Claim(key); !ok && len(kept) > 0 {
		return nil // nothing is held that could be kept
	}
	return []ItemFact{ClaimReleased{ID: id, Order: r.Order, Claim: Claim{Key: key, RMA: rma, Lines: kept}}}
}
