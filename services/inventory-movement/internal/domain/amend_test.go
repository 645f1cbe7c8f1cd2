package domain

import (
	"testing"

	"pgregory.net/rapid"
)

// amend: all that is asked for, or nothing, once, of an order that the warehouse still works on.
func (m *orderMachine) amend(t *rapid.T) {
	if !m.came {
		t.Skip("nothing to amend")
	}
	version := m.order.Current() + rapid.IntRange(0, 1).Draw(t, "version")
	a := Amendment{OrderKeys: twoLines().Keys, Version: version}
	wants, possible := map[int]int64{}, true
	for range rapid.IntRange(1, 2).Draw(t, "lines") {
		number := rapid.SampledFrom([]int{1, 1, 2, 3, 9}).Draw(t, "line")
		l := m.lines[number]
		if _, twice := wants[number]; twice {
			continue
		}
		if l == nil {
			a.Lines, possible = append(a.Lines, LineAmendment{number, n(1), n(0)}), false
			continue
		}
		live := l.quantity - l.short
		from := live - rapid.SampledFrom([]int64{0, 0, 0, 1}).Draw(t, "believed less by")
		to := from - rapid.Int64Range(0, max(0, from)).Draw(t, "off")
		a.Lines = append(a.Lines, LineAmendment{number, n(from), n(to)})
		wants[number], possible = to, possible && from == live && to >= l.picked
	}
	switch m.state() {
	case Created, Allocated, Acknowledged, Picking:
	default:
		possible = false
	}
	facts := Amend(m.order, a)
	want := OrderFact(OrderAmended{})
	switch {
	case version == m.order.Current():
		want = nil
	case !possible:
		want = AmendmentRefused{}
	}
	m.only(t, "amend", want, facts)
	m.do(t, "report", false, facts, nil)
	if !is[OrderAmended](want) {
		return
	}
	for number, to := range wants {
		m.lines[number].quantity = to + m.lines[number].short
	}
	if m.order.Current() != version {
		t.Fatalf("version %d, want %d", m.order.Current(), version)
	}
	for _, task := range m.order.Tasks {
		if l := m.lines[task.Line]; l != nil && pieces(task.Quantity) > l.quantity {
			t.Fatalf("%s are to be picked of line %d, which wants %d", task.Quantity, task.Line, l.quantity)
		}
	}
	if twice := Amend(m.order, a); len(twice) > 0 {
		t.Fatalf("amended twice: %+v", twice)
	}
}

// amend frees what is allocated to a line beyond what is still to be picked, and keeps the first of it.
func (m *stockMachine) amend(t *rapid.T) {
	o := order(t)
	l := orderLine{o, rapid.IntRange(1, 2).Draw(t, "line")}
	had := m.books.of(l)
	open := rapid.Int64Range(0, had+1).Draw(t, "open")
	before := m.stock.AllocatedTo(o, l.line)
	facts := TakeAmendment(m.stock, key, o, l.line, n(open))
	if (len(facts) > 0) != (open < had) {
		t.Fatalf("%d are allocated, %d are to be: %+v", had, open, facts)
	}
	m.do(t, "TakeAmendment", facts, nil)
	if got := m.books.of(l); got != min(had, open) {
		t.Fatalf("%d stay allocated of %d, want %d", got, had, open)
	}
	for i, a := range m.stock.AllocatedTo(o, l.line) {
		if a.Place != before[i].Place {
			t.Fatalf("%v stays, %v was first", a, before[i])
		}
	}
}

// TestAmendedBeforeItsTasks: what is taken off before the tasks are told is in none of them.
func TestAmendedBeforeItsTasks(t *testing.T) {
	o := twoLines()
	o = ApplyOrder(o, Amend(o, Amendment{OrderKeys: o.Keys, Version: 2, Lines: []LineAmendment{{1, n(10), n(6)}, {2, n(4), n(0)}}})...)
	facts, err := SetTasks(o, []Task{{Line: 1, Location: "A", Quantity: n(5)}, {Line: 1, Location: "B", Quantity: n(4)}, {Line: 2, Quantity: n(3)}},
		Lack{Line: 1, Quantity: n(1)}, Lack{Line: 2, Quantity: n(1)})
	if err != nil {
		t.Fatal(err)
	}
	o = ApplyOrder(o, facts...)
	if len(o.Tasks) != 2 || o.Tasks[1].Quantity != n(1) || o.Lines[0].Allocated != n(6) || len(o.Lacks) > 0 {
		t.Errorf("%+v", o)
	}
	if facts := Amend(ApplyOrder(o, PickConfirmed{Lines: []PickedLine{picked(1, 6)}}), Amendment{OrderKeys: o.Keys, Version: 3, Lines: []LineAmendment{{1, n(6), n(5)}}}); !is[AmendmentRefused](facts[0]) {
		t.Errorf("%+v", facts)
	}
}
