package domain

import (
	"cmp"
	"slices"
)

// A warehouse order may be amended before it is picked: the shipment is planned with what is left of it.

// Amended is a line as the newest amendment of it that is known left it.
type Amended struct {
	Version int  `bson:"v"` // of the release
	Line    Line `bson:"l"`
}

// ShipmentAmended says what of some lines is to ship from now on.
type ShipmentAmended struct {
	Keys
	Version int
	Lines   []Line
}

func (ShipmentAmended) isFact() {}

func byNumber(a Amended, line int) int { return cmp.Compare(a.Line.Number, line) }

// Amend follows an amendment of the warehouse order, planned or not yet; one that says nothing newer
// of any line changes nothing.
func Amend(s Shipment, a ShipmentAmended) ([]Fact, error) {
	a.Keys = known(s.Keys, a.Keys)
	a.Lines = slices.DeleteFunc(slices.Clone(a.Lines), func(l Line) bool {
		i, found := slices.BinarySearchFunc(s.Amended, l.Number, byNumber)
		return found && s.Amended[i].Version >= a.Version
	})
	if len(a.Lines) == 0 {
		return nil, nil
	}
	return []Fact{a}, nil
}

func (s Shipment) evolveAmendment(f ShipmentAmended) Shipment {
	s.Keys, s.Amended = known(s.Keys, f.Keys), slices.Clone(s.Amended)
	for _, l := range f.Lines {
		i, found := slices.BinarySearchFunc(s.Amended, l.Number, byNumber)
		if !found {
			s.Amended = slices.Insert(s.Amended, i, Amended{})
		}
		s.Amended[i] = Amended{f.Version, l}
	}
	if s.Plan = s.amended(s.Plan); s.Planned && s.Issued.IsZero() {
		s.Lines = s.Plan
	}
	return s
}

// amended are lines as amendments left them, without those of which nothing is left.
func (s Shipment) amended(lines []Line) []Line {
	if len(s.Amended) == 0 {
		return lines
	}
	var left []Line
	for _, l := range lines {
		if i, found := slices.BinarySearchFunc(s.Amended, l.Number, byNumber); found {
			l.Quantity = s.Amended[i].Line.Quantity
		}
		if l.Quantity.Value.Sign() > 0 {
			left = append(left, l)
		}
	}
	return left
}
