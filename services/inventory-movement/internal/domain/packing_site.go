package domain

import (
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// CartonType is a type of carton that a site packs into: inner millimetres, grams.
type CartonType struct {
	Code     string `bson:"c"`
	Length   int64  `bson:"l"`
	Width    int64  `bson:"w"`
	Height   int64  `bson:"h"`
	Tare     int64  `bson:"t,omitempty"`
	MaxGross int64  `bson:"g,omitempty"` // tare included; 0: no limit
	MaxFill  int    `bson:"f,omitempty"` // per cent of the inner volume; 0: 100
	Package  string `bson:"p,omitempty"` // UN/ECE Recommendation 21; "": a carton
}

// Tolerance is by how much a weight may differ: the greater of both.
type Tolerance struct {
	Grams   int64  `bson:"g"`
	Percent string `bson:"p"`
}

// PackingSite is what a site packs into, and by how much the weight of what is packed may differ.
type PackingSite struct {
	Types     []CartonType `bson:"t,omitempty"` // by code
	Tolerance *Tolerance   `bson:"a,omitempty"` // nil: the setting holds
}

// maxCartonTypes bounds the carton types of a site, and with them the time that a plan takes.
const maxCartonTypes = 50

// PackingFact is what happened to what a site packs into.
type PackingFact interface{ isPackingFact() }

// The facts of what a site packs into.
type (
	// CartonTypeDefined has a type, or has it otherwise.
	CartonTypeDefined struct {
		Site string
		Type CartonType
	}
	// CartonTypeRetired has a type no longer.
	CartonTypeRetired struct{ Site, Code string }
	// ToleranceSet says by how much a weight may differ.
	ToleranceSet struct {
		Site string
		Tolerance
	}
)

func (CartonTypeDefined) isPackingFact() {}
func (CartonTypeRetired) isPackingFact() {}
func (ToleranceSet) isPackingFact()      {}

// EvolvePacking applies one fact.
func EvolvePacking(p PackingSite, fact PackingFact) PackingSite {
	switch f := fact.(type) {
	case CartonTypeDefined:
		p = p.without(f.Type.Code)
		p.Types = append(p.Types, f.Type)
		slices.SortFunc(p.Types, func(a, b CartonType) int { return strings.Compare(a.Code, b.Code) })
	case CartonTypeRetired:
		p = p.without(f.Code)
	case ToleranceSet:
		p.Tolerance = &f.Tolerance
	}
	return p
}

func (p PackingSite) without(code string) PackingSite {
	p.Types = slices.DeleteFunc(slices.Clone(p.Types), func(t CartonType) bool { return t.Code == code })
	return p
}

// DefineCartonType gives a site a type; the same again changes nothing.
func DefineCartonType(p PackingSite, site string, t CartonType) ([]PackingFact, error) {
	if slices.Contains(p.Types, t) {
		return nil, nil
	}
	if len(p.without(t.Code).Types) >= maxCartonTypes {
		return nil, fault.New(fault.Refused, "CARTON_TYPES_FULL", "site %s has %d carton types: retire one", site, len(p.Types))
	}
	return []PackingFact{CartonTypeDefined{site, t}}, nil
}

// RetireCartonType takes a type away.
func RetireCartonType(p PackingSite, site, code string) ([]PackingFact, error) {
	if !slices.ContainsFunc(p.Types, func(t CartonType) bool { return t.Code == code }) {
		return nil, fault.New(fault.NotFound, "CARTON_TYPE_UNKNOWN", "site %s has no carton type %s", site, code)
	}
	return []PackingFact{CartonTypeRetired{site, code}}, nil
}

// SetTolerance says by how much a weight may differ.
func SetTolerance(p PackingSite, site string, t Tolerance) []PackingFact {
	if p.Tolerance != nil && *p.Tolerance == t {
		return nil
	}
	return []PackingFact{ToleranceSet{site, t}}
}

// Of is by how many grams a weight may differ from the one expected.
func (t Tolerance) Of(expected int64) (int64, error) {
	percent, err := Percent(t.Percent, "tolerance_percent")
	if err != nil {
		return 0, err
	}
	n, _ := scaled(percent) // a percentage is one of four decimals
	if n == 0 {
		return t.Grams, nil
	}
	d, err := quantity.Int(expected).MulRounded(quantity.Ratio{Num: n, Den: 100 * percentScale}, 0, quantity.Down)
	if err != nil {
		return 0, err
	}
	part, _ := d.Int64() // rounded to whole grams
	return max(t.Grams, part), nil
}

// ExpectedWeight is what a unit ought to weigh, grams rounded half up: its tare, what is packed in
// it, and the units in it as they weigh; 0 if something of it is not known.
func ExpectedWeight(u HandlingUnit, items map[string]Item, weights map[string]int64) int64 {
	if u.Packaging.Tare == 0 {
		return 0
	}
	content, known := ExpectedContent(u.Content, items)
	if !known {
		return 0
	}
	rounded, err := content.Round(0, quantity.HalfUp)
	if err != nil {
		return 0
	}
	sum, _ := rounded.Int64() // it is whole
	sum += u.Packaging.Tare
	for _, c := range u.Children {
		if weights[c.SSCC] == 0 {
			return 0
		}
		sum += weights[c.SSCC]
	}
	return sum
}
