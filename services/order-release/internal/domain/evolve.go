package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// maxDisputed is how many contradicted reports an order remembers; the facts keep all.
const maxDisputed = 20

// Evolve applies one fact. It has no rules: what happened, happened.
func Evolve(o Order, f Fact) Order {
	o.Heard = o.settled(f)
	switch f := f.(type) {
	case OrderReceived:
		return Order{ID: f.Order, Revision: f.Revision, Header: f.Header, Lines: f.Lines}
	case OrderWordObserved:
		o.Heard = authority.Hear(o.Heard, f.Word)
	case OrderValidated:
		o.Valid = true
	case OrderRejected:
		o.Rejected = f.Reasons
	case HoldPlaced:
		o.Holds = append(slices.Clone(o.Holds), f.Hold)
	case HoldLifted:
		o.Holds = slices.DeleteFunc(slices.Clone(o.Holds), func(h Hold) bool { return h.Type == f.Type })
	case OrderFulfilled, OrderCancelled:
		o.Done = true
	case OrderClosed:
		o.IsClosed = true
	case ReportContradicted:
		o.Disputed = o.disputed(f)
	case ReleaseDeferred:
		o = o.waitingFor(f.Deferral)
	case OrderSourced:
		o = o.sourcedAs(f)
	case PromiseDated, PromiseUndated:
		return evolveExpected(o, f)
	case PromiseRequested, LinesPromised, PromiseRefused, PromiseClosed, RemainderCancelled:
		return evolvePromise(o, f)
	default:
		return evolveRelease(o, f)
	}
	return o
}

// Apply applies facts in order.
func Apply(o Order, facts ...Fact) Order {
	for _, f := range facts {
		o = Evolve(o, f)
	}
	return o
}

func evolvePromise(o Order, f Fact) Order {
	switch f := f.(type) {
	case PromiseRequested:
		o.Attempt = Attempt{
			Number: f.Attempt, State: AttemptOpen, Requested: f.Requested, Due: f.Due, Partial: f.Partial,
			Claims: f.Claims, Timeouts: o.Attempt.Timeouts, Again: f.Again,
		}
	case LinesPromised:
		o.Lines = slices.Clone(o.Lines)
		for _, p := range f.Lines {
			if i := o.lineIndex(p.Line); i >= 0 {
				c := LineClaim{Key: p.Claim, Quantity: p.Quantity.Value}
				if site := o.Attempt.siteOf(p.Claim); site != o.Lines[i].Site {
					c.Site = site
				}
				o.Lines[i].Claims = append(slices.Clip(o.Lines[i].Claims), c)
			}
		}
		o.Attempt = o.Attempt.decided(AttemptPromised, f.Lines)
	case PromiseRefused:
		o.Attempt = o.Attempt.decided(AttemptRefused, nil)
	case PromiseClosed:
		o.Attempt = o.Attempt.decided(AttemptClosed, nil)
		o.Attempt.Timeouts++
		o.Attempt.Retry = f.Retry
	case RemainderCancelled:
		o = o.cancelled(f)
	}
	return o
}

// cancelled takes cancelled quantities out of open and out of the claims. What waits is no
// more than what is left open; what a warehouse cancelled of a sent release never waited.
func (o Order) cancelled(f RemainderCancelled) Order {
	gone := map[string]bool{}
	for _, c := range f.GiveBack {
		gone[c.Key] = true
	}
	if o.Attempt.State == AttemptOpen && len(o.Attempt.Claims) > 0 && gone[o.Attempt.Claims[0].Key] {
		o.Attempt = o.Attempt.decided(AttemptClosed, nil)
	}
	o.Lines, o.Releases = slices.Clone(o.Lines), slices.Clone(o.Releases)
	for _, c := range f.Lines {
		i := o.lineIndex(c.Line)
		if i < 0 {
			continue
		}
		l := &o.Lines[i]
		l.Cancelled = l.Cancelled.Add(c.Quantity.Value)
		l.Claims = slices.DeleteFunc(slices.Clone(l.Claims), func(c LineClaim) bool { return gone[c.Key] })
	}
	return o.shrunk()
}

