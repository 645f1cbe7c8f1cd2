package domain

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

var machinePlaces = []Place{
	bin,
	{Location: "B-2", Status: Available},
	{Location: "B-2", Lot: "L", Expiry: "2026-09-01", Status: Available},
	{Location: "B-1", Status: Damaged},
	{Location: "B-1", Lot: "L", Status: Returned},
}

func place(t *rapid.T) Place  { return rapid.SampledFrom(machinePlaces).Draw(t, "place") }
func order(t *rapid.T) string { return rapid.SampledFrom([]string{"who_a", "who_b"}).Draw(t, "order") }

func today(t *rapid.T) string {
	return rapid.SampledFrom([]string{"2026-03-02", "2026-10-01"}).Draw(t, "today")
}

// rule draws what may be promised and allocated: what lives on a day, or some time longer, in
// some order.
func rule(t *rapid.T) Rule {
	r := Rule{Today: today(t), Strategy: rapid.SampledFrom(Strategies).Draw(t, "strategy")}
	if rapid.Bool().Draw(t, "to live") {
		r.Until = rapid.SampledFrom([]string{"2026-08-31", "2026-09-01", "2026-09-02", "2027-01-01"}).Draw(t, "until")
	}
	return r
}

func someClaim(t *rapid.T) string {
	return rapid.SampledFrom([]string{"clm:1", "clm:2", "clm:3", "clm:4", "clm:5", "clm:6"}).Draw(t, "claim")
}

// spent is a claim of an order, or a reservation that it takes over.
func spent(t *rapid.T) string {
	if rapid.IntRange(0, 3).Draw(t, "booked") == 0 {
		return ClaimOf(reference(t))
	}
	return someClaim(t)
}

// about draws a quantity of something: all that there is, one beside, one, some or far too much.
func about(t *rapid.T, all int64) int64 {
	return max(1, rapid.SampledFrom([]int64{all, all, all - 1, all + 1, all / 2, 1, 7, 1_000_000_000}).Draw(t, "q"))
}

func (m *stockMachine) at(p Place) int64 { return m.books.stands[m.stock.dated(p)] }

func (m *stockMachine) receive(t *rapid.T) {
	q := rapid.SampledFrom([]int64{1, 5, 12, 1_000_000}).Draw(t, "q")
	at := t0.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "hours")) * time.Hour)
	facts, err := Received(m.stock, key, place(t), n(q), "", at)
	if got := moved(facts, Receipt); got != q || err != nil {
		t.Fatalf("received %d of %d: %v", got, q, err)
	}
	m.do(t, "Received", facts, err)
}

func (m *stockMachine) reserve(t *rapid.T) {
	by, c, partial := rule(t), someClaim(t), rapid.Bool().Draw(t, "partial")
	atp := m.books.promisable(by.Day())
	q := about(t, atp)
	facts, err := Reserve(m.stock, key, Claim{c, n(q)}, partial, by)
	m.refusedFor(t, by, q, err)
	_, held := m.books.claims[c]
	want := min(q, max(atp, 0))
	switch refused := m.books.closed[c] || !held && (want == 0 || want < q && !partial); {
	case refused != fault.IsKind(err, fault.Refused), held && len(facts) > 0:
		t.Fatalf("%d for claim %s, %d can be promised: %+v %v", q, c, atp, facts, err)
	case !refused && !held && (len(facts) != 1 || facts[0].(StockReserved).Claim != Claim{c, n(want)}):
		t.Fatalf("claim %s got %+v, want %d", c, facts, want)
	}
	m.do(t, "Reserve", facts, err)
}

func (m *stockMachine) release(t *rapid.T) {
	c := someClaim(t)
	if rapid.IntRange(0, 2).Draw(t, "seldom") > 0 {
		t.Skip("claims are to last a while")
	}
	facts, err := Release(m.stock, key, c)
	if m.books.closed[c] != (len(facts) == 0) {
		t.Fatalf("claim %s, closed %t, is released with %+v", c, m.books.closed[c], facts)
	}
	m.do(t, "Release", facts, err)
}

// refusedFor: what would do today and does not live long enough is refused for that.
func (m *stockMachine) refusedFor(t *rapid.T, by Rule, q int64, err error) {
	f, ok := fault.As(err)
	if !ok || f.Reason == "CLAIM_CLOSED" {
		return
	}
	now := m.books.promisable(by.Today)
	if life := by.Until > by.Today && now >= q; (f.Reason == "REMAINING_LIFE") != life {
		t.Fatalf("%d of %d that live today, by %+v: %v", q, now, by, err)
	}
}

