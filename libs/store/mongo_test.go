package store_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

func TestMongoDB(t *testing.T) {
	uri := testkit.Mongo(t)
	storetest.Run(t, func(t *testing.T) storetest.Opener {
		name := testkit.Database(t, uri)
		return func(t testing.TB, opt store.Options) *store.DB {
			opt.Log = slog.New(slog.DiscardHandler)
			db, err := store.Open(t.Context(), store.Config{URI: uri, Database: name}, opt)
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
	})
}
