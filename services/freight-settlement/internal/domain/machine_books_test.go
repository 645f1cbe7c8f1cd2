package domain

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"
)

// check is what must hold after every step.
func (s *settlement) check(t *rapid.T) {
	for id, a := range s.freights {
		if a.folded < len(a.facts) {
			if again := fmt.Sprintf("%+v", ApplyFreight(Freight{}, a.facts...)); again != a.shown {
				t.Fatalf("the facts of %s give\n%s\nthe state is\n%s", id, again, a.shown)
			}
			a.folded = len(a.facts)
		}
		a.balances(t)
		a.charges(t)
		a.bears(t)
	}
	for id, b := range s.invoices {
		if b.folded < len(b.facts) {
			if again := fmt.Sprintf("%+v", ApplyInvoice(Invoice{}, b.facts...)); again != b.shown {
				t.Fatalf("the facts of %s give\n%s\nthe state is\n%s", id, again, b.shown)
			}
			b.folded = len(b.facts)
		}
		b.approves(t)
		s.pays(t, id, b.state)
	}
}

// balances: the ledger has as accrual what is open, as payable what was settled, and the two
// are what the freight costs.
func (a *account) balances(t *rapid.T) {
	f := a.state
	var paid int64
	for _, n := range a.paid {
		paid += n
	}
	l := a.ledger
	switch {
	case l[Accrual] != -f.Open.Minor || l[Payable] != -f.Paid.Minor || f.Paid.Minor != paid:
		t.Fatalf("open %v, paid %v, by invoice %v; the ledger has %v", f.Open, f.Paid, a.paid, l)
	case l[Expense]+l[Variance] != f.Open.Minor+f.Paid.Minor:
		t.Fatalf("it costs %d, open %v and paid %v", l[Expense]+l[Variance], f.Open, f.Paid)
	case f.State() == Reversed && f.Open.Minor != 0, f.Open.Minor < 0:
		t.Fatalf("%s with %v open", f.State(), f.Open)
	case f.Dispatched.IsZero() != !a.dispatched, f.IsFinal != a.final, f.TenderRev != a.tender, f.CancelRev != a.cancel, f.DispatchRev != a.dispatch:
		t.Fatalf("%+v, told was dispatched %t at %d, final %t, tendered %d, cancelled %d", f, a.dispatched, a.dispatch, a.final, a.tender, a.cancel)
	}
}

// charges: what is not settled of the expected ones is open; an invoice has a charge once, and
// no two invoices have or had the same amount for it.
func (a *account) charges(t *rapid.T) {
	f := a.state
	var open, settled int64
	for _, c := range f.Rating.Charges {
		if !c.Settled {
			open += c.Amount.Minor
		}
	}
	if !f.Dispatched.IsZero() && f.Open.Minor != open {
		t.Fatalf("open %v, charges that are not settled %d", f.Open, open)
	}
	all := slices.Concat(f.Rating.Charges, f.Others)
	for n, c := range all {
		if c.Settled {
			settled += c.Paid.Minor
		}
		for _, o := range all[:n] {
			if c.Code == o.Code && c.Invoice == o.Invoice || c.Code == o.Code && c.Invoice != "" && o.Invoice != "" && c.Invoiced == o.Invoiced {
				t.Fatalf("a charge twice: %+v and %+v", o, c)
			}
		}
	}
	if settled != f.Paid.Minor {
		t.Fatalf("charges are settled with %d, paid is %v", settled, f.Paid)
	}
}

// bears: the order lines bear all that it costs, each within a minor unit of its share.
func (a *account) bears(t *rapid.T) {
	f := a.state
	if f.Dispatched.IsZero() || len(f.Lines) == 0 {
		return
	}
	shares, whole := make([]int64, len(f.Lines)), int64(0)
	for i, l := range f.Lines {
		shares[i] = l.Weight
		whole += l.Weight
	}
	if whole == 0 {
		for i, l := range f.Lines {
			shares[i], _ = l.Quantity.Int64()
			whole += shares[i]
		}
	}
	cost, sum := f.Open.Minor+f.Paid.Minor, int64(0)
	for i, x := range f.Allocations {
		sum += x.Amount.Minor
		if off := x.Amount.Minor*whole - cost*shares[i]; off >= whole || off <= -whole || x.Number != f.Lines[i].Number {
			t.Fatalf("line %d bears %v of %d", x.Number, x.Amount, cost)
		}
	}
	if sum != cost {
		t.Fatalf("the lines bear %d of %d: %+v", sum, cost, f)
	}
}

// approves: what is approved is the sum of the lines, by somebody else than entered it.
func (b *bill) approves(t *rapid.T) {
	i := b.state
	var invoiced, approved int64
	for _, l := range i.Lines {
		invoiced, approved = invoiced+l.Amount.Minor, approved+l.Approved.Minor
	}
	done := i.At == Approved || i.At == Posted || i.At == Paid
	switch {
	case i.ID != "" && i.Total.Minor != invoiced:
		t.Fatalf("%v of %d", i.Total, invoiced)
	case done && i.Sum.Minor != approved, !done && i.Sum.Minor != 0:
		t.Fatalf("an invoice that is %s has %v approved, its lines %d", i.At, i.Sum, approved)
	case done && i.Resolution != AsExpected && approved > invoiced:
		t.Fatalf("%s: %d approved of %d", i.Resolution, approved, invoiced)
	case i.Resolution != "" && (i.Approver == "" || i.Approver == i.Creator):
		t.Fatalf("entered by %s, resolved by %s", i.Creator, i.Approver)
	case i.At == Unmatched == i.Due.IsZero() && i.At != Received:
		t.Fatalf("an invoice that is %s is looked at again at %s", i.At, i.Due)
	}
}

// pays: an invoice pays what is approved, once, and nothing else; once all reactors are done
// it has paid, and one that is over otherwise holds no charge.
func (s *settlement) pays(t *rapid.T, id string, i Invoice) {
	approved := map[string]int64{}
	done := i.At == Approved || i.At == Posted || i.At == Paid
	for _, l := range i.Lines {
		if done {
			approved[l.Freight] += l.Approved.Minor
		}
	}
	for f, a := range s.freights {
		_, settled := a.paid[id]
		if got := a.paid[id]; settled && got != approved[f] || len(s.pending) == 0 && got != approved[f] {
			t.Fatalf("%s is %s and paid %d on %s, approved %v", id, i.At, got, f, maps.Clone(approved))
		}
		if len(s.pending) > 0 || done || i.At == Disputed || i.At == "" {
			continue
		}
		for _, c := range slices.Concat(a.state.Rating.Charges, a.state.Others) {
			if c.Invoice == id {
				t.Fatalf("%s is %s and holds %+v", id, i.At, c)
			}
		}
	}
}
