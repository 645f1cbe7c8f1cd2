package bench

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"go.mongodb.org/mongo-driver/v2/bson"
	_ "modernc.org/sqlite" // the driver that the embedded engine has
)

// plainSQLiteSide reads a row and replaces it where its version is still the one read, each
// replacement a transaction of its own that is on disk when it is answered, in a file of the
// same journal as the embedded engine's. One connection writes, as SQLite wants it.
func plainSQLiteSide(ctx context.Context, folder string) (*side, func() error, error) {
	path := "file:" + filepath.Join(folder, "plain.db") + "?_pragma=busy_timeout(5000)&_pragma=cache_size(-16000)"
	w, err := sql.Open("sqlite", path+"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, nil, err
	}
	w.SetMaxOpenConns(1)
	r, err := sql.Open("sqlite", path+"&_pragma=query_only(1)")
	if err != nil {
		return nil, nil, errors.Join(err, w.Close())
	}
	r.SetMaxOpenConns(8)
	shut := func() error { return errors.Join(r.Close(), w.Close()) }
	if err := plainRows(ctx, w); err != nil {
		return nil, nil, errors.Join(err, shut())
	}
	return &side{name: "sqlite.plain", do: func(ctx context.Context, n, i int) error {
		var version int64
		var body []byte
		if err := r.QueryRowContext(ctx, `SELECT v, s FROM orders WHERE id = ?`, plainID(n)).Scan(&version, &body); err != nil {
			return err
		}
		var o order
		if err := bson.Unmarshal(body, &o); err != nil {
			return err
		}
		if body, err = bson.Marshal(apply(o, change(i))); err != nil {
			return err
		}
		res, err := w.ExecContext(ctx, `UPDATE orders SET v = ?, s = ? WHERE id = ? AND v = ?`, version+1, body, plainID(n), version)
		if err != nil {
			return err
		}
		if changed, err := res.RowsAffected(); err != nil || changed != 1 {
			return errors.Join(err, errors.New("another caller was faster, which cannot be"))
		}
		return nil
	}}, shut, nil
}

// plainRows writes the orders that are changed.
func plainRows(ctx context.Context, w *sql.DB) error {
	tx, err := w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing is left of it after a commit
	if _, err := tx.ExecContext(ctx, `CREATE TABLE orders (id TEXT NOT NULL PRIMARY KEY, v INTEGER NOT NULL, s BLOB NOT NULL) WITHOUT ROWID`); err != nil {
		return err
	}
	for n := range documents {
		body, err := bson.Marshal(newOrder(n))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO orders (id, v, s) VALUES (?, 1, ?)`, plainID(n), body); err != nil {
			return err
		}
	}
	return tx.Commit()
}
