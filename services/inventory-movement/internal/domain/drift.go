package domain

import (
	"fmt"
	"slices"
	"strings"
)

// Difference is something that a copy of a stock has otherwise than its facts say.
type Difference struct {
	Part, Name string
	Has, Ought string // "" for nothing
}

// Differences names what a copy of a stock has otherwise than it ought to.
func Differences(has, ought Stock) []Difference {
	var out []Difference
	if has.Key != ought.Key {
		out = append(out, Difference{"key", ought.Key.ID, fmt.Sprint(has.Key), fmt.Sprint(ought.Key)})
	}
	out = append(out, between("rows", has.Rows, ought.Rows, func(r Row) (string, string) {
		return r.Place.text(), fmt.Sprintf("%s on hand, %s allocated", r.OnHand, r.Allocated)
	})...)
	out = append(out, between("claims", has.Claims, ought.Claims, func(c Claim) (string, string) { return c.Key, c.Quantity.String() })...)
	out = append(out, between("holds", has.Holds, ought.Holds, func(h Hold) (string, string) {
		return h.Key, fmt.Sprintf("until %d, priority %d", h.Expires, h.Priority)
	})...)
	out = append(out, between("supplies", has.Supplies, ought.Supplies, func(u Supply) (string, string) {
		return fmt.Sprintf("%s line %d", u.Delivery, u.Line), fmt.Sprintf("%s at %d, arrived %t, overdue %t", u.Quantity, u.Expected, u.Arrived, u.Overdue)
	})...)
	out = append(out, between("waits", has.Waits, ought.Waits, func(w Wait) (string, string) { return w.Key, w.Quantity.String() })...)
	out = append(out, between("covers", told(has.Covers), told(ought.Covers), func(c [2]string) (string, string) { return c[0], c[1] })...)
	out = append(out, between("allocations", has.Allocations, ought.Allocations, Allocation.text)...)
	out = append(out, between("packing", has.Packing, ought.Packing, Allocation.text)...)
	out = append(out, between("reversals", has.Reversed, ought.Reversed, func(r MoveRef) (string, string) {
		return fmt.Sprintf("%d.%d", r.Version, r.Index), "reversed"
	})...)
	return append(out, between("tombstones", has.Tombstones, ought.Tombstones, func(mark string) (string, string) { return mark, "closed" })...)
}

// told is what was told of promises, as text.
func told(covers []Cover) (out [][2]string) {
	for _, c := range covers {
		out = append(out, [2]string{c.Key, fmt.Sprintf("%v, %s uncovered", c.Parts, c.Uncovered)})
	}
	return out
}

func (p Place) text() string {
	parts := []string{p.Location}
	for _, part := range [][2]string{{"lot ", p.Lot}, {"serial ", p.Serial}, {"expiry ", p.Expiry}, {"", string(p.Status)}} {
		if part[1] != "" {
			parts = append(parts, part[0]+part[1])
		}
	}
	return strings.Join(parts, " ")
}

func (a Allocation) text() (name, value string) {
	return fmt.Sprintf("%s line %d at %s", a.Order, a.Line, a.Place.text()), a.Quantity.String()
}

// between compares two lists as their parts are told: what has the same name in both is one
// difference, if it differs. The order counts only where everything else is alike.
func between[T comparable](part string, has, ought []T, tell func(T) (name, value string)) []Difference {
	if slices.Equal(has, ought) {
		return nil
	}
	values := func(list []T) (names []string, by map[string]string) {
		by = map[string]string{}
		for _, t := range list {
			name, value := tell(t)
			if _, again := by[name]; !again {
				names = append(names, name)
				by[name] = value
			} else {
				by[name] += " + " + value
			}
		}
		return names, by
	}
	hasNames, hasBy := values(has)
	oughtNames, oughtBy := values(ought)
	var out []Difference
	for _, name := range oughtNames {
		if hasBy[name] != oughtBy[name] {
			out = append(out, Difference{part, name, hasBy[name], oughtBy[name]})
		}
	}
	for _, name := range hasNames {
		if _, known := oughtBy[name]; !known {
			out = append(out, Difference{part, name, hasBy[name], ""})
		}
	}
	if len(out) == 0 {
		out = append(out, Difference{part, "order", strings.Join(hasNames, ", "), strings.Join(oughtNames, ", ")})
	}
	return out
}
