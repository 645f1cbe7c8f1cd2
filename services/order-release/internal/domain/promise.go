package domain

import (
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Limits are the time limits of attempts to promise.
type Limits struct {
	Attempt    time.Duration // an attempt without an answer is given up
	RetryFirst time.Duration // until the next attempt; doubled with each that is given up in a row
	RetryMost  time.Duration
}

// DefaultLimits are the limits of production.
var DefaultLimits = Limits{Attempt: 30 * time.Second, RetryFirst: 30 * time.Second, RetryMost: 10 * time.Minute}

// retry is how long to wait after so many attempts given up in a row before this one.
func (l Limits) retry(before int) time.Duration {
	d := l.RetryFirst
	for range min(before, 64) {
		if d *= 2; d >= l.RetryMost {
			return l.RetryMost
		}
	}
	return min(d, l.RetryMost)
}

// Wanted narrows an attempt to promise to the lines of one item that a site delivers; the zero value takes all.
type Wanted struct{ Site, Item string }

// Key is the place as an index key.
func (w Wanted) Key() string { return w.Site + "/" + w.Item }

// RequestPromise states the claims on stock for what is neither promised nor released: the
// intent that is committed before the first claim is made.
func (o Order) RequestPromise(e Env, w Wanted) ([]Fact, error) {
	if err := o.permit(CommandPromise); err != nil {
		return nil, err
	}
	if o.Attempt.State == AttemptOpen {
		return nil, fault.New(fault.Refused, "PROMISE_OPEN", "attempt %d is open", o.Attempt.Number).
			With("attempt", strconv.Itoa(o.Attempt.Number))
	}
	f, ok := o.intent(e, w)
	if !ok {
		return nil, fault.New(fault.Refused, "NOTHING_TO_PROMISE", "everything is promised, released or cancelled")
	}
	return []Fact{f}, nil
}

// intent returns the next attempt; false when nothing is left to promise.
func (o Order) intent(e Env, w Wanted) (PromiseRequested, bool) {
	f := o.asking(e)
	f.Claims = o.claims(e, f.Attempt, o.plan(e.Available, w, f.Partial).parts)
	return f, len(f.Claims) > 0
}

// DecidePromise closes an attempt with what stock granted, by stock id. It is accepted once
// per attempt; an automatic order then releases what it got.
func (o Order) DecidePromise(e Env, attempt int, granted map[string]quantity.Decimal) ([]Fact, error) {
	if o.Attempt.Number != attempt || o.Attempt.State != AttemptOpen {
		return nil, fault.New(fault.Refused, "PROMISE_NOT_OPEN", "attempt %d is not open", attempt).
			With("attempt", strconv.Itoa(attempt))
	}
	f := LinesPromised{Keys: o.keys(), Attempt: attempt}
	for _, c := range o.Attempt.Claims {
		left := granted[c.Stock]
		if left.Sign() <= 0 {
			f.GiveBack = append(f.GiveBack, c.Ref())
		}
		for _, l := range c.Lines {
			got := quantity.Min(left, l.Quantity.Value)
			if got.Sign() > 0 {
				left = left.Sub(got)
				f.Lines = append(f.Lines, PromisedLine{Line: l.Line, Claim: c.Key, Quantity: quantity.Quantity{Value: got, Unit: l.Quantity.Unit}})
			} else {
				got = quantity.Decimal{}
			}
			if got != l.Quantity.Value {
				l.Quantity.Value = l.Quantity.Value.Sub(got)
				f.Missing = append(f.Missing, l)
			}
		}
	}
	s := o.begin(e)
	if len(f.Lines) == 0 || len(f.Missing) > 0 && !o.Attempt.Partial {
		s.add(PromiseRefused{Keys: f.Keys, Attempt: attempt, Missing: f.Missing, GiveBack: o.Attempt.refs()})
	} else {
		s.add(f)
	}
	if len(f.Lines)+len(f.Missing) <= Inline && !s.sourceAgain() {
		s.proceed()
	}
	return s.end(), nil
}

// GiveUp closes an attempt whose time is over; before that it changes nothing.
func (o Order) GiveUp(e Env) ([]Fact, error) {
	if o.Attempt.State != AttemptOpen || e.Now.Before(o.Attempt.Due) {
		return nil, nil
	}
	f := PromiseClosed{Keys: o.keys(), Attempt: o.Attempt.Number, GiveBack: o.Attempt.refs()}
	if o.Header.Mode == Automatic || len(o.Releases) > 0 {
		f.Retry = e.Now.Add(e.Limits.retry(o.Attempt.Timeouts))
	}
	return []Fact{f}, nil
}

// Retry starts the next attempt after one that was given up, when it is due.
func (o Order) Retry(e Env) ([]Fact, error) {
	if o.Attempt.State != AttemptClosed || o.Attempt.Retry.IsZero() || e.Now.Before(o.Attempt.Retry) {
		return nil, nil
	}
	if f, ok := o.intent(e, Wanted{}); ok {
		return []Fact{f}, nil
	}
	return nil, nil
}

// Due is when GiveUp, Retry or Wake has something to do; zero for never.
func (o Order) Due() time.Time {
	due, opens := o.AttemptDue(), o.Opens()
	if due.IsZero() || !opens.IsZero() && opens.Before(due) {
		return opens
	}
	return due
}

// AttemptDue is when GiveUp or Retry has something to do; zero for never.
func (o Order) AttemptDue() time.Time {
	switch o.Attempt.State {
	case AttemptOpen:
		return o.Attempt.Due
	case AttemptClosed:
		if slices.ContainsFunc(o.Quantities(), func(q Quantities) bool { return q.Unpromised().Sign() > 0 }) {
			return o.Attempt.Retry
		}
	}
	return time.Time{}
}
