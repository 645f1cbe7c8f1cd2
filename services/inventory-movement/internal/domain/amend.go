package domain

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// A warehouse order is amended when something is taken off it that is not picked. The warehouse
// answers for all that was asked, or refuses all of it.

// Amendment is what order release asks for.
type Amendment struct {
	OrderKeys
	Version int // of the release with it
	Lines   []LineAmendment
}

// LineAmendment is what a line stood for, net of what is short, and is to stand for.
type LineAmendment struct {
	Line     int
	From, To quantity.Decimal
}

// AmendedLine is a line as it is from then on.
type AmendedLine struct {
	Line      int
	Item, SKU string
	Quantity  quantity.Quantity // what was short included
	TakenOff  quantity.Decimal
	Open      quantity.Decimal // still to be picked
}

// The facts of an amendment.
type (
	// OrderAmended says what was taken off.
	OrderAmended struct {
		OrderKeys
		Version     int
		Site, Owner string
		Lines       []AmendedLine
	}
	// AmendmentRefused keeps the order as it is.
	AmendmentRefused struct {
		OrderKeys
		Version int
		Reasons []Refusal
	}
)

// Refusal is why the warehouse does not do what it was asked to; field names a line, or nothing.
type Refusal struct{ Code, Field, Message string }

func (OrderAmended) isOrderFact()     {}
func (AmendmentRefused) isOrderFact() {}

// Current is the version of the release that the order stands for.
func (o WarehouseOrder) Current() int { return cmp.Or(o.Amended, o.Keys.ReleaseVersion) }

// evolveAmendment applies a fact of an amendment. Tasks lose what nobody is to pick any more, the
// last ones first.
func (o WarehouseOrder) evolveAmendment(fact OrderFact) WarehouseOrder {
	f, ok := fact.(OrderAmended)
	if !ok {
		return o
	}
	o.Amended = f.Version
	for _, a := range f.Lines {
		o = o.edit(a.Line, func(l *OrderLine) {
			l.Quantity = a.Quantity
			l.Allocated = quantity.Min(l.Allocated, a.Quantity.Value)
		})
		o.Tasks = o.fitting(a.Line, o.Tasks)
		o.Lacks = o.lacking(a.Line, o.Lacks, o.Tasks)
	}
	return o
}

// wants is the quantity of a line, 0 of one that there is not.
func (o WarehouseOrder) wants(line int) quantity.Decimal {
	for _, l := range o.Lines {
		if l.Number == line {
			return l.Quantity.Value
		}
	}
	return quantity.Decimal{}
}

// fitting are tasks without those that a line needs no more.
func (o WarehouseOrder) fitting(line int, tasks []Task) (fit []Task) {
	left := o.wants(line)
	for _, t := range tasks {
		if t.Line == line {
			t.Quantity = quantity.Min(t.Quantity, left)
			left = left.Sub(t.Quantity)
		}
		if t.Quantity.Sign() > 0 {
			fit = append(fit, t)
		}
	}
	return fit
}

// lacking are lacks without what a line wants no more beside its tasks.
func (o WarehouseOrder) lacking(line int, lacks []Lack, tasks []Task) (left []Lack) {
	want := o.wants(line)
	for _, t := range tasks {
		if t.Line == line {
			want = want.Sub(t.Quantity)
		}
	}
	for _, x := range lacks {
		if x.Line == line {
			x.Quantity = quantity.Min(x.Quantity, want)
		}
		if x.Quantity.Sign() > 0 {
			left = append(left, x)
		}
	}
	return left
}

// Amend takes off what is asked for, if nothing of it is picked and the warehouse has each line as
// whoever asks believes it. The same amendment again changes nothing.
func Amend(o WarehouseOrder, a Amendment) []OrderFact {
	if o.Current() >= a.Version {
		return nil
	}
	switch s := o.State(); s {
	case Created, Allocated, Acknowledged, Picking:
	default:
		return []OrderFact{AmendmentRefused{o.Keys, a.Version, []Refusal{{"WAREHOUSE_ORDER_STATE", "", fmt.Sprintf("the warehouse order is %s", s)}}}}
	}
	f := OrderAmended{OrderKeys: o.Keys, Version: a.Version, Site: o.Site, Owner: o.Owner}
	var refusals []Refusal
	for _, l := range a.Lines {
		line, why := o.amended(l)
		if why.Code != "" {
			refusals = append(refusals, why)
		}
		f.Lines = append(f.Lines, line)
	}
	if len(refusals) > 0 {
		return []OrderFact{AmendmentRefused{o.Keys, a.Version, refusals}}
	}
	return []OrderFact{f}
}

// amended is a line as it will be, or why it cannot be.
func (o WarehouseOrder) amended(a LineAmendment) (AmendedLine, Refusal) {
	field := fmt.Sprintf("lines.%d", a.Line)
	i := slices.IndexFunc(o.Lines, func(l OrderLine) bool { return l.Number == a.Line })
	if i < 0 {
		return AmendedLine{}, Refusal{"LINE_UNKNOWN", field, fmt.Sprintf("the warehouse order has no line %d", a.Line)}
	}
	l := o.Lines[i]
	switch live := l.Quantity.Value.Sub(l.Short); {
	case live != a.From:
		return AmendedLine{}, Refusal{"QUANTITY_CHANGED", field, fmt.Sprintf("the warehouse has %s of the line, not %s", live, a.From)}
	case a.To.Less(l.Picked):
		return AmendedLine{}, Refusal{"QUANTITY_PICKED", field, fmt.Sprintf("%s are picked", l.Picked)}
	}
	off := a.From.Sub(a.To)
	return AmendedLine{
		Line: l.Number, Item: l.Item, SKU: l.SKU, TakenOff: off, Open: l.left().Sub(off),
		Quantity: quantity.Quantity{Value: l.Quantity.Value.Sub(off), Unit: l.Quantity.Unit},
	}, Refusal{}
}

// TakeAmendment frees what is allocated to a line beyond what is still to be picked of it, the last
// first: what was set aside first is what the strategy wanted most.
func TakeAmendment(s Stock, key StockKey, order string, line int, open quantity.Decimal) []StockFact {
	kept, all := []Allocation{}, quantity.Decimal{}
	for _, a := range s.AllocatedTo(order, line) {
		all = all.Add(a.Quantity)
		a.Quantity = quantity.Min(a.Quantity, open)
		if open = open.Sub(a.Quantity); a.Quantity.Sign() > 0 {
			kept = append(kept, a)
		}
	}
	facts := []StockFact{AllocationFreed{s.named(key), order, line, all}}
	if len(kept) > 0 {
		facts = append(facts, StockAllocated{StockKey: s.named(key), Order: order, Line: line, Parts: kept})
	}
	for _, a := range kept {
		all = all.Sub(a.Quantity)
	}
	if all.IsZero() {
		return nil
	}
	return facts
}

// TakeAmendments does so for the lines of one stock.
func TakeAmendments(s Stock, key StockKey, order string, lines []AmendedLine) (facts []StockFact) {
	for _, l := range lines {
		more := TakeAmendment(s, key, order, l.Line, l.Open)
		facts, s = append(facts, more...), ApplyStock(s, more...)
	}
	return facts
}
