// Package domain holds the rules of master data: what makes an item, party,
// location, carrier or tenant record well formed beyond the field rules of the
// contract, what may change once it is set, and the life of a record. It is pure:
// no I/O, no clock, no wire format.
package domain

import (
	"reflect"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
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
	State    State         `bson:"s"`
	Value    V             `bson:"v"`
	Observed []Observation `bson:"o,omitempty"` // what systems said of fields that they do not own
}

// Observation is what a system said about a field that another one owns, as it is stored.
type Observation struct {
	Field   string         `bson:"f"`
	System  string         `bson:"s"`
	Owner   string         `bson:"w"`
	Rule    authority.Rule `bson:"r"`
	Said    string         `bson:"x"`
	Held    string         `bson:"h"`
	Time    time.Time      `bson:"t"`
	Message string         `bson:"m,omitempty"`
}

// Fact is what happened to a record: it was defined (put or put back into use) or
// retired. Both carry the whole value, so that a follower needs nothing else.
type Fact[V Value] struct {
	ID       string // of the record
	Retired  bool
	Value    V
	Observed []Observation
}

// Outcome is what a put or a retirement comes to.
type Outcome[V Value] struct {
	Facts []Fact[V]
	// Foreign is what was said now and not taken, because another system owns it.
	Foreign []authority.Observation
}

// Put decides on a new or replacing value of the tenant's own. A put that changes nothing
// yields no fact.
func Put[V Value](id string, current Record[V], value V) ([]Fact[V], error) {
	out, err := PutBy(id, current, value, authority.Word{}, authority.Table{})
	return out.Facts, err
}

// PutBy decides on what a system says of a record. A record that is new has nobody's word in it
// yet: whoever says it first says all of it. After that each system changes the fields that it
// owns by the table, and those that nobody does; the rest stays, with what was said kept beside it.
func PutBy[V Value](id string, current Record[V], said V, w authority.Word, t authority.Table) (Outcome[V], error) {
	merged := authority.Merged[V]{Value: said}
	retired := false
	if current.State != Absent {
		merged = authority.Survive(t, w, fieldsOf(said), current.Value, said)
	}
	if o, foreign := stateWord(t, w, current.State, Active); foreign {
		if retired = true; o.Rule == authority.Refuse {
			merged.Refused = append(merged.Refused, o)
		}
		merged.Foreign = append(merged.Foreign, o)
	}
	if len(merged.Refused) > 0 {
		return Outcome[V]{}, refusedBy(merged.Refused)
	}
	value := merged.Value
	if err := value.Check(); err != nil {
		return Outcome[V]{}, err
	}
	if current.State != Absent {
		if s, ok := any(value).(Settled[V]); ok {
			if err := s.Settle(current.Value); err != nil {
				return Outcome[V]{}, err
			}
		}
	}
	out := Outcome[V]{Foreign: merged.Foreign}
	fact := Fact[V]{ID: id, Retired: retired, Value: value}
	next := Evolve(current, fact)
	fact.Observed = observed(current.Observed, w, next, merged.Foreign)
	next.Observed = fact.Observed
	if !reflect.DeepEqual(current, next) {
		out.Facts = []Fact[V]{fact}
	}
	return out, nil
}

// stateField is the subject under which a table says who takes a record out of use and back.
const stateField = "state"

// stateWord judges a word that would bring a record from one state into another.
func stateWord(t authority.Table, w authority.Word, held, said State) (authority.Observation, bool) {
	if held == Absent || held == said {
		return authority.Observation{}, false
	}
	p, foreign := t.Judge(stateField, w.System)
	return authority.Observation{
		Field: stateField, System: w.System, Owner: p.Owner, Rule: p.Rule, Said: string(said), Held: string(held), Time: w.At, Message: w.Message,
	}, foreign && p.Rule != authority.Accept
}

// observed returns what is kept beside a record that a word has brought to next.
func observed[V Value](old []Observation, w authority.Word, next Record[V], foreign []authority.Observation) []Observation {
	if len(old) == 0 && len(foreign) == 0 {
		return nil
	}
	state := authority.Field[V]{Path: stateField, Text: func(V) string { return string(next.State) }}
	fields := append([]authority.Field[V]{state}, fieldsOf(next.Value)...)
	return stored(authority.Keep(told(old), w, fields, next.Value, foreign))
}

// Retire decides on a retirement by the tenant's own staff. Retiring a retired record changes nothing.
func Retire[V Value](id string, current Record[V]) ([]Fact[V], error) {
	out, err := RetireBy(id, current, authority.Word{}, authority.Table{})
	return out.Facts, err
}

// RetireBy decides on a retirement that a system asks for.
func RetireBy[V Value](id string, current Record[V], w authority.Word, t authority.Table) (Outcome[V], error) {
	switch current.State {
	case Absent:
		return Outcome[V]{}, fault.New(fault.NotFound, "NOT_FOUND", "there is no record under this code")
	case Retired:
		return Outcome[V]{}, nil
	}
	fact := Fact[V]{ID: id, Retired: true, Value: current.Value}
	var out Outcome[V]
	if o, foreign := stateWord(t, w, current.State, Retired); foreign {
		if o.Rule == authority.Refuse {
			return Outcome[V]{}, refusedBy([]authority.Observation{o})
		}
		fact.Retired, out.Foreign = false, []authority.Observation{o}
	}
	next := Evolve(current, fact)
	own := without(current.Observed, stateField, w.System) // its new word about the state takes the old one's place
	for _, o := range current.Observed {
		if len(out.Foreign) > 0 && o.Field == stateField && o.System == w.System && o.Said == string(Retired) {
			return out, nil // it said so before
		}
	}
	fact.Observed = observed(own, authority.Word{}, next, out.Foreign) // of the fields it says nothing
	out.Facts = []Fact[V]{fact}
	return out, nil
}

// refusedBy is the refusal of a word about fields that another system owns.
func refusedBy(list []authority.Observation) error {
	first := list[0]
	err := fault.New(fault.Refused, "FIELD_NOT_OWNED", "%s is owned by %s and cannot be changed by %s", first.Field, first.Owner, first.System).
		With("owner", first.Owner).With("rule", string(first.Rule))
	for _, o := range list {
		err = err.WithField(o.Field, "FIELD_NOT_OWNED", "is owned by %s, by the rule %s", o.Owner, o.Rule)
	}
	return err
}

// stored and told convert observations to how they are kept, and back.
func stored(list []authority.Observation) []Observation {
	var out []Observation
	for _, o := range list {
		out = append(out, Observation(o))
	}
	return out
}

func told(list []Observation) []authority.Observation {
	var out []authority.Observation
	for _, o := range list {
		out = append(out, authority.Observation(o))
	}
	return out
}

// without drops what a system said of a subject.
func without(list []Observation, subject, system string) []Observation {
	var out []Observation
	for _, o := range list {
		if o.Field != subject || o.System != system {
			out = append(out, o)
		}
	}
	return out
}

// Evolve applies a fact.
func Evolve[V Value](_ Record[V], f Fact[V]) Record[V] {
	if f.Retired {
		return Record[V]{State: Retired, Value: f.Value, Observed: f.Observed}
	}
	return Record[V]{State: Active, Value: f.Value, Observed: f.Observed}
}

// After returns the state that a record has once the facts are applied.
func After[V Value](current Record[V], facts []Fact[V]) State {
	for _, f := range facts {
		current = Evolve(current, f)
	}
	return current.State
}
