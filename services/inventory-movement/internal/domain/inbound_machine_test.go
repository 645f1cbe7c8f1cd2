package domain

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

var (
	noon  = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	teaIt = Item{ID: "itm_tea", SKU: "TEA", BaseUnit: "EA", Units: map[string]quantity.Ratio{"CS": {Num: 12, Den: 1}}}
	potIt = Item{ID: "itm_pot", SKU: "POT", BaseUnit: "EA"}
)

// inboundMachine drives one delivery and the stocks of its items at random; beside it stands
// what a goods-in clerk counted.
type inboundMachine struct {
	d       Inbound
	stocks  map[string]Stock
	counted map[string]int64 // by item: received
	back    map[string]int64 // by item: returned
	history []string         // receipts as they were recorded
}

func newInboundMachine(t *rapid.T) *inboundMachine {
	m := &inboundMachine{stocks: map[string]Stock{}, counted: map[string]int64{}, back: map[string]int64{}}
	lines := []InboundLine{
		{Number: 1, Item: "itm_tea", SKU: "TEA", Unit: "EA", Announced: quantity.Int(rapid.Int64Range(1, 40).Draw(t, "tea")), Tolerance: quantity.Int(rapid.Int64Range(0, 4).Draw(t, "tolerance"))},
		{Number: 2, Item: "itm_pot", SKU: "POT", Unit: "EA", Announced: quantity.Int(rapid.Int64Range(1, 20).Draw(t, "pots")), Inspect: true},
	}
	facts, err := Announce(Inbound{}, AsnRegistered{InboundKeys: InboundKeys{ID: "asn_a", ASN: "A-1", Site: "DC1", Owner: OwnStock}, Lines: lines})
	m.apply(t, facts, err)
	return m
}

// apply folds facts onto the delivery, and books them as the consumer does.
func (m *inboundMachine) apply(t *rapid.T, facts []InboundFact, err error) {
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range facts {
		m.d = EvolveInbound(m.d, f)
		switch f := f.(type) {
		case GoodsReceived:
			m.history = append(m.history, fmt.Sprint(f))
			for _, p := range f.Parts {
				key := StockKey{ID: "stk_" + p.Item, Site: "DC1", Item: p.Item, SKU: p.SKU, Owner: OwnStock, Unit: p.Unit}
				booked, err := Received(m.stocks[p.Item], key, p.Place, p.Quantity, "ASN", f.At)
				if err != nil {
					t.Fatal(err)
				}
				m.stocks[p.Item] = ApplyStock(m.stocks[p.Item], booked...)
				m.counted[p.Item] += pieces(p.Quantity)
			}
		case InspectionRecorded:
			m.book(f.Moves, StatusChange)
		case OverReceiptResolved:
			m.book(f.Moves, StatusChange)
			if f.Decision == ReturnOver {
				for _, x := range f.Moves {
					m.back[x.Item] += pieces(x.Quantity)
				}
			}
		case PutawayConfirmed:
			m.book(f.Moves, PutAway)
		}
	}
}

func (m *inboundMachine) book(moves []InboundMove, kind MovementType) {
	for _, x := range moves {
		s := m.stocks[x.Item]
		m.stocks[x.Item] = ApplyStock(s, TakeInbound(s, s.Key, x, kind, "ASN", noon)...)
	}
}

func (m *inboundMachine) receive(t *rapid.T) {
	g := Arrival{
		Item: rapid.SampledFrom([]Item{teaIt, potIt}).Draw(t, "item"), Line: rapid.IntRange(0, 2).Draw(t, "line"),
		Quantity: quantity.Quantity{Value: quantity.Int(rapid.Int64Range(1, 15).Draw(t, "pieces")), Unit: "EA"},
		Place:    Place{Location: rapid.SampledFrom([]string{"IN-1", "IN-2"}).Draw(t, "place"), Lot: rapid.SampledFrom([]string{"", "L1"}).Draw(t, "lot")},
		Damaged:  rapid.IntRange(0, 4).Draw(t, "damaged") == 0,
	}
	r := InboundReport{Goods: []Arrival{g, g}, Message: rapid.SampledFrom([]string{"", "m1", "m2", "m3"}).Draw(t, "message"), At: noon}
	known := m.d.Knows(r.Message)
	facts, err := TakeGoods(m.d, r)
	if known != (len(facts) == 0) {
		t.Fatalf("message %s, known %v: %v", r.Message, known, facts)
	}
	m.apply(t, facts, err)
}

