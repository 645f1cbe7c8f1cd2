package domain

import "github.com/lockstep-logistics/lockstep/libs/quantity"

// Quantities is what became of one line, in the base unit. It is summed up from the
// line and the releases, so it cannot drift from them.
type Quantities struct {
	Ordered     quantity.Decimal
	Open        quantity.Decimal // neither released nor cancelled
	Promised    quantity.Decimal // part of open that is claimed in stock
	Backordered quantity.Decimal // part of open that waits in a backordered release
	Released    quantity.Decimal // with warehouses or beyond, net of short and cancelled
	Allocated   quantity.Decimal
	Picked      quantity.Decimal
	Packed      quantity.Decimal
	Short       quantity.Decimal
	Issued      quantity.Decimal
	Delivered   quantity.Decimal
	Cancelled   quantity.Decimal
	Dispatched  quantity.Decimal // left on shipments
	Shipped     quantity.Decimal // counts as shipped, by the policies of the releases
}

// Unpromised is the part of open that no claim holds.
func (q Quantities) Unpromised() quantity.Decimal { return q.Open.Sub(q.Promised) }

// Quantities returns the quantities of each line, in the order of the lines.
func (o Order) Quantities() []Quantities {
	out := make([]Quantities, len(o.Lines))
	for _, r := range o.Releases {
		for _, l := range r.Lines {
			i := o.lineIndex(l.Line)
			if i < 0 {
				continue
			}
			q := &out[i]
			if r.Sent.IsZero() {
				q.Backordered = q.Backordered.Add(l.Quantity)
				continue
			}
			q.Released = q.Released.Add(l.Live())
			q.Allocated = q.Allocated.Add(l.Allocated)
			q.Picked = q.Picked.Add(l.Picked)
			q.Packed = q.Packed.Add(l.Packed)
			q.Short = q.Short.Add(l.Short)
			q.Issued = q.Issued.Add(l.Issued)
			q.Delivered = q.Delivered.Add(l.Delivered)
			q.Dispatched = q.Dispatched.Add(l.Dispatched)
			q.Shipped = q.Shipped.Add(r.Counts(l))
		}
	}
	for i, l := range o.Lines {
		q := &out[i]
		q.Ordered, q.Promised, q.Cancelled = l.Base.Value, l.Promised(), l.Cancelled
		q.Open = q.Ordered.Sub(q.Released).Sub(q.Cancelled)
	}
	return out
}

// totals adds up the lines: only for comparisons with zero and with each other, as units differ.
func totals(lines []Quantities) Quantities {
	var t Quantities
	for _, q := range lines {
		t.Ordered = t.Ordered.Add(q.Ordered)
		t.Open = t.Open.Add(q.Open)
		t.Promised = t.Promised.Add(q.Promised)
		t.Backordered = t.Backordered.Add(q.Backordered)
		t.Released = t.Released.Add(q.Released)
		t.Issued = t.Issued.Add(q.Issued)
	}
	return t
}
