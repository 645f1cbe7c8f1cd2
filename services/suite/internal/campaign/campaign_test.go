package campaign

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestASeedStrikesTheSame: faults and what they draw repeat with the seed, every kind comes
// before one is repeated, and the end is kept.
func TestASeedStrikesTheSame(t *testing.T) {
	strikes := func(seed uint64) (names []string) {
		synctest.Test(t, func(t *testing.T) {
			var kinds []fault
			for i := range 5 {
				kinds = append(kinds, fault{fmt.Sprint("kind ", i), func(ctx context.Context, n *nemesis) (string, error) {
					d := n.span(time.Second, 5*time.Second)
					return d.String(), n.rest(ctx, d)
				}})
			}
			n := &nemesis{Cluster: new(Cluster), random: rand.New(rand.NewPCG(seed, 0)), out: io.Discard}
			n.strike = func(s strike) { names = append(names, s.name+" "+s.what) }
			if err := n.run(t.Context(), time.Now().Add(time.Minute), kinds); err != nil {
				t.Fatal(err)
			}
		})
		return names
	}
	first := strikes(1)
	if again := strikes(1); !slices.Equal(first, again) {
		t.Errorf("%v\n%v", first, again)
	}
	if slices.Equal(first, strikes(2)) {
		t.Error("another seed strikes the same")
	}
	if len(first) < 6 {
		t.Fatalf("a minute had %d faults", len(first))
	}
	kinds := map[string]bool{}
	for _, s := range first[:5] {
		kinds[s[:6]] = true
	}
	if len(kinds) != 5 {
		t.Errorf("of five kinds the first five faults are %v", first[:5])
	}
}

func TestOnlyKnownFaultsAreSelected(t *testing.T) {
	if _, err := selected([]string{"kill service", "kill time"}); err == nil || !strings.Contains(err.Error(), "kill time") {
		t.Errorf("an unknown kind: %v", err)
	}
	if all, err := selected(nil); err != nil || len(all) != len(faults) {
		t.Errorf("%d of %d kinds, %v", len(all), len(faults), err)
	}
	if two, err := selected([]string{"flush Redis", "kill gateway"}); err != nil || len(two) != 2 || two[1].name != "kill gateway" {
		t.Errorf("%v %v", two, err)
	}
}

