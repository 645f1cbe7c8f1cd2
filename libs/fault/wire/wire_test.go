package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/fault/wire"
)

var equal = cmpopts.IgnoreUnexported(fault.Error{})

// TestTable is the contract with every client, one line a kind.
func TestTable(t *testing.T) {
	tests := []struct {
		kind      fault.Kind
		name      string
		code      codes.Code
		http      int
		retryable bool
	}{
		{fault.Internal, "internal", codes.Internal, 500, true},
		{fault.Invalid, "invalid", codes.InvalidArgument, 400, false},
		{fault.KeyReused, "key_reused", codes.InvalidArgument, 422, false},
		{fault.InProgress, "in_progress", codes.Aborted, 409, true},
		{fault.Stale, "stale", codes.Aborted, 412, false},
		{fault.Refused, "refused", codes.FailedPrecondition, 409, false},
		{fault.Conflict, "conflict", codes.AlreadyExists, 409, false},
		{fault.NotFound, "not_found", codes.NotFound, 404, false},
		{fault.Denied, "denied", codes.PermissionDenied, 403, false},
		{fault.Unauthenticated, "unauthenticated", codes.Unauthenticated, 401, false},
		{fault.Exhausted, "exhausted", codes.ResourceExhausted, 429, true},
		{fault.Unavailable, "unavailable", codes.Unavailable, 503, true},
		{fault.TooLarge, "too_large", codes.InvalidArgument, 413, false},
		{fault.Deadline, "deadline", codes.DeadlineExceeded, 504, true},
	}
	if len(tests) != fault.Kinds {
		t.Fatalf("%d kinds are tested, there are %d", len(tests), fault.Kinds)
	}
	for i, tt := range tests {
		if tt.kind != fault.Kind(i) || tt.kind.String() != tt.name {
			t.Errorf("kind %d is %s, tested as %s", i, fault.Kind(i), tt.name)
		}
		if got := wire.Of(tt.kind); got != (wire.Row{Code: tt.code, HTTP: tt.http, Retryable: tt.retryable}) {
			t.Errorf("%s is %+v", tt.kind, got)
		}
		if fault.Transient(fault.New(tt.kind, "X", "")) != tt.retryable {
			t.Errorf("%s: fault.Transient and the table disagree", tt.kind)
		}
		st := wire.Status(fault.New(tt.kind, "SOME_REASON", "text"), "order-release")
		if st.Code() != tt.code {
			t.Errorf("%s leaves as %s", tt.kind, st.Code())
		}
		if back := fault.KindOf(wire.FromStatus(st.Err())); back != tt.kind {
			t.Errorf("%s comes back as %s", tt.kind, back)
		}
	}
	if beyond := wire.Of(fault.Kind(fault.Kinds)); beyond != wire.Of(fault.Internal) {
		t.Errorf("an unknown kind is %+v", beyond)
	}
}

func TestStatus(t *testing.T) {
	err := fault.New(fault.Invalid, "ORDER_INVALID", "order %d", 7).With("order", "7").
		WithField("lines[2].quantity", "QUANTITY_INEXACT", "no case holds half a piece").After(1500 * time.Millisecond).Wrap(errors.New("secret"))
	st := wire.Status(fmt.Errorf("adapter: %w", err), "order-release")
	if st.Code() != codes.InvalidArgument || st.Message() != "order 7" || strings.Contains(st.Proto().String(), "secret") {
		t.Errorf("status %v", st)
	}
	info := st.Details()[0].(*errdetails.ErrorInfo)
	if info.Reason != "ORDER_INVALID" || info.Domain != "lockstep/order-release" || info.Metadata["order"] != "7" {
		t.Errorf("info %v", info)
	}
	field := st.Details()[1].(*errdetails.BadRequest).FieldViolations[0]
	if field.Field != "lines[2].quantity" || field.Reason != "QUANTITY_INEXACT" || field.Description == "" {
		t.Errorf("field %v", field)
	}
	if d := st.Details()[2].(*errdetails.RetryInfo).RetryDelay.AsDuration(); d != 1500*time.Millisecond {
		t.Errorf("retry after %s", d)
	}
	if st := wire.Status(nil, "x"); st.Code() != codes.OK || wire.FromStatus(nil) != nil {
		t.Errorf("no error is %v", st)
	}
}

