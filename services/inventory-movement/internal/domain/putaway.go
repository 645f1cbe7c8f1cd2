package domain

import (
	"math/big"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// PutawayGoods are goods of a task for which a bin is wanted.
type PutawayGoods struct {
	Keys     InboundKeys
	Task     int
	Item     Item
	Place    Place // where they stand
	Quantity quantity.Decimal
}

// PutawayOutcome is what came of a rule.
type PutawayOutcome string

// Outcomes of a rule.
const (
	RuleChosen        PutawayOutcome = "CHOSEN"
	RulePartly        PutawayOutcome = "PARTLY"
	RuleOtherStatus   PutawayOutcome = "STATUS"
	RuleCondition     PutawayOutcome = "CONDITION"
	RuleUndecided     PutawayOutcome = "UNDECIDED"
	RuleNoBin         PutawayOutcome = "NO_BIN"
	RuleNoRoom        PutawayOutcome = "NO_ROOM"
	RuleWeightUnknown PutawayOutcome = "WEIGHT_UNKNOWN"
)

// Considered is a rule that was tried, and what came of it.
type Considered struct {
	Rule    string         `bson:"r"`
	Outcome PutawayOutcome `bson:"o"`
	Message string         `bson:"m,omitempty"`
}

// BinPart is how much goes to a bin by which rule.
type BinPart struct {
	Bin, Rule string
	Quantity  quantity.Decimal
}

// BinGoods are goods in a bin or on their way to it. Weight is of a base unit, 0 if unknown.
type BinGoods struct {
	Item, Lot string
	Quantity  quantity.Decimal
	Weight    quantity.Decimal
}

// PutawayBook is the rules as they are applied.
type PutawayBook struct {
	Version int
	List    []PutawayRule
	// Fits reports whether the i-th rule's condition holds; an error is one that cannot be decided.
	Fits func(i int, g PutawayGoods) (bool, error)
}

// Bins are the bins of a site as a decision sees them.
type Bins interface {
	// Of returns the bins in use of the i-th rule's destination: of a zone along the pick path, else as the rule names them.
	Of(rule int) ([]string, error)
	// In returns what is in a bin.
	In(bin string) ([]BinGoods, error)
}

// maxPutawayBins bounds to how many bins the goods of one task go.
const maxPutawayBins = 50

// Propose finds bins for goods: the first rule that fits takes what its bins have room for, and the
// rest goes to the next. What is on its way to a bin by the plan counts as if it were there.
func (p PutawayPlan) Propose(book PutawayBook, g PutawayGoods, bins Bins) (ProposedTask, error) {
	s := search{plan: p, goods: g, bins: bins, rest: g.Quantity}
	out := ProposedTask{Task: g.Task, Item: g.Item.ID, SKU: g.Item.SKU, Unit: g.Item.BaseUnit, Lot: g.Place.Lot, Weight: g.Item.Weight, Version: book.Version}
	for i, r := range book.List {
		c := Considered{Rule: r.Name}
		var err error
		switch fits, undecided := book.fits(i, g); {
		case !r.takes(g.Place.Status):
			c.Outcome = RuleOtherStatus
		case undecided != nil:
			c.Outcome, c.Message = RuleUndecided, undecided.Error()
		case !fits:
			c.Outcome = RuleCondition
		default:
			c.Outcome, err = s.try(i, r)
		}
		if err != nil {
			return out, err
		}
		out.Considered = append(out.Considered, c)
		if s.rest.IsZero() {
			break
		}
	}
	out.Parts, out.Unplaced = s.parts, s.rest
	return out, nil
}

func (b PutawayBook) fits(i int, g PutawayGoods) (bool, error) {
	if b.List[i].Condition == "" || !b.List[i].takes(g.Place.Status) {
		return true, nil
	}
	return b.Fits(i, g)
}

// search is one search for bins.
type search struct {
	plan  PutawayPlan
	goods PutawayGoods
	bins  Bins
	rest  quantity.Decimal
	parts []BinPart
}

// try puts what is left into the bins of a rule.
func (s *search) try(i int, r PutawayRule) (PutawayOutcome, error) {
	all, err := s.bins.Of(i)
	if err != nil {
		return "", err
	}
	outcome, before := RuleNoBin, s.rest
	for _, bin := range all {
		if bin == s.goods.Place.Location {
			continue // they stand there
		}
		in, err := s.in(bin)
		if err != nil {
			return "", err
		}
		if !r.Strategy.takes(in, s.goods) {
			continue
		}
		room, known := s.room(r.Limit, in)
		switch {
		case !known && outcome != RuleNoRoom:
			outcome = RuleWeightUnknown
		case room.Sign() <= 0:
			outcome = RuleNoRoom
		default:
			s.put(BinPart{bin, r.Name, quantity.Min(room, s.rest)})
		}
		if s.rest.IsZero() {
			return RuleChosen, nil
		}
		if len(s.parts) >= maxPutawayBins {
			break
		}
	}
	if s.rest.Less(before) {
		return RulePartly, nil
	}
	return outcome, nil
}

func (s *search) put(p BinPart) {
	s.rest = s.rest.Sub(p.Quantity)
	if i := slices.IndexFunc(s.parts, func(x BinPart) bool { return x.Bin == p.Bin }); i >= 0 {
		s.parts[i].Quantity = s.parts[i].Quantity.Add(p.Quantity)
		return
	}
	s.parts = append(s.parts, p)
}

// in is what is in a bin and on its way to it.
func (s *search) in(bin string) ([]BinGoods, error) {
	in, err := s.bins.In(bin)
	if err != nil {
		return nil, err
	}
	in = append(slices.Clone(in), s.plan.keptIn(bin)...)
	for _, p := range s.parts {
		if p.Bin == bin {
			in = append(in, BinGoods{s.goods.Item.ID, s.goods.Place.Lot, p.Quantity, s.goods.Item.Weight})
		}
	}
	return in, nil
}

// takes reports whether a bin with such goods in it is one for the strategy.
func (g PutawayStrategy) takes(in []BinGoods, goods PutawayGoods) bool {
	switch g {
	case SameLot:
		return slices.ContainsFunc(in, func(x BinGoods) bool { return x.Item == goods.Item.ID && x.Lot == goods.Place.Lot })
	case EmptyBin:
		return len(in) == 0
	}
	return true
}

// room is how much of the goods a bin takes beside what is in it, in whole base units; false if a
// weight that it depends on is not known.
func (s *search) room(l BinLimit, in []BinGoods) (quantity.Decimal, bool) {
	room := s.rest
	if l.SingleItem && slices.ContainsFunc(in, func(x BinGoods) bool { return x.Item != s.goods.Item.ID }) {
		return quantity.Decimal{}, true
	}
	if l.Quantity.Sign() > 0 {
		left := l.Quantity
		for _, x := range in {
			left = left.Sub(x.Quantity)
		}
		if !left.Less(room) {
			left = room // all of it, be it a fraction
		} else {
			left = wholeUnits(left, quantity.Int(1))
		}
		room = left
	}
	if l.Weight.Sign() > 0 {
		left := l.Weight
		for _, x := range in {
			w, known := Item{BaseUnit: "EA", Weight: x.Weight}.WeightOf(x.Quantity, "EA")
			if !known {
				return quantity.Decimal{}, false
			}
			left = left.Sub(w)
		}
		if s.goods.Item.Weight.Sign() <= 0 {
			return quantity.Decimal{}, false
		}
		if all, known := s.goods.Item.WeightOf(room, s.goods.Item.BaseUnit); !known || left.Less(all) {
			room = quantity.Min(room, wholeUnits(left, s.goods.Item.Weight))
		}
	}
	return room, true
}

// wholeUnits is how many units of a size go into so much, 0 if none.
func wholeUnits(left, size quantity.Decimal) quantity.Decimal {
	if left.Sign() <= 0 {
		return quantity.Decimal{}
	}
	n := new(big.Int).Quo(left.Scaled(), size.Scaled())
	if !n.IsInt64() {
		return left
	}
	return quantity.Int(n.Int64())
}

// InBin is what a stock has in a bin, lot by lot.
func (s Stock) InBin(bin string, weight quantity.Decimal) (out []BinGoods) {
	for _, r := range s.Rows {
		if r.Place.Location == bin && r.OnHand.Sign() > 0 {
			out = append(out, BinGoods{s.Key.Item, r.Place.Lot, r.OnHand, weight})
		}
	}
	return out
}
