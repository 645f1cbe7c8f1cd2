// Package domain holds the rules of master data: what makes an item, party,
// location, carrier or tenant record well formed beyond the field rules of the
// contract, what may change once it is set, and the life of a record. It is pure:
// no I/O, no clock, no wire format.
package domain

import (
	"reflect"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Value is the content of a record.
type Value interface {
	// Key is the business code under which the record is put.
	Key() string
	// Check returns fault.Invalid naming every field that breaks a rule; paths are
	// relative to the record.
	Check() error
}

// Settled is a Value of which something cannot change once it is set.
type Settled[V Value] interface {
	// Settle returns fault.Refused when the value may not replace old.
	Settle(old V) error
}

// State is where a record stands in its life.
type State string

// The states: a put makes a record ACTIVE from any state, a retirement makes an active one RETIRED.
const (
	Absent  State = ""
	Active  State = "ACTIVE"
	Retired State = "RETIRED"
)

// Record is the state of one aggregate.
type Record[V Value] struct {
	State State `bson:"s"`
	Value V     `bson:"v"`
}

// Fact is what happened to a record: it was defined (put or put back into use) or
// retired. Both carry the whole value, so that a follower needs nothing else.
type Fact[V Value] struct {
	ID      string // of the record
	Retired bool
	Value   V
}

// Put decides on a new or replacing value. A put that changes nothing yields no fact.
func Put[V Value](id string, current Record[V], value V) ([]Fact[V], error) {
	if err := value.Check(); err != nil {
		return nil, err
	}
	if current.State != Absent {
		if s, ok := any(value).(Settled[V]); ok {
			if err := s.Settle(current.Value); err != nil {
				return nil, err
			}
		}
	}
	if current.State == Active && reflect.DeepEqual(current.Value, value) {
		return nil, nil
	}
	return []Fact[V]{{ID: id, Value: value}}, nil
}

// Retire decides on a retirement. Retiring a retired record changes nothing.
func Retire[V Value](id string, current Record[V]) ([]Fact[V], error) {
	switch current.State {
	case Active:
		return []Fact[V]{{ID: id, Retired: true, Value: current.Value}}, nil
	case Retired:
		return nil, nil
	}
	return nil, fault.New(fault.NotFound, "NOT_FOUND", "there is no record under this code")
}

// Evolve applies a fact.
func Evolve[V Value](_ Record[V], f Fact[V]) Record[V] {
	if f.Retired {
		return Record[V]{Retired, f.Value}
	}
	return Record[V]{Active, f.Value}
}

// After returns the state that a record has once the facts are applied.
func After[V Value](current Record[V], facts []Fact[V]) State {
	for _, f := range facts {
		current = Evolve(current, f)
	}
	return current.State
}
