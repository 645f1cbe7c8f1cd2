package e2e

import (
	"context"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/integration/sandbox"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// TestWithoutMasterData: once the services have their copies, master data may be down: an
// order is walked from the ERP's document to the paid freight invoice and the credited return,
// and so is another after every service that follows master data was started again without it.
func TestWithoutMasterData(t *testing.T) {
	mongo := testkit.Mongo(t)
	f, err := fleet.New(programs, t.TempDir(), fleet.Servers{
		Mongo: mongo, Prefix: testkit.Database(t, mongo) + "_", NATS: testkit.StartNATS(t).URL(), Redis: testkit.Redis(t),
	}, services)
	started(t, f, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*within)
	defer cancel()
	_, cast := company(t, f, guard.AdminCaller(testkit.Name("t")))
	if err := cast.ERP.Setup(ctx); err != nil {
		t.Fatal(err)
	}
	walk := func(prefix string) {
		t.Helper()
		for _, s := range sandbox.Scenarios(prefix) {
			if s.Name != "return" {
				continue
			}
			if report, err := sandbox.Walk(ctx, cast, s); err != nil {
				t.Fatalf("%v\n%v", err, report)
			}
			return
		}
		t.Fatal("no scenario has a return")
	}
	walk("UP-") // which also shows that the copies are there
	if err := f.Processes["master-data"].Stop(ctx); err != nil {
		t.Fatal(err)
	}
	walk("DOWN-")
	for _, name := range []string{"order-release", "inventory-movement", "shipment-visibility", "freight-settlement", "returns"} {
		if err := f.Processes[name].Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if err := f.Processes[name].Start(); err != nil {
			t.Fatal(err)
		}
		if err := f.Await(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	walk("AGAIN-")
}
