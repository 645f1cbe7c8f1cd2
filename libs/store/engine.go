package store

import (
	"context"
	"errors"
)

// errTaken is the outcome of a commit whose version another command took.
var errTaken = errors.New("version is taken")

// write is one commit on its way, with the snapshot that follows it.
type write struct {
	doc    *commitDoc
	bytes  []byte   // doc as stored
	typ    string   // aggregate type
	snap   *snapDoc // written in the same transaction where the engine has one
	result error    // nil, errTaken, or an error that leaves the outcome unknown
}

// engine is what MongoDB and SQLite do for the store. Every read of an aggregate is
// majority-committed; keys of aggregates are "tenant/id".
type engine interface {
	// insert appends the commits and sets each one's result: an unordered batch, durable on
	// a majority when result is nil. session orders what is read after it (see session).
	insert(ctx context.Context, ws []*write)
	// session returns a context in which a later read sees what an earlier insert met.
	session(ctx context.Context) (context.Context, func())
	// snapshots returns the stored snapshots of those that have one.
	snapshots(ctx context.Context, typ string, aggs []string) (map[string][]byte, error)
	// save stores snapshots, each only when it is newer and its fold not older.
	save(ctx context.Context, typ string, snaps []*snapDoc) error
	// replace stores a snapshot over one of the same version or an older one, and of the same
	// fold or an older one, whatever that holds.
	replace(ctx context.Context, typ string, snap *snapDoc) error
	// commits returns the commits of an aggregate from version from on, ascending.
	commits(ctx context.Context, agg string, from uint64, limit int) ([][]byte, error)
	// latest returns the newest version of an aggregate, 0 when there is none.
	latest(ctx context.Context, agg string) (uint64, error)
	// next returns those of the aggregates that have a commit of the given version.
	next(ctx context.Context, versions map[string]uint64) (map[string]bool, error)
	// causes returns the newest versions under which receipts with the hashes were committed.
	causes(ctx context.Context, agg string, hashes [][16]byte) (map[[16]byte]uint64, error)
	// list pages snapshots of a tenant by index key, by (created, id) after the cursor.
	list(ctx context.Context, typ string, q listQuery) ([][]byte, error)
	// due returns the aggregates of all tenants whose index key is at most upTo.
	due(ctx context.Context, typ, index, upTo string, limit int) ([]Ref, error)
	// scan pages all snapshots of a type by key after the given one.
	scan(ctx context.Context, typ, after string, limit int) ([][]byte, error)
	// outdated returns aggregates whose snapshots are of an older fold.
	outdated(ctx context.Context, typ string, fold, limit int) ([]string, error)
	// heads calls fn with the newest version of every aggregate that has commits.
	heads(ctx context.Context, fn func(typ, agg string, version uint64) error) error
	// declare prepares the collections of an aggregate type.
	declare(ctx context.Context, typ string, indexes []string) error
	// tail yields every commit after from, in the engine's order, until fn fails or ctx ends,
	// and calls rest when there are no more, then about once a second.
	tail(ctx context.Context, from Position, fn func(doc []byte, pos Position) error, rest func(Position) error) error
	// end returns the position after the newest commit.
	end(ctx context.Context) (Position, error)
	// table returns a table of rows.
	table(ctx context.Context, name string, indexes []string) (Rows, error)
	// try writes something of no meaning, durably: nil when it can.
	try(ctx context.Context) error
	// together reports that insert stores the snapshot in the commit's transaction.
	together() bool
	// exclusive reports that no other process can have this database open.
	exclusive() bool
	// failure yields the error after which this process can write nothing any more; nil for never.
	failure() <-chan error
	close(ctx context.Context) error
}

// stateName and rowsName name the collections of a type's snapshots and of a table's rows.
func stateName(typ string) string  { return "state_" + typ }
func rowsName(table string) string { return "rows_" + table }

// listQuery is one page of a list.
type listQuery struct {
	tenant, index, key string
	created            int64  // cursor: create time, µs
	after              string // cursor: aggregate key; "" starts
	limit              int
}
