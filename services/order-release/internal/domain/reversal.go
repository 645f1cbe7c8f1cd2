package domain

import (
	"strconv"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// A warehouse that wants to take back a goods issue asks the order first. An order that lets it is not
// closed until it hears what came of it; a fulfilled one is in execution again then.

// ReversalAllowed lets the warehouse reverse a goods issue.
type ReversalAllowed struct {
	Keys
	Release        int
	WarehouseOrder string
	Attempt        int
}

// ReversalDenied does not.
type ReversalDenied struct {
	Keys
	Release        int
	WarehouseOrder string
	Attempt        int
	Reason         string
}

// LinesIssueReversed reports what the warehouse took back.
type LinesIssueReversed struct {
	Keys
	Release int
	Lines   []LineQuantity
}

// ReversalEnded reports that the goods issue stays after all, or that nothing of it was the order's.
type ReversalEnded struct {
	Keys
	Release int
	Reason  string
}

func (ReversalAllowed) fact()    {}
func (ReversalDenied) fact()     {}
func (LinesIssueReversed) fact() {}
func (ReversalEnded) fact()      {}

const reportReversed = "ISSUE_REVERSED"

// evolveReversal applies a fact about a goods issue that is reversed.
func (o Order) evolveReversal(f Fact) Order {
	ended := func(r *Release) { r.Reversing = 0 }
	switch f := f.(type) {
	case ReversalAllowed:
		return o.reported(f.Release, nil, func(r *Release) { r.Reversing = f.Attempt }, nil)
	case LinesIssueReversed:
		o.Done = false
		return o.reported(f.Release, f.Lines, func(r *Release) { r.Reversing, r.TakenBack = 0, true }, func(l *ReleaseLine, q quantity.Decimal) { l.Issued = l.Issued.Sub(q) })
	case ReversalEnded:
		return o.reported(f.Release, nil, ended, nil)
	}
	return o
}

// AskReversal says whether a warehouse may reverse the goods issue of lines of a release.
func (o Order) AskReversal(_ Env, release, warehouseOrder string, attempt int, lines []LineQuantity) ([]Fact, error) {
	_, number, _ := ParseReleaseID(release) // 0 for none of ours, which is not found either
	denied := func(reason string) ([]Fact, error) {
		return []Fact{ReversalDenied{o.keys(), number, warehouseOrder, attempt, reason}}, nil
	}
	r, _ := o.reportedOn(release, reportReversed, nil)
	switch {
	case r == nil:
		return denied("RELEASE_UNKNOWN")
	case o.IsClosed:
		return denied("ORDER_CLOSED")
	}
	for _, q := range lines {
		n := r.lineIndex(q.Line)
		if n >= 0 && r.Lines[n].Delivered.Sign() > 0 && r.Lines[n].Issued.Sub(r.Lines[n].Delivered).Less(q.Quantity.Value) {
			return denied("GOODS_DELIVERED")
		}
	}
	return []Fact{ReversalAllowed{o.keys(), number, warehouseOrder, attempt}}, nil
}

// IssueReversed records what the warehouse took back of what was issued; no more than is issued and
// not delivered.
func (o Order) IssueReversed(e Env, release string, lines []LineQuantity) ([]Fact, error) {
	facts, err := o.report(e, release, reportReversed, lines, func(l ReleaseLine) quantity.Decimal { return l.Issued.Sub(l.Delivered) },
		func(s *step, r Release, taken []LineQuantity) {
			s.add(LinesIssueReversed{Keys: o.keys(), Release: r.Number, Lines: taken})
		})
	if r, _ := o.reportedOn(release, reportReversed, nil); err == nil && r != nil && Apply(o, facts...).Releases[o.releaseIndex(r.Number)].Reversing > 0 {
		facts = append(facts, ReversalEnded{o.keys(), r.Number, "NOTHING_ISSUED"})
	}
	return facts, err
}

// ReversalRefused records that the goods issue of a release stays.
func (o Order) ReversalRefused(_ Env, release, reason string) ([]Fact, error) {
	r, _ := o.reportedOn(release, reportReversed, nil)
	if r == nil || r.Reversing == 0 {
		return nil, nil
	}
	return []Fact{ReversalEnded{o.keys(), r.Number, reason}}, nil
}

// reversing refuses what has to wait until a reversal is decided.
func (o Order) reversing() error {
	for _, r := range o.Releases {
		if r.Reversing > 0 {
			return fault.New(fault.Refused, "REVERSAL_PENDING", "a goods issue of release %d is being reversed: try again when that is decided", r.Number).
				With("attempt", strconv.Itoa(r.Reversing))
		}
	}
	return nil
}
