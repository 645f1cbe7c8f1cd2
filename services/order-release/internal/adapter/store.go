// Package adapter joins order release to the outside: the gRPC API, the store's facts and
// indexes, its copy of master data, inventory's stock, and the facts that it follows.
package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// OrderType declares the aggregate to the store.
func OrderType() store.Type[domain.Order, domain.Fact] {
	return store.Type[domain.Order, domain.Fact]{
		Name: "order", Prefix: "ord", Fold: 10,
		Evolve: domain.Evolve,
		Encode: func(f domain.Fact) (string, []byte, error) { return protovalue.Encode(message(f)) },
		Decode: readers.Decode,
		Indexes: map[string]func(domain.Order) []string{
			app.IndexNumber:  func(o domain.Order) []string { return app.Keys(o, o.Header.Number) },
			app.IndexPO:      func(o domain.Order) []string { return app.Keys(o, o.Header.PO) },
			app.IndexState:   func(o domain.Order) []string { return app.Keys(o, string(o.State())) },
			app.IndexSoldTo:  func(o domain.Order) []string { return []string{o.Header.SoldTo.Code} },
			app.IndexWaiting: app.WaitingKeys,
			app.IndexDue:     due,
			app.IndexChannel: app.ChannelKeys,
			app.IndexNames:   app.NameKeys,
		},
	}
}

// due is when an attempt is to be given up or tried again, or a channel opens.
func due(o domain.Order) []string {
	if at := o.Due(); !at.IsZero() {
		return []string{store.TimeKey(at)}
	}
	return nil
}

// RulesType declares sourcing rules to the store.
func RulesType() store.Type[domain.Rules, domain.RulesFact] {
	return store.Type[domain.Rules, domain.RulesFact]{
		Name: "sourcing_rules", Prefix: "srl", Fold: 1,
		Evolve: domain.EvolveRules,
		Encode: func(f domain.RulesFact) (string, []byte, error) { return protovalue.Encode(rulesMessage(f)) },
		Decode: rulesReaders.Decode,
	}
}

// LoadType declares what is taken of channels' windows to the store.
func LoadType() store.Type[domain.Load, domain.LoadFact] {
	return store.Type[domain.Load, domain.LoadFact]{
		Name: "channel_load", Prefix: "rcl", Fold: 1,
		Evolve: domain.EvolveLoad,
		Encode: func(f domain.LoadFact) (string, []byte, error) { return protovalue.Encode(loadMessage(f)) },
		Decode: loadReaders.Decode,
	}
}

// ChannelType declares release channels to the store.
func ChannelType() store.Type[domain.Channel, domain.ChannelFact] {
	return store.Type[domain.Channel, domain.ChannelFact]{
		Name: "release_channel", Prefix: "rch", Fold: 1,
		Evolve: domain.EvolveChannel,
		Encode: func(f domain.ChannelFact) (string, []byte, error) { return protovalue.Encode(channelMessage(f)) },
		Decode: channelReaders.Decode,
	}
}
