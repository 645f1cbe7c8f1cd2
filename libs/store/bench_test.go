package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// BenchmarkUpdate is a command from 64 callers on documents of 2 kB, snapshots included.
func BenchmarkUpdate(b *testing.B) {
	for name, cfg := range map[string]store.Config{
		"mongodb": {URI: testkit.Mongo(b), Database: testkit.Database(b, testkit.Mongo(b))},
		"sqlite":  {URI: "sqlite:" + b.TempDir(), Database: "bench"},
	} {
		b.Run(name, func(b *testing.B) {
			db, err := store.Open(b.Context(), cfg, store.Options{Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			defer func() {
				if err := db.Close(context.WithoutCancel(b.Context())); err != nil {
					b.Error(err)
				}
			}()
			c := store.Register(db, storetest.Type(1))
			run := time.Now().UnixNano()
			open := storetest.Open(strings.Repeat("a long site ", 170), 1<<40, time.Time{})
			const documents = 2048
			for i := range documents {
				if _, err := c.Update(storetest.As(b.Context(), "t", "open"), fmt.Sprint("stk_", run, i), open); err != nil {
					b.Fatal(err)
				}
			}
			var next atomic.Int64
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := next.Add(1)
					id := fmt.Sprint("stk_", run, i%documents)
					if _, err := c.Update(storetest.As(b.Context(), "t", fmt.Sprint("k", i)), id, storetest.Take("x", 1)); err != nil {
						b.Error(err)
						return
					}
				}
			})
			if err := db.Flush(b.Context()); err != nil {
				b.Error(err)
			}
		})
	}
}
