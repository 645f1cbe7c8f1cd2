// Package host runs services: configuration, gRPC server and clients with one
// checked order of interceptors, health, telemetry, the admin port, and an orderly
// shutdown. A service declares itself as a *Service; host does the rest, alike in
// one process and in many.
package host

import (
	"context"
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// Deps are the parts a service gets; embedded or deployed, it cannot tell.
type Deps struct {
	Log   *slog.Logger
	Clock clock.Clock
	// Store is this service's own database, nobody else's.
	Store *store.DB
	// Bus is this service's end of the bus: its dead letters, how far its consumers are. The
	// consumers are declared in Service, not here; nil for a stateless unit.
	Bus *bus.Bus
	// NATS carries facts.
	NATS *nats.Conn
	// Redis holds what may be lost: finished answers, in-flight locks, limits.
	Redis redis.UniversalClient
	// Dial returns the connection to another service by its name, e.g. "inventory-movement".
	// Calls carry this service's identity and the cause in the context; the gateway's
	// carry the caller that guard.WithCaller put there. Errors come back as faults.
	Dial func(service string) grpc.ClientConnInterface
}

// Service is what a service's New returns: everything host needs to run it.
type Service struct {
	// Name as in the directory, e.g. "order-release".
	Name string
	// Register adds the service's gRPC servers; nil if it has none.
	Register func(grpc.ServiceRegistrar)
	// Front serves another door than gRPC (the gateway's HTTP) until its context ends, then
	// finishes what it has begun and returns; nil if there is none.
	Front func(context.Context) error
	// Consumers are its followers, reactors and recorders.
	Consumers []bus.Consumer
	// Loops run until their context ends (timers, sweeps); an error stops the process.
	Loops []func(context.Context) error
	// Ready reports why the service cannot serve yet, or nil; nil func means always.
	Ready func(context.Context) error
}
