// Package shipmentvisibility owns shipments from plan to proof of delivery: tenders to
// carriers, departure, milestones, the consignee's word. It promises that the same reports,
// in whatever order and however often they come, give one state, that no report is refused
// for contradicting another, and that what contradicts is named until it is cleared.
package shipmentvisibility

import (
	"context"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/store"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/adapter"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/app"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// Name is the service's name among the services.
const Name = "shipment-visibility"

// New returns the service.
func New(cfg Config, d host.Deps) (*host.Service, error) {
	carriers, owned := adapter.NewCarriers(d.Store), owners.New(d.Store, d.Clock.Now)
	a := &app.App{
		Shipments: store.Register(d.Store, adapter.ShipmentType()),
		Carriers:  carriers,
		Owners:    owned,
		Policy:    domain.Policy(cfg.ShippedPolicy),
	}
	return &host.Service{
		Name: Name,
		Register: func(r grpc.ServiceRegistrar) {
			shipmentvisibilityv1.RegisterShipmentVisibilityServiceServer(r, &adapter.Server{App: a})
		},
		Consumers: append(adapter.Consumers(a), carriers.Follower(), owned.Follower()),
		Loops: []func(context.Context) error{
			host.Every(cfg.Sweep, func(ctx context.Context) error { return a.ExpireTenders(ctx, d.Clock.Now()) }),
		},
	}, nil
}
