package guard

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

// across carries a context over a call, through client and server interceptors.
func across(t *testing.T, ctx context.Context, owner string, method string) store.Cause {
	t.Helper()
	c := clock.NewManual(noon)
	key := mustKey(t, owner)
	client := &Client{Issuer: NewIssuer(key, c)}
	access := &Access{Verifier: NewVerifier(Trust(key.Trusted()), c), Rules: probeRules(t)}
	once := &Idempotency{Rules: access.Rules}
	var got store.Cause
	err := client.Unary(ctx, method, &probev1.AddRequest{}, nil, nil, func(ctx context.Context, _ string, req, _ any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
		md, _ := metadata.FromOutgoingContext(ctx)
		_, err := access.Unary(metadata.NewIncomingContext(t.Context(), md), req, &grpc.UnaryServerInfo{FullMethod: method}, func(ctx context.Context, req any) (any, error) {
			return once.Unary(ctx, req, &grpc.UnaryServerInfo{FullMethod: method}, func(ctx context.Context, _ any) (any, error) {
				got = store.CauseOf(ctx)
				return &probev1.AddResponse{}, nil
			})
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestReactionCarriesItsCause(t *testing.T) {
	in := store.Cause{
		Tenant: "t1", Principal: "service:order-release", Key: "evt:ord_1:3:0:handler", Derived: true, KeyTime: noon.Add(7 * time.Microsecond),
		Correlation: "corr-1", Causation: "ord_1:3:0",
		Source: ident.SourceRef{System: "erp", MessageID: "m", EventTime: noon, Offset: 60, Zone: "Europe/Berlin", Sequence: 4},
	}
	got := across(t, store.WithCause(t.Context(), in), "order-release", probev1.ProbeService_Add_FullMethodName)
	if got.Tenant != in.Tenant || got.Principal != in.Principal || got.Key != in.Key || !got.Derived || !got.KeyTime.Equal(in.KeyTime) ||
		got.Correlation != in.Correlation || got.Causation != in.Causation || got.Source != in.Source || got.Fingerprint != nil {
		t.Fatalf("sent %+v\ngot  %+v", in, got)
	}
}

func TestClientsKeyIsOnesOwnForEachCallerAndMethod(t *testing.T) {
	key := func(principal, method string) string {
		in := store.Cause{Tenant: "t1", Principal: principal, Key: "key-of-mine", Fingerprint: []byte("x")}
		got := across(t, store.WithCause(t.Context(), in), "order-release", method)
		if got.Derived || len(got.Fingerprint) == 0 {
			t.Fatalf("%+v is no client's key", got)
		}
		return got.Key
	}
	ada := key("ada", probev1.ProbeService_Add_FullMethodName)
	if ada == "key-of-mine" || ada != key("ada", probev1.ProbeService_Add_FullMethodName) || ada == key("bob", probev1.ProbeService_Add_FullMethodName) {
		t.Fatal("keys of two callers meet, or a retry has another key")
	}
}

func TestClientsCannotForgeACause(t *testing.T) {
	ctx := WithCaller(t.Context(), person())
	ctx = metadata.NewOutgoingContext(ctx, metadata.Pairs(
		MetaKey, "key-of-mine", metaDerived, "1", metaCorrelation, "forged", metaCausation, "forged", metaSource, "forged", MetaRequestID, "request-1"))
	got := across(t, ctx, Gateway, probev1.ProbeService_Add_FullMethodName)
	if got.Derived || got.Correlation != "request-1" || got.Causation != "" || got.Source.System != "" || got.Principal != "ada" || len(got.Fingerprint) == 0 {
		t.Fatalf("%+v", got)
	}
}

func TestDerivedCommandOfATimer(t *testing.T) {
	ctx := WithCaller(t.Context(), ServiceCaller("order-release", ""))
	got := store.CauseOf(Derived(ctx, "t1", "due:ord_1:1", noon))
	if got.Tenant != "t1" || got.Key != "due:ord_1:1" || !got.Derived || !got.KeyTime.Equal(noon) || got.Principal != "service:order-release" {
		t.Fatalf("%+v", got)
	}
}
