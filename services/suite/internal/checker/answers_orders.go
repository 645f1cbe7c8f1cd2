package checker

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// orderFold is an order: its document, and of lines and releases what was ordered, is open,
// short, issued, delivered and cancelled. What a pick or an allocation says of the other is
// the service's to conclude, and left out, like the state of an order that is under way.
type orderFold struct {
	*orv1.Order
	sent  map[string]bool               // releases
	ships map[string]orv1.ShippedPolicy // by release
}

func (o *orderFold) answer() proto.Message {
	if o.Document == nil {
		return nil
	}
	for _, l := range o.Lines {
		q := l.Quantities
		q.Open, q.Released = q.Ordered, "0"
		q.Short, q.Issued, q.Delivered, q.Dispatched, q.Shipped = "0", "0", "0", "0", "0"
		for _, r := range o.Releases {
			for _, rl := range r.Lines {
				if rl.LineNumber == l.Resolved.GetLineNumber() && o.sent[r.ReleaseId] {
					o.ship(r.ReleaseId, rl)
					q.Dispatched, q.Shipped = add(q.Dispatched, rl.Dispatched), add(q.Shipped, rl.Shipped)
					q.Released = minus(minus(minus(add(q.Released, rl.Quantity), rl.Short), rl.Cancelled), rl.Withdrawn)
					q.Short, q.Issued, q.Delivered = add(q.Short, rl.Short), add(q.Issued, rl.Issued), add(q.Delivered, rl.Delivered)
				}
			}
		}
		q.Open = minus(minus(q.Ordered, q.Released), q.Cancelled)
	}
	return o.Order
}

func (o *orderFold) apply(f *fact) {
	switch m := f.msg.(type) {
	case *orv1.OrderReceived:
		*o = orderFold{&orv1.Order{OrderId: o.OrderId, Revision: m.GetRevision(), Document: proto.CloneOf(m.GetDocument())}, map[string]bool{}, map[string]orv1.ShippedPolicy{}}
		for i, l := range m.GetResolved() {
			o.Lines = append(o.Lines, &orv1.OrderLineStatus{
				Line: o.Document.Lines[i], Resolved: l, Quantities: &orv1.LineQuantities{Ordered: l.GetBaseQuantity().GetValue(), Cancelled: "0"},
			})
		}
		o.Document.Lines = nil // shown with what became of them
	case *orv1.OrderRejected:
		o.State, o.Reasons = orv1.OrderState_ORDER_STATE_REJECTED, m.GetReasons()
	case *orv1.OrderFulfilled:
		o.State = orv1.OrderState_ORDER_STATE_FULFILLED
	case *orv1.OrderCancelled:
		o.State = orv1.OrderState_ORDER_STATE_CANCELLED
	case *orv1.OrderClosed:
		o.State = orv1.OrderState_ORDER_STATE_CLOSED
	case *orv1.RemainderCancelled:
		o.shrink()
		for _, l := range o.Lines {
			for _, c := range m.GetLines() {
				if c.GetLineNumber() == l.Resolved.GetLineNumber() {
					l.Quantities.Cancelled = add(l.Quantities.Cancelled, c.GetQuantity().GetValue())
				}
			}
		}
	case *orv1.OrderReleased:
		r := &orv1.Release{
			ReleaseId: m.GetReleaseId(), ReleaseVersion: m.GetReleaseVersion(), ParentReleaseId: m.GetParentReleaseId(),
			Site: m.GetSite(), ReleasedTime: m.GetReleasedTime(),
		}
		for _, l := range m.GetLines() {
			r.Lines = append(r.Lines, released(l.GetLineNumber(), l.GetQuantity().GetValue()))
		}
		o.put(r)
		o.sent[r.ReleaseId], o.ships[r.ReleaseId] = true, m.GetShippedPolicy()
	case *orv1.ReleaseBackordered:
		r := &orv1.Release{ReleaseId: m.GetReleaseId(), ParentReleaseId: m.GetParentReleaseId(), Site: m.GetSite()}
		for _, l := range m.GetLines() {
			r.Lines = append(r.Lines, released(l.GetLineNumber(), l.GetQuantity().GetValue()))
		}
		o.put(r)
	default:
		o.report(f)
	}
}

// shrink forgets how much waits: of what is cancelled the facts do not say what waited.
func (o *orderFold) shrink() {
	for _, r := range o.Releases {
		for _, l := range r.Lines {
			if !o.sent[r.ReleaseId] {
				l.Quantity = ""
			}
		}
	}
}

func released(line int32, q string) *orv1.ReleaseLineStatus {
	return &orv1.ReleaseLineStatus{LineNumber: line, Quantity: q, Short: "0", Issued: "0", Delivered: "0", Cancelled: "0", Withdrawn: "0", PutBack: "0"}
}

func (o *orderFold) put(r *orv1.Release) {
	if i := slices.IndexFunc(o.Releases, func(x *orv1.Release) bool { return x.ReleaseId == r.ReleaseId }); i >= 0 {
		o.Releases[i] = r
		return
	}
	o.Releases = append(o.Releases, r)
}

