package domain

import (
	"slices"
	"strconv"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
)

var tolerance = Tolerance{Percent: 2, Minor: 500}

func received(t *testing.T, amounts ...int64) Invoice {
	t.Helper()
	r := InvoiceReceived{ID: "inv_a", Carrier: "ACME", Number: "INV-0012", Date: t0, Creator: "ann"}
	var m MatchRequested
	for i, a := range amounts {
		r.Lines = append(r.Lines, InvoiceLine{Reference: "PRO" + strconv.Itoa(i), Code: "BASE", Amount: usd(a)})
		m.Freights = append(m.Freights, "frt_"+strconv.Itoa(i))
	}
	facts, err := Receive(Invoice{}, r, m)
	if err != nil {
		t.Fatal(err)
	}
	return ApplyInvoice(Invoice{}, facts...)
}

func expect(amounts ...int64) []Found {
	out := make([]Found, len(amounts))
	for i, a := range amounts {
		out[i] = Found{Expected: usd(a), Known: true}
	}
	return out
}

func TestMatch(t *testing.T) {
	cases := []struct {
		name  string
		lines []int64
		found []Found
		want  InvoiceState
	}{
		{"equal", []int64{85000}, expect(85000), Approved},
		{"within", []int64{10200}, expect(10000), Approved},
		{"one cent beyond the share", []int64{10201}, expect(10000), Disputed},
		{"one cent beyond the amount", []int64{100501}, expect(100000), Disputed},
		{"under tolerance too", []int64{9799}, expect(10000), Disputed},
		{"two errors do not cancel out", []int64{20000, 0}, expect(10000, 10000), Disputed},
		{"lines within, total beyond", []int64{30400, 30400}, expect(30000, 30000), Disputed},
		{"unexpected charge", []int64{85000, 5500}, []Found{{Expected: usd(85000), Known: true}, {Why: Why{Code: "CHARGE_UNEXPECTED"}}}, Disputed},
		{"unknown reference", []int64{85000}, []Found{{Why: Why{Code: "REFERENCE_UNKNOWN"}}}, Unmatched},
		{"one error each way", []int64{10100, 9900}, expect(10000, 10000), Approved},
		{"+100 and -100", []int64{20000, 0}, expect(10000, 10000), Disputed},
		{"a charge twice", []int64{85000, 85000}, []Found{{Expected: usd(85000), Known: true}, {Why: Why{Code: "CHARGE_TWICE"}}}, Disputed},
		{"a balance", []int64{50}, []Found{{Why: Why{Code: "CHARGE_BALANCE"}}}, Disputed},
		{"not rated yet", []int64{85000}, []Found{{Why: Why{Code: "NOT_RATED"}}}, Unmatched},
		{"unknown beside beyond tolerance", []int64{1, 1}, []Found{{Expected: usd(85000), Known: true}, {Why: Why{Code: "REFERENCE_UNKNOWN"}}}, Unmatched},
		{"expected nothing, got nothing", []int64{0}, expect(0), Approved},
		{"expected nothing, got little", []int64{1}, expect(0), Disputed},
		{"charge on another invoice", []int64{85000}, []Found{{Why: Why{Code: "CHARGE_CLAIMED"}}}, Duplicate},
	}
	for _, c := range cases {
		i := received(t, c.lines...)
		facts, err := Decide(i, 1, c.found, tolerance, t0)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		next := ApplyInvoice(i, facts...)
		if next.At != c.want {
			t.Errorf("%s: %s %v, want %s", c.name, next.At, next.Why, c.want)
		}
		if again, err := Decide(next, 1, c.found, tolerance, t0); err != nil || len(again) > 0 {
			t.Errorf("%s: decided twice: %v %v", c.name, again, err)
		}
	}
}

func TestDisputeIsResolvedBySomeoneElse(t *testing.T) {
	i := received(t, 90500)
	facts, err := Decide(i, 1, expect(85000), tolerance, t0)
	if err != nil {
		t.Fatal(err)
	}
	i = ApplyInvoice(i, facts...)
	if _, err := Resolve(i, AsExpected, usd(0), "DETENTION", "ann"); !fault.IsKind(err, fault.Refused) {
		t.Errorf("the creator resolved it: %v", err)
	}
	for _, c := range []struct {
		how  Resolution
		sum  int64
		want int64
	}{{AsExpected, 0, 85000}, {AsInvoiced, 0, 90500}, {Split, 87000, 87000}} {
		facts, err := Resolve(i, c.how, usd(c.sum), "DETENTION", "bob")
		if err != nil {
			t.Fatal(err)
		}
		if done := ApplyInvoice(i, facts...); done.At != Approved || done.Sum != usd(c.want) {
			t.Errorf("%s: %s %v", c.how, done.At, done.Sum)
		}
	}
}

