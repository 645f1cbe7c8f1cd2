package guard

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// Rule says who may call a method and what it takes and gives.
type Rule struct {
	Access  *commonv1.Access
	Request protoreflect.MessageType
	Reply   protoreflect.MessageType
	Stream  bool // one side or both send several messages
}

// Rules are the access rules of a server's methods, by full method ("/package.Service/Method").
// A method that is not in it may be called by nobody.
type Rules map[string]Rule

// RulesOf reads the (lockstep.common.v1.access) option of every method that a server
// has registered. A method without one, or with one that lets nobody in, is an error:
// the server must not start.
func RulesOf(services map[string]grpc.ServiceInfo) (Rules, error) {
	rules := Rules{}
	var errs []error
	for service, info := range services {
		if service == healthpb.Health_ServiceDesc.ServiceName {
			continue // answers without a token, see open
		}
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
		desc, ok := found.(protoreflect.ServiceDescriptor)
		if err != nil || !ok {
			errs = append(errs, fmt.Errorf("service %s has no descriptor", service))
			continue
		}
		for _, m := range info.Methods {
			rule, err := ruleOf(desc.Methods().ByName(protoreflect.Name(m.Name)))
			if err != nil {
				errs = append(errs, fmt.Errorf("%s/%s: %w", service, m.Name, err))
				continue
			}
			rules["/"+service+"/"+m.Name] = rule
		}
	}
	return rules, errors.Join(errs...)
}

// AccessOf returns the access option of a method, nil when it has none.
func AccessOf(m protoreflect.MethodDescriptor) *commonv1.Access {
	if !proto.HasExtension(m.Options(), commonv1.E_Access) {
		return nil
	}
	return proto.GetExtension(m.Options(), commonv1.E_Access).(*commonv1.Access)
}

func ruleOf(m protoreflect.MethodDescriptor) (Rule, error) {
	if m == nil {
		return Rule{}, errors.New("the descriptor does not know the method")
	}
	access := AccessOf(m)
	switch {
	case access == nil:
		return Rule{}, errors.New("no (lockstep.common.v1.access) option")
	case len(access.Roles) == 0 && !access.Services:
		return Rule{}, errors.New("its access option lets nobody in")
	case slices.Contains(access.Roles, commonv1.Role_ROLE_UNSPECIFIED):
		return Rule{}, errors.New("its access option names ROLE_UNSPECIFIED")
	case access.Mutation && (m.IsStreamingClient() || m.IsStreamingServer()):
		return Rule{}, errors.New("a mutation has one request and one answer, it cannot be a stream")
	}
	request, err := protoregistry.GlobalTypes.FindMessageByName(m.Input().FullName())
	if err != nil {
		return Rule{}, err
	}
	reply, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
	return Rule{access, request, reply, m.IsStreamingClient() || m.IsStreamingServer()}, err
}

// allows reports whether the rule lets the caller in.
func (r Rule) allows(c Caller) bool {
	if c.Service != "" {
		return r.Access.Services
	}
	return c.Has(r.Access.Roles...)
}

// open lists what answers without a token: the probes of the cluster.
var open = map[string]bool{
	healthpb.Health_Check_FullMethodName: true,
	healthpb.Health_List_FullMethodName:  true,
	healthpb.Health_Watch_FullMethodName: true,
}
