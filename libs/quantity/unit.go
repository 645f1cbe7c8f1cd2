package quantity

import (
	"maps"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Quantity is an amount of something with its unit.
type Quantity struct {
	Value Decimal `bson:"v"`
	Unit  string  `bson:"u"` // UN/ECE Rec 20 code or a packaging unit of the item
}

// New returns the quantity of a parsed value and a unit, which may be one that only an item knows.
func New(value, unit string) (Quantity, error) {
	d, err := Parse(value)
	if err == nil && (unit == "" || len(unit) > 6) {
		err = fault.New(fault.Invalid, "UNIT_UNKNOWN", "a unit code has 1 to 6 characters, not %d", len(unit))
	}
	return Quantity{d, unit}, err
}

// String returns "12.5 KGM".
func (q Quantity) String() string { return q.Value.String() + " " + q.Unit }

// Dimension says what a unit measures.
type Dimension string

// The dimensions with their base units. Units of None convert only by an item's own ratio.
const (
	None        Dimension = ""
	Count       Dimension = "count"       // C62
	Mass        Dimension = "mass"        // KGM
	Length      Dimension = "length"      // MTR
	Area        Dimension = "area"        // MTK
	Volume      Dimension = "volume"      // MTQ
	Duration    Dimension = "duration"    // SEC
	Temperature Dimension = "temperature" // KEL
)

// UnitInfo describes one unit code.
type UnitInfo struct {
	Code      string
	Name      string
	Dimension Dimension
	// Factor is the size in the dimension's base unit, exact; zero for dimension None.
	Factor Ratio
	// Offset is added to a value before Factor applies; only temperatures have one.
	Offset Decimal
	// Packaging marks a UN/ECE Rec 21 package code.
	Packaging bool
}

// Unit returns the unit with the code.
func Unit(code string) (UnitInfo, bool) {
	u, ok := units[code]
	return u, ok
}

// Units returns all units, by code.
func Units() []UnitInfo {
	return slices.SortedFunc(maps.Values(units), func(a, b UnitInfo) int { return strings.Compare(a.Code, b.Code) })
}

// Convert returns q in another unit of the same dimension: exact to nine
// decimals, or refused with QUANTITY_INEXACT.
func Convert(q Quantity, to string) (Quantity, error) {
	return convert(q, to, func(d Decimal, r Ratio, offset Decimal) (Decimal, error) {
		p, err := d.Mul(r)
		if err != nil {
			return p, err
		}
		return p.Sub(offset), p.Sub(offset).Check()
	})
}

// ConvertRounded is Convert with a named rounding to the given number of decimals.
func ConvertRounded(q Quantity, to string, decimals int, mode Rounding) (Quantity, error) {
	return convert(q, to, func(d Decimal, r Ratio, offset Decimal) (Decimal, error) {
		return d.mulSub(r, offset, decimals, mode)
	})
}

// convert finds the factor and offset between the units; apply returns d × r − offset.
func convert(q Quantity, to string, apply func(d Decimal, r Ratio, offset Decimal) (Decimal, error)) (Quantity, error) {
	if q.Unit == to {
		d, err := apply(q.Value, Ratio{1, 1}, Decimal{})
		return Quantity{d, to}, err
	}
	from, err := known(q.Unit)
	if err != nil {
		return Quantity{}, err
	}
	target, err := known(to)
	if err != nil {
		return Quantity{}, err
	}
	if from.Dimension == None || from.Dimension != target.Dimension {
		return Quantity{}, fault.New(fault.Invalid, "UNIT_MISMATCH", "%s (%s) and %s (%s) have no fixed ratio", from.Code, from.Name, to, target.Name).
			With("from", from.Code).With("to", to)
	}
	ratio, err := from.Factor.Times(target.Factor.Inverse())
	if err != nil {
		return Quantity{}, err
	}
	value, err := apply(q.Value.Add(from.Offset), ratio, target.Offset)
	return Quantity{value, to}, err
}

func known(code string) (UnitInfo, error) {
	u, ok := Unit(code)
	if !ok {
		return u, fault.New(fault.Invalid, "UNIT_UNKNOWN", "%q is no unit of measure known here", code).With("unit", code)
	}
	return u, nil
}
