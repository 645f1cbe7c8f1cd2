package domain

import (
	"fmt"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Contradiction is something that two reports do not agree on. It is derived from what is
// known, so it goes away by itself when the report that explains it arrives.
type Contradiction struct {
	Code    string // of the contract's reasons
	Field   string // what it concerns, e.g. "lines.10"; empty for the whole shipment
	Message string
}

// Contradictions returns what is to be cleared, in a fixed order.
func (s Shipment) Contradictions() []Contradiction {
	var out []Contradiction
	add := func(code, field, format string, args ...any) {
		out = append(out, Contradiction{code, field, fmt.Sprintf(format, args...)})
	}
	left, gone := s.Dispatched()
	if gone && s.Issued.IsZero() {
		add("DISPATCHED_NOT_ISSUED", "", "the shipment left, but no goods issue is known")
	}
	if !gone && (len(s.Proofs) > 0 || Progress(s.Milestones, s.signed()) != "") {
		add("MOVED_NOT_DISPATCHED", "", "milestones or a proof of delivery say that it moved, but no dispatch is known")
	}
	if s.IsCancelled && s.moved() {
		add("CANCELLED_BUT_MOVED", "", "the warehouse order was cancelled, yet goods were issued or left")
	}
	for _, d := range s.Departures {
		if disagree(d.Refs, left.Refs) || d.Carrier != "" && d.Carrier != left.Carrier {
			add("ALREADY_DISPATCHED", "", "reports of the departure name different numbers or carriers")
			break
		}
	}
	if t, ok := s.booked(); ok && left.Carrier != "" && left.Carrier != t.Carrier {
		add("CARRIER_MISMATCH", "carrier", "booked with %s, taken by %s", t.Carrier, left.Carrier)
	}
	for i := 1; i < len(s.Proofs); i++ {
		if !sameLines(s.Proofs[i-1].Lines, s.Proofs[i].Lines) {
			add("PROOFS_DIFFER", "delivered_lines", "proofs of delivery name different quantities")
			break
		}
	}
	return append(out, s.excess()...)
}

// excess is what the consignee confirmed beyond what left.
func (s Shipment) excess() []Contradiction {
	p, _ := s.Proof()
	left := map[int]quantity.Quantity{}
	for _, l := range s.Lines {
		left[l.Number] = l.Quantity
	}
	var out []Contradiction
	over := map[int]bool{}
	for _, l := range p.Lines {
		field := fmt.Sprintf("lines.%d", l.Number)
		q, known := left[l.Number]
		switch {
		case !known:
			out = append(out, Contradiction{"LINE_UNKNOWN", field, fmt.Sprintf("the shipment has no line %d", l.Number)})
			continue
		case q.Unit != l.Quantity.Unit:
			out = append(out, Contradiction{"UNIT_MISMATCH", field, fmt.Sprintf("confirmed in %s, dispatched in %s", l.Quantity.Unit, q.Unit)})
			continue
		}
		q.Value = q.Value.Sub(l.Quantity.Value) // a line may be confirmed in parts
		left[l.Number] = q
		if q.Value.Sign() < 0 && !over[l.Number] {
			over[l.Number] = true
			out = append(out, Contradiction{"QUANTITY_EXCEEDS_DISPATCHED", field, "more was confirmed than was dispatched"})
		}
	}
	return out
}

func disagree(a, b Refs) bool {
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }
	return differ(a.BillOfLading, b.BillOfLading) || differ(a.PRO, b.PRO) || differ(a.Tracking, b.Tracking) || differ(a.Seal, b.Seal)
}

func sameLines(a, b []Line) bool {
	return compareProofs(Proof{Lines: a}, Proof{Lines: b}) == 0
}
