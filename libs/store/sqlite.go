package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// sqlite is the embedded engine: one file, one writer, every batch one transaction. Order is
// the sequence that the writer assigns.
type sqlite struct {
	write *sql.DB // one connection, used by the writer alone
	read  *sql.DB
	lock  *os.File
	delay bool // snapshots are written behind the commits
	log   func(collection string, documents int)

	jobs   chan *job
	closed chan struct{}
	wg     sync.WaitGroup

	mu     sync.Mutex
	grown  chan struct{} // closed and replaced when commits were added
	broken error         // set once a COMMIT failed: nothing is written any more
	failed chan error    // tells it, once
}

// job is one write of the writer: run inside its transaction.
type job struct {
	run  func(tx *sql.Tx) error
	err  error
	done chan struct{}
	adds bool // adds commits
}

const schema = `
CREATE TABLE IF NOT EXISTS commits (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, agg TEXT NOT NULL, version INTEGER NOT NULL, doc BLOB NOT NULL,
  UNIQUE (agg, version));
CREATE TABLE IF NOT EXISTS causes (
  agg TEXT NOT NULL, cause BLOB NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (agg, cause, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS docs (
  tbl TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, fold INTEGER NOT NULL, created INTEGER NOT NULL,
  keys TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (tbl, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (
  tbl TEXT NOT NULL, name TEXT NOT NULL, tenant TEXT NOT NULL, key TEXT NOT NULL, created INTEGER NOT NULL, id TEXT NOT NULL,
  PRIMARY KEY (tbl, name, tenant, key, created, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_due ON keys (tbl, name, key, id);
CREATE INDEX IF NOT EXISTS docs_fold ON docs (tbl, fold) WHERE fold > 0;
`

func openSQLite(folder, name string, opt Options) (*sqlite, error) {
	folder = strings.TrimPrefix(folder, "//")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	lock, err := lockFile(filepath.Join(folder, name+".lock"))
	if err != nil {
		return nil, err
	}
	path := filepath.Join(folder, name+".db")
	w, err := sql.Open("sqlite", dsn(path, false))
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	w.SetMaxOpenConns(1)
	if _, err := w.Exec(schema); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), w.Close(), lock.Close())
	}
	r, err := sql.Open("sqlite", dsn(path, true))
	if err != nil {
		return nil, errors.Join(err, w.Close(), lock.Close())
	}
	r.SetMaxOpenConns(8)
	log := opt.Monitor
	if log == nil {
		log = func(string, int) {}
	}
	e := &sqlite{
		write: w, read: r, lock: lock, delay: opt.DelaySnapshots, log: log,
		jobs: make(chan *job, 1024), closed: make(chan struct{}), grown: make(chan struct{}), failed: make(chan error, 1),
	}
	e.wg.Go(e.writer)
	return e, nil
}

// dsn is a URI: it carries the pragmas, which through Exec would reach one pooled connection
// only, and the path as the engine decodes it.
func dsn(path string, readonly bool) string {
	v := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(0)", "cache_size(-16000)"}}
	if readonly {
		v["_pragma"] = []string{"busy_timeout(5000)", "query_only(1)"}
	} else {
		v.Set("_txlock", "immediate")
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: v.Encode()}
	return u.String()
}

// lockFile holds a data folder's database for this process alone.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: another process has this database open", path), f.Close())
	}
	return f, nil
}

// maxJobs bounds one transaction.
const maxJobs = 64

// writer runs what queued up while the transaction before was in flight, in one transaction.
func (e *sqlite) writer() {
	for {
		select {
		case j := <-e.jobs:
			batch := []*job{j}
		drain:
			for len(batch) < maxJobs {
				select {
				case j := <-e.jobs:
					batch = append(batch, j)
				default:
					break drain
				}
			}
			e.commit(batch)
		case <-e.closed:
			return
		}
	}
}

// commit runs jobs in one transaction. One that fails takes the others with it: all are
// told that nothing was stored. A COMMIT that fails leaves all unknown, and the database is
// not written any more: what the file holds is only known after a restart. A COMMIT that found
// the disk full is different: its last page, which makes it one, was not written, and the
// driver has rolled it back; the next one may find space.
func (e *sqlite) commit(batch []*job) {
	err := e.transact(batch)
	adds := false
	for _, j := range batch {
		j.err = err
		adds = adds || j.adds
		close(j.done)
	}
	if err == nil && adds {
		e.mu.Lock()
		close(e.grown)
		e.grown = make(chan struct{})
		e.mu.Unlock()
	}
}

