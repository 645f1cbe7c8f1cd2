package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// words renders what is kept of foreign words: "PostGoodsIssue tms/wms true".
func words(list []*commonv1.ForeignWord) (all string) {
	for _, o := range list {
		all += fmt.Sprintf("%s %s/%s %t;", o.GetCommand(), o.GetSystem(), o.GetOwner(), o.GetContradicts())
	}
	return all
}

// outcome renders a receipt's state with the codes of its reasons.
func outcome(r *commonv1.Receipt) string {
	text := r.GetState()
	for _, reason := range r.GetReasons() {
		text += " " + reason.GetCode()
	}
	return text
}

// ownershipOfTransitions: a TMS that posts a goods issue changes nothing; it is told so, what it said is
// kept beside the warehouse order as a conflict, and the trace shows it. The tenant then lets the TMS post
// goods issues, and it counts. What asks for something is refused, naming owner and rule.
func ownershipOfTransitions(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 20)
	id := receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", order("S-OWN", 5))).GetId()
	who := p.releases(t, id, 1).GetReleases()[0]
	at := p.pack(t, who)
	issue := `{` + said("tms", "2026-03-02T17:00:00Z") + `}`
	if got := outcome(receipt(t, "TMS", p.must(t, http.MethodPost, at+":postGoodsIssue", issue))); got != "PACKED TRANSITION_NOT_OWNED" {
		t.Errorf("the TMS is told %s", got)
	}
	w := p.atWarehouse(t, who.GetWarehouseOrderId(), "PACKED")
	if got := words(w.GetObservations()); got != "PostGoodsIssue tms/wms true;" {
		t.Errorf("kept is %s", got)
	}
	p.traced(t, id, "Kept as an observation, nothing changed: PostGoodsIssue by tms, which wms owns")
	p.stands(t, 0, "15 0 0 15") // picked, and in the site

	p.must(t, http.MethodPut, "/v1/ownership-policies/OBJECT_TYPE_WAREHOUSE_ORDER", `{"rules":[`+
		`{"subject":"PostGoodsIssue","owner":"wms","conflictRule":"CONFLICT_RULE_OBSERVE"},{"subject":"PostGoodsIssue","owner":"tms","conflictRule":"CONFLICT_RULE_OBSERVE"}]}`)
	testkit.Eventually(t, within, func() error { // the copy of master data may trail
		if got := outcome(receipt(t, "TMS", p.must(t, http.MethodPost, at+":postGoodsIssue", issue))); got != "ISSUED" {
			return fmt.Errorf("%s", got)
		}
		return nil
	})
	p.state(t, id, "FULFILLED")
	if got := words(p.atWarehouse(t, who.GetWarehouseOrderId(), "ISSUED").GetObservations()); got != "PostGoodsIssue tms/wms false;" {
		t.Errorf("it is a conflict no more: %s", got)
	}
	p.dispatchedByAnother(t, id, who.GetWarehouseOrderId())

	id = receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", order("S-HOLD", 30))).GetId()
	p.must(t, http.MethodPost, "/v1/orders/"+id+":placeHold", `{"type":"HOLD_TYPE_MANUAL"}`)
	lift := func(system string) answer {
		return p.command(t, http.MethodPost, "/v1/orders/"+id+":liftHold", testkit.Name("cmd"), `{"type":"HOLD_TYPE_MANUAL",`+said(system, "2026-03-02T17:00:00Z")+`}`)
	}
	a := lift("tms")
	refused(t, "lifted by the TMS", a, "409 TRANSITION_NOT_OWNED")
	if m := a.problem().Metadata; m["owner"] != "erp" || m["rule"] != "REFUSE" || m["system"] != "tms" || m["command"] != "LiftHold" {
		t.Errorf("by whom: %v", m)
	}
	if a := lift("erp"); a.status != http.StatusOK {
		t.Errorf("lifted by its owner: %d %s", a.status, a.body)
	}
}

// dispatchedByAnother: the WMS says that a shipment left, which the TMS owns.
func (p party) dispatchedByAnother(t *testing.T, order, who string) {
	t.Helper()
	at := "/v1/shipments/" + p.shipmentOf(t, order, who, "READY", 1).GetShipmentId()
	body := fmt.Sprintf(`{"proNumber":"PRO-1","carrier":%q,`, lifecycle.Carrier)
	got := outcome(receipt(t, "WMS", p.must(t, http.MethodPost, at+":dispatch", body+said("wms", "2026-03-03T09:00:00Z")+`}`)))
	if got != "READY TRANSITION_NOT_OWNED" {
		t.Errorf("the WMS is told %s", got)
	}
	p.must(t, http.MethodPost, at+":dispatch", body+said("tms", "2026-03-03T09:00:00Z")+`}`)
	read := &shipmentvisibilityv1.GetShipmentResponse{}
	unmarshal(t, p.read(t, at), read)
	if s := read.GetShipment(); s.GetState().String() != "SHIPMENT_STATE_DISPATCHED" || words(s.GetObservations()) != "DispatchShipment wms/tms false;" {
		t.Errorf("%s, kept is %s", s.GetState(), words(s.GetObservations()))
	}
}
