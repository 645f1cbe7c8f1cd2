package domain

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"
)

// cancel: at once while nothing was picked, and before the order comes; after the first pick what
// is picked is to be put back; a goods issue stays.
func (m *orderMachine) cancel(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "seldom") > 0 {
		t.Skip("orders are to last a while")
	}
	facts, err := Cancel(m.order, twoLines().Keys, "changed mind")
	want := OrderFact(OrderCancelled{})
	switch {
	case m.cancelled || m.cancelling:
		want = nil
	case m.gone:
		want = CancelRefused{}
	case m.picked() > 0:
		want = PutBackStarted{}
	}
	m.only(t, "cancel", want, facts)
	m.do(t, "cancel", false, facts, err)
	m.cancelled, m.cancelling = m.cancelled || is[OrderCancelled](want), m.cancelling || is[PutBackStarted](want)
}

// stop: at once before the first pick, refused after it.
func (m *orderMachine) stop(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "seldom") > 0 {
		t.Skip("orders are to last a while")
	}
	facts, err := Stop(m.order, twoLines().Keys, "HOLD_CREDIT")
	want := OrderFact(OrderStopped{})
	switch {
	case m.cancelled:
		want = nil
	case m.gone || m.picked() > 0:
		want = StopRefused{}
	}
	m.only(t, "stop", want, facts)
	m.do(t, "stop", false, facts, err)
	if is[OrderStopped](want) {
		m.cancelled, m.stopped = true, true
	}
}

// keep: a stopped order is told once what its stock has become.
func (m *orderMachine) keep(t *rapid.T) {
	facts, err := SetKept(m.order, []KeptClaim{{Key: "clm:x"}})
	want := OrderFact(StockKept{})
	if m.kept || !m.stopped {
		want = nil
	}
	m.only(t, "keep", want, facts)
	m.do(t, "report", false, facts, err)
	m.kept = m.kept || m.stopped
}

// refuse: the warehouse may go on while nothing is put back.
func (m *orderMachine) refuse(t *rapid.T) {
	facts, err := RefuseCancellation(m.order, "LOADED")
	refused := m.state() != PuttingBack || m.sum(func(l *slip) int64 { return l.back - l.returned }) > 0
	if m.do(t, "refuse", refused, facts, err) {
		m.cancelling = false
	}
}

// putBack: as much as is picked, on the sum of the report, each line in a bin; with the last piece
// the order is over.
func (m *orderMachine) putBack(t *rapid.T) {
	lines, bad := m.some(t, (*slip).toIssue)
	for i := range lines {
		if lines[i].Location = "B-1"; rapid.IntRange(0, 19).Draw(t, "nowhere") == 0 {
			lines[i].Location, bad = "", true
		}
	}
	m.goBack(t, lines, bad)
}

// goBack puts lines back; bad: they cannot be read.
func (m *orderMachine) goBack(t *rapid.T, lines []PickedLine, bad bool) {
	sums := map[int]int64{}
	for _, l := range lines {
		sums[l.Line] += pieces(l.Quantity)
	}
	for line, q := range sums {
		bad = bad || m.lines[line] == nil || q > m.lines[line].toIssue()
	}
	facts, err := PutBack(m.order, lines, t0)
	if !m.do(t, "putBack", bad || m.state() != PuttingBack, facts, err) {
		return
	}
	for line, q := range sums {
		m.lines[line].back += q
	}
	if m.sum((*slip).toIssue) > 0 {
		return
	}
	var back []PickedLine
	var voided []string
	rest := m.sum(func(l *slip) int64 { return l.issued }) > 0 // stays issued
	switch f := facts[len(facts)-1].(type) {
	case OrderCancelled:
		back, voided, m.cancelled = f.PutBack, f.Voided, true
	case RestCancelled:
		back, voided, m.gone = f.PutBack, f.Voided, true
	}
	if open := m.open(); m.cancelled == rest || !slices.Equal(slices.Sorted(slices.Values(voided)), open) {
		t.Fatalf("everything is put back, %v were open: %+v", open, facts)
	}
	for _, l := range back {
		if pieces(l.Quantity) != m.lines[l.Line].back-m.lines[l.Line].returned {
			t.Fatalf("%+v was put back of line %d, the slip has %+v", l, l.Line, *m.lines[l.Line])
		}
	}
	for _, sscc := range voided {
		m.void[sscc] = true
	}
	for _, l := range m.lines {
		if rest {
			l.returned = l.back
		}
	}
	m.cancelling = false
}

// only holds the facts of a step against the one that it has to have, of whatever content; nil for none.
func (m *orderMachine) only(t *rapid.T, step string, want OrderFact, facts []OrderFact) {
	if want == nil && len(facts) > 0 || want != nil && (len(facts) != 1 || fmt.Sprintf("%T", facts[0]) != fmt.Sprintf("%T", want)) {
		t.Fatalf("%s in state %q with %d picked: %+v, want %T", step, m.state(), m.picked(), facts, want)
	}
}

func is[F OrderFact](f OrderFact) bool {
	_, ok := f.(F)
	return ok
}

// putBack: all that is reported stands in the bin that it names, and what stood in PACKING for the
// line stands there no more.
func (m *stockMachine) putBack(t *rapid.T) {
	o := order(t)
	l := m.line(t, o, func(l orderLine) int64 { return m.books.packed[l] })
	l.Location = "B-1"
	had := m.books.packed[orderLine{o, l.Line}]
	facts := TakePutBack(m.stock, key, o, l, t0)
	if got := moved(facts, BackInBin); n(got) != l.Quantity {
		t.Fatalf("%d put back of %s", got, l.Quantity)
	}
	m.do(t, "TakePutBack", facts, nil)
	if left := m.books.packed[orderLine{o, l.Line}]; left != max(0, had-pieces(l.Quantity)) {
		t.Fatalf("%d stood in PACKING, %s are put back, %d are left", had, l.Quantity, left)
	}
}

// keep: what is allocated to an order becomes a claim of the same size, and nothing can be
// promised to others meanwhile.
func (m *stockMachine) keep(t *rapid.T) {
	if rapid.IntRange(0, 4).Draw(t, "seldom") > 0 {
		t.Skip("orders are to last a while")
	}
	o := order(t)
	had := m.books.of(orderLine{o, 1}) + m.books.of(orderLine{o, 2})
	_, before := m.books.free("")
	over := m.books.closed[o]
	facts := Keep(m.stock, key, o, "clm:kept-"+o)
	m.do(t, "Keep", facts, nil)
	switch {
	case over && len(facts) > 0:
		t.Fatalf("kept of an order that is over: %+v", facts)
	case !over && m.books.claims["clm:kept-"+o] != had:
		t.Fatalf("%d were allocated, %d are kept", had, m.books.claims["clm:kept-"+o])
	}
	if _, after := m.books.free(""); after != before {
		t.Fatalf("%d could be promised before it was kept, %d after", before, after)
	}
}
