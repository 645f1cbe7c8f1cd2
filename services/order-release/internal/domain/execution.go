package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Reports of the warehouse and the carrier are never refused: they happened. What goes
// beyond what the order can hold is kept apart as a contradiction for people to clear.

// Allocated records stock that the warehouse allocated to a release. It may come after the
// pick, and after what turned out to be short or was cancelled later.
func (o Order) Allocated(e Env, release, warehouseOrder string, lines []LineQuantity) ([]Fact, error) {
	return o.report(e, release, "ALLOCATED", lines, func(l ReleaseLine) quantity.Decimal { return l.Quantity.Sub(l.SaidAllocated) },
		func(s *step, r Release, taken []LineQuantity) {
			s.add(ReleaseAllocated{Keys: o.keys(), Release: r.Number, WarehouseOrder: warehouseOrder, Lines: taken})
		})
}

// Acknowledge records that the warehouse has a release.
func (o Order) Acknowledge(_ Env, release, warehouseOrder string) ([]Fact, error) {
	r, contradicted := o.reportedOn(release, "ACKNOWLEDGED", nil)
	if r == nil || r.Acknowledged {
		return contradicted, nil
	}
	return []Fact{ReleaseAcknowledged{Keys: o.keys(), Release: r.Number, WarehouseOrder: warehouseOrder}}, nil
}

// Picked records a pick.
func (o Order) Picked(e Env, release string, lines []LineQuantity) ([]Fact, error) {
	return o.report(e, release, "PICKED", lines, func(l ReleaseLine) quantity.Decimal { return l.Live().Sub(l.SaidPicked) },
		func(s *step, r Release, taken []LineQuantity) {
			s.add(LinesPicked{Keys: o.keys(), Release: r.Number, Lines: taken})
		})
}

// Shorted records what was not there to be picked; it waits or is cancelled, as the delivery rule says.
func (o Order) Shorted(e Env, release string, lines []LineQuantity) ([]Fact, error) {
	return o.report(e, release, "SHORT", lines, func(l ReleaseLine) quantity.Decimal { return l.Live().Sub(l.Picked) },
		func(s *step, r Release, taken []LineQuantity) {
			s.add(LinesShorted{Keys: o.keys(), Release: r.Number, Lines: taken})
			s.settle(map[string]int{r.Site: r.Number, anywhere: r.Number})
		})
}

// Issued records what left the warehouse's books, and of what was delivered already, as far as
// has been told, as much as that makes room for.
func (o Order) Issued(e Env, release string, lines []LineQuantity) ([]Fact, error) {
	return o.report(e, release, "ISSUED", lines, func(l ReleaseLine) quantity.Decimal { return l.Live().Sub(l.Issued) },
		func(s *step, r Release, taken []LineQuantity) {
			s.add(LinesIssued{Keys: o.keys(), Release: r.Number, Lines: taken, At: e.At})
			s.deliverNow(r.Number)
		})
}

// deliverNow takes deliveries that were told when there was no room for them, before the goods
// issue say: of each shipment what there is room for now. The rest stays a contradiction.
func (s *step) deliverNow(release int) {
	id := ReleaseID(s.ID, release)
	told := map[string][]Disputed{}
	var shipments []string
	for _, d := range s.Disputed {
		if d.Report == reportDelivered && d.Release == id {
			if told[d.Shipment] == nil {
				shipments = append(shipments, d.Shipment)
			}
			told[d.Shipment] = append(told[d.Shipment], d)
		}
	}
	for _, shipment := range shipments {
		taken, excess := s.split(release, told[shipment])
		if len(taken) == 0 {
			continue
		}
		s.add(LinesDelivered{Keys: s.keys(), Release: release, Shipment: shipment, Lines: taken})
		if len(excess) > 0 {
			s.add(ReportContradicted{Keys: s.keys(), Release: id, Report: reportDelivered, Shipment: shipment, Excess: excess})
		}
	}
}

// split divides what a delivery report said too much into what is issued by now and the rest.
func (s *step) split(release int, told []Disputed) (taken, excess []LineQuantity) {
	r := s.Releases[s.releaseIndex(release)]
	used := map[int]quantity.Decimal{}
	for _, d := range told {
		q := LineQuantity{Line: d.Line, Quantity: quantity.Quantity{Value: d.Excess, Unit: d.Unit}}
		n := r.lineIndex(d.Line)
		if n < 0 || d.Unit != "" {
			if i := s.lineIndex(d.Line); i >= 0 && d.Unit == "" {
				q.Quantity.Unit = s.Lines[i].Base.Unit
			}
			excess = append(excess, q)
			continue
		}
		q.Quantity.Unit = s.Lines[s.lineIndex(d.Line)].Base.Unit
		room := r.Lines[n].Issued.Sub(r.Lines[n].Delivered).Sub(used[d.Line])
		fits := quantity.Min(d.Excess, quantity.Max(room, quantity.Decimal{}))
		used[d.Line] = used[d.Line].Add(fits)
		if !fits.IsZero() {
			q.Quantity.Value = fits
			taken = append(taken, q)
		}
		if rest := d.Excess.Sub(fits); !rest.IsZero() {
			q.Quantity.Value = rest
			excess = append(excess, q)
		}
	}
	return taken, excess
}

