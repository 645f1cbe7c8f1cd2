package campaign

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// retryStorm is a campaign of its own: a thousand patient clients, and a database that answers
// nobody for a minute. Everything is healthy before and after, so that all there is to wait out
// is what the clients themselves do.
const retryStorm = "retry storm"

const (
	stormClients = 1000
	stormThink   = 20 * time.Second // between two commands of a client, a half more or less
	stormOutage  = time.Minute
	stormWithin  = time.Minute      // until the rate is what it was
	stormSpan    = 20 * time.Second // over which a rate is taken: a turn of every client
	stormShare   = 0.9              // of the rate before
	stormOrders  = 10               // one client in so many submits orders; the others adjust stock
)

func (o Options) storm() bool { return slices.Equal(o.Only, []string{retryStorm}) }

// outage stops all mongods for a while.
func outage(ctx context.Context, n *nemesis) (string, error) {
	var err error
	for _, m := range n.Mongo {
		err = errors.Join(err, m.Pause())
	}
	if err == nil {
		err = n.rest(ctx, stormOutage)
	}
	for _, m := range n.Mongo {
		err = errors.Join(err, m.Resume())
	}
	return fmt.Sprintf("all %d mongods", len(n.Mongo)), err
}

// storm strikes once and lets the clients go on until the rate is to be what it was.
func (n *nemesis) storm(ctx context.Context, r *Report) error {
	if err := n.one(ctx, fault{retryStorm, outage}); err != nil {
		return err
	}
	r.resumed = time.Now()
	return n.rest(ctx, stormWithin+stormSpan)
}

// calm keeps many clients that each send little, until ctx ends; each then finishes what it is at.
func (l *load) calm(ctx context.Context) {
	var group sync.WaitGroup
	for n := range stormClients {
		group.Go(func() {
			if err := l.patient(ctx, n); err != nil {
				l.fail(fmt.Errorf("client %d: %w", n, err))
			}
		})
	}
	group.Wait()
}

// patient is one client that sends a command, thinks, and sends the next.
func (l *load) patient(ctx context.Context, n int) error {
	conn, err := l.conn(n)
	if err != nil {
		return err
	}
	stocks, orders := inventorymovementv1.NewInventoryMovementServiceClient(conn), driver(conn)
	pauseFor(ctx, rand.N(stormThink))
	for i := 0; ctx.Err() == nil; i++ {
		name, sku := fmt.Sprintf("S%d-%d", n, i), lifecycle.SKU((n+i)%items)
		call, done := context.WithTimeout(context.WithoutCancel(ctx), orderTime)
		if n%stormOrders == 0 {
			_, err = orders.Submit(call, name, []lifecycle.Line{{SKU: sku, Quantity: 1}})
		} else {
			_, err = stocks.AdjustStock(metadata.AppendToOutgoingContext(call, guard.MetaKey, "storm:"+name), &inventorymovementv1.AdjustStockRequest{
				Site: lifecycle.Site, Sku: sku, Location: "A-01", Change: &commonv1.Quantity{Value: "1", Unit: "EA"}, Reason: "STORM",
			})
		}
		done()
		if err != nil {
			return err
		}
		pauseFor(ctx, stormThink/2+rand.N(stormThink))
	}
	return nil
}

// rate is how many commands a second succeeded in a span.
func (r *Report) rate(from, to time.Time) float64 {
	n := 0
	for _, s := range r.samples {
		if end := s.begin.Add(s.took); !end.Before(from) && end.Before(to) {
			n++
		}
	}
	return float64(n) / to.Sub(from).Seconds()
}

// recovered says what became of the clients after a storm, once all have come to an end.
func (r *Report) recovered() (before, after float64, backlog time.Duration) {
	before = r.rate(r.first.Add(-stormSpan), r.first)
	after = r.rate(r.resumed.Add(stormWithin), r.resumed.Add(stormWithin+stormSpan))
	for _, s := range r.samples {
		if s.begin.Before(r.resumed) {
			backlog = max(backlog, s.begin.Add(s.took).Sub(r.resumed))
		}
	}
	return before, after, backlog
}

// judgeStorm adds a violation where the rate did not come back in time, if there was a storm.
func (r *Report) judgeStorm() {
	if r.resumed.IsZero() {
		return
	}
	if before, after, _ := r.recovered(); before == 0 || after < stormShare*before {
		r.Violations = append(r.Violations, fmt.Sprintf("%.0f s after the database answers again %.1f commands a second succeed, before it was gone %.1f",
			stormWithin.Seconds(), after, before))
	}
}

// stormFigures are those of a storm, if there was one.
func (r *Report) stormFigures() []figure {
	if r.resumed.IsZero() {
		return nil
	}
	before, after, backlog := r.recovered()
	return []figure{
		{"cluster.storm_before_per_s", fmt.Sprintf("%.1f", before)},
		{"cluster.storm_after_per_s", fmt.Sprintf("%.1f", after)},
		{"cluster.storm_backlog_s", seconds(backlog)},
	}
}
