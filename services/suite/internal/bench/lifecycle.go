package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// skus is how many items orders choose from when they do not all want one.
const skus = 1000

// walkers is how many orders are under way at a time.
const walkers = 48

// Lifecycle walks straight orders of three lines from submission to the paid freight invoice
// on the whole suite in this process, load included: over gRPC and REST, on MongoDB and on the
// embedded engines, spread over many items and all on one.
func Lifecycle(ctx context.Context, r *Report) error {
	mongo, err := onMongo(ctx)
	if err != nil {
		return err
	}
	embedded, err := onEmbedded(ctx)
	if err != nil {
		return errors.Join(err, mongo.close())
	}
	rounds, long := 3, 10*time.Second
	if r.Quick {
		rounds, long = 1, 3*time.Second
	}
	for range rounds {
		if err = lifecycles(ctx, r, mongo, embedded, long); err != nil {
			break
		}
	}
	return errors.Join(err, mongo.close(), embedded.close())
}

// lifecycles is one round: every engine through every door, then what is compared with it.
func lifecycles(ctx context.Context, r *Report, mongo, embedded *running, long time.Duration) error {
	var last *loaded
	rates := map[string]float64{}
	for _, e := range []*running{embedded, mongo} {
		for _, d := range []*door{e.rest(), e.grpc()} {
			var err error
			if last, err = e.load(ctx, d, wide, walkers, long); err != nil {
				return err
			}
			last.report(r, "lifecycle."+e.name+"."+d.name)
			rates[e.name+d.name] = last.rate
		}
		r.Add("lifecycle."+e.name+".rest_to_grpc", "ratio", rates[e.name+"rest"]/rates[e.name+"grpc"])
	}
	r.Add("lifecycle.embedded_to_mongodb", "ratio", rates[embedded.name+"grpc"]/last.rate)
	r.Add("lifecycle.orders_per_s", "1/s", last.rate)
	r.Add("lifecycle.writes", "documents", last.writes)
	r.Add("lifecycle.snapshots", "documents", last.snapshots)
	r.Add("lifecycle.records", "documents", last.records)
	r.Add("lifecycle.mongod_documents", "documents", last.documents)
	hot, err := mongo.load(ctx, mongo.grpc(), narrow, walkers, long)
	if err != nil {
		return err
	}
	hot.report(r, "lifecycle.mongodb.hot")
	r.Add("lifecycle.hot", "ratio", hot.rate/last.rate)
	if err := embedded.lag(ctx, r, "lifecycle.embedded.lag", rates[embedded.name+"grpc"]/2, long); err != nil {
		return err
	}
	return mongo.lag(ctx, r, "lifecycle.lag", last.rate/2, long)
}

// door is a way into the suite.
type door struct {
	name string
	dial func(service string) grpc.ClientConnInterface
}

func (e *running) grpc() *door {
	caller := guard.AdminCaller(e.AdminTenant())
	return &door{"grpc", func(service string) grpc.ClientConnInterface { return &as{caller, e.Dial(service)} }}
}

func (e *running) rest() *door {
	conn := &rest.Conn{Base: e.URL(), Token: e.AdminToken(), HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * walkers}}}
	return &door{"rest", func(string) grpc.ClientConnInterface { return conn }}
}

// as makes calls for one caller.
type as struct {
	caller guard.Caller
	grpc.ClientConnInterface
}

// Invoke implements grpc.ClientConnInterface.
func (a *as) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return a.ClientConnInterface.Invoke(guard.WithCaller(ctx, a.caller), method, args, reply, opts...)
}

// wide orders three different items, narrow three times the same one.
func wide(n int) []lifecycle.Line {
	return []lifecycle.Line{{SKU: lifecycle.SKU(n * 7 % skus), Quantity: 1 + n%3}, {SKU: lifecycle.SKU((n*7 + 1) % skus), Quantity: 2}, {SKU: lifecycle.SKU((n*7 + 2) % skus), Quantity: 1}}
}

