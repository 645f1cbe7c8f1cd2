package domain

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

var (
	t0  = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	key = StockKey{ID: "stk_a", Site: "DC1", Item: "itm_a", SKU: "TEA", Owner: OwnStock, Unit: "EA"}
	bin = Place{Location: "B-1", Status: Available}
)

func n(i int64) quantity.Decimal { return quantity.Int(i) }

// on is the rule of a day: first expired, first out, and nothing need live longer.
func on(day string) Rule { return Rule{Today: day, Strategy: FEFO} }

func TestFirstExpiredFirstOut(t *testing.T) {
	s := Stock{}
	for _, p := range []Place{{"B-1", "L2", "", "2027-05-01", Available}, {"B-2", "L1", "", "2026-05-01", Available}, {"B-3", "L0", "", "2026-01-01", Available}} {
		facts, err := Received(s, key, p, n(5), "ASN", t0)
		if err != nil {
			t.Fatal(err)
		}
		s = ApplyStock(s, facts...)
	}
	facts := Allocate(s, key, "who_a", []Wanted{{Line: 1, Quantity: n(7)}}, on("2026-03-02"))
	got := ApplyStock(s, facts...).AllocatedTo("who_a", 1)
	if len(got) != 2 || got[0].Place.Lot != "L1" || got[0].Quantity != n(5) || got[1].Place.Lot != "L2" || got[1].Quantity != n(2) {
		t.Errorf("%+v", got)
	}
}

func TestAClaimThatArrivesAfterItWasClosedIsRefused(t *testing.T) {
	facts, err := Release(Stock{}, key, "clm:1")
	if err != nil {
		t.Fatal(err)
	}
	s := ApplyStock(Stock{}, facts...)
	if _, err := Reserve(s, key, Claim{"clm:1", n(1)}, true, on("")); !fault.IsKind(err, fault.Refused) {
		t.Errorf("%v", err)
	}
}

func TestAPickBeyondTheBooksComesFromDiscrepancy(t *testing.T) {
	facts, _ := Received(Stock{}, key, bin, n(3), "", t0)
	s := ApplyStock(Stock{}, facts...)
	s = ApplyStock(s, TakePick(s, key, "who_a", PickedLine{Line: 1, Location: "B-1", Quantity: n(5)}, t0)...)
	packed, _ := s.onHand(Place{Location: Packing, Status: Available})
	odd, _ := s.onHand(Place{Location: Discrepancy, Status: Available})
	if packed.Add(n(0)) != n(5) || odd != n(-2) {
		t.Errorf("packing %s, discrepancy %s", packed, odd)
	}
}

// A pick from another bin than the task names gives up the allocation there.
func TestAPickElsewhereLeavesNothingAllocated(t *testing.T) {
	other := Place{Location: "B-2", Status: Available}
	s := received(t, bin, 5, other, 5)
	s = ApplyStock(s, Allocate(s, key, "who_a", []Wanted{{Line: 1, Quantity: n(5)}}, on(""))...)
	s = ApplyStock(s, TakePick(s, key, "who_a", PickedLine{Line: 1, Location: "B-2", Quantity: n(5)}, t0)...)
	if all, free := s.onHand(bin); all != n(5) || free != n(5) || len(s.Allocations) > 0 {
		t.Errorf("%+v", s)
	}
	if all, _ := s.onHand(other); !all.IsZero() {
		t.Errorf("%s are left where it was picked", all)
	}
	if odd, _ := s.onHand(Place{Location: Discrepancy}); !odd.IsZero() {
		t.Errorf("discrepancy %s", odd)
	}
}

// Each order's goods issue takes the lots that were picked for it.
func TestIssueTakesTheLotsOfTheOrder(t *testing.T) {
	s := received(t, Place{"B-1", "L1", "", "", Available}, 5, Place{"B-1", "L2", "", "", Available}, 5)
	for order, lot := range map[string]string{"who_a": "L2", "who_b": "L1"} {
		s = ApplyStock(s, TakePick(s, key, order, PickedLine{Line: 1, Lot: lot, Quantity: n(3)}, t0)...)
	}
	facts := TakeIssue(s, key, "who_a", PickedLine{Line: 1, Quantity: n(3)}, t0)
	if len(facts) != 1 || facts[0].(StockMoved).From.Lot != "L2" || facts[0].(StockMoved).To.Lot != "L2" {
		t.Errorf("%+v", facts)
	}
	if s = ApplyStock(s, facts...); len(s.Packing) != 1 || s.Packing[0].Order != "who_b" {
		t.Errorf("%+v", s.Packing)
	}
}

