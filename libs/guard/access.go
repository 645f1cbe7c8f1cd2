package guard

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// Access authenticates every call and authorises it against the rules.
type Access struct {
	Verifier *Verifier
	Rules    Rules
}

// Check returns a context that carries the verified caller and the beginnings of
// the cause (tenant, principal, correlation), or why the call is refused.
func (a *Access) Check(ctx context.Context, method string) (context.Context, error) {
	if open[method] {
		return ctx, nil
	}
	token, err := bearer(ctx)
	if err != nil {
		return nil, err
	}
	caller, err := a.Verifier.Verify(token)
	if err != nil {
		return nil, err
	}
	rule, ok := a.Rules[method]
	if !ok || !rule.allows(caller) {
		return nil, fault.New(fault.Denied, "METHOD_NOT_ALLOWED", "this caller may not call %s", method)
	}
	if err := caller.checkParty(); err != nil {
		return nil, err
	}
	if caller.Tenant == "" && rule.Access.Mutation {
		return nil, fault.New(fault.Denied, "TENANT_REQUIRED", "a change needs a tenant")
	}
	cause, err := causeIn(ctx, caller)
	if err != nil {
		return nil, err
	}
	ctx, err = itemsIn(ctx, caller)
	if err != nil {
		return nil, err
	}
	return store.WithCause(WithCaller(ctx, caller), cause), nil
}

// Unary is the interceptor for calls with one request.
func (a *Access) Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	ctx, err := a.Check(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handle(ctx, req)
}

// Stream is the interceptor for streams.
func (a *Access) Stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, err := a.Check(ss.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return handle(srv, WithContext(ctx, ss))
}

// WithContext returns the stream with another context.
func WithContext(ctx context.Context, ss grpc.ServerStream) grpc.ServerStream {
	return &contextStream{ss, ctx}
}

type contextStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *contextStream) Context() context.Context { return s.ctx }

// bearer returns the one token that came with the call.
func bearer(ctx context.Context) (string, error) {
	values := metadata.ValueFromIncomingContext(ctx, metaAuthorization)
	if len(values) == 1 {
		if scheme, token, ok := strings.Cut(values[0], " "); ok && strings.EqualFold(scheme, "bearer") {
			return token, nil
		}
	}
	return "", fault.New(fault.Unauthenticated, "TOKEN_REQUIRED", "the call carries no bearer token")
}
