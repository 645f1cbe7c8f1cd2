package domain

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// transferMachine drives a transfer and the stocks of both sites at random: what a fact says is
// carried into the stocks later, in the order of the facts, as the consumer does it.
type transferMachine struct {
	transfer SiteTransfer
	facts    []TransferFact
	from, to Stock
	booked   int // facts that the stocks have
	sent     map[int]int64
	came     map[int]int64 // all that came, by line
	back     map[int]int64
	lost     map[int]int64
}

var (
	sentFrom = []Place{{Location: "B-1", Lot: "L", Expiry: "2026-09-01", Status: Available}, {Location: "B-2", Status: Blocked}}
	fromKey  = StockKey{ID: "stk_a", Site: "DC1", Item: "itm_a", SKU: "TEA", Owner: OwnStock, Unit: "EA"}
	toKey    = StockKey{ID: "stk_b", Site: "DC2", Item: "itm_a", SKU: "TEA", Owner: OwnStock, Unit: "EA"}
)

func (m *transferMachine) do(facts []TransferFact) {
	for _, f := range facts {
		m.transfer, m.facts = EvolveTransfer(m.transfer, f), append(m.facts, f)
	}
}

// book carries the next fact into the stocks.
func (m *transferMachine) book(t *rapid.T) {
	if m.booked == len(m.facts) {
		t.Skip("all is booked")
	}
	from := func(facts ...StockFact) { m.from = ApplyStock(m.from, facts...) }
	to := func(facts ...StockFact) { m.to = ApplyStock(m.to, facts...) }
	switch f := m.facts[m.booked].(type) {
	case TransferShipped:
		for _, q := range f.Shipped {
			if q.Place.Status == Available {
				facts, err := Supplied(m.to, toKey, Supply{Delivery: f.ID, Line: q.Line, Quantity: q.Quantity})
				if err != nil {
					t.Fatal(err)
				}
				to(facts...)
			}
		}
	case TransferReceived:
		for _, p := range f.Parts {
			if !p.Over {
				from(HandOver(m.from, fromKey, f.ID, p.TransferQuantity, f.At)...)
			}
			facts, err := TakeIn(m.to, toKey, f.ID, p, f.At)
			if err != nil {
				t.Fatal(err)
			}
			to(facts...)
		}
	case TransferEnded:
		for _, q := range f.Lines {
			if f.Outcome == BroughtBack {
				from(TakeBack(m.from, fromKey, f.ID, f.Location, f.Reason, q, f.At)...)
			} else {
				from(WriteOff(m.from, fromKey, f.ID, f.Reason, q, f.At)...)
			}
			to(Unsupplied(m.to, f.ID, q.Line, q.Quantity, SupplyCancelled)...)
		}
	}
	m.booked++
}

func (m *transferMachine) receive(t *rapid.T) {
	line := rapid.IntRange(1, 2).Draw(t, "line")
	q := rapid.Int64Range(1, 6).Draw(t, "q")
	facts, err := ReceiveTransfer(m.transfer, []TransferArrival{{Line: line, Quantity: n(q), Location: "R-1", Damaged: rapid.Bool().Draw(t, "damaged")}}, "", t0)
	if may := m.sent[line] > 0; may != (err == nil) {
		t.Fatalf("line %d of %v: %+v %v", line, m.sent, facts, err)
	}
	if err == nil {
		m.came[line] += q
	}
	m.do(facts)
}

func (m *transferMachine) end(t *rapid.T) {
	outcome := rapid.SampledFrom([]TransferOutcome{BroughtBack, LostOnTheWay}).Draw(t, "outcome")
	var lines []int
	if rapid.Bool().Draw(t, "one line") {
		lines = []int{rapid.IntRange(1, 2).Draw(t, "line")}
	}
	open := map[int]int64{}
	for _, l := range m.transfer.Lines {
		if o := pieces(l.Open()); o > 0 && (len(lines) == 0 || lines[0] == l.Number) {
			open[l.Number] = o
		}
	}
	facts, err := EndTransfer(m.transfer, outcome, "B-9", "STOLEN", lines, t0)
	if (len(open) == 0) != (err != nil) {
		t.Fatalf("%v are open: %+v %v", open, facts, err)
	}
	for line, o := range open {
		if outcome == BroughtBack {
			m.back[line] += o
		} else {
			m.lost[line] += o
		}
	}
	m.do(facts)
}

