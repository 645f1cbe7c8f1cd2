package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/authority"
)

// Ownership is a tenant's own policy about one type of object: who owns what of it.
type Ownership struct {
	Type    string          `bson:"y"` // name of the contract's ObjectType without its prefix
	Rules   []OwnershipRule `bson:"r,omitempty"`
	Version int64           `bson:"n"` // how often it was changed, from 1
}

// OwnershipRule is one rule, as it is stored.
type OwnershipRule struct {
	Subject string         `bson:"s"`
	Owner   string         `bson:"o"`
	Rule    authority.Rule `bson:"r"`
}

// Key implements Value.
func (o Ownership) Key() string { return o.Type }

// Check implements Value: a subject of a type whose records are here is one of its fields.
func (o Ownership) Check() error {
	var c check
	seen := unique{}
	known := FieldPaths(o.Type)
	for n, r := range o.Rules {
		seen.add(&c, r.Subject+keyMark+r.Owner, at("rules", n, "subject"), "owner "+r.Owner+" of "+r.Subject)
		isField := r.Subject != authority.All && !(r.Subject[0] >= 'A' && r.Subject[0] <= 'Z')
		c.that(!isField || known == nil || r.Subject == stateField || slices.Contains(known, r.Subject), at("rules", n, "subject"), "SUBJECT_INVALID",
			"%q is no field of %s that a system may own", r.Subject, o.Type)
		for _, other := range o.Rules {
			c.that(other.Subject != r.Subject || other.Rule == r.Rule, at("rules", n, "conflict_rule"), "CONTRADICTION", "%s has two conflict rules", r.Subject)
		}
	}
	return c.done()
}

// After returns the policy as the next version after the one that holds, or as that one when
// its rules are the same.
func (o Ownership) After(current Record[Ownership]) Ownership {
	o.Version = current.Value.Version
	if current.State != Active || !slices.Equal(o.Rules, current.Value.Rules) {
		o.Version++
	}
	return o
}

// Table returns the policy as functions of authority take it.
func (o Ownership) Table() authority.Table {
	var t authority.Table
	for _, r := range o.Rules {
		t.Policies = append(t.Policies, authority.Policy{Subject: r.Subject, Owner: r.Owner, Rule: r.Rule})
	}
	return t
}

// TableOf returns what holds for a type of object: the tenant's own policy, else the embedded one.
func TableOf(objectType string, r Record[Ownership]) authority.Table {
	if r.State == Absent {
		return authority.Default(objectType)
	}
	return r.Value.Table()
}
