package checker

import (
	"math/big"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	fsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	retv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	svv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// quantities of an order's line.
type quantities struct{ ordered, released, issued, delivered, cancelled, shipped *big.Rat }

// ordered are the lines of an order, as its facts say.
type ordered struct {
	lines     map[int32]*quantities
	fulfilled bool
}

func (o *ordered) line(n int32) *quantities {
	if o.lines[n] == nil {
		o.lines[n] = &quantities{new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)}
	}
	return o.lines[n]
}

// order checks the quantities of an order's lines (I6): never more is released and cancelled
// than was ordered, and in the end never more issued than released, or delivered than issued.
// What is fulfilled was issued or cancelled, all of it.
func (c *checker) order(facts [][]*fact) {
	o := &ordered{lines: map[int32]*quantities{}}
	var last *fact
	for _, of := range facts {
		for _, f := range of {
			last = f
			o.apply(f, c.broken("I6", f))
		}
		for n, q := range o.lines {
			if gone := new(big.Rat).Add(q.released, q.cancelled); gone.Cmp(q.ordered) > 0 {
				c.broken("I6", last)("line %d: %s released and %s cancelled of %s ordered", n, q.released.RatString(), q.cancelled.RatString(), q.ordered.RatString())
			}
		}
	}
	for n, q := range o.lines {
		if q.issued.Cmp(q.released) > 0 || q.delivered.Cmp(q.issued) > 0 {
			c.broken("I6", last)("line %d: %s released, %s issued, %s delivered", n, q.released.RatString(), q.issued.RatString(), q.delivered.RatString())
		}
		if q.shipped.Cmp(q.released) > 0 || q.shipped.Sign() < 0 {
			c.broken("I6", last)("line %d: %s released, %s told to be shipped", n, q.released.RatString(), q.shipped.RatString())
		}
		if gone := new(big.Rat).Add(q.issued, q.cancelled); o.fulfilled && gone.Cmp(q.ordered) < 0 {
			c.broken("I6", last)("line %d: is fulfilled with %s issued and %s cancelled of %s ordered", n, q.issued.RatString(), q.cancelled.RatString(), q.ordered.RatString())
		}
	}
}

func (o *ordered) apply(f *fact, bad func(string, ...any)) {
	take := func(of []*orv1.LineQuantity, into func(*quantities) *big.Rat, sign int64) {
		for _, l := range of {
			q := into(o.line(l.GetLineNumber()))
			q.Add(q, new(big.Rat).Mul(big.NewRat(sign, 1), value(l.GetQuantity(), bad)))
		}
	}
	released := func(q *quantities) *big.Rat { return q.released }
	switch m := f.msg.(type) {
	case *orv1.OrderReceived:
		for _, l := range m.GetResolved() {
			o.line(l.GetLineNumber()).ordered = value(l.GetBaseQuantity(), bad)
		}
	case *orv1.OrderReleased:
		for _, l := range m.GetLines() {
			q := o.line(l.GetLineNumber()).released
			q.Add(q, value(l.GetQuantity(), bad))
		}
	case *orv1.LinesShorted:
		take(m.GetLines(), released, -1)
	case *orv1.ReleaseCancelled:
		take(m.GetLines(), released, -1)
	case *orv1.ReleaseWithdrawn:
		take(m.GetLines(), released, -1)
	case *orv1.LinesIssued:
		take(m.GetLines(), func(q *quantities) *big.Rat { return q.issued }, 1)
	case *orv1.LinesShipped:
		take(m.GetLines(), func(q *quantities) *big.Rat { return q.shipped }, 1)
	case *orv1.LinesIssueReversed:
		o.fulfilled = false
		take(m.GetLines(), func(q *quantities) *big.Rat { return q.issued }, -1)
	case *orv1.LinesDelivered:
		take(m.GetLines(), func(q *quantities) *big.Rat { return q.delivered }, 1)
	case *orv1.RemainderCancelled:
		take(m.GetLines(), func(q *quantities) *big.Rat { return q.cancelled }, 1)
	case *orv1.OrderFulfilled:
		o.fulfilled = true
	}
}

func (c *checker) broken(invariant string, f *fact) func(string, ...any) {
	return func(format string, args ...any) {
		c.report.add(invariant, Aggregate, f.where()+" "+f.id, format, args...)
	}
}

func value(q *commonv1.Quantity, bad func(string, ...any)) *big.Rat { return number(q.GetValue(), bad) }

