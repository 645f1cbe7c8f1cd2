package domain

import (
	"cmp"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// RequestCancel cancels what no warehouse has, and asks the warehouses to cancel the rest.
func (o Order) RequestCancel(e Env, reason string) ([]Fact, error) {
	if err := o.permit(CommandCancel); err != nil {
		return nil, err
	}
	s := o.begin(e)
	s.cancelRest(reason)
	for _, r := range o.Releases {
		switch r.State() {
		case ReleaseSent, ReleaseAcknowledgedBy, ReleaseInExecution:
			s.add(CancelAsked{Keys: o.keys(), Release: r.Number, Version: r.Version, Site: r.Site, Reason: reason})
		}
	}
	if len(s.facts) == 0 {
		return nil, fault.New(fault.Refused, "NOTHING_TO_CANCEL", "nothing is left that could be cancelled")
	}
	return s.end(), nil
}

// ReleaseCancelled records that the warehouse cancelled a release: what it had not picked is
// cancelled, and what it put back after it was picked.
func (o Order) ReleaseCancelled(e Env, release string, putBack []LineQuantity) ([]Fact, error) {
	r, contradicted := o.reportedOn(release, "CANCELLED", nil)
	if r == nil {
		return contradicted, nil
	}
	f := ReleaseCancelled{Keys: o.keys(), Release: r.Number}
	back := map[int]quantity.Decimal{}
	for _, q := range summed(putBack) {
		if n := r.lineIndex(q.Line); n >= 0 && q.Quantity.Unit == o.Lines[o.lineIndex(q.Line)].Base.Unit {
			l := r.Lines[n]
			q.Quantity.Value = quantity.Max(quantity.Min(q.Quantity.Value, l.SaidPicked.Sub(l.Issued)), quantity.Decimal{})
			back[q.Line] = q.Quantity.Value
			if !q.Quantity.Value.IsZero() {
				f.PutBack = append(f.PutBack, q)
			}
		}
	}
	for _, l := range r.Lines {
		if left := l.Live().Sub(l.Picked).Add(back[l.Line]); left.Sign() > 0 {
			f.Lines = append(f.Lines, o.quantity(o.lineIndex(l.Line), left))
		}
	}
	s := o.begin(e)
	s.add(f)
	if len(f.Lines) > 0 {
		s.add(RemainderCancelled{Keys: o.keys(), Lines: f.Lines, Reason: cmp.Or(s.Cancel, reasonWarehouse)})
	}
	return s.end(), nil
}

// CancelRefused records that the warehouse goes on with a release.
func (o Order) CancelRefused(e Env, release, reason string) ([]Fact, error) {
	r, contradicted := o.reportedOn(release, "CANCEL_REFUSED", nil)
	if r == nil {
		return contradicted, nil
	}
	return []Fact{CancelRefused{Keys: o.keys(), Release: r.Number, Reason: reason}}, nil
}

// Close records that the ERP has posted the order.
func (o Order) Close(Env) ([]Fact, error) {
	from := o.State()
	if slices.Contains(active, from) {
		return nil, fault.New(fault.Refused, "NOT_FULFILLED", "the order is %s: something is neither issued nor cancelled yet", from).
			With("from", string(from)).With("command", string(CommandClose))
	}
	if err := o.permit(CommandClose); err != nil {
		return nil, err
	}
	if err := o.reversing(); err != nil {
		return nil, err
	}
	return []Fact{OrderClosed{Keys: o.keys()}}, nil
}