func stoodAt(s Stock, location string) (sum quantity.Decimal) {
	for _, r := range s.Rows {
		if r.Place.Location == location {
			sum = sum.Add(r.OnHand)
		}
	}
	return sum
}

func (m *transferMachine) check(t *rapid.T) {
	if again := ApplyTransfer(SiteTransfer{}, m.facts...); fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", m.transfer) {
		t.Fatalf("the facts give\n%+v\nthe state is\n%+v", again, m.transfer)
	}
	for _, l := range m.transfer.Lines {
		if pieces(l.Received.Add(l.Over)) != m.came[l.Number] || pieces(l.Shipped) != m.sent[l.Number] || l.Open().Sign() < 0 ||
			pieces(l.Returned) != m.back[l.Number] || pieces(l.Lost) != m.lost[l.Number] {
			t.Fatalf("%+v: %d came", l, m.came[l.Number])
		}
	}
	for _, s := range []Stock{m.from, m.to} {
		var sum quantity.Decimal
		for _, r := range s.Rows {
			if sum = sum.Add(r.OnHand); r.OnHand.Sign() < 0 && !r.Place.outside() {
				t.Fatalf("%+v", r)
			}
		}
		if !sum.IsZero() {
			t.Fatalf("a movement had one side: %+v", s.Rows)
		}
	}
	if elsewhere := stoodAt(m.from, OtherSite).Add(stoodAt(m.to, OtherSite)); !elsewhere.IsZero() {
		t.Fatalf("the sites differ by %s", elsewhere)
	}
	if m.booked < len(m.facts) {
		return
	}
	var open, coming, supplied, lost quantity.Decimal
	for _, l := range m.transfer.Lines {
		open, lost = open.Add(l.Open()), lost.Add(l.Lost)
		if l.Place.Status == Available {
			coming = coming.Add(l.Open())
		}
	}
	for _, u := range m.to.Supplies {
		supplied = supplied.Add(u.Quantity)
	}
	if stoodAt(m.from, InTransit) != open || supplied != coming || stoodAt(m.from, Discrepancy) != lost {
		t.Fatalf("%s are on their way, %s to come, %s lost; the stocks have %+v and %+v, %+v", open, coming, lost, m.from.Rows, m.to.Rows, m.to.Supplies)
	}
}

// Whatever is sent, comes, is brought back or lost, in whatever order: nothing is in two sites or in
// none, and what is on its way is what is open.
func TestTransferMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &transferMachine{sent: map[int]int64{}, came: map[int]int64{}, back: map[int]int64{}, lost: map[int]int64{}}
		f := TransferRequested{TransferKeys: TransferKeys{ID: "trf_a", From: "DC1", To: "DC2", Owner: OwnStock}, At: t0}
		m.from.Key, m.to.Key = fromKey, toKey
		for i, p := range sentFrom {
			m.from = ApplyStock(m.from, StockMoved{StockKey: fromKey, Type: Receipt, From: Place{Location: Supplier}, To: p, Quantity: n(10), At: t0})
			f.Lines = append(f.Lines, TransferLine{Number: i + 1, Item: "itm_a", SKU: "TEA", Unit: "EA", Place: p, Asked: n(rapid.Int64Range(1, 12).Draw(t, "asked"))})
		}
		facts, err := RequestTransfer(m.transfer, f)
		if err != nil {
			t.Fatal(err)
		}
		m.do(facts)
		refused := map[int]string{}
		for _, l := range f.Lines {
			out, err := SendOut(m.from, fromKey, "trf_a", l.of(l.Asked), t0)
			if (err != nil) != n(10).Less(l.Asked) {
				t.Fatalf("%+v: %v", l, err)
			}
			if err != nil {
				refused[l.Number] = "INSUFFICIENT_STOCK"
			} else {
				m.sent[l.Number] = pieces(l.Asked)
			}
			m.from = ApplyStock(m.from, out...)
		}
		m.do(SettleTransfer(m.transfer, refused, t0))
		if again := SettleTransfer(m.transfer, nil, t0); len(again) > 0 {
			t.Fatalf("settled twice: %+v", again)
		}
		t.Repeat(map[string]func(*rapid.T){"receive": m.receive, "end": m.end, "book": m.book, "book more": m.book, "": m.check})
	})
}

