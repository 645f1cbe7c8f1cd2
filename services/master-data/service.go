// Package masterdata owns the records that every other document names: items, parties,
// locations, carriers, and the tenant's own. It promises that a record under a code is
// never two, that a put which changes nothing leaves no fact, and that each fact carries
// the whole record, so that followers work while this service is down.
package masterdata

import (
	"context"
	_ "time/tzdata" // time zones are checked against the IANA database, wherever this runs

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/host"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/adapter"
)

// Name is the service's name among the services.
const Name = "master-data"

// New returns the service.
func New(cfg Config, d host.Deps) (*host.Service, error) {
	server := adapter.NewServer(d.Store, d.Clock, cfg.Parallel, adapter.NewDocuments(d.Dial), d.Log)
	return &host.Service{
		Name:     Name,
		Register: func(r grpc.ServiceRegistrar) { masterdatav1.RegisterMasterDataServiceServer(r, server) },
		Loops: []func(context.Context) error{
			host.Every(cfg.Sweep, func(ctx context.Context) error { return server.Changes.Sweep(ctx, d.Clock.Now()) }),
		},
	}, nil
}