func TestShortPicks(t *testing.T) {
	for name, tt := range map[string]struct {
		line               PickedLine
		damaged            bool
		bin, odd, damagedN int64
	}{
		"damaged":                      {PickedLine{Line: 1, Quantity: n(2)}, true, 3, 0, 2},
		"missing":                      {PickedLine{Line: 1, Quantity: n(2)}, false, 3, 2, 0},
		"more than was ever there":     {PickedLine{Line: 1, Quantity: n(9)}, false, 0, 5, 0},
		"at a bin that has none of it": {PickedLine{Line: 1, Location: "B-9", Quantity: n(5)}, false, 5, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := received(t, bin, 5)
			s = ApplyStock(s, Allocate(s, key, "who_a", []Wanted{{Line: 1, Quantity: n(5)}}, on(""))...)
			s = ApplyStock(s, TakeShort(s, key, "who_a", tt.line, tt.damaged, t0)...)
			all, _ := s.onHand(bin)
			odd, _ := s.onHand(Place{Location: Discrepancy})
			broken, _ := s.onHand(Place{Location: "B-1", Status: Damaged})
			left := n(5).Sub(quantity.Min(tt.line.Quantity, n(5)))
			if all != n(tt.bin) || odd != n(tt.odd) || broken != n(tt.damagedN) || s.Figures("").Allocated != left {
				t.Errorf("bin %s, discrepancy %s, damaged %s, allocated %s", all, odd, broken, s.Figures("").Allocated)
			}
		})
	}
}

// An allocation that comes after the order was closed allocates nothing.
func TestALateAllocationFindsTheOrderClosed(t *testing.T) {
	s := received(t, bin, 5)
	s = ApplyStock(s, CloseOrder(s, key, "who_a")...)
	if facts := Allocate(s, key, "who_a", []Wanted{{Line: 1, Quantity: n(5)}}, on("")); len(facts) > 0 {
		t.Errorf("%+v", facts)
	}
	if facts := CloseOrder(s, key, "who_a"); len(facts) > 0 {
		t.Errorf("closed twice: %+v", facts)
	}
}

func TestExpiredStockIsNotPromised(t *testing.T) {
	s := received(t, Place{"B-1", "L1", "", "2026-03-01", Available}, 5)
	if _, err := Reserve(s, key, Claim{"clm:1", n(1)}, true, on("2026-03-02")); !fault.IsKind(err, fault.Refused) {
		t.Errorf("%v", err)
	}
	if facts, err := Reserve(s, key, Claim{"clm:1", n(9)}, true, on("2026-03-01")); err != nil || facts[0].(StockReserved).Quantity != n(5) {
		t.Errorf("%v %v", facts, err)
	}
}

func TestAClaimIsGrantedOnce(t *testing.T) {
	s := received(t, bin, 5)
	reserve := func(k string, q int64, partial bool) ([]StockFact, error) {
		facts, err := Reserve(s, key, Claim{k, n(q)}, partial, on(""))
		s = ApplyStock(s, facts...)
		return facts, err
	}
	if _, err := reserve("clm:1", 6, false); !fault.IsKind(err, fault.Refused) {
		t.Errorf("more than there is: %v", err)
	}
	for i := range 2 {
		if facts, err := reserve("clm:1", 3, false); err != nil || len(facts) != 1-i {
			t.Errorf("%v %v", facts, err)
		}
	}
	if _, err := reserve("clm:2", 3, false); !fault.IsKind(err, fault.Refused) {
		t.Errorf("the sum is more than there is: %v", err)
	}
	if facts, err := reserve("clm:2", 3, true); err != nil || facts[0].(StockReserved).Quantity != n(2) {
		t.Errorf("a part: %v %v", facts, err)
	}
}