func TestNumbersAreComparedWithoutDress(t *testing.T) {
	for s, want := range map[string]string{
		"INV-0012": "INV12", "inv 12": "INV12", "INV.012": "INV12", "000": "0", "INV-1-02": "INV1-2", "1-23": "1-23", "12 - 3": "12-3", "2026/007/": "2026-7", "7-A8": "7A8", "--5": "5", "inv-12": "INV12", "A01B002": "A1B2", "№ -": "", "Ä-7": "Ä7",
	} {
		if got := NormalNumber(s); got != want {
			t.Errorf("%s → %s, want %s", s, got, want)
		}
	}
	i := received(t, 1)
	if _, err := Receive(i, InvoiceReceived{}, MatchRequested{}); !fault.IsKind(err, fault.Conflict) {
		t.Errorf("a number twice: %v", err)
	}
}

func TestPaidIsWhatWasApproved(t *testing.T) {
	i := ApplyInvoice(received(t, 100), InvoiceApproved{ID: "inv_a", Sum: usd(100)})
	if _, err := Pay(i, "P", usd(100)); !fault.IsKind(err, fault.Refused) {
		t.Errorf("paid before posted: %v", err)
	}
	facts, err := Post(i, "V1")
	if err != nil {
		t.Fatal(err)
	}
	i = ApplyInvoice(i, facts...)
	if _, err := Pay(i, "P", usd(99)); !fault.IsKind(err, fault.Refused) {
		t.Errorf("paid another sum: %v", err)
	}
	facts, err = Pay(i, "P", usd(100))
	if err != nil || ApplyInvoice(i, facts...).At != Paid {
		t.Errorf("%v %v", facts, err)
	}
}

// TestOnlyACreditEndsWhatCannotBeSettled: an invoice in another currency, one that waits and
// a duplicate.
func TestOnlyACreditEndsWhatCannotBeSettled(t *testing.T) {
	for code, state := range map[string]InvoiceState{"CURRENCY_MISMATCH": Disputed, "REFERENCE_UNKNOWN": Unmatched, "CHARGE_CLAIMED": Duplicate} {
		i := received(t, 100)
		facts, err := Decide(i, 1, []Found{{Why: Why{Code: code}}}, tolerance, t0)
		if err != nil {
			t.Fatal(err)
		}
		if i = ApplyInvoice(i, facts...); i.At != state {
			t.Fatalf("%s: %s", code, i.At)
		}
		if _, err := Resolve(i, AsInvoiced, usd(0), "R", "bob"); !fault.IsKind(err, fault.Refused) {
			t.Errorf("%s: paid: %v", code, err)
		}
		facts, err = Resolve(i, CarrierCredit, usd(0), "R", "bob")
		if err != nil {
			t.Fatal(err)
		}
		freed := facts[0].(InvoiceCredited).Freed
		if (state == Disputed) != (len(freed) == 1) {
			t.Errorf("%s gives back %v", state, freed)
		}
		if i = ApplyInvoice(i, facts...); i.At != Credited || !i.Due.IsZero() {
			t.Errorf("%s: %+v", code, i)
		}
	}
}

