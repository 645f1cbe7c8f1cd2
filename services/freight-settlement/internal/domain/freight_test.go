package domain

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func dispatched(t interface{ Fatal(...any) }, lines ...Line) Freight {
	r := Rate(cards(t), ship(100_500))
	facts, err := Accrue(Freight{}, FreightAccrued{Keys: keys, Basis: ship(100_500), Rating: r, Lines: lines, At: t0, Revision: 5})
	if err != nil {
		t.Fatal(err)
	}
	return ApplyFreight(Freight{}, facts...)
}

func asks(amounts map[string]int64) []Payment {
	var out []Payment
	for _, code := range []string{"BASE", "FUEL", "DETENTION"} {
		if a, ok := amounts[code]; ok {
			out = append(out, Payment{code, usd(a)})
		}
	}
	return out
}

// book applies decisions to a freight and holds its postings against each other.
type book struct {
	*testing.T
	Freight
}

func (b *book) do(facts []FreightFact, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	for _, x := range facts {
		balanced(b, x)
	}
	b.Freight = ApplyFreight(b.Freight, facts...)
}

func (b *book) refused(reason string, _ []FreightFact, err error) {
	b.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Reason != reason {
		b.Fatalf("%v, want %s", err, reason)
	}
}

func (b *book) allocated() (total int64) {
	for _, a := range b.Allocations {
		total += a.Amount.Minor
	}
	return total
}

var theOne = Of{"frt_a", "shp_a"}

func TestAccrualIsReversedExactlyOnce(t *testing.T) {
	b := &book{t, dispatched(t, Line{1, "A", quantity.Int(10), 3000}, Line{2, "B", quantity.Int(1), 1000})}
	if b.State() != Accrued || b.Open != usd(3682) || b.allocated() != 3682 {
		t.Fatalf("%s %v", b.State(), b.Open)
	}
	both := asks(map[string]int64{"BASE": 3400, "FUEL": 335})
	b.do(ClaimCharges(b.Freight, Claim{"inv_a", 1}, "ACME", both))
	if again, err := ClaimCharges(b.Freight, Claim{"inv_a", 1}, "ACME", both); err != nil || len(again) != 0 {
		t.Fatalf("claimed twice: %v %v", again, err)
	}
	facts, err := ClaimCharges(b.Freight, Claim{"inv_b", 1}, "ACME", asks(map[string]int64{"FUEL": 335}))
	b.refused("CHARGE_CLAIMED", facts, err)
	b.do(Settle(b.Freight, theOne, "inv_a", both[:1]))
	if b.State() != Accrued || b.Open != usd(335) || b.allocated() != 3735 {
		t.Fatalf("half settled: %s %v, allocated %d", b.State(), b.Open, b.allocated())
	}
	b.do(Settle(b.Freight, theOne, "inv_a", both[1:]))
	if b.State() != Settled || b.Open != usd(0) || b.Paid != usd(3735) || b.allocated() != 3735 {
		t.Fatalf("%s %v %v, allocated %d", b.State(), b.Open, b.Paid, b.allocated())
	}
	if again, err := Settle(b.Freight, theOne, "inv_a", both); err != nil || len(again) != 0 {
		t.Errorf("settled twice: %v %v", again, err)
	}
}

// TestDuplicatesOfEveryKind: the same charge for the same amount is refused whether it was
// expected or not; a balance is not a duplicate, and is none but once.
func TestDuplicatesOfEveryKind(t *testing.T) {
	b := &book{t, dispatched(t)}
	claim := func(invoice string, code string, minor int64) ([]FreightFact, error) {
		return ClaimCharges(b.Freight, Claim{invoice, 1}, "ACME", []Payment{{code, usd(minor)}})
	}
	b.do(claim("inv_a", "BASE", 3000))
	b.do(claim("inv_a", "DETENTION", 5500))
	facts, err := claim("inv_b", "BASE", 3000)
	b.refused("CHARGE_CLAIMED", facts, err)
	facts, err = claim("inv_b", "DETENTION", 5500)
	b.refused("CHARGE_CLAIMED", facts, err)
	b.do(Settle(b.Freight, theOne, "inv_a", []Payment{{"BASE", usd(2900)}, {"DETENTION", usd(0)}}))
	for _, sum := range []int64{3000, 2900} { // as it was invoiced, and as it was paid
		facts, err = claim("inv_b", "BASE", sum)
		b.refused("CHARGE_CLAIMED", facts, err)
	}
	b.do(claim("inv_c", "BASE", 347))
	facts, err = claim("inv_d", "BASE", 347)
	b.refused("CHARGE_CLAIMED", facts, err)
	b.do(Settle(b.Freight, theOne, "inv_c", []Payment{{"BASE", usd(347)}}))
	if b.Paid != usd(3247) || b.Open != usd(335) {
		t.Errorf("paid %v, open %v", b.Paid, b.Open)
	}
	if again, err := Settle(b.Freight, theOne, "inv_c", []Payment{{"BASE", usd(347)}}); err != nil || len(again) != 0 {
		t.Errorf("a balance settled twice: %v %v", again, err)
	}
}

