package checker

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// Rules of inbound deliveries.
const (
	receives = "what is received of a delivery moves in stock"
	expects  = "what a delivery still brings is what stock expects"
)

// watchInbound notes what deliveries bring, and which orders wait for nothing any more.
func (r *reactions) watchInbound(f *fact) {
	still := func(side int, delivery string, line int32, q *big.Rat) { r.note(side, f, expects, q, delivery, line) }
	switch m := f.msg.(type) {
	case *imv1.AsnRegistered:
		for _, l := range m.GetLines() {
			still(cause, f.agg, l.GetLineNumber(), value(l.GetQuantity(), ignore))
		}
	case *imv1.GoodsReceived:
		for _, p := range m.GetParts() {
			q := value(p.GetQuantity(), ignore)
			r.note(cause, f, receives, q, cmp.Or(m.GetKeys().GetAsnNumber(), f.agg), p.GetSku(), at(p.GetPlace()))
			still(cause, f.agg, p.GetLineNumber(), new(big.Rat).Sub(over(p), q))
		}
	case *imv1.InboundRemainderCancelled:
		for _, l := range m.GetLines() {
			still(cause, f.agg, l.GetLineNumber(), new(big.Rat).Neg(value(l.GetQuantity(), ignore)))
		}
	case *imv1.StockMoved:
		if asn, is := strings.CutPrefix(m.GetReason(), "ASN "); is && m.GetType() == imv1.MovementType_MOVEMENT_TYPE_RECEIPT {
			r.note(effect, f, receives, number(m.GetQuantity(), ignore), asn, m.GetStock().GetSku(), at(m.GetTo()))
		}
	case *imv1.SupplyChanged:
		still(effect, m.GetInboundDeliveryId(), m.GetLineNumber(), number(m.GetChange(), ignore))
	case *orv1.OrderFulfilled, *orv1.OrderCancelled, *orv1.OrderClosed:
		r.over[f.tenant+" "+f.agg] = true
	}
}

// over is what of received goods was more than was open.
func over(p *imv1.ReceivedPart) *big.Rat {
	if p.GetOver() == "" {
		return new(big.Rat)
	}
	return number(p.GetOver(), ignore)
}

// wait is what a stock has promised an order of what is to come, once all is at rest.
type wait struct {
	tenant, order, stock string
	left                 *big.Rat
}

// datedKey is how the keys of orders' promises of what is to come begin.
const datedKey = "dtd:"

// await takes a fact about promises of what is to come: one is used up by what its order claims.
func (b *books) await(f *fact) {
	switch m := f.msg.(type) {
	case *imv1.SupplyPromised:
		if b.waits[m.GetPromiseKey()] == nil {
			b.waits[m.GetPromiseKey()] = new(big.Rat)
		}
		left := b.waits[m.GetPromiseKey()]
		if left.Add(left, number(m.GetChange(), b.bad)).Sign() < 0 {
			b.bad("%s takes back more of the promise %s than was left of it", f.id, m.GetPromiseKey())
		}
	case *imv1.StockReserved:
		if left := b.waits[m.GetPromiseKey()]; left != nil {
			q := number(m.GetQuantity(), b.bad)
			if left.Cmp(q) < 0 {
				q.Set(left)
			}
			left.Sub(left, q)
		}
	}
}

// dated checks that what a promise is said to count on, after a commit, is what is promised. Several
// commands may be in one commit: the last word on a promise counts.
func (b *books) dated(facts []*fact) {
	said := map[string]bool{}
	for _, f := range slices.Backward(facts) {
		m, ok := f.msg.(*imv1.SupplyPromiseDated)
		if !ok || said[m.GetPromiseKey()] {
			continue
		}
		said[m.GetPromiseKey()] = true
		sum, left := number(m.GetUncovered(), b.bad), b.waits[m.GetPromiseKey()]
		for _, s := range m.GetSupplies() {
			sum.Add(sum, number(s.GetQuantity(), b.bad))
		}
		if left == nil || sum.Cmp(left) != 0 {
			b.bad("%s counts on %s for the promise %s, of which %s are left", f.id, sum.RatString(), m.GetPromiseKey(), left)
		}
	}
}

