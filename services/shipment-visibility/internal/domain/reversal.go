package domain

import (
	"slices"
	"time"
)

// A goods issue may be reversed while its goods are here. The cartons are off the shipment then; with
// the last of them it stands where it stood before the goods issue, and the next one makes it ready.

type (
	// ReversalAllowed says that the goods are here.
	ReversalAllowed struct {
		Keys
		Attempt int
	}
	// ReversalDenied says that they have left.
	ReversalDenied struct {
		Keys
		Attempt int
		Reason  string
	}
	// IssueReversed takes cartons off the shipment.
	IssueReversed struct {
		Keys
		Reason      string
		Cartons     []string // SSCCs
		Units       []Unit   // left on it
		Lines       []Line   // left on it; what was planned when nothing is
		WeightGrams int64
	}
)

func (ReversalAllowed) isFact() {}
func (ReversalDenied) isFact()  {}
func (IssueReversed) isFact()   {}

// evolveReversal applies a fact about a goods issue that is reversed.
func (s Shipment) evolveReversal(f Fact) Shipment {
	switch f := f.(type) {
	case ReversalAllowed:
		s.Keys = known(s.Keys, f.Keys)
	case ReversalDenied:
		s.Keys = known(s.Keys, f.Keys)
	case IssueReversed:
		s.Keys = known(s.Keys, f.Keys)
		s.Units, s.Lines, s.WeightGrams = f.Units, f.Lines, f.WeightGrams
		if len(f.Units) == 0 {
			s.Issued = time.Time{}
		}
	}
	return s
}

// gone reports whether the goods are known to have left.
func (s Shipment) gone() bool {
	return len(s.Departures) > 0 || len(s.Proofs) > 0 || Progress(s.Milestones, s.signed()) != ""
}

// AskReversal says whether the goods issue of what is on the shipment may be reversed.
func AskReversal(s Shipment, k Keys, attempt int) ([]Fact, error) {
	k = known(s.Keys, k)
	if s.gone() {
		return []Fact{ReversalDenied{k, attempt, "SHIPMENT_DISPATCHED"}}, nil
	}
	return []Fact{ReversalAllowed{k, attempt}}, nil
}

// Reverse takes cartons off the shipment whose goods issue was reversed. It follows a fact and is never
// refused; when the shipment left meanwhile, that no goods issue is known is a contradiction.
func Reverse(s Shipment, r IssueReversed) ([]Fact, error) {
	off := func(u Unit) bool { return slices.Contains(r.Cartons, u.SSCC) }
	if s.Issued.IsZero() || !slices.ContainsFunc(s.Units, off) {
		return nil, nil
	}
	r.Keys = known(s.Keys, r.Keys)
	r.Units = slices.DeleteFunc(slices.Clone(s.Units), off)
	r.Lines = s.Plan
	if len(r.Units) > 0 {
		r.Lines = content(r.Units)
		Weigh(r.Lines, r.Units)
	}
	for _, u := range r.Units {
		r.WeightGrams += u.WeightGrams
	}
	return []Fact{r}, nil
}

// content is what units hold, by line.
func content(units []Unit) (lines []Line) {
	for _, u := range units {
		for _, l := range u.Lines {
			l.WeightGrams = 0
			i := slices.IndexFunc(lines, func(x Line) bool { return x.Number == l.Number && x.Quantity.Unit == l.Quantity.Unit })
			if i < 0 {
				lines = append(lines, l)
				continue
			}
			lines[i].Quantity.Value = lines[i].Quantity.Value.Add(l.Quantity.Value)
		}
	}
	slices.SortFunc(lines, func(a, b Line) int { return a.Number - b.Number })
	return lines
}

// more adds to what is on the shipment what a further goods issue brings; false for nothing new.
func (s Shipment) more(r ShipmentReady) (ShipmentReady, bool) {
	fresh := slices.DeleteFunc(slices.Clone(r.Units), func(u Unit) bool {
		return slices.ContainsFunc(s.Units, func(on Unit) bool { return on.SSCC == u.SSCC })
	})
	if len(fresh) == 0 {
		return r, false
	}
	r.Units, r.WeightGrams = slices.Concat(s.Units, fresh), s.WeightGrams
	for _, u := range fresh {
		r.WeightGrams += u.WeightGrams
	}
	r.Lines = content(r.Units)
	Weigh(r.Lines, r.Units)
	return r, true
}
