package domain

import (
	"cmp"
	"slices"
	"strings"
)

// Limits bound a walk.
type Limits struct {
	Nodes int // keys in the answer
	Facts int // facts in the answer
}

// Lookup asks for facts: all that carry the key, or only those of the aggregate that it is.
type Lookup struct {
	Key Key
	Own bool
}

// Node is a key that the walk reached.
type Node struct {
	Key      Key
	Distance int
	Source   Aggregate // of the key; zero when no fact of the walk carries it
	Closed   bool      // a gathering document at which the walk stopped
}

// Edge says that one fact carries both keys.
type Edge struct {
	From, To Key
	EventID  string
}

// Graph is what a walk found.
type Graph struct {
	Nodes     []Node // by distance, then type and value
	Edges     []Edge
	Facts     []Fact // as the story is told
	Truncated bool
}

// Walk goes breadth-first from keys to the facts that carry them and from these to their
// keys. The caller alternates Next and Take until Next has nothing more. What is found
// within the bounds does not depend on the order in which facts were recorded or are taken.
type Walk struct {
	limits    Limits
	starts    []Key
	distance  map[Key]int
	open      map[Key]bool
	facts     map[string]Fact
	names     int
	layer     int
	next      []Lookup
	truncated bool
}

// NewWalk begins a walk at keys that were asked for.
func NewWalk(limits Limits, starts ...Key) *Walk {
	w := &Walk{limits: limits, starts: starts, distance: map[Key]int{}, open: map[Key]bool{}, facts: map[string]Fact{}}
	for _, k := range starts {
		w.open[k] = true
		w.reach(k, 0)
	}
	return w
}

// Next returns the lookups of the next layer; none at the end.
func (w *Walk) Next() []Lookup {
	out := w.next
	w.next = nil
	w.layer++
	slices.SortFunc(out, func(a, b Lookup) int { return compareKeys(a.Key, b.Key) })
	return out
}

// Room is how many more facts the walk takes.
func (w *Walk) Room() int { return w.limits.Facts - len(w.facts) }

// Truncate tells that a lookup had more facts than were taken.
func (w *Walk) Truncate() { w.truncated = true }

// mostClosed bounds what is told of a gathering document at which the walk stops; its node
// says that there is more.
const mostClosed = 50

// Take adds the facts of a lookup.
func (w *Walk) Take(l Lookup, facts []Fact) {
	if l.Own && l.Key.Role() == Gather && len(facts) > mostClosed {
		facts = slices.Clone(facts)
		slices.SortFunc(facts, func(a, b Fact) int { return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.Index, b.Index)) })
		facts = facts[:mostClosed]
	}
	for _, f := range facts {
		if _, known := w.facts[f.ID]; known {
			continue
		}
		if w.Room() <= 0 {
			w.truncated = true
			return
		}
		w.facts[f.ID] = f
		for _, k := range w.leads(l, f) {
			w.reach(k, w.layer)
		}
	}
}

// leads returns the keys to which a fact leads. A gathering document that is not open leads
// to its own numbers only, and a label to nothing.
func (w *Walk) leads(l Lookup, f Fact) []Key {
	if !l.Key.Links() {
		return nil
	}
	keys := f.Linking()
	if l.Key.Role() == Name {
		for _, k := range keys {
			if k.Role() == Gather && l.Key.Type.opens(k.Type) {
				w.open[k] = true
			}
		}
	}
	subject := f.Subject()
	if subject.Role() != Gather || w.open[subject] {
		return keys
	}
	return slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return k != subject && !k.Type.opens(subject.Type) })
}

// reach adds a key. Numbers are shown but not followed, unless asked for.
func (w *Walk) reach(k Key, distance int) {
	if _, known := w.distance[k]; known {
		return
	}
	role := k.Role()
	if role == Name && distance > 0 {
		w.distance[k] = distance
		w.names++
		return
	}
	if len(w.distance)-w.names >= w.limits.Nodes {
		w.truncated = true
		return
	}
	w.distance[k] = distance
	w.next = append(w.next, Lookup{Key: k, Own: k.Alone() && role != Name && (role != Gather || !w.open[k])})
}

// Graph returns what was found.
func (w *Walk) Graph() Graph {
	g := Graph{Truncated: w.truncated}
	for _, f := range w.facts {
		g.Facts = append(g.Facts, f)
	}
	Sort(g.Facts)
	sources := sourcesOf(g.Facts)
	for k, d := range w.distance {
		g.Nodes = append(g.Nodes, Node{Key: k, Distance: d, Source: sources[k], Closed: k.Role() == Gather && !w.open[k]})
	}
	slices.SortFunc(g.Nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), compareKeys(a.Key, b.Key))
	})
	if len(g.Nodes) > w.limits.Nodes {
		g.Truncated = true
		g.Nodes = documentsFirst(g.Nodes)[:w.limits.Nodes]
	}
	g.Edges = edges(g)
	return g
}

// documentsFirst drops numbers before documents, the far ones first.
func documentsFirst(nodes []Node) []Node {
	slices.SortStableFunc(nodes, func(a, b Node) int {
		return cmp.Compare(boolInt(a.Distance > 0 && a.Key.Role() == Name), boolInt(b.Distance > 0 && b.Key.Role() == Name))
	})
	return nodes
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sourcesOf says where each key comes from: the aggregate that it is, else that of the first
// fact that carries it.
func sourcesOf(facts []Fact) map[Key]Aggregate {
	out := map[Key]Aggregate{}
	for _, f := range facts {
		for _, k := range f.Linking() {
			if _, known := out[k]; !known {
				out[k] = f.Source
			}
		}
	}
	for _, f := range facts {
		out[OfAggregate(f.Source.ID)] = f.Source
	}
	return out
}

// edges ties the subject of each fact to the other keys that it carries, once each, by the
// oldest fact.
func edges(g Graph) []Edge {
	in := map[Key]bool{}
	for _, n := range g.Nodes {
		in[n.Key] = true
	}
	type pair struct{ a, b Key }
	seen := map[pair]bool{}
	var out []Edge
	for _, f := range g.Facts {
		from := f.Subject()
		for _, to := range f.Linking() {
			if from == to || !in[from] || !in[to] || seen[pair{from, to}] || seen[pair{to, from}] {
				continue
			}
			seen[pair{from, to}] = true
			out = append(out, Edge{From: from, To: to, EventID: f.EventID})
		}
	}
	return out
}

func compareKeys(a, b Key) int {
	return cmp.Or(strings.Compare(string(a.Type), string(b.Type)), strings.Compare(a.Value, b.Value))
}
