package adapter

import (
	"maps"
	"slices"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// TestFactsCorpus folds facts of every type ever released to the states that they always made.
func TestFactsCorpus(t *testing.T) {
	storetest.Corpus[domain.Order, domain.Fact]{
		Type: OrderType(), File: "../../testdata/facts/order.jsonl", Known: slices.Sorted(maps.Keys(readers)),
		Histories: []storetest.History[domain.Fact]{{Name: "every field", Facts: facts()}},
	}.Check(t)
}