func narrow(n int) []lifecycle.Line {
	return []lifecycle.Line{{SKU: lifecycle.SKU(0), Quantity: 1 + n%3}, {SKU: lifecycle.SKU(0), Quantity: 2}, {SKU: lifecycle.SKU(0), Quantity: 1}}
}

// loaded are the figures of one run.
type loaded struct {
	rate                       float64 // orders a second
	cpu                        float64 // of this process, milliseconds an order
	server                     float64 // of mongod, milliseconds an order
	documents                  float64 // that mongod says it wrote, an order
	writes, snapshots, records float64 // an order
	commands                   *durations
}

// orders numbers all orders of the process.
var orders atomic.Int64

// load walks orders until the time is over and all that were begun are done.
func (e *running) load(ctx context.Context, d *door, lines func(int) []lifecycle.Line, callers int, long time.Duration) (*loaded, error) {
	took := newDurations()
	driver := &lifecycle.Driver{Dial: d.dial, Observe: took.add, Now: clock.System{}.Now}
	writes, cpu := e.count.read(), usage()
	server, err := e.server(ctx)
	if err != nil {
		return nil, err
	}
	f, err := Load{Callers: callers, For: long, Do: func(ctx context.Context, _, _ int) error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		n := int(orders.Add(1))
		return driver.Walk(ctx, fmt.Sprintf("%s-%07d", e.run, n), lines(n))
	}}.Run(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s over %s: %w", e.name, d.name, err)
	}
	n := float64(took.count("SubmitOrder"))
	if n == 0 {
		return nil, errors.New("no order was walked")
	}
	after := e.count.read()
	now, err := e.server(ctx)
	if err != nil {
		return nil, err
	}
	return &loaded{
		rate: f.PerSecond, cpu: 1000 * (usage() - cpu) / n, server: 1000 * (now.cpu - server.cpu) / n, commands: took,
		documents: (now.documents - server.documents) / n,
		writes:    (after.writes - writes.writes) / n, snapshots: (after.snapshots - writes.snapshots) / n, records: (after.records - writes.records) / n,
	}, nil
}

func (l *loaded) report(r *Report, name string) {
	r.Add(name+".orders_per_s", "1/s", l.rate)
	r.Add(name+".cpu_ms", "ms an order", l.cpu)
	if l.server > 0 {
		r.Add(name+".mongod_cpu_ms", "ms an order", l.server)
	}
	p50, p99 := l.commands.quantiles()
	r.Add(name+".command_p50", "ms", p50)
	r.Add(name+".command_p99", "ms", p99)
}

// lag walks orders at a fixed rate and reads from the metrics how long facts take to be applied.
func (e *running) lag(ctx context.Context, r *Report, name string, perSecond float64, long time.Duration) error {
	d := e.grpc()
	driver := &lifecycle.Driver{Dial: d.dial, Now: clock.System{}.Now}
	before, err := e.quiet(ctx) // what an earlier run left to do is not this one's
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	var failed atomic.Pointer[error]
	tick := time.NewTicker(time.Duration(float64(time.Second) / perSecond))
	defer tick.Stop()
	for end := time.Now().Add(long); time.Now().Before(end); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		group.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			n := int(orders.Add(1))
			if err := driver.Walk(ctx, fmt.Sprintf("%s-%07d", e.run, n), wide(n)); err != nil {
				failed.Store(&err)
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	after, err := e.quiet(ctx)
	if err != nil {
		return err
	}
	all, acting := histogram{}, histogram{}
	for consumer, h := range after {
		took := h.since(before[consumer])
		all.add(took)
		if !strings.HasPrefix(consumer, "trace-") {
			acting.add(took)
		}
	}
	r.Add(name+"_p50_ms", "ms", 1000*all.quantile(.5))
	r.Add(name+"_p99_ms", "ms", 1000*all.quantile(.99))
	r.Add(name+"_acting_p99_ms", "ms", 1000*acting.quantile(.99)) // without the tower's records
	return nil
}
