package domain

import (
	"fmt"
	"time"
)

// Lack is one thing that stands between an order and its next release.
type Lack struct {
	Reason
	Lifts []string  // roles whose callers can do something about it
	With  string    // the command that does; empty when it passes by itself
	Since time.Time // zero when it is not known
	Next  time.Time // when it passes, or is looked at again, by itself; zero for never
}

// Lacks returns all that stands between the order and its next release, at once; none when it
// can be released now, or when nothing of it is open.
func (o Order) Lacks(e Env) []Lack {
	since := o.Header.ReceivedTime
	switch {
	case !o.Valid:
		lacks := make([]Lack, len(o.Rejected))
		for i, r := range o.Rejected {
			lacks[i] = Lack{Reason: r, Lifts: []string{roleLogistics}, With: "SubmitOrder", Since: since}
		}
		return lacks
	case o.IsClosed || totals(o.Quantities()).Open.IsZero():
		return nil
	}
	var lacks []Lack
	for _, h := range o.Holds {
		message := fmt.Sprintf("%s hold since %s by %s", h.Type, h.At.Format("2006-01-02 15:04Z"), h.By)
		if h.Note != "" {
			message += ": " + h.Note
		}
		lacks = append(lacks, Lack{Reason{"ORDER_ON_HOLD", "holds." + string(h.Type), message}, h.Type.Lifters(), string(CommandLift), h.At, time.Time{}})
	}
	if t := totals(o.Quantities()); t.Promised.IsZero() || o.Header.Rule.together() && t.Promised != t.Open {
		lacks = append(lacks, o.unpromised()...)
	}
	if o.Attempt.State == AttemptOpen && !totals(o.Quantities()).Promised.IsZero() {
		lacks = append(lacks, o.promising())
	}
	return append(lacks, o.shutSites(e)...)
}

// promising is an attempt that is open.
func (o Order) promising() Lack {
	return Lack{Reason: Reason{"PROMISE_PENDING", "", fmt.Sprintf("attempt %d claims stock", o.Attempt.Number)}, Since: o.Attempt.Requested, Next: o.Attempt.Due}
}

// unpromised is why stock is missing that a release needs.
func (o Order) unpromised() (lacks []Lack) {
	if o.Attempt.State == AttemptOpen {
		if totals(o.Quantities()).Promised.IsZero() {
			return []Lack{o.promising()}
		}
		return nil
	}
	lifts, with := []string{roleLogistics}, string(CommandPromise)
	for _, r := range o.explainPromise() {
		l := Lack{Reason: r, Lifts: lifts, With: with, Since: o.Header.ReceivedTime}
		switch r.Code {
		case "SOURCING_PENDING":
			l.Lifts, l.With = nil, ""
		case "PROMISE_TIMED_OUT":
			l.Since, l.Next = o.Attempt.Requested, o.Attempt.Retry
		case "STOCK_SHORT":
			l.Since = o.Attempt.Requested
		case reasonExpected:
			l.Lifts, l.With, l.Next = nil, "", o.expectedBy(r.Field)
		}
		lacks = append(lacks, l)
	}
	return lacks
}

// shutSites are the sites whose channel is closed, of those that have something to release.
func (o Order) shutSites(e Env) (lacks []Lack) {
	for _, site := range o.sites() {
		g := o.waitsAt(e, site)
		if g.Reason == "" || !o.promisesAt(site) {
			continue
		}
		l := Lack{Reason: Reason{g.Reason, "sites." + site, g.refusal(site).Message}, Lifts: []string{roleLogistics}, Next: g.Next}
		switch g.Reason {
		case reasonLocked, reasonAsleep:
			l.With = "OpenReleaseChannel"
		case reasonTurn:
			l.Lifts = nil
		default:
			l.With = "PutReleaseChannel"
		}
		if i := o.deferralIndex(site); i >= 0 {
			l.Since = o.Deferred[i].Since
		}
		lacks = append(lacks, l)
	}
	return lacks
}
