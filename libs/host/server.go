package host

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc/filters"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// server is one service's gRPC server with its health.
type server struct {
	grpc   *grpc.Server
	health *health.Server
	chain  *chain
}

// newServer makes the server of a service; register adds what it serves. It fails when
// a method has no access rule or a request type's rules cannot be compiled.
func newServer(service string, home func() bool, cfg Config, t *telemetry, verifier *guard.Verifier, answers *guard.Answers, creds credentials.TransportCredentials, register ...func(grpc.ServiceRegistrar)) (*server, error) {
	duration, err := t.meter.Meter("lockstep").Float64Histogram("lockstep_rpc_duration_seconds",
		metric.WithDescription("Duration of calls, in seconds, by service, method and gRPC code."),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30))
	if err != nil {
		return nil, err
	}
	c := &chain{
		service: service, home: home, log: t.log.With("service", service), duration: duration, deadline: cfg.Limits.Deadline,
		access: &guard.Access{Verifier: verifier}, limit: guard.NewLimit(cfg.Limits.Concurrent), once: &guard.Idempotency{Answers: answers},
	}
	g := grpc.NewServer(append(c.options(),
		grpc.Creds(creds),
		grpc.MaxRecvMsgSize(batchMax),
		grpc.MaxConcurrentStreams(100),
		grpc.MaxHeaderListSize(16<<10),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingAfter / 2, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle:     15 * time.Minute,
			MaxConnectionAge:      10 * time.Minute, // or replicas added later would get no calls
			MaxConnectionAgeGrace: time.Minute, Time: 30 * time.Second, Timeout: 10 * time.Second,
		}),
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(t.tracer), otelgrpc.WithPropagators(propagation.TraceContext{}),
			otelgrpc.WithMeterProvider(noop.NewMeterProvider()), otelgrpc.WithFilter(filters.Not(filters.HealthCheck())))),
	)...)
	s := &server{grpc: g, health: health.NewServer(), chain: c}
	healthpb.RegisterHealthServer(g, s.health)
	for _, r := range register {
		if r != nil {
			r(g)
		}
	}
	if c.access.Rules, err = guard.RulesOf(g.GetServiceInfo()); err != nil {
		return nil, fmt.Errorf("%s: %w", service, err)
	}
	c.once.Rules = c.access.Rules
	var requests []proto.Message
	for _, rule := range c.access.Rules {
		requests = append(requests, rule.Request.Zero().Interface())
	}
	c.validate, err = protovalidate.New(protovalidate.WithMessages(requests...))
	s.setServing(false)
	return s, err
}

// setServing tells the health service, for the whole server and each of its services.
func (s *server) setServing(ready bool) {
	state := healthpb.HealthCheckResponse_NOT_SERVING
	if ready {
		state = healthpb.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", state)
	for name := range s.grpc.GetServiceInfo() {
		if !strings.HasPrefix(name, "grpc.") {
			s.health.SetServingStatus(name, state)
		}
	}
}

// stop lets calls in progress finish within the grace, then cuts what is left.
func (s *server) stop(ctx context.Context, log *slog.Logger) {
	done := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		log.Warn("calls did not finish in time and are cut")
		s.grpc.Stop()
		<-done
	}
}
