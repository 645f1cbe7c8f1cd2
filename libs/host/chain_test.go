package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

func TestOrderOfSteps(t *testing.T) {
	c := &chain{access: &guard.Access{}, limit: guard.NewLimit(1), once: &guard.Idempotency{}}
	var unary, stream []string
	for _, s := range c.steps() {
		unary = append(unary, s.name)
		if s.stream != nil {
			stream = append(stream, s.name)
		}
		if s.unary == nil || s.why == "" {
			t.Errorf("%s has no interceptor or no reason", s.name)
		}
	}
	if want := strings.Fields("mask request-id log metrics recover deadline access limit validate idempotency"); !slices.Equal(unary, want) {
		t.Errorf("unary: %v", unary)
	}
	if want := strings.Fields("mask request-id log metrics recover access validate"); !slices.Equal(stream, want) {
		t.Errorf("stream: %v", stream)
	}
}

func TestWhatLeavesIsMasked(t *testing.T) {
	var log strings.Builder
	p := newProbe()
	h, err := Start(t.Context(), "test", quick(), Parts{Log: &lockedWriter{w: &log}}, p.unit("probe"))
	if err != nil {
		t.Fatal(err)
	}
	for mood, want := range map[string]struct {
		kind   fault.Kind
		reason string
	}{
		"panic":       {fault.Internal, "INTERNAL"},
		"fail":        {fault.Internal, "INTERNAL"},
		"refuse":      {fault.Refused, "COUNTER_ON_HOLD"},
		"unavailable": {fault.Unavailable, "GONE"},
	} {
		_, err := client(h).Add(as(t, "key-"+mood), &probev1.AddRequest{CounterId: "c", Mood: mood})
		f, ok := fault.As(err)
		if !ok || f.Kind != want.kind || f.Reason != want.reason || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", mood, err)
			continue
		}
		incident := f.Metadata["incident"]
		if (incident != "") != (want.kind == fault.Internal) {
			t.Errorf("%s: incident %q", mood, incident)
		}
	}
	_, err = recv(client(h).WatchCount(as(t, ""), &probev1.WatchCountRequest{CounterId: "panic", Times: 1}))
	if !fault.IsKind(err, fault.Internal) || strings.Contains(err.Error(), "canary") {
		t.Errorf("stream: %v", err)
	}
	if err := h.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, whole := range []string{"canary in a panic", "canary: mongo E11000", "canary in a stream", "incident", `"outcome":"FailedPrecondition"`} {
		if !strings.Contains(log.String(), whole) {
			t.Errorf("the log lacks %q", whole)
		}
	}
}