// report takes what warehouses and carriers say of a release.
func (o *orderFold) report(f *fact) {
	m, ok := f.msg.(interface {
		GetReleaseId() string
		GetLines() []*orv1.LineQuantity
	})
	if !ok {
		if a, ok := f.msg.(*orv1.ReleaseAcknowledged); ok {
			o.release(a.GetReleaseId(), func(r *orv1.Release) { r.WarehouseOrderId = a.GetWarehouseOrderId() })
		}
		return
	}
	o.release(m.GetReleaseId(), func(r *orv1.Release) {
		if a, ok := f.msg.(*orv1.ReleaseAllocated); ok {
			r.WarehouseOrderId = a.GetWarehouseOrderId()
		}
		if _, ok := f.msg.(*orv1.LinesIssueReversed); ok {
			o.State = 0 // under way again
		}
		for _, l := range r.Lines {
			for _, q := range m.GetLines() {
				if q.GetLineNumber() != l.LineNumber {
					continue
				}
				switch f.msg.(type) {
				case *orv1.LinesShorted:
					l.Short = add(l.Short, q.GetQuantity().GetValue())
				case *orv1.LinesIssued:
					l.Issued = add(l.Issued, q.GetQuantity().GetValue())
				case *orv1.LinesDispatched:
					l.Dispatched = add(l.Dispatched, q.GetQuantity().GetValue())
				case *orv1.LinesIssueReversed:
					l.Issued = minus(l.Issued, q.GetQuantity().GetValue())
				case *orv1.LinesDelivered:
					l.Delivered = add(l.Delivered, q.GetQuantity().GetValue())
				case *orv1.ReleaseCancelled:
					l.Cancelled = add(l.Cancelled, q.GetQuantity().GetValue())
				case *orv1.ReleaseWithdrawn:
					l.Withdrawn = add(l.Withdrawn, q.GetQuantity().GetValue())
				}
			}
		}
		if c, ok := f.msg.(*orv1.ReleaseCancelled); ok {
			putBack(r, c.GetPutBack())
		}
	})
}

// ship says what of a line has left, of what is still to, and what of it counts as shipped by its release's policy.
func (o *orderFold) ship(release string, l *orv1.ReleaseLineStatus) {
	l.Dispatched = lesser(l.Dispatched, minus(minus(minus(l.Quantity, l.Short), l.Cancelled), l.Withdrawn))
	switch o.ships[release] {
	case orv1.ShippedPolicy_SHIPPED_POLICY_DISPATCH:
		l.Shipped = l.Dispatched
	case orv1.ShippedPolicy_SHIPPED_POLICY_GOODS_ISSUE_AND_DISPATCH:
		l.Shipped = lesser(l.Issued, l.Dispatched)
	default:
		l.Shipped = l.Issued
	}
}

// lesser of two decimals; one that is not given is 0.
func lesser(a, b string) string {
	if strings.HasPrefix(minus(a, b), "-") {
		return add(a, "0")
	}
	return add(b, "0")
}

// putBack notes what of a cancelled release stands in bins again.
func putBack(r *orv1.Release, lines []*orv1.LineQuantity) {
	for _, l := range r.Lines {
		for _, q := range lines {
			if q.GetLineNumber() == l.LineNumber {
				l.PutBack = add(l.PutBack, q.GetQuantity().GetValue())
			}
		}
	}
}

func (o *orderFold) release(id string, with func(*orv1.Release)) {
	for _, r := range o.Releases {
		if r.ReleaseId == id {
			with(r)
		}
	}
}

// warehouseFold is a warehouse order with all that was done.
type warehouseFold struct {
	*imv1.WarehouseOrder
	before imv1.WarehouseOrderState // it began to be put back
}

func (o *warehouseFold) answer() proto.Message {
	if len(o.Lines) == 0 {
		return nil // cancelled before it came
	}
	return o.WarehouseOrder
}

