package domain

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// reversing is what was asked for and is not decided.
type reversing struct {
	cartons map[string]bool
	agreed  map[ReversalParty]bool
}

// open are the cartons that are neither issued nor void.
func (m *orderMachine) open() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(m.cartons)), func(sscc string) bool { return m.away[sscc] || m.void[sscc] })
}

// reverse: of what is issued, whole cartons, one request at a time, and not before they were issued.
func (m *orderMachine) reverse(t *rapid.T) {
	var sel Selection
	chosen, bad := map[string]bool{}, false
	switch rapid.IntRange(0, 2).Draw(t, "what") {
	case 0: // everything
		maps.Copy(chosen, m.away)
	case 1:
		for range rapid.IntRange(1, 2).Draw(t, "cartons") {
			sscc := rapid.SampledFrom([]string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}).Draw(t, "sscc")
			sel.Cartons, chosen[sscc] = append(sel.Cartons, sscc), true
			bad = bad || !m.away[sscc]
		}
	default:
		for range rapid.IntRange(1, 2).Draw(t, "lines") {
			sel.Lines = append(sel.Lines, rapid.SampledFrom([]int{1, 2, 3, 9}).Draw(t, "line"))
		}
		for _, number := range sel.Lines {
			bad = bad || m.lines[number] == nil || m.lines[number].issued == 0
		}
		for sscc := range m.away {
			for line := range m.cartons[sscc] {
				if slices.Contains(sel.Lines, line) {
					chosen[sscc] = true
				}
			}
		}
		for sscc := range chosen {
			for line := range m.cartons[sscc] {
				bad = bad || !slices.Contains(sel.Lines, line)
			}
		}
	}
	at := t0
	if rapid.IntRange(0, 9).Draw(t, "early") == 0 {
		at, bad = t0.Add(-1), true
	}
	bad = bad || m.cancelled || m.cancelling || m.asked != nil || len(m.away) == 0
	facts, err := RequestReversal(m.order, sel, "TRUCK_FULL", at)
	if !m.do(t, "reverse", bad, facts, err) {
		return
	}
	f := facts[0].(ReversalRequested)
	if m.attempts++; f.Attempt != m.attempts || !slices.Equal(slices.Sorted(slices.Values(f.Cartons)), slices.Sorted(maps.Keys(chosen))) {
		t.Fatalf("%+v, asked for %v the %d. time", f, chosen, m.attempts)
	}
	m.asked = &reversing{chosen, map[ReversalParty]bool{}}
}

// answer: the goods are back with the second yes, stay issued with the first no, and nothing comes of
// an answer to what is decided.
func (m *orderMachine) answer(t *rapid.T) {
	attempt := m.attempts - rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "late")
	party := rapid.SampledFrom([]ReversalParty{PartyOrder, PartyShipment}).Draw(t, "party")
	refused := rapid.SampledFrom([]string{"", "", "", "SHIPMENT_DISPATCHED"}).Draw(t, "refused")
	facts, err := AnswerReversal(m.order, attempt, party, refused)
	idle := m.asked == nil || attempt != m.attempts || m.asked.agreed[party]
	if idle != (len(facts) == 0) || err != nil {
		t.Fatalf("%s answers %q to attempt %d of %d: %+v %v", party, refused, attempt, m.attempts, facts, err)
	}
	if idle {
		return
	}
	m.do(t, "report", false, facts, nil)
	if refused != "" {
		m.only(t, "answer", ReversalDenied{}, facts)
		m.asked = nil
		return
	}
	if m.asked.agreed[party] = true; len(m.asked.agreed) < 2 {
		m.only(t, "answer", ReversalAgreed{}, facts)
		return
	}
	f, back := facts[len(facts)-1].(IssueReversed), map[int]int64{}
	for sscc := range m.asked.cartons {
		if !hasCarton(f.Cartons, sscc) {
			t.Fatalf("carton %s is not back: %+v", sscc, f)
		}
		delete(m.away, sscc)
		for line, q := range m.cartons[sscc] {
			m.lines[line].issued -= q
			back[line] += q
		}
	}
	for _, l := range f.Lines {
		back[l.Line] -= pieces(l.Quantity)
	}
	maps.DeleteFunc(back, func(_ int, q int64) bool { return q == 0 })
	if len(f.Cartons) != len(m.asked.cartons) || len(back) > 0 {
		t.Fatalf("%+v; cartons %v, %v too little", f, m.asked.cartons, back)
	}
	m.asked, m.gone = nil, false
}

