package domain

import (
	"fmt"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Disposition is what becomes of goods that came back.
type Disposition string

// The dispositions.
const (
	Restock        Disposition = "RESTOCK"
	Quarantine     Disposition = "QUARANTINE"
	Scrap          Disposition = "SCRAP"
	ReturnToVendor Disposition = "RETURN_TO_VENDOR"
	BackToCustomer Disposition = "BACK_TO_CUSTOMER"
)

// Receive records goods that arrived. Inventory owns that fact: it is never refused, what
// does not fit is booked on a line of its own or counted beyond, and marked.
func (r Return) Receive(f ReceiptRecorded) []Fact {
	if r.ID != "" {
		f.Keys = r.Keys
	}
	var line Line
	f.Booked, line = r.book(f)
	mark := func(code, format string, args ...any) {
		f.Marks = append(f.Marks, Reason{Code: code, Field: fmt.Sprintf("lines[%d]", f.Booked), Message: fmt.Sprintf(format, args...)})
	}
	expected := quantity.Max(line.Authorised.Sub(line.Received), quantity.Decimal{})
	if r.over() {
		expected = quantity.Decimal{}
	}
	excess := quantity.Max(f.Quantity.Value.Sub(expected), quantity.Decimal{})
	named, asked := r.find(f.Named)
	switch {
	case f.Booked != f.Named && !asked:
		mark("LINE_UNKNOWN", "the return has no line %d", f.Named)
	case f.Booked != f.Named:
		mark("ITEM_DIFFERS", "line %d is %s in %s, %s in %s arrived", f.Named, r.Lines[named].SKU, r.Lines[named].Unit, f.Stand.SKU, f.Quantity.Unit)
	case line.Authorised.IsZero() || r.Cancelled:
		mark("NOT_AUTHORISED", "%s arrived in state %s", f.Quantity, r.State())
	case excess.Sign() > 0:
		mark("RECEIPT_EXCEEDS_AUTHORISED", "%s authorised, %s arrived before, %s now", line.Authorised, line.Received, f.Quantity)
	}
	if excess.Sign() > 0 {
		f.Excess = quantity.Quantity{Value: excess, Unit: f.Quantity.Unit}
	}
	return []Fact{f}
}

// book finds the line that a receipt counts on: the named one when it exists and is of the
// item, else one that came unasked and is, else a new one.
func (r Return) book(f ReceiptRecorded) (int, Line) {
	matches := func(l Line) bool { return l.Unit == f.Quantity.Unit && (l.Item == "" || l.Item == f.Stand.Item) }
	if i, found := r.find(f.Named); found && matches(r.Lines[i]) {
		return f.Named, r.Lines[i]
	}
	next := 1
	for _, l := range r.Lines {
		if l.OrderLine == 0 && matches(l) {
			return l.Number, l
		}
		next = max(next, l.Number+1)
	}
	return next, Line{Number: next}
}

// of is a quantity in the line's unit.
func (l Line) of(q quantity.Decimal) quantity.Quantity {
	return quantity.Quantity{Value: q, Unit: l.Unit}
}

// line returns the line with the number, or why a command that names it is refused.
func (r Return) line(number int) (Line, error) {
	if i, found := r.find(number); found {
		return r.Lines[i], nil
	}
	return Line{}, fault.New(fault.Refused, "LINE_UNKNOWN", "the return has no line %d", number)
}

// Inspection is what inspection says of some goods of a line.
type Inspection struct {
	Line                 int
	Accepted, Rejected   quantity.Quantity // without unit if none
	Grade, Finding, Note string
}

// Inspect records an inspection of goods that arrived.
func (r Return) Inspect(e Env, in Inspection) ([]Fact, error) {
	l, err := r.line(in.Line)
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		field string
		q     quantity.Quantity
	}{{"accepted", in.Accepted}, {"rejected", in.Rejected}} {
		if part.q.Value.IsZero() {
			continue
		}
		if err := check(part.q, l.Unit, part.field); err != nil {
			return nil, err
		}
	}
	sum := in.Accepted.Value.Add(in.Rejected.Value)
	if sum.Sign() <= 0 {
		return nil, invalid("accepted", "QUANTITY_INVALID", "nothing is accepted or rejected")
	}
	if open := l.uninspected(); open.Less(sum) {
		return nil, fault.New(fault.Refused, "INSPECTION_EXCEEDS_RECEIVED", "%s of line %d are not inspected yet", l.of(open), l.Number).
			With("available", open.String())
	}
	if left := l.Received.Sub(l.Disposed.ToCustomer).Sub(l.Accepted); left.Less(in.Accepted.Value) {
		return nil, fault.New(fault.Refused, "BACK_EXCEEDS_REJECTED", "only %s of line %d are not accepted and not back at the customer", l.of(left), l.Number).
			With("available", left.String())
	}
	facts := []Fact{ItemsInspected{
		Keys: r.Keys, Line: in.Line, Accepted: some(in.Accepted), Rejected: some(in.Rejected), Grade: in.Grade, Finding: in.Finding, Note: in.Note,
	}}
	if next := Apply(r, facts...); e.Policy.AutoCredit {
		if credit, ok := next.credit(e, nil); ok {
			facts = append(facts, credit)
		}
	}
	return r.finish(facts), nil
}

