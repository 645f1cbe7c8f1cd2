package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// maxMarks bounds the contradictions that a return shows; all of them stay in its facts.
const maxMarks = 50

// Evolve applies one fact. What happened, happened: it has no rules.
func Evolve(r Return, f Fact) Return {
	r.Heard = r.settled(f)
	switch f := f.(type) {
	case ReturnRequested:
		return r.requested(f)
	case ReturnHeld:
		r.Keys, r.SoldTo, r.SoldToID, r.Held = f.Keys, f.SoldTo, f.SoldToID, true
		for _, c := range f.Lines {
			r = r.change(c.Line, func(l *Line) {
				l.Item, l.SKU, l.Held, l.Paid, l.IssuedAt = c.Item, c.SKU, c.Quantity.Value, c.Paid, c.IssuedAt
			})
		}
	case ReturnAuthorised:
		r.Authorised, r.AuthorisedBy = f.At, f.By
		for _, c := range f.Lines {
			r = r.change(c.Line, func(l *Line) { l.Authorised = c.Quantity.Value })
		}
	case ReturnDenied:
		r.Denied, r.Reasons = true, f.Reasons
	case ReturnCancelled:
		r.Cancelled = true
		r = r.keep(nil) // its claim goes back: others may return and be credited what it held
	case ReturnCompleted:
		r.Completed = true
		r = r.keep(f.Kept)
	case ReturnWordObserved:
		r.Heard = authority.Hear(r.Heard, f.Word)
	case CreditRequested:
		return r.creditRequested(f)
	case CreditConfirmed:
		return r.creditConfirmed(f)
	default:
		return evolveGoods(r, f)
	}
	return r
}

// Apply applies facts in their order.
func Apply(r Return, facts ...Fact) Return {
	for _, f := range facts {
		r = Evolve(r, f)
	}
	return r
}

func evolveGoods(r Return, f Fact) Return {
	switch f := f.(type) {
	case ReceiptRecorded:
		return r.receipt(f)
	case ItemsInspected:
		return r.change(f.Line, func(l *Line) {
			l.Accepted, l.Rejected = l.Accepted.Add(f.Accepted.Value), l.Rejected.Add(f.Rejected.Value)
			l.Grade, l.Finding = f.Grade, f.Finding
		})
	case ItemsDisposed:
		return r.change(f.Line, func(l *Line) {
			l.Disposed = l.Disposed.plus(f.Disposition, f.Quantity.Value)
			l.Places = take(l.Places, f.Stand, f.Quantity.Value)
		})
	}
	return r
}

// change returns r with one of its lines changed.
func (r Return) change(number int, with func(*Line)) Return {
	i, found := r.find(number)
	if !found {
		return r
	}
	r.Lines = slices.Clone(r.Lines)
	with(&r.Lines[i])
	return r
}

func (r Return) requested(f ReturnRequested) Return {
	r.Keys, r.Source, r.Requested, r.ClaimKey, r.Returnable, r.Site = f.Keys, f.Source, f.At, f.ClaimKey, f.Returnable, f.Site
	r.SoldTo, r.SoldToID = f.SoldTo, f.SoldToID
	lines := make([]Line, len(f.Lines), len(f.Lines)+len(r.Lines))
	for i, a := range f.Lines {
		lines[i] = Line{
			Number: i + 1, OrderLine: a.OrderLine, Unit: a.Quantity.Unit, Reason: a.Reason, Note: a.Note, Requested: a.Quantity.Value,
		}
	}
	// What arrived before anybody asked keeps counting on lines of its own.
	for _, l := range r.Lines {
		l.Number += len(f.Lines)
		lines = append(lines, l)
	}
	r.Lines = lines
	return r
}

func (r Return) receipt(f ReceiptRecorded) Return {
	if r.ID == "" {
		r.Keys = f.Keys
	}
	if i, found := r.find(f.Booked); !found {
		r.Lines = slices.Insert(slices.Clone(r.Lines), i, Line{Number: f.Booked, Item: f.Stand.Item, SKU: f.Stand.SKU, Unit: f.Quantity.Unit})
	}
	r.Marks = marked(r.Marks, f.Marks)
	return r.change(f.Booked, func(l *Line) {
		l.Received = l.Received.Add(f.Quantity.Value)
		l.Places = put(l.Places, f.Stand, f.Quantity.Value)
	})
}

func marked(marks, more []Reason) []Reason {
	if len(more) == 0 {
		return marks
	}
	marks = append(slices.Clone(marks), more...)
	return marks[max(0, len(marks)-maxMarks):]
}

func put(places []Place, s Stand, q quantity.Decimal) []Place {
	places = slices.Clone(places)
	for i := range places {
		if places[i].Stand == s {
			places[i].Quantity = places[i].Quantity.Add(q)
			return places
		}
	}
	return append(places, Place{Stand: s, Quantity: q})
}

func take(places []Place, s Stand, q quantity.Decimal) []Place {
	places = slices.Clone(places)
	for i := range places {
		if places[i].Stand == s {
			places[i].Quantity = places[i].Quantity.Sub(q)
		}
	}
	return slices.DeleteFunc(places, func(p Place) bool { return p.Quantity.Sign() <= 0 })
}

func (d Disposed) plus(to Disposition, q quantity.Decimal) Disposed {
	switch to {
	case Restock:
		d.Restocked = d.Restocked.Add(q)
	case Quarantine:
		d.Quarantined = d.Quarantined.Add(q)
	case Scrap:
		d.Scrapped = d.Scrapped.Add(q)
	case ReturnToVendor:
		d.ToVendor = d.ToVendor.Add(q)
	case BackToCustomer:
		d.ToCustomer = d.ToCustomer.Add(q)
	}
	return d
}

func (r Return) creditRequested(f CreditRequested) Return {
	r.Credits = append(slices.Clone(r.Credits), Credit{Lines: f.Lines, Gross: f.Gross, Fee: f.Fee, Net: f.Net, Requested: f.At})
	for _, c := range f.Lines {
		r = r.change(c.Line, func(l *Line) {
			l.Credited, l.Gross = l.Credited.Add(c.Quantity.Value), l.Gross+c.Gross.Minor
		})
	}
	return r
}

func (r Return) creditConfirmed(f CreditConfirmed) Return {
	r.Marks = marked(r.Marks, f.Contradictions)
	if f.Credit < 1 || f.Credit > len(r.Credits) || !r.Credits[f.Credit-1].Confirmed.IsZero() {
		return r
	}
	r.Credits = slices.Clone(r.Credits)
	c := &r.Credits[f.Credit-1]
	c.Memo, c.Confirmed = f.Memo, f.At
	return r
}

// keep lowers what is authorised to what is kept of the claim: nothing more is expected.
func (r Return) keep(kept []ClaimedLine) Return {
	r.Lines = slices.Clone(r.Lines)
	for i := range r.Lines {
		r.Lines[i].Authorised = quantity.Decimal{}
	}
	for _, k := range kept {
		r = r.change(k.Line, func(l *Line) { l.Authorised = k.Quantity.Value })
	}
	return r
}