func TestInternalIsMasked(t *testing.T) {
	for name, err := range map[string]error{
		"plain":         errors.New("E11000 duplicate key in orders"),
		"fault":         fault.New(fault.Internal, "FOLD_BROKEN", "E11000").With("where", "E11000").WithField("E11000", "E11000", "E11000"),
		"unknown kind":  fault.New(fault.Kind(200), "E11000", "E11000"),
		"driver status": status.Error(codes.Unknown, "E11000"),
	} {
		st := wire.Status(err, "order-release")
		id := wire.Incident(st)
		if st.Code() != codes.Internal || id == "" || strings.Contains(st.Proto().String(), "E11000") {
			t.Errorf("%s: %v", name, st)
		}
		if again := wire.Incident(wire.Status(err, "order-release")); again == id {
			t.Errorf("%s: two incidents share the id %s", name, id)
		}
		// The next service up answers with the same incident.
		if passed := wire.Status(wire.FromStatus(st.Err()), "gateway"); wire.Incident(passed) != id {
			t.Errorf("%s: incident %s became %s", name, id, wire.Incident(passed))
		}
	}
	if id := wire.Incident(wire.Status(fault.New(fault.NotFound, "X", "").With("incident", "1"), "x")); id != "" {
		t.Errorf("a fault that is not internal has incident %s", id)
	}
}

// TestRoundTrip: what one service answers, its caller sees.
func TestRoundTrip(t *testing.T) {
	text := rapid.String()
	rapid.Check(t, func(t *rapid.T) {
		f := fault.New(fault.Kind(rapid.IntRange(1, fault.Kinds-1).Draw(t, "kind")), rapid.StringMatching(`[A-Z][A-Z_]{1,30}`).Draw(t, "reason"), "%s", text.Draw(t, "message"))
		for i, v := range rapid.SliceOfN(text, 0, 3).Draw(t, "metadata") {
			f = f.With(fmt.Sprintf("key_%d", i), v)
		}
		for i, v := range rapid.SliceOfN(text, 0, 3).Draw(t, "fields") {
			f = f.WithField(fmt.Sprintf("lines[%d]", i), "FIELD_BAD", "%s", v)
		}
		f = f.After(time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "retry")))
		back := wire.FromStatus(wire.Status(f, "order-release").Err())
		if diff := cmp.Diff(f, back, equal); diff != "" {
			t.Fatal(diff)
		}
	})
	broken := fault.New(fault.Refused, "", "no \xff text").With("k", "\xff")
	f, ok := fault.As(wire.FromStatus(wire.Status(broken, "x").Err()))
	if !ok || f.Kind != fault.Refused || f.Message != "no \uFFFD text" || f.Metadata["k"] != "\uFFFD" || f.Reason == "" {
		t.Errorf("bytes that are no text: %v", f)
	}
}

