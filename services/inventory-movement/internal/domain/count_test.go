package domain

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// TestCountLimits: the greater of quantity and percentage counts, rounded down to pieces.
func TestCountLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limit              CountLimit
		variance, expected int64
		unit               string
		exceeded           bool
	}{
		"nothing is let through":      {CountLimit{}, 1, 100, "EA", true},
		"no difference":               {CountLimit{}, 0, 100, "EA", false},
		"as much as the quantity":     {CountLimit{Quantity: n(2)}, -2, 100, "EA", false},
		"more than the quantity":      {CountLimit{Quantity: n(2)}, 3, 100, "EA", true},
		"as much as the percentage":   {CountLimit{Percent: "2.5"}, 2, 100, "EA", false},
		"more than it has pieces":     {CountLimit{Percent: "2.5"}, 3, 100, "EA", true},
		"the greater of both":         {CountLimit{Quantity: n(1), Percent: "10"}, 10, 100, "EA", false},
		"the greater of both, pieces": {CountLimit{Quantity: n(3), Percent: "10"}, 3, 10, "EA", false},
		"of nothing that is expected": {CountLimit{Percent: "100"}, 1, 0, "EA", true},
	} {
		if got := c.limit.exceeded(n(c.variance), n(c.expected), c.unit); got != c.exceeded {
			t.Errorf("%s: %t", name, got)
		}
	}
	if err := (CountLimit{Percent: "101"}).Check("policy.recount"); err == nil {
		t.Error("101 % are taken")
	}
}

func at1(bin string) CountPlace {
	return CountPlace{Item: "itm_a", SKU: "TEA", Unit: "EA", Place: Place{Location: bin, Status: Available}}
}

// TestTakeCount: what was found counts first, what others have stays, and who they are is said.
func TestTakeCount(t *testing.T) {
	b2 := Place{Location: "B-2", Status: Available}
	s := ApplyStock(Stock{Key: key},
		StockMoved{StockKey: key, Type: Receipt, From: Place{Location: Supplier}, To: bin, Quantity: n(5)},
		StockMoved{StockKey: key, Type: Receipt, From: Place{Location: Supplier}, To: b2, Quantity: n(5)},
		StockAllocated{StockKey: key, Order: "who_a", Line: 1, Parts: []Allocation{{"who_a", 1, bin, n(4)}}},
		StockReserved{StockKey: key, Claim: Claim{"clm:1", n(5)}},
	)
	facts, outcomes := TakeCount(s, key, "cnt_a", "CYCLE_COUNT", []CountChange{
		{Line: 1, Place: bin, Change: n(-2), At: t0},
		{Line: 2, Place: b2, Change: n(-2), At: t0},
		{Line: 3, Place: Place{Location: "B-3", Status: Available}, Change: n(1), At: t0},
	})
	want := `[{3  []} {1 STOCK_COMMITTED [who_a clm:1]} {2  []}]`
	if got := fmt.Sprint(outcomes); got != want || len(facts) != 2 || moved(facts, Adjustment) != 3 {
		t.Errorf("%s %+v", got, facts)
	}
	for _, f := range facts {
		if m := f.(StockMoved); m.Count != "cnt_a" || m.At != t0 || m.Reason != "CYCLE_COUNT" || m.reversible() {
			t.Errorf("%+v", m)
		}
	}
	facts, outcomes = TakeCount(s, key, "cnt_a", "R", []CountChange{{Line: 1, Place: Place{Location: "B-9", Status: Available}, Change: n(-1)}})
	if len(facts) > 0 || len(outcomes) != 1 || outcomes[0].Refusal != "INSUFFICIENT_STOCK" || len(outcomes[0].HeldBy) > 0 {
		t.Errorf("%+v %+v", facts, outcomes)
	}
}