// TestAPositionIsMislaid: another document's id at the same place of the log.
func TestAPositionIsMislaid(t *testing.T) {
	const before, version, after = "826928AABB000000012B042C0100296E5A1004", "30303030303030303037", "000004"
	raw, err := bson.Marshal(bson.D{{Key: "_data", Value: before + "303030303039393939" + "37" + after}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := mislaid(before + version + after)
	if want := base64.RawURLEncoding.EncodeToString(raw); err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := mislaid(before); err == nil {
		t.Errorf("one without a version: %s", got)
	}
}

func TestReport(t *testing.T) {
	begin := time.Now()
	r := &Report{Acknowledged: 300, first: begin.Add(100 * time.Second), last: begin.Add(200 * time.Second)}
	for i := range 300 {
		r.took(begin.Add(time.Duration(i)*time.Second), time.Duration(i)*time.Millisecond)
	}
	r.add(strike{name: "a", hit: true, stall: time.Second})
	r.add(strike{name: "b", hit: true, stall: 3 * time.Second})
	for i, kind := range takesPrimary {
		r.add(strike{name: kind, hit: kind != "pause mongod primary", stall: time.Duration(i+1) * 100 * time.Millisecond})
	}
	r.add(strike{name: takesPrimary[0], hit: true})
	r.still(400 * time.Millisecond) // it went on after the strike
	r.add(strike{name: "a", hit: true})
	r.still(5 * time.Second)
	if r.Stall("b") != 3*time.Second || r.Stall("a") != 5*time.Second || r.Stall("b", "c") != 3*time.Second {
		t.Errorf("stalls %v, %v, %v", r.Stall("b"), r.Stall("a"), r.Stall("b", "c"))
	}
	r.Lost, r.Twice, r.NotApplied = 1, 2, 3
	var out strings.Builder
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"lost": "1", "twice": "2", "not_applied": "3", "acknowledged": "300", "stall_s": "5.0", "primary_stall_s": "0.4",
		"p99_before_ms": "98", "p99_during_ms": "198", "p99_after_ms": "298",
	} {
		if line := fmt.Sprintf("\n%-27s %s\n", "cluster."+name, want); !strings.Contains(out.String(), line) {
			t.Errorf("the report does not say %q:\n%s", line, &out)
		}
	}
	r.Lost, r.Twice, r.NotApplied = 0, 0, 0
	if r.Broken() {
		t.Error("nothing was broken")
	}
	for name, bad := range map[string]*Report{
		"an order":  {Acknowledged: 1, Failed: []error{errors.New("x")}},
		"lost":      {Acknowledged: 1, Lost: 1},
		"twice":     {Acknowledged: 1, Twice: 1},
		"a fact":    {Acknowledged: 1, NotApplied: 1},
		"undecided": {Acknowledged: 1, Undecided: []string{"stock x"}},
		"violation": {Acknowledged: 1, Violations: make([]string, 50)},
		"idle":      {},
	} {
		if !bad.Broken() {
			t.Errorf("%s: not broken", name)
		}
		var out strings.Builder
		if err := bad.Print(&out); err != nil || name == "violation" && !strings.Contains(out.String(), "10 violations more") {
			t.Errorf("%s: %v\n%s", name, err, &out)
		}
	}
}

// TestAStrikeAtNothingIsNone: a fault that finds nothing to strike at goes on with the
// campaign, and does not count; a kind that never struck is named.
func TestAStrikeAtNothingIsNone(t *testing.T) {
	kinds := []fault{
		{"hits", func(context.Context, *nemesis) (string, error) { return "it", nil }},
		{"misses", func(context.Context, *nemesis) (string, error) { return "nobody", missed(nil) }},
		{"has no time", nil},
	}
	r := &Report{Acknowledged: 1, wanted: kinds}
	n := &nemesis{out: io.Discard, strike: r.add}
	for _, f := range kinds[:2] {
		if err := n.one(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	broken := errors.New("it does not start again")
	if err := n.one(t.Context(), fault{"breaks", func(context.Context, *nemesis) (string, error) { return "", missed(broken) }}); !errors.Is(err, broken) {
		t.Errorf("a miss that leaves something broken: %v", err)
	}
	var out strings.Builder
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"1 of 1 kinds", "never struck: misses (found nothing to strike at; tries: 1)", "never struck: has no time\n"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("the report does not say %q:\n%s", line, &out)
		}
	}
	if strings.Contains(out.String(), "never struck: hits") || r.Broken() {
		t.Errorf("broken %v:\n%s", r.Broken(), &out)
	}
}

// TestGrowth: of processes that hold their memory and one that grows, the latter is named.
func TestGrowth(t *testing.T) {
	g := most(map[string]int64{"flat": 1000, "grows": 100, "shrinks": 500}, map[string]int64{"flat": 1010, "grows": 150, "shrinks": 400, "new": 9000})
	if g != (growth{"grows", 100, 150}) || g.Ratio() != 1.5 {
		t.Errorf("%+v", g)
	}
	if name, n := largest(map[string]int64{"a": 2, "b": 3}); name != "b" || n != 3 {
		t.Errorf("%s %d", name, n)
	}
}

// TestGoroutinesComeBack: more than a tenth and ten above what a service had is told, whether
// it was started again or not; fewer only where it was not.
func TestGoroutinesComeBack(t *testing.T) {
	of := func(goroutines int, processes string) held { return held{goroutines: goroutines, processes: processes} }
	before := map[string]held{
		"same": of(100, "1 2 "), "leaks": of(100, "3 4 "), "leaks anew": of(100, "5 6 "), "shrinks": of(100, "7 "), "shrinks anew": of(100, "8 "),
	}
	leak := held{goroutines: 121, processes: "3 4 ", stacks: map[string]int{"loop": 21}}
	after := map[string]held{
		"same": of(120, "1 2 "), "leaks": leak, "leaks anew": of(121, "5 16 "), "shrinks": of(79, "7 "), "shrinks anew": of(79, "18 "),
	}
	want := []string{
		"leaks has 121 goroutines at rest, and had 100 before: 21 more in loop", "leaks anew has 121 goroutines at rest, and had 100 before",
		"shrinks has 79 goroutines at rest, and had 100 before",
	}
	if got := strayed(before, after); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	h := held{stacks: map[string]int{}}
	h.count(map[string]int{
		"google.golang.org/grpc/internal/transport.(*http2Client).keepalive": 9, "google.golang.org/grpc.(*Server).handleRawConn.func1": 9,
		"google.golang.org/grpc.(*Server).serveStreams.func2.1": 2, "loop": 3,
	})
	if h.goroutines != 5 || h.stacks["loop"] != 3 {
		t.Errorf("calls and loops are %+v", h)
	}
	if goroutines, heap := total(map[string]held{"a": {goroutines: 1, heap: 10}, "b": {goroutines: 2, heap: 20}}); goroutines != 3 || heap != 30 {
		t.Errorf("%d goroutines, %d bytes", goroutines, heap)
	}
}

// TestStormIsJudgedByItsRate: what succeeds a minute after the outage, not what was held up
// and succeeds at its end.
func TestStormIsJudgedByItsRate(t *testing.T) {
	for name, c := range map[string]struct {
		after  int // commands a second
		broken bool
	}{"recovers": {45, false}, "does not": {44, true}} {
		first := time.Now()
		r := &Report{Acknowledged: 1, first: first, resumed: first.Add(stormOutage)}
		for s := range 20 {
			for range 50 {
				r.took(first.Add(time.Duration(s-20)*time.Second), 0)
				r.took(first.Add(10*time.Second), stormOutage+time.Duration(s)*time.Second/2) // the backlog
			}
			for range c.after {
				r.took(r.resumed.Add(stormWithin+time.Duration(s)*time.Second), 0)
			}
		}
		if r.judgeStorm(); r.Broken() != c.broken {
			t.Errorf("%s: %v", name, r.Violations)
		}
		if before, after, backlog := r.recovered(); before != 50 || after != float64(c.after) || backlog != 19500*time.Millisecond {
			t.Errorf("%s: %v before, %v after, held up for %v", name, before, after, backlog)
		}
	}
	r := &Report{Acknowledged: 1}
	if r.judgeStorm(); r.Broken() || r.stormFigures() != nil {
		t.Error("a storm that was not is judged")
	}
}
