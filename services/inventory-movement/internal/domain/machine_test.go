package domain

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// stockMachine drives one stock at random; beside it stand the books of a stock keeper, who
// writes down every movement with both of its sides and every promise.
type stockMachine struct {
	stock   Stock
	shown   string // the stock when its last fact was in
	facts   []StockFact
	books   stockBooks
	effects Timeline // of what each fact changed
}

type stockBooks struct {
	stands    map[Place]int64 // on hand, outside by location only
	claims    map[string]int64
	closed    map[string]bool
	allocated []parcel // in the order in which they were allocated
	packed    map[orderLine]int64
	ends      map[string]int64 // reservations: when they end, ms; 0 once confirmed
	first     map[string]int   // and their priority
	since     map[Place]int64  // when the oldest of what stands there came, ms
	coming    map[string]coming
	waits     []waiting // promises of what is to come, in their order
}

type orderLine struct {
	order string
	line  int
}

type parcel struct {
	orderLine
	place    Place
	quantity int64
}

func pieces(d quantity.Decimal) int64 {
	n, ok := d.Int64()
	if !ok {
		panic(d.String() + " is no whole number")
	}
	return n
}

// promisable are goods in a bin, in status AVAILABLE and not expired on a day.
func promisable(p Place, today string) bool {
	virtual := map[string]bool{"SUPPLIER": true, "CUSTOMER": true, "PACKING": true, "DISCREPANCY": true, "SCRAP": true}
	return p.Status == "AVAILABLE" && !virtual[p.Location] && (today == "" || p.Expiry == "" || p.Expiry >= today)
}

// beyond are the places outside the site's books.
func beyond(p Place) bool {
	return p.Location != "PACKING" && !promisable(Place{Location: p.Location, Status: "AVAILABLE"}, "")
}

// free is what of the promisable goods nobody has.
func (b *stockBooks) free(today string) (unallocated, atp int64) {
	for p, n := range b.stands {
		if promisable(p, today) {
			unallocated += n
		}
	}
	for _, a := range b.allocated {
		if promisable(a.place, today) {
			unallocated -= a.quantity
		}
	}
	atp = unallocated
	for _, n := range b.claims {
		atp -= n
	}
	return unallocated, atp
}

func (b *stockBooks) of(l orderLine) (n int64) {
	for _, a := range b.allocated {
		if a.orderLine == l {
			n += a.quantity
		}
	}
	return n
}

// give takes a quantity out of the parcels that match, the oldest first.
func (b *stockBooks) give(n int64, is func(parcel) bool) (rest int64) {
	for i := range b.allocated {
		if part := min(n, b.allocated[i].quantity); is(b.allocated[i]) {
			b.allocated[i].quantity -= part
			n -= part
		}
	}
	b.allocated = slices.DeleteFunc(b.allocated, func(a parcel) bool { return a.quantity == 0 })
	return n
}

