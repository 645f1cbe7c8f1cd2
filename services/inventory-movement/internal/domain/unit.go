package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// UnitState is where a handling unit stands.
type UnitState string

// States of a handling unit.
const (
	UnitOpen   UnitState = "OPEN"
	UnitClosed UnitState = "CLOSED"
	UnitVoid   UnitState = "VOID"
	UnitIssued UnitState = "ISSUED"
)

// Levels of packaging: a unit goes only into one of a higher level, so that none is ever in itself.
const (
	CartonLevel  = 1
	PalletLevel  = 2
	highestLevel = 9
)

// maxChildren bounds the units that one holds itself.
const maxChildren = 500

// Packaging is how goods are packed: the package type by UN/ECE Recommendation 21, grams and
// outer millimetres; 0 for what is not known.
type Packaging struct {
	Type   string `bson:"t,omitempty"`
	Tare   int64  `bson:"w,omitempty"`
	Length int64  `bson:"l,omitempty"`
	Width  int64  `bson:"d,omitempty"`
	Height int64  `bson:"h,omitempty"`
}

// UnitKeys are the business keys of a handling unit.
type UnitKeys struct {
	ID          string `bson:"i"`
	SSCC        string `bson:"s"`
	Site        string `bson:"l"`
	Owner       string `bson:"w,omitempty"`
	Warehouse   string `bson:"h,omitempty"` // order of the warehouse that it was packed for
	Order       string `bson:"o,omitempty"`
	OrderNumber string `bson:"n,omitempty"`
}

// UnitChild is a unit in another.
type UnitChild struct {
	SSCC    string `bson:"s"`
	Attempt int    `bson:"a"`
	Issued  bool   `bson:"x,omitempty"`
}

// Weighing is a weight on a scale, and what was expected. Weights are in grams; nothing is
// expected (0) where an item's weight or the tare is not known.
type Weighing struct {
	Weight    int64     `bson:"w"`
	Expected  int64     `bson:"e"`
	Tolerance int64     `bson:"t"`
	Held      bool      `bson:"h,omitempty"` // it differs by more
	Device    string    `bson:"d,omitempty"`
	At        time.Time `bson:"a"`
}

// HandlingUnit is a carton, pallet or container; its zero value is "nothing yet". What it holds
// of units is what it says itself; the parent of a unit keeps it from being in two.
type HandlingUnit struct {
	Keys      UnitKeys     `bson:"k"`
	Stands    UnitState    `bson:"z"`
	Level     int          `bson:"l"`
	Packaging Packaging    `bson:"p"`
	Content   []PickedLine `bson:"c,omitempty"`
	Told      int64        `bson:"g,omitempty"` // gross weight as it was told when it was packed
	Location  string       `bson:"b,omitempty"`
	Parent    string       `bson:"u,omitempty"` // SSCC
	Attempt   int          `bson:"a,omitempty"` // how often it was to go into a unit
	Children  []UnitChild  `bson:"d,omitempty"`
	Weighed   *Weighing    `bson:"w,omitempty"` // the last time
	Released  bool         `bson:"r,omitempty"` // what the scale said is accepted
	Before    UnitState    `bson:"x,omitempty"` // where it stood before it left
}

// Held reports whether the unit may not leave because of its weight.
func (u HandlingUnit) Held() bool { return u.Weighed != nil && u.Weighed.Held && !u.Released }

// Gross is its gross weight as far as it says itself: of the scale, else as it was told.
func (u HandlingUnit) Gross() int64 {
	if u.Weighed != nil {
		return u.Weighed.Weight
	}
	return u.Told
}

func (u HandlingUnit) child(sscc string) (UnitChild, bool) {
	i := slices.IndexFunc(u.Children, func(c UnitChild) bool { return c.SSCC == sscc })
	if i < 0 {
		return UnitChild{}, false
	}
	return u.Children[i], true
}

// UnitFact is what happened to a handling unit.
type UnitFact interface{ isUnitFact() }

// The facts of a handling unit.
type (
	// UnitCreated makes it, with what is packed in it.
	UnitCreated struct {
		UnitKeys
		Level     int
		Packaging Packaging
		Content   []PickedLine
		Told      int64
		Location  string
	}
	// NestRequested says into which unit it is to go; no other takes it meanwhile.
	NestRequested struct {
		UnitKeys
		Parent  string
		Attempt int
		Level   int
		At      time.Time
	}
	// NestRefused says that the other did not take it.
	NestRefused struct {
		UnitKeys
		Parent  string
		Attempt int
		Reason  string
	}
	// UnitNested says of the other that it has it.
	UnitNested struct {
		UnitKeys
		Child   string
		Attempt int
	}
	// UnitUnnested says of the other that it has it no longer.
	UnitUnnested struct {
		UnitKeys
		Child   string
		Attempt int
		At      time.Time
	}
	// UnitFreed lets it go into another unit again.
	UnitFreed struct {
		UnitKeys
		Parent  string
		Attempt int
	}
	// UnitShut says that what is in it stays.
	UnitShut struct {
		UnitKeys
		Location string
	}
	// UnitReopened takes that back.
	UnitReopened struct{ UnitKeys }
	// UnitVoided gives it up.
	UnitVoided struct {
		UnitKeys
		Reason string
	}
	// UnitLeft says that it left with the goods issue.
	UnitLeft struct {
		UnitKeys
		Parent string
		At     time.Time
	}
	// ChildLeft says that a unit in it left with the goods issue.
	ChildLeft struct {
		UnitKeys
		Child string
	}
	// UnitWeighed says what a scale said.
	UnitWeighed struct {
		UnitKeys
		Weighing
	}
	// HoldReleased lets it leave in spite of its weight.
	HoldReleased struct {
		UnitKeys
		Reason, By string
	}
)

