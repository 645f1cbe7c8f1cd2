package domain

import (
	"slices"
	"strconv"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain/cartonize"
)

// maxPlanned bounds the pieces of one plan, and with them the time that it takes.
const maxPlanned = 2000

// Why pieces are in no carton of a plan.
const (
	sizeUnknown   = "DIMENSIONS_UNKNOWN"
	weightUnknown = "WEIGHT_UNKNOWN"
	noCartonFits  = "NO_CARTON_FITS"
	notPieces     = "NOT_PIECES"
)

// PlannedBlock is equal pieces of a line that stand together in a carton.
type PlannedBlock struct {
	Line int
	SKU  string
	cartonize.Block
}

// PlannedCarton is a carton of a plan. Weight is in grams, tare included; Fill is how much of its
// inner volume is filled, per mille.
type PlannedCarton struct {
	Type   string
	Blocks []PlannedBlock
	Weight int64
	Fill   int64
}

// Unplanned is a quantity of a line that is in no carton of a plan, and why.
type Unplanned struct {
	Line     int
	SKU      string
	Quantity quantity.Quantity
	Reason   string
}

// CartonPlan is into which cartons an order would go.
type CartonPlan struct {
	Cartons   []PlannedCarton
	Unplanned []Unplanned
}

// PlanCartons suggests into which cartons what is neither packed nor short of an order goes. Items
// of different classes of dangerous goods, or of one and of none, do not go together.
func PlanCartons(o WarehouseOrder, items map[string]Item, types []CartonType, upright []string) (CartonPlan, error) {
	limited := slices.ContainsFunc(types, func(t CartonType) bool { return t.MaxGross > 0 })
	var plan CartonPlan
	var pieces []cartonize.Piece
	var lines []OrderLine
	sum := 0
	for _, l := range o.Lines {
		open := l.Quantity.Value.Sub(l.Short).Sub(l.Packed)
		if open.Sign() <= 0 {
			continue
		}
		p, why := pieceOf(items[l.Item], open, l.Quantity.Unit, limited)
		if why != "" {
			plan.Unplanned = append(plan.Unplanned, Unplanned{l.Number, l.SKU, quantity.Quantity{Value: open, Unit: l.Quantity.Unit}, why})
			continue
		}
		p.Upright = slices.Contains(upright, l.SKU)
		pieces, lines = append(pieces, p), append(lines, l)
		if sum += p.Count; sum > maxPlanned || p.Count > maxPlanned {
			return CartonPlan{}, fault.New(fault.Refused, "PLAN_TOO_LARGE", "a plan takes %d pieces: plan a part of the order", maxPlanned).
				With("pieces", strconv.Itoa(maxPlanned))
		}
	}
	cartons, left := cartonize.Plan(pieces, kinds(types))
	for _, c := range cartons {
		plan.Cartons = append(plan.Cartons, planned(c, types, lines))
	}
	for i, n := range left {
		if n > 0 {
			q := quantity.Quantity{Value: quantity.Int(int64(n)), Unit: lines[i].Quantity.Unit}
			plan.Unplanned = append(plan.Unplanned, Unplanned{lines[i].Number, lines[i].SKU, q, noCartonFits})
		}
	}
	return plan, nil
}

// pieceOf is what a plan knows of the pieces of an item, or why it cannot plan them.
func pieceOf(it Item, open quantity.Decimal, unit string, limited bool) (p cartonize.Piece, why string) {
	n, whole := open.Int64()
	switch {
	case !whole || !counted(unit):
		return p, notPieces
	case it.Size.Length <= 0 || it.Size.Width <= 0 || it.Size.Height <= 0:
		return p, sizeUnknown
	case limited && it.Weight.Sign() <= 0:
		return p, weightUnknown
	}
	grams, err := it.Weight.Round(0, quantity.Up)
	if err != nil {
		return p, weightUnknown
	}
	p.Weight, _ = grams.Int64() // it is whole
	p.Size = cartonize.Size{X: it.Size.Length, Y: it.Size.Width, Z: it.Size.Height}
	p.Count, p.Apart = int(min(n, maxPlanned+1)), it.Hazard
	return p, ""
}

func kinds(types []CartonType) []cartonize.Type {
	out := make([]cartonize.Type, len(types))
	for i, t := range types {
		out[i] = cartonize.Type{
			Inner: cartonize.Size{X: t.Length, Y: t.Width, Z: t.Height}, Tare: t.Tare, MaxGross: t.MaxGross, MaxFill: int64(t.MaxFill),
		}
	}
	return out
}

func planned(c cartonize.Carton, types []CartonType, lines []OrderLine) PlannedCarton {
	t := types[c.Type]
	out := PlannedCarton{Type: t.Code, Weight: c.Weight, Fill: c.Volume * 1000 / (t.Length * t.Width * t.Height)}
	for _, b := range c.Blocks {
		out.Blocks = append(out.Blocks, PlannedBlock{lines[b.Piece].Number, lines[b.Piece].SKU, b})
	}
	return out
}
