package adapter

import (
	"maps"
	"slices"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// TestFactsCorpus folds facts of every type ever released to the states that they always made.
func TestFactsCorpus(t *testing.T) {
	holdCorpus(t, StockType(), stockReaders, stockFacts()...)
	holdCorpus(t, OrderType(), orderReaders, orderFacts()...)
	holdCorpus(t, InboundType(), inboundReaders, inboundFacts()...)
	holdCorpus(t, NumbersType(), numbersReaders, domain.NumbersFact(domain.NumbersTaken{Prefix: "4012345", First: 101, Last: 200}))
	holdCorpus(t, ForeignType(), ssccReaders, domain.SSCCClaimed{SSCC: box.SSCC, Order: "who_a"})
}

func holdCorpus[S, F any](t *testing.T, typ store.Type[S, F], readers protovalue.Readers[F], everyField ...F) {
	t.Run(typ.Name, func(t *testing.T) {
		storetest.Corpus[S, F]{
			Type: typ, File: "../../testdata/facts/" + typ.Name + ".jsonl", Known: slices.Sorted(maps.Keys(readers)),
			Histories: []storetest.History[F]{{Name: "every field", Facts: everyField}},
		}.Check(t)
	})
}
