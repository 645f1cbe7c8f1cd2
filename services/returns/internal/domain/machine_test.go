package domain

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// world is one order with its returns, as a store and a bus would keep them: facts are
// applied at once, what reactors do is done some time later, more than once, in any order.
type world struct {
	env      Env
	items    Returnable
	returns  []Return
	facts    [][]Fact // of each return
	shown    []string // each return when its last fact was in
	tallies  []tally
	booked   []ItemFact
	stands   string   // the order when its last fact was in
	pending  []func() // what reactors still do
	issued   map[int]quantity.Decimal
	moved    map[int]quantity.Decimal // by return: units that ItemsDisposed moved
	received map[int]quantity.Decimal // by return
}

func (w *world) apply(t *rapid.T, i int, facts []Fact) {
	next := Apply(w.returns[i], facts...)
	w.untouched(t)
	w.stays(t, w.returns[i], next)
	w.facts[i], w.returns[i], w.shown[i] = append(w.facts[i], facts...), next, fmt.Sprintf("%+v", next)
	for _, f := range facts {
		w.tallies[i].add(f)
		switch f := f.(type) {
		case ReturnDenied:
			w.giveBack(i, nil)
		case ReturnCancelled:
			w.giveBack(i, nil)
		case ReturnCompleted:
			if f.Short {
				w.giveBack(i, f.Kept)
			}
		case ItemsDisposed:
			w.moved[i] = w.moved[i].Add(f.Quantity.Value)
		}
	}
}

// open makes room for one more return.
func (w *world) open() int {
	w.returns, w.facts = append(w.returns, Return{}), append(w.facts, nil)
	w.shown, w.tallies = append(w.shown, fmt.Sprintf("%+v", Return{})), append(w.tallies, tally{disposed: map[Disposition]quantity.Decimal{}})
	return len(w.returns) - 1
}

func (w *world) giveBack(i int, kept []ClaimedLine) {
	r := w.returns[i]
	w.pending = append(w.pending, func() {
		w.book(w.items.Release("rtb_1", r.ClaimKey, r.ID, kept))
		if twice := w.items.Release("rtb_1", r.ClaimKey, r.ID, kept); len(twice) > 0 && len(kept) == 0 {
			panic(fmt.Sprintf("released a second time: %+v", twice))
		}
	})
}

// book takes facts into the order.
func (w *world) book(facts []ItemFact) {
	for _, f := range facts {
		w.items = EvolveItems(w.items, f)
	}
	w.booked, w.stands = append(w.booked, facts...), fmt.Sprintf("%+v", w.items)
}

// try applies what a command decided; a refusal leaves no fact.
func (w *world) try(t *rapid.T, i int, facts []Fact, err error) {
	if f, ok := fault.As(err); err != nil && (!ok || f.Kind != fault.Refused && f.Kind != fault.Invalid && f.Kind != fault.Conflict) {
		t.Fatalf("a defect, not a refusal: %v", err)
	}
	if err != nil && len(facts) > 0 {
		t.Fatalf("refused with %v, and %+v", err, facts)
	}
	w.apply(t, i, facts)
}

// drive looks at the return, claims and decides: three steps, others may come between.
func (w *world) drive(t *rapid.T, i int) {
	r := w.returns[i]
	if r.State() != Requested || r.Held {
		return
	}
	decide := func(facts []Fact, err error) { w.try(t, i, facts, err) }
	w.pending = append(w.pending, func() {
		facts, err := w.items.Take("rtb_1", r.ClaimKey, r.ID, r.Wanted())
		if err != nil {
			w.pending = append(w.pending, func() { decide(w.returns[i].Refuse(w.env, []Reason{{Code: "QUANTITY_EXCEEDS_ISSUED"}})) })
			return
		}
		w.book(facts)
		items := w.items
		claim, _ := items.Claim(r.ClaimKey)
		w.pending = append(w.pending, func() { decide(w.returns[i].Hold(w.env, items, claim)) })
	})
}

// settle does all that reactors still do.
func (w *world) settle() {
	for len(w.pending) > 0 {
		step := w.pending[0]
		w.pending = w.pending[1:]
		step()
	}
}

func ea(n int) quantity.Quantity { return quantity.Quantity{Value: quantity.Int(int64(n)), Unit: "EA"} }