func TestClaimsThatCannotBe(t *testing.T) {
	ask := asks(map[string]int64{"BASE": 1})
	for reason, f := range map[string]Freight{
		"NOT_ACCRUED":       {Keys: keys, Basis: ship(1), Rating: Rate(cards(t), ship(1))},
		"NOT_RATED":         {Keys: keys, Basis: ship(1), Dispatched: t0},
		"REFERENCE_UNKNOWN": {Keys: keys, Basis: Shipment{Carrier: "OTHER"}, Dispatched: t0},
	} {
		facts, err := ClaimCharges(f, Claim{"inv_a", 1}, "ACME", ask)
		(&book{T: t}).refused(reason, facts, err)
	}
	b := &book{t, dispatched(t)}
	for i := range maxOthers {
		b.do(ClaimCharges(b.Freight, Claim{"inv_a", 1}, "ACME", []Payment{{"X" + strconv.Itoa(i), usd(1)}}))
	}
	facts, err := ClaimCharges(b.Freight, Claim{"inv_a", 1}, "ACME", []Payment{{"ONE_MORE", usd(1)}})
	b.refused("TOO_MANY_CHARGES", facts, err)
}

// TestFactsOfAShipmentInAnyOrder: tender, dispatch, reports of it, delivery and cancellation
// come in every order and twice; the state and the numbers at the end are the same.
func TestFactsOfAShipmentInAnyOrder(t *testing.T) {
	c := cards(t)
	lines := []Line{{1, "A", quantity.Int(1), 100}}
	tender := func(f Freight) ([]FreightFact, error) {
		s := ship(f.Weight(50_000))
		return Estimate(f, FreightEstimated{Keys: keys, Basis: s, Rating: Rate(c, s), Revision: 2})
	}
	dispatch := func(f Freight) ([]FreightFact, error) {
		s := ship(f.Weight(100_500))
		return Accrue(f, FreightAccrued{Keys: keys, Refs: Refs{BillOfLading: "B-1"}, Basis: s, Rating: Rate(c, s), Lines: lines, At: t0, Revision: 3})
	}
	report := func(carrier string, revision int64, refs Refs) func(f Freight) ([]FreightFact, error) {
		return func(f Freight) ([]FreightFact, error) {
			return Refer(f, theOne, Reported{Refs: refs, Carrier: carrier, Revision: revision})
		}
	}
	late, other, foreign := report("", 5, Refs{PRO: "P-1", BillOfLading: "B-2"}), report("ACME", 6, Refs{PRO: "P-2"}), report("OTHER", 7, Refs{PRO: "X"})
	deliver := func(f Freight) ([]FreightFact, error) {
		s := f.Basis
		s.WeightGrams = 200_000
		return Finalise(f, keys, 200_000, RateAgain(c, s, f.Rating.Version))
	}
	cancel := func(revision int64) func(f Freight) ([]FreightFact, error) {
		return func(f Freight) ([]FreightFact, error) { return Reverse(f, theOne, "CALLED_OFF", revision) }
	}
	type step = func(Freight) ([]FreightFact, error)
	for name, x := range map[string]struct {
		steps  []step
		state  FreightState
		open   int64
		others []string // references beside the shipment, B-1 and P-1
	}{
		"delivered":                    {[]step{tender, dispatch, deliver}, Final, 7326, nil}, // 66.60 + 10 %
		"reported again":               {[]step{dispatch, late, other, foreign, deliver}, Final, 7326, []string{"B-2", "P-2"}},
		"called off":                   {[]step{tender, cancel(3)}, Reversed, 0, nil},
		"left after it was called off": {[]step{tender, dispatch, late, cancel(1)}, Accrued, 3682, []string{"B-2"}},
		"called off after it left":     {[]step{tender, dispatch, cancel(4)}, Reversed, 0, nil},
	} {
		permute(x.steps, func(order []step) {
			b := &book{T: t}
			for range 2 {
				for _, s := range order {
					b.do(s(b.Freight))
				}
			}
			if b.State() != x.state || b.Open.Minor != x.open {
				t.Errorf("%s: %s, open %v; want %s, %d", name, b.State(), b.Open, x.state, x.open)
			}
			if got := b.OtherReferences(); !slices.Equal(got, x.others) || x.others != nil && b.Numbers() != (Refs{PRO: "P-1", BillOfLading: "B-1"}) {
				t.Errorf("%s: numbers %v, others %v; want %v", name, b.Numbers(), got, x.others)
			}
		})
	}
}

