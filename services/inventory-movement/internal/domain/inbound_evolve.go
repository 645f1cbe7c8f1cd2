package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// EvolveInbound applies one fact.
func EvolveInbound(d Inbound, fact InboundFact) Inbound {
	switch f := fact.(type) {
	case AsnRegistered:
		d.Keys, d.Lines, d.Units, d.Expected = f.InboundKeys, f.Lines, f.Units, f.Expected
	case DeliveryRescheduled:
		d = d.rescheduled(f)
	case DeliveryArrived:
		d.ArrivedAt, d.Dock = f.At, f.Dock
	case GoodsReceived:
		d.Keys = f.InboundKeys
		for _, p := range f.Parts {
			d = d.receive(p)
		}
		if f.Message != "" {
			d.Messages = append(slices.Clip(d.Messages), f.Message)
			d.Messages = d.Messages[max(0, len(d.Messages)-maxMessages):]
		}
	case DiscrepancyFound:
		d = d.edit(f.Line, func(l *InboundLine) { l.Discrepancies = differ(l.Discrepancies, f.ReceiptDifference) })
	case RemainderCancelled:
		for _, c := range f.Lines {
			d = d.edit(c.Line, func(l *InboundLine) { l.Cancelled = l.Cancelled.Add(c.Quantity) })
		}
	case InspectionRecorded:
		d = d.move(f.Moves, false)
	case OverReceiptResolved:
		d = d.move(f.Moves, false)
	case PutawayConfirmed:
		d = d.move(f.Moves, true).putAway(f)
	}
	return d
}

// ApplyInbound folds facts onto a state.
func ApplyInbound(d Inbound, facts ...InboundFact) Inbound {
	for _, f := range facts {
		d = EvolveInbound(d, f)
	}
	return d
}

func (d Inbound) edit(line int, change func(*InboundLine)) Inbound {
	d.Lines = slices.Clone(d.Lines)
	for i := range d.Lines {
		if d.Lines[i].Number == line {
			change(&d.Lines[i])
		}
	}
	return d
}

// receive adds goods to their line, which comes into being if it was not announced.
func (d Inbound) receive(p Part) Inbound {
	if _, known := d.Line(p.Line); !known {
		d.Lines = append(slices.Clip(d.Lines), InboundLine{
			Number: p.Line, Item: p.Item, SKU: p.SKU, Unit: p.Unit, Inspect: p.Inspect, InsteadOf: p.InsteadOf,
		})
	}
	if i := slices.IndexFunc(d.Units, func(u InboundUnit) bool { return p.SSCC != "" && u.SSCC == p.SSCC }); i >= 0 {
		d.Units = slices.Clone(d.Units)
		d.Units[i].Received = true
	}
	d = d.edit(p.Line, func(l *InboundLine) {
		l.Received, l.Over = l.Received.Add(p.Quantity), l.Over.Add(p.Over)
	})
	return d.stand(p.Line, p.Place, p.Quantity, false)
}

func differ(all []ReceiptDifference, more ReceiptDifference) []ReceiptDifference {
	all = slices.Clone(all)
	if i := slices.IndexFunc(all, func(x ReceiptDifference) bool { return x.Type == more.Type }); i >= 0 {
		all[i].Quantity = all[i].Quantity.Add(more.Quantity)
		return all
	}
	return append(all, more)
}

// stand adds goods to those of the line that stand at the place, or makes a task of their own.
func (d Inbound) stand(line int, at Place, q quantity.Decimal, stored bool) Inbound {
	d.Standings = slices.Clone(d.Standings)
	i := slices.IndexFunc(d.Standings, func(s Standing) bool { return s.Line == line && s.Place == at && s.Stored == stored })
	if i < 0 {
		d.LastTask++
		d.Standings, i = append(d.Standings, Standing{Number: d.LastTask, Line: line, Place: at, Stored: stored}), len(d.Standings)
	}
	d.Standings[i].Quantity = d.Standings[i].Quantity.Add(q)
	return d
}

// move takes goods from where they stand to where they go; what leaves the site stands nowhere.
func (d Inbound) move(moves []InboundMove, putAway bool) Inbound {
	for _, m := range moves {
		i := slices.IndexFunc(d.Standings, func(s Standing) bool { return s.Number == m.Task })
		if i < 0 {
			continue
		}
		d.Standings = slices.Clone(d.Standings)
		stored := d.Standings[i].Stored || putAway
		d.Standings[i].Quantity = d.Standings[i].Quantity.Sub(m.Quantity)
		if !m.To.outside() {
			d = d.stand(m.Line, m.To, m.Quantity, stored)
		}
		d.Standings = slices.DeleteFunc(d.Standings, func(s Standing) bool { return s.Quantity.IsZero() })
	}
	return d
}

// putAway keeps what was proposed for the goods: how much of it is used up, and where they went instead.
func (d Inbound) putAway(f PutawayConfirmed) Inbound {
	d.Taken, d.Overrides = slices.Clone(d.Taken), slices.Clone(d.Overrides)
	for _, m := range f.Moves {
		if m.Proposed == "" {
			continue
		}
		i := slices.IndexFunc(d.Taken, func(t TakenBin) bool { return t.Task == m.Task && t.Bin == m.Proposed })
		if i < 0 {
			i, d.Taken = len(d.Taken), append(d.Taken, TakenBin{Task: m.Task, Bin: m.Proposed})
		}
		d.Taken[i].Quantity = d.Taken[i].Quantity.Add(m.Quantity)
		if m.Proposed != m.To.Location {
			d.Overrides = append(d.Overrides, Override{m.Task, m.Line, m.Unit, m.Proposed, m.Rule, m.To.Location, m.Quantity, f.At})
		}
	}
	d.Overrides = d.Overrides[max(0, len(d.Overrides)-maxOverrides):]
	d.Taken = slices.DeleteFunc(d.Taken, func(t TakenBin) bool {
		_, err := d.Task(t.Task)
		return err != nil
	})
	if len(d.Taken) == 0 {
		d.Taken = nil
	}
	if len(d.Overrides) == 0 {
		d.Overrides = nil
	}
	return d
}

// taken is how much of a task was put into a bin that was proposed for it, or elsewhere instead.
func (d Inbound) taken(task int, bin string) quantity.Decimal {
	for _, t := range d.Taken {
		if t.Task == task && t.Bin == bin {
			return t.Quantity
		}
	}
	return quantity.Decimal{}
}
