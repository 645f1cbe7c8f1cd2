package ident_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/ident"
)

// TestDeriveIsFixed pins the derivation: another result for the same key would
// make a second aggregate of every document that is sent again.
func TestDeriveIsFixed(t *testing.T) {
	for want, parts := range map[string][]string{
		"ord_ynznlc7h6ivekof3jaujhajeti": {"t1", "erp", "4711"},
		"ord_fpcotenzhvb6tnlabl35xk3qqn": {"t1", "erp4711"},
	} {
		if got := ident.Derive("ord", parts...); got != want {
			t.Errorf("Derive(%q) = %s, want %s", parts, got, want)
		}
	}
}

// TestDeriveTellsPartsApart: only the same parts in the same places give the same id.
func TestDeriveTellsPartsApart(t *testing.T) {
	part := rapid.StringMatching(`[ab/_]{0,3}`)
	parts := rapid.SliceOfN(part, 1, 4)
	rapid.Check(t, func(t *rapid.T) {
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		same := len(a) == len(b)
		for i := 0; same && i < len(a); i++ {
			same = a[i] == b[i]
		}
		x, y := ident.Derive("stk", a...), ident.Derive("stk", b...)
		if (x == y) != same {
			t.Fatalf("%q → %s, %q → %s", a, x, b, y)
		}
		if len(x) != len("stk_")+26 || !strings.HasPrefix(x, "stk_") || !ident.Valid(x) || x != strings.ToLower(x) {
			t.Fatalf("id %s", x)
		}
	})
}

func TestValid(t *testing.T) {
	for s, want := range map[string]bool{
		"ord_abc": true, "A-1": true, strings.Repeat("a", 64): true,
		"": false, strings.Repeat("a", 65): false, "a/b": false, "a.b": false, "a b": false, "a:b": false, "a*": false, ">": false,
		"a\n": false, "\n": false, "ä": false, "a\x00": false, "..": false, "$a": false,
	} {
		if ident.Valid(s) != want {
			t.Errorf("Valid(%q) = %v", s, !want)
		}
	}
}
