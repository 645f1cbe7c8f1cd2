package domain

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func TestClaimKeys(t *testing.T) {
	k := ClaimKey{Document: "ord_a", Attempt: 12, Target: "stk_b"}
	if got, ok := ParseClaim(k.String()); !ok || got != k {
		t.Errorf("%s comes back as %+v, %t", k, got, ok)
	}
	if all, ok := ParseClaim("clm:rma_a:1:"); !ok || all.Target != "" {
		t.Errorf("a whole attempt is %+v, %t", all, ok)
	}
	for _, key := range []string{"", "clm:WIDGET", "clm:m:WIDGET-1", "clm::1:stk_b", "clm:ord_a:0:stk_b", "clm:ord_a:x:stk_b", "cl:ord_a:1:stk_b", "clm:ord_a:1:stk_b:x"} {
		if got, ok := ParseClaim(key); ok {
			t.Errorf("%q is taken for %+v", key, got)
		}
	}
}

// history draws what a document and its targets may have said, and that in any order.
func history(t *rapid.T) []ClaimNote {
	document := ident.Derive(rapid.SampledFrom([]string{"ord", "rma", "inv"}).Draw(t, "document"), "t")
	var notes []ClaimNote
	minute := 0
	add := func(source string, version int, key ClaimKey, e Effect) {
		minute++
		notes = append(notes, ClaimNote{
			Key: key, Effect: e, Quantity: quantity.Quantity{Value: quantity.Int(rapid.Int64Range(1, 2).Draw(t, "quantity")), Unit: "EA"},
			Fact: Fact{
				ID: fmt.Sprintf("%s:%d", source, version), Source: Aggregate{ID: source}, Version: uint64(version), EventID: fmt.Sprintf("%s:%d:0", source, version),
				Recorded: time.Date(2026, 3, 2, 8, minute, 0, 0, time.UTC),
			},
		})
	}
	versions := map[string]int{}
	for range rapid.IntRange(1, 12).Draw(t, "facts") {
		key := ClaimKey{Document: document, Attempt: rapid.IntRange(1, 2).Draw(t, "attempt"), Target: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "target")}
		e := rapid.SampledFrom([]Effect{Requested, Made, Kept, Refused, Closed, Used, GivenBack}).Draw(t, "effect")
		source := document
		if e == Made || e == Used || e == GivenBack {
			source = key.Target
		}
		versions[source]++
		add(source, versions[source], key, e)
	}
	return notes
}

// TestWhatHangsIsOwed: every claim that hangs is found by a fact that asks for something and was
// recorded when it began to hang, or sweeps would lose it. Order and repetition do not show.
func TestWhatHangsIsOwed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		notes := history(t)
		claims := Judge(notes)
		hanging := claims.Hanging()
		for _, h := range hanging {
			found := false
			for _, n := range notes {
				found = found || claims.Owes(n) && n.Key == h.Key && n.Fact.Recorded.Equal(h.Since)
			}
			if !found {
				t.Errorf("nothing leads to %+v", h)
			}
		}
		again := rapid.Permutation(append(notes, notes[:len(notes)/2]...)).Draw(t, "order")
		if diff := cmp.Diff(hanging, Judge(unique(again)).Hanging()); diff != "" {
			t.Errorf("in another order: %s", diff)
		}
	})
}

// unique drops repeated facts, as readers of rows do.
func unique(notes []ClaimNote) []ClaimNote {
	var out []ClaimNote
	seen := map[string]bool{}
	for _, n := range notes {
		if !seen[n.Fact.ID] {
			out = append(out, n)
		}
		seen[n.Fact.ID] = true
	}
	return out
}

// TestSettledStaysSettled: a fact that arrives later never asks anew for what had come; else a
// mark could be missing that was taken off before. Each aggregate's facts arrive in order, one
// aggregate's before or after another's.
func TestSettledStaysSettled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		notes := history(t)
		arrived := map[string]uint64{}
		for _, source := range []string{notes[0].Key.Document, "a", "b"} {
			arrived[source] = rapid.Uint64Range(0, 12).Draw(t, "arrived")
		}
		var first []ClaimNote
		for _, n := range notes {
			if n.Fact.Version <= arrived[n.Fact.Source.ID] {
				first = append(first, n)
			}
		}
		before, after := Judge(first), Judge(notes)
		for _, n := range first {
			if n.Effect.Owing() && !before.Owes(n) && after.Owes(n) {
				t.Fatalf("%+v is asked for again", n)
			}
		}
	})
}
