package hosttest

import (
	"fmt"
	"sync/atomic"
	"testing"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

// BenchmarkAdd is a command from client to commit and back, through everything, by 64
// callers on counters of their own.
func BenchmarkAdd(b *testing.B) {
	for _, engine := range Engines {
		b.Run(engine, func(b *testing.B) {
			s := Serve(b, engine, probeUnit())
			c := probev1.NewProbeServiceClient(s.Client("probe", s.Caller(commonv1.Role_ROLE_LOGISTICS)))
			var n atomic.Int64
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				id := fmt.Sprint("c", n.Add(1))
				for pb.Next() {
					if _, err := c.Add(b.Context(), &probev1.AddRequest{CounterId: id}); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
		})
	}
}

// BenchmarkGetCount is a query the same way.
func BenchmarkGetCount(b *testing.B) {
	s := Serve(b, "sqlite", probeUnit())
	c := probev1.NewProbeServiceClient(s.Client("probe", s.Caller(commonv1.Role_ROLE_LOGISTICS)))
	if _, err := c.Add(b.Context(), &probev1.AddRequest{CounterId: "c"}); err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.GetCount(b.Context(), &probev1.GetCountRequest{CounterId: "c"}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "queries/s")
}
