package domain

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// WaveMethod is how the orders of a wave are picked.
type WaveMethod string

// The methods.
const (
	OrderByOrder WaveMethod = "WAVE"
	Batch        WaveMethod = "BATCH"   // by bin, sorted afterwards
	Cluster      WaveMethod = "CLUSTER" // by bin, each order into a tote of its own
)

// WaveState is where a wave stands.
type WaveState string

// States of a wave.
const (
	WavePlanning  WaveState = "PLANNING"
	WaveReady     WaveState = "PLANNED"
	WaveGiven     WaveState = "RELEASED"
	WaveCalledOff WaveState = "CANCELLED"
)

// WaveOrder is an order of a wave, with its tote if there are any.
type WaveOrder struct {
	ID   string `bson:"i"`
	Tote int    `bson:"t,omitempty"`
}

// WaveRefusal is an order that a wave could not have.
type WaveRefusal struct {
	ID     string `bson:"i"`
	Reason string `bson:"r"`
}

// Wave is orders that are picked together; its zero value is "nothing yet".
type Wave struct {
	ID      string        `bson:"i"`
	Site    string        `bson:"s"`
	Method  WaveMethod    `bson:"m"`
	Stands  WaveState     `bson:"z"`
	At      time.Time     `bson:"t"` // when it asked, whole milliseconds
	Asked   []string      `bson:"a,omitempty"`
	Orders  []WaveOrder   `bson:"o,omitempty"`
	Refused []WaveRefusal `bson:"r,omitempty"`
}

// WaveFact is what happened to a wave.
type WaveFact interface{ isWaveFact() }

// The facts of a wave.
type (
	// WaveRequested asks its orders.
	WaveRequested struct {
		ID, Site string
		Method   WaveMethod
		Orders   []string
		At       time.Time
	}
	// WavePlanned has those that it could have; none is the end of it.
	WavePlanned struct {
		ID      string
		Orders  []WaveOrder
		Refused []WaveRefusal
	}
	// WaveReleased gives its steps to the floor.
	WaveReleased struct{ ID string }
	// WaveCancelled frees its orders.
	WaveCancelled struct {
		ID, Reason string
		Orders     []string
		At         time.Time
	}
)

func (WaveRequested) isWaveFact() {}
func (WavePlanned) isWaveFact()   {}
func (WaveReleased) isWaveFact()  {}
func (WaveCancelled) isWaveFact() {}

// EvolveWave applies one fact.
func EvolveWave(w Wave, fact WaveFact) Wave {
	switch f := fact.(type) {
	case WaveRequested:
		w = Wave{ID: f.ID, Site: f.Site, Method: f.Method, Stands: WavePlanning, At: f.At, Asked: f.Orders}
	case WavePlanned:
		w.Asked, w.Orders, w.Refused, w.Stands = nil, f.Orders, f.Refused, WaveReady
		if len(f.Orders) == 0 {
			w.Stands = WaveCalledOff
		}
	case WaveReleased:
		w.Stands = WaveGiven
	case WaveCancelled:
		w.Stands = WaveCalledOff
	}
	return w
}

// RequestWave starts a wave with the orders that it asks; again it changes nothing.
func RequestWave(w Wave, f WaveRequested) ([]WaveFact, error) {
	switch {
	case w.ID != "":
		return nil, nil
	case len(f.Orders) == 0:
		return nil, fault.New(fault.Refused, "WAVE_EMPTY", "no warehouse order of site %s meets the criteria", f.Site)
	}
	return []WaveFact{f}, nil
}

// SettleWave gives a wave the orders that it could have, each a tote if its method has them.
func SettleWave(w Wave, had []string, refused []WaveRefusal) []WaveFact {
	if w.Stands != WavePlanning {
		return nil
	}
	f := WavePlanned{ID: w.ID, Refused: refused}
	for i, id := range had {
		o := WaveOrder{ID: id}
		if w.Method == Cluster {
			o.Tote = i + 1
		}
		f.Orders = append(f.Orders, o)
	}
	return []WaveFact{f}
}

func (w Wave) refusal(command string) error {
	return fault.New(fault.Refused, "WAVE_STATE", "a wave that is %s cannot be %s", w.Stands, command).With("from", string(w.Stands)).With("command", command)
}

// ReleaseWave gives the steps of a wave to the floor.
func ReleaseWave(w Wave) ([]WaveFact, error) {
	switch w.Stands {
	case WaveGiven:
		return nil, nil
	case WaveReady:
		return []WaveFact{WaveReleased{w.ID}}, nil
	}
	return nil, w.refusal("released")
}

