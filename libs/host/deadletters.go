package host

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	operationsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/operations/v1"
)

// deadLetters is the DeadLetterService of one service: the door to what its consumers could
// not apply. The tenant is the caller's, always.
type deadLetters struct {
	operationsv1.UnimplementedDeadLetterServiceServer
	service string
	letters *bus.DeadLetters
	log     *slog.Logger
}

func (d *deadLetters) register(r grpc.ServiceRegistrar) {
	operationsv1.RegisterDeadLetterServiceServer(r, d)
}

const defaultPage = 50

// ListDeadLetters implements DeadLetterServiceServer.
func (d *deadLetters) ListDeadLetters(ctx context.Context, r *operationsv1.ListDeadLettersRequest) (*operationsv1.ListDeadLettersResponse, error) {
	caller, err := d.callerFor(ctx, r.GetService())
	if err != nil {
		return nil, err
	}
	after, err := openPage(r.GetHandler(), r.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := int(r.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	found, err := d.letters.List(ctx, caller.Tenant, r.GetHandler(), after, size)
	if err != nil {
		return nil, err
	}
	out := &operationsv1.ListDeadLettersResponse{}
	for _, l := range found {
		m, _, err := d.letter(l)
		if err != nil {
			return nil, err
		}
		out.DeadLetters = append(out.DeadLetters, m)
	}
	if len(found) == size {
		out.NextPageToken = closePage(r.GetHandler(), found[size-1].ID)
	}
	return out, nil
}

// GetDeadLetter implements DeadLetterServiceServer.
func (d *deadLetters) GetDeadLetter(ctx context.Context, r *operationsv1.GetDeadLetterRequest) (*operationsv1.GetDeadLetterResponse, error) {
	caller, err := d.callerFor(ctx, r.GetService())
	if err != nil {
		return nil, err
	}
	found, err := d.letters.Get(ctx, caller.Tenant, letterID(r.GetDeadLetterId()))
	if err != nil {
		return nil, unknown(err, r.GetDeadLetterId())
	}
	m, envelope, err := d.letter(found)
	if err != nil {
		return nil, err
	}
	if m.Fact = factJSON(envelope); m.Fact == nil {
		m.FactData = envelope.GetData()
	}
	return &operationsv1.GetDeadLetterResponse{DeadLetter: m}, nil
}

// ReplayDeadLetter implements DeadLetterServiceServer.
func (d *deadLetters) ReplayDeadLetter(ctx context.Context, r *operationsv1.ReplayDeadLetterRequest) (*operationsv1.ReplayDeadLetterResponse, error) {
	receipt, err := d.settle(ctx, r, operationsv1.DeadLetterState_DEAD_LETTER_STATE_REPLAYED, d.letters.Replay)
	if err != nil {
		return nil, err
	}
	return &operationsv1.ReplayDeadLetterResponse{Receipt: receipt}, nil
}

// DropDeadLetter implements DeadLetterServiceServer.
func (d *deadLetters) DropDeadLetter(ctx context.Context, r *operationsv1.DropDeadLetterRequest) (*operationsv1.DropDeadLetterResponse, error) {
	receipt, err := d.settle(ctx, r, operationsv1.DeadLetterState_DEAD_LETTER_STATE_DROPPED, d.letters.Drop)
	if err != nil {
		return nil, err
	}
	return &operationsv1.DropDeadLetterResponse{Receipt: receipt}, nil
}

// settling is a request to replay or drop.
type settling interface {
	GetService() string
	GetDeadLetterId() string
	GetValidateOnly() bool
}

// settle replays or drops one letter, tells the audit log who did and how it ended, and
// answers by what became of the letter itself: done is the state of one that is gone.
func (d *deadLetters) settle(ctx context.Context, r settling, done operationsv1.DeadLetterState, act func(ctx context.Context, tenant, id string) error) (*commonv1.Receipt, error) {
	caller, err := d.callerFor(ctx, r.GetService())
	if err != nil {
		return nil, err
	}
	id := letterID(r.GetDeadLetterId())
	found, err := d.letters.Get(ctx, caller.Tenant, id)
	if err != nil {
		return nil, unknown(err, r.GetDeadLetterId())
	}
	receipt := &commonv1.Receipt{Id: r.GetDeadLetterId(), State: stateOf(found).String()}
	if r.GetValidateOnly() {
		return receipt, nil
	}
	receipt.State = done.String()
	err = act(ctx, caller.Tenant, id)
	if f, ok := fault.As(err); ok {
		err = d.outcome(ctx, caller.Tenant, id, f, receipt)
	}
	attrs := []any{
		"action", actions[done], "tenant", caller.Tenant, "principal", caller.Principal, "request_id", guard.RequestID(ctx),
		"dead_letter", id, "handler", found.Handler, "event", found.EventID, "type", found.Type,
		"reason", found.Reason, "behind", found.Behind,
	}
	if err != nil {
		d.log.WarnContext(ctx, "audit", append(attrs, "error", err)...)
		return nil, unknown(err, r.GetDeadLetterId())
	}
	d.log.InfoContext(ctx, "audit", append(attrs, "state", receipt.GetState())...)
	return receipt, nil
}

// actions are the words of the audit log.
var actions = map[operationsv1.DeadLetterState]string{
	operationsv1.DeadLetterState_DEAD_LETTER_STATE_REPLAYED: "replay dead letter",
	operationsv1.DeadLetterState_DEAD_LETTER_STATE_DROPPED:  "drop dead letter",
}

// outcome reads why the queue of a letter's aggregate stopped. What stopped behind the letter
// qualifies a success; a consumer that has not answered yet will, for it was told durably.
func (d *deadLetters) outcome(ctx context.Context, tenant, id string, f *fault.Error, receipt *commonv1.Receipt) error {
	switch f.Reason {
	case "REPLAY_PENDING":
		receipt.State = operationsv1.DeadLetterState_DEAD_LETTER_STATE_PENDING.String()
		return nil
	case "NOT_PARKED": // the letter is there a moment before its aggregate is marked as parked
		return fault.New(fault.Unavailable, "DEAD_LETTER_MOVING", "its aggregate is just being parked or released").After(pollEvery)
	case "REPLAY_FAILED":
		if _, err := d.letters.Get(ctx, tenant, id); !fault.IsKind(err, fault.NotFound) {
			return f
		}
		receipt.Reasons = append(receipt.Reasons, &commonv1.Reason{Code: f.Metadata["reason"], Field: f.Metadata["event_id"], Message: f.Message})
		return nil
	}
	return f
}

// callerFor returns the caller of a request to this service.
func (d *deadLetters) callerFor(ctx context.Context, service string) (guard.Caller, error) {
	caller, ok := guard.CallerOf(ctx)
	if !ok || service != d.service {
		return guard.Caller{}, fault.New(fault.NotFound, "SERVICE_UNKNOWN", "there is no service %s here", service)
	}
	return caller, nil
}

// letter renders a letter without its fact, and returns the fact's envelope.
func (d *deadLetters) letter(l bus.DeadLetter) (*operationsv1.DeadLetter, *commonv1.FactEnvelope, error) {
	var e commonv1.FactEnvelope
	if err := proto.Unmarshal(l.Envelope, &e); err != nil {
		return nil, nil, fault.New(fault.Internal, "DEAD_LETTER_UNREADABLE", "the fact in a dead letter cannot be read").Wrap(err)
	}
	return &operationsv1.DeadLetter{
		DeadLetterId: publicID(l.ID), Service: d.service, State: stateOf(l), Handler: l.Handler,
		Owner: l.Service, AggregateType: l.AggregateType, AggregateId: l.AggregateID, EventId: l.EventID, FactType: l.Type,
		Reason: l.Reason, Message: l.Message, Attempts: int32(l.Attempts),
		FirstFailedTime: protovalue.Time(l.First), LastFailedTime: protovalue.Time(l.Last), RecordedTime: e.GetRecordedTime(),
		CorrelationId: e.GetCorrelationId(), Principal: e.GetPrincipal(), Source: e.GetSource(), Behind: int32(l.Behind),
	}, &e, nil
}

func stateOf(l bus.DeadLetter) operationsv1.DeadLetterState {
	switch {
	case l.Reason == "":
		return operationsv1.DeadLetterState_DEAD_LETTER_STATE_WAITING
	case l.Transient:
		return operationsv1.DeadLetterState_DEAD_LETTER_STATE_RETRYING
	}
	return operationsv1.DeadLetterState_DEAD_LETTER_STATE_PARKED
}

// factJSON renders a fact as JSON; nil when this release does not know its type or cannot read it.
func factJSON(e *commonv1.FactEnvelope) *structpb.Struct {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(e.GetType()))
	if err != nil {
		return nil
	}
	fact, out := kind.New().Interface(), &structpb.Struct{}
	if proto.Unmarshal(e.GetData(), fact) != nil {
		return nil
	}
	text, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(fact)
	if err != nil || protojson.Unmarshal(text, out) != nil {
		return nil
	}
	return out
}

// A letter's id stands in a path: there a colon begins a verb, so dots take their place. No part
// of it has a dot of its own.
func publicID(id string) string { return strings.ReplaceAll(id, ":", ".") }
func letterID(id string) string { return strings.ReplaceAll(id, ".", ":") }

// unknown names a letter that is not there by the id that the caller has.
func unknown(err error, id string) error {
	if fault.IsKind(err, fault.NotFound) {
		return fault.New(fault.NotFound, "DEAD_LETTER_NOT_FOUND", "there is no dead letter %s", id)
	}
	return err
}

// A page token is the last id of a page and the list that it is of. It needs no seal: the
// tenant is the caller's, whatever the token says.
func closePage(handler, last string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(len(handler)) + ":" + handler + last))
}

func openPage(handler, token string) (string, error) {
	if token == "" {
		return "", nil
	}
	plain, err := base64.RawURLEncoding.DecodeString(token)
	last, ok := strings.CutPrefix(string(plain), strconv.Itoa(len(handler))+":"+handler)
	if err != nil || !ok || last == "" {
		return "", fault.New(fault.Invalid, "INVALID_REQUEST", "the page token does not belong to this list").
			WithField("page_token", "PAGE_TOKEN_INVALID", "start without a token")
	}
	return last, nil
}
