// Package authority says which system owns a field or a transition of an object, and what
// becomes of the word of another: pure functions over tables that are data. It promises that
// a foreign word never replaces an owner's, and that whatever is not taken is told, with the
// field, the owner and the rule.
package authority

import (
	"slices"
	"strings"
	"time"
)

// Rule is what becomes of the word of a system about what another one owns.
type Rule string

// The rules.
const (
	// Refuse: the whole command is refused, nothing changes.
	Refuse Rule = "REFUSE"
	// Observe: what is owned stays as it is, and what was said is kept beside it.
	Observe Rule = "OBSERVE"
	// Accept: it is taken like the owner's; the last word counts.
	Accept Rule = "ACCEPT"
)

// All is the subject that stands for every field that no other policy names.
const All = "*"

// Policy says who owns one subject: the path of a field, such as "base_weight_grams" or
// "tracking", the name of a command, such as "PostGoodsIssue", or All fields.
type Policy struct {
	Subject string
	Owner   string // system, as in a source's own name
	Rule    Rule   // for everybody else's word
}

// Table is the policies for one type of object. Several policies with one subject name
// several owners. The zero table has no owner at all.
type Table struct {
	Policies []Policy
	// Embedded marks a table that came with the release rather than from the tenant: it speaks
	// of the systems that it knows by name, and has no opinion on any other.
	Embedded bool
}

// Of returns the policies for a subject: those of its own name, else of the nearest path above
// it, else those for all. Commands have no path above them and are not among all fields.
func (t Table) Of(subject string) []Policy {
	for name := subject; ; {
		if found := t.named(name); len(found) > 0 {
			return found
		}
		cut := strings.LastIndexByte(name, '.')
		if cut < 0 {
			break
		}
		name = name[:cut]
	}
	if isCommand(subject) {
		return nil
	}
	return t.named(All)
}

func (t Table) named(subject string) (found []Policy) {
	for _, p := range t.Policies {
		if p.Subject == subject {
			found = append(found, p)
		}
	}
	return found
}

// isCommand tells the name of a command, which is in upper camel case, from a field's path.
func isCommand(subject string) bool {
	return subject != "" && subject[0] >= 'A' && subject[0] <= 'Z'
}

// Judge returns the policy that a system's word about a subject breaks; false when the system
// owns it, when nobody does, or when no system speaks at all.
func (t Table) Judge(subject, system string) (Policy, bool) {
	if system == "" || t.Embedded && !Known(system) {
		return Policy{}, false
	}
	policies := t.Of(subject)
	if len(policies) == 0 || slices.ContainsFunc(policies, func(p Policy) bool { return p.Owner == system }) {
		return Policy{}, false
	}
	return policies[0], true
}

// Word is whose word a put is.
type Word struct {
	System  string // "" is the tenant's own staff, whom no table binds
	Message string // id of the message in that system
	At      time.Time
}

// Field is a part of a value that one system may own: its path, its content as one line of
// text, complete enough that equal texts mean equal content, and how to take it from another value.
type Field[V any] struct {
	Path string
	Text func(V) string
	Take func(dst *V, src V)
}

// Observation is what a system said about what another one owns.
type Observation struct {
	Field   string
	System  string
	Owner   string
	Rule    Rule
	Said    string // as text, cut at MaxText
	Held    string // what the record had, and kept
	Time    time.Time
	Message string
}

// MaxText bounds the texts of an observation, in bytes.
const MaxText = 400

// MaxObservations bounds what is kept beside one record; the oldest leave first.
const MaxObservations = 50

// Merged is a value after a system's word about it.
type Merged[V any] struct {
	Value V
	// Foreign is what was said and not taken, in the order of the fields.
	Foreign []Observation
	// Refused is why the word as a whole is refused; Value is then what was held.
	Refused []Observation
}

// Survive merges what a system says of a value with what is held: each field that the system
// owns, or that nobody does, is taken, each other one stays as it is.
func Survive[V any](t Table, w Word, fields []Field[V], held, said V) Merged[V] {
	m := Merged[V]{Value: said}
	for _, f := range fields {
		was, is := f.Text(held), f.Text(said)
		if was == is {
			continue
		}
		p, foreign := t.Judge(f.Path, w.System)
		if !foreign || p.Rule == Accept {
			continue
		}
		o := Observation{
			Field: f.Path, System: w.System, Owner: p.Owner, Rule: p.Rule, Said: Cut(is), Held: Cut(was), Time: w.At, Message: w.Message,
		}
		if p.Rule == Refuse {
			m.Refused = append(m.Refused, o)
			continue
		}
		f.Take(&m.Value, held)
		m.Foreign = append(m.Foreign, o)
	}
	if len(m.Refused) > 0 {
		m.Value, m.Foreign = held, nil
	}
	return m
}

// Keep returns the observations beside a record after one more word. What the system said
// before of a field gives way to what it says now, and what the record has come to agree
// with is no observation any more. One that is said again keeps the time of the first.
func Keep[V any](old []Observation, w Word, fields []Field[V], now V, foreign []Observation) []Observation {
	texts := map[string]string{}
	for _, f := range fields {
		texts[f.Path] = Cut(f.Text(now))
	}
	var kept []Observation
	for _, o := range old {
		text, isField := texts[o.Field]
		if isField && text == o.Said || w.System != "" && o.System == w.System && isField {
			continue
		}
		if isField {
			o.Held = text
		}
		kept = append(kept, o)
	}
	for _, o := range foreign {
		for _, before := range old {
			if before.Field == o.Field && before.System == o.System && before.Said == o.Said {
				o.Time, o.Message = before.Time, before.Message
			}
		}
		kept = append(kept, o)
	}
	slices.SortStableFunc(kept, func(a, b Observation) int {
		if a.Field != b.Field {
			return strings.Compare(a.Field, b.Field)
		}
		return strings.Compare(a.System, b.System)
	})
	return bounded(kept)
}

// bounded drops the oldest observations of too many.
func bounded(list []Observation) []Observation {
	for len(list) > MaxObservations {
		oldest := 0
		for i, o := range list {
			if o.Time.Before(list[oldest].Time) {
				oldest = i
			}
		}
		list = slices.Delete(slices.Clone(list), oldest, oldest+1)
	}
	return list
}

// Cut returns at most MaxText bytes of s, whole characters.
func Cut(s string) string {
	if len(s) <= MaxText {
		return s
	}
	n := MaxText
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
