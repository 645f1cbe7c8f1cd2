package guard

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// Metadata of a call. The lockstep-… ones are honoured for service identities only.
const (
	MetaKey           = "idempotency-key"      // key of a mutation
	MetaReplayed      = "idempotency-replayed" // answer header: "true" when the command had run before
	MetaRequestID     = "x-request-id"         // id of the outside request
	MetaIfMatch       = "if-match"             // etag, for requests whose etag field is empty
	metaAuthorization = "authorization"        // "Bearer <internal token>"
	metaDerived       = "lockstep-derived"     // the key is derived; value: its time in µs since 1970
	metaCorrelation   = "lockstep-correlation" // business transaction
	metaCausation     = "lockstep-causation"   // fact or command behind the call
	metaSource        = "lockstep-source-bin"  // SourceRef of a forwarded report
)

var requestID = regexp.MustCompile(`^[A-Za-z0-9_.:-]{8,64}$`)

type requestKey struct{}

// WithRequestID returns a context in which RequestID is id.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID returns the id of the outside request: the one in ctx, the one that came
// with the call if it is well-formed, or a new one.
func RequestID(ctx context.Context) string {
	if id, ok := ctx.Value(requestKey{}).(string); ok {
		return id
	}
	if id := one(ctx, MetaRequestID); requestID.MatchString(id) {
		return id
	}
	return uuid.Must(uuid.NewV7()).String()
}

// causeIn reads what a call says about itself. A client only names its request; a
// service passes on the key and the history of what it acts for.
func causeIn(ctx context.Context, c Caller) (store.Cause, error) {
	cause := store.Cause{Tenant: c.Tenant, Principal: c.Principal, TraceParent: traceParent(ctx)}
	if c.Service == "" {
		cause.Correlation = RequestID(ctx)
		return cause, nil
	}
	cause.Correlation, cause.Causation = one(ctx, metaCorrelation), one(ctx, metaCausation)
	if at := one(ctx, metaDerived); at != "" {
		micros, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return store.Cause{}, fault.New(fault.Invalid, "CAUSE_UNREADABLE", "%s is no time", metaDerived).Wrap(err)
		}
		cause.Derived = true
		if micros != 0 {
			cause.KeyTime = time.UnixMicro(micros).UTC()
		}
	}
	if raw := one(ctx, metaSource); raw != "" {
		var src commonv1.SourceRef
		if err := proto.Unmarshal([]byte(raw), &src); err != nil {
			return store.Cause{}, fault.New(fault.Invalid, "CAUSE_UNREADABLE", "%s cannot be read", metaSource).Wrap(err)
		}
		cause.Source = SourceRef(&src)
	}
	return cause, nil
}

// causeOut writes the cause in ctx for a call of this service to another. A
// client's key becomes one of its own for each method, so that two callers'
// equal keys stay apart under the service's one identity.
func causeOut(ctx context.Context, method string) []string {
	cause := store.CauseOf(ctx)
	var pairs []string
	add := func(key, value string) {
		if value != "" {
			pairs = append(pairs, key, value)
		}
	}
	switch {
	case cause.Key == "":
	case cause.Derived:
		add(MetaKey, cause.Key)
		micros := int64(0)
		if !cause.KeyTime.IsZero() {
			micros = cause.KeyTime.UnixMicro()
		}
		add(metaDerived, strconv.FormatInt(micros, 10))
	default:
		sum := sha256.Sum256([]byte(cause.Principal + "\x00" + cause.Key + "\x00" + method))
		add(MetaKey, "sub:"+base64.RawURLEncoding.EncodeToString(sum[:]))
	}
	add(metaCorrelation, cause.Correlation)
	add(metaCausation, cause.Causation)
	if cause.Source.System != "" {
		if raw, err := proto.Marshal(SourceProto(cause.Source)); err == nil {
			add(metaSource, string(raw))
		}
	}
	return pairs
}

// Derived returns a context for a command that a service gives itself: a timer, a
// sweep, a step of a larger command. key names the step and its target, at is the
// immutable time of what caused it; running it again with both equal is a no-op.
func Derived(ctx context.Context, tenant, key string, at time.Time) context.Context {
	cause := store.CauseOf(ctx)
	cause.Tenant, cause.Key, cause.Derived, cause.KeyTime = tenant, key, true, at
	cause.Fingerprint, cause.IfMatch, cause.Validate = nil, "", false
	if c, ok := CallerOf(ctx); ok && cause.Principal == "" {
		cause.Principal = c.Principal
	}
	return store.WithCause(ctx, cause)
}

// one returns the value of a metadata key that came exactly once.
func one(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) == 1 {
		return values[0]
	}
	return ""
}

func traceParent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}
