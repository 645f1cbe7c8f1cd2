package edge

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// notes is what the steps of one request tell each other.
type notes struct {
	id     string
	route  string // template; "" until it is known
	reason string // of the problem that was answered
	caller guard.Caller
}

type notesKey struct{}

// notesOf returns the notes of the request in ctx; never nil.
func notesOf(ctx context.Context) *notes {
	if n, ok := ctx.Value(notesKey{}).(*notes); ok {
		return n
	}
	return &notes{}
}

// observe gives the request its id and span, and tells log and metrics how it ended. A
// panic below becomes an internal error.
func (g *gate) observe(next http.Handler) http.Handler {
	tracer := otel.Tracer("lockstep/gateway")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		n := &notes{id: requestID(r)}
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := tracer.Start(ctx, "HTTP "+known(r.Method), trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		r = r.WithContext(context.WithValue(ctx, notesKey{}, n))
		w.Header().Set("X-Request-Id", n.id)
		answer := &recorder{ResponseWriter: w}
		func() {
			defer g.recovered(answer, r)
			next.ServeHTTP(answer, r)
		}()
		span.SetAttributes(attribute.String("http.route", n.route), attribute.Int("http.response.status_code", answer.status),
			attribute.String("lockstep.request_id", n.id))
		g.report(r.Context(), n, r.Method, answer, time.Since(start))
	})
}

func (g *gate) recovered(w *recorder, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	id := notesOf(r.Context()).id
	g.parts.Log.ErrorContext(r.Context(), "internal error", "incident", id, "error", fmt.Sprintf("panic: %v\n%s", p, debug.Stack()))
	if w.status == 0 {
		problem(w, r, 0, fault.New(fault.Internal, "INTERNAL", "an internal error occurred").With("incident", id))
	}
}

// report writes one line and one measurement a request. Labels are closed sets: a path
// that is no route, or a method that nobody has, is not told by name.
func (g *gate) report(ctx context.Context, n *notes, method string, answer *recorder, took time.Duration) {
	if answer.status == 0 {
		answer.status = http.StatusOK
	}
	route := n.route
	if route == "" {
		route = "none"
	}
	g.duration.Record(ctx, took.Seconds(), metric.WithAttributes(attribute.String("method", known(method)),
		attribute.String("route", route), attribute.String("status", strconv.Itoa(answer.status))))
	level := slog.LevelDebug
	switch {
	case n.reason == overloaded && answer.status == http.StatusServiceUnavailable: // a flood is counted; a line for each of it would be one more
	case answer.status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	case answer.status >= http.StatusBadRequest:
		level = slog.LevelInfo
	}
	g.parts.Log.LogAttrs(ctx, level, "request", slog.String("method", known(method)), slog.String("route", route),
		slog.Int("status", answer.status), slog.String("reason", n.reason), slog.Duration("took", took), slog.Int64("bytes", answer.bytes),
		slog.String("request_id", n.id), slog.String("tenant", n.caller.Tenant), slog.String("principal", n.caller.Principal))
}

// requestID takes the client's id for the request if it is a plain one, or makes one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if len(id) >= 8 && len(id) <= 64 && plainID(id) {
		return id
	}
	return uuid.Must(uuid.NewV7()).String()
}

func plainID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '.' && c != ':' {
			return false
		}
	}
	return true
}

func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "OTHER"
}

// recorder remembers how a request was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
