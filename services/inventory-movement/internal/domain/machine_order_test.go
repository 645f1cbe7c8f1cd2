package domain

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
)

// orderMachine drives one warehouse order from nothing; beside it stands a slip of paper with
// what was to be done and was done of each line.
type orderMachine struct {
	order WarehouseOrder
	shown string
	facts []OrderFact

	lines                                   map[int]*slip
	came, allocated, acked, cancelled, gone bool
	cancelling, stopped, kept               bool
	cartons                                 map[string]map[int]int64 // what is in them, by line
	away, void                              map[string]bool
	asked                                   *reversing
	attempts                                int
	odd                                     map[oddity]int64 // contradicts the order
}

func newOrderMachine() *orderMachine {
	return &orderMachine{
		lines: map[int]*slip{}, cartons: map[string]map[int]int64{}, away: map[string]bool{}, void: map[string]bool{}, odd: map[oddity]int64{},
	}
}

type oddity struct {
	why  Contradicts
	line int
}

type slip struct{ quantity, picked, short, packed, back, issued, returned int64 }

// toIssue is what is picked and neither issued nor put back.
func (l *slip) toIssue() int64 { return l.picked - l.back - l.issued }

func (l *slip) left() int64 { return l.quantity - l.picked - l.short }

func (m *orderMachine) sum(of func(*slip) int64) (n int64) {
	for _, l := range m.lines {
		n += of(l)
	}
	return n
}

func (m *orderMachine) picked() int64 { return m.sum(func(l *slip) int64 { return l.picked }) }

// state is where the order stands by the slip.
func (m *orderMachine) state() OrderState {
	left := m.sum((*slip).left)
	packed := m.sum(func(l *slip) int64 { return l.packed })
	short := m.sum(func(l *slip) int64 { return l.short })
	switch {
	case m.cancelled:
		return Cancelled
	case !m.came:
		return ""
	case m.gone:
		return Issued
	case m.cancelling:
		return PuttingBack
	case left == 0 && packed > 0 && packed == m.picked():
		return Packed
	case left == 0:
		return Picked
	case m.picked()+short > 0:
		return Picking
	case m.acked:
		return Acknowledged
	case m.allocated:
		return Allocated
	}
	return Created
}

// do takes the outcome of a command; want says whether it is to be refused.
func (m *orderMachine) do(t *rapid.T, name string, refused bool, facts []OrderFact, err error) bool {
	if refused != (err != nil) || err != nil && (!fault.IsKind(err, fault.Refused, fault.Invalid) || len(facts) > 0) {
		t.Fatalf("%s in state %q: %v with %+v", name, m.state(), err, facts)
	}
	if m.order.State() == Cancelled && m.came && len(facts) > 0 && name != "report" {
		t.Fatalf("%s of a cancelled order: %+v", name, facts)
	}
	next := ApplyOrder(m.order, facts...)
	if now := fmt.Sprintf("%+v", m.order); m.shown != "" && now != m.shown {
		t.Fatalf("%s changed the old state:\n%s\n%s", name, m.shown, now)
	}
	m.order, m.facts, m.shown = next, append(m.facts, facts...), fmt.Sprintf("%+v", next)
	return err == nil
}

func (m *orderMachine) create(t *rapid.T) {
	f := OrderCreated{OrderKeys: twoLines().Keys, Site: "DC1"}
	for i := range rapid.IntRange(1, 3).Draw(t, "lines") {
		q := rapid.SampledFrom([]int64{1, 4, 10, 1_000_000_000}).Draw(t, "quantity")
		f.Lines = append(f.Lines, OrderLine{Number: i + 1, Item: "itm", SKU: "A", Quantity: twoLines().Lines[0].Quantity})
		f.Lines[i].Quantity.Value = n(q)
	}
	facts, err := CreateOrder(m.order, f)
	if m.came != (len(facts) == 0) {
		t.Fatalf("created, known before %t: %+v", m.came, facts)
	}
	m.do(t, "create", false, facts, err)
	if !m.came {
		for _, l := range f.Lines {
			m.lines[l.Number] = &slip{quantity: pieces(l.Quantity.Value)}
		}
		m.came = true
	}
}