// CancelWave frees the orders of a wave; those of which picking has begun go on by themselves.
func CancelWave(w Wave, reason string, at time.Time) ([]WaveFact, error) {
	switch w.Stands {
	case WaveCalledOff:
		return nil, nil
	case WaveReady, WaveGiven:
		f := WaveCancelled{ID: w.ID, Reason: reason, At: at}
		for _, o := range w.Orders {
			f.Orders = append(f.Orders, o.ID)
		}
		return []WaveFact{f}, nil
	}
	return nil, w.refusal("cancelled")
}

// The facts of a warehouse order about its wave.
type (
	// OrderWaved has it in a wave, and in no other.
	OrderWaved struct {
		OrderKeys
		Wave string
	}
	// OrderUnwaved has it in none.
	OrderUnwaved struct {
		OrderKeys
		Wave string
	}
)

func (OrderWaved) isOrderFact()   {}
func (OrderUnwaved) isOrderFact() {}

// Waveable reports whether a wave may have the order: it has its tasks, and nothing is picked.
func (o WarehouseOrder) Waveable() bool {
	s := o.State()
	return o.Wave == "" && o.IsAllocated && (s == Allocated || s == Acknowledged)
}

// JoinWave has an order in a wave.
func JoinWave(o WarehouseOrder, site, wave string) ([]OrderFact, error) {
	switch {
	case o.Wave == wave:
		return nil, nil
	case o.Wave != "":
		return nil, fault.New(fault.Refused, "ORDER_WAVED", "warehouse order %s is in wave %s", o.Keys.ID, o.Wave).With("wave_id", o.Wave)
	case o.Site != site:
		return nil, fault.New(fault.Refused, "WAVE_SITE", "warehouse order %s is of site %s, not %s", o.Keys.ID, o.Site, site)
	case !o.Waveable():
		return nil, stateRefusal(o, "joinWave")
	}
	return []OrderFact{OrderWaved{o.Keys, wave}}, nil
}

// LeaveWave frees an order.
func LeaveWave(o WarehouseOrder, wave string) []OrderFact {
	if o.Wave != wave {
		return nil
	}
	return []OrderFact{OrderUnwaved{o.Keys, wave}}
}

// PickSplit is what of a step is for a line of an order.
type PickSplit struct {
	Order    string
	Line     int
	Quantity quantity.Decimal
	Tote     int
}

// PickStep is one stop on the way through the bins.
type PickStep struct {
	Location, SKU, Lot, Unit string
	Quantity                 quantity.Decimal
	Splits                   []PickSplit
}

// PickPath is the steps in which the orders of a wave are picked: bins in the natural order of
// their codes; order by order, or each bin once with what of it is for whom.
func PickPath(w Wave, orders map[string]WarehouseOrder) []PickStep {
	var steps []PickStep
	for _, wo := range w.Orders {
		o := orders[wo.ID]
		if o.IsCancelled {
			continue // nobody goes for it
		}
		var own []PickStep
		for _, t := range o.Tasks {
			own = append(own, PickStep{
				Location: t.Location, SKU: t.SKU, Lot: t.Lot, Unit: t.Unit, Quantity: t.Quantity,
				Splits: []PickSplit{{wo.ID, t.Line, t.Quantity, wo.Tote}},
			})
		}
		if w.Method == OrderByOrder {
			slices.SortStableFunc(own, alongThePath)
		}
		steps = append(steps, own...)
	}
	if w.Method == OrderByOrder {
		return steps
	}
	slices.SortStableFunc(steps, alongThePath)
	merged := steps[:0]
	for _, s := range steps {
		if n := len(merged); n > 0 && alongThePath(merged[n-1], s) == 0 {
			last := &merged[n-1]
			last.Quantity, last.Splits = last.Quantity.Add(s.Quantity), append(last.Splits, s.Splits...)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

func alongThePath(a, b PickStep) int {
	return cmp.Or(Natural(a.Location, b.Location), cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.Lot, b.Lot), cmp.Compare(a.Unit, b.Unit))
}

// Natural compares codes as people read them: numbers in them by their value, so that A-2 comes
// before A-10.
func Natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		n, m := digits(x), digits(y)
		if n == 0 || m == 0 {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		p, q := strings.TrimLeft(x[:n], "0"), strings.TrimLeft(y[:m], "0")
		if by := cmp.Or(cmp.Compare(len(p), len(q)), cmp.Compare(p, q)); by != 0 {
			return by
		}
		x, y = x[n:], y[m:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits is how many digits a code begins with.
func digits(s string) (n int) {
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// Criteria choose the orders of a wave; zero values choose all.
type Criteria struct {
	Carrier, Service    string
	MaxOrders, MaxLines int
}

// Meets reports whether an order may be in the wave, beside so many lines.
func (c Criteria) Meets(o WarehouseOrder, lines int) bool {
	return o.Waveable() && (c.Carrier == "" || c.Carrier == o.Carrier) && (c.Service == "" || c.Service == o.Service) &&
		(c.MaxLines == 0 || lines+len(o.Lines) <= c.MaxLines)
}