func permute[T any](list []T, each func([]T)) {
	if len(list) < 2 {
		each(list)
		return
	}
	for i := range list {
		rest := slices.Delete(slices.Clone(list), i, i+1)
		permute(rest, func(tail []T) { each(append([]T{list[i]}, tail...)) })
	}
}

// TestTrueUpWaitsForTheInvoice: what an invoice has claimed is not rated anew under it, but
// is once the invoice gives it back.
func TestTrueUpWaitsForTheInvoice(t *testing.T) {
	b := &book{t, dispatched(t, Line{1, "A", quantity.Int(1), 0})}
	c := Claim{"inv_a", 1}
	b.do(ClaimCharges(b.Freight, c, "ACME", asks(map[string]int64{"BASE": 3347})))
	d := ship(200_000)
	r := RateAgain(cards(t), d, 1)
	b.do(Finalise(b.Freight, keys, d.WeightGrams, r))
	if b.Open != usd(3682) || b.NeedsTrueUp() {
		t.Fatalf("rated anew under an invoice: %v", b.Open)
	}
	b.do(FreeCharges(b.Freight, theOne, c))
	b.do(TrueUp(b.Freight, r))
	if b.Open != usd(7326) || b.allocated() != 7326 || b.NeedsTrueUp() {
		t.Fatalf("open %v, allocated %d", b.Open, b.allocated())
	}
}

// TestABalanceTakesWhatBecomesFree: a balance that stood beside a charge takes it when the
// invoice that had it gives it back.
func TestABalanceTakesWhatBecomesFree(t *testing.T) {
	b := &book{t, dispatched(t)}
	claim := func(invoice string, attempt int, minor int64) ([]FreightFact, error) {
		return ClaimCharges(b.Freight, Claim{invoice, attempt}, "ACME", []Payment{{"BASE", usd(minor)}})
	}
	b.do(claim("inv_a", 1, 9000))
	b.do(claim("inv_b", 1, 3347))
	b.do(FreeCharges(b.Freight, theOne, Claim{"inv_a", 1}))
	b.do(claim("inv_b", 2, 3347))
	if b.Rating.Charges[0].Invoice != "inv_b" || len(b.Others) != 0 {
		t.Fatalf("%+v %+v", b.Rating.Charges, b.Others)
	}
	b.do(Settle(b.Freight, theOne, "inv_b", []Payment{{"BASE", usd(3347)}}))
	if b.Open != usd(335) {
		t.Errorf("open %v", b.Open)
	}
}

// TestUnratedIsRatedLater: a shipment that no card covers is accrued when one does.
func TestUnratedIsRatedLater(t *testing.T) {
	b := &book{T: t}
	s := ship(100_500)
	b.do(Accrue(b.Freight, FreightAccrued{Keys: keys, Basis: s, Rating: Rate(Cards{}, s), Lines: []Line{{1, "A", quantity.Int(1), 0}}, At: t0, Revision: 3}))
	if b.State() != Unrated || b.Rating.Why[0].Code != "NO_RATE_CARD" || !b.WaitsForRate() {
		t.Fatalf("%+v", b.Freight)
	}
	d := s
	d.WeightGrams = 200_000
	b.do(Finalise(b.Freight, keys, 200_000, Rate(Cards{}, d)))
	d.WeightGrams = b.Weight(s.WeightGrams)
	r := Rate(cards(t), d)
	b.do(Rerate(b.Freight, r))
	if b.State() != Final || b.Open != usd(7326) || b.allocated() != 7326 {
		t.Fatalf("%s %v", b.State(), b.Open)
	}
	if again, err := Rerate(b.Freight, r); err != nil || len(again) != 0 {
		t.Errorf("rated twice: %v %v", again, err)
	}
}

func balanced(t interface{ Fatalf(string, ...any) }, f FreightFact) {
	var ps []Posting
	switch f := f.(type) {
	case FreightAccrued:
		ps = f.Postings
	case FreightFinalised:
		ps = f.Postings
	case FreightReversed:
		ps = f.Postings
	case ChargesSettled:
		ps = f.Postings
	}
	var sum int64
	for _, p := range ps {
		sum += p.Amount.Minor
	}
	if sum != 0 {
		t.Fatalf("debits and credits differ by %d: %+v", sum, ps)
	}
}

