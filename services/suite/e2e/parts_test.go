package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	gatewayv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/gateway/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// TestSuiteInTwoParts: the suite served by two processes, each with some of the services, walks
// an order to its end: facts and calls pass between the parts as within them. A part that waits
// for another one ends in order when it is told to.
func TestSuiteInTwoParts(t *testing.T) {
	mongo := testkit.Mongo(t)
	f, err := fleet.NewParts(programs, t.TempDir(), fleet.Servers{
		Mongo: mongo, Prefix: testkit.Database(t, mongo) + "_", NATS: testkit.StartNATS(t).URL(), Redis: testkit.Redis(t),
	},
		[]string{"master-data", "order-release", "inventory-movement"},
		[]string{guard.Gateway, "shipment-visibility", "freight-settlement", "returns", "integration", "control-tower"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	waits := f.Processes[guard.Gateway]
	t.Cleanup(waits.Kill)
	if err := waits.Start(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, within, func() bool { return strings.Contains(waits.Tail(), `"source":"master-data"`) })
	if err := waits.Stop(ctx); err != nil {
		t.Errorf("a part that waits: %v", err)
	}
	started(t, f, nil)
	d, caller := driver(t, f)
	const onHand, ordered = 100, 3
	if err := d.Setup(ctx, 1, onHand); err != nil {
		t.Fatal(err)
	}
	if err := d.Walk(ctx, "SO-0", []lifecycle.Line{{SKU: lifecycle.SKU(0), Quantity: ordered}}); err != nil {
		t.Fatal(err)
	}
	view(ctx, t, gatewayv1.NewOrderViewServiceClient(conn(t, f, caller)), 1)
}
