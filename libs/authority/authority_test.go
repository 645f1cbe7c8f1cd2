package authority_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/authority"
)

// thing has three fields that systems may own.
type thing struct{ A, B, C string }

var fields = []authority.Field[thing]{
	{Path: "a", Text: func(v thing) string { return v.A }, Take: func(dst *thing, src thing) { dst.A = src.A }},
	{Path: "b.x", Text: func(v thing) string { return v.B }, Take: func(dst *thing, src thing) { dst.B = src.B }},
	{Path: "c", Text: func(v thing) string { return v.C }, Take: func(dst *thing, src thing) { dst.C = src.C }},
}

func table(lines ...string) authority.Table {
	var t authority.Table
	for _, l := range lines {
		f := strings.Fields(l)
		t.Policies = append(t.Policies, authority.Policy{Subject: f[0], Owner: f[1], Rule: authority.Rule(f[2])})
	}
	return t
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestJudge(t *testing.T) {
	tab := table("a erp OBSERVE", "b wms REFUSE", "b tms REFUSE", "* erp ACCEPT", "PostGoodsIssue wms OBSERVE")
	for _, c := range []struct{ subject, system, want string }{
		{"a", "erp", ""},
		{"a", "wms", "erp OBSERVE"},
		{"a", "", ""},                  // the tenant's own staff
		{"a", "sap-eu", "erp OBSERVE"}, // the tenant's table binds every system
		{"b.x", "wms", ""},
		{"b.x", "tms", ""}, // two owners
		{"b.x.y", "erp", "wms REFUSE"},
		{"c", "wms", "erp ACCEPT"},
		{"PostGoodsIssue", "erp", "wms OBSERVE"},
		{"PackCarton", "erp", ""}, // no field, so not among all fields
	} {
		p, foreign := tab.Judge(c.subject, c.system)
		got := ""
		if foreign {
			got = p.Owner + " " + string(p.Rule)
		}
		if got != c.want {
			t.Errorf("%s by %q: %q, want %q", c.subject, c.system, got, c.want)
		}
	}
}

func TestDefaultsSpeakOfTheSystemsTheyKnow(t *testing.T) {
	items := authority.Default("ITEM")
	if p, foreign := items.Judge("name", "wms"); !foreign || p.Owner != "erp" || p.Rule != authority.Observe {
		t.Errorf("the WMS names an item: %v %t", p, foreign)
	}
	for _, system := range []string{"erp", "sap-eu", ""} {
		if p, foreign := items.Judge("name", system); foreign {
			t.Errorf("%q names an item: %v", system, p)
		}
	}
	if p, foreign := items.Judge("base_weight_grams", "erp"); !foreign || p.Rule != authority.Accept {
		t.Errorf("the ERP weighs an item: %v %t", p, foreign)
	}
	for _, name := range authority.Types() {
		for _, p := range authority.Default(name).Policies {
			if !slices.Contains([]authority.Rule{authority.Refuse, authority.Observe, authority.Accept}, p.Rule) || p.Owner == "" || p.Subject == "" {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
	if len(authority.Default("NOTHING").Policies) != 0 {
		t.Error("a type without a table has owners")
	}
}

func TestSurvive(t *testing.T) {
	tab := table("a erp OBSERVE", "b wms OBSERVE")
	w := authority.Word{System: "wms", Message: "M-1", At: noon}
	m := authority.Survive(tab, w, fields, thing{"1", "2", "3"}, thing{"x", "y", "z"})
	if diff := cmp.Diff(thing{"1", "y", "z"}, m.Value); diff != "" {
		t.Error(diff)
	}
	want := []authority.Observation{{Field: "a", System: "wms", Owner: "erp", Rule: authority.Observe, Said: "x", Held: "1", Time: noon, Message: "M-1"}}
	if diff := cmp.Diff(want, m.Foreign); diff != "" || len(m.Refused) > 0 {
		t.Error(diff, m.Refused)
	}
	refusing := table("a erp REFUSE", "b erp OBSERVE")
	m = authority.Survive(refusing, w, fields, thing{"1", "2", "3"}, thing{"x", "y", "z"})
	if m.Value != (thing{"1", "2", "3"}) || len(m.Refused) != 1 || m.Refused[0].Field != "a" || len(m.Foreign) != 0 {
		t.Errorf("%+v", m)
	}
	if m := authority.Survive(refusing, w, fields, thing{"1", "2", "3"}, thing{"1", "2", "z"}); m.Value.C != "z" || len(m.Refused)+len(m.Foreign) != 0 {
		t.Errorf("what it does not touch is no reason: %+v", m)
	}
}

func TestKeep(t *testing.T) {
	wms := authority.Word{System: "wms", At: noon}
	said := func(field, system, text, held string, at time.Time) authority.Observation {
		return authority.Observation{Field: field, System: system, Owner: "erp", Rule: authority.Observe, Said: text, Held: held, Time: at}
	}
	first := authority.Keep(nil, wms, fields, thing{A: "1"}, []authority.Observation{said("a", "wms", "x", "1", noon)})
	later := authority.Word{System: "wms", At: noon.Add(time.Hour)}
	again := authority.Keep(first, later, fields, thing{A: "1"}, []authority.Observation{said("a", "wms", "x", "1", later.At)})
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("said again (-first +again):\n%s", diff)
	}
	other := authority.Keep(first, later, fields, thing{A: "1"}, []authority.Observation{said("a", "wms", "y", "1", later.At)})
	if len(other) != 1 || other[0].Said != "y" || other[0].Time != later.At {
		t.Errorf("said otherwise: %+v", other)
	}
	if gone := authority.Keep(first, later, fields, thing{A: "1"}, nil); len(gone) != 0 {
		t.Errorf("the system takes it back: %+v", gone)
	}
	erp := authority.Word{System: "erp", At: later.At}
	if agreed := authority.Keep(first, erp, fields, thing{A: "x"}, nil); len(agreed) != 0 {
		t.Errorf("the owner agrees: %+v", agreed)
	}
	if moved := authority.Keep(first, erp, fields, thing{A: "2"}, nil); len(moved) != 1 || moved[0].Held != "2" || moved[0].Time != noon {
		t.Errorf("the owner says something else: %+v", moved)
	}
	var many []authority.Observation
	for i := range authority.MaxObservations + 5 {
		many = append(many, said(fmt.Sprintf("f%02d", i), "tms", "x", "", noon.Add(time.Duration(i)*time.Second)))
	}
	if kept := authority.Keep(many, wms, fields, thing{}, nil); len(kept) != authority.MaxObservations || kept[0].Field != "f05" {
		t.Errorf("%d kept, the first is %+v", len(kept), kept[0])
	}
}

// TestOwnersKeepTheirFields: whatever systems say in whatever order, each field that is
// observed has its owner's last word, or what it began with; every other one the last word.
func TestOwnersKeepTheirFields(t *testing.T) {
	systems := []string{"erp", "wms", "tms"}
	rapid.Check(t, func(t *rapid.T) {
		var tab authority.Table
		owner := map[string]string{}
		for _, path := range []string{"a", "b.x", "c"} {
			if who := rapid.SampledFrom(append([]string{""}, systems...)).Draw(t, "owner of "+path); who != "" {
				owner[path] = who
				tab.Policies = append(tab.Policies, authority.Policy{Subject: path, Owner: who, Rule: authority.Observe})
			}
		}
		held := thing{"0", "0", "0"}
		want := map[string]string{"a": "0", "b.x": "0", "c": "0"}
		var kept []authority.Observation
		for n := range rapid.IntRange(1, 12).Draw(t, "words") {
			w := authority.Word{System: rapid.SampledFrom(systems).Draw(t, "system"), At: noon.Add(time.Duration(n) * time.Minute)}
			text := func(label string) string { return rapid.SampledFrom([]string{"0", "1", "2"}).Draw(t, label) }
			said := thing{text("a"), text("b"), text("c")}
			m := authority.Survive(tab, w, fields, held, said)
			kept = authority.Keep(kept, w, fields, m.Value, m.Foreign)
			held = m.Value
			for _, f := range fields {
				if owner[f.Path] == "" || owner[f.Path] == w.System {
					want[f.Path] = f.Text(said)
				}
				if got := f.Text(held); got != want[f.Path] {
					t.Fatalf("%s is %q, want %q", f.Path, got, want[f.Path])
				}
			}
			for _, o := range kept {
				if o.System == owner[o.Field] || o.Said == want[o.Field] || o.Held != want[o.Field] {
					t.Fatalf("kept %+v beside %v", o, want)
				}
			}
		}
	})
}
