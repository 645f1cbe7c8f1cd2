//go:build faults

package orderrelease_test

import (
	"math/rand/v2"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// TestFaultsBetweenSteps breaks off between intent, claims, decision and what follows from
// it, now and then and for a while: nothing is lost or done twice.
func TestFaultsBetweenSteps(t *testing.T) {
	for _, engine := range hosttest.Engines {
		for name, spec := range map[string]string{
			"now and then": "X1:err=unavailable:n=2,X2:err=unavailable:n=3,X3:err=unavailable:n=1",
			"for a while":  "X2:err=unavailable",
			"late":         "X1:delay=30ms,X2:delay=30ms,X3:delay=30ms",
		} {
			t.Run(engine+"/"+name, func(t *testing.T) {
				w := newWorld(t, engine, impatient)
				t.Cleanup(func() { _ = faultpoint.Arm("") })
				if err := faultpoint.Arm(spec); err != nil {
					t.Fatal(err)
				}
				walk(t, w, rand.New(rand.NewPCG(3, 5)), func() {
					testkit.Eventually(t, patience, func() bool {
						return faultpoint.Passes(faultpoint.X1) >= 5 && (faultpoint.Passes(faultpoint.X3) > 0 || name == "for a while")
					})
					_ = faultpoint.Arm("")
				})
			})
		}
	}
}
