package inventorymovement_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// What stands for the other services: units of their names, on real stores and buses, that
// publish the facts of their contracts.

// settings of a unit that has none.
type settings struct{}

func (settings) Validate() error { return nil }

// decode reads any known message.
func decode(name string, data []byte) (proto.Message, error) {
	known, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name))
	if err != nil {
		return nil, err
	}
	m := known.New().Interface()
	return m, proto.Unmarshal(data, m)
}

// record is an aggregate of which only the last fact counts.
type record struct {
	Type string `bson:"t"`
	Data []byte `bson:"d"`
}

type records = store.Collection[record, proto.Message]

func registerRecords(db *store.DB, name, prefix string) *records {
	return store.Register(db, store.Type[record, proto.Message]{
		Name: name, Prefix: prefix, Encode: protovalue.Encode, Decode: decode,
		Evolve: func(r record, m proto.Message) record {
			r.Type, r.Data, _ = protovalue.Encode(m)
			return r
		},
		Export: func(_ string, r record) (proto.Message, error) { return decode(r.Type, r.Data) },
	})
}

// owner is a service of which tests publish the facts: id prefix → aggregate type.
type owner struct {
	types    map[string]string
	register func(grpc.ServiceRegistrar)
	open     atomic.Pointer[map[string]*records]
}

func (o *owner) unit(name string) *host.Unit {
	return host.Bind(name, settings{}, func(_ settings, d host.Deps) (*host.Service, error) {
		open := map[string]*records{}
		for prefix, aggregate := range o.types {
			open[prefix] = registerRecords(d.Store, aggregate, prefix)
		}
		o.open.Store(&open)
		return &host.Service{Register: o.register}, nil
	})
}

// publish commits facts of one aggregate, each in a commit of its own.
func (o *owner) publish(t testing.TB, tenant, id string, facts ...proto.Message) {
	t.Helper()
	for _, f := range facts {
		_, err := (*o.open.Load())[id[:3]].Update(command(t, tenant), id, func(store.Current[record]) (store.Decision[proto.Message], error) {
			return store.Decision[proto.Message]{Facts: []proto.Message{f}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// command is the context of a command that has a key of its own.
func command(t testing.TB, tenant string) context.Context {
	ctx := store.WithCause(t.Context(), store.Cause{Tenant: tenant, Principal: "tester"})
	return guard.Derived(ctx, tenant, testkit.Name("cmd"), time.Unix(1, 0))
}

// masterData stands for master data: it publishes facts and answers GetLocation for the
// locations that tests told it of, whether or not their facts are out.
type masterData struct {
	md.UnimplementedMasterDataServiceServer
	*owner
	mu    sync.Mutex
	known map[string]*md.Location
	down  atomic.Bool
	asked atomic.Int64
}

func newMasterData() *masterData {
	m := &masterData{known: map[string]*md.Location{}}
	m.owner = &owner{types: map[string]string{"itm": "item", "loc": "location", "cut": "cut_off", "cal": "calendar", "cdl": "code_list", "own": "ownership"}, register: func(r grpc.ServiceRegistrar) {
		md.RegisterMasterDataServiceServer(r, m)
	}}
	return m
}

func (m *masterData) GetLocation(ctx context.Context, r *md.GetLocationRequest) (*md.GetLocationResponse, error) {
	m.asked.Add(1)
	if m.down.Load() {
		return nil, fault.New(fault.Unavailable, "DOWN", "out of order")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.known[store.CauseOf(ctx).Tenant+"/"+r.GetCode()]
	if found == nil {
		return nil, fault.New(fault.NotFound, "NOT_FOUND", "unknown")
	}
	return &md.GetLocationResponse{Location: &md.LocationRecord{Location: found}}, nil
}

// put tells of a location of which no fact is out.
func (m *masterData) put(tenant string, l *md.Location) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known[tenant+"/"+l.GetCode()] = l
}