// stage says how far a document has come once a fact is in its history: 0 for one that says
// nothing of that. Stages do not go down, and those that end something come once.
func stage(f *fact) (rank int, once bool) {
	switch m := f.msg.(type) {
	case *orv1.OrderValidated:
		return 1, true
	case *orv1.OrderReleased:
		return 2, false
	case *orv1.OrderFulfilled:
		return 3, true
	case *orv1.OrderClosed, *orv1.OrderCancelled:
		return 4, true
	case *imv1.WarehouseOrderCreated:
		return 1, true
	case *imv1.WarehouseOrderAcknowledged:
		return 0, true
	case *imv1.PickConfirmed:
		return 3, false
	case *imv1.GoodsIssued, *imv1.WarehouseOrderCancelled, *imv1.WarehouseOrderStopped:
		return 5, true
	case *svv1.ShipmentPlanned:
		return 0, true
	case *svv1.ShipmentReady:
		return 0, true
	case *svv1.TenderAccepted:
		return int(svv1.ShipmentState_SHIPMENT_STATE_ACCEPTED), false
	case *svv1.ShipmentDispatched:
		return int(svv1.ShipmentState_SHIPMENT_STATE_DISPATCHED), true
	case *svv1.MilestoneRecorded:
		return int(m.GetState()), false
	case *svv1.ShipmentDelivered:
		return int(svv1.ShipmentState_SHIPMENT_STATE_DELIVERED), true
	case *svv1.ProofOfDeliveryRecorded:
		return int(svv1.ShipmentState_SHIPMENT_STATE_POD_CONFIRMED), false
	case *svv1.ShipmentClosed:
		return int(svv1.ShipmentState_SHIPMENT_STATE_CLOSED), true
	case *fsv1.FreightInvoiceReceived:
		return 1, true
	case *fsv1.FreightInvoiceApproved:
		return 2, true
	case *fsv1.VoucherPosted:
		return 3, true
	case *fsv1.FreightInvoicePaid, *fsv1.FreightInvoiceCredited:
		return 4, true
	}
	return stageOfReturn(f)
}

func stageOfReturn(f *fact) (rank int, once bool) {
	switch f.msg.(type) {
	case *retv1.ReturnRequested:
		return 1, true
	case *retv1.ReturnHeld:
		return 2, true
	case *retv1.ReturnAuthorised:
		return 3, true
	case *retv1.ReturnReceiptRecorded, *retv1.ItemsInspected, *retv1.ItemsDisposed, *retv1.CreditRequested, *retv1.CreditConfirmed:
		return 4, false
	case *retv1.ReturnDenied, *retv1.ReturnCancelled, *retv1.ReturnCompleted:
		return 5, true
	}
	return 0, false
}

// states checks that a document never goes back (I5), and notes where it ends.
func (c *checker) states(facts [][]*fact) {
	rank, corrected := 0, false
	seen := map[string]string{}
	for _, of := range facts {
		for _, f := range of {
			if takesBack(f) { // what was over is under way again
				rank, corrected = 0, true
				clear(seen)
				c.reopened(f)
			}
			next, once := stage(f)
			name := string(f.msg.ProtoReflect().Descriptor().Name())
			if first, again := seen[name]; again && once {
				c.broken("I5", f)("is %s again, as %s was", name, first)
			}
			seen[name] = f.id
			if next > 0 && next < rank && !corrected {
				c.broken("I5", f)("%s goes back from stage %d to %d", name, rank, next)
			}
			rank = max(rank, next)
			corrected = corrected || corrects(f)
			if e, ok := endOf(f); ok {
				c.ended(e)
			}
		}
	}
}

// takesBack reports whether a fact takes back what had ended its document.
func takesBack(f *fact) bool {
	switch f.msg.(type) {
	case *orv1.LinesIssueReversed, *imv1.GoodsIssueReversed, *svv1.ShipmentIssueReversed:
		return true
	}
	return false
}

// corrects reports whether a fact lets a document go another way than forwards.
func corrects(f *fact) bool {
	switch m := f.msg.(type) {
	case *orv1.ReleaseCancelled, *orv1.ReportContradicted, *imv1.ReportContradicted, *svv1.ShipmentCancelled, *svv1.CancellationContradicted, *svv1.DispatchReported:
		return true
	case *svv1.MilestoneRecorded:
		return m.GetState() > svv1.ShipmentState_SHIPMENT_STATE_CLOSED
	case *retv1.ReturnReceiptRecorded: // goods nobody waits for
		return len(m.GetMarks()) > 0
	case *retv1.CreditConfirmed:
		return len(m.GetContradictions()) > 0
	}
	return false
}
