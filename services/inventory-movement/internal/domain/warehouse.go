package domain

import (
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// CreateOrder starts a warehouse order; starting it again changes nothing. One that was
// cancelled before it came is cancelled at once, so that its claims are given up.
func CreateOrder(o WarehouseOrder, f OrderCreated) ([]OrderFact, error) {
	switch {
	case len(o.Lines) > 0:
		return nil, nil
	case o.IsCancelled:
		return []OrderFact{f, over(o.IsStopped, f.OrderKeys)}, nil
	}
	return []OrderFact{f}, nil
}

// over ends an order that was taken back before it came.
func over(stopped bool, keys OrderKeys) OrderFact {
	if stopped {
		return OrderStopped{keys, beforeItCame}
	}
	return OrderCancelled{OrderKeys: keys, Reason: beforeItCame}
}

const beforeItCame = "CANCELLED_BEFORE_IT_CAME"

// SetTasks records what was allocated, and what was not; on an order that was cancelled
// meanwhile it changes nothing.
func SetTasks(o WarehouseOrder, tasks []Task, lacks ...Lack) ([]OrderFact, error) {
	if o.IsAllocated || o.IsCancelled {
		return nil, nil
	}
	for _, l := range o.Lines { // something may have been taken off meanwhile
		tasks = o.fitting(l.Number, tasks)
		lacks = o.lacking(l.Number, lacks, tasks)
	}
	return []OrderFact{OrderAllocated{o.Keys, tasks, lacks}}, nil
}

// Acknowledge records that the warehouse has the order.
func Acknowledge(o WarehouseOrder) ([]OrderFact, error) {
	if o.IsAcked {
		return nil, nil
	}
	if o.IsCancelled {
		return nil, stateRefusal(o, "acknowledge")
	}
	return []OrderFact{OrderAcknowledged{o.Keys}}, nil
}

func stateRefusal(o WarehouseOrder, command string) error {
	return fault.New(fault.Refused, "WAREHOUSE_ORDER_STATE", "a warehouse order that is %s cannot %s", o.State(), command).
		With("from", string(o.State())).With("command", command)
}

// Pack records a carton: no more of a line than is picked and not packed.
func Pack(o WarehouseOrder, c Carton) ([]OrderFact, error) {
	if slices.ContainsFunc(o.Cartons, func(x Carton) bool { return x.SSCC == c.SSCC }) {
		return nil, SSCCUsed(c.SSCC)
	}
	var err error
	c.Lines, err = o.packable(c.Lines)
	if err != nil {
		return nil, err
	}
	return []OrderFact{CartonPacked{o.Keys, c}}, nil
}

// packable completes the lines of a carton and refuses what is not of this order or not
// picked, on the sum of the carton.
func (o WarehouseOrder) packable(lines []PickedLine) ([]PickedLine, error) {
	if s := o.State(); s == Cancelled || s == PuttingBack || s == Issued || s == "" {
		return nil, stateRefusal(o, "packCarton")
	}
	left := map[int]quantity.Decimal{}
	out, err := o.named(lines, o.unpacked)
	if err != nil {
		return nil, err
	}
	for n := range out {
		p := &out[n]
		field := "lines[" + strconv.Itoa(p.row(n)) + "]"
		l, known, err := o.read(p, n)
		if !known {
			return nil, Invalid(field+".line_number", "LINE_UNKNOWN", "the warehouse order has no line %d", p.Line)
		}
		if err != nil {
			return nil, err
		}
		room := l.Picked.Sub(l.Packed)
		if _, ok := left[p.Line]; !ok {
			left[p.Line] = room
		}
		if left[p.Line] = left[p.Line].Sub(p.Quantity); left[p.Line].Sign() < 0 {
			return nil, Invalid(field+".quantity", "QUANTITY_EXCEEDED", "must be at most %s", room)
		}
	}
	return out, nil
}

// IssueGoods posts the goods issue: everything is picked or short, everything picked is packed.
func IssueGoods(o WarehouseOrder, at time.Time) ([]OrderFact, error) {
	if o.IsIssued() {
		return nil, nil
	}
	switch s := o.State(); {
	case s == Picking, s == Picked && !o.allPacked():
		return nil, fault.New(fault.Refused, "NOT_PACKED", "everything must be picked or short, and packed, before goods issue").With("from", string(s))
	case s != Packed:
		return nil, stateRefusal(o, "postGoodsIssue")
	}
	f := GoodsIssued{OrderKeys: o.Keys, Number: o.Issues + 1, Site: o.Site, Owner: o.Owner, Lines: o.toPutBack(), Cartons: o.OpenCartons(), At: at}
	for _, c := range f.Cartons {
		f.Weight += c.Weight
	}
	return []OrderFact{f}, nil
}
