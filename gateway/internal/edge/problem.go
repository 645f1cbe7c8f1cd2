package edge

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"go.opentelemetry.io/otel/trace"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/fault/wire"
	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// Problem is the body of every error: RFC 9457 with what a program needs to act.
type Problem struct {
	Type     string            `json:"type"`  // "urn:lockstep:reason:" and the code
	Title    string            `json:"title"` // the kind of failure, for people
	Status   int               `json:"status"`
	Detail   string            `json:"detail"`
	Code     string            `json:"code"` // reason, upper snake case
	Retry    bool              `json:"retryable"`
	Errors   []FieldProblem    `json:"errors,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Incident string            `json:"incident,omitempty"` // names an internal error in the log
	Request  string            `json:"requestId"`
	Trace    string            `json:"traceId,omitempty"`
}

// FieldProblem is one offending field.
type FieldProblem struct {
	Pointer   string `json:"pointer,omitempty"`   // of the body, a JSON pointer as URI fragment: "#/lines/2/quantity"
	Parameter string `json:"parameter,omitempty"` // of the query
	Detail    string `json:"detail"`
	Code      string `json:"code"`
}

var titles = [fault.Kinds]string{
	fault.Internal: "Internal error", fault.Invalid: "The request is not valid", fault.KeyReused: "The idempotency key was used for another request",
	fault.InProgress: "A command with this key is being worked on", fault.Stale: "The resource has changed", fault.Refused: "A rule forbids it in this state",
	fault.Conflict: "The business key is taken", fault.NotFound: "Not found", fault.Denied: "Not allowed", fault.Unauthenticated: "No valid credential",
	fault.Exhausted: "A limit is reached", fault.Unavailable: "Not available now", fault.TooLarge: "The request is too large", fault.Deadline: "There was not enough time",
}

// problem writes f; status 0 takes the one of f's kind.
func problem(w http.ResponseWriter, r *http.Request, status int, f *fault.Error) {
	row := wire.Of(f.Kind)
	if status == 0 {
		status = row.HTTP
	}
	notes := notesOf(r.Context())
	notes.reason = f.Reason
	p := Problem{
		Type: "urn:lockstep:reason:" + f.Reason, Title: titles[f.Kind], Status: status, Detail: f.Message, Code: f.Reason,
		Retry: row.Retryable, Metadata: f.Metadata, Incident: f.Metadata["incident"], Request: notes.id,
	}
	if f.Kind != fault.Internal {
		p.Incident = ""
	} else {
		p.Metadata = nil
	}
	if sc := trace.SpanContextFromContext(r.Context()); sc.HasTraceID() {
		p.Trace = sc.TraceID().String()
	}
	for _, field := range f.Fields {
		p.Errors = append(p.Errors, fieldProblem(field, r.Method))
	}
	h := w.Header()
	if row.Retryable && f.Kind != fault.Internal {
		h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(f.RetryAfter.Seconds())))))
	}
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer, ApiKey")
	}
	h.Del("ETag")
	h.Set("Content-Type", "application/problem+json")
	body, err := json.Marshal(p)
	if err != nil { // a Problem has only strings and numbers
		status, body = http.StatusInternalServerError, nil
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away needs no answer
}

// fieldProblem names a field as the client wrote it: in the body, or in the query of a
// request that has no body.
func fieldProblem(f fault.Field, method string) FieldProblem {
	out := FieldProblem{Detail: f.Description, Code: f.Reason}
	switch {
	case strings.HasPrefix(f.Path, "#"):
		out.Pointer = f.Path
	case hasBody(method):
		out.Pointer = pointer(f.Path)
	default:
		out.Parameter = camel(f.Path)
	}
	return out
}

// pointer turns a proto field path into a JSON pointer: lines[2].base_unit → #/lines/2/baseUnit.
func pointer(path string) string {
	var b strings.Builder
	b.WriteByte('#')
	for _, part := range strings.FieldsFunc(path, func(c rune) bool { return c == '.' || c == '[' || c == ']' }) {
		b.WriteByte('/')
		b.WriteString(escapePointer(camel(strings.Trim(part, `"`))))
	}
	return b.String()
}

// camel turns a proto name into its JSON name.
func camel(name string) string {
	var b strings.Builder
	up := false
	for _, c := range name {
		switch {
		case c == '_':
			up = true
		case up && 'a' <= c && c <= 'z':
			b.WriteRune(c - 'a' + 'A')
			up = false
		default:
			b.WriteRune(c)
			up = false
		}
	}
	return b.String()
}

func escapePointer(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }

// fail answers a call that failed: in the decoder, at the service, or on the way.
func (g *gate) fail(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	if b, ok := r.Body.(*body); ok && b.fault != nil {
		problem(w, r, b.status, b.fault)
		return
	}
	if md, ok := runtime.ServerMetadataFromContext(ctx); ok && len(md.HeaderMD.Get(guard.MetaReplayed)) > 0 {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	f, ok := fault.As(wire.FromStatus(err))
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(r.Context().Err(), context.DeadlineExceeded) {
		f, ok = fault.New(fault.Deadline, "DEADLINE_EXCEEDED", "the answer did not come in time; the same key decides on retry"), true
	}
	if !ok || f.Kind == fault.Internal && f.Metadata["incident"] == "" {
		id := notesOf(r.Context()).id
		g.parts.Log.ErrorContext(r.Context(), "internal error", "incident", id, "error", err)
		f = fault.New(fault.Internal, "INTERNAL", "an internal error occurred").With("incident", id)
	}
	problem(w, r, 0, f)
}
