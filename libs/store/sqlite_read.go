package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"
)

func (e *sqlite) snapshots(ctx context.Context, typ string, aggs []string) (map[string][]byte, error) {
	args := []any{typ}
	for _, a := range aggs {
		args = append(args, a)
	}
	out := make(map[string][]byte, len(aggs))
	err := e.rows(ctx, func(rs *sql.Rows) error {
		var id string
		var b []byte
		if err := rs.Scan(&id, &b); err != nil {
			return err
		}
		out[id] = b
		return nil
	}, `SELECT id, body FROM docs WHERE tbl = ? AND id IN (`+marks(len(aggs))+`)`, args...)
	return out, err
}

func (e *sqlite) commits(ctx context.Context, agg string, from uint64, limit int) ([][]byte, error) {
	return e.blobs(ctx, `SELECT doc FROM commits WHERE agg = ? AND version >= ? ORDER BY version LIMIT ?`, agg, int64(from), limit)
}

func (e *sqlite) latest(ctx context.Context, agg string) (uint64, error) {
	var v int64
	err := e.read.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM commits WHERE agg = ?`, agg).Scan(&v)
	return uint64(v), err
}

func (e *sqlite) next(ctx context.Context, versions map[string]uint64) (map[string]bool, error) {
	out := map[string]bool{}
	for agg, v := range versions {
		var one int
		err := e.read.QueryRowContext(ctx, `SELECT count(*) FROM commits WHERE agg = ? AND version = ?`, agg, int64(v)).Scan(&one)
		if err != nil {
			return nil, err
		}
		if one > 0 {
			out[agg] = true
		}
	}
	return out, nil
}

func (e *sqlite) causes(ctx context.Context, agg string, hashes [][16]byte) (map[[16]byte]uint64, error) {
	args := []any{agg}
	for _, h := range hashes {
		args = append(args, h[:])
	}
	out := map[[16]byte]uint64{}
	err := e.rows(ctx, func(rs *sql.Rows) error {
		var b []byte
		var v int64
		if err := rs.Scan(&b, &v); err != nil {
			return err
		}
		var h [16]byte
		copy(h[:], b)
		out[h] = max(out[h], uint64(v)) // a refusal may have been decided anew
		return nil
	}, `SELECT cause, version FROM causes WHERE agg = ? AND cause IN (`+marks(len(hashes))+`)`, args...)
	return out, err
}

func (e *sqlite) list(ctx context.Context, typ string, q listQuery) ([][]byte, error) {
	key := q.key
	if q.index == "" {
		key = ""
	}
	if q.after == "" {
		q.created = -1 << 63
	}
	return e.blobs(ctx, `SELECT d.body FROM keys k JOIN docs d ON d.tbl = k.tbl AND d.id = k.id
		WHERE k.tbl = ? AND k.name = ? AND k.tenant = ? AND k.key = ? AND (k.created, k.id) > (?, ?)
		ORDER BY k.created, k.id LIMIT ?`, typ, q.index, q.tenant, key, q.created, q.after, q.limit)
}

func (e *sqlite) due(ctx context.Context, typ, index, upTo string, limit int) ([]Ref, error) {
	var out []Ref
	err := e.rows(ctx, func(rs *sql.Rows) error {
		var id string
		if err := rs.Scan(&id); err != nil {
			return err
		}
		tenant, agg := splitKey(id)
		out = append(out, Ref{tenant, agg})
		return nil
	}, `SELECT id FROM keys WHERE tbl = ? AND name = ? AND key <= ? ORDER BY key, id LIMIT ?`, typ, index, upTo, limit)
	return out, err
}

func (e *sqlite) scan(ctx context.Context, typ, after string, limit int) ([][]byte, error) {
	return e.blobs(ctx, `SELECT body FROM docs WHERE tbl = ? AND id > ? ORDER BY id LIMIT ?`, typ, after, limit)
}

func (e *sqlite) outdated(ctx context.Context, typ string, fold, limit int) ([]string, error) {
	var out []string
	err := e.rows(ctx, func(rs *sql.Rows) error {
		var id string
		err := rs.Scan(&id)
		out = append(out, id)
		return err
	}, `SELECT id FROM docs WHERE tbl = ? AND fold > 0 AND fold < ? LIMIT ?`, typ, fold, limit)
	return out, err
}

// heads reads the types apart: a commit names its own inside its document only.
func (e *sqlite) heads(ctx context.Context, fn func(typ, agg string, version uint64) error) error {
	for after := ""; ; {
		var docs [][]byte
		var aggs []string
		err := e.rows(ctx, func(rs *sql.Rows) error {
			var agg string
			var doc []byte
			if err := rs.Scan(&agg, &doc); err != nil {
				return err
			}
			aggs, docs = append(aggs, agg), append(docs, doc)
			return nil
		}, `SELECT c.agg, c.doc FROM commits c JOIN (SELECT agg, max(version) AS version FROM commits WHERE agg > ? GROUP BY agg ORDER BY agg LIMIT ?) m
			ON c.agg = m.agg AND c.version = m.version ORDER BY c.agg`, after, tailAtOnce)
		if err != nil {
			return err
		}
		for i, doc := range docs {
			d, err := readCommit(doc)
			if err != nil {
				return err
			}
			if err := fn(d.Type, d.Agg, uint64(d.Version)); err != nil {
				return err
			}
			after = aggs[i]
		}
		if len(docs) < tailAtOnce {
			return nil
		}
	}
}

func (e *sqlite) end(ctx context.Context) (Position, error) {
	var seq int64
	err := e.read.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM commits`).Scan(&seq)
	return Position(strconv.FormatInt(seq, 10)), err
}

