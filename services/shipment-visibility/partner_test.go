package shipmentvisibility_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	sv "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	shipmentvisibility "github.com/lockstep-logistics/lockstep/services/shipment-visibility"
)

// tenderInVain: declined by one, accepted by the next; the same answer may come twice.
func tenderInVain(t *testing.T, w *world) {
	id := w.planned(t, "in-vain")
	acme, other := w.carrier("P-ACME"), w.carrier("P-OTHR")
	answer := func(c client, carrier string, accept bool) (*commonv1.Receipt, error) {
		resp, err := c.RespondTender(t.Context(), &sv.RespondTenderRequest{ShipmentId: id, Carrier: carrier, Accept: accept, Reason: "no truck"})
		return resp.GetReceipt(), err
	}
	_, err := w.tms.TenderShipment(t.Context(), &sv.TenderShipmentRequest{ShipmentId: id, Carrier: "ACME", RespondBy: in(-time.Hour)})
	if f := refused(t, err, fault.Invalid, "INVALID_REQUEST"); f.Fields[0].Path != "respond_by" {
		t.Errorf("%v", f.Fields)
	}
	w.tender(t, w.tms, id, "ACME")
	_, err = w.tms.TenderShipment(t.Context(), &sv.TenderShipmentRequest{ShipmentId: id, Carrier: "OTHR", RespondBy: in(time.Hour)})
	refused(t, err, fault.Refused, "TENDER_OPEN")
	for range 2 {
		receipt, err := answer(acme, "ACME", false)
		done(t, receipt, err, "PLANNED")
	}
	w.tender(t, w.tms, id, "OTHR")
	_, err = answer(acme, "ACME", true) // it had its chance
	refused(t, err, fault.Refused, "CARRIER_MISMATCH")
	for range 2 {
		receipt, err := answer(other, "OTHR", true)
		done(t, receipt, err, "ACCEPTED")
	}
	s := w.becomes(t, "in-vain", sv.ShipmentState_SHIPMENT_STATE_ACCEPTED)
	var tenders []string
	for _, tender := range s.GetTenders() {
		tenders = append(tenders, fmt.Sprintf("%d %s %s %s", tender.GetNumber(), tender.GetCarrier(), tender.GetState().String()[len("TENDER_STATE_"):], tender.GetReason()))
	}
	if !slices.Equal(tenders, []string{"1 ACME DECLINED no truck", "2 OTHR ACCEPTED "}) || s.GetCarrier() != "OTHR" {
		t.Errorf("%q %s", tenders, s.GetCarrier())
	}
	if names, _ := w.facts(t, "in-vain"); !slices.Equal(names, []string{"ShipmentPlanned", "ShipmentTendered", "TenderClosed", "ShipmentTendered", "TenderAccepted"}) {
		t.Errorf("%v", names)
	}
}

func unknownCarriers(t *testing.T, w *world) {
	id := w.planned(t, "carriers")
	for _, c := range []struct{ carrier, service, field, reason string }{
		{"NOBODY", "", "carrier", "CARRIER_UNKNOWN"},
		{"GONE", "", "carrier", "CARRIER_RETIRED"},
		{"ACME", "AIR", "carrier_service", "SERVICE_UNKNOWN"},
	} {
		_, err := w.tms.TenderShipment(t.Context(), &sv.TenderShipmentRequest{ShipmentId: id, Carrier: c.carrier, CarrierService: c.service, RespondBy: in(time.Hour)})
		if f := refused(t, err, fault.Invalid, "INVALID_REQUEST"); len(f.Fields) != 1 || f.Fields[0].Path != c.field || f.Fields[0].Reason != c.reason {
			t.Errorf("%s: %+v", c.carrier, f.Fields)
		}
	}
	if names, _ := w.facts(t, "carriers"); len(names) != 1 {
		t.Errorf("a refused tender left %v", names)
	}
}

