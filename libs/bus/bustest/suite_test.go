package bustest_test

import (
	"context"
	"flag"
	"os"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/bus/bustest"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil { // they wait for leases and periods more than they compute
		panic(err)
	}
	os.Exit(m.Run())
}

func TestMemory(t *testing.T) {
	bustest.Run(t, func(*testing.T) bustest.DB { return bustest.NewMemory(bustest.Thing, bustest.Other) })
}

func TestMongo(t *testing.T) {
	uri := testkit.Mongo(t)
	bustest.Run(t, func(t *testing.T) bustest.DB { return open(t, uri, testkit.Database(t, uri), store.Options{}) })
}

func open(t *testing.T, uri, name string, opt store.Options) bustest.DB {
	db, err := store.Open(t.Context(), store.Config{URI: uri, Database: name}, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return bustest.OnStore(db)
}

func TestSlowConsumerKeepsItsPlace(t *testing.T) {
	t.Parallel()
	bustest.Patience(t, func(*testing.T) bustest.DB { return bustest.NewMemory(bustest.Thing, bustest.Other) })
}
