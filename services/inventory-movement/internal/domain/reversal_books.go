package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Movement is a movement as the ledger has it.
type Movement struct {
	Ref MoveRef
	StockMoved
}

// outstanding are the goods issues among movements of a warehouse order, each with what of it is not
// taken back.
func outstanding(booked []Movement, order string) []Movement {
	var out []Movement
	for _, b := range booked {
		if b.Order != order {
			continue
		}
		switch b.Type {
		case Issue:
			out = append(out, b)
		case IssueReversal:
			for i := range out {
				if out[i].Ref == b.Reverses {
					out[i].Quantity = out[i].Quantity.Sub(b.Quantity)
				}
			}
		}
	}
	return out
}

// TakeReversal books goods that were issued and are back: each to the place, lot and status that its
// goods issue took it from, first of the lots that the report names. booked are the movements of the
// order's goods issues and reversals so far, in their order. It follows a decision and is never
// refused: what no movement tells of stands in PACKING without a lot.
func TakeReversal(s Stock, key StockKey, order string, lines []PickedLine, booked []Movement, at time.Time) []StockFact {
	key = s.named(key)
	out := outstanding(booked, order)
	b := booking{s: s}
	move := func(l PickedLine, from, to Place, n quantity.Decimal, of MoveRef) {
		b.add(n, StockMoved{
			StockKey: key, Type: IssueReversal, From: from, To: to, Quantity: n, Order: order, Line: l.Line, Reverses: of, At: at,
		})
	}
	take := func(l PickedLine, fits func(Movement) bool) {
		for i := range out {
			if o := &out[i]; o.Line == l.Line && fits(*o) {
				n := quantity.Min(o.Quantity, b.left)
				move(l, o.To, o.From, n, o.Ref)
				o.Quantity = o.Quantity.Sub(n)
			}
		}
	}
	rest := make([]quantity.Decimal, len(lines))
	for i, l := range lines {
		b.left = l.Quantity
		if l.Lot != "" || l.Serial != "" {
			take(l, func(o Movement) bool { return l.at(o.From) })
		}
		rest[i] = b.left
	}
	for i, l := range lines { // of whatever is left, once every lot and piece that is named has had its own
		b.left = rest[i]
		take(l, func(Movement) bool { return true })
		back := Place{Location: Packing, Lot: l.Lot, Serial: l.Serial, Status: Available}
		move(l, back.as(Customer, Available), back, b.left, MoveRef{})
	}
	return b.facts
}

// TakeUnitReversal says that a unit that had left is back.
func TakeUnitReversal(u HandlingUnit, at time.Time) []UnitFact {
	if u.Stands != UnitIssued {
		return nil
	}
	return []UnitFact{UnitCameBack{UnitKeys: u.Keys, Parent: u.Parent, At: at}}
}

// TakeChildReversal says that a unit in this one that had left is back: so is this one, then.
func TakeChildReversal(u HandlingUnit, child string, at time.Time) []UnitFact {
	var facts []UnitFact
	if c, has := u.child(child); has && c.Issued {
		facts = append(facts, ChildCameBack{UnitKeys: u.Keys, Child: child})
	} else if !has {
		return nil
	}
	return append(facts, TakeUnitReversal(u, at)...)
}

// The facts of handling units that are back.
type (
	// UnitCameBack says that it is back.
	UnitCameBack struct {
		UnitKeys
		Parent string
		At     time.Time
	}
	// ChildCameBack says that a unit in it is back.
	ChildCameBack struct {
		UnitKeys
		Child string
	}
)

func (UnitCameBack) isUnitFact()  {}
func (ChildCameBack) isUnitFact() {}

// evolveUnitReversal applies a fact of a unit that leaves or is back: it stands as it stood before.
func (u HandlingUnit) evolveUnitReversal(fact UnitFact) HandlingUnit {
	switch f := fact.(type) {
	case UnitLeft:
		if u.Stands != UnitIssued {
			u.Before = u.Stands
		}
		u.Stands = UnitIssued
	case UnitCameBack:
		u.Stands, u.Before = u.Before, ""
	case ChildCameBack:
		u.Children = slices.Clone(u.Children)
		for i := range u.Children {
			u.Children[i].Issued = u.Children[i].Issued && u.Children[i].SSCC != f.Child
		}
	}
	return u
}
