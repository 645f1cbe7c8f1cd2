// Package adapter joins master data to the outside: the gRPC API, the store's
// types and the messages of the facts.
package adapter

import (
	"log/slog"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/app"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// Indexes of the lists.
const (
	indexName = "name" // item: SKU, GTIN, partner's number
	indexRole = "role" // party
	indexSite = "site" // location
	indexKind = "kind" // location
	indexOdds = "odds" // records of which systems say what they do not own
)

const oddsKey = "1"

// NewServer registers the aggregate types with the database and returns the gRPC server
// on them, which works on up to parallel items of a batch at a time and asks others for their documents.
func NewServer(db *store.DB, now clock.Clock, parallel int, documents app.Documents, log *slog.Logger) *Server {
	owners := &app.Owners{Registry: register(db, recordType("ownership", "own", ownershipWire, nil))}
	s := &Server{
		now: now, parallel: parallel, owners: owners,
		items: register(db, governed(recordType("item", "itm", itemWire, map[string]func(domain.Item) []string{indexName: domain.Item.Names}))).
			Governed(owners, "ITEM"),
		parties: app.Parties{Registry: register(db, governed(recordType("party", "pty", partyWire, map[string]func(domain.Party) []string{
			indexRole: func(p domain.Party) []string { return p.Roles },
		}))).Governed(owners, "PARTY")},
		locations: app.Locations{Registry: register(db, governed(recordType("location", "loc", locationWire, map[string]func(domain.Location) []string{
			indexSite: func(l domain.Location) []string { return []string{l.Site} },
			indexKind: func(l domain.Location) []string { return []string{string(l.Kind)} },
		}))).Governed(owners, "LOCATION")},
		carriers:  register(db, governed(recordType("carrier", "car", carrierWire, nil))).Governed(owners, "CARRIER"),
		tenants:   register(db, recordType("tenant", "tnt", tenantWire, nil)),
		calendars: register(db, recordType("calendar", "cal", calendarWire, nil)),
		codeLists: app.CodeLists{Registry: register(db, recordType("code_list", "cdl", codeListWire, nil))},
	}
	s.references = app.References{
		Registry: register(db, recordType("cross_reference", "xrf", referenceWire, referenceIndexes)),
		Items:    s.items, Parties: s.parties.Registry, Locations: s.locations.Registry, Carriers: s.carriers,
	}
	s.cutOffs = app.CutOffs{
		Registry: register(db, recordType("cut_off", "cut", cutOffWire, map[string]func(domain.CutOff) []string{
			indexSite: func(o domain.CutOff) []string { return []string{o.Site} },
		})),
		Calendars: s.calendars, Locations: s.locations.Registry, Carriers: s.carriers,
	}
	s.Changes = app.Changes{
		Registry: register(db, recordType("change", "chg", changeWire, changeIndexes)),
		Items:    s.items, Parties: s.parties.Registry, Locations: s.locations, Carriers: s.carriers,
		Documents: documents,
	}
	s.apiKeys = app.APIKeys{Registry: register(db, recordType("api_key", "key", apiKeyWire, nil)), Parties: s.parties.Registry, Log: log}
	return s
}

// register declares a type of record to the database.
func register[V domain.Value](db *store.DB, t store.Type[domain.Record[V], domain.Fact[V]]) *app.Registry[V] {
	return app.NewRegistry(t.Prefix, store.Register(db, t))
}

// governed lists the records of which systems say what they do not own.
func governed[V domain.Value](t store.Type[domain.Record[V], domain.Fact[V]]) store.Type[domain.Record[V], domain.Fact[V]] {
	t.Indexes[indexOdds] = func(r domain.Record[V]) []string {
		if len(r.Observed) == 0 {
			return nil
		}
		return []string{oddsKey}
	}
	return t
}

// referenceIndexes list external ids by their system, and by the objects that they stand for.
var referenceIndexes = map[string]func(domain.CrossReference) []string{
	app.IndexSystem: func(r domain.CrossReference) []string { return []string{r.System} },
	app.IndexObject: func(r domain.CrossReference) []string {
		return protovalue.Each(r.Objects(), func(key string) string { return domain.Joined(r.Type, key) })
	},
	app.IndexTold: func(r domain.CrossReference) []string {
		return protovalue.Each(r.Objects(), func(key string) string { return domain.Joined(r.Type, key, r.System) })
	},
}
