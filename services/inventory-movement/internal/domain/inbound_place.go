package domain

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// stands sums what stands of a line in a status, in a lot if one is named.
func (d Inbound) stands(line int, s Status, lot string) (sum quantity.Decimal) {
	for _, x := range d.Standings {
		if x.Line == line && x.Place.Status == s && (lot == "" || x.Place.Lot == lot) {
			sum = sum.Add(x.Quantity)
		}
	}
	return sum
}

// Some is so much of what stands somewhere, or these pieces of it.
type Some struct {
	Quantity quantity.Decimal
	Serials  []string
}

// chosen are the pieces that are meant of a line in a status; nil for any. Where they have serial
// numbers they are named, unless all are meant.
func (d Inbound) chosen(line int, s Status, lot string, of Some, field string) (func(Place) bool, error) {
	stand := map[string]bool{}
	for _, x := range d.Standings {
		if x.Line == line && x.Place.Status == s && x.Place.Serial != "" && (lot == "" || x.Place.Lot == lot) {
			stand[x.Place.Serial] = true
		}
	}
	if len(of.Serials) == 0 {
		if len(stand) > 0 && of.Quantity.Sign() > 0 && of.Quantity != d.stands(line, s, lot) {
			return nil, Invalid(field, "SERIAL_REQUIRED", "the pieces have serial numbers: name those that are meant")
		}
		return func(Place) bool { return true }, nil
	}
	if err := Numbered(of.Serials, of.Quantity, field); err != nil {
		return nil, err
	}
	for i, n := range of.Serials {
		if !stand[n] {
			return nil, Invalid(field+"["+strconv.Itoa(i)+"]", "SERIAL_UNKNOWN", "piece %s of line %d does not stand in %s", n, line, s)
		}
	}
	return func(p Place) bool { return slices.Contains(of.Serials, p.Serial) }, nil
}

// relocate makes the moves that take a quantity of a line in a status to where it goes.
func (d Inbound) relocate(l InboundLine, s Status, lot string, q quantity.Decimal, meant func(Place) bool, to func(Place) Place) []InboundMove {
	var moves []InboundMove
	for _, x := range d.Standings {
		n := quantity.Min(x.Quantity, q)
		if x.Line == l.Number && x.Place.Status == s && (lot == "" || x.Place.Lot == lot) && n.Sign() > 0 && meant(x.Place) {
			moves = append(moves, InboundMove{
				Task: x.Number, Line: l.Number, Item: l.Item, SKU: l.SKU, Unit: l.Unit, From: x.Place, To: to(x.Place), Quantity: n,
			})
			q = q.Sub(n)
		}
	}
	return moves
}

func becomes(s Status) func(Place) Place {
	return func(p Place) Place {
		p.Status = s
		return p
	}
}

func (d Inbound) named(line int) (InboundLine, error) {
	l, known := d.Line(line)
	if !known {
		return l, Invalid("line_number", "LINE_UNKNOWN", "the delivery has no line %d", line)
	}
	return l, nil
}

// Inspect records what inspection found: what is accepted becomes AVAILABLE, what is rejected BLOCKED.
func Inspect(d Inbound, line int, lot string, accepted, rejected Some, at time.Time) ([]InboundFact, error) {
	l, err := d.named(line)
	if err != nil {
		return nil, err
	}
	all := accepted.Quantity.Add(rejected.Quantity)
	if have := d.stands(line, QI, lot); have.Less(all) {
		return nil, fault.New(fault.Refused, "INSPECTION_EXCEEDED", "%s of line %d stand in QI, not %s", have, line, all).
			With("available", have.String())
	}
	good, err := d.chosen(line, QI, lot, accepted, "accepted_serials")
	if err != nil {
		return nil, err
	}
	moves := d.relocate(l, QI, lot, accepted.Quantity, good, becomes(Available))
	rest := EvolveInbound(d, InspectionRecorded{Moves: moves})
	bad, err := rest.chosen(line, QI, lot, rejected, "rejected_serials")
	if err != nil {
		return nil, err
	}
	moves = append(moves, rest.relocate(l, QI, lot, rejected.Quantity, bad, becomes(Blocked))...)
	return []InboundFact{InspectionRecorded{d.Keys, moves, at}}, nil
}

// ResolveOver decides what becomes of goods of a line that are too many; none named: of all.
func ResolveOver(d Inbound, line int, decision OverDecision, over Some, at time.Time) ([]InboundFact, error) {
	l, err := d.named(line)
	if err != nil {
		return nil, err
	}
	have := d.stands(line, Quarantine, "")
	if over.Quantity.IsZero() {
		over.Quantity = quantity.Int(int64(len(over.Serials)))
	}
	if over.Quantity.IsZero() {
		over.Quantity = have
	}
	q := over.Quantity
	meant, err := d.chosen(line, Quarantine, "", over, "serials")
	if err != nil {
		return nil, err
	}
	if have.Less(q) || have.IsZero() {
		return nil, fault.New(fault.Refused, "QUARANTINE_EXCEEDED", "%s of line %d stand in QUARANTINE, not %s", have, line, q).With("available", have.String())
	}
	to := becomes(Available)
	switch {
	case decision == ReturnOver:
		to = func(p Place) Place {
			p.Location = Supplier
			return p
		}
	case l.Inspect:
		to = becomes(QI)
	}
	return []InboundFact{OverReceiptResolved{d.Keys, decision, d.relocate(l, Quarantine, "", q, meant, to), at}}, nil
}

