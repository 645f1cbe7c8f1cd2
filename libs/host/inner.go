package host

import (
	"context"
	"errors"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// The inner steps: deadline, access, validate. The guard package brings limit and idempotency.

const stringKind = protoreflect.StringKind

// receipted is an answer that carries a receipt, as that of every mutation does.
type receipted interface{ GetReceipt() *commonv1.Receipt }

const (
	messageMax = 1 << 20 // bytes of a request
	batchMax   = 8 << 20 // bytes of a request of a method named Batch…
	headroom   = 20 * time.Millisecond
)

// deadlineUnary bounds the call by its caller's deadline, ours, and 30 seconds, and
// keeps back a slice, so that we tell of a late answer before the caller gives up on us.
func (c *chain) deadlineUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	limit := c.deadline
	if at, ok := ctx.Deadline(); ok {
		limit = min(time.Until(at)-headroom, maxDeadline)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return handle(ctx, req)
}

func (c *chain) accessUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	ctx, err := c.letIn(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handle(ctx, req)
}

func (c *chain) accessStream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, err := c.letIn(ss.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return handle(srv, guard.WithContext(ctx, ss))
}

func (c *chain) letIn(ctx context.Context, method string) (context.Context, error) {
	ctx, err := c.access.Check(ctx, method)
	if err != nil {
		return nil, err
	}
	callOf(ctx).caller, _ = guard.CallerOf(ctx)
	return ctx, nil
}

func (c *chain) validateUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if err := c.check(info.FullMethod, req); err != nil {
		return nil, err
	}
	return handle(ctx, req)
}

func (c *chain) validateStream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	return handle(srv, &checkedStream{ss, c, info.FullMethod})
}

// checkedStream checks each message that comes in.
type checkedStream struct {
	grpc.ServerStream
	chain  *chain
	method string
}

func (s *checkedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return s.chain.check(s.method, m)
}

// check holds a request against its size limit and the rules of its proto.
func (c *chain) check(method string, req any) error {
	m, ok := req.(proto.Message)
	if !ok {
		return nil
	}
	_, name, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	if size := proto.Size(m); size > messageMax && !strings.HasPrefix(name, "Batch") {
		return fault.New(fault.TooLarge, "REQUEST_TOO_LARGE", "the request has %d bytes, at most %d are allowed", size, messageMax)
	}
	err := c.validate.Validate(m)
	var broken *protovalidate.ValidationError
	if !errors.As(err, &broken) {
		return err
	}
	f := fault.New(fault.Invalid, "VALIDATION_FAILED", "the request breaks the rules of its fields")
	for _, v := range broken.Violations {
		f = f.WithField(protovalidate.FieldPathString(v.Proto.GetField()), ruleReason(v.Proto.GetRuleId()), "%s", v.Proto.GetMessage())
	}
	return f
}

// ruleReason turns a rule's id into a reason: "string.min_len" → "STRING_MIN_LEN".
func ruleReason(id string) string {
	return strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(id))
}
