// Package orderrelease owns orders and the decision to release them to a warehouse. It
// promises that nothing is released that stock has not granted, that an order's state
// follows from its quantities and from what others reported, and that every order which
// hangs is either driven on by itself or says in ExplainOrder what it waits for.
package orderrelease

import (
	"context"
	_ "time/tzdata" // time zones are checked against the IANA database, wherever this runs

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/store"
	operationsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/operations/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/adapter"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Name is the service's name among the services.
const Name = "order-release"

// New returns the service.
func New(cfg Config, d host.Deps) (*host.Service, error) {
	masterData, owned := adapter.NewMasterData(d.Store), owners.New(d.Store, d.Clock.Now)
	conditions, err := adapter.NewConditions()
	if err != nil {
		return nil, err
	}
	a := &app.App{
		Orders:    store.Register(d.Store, adapter.OrderType()),
		Stock:     adapter.NewStock(d.Dial("inventory-movement")),
		Reference: masterData,
		Policies: &app.Policies{
			Rules: store.Register(d.Store, adapter.RulesType()), Channels: store.Register(d.Store, adapter.ChannelType()),
			Conditions: conditions, Shipped: adapter.NewOwnership(owned), Now: d.Clock.Now,
		},
		Owners: owned,
		Loads:  store.Register(d.Store, adapter.LoadType()),
		Limits: domain.Limits{Attempt: cfg.PromiseLimit, RetryFirst: cfg.RetryFirst, RetryMost: cfg.RetryMost},
	}
	return &host.Service{
		Name: Name,
		Register: func(r grpc.ServiceRegistrar) {
			orderreleasev1.RegisterOrderReleaseServiceServer(r, &adapter.Server{App: a})
			operationsv1.RegisterOpenDocumentServiceServer(r, &adapter.OpenDocuments{App: a})
		},
		Consumers: append(adapter.Consumers(a), masterData.Follower(), owned.Follower()),
		Loops: []func(context.Context) error{
			host.Every(cfg.Sweep, func(ctx context.Context) error { return a.Sweep(ctx, d.Clock.Now()) }),
		},
	}, nil
}