var prices = []string{"", "0", "0.004", "0.005", "1", "3.333", "12.345", "999999.99"}

// machine draws an order and the commands on its returns.
func newWorld(t *rapid.T) *world {
	w := &world{
		env: Env{Now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), By: "ann", Policy: Policy{
			Auto: rapid.Bool().Draw(t, "auto"), Window: 30 * 24 * time.Hour, AutoReasons: []string{"DEFECTIVE"},
			AutoCredit: rapid.Bool().Draw(t, "auto credit"), FeePoints: rapid.SampledFrom([]int{0, 1, 1500, 9999, 10000}).Draw(t, "fee"),
			FeeReasons: []string{"CHANGED_MIND"},
		}},
		items: Returnable{}, issued: map[int]quantity.Decimal{}, moved: map[int]quantity.Decimal{}, received: map[int]quantity.Decimal{},
	}
	w.stands = fmt.Sprintf("%+v", w.items)
	w.issue(t)
	return w
}

func (w *world) issue(t *rapid.T) {
	f := ItemsIssued{ID: "rtb_1", Order: "ord_1", Number: "SO-1", Currency: "EUR", SoldTo: "ACME", At: w.env.Now}
	for _, n := range []int{10, 20} {
		q := rapid.IntRange(0, 6).Draw(t, "issued")
		if q == 0 {
			continue
		}
		pack := rapid.SampledFrom([]int{1, 7}).Draw(t, "pack")
		f.Lines = append(f.Lines, IssuedLine{Line: n, Item: fmt.Sprint("itm_", n), SKU: fmt.Sprint("SKU-", n), Unit: "EA", Issued: ea(q).Value, Price: Price{
			Unit: rapid.SampledFrom(prices).Draw(t, "price"), Currency: "EUR",
			Ordered: quantity.Quantity{Value: quantity.Int(3), Unit: "CS"}, Base: quantity.Int(int64(3 * pack)),
		}})
		w.issued[n] = w.issued[n].Add(ea(q).Value)
	}
	if len(f.Lines) > 0 {
		w.book(w.items.Issue(f))
	}
}

// reverse: what is taken back is issued no more; no more is taken than was issued.
func (w *world) reverse(t *rapid.T) {
	line := rapid.SampledFrom([]int{10, 20, 30}).Draw(t, "line")
	held, _ := w.items.Claimed(line)
	q := quantity.Int(int64(rapid.IntRange(1, 3).Draw(t, "taken back")))
	if w.issued[line].Sub(held).Less(q) {
		t.Skip("what a return holds has been with the customer")
	}
	facts := w.items.Reverse(ItemsIssueReversed{ID: "rtb_1", Lines: []ReversedLine{{Line: line, Quantity: quantity.Quantity{Value: q, Unit: "EA"}}}})
	w.book(facts)
	w.issued[line] = w.issued[line].Sub(q)
}

