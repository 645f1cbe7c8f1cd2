package domain

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
)

// match claims the charges of one freight after the other and then decides: others may come between.
func (s *settlement) match(id string, attempt int) {
	i := s.invoices[id].state
	asks := map[string][]Payment{}
	for n, l := range i.Lines {
		asks[i.Claims[n]] = append(asks[i.Claims[n]], Payment{l.Code, l.Amount})
	}
	delete(asks, "")
	s.later(func(t *rapid.T) {
		if now := s.invoices[id].state; now.At != Received || now.Attempt != attempt {
			return // it comes again
		}
		freights, refused := map[string]Freight{}, map[string]Why{}
		claim := func(freight string) func(*rapid.T) {
			return func(t *rapid.T) {
				_, err := s.book(t, "claim", freight, func(f Freight) ([]FreightFact, error) {
					return ClaimCharges(f, Claim{id, attempt}, i.Carrier, asks[freight])
				})
				if known, ok := fault.As(err); ok {
					refused[freight] = Why{Code: known.Reason}
					return
				}
				delete(refused, freight)
				freights[freight] = s.freights[freight].state
			}
		}
		ids := slices.Sorted(maps.Keys(asks))
		var next func(n int) func(*rapid.T)
		next = func(n int) func(*rapid.T) {
			return func(t *rapid.T) {
				if n < len(ids) {
					claim(ids[n])(t)
					s.later(next(n + 1))
				} else {
					s.decide(t, id, attempt, Look(i, freights, refused), freights)
				}
			}
		}
		next(0)(t)
	})
}

// within says in its own way whether a variance may pass.
func within(expected, invoiced int64) bool {
	v := invoiced - expected
	if v < 0 {
		v = -v
	}
	return v == 0 || v <= 500 && 100*v <= 2*expected
}

// decide ends an attempt: approved by itself is only what was expected, held by this invoice
// and within tolerance on each line and in all.
func (s *settlement) decide(t *rapid.T, id string, attempt int, found []Found, freights map[string]Freight) {
	i := s.invoices[id].state
	facts, err := Decide(i, attempt, found, tolerated, t0.Add(time.Hour))
	if open := i.At == Received && i.Attempt == attempt; open != (len(facts) > 0) {
		t.Fatalf("attempt %d of %+v was decided: %+v", attempt, i, facts)
	}
	s.enter(t, "decide", id, facts, err)
	if len(facts) == 0 {
		return
	}
	passes, expected, invoiced := true, int64(0), int64(0)
	for n, l := range i.Lines {
		held := slices.IndexFunc(freights[i.Claims[n]].Rating.Charges, func(c Charge) bool { return c.Code == l.Code && c.Invoice == id })
		if held < 0 || sameCharge(i, n) {
			passes = false
			continue
		}
		c := freights[i.Claims[n]].Rating.Charges[held]
		passes = passes && c.Amount.Currency == l.Amount.Currency && within(c.Amount.Minor, l.Amount.Minor)
		expected, invoiced = expected+c.Amount.Minor, invoiced+l.Amount.Minor
	}
	after := s.invoices[id].state
	if approved := passes && within(expected, invoiced); approved != (after.At == Approved) {
		t.Fatalf("an invoice that may pass (%t) is %s: %+v", approved, after.At, after)
	}
	if after.At == Approved && after.Sum != after.Total {
		t.Fatalf("%v approved of %v", after.Sum, after.Total)
	}
}

// sameCharge reports whether a line before the n-th is for the same charge.
func sameCharge(i Invoice, n int) bool {
	for m := range n {
		if i.Lines[m].Code == i.Lines[n].Code && i.Claims[m] == i.Claims[n] {
			return true
		}
	}
	return false
}

