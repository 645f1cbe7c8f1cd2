//go:build faults

package toxic

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/checker"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// programs is the folder of the suite's program.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	err := flag.Set("test.parallel", "4") // they wait far more than they compute
	if err == nil {
		programs, err = os.MkdirTemp("", "lockstep")
	}
	if err == nil {
		defer func() { _ = os.RemoveAll(programs) }() // of no use any more
		err = fleet.Build(context.Background(), testkit.Root(), programs, "faults", "./services/suite/cmd/lockstep")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Load and bounds of a case.
const (
	clients    = 3
	items      = 3
	perItem    = 100_000
	eventually = 3 * time.Minute
	deadline   = 15 * time.Second // the gateway's, of one request
	late       = 10 * time.Second // that a busy machine may be with its answer
)

// rig is a running suite of one tenant.
type rig struct {
	*fleet.Fleet
	checker.Suite
	tenant  string
	door    *history.Door
	orders  atomic.Int64
	entries []*history.Entry // of all cases so far
}

// begin starts a suite and gives its tenant master data and stock. direct leads to the
// databases past whatever is done to the suite's own way there.
func begin(t *testing.T, f *fleet.Fleet, direct, prefix string) *rig {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			for _, p := range f.Processes {
				t.Log(p.Tail())
			}
		}
		f.Kill()
	})
	ctx, cancel := context.WithTimeout(t.Context(), eventually)
	defer cancel()
	if err := f.Start(ctx); err != nil {
		t.Fatal(err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(direct))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) })
	r := &rig{Fleet: f, Suite: checker.Suite{Client: client, Prefix: prefix}, tenant: testkit.Name("t"), door: new(history.Door)}
	r.API = func(tenant string) grpc.ClientConnInterface { return r.conn(t, tenant) }
	r.logged(t, func(log *history.Log) {
		if err := r.driver(t, log, 0).Setup(ctx, items, perItem); err != nil {
			t.Fatal(err)
		}
	})
	return r
}

func (r *rig) conn(t *testing.T, tenant string) *rest.Conn {
	token, err := r.Token(guard.AdminCaller(tenant))
	if err != nil {
		t.Error(err)
	}
	return &rest.Conn{Base: r.URL, Token: token, HTTP: &http.Client{Timeout: 2 * deadline, Transport: r.door}}
}

// driver is the n-th client of the tenant; all it sends and is answered goes to the log.
func (r *rig) driver(t *testing.T, log *history.Log, n int) *lifecycle.Driver {
	conn := &history.Conn{API: r.conn(t, r.tenant), Log: log, Client: n, Tenant: r.tenant, Principal: guard.AdminCaller(r.tenant).Principal}
	return &lifecycle.Driver{Dial: func(string) grpc.ClientConnInterface { return conn }, Now: clock.System{}.Now}
}

// logged runs clients that write one log.
func (r *rig) logged(t *testing.T, run func(log *history.Log)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "history")
	log, err := history.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	run(log)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := history.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	r.entries = append(r.entries, entries...)
}

// under walks whole orders while something is done to the suite, lets each client finish the
// order that it is at, and holds all that clients were ever told against the databases.
func (r *rig) under(t *testing.T, hurt func(ctx context.Context)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eventually)
	defer cancel()
	r.door.Reset()
	begun := r.orders.Load()
	r.logged(t, func(log *history.Log) {
		var group sync.WaitGroup
		defer group.Wait()
		stop := make(chan struct{})
		defer close(stop) // also when hurt ends the test
		for n := range clients {
			d := r.driver(t, log, n)
			group.Go(func() {
				for {
					number := r.orders.Add(1)
					lines := []lifecycle.Line{{SKU: lifecycle.SKU(int(number) % items), Quantity: 2}, {SKU: lifecycle.SKU(int(number+1) % items), Quantity: 1}}
					if err := d.Walk(ctx, fmt.Sprintf("SO-%d", number), lines); err != nil {
						t.Error(err)
						return
					}
					select {
					case <-stop:
						return
					case <-time.After(100 * time.Millisecond): // a small load
					}
				}
			})
		}
		wait(ctx, time.Second) // everything is under way
		hurt(ctx)
	})
	r.sound(t)
	answers := r.door.Seen()
	t.Logf("%d orders; answers by status %v, the longest after %.1f s", r.orders.Load()-begun, answers, answers.Longest.Seconds())
	if answers.Longest > deadline+late {
		t.Errorf("an answer took %v, a request may take %v", answers.Longest, deadline)
	}
	for _, wrong := range answers.Wrong() {
		t.Error(wrong)
	}
}

// sound waits until the suite has come to rest and holds it against what clients were told.
func (r *rig) sound(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eventually)
	defer cancel()
	if still, err := checker.Settle(ctx, r.Suite); err != nil || len(still) > 0 {
		t.Fatalf("the suite does not come to rest: %v %v", err, still)
	}
	report, err := checker.Check(ctx, r.Suite, r.entries)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range report.Violations[:min(len(report.Violations), 10)] {
		t.Error(v)
	}
	if broken := report.Lost + report.Twice + report.NotApplied + len(report.Violations) + len(report.Undecided); report.Acknowledged == 0 || broken > 0 {
		t.Errorf("acknowledged %d, lost %d, twice %d, not applied %d, violations %d, undecided %v",
			report.Acknowledged, report.Lost, report.Twice, report.NotApplied, len(report.Violations), report.Undecided)
	}
}

// wait lets time go by.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
