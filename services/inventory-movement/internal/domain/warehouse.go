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
		return []OrderFact{f, OrderCancelled{f.OrderKeys, "CANCELLED_BEFORE_IT_CAME"}}, nil
	}
	return []OrderFact{f}, nil
}

// SetTasks records what was allocated; on an order that was cancelled meanwhile it changes nothing.
func SetTasks(o WarehouseOrder, tasks []Task) ([]OrderFact, error) {
	if o.IsAllocated || o.IsCancelled {
		return nil, nil
	}
	return []OrderFact{OrderAllocated{o.Keys, tasks}}, nil
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

// ConfirmPicks records picks: no more of a line than is left of it.
func ConfirmPicks(o WarehouseOrder, lines []PickedLine, at time.Time) ([]OrderFact, error) {
	lines, err := o.checked(lines, "confirmPicks", OrderLine.left)
	if err != nil {
		return nil, err
	}
	return []OrderFact{PickConfirmed{o.Keys, o.Site, o.Owner, lines, at}}, nil
}

// ReportShort records what was not there to be picked.
func ReportShort(o WarehouseOrder, lines []PickedLine, damaged bool, at time.Time) ([]OrderFact, error) {
	lines, err := o.checked(lines, "reportShortPick", OrderLine.left)
	if err != nil {
		return nil, err
	}
	return []OrderFact{PickShorted{o.Keys, o.Site, o.Owner, lines, damaged, at}}, nil
}

// Pack records a carton: no more of a line than is picked and not packed.
func Pack(o WarehouseOrder, c Carton) ([]OrderFact, error) {
	if slices.ContainsFunc(o.Cartons, func(x Carton) bool { return x.SSCC == c.SSCC }) {
		return nil, SSCCUsed(c.SSCC)
	}
	var err error
	c.Lines, err = o.checked(c.Lines, "packCarton", func(l OrderLine) quantity.Decimal { return l.Picked.Sub(l.Packed) })
	if err != nil {
		return nil, err
	}
	return []OrderFact{CartonPacked{o.Keys, c}}, nil
}

// checked completes reported lines and refuses what is not of this order or too much, on the
// sum of the report.
func (o WarehouseOrder) checked(lines []PickedLine, command string, room func(OrderLine) quantity.Decimal) ([]PickedLine, error) {
	if s := o.State(); s == Cancelled || s == Issued || s == "" {
		return nil, stateRefusal(o, command)
	}
	left := map[int]quantity.Decimal{}
	out := slices.Clone(lines)
	for n := range out {
		p := &out[n]
		field := "lines[" + strconv.Itoa(n) + "]"
		i := slices.IndexFunc(o.Lines, func(l OrderLine) bool { return l.Number == p.Line })
		if i < 0 {
			return nil, Invalid(field+".line_number", "LINE_UNKNOWN", "the warehouse order has no line %d", p.Line)
		}
		l := o.Lines[i]
		if p.Unit != l.Quantity.Unit {
			return nil, Invalid(field+".quantity", "UNIT_UNKNOWN", "line %d is counted in %s, not %s", p.Line, l.Quantity.Unit, p.Unit)
		}
		if !whole(quantity.Quantity{Value: p.Quantity, Unit: p.Unit}) {
			return nil, Invalid(field+".quantity", "QUANTITY_INVALID", "%s is a fraction of a piece", p.Quantity)
		}
		if _, ok := left[p.Line]; !ok {
			left[p.Line] = room(l)
		}
		left[p.Line] = left[p.Line].Sub(p.Quantity)
		if p.Quantity.Sign() <= 0 || left[p.Line].Sign() < 0 {
			return nil, Invalid(field+".quantity", "QUANTITY_EXCEEDED", "must be more than 0 and at most %s", room(l))
		}
		p.Item, p.SKU = l.Item, l.SKU
	}
	return out, nil
}

// IssueGoods posts the goods issue: everything is picked or short, everything picked is packed.
func IssueGoods(o WarehouseOrder, at time.Time) ([]OrderFact, error) {
	if !o.IssuedAt.IsZero() {
		return nil, nil
	}
	switch s := o.State(); {
	case s == Picking, s == Picked && !o.allPacked():
		return nil, fault.New(fault.Refused, "NOT_PACKED", "everything must be picked or short, and packed, before goods issue").With("from", string(s))
	case s != Packed:
		return nil, stateRefusal(o, "postGoodsIssue")
	}
	f := GoodsIssued{OrderKeys: o.Keys, Site: o.Site, Owner: o.Owner, Cartons: o.Cartons, At: at}
	for _, l := range o.Lines {
		if l.Picked.Sign() > 0 {
			f.Lines = append(f.Lines, PickedLine{Line: l.Number, Item: l.Item, SKU: l.SKU, Quantity: l.Picked, Unit: l.Quantity.Unit})
		}
	}
	for _, c := range o.Cartons {
		f.Weight += c.Weight
	}
	return []OrderFact{f}, nil
}

// Cancel ends the order while nothing was picked; otherwise it answers why not. Keys name
// an order that has not come yet.
func Cancel(o WarehouseOrder, keys OrderKeys, reason string) ([]OrderFact, error) {
	switch o.State() {
	case Cancelled:
		return nil, nil
	case "":
		return []OrderFact{OrderCancelled{keys, reason}}, nil
	case Created, Allocated, Acknowledged:
		return []OrderFact{OrderCancelled{o.Keys, reason}}, nil
	case Issued:
		return []OrderFact{CancelRefused{o.Keys, "ISSUED"}}, nil
	}
	return []OrderFact{CancelRefused{o.Keys, "PICKING_BEGUN"}}, nil
}
