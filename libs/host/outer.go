package host

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/fault/wire"
	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// The outer steps: mask, request-id, log, metrics, recover. They see every call,
// whether or not it is let in.

func (c *chain) maskUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	resp, err := handle(ctx, req)
	return resp, c.mask(ctx, err)
}

func (c *chain) maskStream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	return c.mask(ss.Context(), handle(srv, ss))
}

// mask turns an error into the status that may leave; of an internal one only an
// incident id, under which the log has it whole.
func (c *chain) mask(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if unimplemented(err) {
		return status.Error(codes.Unimplemented, "the method is not implemented")
	}
	st := wire.Status(err, c.service)
	if incident := wire.Incident(st); incident != "" {
		c.log.ErrorContext(ctx, "internal error", "incident", incident, "error", err)
	}
	return st.Err()
}

// unimplemented reports whether err is gRPC's own answer for a method without a handler.
func unimplemented(err error) bool {
	_, ours := fault.As(err)
	return !ours && status.Code(err) == codes.Unimplemented
}

func (c *chain) identifyUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	ctx = c.identify(ctx)
	resp, err := handle(ctx, req)
	if c.home() {
		_ = grpc.SetTrailer(ctx, metadata.Pairs(metaHome, "1")) // fails only outside a call
	}
	tell := grpc.SetHeader
	if err != nil {
		tell = grpc.SetTrailer // an answer that has a header is never tried again by the client
	}
	_ = tell(ctx, metadata.Pairs(guard.MetaRequestID, guard.RequestID(ctx))) // fails only outside a call
	return resp, err
}

func (c *chain) identifyStream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx := c.identify(ss.Context())
	ss.SetTrailer(metadata.Pairs(guard.MetaRequestID, guard.RequestID(ctx)))
	return handle(srv, guard.WithContext(ctx, ss))
}

// identify fixes the request's id, which also goes back to the caller and onto the span.
func (c *chain) identify(ctx context.Context) context.Context {
	id := guard.RequestID(ctx)
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("lockstep.request_id", id))
	return context.WithValue(guard.WithRequestID(ctx, id), callKey{}, &call{id: id})
}

func (c *chain) logUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	start := time.Now()
	resp, err := handle(ctx, req)
	c.report(ctx, info.FullMethod, start, req, resp, err)
	return resp, err
}

func (c *chain) logStream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	start := time.Now()
	err := handle(srv, ss)
	c.report(ss.Context(), info.FullMethod, start, nil, nil, err)
	return err
}

// report writes one line a call: what went well is for debugging, what the caller did
// wrong is information, what we did wrong is a warning.
func (c *chain) report(ctx context.Context, method string, start time.Time, req, resp any, err error) {
	l := slog.LevelDebug
	if err != nil {
		l = slog.LevelInfo
		if k := fault.KindOf(err); k == fault.Internal || k == fault.Unavailable || k == fault.Deadline {
			l = slog.LevelWarn
		}
	}
	ids := businessIDs(req, resp)
	trace.SpanFromContext(ctx).SetAttributes(spanAttributes(ids)...)
	if !c.log.Enabled(ctx, l) {
		return
	}
	notes := callOf(ctx)
	attrs := append(slices.Clip(ids), slog.String("method", method), slog.Duration("took", time.Since(start)),
		slog.String("outcome", outcome(err)), slog.String("request_id", notes.id),
		slog.String("tenant", notes.caller.Tenant), slog.String("principal", notes.caller.Principal))
	if f, ok := fault.As(err); ok {
		attrs = append(attrs, slog.String("reason", f.Reason))
	}
	c.log.LogAttrs(ctx, l, "call", attrs...)
}

// businessIDs picks the identifiers of a request and of its receipt: the top-level
// string fields that end in _id or _number. Nothing else of a body is logged.
func businessIDs(req, resp any) []slog.Attr {
	var out []slog.Attr
	if m, ok := req.(proto.Message); ok && m != nil {
		fields := m.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			f := fields.Get(i)
			name := string(f.Name())
			if f.Kind() == stringKind && !f.IsList() && (strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_number")) {
				if v := m.ProtoReflect().Get(f).String(); v != "" && len(v) <= 128 {
					out = append(out, slog.String(name, v))
				}
			}
		}
	}
	if r, ok := resp.(receipted); ok {
		if id := r.GetReceipt().GetId(); id != "" {
			out = append(out, slog.String("aggregate_id", id))
		}
	}
	return out
}

func spanAttributes(ids []slog.Attr) []attribute.KeyValue {
	var out []attribute.KeyValue
	for _, a := range ids {
		out = append(out, attribute.String("lockstep."+a.Key, a.Value.String()))
	}
	return out
}

func (c *chain) measureUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	start := time.Now()
	resp, err := handle(ctx, req)
	c.measure(ctx, info.FullMethod, start, err)
	return resp, err
}

func (c *chain) measureStream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	start := time.Now()
	err := handle(srv, ss)
	c.measure(ss.Context(), info.FullMethod, start, err)
	return err
}

// measure records rate, errors and duration. Its labels are closed sets: only methods
// that are registered come here, and outcomes are codes.
func (c *chain) measure(ctx context.Context, method string, start time.Time, err error) {
	c.duration.Record(ctx, time.Since(start).Seconds(), metric.WithAttributes(
		attribute.String("service", c.service), attribute.String("method", strings.TrimPrefix(method, "/")),
		attribute.String("outcome", outcome(err))))
}

// outcome names how a call ended by its gRPC code.
func outcome(err error) string {
	switch f, ok := fault.As(err); {
	case err == nil:
		return codes.OK.String()
	case ok:
		return wire.Of(f.Kind).Code.String()
	case unimplemented(err):
		return codes.Unimplemented.String()
	}
	return wire.Status(err, "").Code().String()
}

func (c *chain) recoverUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (resp any, err error) {
	defer func() { recovered(recover(), &err) }()
	return handle(ctx, req)
}

func (c *chain) recoverStream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	defer func() { recovered(recover(), &err) }()
	return handle(srv, ss)
}

func recovered(panicked any, err *error) {
	if panicked != nil {
		*err = fault.New(fault.Internal, "PANIC", "a handler panicked").Wrap(fmt.Errorf("%v\n%s", panicked, debug.Stack()))
	}
}
