package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// EvolveCount applies one fact.
func EvolveCount(c Count, fact CountFact) Count {
	switch f := fact.(type) {
	case CountPlanned:
		c.Keys, c.Locations, c.SKUs, c.Policy = f.CountKeys, f.Locations, f.SKUs, f.Policy
		for _, p := range f.Places {
			c.Lines = append(slices.Clip(c.Lines), CountLine{CountPlace: p, Planned: true})
		}
	case CountStarted:
		c.Started = true
	case CountSubmitted:
		for _, p := range f.Places {
			c = c.counted(p, f.By, f.At)
		}
		if f.Message != "" {
			c.Messages = append(slices.Clip(c.Messages), f.Message)
			c.Messages = c.Messages[max(0, len(c.Messages)-maxCountMessages):]
		}
	case CountApproved:
		c.Attempt, c.ApprovedBy, c.Reason = f.Attempt, f.By, f.Reason
		for _, a := range f.Adjustments {
			c = c.edit(a.Line, func(l *CountLine) {
				l.Final, l.Expected, l.Superseded, l.Refusal, l.HeldBy = true, a.Expected, a.Superseded, "", nil
				if a.Anew {
					l.Countings, l.Recount = nil, true
					return
				}
				l.Posted = a.Superseded || a.Variance.IsZero()
				l.Posting = !l.Posted
			})
		}
	case CountAdjusted:
		for _, o := range f.Outcomes {
			c = c.edit(o.Line, func(l *CountLine) {
				l.Posting, l.Posted, l.Refusal, l.HeldBy = false, o.Refusal == "", o.Refusal, o.HeldBy
			})
		}
	case CountCompleted:
		c.Completed = true
	case CountCancelled:
		c.CalledOff = true
	}
	return c
}

// ApplyCount folds facts onto a state.
func ApplyCount(c Count, facts ...CountFact) Count {
	for _, f := range facts {
		c = EvolveCount(c, f)
	}
	return c
}

// counted has what a person counted at a place, which comes into being if it was not planned.
func (c Count) counted(p CountedPlace, by string, at time.Time) Count {
	i := c.line(p.CountPlace)
	if i < 0 {
		c.Lines, i = append(slices.Clip(c.Lines), CountLine{CountPlace: p.CountPlace}), len(c.Lines)
	}
	return c.edit(i+1, func(l *CountLine) {
		l.Countings = append(slices.Clip(l.Countings), Counting{p.Quantity, p.Expected, by, at.UnixMilli()})
		l.Recount, l.Posted, l.Final, l.Expected, l.Superseded, l.Refusal, l.HeldBy = p.Recount, false, false, quantity.Decimal{}, false, "", nil
	})
}

// edit changes the line of a number.
func (c Count) edit(number int, change func(*CountLine)) Count {
	if number < 1 || number > len(c.Lines) {
		return c
	}
	c.Lines = slices.Clone(c.Lines)
	change(&c.Lines[number-1])
	return c
}
