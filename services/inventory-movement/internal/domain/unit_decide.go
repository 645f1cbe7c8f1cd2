package domain

import (
	"cmp"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

func byItem(a, b PickedLine) int {
	return cmp.Or(cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Lot, b.Lot), cmp.Compare(a.Unit, b.Unit))
}

// CreateUnit makes a unit; making it again changes nothing.
func CreateUnit(u HandlingUnit, f UnitCreated) ([]UnitFact, error) {
	if u.Keys.ID != "" {
		return nil, nil
	}
	return []UnitFact{f}, nil
}

func (u HandlingUnit) refusal(command string) error {
	return fault.New(fault.Refused, "HANDLING_UNIT_STATE", "handling unit %s is %s and cannot %s", u.Keys.SSCC, u.Stands, command).
		With("from", string(u.Stands)).With("command", command).With("sscc", u.Keys.SSCC)
}

// RequestNest says into which unit a unit is to go. It is in one at most, and nothing that left
// or was given up goes anywhere. What the other knows of itself is checked again when it takes it.
func RequestNest(u, parent HandlingUnit, at time.Time) ([]UnitFact, error) {
	switch {
	case u.Stands == UnitVoid || u.Stands == UnitIssued:
		return nil, u.refusal("nest")
	case u.Parent != "":
		return nil, fault.New(fault.Refused, "HANDLING_UNIT_NESTED", "handling unit %s is in %s: take it out first", u.Keys.SSCC, u.Parent).
			With("parent_sscc", u.Parent)
	case u.Keys.Site != parent.Keys.Site:
		return nil, fault.New(fault.Refused, "HANDLING_UNIT_SITE", "handling unit %s is at %s, %s at %s", u.Keys.SSCC, u.Keys.Site, parent.Keys.SSCC, parent.Keys.Site)
	case u.Level >= parent.Level:
		return nil, fault.New(fault.Refused, "HANDLING_UNIT_LEVEL", "handling unit %s of level %d does not go into %s of level %d", u.Keys.SSCC, u.Level, parent.Keys.SSCC, parent.Level)
	}
	return []UnitFact{NestRequested{UnitKeys: u.Keys, Parent: parent.Keys.SSCC, Attempt: u.Attempt + 1, Level: u.Level, At: at}}, nil
}

// TakeChild puts a unit that is to go into this one into it.
func TakeChild(u HandlingUnit, child string, attempt, level int) ([]UnitFact, error) {
	if _, has := u.child(child); has {
		return nil, nil
	}
	switch {
	case u.Stands != UnitOpen:
		return nil, u.refusal("take a unit")
	case len(u.Children) >= maxChildren:
		return nil, fault.New(fault.Refused, "HANDLING_UNIT_FULL", "handling unit %s holds %d units", u.Keys.SSCC, len(u.Children))
	case level >= u.Level: // its level never changes: only a defect comes here
		return nil, fault.New(fault.Refused, "HANDLING_UNIT_LEVEL", "a unit of level %d does not go into %s of level %d", level, u.Keys.SSCC, u.Level)
	}
	return []UnitFact{UnitNested{UnitKeys: u.Keys, Child: child, Attempt: attempt}}, nil
}

// RefuseNest frees a unit that the other did not take.
func RefuseNest(u HandlingUnit, parent string, attempt int, reason string) []UnitFact {
	if u.Parent != parent || u.Attempt != attempt {
		return nil
	}
	return []UnitFact{NestRefused{UnitKeys: u.Keys, Parent: parent, Attempt: attempt, Reason: reason}}
}

// Unnest takes a unit out of this one. If all that is left in it is gone, it is gone too.
func Unnest(u HandlingUnit, child string, at time.Time) ([]UnitFact, error) {
	c, has := u.child(child)
	switch {
	case !has:
		return nil, fault.New(fault.Refused, "HANDLING_UNIT_NOT_NESTED", "handling unit %s is not in %s", child, u.Keys.SSCC)
	case u.Stands != UnitOpen:
		return nil, u.refusal("give up a unit")
	case c.Issued:
		return nil, fault.New(fault.Refused, "HANDLING_UNIT_STATE", "handling unit %s has left and cannot be taken out of %s", child, u.Keys.SSCC).
			With("from", string(UnitIssued)).With("command", "unnest").With("sscc", child)
	}
	out := UnitUnnested{UnitKeys: u.Keys, Child: child, Attempt: c.Attempt, At: at}
	return u.gone([]UnitFact{out}, at), nil
}

// gone adds to facts that the unit left, if all that is in it after them has.
func (u HandlingUnit) gone(facts []UnitFact, at time.Time) []UnitFact {
	after := ApplyUnit(u, facts...)
	staying := slices.ContainsFunc(after.Children, func(c UnitChild) bool { return !c.Issued })
	if len(after.Children) == 0 || staying || len(after.Content) > 0 {
		return facts
	}
	return append(facts, UnitLeft{UnitKeys: u.Keys, Parent: u.Parent, At: at})
}

