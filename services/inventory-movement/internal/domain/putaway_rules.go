package domain

import (
	"fmt"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// maxPutawayRules bounds the rules of a site, and with them what is tried for each task.
const maxPutawayRules = 30

// PutawayStrategy is how a rule chooses among the bins of its destination.
type PutawayStrategy string

// Strategies of put-away rules.
const (
	FixedBins  PutawayStrategy = "FIXED"
	SameLot    PutawayStrategy = "SAME_LOT"
	EmptyBin   PutawayStrategy = "EMPTY"
	NearestBin PutawayStrategy = "NEAREST"
)

// BinLimit is what a bin takes at most; zero values take anything.
type BinLimit struct {
	Quantity   quantity.Decimal `bson:"q,omitempty"` // of all items, in their base units
	Weight     quantity.Decimal `bson:"w,omitempty"` // grams
	SingleItem bool             `bson:"i,omitempty"`
}

// PutawayRule says to which bins goods go that fit it.
type PutawayRule struct {
	Name      string          `bson:"n"`
	Condition string          `bson:"c,omitempty"` // CEL over the goods; empty fits all
	Statuses  []Status        `bson:"s,omitempty"` // none: AVAILABLE
	Zone      string          `bson:"z,omitempty"`
	Bins      []string        `bson:"b,omitempty"`
	Strategy  PutawayStrategy `bson:"g"`
	Limit     BinLimit        `bson:"l"`
}

// takes reports whether the rule is for goods of a status.
func (r PutawayRule) takes(s Status) bool {
	if len(r.Statuses) == 0 {
		return s == Available
	}
	return slices.Contains(r.Statuses, s)
}

func (r PutawayRule) same(o PutawayRule) bool {
	return r.Name == o.Name && r.Condition == o.Condition && slices.Equal(r.Statuses, o.Statuses) && r.Zone == o.Zone &&
		slices.Equal(r.Bins, o.Bins) && r.Strategy == o.Strategy && r.Limit == o.Limit
}

// PutawayRules are the rules of a site in the order in which they are tried.
type PutawayRules struct {
	Site    string        `bson:"l"`
	Version int           `bson:"v"`
	List    []PutawayRule `bson:"r,omitempty"`
	Note    string        `bson:"n,omitempty"`
	By      string        `bson:"b,omitempty"`
	At      time.Time     `bson:"a"`
}

// PutawayRulesSet is a new version of the rules.
type PutawayRulesSet struct{ Rules PutawayRules }

// EvolvePutawayRules applies one fact.
func EvolvePutawayRules(_ PutawayRules, f PutawayRulesSet) PutawayRules { return f.Rules }

// SetPutawayRules makes a list that was checked the next version; the same again changes nothing.
func SetPutawayRules(r PutawayRules, next PutawayRules) []PutawayRulesSet {
	if r.Version > 0 && slices.EqualFunc(r.List, next.List, PutawayRule.same) {
		return nil
	}
	next.Version = r.Version + 1
	return []PutawayRulesSet{{next}}
}

// PlaceKind is what a location of a site is.
type PlaceKind string

// Kinds of location. What is none of them, or not of the site, has no kind.
const (
	ZonePlace PlaceKind = "ZONE"
	BinPlace  PlaceKind = "BIN"
)

// CheckPutawayRules refuses a list with all that is wrong with it, field by field. kinds has what
// is in use of the site; compile says what is wrong with a condition.
func CheckPutawayRules(list []PutawayRule, kinds map[string]PlaceKind, compile func(condition string) error) error {
	wrong := fault.New(fault.Invalid, "INVALID_REQUEST", "the rules cannot be taken")
	if len(list) > maxPutawayRules {
		wrong = wrong.WithField("rules", "PUTAWAY_RULES_FULL", "a site has at most %d put-away rules, not %d", maxPutawayRules, len(list))
	}
	names := map[string]int{}
	for i, r := range list {
		at := func(field string) string { return fmt.Sprintf("rules[%d].%s", i, field) }
		if first, twice := names[r.Name]; twice {
			wrong = wrong.WithField(at("name"), "RULE_NAME_DUPLICATE", "rules[%d] is named %q too", first, r.Name)
		} else {
			names[r.Name] = i
		}
		if r.Condition != "" {
			if err := compile(r.Condition); err != nil {
				wrong = wrong.WithField(at("condition"), "CONDITION_INVALID", "rule %q: %v", r.Name, err)
			}
		}
		if field, why := r.destination(); why != "" {
			wrong = wrong.WithField(at(field), "PUTAWAY_DESTINATION_INVALID", "rule %q: %s", r.Name, why)
		}
		if r.Zone != "" && kinds[r.Zone] != ZonePlace {
			wrong = wrong.WithField(at("zone"), "ZONE_UNKNOWN", "rule %q: the site has no zone %q", r.Name, r.Zone)
		}
		for n, bin := range r.Bins {
			if kinds[bin] != BinPlace {
				wrong = wrong.WithField(at(fmt.Sprintf("bins[%d]", n)), "BIN_UNKNOWN", "rule %q: the site has no bin %q, or it is retired", r.Name, bin)
			}
		}
	}
	if len(wrong.Fields) > 0 {
		return wrong
	}
	return nil
}

// destination says which field of a rule's destination is wrong and why; "" for none.
func (r PutawayRule) destination() (field, why string) {
	switch {
	case r.Zone == "" && len(r.Bins) == 0:
		return "zone", "name a zone or bins"
	case r.Zone != "" && len(r.Bins) > 0:
		return "bins", "name a zone or bins, not both"
	case r.Strategy == FixedBins && len(r.Bins) == 0:
		return "bins", "name the bins that are to be filled"
	}
	return "", ""
}
