package host

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lockstep-logistics/lockstep/libs/fault/wire"
	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// dial returns a connection to a service. address is host:port, several of them for
// replicas that no name stands for, or a name alone with an in-memory listener.
func dial(address string, memory func(context.Context) (net.Conn, error), creds credentials.TransportCredentials, issuer *guard.Issuer, cfg Config, t *telemetry) (*grpc.ClientConn, error) {
	sign := &guard.Client{Issuer: issuer}
	policy, err := retryPolicy()
	if err != nil {
		return nil, err
	}
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithDefaultServiceConfig(policy),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(batchMax)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: pingTimeout}),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(otelgrpc.WithTracerProvider(t.tracer),
			otelgrpc.WithPropagators(propagation.TraceContext{}), otelgrpc.WithMeterProvider(noop.NewMeterProvider()))),
		grpc.WithChainUnaryInterceptor(faults, bounded(cfg.Limits.Deadline), sign.Unary, aboutResource()),
		grpc.WithChainStreamInterceptor(faultsOfStream, sign.Stream),
	}
	target := "dns:///" + address
	if replicas := strings.Split(address, replicaSeparator); len(replicas) > 1 {
		target = "list:///" + replicas[0]
		opts = append(opts, grpc.WithResolvers(listed(replicas)))
	}
	if memory != nil {
		target = "passthrough:///" + address
		opts = append(opts, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return memory(ctx) }))
	}
	return grpc.NewClient(target, opts...)
}

// replicaSeparator stands between the addresses of a service's replicas.
const replicaSeparator = ";"

// listed resolves to fixed addresses. Each proves itself under its own host, not the first one's.
func listed(replicas []string) resolver.Builder {
	b := manual.NewBuilderWithScheme("list")
	var state resolver.State
	for _, address := range replicas {
		name, _, _ := net.SplitHostPort(address) // one that is none cannot be dialled, which says so
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: address, ServerName: name}}})
	}
	b.InitialState(state)
	return b
}

// faults gives errors back as faults, so that callers never see gRPC's.
func faults(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return wire.FromStatus(invoke(ctx, method, req, reply, cc, opts...))
}

// bounded gives a call without a deadline one.
func bounded(d time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if _, ok := ctx.Deadline(); !ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, d)
			defer cancel()
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}
}

func faultsOfStream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	s, err := open(ctx, desc, cc, method, opts...)
	if err != nil {
		return nil, wire.FromStatus(err)
	}
	return &faultStream{s}, nil
}

// faultStream gives a stream's errors back as faults; io.EOF stays what it is.
type faultStream struct{ grpc.ClientStream }

func (s *faultStream) SendMsg(m any) error { return wire.FromStatus(s.ClientStream.SendMsg(m)) }
func (s *faultStream) RecvMsg(m any) error { return wire.FromStatus(s.ClientStream.RecvMsg(m)) }

// A replica that has frozen or is cut off is given up after both of these; see also retryPolicy.
const pingAfter, pingTimeout = 10 * time.Second, 5 * time.Second

// retryPolicy is the service config of every connection: calls go to a near replica, and
// queries that did not come through have a second and a third try. A mutation is
// never tried again here: who wants that does it once, with its key, in one place.
func retryPolicy() (string, error) {
	var queries []map[string]string
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			for j := range f.Services().Get(i).Methods().Len() {
				m := f.Services().Get(i).Methods().Get(j)
				if access := guard.AccessOf(m); access != nil && repeatable(access) {
					queries = append(queries, map[string]string{"service": string(m.Parent().FullName()), "method": string(m.Name())})
				}
			}
		}
		return true
	})
	config := map[string]any{
		"loadBalancingConfig": []any{map[string]any{near: map[string]any{}}},
		"retryThrottling":     map[string]any{"maxTokens": 10, "tokenRatio": 0.1},
	}
	if len(queries) > 0 {
		config["methodConfig"] = []any{map[string]any{"name": queries, "retryPolicy": map[string]any{
			"maxAttempts": 3, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 2,
			"retryableStatusCodes": []string{"UNAVAILABLE"},
		}}}
	}
	text, err := json.Marshal(config)
	return string(text), err
}

// missing stands for a connection that cannot be had: every call says why.
type missing struct{ err error }

func (m missing) Invoke(context.Context, string, any, any, ...grpc.CallOption) error { return m.err }

func (m missing) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, m.err
}
