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
	holdCorpus(t, OrderType(), orderReaders, history("every field", orderFacts()...), history("taken back", recallFacts()...), history("short", shortFacts()...), history("packaging", packagedFacts()...), history("waves", wavedFacts()...), history("amended", amendedFacts()...), history("reversed", reversalFacts()...), history("observed", observedFacts()...), history("by serial number", numberedOrder()...))
	holdCorpus(t, StockType(), stockReaders, history("every field", stockFacts()...), history("reservations", reservationFacts()...), history("supplies", supplyFacts()...), history("reversed", reversedFacts()...), history("counted", countedFacts()...), history("transferred", transferredFacts()...), history("issue reversed", reversedStock()...), history("observed", observedStock()...), history("by serial number", numberedStock()...))
	holdCorpus(t, NumbersType(), numbersReaders, history("every field", domain.NumbersFact(domain.NumbersTaken{Prefix: "4012345", First: 101, Last: 200})))
	holdCorpus(t, PolicyType(), policyReaders, history("every field",
		domain.PolicySet{Site: "DC1", Strategy: domain.LIFO}, domain.PolicySet{Strategy: domain.FIFO}, domain.PolicySet{Site: "DC1"}))
	holdCorpus(t, ForeignType(), ssccReaders, history("every field", domain.SSCCClaimed{SSCC: box.SSCC, Order: "who_a"}))
	holdCorpus(t, SerialType(), serialReaders, history("every field", serialFacts()...))
	holdCorpus(t, UnitType(), unitReaders, history("every field", unitFacts()...), history("reversed", reversedUnits()...))
	holdCorpus(t, PackingType(), packingReaders, history("every field", packingFacts()...))
	holdCorpus(t, WaveType(), waveReaders, history("every field", waveFacts()...))
	holdCorpus(t, InboundType(), inboundReaders, history("every field", inboundFacts()...), history("late", rescheduledFacts()...), history("put away by rules", placedFacts()...))
	holdCorpus(t, PutawayRulesType(), putawayRulesReaders, history("every field", putawayRulesFacts()...))
	holdCorpus(t, PutawayPlanType(), putawayReaders, history("every field", putawayFacts()...))
	holdCorpus(t, TransferType(), transferReaders, history("every field", transferFacts()...))
	holdCorpus(t, CountType(), countReaders, history("every field", countFacts()...))
	holdCorpus(t, CountPolicyType(), countPolicyReaders, history("every field", countPolicyFacts()...))
	holdCorpus(t, SnapshotType(), snapshotReaders, history("every field", snapshotFacts()...))
}

func holdCorpus[S, F any](t *testing.T, typ store.Type[S, F], readers protovalue.Readers[F], histories ...storetest.History[F]) {
	t.Run(typ.Name, func(t *testing.T) {
		storetest.Corpus[S, F]{
			Type: typ, File: "../../testdata/facts/" + typ.Name + ".jsonl", Known: slices.Sorted(maps.Keys(readers)),
			Histories: histories,
		}.Check(t)
	})
}

func history[F any](name string, facts ...F) storetest.History[F] {
	return storetest.History[F]{Name: name, Facts: facts}
}