// TestTransferStates: a line is sent whole or not at all; what is too much stands in quarantine,
// damaged goods are damaged, and lot, date and owner stay.
func TestTransferStates(t *testing.T) {
	f := TransferRequested{TransferKeys: TransferKeys{ID: "trf_a", From: "DC1", To: "DC2", Owner: "ACME"}, At: t0, Lines: []TransferLine{
		{Number: 1, Item: "itm_a", SKU: "TEA", Unit: "EA", Place: sentFrom[0], Asked: n(5)}, {Number: 2, Item: "itm_a", SKU: "TEA", Unit: "EA", Place: sentFrom[1], Asked: n(5)},
	}}
	x := ApplyTransfer(SiteTransfer{}, f)
	for name, err := range map[string]error{
		"received before it left": second(ReceiveTransfer(x, []TransferArrival{{Line: 1, Quantity: n(1), Location: "R-1"}}, "", t0)),
		"ended before it left":    second(EndTransfer(x, LostOnTheWay, "", "STOLEN", nil, t0)),
	} {
		if e, ok := fault.As(err); !ok || e.Reason != "TRANSFER_STATE" {
			t.Errorf("%s: %v", name, err)
		}
	}
	twice := f
	twice.Lines = []TransferLine{f.Lines[0], f.Lines[0]}
	if _, err := RequestTransfer(SiteTransfer{}, twice); err == nil {
		t.Error("a place is sent twice")
	}
	if s := ApplyTransfer(x, SettleTransfer(x, map[int]string{1: "STOCK_COMMITTED", 2: "STOCK_COMMITTED"}, t0)...).State(); s != TransferCalledOff {
		t.Errorf("nothing left: %s", s)
	}
	x = ApplyTransfer(x, SettleTransfer(x, map[int]string{2: "STOCK_COMMITTED"}, t0)...)
	if _, err := ReceiveTransfer(x, []TransferArrival{{Line: 2, Quantity: n(1), Location: "R-1"}}, "", t0); err == nil {
		t.Error("what was not sent came")
	}
	facts, err := ReceiveTransfer(x, []TransferArrival{{Line: 1, Quantity: n(2), Location: "R-1", Damaged: true}, {Line: 1, Quantity: n(4), Location: "R-2"}}, "m1", t0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range facts[0].(TransferReceived).Parts {
		got = append(got, fmt.Sprintf("%s at %s over %t", p.Quantity, p.To.text(), p.Over))
	}
	if want := "[2 at R-1 lot L expiry 2026-09-01 DAMAGED over false 3 at R-2 lot L expiry 2026-09-01 AVAILABLE over false 1 at R-2 lot L expiry 2026-09-01 QUARANTINE over true]"; fmt.Sprint(got) != want {
		t.Errorf("%v", got)
	}
	x = ApplyTransfer(x, facts...)
	if again, err := ReceiveTransfer(x, []TransferArrival{{Line: 1, Quantity: n(4), Location: "R-2"}}, "m1", t0); len(again) > 0 || err != nil || x.State() != TransferDone {
		t.Errorf("%s: %+v %v", x.State(), again, err)
	}
}

func second[A any](_ A, err error) error { return err }

// TestTransit: what is on its way is in the balance of the site that sent it, can be promised to
// nobody, and is in no balance file.
func TestTransit(t *testing.T) {
	p := sentFrom[0].transit()
	s := ApplyStock(Stock{Key: fromKey}, StockMoved{StockKey: fromKey, Type: TransferOut, From: Place{Location: Supplier}, To: p, Quantity: n(3), At: t0})
	if BalanceOf(s, Filter{}).OnHand != n(3) || BalanceOf(s, Filter{Location: InTransit, Lot: "L"}).OnHand != n(3) || !s.Figures("").ATP.IsZero() {
		t.Errorf("%+v", s)
	}
	if (Grain{}).counts(p) || (Grain{Location: true}).counts(p) || p.outside() || !(Place{Location: OtherSite}).outside() {
		t.Error("a balance file has what is on its way")
	}
}
