package adapter

import (
	"maps"
	"slices"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// TestFactsCorpus folds facts of every type ever released to the states that they always made.
func TestFactsCorpus(t *testing.T) {
	holdCorpus(t, CardsType(), cardReaders, everyField(cardFacts()))
	holdCorpus(t, FreightType(), freightReaders, everyField(freightFacts()))
	holdCorpus(t, InvoiceType(), invoiceReaders, everyField(invoiceFacts()), storetest.History[domain.InvoiceFact]{Name: "observed", Facts: observedFacts()})
}

func holdCorpus[S, F any](t *testing.T, typ store.Type[S, F], readers protovalue.Readers[F], histories ...storetest.History[F]) {
	t.Run(typ.Name, func(t *testing.T) {
		storetest.Corpus[S, F]{
			Type: typ, File: "../../testdata/facts/" + typ.Name + ".jsonl", Known: slices.Sorted(maps.Keys(readers)),
			Histories: histories,
		}.Check(t)
	})
}

func everyField[F any](facts []F) storetest.History[F] {
	return storetest.History[F]{Name: "every field", Facts: facts}
}