// ConfirmPutaway records where goods of a task were put: at the location that is named, whatever was
// proposed, else where it was. Nothing named: all of them, or all that is proposed.
func ConfirmPutaway(d Inbound, task int, location string, q quantity.Decimal, proposed []BinPart, at time.Time) ([]InboundFact, error) {
	s, err := d.Task(task)
	if err != nil {
		return nil, err
	}
	l, err := d.named(s.Line)
	if err != nil {
		return nil, err
	}
	most := s.Quantity
	if location == "" {
		if most = quantity.Min(most, sumOf(proposed)); most.IsZero() {
			return nil, Invalid("location", "PUTAWAY_LOCATION_REQUIRED", "no rule proposes a place: say where they were put")
		}
	}
	if q.IsZero() {
		q = most
	}
	switch {
	case s.Quantity.Less(q):
		return nil, fault.New(fault.Refused, "TASK_EXCEEDED", "%s are to be put away, not %s", s.Quantity, q).With("available", s.Quantity.String())
	case most.Less(q):
		return nil, fault.New(fault.Refused, "PUTAWAY_UNPROPOSED", "a place is proposed for %s of them, not %s: say where they were put", most, q).
			With("available", most.String())
	}
	f := PutawayConfirmed{InboundKeys: d.Keys, At: at}
	move := func(to, bin, rule string, n quantity.Decimal) {
		if n.Sign() > 0 {
			m := InboundMove{Task: task, Line: l.Number, Item: l.Item, SKU: l.SKU, Unit: l.Unit, From: s.Place, To: s.Place, Quantity: n, Proposed: bin, Rule: rule}
			m.To.Location, q = to, q.Sub(n)
			f.Moves = append(f.Moves, m)
		}
	}
	for _, p := range foremost(proposed, location) {
		move(cmp.Or(location, p.Bin), p.Bin, p.Rule, quantity.Min(p.Quantity, q))
	}
	move(location, "", "", q)
	return []InboundFact{f}, nil
}

func sumOf(parts []BinPart) (sum quantity.Decimal) {
	for _, p := range parts {
		sum = sum.Add(p.Quantity)
	}
	return sum
}

// foremost has the part of a bin before all others.
func foremost(parts []BinPart, bin string) []BinPart {
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b BinPart) int {
		switch {
		case a.Bin == bin && b.Bin != bin:
			return -1
		case b.Bin == bin && a.Bin != bin:
			return 1
		}
		return 0
	})
	return parts
}

// Task returns what is to be put away under a number.
func (d Inbound) Task(number int) (Standing, error) {
	for _, s := range d.Standings {
		if s.Number == number && !s.Stored {
			return s, nil
		}
	}
	return Standing{}, Invalid("task_number", "TASK_UNKNOWN", "the delivery has no task %d", number)
}

// TakeInbound books goods of a delivery as they go from one place or status to another: a
// report, never refused. Goods that are allocated go with their allocation; what the books do
// not have where it should stand comes from DISCREPANCY.
func TakeInbound(s Stock, key StockKey, m InboundMove, kind MovementType, document string, at time.Time) []StockFact {
	key = s.named(key)
	b := booking{s: s, left: m.Quantity}
	from, to := s.dated(m.From), m.To
	if !to.outside() {
		to.Expiry = from.Expiry
	}
	move := func(source Place, n quantity.Decimal) {
		b.add(n, StockMoved{StockKey: key, Type: kind, From: source, To: to, Quantity: n, Reason: document, At: at})
	}
	if from == to {
		return nil
	}
	_, free := s.onHand(from)
	move(from, quantity.Min(free, b.left))
	for _, a := range b.s.Allocations {
		n := quantity.Min(a.Quantity, b.left)
		if a.Place != from || n.Sign() <= 0 || !to.sellable() {
			continue
		}
		moved := a
		moved.Place, moved.Quantity = to, n
		b.left = b.left.Sub(n)
		b.note(StockMoved{StockKey: key, Type: kind, From: from, To: to, Quantity: n, Reason: document, Order: a.Order, Line: a.Line, Used: n, At: at})
		b.note(StockAllocated{StockKey: key, Order: a.Order, Line: a.Line, Parts: []Allocation{moved}})
	}
	move(Place{Location: Discrepancy, Lot: from.Lot, Serial: from.Serial, Status: from.Status}, b.left)
	return b.facts
}