// Free lets a unit that was taken out of another go into one again.
func Free(u HandlingUnit, parent string, attempt int) []UnitFact {
	if u.Parent != parent || u.Attempt != attempt {
		return nil
	}
	return []UnitFact{UnitFreed{UnitKeys: u.Keys, Parent: parent, Attempt: attempt}}
}

// CloseUnit says that what is in a unit stays; location is where it stands, "" as before.
func CloseUnit(u HandlingUnit, location string) ([]UnitFact, error) {
	location = cmp.Or(location, u.Location)
	switch {
	case u.Stands == UnitClosed && location == u.Location:
		return nil, nil
	case u.Stands != UnitOpen && u.Stands != UnitClosed:
		return nil, u.refusal("close")
	}
	return []UnitFact{UnitShut{UnitKeys: u.Keys, Location: location}}, nil
}

// ReopenUnit opens a unit again that others go into. A carton that was packed stays closed.
func ReopenUnit(u HandlingUnit) ([]UnitFact, error) {
	switch {
	case u.Stands == UnitOpen:
		return nil, nil
	case u.Stands != UnitClosed || len(u.Content) > 0:
		return nil, u.refusal("reopen")
	}
	return []UnitFact{UnitReopened{u.Keys}}, nil
}

// VoidUnit gives up an empty unit.
func VoidUnit(u HandlingUnit, reason string) ([]UnitFact, error) {
	switch {
	case u.Stands == UnitVoid:
		return nil, nil
	case u.Stands == UnitIssued:
		return nil, u.refusal("void")
	case len(u.Content) > 0 || len(u.Children) > 0:
		return nil, fault.New(fault.Refused, "HANDLING_UNIT_NOT_EMPTY", "handling unit %s is not empty", u.Keys.SSCC)
	case u.Parent != "":
		return nil, fault.New(fault.Refused, "HANDLING_UNIT_NESTED", "handling unit %s is in %s: take it out first", u.Keys.SSCC, u.Parent).
			With("parent_sscc", u.Parent)
	}
	return []UnitFact{UnitVoided{u.Keys, reason}}, nil
}

// TakeUnitIssue says that a unit left with the goods issue of what is in it.
func TakeUnitIssue(u HandlingUnit, at time.Time) []UnitFact {
	if u.Stands == UnitIssued || u.Keys.ID == "" {
		return nil
	}
	return []UnitFact{UnitLeft{UnitKeys: u.Keys, Parent: u.Parent, At: at}}
}

// TakeUnitVoid says that what a unit held was put back: it is given up.
func TakeUnitVoid(u HandlingUnit, reason string) []UnitFact {
	if u.Stands == UnitVoid || u.Stands == UnitIssued || u.Keys.ID == "" {
		return nil
	}
	return []UnitFact{UnitVoided{u.Keys, reason}}
}

// TakeChildVoid takes a unit that was given up out of this one, open or closed.
func TakeChildVoid(u HandlingUnit, child string, at time.Time) []UnitFact {
	c, has := u.child(child)
	if !has || c.Issued || u.Stands == UnitIssued {
		return nil
	}
	return u.gone([]UnitFact{UnitUnnested{UnitKeys: u.Keys, Child: child, Attempt: c.Attempt, At: at}}, at)
}

// TakeChildIssue says that a unit in this one left. With the last of them it left too.
func TakeChildIssue(u HandlingUnit, child string, at time.Time) []UnitFact {
	c, has := u.child(child)
	if !has || c.Issued || u.Stands == UnitIssued {
		return nil
	}
	return u.gone([]UnitFact{ChildLeft{UnitKeys: u.Keys, Child: child}}, at)
}

// Weigh records a weight on a scale, held against what is expected.
func Weigh(u HandlingUnit, w Weighing) ([]UnitFact, error) {
	if u.Stands == UnitVoid || u.Stands == UnitIssued {
		return nil, u.refusal("be weighed")
	}
	w.Held = w.Expected > 0 && (w.Weight-w.Expected > w.Tolerance || w.Expected-w.Weight > w.Tolerance)
	return []UnitFact{UnitWeighed{u.Keys, w}}, nil
}

// ReleaseHold lets a unit leave in spite of its weight.
func ReleaseHold(u HandlingUnit, reason, by string) ([]UnitFact, error) {
	switch {
	case u.Stands == UnitIssued || u.Stands == UnitVoid:
		return nil, u.refusal("be released")
	case !u.Held():
		return nil, fault.New(fault.Refused, "NOT_ON_HOLD", "handling unit %s is not on hold", u.Keys.SSCC)
	}
	return []UnitFact{HoldReleased{u.Keys, reason, by}}, nil
}

// AuditRefusal is why goods of a unit on hold are not issued.
func AuditRefusal(u HandlingUnit) error {
	w := u.Weighed
	return fault.New(fault.Refused, "PACK_AUDIT", "handling unit %s weighs %d g, not %d g within %d g: weigh it again or have it released",
		u.Keys.SSCC, w.Weight, w.Expected, w.Tolerance).With("sscc", u.Keys.SSCC)
}