// TestWhoCounts: what differs is counted again by another person, and posted by somebody who may
// and who counted none of it.
func TestWhoCounts(t *testing.T) {
	c := ApplyCount(Count{},
		CountPlanned{CountKeys: CountKeys{ID: "cnt_a", Site: "DC1", Owner: OwnStock}, Policy: CountPolicy{Recount: CountLimit{Quantity: n(1)}, Approval: CountLimit{Quantity: n(2)}}, Places: []CountPlace{at1("B-1"), at1("B-2")}},
		CountStarted{})
	submit := func(by string, q ...int64) error {
		t.Helper()
		s := Submission{By: by, At: t0}
		for i, x := range q {
			s.Places = append(s.Places, CountedPlace{CountPlace: at1(fmt.Sprintf("B-%d", i+1)), Quantity: n(x), Expected: n(10)})
		}
		facts, err := SubmitCount(c, s)
		c = ApplyCount(c, facts...)
		return err
	}
	reason := func(err error) string {
		f, _ := fault.As(err)
		if f == nil {
			return ""
		}
		return f.Reason
	}
	if err := submit("ann", 5, 9); err != nil || c.State() != CountInProgress || !c.Lines[0].Recount || c.Lines[1].Recount {
		t.Fatal(err, c)
	}
	if got := reason(submit("ann", 6)); got != "SAME_PERSON" {
		t.Errorf("counted again by the same person: %s", got)
	}
	if err := submit("ann", 5); err != nil || len(c.Lines[0].Countings) != 1 {
		t.Errorf("the same said again: %v %+v", err, c.Lines[0])
	}
	if err := submit("bob", 6); err != nil || c.State() != CountValidation {
		t.Fatal(err, c.State())
	}
	ledger := map[int]Ledger{1: {Expected: n(10)}, 2: {Expected: n(10)}}
	for by, want := range map[string]string{"ann": "SAME_PERSON", "bob": "SAME_PERSON", "eve": ""} {
		if _, err := ApproveCount(c, by, true, "CYCLE_COUNT", ledger); reason(err) != want {
			t.Errorf("%s: %v", by, err)
		}
	}
	if _, err := ApproveCount(c, "eve", false, "CYCLE_COUNT", ledger); reason(err) != "COUNT_LIMIT" {
		t.Errorf("without the role: %v", err)
	}
	ledger[1] = Ledger{Expected: n(7)} // picks were told late
	facts, err := ApproveCount(c, "ann", false, "CYCLE_COUNT", ledger)
	if err != nil || len(facts) != 1 || facts[0].(CountApproved).Adjustments[0].Variance != n(-1) {
		t.Errorf("%+v %v", facts, err)
	}
	ledger[1], ledger[2] = Ledger{Expected: n(10), Superseded: true}, Ledger{Expected: n(9)}
	if facts, err = ApproveCount(c, "ann", false, "CYCLE_COUNT", ledger); err != nil || len(facts) != 2 || ApplyCount(c, facts...).State() != CountComplete {
		t.Errorf("nothing to adjust: %+v %v", facts, err)
	}
}