func TestAClaimThatArrivesAfterItWasClosedIsRefused(t *testing.T) {
	b := &book{t, dispatched(t)}
	c := Claim{"inv_a", 1}
	ask := asks(map[string]int64{"BASE": 3347, "DETENTION": 5})
	b.do(ClaimCharges(b.Freight, c, "ACME", ask))
	b.do(FreeCharges(b.Freight, theOne, c))
	if len(b.Others) != 0 || b.Rating.Charges[0].Invoice != "" {
		t.Fatalf("still claimed: %+v %+v", b.Others, b.Rating.Charges)
	}
	facts, err := ClaimCharges(b.Freight, c, "ACME", ask)
	b.refused("CLAIM_CLOSED", facts, err)
	b.do(ClaimCharges(b.Freight, Claim{"inv_a", 2}, "ACME", ask))
	b.do(ClaimCharges(b.Freight, Claim{"inv_a", 3}, "ACME", ask))
	b.do(FreeCharges(b.Freight, theOne, Claim{"inv_a", 2})) // given back late: attempt 3 has them
	if len(b.Others) != 1 || b.Rating.Charges[0].Invoice != "inv_a" {
		t.Fatalf("attempt 3 lost its claims: %+v %+v", b.Others, b.Rating.Charges)
	}
}

// TestATenderAfterACancellation: a shipment that was called off and is tendered again is
// estimated, and nothing of it can be claimed before it leaves.
func TestATenderAfterACancellation(t *testing.T) {
	b := &book{T: t}
	b.do(Reverse(b.Freight, theOne, "CALLED_OFF", 1))
	b.do(Finalise(b.Freight, keys, 200_000, Rating{}))
	b.do(Estimate(b.Freight, FreightEstimated{Keys: keys, Basis: ship(1), Rating: Rate(cards(t), ship(1)), Revision: 2}))
	facts, err := ClaimCharges(b.Freight, Claim{"inv_a", 1}, "ACME", asks(map[string]int64{"BASE": 500}))
	if b.refused("NOT_ACCRUED", facts, err); b.State() != Estimated || b.NeedsTrueUp() {
		t.Errorf("%s, to be rated again: %t", b.State(), b.NeedsTrueUp())
	}
}

// TestBooksAreInOneCurrency: what an invoice had of a freight that was called off decides in
// which one; another invoice, and a rate when it leaves after all, do not count in another.
func TestBooksAreInOneCurrency(t *testing.T) {
	euros := []Payment{{"DETENTION", money.Amount{Minor: 700, Currency: "EUR"}}}
	b := &book{T: t}
	b.do(Reverse(b.Freight, theOne, "CALLED_OFF", 1))
	b.do(ClaimCharges(b.Freight, Claim{"inv_a", 1}, "ACME", euros))
	facts, err := ClaimCharges(b.Freight, Claim{"inv_b", 1}, "ACME", asks(map[string]int64{"BASE": 500}))
	b.refused("CURRENCY_MISMATCH", facts, err)
	b.do(Settle(b.Freight, theOne, "inv_a", euros))
	b.do(Accrue(b.Freight, FreightAccrued{
		Keys: keys, Basis: ship(1), Rating: Rate(cards(t), ship(1)), Lines: []Line{{1, "A", quantity.Int(1), 0}}, At: t0, Revision: 2,
	}))
	if b.State() != Unrated || b.Rating.Why[0].Code != "CURRENCY_MISMATCH" || b.Open.Minor != 0 || b.allocated() != 700 {
		t.Errorf("%+v", b.Freight)
	}
	if again, err := Rerate(b.Freight, Rate(cards(t), ship(1))); err != nil || len(again) > 0 {
		t.Errorf("rated in another currency: %v %v", again, err)
	}
}

// TestALateClaimTakesNothingFromALaterAttempt: a driver of an attempt that is over may still run.
func TestALateClaimTakesNothingFromALaterAttempt(t *testing.T) {
	b := &book{t, dispatched(t)}
	ask := asks(map[string]int64{"BASE": 3347})
	b.do(ClaimCharges(b.Freight, Claim{"inv_a", 2}, "ACME", ask))
	facts, err := ClaimCharges(b.Freight, Claim{"inv_a", 1}, "ACME", ask)
	b.refused("CLAIM_CLOSED", facts, err)
	b.do(FreeCharges(b.Freight, theOne, Claim{"inv_a", 1}))
	if b.Rating.Charges[0].Invoice != "inv_a" {
		t.Errorf("%+v", b.Rating.Charges)
	}
}