func (w *world) actions() map[string]func(*rapid.T) {
	some := func(t *rapid.T) int {
		if len(w.returns) == 0 {
			t.Skip("no return")
		}
		return rapid.IntRange(0, len(w.returns)-1).Draw(t, "return")
	}
	line := func(t *rapid.T) int { return rapid.IntRange(0, 4).Draw(t, "line") }
	n := func(t *rapid.T) int { return rapid.IntRange(0, 5).Draw(t, "n") }
	// near draws a line of a return, mostly one that it has, and a quantity, mostly all that is left there.
	near := func(t *rapid.T, i int, left func(Line) quantity.Decimal) (int, int) {
		if lines := w.returns[i].Lines; len(lines) > 0 && rapid.IntRange(0, 9).Draw(t, "far") > 0 {
			l := rapid.SampledFrom(lines).Draw(t, "line of it")
			all, _ := left(l).Int64()
			return l.Number, max(0, int(all)+rapid.SampledFrom([]int{0, 0, 0, -1, 1}).Draw(t, "beside"))
		}
		return line(t), n(t)
	}
	return map[string]func(*rapid.T){
		"issue": w.issue, "reverse": w.reverse,
		"request": func(t *rapid.T) {
			i := len(w.returns)
			if i > 3 {
				t.Skip("enough")
			}
			asked := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) AskedLine {
				return AskedLine{
					OrderLine: rapid.SampledFrom([]int{10, 20, 30}).Draw(t, "of"), Quantity: ea(n(t)),
					Reason: rapid.SampledFrom([]string{"DEFECTIVE", "CHANGED_MIND"}).Draw(t, "why"),
				}
			}), 1, 3).Draw(t, "lines")
			if j := slices.IndexFunc(w.returns, func(r Return) bool { return r.Requested.IsZero() }); j >= 0 && rapid.Bool().Draw(t, "late") {
				i = j // asked for after goods of it arrived
			} else {
				w.open()
			}
			id := fmt.Sprint("rma_", i)
			facts, err := w.returns[i].Request(w.env, ReturnRequested{Keys: Keys{ID: id, Order: "ord_1"}, ClaimKey: "clm:" + id, Returnable: "rtb_1", Lines: asked})
			w.try(t, i, facts, err)
		},
		"drive": func(t *rapid.T) { w.drive(t, some(t)) },
		"react": func(t *rapid.T) {
			if len(w.pending) == 0 {
				t.Skip("nothing pending")
			}
			i := rapid.IntRange(0, len(w.pending)-1).Draw(t, "which")
			step := w.pending[i]
			if !rapid.Bool().Draw(t, "comes again") {
				w.pending = slices.Delete(w.pending, i, i+1)
			}
			step()
		},
		"settle": func(t *rapid.T) {
			for i := range w.returns {
				w.drive(t, i)
			}
			w.settle()
		},
		"advance": func(t *rapid.T) {
			i := some(t)
			for range rapid.IntRange(1, 8).Draw(t, "steps") {
				w.advance(t, i)
			}
		},
		"authorise": func(t *rapid.T) {
			i := some(t)
			facts, err := w.returns[i].Authorise(w.env)
			w.try(t, i, facts, err)
		},
		"deny": func(t *rapid.T) {
			i := some(t)
			facts, err := w.returns[i].Deny(w.env, "no")
			w.try(t, i, facts, err)
		},
		"cancel": func(t *rapid.T) {
			i := some(t)
			s, arrived := w.returns[i].State(), w.tallies[i].received
			facts, err := w.returns[i].Cancel(w.env, "CUSTOMER_REQUEST")
			if may := (s == Requested || s == Authorised) && arrived.IsZero(); may != (err == nil) {
				t.Fatalf("cancelled as %s with %s here: %v", s, arrived, err)
			}
			w.try(t, i, facts, err)
		},
		"receive unasked": func(t *rapid.T) {
			if len(w.returns) > 3 {
				t.Skip("enough")
			}
			i := w.open()
			w.received[i] = ea(2).Value
			w.apply(t, i, w.returns[i].Receive(ReceiptRecorded{Keys: Keys{ID: fmt.Sprint("rma_", i)}, Named: line(t), Quantity: ea(2), Stand: Stand{Item: "itm_10"}}))
		},
		"receive": func(t *rapid.T) {
			i := some(t)
			l, q := near(t, i, func(l Line) quantity.Decimal { return l.Authorised.Sub(l.Received) })
			q = max(1, q)
			at := rapid.SampledFrom([]string{"DOCK-1", "DOCK-2"}).Draw(t, "place")
			item := rapid.SampledFrom([]string{"itm_10", "itm_20"}).Draw(t, "item")
			if at, found := w.returns[i].find(l); found && w.returns[i].Lines[at].Item != "" && rapid.IntRange(0, 9).Draw(t, "other") > 0 {
				item = w.returns[i].Lines[at].Item
			}
			w.received[i] = w.received[i].Add(ea(q).Value)
			w.apply(t, i, w.returns[i].Receive(ReceiptRecorded{
				Keys: Keys{ID: fmt.Sprint("rma_", i)}, Named: l, Quantity: ea(q),
				Stand: Stand{Stock: "stk_" + item, Site: "DC1", Item: item, SKU: item, Owner: "OWN", Location: at, Status: "QUALITY"},
			}))
		},
		"inspect": func(t *rapid.T) {
			i := some(t)
			l, accepted := near(t, i, Line.uninspected)
			rejected := rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "rejected")
			facts, err := w.returns[i].Inspect(w.env, Inspection{Line: l, Accepted: ea(accepted), Rejected: ea(rejected), Grade: "B"})
			w.try(t, i, facts, err)
		},
		"dispose": func(t *rapid.T) {
			i := some(t)
			l, q := near(t, i, Line.Pending)
			q = rapid.SampledFrom([]int{q, q, 1}).Draw(t, "part")
			d := Disposal{
				Line: l, Quantity: ea(q), From: rapid.SampledFrom([]string{"", "DOCK-1"}).Draw(t, "from"),
				Disposition: rapid.SampledFrom([]Disposition{Restock, Quarantine, Scrap, ReturnToVendor, BackToCustomer}).Draw(t, "to"),
			}
			if d.Disposition == Restock || d.Disposition == Quarantine {
				d.To = "BIN-1"
			}
			facts, err := w.returns[i].Dispose(w.env, d)
			w.try(t, i, facts, err)
		},
		"credit": func(t *rapid.T) {
			i := some(t)
			facts, err := w.returns[i].RequestCredit(w.env, nil)
			w.try(t, i, facts, err)
		},
		"confirm": func(t *rapid.T) {
			i := some(t)
			w.apply(t, i, w.returns[i].ConfirmCredit(w.env, rapid.IntRange(0, 3).Draw(t, "credit"), "CM-1", nil))
		},
		"complete": func(t *rapid.T) {
			i := some(t)
			facts, err := w.returns[i].Complete(w.env)
			w.try(t, i, facts, err)
		},
		"any fact": w.anyFact,
		"":         w.check,
	}
}

