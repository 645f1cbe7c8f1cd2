package domain

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

var tolerance = Tolerance{Percent: 2, Minor: 500}

func received(t *testing.T, amounts ...int64) Invoice {
	t.Helper()
	r := InvoiceReceived{ID: "inv_a", Carrier: "ACME", Number: "INV-0012", Date: t0, Creator: "ann"}
	var freights []string
	for i, a := range amounts {
		r.Lines = append(r.Lines, InvoiceLine{Reference: "PRO" + itoa(i), Code: "BASE", Amount: usd(a)})
		freights = append(freights, "frt_"+itoa(i))
	}
	facts, err := Receive(Invoice{}, r, freights, t0)
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
		{"unexpected charge", []int64{85000, 5500}, []Found{{Expected: usd(85000), Known: true}, {}}, Disputed},
		{"unknown reference", []int64{85000}, []Found{{Why: Why{Code: "REFERENCE_UNKNOWN"}}}, Unmatched},
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
	for _, s := range []string{"INV-0012", "inv 0012", "INV.0012"} {
		if NormalNumber(s) != "INV0012" {
			t.Errorf("%s → %s", s, NormalNumber(s))
		}
	}
	i := received(t, 1)
	if _, err := Receive(i, InvoiceReceived{}, nil, t0); !fault.IsKind(err, fault.Conflict) {
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
