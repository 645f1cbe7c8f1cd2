package store

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
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
	// TokenKey seals page tokens, 32 bytes, the same for all replicas; nil: one kept in the database.
	TokenKey []byte
	// DelaySnapshots makes SQLite write snapshots behind the commits as MongoDB does: for
	// tests, so that what trails on one engine trails on both.
	DelaySnapshots bool
	// CacheSize is how many aggregates of a type are kept decoded; 0 means 20,000.
	CacheSize int
	// Monitor is told of every journaled write of documents, to "commits", "state_‹type›" or
	// "rows_‹table›": for benchmarks.
	Monitor func(collection string, documents int)

	commands *event.CommandMonitor // what is sent to MongoDB: for tests of this package
}

// DB is one service's database.
type DB struct {
	engine engine
	opt    Options
	aead   cipher.AEAD
	writes *writes

	mu       sync.Mutex
	types    []aggregateType
	underWay map[uint64]int64 // batch → µs: no commit of it is recorded before
	turn     uint64
	stop     context.CancelFunc
	done     sync.WaitGroup
	ctx      context.Context //nolint:containedctx // the life of the background writers, ended by Close

	goodTo   atomic.Int64 // µs: snapshots hold every commit recorded before
	backlog  atomic.Int64 // µs of the oldest commit that is not relayed
	waiting  atomic.Int64
	isClosed atomic.Bool
	flying   atomic.Int64 // commands that are not answered
}

// aggregateType is what DB asks of a registered collection, whatever its types.
type aggregateType interface {
	info() TypeInfo
	flush(ctx context.Context) error
	refresh(ctx context.Context, touched []Touched) error
	export(doc *snapDoc) (RawFact, error)
	pastRaw(ctx context.Context, id string) (Past[RawFact], error)
	loadRaw(ctx context.Context, pasts []Past[RawFact]) error
}

// Bounds on the relay's lag beyond which commands are refused.
const (
	maxBacklogAge = 2 * time.Minute
	maxBacklog    = 200_000
)

// Open opens the database, refusing a standalone mongod and a data folder that another process holds.
func Open(ctx context.Context, cfg Config, opt Options) (*DB, error) {
	if opt.Clock == nil {
		opt.Clock = clock.System{}
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	if opt.CacheSize == 0 {
		opt.CacheSize = 20_000
	}
	var e engine
	var err error
	switch scheme, rest, _ := strings.Cut(cfg.URI, ":"); scheme {
	case "sqlite":
		e, err = openSQLite(rest, cfg.Database, opt)
	case "mongodb", "mongodb+srv":
		e, err = openMongo(ctx, cfg, opt)
	default:
		err = fmt.Errorf("store URI %q: the scheme must be sqlite or mongodb", scheme)
	}
	if err != nil {
		return nil, err
	}
	outcome := &writes{good: clock.Monotonic()}
	e = watched{e, outcome}
	var aead cipher.AEAD
	err = steady(ctx, func() (err error) {
		aead, err = sealer(ctx, e, opt.TokenKey)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("page tokens: %w", err), e.close(context.WithoutCancel(ctx)))
	}
	db := &DB{engine: e, opt: opt, aead: aead, writes: outcome, underWay: map[uint64]int64{}}
	db.ctx, db.stop = context.WithCancel(context.WithoutCancel(ctx))
	return db, nil
}

// Close flushes snapshots and closes the database. Commands that are under way are answered first.
func (db *DB) Close(ctx context.Context) error {
	if db.isClosed.Swap(true) {
		return nil
	}
	late := db.idle(ctx)
	db.stop()
	db.done.Wait()
	return errors.Join(late, db.Flush(ctx), db.engine.close(ctx))
}

// Flush writes the snapshots of everything that this process has committed.
func (db *DB) Flush(ctx context.Context) error {
	var errs []error
	for _, t := range db.registered() {
		errs = append(errs, t.flush(ctx))
	}
	return errors.Join(errs...)
}

func (db *DB) registered() []aggregateType {
	db.mu.Lock()
	defer db.mu.Unlock()
	return append([]aggregateType(nil), db.types...)
}

// Table returns the named table with its declared indexes. It panics when the engine cannot
// make it, which is a defect found at start.
func (db *DB) Table(name string, indexes ...string) Rows {
	rows, err := db.engine.table(db.ctx, name, indexes)
	if err != nil {
		panic(fmt.Sprintf("table %s: %v", name, err))
	}
	return rows
}

// leave counts a command as answered.
func (db *DB) leave() { db.flying.Add(-1) }

// idle waits until every command that was let in is answered.
func (db *DB) idle(ctx context.Context) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for db.flying.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d commands are not answered: %w", db.flying.Load(), ctx.Err())
		}
	}
	return nil
}

// admit lets a command in; it refuses those of a closed database, and all while the relay is
// too far behind: later is better than lost.
func (db *DB) admit() error {
	db.flying.Add(1) // before the look at isClosed: Close looks the other way round
	if db.isClosed.Load() {
		db.leave()
		return fault.New(fault.Unavailable, "STORE_CLOSED", "the store is closed")
	}
	if time.Duration(db.backlog.Load())*time.Microsecond > maxBacklogAge || db.waiting.Load() > maxBacklog {
		db.leave()
		return fault.New(fault.Exhausted, "RELAY_BEHIND", "facts are not published fast enough").After(5 * time.Second)
	}
	return nil
}

// Position is a place in the engine's order of commits; "" is the beginning.
type Position string

// RawFact is a fact as stored.
type RawFact struct {
	Type  string
	Data  []byte
	Cause Cause // of the command that made it
}

// RawCommit is a durable commit as Tail yields it.
type RawCommit struct {
	Position      Position
	AggregateType string
	Tenant, ID    string
	Version       uint64
	Previous      uint64 // last version before this one that had facts
	Facts         []RawFact
	Cause         Cause // of the first command
	Recorded      time.Time
}

// Tail calls fn for every durable commit after from, in the engine's order, and waits for more
// until ctx ends or fn fails. Reading again from the same position gives the same order. A
// position the engine has lost is ErrPositionLost. rest, unless nil, is called when there is
// no more by now, and again every second or so, with a position to go on from: one that moves
// on while other databases of the server are written, so that the engine does not lose it.
func (db *DB) Tail(ctx context.Context, from Position, fn func(RawCommit) error, rest func(Position) error) error {
	if rest == nil {
		rest = func(Position) error { return nil }
	}
	if from == "" {
		var err error
		if from, err = db.beginning(ctx); err != nil {
			return err
		}
	}
	return db.engine.tail(ctx, from, func(doc []byte, pos Position) error {
		d, err := readCommit(doc)
		if err != nil {
			return err
		}
		return fn(d.raw(pos))
	}, rest)
}
