package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// doc is a row of the docs table: a snapshot or a row of a Table.
type doc struct {
	table, tenant, id string
	version           int64
	fold              int32
	created           int64
	keys              map[string][]string
	body              []byte
}

// put stores a document when it is newer than the stored one and its fold not older, and
// keeps the index keys in step.
func put(tx *sql.Tx, d doc) error {
	version, fold, old, found, err := standingDoc(tx, d)
	if err != nil || found && (version >= d.version && fold == d.fold || fold > d.fold) {
		return err
	}
	return force(tx, d, old)
}

// replace stores a document over one that is not newer and whose fold is not newer.
func replace(tx *sql.Tx, d doc) error {
	version, fold, old, found, err := standingDoc(tx, d)
	if err != nil || found && (version > d.version || fold > d.fold) {
		return err
	}
	return force(tx, d, old)
}

// standingDoc is what is stored in the place of a document.
func standingDoc(tx *sql.Tx, d doc) (version int64, fold int32, keys string, found bool, err error) {
	err = tx.QueryRow(`SELECT version, fold, keys FROM docs WHERE tbl = ? AND id = ?`, d.table, d.id).Scan(&version, &fold, &keys)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, "", false, nil
	}
	return version, fold, keys, err == nil, err
}

// force stores a document whose stored keys are old.
func force(tx *sql.Tx, d doc, old string) error {
	packed, err := json.Marshal(d.keys)
	if err != nil {
		return err
	}
	if string(packed) != old {
		if err := rekey(tx, d, old); err != nil {
			return err
		}
	}
	_, err = tx.Exec(`INSERT INTO docs (tbl, id, version, fold, created, keys, body) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tbl, id) DO UPDATE SET version = excluded.version, fold = excluded.fold, keys = excluded.keys, body = excluded.body`,
		d.table, d.id, d.version, d.fold, d.created, string(packed), append([]byte{}, d.body...))
	return err
}

// rekey replaces the index keys of a document that differ.
func rekey(tx *sql.Tx, d doc, old string) error {
	was := map[string][]string{}
	if old != "" {
		if err := json.Unmarshal([]byte(old), &was); err != nil {
			return err
		}
	}
	for name, ks := range was {
		for _, k := range ks {
			if slices.Contains(d.keys[name], k) {
				continue
			}
			if _, err := tx.Exec(`DELETE FROM keys WHERE tbl = ? AND name = ? AND tenant = ? AND key = ? AND created = ? AND id = ?`,
				d.table, name, d.tenant, k, d.created, d.id); err != nil {
				return err
			}
		}
	}
	for name, ks := range d.keys {
		for _, k := range ks {
			if slices.Contains(was[name], k) {
				continue
			}
			if _, err := tx.Exec(`INSERT INTO keys (tbl, name, tenant, key, created, id) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				d.table, name, d.tenant, k, d.created, d.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// drop removes a document with its keys.
func drop(tx *sql.Tx, table, tenant, id string) error {
	var old string
	var created int64
	err := tx.QueryRow(`SELECT keys, created FROM docs WHERE tbl = ? AND id = ?`, table, id).Scan(&old, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := rekey(tx, doc{table: table, tenant: tenant, id: id, created: created}, old); err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM docs WHERE tbl = ? AND id = ?`, table, id)
	return err
}

// rows runs a query and scans every row.
func (e *sqlite) rows(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	rs, err := e.read.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rs.Close() }() // Err below tells
	for rs.Next() {
		if err := scan(rs); err != nil {
			return err
		}
	}
	return rs.Err()
}

// blobs runs a query for one column of documents.
func (e *sqlite) blobs(ctx context.Context, query string, args ...any) ([][]byte, error) {
	var out [][]byte
	err := e.rows(ctx, func(rs *sql.Rows) error {
		var b []byte
		if err := rs.Scan(&b); err != nil {
			return err
		}
		out = append(out, b)
		return nil
	}, query, args...)
	return out, err
}

// marks is "?, ?, …" for n arguments.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// unpackKeys reads stored index keys; the one that lists everything is the engine's own.
func unpackKeys(packed string) (map[string][]string, error) {
	keys := map[string][]string{}
	if err := json.Unmarshal([]byte(packed), &keys); err != nil {
		return nil, err
	}
	delete(keys, "")
	return keys, nil
}
