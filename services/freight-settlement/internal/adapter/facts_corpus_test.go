package adapter

import (
	"maps"
	"slices"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
)

// TestFactsCorpus folds facts of every type ever released to the states that they always made.
func TestFactsCorpus(t *testing.T) {
	holdCorpus(t, CardsType(), cardReaders, cardFacts()...)
	holdCorpus(t, FreightType(), freightReaders, freightFacts()...)
	holdCorpus(t, InvoiceType(), invoiceReaders, invoiceFacts()...)
}

func holdCorpus[S, F any](t *testing.T, typ store.Type[S, F], readers protovalue.Readers[F], everyField ...F) {
	t.Run(typ.Name, func(t *testing.T) {
		storetest.Corpus[S, F]{
			Type: typ, File: "../../testdata/facts/" + typ.Name + ".jsonl", Known: slices.Sorted(maps.Keys(readers)),
			Histories: []storetest.History[F]{{Name: "every field", Facts: everyField}},
		}.Check(t)
	})
}