// partners: a carrier sees and answers what it was offered, and reports what it carries; to
// everybody else a shipment does not exist.
func partners(t *testing.T, w *world) {
	id := w.planned(t, "partners")
	acme, other, nobody := w.carrier("P-ACME"), w.carrier("P-OTHR"), w.carrier("P-NOBODY")
	get := func(c client) (*sv.Shipment, error) {
		resp, err := c.GetShipment(t.Context(), &sv.GetShipmentRequest{ShipmentId: id})
		return resp.GetShipment(), err
	}
	answer := func(c client, carrier string, accept bool) error {
		_, err := c.RespondTender(t.Context(), &sv.RespondTenderRequest{ShipmentId: id, Carrier: carrier, Accept: accept})
		return err
	}
	report := func(c client) error {
		_, err := w.record(t, c, id, milestone(sv.MilestoneCode_MILESTONE_CODE_PICKED_UP, 17))
		return err
	}
	proof := func(c client) error {
		_, err := c.RecordProofOfDelivery(t.Context(), &sv.RecordProofOfDeliveryRequest{ShipmentId: id, SignedBy: "Ada", SignedTime: at(20)})
		return err
	}
	_, err := get(acme)
	refused(t, err, fault.NotFound, "NOT_FOUND") // asked for by the customer, not offered yet
	w.tender(t, w.tms, id, "OTHR")
	for name, err := range map[string]error{
		"another's tender":              answer(acme, "OTHR", true),
		"as itself":                     answer(acme, "ACME", true),
		"an unknown party":              answer(nobody, "OTHR", true),
		"reports of what is not booked": report(other),
	} {
		if !fault.IsKind(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused(t, answer(w.carrier(""), "OTHR", true), fault.Denied, "PARTY_REQUIRED")
	if err := answer(other, "OTHR", false); err != nil {
		t.Fatal(err)
	}
	w.tender(t, w.tms, id, "ACME")
	if err := answer(acme, "ACME", true); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"milestone": report(other), "proof": proof(other), "nobody's milestone": report(nobody)} {
		if !fault.IsKind(err, fault.NotFound) {
			t.Errorf("%s of another's shipment: %v", name, err)
		}
	}
	if err := report(acme); err != nil {
		t.Error(err)
	}
	s, err := get(acme)
	if err != nil || len(s.GetTenders()) != 1 || s.GetTenders()[0].GetCarrier() != "ACME" {
		t.Errorf("%v, %v", s, err)
	}
	if all, err := get(w.tms); err != nil || len(all.GetTenders()) != 2 {
		t.Errorf("%v, %v", all, err)
	}
	if err := proof(acme); err != nil {
		t.Error(err)
	}
}

func partnersLists(t *testing.T, w *world) {
	mine, theirs := w.planned(t, "list-mine"), w.planned(t, "list-theirs")
	w.tender(t, w.tms, mine, "TWO1")
	w.tender(t, w.tms, theirs, "OTHR")
	two := w.carrier("P-TWO")
	list := func(c client, req *sv.ListShipmentsRequest) []string {
		resp, err := c.ListShipments(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, s := range resp.GetShipments() {
			ids = append(ids, s.GetShipmentId())
		}
		return ids
	}
	testkit.Eventually(t, patience, func() bool {
		return slices.Equal(list(two, &sv.ListShipmentsRequest{Carrier: "TWO1"}), []string{mine}) &&
			slices.Contains(list(w.tms, &sv.ListShipmentsRequest{Carrier: "OTHR"}), theirs)
	})
	_, err := two.ListShipments(t.Context(), &sv.ListShipmentsRequest{})
	refused(t, err, fault.Invalid, "CARRIER_REQUIRED")
	for name, ids := range map[string][]string{
		"another's carrier":    list(two, &sv.ListShipmentsRequest{Carrier: "OTHR"}),
		"another's order":      list(two, &sv.ListShipmentsRequest{OrderId: w.id("ord", "list-theirs")}),
		"nobody's everything":  list(w.carrier("P-NOBODY"), &sv.ListShipmentsRequest{}),
		"its other carrier's":  list(two, &sv.ListShipmentsRequest{Carrier: "TWO2"}),
		"a state of another's": list(w.carrier("P-NOBODY"), &sv.ListShipmentsRequest{State: planned}),
	} {
		if len(ids) != 0 {
			t.Errorf("%s: %v", name, ids)
		}
	}
	if got := list(two, &sv.ListShipmentsRequest{OrderId: w.id("ord", "list-mine")}); !slices.Equal(got, []string{mine}) {
		t.Errorf("own order: %v", got)
	}
	if got := list(w.carrier("P-OTHR"), &sv.ListShipmentsRequest{}); !slices.Contains(got, theirs) || slices.Contains(got, mine) {
		t.Errorf("everything of a party that is one carrier: %v", got)
	}
}

// sources: nobody asserts what another system reports.
func sources(t *testing.T, w *world) {
	id := w.planned(t, "sources")
	w.tender(t, w.tms, id, "ACME")
	acme := w.carrier("P-ACME")
	if _, err := acme.RespondTender(t.Context(), &sv.RespondTenderRequest{ShipmentId: id, Carrier: "ACME", Accept: true}); err != nil {
		t.Fatal(err)
	}
	m := milestone(sv.MilestoneCode_MILESTONE_CODE_PICKED_UP, 17)
	m.Source = "tms"
	_, err := w.record(t, acme, id, m)
	refused(t, err, fault.Denied, "SOURCE_NOT_ALLOWED")
	m.Source, m.MessageId = "", "214-1"
	for range 3 { // each under a key of its own, the last from elsewhere
		resp, err := acme.RecordMilestones(t.Context(), &sv.RecordMilestonesRequest{
			ShipmentId: id, Milestones: []*sv.Milestone{m, m}, Source: &commonv1.SourceRef{System: "carrier", MessageId: "batch"},
		})
		done(t, resp.GetReceipt(), err, "IN_TRANSIT", "MOVED_NOT_DISPATCHED")
	}
	s := w.becomes(t, "sources", sv.ShipmentState_SHIPMENT_STATE_IN_TRANSIT, "MOVED_NOT_DISPATCHED")
	if len(s.GetMilestones()) != 1 || s.GetMilestones()[0].GetSource() != "carrier" || s.GetMilestones()[0].GetMessageId() != "214-1" {
		t.Errorf("%v", s.GetMilestones())
	}
}

func foreignTenant(t *testing.T, w *world) {
	id := w.planned(t, "foreign")
	stranger := w.Caller(commonv1.Role_ROLE_LOGISTICS)
	stranger.Tenant = testkit.Name("t")
	c := sv.NewShipmentVisibilityServiceClient(w.Client(shipmentvisibility.Name, stranger))
	_, get := c.GetShipment(t.Context(), &sv.GetShipmentRequest{ShipmentId: id})
	_, dispatch := c.DispatchShipment(t.Context(), &sv.DispatchShipmentRequest{ShipmentId: id})
	_, closing := c.CloseShipment(t.Context(), &sv.CloseShipmentRequest{ShipmentId: id})
	for _, err := range []error{get, dispatch, closing} {
		refused(t, err, fault.NotFound, "NOT_FOUND")
	}
	_, tender := c.TenderShipment(t.Context(), &sv.TenderShipmentRequest{ShipmentId: id, Carrier: "ACME", RespondBy: in(time.Hour)})
	if f := refused(t, tender, fault.Invalid, "INVALID_REQUEST"); f.Fields[0].Reason != "CARRIER_UNKNOWN" {
		t.Errorf("another tenant's carrier: %v", f.Fields)
	}
	if resp, err := c.ListShipments(t.Context(), &sv.ListShipmentsRequest{OrderNumber: "SO-foreign"}); err != nil || len(resp.GetShipments()) != 0 {
		t.Errorf("%v, %v", resp, err)
	}
	w.becomes(t, "foreign", planned)
}

// lists finds a shipment by every number that somebody may know.
func lists(t *testing.T, w *world) {
	w.happens(t, "lists", w.created("lists"), w.issued("lists"))
	w.becomes(t, "lists", ready)
	id := w.shipmentOf("lists")
	receipt, err := w.dispatch(t, &sv.DispatchShipmentRequest{ShipmentId: id, BillOfLading: "B-lists", ProNumber: "P-lists", TrackingNumber: "T-lists"})
	done(t, receipt, err, "DISPATCHED")
	for name, req := range map[string]*sv.ListShipmentsRequest{
		"order":          {OrderId: w.id("ord", "lists")},
		"order number":   {OrderNumber: "SO-lists"},
		"bill of lading": {Reference: "B-lists"},
		"PRO":            {Reference: "P-lists"},
		"tracking":       {Reference: "T-lists"},
		"SSCC":           {Reference: sscc("lists", 2)},
	} {
		testkit.Eventually(t, patience, func() error {
			resp, err := w.tms.ListShipments(t.Context(), req)
			if err == nil && (len(resp.GetShipments()) != 1 || resp.GetShipments()[0].GetShipmentId() != id) {
				err = fmt.Errorf("by %s: %v", name, resp)
			}
			return err
		})
	}
	testkit.Eventually(t, patience, func() bool { // other scenarios have dispatched shipments too
		req := &sv.ListShipmentsRequest{State: sv.ShipmentState_SHIPMENT_STATE_DISPATCHED, PageSize: 1}
		for {
			resp, err := w.tms.ListShipments(t.Context(), req)
			if err != nil || len(resp.GetShipments()) > 1 {
				t.Fatal(resp, err)
			}
			if len(resp.GetShipments()) == 1 && resp.GetShipments()[0].GetShipmentId() == id {
				return true
			}
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				return false
			}
		}
	})
	_, err = w.tms.ListShipments(t.Context(), &sv.ListShipmentsRequest{OrderId: "a", Reference: "b"})
	if !fault.IsKind(err, fault.Invalid) {
		t.Errorf("two keys: %v", err)
	}
}
