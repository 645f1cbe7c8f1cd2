package domain

import (
	"cmp"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// CountChange is by how much a place had more, or with a minus less, than the books when it was
// counted.
type CountChange struct {
	Line   int
	Place  Place
	Change quantity.Decimal
	At     time.Time
	// Why it is not booked: the piece that was found is in other books.
	Refusal string
}

// maxHolders bounds how many are named who have the goods that are missing.
const maxHolders = 3

// TakeCount books what a count found, what was too few in the books first. What is missing and
// allocated or promised stays in the books: it is refused, and said who would come up short.
func TakeCount(s Stock, key StockKey, count, reason string, changes []CountChange) (facts []StockFact, outcomes []CountOutcome) {
	for _, c := range GainsFirst(changes) {
		o := CountOutcome{Line: c.Line, Refusal: c.Refusal}
		if c.Refusal != "" {
			outcomes = append(outcomes, o)
			continue
		}
		more, err := Adjust(s, key, c.Place, c.Change, reason, c.At)
		if f, refused := fault.As(err); refused {
			o.Refusal = f.Reason
			if f.Reason == stockCommitted {
				o.HeldBy = s.holders(s.dated(c.Place))
			}
		}
		for _, f := range more {
			m := f.(StockMoved)
			m.Count = count
			facts, s = append(facts, m), EvolveStock(s, m)
		}
		outcomes = append(outcomes, o)
	}
	return facts, outcomes
}

// GainsFirst orders changes: what was found may cover what is missing elsewhere. But a piece that was
// found is missing elsewhere first.
func GainsFirst(changes []CountChange) []CountChange {
	rank := func(c CountChange) int {
		if c.Place.Serial != "" && c.Change.Sign() > 0 {
			return 2
		}
		return -c.Change.Sign()
	}
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(a, b CountChange) int { return cmp.Compare(rank(a), rank(b)) })
	return changes
}

const stockCommitted = "STOCK_COMMITTED"

// holders are the warehouse orders that goods of a place are allocated to, or if there are none,
// the claims that count on the stock.
func (s Stock) holders(p Place) (all []string) {
	for _, a := range s.Allocations {
		if a.Place == p && !slices.Contains(all, a.Order) {
			all = append(all, a.Order)
		}
	}
	for _, c := range s.Claims {
		if len(all) < maxHolders && p.sellable() {
			all = append(all, c.Key)
		}
	}
	return all[:min(len(all), maxHolders)]
}
