// Package adapter joins master data to the outside: the gRPC API, the store's
// types and the messages of the facts.
package adapter

import (
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
)

// NewServer registers the aggregate types with the database and returns the gRPC server
// on them, which works on up to parallel items of a batch at a time.
func NewServer(db *store.DB, parallel int) *Server {
	items := recordType("item", "itm", itemWire, map[string]func(domain.Item) []string{indexName: domain.Item.Names})
	parties := recordType("party", "pty", partyWire, map[string]func(domain.Party) []string{
		indexRole: func(p domain.Party) []string { return p.Roles },
	})
	locations := recordType("location", "loc", locationWire, map[string]func(domain.Location) []string{
		indexSite: func(l domain.Location) []string { return []string{l.Site} },
		indexKind: func(l domain.Location) []string { return []string{string(l.Kind)} },
	})
	carriers := recordType("carrier", "car", carrierWire, nil)
	tenants := recordType("tenant", "tnt", tenantWire, nil)
	return &Server{
		items:     app.NewRegistry(items.Prefix, store.Register(db, items)),
		parties:   app.Parties{Registry: app.NewRegistry(parties.Prefix, store.Register(db, parties))},
		locations: app.Locations{Registry: app.NewRegistry(locations.Prefix, store.Register(db, locations))},
		carriers:  app.NewRegistry(carriers.Prefix, store.Register(db, carriers)),
		tenants:   app.NewRegistry(tenants.Prefix, store.Register(db, tenants)),
		parallel:  parallel,
	}
}
