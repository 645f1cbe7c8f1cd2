package shipmentvisibility_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	sv "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

func (w *world) reversal(name string, attempt int32) *im.GoodsIssueReversalRequested {
	return &im.GoodsIssueReversalRequested{Keys: w.keys(name), Attempt: attempt, Ssccs: []string{sscc(name, 1)}, Reason: "TRUCK_FULL", EventTime: at(10)}
}

func (w *world) reversed(name string, attempt int32, ssccs ...string) *im.GoodsIssueReversed {
	m := &im.GoodsIssueReversed{Keys: w.keys(name), Attempt: attempt, Reason: "TRUCK_FULL", EventTime: at(10)}
	for _, s := range ssccs {
		m.Cartons = append(m.Cartons, &im.Carton{Sscc: s})
	}
	return m
}

// onIt waits until exactly these units are on a shipment, with so much by line.
func (w *world) onIt(t *testing.T, name string, state sv.ShipmentState, want ...string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		s := w.becomes(t, name, state)
		var got []string
		for _, u := range s.GetUnits() {
			got = append(got, u.GetSscc())
		}
		for _, l := range s.GetLines() {
			got = append(got, fmt.Sprintf("%d: %s, %d g", l.GetLineNumber(), l.GetQuantity().GetValue(), l.GetWeightGrams()))
		}
		if got = append(got, fmt.Sprint(s.GetGrossWeightGrams())); !slices.Equal(got, want) {
			return fmt.Errorf("%q, want %q", got, want)
		}
		return nil
	})
}

// goodsIssueReversed: carton by carton comes off the shipment, which stands in the end where it stood
// before the goods issue; the next one makes it ready again, and a cancellation calls it off.
func goodsIssueReversed(t *testing.T, w *world) {
	const name = "reversed"
	id := w.planned(t, name)
	acme := w.carrier("P-ACME")
	w.tender(t, w.tms, id, "ACME")
	answer, err := acme.RespondTender(t.Context(), &sv.RespondTenderRequest{ShipmentId: id, Carrier: "ACME", Accept: true})
	done(t, answer.GetReceipt(), err, "ACCEPTED")
	w.happens(t, name, w.issued(name))
	w.onIt(t, name, ready, sscc(name, 1), sscc(name, 2), "1: 10, 5000 g", "2: 3, 2000 g", "7000")
	w.happens(t, name, w.reversal(name, 1), w.reversed(name, 1, sscc(name, 1)))
	w.onIt(t, name, ready, sscc(name, 2), "2: 3, 2000 g", "2000")
	again := w.issued(name).(*im.GoodsIssued)
	again.Cartons, again.Lines = again.Cartons[:1], again.Lines[:2]
	w.happens(t, name, again)
	w.onIt(t, name, ready, sscc(name, 2), sscc(name, 1), "1: 10, 5000 g", "2: 3, 2000 g", "7000")
	w.happens(t, name, w.reversal(name, 2), w.reversed(name, 2, sscc(name, 2), sscc(name, 1)))
	w.onIt(t, name, sv.ShipmentState_SHIPMENT_STATE_ACCEPTED, "1: 10, 0 g", "2: 4, 0 g", "0")
	if s := w.becomes(t, name, sv.ShipmentState_SHIPMENT_STATE_ACCEPTED); s.GetShipped().GetGoodsIssueTime() != nil {
		t.Errorf("%v", s.GetShipped())
	}
	w.happens(t, name, w.cancelled(name))
	w.becomes(t, name, cancelled)
	w.said(t, name, "true 1", "true 2")
}

// reversedTooLate: what has left stays issued. When it leaves between its word and the decision, that
// no goods issue is known is a contradiction, until there is one.
func reversedTooLate(t *testing.T, w *world) {
	const name = "reversed late"
	id := w.planned(t, name)
	w.happens(t, name, w.issued(name))
	w.becomes(t, name, ready)
	w.happens(t, name, w.reversal(name, 1))
	w.said(t, name, "true 1")
	r, err := w.dispatch(t, &sv.DispatchShipmentRequest{ShipmentId: id, BillOfLading: "B-1", Carrier: "ACME"})
	done(t, r, err, "DISPATCHED")
	w.happens(t, name, w.reversal(name, 2))
	w.said(t, name, "true 1", "SHIPMENT_DISPATCHED 2")
	w.happens(t, name, w.reversed(name, 1, sscc(name, 1), sscc(name, 2)))
	w.becomes(t, name, sv.ShipmentState_SHIPMENT_STATE_DISPATCHED, "DISPATCHED_NOT_ISSUED")
	w.happens(t, name, w.issued(name))
	w.becomes(t, name, sv.ShipmentState_SHIPMENT_STATE_DISPATCHED)
}

// said waits for what a shipment said to reversals.
func (w *world) said(t *testing.T, name string, want ...string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		var got []string
		_, facts := w.facts(t, name)
		for _, f := range facts {
			switch m := f.(type) {
			case *sv.ShipmentReversalAllowed:
				got = append(got, fmt.Sprintf("true %d", m.GetAttempt()))
			case *sv.ShipmentReversalDenied:
				got = append(got, fmt.Sprintf("%s %d", m.GetReason(), m.GetAttempt()))
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("%q was said, want %q", got, want)
		}
		return nil
	})
}
