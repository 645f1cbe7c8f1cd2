package store_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
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

// A folder's name is a name, whatever it would mean in a URI: the database lies in it, and
// nothing lies beside it.
func TestSQLiteInAnyFolder(t *testing.T) {
	for _, name := range []string{"plain", "a#b", "a?b", "a?mode=memory", "50%", "%23", "two words", "a+b&c=d;e", "grün", "c:d"} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for _, folder := range []string{filepath.Join(t.TempDir(), name), name} { // absolute, relative
				db, err := store.Open(t.Context(), store.Config{URI: "sqlite:" + folder, Database: "test"}, store.Options{Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				if err := db.Close(context.Background()); err != nil {
					t.Error(err)
				}
				if info, err := os.Stat(filepath.Join(folder, "test.db")); err != nil || info.Size() == 0 {
					t.Errorf("%s: %v", folder, err)
				}
				if beside, err := os.ReadDir(filepath.Dir(folder)); err != nil || len(beside) != 1 {
					t.Errorf("%s: beside it lie %v, %v", folder, beside, err)
				}
			}
		})
	}
}
