package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Strategy is how a rule chooses among its candidate sites.
type Strategy string

// The strategies.
const (
	Priority     Strategy = "PRIORITY"      // as much as there is from each, in their order
	FewestSplits Strategy = "FEWEST_SPLITS" // one site that has all of the rule's lines, else as few as can be
)

// Sourcing is which sites deliver the lines that the document leaves open, as the tenant's
// rules said when the order was taken.
type Sourcing struct {
	Version int        `bson:"v,omitempty"` // of the rules
	Rules   []Sourcers `bson:"r,omitempty"` // that source a line
}

// Sourcers are the sites that one rule names for the lines that it sources, in its order.
type Sourcers struct {
	Rule     string   `bson:"n"`
	Strategy Strategy `bson:"g"`
	Sites    []string `bson:"s"`
}

// Places is how much of items is to be had at sites: a look at stock that promises nothing.
// A place that is not in it has none.
type Places map[Wanted]quantity.Decimal

// OrderSourced says which sites may deliver which lines. An order whose lines leave together has
// it too: a program that cannot read it must not decide on either.
type OrderSourced struct {
	Keys
	Sourcing Sourcing
	Lines    []SourcedLine
}

// SourcedLine is a line with the number, from 1, of what sources it.
type SourcedLine struct{ Line, Rule int }

func (OrderSourced) fact() {}

// Candidates are the sites that may deliver the i-th line, in the order of preference.
func (o Order) Candidates(i int) []string {
	l := o.Lines[i]
	if l.Rule < 1 || l.Rule > len(o.Sourcing.Rules) {
		return []string{l.Site}
	}
	return o.Sourcing.Rules[l.Rule-1].Sites
}

// Needs are the places that may deliver what is still to be promised; choice says that a line
// has more than one.
func (o Order) Needs() (places []Wanted, choice bool) {
	known := map[Wanted]bool{}
	for i, q := range o.Quantities() {
		if q.Unpromised().Sign() <= 0 {
			continue
		}
		sites := o.Candidates(i)
		choice = choice || len(sites) > 1
		for _, site := range sites {
			if w := (Wanted{site, o.Lines[i].Item}); !known[w] {
				known[w] = true
				places = append(places, w)
			}
		}
	}
	return places, choice
}

// Chooses reports whether a line that is still to be promised has more than one site.
func (o Order) Chooses() bool {
	_, choice := o.Needs()
	return choice
}

// Covers reports whether the stock at places is enough for all that the order still needs.
func (o Order) Covers(p Places) bool {
	return o.plan(p, Wanted{}, false).short == 0
}

// sourceAgain asks other sites, once, for what an attempt did not get of lines that several may
// deliver. It does nothing unless somebody has just looked at stock, and there is some.
func (s *step) sourceAgain() bool {
	at := s.Attempt
	if s.Available == nil || at.Again || s.Cancel != "" || at.State != AttemptPromised && at.State != AttemptRefused || !s.Chooses() {
		return false
	}
	f := s.asking(s.Env)
	f.Again = true
	plan := s.plan(s.Available, Wanted{}, f.Partial)
	switch {
	case f.Partial:
		plan.parts = slices.DeleteFunc(plan.parts, func(p part) bool { return !p.seen || len(s.Candidates(p.line)) < 2 })
	case plan.short > 0:
		return false
	}
	if f.Claims = s.claims(s.Env, f.Attempt, plan.parts); len(f.Claims) == 0 {
		return false
	}
	s.add(f)
	return true
}

// asking is the next attempt without its claims.
func (o Order) asking(e Env) PromiseRequested {
	return PromiseRequested{
		Keys: o.keys(), Attempt: o.Attempt.Number + 1, Requested: e.Now, Due: e.Now.Add(e.Limits.Attempt),
		// A part makes one release more for each site; an order that has no room for them waits for all.
		Partial: o.Header.Rule != Complete && len(o.Releases)+2*len(o.sites()) <= MaxReleases,
	}
}
