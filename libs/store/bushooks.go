package store

import (
	"context"
	"errors"
	"time"
)

// Feed is what the bus needs of a service's database; *DB is one. The relay, the
// FactsService and the consumers use nothing else of it.
type Feed interface {
	// Tail yields every durable commit after from; see DB.Tail.
	Tail(ctx context.Context, from Position, fn func(RawCommit) error, rest func(Position) error) error
	// End returns a position that every durable commit lies before: Tail from it yields only later
	// ones. A commit under way may lie before it too, and become durable afterwards.
	End(ctx context.Context) (Position, error)
	// Table returns the named table; see DB.Table.
	Table(name string, indexes ...string) Rows
	// Types returns the registered aggregate types.
	Types() []TypeInfo
	// Commits returns the commits of one aggregate that carry facts, ascending from version
	// after+1, at most limit. Position is not filled in.
	Commits(ctx context.Context, aggregateType, tenant, id string, after uint64, limit int) ([]RawCommit, error)
	// Snapshots pages the snapshots of a type over all tenants, by (tenant, id) after the given
	// one, at most limit; with export each carries its state as a fact. They may trail the commits,
	// never what Refresh has made sure of before the call, in whatever process.
	Snapshots(ctx context.Context, aggregateType string, after Ref, limit int, export bool) ([]Snapshot, error)
	// Refresh makes sure that the snapshot of each aggregate is at least at the version; it
	// returns at once where commit and snapshot are one transaction.
	Refresh(ctx context.Context, touched []Touched) error
	// SetGoodTo tells that snapshots hold every commit recorded before t: the AsOf of lists.
	SetGoodTo(t time.Time)
	// SetBacklog tells how far the relay is behind the commits: age of the oldest commit that
	// is not relayed and how many wait; beyond its bounds the store refuses commands.
	SetBacklog(age time.Duration, count int)
	// Exclusive reports that no other process can have this database open.
	Exclusive() bool
}

// Rescanner is a Feed whose snapshots may miss commits that no process remembers.
type Rescanner interface {
	// RefreshAll makes sure that every aggregate has a snapshot of its newest version, by
	// reading the keys of all commits. The relay asks for it when it lost its position, after it
	// has asked for End: whatever that has passed and becomes durable is in the snapshots, also
	// what was under way then.
	RefreshAll(ctx context.Context) error
}

// TypeInfo is a registered aggregate type.
type TypeInfo struct {
	Name    string // e.g. "order"
	Prefix  string // id prefix, e.g. "ord"
	Exports bool   // its states can be rendered as facts for followers
}

// Snapshot is the snapshot of one aggregate.
type Snapshot struct {
	Tenant, ID string
	Version    uint64
	Updated    time.Time // recorded time of Version
	Fact       RawFact   // the state as a fact; zero unless asked for
}

// Touched names an aggregate and a version that it has reached.
type Touched struct {
	AggregateType, Tenant, ID string
	Version                   uint64
}

// ErrPositionLost says that the engine no longer holds the commits after a position.
var ErrPositionLost = errors.New("the engine has lost this position")
