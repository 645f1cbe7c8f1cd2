package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// OrderState is where a warehouse order stands; derived from what was done.
type OrderState string

// States of a warehouse order.
const (
	Created      OrderState = "CREATED"
	Allocated    OrderState = "ALLOCATED"
	Acknowledged OrderState = "ACKNOWLEDGED"
	Picking      OrderState = "PICKING"
	Picked       OrderState = "PICKED"
	Packed       OrderState = "PACKED"
	Issued       OrderState = "ISSUED"
	Cancelled    OrderState = "CANCELLED"
)

// OrderKeys are the business keys of a warehouse order.
type OrderKeys struct {
	ID             string `bson:"i"`
	Order          string `bson:"o"`
	OrderNumber    string `bson:"n"`
	Release        string `bson:"r"`
	ReleaseVersion int    `bson:"v"`
}

// Address is where it goes.
type Address struct {
	Name       string   `bson:"n,omitempty"`
	Lines      []string `bson:"l,omitempty"`
	City       string   `bson:"c,omitempty"`
	Region     string   `bson:"r,omitempty"`
	PostalCode string   `bson:"p,omitempty"`
	Country    string   `bson:"k,omitempty"`
}

// OrderLine is a line with what was done.
type OrderLine struct {
	Number    int               `bson:"n"`
	Item      string            `bson:"i"`
	SKU       string            `bson:"s"`
	Quantity  quantity.Quantity `bson:"q"` // base unit
	Claims    []Claim           `bson:"c,omitempty"`
	Allocated quantity.Decimal  `bson:"a"`
	Picked    quantity.Decimal  `bson:"p"`
	Short     quantity.Decimal  `bson:"x"`
	Packed    quantity.Decimal  `bson:"k"`
}

// Task says how much of a line to pick where.
type Task struct {
	Line     int              `bson:"n"`
	SKU      string           `bson:"s"`
	Location string           `bson:"l"`
	Lot      string           `bson:"t,omitempty"`
	Quantity quantity.Decimal `bson:"q"`
}

// Carton is a packed carton.
type Carton struct {
	SSCC   string       `bson:"s"`
	Weight int64        `bson:"w"` // grams
	Lines  []PickedLine `bson:"l"`
}

// WarehouseOrder is one release version at one site; its zero value is "nothing yet".
type WarehouseOrder struct {
	Keys        OrderKeys   `bson:"k"`
	Site        string      `bson:"s"`
	Owner       string      `bson:"w"`
	ShipTo      Address     `bson:"to"`
	Carrier     string      `bson:"c,omitempty"`
	Service     string      `bson:"v,omitempty"`
	Lines       []OrderLine `bson:"l"`
	Tasks       []Task      `bson:"t,omitempty"`
	Cartons     []Carton    `bson:"p,omitempty"`
	IsAllocated bool        `bson:"a,omitempty"`
	IsAcked     bool        `bson:"b,omitempty"`
	IsCancelled bool        `bson:"x,omitempty"`
	IssuedAt    time.Time   `bson:"g,omitempty"`
}

// State derives where the order stands.
func (o WarehouseOrder) State() OrderState {
	var picked, packed, open bool
	for _, l := range o.Lines {
		picked = picked || l.Picked.Sign() > 0 || l.Short.Sign() > 0
		packed = packed || l.Packed.Sign() > 0
		open = open || l.left().Sign() > 0
	}
	switch {
	case o.Keys.ID == "":
		return ""
	case o.IsCancelled:
		return Cancelled
	case !o.IssuedAt.IsZero():
		return Issued
	case !open && packed && o.allPacked():
		return Packed
	case !open:
		return Picked
	case picked:
		return Picking
	case o.IsAcked:
		return Acknowledged
	case o.IsAllocated:
		return Allocated
	}
	return Created
}

// left is what is neither picked nor short.
func (l OrderLine) left() quantity.Decimal { return l.Quantity.Value.Sub(l.Picked).Sub(l.Short) }

func (o WarehouseOrder) allPacked() bool {
	return !slices.ContainsFunc(o.Lines, func(l OrderLine) bool { return l.Packed != l.Picked })
}

// OrderFact is what happened to a warehouse order.
type OrderFact interface{ isOrderFact() }

// The facts of a warehouse order.
type (
	// OrderCreated starts it.
	OrderCreated struct {
		OrderKeys
		Site, Owner      string
		ShipTo           Address
		Carrier, Service string
		Lines            []OrderLine
	}
	// OrderAllocated makes its tasks.
	OrderAllocated struct {
		OrderKeys
		Tasks []Task
	}
	// OrderAcknowledged says that the warehouse has it.
	OrderAcknowledged struct{ OrderKeys }
	// PickConfirmed says what was picked.
	PickConfirmed struct {
		OrderKeys
		Lines []PickedLine
		At    time.Time
	}
	// PickShorted says what was not there.
	PickShorted struct {
		OrderKeys
		Lines   []PickedLine
		Damaged bool
		At      time.Time
	}
	// CartonPacked closes a carton.
	CartonPacked struct {
		OrderKeys
		Carton Carton
	}
	// GoodsIssued takes the goods off the books.
	GoodsIssued struct {
		OrderKeys
		Lines   []PickedLine
		Cartons []Carton
		Weight  int64
		At      time.Time
	}
	// OrderCancelled ends it before anything was picked.
	OrderCancelled struct {
		OrderKeys
		Reason string
	}
	// CancelRefused keeps it going.
	CancelRefused struct {
		OrderKeys
		Reason string
	}
)

