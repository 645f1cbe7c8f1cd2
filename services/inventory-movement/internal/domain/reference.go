package domain

import (
	"fmt"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Reference is the master data that a command names.
type Reference struct {
	Items map[string]Item // by SKU
	Sites map[string]Site // by code
}

// Item is an item with its units. A retired one may still be in stock.
type Item struct {
	ID       string                    `json:"id"`
	SKU      string                    `json:"sku"`
	BaseUnit string                    `json:"base"`
	Units    map[string]quantity.Ratio `json:"units,omitempty"`  // other units: base units in one of them
	Lot      bool                      `json:"lot,omitempty"`    // every quantity has its lot
	Serial   bool                      `json:"serial,omitempty"` // every piece has its serial number
	Expires  bool                      `json:"expires,omitempty"`
	MinDays  int                       `json:"min_days,omitempty"` // that must remain of its life when it is promised or allocated
	Weight   quantity.Decimal          `json:"weight,omitzero"`    // of one base unit, grams; 0: not known
	Size     Size                      `json:"size,omitzero"`      // of one base unit; 0: not known
	Hazard   string                    `json:"hazard,omitempty"`   // class of dangerous goods
	GTIN     string                    `json:"gtin,omitempty"`     // of one base unit, 14 digits
}

// Size is outer dimensions in millimetres.
type Size struct {
	Length int64 `json:"l"`
	Width  int64 `json:"w"`
	Height int64 `json:"h"`
}

// WeightOf is the exact weight of a quantity in the base unit, grams, to nine decimals; false
// when it is not known.
func (it Item) WeightOf(q quantity.Decimal, unit string) (quantity.Decimal, bool) {
	n := q.Scaled()
	if it.Weight.Sign() <= 0 || unit != it.BaseUnit || n.Sign() <= 0 || !n.IsInt64() {
		return quantity.Decimal{}, false
	}
	w, err := it.Weight.MulRounded(quantity.Ratio{Num: n.Int64(), Den: quantity.Int(1).Scaled().Int64()}, quantity.FractionDigits, quantity.HalfUp)
	return w, err == nil
}

// Site is a location that holds stock, or not.
type Site struct {
	Code   string `json:"code"`
	IsSite bool   `json:"site"`             // it is a site, not a zone or a bin
	Prefix string `json:"prefix,omitempty"` // GS1 company prefix of its SSCCs
}

// Invalid is a mistake in one field of a request.
func Invalid(field, reason, format string, args ...any) *fault.Error {
	text := fmt.Sprintf(format, args...)
	return fault.New(fault.Invalid, reason, "%s: %s", field, text).WithField(field, reason, "%s", text)
}

// Below puts the fields of a mistake under the place where it was made.
func Below(path string, err error) error {
	f, ok := fault.As(err)
	if !ok || len(f.Fields) == 0 {
		return err
	}
	placed := *f
	placed.Message = path + "." + f.Message
	placed.Fields = slices.Clone(f.Fields)
	for i := range placed.Fields {
		placed.Fields[i].Path = path + "." + placed.Fields[i].Path
	}
	return &placed
}

// Base converts a quantity of more than zero to the base unit: exact, or refused naming the field.
func (it Item) Base(q quantity.Quantity, field string) (quantity.Quantity, error) {
	if q.Value.Sign() <= 0 {
		return q, Invalid(field, "QUANTITY_INVALID", "a quantity must be more than 0")
	}
	base, err := it.convert(q)
	if f, ok := fault.As(err); ok {
		switch f.Reason {
		case "QUANTITY_INEXACT", "UNIT_UNKNOWN":
			return q, Invalid(field, f.Reason, "%s", f.Message)
		case "UNIT_MISMATCH":
			return q, Invalid(field, "UNIT_UNKNOWN", "item %s has no unit %s: count in %s or add the unit to the item", it.SKU, q.Unit, it.BaseUnit)
		}
		return q, Invalid(field, "QUANTITY_INVALID", "%s", f.Message)
	}
	if err != nil {
		return q, err
	}
	if !whole(base) {
		return q, Invalid(field, "QUANTITY_INEXACT", "%s is a fraction of a piece", q)
	}
	return base, nil
}

func (it Item) convert(q quantity.Quantity) (quantity.Quantity, error) {
	if ratio, ok := it.Units[q.Unit]; ok {
		value, err := q.Value.Mul(ratio)
		return quantity.Quantity{Value: value, Unit: it.BaseUnit}, err
	}
	if q.Unit == it.BaseUnit {
		return q, nil
	}
	return quantity.Convert(q, it.BaseUnit)
}

// whole reports whether a quantity is one that can be: pieces have no fractions.
func whole(q quantity.Quantity) bool {
	unit, known := quantity.Unit(q.Unit)
	if !known || unit.Dimension != quantity.Count {
		return true
	}
	_, ok := q.Value.Int64()
	return ok
}

// faultOf is the fault of a call of which only that matters.
func faultOf[T any](_ T, err error) (*fault.Error, bool) {
	return fault.As(err)
}
