// Package edge is the hardened HTTP side of the gateway: the one place where requests
// from outside are bounded, identified, authenticated and turned into gRPC calls, and
// where answers and faults are turned into HTTP.
//
// It promises that nothing of a body is read before its sender is known, that no header
// reaches a service that is not on a list, and that every error is a problem document
// (RFC 9457) without a word about the inside.
package edge

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// Service is one service whose public RPCs the edge serves.
type Service struct {
	// Name of the service, e.g. "order-release".
	Name string
	// Proto is the full name of its gRPC service.
	Proto protoreflect.FullName
	// Register adds its generated routes to the mux, over the connection. Never a
	// …HandlerServer: that would skip every interceptor of the service.
	Register func(context.Context, *runtime.ServeMux, grpc.ClientConnInterface) error
}

// Config bounds what the edge takes on.
type Config struct {
	BodyMax  int64         // bytes of a body
	BatchMax int64         // bytes of a batch's body
	InFlight int           // requests at a time
	Deadline time.Duration // of one request
	Secure   bool          // the outside speaks TLS: say so to browsers (HSTS)
}

// Parts are what the edge works with.
type Parts struct {
	Log          *slog.Logger
	Authenticate func(token string) (guard.Caller, error)
	// AuthenticateKey is the same for an API key; it may ask elsewhere.
	AuthenticateKey func(ctx context.Context, key string) (guard.Caller, error)
	Dial            func(service string) grpc.ClientConnInterface
	OpenAPI         []byte                      // the API's description; nil when there is none
	Ready           func(context.Context) error // why requests cannot be served, or nil
}

// New returns the handler for every request from outside.
func New(cfg Config, parts Parts, services []Service) (http.Handler, error) {
	routes, err := routesOf(services)
	if err != nil {
		return nil, err
	}
	g := &gate{cfg: cfg, parts: parts, routes: routes, slots: make(chan struct{}, cfg.InFlight)}
	if g.duration, err = otel.Meter("lockstep").Float64Histogram("lockstep_http_duration_seconds",
		metric.WithDescription("Duration of requests from outside, in seconds, by method, route and status."),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30)); err != nil {
		return nil, err
	}
	mux := g.mux()
	for _, s := range services {
		if err := s.Register(context.Background(), mux, parts.Dial(s.Name)); err != nil {
			return nil, fmt.Errorf("routes of %s: %w", s.Name, err)
		}
	}
	return g.chain(mux), nil
}

// gate is the edge at work.
type gate struct {
	cfg      Config
	parts    Parts
	routes   routes
	slots    chan struct{}
	duration metric.Float64Histogram
}

// mux returns the router with every habit of grpc-gateway turned off that would let a
// request be something else than it says it is.
func (g *gate) mux() *runtime.ServeMux {
	return runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, codec{}),
		runtime.WithIncomingHeaderMatcher(incoming),
		runtime.WithOutgoingHeaderMatcher(outgoing),
		runtime.WithOutgoingTrailerMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithMetadata(identify),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithUnescapingMode(runtime.UnescapingModeAllExceptReserved),
		runtime.WithStrictDeepWildcardMatching(),
		runtime.WithMiddlewares(g.route),
		runtime.WithForwardResponseOption(etag),
		runtime.WithErrorHandler(g.fail),
		runtime.WithRoutingErrorHandler(g.noRoute),
		runtime.WithWriteContentLength(),
	)
}

// chain returns the steps that every request passes before it is routed, outermost first.
func (g *gate) chain(mux http.Handler) http.Handler {
	steps := []func(http.Handler) http.Handler{
		g.observe,      // request id, trace, log and metrics see the outcome of all below, panics included
		g.secure,       // every answer carries the headers that keep browsers out of trouble
		g.probes,       // how much is in flight says nothing about being alive
		g.limit,        // what is too long or too much costs nothing
		g.open,         // the API's description needs no caller
		g.authenticate, // no byte of a body is read before its sender is known
		g.normalise,    // only what is on a list goes on, in one spelling, under one deadline
	}
	h := mux
	for i := len(steps) - 1; i >= 0; i-- {
		h = steps[i](h)
	}
	return h
}
