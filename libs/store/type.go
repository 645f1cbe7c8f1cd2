package store

// Type describes one aggregate type to the store. S is the state, a struct with
// bson tags whose zero value means "nothing yet"; F is the domain's fact interface.
type Type[S, F any] struct {
	Name   string // aggregate type: lane and collection name, e.g. "order"
	Prefix string // id prefix, e.g. "ord"
	Fold   int    // raised when Evolve or S changes meaning: older snapshots are folded anew
	// Evolve applies one fact. It is total and has no rules: what happened, happened. It
	// must not keep or change what the old state refers to (copy slices and maps it changes).
	Evolve func(S, F) S
	// Encode returns the full proto name and bytes of a fact; Decode is its inverse and
	// returns an error for a type that this binary does not know.
	Encode func(F) (name string, data []byte, err error)
	Decode func(name string, data []byte) (F, error)
	// Indexes are the declared queries: name → the keys under which a state is listed (nil: not listed).
	Indexes map[string]func(S) []string
	// Export renders a state as a state-carrying fact for followers; nil when nobody follows the type.
	Export func(id string, s S) (F, error)
}
