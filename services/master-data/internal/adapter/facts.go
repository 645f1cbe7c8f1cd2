package adapter

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/store"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// wire maps the facts of one type of record to their messages and back.
type wire[V domain.Value] struct {
	encode func(domain.Fact[V]) proto.Message
	// empty are empty messages of the types that encode returns.
	empty  []proto.Message
	decode func(proto.Message) domain.Fact[V]
}

// recordType describes a type of record to the store.
func recordType[V domain.Value](name, prefix string, w wire[V], indexes map[string]func(V) []string) store.Type[domain.Record[V], domain.Fact[V]] {
	t := store.Type[domain.Record[V], domain.Fact[V]]{
		Name:    name,
		Prefix:  prefix,
		Fold:    1,
		Evolve:  domain.Evolve[V],
		Indexes: map[string]func(domain.Record[V]) []string{},
		Encode: func(f domain.Fact[V]) (string, []byte, error) {
			m := w.encode(f)
			data, err := proto.Marshal(m)
			return string(m.ProtoReflect().Descriptor().FullName()), data, err
		},
		Decode: func(name string, data []byte) (domain.Fact[V], error) {
			for _, empty := range w.empty {
				if string(empty.ProtoReflect().Descriptor().FullName()) == name {
					m := empty.ProtoReflect().New().Interface()
					err := proto.Unmarshal(data, m)
					return w.decode(m), err
				}
			}
			return domain.Fact[V]{}, fmt.Errorf("unknown fact %s of %s", name, prefix)
		},
		Export: func(id string, r domain.Record[V]) (domain.Fact[V], error) {
			return domain.Fact[V]{ID: id, Retired: r.State == domain.Retired, Value: r.Value, Observed: r.Observed}, nil
		},
	}
	for name, keys := range indexes {
		t.Indexes[name] = func(r domain.Record[V]) []string { return keys(r.Value) }
	}
	return t
}

var itemWire = wire[domain.Item]{
	empty: []proto.Message{&mdv1.ItemDefined{}, &mdv1.ItemRetired{}},
	encode: func(f domain.Fact[domain.Item]) proto.Message {
		if f.Retired {
			return &mdv1.ItemRetired{ItemId: f.ID, Item: itemToProto(f.Value), Observations: observationsToProto(f.Observed)}
		}
		return &mdv1.ItemDefined{ItemId: f.ID, Item: itemToProto(f.Value), Observations: observationsToProto(f.Observed)}
	},
	decode: func(m proto.Message) domain.Fact[domain.Item] {
		e := m.(interface {
			GetItemId() string
			GetItem() *mdv1.Item
			GetObservations() []*mdv1.FieldObservation
		})
		return domain.Fact[domain.Item]{
			ID: e.GetItemId(), Retired: isA[*mdv1.ItemRetired](m), Value: itemFromProto(e.GetItem()), Observed: observationsFromProto(e.GetObservations()),
		}
	},
}

var partyWire = wire[domain.Party]{
	empty: []proto.Message{&mdv1.PartyDefined{}, &mdv1.PartyRetired{}},
	encode: func(f domain.Fact[domain.Party]) proto.Message {
		if f.Retired {
			return &mdv1.PartyRetired{PartyId: f.ID, Party: partyToProto(f.Value), Observations: observationsToProto(f.Observed)}
		}
		return &mdv1.PartyDefined{PartyId: f.ID, Party: partyToProto(f.Value), Observations: observationsToProto(f.Observed)}
	},
	decode: func(m proto.Message) domain.Fact[domain.Party] {
		e := m.(interface {
			GetPartyId() string
			GetParty() *mdv1.Party
			GetObservations() []*mdv1.FieldObservation
		})
		return domain.Fact[domain.Party]{
			ID: e.GetPartyId(), Retired: isA[*mdv1.PartyRetired](m), Value: partyFromProto(e.GetParty()), Observed: observationsFromProto(e.GetObservations()),
		}
	},
}

var locationWire = wire[domain.Location]{
	empty: []proto.Message{&mdv1.LocationDefined{}, &mdv1.LocationRetired{}},
	encode: func(f domain.Fact[domain.Location]) proto.Message {
		if f.Retired {
			return &mdv1.LocationRetired{
				LocationId: f.ID, Location: locationToProto(f.Value), SiteCode: f.Value.Site, Observations: observationsToProto(f.Observed),
			}
		}
		return &mdv1.LocationDefined{
			LocationId: f.ID, Location: locationToProto(f.Value), SiteCode: f.Value.Site, Observations: observationsToProto(f.Observed),
		}
	},
	decode: func(m proto.Message) domain.Fact[domain.Location] {
		e := m.(interface {
			GetLocationId() string
			GetLocation() *mdv1.Location
			GetSiteCode() string
			GetObservations() []*mdv1.FieldObservation
		})
		value := locationFromProto(e.GetLocation())
		value.Site = e.GetSiteCode()
		return domain.Fact[domain.Location]{
			ID: e.GetLocationId(), Retired: isA[*mdv1.LocationRetired](m), Value: value, Observed: observationsFromProto(e.GetObservations()),
		}
	},
}

var carrierWire = wire[domain.Carrier]{
	empty: []proto.Message{&mdv1.CarrierDefined{}, &mdv1.CarrierRetired{}},
	encode: func(f domain.Fact[domain.Carrier]) proto.Message {
		if f.Retired {
			return &mdv1.CarrierRetired{CarrierId: f.ID, Carrier: carrierToProto(f.Value), Observations: observationsToProto(f.Observed)}
		}
		return &mdv1.CarrierDefined{CarrierId: f.ID, Carrier: carrierToProto(f.Value), Observations: observationsToProto(f.Observed)}
	},
	decode: func(m proto.Message) domain.Fact[domain.Carrier] {
		e := m.(interface {
			GetCarrierId() string
			GetCarrier() *mdv1.Carrier
			GetObservations() []*mdv1.FieldObservation
		})
		return domain.Fact[domain.Carrier]{
			ID: e.GetCarrierId(), Retired: isA[*mdv1.CarrierRetired](m), Value: carrierFromProto(e.GetCarrier()), Observed: observationsFromProto(e.GetObservations()),
		}
	},
}

var tenantWire = wire[domain.Tenant]{
	empty: []proto.Message{&mdv1.TenantDefined{}},
	encode: func(f domain.Fact[domain.Tenant]) proto.Message {
		return &mdv1.TenantDefined{TenantId: f.ID, Tenant: tenantToProto(f.Value)}
	},
	decode: func(m proto.Message) domain.Fact[domain.Tenant] {
		e := m.(*mdv1.TenantDefined)
		return domain.Fact[domain.Tenant]{ID: e.GetTenantId(), Value: tenantFromProto(e.GetTenant())}
	},
}

func isA[M proto.Message](m proto.Message) bool {
	_, ok := m.(M)
	return ok
}