func recv(s grpc.ServerStreamingClient[probev1.WatchCountResponse], err error) (n int, _ error) {
	for err == nil {
		if _, err = s.Recv(); err == nil {
			n++
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func TestOnlyValidRequestsOfKnownCallersArrive(t *testing.T) {
	p := newProbe()
	h := startHost(t, quick(), p.unit("probe"))
	big := strings.Repeat("x", messageMax)
	for name, tc := range map[string]struct {
		ctx  context.Context
		req  *probev1.AddRequest
		kind fault.Kind
	}{
		"invalid":         {as(t, "key-of-mine"), &probev1.AddRequest{CounterId: "", Amount: 1001}, fault.Invalid},
		"too large":       {as(t, "key-of-mine"), &probev1.AddRequest{CounterId: "c", Padding: big}, fault.TooLarge},
		"far too large":   {as(t, "key-of-mine"), &probev1.AddRequest{CounterId: "c", Padding: strings.Repeat(big, 9)}, fault.TooLarge},
		"no key":          {as(t, ""), &probev1.AddRequest{CounterId: "c"}, fault.Invalid},
		"not the tenant":  {guard.WithCaller(as(t, "key-of-mine"), guard.Caller{Tenant: "t1", Principal: "bob"}), &probev1.AddRequest{CounterId: "c"}, fault.Denied},
		"invalid of none": {guard.WithCaller(as(t, "key-of-mine"), guard.Caller{Tenant: "t1", Principal: "bob"}), &probev1.AddRequest{}, fault.Denied},
	} {
		_, err := client(h).Add(tc.ctx, tc.req)
		if !fault.IsKind(err, tc.kind) {
			t.Errorf("%s: %v", name, err)
		}
		if f, _ := fault.As(err); name == "invalid" && (len(f.Fields) != 2 || f.Fields[0].Path != "counter_id" || f.Fields[0].Reason != "STRING_MIN_LEN") {
			t.Errorf("fields: %+v", f.Fields)
		}
	}
	if _, err := recv(client(h).WatchCount(as(t, ""), &probev1.WatchCountRequest{CounterId: "c", Times: 11})); !fault.IsKind(err, fault.Invalid) {
		t.Errorf("stream: %v", err)
	}
	if n := p.calls.Load(); n != 0 {
		t.Fatalf("%d calls arrived", n)
	}
	batch := &probev1.BatchAddRequest{Items: []*probev1.AddRequest{{CounterId: "c", Padding: big}}}
	if _, err := client(h).BatchAdd(as(t, "key-of-mine"), batch); err == nil || fault.IsKind(err, fault.TooLarge, fault.Invalid) {
		t.Errorf("a batch of 1 MiB: %v", err)
	}
	if n, err := recv(client(h).WatchCount(as(t, ""), &probev1.WatchCountRequest{CounterId: "c", Times: 3})); n != 3 || err != nil {
		t.Errorf("a good stream: %d, %v", n, err)
	}
}

func TestContextOfAHandler(t *testing.T) {
	p := newProbe()
	h := startHost(t, quick(), p.unit("probe"))
	var header metadata.MD
	ctx := metadata.AppendToOutgoingContext(as(t, "key-of-mine"), guard.MetaRequestID, "request-77")
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if _, err := client(h).Add(ctx, &probev1.AddRequest{CounterId: "c", ValidateOnly: true}, grpc.Header(&header)); err != nil {
		t.Fatal(err)
	}
	got, _ := p.seen.Load("ctx")
	inner := got.(context.Context)
	cause := store.CauseOf(inner)
	caller, _ := guard.CallerOf(inner)
	if cause.Tenant != "t1" || cause.Principal != "ada" || cause.Key != "key-of-mine" || cause.Correlation != "request-77" || !cause.Validate || cause.TraceParent == "" || caller.Principal != "ada" {
		t.Errorf("cause %+v, caller %+v", cause, caller)
	}
	testkit.Eventually(t, time.Minute, func() error { // the way there takes of what is kept back
		outer, _ := ctx.Deadline()
		if at, ok := inner.Deadline(); ok && outer.Sub(at) >= headroom/2 {
			return nil
		}
		ctx, cancel = context.WithTimeout(as(t, "key-of-mine"), 20*time.Second)
		t.Cleanup(cancel)
		if _, err := client(h).Add(ctx, &probev1.AddRequest{CounterId: "c", ValidateOnly: true}); err != nil {
			return err
		}
		got, _ := p.seen.Load("ctx")
		inner = got.(context.Context)
		return errors.New("the handler has as long as its caller: nothing is kept back")
	})
	if id := header.Get(guard.MetaRequestID); len(id) != 1 || id[0] != "request-77" {
		t.Errorf("request id came back as %v", id)
	}
}

func TestCallsEndInTime(t *testing.T) {
	cfg := quick()
	cfg.Limits.Deadline = 300 * time.Millisecond
	p := newProbe()
	h := startHost(t, cfg, p.unit("probe"))
	testkit.Eventually(t, time.Minute, func() error { // nobody lets it go on; a busy machine may be later than the caller is patient
		_, err := client(h).Add(as(t, "key-of-mine"), &probev1.AddRequest{CounterId: "c", Mood: "wait"})
		if f, _ := fault.As(err); f == nil || f.Reason != "DEADLINE_EXCEEDED" {
			return fmt.Errorf("the service did not tell itself: %w", err)
		}
		return nil
	})
	before := p.calls.Load()
	ctx, cancel := context.WithTimeout(as(t, "key-of-other"), 60*time.Millisecond)
	defer cancel()
	if _, err := client(h).Add(ctx, &probev1.AddRequest{CounterId: "c"}); !fault.IsKind(err, fault.Deadline, fault.Unavailable) {
		t.Errorf("too little time: %v", err)
	}
	if n := p.calls.Load() - before; n != 0 {
		t.Errorf("%d calls arrived", n)
	}
}

func TestProbesOfTheClusterNeedNoToken(t *testing.T) {
	p := newProbe()
	h := startHost(t, quick(), p.unit("probe"))
	conn, err := grpc.NewClient("passthrough:///probe", grpc.WithTransportCredentials(h.certs.client()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (netConn, error) { return h.wires.memory["probe"].DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
		t.Errorf("health: %v", err)
	}
	if _, err := probev1.NewProbeServiceClient(conn).GetCount(t.Context(), &probev1.GetCountRequest{CounterId: "c"}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a query: %v", err)
	}
	if err := conn.Invoke(t.Context(), "/lockstep.probe.v1.ProbeService/Nothing", &probev1.AddRequest{}, &probev1.AddResponse{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("an unknown method: %v", err)
	}
	for _, path := range []string{"lockstep.probe.v1.ProbeService/Add", "//lockstep.probe.v1.ProbeService/Add", "/lockstep.probe.v1.ProbeService/Add."} {
		if err := conn.Invoke(t.Context(), path, &probev1.AddRequest{}, &probev1.AddResponse{}); err == nil || p.calls.Load() != 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestQueriesAreTriedAgainChangesAreNot(t *testing.T) {
	p := newProbe()
	h := startHost(t, quick(), p.unit("probe"))
	if _, err := client(h).GetCount(as(t, ""), &probev1.GetCountRequest{CounterId: "flaky"}); err != nil || p.calls.Load() != 3 {
		t.Errorf("a query: %v after %d calls", err, p.calls.Load())
	}
	p.calls.Store(0)
	if _, err := client(h).Add(as(t, "key-of-mine"), &probev1.AddRequest{CounterId: "c", Mood: "unavailable"}); err == nil || p.calls.Load() != 1 {
		t.Errorf("a change: %v after %d calls", err, p.calls.Load())
	}
}

func TestServicesCallEachOtherUnderTheirOwnName(t *testing.T) {
	a, b := newProbe(), newProbe()
	startHost(t, quick(), a.unit("alpha"), b.unit("beta"))
	ctx := guard.Derived(guard.WithCaller(t.Context(), guard.ServiceCaller("alpha", "")), "t7", "due:counter:1", time.Now())
	if _, err := probev1.NewProbeServiceClient(a.deps.Dial("beta")).Add(ctx, &probev1.AddRequest{CounterId: "c"}); err != nil {
		t.Fatal(err)
	}
	got, _ := b.seen.Load("ctx")
	if cause := store.CauseOf(got.(context.Context)); cause.Principal != "service:alpha" || cause.Tenant != "t7" || cause.Key != "due:counter:1" || !cause.Derived {
		t.Errorf("%+v", cause)
	}
	if _, err := probev1.NewProbeServiceClient(a.deps.Dial("gamma")).GetCount(ctx, &probev1.GetCountRequest{CounterId: "c"}); err == nil || !strings.Contains(err.Error(), "services.gamma") {
		t.Errorf("a service without an address: %v", err)
	}
}
