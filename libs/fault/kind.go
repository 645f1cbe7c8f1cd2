package fault

import "slices"

var kinds = [...]string{
	Internal: "internal", Invalid: "invalid", KeyReused: "key_reused", InProgress: "in_progress", Stale: "stale",
	Refused: "refused", Conflict: "conflict", NotFound: "not_found", Denied: "denied", Unauthenticated: "unauthenticated",
	Exhausted: "exhausted", Unavailable: "unavailable", TooLarge: "too_large", Deadline: "deadline",
}

// Kinds is the number of kinds; they are 0 to Kinds−1.
const Kinds = len(kinds)

// String returns the kind in lower snake case, "internal" for a number that is none.
func (k Kind) String() string {
	if int(k) >= Kinds {
		k = Internal
	}
	return kinds[k]
}

// KindNamed is the inverse of String; false for an unknown name.
func KindNamed(name string) (Kind, bool) {
	i := slices.Index(kinds[:], name)
	return Kind(max(i, 0)), i >= 0
}
