package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// TestSQLiteOnAFullDisk: a commit that finds no space is refused and leaves nothing behind; the
// next one finds what there is by then, in the same process and after a restart.
func TestSQLiteOnAFullDisk(t *testing.T) {
	disk := testkit.SmallDisk(t, "16m")
	open := func() (*store.DB, *store.Collection[storetest.Stock, storetest.Fact]) {
		db, err := store.Open(t.Context(), store.Config{URI: "sqlite:" + disk.Dir, Database: "test"}, store.Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return db, store.Register(db, storetest.Type(1))
	}
	db, c := open()
	openStocks(t, c)
	disk.Fill(t)
	done, full := 0, 0
	for full < 5 && done < 100_000 {
		switch err := takeOne(t.Context(), c, fmt.Sprint("full-", done+full)); {
		case err == nil:
			done++
		case fault.IsKind(err, fault.Unavailable):
			full++
		default:
			t.Fatal(err)
		}
	}
	if full == 0 {
		t.Fatal("the disk never was full")
	}
	disk.Free(t)
	for n := range full {
		if err := takeOne(t.Context(), c, fmt.Sprint("again-", n)); err != nil {
			t.Fatalf("with space again: %v", err)
		}
	}
	watched, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := db.Watch(watched); err != nil {
		t.Errorf("given up: %v", err)
	}
	want := int64(done + full)
	for range 2 {
		if states, facts := taken(t, c); states != want || facts != want {
			t.Errorf("%d taken by the states, %d by the facts, want %d", states, facts, want)
		}
		if err := db.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		db, c = open()
	}
	if err := db.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