// TestCountScope: a place is of the count's bins and items, or refused with its field.
func TestCountScope(t *testing.T) {
	c := ApplyCount(Count{}, CountPlanned{CountKeys: CountKeys{ID: "cnt_a"}, Locations: []string{"B-1"}, SKUs: []string{"TEA"}}, CountStarted{})
	pot := at1("B-1")
	pot.SKU = "POT"
	for name, p := range map[string]CountPlace{"another bin": at1("B-2"), "another item": pot} {
		_, err := SubmitCount(c, Submission{By: "ann", At: t0, Places: []CountedPlace{{CountPlace: at1("B-1")}, {CountPlace: p}}})
		if f, ok := fault.As(err); !ok || f.Reason != "COUNT_SCOPE" || len(f.Fields) != 1 || f.Fields[0].Path != "lines[1].location" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := SubmitCount(c, Submission{By: "ann", At: t0, Places: []CountedPlace{{CountPlace: at1("B-1")}, {CountPlace: at1("B-1")}}}); err == nil {
		t.Error("a place is there twice")
	}
	many := CountPlanned{CountKeys: CountKeys{ID: "cnt_b"}, Places: make([]CountPlace, maxCountLines+1)}
	if _, err := PlanCount(Count{}, many); err == nil {
		t.Error("too many places are taken")
	}
}

// countMachine drives a count at random; beside it stands what a clerk writes down.
type countMachine struct {
	count               Count
	facts               []CountFact
	books               map[string]*clerksLine // by bin
	begun, over, called bool
	open                map[string]bool // items whose adjustments are on their way
}

type clerksLine struct {
	planned, recount, posted bool
	by                       []string
	last, expected           int64
}

func (m *countMachine) do(facts ...CountFact) {
	for _, f := range facts {
		m.count, m.facts = EvolveCount(m.count, f), append(m.facts, f)
	}
}

func (m *countMachine) waits() bool {
	for _, l := range m.books {
		if l.recount || l.planned && len(l.by) == 0 {
			return true
		}
	}
	return false
}

func (m *countMachine) submit(t *rapid.T) {
	bin := rapid.SampledFrom([]string{"B-1", "B-2", "B-3"}).Draw(t, "bin")
	by := rapid.SampledFrom([]string{"ann", "bob", "eve"}).Draw(t, "by")
	q, expected := rapid.Int64Range(0, 6).Draw(t, "q"), rapid.Int64Range(0, 6).Draw(t, "expected")
	at := t0.Add(time.Duration(rapid.IntRange(0, 1).Draw(t, "later")) * time.Minute)
	facts, err := SubmitCount(m.count, Submission{By: by, At: at, Places: []CountedPlace{{CountPlace: at1(bin), Quantity: n(q), Expected: n(expected)}}})
	l := m.books[bin]
	may := m.begun && !m.over && !m.called && len(m.open) == 0
	again := l != nil && slices.Contains(l.by, by)
	switch {
	case !may && err == nil:
		t.Fatalf("counted although it is %s", m.count.State())
	case !may || err != nil && (again || l != nil && l.posted):
		return
	case err != nil:
		t.Fatalf("%s by %s: %v", bin, by, err)
	case len(facts) == 0 && again:
		return
	case again || l != nil && l.posted:
		t.Fatalf("%s counted %s twice: %+v", by, bin, facts)
	}
	if l == nil {
		l = &clerksLine{}
		m.books[bin] = l
	}
	diff := q - expected
	l.recount = len(l.by) == 0 && (diff > 1 || diff < -1)
	l.by, l.last, l.expected = append(l.by, by), q, expected
	m.do(facts...)
}

func (m *countMachine) approve(t *rapid.T) {
	by, may := rapid.SampledFrom([]string{"ann", "eve", "zoe"}).Draw(t, "by"), rapid.Bool().Draw(t, "may")
	ledger, needs, adjusts, anew := map[int]Ledger{}, "", false, false
	for i, l := range m.count.Lines {
		x := m.books[l.Place.Location]
		if len(x.by) == 0 || x.posted {
			continue
		}
		is := rapid.Int64Range(0, 6).Draw(t, "ledger")
		ledger[i+1] = Ledger{Expected: n(is), Corrected: rapid.IntRange(0, 4).Draw(t, "corrected since") == 0}
		if ledger[i+1].Corrected {
			anew = true
			continue
		}
		diff := x.last - is
		adjusts = adjusts || diff != 0
		if (diff > 2 || diff < -2) && needs == "" {
			if slices.Contains(x.by, by) {
				needs = "SAME_PERSON"
			} else if !may {
				needs = "COUNT_LIMIT"
			}
		}
	}
	facts, err := ApproveCount(m.count, by, may, "CYCLE_COUNT", ledger)
	if f, refused := fault.As(err); refused {
		ready := m.begun && !m.called && !m.over && !m.waits() && len(m.open) == 0
		if ready && f.Reason != needs {
			t.Fatalf("%v, want %q", err, needs)
		}
		return
	}
	if len(facts) == 0 {
		if !m.over && len(m.open) == 0 {
			t.Fatal("nothing came of it")
		}
		return
	}
	if !m.begun || m.called || m.over || m.waits() || len(m.open) > 0 || needs != "" {
		t.Fatalf("approved: %+v", facts)
	}
	for _, a := range facts[0].(CountApproved).Adjustments {
		x := m.books[a.Place.Location]
		if a.Variance != n(x.last).Sub(a.Expected) {
			t.Fatalf("%+v of %d", a, x.last)
		}
		switch {
		case a.Anew:
			x.by, x.recount = nil, true
		case a.Variance.IsZero():
			x.posted = true
		default:
			m.open["itm_a"] = true
		}
	}
	m.over = !adjusts && !anew
	m.do(facts...)
}

func (m *countMachine) adjusted(t *rapid.T) {
	attempt := m.count.Attempt - rapid.IntRange(0, 1).Draw(t, "of an earlier attempt")
	var outcomes []CountOutcome
	for i, l := range m.count.Lines {
		if l.Posting {
			o := CountOutcome{Line: i + 1}
			if rapid.Bool().Draw(t, "refused") {
				o.Refusal, o.HeldBy = "STOCK_COMMITTED", []string{"who_a"}
			}
			outcomes = append(outcomes, o)
		}
	}
	facts := RecordAdjusted(m.count, attempt, "itm_a", outcomes)
	if wanted := attempt == m.count.Attempt && len(m.open) > 0; wanted != (len(facts) > 0) {
		t.Fatalf("attempt %d of %d: %+v", attempt, m.count.Attempt, facts)
	}
	if len(facts) == 0 {
		return
	}
	all := true
	for _, o := range outcomes {
		m.books[m.count.Lines[o.Line-1].Place.Location].posted = o.Refusal == ""
		all = all && o.Refusal == ""
	}
	m.open, m.over = map[string]bool{}, all && !m.waits()
	m.do(facts...)
}

func (m *countMachine) cancel(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "seldom") > 0 {
		t.Skip("counts are to last a while")
	}
	facts, err := CancelCount(m.count, "REPLAN")
	if may := !m.over && len(m.open) == 0; may != (err == nil) || may && !m.called && len(facts) != 1 {
		t.Fatalf("cancelled: %+v %v", facts, err)
	}
	m.called = m.called || err == nil
	m.do(facts...)
}

