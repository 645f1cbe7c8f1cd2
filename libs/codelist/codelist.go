// Package codelist maps the codes of standards to the words of the suite, as data: the parts
// of the lists that goods flows use are embedded, and a tenant's own entries go over them. It
// promises that a code has one meaning at a moment, and that an entry of the tenant takes the
// place of every embedded one of its code.
package codelist

import (
	"embed"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Entry is one code of a list.
type Entry struct {
	Code      string
	Canonical string // the suite's word for it; empty if it has none
	Meaning   string // for people
	From, To  time.Time
	Own       bool // the tenant's
}

// Holds reports whether the entry holds at t; the zero From is since ever, the zero To for ever.
func (e Entry) Holds(t time.Time) bool {
	return !t.Before(e.From) && (e.To.IsZero() || t.Before(e.To))
}

// List is a code list.
type List struct {
	Code     string // of the list, e.g. "X12-355"
	Standard string // who keeps it, e.g. "ANSI ASC X12"
	Name     string
	Version  string
	Entries  []Entry // by code
}

// StockReasons is the list of why a quantity or status of stock is changed by hand.
const StockReasons = "STOCK-REASON"

//go:embed lists
var files embed.FS

// embedded are the lists that are written out, beside those that libraries know.
var embedded = []List{
	{Code: "EDIFACT-4405", Standard: "UN/EDIFACT", Name: "Status description (codes in use)", Version: "D.99B"},
	{Code: StockReasons, Standard: "Lockstep", Name: "Why a quantity or status of stock is changed"},
	{Code: "X12-1650", Standard: "ANSI ASC X12", Name: "Shipment status (codes in use)", Version: "004010"},
	{Code: "X12-1651", Standard: "ANSI ASC X12", Name: "Reason of a shipment's status (codes in use)", Version: "004010"},
	{Code: "X12-355", Standard: "ANSI ASC X12", Name: "Unit of measurement (codes in use), to UN/ECE Recommendation 20", Version: "004010"},
	{Code: "X12-368", Standard: "ANSI ASC X12", Name: "Status of a shipped order line (codes in use)", Version: "004010"},
}

var lists = func() map[string]List {
	all := map[string]List{}
	for _, l := range embedded {
		text, err := files.ReadFile("lists/" + strings.ToLower(l.Code) + ".txt")
		if err != nil {
			panic("codelist: a list is not embedded: " + err.Error()) // the program was built without it
		}
		l.Entries = parse(string(text))
		all[l.Code] = l
	}
	units := List{Code: "UNECE-20", Standard: "UN/ECE", Name: "Recommendation 20, units of measure in use", Version: "17"}
	for _, u := range quantity.Units() {
		units.Entries = append(units.Entries, Entry{Code: u.Code, Canonical: u.Code, Meaning: u.Name})
	}
	currencies := List{Code: "ISO-4217", Standard: "ISO", Name: "Currencies with their minor unit"}
	for _, code := range money.Currencies() {
		places, known := money.Exponent(code)
		if !known {
			panic("codelist: a currency without a minor unit: " + code) // it is one of money's own
		}
		currencies.Entries = append(currencies.Entries, Entry{Code: code, Canonical: code, Meaning: "minor unit 10^-" + string(rune('0'+places))})
	}
	for _, l := range []List{units, currencies} {
		all[l.Code] = l
	}
	return all
}()

// parse reads lines of "code canonical meaning", "-" for no canonical code.
func parse(text string) (entries []Entry) {
	for line := range strings.Lines(text) {
		code, rest, coded := strings.Cut(strings.TrimSpace(line), " ")
		canonical, meaning, meant := strings.Cut(rest, " ")
		if !coded || !meant {
			panic("codelist: a line lacks its meaning: " + line) // of an embedded list
		}
		entries = append(entries, Entry{Code: code, Canonical: strings.TrimSuffix(canonical, "-"), Meaning: meaning})
	}
	return entries
}

// Codes returns the codes of the embedded lists, sorted.
func Codes() []string {
	var all []string
	for code := range lists {
		all = append(all, code)
	}
	slices.Sort(all)
	return all
}

// Embedded returns an embedded list.
func Embedded(code string) (List, bool) {
	l, ok := lists[code]
	l.Entries = slices.Clone(l.Entries)
	return l, ok
}

// Over returns the list with a tenant's entries over it: those of one code take the place of
// every embedded one of that code.
func (l List) Over(own []Entry) List {
	replaced := map[string]bool{}
	for i := range own {
		replaced[own[i].Code] = true
	}
	var entries []Entry
	for _, e := range l.Entries {
		if !replaced[e.Code] {
			entries = append(entries, e)
		}
	}
	for _, e := range own {
		e.Own = true
		entries = append(entries, e)
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		if c := strings.Compare(a.Code, b.Code); c != 0 {
			return c
		}
		return a.From.Compare(b.From)
	})
	l.Entries = entries
	return l
}

// Resolve returns the entry of a code at t.
func (l List) Resolve(code string, t time.Time) (Entry, bool) {
	for _, e := range l.Entries {
		if e.Code == code && e.Holds(t) {
			return e, true
		}
	}
	return Entry{}, false
}

// For returns the entries at t that a canonical code may be written as: the tenant's own first.
func (l List) For(canonical string, t time.Time) []Entry {
	var own, others []Entry
	for _, e := range l.Entries {
		switch {
		case e.Canonical != canonical || canonical == "" || !e.Holds(t):
		case e.Own:
			own = append(own, e)
		default:
			others = append(others, e)
		}
	}
	return append(own, others...)
}
