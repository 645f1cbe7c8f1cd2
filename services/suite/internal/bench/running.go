package bench

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// running is a suite in this process with what is measured of it.
type running struct {
	*suite.Suite
	name   string // of its engine
	run    string // part of every order number
	probe  string // address of its admin port
	count  *counter
	client *mongo.Client // of its mongod, nil without one
	ends   []func()
}

// server starts a mongod of one node, unless there is one, and connects to it; end undoes both.
func server() (uri string, client *mongo.Client, end func(), err error) {
	kill := func() {}
	if uri = os.Getenv("LOCKSTEP_TEST_MONGO_URI"); uri == "" {
		node, err := testkit.LaunchMongod()
		if err != nil {
			return "", nil, nil, err
		}
		uri, kill = node.URI(), node.Kill
	}
	if client, err = mongo.Connect(options.Client().ApplyURI(uri)); err != nil {
		kill()
		return "", nil, nil, err
	}
	return uri, client, func() {
		_ = client.Disconnect(context.Background()) // nothing to lose
		kill()
	}, nil
}

// onMongo starts a suite on a mongod of its own; NATS and the cache are in this process.
func onMongo(ctx context.Context) (*running, error) {
	uri, client, end, err := server()
	if err != nil {
		return nil, err
	}
	e, err := onPrefix(ctx, "mongodb", uri, client, testkit.Name("bench")+"_")
	if err != nil {
		end()
		return nil, err
	}
	e.ends = append([]func(){end}, e.ends...)
	return e, nil
}

// onPrefix starts a suite on databases whose names begin with a prefix.
func onPrefix(ctx context.Context, name, uri string, client *mongo.Client, prefix string) (*running, error) {
	e := &running{name: name, client: client}
	err := e.start(ctx, func(cfg *host.Config) {
		cfg.Store.URI, cfg.Store.Prefix = host.Secret(uri), prefix
	})
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// onEmbedded starts a suite on the engines inside this process.
func onEmbedded(ctx context.Context) (*running, error) {
	e := &running{name: "embedded"}
	return e, e.start(ctx, func(*host.Config) {})
}

// pieces is how much of each item is on hand at the beginning: more than any run orders.
const pieces = 100_000_000

// start starts the suite with what the load needs.
func (e *running) start(ctx context.Context, set func(*host.Config)) error {
	if err := e.begin(ctx, set); err != nil {
		return err
	}
	d := &lifecycle.Driver{Dial: e.grpc().dial, Now: clock.System{}.Now}
	return d.Setup(ctx, skus, pieces)
}

// begin starts the suite with nothing in it.
func (e *running) begin(ctx context.Context, set func(*host.Config)) error {
	data, err := os.MkdirTemp("", "lockstep-bench-")
	if err != nil {
		return err
	}
	e.ends = append(e.ends, func() { _ = os.RemoveAll(data) })
	s, err := suite.New()
	if err != nil {
		return err
	}
	e.Suite, e.run, e.count = s, testkit.Name("r"), &counter{}
	s.Data, s.Log, s.Writes = data, io.Discard, e.count.add
	set(&s.Config)
	if e.probe, err = testkit.FreeAddress(); err != nil {
		return err
	}
	s.Config.Listen.Admin = e.probe
	if err := host.Load("", []string{"GATEWAY__LISTEN=127.0.0.1:0"}, nil, &s.Config, s.Units...); err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	e.ends = append(e.ends, func() { _ = s.Stop(context.WithoutCancel(ctx)) })
	return nil
}

// close undoes start, last things first.
func (e *running) close() error {
	for i := len(e.ends) - 1; i >= 0; i-- {
		e.ends[i]()
	}
	return nil
}

// told is what mongod tells of itself.
type told struct{ cpu, documents float64 } // seconds used; documents inserted, updated and deleted

// server asks mongod; nothing without one.
func (e *running) server(ctx context.Context) (told, error) {
	if e.client == nil {
		return told{}, nil
	}
	var status struct {
		Extra struct {
			User   int64 `bson:"user_time_us"`
			System int64 `bson:"system_time_us"`
		} `bson:"extra_info"`
		Metrics struct {
			Document struct {
				Inserted, Updated, Deleted int64
			} `bson:"document"`
		} `bson:"metrics"`
	}
	if err := e.client.Database("admin").RunCommand(ctx, bson.D{{Key: "serverStatus", Value: 1}}).Decode(&status); err != nil {
		return told{}, err
	}
	d := status.Metrics.Document
	return told{float64(status.Extra.User+status.Extra.System) / 1e6, float64(d.Inserted + d.Updated + d.Deleted)}, nil
}

// usage returns the CPU seconds that this process has used.
func usage() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(r.Utime) + seconds(r.Stime)
}

// counter counts documents written: commits and rows, snapshots, and the records that each
// relay and consumer writes once a second, however many orders there are.
type counter struct {
	mu sync.Mutex
	counted
}

type counted struct{ writes, snapshots, records float64 }

func (c *counter) add(collection string, documents int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := float64(documents)
	switch {
	case strings.HasPrefix(collection, "rows_bus_") && collection != "rows_bus_applied": // that has a row an aggregate
		c.records += n
	case strings.HasPrefix(collection, "state_"):
		c.snapshots += n
	default:
		c.writes += n
	}
}

func (c *counter) read() counted {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counted
}

// durations are how long commands took, by name.
type durations struct {
	mu     sync.Mutex
	byName map[string][]time.Duration
}

func newDurations() *durations { return &durations{byName: map[string][]time.Duration{}} }

func (d *durations) add(command string, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byName[command] = append(d.byName[command], took)
}

func (d *durations) count(command string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.byName[command])
}

// quantiles returns the median and the 99th percentile over all commands, milliseconds.
func (d *durations) quantiles() (p50, p99 float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []time.Duration
	for _, took := range d.byName {
		all = append(all, took...)
	}
	slices.Sort(all)
	if len(all) == 0 {
		return 0, 0
	}
	return ms(all[len(all)/2]), ms(all[len(all)*99/100])
}
