package storetest

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/store"
)

// What one database gives: so many histories, none so long that nobody reads it.
const (
	recordAtOnce = 12
	recordFacts  = 40
	recordBytes  = 8 << 10
)

// record appends those histories of a SQLite database that show most facts after facts which
// no history shows in this order yet, short ones first.
func (c Corpus[S, F]) record(ctx context.Context, all *corpus, database string) error {
	found, err := c.histories(ctx, database)
	if err != nil {
		return err
	}
	shown := map[[2]string]bool{}
	for _, p := range all.pasts {
		maps.Copy(shown, pairs(p.facts))
		delete(found, p.name)
	}
	maps.DeleteFunc(found, func(_ string, facts []line) bool {
		size := 0
		for _, l := range facts {
			size += len(l.Data)
		}
		return len(facts) > recordFacts || size > recordBytes
	})
	for range recordAtOnce {
		best, most := "", 0
		for _, id := range slices.Sorted(maps.Keys(found)) {
			gain := 0
			for p := range pairs(found[id]) {
				if !shown[p] {
					gain++
				}
			}
			if gain > most || gain == most && gain > 0 && len(found[id]) < len(found[best]) {
				best, most = id, gain
			}
		}
		if most == 0 {
			return nil
		}
		if err := all.append(found[best]...); err != nil {
			return err
		}
		maps.Copy(shown, pairs(found[best]))
		delete(found, best)
	}
	return nil
}

// pairs are the types of facts that follow each other.
func pairs(facts []line) map[[2]string]bool {
	out := map[[2]string]bool{}
	last := ""
	for _, l := range facts {
		out[[2]string{last, l.Type}] = true
		last = l.Type
	}
	return out
}

// histories reads the stored facts of every aggregate of the type.
func (c Corpus[S, F]) histories(ctx context.Context, database string) (map[string][]line, error) {
	folder, name := filepath.Split(database)
	cfg := store.Config{URI: "sqlite:" + folder, Database: strings.TrimSuffix(name, ".db")}
	db, err := store.Open(ctx, cfg, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	found := map[string][]line{}
	err = db.Tail(ctx, "", func(commit store.RawCommit) error {
		if commit.AggregateType != c.Type.Name {
			return nil
		}
		id := commit.Tenant + "/" + commit.ID
		for _, f := range commit.Facts {
			l, err := recorded(id, f.Type, f.Data)
			if err != nil {
				return err
			}
			found[id] = append(found[id], l)
		}
		return nil
	}, func(store.Position) error { return errStop })
	if errors.Is(err, errStop) {
		err = nil
	}
	return found, errors.Join(err, db.Close(context.WithoutCancel(ctx)))
}
