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

func TestFirstExpiredFirstOut(t *testing.T) {
	s := Stock{}
	for _, p := range []Place{{"B-1", "L2", "2027-05-01", Available}, {"B-2", "L1", "2026-05-01", Available}, {"B-3", "L0", "2026-01-01", Available}} {
		facts, err := Received(s, key, p, n(5), "ASN", t0)
		if err != nil {
			t.Fatal(err)
		}
		s = ApplyStock(s, facts...)
	}
	facts, err := Allocate(s, "who_a", 1, n(7), nil, "2026-03-02")
	if err != nil {
		t.Fatal(err)
	}
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
	if _, err := Reserve(s, key, Claim{"clm:1", n(1)}, true); !fault.IsKind(err, fault.Refused) {
		t.Errorf("%v", err)
	}
}

func TestAPickBeyondTheBooksComesFromDiscrepancy(t *testing.T) {
	facts, _ := Received(Stock{}, key, bin, n(3), "", t0)
	s := ApplyStock(Stock{}, facts...)
	s = ApplyStock(s, TakePick(s, "who_a", PickedLine{Line: 1, Location: "B-1", Quantity: n(5)}, t0)...)
	packed, _ := s.onHand(Place{Location: Packing, Status: Available})
	odd, _ := s.onHand(Place{Location: Discrepancy, Status: Available})
	if packed.Add(n(0)) != n(5) || odd != n(-2) {
		t.Errorf("packing %s, discrepancy %s", packed, odd)
	}
}

// Whatever is done in whatever order, no bin is negative, nothing is allocated or promised
// twice, and every movement has two sides.
func TestStockKeepsItsBooks(t *testing.T) {
	orders := []string{"who_a", "who_b"}
	claims := []string{"clm:1", "clm:2", "clm:3"}
	places := []Place{bin, {Location: "B-2", Status: Available}, {Location: "B-2", Lot: "L", Expiry: "2026-09-01", Status: Available}, {Location: "B-1", Status: Damaged}}
	rapid.Check(t, func(t *rapid.T) {
		s := Stock{}
		q := func() quantity.Decimal { return n(rapid.Int64Range(1, 12).Draw(t, "q")) }
		order := func() string { return rapid.SampledFrom(orders).Draw(t, "order") }
		place := func() Place { return rapid.SampledFrom(places).Draw(t, "place") }
		claim := func() string { return rapid.SampledFrom(claims).Draw(t, "claim") }
		run := func(facts []StockFact, err error) {
			if err != nil && !fault.IsKind(err, fault.Refused) {
				t.Fatal(err)
			}
			s = ApplyStock(s, facts...)
		}
		line := func() PickedLine { return PickedLine{Line: 1, Location: place().Location, Quantity: q()} }
		t.Repeat(map[string]func(*rapid.T){
			"receive":  func(*rapid.T) { run(Received(s, key, place(), q(), "", t0)) },
			"reserve":  func(*rapid.T) { run(Reserve(s, key, Claim{claim(), q()}, rapid.Bool().Draw(t, "partial"))) },
			"release":  func(*rapid.T) { run(Release(s, key, claim())) },
			"allocate": func(*rapid.T) { run(Allocate(s, order(), 1, q(), []Claim{{claim(), q()}}, "2026-03-02")) },
			"free":     func(*rapid.T) { run(FreeOrder(s, order())) },
			"pick":     func(*rapid.T) { run(TakePick(s, order(), line(), t0), nil) },
			"short":    func(*rapid.T) { run(TakeShort(s, order(), line(), rapid.Bool().Draw(t, "damaged"), t0), nil) },
			"issue":    func(*rapid.T) { run(TakeIssue(s, order(), line(), t0), nil) },
			"adjust":   func(*rapid.T) { run(Adjust(s, key, place(), q().Neg(), "COUNT", t0)) },
			"move":     func(*rapid.T) { run(Transfer(s, place(), place(), q(), "", t0)) },
			"":         func(*rapid.T) { checkBooks(t, s) },
		})
	})
}

func checkBooks(t *rapid.T, s Stock) {
	sum, allocated := quantity.Decimal{}, quantity.Decimal{}
	for _, r := range s.Rows {
		sum, allocated = sum.Add(r.OnHand), allocated.Add(r.Allocated)
		if r.OnHand.Sign() < 0 && !r.Place.virtual() {
			t.Fatalf("negative: %+v", r)
		}
		if r.OnHand.Less(r.Allocated) && !r.Place.virtual() || r.Allocated.Sign() < 0 {
			t.Fatalf("allocated beyond what is there: %+v", r)
		}
	}
	if !sum.IsZero() {
		t.Fatalf("a movement had one side: %s", sum)
	}
	live := quantity.Decimal{}
	for _, a := range s.Allocations {
		live = live.Add(a.Quantity)
	}
	if live != allocated {
		t.Fatalf("rows say %s allocated, allocations %s", allocated, live)
	}
	if f := s.Figures(); f.ATP.Sign() < 0 {
		t.Fatalf("promised beyond what is there: %+v", f)
	}
}
