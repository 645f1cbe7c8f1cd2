package store_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
)

func TestSQLite(t *testing.T) { storetest.Run(t, sqliteIn(false)) }

// Snapshots that trail, as MongoDB's do, must change no promise.
func TestSQLiteWithLateSnapshots(t *testing.T) { storetest.Run(t, sqliteIn(true)) }

func sqliteIn(delay bool) func(t *testing.T) storetest.Opener {
	return func(t *testing.T) storetest.Opener {
		folder := t.TempDir()
		return func(t testing.TB, opt store.Options) *store.DB {
			opt.DelaySnapshots, opt.Log = delay, slog.New(slog.DiscardHandler)
			db, err := store.Open(t.Context(), store.Config{URI: "sqlite:" + folder, Database: "test"}, opt)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := db.Close(context.Background()); err != nil {
					t.Error(err)
				}
			})
			return db
		}
	}
}
