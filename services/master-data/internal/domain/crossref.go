package domain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// MaxMeanings bounds the meanings of one external id; those that are over leave first.
const MaxMeanings = 50

// Direction is which way a cross-reference is read.
type Direction string

// The directions.
const (
	Inbound  Direction = "INBOUND"
	Outbound Direction = "OUTBOUND"
	Both     Direction = "BOTH"
)

// CrossReference is an id in another system with what it means. That an inbound id has one
// meaning at a moment holds because all its meanings are this one record.
type CrossReference struct {
	System   string    `bson:"s"`
	Type     string    `bson:"y"` // name of the contract's ObjectType without its prefix
	External string    `bson:"x"`
	Meanings []Meaning `bson:"m"` // by their beginning
}

// Meaning is what an external id stands for during one stretch of time.
type Meaning struct {
	Object    string    `bson:"o"` // key of our object
	Direction Direction `bson:"d"`
	From      time.Time `bson:"f,omitempty"` // zero: since ever
	To        time.Time `bson:"t,omitempty"` // not included; zero: for ever
}

// Joined is a key of several parts; none of them holds the mark between.
func Joined(parts ...string) string { return strings.Join(parts, keyMark) }

const keyMark = "\x1f"

// Key implements Value.
func (r CrossReference) Key() string { return Joined(r.System, r.Type, r.External) }

// In and Out report whether a meaning is read from, or written for, the system.
func (m Meaning) In() bool { return m.Direction == Inbound || m.Direction == Both }

// Out is In for the other way.
func (m Meaning) Out() bool { return m.Direction == Outbound || m.Direction == Both }

// Holds reports whether the meaning holds at t.
func (m Meaning) Holds(t time.Time) bool {
	return !t.Before(m.From) && (m.To.IsZero() || t.Before(m.To))
}

// Overlaps reports whether two meanings hold at some moment together.
func (m Meaning) Overlaps(o Meaning) bool {
	return (m.To.IsZero() || o.From.Before(m.To)) && (o.To.IsZero() || m.From.Before(o.To))
}

// span tells a validity to people.
func (m Meaning) span() string {
	say := func(t time.Time, none string) string {
		if t.IsZero() {
			return none
		}
		return t.Format(time.RFC3339)
	}
	return fmt.Sprintf("from %s to %s", say(m.From, "ever"), say(m.To, "ever"))
}

// Check implements Value.
func (r CrossReference) Check() error {
	var c check
	for _, m := range r.Meanings {
		c.that(m.To.IsZero() || m.From.Before(m.To), "valid_to", "VALIDITY_INVALID", "a validity %s has no moment in it", m.span())
	}
	return c.done()
}

// With returns the record with a meaning put. It takes the place of every meaning of the same
// object that it overlaps. An inbound one may overlap no inbound one of another object.
func (r CrossReference) With(m Meaning, now time.Time) (CrossReference, error) {
	if !m.To.IsZero() && !m.From.Before(m.To) {
		return r, CrossReference{Meanings: []Meaning{m}}.Check()
	}
	var kept []Meaning
	for _, o := range r.Meanings {
		switch {
		case !m.Overlaps(o):
			kept = append(kept, o)
		case o.Object == m.Object:
		case m.In() && o.In():
			return r, fault.New(fault.Conflict, "EXTERNAL_ID_TAKEN", "%s of %s means %s %s %s", r.External, r.System, r.Type, o.Object, o.span()).
				With("object_key", o.Object).With("object_type", r.Type).
				WithField("external_id", "EXTERNAL_ID_TAKEN", "means %s %s", o.Object, o.span())
		default:
			kept = append(kept, o)
		}
	}
	r.Meanings = sorted(append(kept, m))
	for len(r.Meanings) > MaxMeanings {
		i := slices.IndexFunc(r.Meanings, func(o Meaning) bool { return !o.To.IsZero() && !o.To.After(now) })
		if i < 0 {
			return r, fault.New(fault.Refused, "TOO_MANY_MEANINGS", "%s of %s has %d meanings, and none is over", r.External, r.System, MaxMeanings)
		}
		r.Meanings = slices.Delete(slices.Clone(r.Meanings), i, i+1)
	}
	return r, nil
}

// Ended returns the record with the meanings of an object, or of all, ended at a moment: what
// holds then ends, what was to begin later never does. Nothing to end is fault.NotFound.
func (r CrossReference) Ended(object string, at time.Time) (CrossReference, error) {
	var kept []Meaning
	ended := false
	for _, m := range r.Meanings {
		switch {
		case object != "" && m.Object != object, !m.To.IsZero() && !m.To.After(at):
			kept = append(kept, m)
		case !m.From.Before(at):
			ended = true
		default:
			ended, m.To = true, at
			kept = append(kept, m)
		}
	}
	if !ended {
		return r, fault.New(fault.NotFound, "NOT_IN_USE", "%s of %s has no such meaning that could end at %s", r.External, r.System, at.Format(time.RFC3339))
	}
	r.Meanings = kept
	return r, nil
}

// Means returns the object that the id stands for when it comes from the system at t.
func (r CrossReference) Means(t time.Time) (Meaning, bool) {
	for _, m := range r.Meanings {
		if m.In() && m.Holds(t) {
			return m, true
		}
	}
	return Meaning{}, false
}

// Names returns the meaning by which the system is told of an object at t.
func (r CrossReference) Names(object string, t time.Time) (Meaning, bool) {
	for _, m := range r.Meanings {
		if m.Object == object && m.Out() && m.Holds(t) {
			return m, true
		}
	}
	return Meaning{}, false
}

// Objects returns the keys of the objects of all meanings, each once.
func (r CrossReference) Objects() []string {
	var all []string
	for _, m := range r.Meanings {
		if !slices.Contains(all, m.Object) {
			all = append(all, m.Object)
		}
	}
	return all
}

func sorted(list []Meaning) []Meaning {
	slices.SortStableFunc(list, func(a, b Meaning) int {
		if c := a.From.Compare(b.From); c != 0 {
			return c
		}
		return strings.Compare(a.Object, b.Object)
	})
	return list
}

// Split returns the parts of a key.
func Split(key string) []string { return strings.Split(key, keyMark) }
