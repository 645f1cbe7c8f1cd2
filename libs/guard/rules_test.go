package guard

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	_ "google.golang.org/protobuf/types/known/emptypb"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

// probeRules are those of the probe service as a server registers it.
func probeRules(t testing.TB) Rules {
	t.Helper()
	s := grpc.NewServer()
	probev1.RegisterProbeServiceServer(s, probev1.UnimplementedProbeServiceServer{})
	healthpb.RegisterHealthServer(s, health.NewServer())
	rules, err := RulesOf(s.GetServiceInfo())
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// TestMatrix calls every method under every role, a service and nobody.
func TestMatrix(t *testing.T) {
	c := clock.NewManual(noon)
	gateway, svc := mustKey(t, Gateway), mustKey(t, "returns")
	access := &Access{Verifier: NewVerifier(Trust(gateway.Trusted(), svc.Trusted()), c), Rules: probeRules(t)}
	allowed := map[string]string{ // who else is refused
		probev1.ProbeService_Add_FullMethodName:        "ROLE_LOGISTICS service",
		probev1.ProbeService_BatchAdd_FullMethodName:   "ROLE_LOGISTICS",
		probev1.ProbeService_GetCount_FullMethodName:   "ROLE_LOGISTICS ROLE_FINANCE service",
		probev1.ProbeService_WatchCount_FullMethodName: "ROLE_FINANCE",
		"/lockstep.probe.v1.ProbeService/Unknown":      "",
		"lockstep.probe.v1.ProbeService/Add":           "",
		"/lockstep.probe.v1.probeservice/add":          "",
		healthpb.Health_Check_FullMethodName:           "everyone",
	}
	for method, who := range allowed {
		for number, name := range commonv1.Role_name {
			caller := person()
			caller.Roles = []commonv1.Role{commonv1.Role(number)}
			check(t, access, method, name, token(t, NewIssuer(gateway, c), caller), who, fault.Denied)
		}
		check(t, access, method, "service", token(t, NewIssuer(svc, c), ServiceCaller("returns", "t1")), who, fault.Denied)
		check(t, access, method, "nobody", "", who, fault.Unauthenticated)
	}
}

func check(t *testing.T, access *Access, method, name, token, who string, otherwise fault.Kind) {
	t.Helper()
	ctx := t.Context()
	if token != "" {
		ctx = metadata.NewIncomingContext(ctx, metadata.Pairs(metaAuthorization, "Bearer "+token))
	}
	want := who == "everyone"
	for allowed := range strings.FieldsSeq(who) {
		want = want || allowed == name
	}
	ctx, err := access.Check(ctx, method)
	if want != (err == nil) || err != nil && !fault.IsKind(err, otherwise) {
		t.Errorf("%s as %s: %v", method, name, err)
	}
	if err == nil && who != "everyone" && store.CauseOf(ctx).Tenant != "t1" {
		t.Errorf("%s as %s: no tenant in the cause", method, name)
	}
}

func token(t *testing.T, i *Issuer, c Caller) string {
	t.Helper()
	s, err := i.Token(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestChangeWithoutTenantIsRefused(t *testing.T) {
	c := clock.NewManual(noon)
	svc := mustKey(t, "returns")
	access := &Access{Verifier: NewVerifier(Trust(svc.Trusted()), c), Rules: probeRules(t)}
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(metaAuthorization, "Bearer "+token(t, NewIssuer(svc, c), ServiceCaller("returns", ""))))
	if _, err := access.Check(ctx, probev1.ProbeService_Add_FullMethodName); !fault.IsKind(err, fault.Denied) {
		t.Errorf("a change: %v", err)
	}
	if _, err := access.Check(ctx, probev1.ProbeService_GetCount_FullMethodName); err != nil {
		t.Errorf("a query: %v", err)
	}
}

func TestTwoTokensAreNone(t *testing.T) {
	access := &Access{Rules: probeRules(t)}
	for _, md := range []metadata.MD{{}, metadata.Pairs(metaAuthorization, "Basic x"), metadata.Pairs(metaAuthorization, "Bearer a", metaAuthorization, "Bearer b")} {
		ctx := metadata.NewIncomingContext(context.Background(), md)
		if _, err := access.Check(ctx, probev1.ProbeService_Add_FullMethodName); !fault.IsKind(err, fault.Unauthenticated) {
			t.Errorf("%v: %v", md, err)
		}
	}
}

// TestMethodsWithoutRuleKeepTheServerFromStarting builds methods that are wrong.
func TestMethodsWithoutRuleKeepTheServerFromStarting(t *testing.T) {
	for name, tc := range map[string]struct {
		access *commonv1.Access
		stream bool
		want   string
	}{
		"none":               {nil, false, "no (lockstep.common.v1.access) option"},
		"nobody":             {&commonv1.Access{Mutation: true}, false, "lets nobody in"},
		"unspecified":        {&commonv1.Access{Roles: []commonv1.Role{0}}, false, "ROLE_UNSPECIFIED"},
		"mutation on stream": {&commonv1.Access{Services: true, Mutation: true}, true, "cannot be a stream"},
		"good":               {&commonv1.Access{Services: true, Mutation: true}, false, ""},
	} {
		_, err := ruleOf(method(t, tc.access, tc.stream))
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := RulesOf(map[string]grpc.ServiceInfo{"no.Such": {}})
	if err == nil {
		t.Error("a service without a descriptor is served")
	}
}

// method makes a method descriptor with an access option.
func method(t *testing.T, access *commonv1.Access, stream bool) protoreflect.MethodDescriptor {
	t.Helper()
	opts := &descriptorpb.MethodOptions{}
	if access != nil {
		proto.SetExtension(opts, commonv1.E_Access, access)
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("made_up.proto"), Package: proto.String("made.up"), Syntax: proto.String("proto3"),
		Dependency: []string{"google/protobuf/empty.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("S"), Method: []*descriptorpb.MethodDescriptorProto{{
			Name: proto.String("M"), InputType: proto.String(".google.protobuf.Empty"), OutputType: proto.String(".google.protobuf.Empty"),
			ClientStreaming: proto.Bool(stream), Options: opts,
		}}}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return file.Services().Get(0).Methods().Get(0)
}
