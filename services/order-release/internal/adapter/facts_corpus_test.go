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
		Histories: []storetest.History[domain.Fact]{{Name: "every field", Facts: facts()}, {Name: "in parts", Facts: inParts()}, {Name: "taken back", Facts: takenBack()}, {Name: "promised by a date", Facts: expectedFacts()}, {Name: "amended", Facts: amendedFacts()}, {Name: "shipped", Facts: shippedFacts()}, {Name: "reversed", Facts: reversalFacts()}, {Name: "observed", Facts: observedFacts()}},
	}.Check(t)
	storetest.Corpus[domain.Rules, domain.RulesFact]{
		Type: RulesType(), File: "../../testdata/facts/sourcing_rules.jsonl", Known: slices.Sorted(maps.Keys(rulesReaders)),
		Histories: []storetest.History[domain.RulesFact]{{Name: "every field", Facts: rulesFacts()}},
	}.Check(t)
	storetest.Corpus[domain.Load, domain.LoadFact]{
		Type: LoadType(), File: "../../testdata/facts/channel_load.jsonl", Known: slices.Sorted(maps.Keys(loadReaders)),
		Histories: []storetest.History[domain.LoadFact]{{Name: "every field", Facts: loadFacts()}},
	}.Check(t)
	storetest.Corpus[domain.Channel, domain.ChannelFact]{
		Type: ChannelType(), File: "../../testdata/facts/release_channel.jsonl", Known: slices.Sorted(maps.Keys(channelReaders)),
		Histories: []storetest.History[domain.ChannelFact]{{Name: "every field", Facts: channelFacts()}, {Name: "limited", Facts: limitedFacts()}, {Name: "final", Facts: finalFacts()}, {Name: "shipping", Facts: shippingFacts()}},
	}.Check(t)
}
