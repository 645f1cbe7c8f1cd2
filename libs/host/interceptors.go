package host

import (
	"context"
	"log/slog"
	"time"

	"buf.build/go/protovalidate"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// step is one interceptor of the chain with its reason to be where it is.
type step struct {
	name, why string
	unary     grpc.UnaryServerInterceptor
	stream    grpc.StreamServerInterceptor // nil: streams pass
}

// chain is what every call passes on its way to a handler.
type chain struct {
	service  string
	log      *slog.Logger
	duration metric.Float64Histogram
	home     func() bool   // whether the service's consumers run here
	deadline time.Duration // of calls whose caller does not say
	access   *guard.Access
	limit    *guard.Limit
	once     *guard.Idempotency
	validate protovalidate.Validator
}

// steps returns the interceptors, outermost first. A test holds the order.
func (c *chain) steps() []step {
	return []step{
		{"mask", "what leaves is a fault or a constant text, whatever happens inside", c.maskUnary, c.maskStream},
		{"request-id", "everything below can name the call", c.identifyUnary, c.identifyStream},
		{"log", "sees the outcome of all below, panics included", c.logUnary, c.logStream},
		{"metrics", "as log", c.measureUnary, c.measureStream},
		{"recover", "a panic becomes an error that log and metrics see", c.recoverUnary, c.recoverStream},
		{"deadline", "from here on time is bounded, with a slice kept for the answer", c.deadlineUnary, nil},
		{"access", "no field of a request is looked at before its caller is known", c.accessUnary, c.accessStream},
		{"limit", "strangers take no slots", c.limit.Unary, nil},
		{"validate", "handlers get only requests that keep the rules of their proto", c.validateUnary, c.validateStream},
		{"idempotency", "only a valid request may bind a key", c.once.Unary, nil},
	}
}

func (c *chain) options() []grpc.ServerOption {
	var unary []grpc.UnaryServerInterceptor
	var stream []grpc.StreamServerInterceptor
	for _, s := range c.steps() {
		unary = append(unary, s.unary)
		if s.stream != nil {
			stream = append(stream, s.stream)
		}
	}
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(unary...), grpc.ChainStreamInterceptor(stream...)}
}

// call is what the steps of one call tell each other.
type call struct {
	id     string       // request id
	caller guard.Caller // zero until access has let it in
}

type callKey struct{}

// callOf returns the notes of the call in ctx; never nil.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}