// write takes one fact into the books.
func (b *stockBooks) write(t *rapid.T, fact StockFact) {
	side := func(p Place, n int64) {
		if beyond(p) {
			p = Place{Location: p.Location, Status: "AVAILABLE"}
		}
		b.stands[p] += n
	}
	switch f := fact.(type) {
	case StockMoved:
		n, l := pieces(f.Quantity), orderLine{f.Order, f.Line}
		age := f.At.UnixMilli()
		if came, inside := b.since[f.From]; inside {
			age = came
		}
		side(f.From, -n)
		if b.stands[f.From] == 0 {
			delete(b.since, f.From)
		}
		if came, stood := b.since[f.To]; !beyond(f.To) && (!stood || age < came) {
			b.since[f.To] = age
		}
		side(f.To, n)
		if rest := b.give(pieces(f.Used), func(a parcel) bool { return a.orderLine == l && a.place == f.From }); rest != 0 || n <= 0 {
			t.Fatalf("%+v uses up %d more than is allocated there", f, rest)
		}
		switch f.Type {
		case Pick:
			b.packed[l] += n
		case IssueReversal:
			if f.To.Location == "PACKING" {
				b.packed[l] += n
			}
		case Issue, BackInBin:
			if f.From.Location == "PACKING" {
				b.packed[l] -= n
			}
		}
	case StockReserved:
		b.claims[f.Claim.Key] = pieces(f.Claim.Quantity)
		if f.Promise != "" {
			b.served(f.Promise, pieces(f.Claim.Quantity))
		}
		if f.Expires != 0 {
			b.ends[f.Claim.Key], b.first[f.Claim.Key] = f.Expires, f.Priority
		}
	case ReservationConfirmed:
		b.ends[f.Claim.Key] = 0
	case ReservationReleased:
		if got := pieces(f.Claim.Quantity); got != b.claims[f.Claim.Key] {
			t.Fatalf("claim %s gave back %d of %d", f.Claim.Key, got, b.claims[f.Claim.Key])
		}
		delete(b.claims, f.Claim.Key)
		if f.Reason == "" {
			b.closed[f.Claim.Key] = true
		}
		delete(b.ends, f.Claim.Key)
	case StockAllocated:
		for _, c := range f.Claims {
			if b.claims[c.Key] -= pieces(c.Quantity); b.claims[c.Key] < 0 {
				t.Fatalf("%+v spends more of %s than it holds", f, c.Key)
			}
			maps.DeleteFunc(b.claims, func(_ string, n int64) bool { return n == 0 })
			maps.DeleteFunc(b.ends, func(key string, _ int64) bool { return b.claims[key] == 0 })
		}
		for _, p := range f.Parts {
			b.allocated = append(b.allocated, parcel{orderLine{f.Order, f.Line}, p.Place, pieces(p.Quantity)})
		}
	case AllocationFreed:
		is := func(a parcel) bool { return a.order == f.Order && (f.Line == 0 || a.line == f.Line) }
		if rest := b.give(pieces(f.Quantity), is); rest != 0 {
			t.Fatalf("%+v frees %d that were not allocated", f, rest)
		}
		if f.Line == 0 {
			b.closed[f.Order] = true
			if slices.ContainsFunc(b.allocated, is) {
				t.Fatalf("%+v leaves something allocated: %+v", f, b.allocated)
			}
		}
	default:
		b.writeSupply(t, fact)
	}
}

// do takes the outcome of a command or report into stock and books.
func (m *stockMachine) do(t *rapid.T, name string, facts []StockFact, err error) {
	if err != nil && (!fault.IsKind(err, fault.Refused) || len(facts) > 0) {
		t.Fatalf("%s: %v with %+v", name, err, facts)
	}
	facts = append(slices.Clip(facts), Redated(m.stock, facts, supplyDay)...)
	next := ApplyStock(m.stock, facts...)
	m.untouched(t, name)
	s := m.stock
	for _, f := range facts {
		m.books.write(t, f)
		after := EvolveStock(s, f)
		m.effects.Add(EffectOf(s, after), t0, t0)
		s = after
	}
	m.stock, m.facts, m.shown = next, append(m.facts, facts...), fmt.Sprintf("%+v", next)
}

// untouched: deciding and folding leave the state that they start from as it is.
func (m *stockMachine) untouched(t *rapid.T, name string) {
	if now := fmt.Sprintf("%+v", m.stock); m.shown != "" && now != m.shown {
		t.Fatalf("%s changed the old state:\n%s\n%s", name, m.shown, now)
	}
}

// moved sums up what facts move, by kind of movement.
func moved(facts []StockFact, of MovementType) (n int64) {
	for _, f := range facts {
		if f, ok := f.(StockMoved); ok && f.Type == of {
			n += pieces(f.Quantity)
		}
	}
	return n
}

