package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// ItemsIssueReversed says that quantities of an order are with the warehouse again.
type ItemsIssueReversed struct {
	ID, Order, Number, Release string

	Lines []ReversedLine
}

// ReversedLine is what of a line was taken back.
type ReversedLine struct {
	Line     int
	Quantity quantity.Quantity
}

func (ItemsIssueReversed) itemFact() {}

// reversed applies a fact of goods issues that were reversed.
func (r Returnable) reversed(f ItemsIssueReversed) Returnable {
	r.ID = f.ID
	r.Lines = slices.Clone(r.Lines)
	for _, l := range f.Lines {
		if i, found := r.find(l.Line); found {
			r.Lines[i].Issued = r.Lines[i].Issued.Sub(l.Quantity.Value)
		}
	}
	return r
}

// Reverse records that what was issued was taken back: no more of a line than is issued, and nothing
// of what never was. What a return holds of it already it keeps; more nobody gets.
func (r Returnable) Reverse(f ItemsIssueReversed) []ItemFact {
	lines := f.Lines
	f.Lines = nil
	for _, l := range lines {
		i, found := r.find(l.Line)
		if !found || r.Lines[i].Unit != l.Quantity.Unit {
			continue
		}
		if l.Quantity.Value = quantity.Min(l.Quantity.Value, r.Lines[i].Issued); l.Quantity.Value.Sign() > 0 {
			f.Lines = append(f.Lines, l)
		}
	}
	if len(f.Lines) == 0 {
		return nil
	}
	return []ItemFact{f}
}
