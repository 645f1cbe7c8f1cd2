package domain

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// TestChangeStatus: goods get another status where they stand, if nobody has them.
func TestChangeStatus(t *testing.T) {
	blocked, returned := bin, bin
	blocked.Status, returned.Status = Blocked, Returned
	s := ApplyStock(Stock{Key: key},
		StockMoved{StockKey: key, Type: Receipt, From: Place{Location: Supplier}, To: bin, Quantity: n(10)},
		StockMoved{StockKey: key, Type: Receipt, From: Place{Location: Supplier}, To: blocked, Quantity: n(4)},
		StockMoved{StockKey: key, Type: ReturnReceipt, From: Place{Location: Customer}, To: returned, Quantity: n(1)},
		StockAllocated{StockKey: key, Order: "who_a", Line: 1, Parts: []Allocation{{"who_a", 1, bin, n(3)}}},
		StockReserved{StockKey: key, Claim: Claim{"clm:1", n(2)}},
	)
	for name, c := range map[string]struct {
		from   Place
		to     Status
		q      int64
		reason string
	}{
		"all that nobody has":          {bin, QI, 5, ""},
		"what is promised":             {bin, QI, 6, "STOCK_COMMITTED"},
		"what is allocated":            {bin, Blocked, 8, "STOCK_COMMITTED"},
		"more than stands there":       {bin, Damaged, 11, "INSUFFICIENT_STOCK"},
		"blocked goods, given free":    {blocked, Available, 4, ""},
		"more blocked than there are":  {blocked, Available, 5, "INSUFFICIENT_STOCK"},
		"to the status that they have": {bin, Available, 1, "STATUS_INVALID"},
		"what a return decides":        {returned, Available, 1, "STATUS_INVALID"},
		"what only a return gives":     {bin, Returned, 1, "STATUS_INVALID"},
	} {
		facts, err := ChangeStatus(s, c.from, c.to, n(c.q), "QUALITY_HOLD", t0)
		if f, ok := fault.As(err); ok && f.Reason != c.reason || !ok && (c.reason != "" || moved(facts, StatusChange) != c.q) {
			t.Errorf("%s: %+v %v", name, facts, err)
		}
	}
}

// TestReverse: what somebody did by hand is taken back once; what documents tell of is not.
func TestReverse(t *testing.T) {
	blocked := bin
	blocked.Status = Blocked
	hand := StockMoved{StockKey: key, Type: StatusChange, From: bin, To: blocked, Quantity: n(4), Reason: "QUALITY_HOLD"}
	s := ApplyStock(Stock{Key: key}, StockMoved{StockKey: key, Type: Receipt, From: Place{Location: Supplier}, To: bin, Quantity: n(10)}, hand)
	facts, err := Reverse(s, MoveRef{2, 0}, hand, "RELEASED", t0)
	if err != nil || len(facts) != 1 {
		t.Fatal(facts, err)
	}
	after := ApplyStock(s, facts...)
	if all, _ := after.onHand(bin); all != n(10) || len(after.Rows) != 2 {
		t.Errorf("%+v", after.Rows)
	}
	refused := func(s Stock, ref MoveRef, was StockMoved, want string) {
		t.Helper()
		if facts, err := Reverse(s, ref, was, "RELEASED", t0); !fault.IsKind(err, fault.Refused) || len(facts) > 0 {
			t.Errorf("%+v %v", facts, err)
		} else if f, _ := fault.As(err); f.Reason != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	refused(after, MoveRef{2, 0}, hand, "MOVEMENT_REVERSED")
	refused(after, MoveRef{3, 0}, facts[0].(StockMoved), "MOVEMENT_NOT_REVERSIBLE")
	refused(s, MoveRef{1, 0}, StockMoved{Type: Receipt, To: bin, Quantity: n(10)}, "MOVEMENT_NOT_REVERSIBLE")
	refused(s, MoveRef{1, 1}, StockMoved{Type: Adjustment, To: bin, Quantity: n(1), Order: "who_a"}, "MOVEMENT_NOT_REVERSIBLE")
	gone := ApplyStock(s, StockMoved{StockKey: key, Type: Move, From: blocked, To: Place{Location: "B-9", Status: Blocked}, Quantity: n(1)})
	refused(gone, MoveRef{2, 0}, hand, "INSUFFICIENT_STOCK")

	many := s
	for v := range uint64(maxReversals + 1) {
		many = many.reversed(MoveRef{Version: 1000 - v})
	}
	if len(many.Reversed) != maxReversals || many.Reversed[0].Version != 501 {
		t.Fatalf("%d, from %+v", len(many.Reversed), many.Reversed[0])
	}
	refused(many, MoveRef{2, 0}, hand, "MOVEMENT_NOT_REVERSIBLE")
	refused(many, MoveRef{501, 0}, hand, "MOVEMENT_REVERSED")
}

// changeStatus: goods that somebody has keep their status.
func (m *stockMachine) changeStatus(t *rapid.T) {
	from := place(t)
	to := rapid.SampledFrom([]Status{Available, QI, Blocked, Damaged, Quarantine}).Draw(t, "to")
	q := about(t, m.at(from))
	if from.Status == to || from.Status == Returned {
		t.Skip("that is no change")
	}
	facts, err := ChangeStatus(m.stock, from, to, n(q), "QUALITY_HOLD", t0)
	if may := m.spares(from, q); may != (err == nil) || may && moved(facts, StatusChange) != q {
		t.Fatalf("%d of %+v to %s: %+v %v", q, from, to, facts, err)
	}
	m.do(t, "ChangeStatus", facts, err)
}

// reverse: any movement that was made by hand comes back once, as long as its goods are there.
func (m *stockMachine) reverse(t *rapid.T) {
	if len(m.facts) == 0 {
		t.Skip("nothing moved")
	}
	i := rapid.IntRange(0, len(m.facts)-1).Draw(t, "movement")
	was, ok := m.facts[i].(StockMoved)
	if !ok {
		t.Skip("no movement")
	}
	ref := MoveRef{Version: uint64(i + 1)}
	again := false
	for _, f := range m.facts {
		if f, ok := f.(StockMoved); ok && f.Reverses == ref {
			again = true
		}
	}
	facts, err := Reverse(m.stock, ref, was, "KEYING_ERROR", t0)
	byHand := (was.Type == StatusChange || was.Type == Move || was.Type == Adjustment) && was.Order == "" && was.Reverses == MoveRef{}
	q := pieces(was.Quantity)
	stays := promisable(was.From, "") && promisable(was.To, "")
	_, atp := m.books.free("") // of the very place, whatever date its lot has elsewhere since
	spare := m.freeAt(was.To) >= q && (stays || !promisable(was.To, "") || atp >= q)
	may := byHand && !again && (beyond(was.To) || spare)
	if may != (err == nil) || may && (len(facts) != 1 || facts[0].(StockMoved).To != was.From) {
		t.Fatalf("%+v, reversed %t: %+v %v", was, again, facts, err)
	}
	m.do(t, "Reverse", facts, err)
}
