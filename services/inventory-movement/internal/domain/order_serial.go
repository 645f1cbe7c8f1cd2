package domain

import (
	"slices"
	"strconv"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// holds notes a piece that stands in PACKING for the line.
func (l *OrderLine) holds(serial string) {
	if serial != "" {
		l.Serials = append(slices.Clip(l.Serials), serial)
	}
}

// gives notes that a piece does so no more.
func (l *OrderLine) gives(serial string) {
	if serial != "" {
		l.Serials = slices.DeleteFunc(slices.Clone(l.Serials), func(n string) bool { return n == serial })
	}
}

// named reads the pieces that a report of picked goods names: those of its line that it may name.
// A report of all that there are need not name them.
func (o WarehouseOrder) named(lines []PickedLine, of func(OrderLine) []string) ([]PickedLine, error) {
	var out []PickedLine
	told := map[int][]string{}
	for _, p := range lines {
		if p.Serial != "" {
			told[p.Line] = append(told[p.Line], p.Serial)
		}
	}
	for n, p := range lines {
		l, known := o.line(p.Line)
		if !known {
			out = append(out, p)
			continue
		}
		have, field := of(l), "lines["+strconv.Itoa(p.row(n))+"].serials"
		switch rest := quantity.Int(int64(len(have) - len(told[p.Line]))); {
		case p.Serial != "" && !slices.Contains(have, p.Serial):
			return nil, Invalid(field, "SERIAL_UNKNOWN", "piece %s is none that stands in PACKING for line %d", p.Serial, p.Line)
		case p.Serial != "" || len(have) == 0 || rest.Sign() <= 0:
			out = append(out, p)
		case p.Quantity != rest:
			return nil, Invalid(field, "SERIAL_REQUIRED", "%s pieces of line %d are in PACKING: name those that are meant", rest, p.Line)
		default:
			for _, serial := range have {
				if !slices.Contains(told[p.Line], serial) {
					piece := p
					piece.Serial, piece.Quantity, piece.Row = serial, One, p.row(n)+1
					out = append(out, piece)
				}
			}
			told[p.Line] = have
		}
	}
	return out, nil
}

// Line returns a line by number.
func (o WarehouseOrder) Line(number int) (OrderLine, bool) { return o.line(number) }

func (o WarehouseOrder) line(number int) (OrderLine, bool) {
	i := slices.IndexFunc(o.Lines, func(l OrderLine) bool { return l.Number == number })
	if i < 0 {
		return OrderLine{}, false
	}
	return o.Lines[i], true
}

// unpacked are the pieces of a line in PACKING that are in no carton.
func (o WarehouseOrder) unpacked(l OrderLine) []string {
	if len(l.Serials) == 0 {
		return nil
	}
	in := map[string]bool{}
	for _, c := range o.OpenCartons() {
		for _, p := range c.Lines {
			if p.Line == l.Number {
				in[p.Serial] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(l.Serials), func(n string) bool { return in[n] })
}

// numbered refuses a report of picks that does not name the pieces of a line whose tasks do, or one
// that was picked before.
func (o WarehouseOrder) numbered(r Report) error {
	if o.IsCancelled || o.IsIssued() {
		return nil // it contradicts the order as a whole
	}
	told := map[int][]string{}
	for n, p := range r.Lines {
		l, known := o.line(p.Line)
		field := "lines[" + strconv.Itoa(p.row(n)) + "].serials"
		switch {
		case !known:
		case p.Serial == "" && r.Kind == PickReport && o.byNumber(p):
			return Invalid(field, "SERIAL_REQUIRED", "the pieces of line %d have serial numbers: name those that were picked", p.Line)
		case p.Serial == "":
		case slices.Contains(told[p.Line], p.Serial):
			return Invalid(field, "SERIAL_DUPLICATE", "piece %s is named twice", p.Serial)
		case slices.Contains(l.Serials, p.Serial):
			return fault.New(fault.Refused, "SERIAL_DUPLICATE", "%s: piece %s was picked already", field, p.Serial).
				WithField(field, "SERIAL_DUPLICATE", "piece %s was picked already", p.Serial)
		default:
			told[p.Line] = append(told[p.Line], p.Serial)
		}
	}
	return nil
}

// byNumber reports whether the tasks of a line at the place of a report say which pieces they mean.
func (o WarehouseOrder) byNumber(p PickedLine) bool {
	return slices.ContainsFunc(o.Tasks, func(t Task) bool {
		return t.Line == p.Line && t.Serial != "" && (p.Location == "" || p.Location == t.Location)
	})
}

// Pickable refuses a piece that is reported as picked and cannot be: it does not stand there, or
// another has it.
func Pickable(s Stock, order string, l PickedLine, n int) error {
	field := "lines[" + strconv.Itoa(l.row(n)) + "].serials"
	at, stands := s.standing(l.Serial)
	switch holder := s.Holder(l.Serial); {
	case !stands || !l.at(at) || !at.sellable():
		return Invalid(field, "SERIAL_UNKNOWN", "piece %s: %s", l.Serial, s.notThere(Place{Location: l.Location, Serial: l.Serial, Status: Available}))
	case holder != "" && holder != order:
		return fault.New(fault.Refused, stockCommitted, "%s: piece %s is allocated to another warehouse order", field, l.Serial).
			WithField(field, stockCommitted, "piece %s is allocated to another warehouse order", l.Serial).With("serial", l.Serial)
	}
	return nil
}
