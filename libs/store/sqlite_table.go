package store

import (
	"context"
	"database/sql"
	"errors"
)

// sqliteTable is a Table on SQLite: documents of the table "rows:<name>".
type sqliteTable struct {
	e    *sqlite
	name string
}

func (e *sqlite) table(_ context.Context, name string, _ []string) (Rows, error) {
	return &sqliteTable{e, "rows:" + name}, nil
}

func (t *sqliteTable) doc(r Row) doc {
	keys := map[string][]string{"": {""}}
	for name, ks := range r.Keys {
		keys[name] = ks
	}
	return doc{table: t.name, tenant: r.Tenant, id: aggKey(r.Tenant, r.ID), version: int64(r.Version), keys: keys, body: r.Body}
}

func (t *sqliteTable) Put(ctx context.Context, rows ...Row) error {
	if len(rows) == 0 {
		return nil
	}
	err := t.e.do(ctx, false, func(tx *sql.Tx) error {
		for _, r := range rows {
			if err := put(tx, t.doc(r)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return unavailable(err)
	}
	t.e.log(rowsName(t.name), len(rows))
	return nil
}

func (t *sqliteTable) Swap(ctx context.Context, row Row, expect uint64) (bool, error) {
	swapped := false
	err := t.e.do(ctx, false, func(tx *sql.Tx) error {
		swapped = false
		d := t.doc(row)
		var version int64
		var old string
		err := tx.QueryRow(`SELECT version, keys FROM docs WHERE tbl = ? AND id = ?`, d.table, d.id).Scan(&version, &old)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if uint64(version) != expect {
			return nil
		}
		swapped = true
		return force(tx, d, old)
	})
	if err != nil {
		return false, unavailable(err)
	}
	t.e.log(rowsName(t.name), 1)
	return swapped, nil
}

func (t *sqliteTable) Delete(ctx context.Context, tenant string, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	err := t.e.do(ctx, false, func(tx *sql.Tx) error {
		for _, id := range ids {
			if err := drop(tx, t.name, tenant, aggKey(tenant, id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return unavailable(err)
	}
	return nil
}

func (t *sqliteTable) Get(ctx context.Context, tenant, id string) (Row, bool, error) {
	rows, err := t.GetMany(ctx, tenant, []string{id})
	if err != nil || len(rows) == 0 {
		return Row{}, false, err
	}
	return rows[0], true, nil
}

func (t *sqliteTable) GetMany(ctx context.Context, tenant string, ids []string) ([]Row, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := []any{t.name}
	for _, id := range ids {
		args = append(args, aggKey(tenant, id))
	}
	return t.query(ctx, `SELECT d.id, d.version, d.keys, d.body FROM docs d WHERE d.tbl = ? AND d.id IN (`+marks(len(ids))+`)`, args...)
}

func (t *sqliteTable) List(ctx context.Context, tenant, index, key, after string, limit int) ([]Row, error) {
	if index == "" {
		key = ""
	}
	return t.query(ctx, `SELECT d.id, d.version, d.keys, d.body FROM keys k JOIN docs d ON d.tbl = k.tbl AND d.id = k.id
		WHERE k.tbl = ? AND k.name = ? AND k.tenant = ? AND k.key = ? AND k.created = 0 AND k.id > ? ORDER BY k.id LIMIT ?`,
		t.name, index, tenant, key, aggKey(tenant, after), limit)
}

func (t *sqliteTable) Due(ctx context.Context, index, upTo string, limit int) ([]Row, error) {
	return t.query(ctx, `SELECT d.id, d.version, d.keys, d.body FROM keys k JOIN docs d ON d.tbl = k.tbl AND d.id = k.id
		WHERE k.tbl = ? AND k.name = ? AND k.key <= ? ORDER BY k.key, k.id LIMIT ?`, t.name, index, upTo, limit)
}

func (t *sqliteTable) query(ctx context.Context, query string, args ...any) ([]Row, error) {
	var out []Row
	err := t.e.rows(ctx, func(rs *sql.Rows) error {
		var id, keys string
		var r Row
		var version int64
		if err := rs.Scan(&id, &version, &keys, &r.Body); err != nil {
			return err
		}
		r.Tenant, r.ID = splitKey(id)
		r.Version = uint64(version)
		var err error
		r.Keys, err = unpackKeys(keys)
		out = append(out, r)
		return err
	}, query, args...)
	if err != nil {
		return nil, unavailable(err)
	}
	return out, nil
}
