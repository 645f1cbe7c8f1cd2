package authority_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// TestDecide: a command counts for its owner, for the tenant's staff, for whom a rule accepts, and for
// systems that a table which came with the release does not know; nobody owns what no policy names.
func TestDecide(t *testing.T) {
	tab := table("PostGoodsIssue wms OBSERVE", "LiftHold erp REFUSE", "PlaceHold erp ACCEPT", "* erp REFUSE")
	for _, c := range []struct{ command, system, want string }{
		{"PostGoodsIssue", "wms", ""},
		{"PostGoodsIssue", "", ""},
		{"PostGoodsIssue", "tms", "wms OBSERVE"},
		{"PostGoodsIssue", "sap-eu", "wms OBSERVE"},
		{"LiftHold", "tms", "erp REFUSE"},
		{"PlaceHold", "tms", ""},
		{"CloseOrder", "tms", ""},
	} {
		v := tab.Decide(authority.Assertion{Command: c.command, System: c.system, Said: strings.Repeat("x", 2*authority.MaxText)})
		got := strings.TrimSpace(v.Owner + " " + string(v.Rule))
		if got != c.want || v.Counts() != (c.want == "") || len(v.Said) > authority.MaxText {
			t.Errorf("%s by %q: %q, want %q", c.command, c.system, got, c.want)
		}
	}
	if v := authority.Default("WAREHOUSE_ORDER").Decide(authority.Assertion{Command: "PostGoodsIssue", System: "sap-eu"}); !v.Counts() {
		t.Errorf("the embedded table binds a system that it does not know: %+v", v)
	}
}

// taken decides a command that makes the facts, or fails.
func taken(v authority.Verdict, heard []authority.Heard, err error, facts ...string) ([]string, *authority.Heard, error) {
	var kept *authority.Heard
	out, err := authority.Take(v, noon, heard, func() ([]string, error) { return facts, err }, func(h authority.Heard) string {
		kept = &h
		return "observed"
	})
	return out, kept, err
}

func TestTake(t *testing.T) {
	refused := fault.New(fault.Refused, "STATE", "no")
	word := authority.Assertion{Command: "PostGoodsIssue", System: "tms", Message: "M-1", EventTime: noon.Add(-time.Hour), Said: "{}"}
	observe, refuse := authority.Verdict{Assertion: word, Owner: "wms", Rule: authority.Observe}, authority.Verdict{Assertion: word, Owner: "wms", Rule: authority.Refuse}

	if facts, kept, err := taken(authority.Verdict{}, nil, nil, "issued"); err != nil || kept != nil || cmp.Diff([]string{"issued"}, facts) != "" {
		t.Errorf("the owner's: %v %v %v", facts, kept, err)
	}
	facts, kept, err := taken(refuse, nil, nil, "issued")
	f, _ := fault.As(err)
	if f == nil || f.Kind != fault.Refused || f.Reason != authority.NotOwned || f.Metadata["owner"] != "wms" || f.Metadata["rule"] != "REFUSE" || len(facts) > 0 || kept != nil {
		t.Errorf("refused: %v %v %v", facts, kept, err)
	}
	want := authority.Heard{Command: "PostGoodsIssue", System: "tms", Owner: "wms", Said: "{}", Message: "M-1", EventTime: noon.Add(-time.Hour), At: noon}
	for name, c := range map[string]struct {
		err         error
		facts       []string
		contradicts bool
	}{
		"the record would change":  {nil, []string{"issued"}, true},
		"the record would refuse":  {refused, nil, true},
		"the record has it so too": {nil, nil, false},
	} {
		facts, kept, err := taken(observe, nil, c.err, c.facts...)
		want.Contradicts = c.contradicts
		if err != nil || len(facts) != 1 || facts[0] != "observed" || cmp.Diff(&want, kept) != "" {
			t.Errorf("%s: %v %v %v", name, facts, kept, err)
		}
		if facts, _, err := taken(observe, []authority.Heard{*kept}, c.err, c.facts...); err != nil || len(facts) > 0 {
			t.Errorf("%s, said again: %v %v", name, facts, err)
		}
	}
	for _, broken := range []error{errors.New("store"), fault.New(fault.Invalid, "X", "x"), fault.New(fault.Unavailable, "X", "x")} {
		if facts, kept, err := taken(observe, nil, broken); !errors.Is(err, broken) || len(facts) > 0 || kept != nil {
			t.Errorf("what cannot be decided is no word: %v %v %v", facts, kept, err)
		}
	}
}

func TestHearAndSettle(t *testing.T) {
	var heard []authority.Heard
	for i := range authority.MaxHeard + 3 {
		heard = authority.Hear(heard, authority.Heard{Command: []string{"A", "B"}[i%2], Contradicts: true, At: noon.Add(time.Duration(i) * time.Second)})
	}
	if len(heard) != authority.MaxHeard || !heard[0].At.Equal(noon.Add(3*time.Second)) {
		t.Fatalf("%d kept, the first of %s", len(heard), heard[0].At)
	}
	settled := authority.Settle(heard, "A")
	for i, h := range settled {
		if h.Contradicts != (h.Command == "B") || !heard[i].Contradicts {
			t.Errorf("%+v", h)
		}
	}
}