func (e *sqlite) transact(batch []*job) error {
	e.mu.Lock()
	broken := e.broken
	e.mu.Unlock()
	if broken != nil {
		return broken
	}
	tx, err := e.write.Begin()
	if err != nil {
		return err
	}
	for _, j := range batch {
		if err := j.run(tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if err := tx.Commit(); err != nil {
		if !diskFull(err) {
			e.fail(fmt.Errorf("a commit failed, nothing is written until a restart: %w", err))
		}
		return err
	}
	return nil
}

func diskFull(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code() == sqlite3.SQLITE_FULL
}

// fail ends all writing.
func (e *sqlite) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broken == nil {
		e.broken = err
		e.failed <- err
	}
}

func (e *sqlite) failure() <-chan error { return e.failed }

// do runs one job and waits for its transaction.
func (e *sqlite) do(ctx context.Context, adds bool, run func(tx *sql.Tx) error) error {
	j := &job{run: run, done: make(chan struct{}), adds: adds}
	select {
	case e.jobs <- j:
	case <-e.closed:
		return fault.New(fault.Unavailable, "STORE_CLOSED", "the store is closed")
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-j.done:
		return j.err
	case <-e.closed:
		return fault.New(fault.Unavailable, "STORE_CLOSED", "the store is closed")
	}
}

func (e *sqlite) insert(ctx context.Context, ws []*write) {
	err := e.do(ctx, true, func(tx *sql.Tx) error {
		for _, w := range ws {
			if err := insertOne(tx, w); err != nil {
				return err
			}
		}
		return nil
	})
	for _, w := range ws {
		if err != nil {
			w.result = err
		} else if w.result == nil {
			e.log("commits", 1)
		}
	}
}

func insertOne(tx *sql.Tx, w *write) error {
	w.result = nil
	res, err := tx.Exec(`INSERT INTO commits (agg, version, doc) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, w.doc.Agg, w.doc.Version, w.bytes)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		w.result = errTaken
		return err
	}
	for _, c := range w.doc.Causes {
		if _, err := tx.Exec(`INSERT INTO causes (agg, cause, version) VALUES (?, ?, ?)`, w.doc.Agg, c.Data, w.doc.Version); err != nil {
			return err
		}
	}
	if w.snap == nil {
		return nil
	}
	return saveSnap(tx, w.typ, w.snap)
}

// saveSnap stores a snapshot unless the stored one is newer or of a newer fold.
func saveSnap(tx *sql.Tx, typ string, s *snapDoc) error {
	d, err := snapRow(typ, s)
	if err != nil {
		return err
	}
	return put(tx, d)
}

// snapRow is a snapshot as the docs table has it.
func snapRow(typ string, s *snapDoc) (doc, error) {
	body, err := marshal(s)
	keys := map[string][]string{"": {""}}
	for name, ks := range s.Keys {
		keys[name] = ks
	}
	return doc{table: typ, tenant: s.Tenant, id: s.ID, version: s.Version, fold: s.Fold, created: s.Created, keys: keys, body: body}, err
}

func (e *sqlite) replace(ctx context.Context, typ string, s *snapDoc) error {
	d, err := snapRow(typ, s)
	if err != nil {
		return err
	}
	err = e.do(ctx, false, func(tx *sql.Tx) error { return replace(tx, d) })
	if err == nil {
		e.log(stateName(typ), 1)
	}
	return err
}

func (e *sqlite) session(ctx context.Context) (context.Context, func()) { return ctx, func() {} }
func (e *sqlite) together() bool                                        { return !e.delay }
func (e *sqlite) exclusive() bool                                       { return true }

// try counts up.
func (e *sqlite) try(ctx context.Context) error {
	return e.do(ctx, false, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO docs (tbl, id, version, fold, created, keys, body) VALUES ('try', '', 1, 0, 0, '', x'')
			ON CONFLICT (tbl, id) DO UPDATE SET version = version + 1`)
		return err
	})
}

func (e *sqlite) declare(context.Context, string, []string) error { return nil }

func (e *sqlite) save(ctx context.Context, typ string, snaps []*snapDoc) error {
	err := e.do(ctx, false, func(tx *sql.Tx) error {
		for _, s := range snaps {
			if err := saveSnap(tx, typ, s); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		e.log(stateName(typ), len(snaps))
	}
	return err
}

func (e *sqlite) close(context.Context) error {
	close(e.closed)
	e.wg.Wait()
	return errors.Join(e.read.Close(), e.write.Close(), e.lock.Close())
}

// readTime bounds a read transaction: a longer one keeps the write-ahead log from shrinking.
const readTime = 2 * time.Second
