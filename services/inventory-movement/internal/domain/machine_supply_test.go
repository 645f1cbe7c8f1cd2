package domain

import (
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// supplyDay is the day on which the machine's promises count on goods.
const supplyDay = "2026-03-02"

// coming is a supply as the stock keeper's books have it.
type coming struct {
	left          int64
	expected      time.Time
	arrived, late bool
}

// waiting is a promise of what is to come.
type waiting struct {
	key  string
	left int64
}

// promisable is what of the promisable goods neither a claim nor a promise of what is to come
// has; less than 0 when the promises are more than what is here.
func (b *stockBooks) promisable(today string) int64 {
	_, atp := b.free(today)
	for _, w := range b.waits {
		atp -= w.left
	}
	return atp
}

func (b *stockBooks) awaited(key string) (n int64) {
	for _, w := range b.waits {
		if w.key == key {
			n += w.left
		}
	}
	return n
}

// served takes a quantity out of the promises of a key, the oldest first.
func (b *stockBooks) served(key string, n int64) {
	for i := range b.waits {
		if w := &b.waits[i]; w.key == key {
			part := min(n, w.left)
			w.left -= part
			n -= part
		}
	}
	b.waits = slices.DeleteFunc(b.waits, func(w waiting) bool { return w.left == 0 })
}

func (b *stockBooks) writeSupply(t *rapid.T, fact StockFact) {
	switch f := fact.(type) {
	case SupplyChanged:
		c := b.coming[f.Delivery]
		c.left += pieces(f.Change)
		c.expected, c.arrived, c.late = time.UnixMilli(f.Expected), f.Arrived, f.Overdue
		if b.coming[f.Delivery] = c; c.left == 0 {
			delete(b.coming, f.Delivery)
		}
		if c.left < 0 {
			t.Fatalf("%+v takes more than there is", f)
		}
	case SupplyPromised:
		change := pieces(f.Change)
		if change > 0 {
			b.waits = append(b.waits, waiting{f.Promise, change})
			return
		}
		for i := len(b.waits) - 1; i >= 0; i-- { // the newest first
			if w := &b.waits[i]; w.key == f.Promise {
				part := min(-change, w.left)
				w.left -= part
				change += part
			}
		}
		if b.waits = slices.DeleteFunc(b.waits, func(w waiting) bool { return w.left == 0 }); change != 0 {
			t.Fatalf("%+v gives up more than was promised", f)
		}
	}
}

func delivery(t *rapid.T) string {
	return rapid.SampledFrom([]string{"asn_a", "asn_b", "asn_c"}).Draw(t, "delivery")
}

func promised(t *rapid.T) string {
	return rapid.SampledFrom([]string{"dtd:1", "dtd:2", "dtd:3"}).Draw(t, "promise")
}

func (m *stockMachine) announce(t *rapid.T) {
	d := delivery(t)
	if _, there := m.books.coming[d]; there {
		t.Skip("announced once")
	}
	facts, err := Supplied(m.stock, key, Supply{
		Delivery: d, Line: 1, ASN: d, Quantity: n(rapid.SampledFrom([]int64{1, 6, 20}).Draw(t, "q")), Expected: hour(t, "expected").UnixMilli(),
	})
	m.do(t, "Supplied", facts, err)
}

// come: goods of a supply are received, or they are short; what comes and what is less are one commit.
func (m *stockMachine) come(t *rapid.T) {
	d := delivery(t)
	q := min(about(t, m.books.coming[d].left), 1000)
	var facts []StockFact
	if rapid.Bool().Draw(t, "short") {
		facts = Unsupplied(m.stock, d, 1, n(q), SupplyCancelled)
	} else {
		var err error
		if facts, err = Received(m.stock, key, place(t), n(q), d, t0); err != nil {
			t.Fatal(err)
		}
		facts = append(facts, Unsupplied(m.stock, d, 1, n(q), SupplyReceived)...)
	}
	before := m.books.coming[d].left
	m.do(t, "come", facts, nil)
	if left := m.books.coming[d].left; left != max(0, before-q) {
		t.Fatalf("of %d of %s %d came, and %d are to come", before, d, q, left)
	}
}

func (m *stockMachine) changeSupply(t *rapid.T) {
	d, at := delivery(t), hour(t, "at")
	switch rapid.IntRange(0, 2).Draw(t, "change") {
	case 0:
		m.do(t, "Rescheduled", Rescheduled(m.stock, d, at), nil)
		if c, there := m.books.coming[d]; there && (!c.expected.Equal(at) || c.late) {
			t.Fatalf("%+v after it is expected at %s", c, at)
		}
	case 1:
		m.do(t, "HereNow", HereNow(m.stock, d, at), nil)
		if c, there := m.books.coming[d]; there && (!c.arrived || c.late) {
			t.Fatalf("%+v is here", c)
		}
	default:
		m.do(t, "Overdue", Overdue(m.stock, at), nil)
		for d, c := range m.books.coming {
			if !c.late && !c.arrived && !c.expected.After(at) {
				t.Fatalf("%s, %+v, is not late at %s", d, c, at)
			}
		}
	}
}

// promise: a promise gets what no earlier one counts on, of what is here and comes until the horizon;
// nothing where what is here is to be left to others.
func (m *stockMachine) promise(t *rapid.T) {
	k, horizon, partial, leave := promised(t), hour(t, "horizon"), rapid.Bool().Draw(t, "partial"), rapid.Bool().Draw(t, "leave stock")
	had := m.books.awaited(k)
	until, ever := m.books.promisable(supplyDay), m.books.promisable(supplyDay)
	for _, c := range m.books.coming {
		if !c.late {
			ever += c.left
		}
		if !c.late && !c.expected.After(horizon) {
			until += c.left
		}
	}
	q := rapid.SampledFrom([]int64{0, had, had + 1, had + max(0, until), had + max(0, until) + 1, had / 2, 40}).Draw(t, "q")
	facts, why := PromiseSupply(m.stock, key, SupplyWish{Key: k, Quantity: n(q), Partial: partial, LeaveStock: leave}, supplyDay, horizon)
	if leave && q > had && m.books.promisable(supplyDay) > 0 {
		if why != StockAvailable || len(facts) > 0 {
			t.Fatalf("%s is promised %v of what is here: %s", k, facts, why)
		}
		return
	}
	want := q
	if more := q - had; more > max(0, until) {
		want = had
		if partial {
			want += max(0, until)
		}
	}
	m.do(t, "PromiseSupply", facts, nil)
	if got := m.books.awaited(k); got != want || (why == "") != (got == q) {
		t.Fatalf("%s had %d and is promised %d of %d, not %d (%s): %d until the horizon", k, had, got, q, want, why, until)
	}
	if outside := why == SupplyOutsideHorizon; why != "" && outside != (max(0, ever) > max(0, until)) {
		t.Fatalf("%s, with %d until the horizon and %d ever", why, until, ever)
	}
}

// reservePromised: who was promised first has what is here, before anybody else.
func (m *stockMachine) reservePromised(t *rapid.T) {
	k, c := promised(t), someClaim(t)
	_, here := m.books.free(supplyDay)
	own, others := int64(0), int64(0)
	left := max(0, here)
	for _, w := range m.books.waits {
		part := min(left, w.left)
		if left -= part; w.key == k {
			own += part
		} else {
			others += part
		}
	}
	q := about(t, own+left)
	_, held := m.books.claims[c]
	before := m.books.awaited(k)
	facts, err := ReserveFor(m.stock, key, Claim{c, n(q)}, k, true, Rule{Today: supplyDay, Strategy: FIFO})
	if refused := m.books.closed[c] || !held && own+left == 0; refused != fault.IsKind(err, fault.Refused) {
		t.Fatalf("%d of %d for %s: %v", q, own+left, k, err)
	}
	m.do(t, "ReserveFor", facts, err)
	if err != nil || held {
		return
	}
	if got, want := m.books.claims[c], min(q, own+left); got != want || m.books.awaited(k) != before-min(got, before) {
		t.Fatalf("%s got %d, not %d, and waits for %d of %d; %d are others'", k, got, want, m.books.awaited(k), before, others)
	}
}

// checkSupplies holds supplies and promises against the books, and what promises count on
// against both: no two count on the same goods, and none before an earlier one.
func (m *stockMachine) checkSupplies(t *rapid.T) {
	there := map[string]coming{}
	for _, u := range m.stock.Supplies {
		there[u.Delivery] = coming{pieces(u.Quantity), time.UnixMilli(u.Expected), u.Arrived, u.Overdue}
	}
	if !maps.Equal(there, m.books.coming) {
		t.Fatalf("supplies %+v, the books have %+v", there, m.books.coming)
	}
	var waits []waiting
	keys := map[string]bool{}
	for _, w := range m.stock.Waits {
		waits = append(waits, waiting{w.Key, pieces(w.Quantity)})
		keys[w.Key] = true
	}
	if !slices.Equal(waits, m.books.waits) {
		t.Fatalf("promises %+v, the books have %+v", waits, m.books.waits)
	}
	_, here := m.books.free(supplyDay)
	left := map[string]int64{"": max(0, here)}
	for d, c := range m.books.coming {
		if !c.late {
			left[d] = c.left
		}
	}
	if len(m.stock.Covers) != len(keys) {
		t.Fatalf("%+v was told of %v", m.stock.Covers, keys)
	}
	for _, c := range m.stock.Covers {
		sum, last := pieces(c.Uncovered), int64(0)
		for _, p := range c.Parts {
			sum += pieces(p.Quantity)
			if left[p.Delivery] -= pieces(p.Quantity); left[p.Delivery] < 0 || p.Expected < last {
				t.Fatalf("%+v counts on what there is not: %+v", c, m.stock.Covers)
			}
			last = p.Expected
		}
		if sum != m.books.awaited(c.Key) {
			t.Fatalf("%+v of %d", c, m.books.awaited(c.Key))
		}
	}
	now, _ := m.stock.Covered(supplyDay)
	for _, c := range now {
		if !m.stock.told(c.Key).equal(c) {
			t.Fatalf("%+v was told as %+v", c, m.stock.told(c.Key))
		}
	}
}
