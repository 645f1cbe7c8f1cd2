package domain

import (
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// come is a stock of what was received at the places, an hour after another.
func come(t *testing.T, places ...Place) Stock {
	t.Helper()
	s := Stock{}
	for i, p := range places {
		facts, err := Received(s, key, p, n(5), "ASN", t0.Add(time.Duration(i)*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		s = ApplyStock(s, facts...)
	}
	return s
}

func taken(s Stock, rule Rule, want int64) string {
	var out []string
	s = ApplyStock(s, Allocate(s, key, "who_a", []Wanted{{Line: 1, Quantity: n(want)}}, rule)...)
	for _, a := range s.AllocatedTo("who_a", 1) {
		out = append(out, a.Place.Location+" "+a.Quantity.String())
	}
	return strings.Join(out, ", ")
}

func TestStrategies(t *testing.T) {
	s := come(t, Place{"B-3", "L1", "", "2027-05-01", Available}, Place{"B-1", "L2", "", "2026-05-01", Available}, Place{"B-2", "", "", "", Available})
	for strategy, want := range map[Strategy]string{FEFO: "B-1 5, B-3 5, B-2 1", FIFO: "B-3 5, B-1 5, B-2 1", LIFO: "B-2 5, B-1 5, B-3 1"} {
		if got := taken(s, Rule{Today: "2026-03-02", Strategy: strategy}, 11); got != want {
			t.Errorf("%s: %s, want %s", strategy, got, want)
		}
	}
	// goods keep their age from bin to bin, and what is put together is as old as the oldest
	moved, err := Transfer(s, Place{"B-3", "L1", "", "", Available}, Place{"B-9", "L1", "", "", Available}, n(2), "", t0.Add(9*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if got := taken(ApplyStock(s, moved...), Rule{Strategy: FIFO}, 6); got != "B-3 3, B-9 2, B-1 1" {
		t.Errorf("after a move: %s", got)
	}
}

// What does not live long enough is neither promised nor allocated, for that reason.
func TestRemainingLife(t *testing.T) {
	s := come(t, Place{"B-1", "L1", "", "2026-04-01", Available}, Place{"B-2", "L2", "", "2026-05-01", Available})
	by := RuleOf(Item{Expires: true, MinDays: 30}, t0, LIFO)
	if by.Until != "2026-04-01" || by.Strategy != FEFO {
		t.Fatalf("%+v", by)
	}
	if got := taken(s, by, 7); got != "B-1 5, B-2 2" {
		t.Errorf("what just lives long enough: %s", got)
	}
	by = RuleOf(Item{Expires: true, MinDays: 31}, t0, FIFO)
	if got := taken(s, by, 7); got != "B-2 5" {
		t.Errorf("%s", got)
	}
	after := ApplyStock(s, Allocate(s, key, "who_a", []Wanted{{Line: 1, Quantity: n(7)}}, by)...)
	if lacks := after.Lacks("who_a", []Wanted{{Line: 1, Quantity: n(7)}}, "EA", by); len(lacks) != 1 || lacks[0] != (Lack{1, n(2), "EA", "REMAINING_LIFE"}) {
		t.Errorf("%+v", lacks)
	}
	_, err := Reserve(s, key, Claim{"clm:1", n(6)}, false, by)
	if f, ok := fault.As(err); !ok || f.Reason != "REMAINING_LIFE" || f.Metadata["available"] != "5" || f.Metadata["until"] != "2026-04-02" {
		t.Errorf("%v", err)
	}
	_, err = Reserve(s, key, Claim{"clm:1", n(11)}, false, by)
	if f, ok := fault.As(err); !ok || f.Reason != "INSUFFICIENT_STOCK" {
		t.Errorf("more than there is at all: %v", err)
	}
}

func TestAllocationsAreBounded(t *testing.T) {
	s := come(t, bin, Place{"B-2", "", "", "", Available})
	for i := range maxAllocations - 1 {
		s.Allocations = append(s.Allocations, Allocation{Order: "who_z", Line: i, Place: bin})
	}
	w := []Wanted{{Line: 1, Quantity: n(7)}}
	s = ApplyStock(s, Allocate(s, key, "who_a", w, on(""))...)
	if lacks := s.Lacks("who_a", w, "EA", on("")); len(s.Allocations) != maxAllocations || len(lacks) != 1 || lacks[0].Reason != "STOCK_FULL" {
		t.Errorf("%d allocations, %+v", len(s.Allocations), lacks)
	}
}

func TestLotsAndDates(t *testing.T) {
	s := come(t, Place{"B-1", "L1", "", "2026-04-01", Available}, Place{"B-2", "", "", "", Available})
	it := Item{SKU: "TEA", Lot: true, Expires: true}
	for _, tt := range []struct {
		p      Place
		leaves bool
		want   string
	}{
		{Place{Location: "B-1", Status: Available}, false, "LOT_REQUIRED"},
		{Place{Location: "B-1", Status: Available}, true, "LOT_REQUIRED"},
		{Place{Location: "B-2", Status: Available}, true, ""}, // from before lots were wanted
		{Place{Location: "B-2", Status: Available}, false, "LOT_REQUIRED"},
		{Place{Location: "B-1", Lot: "L9", Status: Available}, false, "EXPIRY_REQUIRED"},
		{Place{Location: "B-7", Lot: "L1", Status: Available}, false, ""}, // its date is known
		{Place{Location: "B-7", Lot: "L1", Expiry: "2026-04-02", Status: Available}, false, "LOT_EXPIRY_CONFLICT"},
		{Place{Location: "B-7", Lot: "L9", Expiry: "2026-04-02", Status: Available}, false, ""},
	} {
		f, _ := fault.As(it.Tracked(s, tt.p, tt.leaves))
		if got := reasonOf(f); got != tt.want {
			t.Errorf("%+v, leaving %t: %q, want %q", tt.p, tt.leaves, got, tt.want)
		}
	}
	if err := (Item{SKU: "POT"}).Tracked(s, Place{Location: "B-1", Status: Available}, false); err != nil {
		t.Errorf("an item of which nothing is wanted: %v", err)
	}
}

func reasonOf(f *fault.Error) string {
	if f == nil {
		return ""
	}
	return f.Reason
}