func TestForeignErrors(t *testing.T) {
	other, err := status.New(codes.Aborted, "busy").WithDetails(&errdetails.ErrorInfo{Reason: "TXN", Domain: "elsewhere.example"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		in     error
		kind   fault.Kind
		reason string
	}{
		{status.Error(codes.Unavailable, "dial tcp 10.0.0.7:443"), fault.Unavailable, "UNAVAILABLE"},
		{status.Error(codes.DeadlineExceeded, "context deadline exceeded"), fault.Unavailable, "UNAVAILABLE"},
		{status.Error(codes.Canceled, "context canceled"), fault.Unavailable, "UNAVAILABLE"},
		{status.Error(codes.Unimplemented, "unknown method X"), fault.Unavailable, "UNAVAILABLE"},
		{context.DeadlineExceeded, fault.Unavailable, "UNAVAILABLE"},
		{fmt.Errorf("call: %w", context.Canceled), fault.Unavailable, "UNAVAILABLE"},
		{status.Error(codes.Internal, "stream 7"), fault.Internal, "INTERNAL"},
		{status.Error(codes.Unknown, "panic"), fault.Internal, "INTERNAL"},
		{status.Error(codes.DataLoss, ""), fault.Internal, "INTERNAL"},
		{status.Error(codes.ResourceExhausted, "grpc: received message larger than max (9 vs. 8)"), fault.TooLarge, "MESSAGE_TOO_LARGE"},
		{status.Error(codes.ResourceExhausted, "slow down"), fault.Exhausted, "EXHAUSTED"},
		{status.Error(codes.InvalidArgument, "syntax error"), fault.Invalid, "INVALID"},
		{status.Error(codes.OutOfRange, ""), fault.Invalid, "INVALID"},
		{status.Error(codes.NotFound, ""), fault.NotFound, "NOT_FOUND"},
		{status.Error(codes.PermissionDenied, ""), fault.Denied, "DENIED"},
		{status.Error(codes.Unauthenticated, ""), fault.Unauthenticated, "UNAUTHENTICATED"},
		{status.Error(codes.FailedPrecondition, ""), fault.Refused, "REFUSED"},
		{status.Error(codes.AlreadyExists, ""), fault.Conflict, "CONFLICT"},
		{status.Error(codes.Code(99), ""), fault.Internal, "INTERNAL"},
		{other.Err(), fault.InProgress, "IN_PROGRESS"},
	}
	for _, tt := range tests {
		f, ok := fault.As(wire.FromStatus(tt.in))
		if !ok || f.Kind != tt.kind || f.Reason != tt.reason {
			t.Errorf("%v arrives as %v", tt.in, f)
		}
		if ok && !errors.Is(f, tt.in) {
			t.Errorf("%v: the log loses the cause", tt.in)
		}
		if strings.Contains(f.Message, "10.0.0.7") || strings.Contains(f.Message, "panic") {
			t.Errorf("%v: %q shows the inside", tt.in, f.Message)
		}
	}
	if plain := errors.New("plain"); !errors.Is(wire.FromStatus(plain), plain) {
		t.Error("an error that is no status was changed")
	}
	if f := fault.New(fault.Refused, "X", ""); !errors.Is(wire.FromStatus(f), f) {
		t.Error("a fault was changed")
	}
	if st := wire.Status(context.DeadlineExceeded, "x"); st.Code() != codes.DeadlineExceeded {
		t.Errorf("a handler out of time answers %v", st)
	}
}

// answers is a gRPC server that fails every call with err.
type answers struct {
	health.UnimplementedHealthServer
	err error
}

func (a answers) Check(context.Context, *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	return nil, wire.Status(a.err, "inventory-movement").Err()
}

// TestOverGRPC sends a fault through a real client and server, then loses the server.
func TestOverGRPC(t *testing.T) {
	want := fault.New(fault.Stale, "VERSION_STALE", "version 8 is newer").With("etag", "8").After(time.Second)
	listener := bufconn.Listen(1 << 16)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(1 << 12))
	health.RegisterHealthServer(server, answers{err: want})
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///test", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	call := func(service string) error {
		_, err := health.NewHealthClient(conn).Check(t.Context(), &health.HealthCheckRequest{Service: service})
		return wire.FromStatus(err)
	}
	if diff := cmp.Diff(error(want), call(""), equal); diff != "" {
		t.Error(diff)
	}
	if err := call(strings.Repeat("x", 1<<13)); !fault.IsKind(err, fault.TooLarge) {
		t.Errorf("a message over the limit gives %v", err)
	}
	server.Stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := call(""); !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("a stopped server gives %v", err)
	}
}
