package domain

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// serialMachine drives pieces of one item through two stocks at random: claims are made and pieces
// come in as if everybody who does it may end at any step, or go on much later. Beside it stands a
// note of where each piece is.
type serialMachine struct {
	stocks  [2]Stock
	facts   [2][]StockFact
	claims  map[string]Serial
	ways    []way
	where   map[string]spot
	issued  map[string]Movement // goods issues that are not taken back
	unknown [2]int64            // pieces whose number was taken off
}

// way is a piece on its way into a stock by a claim.
type way struct {
	stock  int
	serial string
	claim  int
}

// spot is where a piece stands; the zero value is at no site.
type spot struct {
	stock int
	place Place
	order string // in PACKING: for whom
}

func keyIn(stock int) StockKey {
	k := key
	k.ID, k.Site = fmt.Sprintf("stk_%d", stock), fmt.Sprintf("DC%d", stock)
	return k
}

func (m *serialMachine) do(stock int, facts []StockFact) {
	m.stocks[stock] = ApplyStock(m.stocks[stock], facts...)
	m.facts[stock] = append(m.facts[stock], facts...)
}

func (m *serialMachine) stock(t *rapid.T) int { return rapid.IntRange(0, 1).Draw(t, "stock") }

func (m *serialMachine) serial(t *rapid.T) string {
	return rapid.SampledFrom([]string{"SN1", "SN2", "SN3"}).Draw(t, "serial")
}

// standing draws a piece that stands somewhere.
func (m *serialMachine) standing(t *rapid.T, fits func(spot) bool) (string, spot) {
	var all []string
	for n, s := range m.where {
		if s.place.Location != "" && fits(s) {
			all = append(all, n)
		}
	}
	if len(all) == 0 {
		t.Skip("no such piece")
	}
	slices.Sort(all)
	n := rapid.SampledFrom(all).Draw(t, "piece")
	return n, m.where[n]
}

// claim claims a piece for a stock, which may end after the other stock gave it up.
func (m *serialMachine) claim(t *rapid.T) {
	i, n := m.stock(t), m.serial(t)
	is := m.claims[n]
	own := is.Stock.ID == keyIn(i).ID && !m.stocks[i].closed(claimMark(n, is.Claim))
	if is.Claim > 0 && !own && is.Stock.ID != keyIn(i).ID {
		j := 1 - i
		facts, at, stands := VoidClaim(m.stocks[j], is)
		if has := m.where[n]; stands != (has.place.Location != "") || stands && (at != has.place || has.stock != j) {
			t.Fatalf("%s stands at %+v (%t), noted %+v", n, at, stands, has)
		}
		if stands {
			return
		}
		if m.do(j, facts); rapid.IntRange(0, 3).Draw(t, "ends here") == 0 {
			return
		}
	}
	if !own {
		is = EvolveSerial(is, SerialClaimed{Number: n, Stock: keyIn(i), Claim: is.Claim + 1, At: t0})
		m.claims[n] = is
	}
	m.ways = append(m.ways, way{i, n, is.Claim})
}

// come brings a piece in by any claim that was ever made.
func (m *serialMachine) come(t *rapid.T) {
	if len(m.ways) == 0 {
		t.Skip("nothing is claimed")
	}
	w := rapid.SampledFrom(m.ways).Draw(t, "way")
	s, report := m.stocks[w.stock], rapid.Bool().Draw(t, "report")
	to := Place{Location: rapid.SampledFrom([]string{"B-1", "B-2"}).Draw(t, "bin"), Serial: w.serial, Status: Available}
	facts, err := Received(s, keyIn(w.stock), to, One, "ASN", t0)
	if err != nil {
		t.Fatal(err)
	}
	let, wanted, err := Admit(s, facts, map[string]SerialClaim{w.serial: {Number: w.claim}}, report)
	has := m.where[w.serial]
	switch here := has.stock == w.stock && has.place.Location != ""; {
	case here && report:
		if err != nil || let[0].(StockMoved).To.Serial != "" {
			t.Fatalf("%s came twice: %+v %v", w.serial, let, err)
		}
		m.unknown[w.stock]++
	case here:
		if !fault.IsKind(err, fault.Refused) {
			t.Fatalf("%s stands at %+v: %v", w.serial, has, err)
		}
		return
	case len(wanted) > 0:
		if !s.closed(claimMark(w.serial, w.claim)) || err != nil {
			t.Fatalf("%+v: %v", w, err)
		}
		return
	default:
		if err != nil || has.place.Location != "" {
			t.Fatalf("%s came by %+v and stands at %+v: %v", w.serial, w, has, err)
		}
		m.where[w.serial] = spot{w.stock, to, ""}
	}
	m.do(w.stock, let)
}