const reportDelivered = "DELIVERED"

// Delivered records the total that a shipment brought to the customer, a line perhaps in
// parts; a later report replaces an earlier one.
func (o Order) Delivered(e Env, release, shipment string, totals []LineQuantity) ([]Fact, error) {
	changes := totals
	r, _ := o.reportedOn(release, reportDelivered, nil)
	if r != nil {
		changes = nil
		for _, t := range summed(totals) {
			if l := r.lineIndex(t.Line); l >= 0 && t.Quantity.Unit == o.Lines[o.lineIndex(t.Line)].Base.Unit {
				t.Quantity.Value = t.Quantity.Value.Sub(r.brought(shipment, t.Line))
			}
			if !t.Quantity.Value.IsZero() {
				changes = append(changes, t)
			}
		}
	}
	facts, err := o.report(e, release, reportDelivered, changes, func(l ReleaseLine) quantity.Decimal { return l.Issued.Sub(l.Delivered) },
		func(s *step, r Release, taken []LineQuantity) {
			s.add(LinesDelivered{Keys: o.keys(), Release: r.Number, Shipment: shipment, Lines: taken})
			if slices.ContainsFunc(taken, func(l LineQuantity) bool { return l.Quantity.Value.Less(quantity.Decimal{}) }) {
				s.deliverNow(r.Number) // what it did not bring, others may have
			}
		})
	for i, f := range facts {
		if c, ok := f.(ReportContradicted); ok && c.Shipment == "" {
			c.Shipment = shipment
			facts[i] = c
		}
	}
	before := slices.DeleteFunc(slices.Clone(o.Disputed), func(d Disputed) bool { return !d.delivers(release, shipment) })
	switch {
	case len(facts) == 0 && len(before) > 0 && r != nil: // all that was wrong is taken back
		return []Fact{LinesDelivered{Keys: o.keys(), Release: r.Number, Shipment: shipment}}, err
	case len(facts) == 1 && len(before) > 0 && o.repeats(facts[0], before):
		return nil, err
	}
	return facts, err
}

// summed adds up what is said of one line in one unit.
func summed(lines []LineQuantity) (sums []LineQuantity) {
	for _, l := range lines {
		i := slices.IndexFunc(sums, func(s LineQuantity) bool { return s.Line == l.Line && s.Quantity.Unit == l.Quantity.Unit })
		if i < 0 {
			sums = append(sums, l)
			continue
		}
		sums[i].Quantity.Value = sums[i].Quantity.Value.Add(l.Quantity.Value)
	}
	return sums
}

// repeats reports whether a fact is the contradiction that the order has already.
func (o Order) repeats(f Fact, before []Disputed) bool {
	o.Disputed = nil
	c, ok := f.(ReportContradicted)
	return ok && slices.Equal(o.disputed(c), before)
}

// report takes of each line what there is room for, and keeps the excess as a contradiction.
func (o Order) report(e Env, release, kind string, lines []LineQuantity, room func(ReleaseLine) quantity.Decimal, take func(*step, Release, []LineQuantity)) ([]Fact, error) {
	r, contradicted := o.reportedOn(release, kind, lines)
	if r == nil {
		return contradicted, nil
	}
	var taken, excess []LineQuantity
	used := map[int]quantity.Decimal{} // a line may come twice in one report
	for _, q := range lines {
		n := r.lineIndex(q.Line)
		if n < 0 || q.Quantity.Unit != o.Lines[o.lineIndex(q.Line)].Base.Unit {
			excess = append(excess, q)
			continue
		}
		fits := quantity.Min(q.Quantity.Value, quantity.Max(room(r.Lines[n]).Sub(used[q.Line]), quantity.Decimal{}))
		used[q.Line] = used[q.Line].Add(fits)
		if rest := q.Quantity.Value.Sub(fits); !rest.IsZero() {
			over := q
			over.Quantity.Value = rest
			excess = append(excess, over)
		}
		if !fits.IsZero() {
			q.Quantity.Value = fits
			taken = append(taken, q)
		}
	}
	s := o.begin(e)
	if len(taken) > 0 {
		take(s, *r, taken)
	}
	if len(excess) > 0 {
		s.add(ReportContradicted{Keys: o.keys(), Release: release, Report: kind, Excess: excess})
	}
	return s.end(), nil
}

// reportedOn finds the release that a report is about; nil with a contradiction when the
// order never sent such a one.
func (o Order) reportedOn(release, kind string, lines []LineQuantity) (*Release, []Fact) {
	if order, n, err := ParseReleaseID(release); err == nil && order == o.ID {
		if i := o.releaseIndex(n); i >= 0 && !o.Releases[i].Sent.IsZero() {
			return &o.Releases[i], nil
		}
	}
	return nil, []Fact{ReportContradicted{Keys: o.keys(), Release: release, Report: kind, Excess: lines}}
}