func (m *inboundMachine) cancel(t *rapid.T) {
	if facts, err := CancelRest(m.d, nil, "SHORT"); err == nil {
		m.apply(t, facts, nil)
	}
}

func (m *inboundMachine) inspect(t *rapid.T) {
	n := rapid.Int64Range(0, 10)
	if facts, err := Inspect(m.d, 2, "", Some{Quantity: quantity.Int(n.Draw(t, "good"))}, Some{Quantity: quantity.Int(n.Draw(t, "bad"))}, noon); err == nil {
		m.apply(t, facts, nil)
	}
}

func (m *inboundMachine) resolve(t *rapid.T) {
	decision := rapid.SampledFrom([]OverDecision{KeepOver, ReturnOver}).Draw(t, "decision")
	if facts, err := ResolveOver(m.d, rapid.IntRange(1, 2).Draw(t, "line"), decision, Some{Quantity: quantity.Int(rapid.Int64Range(0, 3).Draw(t, "pieces"))}, noon); err == nil {
		m.apply(t, facts, nil)
	}
}

func (m *inboundMachine) putAway(t *rapid.T) {
	q := quantity.Int(rapid.Int64Range(0, 6).Draw(t, "pieces"))
	proposed := []BinPart{{"B-1", "r", quantity.Int(rapid.Int64Range(0, 4).Draw(t, "here"))}, {"B-3", "s", quantity.Int(2)}}
	if facts, err := ConfirmPutaway(m.d, rapid.IntRange(1, max(1, m.d.LastTask)).Draw(t, "task"), rapid.SampledFrom([]string{"", "B-1", "B-2"}).Draw(t, "bin"), q, proposed, noon); err == nil {
		m.apply(t, facts, nil)
	}
}

// check holds after every step.
func (m *inboundMachine) check(t *rapid.T) {
	received, stands := map[string]int64{}, map[string]map[Place]int64{}
	for _, l := range m.d.Lines {
		if l.Announced != l.Received.Sub(l.Over).Add(l.Cancelled).Add(l.Open()) || l.Open().Sign() < 0 || l.Over.Sign() < 0 || l.Received.Less(l.Over) {
			t.Fatalf("line %d does not add up: %+v", l.Number, l)
		}
		received[l.Item] += pieces(l.Received)
	}
	for _, s := range m.d.Standings {
		l, known := m.d.Line(s.Line)
		if !known || s.Quantity.Sign() <= 0 {
			t.Fatalf("%+v stands", s)
		}
		if stands[l.Item] == nil {
			stands[l.Item] = map[Place]int64{}
		}
		stands[l.Item][s.Place] += pieces(s.Quantity)
	}
	for item, n := range m.counted {
		if received[item] != n {
			t.Fatalf("%s: %d counted, %d received", item, n, received[item])
		}
		var sum, here quantity.Decimal
		for _, r := range m.stocks[item].Rows {
			sum = sum.Add(r.OnHand)
			switch {
			case r.Place.Location == Discrepancy:
				t.Fatalf("%s: %s are a discrepancy", item, r.OnHand)
			case !r.Place.outside():
				here = here.Add(r.OnHand)
				if pieces(r.OnHand) != stands[item][r.Place] {
					t.Fatalf("%s: %s stand at %v, %d by the delivery", item, r.OnHand, r.Place, stands[item][r.Place])
				}
			}
		}
		if !sum.IsZero() || pieces(here) != n-m.back[item] {
			t.Fatalf("%s: %s on the site of %d, sum %s", item, here, n-m.back[item], sum)
		}
	}
	m.limits(t)
}

// limits holds that no more sound goods are accepted than announced and tolerated.
func (m *inboundMachine) limits(t *rapid.T) {
	state := m.d.State()
	for _, l := range m.d.Lines {
		if l.Open().Sign() > 0 && (state == FullyReceived || state == StoredAway) {
			t.Fatalf("%s with %s open of line %d", state, l.Open(), l.Number)
		}
	}
	for _, s := range m.d.Standings {
		if !s.Stored && state == StoredAway {
			t.Fatalf("%s with %+v", state, s)
		}
	}
}

func TestInboundMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newInboundMachine(t)
		t.Repeat(map[string]func(*rapid.T){
			"receive": m.receive, "cancel": m.cancel, "inspect": m.inspect, "resolve": m.resolve, "put away": m.putAway,
			"": m.check,
		})
	})
}
