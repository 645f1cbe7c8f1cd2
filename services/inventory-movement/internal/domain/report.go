package domain

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// ReportKind is what a warehouse reports.
type ReportKind string

// Kinds of report.
const (
	PickReport  ReportKind = "PICK"
	ShortReport ReportKind = "SHORT_PICK"
)

// Contradicts is what of its warehouse order a report contradicts.
type Contradicts string

// What a report may contradict.
const (
	OverPick    Contradicts = "OVER_PICK"
	OverShort   Contradicts = "OVER_SHORT"
	UnknownLine Contradicts = "UNKNOWN_LINE"
	AfterCancel Contradicts = "AFTER_CANCEL"
	AfterIssue  Contradicts = "AFTER_ISSUE"
)

// contradictions are all of them, in the order in which their facts stand in a commit.
var contradictions = []Contradicts{OverPick, OverShort, UnknownLine, AfterCancel, AfterIssue}

// maxContradictions bounds what a warehouse order remembers of them; its facts have them all.
const maxContradictions = 200

// Report is what a warehouse says of its picking, and who says it when.
type Report struct {
	Kind    ReportKind
	Lines   []PickedLine
	Damaged bool // of a short pick
	At      time.Time
	By      string
	Source  ident.SourceRef
}

// Contradiction is one line of a report that contradicts the order.
type Contradiction struct {
	Reason  Contradicts     `bson:"r"`
	Report  ReportKind      `bson:"k"`
	Line    PickedLine      `bson:"l"`
	Damaged bool            `bson:"d,omitempty"`
	At      time.Time       `bson:"t"`
	By      string          `bson:"b"`
	Source  ident.SourceRef `bson:"s"`
}

// Text says in words what a line contradicts.
func (c Contradicts) Text(l PickedLine) string {
	q := quantity.Quantity{Value: l.Quantity, Unit: l.Unit}
	switch c {
	case OverPick:
		return fmt.Sprintf("%s of line %d were picked beyond what was left to pick", q, l.Line)
	case OverShort:
		return fmt.Sprintf("%s of line %d are missing beyond what was left to pick", q, l.Line)
	case UnknownLine:
		return fmt.Sprintf("%s of line %d, which the warehouse order does not have", q, l.Line)
	case AfterCancel:
		return fmt.Sprintf("%s of line %d after the warehouse order was cancelled", q, l.Line)
	case AfterIssue:
		return fmt.Sprintf("%s of line %d after the goods issue", q, l.Line)
	}
	return string(c)
}

// TakeReport records what was picked, or was not there to be picked: of each line what is left
// of it. The rest of the report contradicts the order; it is kept and changes no quantity,
// because no over-pick is agreed. Only what cannot be read is refused.
func TakeReport(o WarehouseOrder, r Report) ([]OrderFact, error) {
	if err := o.numbered(r); err != nil {
		return nil, err
	}
	fits, odd, err := o.sorted(r)
	if err != nil {
		return nil, err
	}
	var facts []OrderFact
	switch {
	case len(fits) == 0:
	case r.Kind == ShortReport:
		facts = append(facts, PickShorted{o.Keys, o.Site, o.Owner, fits, r.Damaged, r.At})
	default:
		facts = append(facts, PickConfirmed{o.Keys, o.Site, o.Owner, fits, r.At})
	}
	for _, reason := range contradictions {
		if lines := odd[reason]; len(lines) > 0 {
			said := r
			said.Lines = lines
			facts = append(facts, ReportContradicted{o.Keys, o.Site, o.Owner, reason, said})
		}
	}
	return facts, nil
}

// sorted splits a report into what fits the order and what contradicts it, on the sum of its
// lines: together they are what was reported.
func (o WarehouseOrder) sorted(r Report) (fits []PickedLine, odd map[Contradicts][]PickedLine, err error) {
	over := OverPick
	if r.Kind == ShortReport {
		over = OverShort
	}
	odd = map[Contradicts][]PickedLine{}
	left := map[int]quantity.Decimal{}
	for n, p := range r.Lines {
		l, known, err := o.read(&p, n)
		switch {
		case err != nil:
			return nil, nil, err
		case o.IsCancelled:
			odd[AfterCancel] = append(odd[AfterCancel], p)
			continue
		case o.IsIssued():
			odd[AfterIssue] = append(odd[AfterIssue], p)
			continue
		case !known:
			odd[UnknownLine] = append(odd[UnknownLine], p)
			continue
		}
		if _, seen := left[p.Line]; !seen {
			left[p.Line] = l.left()
		}
		fit := quantity.Min(p.Quantity, left[p.Line])
		left[p.Line] = left[p.Line].Sub(fit)
		fits = part(fits, p, fit)
		odd[over] = part(odd[over], p, p.Quantity.Sub(fit))
	}
	return fits, odd, nil
}

// part adds so much of a line to others, if it is something.
func part(to []PickedLine, l PickedLine, q quantity.Decimal) []PickedLine {
	if q.Sign() <= 0 {
		return to
	}
	l.Quantity = q
	return append(to, l)
}

// read completes the n-th line of a report with what the order's line of that number says, if
// there is one, and refuses a quantity that cannot be.
func (o WarehouseOrder) read(p *PickedLine, n int) (l OrderLine, known bool, err error) {
	field := "lines[" + strconv.Itoa(p.row(n)) + "].quantity"
	p.Row = 0
	if i := slices.IndexFunc(o.Lines, func(l OrderLine) bool { return l.Number == p.Line }); i >= 0 {
		l, known = o.Lines[i], true
		p.Item, p.SKU = l.Item, l.SKU
	}
	_, unit := quantity.Unit(p.Unit)
	switch {
	case known && p.Unit != l.Quantity.Unit:
		err = Invalid(field, "UNIT_UNKNOWN", "line %d is counted in %s, not %s", p.Line, l.Quantity.Unit, p.Unit)
	case !known && !unit:
		err = Invalid(field, "UNIT_UNKNOWN", "%q is no unit", p.Unit)
	case p.Quantity.Sign() <= 0:
		err = Invalid(field, "QUANTITY_INVALID", "a quantity must be more than 0")
	case !whole(quantity.Quantity{Value: p.Quantity, Unit: p.Unit}):
		err = Invalid(field, "QUANTITY_INVALID", "%s is a fraction of a piece", p.Quantity)
	}
	return l, known, err
}

// remember keeps the lines of a contradiction, the newest of all.
func (o WarehouseOrder) remember(f ReportContradicted) WarehouseOrder {
	o.Contradicted += len(f.Lines)
	o.Contradictions = slices.Clip(o.Contradictions)
	for _, l := range f.Lines {
		o.Contradictions = append(o.Contradictions, Contradiction{f.Reason, f.Kind, l, f.Damaged, f.At, f.By, f.Source})
	}
	if n := len(o.Contradictions) - maxContradictions; n > 0 {
		o.Contradictions = o.Contradictions[n:]
	}
	return o
}
