package brunel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// patient calls again what may be called again: every command has a key of its own.
type patient struct{ grpc.ClientConnInterface }

// patience bounds the time that one call may take with its repetitions.
const patience = 2 * time.Minute

// Invoke implements grpc.ClientConnInterface.
func (p patient) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := p.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
		if err == nil || !passes(err) || !wait(ctx, pause) {
			return err
		}
	}
}

// passes reports whether a failure says nothing about the request.
func passes(err error) bool {
	var p *rest.Problem
	if !errors.As(err, &p) {
		return true // the connection's
	}
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return p.Retry || p.Code == "IDEMPOTENCY_IN_PROGRESS"
}

// wait waits; false when the context has ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// keyed puts the idempotency key of a command into its context.
func keyed(ctx context.Context, key string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, guard.MetaKey, "brunel:"+key)
}

// errNotYet says that what is waited for has not happened.
var errNotYet = errors.New("not yet")

// await asks until the answer is no longer errNotYet. It asks seldom: hundreds of orders wait at a time.
func await(ctx context.Context, what string, ask func(context.Context) error) error {
	for pause := 20 * time.Millisecond; ; pause = min(pause*2, 400*time.Millisecond) {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if !errors.Is(err, errNotYet) {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		if !wait(ctx, pause) {
			return fmt.Errorf("waiting for %s (last: %w): %w", what, err, ctx.Err())
		}
	}
}
