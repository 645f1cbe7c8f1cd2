package domain

import (
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func (v *validation) items() {
	for i := range v.lines {
		l := &v.lines[i]
		item, ok := v.item(i, *l)
		if !ok {
			continue
		}
		l.Item, l.SKU = item.ID, item.SKU
		if item.Retired {
			v.reject("ITEM_RETIRED", line(i, "sku"), "item %q is retired: put it back into use or order another", item.SKU)
			continue
		}
		if base, reason, message := item.Base(l.Quantity); reason != "" {
			v.reject(reason, line(i, "quantity"), "%s", message)
		} else {
			l.Base = base
		}
	}
}

// item finds the item that a line names.
func (v *validation) item(i int, l Line) (Item, bool) {
	if l.SKU != "" {
		item, ok := v.ref.Items[l.SKU]
		if !ok {
			v.reject("ITEM_UNKNOWN", line(i, "sku"), "no item %q: define it in master data or correct the SKU", l.SKU)
		}
		return item, ok
	}
	gtin, err := gs1.GTIN(l.GTIN)
	if err != nil {
		v.reject("GTIN_MALFORMED", line(i, "gtin"), "%q is no GTIN: its check digit is wrong", l.GTIN)
		return Item{}, false
	}
	found := v.ref.GTINs[gtin]
	switch len(found) {
	case 1:
		return found[0], true
	case 0:
		v.reject("ITEM_UNKNOWN", line(i, "gtin"), "no item has GTIN %s: add it to an item in master data", l.GTIN)
	default:
		v.reject("GTIN_AMBIGUOUS", line(i, "gtin"), "%d items have GTIN %s: order by SKU", len(found), l.GTIN)
	}
	return Item{}, false
}

// Base converts a quantity to the item's base unit: exact, or refused with a reason.
func (it Item) Base(q quantity.Quantity) (base quantity.Quantity, reason, message string) {
	if q.Value.Sign() <= 0 {
		return base, "QUANTITY_INVALID", "a quantity must be more than 0"
	}
	base, err := it.convert(q)
	if f, ok := fault.As(err); ok {
		switch f.Reason {
		case "QUANTITY_INEXACT", "UNIT_UNKNOWN":
			return base, f.Reason, f.Message
		case "UNIT_MISMATCH":
			return base, "UNIT_UNKNOWN", "item " + it.SKU + " has no unit " + q.Unit + ": order in " + it.BaseUnit + " or add the unit to the item"
		}
		return base, "QUANTITY_INVALID", f.Message
	}
	if fraction(base) {
		return base, "QUANTITY_INVALID", q.String() + " is a fraction of a piece"
	}
	return base, "", ""
}

// fraction reports whether a quantity in a base unit is no whole number of pieces.
func fraction(q quantity.Quantity) bool {
	unit, known := quantity.Unit(q.Unit)
	_, whole := q.Value.Int64()
	return known && unit.Dimension == quantity.Count && !whole
}

func (it Item) convert(q quantity.Quantity) (quantity.Quantity, error) {
	if ratio, ok := it.Units[q.Unit]; ok {
		value, err := q.Value.Mul(ratio)
		return quantity.Quantity{Value: value, Unit: it.BaseUnit}, err
	}
	return quantity.Convert(q, it.BaseUnit)
}