// go on: a movement in the stock, or out of it.
func (m *serialMachine) move(t *rapid.T) {
	n, at := m.standing(t, func(s spot) bool { return s.order == "" })
	s := m.stocks[at.stock]
	to := at.place
	to.Location = rapid.SampledFrom([]string{"B-1", "B-2"}).Draw(t, "bin")
	to.Status = rapid.SampledFrom([]Status{Available, Available, Blocked}).Draw(t, "status")
	facts, err := Transfer(s, at.place, to, One, "", t0)
	if holder := s.Holder(n); (err != nil) != (holder != "" && to != at.place) {
		t.Fatalf("%s of %q to %+v: %v", n, holder, to, err)
	} else if err == nil {
		m.where[n] = spot{at.stock, to, ""}
		m.do(at.stock, facts)
	}
}

func (m *serialMachine) scrap(t *rapid.T) {
	n, at := m.standing(t, func(s spot) bool { return s.order == "" })
	facts, err := Adjust(m.stocks[at.stock], keyIn(at.stock), at.place, One.Neg(), "LOST", t0)
	if (err != nil) != (m.stocks[at.stock].Holder(n) != "") {
		t.Fatalf("%s: %v", n, err)
	}
	if err == nil {
		m.do(at.stock, facts)
		m.where[n] = spot{}
	}
}

func (m *serialMachine) allocate(t *rapid.T) {
	i := m.stock(t)
	facts := Allocate(m.stocks[i], keyIn(i), order(t), []Wanted{{1, n(rapid.Int64Range(1, 3).Draw(t, "q")), nil}}, Rule{Strategy: FEFO})
	m.do(i, facts)
}

// pick: the piece that is named is taken if nobody else has it.
func (m *serialMachine) pick(t *rapid.T) {
	o := order(t)
	n, at := m.standing(t, func(s spot) bool { return s.place.sellable() })
	s := m.stocks[at.stock]
	l := PickedLine{Line: 1, Location: at.place.Location, Serial: n, Quantity: One, Unit: "EA"}
	holder := s.Holder(n)
	if err := Pickable(s, o, l, 0); (err == nil) != (holder == "" || holder == o) {
		t.Fatalf("%s of %q for %s: %v", n, holder, o, err)
	} else if err != nil {
		return
	}
	had := allocatedTo(s, o)
	facts, _, err := Admit(s, TakePick(s, keyIn(at.stock), o, l, t0), nil, true)
	if err != nil || moved(facts, Pick) != 1 {
		t.Fatal(facts, err)
	}
	m.do(at.stock, facts)
	if left := allocatedTo(m.stocks[at.stock], o); left != max(0, had-1) {
		t.Fatalf("%d were allocated, %d are", had, left)
	}
	m.where[n] = spot{at.stock, at.place.as(Packing, Available), o}
}

func allocatedTo(s Stock, order string) (sum int64) {
	for _, a := range s.AllocatedTo(order, 1) {
		sum += pieces(a.Quantity)
	}
	return sum
}

func (m *serialMachine) issue(t *rapid.T) {
	n, at := m.standing(t, func(s spot) bool { return s.order != "" })
	facts := TakeIssue(m.stocks[at.stock], keyIn(at.stock), at.order, PickedLine{Line: 1, Serial: n, Quantity: One}, t0)
	m.issued[n] = Movement{MoveRef{Version: uint64(len(m.facts[at.stock]) + 1)}, facts[0].(StockMoved)}
	m.do(at.stock, facts)
	m.where[n] = spot{}
}

func (m *serialMachine) putBack(t *rapid.T) {
	n, at := m.standing(t, func(s spot) bool { return s.order != "" })
	m.do(at.stock, TakePutBack(m.stocks[at.stock], keyIn(at.stock), at.order, PickedLine{Line: 1, Location: "B-1", Serial: n, Quantity: One}, t0))
	m.where[n] = spot{at.stock, at.place.as("B-1", Available), ""}
}

