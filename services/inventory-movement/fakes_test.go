package inventorymovement_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
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
	types map[string]string
	open  atomic.Pointer[map[string]*records]
}

func (o *owner) unit(name string) *host.Unit {
	return host.Bind(name, settings{}, func(_ settings, d host.Deps) (*host.Service, error) {
		open := map[string]*records{}
		for prefix, aggregate := range o.types {
			open[prefix] = registerRecords(d.Store, aggregate, prefix)
		}
		o.open.Store(&open)
		return &host.Service{}, nil
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