// takeBack: what is taken back stands where it was issued from, lot by lot, no more of a movement than
// it moved, and can be issued again.
func (m *stockMachine) takeBack(t *rapid.T) {
	o := order(t)
	var booked []Movement
	issued := map[orderLine]int64{}
	for i, f := range m.facts {
		if f, ok := f.(StockMoved); ok && f.Order == o && (f.Type == Issue || f.Type == IssueReversal) {
			booked = append(booked, Movement{Ref: MoveRef{Version: uint64(i + 1)}, StockMoved: f})
			l := orderLine{o, f.Line}
			if f.Type == Issue {
				issued[l] += pieces(f.Quantity)
			} else {
				issued[l] -= pieces(f.Quantity)
			}
		}
	}
	l := m.line(t, o, func(l orderLine) int64 { return issued[l] })
	of := orderLine{o, l.Line}
	if pieces(l.Quantity) > issued[of] { // its warehouse order would not let it
		t.Skip("no more is taken back than was issued")
	}
	facts := TakeReversal(m.stock, key, o, []PickedLine{l}, booked, t0)
	for _, f := range facts {
		f := f.(StockMoved)
		i := slices.IndexFunc(booked, func(b Movement) bool { return b.Ref == f.Reverses })
		if i < 0 || booked[i].Type != Issue || booked[i].From != f.To || booked[i].To != f.From || booked[i].Line != f.Line {
			t.Fatalf("%+v takes back nothing of %+v", f, booked)
		}
	}
	if got := moved(facts, IssueReversal); n(got) != l.Quantity {
		t.Fatalf("%d of %s taken back", got, l.Quantity)
	}
	m.do(t, "TakeReversal", facts, nil)
	for i, b := range booked {
		left := b.Quantity
		for _, f := range m.facts {
			if f, ok := f.(StockMoved); ok && f.Type == IssueReversal && f.Reverses == b.Ref {
				left = left.Sub(f.Quantity)
			}
		}
		if left.Sign() < 0 {
			t.Fatalf("movement %d is taken back more than once: %+v", i, b)
		}
	}
}

// leave takes an order through its warehouse: all picked, in one or two cartons, and issued.
func (m *orderMachine) leave(t *rapid.T) {
	m.create(t)
	of := func(n func(*slip) int64) (lines []PickedLine) {
		for _, number := range slices.Sorted(maps.Keys(m.lines)) {
			if q := n(m.lines[number]); q > 0 {
				lines = append(lines, PickedLine{Line: number, Quantity: quantity.Int(q), Unit: "EA"})
			}
		}
		return lines
	}
	facts, err := TakeReport(m.order, picks(of((*slip).left)...))
	m.do(t, "report", false, facts, err)
	for _, l := range m.lines {
		l.picked = l.quantity
	}
	halves := of(func(l *slip) int64 { return l.picked / 2 })
	for i, lines := range [][]PickedLine{halves, of(func(l *slip) int64 { return l.picked - l.picked/2 })} {
		if len(lines) == 0 {
			continue
		}
		sscc := string(rune('1' + i))
		facts, err := Pack(m.order, Carton{SSCC: sscc, Weight: 100, Lines: lines})
		m.do(t, "pack", false, facts, err)
		m.cartons[sscc] = map[int]int64{}
		for _, l := range lines {
			m.lines[l.Line].packed += pieces(l.Quantity)
			m.cartons[sscc][l.Line] += pieces(l.Quantity)
		}
	}
	m.issue(t)
}

// backAll puts everything back that is to be.
func (m *orderMachine) backAll(t *rapid.T) {
	if m.state() != PuttingBack {
		t.Skip("nothing goes back")
	}
	var lines []PickedLine
	for _, number := range slices.Sorted(maps.Keys(m.lines)) {
		if q := m.lines[number].toIssue(); q > 0 {
			lines = append(lines, PickedLine{Line: number, Quantity: quantity.Int(q), Unit: "EA", Location: "B-1"})
		}
	}
	m.goBack(t, lines, false)
}

// Whatever is reversed of an order that left, issued again and put back, in whatever order: it is what
// the slip says.
func TestReversalsOfAWarehouseOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newOrderMachine()
		m.leave(t)
		t.Repeat(map[string]func(*rapid.T){
			"reverse": m.reverse, "reverse more": m.reverse, "answer": m.answer, "answer more": m.answer, "issue": m.issue, "cancel": m.cancel,
			"put back": m.putBack, "put all back": m.backAll, "refuse": m.refuse, "report": m.report, "": m.check,
		})
	})
}

// Whatever is issued, reversed and issued again of a stock in whatever order, it is what the books say.
func TestReversalsInStock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newStockMachine()
		t.Repeat(map[string]func(*rapid.T){
			"receive": m.receive, "pick": m.pick, "pick more": m.pick, "issue": m.issue, "issue more": m.issue,
			"reverse": m.reverse, "reverse more": m.reverse, "put back": m.putBack, "": m.check,
		})
	})
}
