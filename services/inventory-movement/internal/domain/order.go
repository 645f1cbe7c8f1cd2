package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
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
	PuttingBack  OrderState = "PUTTING_BACK"
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
	PutBack   quantity.Decimal  `bson:"b,omitempty"` // part of picked
	Issued    quantity.Decimal  `bson:"g,omitempty"` // part of packed, net of reversals
	Returned  quantity.Decimal  `bson:"r,omitempty"` // part of put back that ended with a rest of the order
	// Numbers of the pieces that are picked and neither issued nor put back, as far as they have any.
	Serials []string `bson:"sn,omitempty"`
}

// Task says how much of a line to pick where.
type Task struct {
	Line     int              `bson:"n"`
	SKU      string           `bson:"s"`
	Location string           `bson:"l"`
	Lot      string           `bson:"t,omitempty"`
	Serial   string           `bson:"sn,omitempty"`
	Quantity quantity.Decimal `bson:"q"`
	Unit     string           `bson:"u"`
}

// Carton is a packed carton.
type Carton struct {
	SSCC      string       `bson:"s"`
	Weight    int64        `bson:"w"` // grams
	Lines     []PickedLine `bson:"l"`
	Packaging *Packaging   `bson:"p,omitempty"` // nil if nobody said
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
	Lacks       []Lack      `bson:"la,omitempty"` // what could not be allocated, and why
	Cartons     []Carton    `bson:"p,omitempty"`
	IsAllocated bool        `bson:"a,omitempty"`
	IsAcked     bool        `bson:"b,omitempty"`
	IsCancelled bool        `bson:"x,omitempty"`
	IssuedAt    time.Time   `bson:"g,omitempty"`
	IsGoingBack bool        `bson:"pb,omitempty"` // what is picked is put back, for a reason
	Cancelling  string      `bson:"cb,omitempty"`
	IsStopped   bool        `bson:"sx,omitempty"` // cancelled, and its stock is kept for its order
	IsKept      bool        `bson:"sk,omitempty"` // what its stock has become is known
	Wave        string      `bson:"wv,omitempty"` // that it is in
	Amended     int         `bson:"am,omitempty"` // version of the release that it stands for since its last amendment
	// Of goods issues and their reversals: how many there were, what is issued, whether something was
	// taken back and is neither issued again nor put back, what is void, the last that was asked for.
	Issues     int            `bson:"gn,omitempty"`
	Left       []IssuedCarton `bson:"gl,omitempty"`
	IsReopened bool           `bson:"gr,omitempty"`
	Voided     []string       `bson:"gv,omitempty"`
	Reversal   Reversal       `bson:"rv,omitempty"`
	// What its warehouse reported against it: how many lines in all, and the last of them.
	Contradicted   int             `bson:"cn,omitempty"`
	Contradictions []Contradiction `bson:"cl,omitempty"`
	// What systems said by commands that others own, the last of it.
	Heard []authority.Heard `bson:"hd,omitempty"`
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
	case o.IsIssued():
		return Issued
	case o.IsGoingBack:
		return PuttingBack
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

func (o WarehouseOrder) anyPicked() bool {
	return slices.ContainsFunc(o.Lines, func(l OrderLine) bool { return l.Picked.Sign() > 0 })
}

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
		Shipped          string // policy by which the release counts as shipped, of the contract; "" when none was told
		Lines            []OrderLine
	}
	// OrderAllocated makes its tasks.
	OrderAllocated struct {
		OrderKeys
		Tasks []Task
		Lacks []Lack // what could not be allocated, and why
	}
	// OrderAcknowledged says that the warehouse has it.
	OrderAcknowledged struct{ OrderKeys }
	// PickConfirmed says what was picked.
	PickConfirmed struct {
		OrderKeys
		Site, Owner string
		Lines       []PickedLine
		At          time.Time
	}
	// PickShorted says what was not there.
	PickShorted struct {
		OrderKeys
		Site, Owner string
		Lines       []PickedLine
		Damaged     bool
		At          time.Time
	}
	// ReportContradicted keeps the lines of a report that contradict the order.
	ReportContradicted struct {
		OrderKeys
		Site, Owner string
		Reason      Contradicts
		Report
	}
	// CartonPacked closes a carton.
	CartonPacked struct {
		OrderKeys
		Carton Carton
	}
	// GoodsIssued takes the goods off the books.
	GoodsIssued struct {
		OrderKeys
		Number      int // which of the order's, from 1; 0 from a release that did not tell
		Site, Owner string
		Lines       []PickedLine
		Cartons     []Carton
		Weight      int64
		At          time.Time
	}
	// OrderCancelled ends it: nothing is picked, or all that was is put back.
	OrderCancelled struct {
		OrderKeys
		Reason  string
		PutBack []PickedLine // by line
		Voided  []string     // SSCCs of its cartons
	}
	// CancelRefused keeps it going.
	CancelRefused struct {
		OrderKeys
		Reason string
	}
)

func (OrderCreated) isOrderFact()       {}
func (OrderAllocated) isOrderFact()     {}
func (OrderAcknowledged) isOrderFact()  {}
func (PickConfirmed) isOrderFact()      {}
func (PickShorted) isOrderFact()        {}
func (ReportContradicted) isOrderFact() {}
func (CartonPacked) isOrderFact()       {}
func (GoodsIssued) isOrderFact()        {}
func (OrderCancelled) isOrderFact()     {}
func (CancelRefused) isOrderFact()      {}

// EvolveOrder applies one fact.
func EvolveOrder(o WarehouseOrder, fact OrderFact) WarehouseOrder {
	o.Heard = o.settled(fact)
	switch f := fact.(type) {
	case OrderCreated:
		o.Keys, o.Site, o.Owner, o.ShipTo = f.OrderKeys, f.Site, f.Owner, f.ShipTo
		o.Carrier, o.Service, o.Lines = f.Carrier, f.Service, f.Lines
	case OrderAllocated:
		o.IsAllocated, o.Tasks, o.Lacks = true, f.Tasks, f.Lacks
		for _, t := range f.Tasks {
			o = o.edit(t.Line, func(l *OrderLine) { l.Allocated = l.Allocated.Add(t.Quantity) })
		}
	case OrderAcknowledged:
		o.IsAcked = true
	case PickConfirmed:
		for _, p := range f.Lines {
			o = o.edit(p.Line, func(l *OrderLine) { l.Picked = l.Picked.Add(p.Quantity); l.holds(p.Serial) })
		}
	case PickShorted:
		for _, p := range f.Lines {
			o = o.edit(p.Line, func(l *OrderLine) { l.Short = l.Short.Add(p.Quantity) })
		}
	case ReportContradicted:
		o = o.remember(f)
	case CartonPacked:
		o.Cartons = append(slices.Clip(o.Cartons), f.Carton)
		for _, p := range f.Carton.Lines {
			o = o.edit(p.Line, func(l *OrderLine) { l.Packed = l.Packed.Add(p.Quantity) })
		}
	case OrderWaved:
		o.Wave = f.Wave
	case OrderUnwaved:
		o.Wave = ""
	case OrderCancelled:
		o.Keys, o.IsCancelled = f.OrderKeys, true
	case OrderWordObserved:
		o.Heard = authority.Hear(o.Heard, f.Word)
	default:
		return o.evolveRecall(f).evolveAmendment(f)
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