func (m *orderMachine) tasks(t *rapid.T) {
	if !m.came {
		t.Skip("nothing to allocate")
	}
	facts, err := SetTasks(m.order, []Task{{Line: 1, Quantity: n(1)}, {Line: 9, Quantity: n(1)}})
	if m.allocated || m.cancelled {
		m.do(t, "tasks", false, facts, err)
		return
	}
	m.allocated = m.do(t, "tasks", false, facts, err)
}

func (m *orderMachine) acknowledge(t *rapid.T) {
	if !m.came {
		t.Skip("nothing to acknowledge")
	}
	facts, err := Acknowledge(m.order)
	m.acked = m.do(t, "acknowledge", m.cancelled && !m.acked, facts, err) || m.acked
}

// some draws lines of a report or carton, about as many as of tells; bad: one cannot be read.
func (m *orderMachine) some(t *rapid.T, of func(*slip) int64) (lines []PickedLine, bad bool) {
	for range rapid.IntRange(1, 3).Draw(t, "lines") {
		l := PickedLine{Line: rapid.SampledFrom([]int{1, 1, 2, 2, 3, 9}).Draw(t, "line"), Unit: "EA"}
		all := int64(3)
		if m.lines[l.Line] != nil {
			all = of(m.lines[l.Line])
		}
		l.Quantity = n(about(t, all))
		switch rapid.IntRange(0, 39).Draw(t, "cannot be") {
		case 0:
			l.Quantity, bad = n(0), true
		case 1:
			l.Unit, bad = "CS", bad || m.lines[l.Line] != nil // of no line of ours a case is a unit too
		case 2:
			l.Unit, bad = "BOXES", true
		}
		if lines = append(lines, l); rapid.IntRange(0, 3).Draw(t, "twice") == 0 {
			lines = append(lines, l)
		}
	}
	return lines, bad
}

func (m *orderMachine) report(t *rapid.T) {
	if !m.came && !m.cancelled {
		t.Skip("nobody knows the order")
	}
	lines, bad := m.some(t, (*slip).left)
	r := picks(lines...)
	if rapid.IntRange(0, 2).Draw(t, "short") == 0 {
		r = shorts(lines...)
	}
	facts, err := TakeReport(m.order, r)
	if !m.do(t, "report", bad, facts, err) {
		return
	}
	for _, l := range lines {
		q := pieces(l.Quantity)
		on := m.lines[l.Line]
		switch {
		case m.cancelled:
			m.odd[oddity{"AFTER_CANCEL", l.Line}] += q
		case m.gone:
			m.odd[oddity{"AFTER_ISSUE", l.Line}] += q
		case on == nil:
			m.odd[oddity{"UNKNOWN_LINE", l.Line}] += q
		case r.Kind == PickReport:
			m.odd[oddity{"OVER_PICK", l.Line}] += max(0, q-on.left())
			on.picked += min(q, on.left())
		default:
			m.odd[oddity{"OVER_SHORT", l.Line}] += max(0, q-on.left())
			on.short += min(q, on.left())
		}
	}
}

func (m *orderMachine) pack(t *rapid.T) {
	lines, bad := m.some(t, func(l *slip) int64 { return l.picked - l.packed })
	if all := rapid.IntRange(0, 3).Draw(t, "all"); all > 0 { // that is picked, or more than that
		lines, bad = nil, false
		for number, l := range m.lines {
			if q := l.picked - l.packed; q > 0 {
				lines = append(lines, PickedLine{Line: number, Quantity: n(q), Unit: "EA"})
			}
		}
		slices.SortFunc(lines, func(a, b PickedLine) int { return a.Line - b.Line })
		if all == 1 && len(lines) > 0 {
			lines = append(lines, lines[0])
		}
	}
	sums := map[int]int64{}
	for _, l := range lines {
		sums[l.Line] += pieces(l.Quantity)
		bad = bad || m.lines[l.Line] == nil || sums[l.Line] > m.lines[l.Line].picked-m.lines[l.Line].packed
	}
	c := Carton{SSCC: rapid.SampledFrom([]string{"1", "2", "3", "4", "5", "6", "7", "8"}).Draw(t, "sscc"), Weight: 100, Lines: lines}
	bad = bad || m.cartons[c.SSCC] != nil || m.cancelled || m.cancelling || m.gone || !m.came
	facts, err := Pack(m.order, c)
	if m.do(t, "pack", bad, facts, err) {
		m.cartons[c.SSCC] = sums
		for line, q := range sums {
			m.lines[line].packed += q
		}
	}
}

