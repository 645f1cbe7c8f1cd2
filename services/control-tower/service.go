// Package controltower tells the story of any business key from the facts of all services.
// It owns no transition and no truth: its rows are a projection that never doubles a fact,
// does not depend on the order in which aggregates arrive, and can be built anew.
package controltower

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/host"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/adapter"
)

// Name is the service's name among the services.
const Name = "control-tower"

// How often rows are changed that say less, or ask for more, than is known by now.
const (
	reread = time.Minute // what only a newer release can read: after it was deployed, and while an older replica still records
	settle = time.Minute // requests and give-backs whose consequence has come
)

// New returns the service.
func New(cfg Config, d host.Deps) (*host.Service, error) {
	server := adapter.NewServer(d.Store, d.Clock, adapter.Bounds{Nodes: cfg.Nodes, Steps: cfg.Steps, OlderThan: cfg.OlderThan})
	recorder := adapter.NewRecorder(d.Store)
	return &host.Service{
		Name:      Name,
		Register:  func(r grpc.ServiceRegistrar) { controltowerv1.RegisterControlTowerServiceServer(r, server) },
		Consumers: recorder.Consumers(),
		Loops: []func(context.Context) error{
			host.Every(reread, recorder.Reread), host.Every(settle, recorder.Settle), host.Every(cfg.Compare, adapter.Compare(d.Bus, d.Log)),
		},
	}, nil
}
