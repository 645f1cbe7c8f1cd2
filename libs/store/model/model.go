// Package model explores small models of the write path, state by state, and so
// proves its rules within their bounds: every interleaving of two or three
// processes with crashes, fail-overs, lost, late and repeated messages.
//
// The models live in this package's tests. Each has the variant that libs/store
// and libs/bus implement, explored whole without a bad state, and variants that
// leave one rule out and must fail; a change that seems to make a rule needless
// belongs here first.
//
//   - Fork (store, commit): version n+1 is sent only on a base that a majority
//     holds. Deciding on a local read, or keeping a copy whose write has an
//     unknown outcome, builds on a version that a fail-over takes away.
//   - Receipt (store, look-up): load first, look up the receipt after it, under
//     the version that will be committed on, and skip the look-up only above the
//     floor of evicted key times. Looking up beside or before the load, and
//     comparing clocks, apply one command twice.
//   - Refusal (store, answer): a refusal is answered after its receipt-only
//     commit. Answered from a cached copy it denies what has already happened.
//   - Claim (store with the services' reactors): intent first, give-back as a
//     reaction to the closing fact, tombstone under the claim's key. Without the
//     intent a crash leaves a claim that nobody knows; without the tombstone a
//     late claim stays for ever.
//   - Number (bus, relay and consumers): numbers are a function of the engine's
//     order and heads are announced. Numbers that a relay counts, or no heads,
//     lose facts without a gap that a consumer could see.
package model

import (
	"fmt"
	"slices"
)

// Model is a transition system with finitely many states.
type Model[S comparable] struct {
	Init []S
	// Next calls step for everything that can happen in a state, with the state after it.
	Next func(s S, step func(what string, to S))
	// Bad says what promise a state breaks, "" for none.
	Bad func(S) string
	// Goal is a state that must be reachable, so that a model that can do nothing is not called safe.
	Goal func(S) bool
}

// Result is what an exploration found.
type Result struct {
	States  int      // distinct states reached
	Reached bool     // a goal state was among them
	Bad     string   // the promise broken by the nearest bad state, "" when there is none
	Path    []string // the shortest way to it, what happened step by step
}

// String summarises the result in one line.
func (r Result) String() string {
	if r.Bad == "" {
		return fmt.Sprintf("%d states, none bad", r.States)
	}
	return fmt.Sprintf("%s after %d steps (%d states): %q", r.Bad, len(r.Path), r.States, r.Path)
}

// Explore visits every reachable state, breadth first, and stops at the first
// bad one, which is then a nearest one. It panics beyond limit states: a bound
// that was forgotten in a model is a defect of the model.
func (m Model[S]) Explore(limit int) Result {
	type origin struct {
		from int
		what string
	}
	var (
		result  Result
		states  []S
		origins []origin
	)
	known := map[S]bool{}
	visit := func(s S, o origin) {
		if result.Bad != "" || known[s] {
			return
		}
		known[s] = true
		states, origins = append(states, s), append(origins, o)
		result.Reached = result.Reached || m.Goal(s)
		result.Bad = m.Bad(s)
	}
	for _, s := range m.Init {
		visit(s, origin{from: -1})
	}
	for i := 0; i < len(states) && result.Bad == ""; i++ {
		if len(states) > limit {
			panic(fmt.Sprintf("model: more than %d states", limit))
		}
		m.Next(states[i], func(what string, to S) { visit(to, origin{i, what}) })
	}
	result.States = len(states)
	if result.Bad != "" {
		for o := origins[len(origins)-1]; o.from >= 0; o = origins[o.from] {
			result.Path = append(result.Path, o.what)
		}
		slices.Reverse(result.Path)
	}
	return result
}
