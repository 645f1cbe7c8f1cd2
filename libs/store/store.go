// Package store is the write path: append-only commits with receipts, snapshots
// that follow them, and one order of all commits, on MongoDB and on SQLite
// behind one small interface.
//
// It promises that a command takes effect once and is answered only when its
// commit is durable on a majority; that the same key gets the same answer; that
// no decision rests on a base that can vanish; and that Tail yields every commit
// in one order, nothing ever appearing behind a position already read.
package store

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/ident"
)

// Cause says why a command runs: who, for which tenant, under which idempotency
// key. The guard puts it into the context of a client's command, the bus into
// that of a reaction.
type Cause struct {
	Tenant      string
	Principal   string          // caller: a person, API client or "service:<name>"
	Key         string          // idempotency key; client keys are scoped by Principal, derived keys are not
	Derived     bool            // the key derives from an event or document and lives as long as its fact
	KeyTime     time.Time       // derived keys: recorded time of the event, immutable
	Fingerprint []byte          // SHA-256 of the canonical request; nil for derived keys
	IfMatch     string          // etag the caller decided on; empty for none
	Correlation string          // business transaction
	Causation   string          // event id or command that caused this one
	Source      ident.SourceRef // where the report comes from, if from outside
	TraceParent string          // W3C trace context
	Validate    bool            // AIP-163 validate_only: decide, answer, store nothing
	Anew        bool            // an earlier refusal under the key is decided anew: somebody mended what it was for
}

type causeKey struct{}

// WithCause returns a context that carries c.
func WithCause(ctx context.Context, c Cause) context.Context {
	return context.WithValue(ctx, causeKey{}, c)
}

// CauseOf returns the cause in ctx, or the zero Cause.
func CauseOf(ctx context.Context) Cause {
	c, _ := ctx.Value(causeKey{}).(Cause)
	return c
}

// WithSource returns a context whose cause names the source of a report.
func WithSource(ctx context.Context, src ident.SourceRef) context.Context {
	c := CauseOf(ctx)
	c.Source = src
	return WithCause(ctx, c)
}

// WithIfMatch returns a context whose command only applies to the version that etag names.
func WithIfMatch(ctx context.Context, etag string) context.Context {
	c := CauseOf(ctx)
	c.IfMatch = etag
	return WithCause(ctx, c)
}

// Current is what a command decides on.
type Current[S any] struct {
	State   S
	ID      string    // aggregate id, without the tenant
	Tenant  string    //
	Version uint64    // version of State; 0 when the aggregate does not exist yet
	Now     time.Time // recorded time of the commit to be, UTC
	Created time.Time // recorded time of version 1; zero when Version is 0
}

// Decision is the outcome of a command that was accepted.
type Decision[F any] struct {
	Facts []F    // empty: nothing changes, the receipt is still recorded
	State string // state after the command, for the receipt
	// Reasons and Created qualify the receipt; both are bounded (the receipt is at most 2 KiB).
	Reasons []Reason
	Created []string
	// Values are figures of the outcome that the caller needs, e.g. "granted" → "6".
	Values map[string]string
}

// Reason is one machine-readable reason in a receipt.
type Reason struct {
	Code    string `bson:"c"`
	Field   string `bson:"f,omitempty"`
	Message string `bson:"m,omitempty"`
}

// Receipt is the answer of a command; replaying the command returns it unchanged but for Replayed.
type Receipt struct {
	ID      string   `bson:"i"`
	ETag    string   `bson:"e"`
	State   string   `bson:"s,omitempty"`
	Reasons []Reason `bson:"r,omitempty"`
	Created []string `bson:"n,omitempty"`
	// Values are figures of the outcome, e.g. "granted" → "6"; stored sorted by key.
	Values   map[string]string `bson:"v,omitempty"`
	Replayed bool              `bson:"-"`
}

// View is an aggregate as read by id: never stale, snapshot plus later commits.
type View[S any] struct {
	State   S
	ID      string
	Version uint64
	ETag    string
	Created time.Time
	Updated time.Time
}

// Aggregates is the store of one aggregate type; *Collection implements it. The tenant and
// the cause come from the context.
type Aggregates[S, F any] interface {
	// Update runs decide on the newest state and commits its facts with the receipt.
	//  1. The receipt of an earlier run under the same key is answered instead, Replayed set;
	//     another fingerprint under that key is fault.KeyReused. A refusal is decided anew if
	//     the cause asks for it.
	//  2. decide may run several times, even after Update returned because ctx ended, and must
	//     be pure; a *fault.Error of kind Refused or
	//     Conflict on an existing aggregate is recorded and answered after its commit.
	//  3. A nil error means the commit is durable on a majority. fault.Unavailable means the
	//     outcome is unknown: the same key decides on retry.
	//  4. A version that IfMatch does not name is fault.Stale.
	Update(ctx context.Context, id string, decide func(Current[S]) (Decision[F], error)) (Receipt, error)
	// Get returns the aggregate, majority-committed and not older than any acknowledged
	// commit; fault.NotFound when there is none for the tenant.
	Get(ctx context.Context, id string) (View[S], error)
	// GetMany returns those of the ids that exist, in no order, combined in one read.
	GetMany(ctx context.Context, ids []string) ([]View[S], error)
	// List pages the snapshots by a declared index, by (create time, id). It may trail by
	// milliseconds; AsOf says what it is good to. Nothing may be decided on it.
	List(ctx context.Context, q Query) (Page[S], error)
	// Due returns the (tenant, id) pairs, of all tenants, whose index key is at most upTo:
	// timers that only propose, the command decides. At most limit, by key.
	Due(ctx context.Context, index, upTo string, limit int) ([]Ref, error)
	// History returns what commands committed to an aggregate, ascending from version after+1,
	// of at most limit versions, each whole.
	History(ctx context.Context, id string, after uint64, limit int) ([]Commit[F], error)
}

// Ref names an aggregate of any tenant.
type Ref struct{ Tenant, ID string }

// Query pages a declared index of the caller's tenant.
type Query struct {
	Index     string // "" lists all
	Key       string // exact key
	PageSize  int    // 1 to 200; 0 means 50
	PageToken string // from the earlier page; sealed, bound to tenant, index and key
}

// Page is one page of a list.
type Page[S any] struct {
	Items     []View[S]
	NextToken string
	AsOf      time.Time // every commit recorded before this is in the list
}

// Commit is what one command committed: a version may hold several.
type Commit[F any] struct {
	Version   uint64
	Facts     []F
	Cause     Cause // Fingerprint, IfMatch and Validate are not filled in
	Recorded  time.Time
	Principal string
}

// TimeKey formats t so that keys sort as times do: what Due compares.
func TimeKey(t time.Time) string { return t.UTC().Format("20060102T150405.000000Z") }
