// Package returns owns what customers send back: whether they may, what arrived, what
// inspection made of it, what becomes of it and what is credited for it. It promises that
// no more comes back than was issued, that every unit that arrived is disposed of once, and
// that no more is credited than was paid for goods that arrived and were accepted.
package returns

import (
	"context"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/store"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/adapter"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/app"
)

// Name is the service's name among the services.
const Name = "returns"

// New returns the service.
func New(cfg Config, d host.Deps) (*host.Service, error) {
	sites := adapter.NewSites(d.Store, d.Dial("master-data"))
	owned := owners.New(d.Store, d.Clock.Now)
	a := &app.App{
		Owners:  owned,
		Returns: store.Register(d.Store, adapter.ReturnType()),
		Items:   store.Register(d.Store, adapter.ItemsType()),
		Orders:  adapter.NewOrders(d.Dial("order-release")),
		Sites:   sites,
		Policy:  cfg.policy(),
		Limits:  app.Limits{Attempt: cfg.Attempt, Limit: cfg.Limit},
	}
	return &host.Service{
		Name:      Name,
		Register:  func(r grpc.ServiceRegistrar) { returnsv1.RegisterReturnsServiceServer(r, &adapter.Server{App: a}) },
		Consumers: append(adapter.Consumers(a), sites.Follower(), owned.Follower()),
		Loops: []func(context.Context) error{
			host.Every(cfg.Sweep, func(ctx context.Context) error { return a.Sweep(ctx, d.Clock.Now()) }),
		},
	}, nil
}
