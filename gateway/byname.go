package gateway

import (
	"context"
	"slices"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/gateway/internal/edge"
	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// byName stands for the service that a request names: what every service offers has one
// route for all of them.
const byName = "*"

// dialer returns the connections of the gateway's routes.
func dialer(dial func(service string) grpc.ClientConnInterface) func(service string) grpc.ClientConnInterface {
	return func(service string) grpc.ClientConnInterface {
		if service == byName {
			return &named{dial}
		}
		return dial(service)
	}
}

// named is the connection to whichever service a request names. It calls it as any other
// route does, through the service's own interceptors.
type named struct {
	dial func(service string) grpc.ClientConnInterface
}

// Invoke implements grpc.ClientConnInterface.
func (n *named) Invoke(ctx context.Context, method string, request, reply any, opts ...grpc.CallOption) error {
	name := ""
	if r, ok := request.(interface{ GetService() string }); ok {
		name = r.GetService()
	}
	known := slices.ContainsFunc(services, func(s edge.Service) bool { return s.Name == name })
	if !known || name == Name || name == byName { // the gateway itself keeps nothing
		return fault.New(fault.NotFound, "SERVICE_UNKNOWN", "there is no service %s", name)
	}
	return n.dial(name).Invoke(ctx, method, request, reply, opts...)
}

// NewStream implements grpc.ClientConnInterface; no route of this kind is a stream.
func (n *named) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, fault.New(fault.Internal, "INTERNAL", "a request by a service's name is no stream")
}
