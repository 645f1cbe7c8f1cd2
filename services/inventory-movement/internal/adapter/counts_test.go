package adapter

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

var (
	cnt      = domain.CountKeys{ID: "cnt_a", Site: "DC1", Owner: "OWN"}
	counted  = domain.CountPlace{Item: "itm_a", SKU: "TEA", Unit: "EA", Place: bin}
	howToCnt = domain.CountPolicy{
		Recount: domain.CountLimit{Quantity: quantity.Int(1), Percent: "2.5"}, Approval: domain.CountLimit{Quantity: twelve},
	}
)

func countFacts() []domain.CountFact {
	other := counted
	other.Place.Location = "B-2"
	third := other
	third.Place.Location = "B-3"
	return []domain.CountFact{
		domain.CountPlanned{CountKeys: cnt, Locations: []string{"B-1", "B-2"}, SKUs: []string{"TEA"}, Policy: howToCnt, Places: []domain.CountPlace{counted}},
		domain.CountStarted{CountKeys: cnt},
		domain.CountSubmitted{CountKeys: cnt, By: "ann", At: at, Message: "mmmm", Places: []domain.CountedPlace{
			{CountPlace: counted, Quantity: twelve, Expected: quantity.Int(20), Recount: true},
			{CountPlace: other, Quantity: quantity.Int(1)},
			{CountPlace: third, Quantity: quantity.Int(1)},
		}},
		domain.CountSubmitted{CountKeys: cnt, By: "bob", At: at, Places: []domain.CountedPlace{{CountPlace: counted, Quantity: twelve, Expected: quantity.Int(20)}}},
		domain.CountApproved{CountKeys: cnt, Attempt: 1, By: "eve", Reason: "CYCLE_COUNT", Adjustments: []domain.CountAdjustment{
			{Line: 1, CountPlace: counted, Expected: quantity.Int(20), Variance: quantity.MustParse("-7.5"), At: at},
			{Line: 2, CountPlace: other, Variance: quantity.Int(1), At: at, Superseded: true},
			{Line: 3, CountPlace: third, Variance: quantity.Int(1), At: at, Anew: true},
		}},
		domain.CountAdjusted{CountKeys: cnt, Attempt: 1, Item: "itm_a", Outcomes: []domain.CountOutcome{{Line: 1, Refusal: "STOCK_COMMITTED", HeldBy: []string{"who_a", "who_b"}}}},
		domain.CountApproved{CountKeys: cnt, Attempt: 2, By: "eve", Reason: "CYCLE_COUNT", Adjustments: []domain.CountAdjustment{
			{Line: 1, CountPlace: counted, Expected: quantity.Int(13), Variance: quantity.MustParse("-0.5"), At: at},
		}},
		domain.CountAdjusted{CountKeys: cnt, Attempt: 2, Item: "itm_a", Outcomes: []domain.CountOutcome{{Line: 1}}},
		domain.CountCompleted{CountKeys: cnt},
		domain.CountCancelled{CountKeys: cnt, Reason: "REPLAN"},
	}
}

func countPolicyFacts() []domain.CountPolicySet {
	all := domain.CountPolicy{Recount: domain.CountLimit{Percent: "1"}}
	return []domain.CountPolicySet{{Site: "DC1", Policy: &howToCnt}, {Policy: &all}, {Site: "DC1"}, {Site: "DC2", Policy: &domain.CountPolicy{}}}
}

// countedFacts are the movements of a stock that a count made.
func countedFacts() []domain.StockFact {
	return []domain.StockFact{domain.StockMoved{
		StockKey: stk, Type: domain.Adjustment, From: domain.Place{Location: domain.Discrepancy, Status: domain.Available}, To: bin,
		Quantity: twelve, Reason: "CYCLE_COUNT", Count: "cnt_a", At: at,
	}}
}

// TestBlindCount: neither what the books have nor what others counted is told before everything
// is counted.
func TestBlindCount(t *testing.T) {
	for n, shown := range map[int]bool{3: false, 4: true} {
		c := domain.ApplyCount(domain.Count{}, countFacts()[:n]...)
		l := countLine(1, c.Lines[0], shows(c.State()))
		if (l.GetExpected() != nil) != shown || (l.GetCounted() != nil) != shown || (l.GetVariance() != nil) != shown || l.GetCountedBy() == "" {
			t.Errorf("%s shows %v", c.State(), l)
		}
	}
	for _, s := range []domain.CountState{domain.CountIsPlanned, domain.CountInProgress, domain.CountValidation, domain.CountComplete, domain.CountCalledOff} {
		known(t, imv1.CountState(imv1.CountState_value["COUNT_STATE_"+string(s)]), string(s))
	}
	c := domain.ApplyCount(domain.Count{}, countFacts()[:4]...)
	if m := stockCount(store.View[domain.Count]{State: c, ID: "cnt_a"}); m.GetLineCount() != 3 || m.GetOpenCount() != 0 || m.GetPolicy().GetApproval().GetQuantity() != "12.5" {
		t.Errorf("%v", m)
	}
}
