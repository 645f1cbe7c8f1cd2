package integration_test

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// TestSameKeysUnderAnotherRelease: a portion is cut, its parts take effect and an answer is
// lost; then a release of the owner takes what it refused. Nothing takes effect twice.
func TestSameKeysUnderAnotherRelease(t *testing.T) {
	onEngines(t, func(t *testing.T, w *world) {
		w.owners.breakDown(func(call int) error {
			if took := len(w.owners.took); w.owners.lenient || took < 4 { // in the half with POISON
				return nil
			}
			w.owners.lenient = true
			return fault.New(fault.Unavailable, "LOST", "the answer of call %d is lost", call)
		})
		content := ordersHeader + "POISON;C-1;1;TEA;1;EA\n" + orders(1, 9)
		id := w.send(t, "ORDERS", "CSV", "MSG-1", content).GetId()
		w.done(t, id, "APPLIED 10/0/0")
		if took, again := w.owners.count(); took != 10 || again < 5 {
			t.Errorf("%d took effect, %d came again", took, again)
		}
	})
}