// some is q, or nothing when it is zero.
func some(q quantity.Quantity) quantity.Quantity {
	if q.Value.IsZero() {
		return quantity.Quantity{}
	}
	return q
}

// Disposal is a decision on goods of a line.
type Disposal struct {
	Line        int
	Disposition Disposition
	Quantity    quantity.Quantity
	From, Lot   string // "" for any
	To          string // location
}

// Dispose decides what becomes of goods that arrived: one fact a place that they stand at.
func (r Return) Dispose(e Env, d Disposal) ([]Fact, error) {
	l, err := r.line(d.Line)
	if err != nil {
		return nil, err
	}
	if err := check(d.Quantity, l.Unit, "quantity"); err != nil {
		return nil, err
	}
	switch stays := d.Disposition == Restock || d.Disposition == Quarantine; {
	case stays && d.To == "":
		return nil, invalid("to_location", "TO_LOCATION", "goods that stay need a location to go to")
	case !stays && d.To != "":
		return nil, invalid("to_location", "TO_LOCATION", "goods that leave or are destroyed have no location to go to")
	}
	if err := l.mayBecome(d); err != nil {
		return nil, err
	}
	var facts []Fact
	left := d.Quantity.Value
	for _, p := range l.Places {
		if left.IsZero() || d.From != "" && d.From != p.Location || d.Lot != "" && d.Lot != p.Lot {
			continue
		}
		part := quantity.Min(left, p.Quantity)
		left = left.Sub(part)
		facts = append(facts, ItemsDisposed{
			ID: r.ID, Number: r.Number, Order: r.Order, Line: l.Number, Disposition: d.Disposition, Quantity: l.of(part), Stand: p.Stand, To: d.To, At: e.Now,
		})
	}
	if left.Sign() > 0 {
		there := d.Quantity.Value.Sub(left)
		return nil, fault.New(fault.Refused, "DISPOSITION_EXCEEDS_RECEIVED", "%s of line %d stand there", l.of(there), l.Number).
			With("available", there.String())
	}
	return r.finish(facts), nil
}

// mayBecome refuses to sell what was not accepted, and to send back what was.
func (l Line) mayBecome(d Disposal) error {
	switch d.Disposition {
	case Restock:
		if left := l.Accepted.Sub(l.Disposed.Restocked); left.Less(d.Quantity.Value) {
			return fault.New(fault.Refused, "RESTOCK_EXCEEDS_ACCEPTED", "%s of line %d are accepted and not restocked", l.of(left), l.Number).
				With("available", left.String())
		}
	case BackToCustomer:
		if left := l.Received.Sub(l.Accepted).Sub(l.Disposed.ToCustomer); left.Less(d.Quantity.Value) {
			return fault.New(fault.Refused, "BACK_EXCEEDS_REJECTED", "%s of line %d are not accepted and not sent back", l.of(left), l.Number).
				With("available", left.String())
		}
	case Quarantine, Scrap, ReturnToVendor:
	}
	return nil
}

// finish completes the return with the facts when nothing more is to be done or expected.
func (r Return) finish(facts []Fact) []Fact {
	next := Apply(r, facts...)
	switch next.State() {
	case Inspected:
		if next.open() == "" {
			return append(facts, next.completed())
		}
	case Requested, Authorised, Denied, PartiallyReceived, Received, Completed, Cancelled, Unexpected:
	}
	return facts
}
