// Package freightsettlement owns what freight costs, from estimate to paid invoice: rate
// cards, the expected and settled charges of each shipment, carriers' invoices. It promises
// that postings balance and allocations add up to the minor unit, that a charge is paid once
// however often it is invoiced, and that nothing beyond tolerance is approved by itself.
package freightsettlement

import (
	"context"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/store"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/adapter"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// Name is the service's name among the services.
const Name = "freight-settlement"

// New returns the service.
func New(cfg Config, d host.Deps) (*host.Service, error) {
	carriers := adapter.NewCarriers(d.Store, d.Dial("master-data"))
	owned := owners.New(d.Store, d.Clock.Now)
	a := &app.App{
		Owners:    owned,
		Carriers:  carriers,
		Cards:     store.Register(d.Store, adapter.CardsType()),
		Freights:  store.Register(d.Store, adapter.FreightType()),
		Invoices:  store.Register(d.Store, adapter.InvoiceType()),
		Clock:     d.Clock,
		Tolerance: domain.Tolerance{Percent: cfg.TolerancePercent, Minor: cfg.ToleranceMinor},
		Retry:     cfg.Retry,
		Attempt:   cfg.Attempt,
	}
	return &host.Service{
		Name: Name,
		Register: func(r grpc.ServiceRegistrar) {
			freightsettlementv1.RegisterFreightSettlementServiceServer(r, &adapter.Server{App: a})
		},
		Consumers: append(adapter.Consumers(a), carriers.Follower(), owned.Follower()),
		Loops:     []func(context.Context) error{host.Every(cfg.Sweep, a.Sweep)},
	}, nil
}
