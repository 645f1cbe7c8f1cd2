package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/lockstep-logistics/lockstep/libs/store"
)

// wholeTenant has the histories as one command's facts, cutTenant with a snapshot half-way.
const (
	wholeTenant = "whole"
	cutTenant   = "cut"
)

// fold lets the store fold the histories, and returns the state of each as its snapshot holds it.
func (c Corpus[S, F]) fold(ctx context.Context, folder string, histories []History[F]) ([]json.RawMessage, error) {
	if err := c.within(ctx, folder, func(all *store.Collection[S, F]) error {
		for i, h := range histories {
			err := commit(ctx, all, wholeTenant, "all", i, h.Facts)
			if err = errors.Join(err, commit(ctx, all, cutTenant, "begin", i, h.Facts[:half(h)])); err != nil {
				return fmt.Errorf("history %q: %w", h.Name, err)
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	// Opened anew, nothing is known of a state but its snapshot.
	if err := c.within(ctx, folder, func(all *store.Collection[S, F]) error {
		for i, h := range histories {
			if err := commit(ctx, all, cutTenant, "end", i, h.Facts[half(h):]); err != nil {
				return fmt.Errorf("history %q: %w", h.Name, err)
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	states, err := snapshots(ctx, folder, c.Type.Name)
	if err != nil {
		return nil, err
	}
	out := make([]json.RawMessage, len(histories))
	for i, h := range histories {
		out[i] = states[wholeTenant+"/"+aggregate(i)]
		if on := states[cutTenant+"/"+aggregate(i)]; !bytes.Equal(out[i], on) {
			return nil, fmt.Errorf("history %q: a state read from its snapshot folds on to another one:\n%s", h.Name, cmp.Diff(indented(out[i]), indented(on)))
		}
	}
	return out, nil
}

func half[F any](h History[F]) int { return (len(h.Facts) + 1) / 2 }

func aggregate(i int) string { return fmt.Sprint("history-", i) }

// commit stores facts of history i.
func commit[S, F any](ctx context.Context, all *store.Collection[S, F], tenant, key string, i int, facts []F) error {
	ctx = As(ctx, tenant, key)
	_, err := all.Update(ctx, aggregate(i), func(c store.Current[S]) (store.Decision[F], error) {
		return store.Decision[F]{Facts: facts}, nil
	})
	return err
}

// within opens the type's collection for as long as do takes.
func (c Corpus[S, F]) within(ctx context.Context, folder string, do func(*store.Collection[S, F]) error) error {
	db, err := store.Open(ctx, store.Config{URI: "sqlite:" + folder, Database: "corpus"}, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return errors.Join(do(store.Register(db, c.Type)), db.Close(context.WithoutCancel(ctx)))
}

// snapshots reads the packed states of a type, by aggregate.
func snapshots(ctx context.Context, folder, typ string) (states map[string]json.RawMessage, err error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "corpus.db"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, `SELECT id, body FROM docs WHERE tbl = ?`, typ)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	states = map[string]json.RawMessage{}
	for rows.Next() {
		var id string
		var doc []byte
		if err := rows.Scan(&id, &doc); err != nil {
			return nil, err
		}
		if states[id], err = canonical(bson.Raw(doc).Lookup("s").Document()); err != nil {
			return nil, err
		}
	}
	return states, rows.Err()
}

// canonical writes a packed state so that the same state is the same bytes: maps have no order.
func canonical(state bson.Raw) (json.RawMessage, error) {
	text, err := bson.MarshalExtJSON(state, false, false)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber() // beyond 2^53
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v) // sorts
}

func hash(state []byte) string {
	sum := sha256.Sum256(state)
	return hex.EncodeToString(sum[:])
}
