package domain

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// settlement is two freights of one carrier and its invoices for them, as a store and a bus
// would keep them: facts are applied at once, what reactors do is done some time later, more
// than once, in any order.
type settlement struct {
	freights map[string]*account
	invoices map[string]*bill
	pending  []func(*rapid.T) // what reactors still do
}

// account is a freight with a bookkeeper's view of it.
type account struct {
	state    Freight
	shown    string // the freight when its last fact was in
	facts    []FreightFact
	folded   int              // how many of them were folded anew
	currency string           // of its postings
	ledger   map[string]int64 // balance by account
	paid     map[string]int64 // by invoice

	dispatched, final        bool
	tender, dispatch, cancel int64 // newest revision taken in
}

// bill is an invoice with what was decided about it.
type bill struct {
	state Invoice
	shown string
	facts []InvoiceFact

	folded int
}

var tolerated = Tolerance{Percent: 2, Minor: 500}

func newSettlement() *settlement {
	s := &settlement{freights: map[string]*account{}, invoices: map[string]*bill{}}
	for _, id := range []string{"frt_a", "frt_b"} {
		s.freights[id] = &account{ledger: map[string]int64{}, paid: map[string]int64{}}
	}
	return s
}

func from[T any](t *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(t, label) }

func ofFreight(id string) Of { return Of{id, "shp_" + id} }

// tariffs are a card in dollars and one in euros.
func tariffs(t *rapid.T) Cards {
	dollars, euros := cards(t).Versions[0], cards(t).Versions[0]
	euros.Version, euros.Currency = 2, "EUR"
	return Cards{Versions: []Card{dollars, euros}}
}

// rating is what a shipment costs, in dollars mostly; of some weights no band fits.
func rating(t *rapid.T, weight int64) Rating {
	return RateAgain(tariffs(t), ship(weight), from(t, "version", 1, 1, 1, 1, 2))
}

func weight(t *rapid.T) int64 {
	return from[int64](t, "weight", 1, 10_000, 10_001, 100_500, 200_000, 1_000_000, 1_000_000, 1_000_000, 1_000_001)
}

// book takes the outcome of a command on a freight; asked again, it has no effect.
func (s *settlement) book(t *rapid.T, name, id string, command func(Freight) ([]FreightFact, error)) (facts []FreightFact, err error) {
	a := s.freights[id]
	facts, err = command(a.state)
	if err != nil && (!fault.IsKind(err, fault.Refused) || len(facts) > 0) {
		t.Fatalf("%s: %v with %+v", name, err, facts)
	}
	next := ApplyFreight(a.state, facts...)
	a.stays(t, name, next, facts)
	for _, f := range facts {
		a.post(t, f)
	}
	a.state, a.facts, a.shown = next, append(a.facts, facts...), fmt.Sprintf("%+v", next)
	if twice, again := command(a.state); err == nil && len(twice) > 0 && len(facts) > 0 {
		t.Fatalf("%s a second time: %+v %v", name, twice, again)
	}
	return facts, err
}

// stays holds what no command takes back.
func (a *account) stays(t *rapid.T, name string, next Freight, facts []FreightFact) {
	if now := fmt.Sprintf("%+v", a.state); a.shown != "" && now != a.shown {
		t.Fatalf("%s changed the old state:\n%s\n%s", name, a.shown, now)
	}
	rank := map[FreightState]int{Accrued: 1, Final: 2, Settled: 3}
	from, to := a.state.State(), next.State()
	if rank[to] < rank[from] && to != Reversed {
		t.Fatalf("%s took the freight back from %s to %s", name, from, to)
	}
	goes := slices.ContainsFunc(facts, func(f FreightFact) bool {
		switch f.(type) {
		case FreightEstimated, FreightAccrued:
			return true
		}
		return false
	})
	if from == Reversed && to != Reversed && !goes {
		t.Fatalf("%s took a reversed freight to %s", name, to)
	}
	for _, c := range slices.Concat(a.state.Rating.Charges, a.state.Others) {
		if c.Settled && !slices.ContainsFunc(slices.Concat(next.Rating.Charges, next.Others), func(n Charge) bool {
			return n.Code == c.Code && n.Invoice == c.Invoice && n.Settled && n.Paid == c.Paid
		}) {
			t.Fatalf("%s forgot that %+v was settled: %+v", name, c, next)
		}
	}
}