// awaits notes the promises that are left in a stock.
func (r *reactions) awaits(tenant, stock string, waits map[string]*big.Rat) {
	for key, left := range waits {
		if order, is := strings.CutPrefix(key, datedKey); is && left.Sign() > 0 {
			r.waits = append(r.waits, wait{tenant, order, stock, left})
		}
	}
}

// stillWaits reports orders that have ended and are still promised what is to come (I9).
func (r *reactions) stillWaits(report *Report) {
	for _, w := range r.waits {
		if r.over[w.tenant+" "+w.order] {
			report.NotApplied++
			report.add("I9", Whole, w.stock, "%s are still promised to %s, which has ended", w.left.RatString(), w.order)
		}
	}
}

// inbound checks the lines of a delivery (I6): after every commit no more has come, or is expected
// no longer, than was announced, but for what is marked as too much.
func (c *checker) inbound(facts [][]*fact) {
	f := &inboundFold{InboundDelivery: &imv1.InboundDelivery{}}
	for _, of := range facts {
		for _, one := range of {
			f.apply(one)
			for _, l := range f.Lines {
				if number(due(l), ignore).Sign() < 0 {
					c.broken("I6", one)("line %d: %s received, %s of it too much, and %s cancelled of %s announced",
						l.LineNumber, l.Received.GetValue(), l.Over.GetValue(), l.Cancelled.GetValue(), l.Announced.GetValue())
				}
			}
		}
	}
}

// inboundFold is a delivery with the figures of its lines.
type inboundFold struct{ *imv1.InboundDelivery }

func (d *inboundFold) answer() proto.Message {
	for _, l := range d.Lines {
		l.Open = &commonv1.Quantity{Value: due(l), Unit: l.Announced.GetUnit()}
	}
	return d.InboundDelivery
}

// due is what of a line is still to come.
func due(l *imv1.InboundDeliveryLine) string {
	return minus(minus(add(l.Announced.GetValue(), l.Over.GetValue()), l.Received.GetValue()), l.Cancelled.GetValue())
}

func (d *inboundFold) apply(f *fact) {
	switch m := f.msg.(type) {
	case *imv1.AsnRegistered:
		d.keys(m.GetKeys())
		d.ExpectedTime = m.GetExpectedTime()
		for _, l := range m.GetLines() {
			d.line(l.GetLineNumber(), l.GetSku(), l.GetQuantity().GetUnit()).Announced = l.GetQuantity()
		}
	case *imv1.GoodsReceived:
		d.keys(m.GetKeys())
		for _, p := range m.GetParts() {
			l := d.line(p.GetLineNumber(), p.GetSku(), p.GetQuantity().GetUnit())
			l.Received = more(l.Received, p.GetQuantity().GetValue())
			l.Over = more(l.Over, decimal(over(p)))
		}
	case *imv1.InboundRemainderCancelled:
		for _, c := range m.GetLines() {
			l := d.line(c.GetLineNumber(), "", "")
			l.Cancelled = more(l.Cancelled, c.GetQuantity().GetValue())
		}
	case *imv1.DeliveryArrived:
		d.ArrivedTime, d.Dock = m.GetEventTime(), m.GetDock()
	case *imv1.DeliveryRescheduled:
		d.ExpectedTime = m.GetExpectedTime()
	}
}

func more(q *commonv1.Quantity, by string) *commonv1.Quantity {
	return &commonv1.Quantity{Value: add(q.GetValue(), by), Unit: q.GetUnit()}
}

func (d *inboundFold) keys(k *imv1.InboundDeliveryKeys) {
	d.AsnNumber, d.PurchaseOrder, d.Supplier, d.Site, d.Owner = k.GetAsnNumber(), k.GetPurchaseOrder(), k.GetSupplier(), k.GetSite(), k.GetOwner()
}

// line is the line with a number; what was not announced gets one of its own.
func (d *inboundFold) line(n int32, sku, unit string) *imv1.InboundDeliveryLine {
	for _, l := range d.Lines {
		if l.LineNumber == n {
			return l
		}
	}
	nothing := &commonv1.Quantity{Value: "0", Unit: unit}
	d.Lines = append(d.Lines, &imv1.InboundDeliveryLine{LineNumber: n, Sku: sku, Announced: nothing, Received: nothing, Over: nothing, Cancelled: nothing})
	return d.Lines[len(d.Lines)-1]
}
