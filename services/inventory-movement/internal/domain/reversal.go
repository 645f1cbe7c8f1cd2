package domain

import (
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// A goods issue is reversed in whole cartons. The warehouse asks for it, which changes nothing; the
// order and the shipment say whether they let it; with the second yes the goods are back in packing,
// with the first no the goods issue stays.

// ReversalParty is who has to let a goods issue be reversed.
type ReversalParty string

// Who is asked.
const (
	PartyOrder    ReversalParty = "ORDER"
	PartyShipment ReversalParty = "SHIPMENT"
)

// ReversalState is where a reversal stands.
type ReversalState string

// States of a reversal.
const (
	ReversalAsked   ReversalState = "REQUESTED"
	ReversalDone    ReversalState = "DONE"
	ReversalRefused ReversalState = "REFUSED"
)

// Reversal is the last one that was asked for; its zero value is none.
type Reversal struct {
	Attempt int             `bson:"n"`
	State   ReversalState   `bson:"s"`
	Cartons []string        `bson:"c"` // SSCCs
	Reason  string          `bson:"r,omitempty"`
	Refused string          `bson:"x,omitempty"` // why
	Agreed  []ReversalParty `bson:"a,omitempty"`
	At      time.Time       `bson:"t"`
}

// IsZero reports whether none was asked for: then nothing is stored.
func (r Reversal) IsZero() bool { return r.Attempt == 0 }

// IssuedCarton is a carton that is issued: with which goods issue of the order, and when.
type IssuedCarton struct {
	SSCC  string    `bson:"s"`
	Issue int       `bson:"n"` // from 1
	At    time.Time `bson:"t"`
}

// The facts of goods issues that are reversed.
type (
	// ReversalRequested asks order and shipment.
	ReversalRequested struct {
		OrderKeys
		Attempt int
		Cartons []string
		Lines   []PickedLine
		Reason  string
		At      time.Time
	}
	// ReversalAgreed says that one of them lets it.
	ReversalAgreed struct {
		OrderKeys
		Attempt int
		Party   ReversalParty
	}
	// ReversalDenied says that one of them does not: the goods issue stays.
	ReversalDenied struct {
		OrderKeys
		Attempt int
		Party   ReversalParty
		Reason  string
	}
	// IssueReversed takes the goods back.
	IssueReversed struct {
		OrderKeys
		Attempt     int
		Site, Owner string
		Lines       []PickedLine // by line and lot
		Cartons     []Carton
		Of          []int // goods issues of the order
		Reason      string
		At          time.Time
	}
	// RestCancelled ends a cancellation of what was taken back; the rest of the order stays issued.
	RestCancelled struct {
		OrderKeys
		Reason  string
		PutBack []PickedLine // by line
		Voided  []string     // SSCCs
	}
)

func (ReversalRequested) isOrderFact() {}
func (ReversalAgreed) isOrderFact()    {}
func (ReversalDenied) isOrderFact()    {}
func (IssueReversed) isOrderFact()     {}
func (RestCancelled) isOrderFact()     {}

// evolveReversal applies a fact of a goods issue or its reversal.
func (o WarehouseOrder) evolveReversal(fact OrderFact) WarehouseOrder {
	switch f := fact.(type) {
	case GoodsIssued:
		o.IssuedAt, o.IsReopened, o.Issues = f.At, false, o.Issues+1
		o.Left = slices.Clip(o.Left)
		for _, c := range f.Cartons {
			o.Left = append(o.Left, IssuedCarton{c.SSCC, o.Issues, f.At})
		}
		return o.issued(f.Lines, func(l *OrderLine, p PickedLine) { l.Issued = l.Issued.Add(p.Quantity); l.gives(p.Serial) })
	case ReversalRequested:
		o.Reversal = Reversal{Attempt: f.Attempt, State: ReversalAsked, Cartons: f.Cartons, Reason: f.Reason, At: f.At}
	case ReversalAgreed:
		o = o.reversal(f.Attempt, func(r *Reversal) { r.Agreed = append(slices.Clip(r.Agreed), f.Party) })
	case ReversalDenied:
		o = o.reversal(f.Attempt, func(r *Reversal) { r.State, r.Refused = ReversalRefused, f.Reason })
	case IssueReversed:
		o = o.reversal(f.Attempt, func(r *Reversal) { r.State = ReversalDone })
		o.IsReopened = true
		o.Left = slices.DeleteFunc(slices.Clone(o.Left), func(l IssuedCarton) bool { return hasCarton(f.Cartons, l.SSCC) })
		return o.issued(f.Lines, func(l *OrderLine, p PickedLine) { l.Issued = l.Issued.Sub(p.Quantity); l.holds(p.Serial) })
	case RestCancelled:
		o.IsGoingBack, o.IsReopened, o.Cancelling = false, false, ""
		o.Voided = append(slices.Clip(o.Voided), f.Voided...)
		o.Lines = slices.Clone(o.Lines)
		for i := range o.Lines {
			o.Lines[i].Returned = o.Lines[i].PutBack
		}
	}
	return o
}

// issued changes what of the lines is issued.
func (o WarehouseOrder) issued(lines []PickedLine, change func(*OrderLine, PickedLine)) WarehouseOrder {
	for _, p := range lines {
		o = o.edit(p.Line, func(l *OrderLine) { change(l, p) })
	}
	return o
}

// reversal changes the last reversal, if it is the one of an attempt.
func (o WarehouseOrder) reversal(attempt int, change func(*Reversal)) WarehouseOrder {
	if o.Reversal.Attempt == attempt {
		change(&o.Reversal)
	}
	return o
}

func hasCarton(cartons []Carton, sscc string) bool {
	return slices.ContainsFunc(cartons, func(c Carton) bool { return c.SSCC == sscc })
}

// IsIssued reports whether all of it that is to leave has left.
func (o WarehouseOrder) IsIssued() bool { return !o.IssuedAt.IsZero() && !o.IsReopened }

// toIssue is what of a line is picked and neither issued nor put back.
func (l OrderLine) toIssue() quantity.Decimal { return l.Picked.Sub(l.PutBack).Sub(l.Issued) }

// anyIssued reports whether something is issued, net of reversals.
func (o WarehouseOrder) anyIssued() bool {
	return slices.ContainsFunc(o.Lines, func(l OrderLine) bool { return l.Issued.Sign() > 0 })
}

// OpenCartons are the cartons that are neither issued nor void.
func (o WarehouseOrder) OpenCartons() (open []Carton) {
	for _, c := range o.Cartons {
		if _, left := o.left(c.SSCC); !left && !slices.Contains(o.Voided, c.SSCC) {
			open = append(open, c)
		}
	}
	return open
}

func (o WarehouseOrder) left(sscc string) (IssuedCarton, bool) {
	i := slices.IndexFunc(o.Left, func(l IssuedCarton) bool { return l.SSCC == sscc })
	if i < 0 {
		return IssuedCarton{}, false
	}
	return o.Left[i], true
}

// Selection is what of an order is to be taken back: cartons, all cartons of lines, or, with
// neither, everything that is issued.
type Selection struct {
	Cartons []string // SSCCs
	Lines   []int
}

// RequestReversal asks order and shipment whether a goods issue may be reversed.
func RequestReversal(o WarehouseOrder, sel Selection, reason string, at time.Time) ([]OrderFact, error) {
	switch {
	case o.State() == PuttingBack || o.State() == Cancelled:
		return nil, stateRefusal(o, "reverseGoodsIssue")
	case o.Reversal.State == ReversalAsked:
		return nil, fault.New(fault.Refused, "REVERSAL_PENDING", "order and shipment are asked already whether they let it").
			With("attempt", strconv.Itoa(o.Reversal.Attempt))
	case len(o.Left) == 0:
		return nil, o.notIssued("the warehouse order")
	}
	cartons, err := o.selected(sel)
	if err != nil {
		return nil, err
	}
	f := ReversalRequested{OrderKeys: o.Keys, Attempt: o.Reversal.Attempt + 1, Reason: reason, At: at, Lines: contentOf(cartons)}
	for _, c := range cartons {
		if l, _ := o.left(c.SSCC); at.Before(l.At) {
			return nil, Invalid("source.event_time", "EVENT_TIME_BEFORE_ISSUE", "carton %s was issued at %s", c.SSCC, l.At.Format(time.RFC3339))
		}
		f.Cartons = append(f.Cartons, c.SSCC)
	}
	return []OrderFact{f}, nil
}

// notIssued is why nothing of something can be taken back.
func (o WarehouseOrder) notIssued(what string) *fault.Error {
	if o.Issues > 0 {
		return fault.New(fault.Refused, "GOODS_ISSUE_REVERSED", "the goods issue of %s was reversed already", what)
	}
	return fault.New(fault.Refused, "GOODS_NOT_ISSUED", "nothing of %s is issued", what).With("from", string(o.State()))
}

// selected are the cartons of a selection, in the order in which they were packed.
func (o WarehouseOrder) selected(sel Selection) (cartons []Carton, err error) {
	chosen := map[string]bool{}
	for i, sscc := range sel.Cartons {
		field := "ssccs[" + strconv.Itoa(i) + "]"
		if !hasCarton(o.Cartons, sscc) {
			return nil, Invalid(field, "CARTON_UNKNOWN", "the warehouse order has no carton %s", sscc)
		}
		if _, left := o.left(sscc); !left {
			return nil, o.notIssued("carton "+sscc).WithField(field, o.notIssued("").Reason, "it is not issued")
		}
		chosen[sscc] = true
	}
	for i, number := range sel.Lines {
		field := "line_numbers[" + strconv.Itoa(i) + "]"
		of, err := o.cartonsOf(number, sel, field)
		if err != nil {
			return nil, err
		}
		for _, sscc := range of {
			chosen[sscc] = true
		}
	}
	for _, c := range o.Cartons {
		_, left := o.left(c.SSCC)
		if left && (chosen[c.SSCC] || len(sel.Cartons)+len(sel.Lines) == 0) {
			cartons = append(cartons, c)
		}
	}
	return cartons, nil
}

// cartonsOf are the issued cartons of a line, none of which may hold a line that stays issued.
func (o WarehouseOrder) cartonsOf(number int, sel Selection, field string) (ssccs []string, err error) {
	if !slices.ContainsFunc(o.Lines, func(l OrderLine) bool { return l.Number == number }) {
		return nil, Invalid(field, "LINE_UNKNOWN", "the warehouse order has no line %d", number)
	}
	for _, c := range o.Cartons {
		if _, left := o.left(c.SSCC); !left || !slices.ContainsFunc(c.Lines, func(l PickedLine) bool { return l.Line == number }) {
			continue
		}
		stays := slices.IndexFunc(c.Lines, func(l PickedLine) bool { return !slices.Contains(sel.Lines, l.Line) })
		if stays >= 0 && !slices.Contains(sel.Cartons, c.SSCC) {
			return nil, fault.New(fault.Refused, "CARTON_SHARED", "carton %s also holds line %d: name the carton, or both lines", c.SSCC, c.Lines[stays].Line).
				WithField(field, "CARTON_SHARED", "its carton holds other lines, too").With("sscc", c.SSCC)
		}
		ssccs = append(ssccs, c.SSCC)
	}
	if len(ssccs) == 0 {
		what := "line " + strconv.Itoa(number)
		return nil, o.notIssued(what).WithField(field, o.notIssued("").Reason, "nothing of it is issued")
	}
	return ssccs, nil
}

// contentOf is what cartons hold, by line, lot and serial number.
func contentOf(cartons []Carton) (lines []PickedLine) {
	for _, c := range cartons {
		for _, l := range c.Lines {
			l.Location = ""
			i := slices.IndexFunc(lines, func(x PickedLine) bool {
				return x.Line == l.Line && x.Lot == l.Lot && x.Serial == l.Serial && x.Unit == l.Unit
			})
			if i < 0 {
				lines = append(lines, l)
				continue
			}
			lines[i].Quantity = lines[i].Quantity.Add(l.Quantity)
		}
	}
	return lines
}

// AnswerReversal takes what the order or the shipment says to a reversal; refused is why not. With
// the last yes the goods are back. An answer to what is decided changes nothing.
func AnswerReversal(o WarehouseOrder, attempt int, party ReversalParty, refused string) ([]OrderFact, error) {
	r := o.Reversal
	if r.Attempt != attempt || r.State != ReversalAsked || slices.Contains(r.Agreed, party) {
		return nil, nil
	}
	if refused != "" {
		return []OrderFact{ReversalDenied{o.Keys, attempt, party, refused}}, nil
	}
	facts := []OrderFact{ReversalAgreed{o.Keys, attempt, party}}
	if len(r.Agreed) == 0 {
		return facts, nil
	}
	f := IssueReversed{OrderKeys: o.Keys, Attempt: attempt, Site: o.Site, Owner: o.Owner, Reason: r.Reason, At: r.At}
	for _, sscc := range r.Cartons {
		l, _ := o.left(sscc)
		if !slices.Contains(f.Of, l.Issue) {
			f.Of = append(f.Of, l.Issue)
		}
		f.Cartons = append(f.Cartons, o.Cartons[slices.IndexFunc(o.Cartons, func(c Carton) bool { return c.SSCC == sscc })])
	}
	f.Lines = contentOf(f.Cartons)
	return append(facts, f), nil
}

// RefusedText says in words why a goods issue stays.
func RefusedText(reason string) string {
	switch reason {
	case "ORDER_CLOSED":
		return "the order is closed: take the goods back by a return"
	case "GOODS_DELIVERED":
		return "the order has the goods as delivered"
	case "SHIPMENT_DISPATCHED":
		return "the goods have left: the shipment was picked up, dispatched or delivered"
	}
	return "the goods issue stays: " + reason
}