// issue: what leaves is what was picked, all of it in cartons, and it leaves once.
func (m *orderMachine) issue(t *rapid.T) {
	facts, err := IssueGoods(m.order, t0)
	if !m.do(t, "issue", m.state() != Packed && m.state() != Issued, facts, err) || m.gone {
		return
	}
	f := facts[0].(GoodsIssued)
	left, inCartons := map[int]int64{}, map[int]int64{}
	for _, l := range f.Lines {
		left[l.Line] += pieces(l.Quantity)
	}
	for _, c := range f.Cartons {
		for _, l := range c.Lines {
			inCartons[l.Line] += pieces(l.Quantity)
		}
	}
	for number, l := range m.lines {
		if left[number] != l.toIssue() || inCartons[number] != l.toIssue() {
			t.Fatalf("of line %d %d were to leave, %d are in cartons and %d left", number, l.toIssue(), inCartons[number], left[number])
		}
		l.issued += l.toIssue()
	}
	open := m.open()
	if len(f.Cartons) != len(open) || f.Weight != int64(100*len(open)) {
		t.Fatalf("%d cartons left with %d g, %v were open", len(f.Cartons), f.Weight, open)
	}
	for _, sscc := range open {
		m.away[sscc] = true
	}
	m.gone = true
}

// anyFact: a fact of any kind can be folded onto any state, and leaves that state alone.
func (m *orderMachine) anyFact(t *rapid.T) {
	odd := []PickedLine{{Line: 1, Quantity: n(7)}, {Line: 99, Quantity: n(1)}}
	f := rapid.SampledFrom(slices.Concat([]OrderFact{
		OrderCreated{},
		OrderAllocated{Tasks: []Task{{Line: 99}}},
		OrderAcknowledged{},
		PickConfirmed{Lines: odd},
		PickShorted{Lines: odd},
		ReportContradicted{Report: Report{Lines: odd}},
		CartonPacked{Carton: Carton{Lines: odd}},
		GoodsIssued{},
		OrderCancelled{},
		CancelRefused{},
		PutBackStarted{Reason: "?"},
		PutBackConfirmed{Lines: odd},
		OrderStopped{},
		StopRefused{},
		StockKept{},
		OrderAmended{Version: 1, Lines: []AmendedLine{{Line: 1, Quantity: twoLines().Lines[0].Quantity}, {Line: 99}}},
		AmendmentRefused{},
		ReversalRequested{Attempt: 9, Cartons: []string{"?"}},
		ReversalAgreed{Attempt: 1},
		ReversalDenied{Attempt: 1},
		IssueReversed{Lines: odd, Cartons: []Carton{{SSCC: "?"}}},
		RestCancelled{Voided: []string{"?"}},
	}, m.facts)).Draw(t, "fact")
	_ = EvolveOrder(m.order, f).State()
}

func (m *orderMachine) check(t *rapid.T) {
	if m.order.State() != m.state() {
		t.Fatalf("the order is %q, the slip says %q: %+v", m.order.State(), m.state(), m.order)
	}
	if again := ApplyOrder(WarehouseOrder{}, m.facts...); fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", m.order) {
		t.Fatalf("the facts give\n%+v\nthe state is\n%+v", again, m.order)
	}
	if len(m.order.Lines) != len(m.lines) || len(m.order.Cartons) != len(m.cartons) {
		t.Fatalf("%+v", m.order)
	}
	for _, l := range m.order.Lines {
		want := m.lines[l.Number]
		if got := (slip{pieces(l.Quantity.Value), pieces(l.Picked), pieces(l.Short), pieces(l.Packed), pieces(l.PutBack), pieces(l.Issued), pieces(l.Returned)}); got != *want {
			t.Fatalf("line %d is %+v, the slip has %+v", l.Number, got, *want)
		}
		if want.left() < 0 || want.packed > want.picked || want.toIssue() < 0 || want.issued > want.packed {
			t.Fatalf("line %d: %+v", l.Number, *want)
		}
	}
	kept, told := map[oddity]int64{}, 0
	for _, f := range m.facts {
		if f, ok := f.(ReportContradicted); ok {
			for _, l := range f.Lines {
				kept[oddity{f.Reason, l.Line}] += pieces(l.Quantity)
				told++
			}
		}
	}
	maps.DeleteFunc(m.odd, func(_ oddity, q int64) bool { return q == 0 })
	if !maps.Equal(kept, m.odd) {
		t.Fatalf("%v contradict the order, %v are kept", m.odd, kept)
	}
	if told != m.order.Contradicted {
		t.Fatalf("%d lines contradict, %d are counted", told, m.order.Contradicted)
	}
}

