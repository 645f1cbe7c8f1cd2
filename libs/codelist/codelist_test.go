package codelist_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/codelist"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestEmbeddedLists: each has entries, each code once; units map to units of their own kind.
func TestEmbeddedLists(t *testing.T) {
	want := []string{"EDIFACT-4405", "ISO-4217", "STOCK-REASON", "UNECE-20", "X12-1650", "X12-1651", "X12-355", "X12-368"}
	if got := codelist.Codes(); !slices.Equal(got, want) {
		t.Errorf("lists %v, want %v", got, want)
	}
	for _, code := range want {
		l, ok := codelist.Embedded(code)
		if !ok || len(l.Entries) < 10 || l.Standard == "" || l.Name == "" {
			t.Errorf("%s: %+v", code, l)
		}
		seen := map[string]bool{}
		for _, e := range l.Entries {
			if e.Code == "" || e.Meaning == "" || seen[e.Code] {
				t.Errorf("%s: %+v", code, e)
			}
			seen[e.Code] = true
		}
	}
	units, _ := codelist.Embedded("X12-355")
	for _, e := range units.Entries {
		if _, ok := quantity.Unit(e.Canonical); !ok {
			t.Errorf("X12 unit %s is %q, which is none", e.Code, e.Canonical)
		}
	}
	for code, want := range map[string]string{"CA": "CS", "CR": "MTQ", "LT": "LTR", "PC": "H87", "TN": "STN", "MP": "TNE"} {
		if e, _ := units.Resolve(code, noon); e.Canonical != want {
			t.Errorf("X12 unit %s is %q, want %q", code, e.Canonical, want)
		}
	}
}

func TestOver(t *testing.T) {
	base, _ := codelist.Embedded("X12-1650")
	l := base.Over([]codelist.Entry{
		{Code: "X6", Canonical: "DEPARTED", To: noon}, {Code: "X6", Canonical: "ARRIVED", From: noon}, {Code: "ZZ", Canonical: "DELIVERED"},
	})
	for _, c := range []struct {
		code string
		at   time.Time
		want string
		own  bool
	}{
		{"X6", noon.Add(-1), "DEPARTED", true}, {"X6", noon, "ARRIVED", true}, {"ZZ", noon, "DELIVERED", true}, {"D1", noon, "DELIVERED", false},
	} {
		if e, ok := l.Resolve(c.code, c.at); !ok || e.Canonical != c.want || e.Own != c.own {
			t.Errorf("%s at %s: %+v %t", c.code, c.at, e, ok)
		}
	}
	if e, ok := l.Resolve("QQ", noon); ok {
		t.Errorf("a code of nobody: %+v", e)
	}
	written := l.For("DELIVERED", noon)
	if len(written) != 2 || written[0].Code != "ZZ" || written[1].Code != "D1" {
		t.Errorf("delivered is written %+v", written)
	}
	if len(l.For("", noon)) > 0 {
		t.Error("what has no canonical code is found by it")
	}
	if e, _ := base.Resolve("X6", noon); e.Canonical != "EN_ROUTE" {
		t.Errorf("the embedded list was changed: %+v", e)
	}
}