func (OrderCreated) isOrderFact()      {}
func (OrderAllocated) isOrderFact()    {}
func (OrderAcknowledged) isOrderFact() {}
func (PickConfirmed) isOrderFact()     {}
func (PickShorted) isOrderFact()       {}
func (CartonPacked) isOrderFact()      {}
func (GoodsIssued) isOrderFact()       {}
func (OrderCancelled) isOrderFact()    {}
func (CancelRefused) isOrderFact()     {}

// EvolveOrder applies one fact.
func EvolveOrder(o WarehouseOrder, fact OrderFact) WarehouseOrder {
	switch f := fact.(type) {
	case OrderCreated:
		o.Keys, o.Site, o.Owner, o.ShipTo = f.OrderKeys, f.Site, f.Owner, f.ShipTo
		o.Carrier, o.Service, o.Lines = f.Carrier, f.Service, f.Lines
	case OrderAllocated:
		o.IsAllocated, o.Tasks = true, f.Tasks
		for _, t := range f.Tasks {
			o = o.edit(t.Line, func(l *OrderLine) { l.Allocated = l.Allocated.Add(t.Quantity) })
		}
	case OrderAcknowledged:
		o.IsAcked = true
	case PickConfirmed:
		for _, p := range f.Lines {
			o = o.edit(p.Line, func(l *OrderLine) { l.Picked = l.Picked.Add(p.Quantity) })
		}
	case PickShorted:
		for _, p := range f.Lines {
			o = o.edit(p.Line, func(l *OrderLine) { l.Short = l.Short.Add(p.Quantity) })
		}
	case CartonPacked:
		o.Cartons = append(slices.Clip(o.Cartons), f.Carton)
		for _, p := range f.Carton.Lines {
			o = o.edit(p.Line, func(l *OrderLine) { l.Packed = l.Packed.Add(p.Quantity) })
		}
	case GoodsIssued:
		o.IssuedAt = f.At
	case OrderCancelled:
		o.IsCancelled = true
	}
	return o
}

func (o WarehouseOrder) edit(line int, change func(*OrderLine)) WarehouseOrder {
	o.Lines = slices.Clone(o.Lines)
	for i := range o.Lines {
		if o.Lines[i].Number == line {
			change(&o.Lines[i])
		}
	}
	return o
}

// ApplyOrder folds facts onto a state.
func ApplyOrder(o WarehouseOrder, facts ...OrderFact) WarehouseOrder {
	for _, f := range facts {
		o = EvolveOrder(o, f)
	}
	return o
}

// CreateOrder starts a warehouse order; starting it again changes nothing.
func CreateOrder(o WarehouseOrder, f OrderCreated) ([]OrderFact, error) {
	if o.Keys.ID != "" {
		return nil, nil
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
	return []OrderFact{PickConfirmed{o.Keys, lines, at}}, nil
}

// ReportShort records what was not there to be picked.
func ReportShort(o WarehouseOrder, lines []PickedLine, damaged bool, at time.Time) ([]OrderFact, error) {
	lines, err := o.checked(lines, "reportShortPick", OrderLine.left)
	if err != nil {
		return nil, err
	}
	return []OrderFact{PickShorted{o.Keys, lines, damaged, at}}, nil
}

// Pack records a carton: no more of a line than is picked and not packed.
func Pack(o WarehouseOrder, c Carton) ([]OrderFact, error) {
	if slices.ContainsFunc(o.Cartons, func(x Carton) bool { return x.SSCC == c.SSCC }) {
		return nil, fault.New(fault.Refused, "SSCC_INVALID", "carton %s is packed already", c.SSCC)
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
		field := "lines[" + itoa(n) + "]"
		i := slices.IndexFunc(o.Lines, func(l OrderLine) bool { return l.Number == p.Line })
		if i < 0 {
			return nil, invalid(field+".line_number", "LINE_UNKNOWN", "the warehouse order has no line %d", p.Line)
		}
		l := o.Lines[i]
		if _, ok := left[p.Line]; !ok {
			left[p.Line] = room(l)
		}
		left[p.Line] = left[p.Line].Sub(p.Quantity)
		if p.Quantity.Sign() <= 0 || left[p.Line].Sign() < 0 {
			return nil, invalid(field+".quantity", "QUANTITY_EXCEEDED", "must be more than 0 and at most %s", room(l))
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
	f := GoodsIssued{OrderKeys: o.Keys, Cartons: o.Cartons, At: at}
	for _, l := range o.Lines {
		if l.Picked.Sign() > 0 {
			f.Lines = append(f.Lines, PickedLine{Line: l.Number, Item: l.Item, SKU: l.SKU, Quantity: l.Picked})
		}
	}
	for _, c := range o.Cartons {
		f.Weight += c.Weight
	}
	return []OrderFact{f}, nil
}

// Cancel ends the order while nothing was picked; otherwise it answers why not.
func Cancel(o WarehouseOrder, reason string) ([]OrderFact, error) {
	switch o.State() {
	case Cancelled:
		return nil, nil
	case Created, Allocated, Acknowledged:
		return []OrderFact{OrderCancelled{o.Keys, reason}}, nil
	case Issued:
		return []OrderFact{CancelRefused{o.Keys, "ISSUED"}}, nil
	}
	return []OrderFact{CancelRefused{o.Keys, "PICKING_BEGUN"}}, nil
}