// Returned goods go where it was decided; what is not where it should be is looked for.
func TestDispositions(t *testing.T) {
	back := Place{Location: "RET", Lot: "L1", Status: Returned}
	for name, tt := range map[string]struct {
		to   Place
		q    int64
		want map[Place]int64
	}{
		"restock":                {Place{Location: "B-1", Status: Available}, 4, map[Place]int64{{Location: "B-1", Lot: "L1", Status: Available}: 4}},
		"scrap":                  {Place{Location: Scrap, Status: Returned}, 4, map[Place]int64{{Location: Scrap, Status: Available}: 4}},
		"more than is there":     {Place{Location: "B-1", Status: Blocked}, 9, map[Place]int64{{Location: "B-1", Lot: "L1", Status: Blocked}: 9, {Location: Discrepancy, Status: Available}: -2}},
		"partly in another bin":  {Place{Location: "B-1", Status: Available}, 7, map[Place]int64{{Location: "B-1", Lot: "L1", Status: Available}: 7}},
		"back to where it stood": {Place{Location: "RET", Status: Available}, 4, map[Place]int64{{Location: "RET", Lot: "L1", Status: Available}: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			s := Stock{}
			for _, p := range []Place{back, {Location: "RET2", Lot: "L1"}} {
				facts, err := ReturnArrived(s, key, p, n(map[string]int64{"RET": 4, "RET2": 3}[p.Location]), "rma_a", 1, t0)
				if err != nil || len(facts) != 2 || facts[1].(ReturnReceived).Place.Status != Returned {
					t.Fatal(facts, err)
				}
				s = ApplyStock(s, facts...)
			}
			if !s.Figures("").ATP.IsZero() {
				t.Error("returned goods can be promised")
			}
			s = ApplyStock(s, Dispose(s, key, "rma_a", name, back, tt.to, n(tt.q), t0)...)
			for p, q := range tt.want {
				if got, _ := s.onHand(p); got != n(q) {
					t.Errorf("%s at %+v, want %d; all %+v", got, p, q, s.Rows)
				}
			}
		})
	}
}

// received is a stock with a quantity at each place.
func received(t *testing.T, placed ...any) (s Stock) {
	t.Helper()
	for i := 0; i < len(placed); i += 2 {
		facts, err := Received(s, key, placed[i].(Place), n(int64(placed[i+1].(int))), "ASN", t0)
		if err != nil {
			t.Fatal(err)
		}
		s = ApplyStock(s, facts...)
	}
	return s
}

func checkBooks(t *rapid.T, s Stock) {
	sum, allocated, packed := quantity.Decimal{}, map[Place]quantity.Decimal{}, quantity.Decimal{}
	for _, a := range s.Allocations {
		allocated[a.Place] = allocated[a.Place].Add(a.Quantity)
	}
	for _, a := range s.Packing {
		packed = packed.Sub(a.Quantity)
	}
	for _, r := range s.Rows {
		sum = sum.Add(r.OnHand)
		if r.Place.Location == Packing {
			packed = packed.Add(r.OnHand)
		}
		if r.OnHand.Sign() < 0 && !r.Place.outside() {
			t.Fatalf("negative: %+v", r)
		}
		if r.Allocated != allocated[r.Place] {
			t.Fatalf("%+v has %s allocated", r, allocated[r.Place])
		}
		delete(allocated, r.Place)
		if r.OnHand.Less(r.Allocated) && !r.Place.outside() || r.Allocated.Sign() < 0 {
			t.Fatalf("allocated beyond what is there: %+v", r)
		}
		if r.Allocated.Sign() > 0 && !r.Place.sellable() {
			t.Fatalf("allocated though it is not available: %+v", r)
		}
	}
	if !sum.IsZero() {
		t.Fatalf("a movement had one side: %s", sum)
	}
	if len(allocated) > 0 {
		t.Fatalf("allocated where nothing stands: %v", allocated)
	}
	if !packed.IsZero() {
		t.Fatalf("PACKING differs by %s from what was picked for orders", packed)
	}
	if f := s.Figures(""); f.ATP.Sign() < 0 {
		t.Fatalf("promised beyond what is there: %+v", f)
	}
}