// shrunk lets no more wait than is left open: at a site rather what is promised there than what
// nothing holds.
func (o Order) shrunk() Order {
	quantities := o.Quantities()
	excess := make([]quantity.Decimal, len(o.Lines))
	for i, q := range quantities {
		excess[i] = q.Backordered.Sub(q.Open)
	}
	give := func(most func(Line, Release, ReleaseLine) quantity.Decimal) {
		for i := range o.Releases {
			r := &o.Releases[i]
			for n := range r.Lines {
				at := o.lineIndex(r.Lines[n].Line)
				if at < 0 || excess[at].Sign() <= 0 || !r.Sent.IsZero() {
					continue
				}
				less := quantity.Min(excess[at], quantity.Max(most(o.Lines[at], *r, r.Lines[n]), quantity.Decimal{}))
				excess[at] = excess[at].Sub(less)
				r.Lines[n].Quantity = r.Lines[n].Quantity.Sub(less)
			}
		}
	}
	for i := range o.Releases {
		if o.Releases[i].Sent.IsZero() {
			o.Releases[i].Lines = slices.Clone(o.Releases[i].Lines)
		}
	}
	give(func(l Line, r Release, w ReleaseLine) quantity.Decimal { return w.Quantity.Sub(l.PromisedAt(r.Site)) })
	give(func(_ Line, _ Release, w ReleaseLine) quantity.Decimal { return w.Quantity })
	return o
}

func evolveRelease(o Order, f Fact) Order {
	switch f := f.(type) {
	case OrderReleased:
		return o.sent(f).gone(f.Site)
	case ReleaseBackordered:
		r := Release{Number: f.Release, Version: 1, Parent: f.Parent, Site: f.Site}
		for _, l := range f.Lines {
			r.Lines = append(r.Lines, ReleaseLine{Line: l.Line, Quantity: l.Quantity.Value})
		}
		return o.put(r)
	case ReleaseAllocated:
		return o.reported(f.Release, f.Lines, func(r *Release) { r.WarehouseOrder = f.WarehouseOrder }, func(l *ReleaseLine, q quantity.Decimal) {
			l.SaidAllocated = l.SaidAllocated.Add(q)
		})
	case LinesDispatched, LinesShipped:
		return o.evolveShipped(f)
	case ReleaseAcknowledged:
		return o.reported(f.Release, nil, func(r *Release) { r.WarehouseOrder, r.Acknowledged = f.WarehouseOrder, true }, nil)
	case LinesPicked:
		return o.reported(f.Release, f.Lines, nil, func(l *ReleaseLine, q quantity.Decimal) {
			l.SaidPicked = l.SaidPicked.Add(q)
		})
	case LinesShorted:
		return o.reported(f.Release, f.Lines, nil, func(l *ReleaseLine, q quantity.Decimal) {
			l.Short = l.Short.Add(q)
		})
	case LinesIssued:
		return o.reported(f.Release, f.Lines, func(r *Release) { r.Shipping.Issued = newer(r.Shipping.Issued, f.At) },
			func(l *ReleaseLine, q quantity.Decimal) { l.Issued = l.Issued.Add(q) })
	case LinesDelivered:
		o.Disputed = without(o.Disputed, ReleaseID(o.ID, f.Release), f.Shipment)
		return o.reported(f.Release, f.Lines, func(r *Release) { r.bring(f.Shipment, f.Lines) },
			func(l *ReleaseLine, q quantity.Decimal) { l.Delivered = l.Delivered.Add(q) })
	case CancelAsked:
		o.Cancel = f.Reason
		return o.reported(f.Release, nil, func(r *Release) { r.CancelAsked, r.CancelRefused = true, "" }, nil)
	case CancelRefused:
		return o.reported(f.Release, nil, func(r *Release) { r.CancelAsked, r.CancelRefused = false, f.Reason }, nil)
	case ReleaseCancelled:
		o = o.reported(f.Release, f.PutBack, nil, func(l *ReleaseLine, q quantity.Decimal) {
			l.PutBack, l.SaidPicked = l.PutBack.Add(q), l.SaidPicked.Sub(q)
		})
		return o.reported(f.Release, f.Lines, func(r *Release) { r.CancelAsked = false }, func(l *ReleaseLine, q quantity.Decimal) {
			l.Cancelled = l.Cancelled.Add(q)
		})
	}
	return o.evolveStop(f).evolveAmendment(f)
}

