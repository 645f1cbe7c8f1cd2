package domain

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Aggregate is where a fact comes from.
type Aggregate struct {
	Service, Type, ID string
}

// Fact is a recorded fact as far as the walk needs it.
type Fact struct {
	ID             string // unique in the tenant, over all services
	Source         Aggregate
	Version        uint64
	Index          int
	Keys           []Key // in the order of the message; labels too
	Event          time.Time
	Recorded       time.Time
	EventID        string // as the service names it
	Consequence    bool   // another fact caused it
	CausedDocument Key    // the document whose fact that was
}

// Linking returns the keys by which the fact is found, without labels. What caused it counts
// when the fact names no document itself, and when that was a message from outside, which the
// documents that it brought do not name.
func (f Fact) Linking() []Key {
	var out []Key
	for _, k := range f.Keys {
		if k.Links() {
			out = append(out, k)
		}
	}
	cause := f.CausedDocument
	if cause.Value != "" && (len(out) == 0 || cause.Type == ControlNumber) && !slices.Contains(out, cause) {
		out = append(out, cause)
	}
	return out
}

// Subject returns the key that the fact is about: its own aggregate, else the first document
// that it names, else the first number.
func (f Fact) Subject() Key {
	linking := f.Linking()
	own := OfAggregate(f.Source.ID)
	if own.Type != "" && own.Links() {
		return own
	}
	for _, k := range linking {
		if k.Role() != Name {
			return k
		}
	}
	if len(linking) > 0 {
		return linking[0]
	}
	return own
}

// At is the time by which a story is told: of a report when it happened, as far as that is
// believable, else when it was recorded. The times that a consequence states are those of
// what caused it.
func (f Fact) At() time.Time {
	if f.Consequence || f.Event.IsZero() || f.Event.After(f.Recorded) {
		return f.Recorded
	}
	return f.Event
}

// compare orders facts as a story is told. It is total, so that the order in which they
// arrived cannot show.
func compare(a, b Fact) int {
	return cmp.Or(a.At().Compare(b.At()), a.Recorded.Compare(b.Recorded), strings.Compare(a.Source.Service, b.Source.Service),
		strings.Compare(a.Source.ID, b.Source.ID), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Index, b.Index))
}

// Sort orders facts as a story is told.
func Sort(facts []Fact) { slices.SortFunc(facts, compare) }

// IsEvent reports that a causation id names a fact, `aggregate id:version:index`.
func IsEvent(causation string) bool { return strings.Count(causation, ":") == 2 }

// CauseOf returns the document whose fact a causation id names; the zero key when it names
// none that belongs to a story.
func CauseOf(causation string) Key {
	aggregate, _, _ := strings.Cut(causation, ":")
	k := OfAggregate(aggregate)
	if !IsEvent(causation) || k.Type == "" || !k.Links() {
		return Key{}
	}
	return k
}
