package adapter

import (
	"maps"
	"slices"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// TestFactsCorpus folds facts of every type ever released to the states that they always made.
func TestFactsCorpus(t *testing.T) {
	storetest.Corpus[domain.Document, domain.Fact]{
		Type: DocumentType(), File: "../../testdata/facts/document.jsonl", Known: slices.Sorted(maps.Keys(readers)),
		Histories: []storetest.History[domain.Fact]{{Name: "every field", Facts: facts()}},
	}.Check(t)
}
