package freightsettlement_test

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

func reported(shipment, carrier, pro string) proto.Message {
	return &shipmentvisibilityv1.DispatchReported{ShipmentId: shipment, Carrier: carrier, ProNumber: pro, DispatchedTime: timestamppb.New(shipDate)}
}

// TestANumberThatComesLate: an invoice that names only the PRO number of a later report of the
// dispatch is matched, whether it, the report or the dispatch comes first, and however often
// the report comes; a number that another carrier is said to have given matches none.
func TestANumberThatComesLate(t *testing.T) {
	onEngines(t, func(w *world) {
		w.publish("ACME", "USD")
		waits := w.invoiced("ACME", "1", charged("LATE-1", "BASE", 70010, "USD"))
		early := w.invoiced("ACME", "2", charged("LATE-2", "BASE", 70010, "USD"))
		foreign := w.invoiced("ACME", "3", charged("LATE-3", "BASE", 70010, "USD"))
		for _, id := range []string{waits, early, foreign} {
			w.ends(id, unmatched, "REFERENCE_UNKNOWN")
		}
		first := w.goes("PRO-1")
		w.happens(first, reported(first, "ACME", "LATE-1"), reported(first, "ACME", "LATE-1"))
		second := w.shipment("PRO-2")
		w.happens(second, reported(second, "", "LATE-2"))
		testkit.Eventually(w, patience, func() bool { return w.freight(second).GetProNumber() == "LATE-2" })
		w.happens(second, dispatched(second, "ACME", ""))
		w.ends(waits, approved, "")
		w.ends(early, approved, "")
		third := w.goes("PRO-3")
		w.happens(third, reported(third, "OTHER", "LATE-3"), reported(third, "ACME", "LATE-4"))
		w.listed("LATE-3", 1)
		tried := w.invoice(foreign).GetAttempt()
		last := w.invoiced("ACME", "4", charged("late 4", "BASE", 70010, "USD"))
		w.ends(last, approved, "")
		var i *freightsettlementv1.FreightInvoice
		testkit.Eventually(w, 3*patience, func() bool { // its wait doubles each time
			i = w.invoice(foreign)
			return i.GetAttempt() > tried && i.GetState() != received
		})
		if i.GetState() != unmatched {
			w.Errorf("under another carrier's number: %v", i)
		}
		if f := w.freight(third); f.GetProNumber() != "PRO-3" || !slices.Equal(f.GetOtherReferences(), []string{"LATE-4"}) {
			w.Errorf("shown as %v", f)
		}
		for shp, want := range map[string]string{first: waits, second: early, third: last} {
			if f := w.becomes(shp, accrued); f.GetCharges()[0].GetInvoiceId() != want {
				w.Errorf("charges of %s: %v", shp, f.GetCharges())
			}
		}
	})
}