// advance takes the next step that a return in a good way takes.
func (w *world) advance(t *rapid.T, i int) {
	r := w.returns[i]
	try := func(facts []Fact, err error) { w.try(t, i, facts, err) }
	switch r.State() {
	case Requested:
		w.drive(t, i)
		w.settle()
		try(w.returns[i].Authorise(w.env))
		return
	case Authorised, PartiallyReceived:
		for _, l := range r.Lines {
			if rest, _ := l.Authorised.Sub(l.Received).Int64(); rest > 0 {
				w.received[i] = w.received[i].Add(ea(1).Value)
				w.apply(t, i, r.Receive(ReceiptRecorded{Keys: r.Keys, Named: l.Number, Quantity: ea(1), Stand: Stand{Item: l.Item, SKU: l.SKU}}))
				break
			}
		}
	case Denied, Cancelled: // the parcel comes all the same
		if len(r.Lines) > 0 && w.received[i].Less(ea(3).Value) {
			l := rapid.SampledFrom(r.Lines).Draw(t, "comes all the same")
			w.received[i] = w.received[i].Add(ea(1).Value)
			w.apply(t, i, r.Receive(ReceiptRecorded{Keys: r.Keys, Named: l.Number, Quantity: ea(1), Stand: Stand{Item: l.Item, SKU: l.SKU}}))
		}
	case Received, Inspected, Completed, Unexpected:
	}
	for _, l := range w.returns[i].Lines {
		to := rapid.SampledFrom([]Disposition{Scrap, ReturnToVendor, BackToCustomer, Restock, Restock}).Draw(t, "goes as")
		bin := map[Disposition]string{Restock: "BIN-1"}[to]
		bad := rapid.SampledFrom([]int{0, 0, 1}).Draw(t, "rejected")
		switch {
		case !l.uninspected().IsZero():
			try(w.returns[i].Inspect(w.env, Inspection{Line: l.Number, Accepted: ea(1 - bad), Rejected: ea(bad), Grade: "A"}))
		case !l.Pending().IsZero():
			try(w.returns[i].Dispose(w.env, Disposal{Line: l.Number, Disposition: to, Quantity: ea(1), To: bin}))
		}
	}
	try(w.returns[i].RequestCredit(w.env, nil))
	for n := range w.returns[i].Credits {
		w.apply(t, i, w.returns[i].ConfirmCredit(w.env, n+1, "CM", nil))
	}
	if rapid.IntRange(0, 4).Draw(t, "enough of it") == 0 {
		try(w.returns[i].Complete(w.env))
	}
}

// TestReturnsOfAnOrder runs commands on the returns of one order in any order, reactors late
// and repeated; whatever happens, quantities, moves and money stay right.
func TestReturnsOfAnOrder(t *testing.T) {
	for _, run := range []string{"one", "another", "a third"} { // what is rare takes many steps
		t.Run(run, rapid.MakeCheck(func(t *rapid.T) {
			w := newWorld(t)
			t.Repeat(w.actions())
		}))
	}
}