func (o *warehouseFold) apply(f *fact) {
	switch m := f.msg.(type) {
	case *imv1.WarehouseOrderCreated:
		k := m.GetKeys()
		o.OrderId, o.OrderNumber, o.ReleaseId, o.ReleaseVersion = k.GetOrderId(), k.GetOrderNumber(), k.GetReleaseId(), k.GetReleaseVersion()
		o.Site, o.Owner, o.ShipTo, o.CarrierPreference, o.ServiceLevel = m.GetSite(), m.GetOwner(), m.GetShipTo(), m.GetCarrierPreference(), m.GetServiceLevel()
		for _, l := range m.GetLines() {
			nothing := &commonv1.Quantity{Value: "0", Unit: l.GetQuantity().GetUnit()}
			o.Lines = append(o.Lines, &imv1.WarehouseOrderLine{
				LineNumber: l.GetLineNumber(), ItemId: l.GetItemId(), Sku: l.GetSku(), Quantity: l.GetQuantity(),
				Allocated: nothing, Picked: nothing, Short: nothing, Packed: nothing, PutBack: nothing, Issued: nothing,
			})
		}
		o.State = imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_CREATED
	case *imv1.WarehouseOrderAllocated:
		o.Tasks = m.GetTasks()
		for _, t := range m.GetTasks() {
			o.line(t.GetLineNumber(), t.GetQuantity(), func(l *imv1.WarehouseOrderLine) **commonv1.Quantity { return &l.Allocated })
		}
		o.State = max(o.State, imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ALLOCATED)
	case *imv1.WarehouseOrderAcknowledged:
		o.State = max(o.State, imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ACKNOWLEDGED)
	case *imv1.PickConfirmed:
		o.lines(m.GetLines(), func(l *imv1.WarehouseOrderLine) **commonv1.Quantity { return &l.Picked })
	case *imv1.PickShorted:
		o.lines(m.GetLines(), func(l *imv1.WarehouseOrderLine) **commonv1.Quantity { return &l.Short })
	case *imv1.CartonPacked:
		o.Cartons = append(o.Cartons, m.GetCarton())
		o.lines(m.GetCarton().GetLines(), func(l *imv1.WarehouseOrderLine) **commonv1.Quantity { return &l.Packed })
	case *imv1.GoodsIssued:
		for _, l := range m.GetLines() {
			o.line(l.GetLineNumber(), l.GetQuantity(), func(l *imv1.WarehouseOrderLine) **commonv1.Quantity { return &l.Issued })
		}
		for _, c := range m.GetCartons() {
			o.IssuedSsccs = append(o.IssuedSsccs, c.GetSscc())
		}
		o.State = imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ISSUED
	case *imv1.WarehouseOrderCancelled:
		o.State = imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_CANCELLED
	case *imv1.WarehouseOrderStopped:
		o.State, o.Stopped = imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_CANCELLED, true
	case *imv1.WarehouseOrderPutBackStarted:
		o.before, o.State = o.State, imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PUTTING_BACK
	case *imv1.WarehouseOrderCancelRefused:
		if o.State == imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PUTTING_BACK {
			o.State = o.before
		}
	case *imv1.PutBackConfirmed:
		for _, l := range m.GetLines() {
			o.line(l.GetLineNumber(), l.GetQuantity(), func(l *imv1.WarehouseOrderLine) **commonv1.Quantity { return &l.PutBack })
		}
	case *imv1.ReportContradicted:
		o.ContradictionCount += int32(len(m.GetLines()))
	default:
		o.reversed(f)
	}
}

// reversed takes what becomes of a reversal of a goods issue.
func (o *warehouseFold) reversed(f *fact) {
	switch m := f.msg.(type) {
	case *imv1.GoodsIssueReversalRequested:
		o.Reversal = &imv1.GoodsIssueReversal{
			Attempt: m.GetAttempt(), State: imv1.ReversalState_REVERSAL_STATE_REQUESTED, Ssccs: m.GetSsccs(), Reason: m.GetReason(), EventTime: m.GetEventTime(),
		}
	case *imv1.GoodsIssueReversalRefused:
		o.Reversal.State, o.Reversal.RefusedReason = imv1.ReversalState_REVERSAL_STATE_REFUSED, m.GetReason()
	case *imv1.GoodsIssueReversed:
		o.Reversal.State = imv1.ReversalState_REVERSAL_STATE_DONE
		for _, l := range m.GetLines() {
			back := &commonv1.Quantity{Value: minus("0", l.GetQuantity().GetValue()), Unit: l.GetQuantity().GetUnit()}
			o.line(l.GetLineNumber(), back, func(l *imv1.WarehouseOrderLine) **commonv1.Quantity { return &l.Issued })
		}
		o.IssuedSsccs = slices.DeleteFunc(o.IssuedSsccs, func(sscc string) bool { return slices.Contains(o.Reversal.Ssccs, sscc) })
		o.State = imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PACKED
	case *imv1.WarehouseOrderRestCancelled:
		o.State = imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ISSUED
	}
}

func (o *warehouseFold) lines(of []*imv1.WarehouseLineQuantity, field func(*imv1.WarehouseOrderLine) **commonv1.Quantity) {
	for _, l := range of {
		o.line(l.GetLineNumber(), l.GetQuantity(), field)
	}
	o.worked()
}

func (o *warehouseFold) line(n int32, q *commonv1.Quantity, field func(*imv1.WarehouseOrderLine) **commonv1.Quantity) {
	for _, l := range o.Lines {
		if at := field(l); l.LineNumber == n {
			*at = &commonv1.Quantity{Value: add((*at).GetValue(), q.GetValue()), Unit: q.GetUnit()}
		}
	}
}

// worked says how far picking and packing are.
func (o *warehouseFold) worked() {
	todo, unpacked, packed := false, false, false
	for _, l := range o.Lines {
		todo = todo || add(l.Picked.GetValue(), l.Short.GetValue()) != l.Quantity.GetValue()
		unpacked = unpacked || l.Picked.GetValue() != l.Packed.GetValue()
		packed = packed || l.Packed.GetValue() != "0"
	}
	state := imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PACKED
	switch {
	case todo:
		state = imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PICKING
	case unpacked || !packed:
		state = imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PICKED
	}
	if o.State == imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PUTTING_BACK {
		o.before = state
		return
	}
	o.State = state
}
