// Package integration is the door for documents of other systems: CSV and JSON in, one
// command a record to the service that owns it. It promises that a document takes effect
// once however often it comes, that a bad record costs that record only, and that every
// error is reported with its line.
package integration

import (
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/store"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/adapter"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/app"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/memory"
)

// Name is the service's name among the services.
const Name = "integration"

// apartBytes is for the most that one document can have of records whose rows stand apart.
const apartBytes = 32 << 20

// New returns the service.
func New(cfg Config, d host.Deps) (*host.Service, error) {
	inFlight := int64(cfg.InFlightMiB) << 20
	budget := memory.NewBudget(inFlight)
	a := &app.App{
		Documents:      store.Register(d.Store, adapter.DocumentType()),
		Contents:       adapter.NewContents(d.Store, budget, 2*inFlight),
		Report:         adapter.NewReport(d.Store),
		Owners:         adapter.NewOwners(d.Dial, cfg.Parallel),
		Apart:          memory.NewRecent(apartBytes, (*document.Apart).Size),
		PortionRecords: cfg.PortionRecords,
		PortionBytes:   int64(cfg.PortionKiB) << 10,
		Portions:       cfg.Portions,
	}
	return &host.Service{
		Name: Name,
		Register: func(r grpc.ServiceRegistrar) {
			integrationv1.RegisterIntegrationServiceServer(adapter.Bounded(r, Name, budget), &adapter.Server{App: a})
		},
		Consumers: adapter.Consumers(a, Name),
	}, nil
}