// check holds the stock against the books.
func (m *stockMachine) check(t *rapid.T) {
	if again := ApplyStock(Stock{}, m.facts...); fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", m.stock) {
		t.Fatalf("the facts give\n%+v\nthe state is\n%+v", again, m.stock)
	}
	stands, allocated := map[Place]int64{}, map[Place]int64{}
	for _, r := range m.stock.Rows {
		stands[r.Place] += pieces(r.OnHand)
		if !r.Place.outside() && r.Received != m.books.since[r.Place] {
			t.Fatalf("%+v is there since %d, the books have %d", r, r.Received, m.books.since[r.Place])
		}
		allocated[r.Place] += pieces(r.Allocated)
	}
	var sum int64
	for p, n := range m.books.stands {
		if sum += n; stands[p] != n {
			t.Fatalf("%d stand at %+v, the books have %d", stands[p], p, n)
		}
		if n < 0 && (p.Location == "PACKING" || promisable(Place{Location: p.Location, Status: "AVAILABLE"}, "")) {
			t.Fatalf("%d stand at %+v", n, p)
		}
	}
	if sum != 0 {
		t.Fatalf("a movement had one side: %d", sum)
	}
	for _, a := range m.books.allocated {
		if allocated[a.place] -= a.quantity; allocated[a.place] < 0 || !promisable(a.place, "") {
			t.Fatalf("%+v is not allocated in the stock: %+v", a, m.stock.Rows)
		}
	}
	for p, n := range allocated {
		if n != 0 {
			t.Fatalf("%d too much are allocated at %+v", n, p)
		}
	}
	if unallocated, atp := m.books.free(""); atp < 0 || unallocated < 0 || m.stock.Figures("").ATP != n(max(0, m.books.promisable(""))) {
		t.Fatalf("%d can be promised by the books: %+v", m.books.promisable(""), m.stock.Figures(""))
	}
	m.checkSupplies(t)
	for _, c := range m.stock.Claims {
		if m.books.claims[c.Key] != pieces(c.Quantity) || len(m.stock.Claims) != len(m.books.claims) {
			t.Fatalf("claims %+v, the books have %v", m.stock.Claims, m.books.claims)
		}
	}
	for _, h := range m.stock.Holds {
		if end, booked := m.books.ends[h.Key]; !booked || end != h.Expires || len(m.stock.Holds) != len(m.books.ends) || m.books.claims[h.Key] == 0 {
			t.Fatalf("holds %+v, the books have %v", m.stock.Holds, m.books.ends)
		}
	}
	packed := map[orderLine]int64{}
	for _, p := range m.stock.Packing {
		packed[orderLine{p.Order, p.Line}] += pieces(p.Quantity)
	}
	maps.DeleteFunc(m.books.packed, func(_ orderLine, n int64) bool { return n == 0 })
	if !maps.Equal(packed, m.books.packed) {
		t.Fatalf("%v stand in PACKING, the books have %v", packed, m.books.packed)
	}
	for _, f := range []Filter{{}, {Location: "B-1"}, {Location: Discrepancy}, {Lot: "L"}, {Status: Damaged}} {
		if sum, is := m.effects.Balance(f).Sums, BalanceOf(m.stock, f).Sums; sum != is {
			t.Fatalf("what the facts changed of %+v sums up to %+v, the balance is %+v", f, sum, is)
		}
	}
	if d := Differences(m.stock, ApplyStock(Stock{}, m.facts...)); len(d) > 0 {
		t.Fatalf("it has drifted: %+v", d)
	}
	checkBooks(t, m.stock)
}

func newStockMachine() *stockMachine {
	return &stockMachine{books: stockBooks{stands: map[Place]int64{}, claims: map[string]int64{}, closed: map[string]bool{}, packed: map[orderLine]int64{}, since: map[Place]int64{}, ends: map[string]int64{}, first: map[string]int{}, coming: map[string]coming{}}, effects: Timeline{Until: t0}}
}

// Whatever is done in whatever order, the stock is what the books say: no bin is negative,
// nothing is allocated or promised twice, and every movement has two sides.
func TestStockKeepsItsBooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newStockMachine()
		t.Repeat(map[string]func(*rapid.T){
			"receive": m.receive, "reserve": m.reserve, "reserve more": m.reserve, "release": m.release,
			"allocate": m.allocate, "allocate more": m.allocate, "pick": m.pick, "issue": m.issue, "short": m.short,
			"adjust": m.adjust, "move": m.move, "change the status": m.changeStatus, "reverse": m.reverse, "return": m.returned, "dispose": m.dispose, "close": m.closeOrder,
			"put back": m.putBack, "take back": m.takeBack, "take back more": m.takeBack, "keep": m.keep, "amend": m.amend, "book": m.book, "book more": m.book, "confirm": m.confirm, "unbook": m.unbook, "lapse": m.lapse,
			"announce": m.announce, "come": m.come, "change a supply": m.changeSupply, "promise": m.promise, "promise more": m.promise,
			"reserve what was promised": m.reservePromised,
			"any fact":                  m.anyFact,
			"":                          m.check,
		})
	})
}
