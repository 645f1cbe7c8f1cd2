package domain

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// coverage renders what promises count on: "a 6 here, 4 asn_1; b 2 asn_1, 3 of nothing".
func coverage(s Stock) string {
	var all []string
	covers, _ := s.Covered(supplyDay)
	for _, c := range covers {
		var parts []string
		for _, p := range c.Parts {
			from := p.Delivery
			if from == "" {
				from = "here"
			}
			parts = append(parts, p.Quantity.String()+" "+from)
		}
		if c.Uncovered.Sign() > 0 {
			parts = append(parts, c.Uncovered.String()+" of nothing")
		}
		all = append(all, c.Key+" "+strings.Join(parts, ", "))
	}
	return strings.Join(all, "; ")
}

// supplyStock is a stock under test, with the facts about dates that its last change made.
type supplyStock struct {
	Stock
	t     *testing.T
	dated []string
}

func (s *supplyStock) apply(facts ...StockFact) {
	s.t.Helper()
	s.dated = nil
	for _, f := range Redated(s.Stock, facts, supplyDay) {
		d := f.(SupplyPromiseDated)
		s.dated = append(s.dated, fmt.Sprintf("%s %s→%s %s", d.Cover.Key, clockOf(d.Before), clockOf(d.Complete()), d.Reason))
		facts = append(facts, f)
	}
	s.Stock = ApplyStock(s.Stock, facts...)
}

func clockOf(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("15h")
}

func (s *supplyStock) announce(d string, q int64, hours int) {
	s.t.Helper()
	facts, err := Supplied(s.Stock, key, Supply{Delivery: d, Line: 1, ASN: d, Quantity: n(q), Expected: t0.Add(time.Duration(hours) * time.Hour).UnixMilli()})
	if err != nil {
		s.t.Fatal(err)
	}
	s.apply(facts...)
}

func (s *supplyStock) promise(k string, q int64) (why string) {
	s.t.Helper()
	facts, why := PromiseSupply(s.Stock, key, SupplyWish{Key: k, Quantity: n(q), Partial: true}, supplyDay, t0.Add(24*time.Hour))
	s.apply(facts...)
	return why
}

func (s *supplyStock) covers(want string) {
	s.t.Helper()
	if got := coverage(s.Stock); got != want {
		s.t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func (s *supplyStock) told(want ...string) {
	s.t.Helper()
	if got := strings.Join(s.dated, "; "); got != strings.Join(want, "; ") {
		s.t.Errorf("\n told %s\nwant %s", got, strings.Join(want, "; "))
	}
}

// TestSupplies: promises count on what comes first, in the order in which they were made, and
// each change of a supply tells those whose date it changes, from when to when and why.
func TestSupplies(t *testing.T) {
	s := &supplyStock{t: t}
	s.announce("asn_1", 10, 1)
	s.announce("asn_2", 10, 3)
	s.announce("asn_far", 10, 48)
	if why := s.promise("a", 6); why != "" {
		t.Error(why)
	}
	s.told("a -→09h PROMISED")
	if why := s.promise("b", 8); why != "" {
		t.Error(why)
	}
	s.told("b -→11h PROMISED")
	s.covers("a 6 asn_1; b 4 asn_1, 4 asn_2")
	if why := s.promise("c", 7); why != SupplyOutsideHorizon {
		t.Errorf("c: %q", why)
	}
	s.covers("a 6 asn_1; b 4 asn_1, 4 asn_2; c 6 asn_2")
	if why := s.promise("d", 17); why != SupplyOutsideHorizon || s.Awaited("d").Sign() != 0 {
		t.Errorf("d: %q", why)
	}
	s.apply(Rescheduled(s.Stock, "asn_1", t0.Add(5*time.Hour))...)
	s.told("a 09h→11h RESCHEDULED", "b 11h→13h RESCHEDULED", "c 11h→13h RESCHEDULED")
	s.covers("a 6 asn_2; b 4 asn_2, 4 asn_1; c 6 asn_1")
	s.apply(Unsupplied(s.Stock, "asn_1", 1, n(8), SupplyCancelled)...)
	s.covers("a 6 asn_2; b 4 asn_2, 2 asn_1, 2 asn_far; c 6 asn_far")
	s.apply(Overdue(s.Stock, t0.Add(3*time.Hour))...)
	s.covers("a 2 asn_1, 4 asn_far; b 6 asn_far, 2 of nothing; c 6 of nothing")
	if len(s.dated) != 3 || !strings.HasSuffix(s.dated[2], "→- OVERDUE") {
		t.Error(s.dated)
	}
	s.apply(HereNow(s.Stock, "asn_2", t0.Add(4*time.Hour))...)
	s.covers("a 6 asn_2; b 4 asn_2, 2 asn_1, 2 asn_far; c 6 asn_far")
}

// TestReceiptGoesToWhoWasPromisedFirst: what comes is kept for the promises in their order;
// whoever was promised nothing finds what is left.
func TestReceiptGoesToWhoWasPromisedFirst(t *testing.T) {
	s := &supplyStock{t: t}
	s.announce("asn_1", 10, 1)
	s.promise("a", 6)
	s.promise("b", 3)
	received, err := Received(s.Stock, key, bin, n(8), "asn_1", t0)
	if err != nil {
		t.Fatal(err)
	}
	s.apply(append(received, Unsupplied(s.Stock, "asn_1", 1, n(8), SupplyReceived)...)...)
	s.covers("a 6 here; b 2 here, 1 asn_1")
	s.told("a 09h→- RECEIVED", "b 09h→09h RECEIVED")
	if f := s.Figures(""); f.ATP.Sign() != 0 || f.Kept != n(8) {
		t.Errorf("%+v", f)
	}
	if _, err := Reserve(s.Stock, key, Claim{"clm:new", n(1)}, true, on("")); !reasonIs(err, "INSUFFICIENT_STOCK") {
		t.Errorf("a newcomer: %v", err)
	}
	facts, err := ReserveFor(s.Stock, key, Claim{"clm:b", n(3)}, "b", true, on(""))
	if err != nil || facts[0].(StockReserved).Quantity != n(2) {
		t.Fatal(facts, err)
	}
	s.apply(facts...)
	s.covers("a 6 here; b 1 asn_1")
	if facts, err = ReserveFor(s.Stock, key, Claim{"clm:a", n(6)}, "a", false, on("")); err != nil {
		t.Fatal(err)
	}
	s.apply(facts...)
	s.covers("b 1 asn_1")
	if dates := s.Dates("", t0.Add(24*time.Hour)); len(dates) != 1 || dates[0].Demand != n(1) || dates[0].Cumulative != n(1) {
		t.Errorf("%+v", dates)
	}
	s.promise("b", 0)
	s.covers("")
}
