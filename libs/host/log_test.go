package host

import (
	"encoding/json"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

func TestLinesCarryWhatTheContextKnows(t *testing.T) {
	var out strings.Builder
	log := newLog(Log{Level: "info", Format: "json"}, &out).With("service", "probe")
	id, _ := trace.TraceIDFromHex("0af7651916cd43dd8448eb211c80319c")
	span, _ := trace.SpanIDFromHex("b7ad6b7169203331")
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span}))
	ctx = store.WithCause(ctx, store.Cause{Tenant: "t1", Principal: "ada", Correlation: "corr"})
	log.DebugContext(ctx, "not shown")
	log.InfoContext(ctx, "shown\nwith a forged line", "order_id", "ord_1")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 1 {
		t.Fatalf("%d lines: %s", len(lines), out.String())
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"service": "probe", "order_id": "ord_1", "tenant": "t1", "principal": "ada", "correlation": "corr",
		"trace_id": id.String(), "span_id": span.String(), "level": "INFO",
	} {
		if got[key] != want {
			t.Errorf("%s is %v, want %s", key, got[key], want)
		}
	}
}

func TestOnlyIdentifiersOfABodyAreLogged(t *testing.T) {
	ids := businessIDs(&probev1.AddRequest{CounterId: "cnt_1", Padding: "private", Mood: "secret"},
		&probev1.AddResponse{Receipt: &commonv1.Receipt{Id: "ord_1"}})
	if len(ids) != 2 || ids[0].Value.String() != "cnt_1" || ids[1].Value.String() != "ord_1" {
		t.Fatalf("%v", ids)
	}
}
