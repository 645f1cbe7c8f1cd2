package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/integration/sandbox"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// services are the services by name; each has a program of its own.
var services = []string{
	"master-data", "order-release", "inventory-movement", "shipment-visibility", "freight-settlement", "returns", "integration", "control-tower",
}

// programs is the folder of all programs.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lockstep")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }() // of no use any more
		programs = dir
		all := []string{"./services/suite/cmd/lockstep", "./gateway/cmd/gateway"}
		for _, s := range services {
			all = append(all, "./"+filepath.ToSlash(filepath.Join("services", s, "cmd", s)))
		}
		err = fleet.Build(context.Background(), testkit.Root(), dir, "", all...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// within bounds what a test waits for.
const within = 4 * time.Minute

// onBothShapes runs the test on the suite in one process and on one process a service.
func onBothShapes(t *testing.T, test func(t *testing.T, f *fleet.Fleet)) {
	t.Run("embedded", func(t *testing.T) {
		f, err := fleet.NewWhole(programs, t.TempDir(), nil)
		started(t, f, err)
		test(t, f)
	})
	t.Run("processes", func(t *testing.T) {
		mongo := testkit.Mongo(t)
		f, err := fleet.New(programs, t.TempDir(), fleet.Servers{
			Mongo: mongo, Prefix: testkit.Database(t, mongo) + "_", NATS: testkit.StartNATS(t).URL(), Redis: testkit.Redis(t),
		}, services)
		started(t, f, err)
		test(t, f)
	})
}

// started starts the fleet; it ends in order when the test does.
func started(t *testing.T, f *fleet.Fleet, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Kill)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := f.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

// conn is the public API for a caller.
func conn(t *testing.T, f *fleet.Fleet, caller guard.Caller) *rest.Conn {
	t.Helper()
	token, err := f.Token(caller)
	if err != nil {
		t.Fatal(err)
	}
	return &rest.Conn{Base: f.URL, Token: token, HTTP: &http.Client{Timeout: time.Minute}}
}

// patient is a client that tries again under its key while the suite is busy.
func patient(t *testing.T, f *fleet.Fleet, who guard.Caller) *sandbox.Client {
	t.Helper()
	token, err := f.Token(who)
	if err != nil {
		t.Fatal(err)
	}
	return &sandbox.Client{Base: f.URL, Token: token, Patience: within, HTTP: &http.Client{
		Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 500},
	}}
}

// company is the sandbox's company as a tenant; its carriers are somebody else.
func company(t *testing.T, f *fleet.Fleet, who guard.Caller) (*sandbox.Client, *sandbox.Cast) {
	t.Helper()
	carriers := who
	carriers.Principal = "carriers"
	client := patient(t, f, who)
	return client, sandbox.NewCast(client, patient(t, f, carriers))
}

// driver walks orders of a tenant of its own.
func driver(t *testing.T, f *fleet.Fleet) (*lifecycle.Driver, guard.Caller) {
	t.Helper()
	caller := guard.AdminCaller(testkit.Name("t"))
	api := conn(t, f, caller)
	return &lifecycle.Driver{Dial: func(string) grpc.ClientConnInterface { return api }, Now: clock.System{}.Now}, caller
}
