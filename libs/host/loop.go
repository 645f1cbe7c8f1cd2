package host

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// Every makes a loop of a sweep: it runs f about every d (give or take a tenth, so
// that replicas do not march in step) until the context ends. A sweep that fails or
// panics is told in the log and tried again at its next turn.
func Every(d time.Duration, f func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(d - d/10 + rand.N(max(d/5, 1))):
			}
			if err := safely(ctx, f); err != nil && ctx.Err() == nil {
				logOf(ctx).WarnContext(ctx, "a sweep failed, it runs again", "error", err)
			}
		}
	}
}

// safely turns a panic into an error.
func safely(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f(ctx)
}

type logKey struct{}

func withLog(ctx context.Context, l *slog.Logger) context.Context {
	return context.WithValue(ctx, logKey{}, l)
}

func logOf(ctx context.Context) *slog.Logger {
	if l, ok := ctx.Value(logKey{}).(*slog.Logger); ok {
		return l
	}
	return slog.Default()
}
