package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/codelist"
)

// CodeList is a tenant's own entries of a code list, alone or over an embedded one.
type CodeList struct {
	Code     string      `bson:"k"`
	Standard string      `bson:"s,omitempty"`
	Name     string      `bson:"n,omitempty"`
	Version  string      `bson:"v,omitempty"`
	Entries  []CodeEntry `bson:"e,omitempty"`
}

// CodeEntry is one entry.
type CodeEntry struct {
	Code      string    `bson:"k"`
	Canonical string    `bson:"c,omitempty"`
	Meaning   string    `bson:"m,omitempty"`
	From      time.Time `bson:"f,omitempty"`
	To        time.Time `bson:"t,omitempty"`
}

// Key implements Value.
func (l CodeList) Key() string { return l.Code }

// Check implements Value: a code has one meaning at a moment.
func (l CodeList) Check() error {
	var c check
	c.code("code", l.Code)
	before := map[string][]Meaning{}
	for n, e := range l.Entries {
		c.that(e.To.IsZero() || e.From.Before(e.To), at("entries", n, "valid_to"), "VALIDITY_INVALID", "the validity has no moment in it")
		m := Meaning{From: e.From, To: e.To}
		c.that(!slices.ContainsFunc(before[e.Code], m.Overlaps), at("entries", n, "code"), "DUPLICATE", "code %s has two meanings at one moment", e.Code)
		before[e.Code] = append(before[e.Code], m)
	}
	return c.done()
}

// isoCountries is the code list that this package knows the countries of.
const isoCountries = "ISO-3166-1"

// EmbeddedLists returns the codes of the lists that come with the release, sorted.
func EmbeddedLists() []string {
	all := append(codelist.Codes(), isoCountries)
	slices.Sort(all)
	return all
}

// EmbeddedList returns a list that comes with the release.
func EmbeddedList(code string) (codelist.List, bool) {
	if code != isoCountries {
		return codelist.Embedded(code)
	}
	l := codelist.List{Code: isoCountries, Standard: "ISO", Name: "Countries, alpha-2"}
	for _, c := range countries {
		l.Entries = append(l.Entries, codelist.Entry{Code: c.Code, Canonical: c.Code, Meaning: c.Name})
	}
	return l, true
}

// Whole returns the list that holds: the tenant's entries over the embedded ones. It is false
// when there is neither.
func Whole(code string, own Record[CodeList]) (codelist.List, bool) {
	l, embedded := EmbeddedList(code)
	if own.State != Active {
		return l, embedded
	}
	v := own.Value
	l.Code = code
	for to, from := range map[*string]string{&l.Standard: v.Standard, &l.Name: v.Name, &l.Version: v.Version} {
		if from != "" {
			*to = from
		}
	}
	var entries []codelist.Entry
	for _, e := range v.Entries {
		entries = append(entries, codelist.Entry{Code: e.Code, Canonical: e.Canonical, Meaning: e.Meaning, From: e.From, To: e.To})
	}
	return l.Over(entries), true
}