func (m *countMachine) check(t *rapid.T) {
	if again := ApplyCount(Count{}, m.facts...); fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", m.count) {
		t.Fatalf("the facts give\n%+v\nthe state is\n%+v", again, m.count)
	}
	want := CountValidation
	switch {
	case m.called:
		want = CountCalledOff
	case m.over:
		want = CountComplete
	case !m.begun:
		want = CountIsPlanned
	case m.waits():
		want = CountInProgress
	}
	if got := m.count.State(); got != want || m.count.Posting() != (len(m.open) > 0) || len(m.count.Lines) != len(m.books) {
		t.Fatalf("it is %s, want %s: %+v", got, want, m.count)
	}
	for _, l := range m.count.Lines {
		x := m.books[l.Place.Location]
		if l.Recount != x.recount || l.Posted != x.posted || len(l.Countings) != len(x.by) {
			t.Fatalf("%+v, the clerk has %+v", l, x)
		}
	}
}

// Whatever is done in whatever order: nobody counts a place twice, nothing is posted that has to be
// counted again or by who may not, and nothing is posted twice.
func TestCountMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &countMachine{books: map[string]*clerksLine{"B-1": {planned: true}, "B-2": {planned: true}}, open: map[string]bool{}}
		f := CountPlanned{CountKeys: CountKeys{ID: "cnt_a", Site: "DC1", Owner: OwnStock}, Places: []CountPlace{at1("B-1"), at1("B-2")}}
		f.Policy = CountPolicy{Recount: CountLimit{Quantity: n(1)}, Approval: CountLimit{Quantity: n(2)}}
		facts, err := PlanCount(m.count, f)
		if err != nil {
			t.Fatal(err)
		}
		m.do(facts...)
		t.Repeat(map[string]func(*rapid.T){
			"start": func(t *rapid.T) {
				facts, err := StartCount(m.count)
				if may := !m.over && !m.called; may != (err == nil) {
					t.Fatal(facts, err)
				}
				m.begun = m.begun || err == nil
				m.do(facts...)
			},
			"submit": m.submit, "submit more": m.submit, "submit again": m.submit, "approve": m.approve, "adjusted": m.adjusted, "cancel": m.cancel, "": m.check,
		})
	})
}
