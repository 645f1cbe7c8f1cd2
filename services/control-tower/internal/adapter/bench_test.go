package adapter

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/storytest"
)

func benchDB(b *testing.B, engine string, rows *atomic.Int64) *store.DB {
	b.Helper()
	cfg := store.Config{URI: "sqlite:" + b.TempDir(), Database: "control_tower"}
	if engine == "mongodb" {
		uri := testkit.Mongo(b)
		cfg = store.Config{URI: uri, Database: testkit.Database(b, uri)}
	}
	db, err := store.Open(context.Background(), cfg, store.Options{Monitor: func(_ string, n int) { rows.Add(int64(n)) }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close(context.Background()) })
	return db
}

// facts are those of n orders, each with its invoice.
func orders(n int) (facts []bus.Fact) {
	for i := range n {
		story := storytest.New("t")
		number := fmt.Sprintf("SO-%06d", i)
		story.Invoice("INV-"+number, story.Ship(number))
		facts = append(facts, story.Envelopes()...)
	}
	return facts
}

// BenchmarkRecord is the recording of facts by as many workers as a consumer has.
func BenchmarkRecord(b *testing.B) {
	for _, engine := range []string{"sqlite", "mongodb"} {
		b.Run(engine, func(b *testing.B) {
			var rows atomic.Int64
			recorder := NewRecorder(benchDB(b, engine, &rows))
			facts := orders(b.N/25 + 1)
			var next atomic.Int64
			b.SetParallelism(16)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := recorder.Record(context.Background(), facts[next.Add(1)-1]); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "facts/s")
			b.ReportMetric(float64(rows.Load())/float64(b.N), "rows/fact")
		})
	}
}

// BenchmarkTrace is the story of one order among 200 that were recorded side by side.
func BenchmarkTrace(b *testing.B) {
	for _, engine := range []string{"sqlite", "mongodb"} {
		b.Run(engine, func(b *testing.B) {
			db := benchDB(b, engine, new(atomic.Int64))
			recorder, server := NewRecorder(db), NewServer(db, clock.System{}, Bounds{Nodes: 500, Steps: 2000})
			group, ctx := errgroup.WithContext(context.Background())
			group.SetLimit(32)
			for _, f := range orders(200) {
				group.Go(func() error { return recorder.Record(ctx, f) })
			}
			if err := group.Wait(); err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			for range b.N {
				if _, err := server.Trace(as(context.Background(), "t"), &controltowerv1.TraceRequest{Key: "PRO-SO-000100"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRead is what a fact costs before it is written.
func BenchmarkRead(b *testing.B) {
	facts := orders(1)
	b.ReportAllocs()
	for i := range b.N {
		if _, _, err := entryOf(facts[i%len(facts)]); err != nil {
			b.Fatal(err)
		}
	}
}