// takeBack: the very piece that was issued stands in PACKING again, unless it is elsewhere.
func (m *serialMachine) takeBack(t *rapid.T) {
	n := m.serial(t)
	was, issued := m.issued[n]
	if !issued {
		t.Skip("it is not issued")
	}
	i := int(was.Site[2] - '0')
	s, claim := m.stocks[i], m.claims[n]
	facts := TakeReversal(s, keyIn(i), was.Order, []PickedLine{{Line: 1, Serial: n, Quantity: One}}, []Movement{was}, t0)
	in := SerialClaim{Number: claim.Claim}
	if claim.Stock.ID != keyIn(i).ID {
		in = SerialClaim{Refusal: SerialElsewhere(claim.Stock, Place{Serial: n})} // the other stock has claimed it since
	}
	let, wanted, err := Admit(s, facts, map[string]SerialClaim{n: in}, true)
	if err != nil || len(wanted) > 0 && !s.closed(claimMark(n, claim.Claim)) {
		t.Fatal(let, wanted, err)
	}
	if len(wanted) > 0 {
		return
	}
	delete(m.issued, n)
	if let[0].(StockMoved).To.Serial == n {
		if has := m.where[n]; has.place.Location != "" {
			t.Fatalf("%s is back and stands at %+v", n, has)
		}
		m.where[n] = spot{i, was.From, was.Order}
	} else {
		m.unknown[i]++
	}
	m.do(i, let)
}

func (m *serialMachine) short(t *rapid.T) {
	n, at := m.standing(t, func(s spot) bool { return s.place.sellable() })
	s := m.stocks[at.stock]
	holder := s.Holder(n)
	if holder == "" {
		t.Skip("nobody goes for it")
	}
	l := PickedLine{Line: 1, Location: at.place.Location, Serial: n, Quantity: One}
	damaged := rapid.Bool().Draw(t, "damaged")
	m.do(at.stock, TakeShort(s, keyIn(at.stock), holder, l, damaged, t0))
	if m.where[n] = (spot{}); damaged {
		m.where[n] = spot{at.stock, at.place.as(at.place.Location, Damaged), ""}
	}
}

func (m *serialMachine) check(t *rapid.T) {
	stands := map[string]int{}
	for i, s := range m.stocks {
		if again := ApplyStock(Stock{}, m.facts[i]...); fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", s) {
			t.Fatalf("the facts give\n%+v\nthe state is\n%+v", again, s)
		}
		var sum, without int64
		for _, r := range s.Rows {
			sum += pieces(r.OnHand)
			switch {
			case r.Place.Serial == "" && !r.Place.outside():
				without += pieces(r.OnHand)
			case r.Place.Serial != "":
				if stands[r.Place.Serial]++; r.OnHand != One || r.Place != m.where[r.Place.Serial].place || m.where[r.Place.Serial].stock != i {
					t.Fatalf("%+v, noted %+v", r, m.where[r.Place.Serial])
				}
			}
		}
		if sum != 0 || without != m.unknown[i] {
			t.Fatalf("a movement had one side: %d; %d pieces without a number, noted %d", sum, without, m.unknown[i])
		}
		checkBooks(t, s)
	}
	for n, at := range m.where {
		if (at.place.Location != "") != (stands[n] == 1) || stands[n] > 1 {
			t.Fatalf("%s stands in %d places, noted %+v", n, stands[n], at)
		}
	}
}

// Whatever happens to pieces in whatever order, and whoever ends at whatever step: each stands in one
// place at most over all stocks, and that is where it went last.
func TestAPieceStandsInOnePlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &serialMachine{claims: map[string]Serial{}, where: map[string]spot{}, issued: map[string]Movement{}}
		t.Repeat(map[string]func(*rapid.T){
			"claim": m.claim, "claim more": m.claim, "come": m.come, "come more": m.come, "move": m.move, "scrap": m.scrap, "allocate": m.allocate,
			"pick": m.pick, "pick more": m.pick, "issue": m.issue, "put back": m.putBack, "take back": m.takeBack, "short": m.short, "": m.check,
		})
	})
}