// post takes the postings of one fact into the ledger: debits equal credits, in one currency.
func (a *account) post(t *rapid.T, fact FreightFact) {
	var ps []Posting
	switch f := fact.(type) {
	case FreightAccrued:
		ps = f.Postings
	case FreightFinalised:
		ps = f.Postings
	case FreightReversed:
		ps = f.Postings
	case ChargesSettled:
		ps = f.Postings
		a.paid[f.Invoice] += f.Paid.Minor
	}
	var sum int64
	for _, p := range ps {
		sum += p.Amount.Minor
		a.ledger[p.Account] += p.Amount.Minor
		if a.currency == "" {
			a.currency = p.Amount.Currency
		}
		if p.Amount.Currency != a.currency || p.Amount.Minor == 0 {
			t.Fatalf("%+v in books that are kept in %s", fact, a.currency)
		}
	}
	if sum != 0 {
		t.Fatalf("debits and credits differ by %d: %+v", sum, fact)
	}
}

// carry is something that happens to a shipment: told in any order, it counts when it is news.
func (s *settlement) carry(t *rapid.T) {
	id := from(t, "freight", "frt_a", "frt_a", "frt_b")
	a, k := s.freights[id], Keys{id, "shp_" + id, "ord_a", "SO-1"}
	revision, pro := rapid.Int64Range(1, 9).Draw(t, "revision"), from(t, "pro", "", "PRO-1", "PRO-2")
	r := rating(t, weight(t))
	lines := []Line{{1, "A", quantity.Int(3), from[int64](t, "weighs", 0, 1000)}, {2, "B", quantity.Int(4), from[int64](t, "weighs", 0, 3)}}
	lines = lines[:from(t, "lines", 0, 1, 2, 2)]
	tell := func(news bool, command func(Freight) ([]FreightFact, error)) bool {
		if facts, err := s.book(t, "carry", id, command); err != nil || news != (len(facts) > 0) {
			t.Fatalf("news %t: %+v %v", news, facts, err)
		}
		return news
	}
	switch from(t, "what", "estimate", "accrue", "accrue", "accrue", "accrue", "finalise", "rerate", "true up", "reverse", "refer") {
	case "estimate":
		if tell(!a.dispatched && revision > max(a.tender, a.cancel), func(f Freight) ([]FreightFact, error) {
			return Estimate(f, FreightEstimated{Keys: k, Basis: ship(r.Weight), Rating: r, Revision: revision})
		}) {
			a.tender = revision
		}
	case "accrue":
		if tell(!a.dispatched && revision > a.cancel, func(f Freight) ([]FreightFact, error) {
			return Accrue(f, FreightAccrued{Keys: k, Basis: ship(r.Weight), Rating: r, Lines: lines, At: t0, Revision: revision})
		}) {
			a.dispatched, a.dispatch = true, revision
		}
	case "finalise":
		tell(!a.final, func(f Freight) ([]FreightFact, error) { return Finalise(f, k, r.Weight, r) })
		a.final = true
	case "reverse":
		if tell(revision > max(a.cancel, a.dispatch), func(f Freight) ([]FreightFact, error) {
			return Reverse(f, ofFreight(id), "CALLED_OFF", revision)
		}) {
			a.cancel = revision
		}
	case "rerate":
		r := Rate(cards(t), ship(a.state.Weight(r.Weight)))
		other := slices.ContainsFunc(a.state.Others, func(c Charge) bool { return c.Invoiced.Currency != "USD" }) // its books are in another currency
		tell(a.state.State() == Unrated && (a.tender > 0 || a.dispatched) && r.Rated() && !other, func(f Freight) ([]FreightFact, error) { return Rerate(f, r) })
	case "true up":
		r := RateAgain(tariffs(t), ship(a.state.Delivered), a.state.Rating.Version)
		tell(a.state.NeedsTrueUp() && r.Rated(), func(f Freight) ([]FreightFact, error) { return TrueUp(f, r) })
	default:
		told := slices.ContainsFunc(a.facts, func(f FreightFact) bool { x, is := f.(FreightReferenced); return is && x.Revision == revision })
		tell(pro != "" && !told, func(f Freight) ([]FreightFact, error) {
			return Refer(f, ofFreight(id), Reported{Refs: Refs{PRO: pro}, Revision: revision})
		})
	}
}