// Whatever is asked and reported of a warehouse order in whatever order: it is what the slip
// says, each piece reported is done or kept as a contradiction, and an end stays the end.
func TestLifeOfAWarehouseOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newOrderMachine()
		if rapid.IntRange(0, 3).Draw(t, "heard of later") > 0 {
			m.create(t)
		}
		t.Repeat(map[string]func(*rapid.T){
			"create": m.create, "allocate": m.tasks, "acknowledge": m.acknowledge, "report": m.report, "report more": m.report,
			"pack": m.pack, "pack more": m.pack, "issue": m.issue, "cancel": m.cancel, "stop": m.stop, "amend": m.amend,
			"put back": m.putBack, "put back more": m.putBack, "refuse": m.refuse, "reverse": m.reverse, "answer": m.answer, "answer more": m.answer, "keep": m.keep, "any fact": m.anyFact, "": m.check,
		})
	})
}

// No number of a prefix is handed out twice, none beyond the last, and each is read back from
// its SSCC; an SSCC that a warehouse gave itself belongs to the first order that claims it.
func TestNumbersAreHandedOutOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"401234512345", "4012345123"}).Draw(t, "prefix")
		last := map[string]int64{"401234512345": 99_999, "4012345123": 9_999_999}[prefix]
		var numbers Numbers
		var foreign ForeignSSCC
		var handed int64
		owner := ""
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				count := rapid.SampledFrom([]int64{1, 100, last / 3, last - handed - 1, last - handed, last}).Draw(t, "count")
				if count < 1 {
					t.Skip("nobody asks for none")
				}
				facts, err := TakeNumbers(numbers, prefix, count)
				if handed == last {
					if f, ok := fault.As(err); !ok || f.Reason != "SSCC_EXHAUSTED" || len(facts) > 0 {
						t.Fatalf("more than there are: %+v %v", facts, err)
					}
					return
				}
				if got := facts[0].(NumbersTaken); err != nil || len(facts) != 1 || got.First != handed+1 || got.Last != min(handed+count, last) {
					t.Fatalf("%d of %s after %d: %+v %v", count, prefix, handed, facts, err)
				}
				handed = min(handed+count, last)
				numbers = EvolveNumbers(numbers, facts[0])
				sscc, err := SSCC(prefix, handed)
				if back, ok := NumberOf(prefix, sscc); err != nil || !ok || back != handed {
					t.Fatalf("%d is %s is %d: %v", handed, sscc, back, err)
				}
				if _, err := gs1.ParseSSCC(sscc); err != nil {
					t.Fatal(err)
				}
			},
			"claim": func(t *rapid.T) {
				by := order(t)
				facts, err := ClaimSSCC(foreign, "340123450000000018", by)
				if taken := owner != "" && owner != by; taken != fault.IsKind(err, fault.Refused) || (owner == "") != (len(facts) == 1) {
					t.Fatalf("%s claims what %q has: %+v %v", by, owner, facts, err)
				}
				for _, f := range facts {
					foreign, owner = EvolveSSCC(foreign, f), by
				}
			},
			"": func(t *rapid.T) {
				if numbers.Last != handed || foreign.Order != owner {
					t.Fatalf("%+v after %d, %+v of %q", numbers, handed, foreign, owner)
				}
			},
		})
	})
}