// allocate: a line gets what it wants, as far as its claims and free stock go, first what expires first.
func (m *stockMachine) allocate(t *rapid.T) {
	o, by := order(t), rule(t)
	free, _ := m.books.free("")
	atp := m.books.promisable("")
	wanted := []Wanted{
		{1, n(about(t, free)), []Claim{{spent(t), n(about(t, atp))}}},
		{2, n(about(t, free)), []Claim{{spent(t), n(about(t, 5))}, {spent(t), n(3)}}},
	}
	facts := Allocate(m.stock, key, o, wanted, by)
	if m.books.closed[o] && len(facts) > 0 {
		t.Fatalf("allocated to an order that is over: %+v", facts)
	}
	had := map[int]int64{1: m.books.of(orderLine{o, 1}), 2: m.books.of(orderLine{o, 2})}
	for _, f := range facts {
		m.allocated(t, f.(StockAllocated), wanted, had, by)
		m.do(t, "Allocate", []StockFact{f}, nil)
	}
	if twice := Allocate(m.stock, key, o, wanted[:1], by); m.books.of(orderLine{o, 1}) > 0 && len(twice) > 0 {
		t.Fatalf("allocated a second time: %+v", twice)
	}
}

// allocated holds one line's allocation against the books as they are before it.
func (m *stockMachine) allocated(t *rapid.T, f StockAllocated, wanted []Wanted, had map[int]int64, by Rule) {
	day, w := by.Day(), wanted[f.Line-1]
	covered, got, last := int64(0), int64(0), int64(0)
	left := map[string]int64{}
	for _, c := range m.stock.Claims {
		left[c.Key] = m.books.claims[c.Key]
	}
	for _, c := range w.Claims {
		part := min(left[c.Key], pieces(c.Quantity))
		left[c.Key] -= part
		covered += part
	}
	expiry := ""
	for i, p := range f.Parts {
		got += pieces(p.Quantity)
		if !promisable(p.Place, day) || by.Strategy == FEFO && expiry == "" && p.Place.Expiry != "" && got > pieces(p.Quantity) {
			t.Fatalf("%+v by %+v", f, by)
		}
		expiry = p.Place.Expiry
		age := m.books.since[p.Place]
		if i > 0 && (by.Strategy == FIFO && age < last || by.Strategy == LIFO && age > last) {
			t.Fatalf("%+v takes what was received at %d after %d", f, age, last)
		}
		last = age
	}
	atp := max(0, m.books.promisable(""))
	fresh, _ := m.books.free(day)
	if want := min(pieces(w.Quantity), covered+atp, max(fresh, 0)); got != want || had[f.Line] > 0 {
		t.Fatalf("line %d had %d and got %d, want %d: %d promised to it, %d to nobody", f.Line, had[f.Line], got, want, covered, atp)
	}
}

func (m *stockMachine) line(t *rapid.T, o string, all func(orderLine) int64) PickedLine {
	l := PickedLine{Line: rapid.IntRange(1, 2).Draw(t, "line")}
	l.Quantity = n(about(t, all(orderLine{o, l.Line})))
	if rapid.IntRange(0, 2).Draw(t, "located") == 0 {
		l.Location = place(t).Location
	}
	if rapid.IntRange(0, 3).Draw(t, "lotted") == 0 {
		l.Lot = place(t).Lot
	}
	return l
}

// pick: all that is reported stands in PACKING afterwards, and the line keeps no more allocated
// than is still to be picked of it.
func (m *stockMachine) pick(t *rapid.T) {
	o := order(t)
	l := m.line(t, o, m.books.of)
	had := m.books.of(orderLine{o, l.Line})
	facts := TakePick(m.stock, key, o, l, t0)
	if got := moved(facts, Pick); n(got) != l.Quantity {
		t.Fatalf("%d picked of %s", got, l.Quantity)
	}
	m.do(t, "TakePick", facts, nil)
	if left := m.books.of(orderLine{o, l.Line}); left != max(0, had-pieces(l.Quantity)) {
		t.Fatalf("%d were allocated, %s picked, %d are left", had, l.Quantity, left)
	}
}

func (m *stockMachine) issue(t *rapid.T) {
	o := order(t)
	l := m.line(t, o, func(l orderLine) int64 { return m.books.packed[l] })
	facts := TakeIssue(m.stock, key, o, l, t0)
	if got := moved(facts, Issue); n(got) != l.Quantity {
		t.Fatalf("%d issued of %s", got, l.Quantity)
	}
	m.do(t, "TakeIssue", facts, nil)
	if left := m.books.of(orderLine{o, l.Line}); left != 0 {
		t.Fatalf("%d are allocated to a line that has left", left)
	}
}

func (m *stockMachine) short(t *rapid.T) {
	o := order(t)
	l := m.line(t, o, m.books.of)
	had := m.books.of(orderLine{o, l.Line})
	facts := TakeShort(m.stock, key, o, l, rapid.Bool().Draw(t, "damaged"), t0)
	if got := moved(facts, Adjustment); l.Quantity.Less(n(got)) {
		t.Fatalf("%d taken off, %s were short", got, l.Quantity)
	}
	m.do(t, "TakeShort", facts, nil)
	if left := m.books.of(orderLine{o, l.Line}); left != max(0, had-pieces(l.Quantity)) {
		t.Fatalf("%d were allocated, %s short, %d are left", had, l.Quantity, left)
	}
}

