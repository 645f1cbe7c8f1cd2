package domain

import (
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Item is what is ordered, stored and shipped.
type Item struct {
	SKU         string           `bson:"k"`
	Name        string           `bson:"n"`
	BaseUnit    string           `bson:"u"` // UN/ECE Rec 20
	Packagings  []Packaging      `bson:"p,omitempty"`
	Identifiers []Identifier     `bson:"i,omitempty"`
	BaseWeight  quantity.Decimal `bson:"w"` // grams of one base unit, 0 if unknown
	Base        Dimensions       `bson:"d"`
	Tracking    Tracking         `bson:"t"`
	Hazmat      *Hazmat          `bson:"h,omitempty"`
	CustomsCode string           `bson:"c,omitempty"` // HS or national tariff code
	Origin      string           `bson:"o,omitempty"` // ISO 3166-1 alpha-2
}

// Packaging is a unit other than the base unit: 1 unit = Ratio base units.
type Packaging struct {
	Unit        string         `bson:"u"`
	Ratio       quantity.Ratio `bson:"r"`
	GrossWeight int64          `bson:"w,omitempty"` // grams
	Dimensions  Dimensions     `bson:"d"`
}

// Dimensions are outer dimensions in millimetres, 0 if unknown.
type Dimensions struct {
	Length int64 `bson:"l,omitempty"`
	Width  int64 `bson:"w,omitempty"`
	Height int64 `bson:"h,omitempty"`
}

// IdentifierType says whose number an identifier is.
type IdentifierType string

// GTIN is the one type of identifier that has rules of its own.
const GTIN IdentifierType = "GTIN"

// Identifier is one more name of an item.
type Identifier struct {
	Type  IdentifierType `bson:"t"`
	Value string         `bson:"v"`
	Party string         `bson:"p,omitempty"` // code of the party that uses it
	Unit  string         `bson:"u,omitempty"` // unit that a GTIN stands for, "" for the base unit
}

// Tracking is what must be known of each piece in stock.
type Tracking struct {
	Lot              bool  `bson:"l,omitempty"`
	Serial           bool  `bson:"s,omitempty"`
	Expiry           bool  `bson:"e,omitempty"`
	ShelfLifeDays    int32 `bson:"d,omitempty"`
	MinRemainingDays int32 `bson:"m,omitempty"`
}

// Hazmat is dangerous goods data.
type Hazmat struct {
	UNNumber     string `bson:"n"`
	Class        string `bson:"c"`
	PackingGroup string `bson:"g,omitempty"`
}

// Key implements Value.
func (i Item) Key() string { return i.SKU }

// Names returns every name under which the item is found: SKU, numbers of
// partners, and GTINs both as given and in 14 digits.
func (i Item) Names() []string {
	names := []string{i.SKU}
	for _, id := range i.Identifiers {
		names = append(names, id.Value)
		if gtin, err := gs1.GTIN(id.Value); id.Type == GTIN && err == nil && gtin != id.Value {
			names = append(names, gtin)
		}
	}
	return names
}

// Check implements Value.
func (i Item) Check() error {
	var c check
	c.code("sku", i.SKU)
	base, known := quantity.Unit(i.BaseUnit)
	c.that(known, "base_unit", "UNIT_UNKNOWN", "%q is no unit of UN/ECE Recommendation 20 in use", i.BaseUnit)
	units := unique{i.BaseUnit: true}
	for n, p := range i.Packagings {
		units.add(&c, p.Unit, at("packaging_units", n, "unit"), "unit "+p.Unit)
		c.that(p.agrees(base), at("packaging_units", n, "numerator"), "RATIO_INVALID",
			"1 %s is not %d/%d %s by the standard", p.Unit, p.Ratio.Num, p.Ratio.Den, i.BaseUnit)
	}
	i.checkIdentifiers(&c, units)
	i.checkTracking(&c, base)
	c.country("country_of_origin", i.Origin)
	return c.done()
}

// agrees reports whether the ratio contradicts none that the standard fixes.
func (p Packaging) agrees(base quantity.UnitInfo) bool {
	unit, known := quantity.Unit(p.Unit)
	if !known || unit.Dimension == quantity.None || unit.Dimension != base.Dimension {
		return p.Ratio.Check() == nil
	}
	standard, err1 := unit.Factor.Times(base.Factor.Inverse())
	given, err2 := p.Ratio.Times(quantity.Ratio{Num: 1, Den: 1})
	return err1 == nil && err2 == nil && given == standard
}

func (i Item) checkIdentifiers(c *check, units unique) {
	seen := unique{}
	for n, id := range i.Identifiers {
		seen.add(c, string(id.Type)+"\x00"+id.Party+"\x00"+id.Value, at("identifiers", n, "value"), "identifier "+id.Value)
		if id.Type != GTIN {
			continue
		}
		_, err := gs1.GTIN(id.Value)
		c.that(err == nil, at("identifiers", n, "value"), "CHECK_DIGIT", "%q is no GTIN: 8, 12, 13 or 14 digits with a GS1 check digit", id.Value)
		c.that(id.Unit == "" || units[id.Unit], at("identifiers", n, "unit"), "UNIT_UNKNOWN", "%q is no unit of the item", id.Unit)
		c.that(id.Party == "", at("identifiers", n, "party_code"), "CONTRADICTION", "a GTIN is the same for every party")
	}
}

func (i Item) checkTracking(c *check, base quantity.UnitInfo) {
	t := i.Tracking
	c.that(!t.Expiry || t.Lot, "tracking.expiry", "CONTRADICTION", "an expiry date belongs to a lot: lot must be tracked too")
	c.that(!t.Serial || base.Dimension == quantity.Count, "tracking.serial", "CONTRADICTION", "only pieces have serial numbers, not %s", i.BaseUnit)
	c.that(t.ShelfLifeDays == 0 || t.MinRemainingDays <= t.ShelfLifeDays, "tracking.min_remaining_days", "CONTRADICTION", "no more days can remain than the shelf life has")
	c.that(t.Expiry || t.MinRemainingDays == 0, "tracking.min_remaining_days", "CONTRADICTION", "without an expiry date no days remain")
}

// Settle implements Settled: stock and orders are counted in the base unit.
func (i Item) Settle(old Item) error {
	if i.BaseUnit != old.BaseUnit {
		return fault.New(fault.Refused, "BASE_UNIT_FIXED", "the base unit of %s is %s and cannot become %s", i.SKU, old.BaseUnit, i.BaseUnit).
			WithField("base_unit", "BASE_UNIT_FIXED", "is %s", old.BaseUnit)
	}
	return nil
}