// sent makes a release of promised lines, or of the backordered release with that number.
func (o Order) sent(f OrderReleased) Order {
	r := Release{Number: f.Release, Version: f.Version, Parent: f.Parent, Site: f.Site, Sent: f.At, Shipping: Shipping{ShippedRule: f.Shipped}}
	used := map[string]bool{}
	o.Lines = slices.Clone(o.Lines)
	for _, l := range f.Lines {
		r.Lines = append(r.Lines, ReleaseLine{Line: l.Line, Quantity: l.Quantity.Value})
		for _, c := range l.Claims {
			used[c.Key] = true
		}
		if i := o.lineIndex(l.Line); i >= 0 {
			o.Lines[i].Claims = slices.DeleteFunc(slices.Clone(o.Lines[i].Claims), func(c LineClaim) bool { return used[c.Key] })
		}
	}
	o.Resumes = false
	return o.put(r)
}

// put adds the release or replaces the one with its number.
func (o Order) put(r Release) Order {
	o.Releases = slices.Clone(o.Releases)
	if i := o.releaseIndex(r.Number); i >= 0 {
		o.Releases[i] = r
	} else {
		o.Releases = append(o.Releases, r)
	}
	return o
}

// reported changes a release and its lines.
func (o Order) reported(number int, lines []LineQuantity, release func(*Release), line func(*ReleaseLine, quantity.Decimal)) Order {
	i := o.releaseIndex(number)
	if i < 0 {
		return o
	}
	o.Releases = slices.Clone(o.Releases)
	r := &o.Releases[i]
	if release != nil {
		release(r)
	}
	r.Lines = slices.Clone(r.Lines)
	for _, q := range lines {
		if n := r.lineIndex(q.Line); n >= 0 {
			line(&r.Lines[n], q.Quantity.Value)
			r.Lines[n] = r.Lines[n].concluded()
		}
	}
	return o
}

func (o Order) disputed(f ReportContradicted) []Disputed {
	list := slices.Clone(o.Disputed)
	if f.Report == reportDelivered {
		list = without(list, f.Release, f.Shipment)
	}
	for _, e := range f.Excess {
		d := Disputed{Release: f.Release, Report: f.Report, Shipment: f.Shipment, Line: e.Line, Unit: e.Quantity.Unit, Excess: e.Quantity.Value}
		if i := o.lineIndex(e.Line); i >= 0 && o.Lines[i].Base.Unit == d.Unit {
			d.Unit = ""
		}
		list = append(list, d)
	}
	return list[max(0, len(list)-maxDisputed):]
}

// without leaves out what earlier reports of a shipment's delivery contradicted: its newest
// report counts. Facts from before shipments were noted count for every one of their release.
func without(list []Disputed, release, shipment string) []Disputed {
	return slices.DeleteFunc(slices.Clone(list), func(d Disputed) bool { return d.delivers(release, shipment) })
}

func (d Disputed) delivers(release, shipment string) bool {
	return d.Report == reportDelivered && d.Release == release && (d.Shipment == shipment || d.Shipment == "")
}

// sourcedAs takes what rules decided about the order's lines. A line waits at the first of its sites.
func (o Order) sourcedAs(f OrderSourced) Order {
	o.Sourcing, o.Lines = f.Sourcing, slices.Clone(o.Lines)
	for _, l := range f.Lines {
		if i := o.lineIndex(l.Line); i >= 0 {
			o.Lines[i].Rule = l.Rule
		}
	}
	return o
}
