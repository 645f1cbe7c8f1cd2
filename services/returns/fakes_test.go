package returns_test

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
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// What stands for the other services: units of their names, on real stores and buses, that
// publish the facts of their contracts and answer what returns asks them.

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

// record is an aggregate of which nothing is kept but its facts.
type record struct {
	Facts int `bson:"n"`
}

type records = store.Collection[record, proto.Message]

// owner is a service of which tests publish the facts.
type owner struct {
	name, aggregate, prefix string
	register                func(grpc.ServiceRegistrar)
	open                    atomic.Pointer[records]
}

func (o *owner) unit() *host.Unit {
	return host.Bind(o.name, settings{}, func(_ settings, d host.Deps) (*host.Service, error) {
		o.open.Store(store.Register(d.Store, store.Type[record, proto.Message]{
			Name: o.aggregate, Prefix: o.prefix, Encode: protovalue.Encode, Decode: decode,
			Evolve: func(r record, _ proto.Message) record { r.Facts++; return r },
		}))
		return &host.Service{Register: o.register}, nil
	})
}

// publish commits facts of one aggregate together.
func (o *owner) publish(t testing.TB, tenant, id string, facts ...proto.Message) {
	t.Helper()
	ctx := store.WithCause(t.Context(), store.Cause{Tenant: tenant, Principal: "tester"})
	ctx = guard.Derived(ctx, tenant, testkit.Name("cmd"), time.Unix(1, 0))
	_, err := o.open.Load().Update(ctx, id, func(store.Current[record]) (store.Decision[proto.Message], error) {
		return store.Decision[proto.Message]{Facts: facts}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// orders stands for order release: it answers GetOrder for the orders that tests placed.
type orders struct {
	orderreleasev1.UnimplementedOrderReleaseServiceServer
	*owner
	mu    sync.Mutex
	known map[string]*orderreleasev1.Order
	down  atomic.Bool
	asked atomic.Int64
}

func newOrders() *orders {
	o := &orders{known: map[string]*orderreleasev1.Order{}}
	o.owner = &owner{name: "order-release", aggregate: "order", prefix: "ord", register: func(r grpc.ServiceRegistrar) {
		orderreleasev1.RegisterOrderReleaseServiceServer(r, o)
	}}
	return o
}

func (o *orders) GetOrder(ctx context.Context, r *orderreleasev1.GetOrderRequest) (*orderreleasev1.GetOrderResponse, error) {
	o.asked.Add(1)
	if o.down.Load() {
		return nil, fault.New(fault.Unavailable, "DOWN", "out of order")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	found := o.known[store.CauseOf(ctx).Tenant+"/"+r.GetOrderId()]
	if found == nil {
		return nil, fault.New(fault.NotFound, "NOT_FOUND", "unknown")
	}
	return &orderreleasev1.GetOrderResponse{Order: found}, nil
}

func (o *orders) place(tenant string, order *orderreleasev1.Order) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.known[tenant+"/"+order.GetOrderId()] = order
}
