package e2e

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/integration/sandbox"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// TestScenarios: the sandbox's systems walk every scenario to its expected end, from the ERP's
// document to the paid freight invoice and the credited return; the control tower tells the
// story of each from its order number.
func TestScenarios(t *testing.T) {
	onBothShapes(t, func(t *testing.T, f *fleet.Fleet) {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		client, cast := company(t, f, guard.AdminCaller(testkit.Name("t")))
		if err := cast.ERP.Setup(ctx); err != nil {
			t.Fatal(err)
		}
		t.Run("each", func(t *testing.T) {
			for _, s := range sandbox.Scenarios("SO-") {
				t.Run(s.Name, func(t *testing.T) {
					t.Parallel()
					report, err := sandbox.Walk(ctx, cast, s)
					if err != nil {
						t.Fatalf("%v\n%v", err, report)
					}
					testkit.Eventually(t, within, func() error { // the tower's copy may trail
						var story bytes.Buffer
						if err := sandbox.Story(ctx, client, s.Number, &story); err != nil {
							return err
						}
						if !strings.Contains(story.String(), "Order received") || !strings.Contains(story.String(), "Order closed") {
							return fmt.Errorf("the story lacks its ends:\n%s", story.String())
						}
						return nil
					})
				})
			}
		})
	})
}

// TestServicesKilled: while the scenarios are walked, each service's process is killed and
// started again in turn; every walk still reaches its end.
func TestServicesKilled(t *testing.T) {
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
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, name := range services {
			f.Processes[name].Kill()
			if err := f.Processes[name].Start(); err != nil {
				t.Error(err)
				return
			}
			if err := f.Await(ctx, name); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	t.Run("each", func(t *testing.T) {
		for _, s := range sandbox.Scenarios("SO-") {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				if report, err := sandbox.Walk(ctx, cast, s); err != nil {
					t.Errorf("%v\n%v", err, report)
				}
			})
		}
	})
	<-done
}
