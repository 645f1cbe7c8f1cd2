package store

import (
	"context"
	"log/slog"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
)

// Config chooses the engine. Only configuration chooses: both behave alike.
type Config struct {
	URI      string // "mongodb://…" or "sqlite:<folder>"
	Database string // database name or file stem, e.g. "order_release"
}

// Options are the parts a DB works with.
type Options struct {
	Clock clock.Clock
	Log   *slog.Logger
}

// DB is one service's database.
type DB struct{}

// Open opens the database, refusing a standalone mongod and a data folder that another process holds.
func Open(ctx context.Context, cfg Config, opt Options) (*DB, error) { panic("being written") }

// Close flushes snapshots and closes the database.
func (db *DB) Close(ctx context.Context) error { panic("being written") }

// Collection is one aggregate type in a DB; it implements Aggregates.
type Collection[S, F any] struct{ Aggregates[S, F] }

// Register declares an aggregate type. Call it once a type, before the DB serves.
func Register[S, F any](db *DB, t Type[S, F]) *Collection[S, F] { panic("being written") }

// Table returns the named table with its declared indexes.
func (db *DB) Table(name string, indexes ...string) Rows { panic("being written") }

// Position is a place in the engine's order of commits; "" is the beginning.
type Position string

// RawFact is a fact as stored.
type RawFact struct {
	Type string
	Data []byte
}

// RawCommit is a durable commit as Tail yields it.
type RawCommit struct {
	Position      Position
	AggregateType string
	Tenant, ID    string
	Version       uint64
	Previous      uint64 // last version before this one that had facts
	Facts         []RawFact
	Cause         Cause
	Recorded      time.Time
}

// Tail calls fn for every durable commit after from, in the engine's order, and waits for more
// until ctx ends or fn fails. Reading again from the same position gives the same order. A
// position the engine has lost is ErrPositionLost.
func (db *DB) Tail(ctx context.Context, from Position, fn func(RawCommit) error) error {
	panic("being written")
}