func (UnitCreated) isUnitFact()   {}
func (NestRequested) isUnitFact() {}
func (NestRefused) isUnitFact()   {}
func (UnitNested) isUnitFact()    {}
func (UnitUnnested) isUnitFact()  {}
func (UnitFreed) isUnitFact()     {}
func (UnitShut) isUnitFact()      {}
func (UnitReopened) isUnitFact()  {}
func (UnitVoided) isUnitFact()    {}
func (UnitLeft) isUnitFact()      {}
func (ChildLeft) isUnitFact()     {}
func (UnitWeighed) isUnitFact()   {}
func (HoldReleased) isUnitFact()  {}

// EvolveUnit applies one fact.
func EvolveUnit(u HandlingUnit, fact UnitFact) HandlingUnit {
	switch f := fact.(type) {
	case UnitCreated:
		u = HandlingUnit{
			Keys: f.UnitKeys, Stands: UnitOpen, Level: f.Level, Packaging: f.Packaging, Content: f.Content, Told: f.Told, Location: f.Location,
		}
		if len(f.Content) > 0 {
			u.Stands = UnitClosed
		}
	case NestRequested:
		u.Parent, u.Attempt = f.Parent, f.Attempt
	case NestRefused:
		u = u.freed(f.Attempt)
	case UnitFreed:
		u = u.freed(f.Attempt)
	case UnitNested:
		u.Children = append(slices.Clip(u.Children), UnitChild{SSCC: f.Child, Attempt: f.Attempt})
	case UnitUnnested:
		u.Children = slices.DeleteFunc(slices.Clone(u.Children), func(c UnitChild) bool { return c.SSCC == f.Child })
	case UnitShut:
		u.Stands, u.Location = UnitClosed, f.Location
	case UnitReopened:
		u.Stands = UnitOpen
	case UnitVoided:
		u.Stands, u.Content = UnitVoid, nil
	case ChildLeft:
		u.Children = slices.Clone(u.Children)
		for i := range u.Children {
			u.Children[i].Issued = u.Children[i].Issued || u.Children[i].SSCC == f.Child
		}
	case UnitWeighed:
		u.Weighed, u.Released = &f.Weighing, false
	case HoldReleased:
		u.Released = true
	default:
		return u.evolveUnitReversal(f)
	}
	return u
}

func (u HandlingUnit) freed(attempt int) HandlingUnit {
	if u.Attempt == attempt {
		u.Parent = ""
	}
	return u
}

// ApplyUnit folds facts onto a state.
func ApplyUnit(u HandlingUnit, facts ...UnitFact) HandlingUnit {
	for _, f := range facts {
		u = EvolveUnit(u, f)
	}
	return u
}

// TotalContent is what units hold in all, by item, lot and unit of measure, in the order of
// SKU and lot.
func TotalContent(units []HandlingUnit) []PickedLine {
	var total []PickedLine
	for _, u := range units {
		for _, l := range u.Content {
			l.Line, l.Location = 0, ""
			i := slices.IndexFunc(total, func(t PickedLine) bool {
				return t.Item == l.Item && t.Lot == l.Lot && t.Unit == l.Unit
			})
			if i < 0 {
				i, total = len(total), append(total, PickedLine{Item: l.Item, SKU: l.SKU, Lot: l.Lot, Unit: l.Unit})
			}
			total[i].Quantity = total[i].Quantity.Add(l.Quantity)
		}
	}
	slices.SortFunc(total, byItem)
	return total
}

// Weights are the gross weights of units of which each stands behind the one that it is in: of
// the scale, else as it was told, else tare and what is in it; 0 where nothing is known.
func Weights(units []HandlingUnit) map[string]int64 {
	weights := make(map[string]int64, len(units))
	for _, u := range slices.Backward(units) {
		w := u.Gross()
		if w == 0 && len(u.Children) > 0 {
			w = u.Packaging.Tare
			for _, c := range u.Children {
				if weights[c.SSCC] == 0 {
					w = 0
					break
				}
				w += weights[c.SSCC]
			}
		}
		weights[u.Keys.SSCC] = w
	}
	return weights
}

// ExpectedContent is the exact weight of goods, grams; false when the weight of an item is not
// known or the goods are not counted in its base unit.
func ExpectedContent(lines []PickedLine, items map[string]Item) (quantity.Decimal, bool) {
	sum := quantity.Decimal{}
	for _, l := range lines {
		w, ok := items[l.Item].WeightOf(l.Quantity, l.Unit)
		if !ok {
			return sum, false
		}
		sum = sum.Add(w)
	}
	return sum, true
}