// receive takes a carrier's invoice: about what was expected, of charges that were or were not.
func (s *settlement) receive(t *rapid.T) {
	number := from(t, "number", "INV-1", "INV-2", "INV-3", "INV-4", "inv 04")
	id := "inv_" + NormalNumber(number)
	b := s.invoices[id]
	if b == nil {
		b = &bill{}
		s.invoices[id] = b
	}
	currency := from(t, "currency", "USD", "USD", "USD", "USD", "EUR")
	r := InvoiceReceived{ID: id, Carrier: "ACME", Number: number, Date: t0, Creator: "ann"}
	m := MatchRequested{Requested: t0, Due: t0.Add(time.Minute)}
	if f, c, held := s.held(t); held && from(t, "again in two lines", 0, 0, 1) > 0 {
		half := money.Amount{Minor: c.Invoiced.Minor / 2, Currency: currency}
		rest := money.Amount{Minor: c.Invoiced.Minor - half.Minor, Currency: currency}
		r.Lines = []InvoiceLine{{Reference: "PRO", Code: c.Code, Amount: half}, {Reference: "PRO", Code: c.Code, Amount: rest}}
		m.Freights = []string{f, f}
	}
	mood := from[int64](t, "mood", 0, 0, 1, -1)
	for range rapid.IntRange(1, 3).Draw(t, "lines") {
		freight := from(t, "freight", "frt_a", "frt_a", "frt_a", "frt_b", "frt_b", "frt_b", "")
		l := InvoiceLine{Reference: "PRO", Code: from(t, "code", "BASE", "BASE", "FUEL", "DETENTION"), Amount: money.Amount{Currency: currency}}
		l.Amount.Minor = s.ask(t, freight, l.Code, mood)
		r.Lines, m.Freights = append(r.Lines, l), append(m.Freights, freight)
	}
	facts, err := Receive(b.state, r, m)
	if taken := b.state.ID != ""; taken != fault.IsKind(err, fault.Conflict) || !taken && err != nil {
		t.Fatalf("received over %q: %v", b.state.ID, err)
	}
	s.enter(t, "receive", id, facts, err)
}

// held draws a charge that an invoice has.
func (s *settlement) held(t *rapid.T) (freight string, c Charge, ok bool) {
	freight = from(t, "of", "frt_a", "frt_b")
	a := s.freights[freight].state
	all := slices.DeleteFunc(slices.Concat(a.Rating.Charges, a.Others), func(c Charge) bool { return c.Invoice == "" })
	if len(all) == 0 {
		return "", c, false
	}
	return freight, from(t, "charge", all...), true
}

// ask is what a carrier asks for a charge: as expected, at or just beyond the tolerance, or something else.
func (s *settlement) ask(t *rapid.T, freight, code string, mood int64) int64 {
	expected := int64(5500)
	if a := s.freights[freight]; a != nil {
		for _, c := range a.state.Rating.Charges {
			if c.Code == code {
				expected = c.Amount.Minor
			}
		}
	}
	most := min(expected*2/100, 500)
	if mood != 0 { // each line is as far off as it may be
		return expected + mood*most
	}
	return expected + from(t, "beside", 0, 0, 0, most, -most, most+1, -most-1, 100, 9_000_000, -expected, -2*expected)
}

// enter takes the outcome of a command on an invoice; reactors see its facts.
func (s *settlement) enter(t *rapid.T, name, id string, facts []InvoiceFact, err error) {
	b := s.invoices[id]
	if err != nil && (!fault.IsKind(err, fault.Refused, fault.Invalid, fault.Conflict) || len(facts) > 0) {
		t.Fatalf("%s: %v with %+v", name, err, facts)
	}
	next := ApplyInvoice(b.state, facts...)
	b.stays(t, name, next)
	b.state, b.facts, b.shown = next, append(b.facts, facts...), fmt.Sprintf("%+v", next)
	for _, f := range facts {
		switch f := f.(type) {
		case MatchRequested:
			s.match(id, f.Attempt)
		case MatchDecided:
			s.later(func(t *rapid.T) { s.free(t, id, f.Attempt, f.Freed) })
			s.later(func(t *rapid.T) { s.judgeAgain(t, id) })
		case InvoiceApproved:
			s.later(func(t *rapid.T) { s.settle(t, id, f.Lines) })
		case InvoiceCredited:
			s.later(func(t *rapid.T) {
				s.free(t, id, f.Attempt, f.Freed)
				for _, other := range slices.Sorted(maps.Keys(s.invoices)) {
					s.judgeAgain(t, other)
				}
			})
		}
	}
}

func (s *settlement) later(step func(*rapid.T)) { s.pending = append(s.pending, step) }

// TestSettlement runs freights and invoices through whatever may happen to them, reactors
// late and repeated; whatever happens, the books balance and each charge is paid once.
func TestSettlement(t *testing.T) {
	for _, run := range []string{"one", "another", "a third", "a fourth"} { // a settlement takes many steps
		t.Run(run, rapid.MakeCheck(func(t *rapid.T) {
			s := newSettlement()
			for range from(t, "happened before", 0, 4, 4, 4) {
				s.carry(t)
				s.receive(t)
			}
			t.Repeat(map[string]func(*rapid.T){
				"carry": s.carry, "carry on": s.carry, "receive": s.receive, "receive more": s.receive, "react": s.react, "react more": s.react,
				"finish": s.finish, "resolve": s.resolve, "rematch": s.rematch, "post": s.post, "pay": s.pay, "any fact": s.anyFact, "": s.check,
			})
		}))
	}
}