// tailRest is how often a tail tells that there are no more commits.
const tailRest = time.Second

// tailAtOnce is how many commits one read of the tail brings.
const tailAtOnce = 500

func (e *sqlite) tail(ctx context.Context, from Position, fn func([]byte, Position) error, rest func(Position) error) error {
	var seq int64
	if from != "" {
		var err error
		if seq, err = strconv.ParseInt(string(from), 10, 64); err != nil {
			return fmt.Errorf("%w: %q is no position of this engine", ErrPositionLost, from)
		}
	}
	end, err := e.end(ctx)
	if err != nil {
		return err
	}
	if newest, _ := strconv.ParseInt(string(end), 10, 64); seq > newest {
		return fmt.Errorf("%w: %d is ahead of %d", ErrPositionLost, seq, newest)
	}
	for {
		e.mu.Lock()
		grown := e.grown
		e.mu.Unlock()
		n, err := e.pass(ctx, &seq, fn)
		if err != nil {
			return err
		}
		if n == tailAtOnce {
			continue
		}
		if err := rest(Position(strconv.FormatInt(seq, 10))); err != nil {
			return err
		}
		select {
		case <-time.After(tailRest):
		case <-ctx.Done():
			return ctx.Err()
		case <-e.closed:
			return context.Canceled
		case <-grown:
		}
	}
}

// pass yields what one read brings.
func (e *sqlite) pass(ctx context.Context, seq *int64, fn func([]byte, Position) error) (int, error) {
	type row struct {
		seq int64
		doc []byte
	}
	var got []row
	err := e.rows(ctx, func(rs *sql.Rows) error {
		var r row
		if err := rs.Scan(&r.seq, &r.doc); err != nil {
			return err
		}
		got = append(got, r)
		return nil
	}, `SELECT seq, doc FROM commits WHERE seq > ? ORDER BY seq LIMIT ?`, *seq, tailAtOnce)
	if err != nil {
		return 0, err
	}
	for _, r := range got {
		if err := fn(r.doc, Position(strconv.FormatInt(r.seq, 10))); err != nil {
			return 0, err
		}
		*seq = r.seq
	}
	return len(got), nil
}