// TestLook: what the freights and the refused claims say of each line.
func TestLook(t *testing.T) {
	f := dispatched(t)
	facts, err := ClaimCharges(f, Claim{"inv_b", 1}, "ACME", []Payment{{"FUEL", usd(1)}})
	if err != nil {
		t.Fatal(err)
	}
	f = ApplyFreight(f, facts...)
	lines := []InvoiceLine{
		{Reference: "P", Code: "BASE", Amount: usd(3347)},
		{Reference: "P", Code: "BASE", Amount: usd(3347)},
		{Reference: "P", Code: "FUEL", Amount: usd(335)},
		{Reference: "P", Code: "DETENTION", Amount: usd(1)},
		{Reference: "?", Code: "BASE", Amount: usd(1)},
		{Reference: "Q", Code: "BASE", Amount: usd(1)},
	}
	i := Invoice{ID: "inv_a", Carrier: "ACME", Lines: lines, Claims: []string{"frt_a", "frt_a", "frt_a", "frt_a", "", "frt_q"}}
	facts, err = ClaimCharges(f, Claim{"inv_a", 1}, "ACME", []Payment{{"BASE", usd(6694)}, {"FUEL", usd(335)}, {"DETENTION", usd(1)}})
	if err != nil {
		t.Fatal(err)
	}
	found := Look(i, map[string]Freight{"frt_a": ApplyFreight(f, facts...)}, map[string]Why{"frt_q": {Code: "NOT_ACCRUED"}})
	for n, want := range []string{"", "CHARGE_TWICE", "CHARGE_BALANCE", "CHARGE_UNEXPECTED", "REFERENCE_UNKNOWN", "NOT_ACCRUED"} {
		if found[n].Why.Code != want || found[n].Known != (want == "") {
			t.Errorf("line %d: %+v, want %q", n, found[n], want)
		}
	}
}

func TestLinesThatCannotBe(t *testing.T) {
	for want, lines := range map[string][]InvoiceLine{
		"CURRENCY_UNKNOWN":    {{Amount: money.Amount{Minor: 1, Currency: "ZZZ"}}},
		"CURRENCY_MISMATCH":   {{Amount: usd(1)}, {Amount: money.Amount{Minor: 1, Currency: "EUR"}}},
		"AMOUNT_OUT_OF_RANGE": {{Amount: usd(maxMinor + 1)}},
	} {
		_, err := Receive(Invoice{}, InvoiceReceived{ID: "inv_a", Number: "1", Lines: lines}, MatchRequested{})
		if f, ok := fault.As(err); !ok || f.Kind != fault.Invalid || f.Fields[0].Reason != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// An invoice that lost a charge to another looks again only when nobody else has it.
func TestFreeByNow(t *testing.T) {
	lines := []InvoiceLine{{Freight: "frt_1", Code: "BASE", Amount: usd(100)}, {Freight: "frt_1", Code: "FUEL", Amount: usd(10)}}
	split := append(slices.Clone(lines), InvoiceLine{Freight: "frt_1", Code: "BASE", Amount: usd(40)}) // what it claims is the sum
	with := func(base, fuel Charge) map[string]Freight {
		base.Code, fuel.Code = "BASE", "FUEL"
		return map[string]Freight{"frt_1": {Rating: Rating{Charges: []Charge{base, fuel}}}}
	}
	claimed := []Why{{Code: "CHARGE_CLAIMED", Field: line(0)}, {Code: "CHARGE_CLAIMED", Field: line(1)}}
	for _, c := range []struct {
		name     string
		why      []Why
		freights map[string]Freight
		want     bool
	}{
		{"still another's", claimed, with(Charge{Invoice: "inv_a", Invoiced: usd(100)}, Charge{}), false},
		{"freed", claimed, with(Charge{}, Charge{}), true},
		{"paid to another", claimed, with(Charge{Invoice: "inv_a", Settled: true, Paid: usd(100)}, Charge{}), false},
		{"its own", claimed, with(Charge{Invoice: "inv_b", Invoiced: usd(100)}, Charge{Invoice: "inv_b", Invoiced: usd(10)}), true},
		{"a balance beside another's", []Why{{Code: "CHARGE_BALANCE", Field: line(1)}}, with(Charge{}, Charge{Invoice: "inv_a", Invoiced: usd(11)}), false},
		{"a balance no more", []Why{{Code: "CHARGE_BALANCE", Field: line(1)}}, with(Charge{}, Charge{}), true},
		{"another's in one line", []Why{{Code: "CHARGE_CLAIMED", Field: line(2)}}, with(Charge{Invoice: "inv_a", Invoiced: usd(140)}, Charge{}), false},
		{"a part of another's", []Why{{Code: "CHARGE_CLAIMED", Field: line(2)}}, with(Charge{Invoice: "inv_a", Invoiced: usd(40)}, Charge{}), true},
		{"another reason", []Why{{Code: "LINE_TOLERANCE", Field: line(0)}}, with(Charge{}, Charge{}), false},
	} {
		i := Invoice{ID: "inv_b", Lines: lines, Why: c.why}
		if c.why[0].Field == line(2) {
			i.Lines = split
		}
		if got := i.FreeByNow(c.freights); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
