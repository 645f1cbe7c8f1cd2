package domain

import (
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// PlanCount says what is to be counted; again it changes nothing.
func PlanCount(c Count, f CountPlanned) ([]CountFact, error) {
	switch {
	case c.Keys.ID != "":
		return nil, nil
	case len(f.Places) > maxCountLines:
		return nil, countFull(len(f.Places))
	}
	return []CountFact{f}, nil
}

func countFull(n int) error {
	return fault.New(fault.Refused, "COUNT_FULL", "%d places are more than the %d of one count: plan several", n, maxCountLines)
}

// StartCount begins to count; again it changes nothing.
func StartCount(c Count) ([]CountFact, error) {
	switch c.State() {
	case CountIsPlanned:
		return []CountFact{CountStarted{c.Keys}}, nil
	case CountInProgress, CountValidation:
		return nil, nil
	}
	return nil, c.refusal("started")
}

// Submission is what a person counted, as a report has it.
type Submission struct {
	Places  []CountedPlace // without Recount
	By      string
	At      time.Time
	Message string
}

// SubmitCount takes what a person counted. What differs by more than the policy lets through is to
// be counted again by somebody who has not counted the place; then the latest counting stands. The
// same message, or the same person with the same figures of the same moment, changes nothing.
func SubmitCount(c Count, s Submission) ([]CountFact, error) {
	switch state := c.State(); {
	case s.Message != "" && slices.Contains(c.Messages, s.Message):
		return nil, nil
	case state != CountInProgress && state != CountValidation || c.Posting():
		return nil, c.refusal("counted")
	}
	f := CountSubmitted{CountKeys: c.Keys, By: s.By, At: s.At, Message: s.Message}
	lines := len(c.Lines)
	for i, p := range s.Places {
		field := "lines[" + strconv.Itoa(i) + "]"
		if !c.Covers(p.CountPlace) {
			return nil, Invalid(field+".location", "COUNT_SCOPE", "the count is not of item %s in bin %s", p.SKU, p.Place.Location)
		}
		if slices.ContainsFunc(s.Places[:i], func(o CountedPlace) bool { return o.same(p.CountPlace) }) {
			return nil, Invalid(field+".location", "LINE_DUPLICATE", "the place is there already")
		}
		again, err := c.again(p, s, field)
		if err != nil {
			return nil, err
		}
		if again {
			continue
		}
		n := c.line(p.CountPlace)
		if n < 0 {
			lines++
		}
		first := n < 0 || len(c.Lines[n].Countings) == 0
		p.Recount = first && c.Policy.Recount.exceeded(p.Quantity.Sub(p.Expected), p.Expected, p.Unit)
		f.Places = append(f.Places, p)
	}
	if lines > maxCountLines {
		return nil, countFull(lines)
	}
	if len(f.Places) == 0 {
		return nil, nil
	}
	return []CountFact{f}, nil
}

// again reports whether a person says again what it said of a place. Something else is for
// another person to say.
func (c Count) again(p CountedPlace, s Submission, field string) (bool, error) {
	n := c.line(p.CountPlace)
	if n < 0 {
		return false, nil
	}
	l := c.Lines[n]
	said := slices.ContainsFunc(l.Countings, func(k Counting) bool {
		return k.By == s.By && k.Quantity == p.Quantity && k.At == s.At.UnixMilli()
	})
	switch {
	case said:
		return true, nil
	case l.Posted:
		return false, fault.New(fault.Refused, "COUNT_STATE", "%s: line %d is posted", field, n+1).With("from", "POSTED").With("command", "counted")
	case l.countedBy(s.By):
		return false, fault.New(fault.Refused, "SAME_PERSON", "%s: %s counted line %d already: another person counts it again", field, s.By, n+1)
	case len(l.Countings) >= maxCountings:
		return false, countFull(len(l.Countings))
	}
	return false, nil
}

// Ledger is what the ledger says of a line: what it has as of the moment of counting, and what
// of later makes that no measure any more.
type Ledger struct {
	Expected   quantity.Decimal
	Superseded bool
	Corrected  bool // the books were corrected there since, by no count
}

// ApproveCount has the ledger follow what was counted. Of all lines that are not posted ledger
// says what it has, by their numbers. What differs by more than the policy's limit is approved by
// somebody who may, and who counted none of it. Where the books were corrected since, what was
// counted tells nothing about them any more: it is to be counted anew.
func ApproveCount(c Count, by string, may bool, reason string, ledger map[int]Ledger) ([]CountFact, error) {
	switch state := c.State(); {
	case state == CountComplete || state == CountValidation && c.Posting():
		return nil, nil
	case state != CountValidation:
		return nil, c.refusal("posted")
	}
	f := CountApproved{CountKeys: c.Keys, Attempt: c.Attempt + 1, By: by, Reason: reason}
	adjusts, anew := false, false
	for i, l := range c.Lines {
		k, counted := l.Last()
		if !counted || l.Posted {
			continue
		}
		is := ledger[i+1]
		a := CountAdjustment{Line: i + 1, CountPlace: l.CountPlace, Expected: is.Expected, Variance: k.Quantity.Sub(is.Expected), At: time.UnixMilli(k.At).UTC(), Superseded: is.Superseded, Anew: is.Corrected && !is.Superseded}
		if !a.Superseded && !a.Anew && c.Policy.Approval.exceeded(a.Variance, a.Expected, l.Unit) {
			if l.countedBy(by) {
				return nil, fault.New(fault.Refused, "SAME_PERSON", "line %d differs by %s, and %s counted it: somebody else posts it", i+1, a.Variance, by)
			}
			if !may {
				return nil, fault.New(fault.Refused, "COUNT_LIMIT", "line %d differs by %s: an administrator posts it", i+1, a.Variance)
			}
		}
		adjusts, anew = adjusts || !a.Superseded && !a.Anew && !a.Variance.IsZero(), anew || a.Anew
		f.Adjustments = append(f.Adjustments, a)
	}
	if !adjusts && !anew {
		return []CountFact{f, CountCompleted{c.Keys}}, nil
	}
	return []CountFact{f}, nil
}

// RecordAdjusted says what became of the adjustments of an item, once an attempt; with the last of
// them the count is complete, unless something was refused.
func RecordAdjusted(c Count, attempt int, item string, outcomes []CountOutcome) []CountFact {
	if c.Attempt != attempt || !slices.ContainsFunc(c.Lines, func(l CountLine) bool { return l.Item == item && l.Posting }) {
		return nil
	}
	f := CountAdjusted{c.Keys, attempt, item, outcomes}
	next := EvolveCount(c, f)
	unposted := func(l CountLine) bool { return l.open() || len(l.Countings) > 0 && !l.Posted }
	if c.CalledOff || slices.ContainsFunc(next.Lines, unposted) {
		return []CountFact{f}
	}
	return []CountFact{f, CountCompleted{c.Keys}}
}

// CancelCount calls a count off, unless adjustments are on their way; what was posted stays.
func CancelCount(c Count, reason string) ([]CountFact, error) {
	switch state := c.State(); {
	case state == CountCalledOff:
		return nil, nil
	case state == CountComplete || c.Posting():
		return nil, c.refusal("cancelled")
	}
	return []CountFact{CountCancelled{c.Keys, reason}}, nil
}
