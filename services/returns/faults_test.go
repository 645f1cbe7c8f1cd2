//go:build faults

package returns_test

import (
	"fmt"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

// TestFaultsBetweenSteps breaks off between intent, claim, decision and what goes back:
// nothing is lost, and nothing is held that no return needs.
func TestFaultsBetweenSteps(t *testing.T) {
	for _, engine := range hosttest.Engines {
		for name, spec := range map[string]string{
			"now and then": "X1:err=unavailable:n=2,X2:err=unavailable:n=3,X3:err=unavailable:n=1",
			"for a while":  "X2:err=unavailable",
			"late":         "X1:delay=30ms,X2:delay=30ms,X3:delay=30ms",
		} {
			t.Run(engine+"/"+name, func(t *testing.T) {
				w := newWorld(t, engine)
				order := w.shipped(t)
				t.Cleanup(func() { _ = faultpoint.Arm("") })
				if err := faultpoint.Arm(spec); err != nil {
					t.Fatal(err)
				}
				ids := askAndCancel(t, w, order)
				testkit.Eventually(t, patience, func() bool { return faultpoint.Passes(faultpoint.X1) >= 5 && faultpoint.Passes(faultpoint.X3) > 0 })
				_ = faultpoint.Arm("")
				held := 0
				for _, id := range ids {
					r := w.until(t, id, "decided", func(r *returnsv1.Return) bool { return r.GetState() != returnsv1.ReturnState_RETURN_STATE_REQUESTED })
					if r.GetState() == returnsv1.ReturnState_RETURN_STATE_AUTHORISED {
						held++
					}
				}
				w.available(t, order, fmt.Sprint(5-held), "14")
				claims := len(of[*returnsv1.ReturnClaimed](w.facts(t, "returnable", ident.Derive("rtb", w.Tenant, order))))
				if held > 5 || claims < held {
					t.Errorf("%d held by %d claims", held, claims)
				}
			})
		}
	}
}

// askAndCancel asks for more than there is, and cancels every third return at once.
func askAndCancel(t *testing.T, w *world, order string) (ids []string) {
	t.Helper()
	for i := range 12 {
		req := ask(order, 10, 1, defective)
		req.WaitMs = int32(i%2) * 1000
		resp, err := w.service.RequestReturn(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, resp.GetReceipt().GetId())
		if i%3 != 0 {
			continue
		}
		_, err = w.service.CancelReturn(t.Context(), &returnsv1.CancelReturnRequest{RmaId: ids[i], Reason: "CUSTOMER_REQUEST"})
		if err != nil && !fault.IsKind(err, fault.Refused) {
			t.Fatal(err)
		}
	}
	return ids
}
