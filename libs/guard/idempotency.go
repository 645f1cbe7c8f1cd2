package guard

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// Idempotency makes every mutation take effect once per key: it completes the cause
// that the store writes into the receipt, and spares a repeated command the way
// there. It comes after validation: a request that is refused leaves no trace.
type Idempotency struct {
	Rules   Rules
	Answers *Answers // nil: every repetition goes to the store
}

// Unary is the interceptor.
func (i *Idempotency) Unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	rule, ok := i.Rules[info.FullMethod]
	req, isProto := request.(proto.Message)
	if !ok || !isProto {
		return handle(ctx, request) // a probe: Access has refused everything else
	}
	caller, _ := CallerOf(ctx)
	if err := checkSources(caller, req.ProtoReflect()); err != nil {
		return nil, err
	}
	cause := store.CauseOf(ctx)
	if src := sourceIn(req.ProtoReflect()); src != nil {
		cause.Source = SourceRef(src)
	}
	if !rule.Access.Mutation {
		return handle(store.WithCause(ctx, cause), request)
	}
	if err := complete(ctx, &cause, info.FullMethod, req); err != nil {
		return nil, err
	}
	if err := faultpoint.Hit(faultpoint.C1); err != nil {
		return nil, err
	}
	ctx = store.WithCause(ctx, cause)
	if cause.Derived || cause.Validate {
		return handle(ctx, request) // a reaction is not repeated in haste, a trial stores nothing
	}
	return i.once(ctx, cause, rule, request, handle)
}

// complete fills in what a mutation's cause needs from its request and metadata.
func complete(ctx context.Context, cause *store.Cause, method string, req proto.Message) error {
	cause.Key = one(ctx, MetaKey)
	if !validKey(cause.Key) {
		return fault.New(fault.Invalid, "IDEMPOTENCY_KEY_REQUIRED", "a change needs one %s of 8 to 255 visible ASCII characters", MetaKey)
	}
	if err := fillETag(req, one(ctx, MetaIfMatch)); err != nil {
		return err
	}
	cause.IfMatch = stringIn(req.ProtoReflect(), "etag")
	cause.Validate = boolIn(req.ProtoReflect(), "validate_only")
	if cause.Derived {
		return nil
	}
	var err error
	cause.Fingerprint, err = Fingerprint(method, cause.Tenant, req)
	return err
}

// once runs the command under the lock of its key, or gives the remembered answer.
func (i *Idempotency) once(ctx context.Context, cause store.Cause, rule Rule, request any, handle grpc.UnaryHandler) (any, error) {
	scope := cause.Principal + "\x00" + cause.Key
	lock, answer, err := i.Answers.begin(ctx, cause.Tenant, scope, cause.Fingerprint)
	if err != nil {
		return nil, err
	}
	if answer != nil {
		reply := rule.Reply.New().Interface()
		if err := proto.Unmarshal(answer, reply); err == nil { // else the store knows the answer
			markReplayed(ctx)
			return reply, nil
		}
	}
	if err := faultpoint.Hit(faultpoint.C2); err != nil {
		return nil, err
	}
	var reply any
	defer func() { // a panic on its way out leaves no lock behind
		if raw, ok := remember(reply, err); ok {
			i.Answers.finish(ctx, lock, cause.Fingerprint, raw)
		} else {
			// Refusals are the store's to remember: only those with a receipt are final.
			i.Answers.release(ctx, lock)
		}
	}()
	reply, err = handle(ctx, request)
	if f, ok := fault.As(err); ok && f.Replayed {
		markReplayed(ctx)
	}
	return reply, err
}

func remember(reply any, err error) ([]byte, bool) {
	m, ok := reply.(proto.Message)
	if err != nil || !ok || !final(m) || secret(m) {
		return nil, false
	}
	raw, err := proto.Marshal(m)
	return raw, err == nil
}

// secret reports whether an answer has something in it that must not be kept: a field that is
// marked debug_redact.
func secret(reply proto.Message) (found bool) {
	reply.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		options, _ := f.Options().(*descriptorpb.FieldOptions)
		found = options.GetDebugRedact()
		return !found
	})
	return found
}

// markReplayed tells the caller, by an answer header, that the command had run before.
func markReplayed(ctx context.Context) {
	_ = grpc.SetHeader(ctx, metadata.Pairs(MetaReplayed, "true")) // fails only outside a call
}

// Receipt converts a command's receipt for the wire and marks the answer as replayed if it is.
func Receipt(ctx context.Context, r store.Receipt) *commonv1.Receipt {
	if r.Replayed {
		markReplayed(ctx)
	}
	return protovalue.Receipt(r)
}

func validKey(key string) bool {
	if len(key) < 8 || len(key) > 255 {
		return false
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return true
}