func (s *settlement) free(t *rapid.T, id string, attempt int, freights []string) {
	for _, freight := range freights {
		if _, err := s.book(t, "free", freight, func(f Freight) ([]FreightFact, error) {
			return FreeCharges(f, ofFreight(freight), Claim{id, attempt})
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *settlement) settle(t *rapid.T, id string, lines []InvoiceLine) {
	payments := map[string][]Payment{}
	for _, l := range lines {
		payments[l.Freight] = append(payments[l.Freight], Payment{l.Code, l.Approved})
	}
	for _, freight := range slices.Sorted(maps.Keys(payments)) {
		if _, err := s.book(t, "settle", freight, func(f Freight) ([]FreightFact, error) {
			return Settle(f, ofFreight(freight), id, payments[freight])
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// judgeAgain matches an invoice anew when what it lost to another is free by now.
func (s *settlement) judgeAgain(t *rapid.T, id string) {
	i, freights := s.invoices[id].state, map[string]Freight{}
	for f, a := range s.freights {
		freights[f] = a.state
	}
	if i.Rejudgeable() && i.FreeByNow(freights) {
		s.again(t, id)
	}
}

func (s *settlement) again(t *rapid.T, id string) {
	i := s.invoices[id].state
	m := MatchRequested{Requested: t0, Due: t0.Add(time.Minute)}
	for _, l := range i.Lines {
		m.Freights = append(m.Freights, l.Freight)
	}
	facts, err := Rematch(i, i.Attempt, m)
	s.enter(t, "rematch", id, facts, err)
	if twice, err := Rematch(s.invoices[id].state, i.Attempt, m); err != nil || len(twice) > 0 {
		t.Fatalf("attempt %d is followed twice: %+v %v", i.Attempt, twice, err)
	}
}

func (s *settlement) some(t *rapid.T) string {
	if len(s.invoices) == 0 {
		t.Skip("no invoice")
	}
	return from(t, "invoice", slices.Sorted(maps.Keys(s.invoices))...)
}

func (s *settlement) rematch(t *rapid.T) {
	id := s.some(t)
	if s.invoices[id].state.At != Unmatched {
		t.Skip("it waits for nothing")
	}
	s.again(t, id)
}

func (s *settlement) react(t *rapid.T) {
	if len(s.pending) == 0 {
		t.Skip("nothing pending")
	}
	i := rapid.IntRange(0, len(s.pending)-1).Draw(t, "which")
	step := s.pending[i]
	if from(t, "comes again", 0, 0, 1) == 0 {
		s.pending = slices.Delete(s.pending, i, i+1)
	}
	step(t)
}

// finish does all that reactors still do, the oldest or the newest first.
func (s *settlement) finish(t *rapid.T) {
	newest := rapid.Bool().Draw(t, "newest first")
	for n := 0; len(s.pending) > 0; n++ {
		if n > 500 {
			t.Fatalf("reactors go on for ever: %s", s)
		}
		at := 0
		if newest {
			at = len(s.pending) - 1
		}
		step := s.pending[at]
		s.pending = slices.Delete(s.pending, at, at+1)
		step(t)
	}
}

// String shows what stands where.
func (s *settlement) String() (out string) {
	for _, id := range slices.Sorted(maps.Keys(s.freights)) {
		f := s.freights[id].state
		out += fmt.Sprintf("\n%s %s charges %+v others %+v", id, f.State(), f.Rating.Charges, f.Others)
	}
	for _, id := range slices.Sorted(maps.Keys(s.invoices)) {
		out += fmt.Sprintf("\n%s %s attempt %d %+v %+v", id, s.invoices[id].state.At, s.invoices[id].state.Attempt, s.invoices[id].state.Lines, s.invoices[id].state.Why)
	}
	return out
}

// resolve ends a dispute, if the state, the person and the sum allow it.
func (s *settlement) resolve(t *rapid.T) {
	id := s.some(t)
	i := s.invoices[id].state
	how, approver := from(t, "how", AsExpected, AsInvoiced, AsInvoiced, Split, CarrierCredit), from(t, "approver", "bob", "bob", "bob", "ann")
	agreed := money.Amount{Minor: i.Total.Minor + from(t, "agreed", 0, -1, 1, -i.Total.Minor, -i.Total.Minor-1), Currency: from(t, "in", i.Total.Currency, i.Total.Currency, "JPY")}
	facts, err := Resolve(i, how, agreed, "R", approver)
	may := i.At == Disputed && !slices.ContainsFunc(i.Why, func(w Why) bool { return w.Code == "CURRENCY_MISMATCH" })
	switch how {
	case CarrierCredit:
		may = i.At == Disputed || i.At == Unmatched || i.At == Duplicate
	case Split:
		may = may && agreed.Currency == i.Total.Currency && agreed.Minor >= 0 && agreed.Minor <= i.Total.Minor
	}
	if may = may && approver != i.Creator; may != (err == nil) {
		t.Fatalf("%s by %s of an invoice that is %s: %v", how, approver, i.At, err)
	}
	s.enter(t, "resolve", id, facts, err)
	if err != nil || how == CarrierCredit {
		return
	}
	var want int64
	for _, l := range i.Lines {
		want += map[Resolution]int64{AsExpected: l.Expected.Minor, AsInvoiced: l.Amount.Minor}[how]
	}
	if how == Split {
		want = agreed.Minor
	}
	if got := s.invoices[id].state; got.Sum != (money.Amount{Minor: want, Currency: i.Total.Currency}) {
		t.Fatalf("%s approves %v, want %d of %v", how, got.Sum, want, i.Total)
	}
}

func (s *settlement) post(t *rapid.T) {
	id := s.some(t)
	i, voucher := s.invoices[id].state, from(t, "voucher", "V-1", "V-1", "V-2")
	facts, err := Post(i, voucher)
	again := (i.At == Posted || i.At == Paid) && i.Voucher == voucher
	if (i.At == Approved) != (len(facts) == 1) || (i.At == Approved || again) != (err == nil) {
		t.Fatalf("posted as %s over %s of %s: %+v %v", voucher, i.Voucher, i.At, facts, err)
	}
	s.enter(t, "post", id, facts, err)
}

func (s *settlement) pay(t *rapid.T) {
	id := s.some(t)
	i, reference := s.invoices[id].state, from(t, "reference", "P-1", "P-1", "P-2")
	amount := i.Sum
	amount.Minor += from[int64](t, "beside", 0, 0, 0, 1, -1)
	facts, err := Pay(i, reference, amount)
	pays, again := i.At == Posted && amount == i.Sum, i.At == Paid && i.Payment == reference && amount == i.Sum
	if pays != (len(facts) == 1) || (pays || again) != (err == nil) {
		t.Fatalf("paid %v of %v of an invoice that is %s: %+v %v", amount, i.Sum, i.At, facts, err)
	}
	s.enter(t, "pay", id, facts, err)
}

// next are the states that may follow one; those that are no key are the end.
var next = map[InvoiceState][]InvoiceState{
	"":        {Received},
	Received:  {Approved, Disputed, Unmatched, Duplicate},
	Unmatched: {Received, Credited},
	Duplicate: {Received, Credited},
	Disputed:  {Approved, Credited, Received},
	Approved:  {Posted},
	Posted:    {Paid},
}

func (b *bill) stays(t *rapid.T, name string, after Invoice) {
	if now := fmt.Sprintf("%+v", b.state); b.shown != "" && now != b.shown {
		t.Fatalf("%s changed the old state:\n%s\n%s", name, b.shown, now)
	}
	if b.state.At != after.At && !slices.Contains(next[b.state.At], after.At) {
		t.Fatalf("%s took the invoice from %q to %q", name, b.state.At, after.At)
	}
	if b.state.ID != "" && (after.ID != b.state.ID || after.Total != b.state.Total || len(after.Lines) != len(b.state.Lines) || after.Attempt < b.state.Attempt) {
		t.Fatalf("%s changed what was invoiced: %+v, %+v", name, b.state, after)
	}
}

// anyFact: a fact of any kind can be folded onto any state, and leaves that state alone.
func (s *settlement) anyFact(t *rapid.T) {
	a := s.freights[from(t, "freight", "frt_a", "frt_b")]
	f := from(t, "fact", slices.Concat([]FreightFact{
		FreightEstimated{},
		FreightAccrued{},
		FreightFinalised{},
		FreightReferenced{},
		FreightReversed{},
		ChargesFreed{},
		ChargesClaimed{Charges: []Claimed{{Code: "BASE"}, {Code: "?", Unexpected: true}}},
		ChargesSettled{Invoice: "?", Charges: []Charge{{Code: "BASE"}}},
	}, a.facts)...)
	x := EvolveFreight(a.state, f)
	_, _, _, _ = x.State(), x.Numbers(), x.References(), x.NeedsTrueUp()
	if len(s.invoices) == 0 {
		return
	}
	b := s.invoices[s.some(t)]
	i := EvolveInvoice(b.state, from(t, "fact", slices.Concat([]InvoiceFact{
		InvoiceReceived{}, MatchRequested{}, MatchDecided{}, InvoiceApproved{}, InvoiceCredited{}, VoucherPosted{}, InvoicePaid{},
	}, b.facts)...))
	_, _ = i.Rejudgeable(), i.FreeByNow(nil)
}
