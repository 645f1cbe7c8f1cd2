package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Figures are what can be promised.
type Figures struct {
	OnHand, Allocated, Promised, ATP quantity.Decimal
	Kept                             quantity.Decimal // for promises of what is to come, which come first
}

// Figures sums what stands in bins in status AVAILABLE and is not expired on a day
// (YYYY-MM-DD; "" counts what is expired too).
func (s Stock) Figures(today string) Figures {
	var f Figures
	for _, r := range s.Rows {
		if r.Place.sellable() && !r.Place.expired(today) {
			f.OnHand, f.Allocated = f.OnHand.Add(r.OnHand), f.Allocated.Add(r.Allocated)
		}
	}
	for _, c := range s.Claims {
		f.Promised = f.Promised.Add(c.Quantity)
	}
	f.ATP = f.OnHand.Sub(f.Allocated).Sub(f.Promised)
	f.Kept = s.kept(f.ATP)
	f.ATP = f.ATP.Sub(f.Kept)
	return f
}

// atp is what the books let be promised, never negative.
func (s Stock) atp(today string) quantity.Decimal {
	return quantity.Max(s.Figures(today).ATP, quantity.Decimal{})
}

// Reserve promises a claim as much as can be promised. partial says that a part helps. The
// same claim again changes nothing; a claim that was closed before it arrived is refused.
func Reserve(s Stock, key StockKey, claim Claim, partial bool, rule Rule) ([]StockFact, error) {
	return ReserveFor(s, key, claim, "", partial, rule)
}

// ReserveFor is Reserve for the holder of a promise of what is to come: the claim may have what
// is kept for it, and the promise is less by that. An empty promise is none.
func ReserveFor(s Stock, key StockKey, claim Claim, promise string, partial bool, rule Rule) ([]StockFact, error) {
	if s.closed(claim.Key) {
		return nil, fault.New(fault.Refused, "CLAIM_CLOSED", "claim %s was closed", claim.Key)
	}
	if slices.ContainsFunc(s.Claims, func(c Claim) bool { return c.Key == claim.Key }) {
		return nil, nil
	}
	over := Lapse(s, key, rule.Now) // or it would hold what nobody wants any more
	s = ApplyStock(s, over...)
	if len(s.Claims) >= maxClaims {
		return nil, fault.New(fault.Refused, "STOCK_FULL", "%d claims are open on %s", len(s.Claims), s.Key.SKU)
	}
	atp := s.For(promise, rule.Day())
	if atp.Sign() == 0 || !partial && atp.Less(claim.Quantity) {
		return nil, s.short(rule, claim.Quantity, atp)
	}
	claim.Quantity = quantity.Min(claim.Quantity, atp)
	f := StockReserved{StockKey: s.named(key), Claim: claim}
	if promise != "" && s.Awaited(promise).Sign() > 0 {
		f.Promise = promise
	}
	return append(over, f), nil
}

// Held is what a claim holds.
func (s Stock) Held(claim string) quantity.Decimal {
	for _, c := range s.Claims {
		if c.Key == claim {
			return c.Quantity
		}
	}
	return quantity.Decimal{}
}

// Release closes a claim for good, whether it holds something, nothing, or was never made.
func Release(s Stock, key StockKey, claim string) ([]StockFact, error) {
	if s.closed(claim) {
		return nil, nil
	}
	return []StockFact{ReservationReleased{StockKey: s.named(key), Claim: Claim{claim, s.Held(claim)}}}, nil
}

// Wanted is what a line of a warehouse order needs, with the claims that promised it.
type Wanted struct {
	Line     int
	Quantity quantity.Decimal
	Claims   []Claim
}

// Allocate sets stock aside for the lines of a warehouse order, in the order and as far as the
// rule says. It takes the lines' claims; what they do not cover comes from what is free. An
// order that is over here gets nothing.
func Allocate(s Stock, key StockKey, order string, lines []Wanted, rule Rule) []StockFact {
	if s.closed(order) {
		return nil
	}
	var facts []StockFact
	for _, l := range lines {
		if f, ok := s.allocateLine(s.named(key), order, l, rule); ok {
			facts, s = append(facts, f), EvolveStock(s, f)
		}
	}
	return facts
}

func (s Stock) allocateLine(key StockKey, order string, l Wanted, rule Rule) (f StockAllocated, ok bool) {
	if len(s.AllocatedTo(order, l.Line)) > 0 {
		return f, false
	}
	f = StockAllocated{StockKey: key, Order: order, Line: l.Line}
	covered := quantity.Decimal{}
	left := s // of the claims, should one be named twice
	for _, c := range l.Claims {
		if held := quantity.Min(left.Held(c.Key), c.Quantity); held.Sign() > 0 {
			used := Claim{c.Key, held}
			f.Claims, covered = append(f.Claims, used), covered.Add(held)
			left.Claims = spend(left.Claims, []Claim{used})
		}
	}
	want := quantity.Min(l.Quantity, covered.Add(s.atp("")))
	for _, r := range s.in(rule.Strategy) {
		n := quantity.Min(r.OnHand.Sub(r.Allocated), want)
		full := len(s.Allocations)+len(f.Parts) >= maxAllocations
		if n.Sign() <= 0 || !r.Place.sellable() || r.Place.expired(rule.Day()) || full {
			continue
		}
		f.Parts = append(f.Parts, Allocation{order, l.Line, r.Place, n})
		want = want.Sub(n)
	}
	return f, len(f.Parts) > 0 || len(f.Claims) > 0
}

// AllocatedTo returns the allocations of a line.
func (s Stock) AllocatedTo(order string, line int) []Allocation {
	return slices.DeleteFunc(slices.Clone(s.Allocations), func(a Allocation) bool { return a.Order != order || a.Line != line })
}

// CloseOrder frees everything that is allocated to a warehouse order and sees to it that
// nothing is allocated to it later, in whatever order things happen.
func CloseOrder(s Stock, key StockKey, order string) []StockFact {
	if s.closed(order) {
		return nil
	}
	sum := quantity.Decimal{}
	for _, a := range s.Allocations {
		if a.Order == order {
			sum = sum.Add(a.Quantity)
		}
	}
	return []StockFact{AllocationFreed{s.named(key), order, 0, sum}}
}
