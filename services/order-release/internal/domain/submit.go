package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Taken reports whether the order's number is taken: by one that was not rejected.
func (o Order) Taken() bool { return o.Revision > 0 && (o.Valid || o.IsClosed) }

// Submit takes an order, or the next revision of a rejected one. reasons are what validation
// found; an order with none goes on at once if it is automatic.
func (o Order) Submit(e Env, id string, h Header, lines []Line, reasons []Reason) ([]Fact, error) {
	if o.Taken() {
		return nil, fault.New(fault.Conflict, "ORDER_NUMBER_TAKEN", "order %s of %s exists and is %s", h.Number, h.Source, o.State()).
			With("order_id", id).With("state", string(o.State()))
	}
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b Line) int { return a.Number - b.Number })
	h.ReceivedTime = e.Now
	rules := make([]SourcedLine, 0, len(lines))
	for i := range lines {
		if lines[i].Rule > 0 {
			rules = append(rules, SourcedLine{lines[i].Number, lines[i].Rule})
			lines[i].Rule = 0 // told by a fact of its own
		}
	}
	s := o.begin(e)
	s.add(OrderReceived{Order: id, Revision: o.Revision + 1, Header: h, Lines: lines})
	if len(reasons) > 0 {
		s.add(OrderRejected{Keys: s.keys(), Revision: s.Revision, Reasons: reasons})
		return s.facts, nil
	}
	s.add(OrderValidated{Keys: s.keys(), Revision: s.Revision, Lines: len(lines)})
	if len(rules) > 0 || h.Rule == ShipTogether {
		s.add(OrderSourced{Keys: s.keys(), Sourcing: e.Sourcing, Lines: rules})
	}
	if len(lines) <= Inline {
		s.proceed()
	}
	return s.end(), nil
}
