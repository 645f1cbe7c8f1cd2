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
)

// Name is the service's name among the services.
const Name = "integration"

// New returns the service.
func New(cfg Config, d host.Deps) (*host.Service, error) {
	a := &app.App{
		Documents:      store.Register(d.Store, adapter.DocumentType()),
		Contents:       adapter.NewContents(d.Store),
		Report:         adapter.NewReport(d.Store),
		Owners:         adapter.NewOwners(d.Dial, cfg.Parallel),
		PortionRecords: cfg.PortionRecords,
		PortionBytes:   int64(cfg.PortionKiB) << 10,
	}
	return &host.Service{
		Name: Name,
		Register: func(r grpc.ServiceRegistrar) {
			integrationv1.RegisterIntegrationServiceServer(r, &adapter.Server{App: a})
		},
		Consumers: adapter.Consumers(a, Name),
	}, nil
}