// adjust: found goods always count; what is allocated or promised cannot be counted away.
func (m *stockMachine) adjust(t *rapid.T) {
	p := place(t)
	q, less := about(t, m.at(p)), rapid.Bool().Draw(t, "less")
	change := n(q)
	if less {
		change = n(-q)
	}
	facts, err := Adjust(m.stock, key, p, change, "COUNT", t0)
	if refused := less && !m.spares(p, q); refused != (err != nil) || !refused && moved(facts, Adjustment) != q {
		t.Fatalf("%s at %+v of %d: %+v %v", change, p, m.at(p), facts, err)
	}
	m.do(t, "Adjust", facts, err)
}

// spares reports whether a quantity can be taken away: nobody has it.
func (m *stockMachine) spares(p Place, q int64) bool {
	p = m.stock.dated(p)
	free := m.books.stands[p]
	for _, a := range m.books.allocated {
		if a.place == p {
			free -= a.quantity
		}
	}
	_, atp := m.books.free("")
	return q <= free && (!promisable(p, "") || q <= atp)
}

func (m *stockMachine) move(t *rapid.T) {
	from, to := place(t), place(t)
	q := about(t, m.at(from))
	facts, err := Transfer(m.stock, from, to, n(q), "", t0)
	if from = m.stock.dated(from); from != m.stock.dated(to) {
		stays := promisable(from, "") && promisable(m.stock.dated(to), "")
		may := m.spares(from, q) || stays && m.freeAt(from) >= q
		if may != (err == nil) || err == nil && moved(facts, Move)+moved(facts, StatusChange) != q {
			t.Fatalf("%d from %+v to %+v: %+v %v", q, from, to, facts, err)
		}
	}
	m.do(t, "Transfer", facts, err)
}

func (m *stockMachine) freeAt(p Place) int64 {
	free := m.books.stands[p]
	for _, a := range m.books.allocated {
		if a.place == p {
			free -= a.quantity
		}
	}
	return free
}

func (m *stockMachine) returned(t *rapid.T) {
	q := rapid.SampledFrom([]int64{1, 4, 9}).Draw(t, "q")
	facts, err := ReturnArrived(m.stock, key, place(t), n(q), "rma_a", 1, t0)
	if got := moved(facts, ReturnReceipt); got != q || err != nil {
		t.Fatalf("%d of %d came back: %v", got, q, err)
	}
	_, before := m.books.free("")
	m.do(t, "ReturnArrived", facts, err)
	if _, atp := m.books.free(""); atp != before {
		t.Fatalf("returned goods can be promised: %d, before %d", atp, before)
	}
}

func (m *stockMachine) dispose(t *rapid.T) {
	from := place(t)
	to := rapid.OneOf(rapid.SampledFrom(machinePlaces), rapid.Just(Place{Location: Scrap, Status: Returned})).Draw(t, "to")
	q := about(t, m.at(from))
	facts := Dispose(m.stock, key, "rma_a", "RESTOCK", from, to, n(q), t0)
	if got := moved(facts, Disposition); got != q {
		t.Fatalf("%d of %d were disposed of", got, q)
	}
	m.do(t, "Dispose", facts, nil)
}

func (m *stockMachine) closeOrder(t *rapid.T) {
	o := order(t)
	if rapid.IntRange(0, 4).Draw(t, "seldom") > 0 {
		t.Skip("orders are to last a while")
	}
	facts := CloseOrder(m.stock, key, o)
	if m.books.closed[o] != (len(facts) == 0) {
		t.Fatalf("order %s, closed %t: %+v", o, m.books.closed[o], facts)
	}
	m.do(t, "CloseOrder", facts, nil)
}

// anyFact: a fact of any kind can be folded onto any state, and leaves that state alone.
func (m *stockMachine) anyFact(t *rapid.T) {
	odd := Allocation{"who_z", 9, Place{Location: "B-9", Status: Blocked}, n(3)}
	f := rapid.SampledFrom(slices.Concat([]StockFact{
		StockMoved{},
		StockMoved{Type: Issue, Order: "who_z", From: bin, To: odd.Place, Quantity: n(9), Used: n(9)},
		ReturnReceived{},
		StockReserved{},
		ReservationReleased{},
		ReservationConfirmed{},
		StockReserved{Claim: Claim{"rsv:z", n(1)}, Expires: 1},
		StockAllocated{Order: "who_z", Parts: []Allocation{odd}, Claims: []Claim{{"?", n(1)}}},
		AllocationFreed{Quantity: n(5)},
		SupplyChanged{Supply: Supply{Delivery: "asn_z", Line: 1}, Change: n(-3)},
		SupplyPromised{Promise: "dtd:z", Change: n(-3)},
		SupplyPromiseDated{Cover: Cover{Key: "dtd:z"}},
	}, m.facts)).Draw(t, "fact")
	s := EvolveStock(m.stock, f)
	_, _ = s.Figures("2026-03-02"), s.in(FIFO)
	m.untouched(t, "folding")
}
