package integration_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// TestRowsApart: of an order whose rows stand apart, portions from each other, no part is handed
// over, also by a process that goes on where another ended; both are reported, and the other
// orders pass.
func TestRowsApart(t *testing.T) {
	onEngines(t, func(t *testing.T, w *world) {
		content := "\ufeff" + ordersHeader + orders(1, 15) +
			"SO-0100;C-1;1;TEA;1;EA\r\n" + // line 32, second portion
			orders(16, 20) +
			"SO-0100;C-1;2;CUP;1;EA\r\n" // line 73, fourth portion
		var calls atomic.Int32
		w.owners.breakDown(func(call int) error {
			if calls.Add(1) == 1 {
				return nil
			}
			return fault.New(fault.Unavailable, "LOST", "the answer is lost")
		})
		id := w.send(t, "ORDERS", "CSV", "MSG-1", content).GetId()
		testkit.Eventually(t, patience, func() bool { return calls.Load() > 1 })
		w.Restart(t)
		w.owners.breakDown(nil)
		w.done(t, id, "PARTIAL 35/2/2")
		same(t, w.report(t, id), "32:0 ROWS_APART SO-0100", "73:0 ROWS_APART SO-0100")
		w.owners.mu.Lock()
		defer w.owners.mu.Unlock()
		for key, order := range w.owners.took {
			if strings.Contains(order, "SO-0100") {
				t.Errorf("%s was handed over under %s", order, key)
			}
		}
		if n := len(w.owners.took); n != 35 {
			t.Errorf("%d orders were handed over", n)
		}
	})
}
