package host

import (
	"context"
	"regexp"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// aboutResource tells the balancer the resource that a call is about: by the first variable in
// the path of the method's HTTP rule, as in /v1/orders/{order_id}:release.
func aboutResource() grpc.UnaryClientInterceptor {
	var fields sync.Map // method → name of the field, "" for none
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		name, ok := fields.Load(method)
		if !ok {
			name = resourceField(method)
			fields.Store(method, name)
		}
		if m, ok := req.(proto.Message); ok && name != protoreflect.Name("") {
			if f := m.ProtoReflect().Descriptor().Fields().ByName(name.(protoreflect.Name)); f != nil && f.Kind() == protoreflect.StringKind {
				ctx = context.WithValue(ctx, resourceKey{}, m.ProtoReflect().Get(f).String())
			}
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}
}

var pathVariable = regexp.MustCompile(`\{([a-z0-9_]+)\}`)

// resourceField is the field of a method's request that names its resource.
func resourceField(method string) protoreflect.Name {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(method, "/"), "/", ".")))
	if err != nil {
		return ""
	}
	rule, _ := proto.GetExtension(found.Options(), annotations.E_Http).(*annotations.HttpRule)
	for _, path := range []string{rule.GetGet(), rule.GetPost(), rule.GetPut(), rule.GetPatch(), rule.GetDelete()} {
		if v := pathVariable.FindStringSubmatch(path); v != nil {
			return protoreflect.Name(v[1])
		}
	}
	return ""
}
