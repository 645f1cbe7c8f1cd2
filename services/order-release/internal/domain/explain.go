package domain

import (
	"fmt"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Explain returns what stands against the order's next release and what qualifies the
// past; each reason says what to do about it.
func (o Order) Explain() []Reason {
	if !o.Valid {
		return o.Rejected
	}
	reasons := o.explainPast()
	t := totals(o.Quantities())
	reasons = append(reasons, o.explainHolds(!t.Open.IsZero())...)
	if t.Open.IsZero() {
		return reasons
	}
	if t.Promised != t.Open {
		reasons = append(reasons, o.explainPromise()...)
	}
	switch err := o.Releasable(); {
	case err == nil:
		reasons = append(reasons, Reason{"NOT_RELEASED", "", "promised and free to go: ReleaseOrder releases it"})
	default:
		if f, ok := fault.As(err); ok && f.Reason == "NOT_COMPLETE" {
			reasons = append(reasons, Reason{f.Reason, "delivery_rule", f.Message})
		}
	}
	return reasons
}

// Flaws returns why the order was rejected, or what refused or contradicted it so far.
func (o Order) Flaws() []Reason {
	if !o.Valid {
		return o.Rejected
	}
	return o.explainPast()
}

// explainPromise says why something open is not promised.
func (o Order) explainPromise() []Reason {
	switch o.Attempt.State {
	case AttemptOpen:
		return []Reason{{"PROMISE_PENDING", "", fmt.Sprintf("attempt %d claims stock until %s", o.Attempt.Number, o.Attempt.Due.Format("15:04:05Z"))}}
	case AttemptClosed:
		message := fmt.Sprintf("attempt %d had no answer from stock in time: PromiseLines tries again", o.Attempt.Number)
		if !o.Attempt.Retry.IsZero() {
			message = fmt.Sprintf("attempt %d had no answer from stock in time; the next begins at %s", o.Attempt.Number, o.Attempt.Retry.Format("15:04:05Z"))
		}
		return []Reason{{"PROMISE_TIMED_OUT", "", message}}
	case AttemptPromised, AttemptRefused:
		var reasons []Reason
		for i, q := range o.Quantities() {
			l := o.Lines[i]
			if q.Unpromised().Sign() <= 0 {
				continue
			}
			what := "PromiseLines tries again"
			if !q.Backordered.IsZero() {
				what = "it is claimed as soon as stock arrives"
			}
			reasons = append(reasons, Reason{
				"STOCK_SHORT", fmt.Sprintf("lines.%d", l.Number),
				fmt.Sprintf("%s %s of %s are missing at %s: %s", q.Unpromised(), l.Base.Unit, l.SKU, strings.Join(o.Candidates(i), ", "), what),
			})
			reasons = append(reasons, o.explainSupplies(i)...)
		}
		return reasons
	}
	if o.Header.Mode == Automatic && o.Chooses() {
		return []Reason{{"SOURCING_PENDING", "", "the sites that deliver are chosen as soon as inventory says what there is"}}
	}
	return []Reason{{"NOT_PROMISED", "", "nobody has asked for stock yet: PromiseLines does"}}
}

// explainPast says what refused or contradicted the order so far.
func (o Order) explainPast() []Reason {
	var reasons []Reason
	for _, r := range o.Releases {
		if r.CancelRefused != "" {
			reasons = append(reasons, Reason{
				"CANCEL_REFUSED", ReleaseID(o.ID, r.Number),
				fmt.Sprintf("the warehouse goes on with release %d: %s; a return is the way back", r.Number, r.CancelRefused),
			})
		}
	}
	reasons = append(reasons, o.explainAmendments()...)
	for _, d := range o.Disputed {
		reasons = append(reasons, Reason{
			"REPORT_CONTRADICTED", fmt.Sprintf("lines.%d", d.Line),
			fmt.Sprintf("%s of %s reports %s more than the order can hold: ask who reported it", d.Report, d.Release, d.Excess),
		})
	}
	return reasons
}
