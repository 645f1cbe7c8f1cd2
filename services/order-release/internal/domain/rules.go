package domain

import (
	"fmt"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Bounds of sourcing rules.
const (
	MaxRules      = 50
	MaxCandidates = 8
	maxPlaces     = 4000 // lines times their sites: what an order is listed under while it waits
)

// Rule sources the lines that it fits and that the document leaves open.
type Rule struct {
	Name      string   `bson:"n"`
	Condition string   `bson:"c,omitempty"` // CEL over order and line; empty fits every line
	Sites     []string `bson:"s"`           // candidates, in the order of preference
	Strategy  Strategy `bson:"g"`
}

// Rules are a tenant's sourcing rules in the order in which they are tried. Orders name the
// version that sourced them.
type Rules struct {
	Version int       `bson:"v"`
	List    []Rule    `bson:"l"`
	Note    string    `bson:"n,omitempty"`
	By      string    `bson:"b,omitempty"`
	At      time.Time `bson:"a,omitempty"`
}

// RulesFact is something that happened to sourcing rules.
type RulesFact interface{ rulesFact() }

// RulesChanged is a new version of the rules.
type RulesChanged struct{ Rules Rules }

func (RulesChanged) rulesFact() {}

// EvolveRules applies one fact.
func EvolveRules(r Rules, f RulesFact) Rules {
	if c, ok := f.(RulesChanged); ok {
		return c.Rules
	}
	return r
}

// Put makes the list the next version; the same list again changes nothing. Conditions are
// checked by who can compile them.
func (r Rules) Put(e Env, list []Rule, note string) ([]RulesFact, error) {
	if err := checkRules(list); err != nil {
		return nil, err
	}
	if r.Version > 0 && slices.EqualFunc(r.List, list, func(a, b Rule) bool {
		return a.Name == b.Name && a.Condition == b.Condition && a.Strategy == b.Strategy && slices.Equal(a.Sites, b.Sites)
	}) {
		return nil, nil
	}
	return []RulesFact{RulesChanged{Rules{Version: r.Version + 1, List: list, Note: note, By: e.By, At: e.Now}}}, nil
}

func checkRules(list []Rule) error {
	wrong := fault.New(fault.Invalid, "INVALID_REQUEST", "the rules cannot be taken")
	names := map[string]int{}
	for i, r := range list {
		if first, twice := names[r.Name]; twice {
			wrong = wrong.WithField(fmt.Sprintf("rules[%d].name", i), "RULE_NAME_DUPLICATE", "rules[%d] is named %q too", first, r.Name)
		} else {
			names[r.Name] = i
		}
		for n, site := range r.Sites {
			if slices.Contains(r.Sites[:n], site) {
				wrong = wrong.WithField(fmt.Sprintf("rules[%d].sites[%d]", i, n), "SITE_DUPLICATE", "rule %q names %q twice", r.Name, site)
			}
		}
	}
	if len(wrong.Fields) > 0 {
		return wrong
	}
	return nil
}

// Rulebook is the rules as validation applies them.
type Rulebook struct {
	Version int
	List    []Rule
	// Fits reports whether the i-th rule fits a line; an error is a condition that cannot be decided.
	Fits func(i int, h Header, l Line) (bool, error)
}

// Sites are all candidates of all rules.
func (b Rulebook) Sites() (sites []string) {
	for _, r := range b.List {
		sites = append(sites, r.Sites...)
	}
	return sites
}

// source finds the rule of every line that neither the line nor the order gives a site: the
// first that fits and has a site that ships.
func (v *validation) source() {
	book := v.ref.Rules
	v.sourcing.Version = book.Version
	if v.header.Site != "" {
		return
	}
	used := map[int]int{}
	for i := range v.lines {
		l := &v.lines[i]
		l.Rule = 0
		if l.AskedSite != "" || l.Item == "" {
			continue
		}
		rule, err := v.rule(book, *l)
		switch {
		case err != nil:
			v.reject("SOURCING_RULE_FAILED", line(i, "site"), "sourcing rule %q cannot be decided: %v; correct the rule", book.List[rule].Name, err)
		case rule >= 0:
			if used[rule] == 0 {
				r := book.List[rule]
				v.sourcing.Rules = append(v.sourcing.Rules, Sourcers{Rule: r.Name, Strategy: r.Strategy, Sites: v.shipping(r.Sites)})
				used[rule] = len(v.sourcing.Rules)
			}
			l.Rule = used[rule]
			l.Site = v.sourcing.Rules[l.Rule-1].Sites[0]
		}
	}
}

// rule returns the index of the rule that sources a line; -1 for none.
func (v *validation) rule(book Rulebook, l Line) (int, error) {
	for i, r := range book.List {
		if len(v.shipping(r.Sites)) == 0 {
			continue
		}
		if fits, err := book.Fits(i, v.header, l); fits || err != nil {
			return i, err
		}
	}
	return -1, nil
}

// shipping leaves out the sites that are unknown, retired or no site.
func (v *validation) shipping(codes []string) []string {
	return slices.DeleteFunc(slices.Clone(codes), func(code string) bool {
		s, ok := v.ref.Sites[code]
		return !ok || s.Retired || !s.Ships
	})
}
