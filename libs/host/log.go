package host

import (
	"context"
	"io"
	"log/slog"
	"os"

	"go.opentelemetry.io/otel/trace"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

func level(name string) (slog.Level, error) {
	var l slog.Level
	err := l.UnmarshalText([]byte(name))
	return l, err
}

// newLog returns a logger that writes JSON, or text for a person at a terminal, and
// adds to every line what the context knows: trace, tenant, caller, business transaction.
func newLog(c Log, w io.Writer, also ...slog.Handler) *slog.Logger {
	l, err := level(c.Level)
	if err != nil {
		l = slog.LevelInfo // Validate has refused it before
	}
	opts := &slog.HandlerOptions{Level: l}
	var out slog.Handler = slog.NewJSONHandler(w, opts)
	if c.Format == "text" || c.Format == "auto" && terminal(w) {
		out = slog.NewTextHandler(w, opts)
	}
	if len(also) > 0 {
		out = slog.NewMultiHandler(append([]slog.Handler{out}, also...)...)
	}
	return slog.New(&contextHandler{out})
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// contextHandler adds the identifiers that the context carries.
type contextHandler struct{ slog.Handler }

func (h *contextHandler) Handle(ctx context.Context, r slog.Record) error {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		r.AddAttrs(slog.String("trace_id", sc.TraceID().String()), slog.String("span_id", sc.SpanID().String()))
	}
	if c := store.CauseOf(ctx); c.Tenant != "" {
		r.AddAttrs(slog.String("tenant", c.Tenant), slog.String("principal", c.Principal), slog.String("correlation", c.Correlation))
	} else if c, ok := guard.CallerOf(ctx); ok {
		r.AddAttrs(slog.String("tenant", c.Tenant), slog.String("principal", c.Principal))
	}
	return h.Handler.Handle(ctx, r)
}

func (h *contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &contextHandler{h.Handler.WithAttrs(attrs)}
}

func (h *contextHandler) WithGroup(name string) slog.Handler {
	return &contextHandler{h.Handler.WithGroup(name)}
}
