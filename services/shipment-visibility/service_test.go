package shipmentvisibility_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	sv "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	shipmentvisibility "github.com/lockstep-logistics/lockstep/services/shipment-visibility"
)

const (
	planned   = sv.ShipmentState_SHIPMENT_STATE_PLANNED
	ready     = sv.ShipmentState_SHIPMENT_STATE_READY
	confirmed = sv.ShipmentState_SHIPMENT_STATE_POD_CONFIRMED
	cancelled = sv.ShipmentState_SHIPMENT_STATE_CANCELLED
)

func TestShipments(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"straight":         straight,
		"issue first":      issueFirst,
		"cancel first":     cancelFirst,
		"cancel too late":  cancelTooLate,
		"not issued":       notIssued,
		"delivered more":   deliveredMore,
		"late issue":       lateIssue,
		"issue reversed":   goodsIssueReversed,
		"reversed late":    reversedTooLate,
		"any order":        anyOrder,
		"foreign words":    foreignWords,
		"plan follows":     planFollows,
		"tender in vain":   tenderInVain,
		"unknown carriers": unknownCarriers,
		"partners":         partners,
		"partners' lists":  partnersLists,
		"sources":          sources,
		"foreign tenant":   foreignTenant,
		"lists":            lists,
		"stale version":    staleVersion,
	})
}

func milestone(code sv.MilestoneCode, hour int) *sv.Milestone {
	return &sv.Milestone{Code: code, Classifier: sv.MilestoneClassifier_MILESTONE_CLASSIFIER_ACTUAL, EventTime: at(hour), Place: "Bonn"}
}

func (w *world) tender(t *testing.T, c client, shipment, carrier string) {
	t.Helper()
	resp, err := c.TenderShipment(t.Context(), &sv.TenderShipmentRequest{ShipmentId: shipment, Carrier: carrier, RespondBy: in(time.Hour)})
	done(t, resp.GetReceipt(), err, "TENDERED")
}

func (w *world) record(t *testing.T, c client, shipment string, ms ...*sv.Milestone) (*commonv1.Receipt, error) {
	resp, err := c.RecordMilestones(t.Context(), &sv.RecordMilestonesRequest{ShipmentId: shipment, Milestones: ms})
	return resp.GetReceipt(), err
}

func (w *world) dispatch(t *testing.T, req *sv.DispatchShipmentRequest) (*commonv1.Receipt, error) {
	req.Source = &commonv1.SourceRef{System: "tms", MessageId: "m", EventTime: at(16)}
	resp, err := w.tms.DispatchShipment(t.Context(), req)
	return resp.GetReceipt(), err
}

// straight walks a shipment from the warehouse order to its end, the carrier answering for itself.
func straight(t *testing.T, w *world) {
	id := w.planned(t, "straight")
	acme := w.carrier("P-ACME")
	w.tender(t, w.tms, id, "ACME")
	answer, err := acme.RespondTender(t.Context(), &sv.RespondTenderRequest{ShipmentId: id, Carrier: "ACME", Accept: true})
	done(t, answer.GetReceipt(), err, "ACCEPTED")
	w.happens(t, "straight", w.issued("straight"), w.issued("straight"))
	s := w.becomes(t, "straight", ready)
	if got := lines(s.GetLines()); got != "1:10 EA 5000g 2:3 EA 2000g" || s.GetGrossWeightGrams() != 7000 || len(s.GetUnits()) != 2 {
		t.Errorf("issued %s: %v", got, s)
	}
	if s.GetShipped().GetShipped() || s.GetShipped().GetExplanation() != "shipped: no, by policy goods issue and dispatch; goods issue yes, dispatch no" {
		t.Errorf("%v", s.GetShipped())
	}
	receipt, err := w.dispatch(t, &sv.DispatchShipmentRequest{ShipmentId: id, BillOfLading: "B-1", ProNumber: "PRO-1", TrackingNumber: "T-1", SealNumber: "S-1"})
	done(t, receipt, err, "DISPATCHED")
	for _, m := range []struct {
		m     *sv.Milestone
		state string
	}{
		{milestone(sv.MilestoneCode_MILESTONE_CODE_OUT_FOR_DELIVERY, 20), "OUT_FOR_DELIVERY"},
		{milestone(sv.MilestoneCode_MILESTONE_CODE_PICKED_UP, 17), "OUT_FOR_DELIVERY"}, // late, only fills history
		{milestone(sv.MilestoneCode_MILESTONE_CODE_DELIVERED, 21), "DELIVERED"},
	} {
		receipt, err := w.record(t, acme, id, m.m)
		done(t, receipt, err, m.state)
	}
	proof, err := acme.RecordProofOfDelivery(t.Context(), &sv.RecordProofOfDeliveryRequest{ShipmentId: id, SignedBy: "Ada", SignedTime: at(21)})
	done(t, proof.GetReceipt(), err, "POD_CONFIRMED")
	closed, err := w.tms.CloseShipment(t.Context(), &sv.CloseShipmentRequest{ShipmentId: id})
	done(t, closed.GetReceipt(), err, "CLOSED")

	s = w.becomes(t, "straight", sv.ShipmentState_SHIPMENT_STATE_CLOSED)
	var timeline []string
	for _, m := range s.GetMilestones() {
		timeline = append(timeline, m.GetCode().String()[len("MILESTONE_CODE_"):])
	}
	if !slices.Equal(timeline, []string{"PICKED_UP", "OUT_FOR_DELIVERY", "DELIVERED"}) || lines(s.GetDeliveredLines()) != "1:10 EA 5000g 2:3 EA 2000g" ||
		s.GetSignedBy() != "Ada" || s.GetCarrier() != "ACME" || !s.GetShipped().GetShipped() || !proto.Equal(s.GetShipped().GetDispatchTime(), at(16)) {
		t.Errorf("%v", s)
	}
	names, facts := w.facts(t, "straight")
	want := []string{
		"ShipmentPlanned", "ShipmentTendered", "TenderAccepted", "ShipmentReady", "ShipmentDispatched",
		"MilestoneRecorded", "MilestoneRecorded", "MilestoneRecorded", "ShipmentDelivered", "ProofOfDeliveryRecorded", "ShipmentClosed",
	}
	if !slices.Equal(names, want) {
		t.Fatalf("facts %v", names)
	}
	left := facts[4].(*sv.ShipmentDispatched)
	if left.GetNotIssued() || left.GetCarrier() != "ACME" || left.GetProNumber() != "PRO-1" || left.GetGrossWeightGrams() != 7000 || left.GetOrderNumber() != "SO-straight" {
		t.Errorf("%v", left)
	}
	brought := facts[8].(*sv.ShipmentDelivered)
	if brought.GetReleaseId() != w.keys("straight").GetReleaseId() || !proto.Equal(brought.GetDeliveredTime(), at(21)) || lines(brought.GetLines()) != "1:10 EA 5000g 2:3 EA 2000g" {
		t.Errorf("%v", brought)
	}
}

// issueFirst: the goods issue is heard of before the warehouse order.
func issueFirst(t *testing.T, w *world) {
	w.happens(t, "issue-first", w.issued("issue-first"))
	s := w.becomes(t, "issue-first", ready)
	if s.GetOrderNumber() != "SO-issue-first" || s.GetSite() != "" {
		t.Errorf("%v", s)
	}
	_, err := w.tms.TenderShipment(t.Context(), &sv.TenderShipmentRequest{ShipmentId: s.GetShipmentId(), Carrier: "ACME", RespondBy: in(time.Hour)})
	refused(t, err, fault.Unavailable, "NOT_PLANNED_YET")
	w.happens(t, "issue-first", w.created("issue-first"), w.created("issue-first"))
	testkit.Eventually(t, patience, func() bool {
		s = w.becomes(t, "issue-first", ready)
		return s.GetSite() == "DC1"
	})
	if got := lines(s.GetLines()); got != "1:10 EA 5000g 2:3 EA 2000g" || s.GetCarrier() != "ACME" {
		t.Errorf("%s: %v", got, s)
	}
}

// cancelFirst: the cancellation is heard of before the warehouse order, and again after it.
func cancelFirst(t *testing.T, w *world) {
	w.happens(t, "cancel-first", w.cancelled("cancel-first"))
	w.becomes(t, "cancel-first", cancelled)
	w.happens(t, "cancel-first", w.created("cancel-first"), w.cancelled("cancel-first"))
	testkit.Eventually(t, patience, func() bool {
		s := w.becomes(t, "cancel-first", cancelled)
		return s.GetSite() == "DC1" && s.GetCancelReason() == "CUSTOMER_REQUEST"
	})
	_, err := w.tms.TenderShipment(t.Context(), &sv.TenderShipmentRequest{ShipmentId: w.shipmentOf("cancel-first"), Carrier: "ACME", RespondBy: in(time.Hour)})
	if f := refused(t, err, fault.Refused, "SHIPMENT_STATE"); f.Metadata["from"] != "CANCELLED" || f.Metadata["command"] != "tender" {
		t.Errorf("%v", f.Metadata)
	}
}

// cancelTooLate: a cancellation withdraws a booking, but stops nothing that has left.
func cancelTooLate(t *testing.T, w *world) {
	id := w.planned(t, "withdrawn")
	w.tender(t, w.tms, id, "ACME")
	w.happens(t, "withdrawn", w.cancelled("withdrawn"))
	s := w.becomes(t, "withdrawn", cancelled)
	if got := s.GetTenders()[0]; got.GetState() != sv.TenderState_TENDER_STATE_WITHDRAWN || got.GetReason() != "CUSTOMER_REQUEST" {
		t.Errorf("%v", got)
	}
	id = w.planned(t, "too-late")
	receipt, err := w.dispatch(t, &sv.DispatchShipmentRequest{ShipmentId: id})
	done(t, receipt, err, "DISPATCHED", "DISPATCHED_NOT_ISSUED")
	w.happens(t, "too-late", w.cancelled("too-late"))
	w.becomes(t, "too-late", sv.ShipmentState_SHIPMENT_STATE_DISPATCHED, "DISPATCHED_NOT_ISSUED", "CANCELLED_BUT_MOVED")
	if names, _ := w.facts(t, "too-late"); names[len(names)-1] != "CancellationContradicted" {
		t.Errorf("facts %v", names)
	}
}

// notIssued: what leaves before a goods issue is kept, named, and cleared by the goods issue.
func notIssued(t *testing.T, w *world) {
	id := w.planned(t, "not-issued")
	receipt, err := w.dispatch(t, &sv.DispatchShipmentRequest{ShipmentId: id, Carrier: "OTHR", ProNumber: "PRO-2"})
	done(t, receipt, err, "DISPATCHED", "DISPATCHED_NOT_ISSUED")
	receipt, err = w.dispatch(t, &sv.DispatchShipmentRequest{ShipmentId: id, Carrier: "OTHR", ProNumber: "PRO-2"}) // another key
	done(t, receipt, err, "DISPATCHED", "DISPATCHED_NOT_ISSUED")
	receipt, err = w.dispatch(t, &sv.DispatchShipmentRequest{ShipmentId: id, Carrier: "OTHR", ProNumber: "PRO-3"})
	done(t, receipt, err, "DISPATCHED", "DISPATCHED_NOT_ISSUED", "ALREADY_DISPATCHED")
	w.happens(t, "not-issued", w.issued("not-issued"))
	s := w.becomes(t, "not-issued", sv.ShipmentState_SHIPMENT_STATE_DISPATCHED, "ALREADY_DISPATCHED")
	if !s.GetShipped().GetShipped() || s.GetCarrier() != "OTHR" || s.GetProNumber() != "PRO-2" {
		t.Errorf("%v", s)
	}
	names, facts := w.facts(t, "not-issued")
	if !slices.Equal(names, []string{"ShipmentPlanned", "ShipmentDispatched", "DispatchReported", "ShipmentReady"}) || !facts[1].(*sv.ShipmentDispatched).GetNotIssued() {
		t.Errorf("%v", names)
	}
}

// deliveredMore: the consignee's word is kept although it does not fit what left.
func deliveredMore(t *testing.T, w *world) {
	w.happens(t, "more", w.created("more"), w.issued("more"))
	w.becomes(t, "more", ready)
	id := w.shipmentOf("more")
	receipt, err := w.dispatch(t, &sv.DispatchShipmentRequest{ShipmentId: id})
	done(t, receipt, err, "DISPATCHED")
	pod := func(signer string, hour int, ls ...*sv.ShipmentLine) (*commonv1.Receipt, error) {
		resp, err := w.tms.RecordProofOfDelivery(t.Context(), &sv.RecordProofOfDeliveryRequest{ShipmentId: id, SignedBy: signer, SignedTime: at(hour), Lines: ls})
		return resp.GetReceipt(), err
	}
	_, err = pod("Ada", 20, &sv.ShipmentLine{LineNumber: 1, Quantity: ea("-1")})
	refused(t, err, fault.Invalid, "INVALID_REQUEST")
	_, err = pod("Ada", 20, &sv.ShipmentLine{LineNumber: 1})
	refused(t, err, fault.Invalid, "INVALID_REQUEST")
	receipt, err = pod("Ada", 20, &sv.ShipmentLine{LineNumber: 1, Quantity: ea("11")}, &sv.ShipmentLine{LineNumber: 9, Quantity: ea("1")})
	done(t, receipt, err, "POD_CONFIRMED", "QUANTITY_EXCEEDS_DISPATCHED", "LINE_UNKNOWN")
	receipt, err = pod("Bob", 19) // an older word changes nothing
	done(t, receipt, err, "POD_CONFIRMED", "PROOFS_DIFFER", "QUANTITY_EXCEEDS_DISPATCHED", "LINE_UNKNOWN")
	s := w.becomes(t, "more", confirmed, "PROOFS_DIFFER", "QUANTITY_EXCEEDS_DISPATCHED", "LINE_UNKNOWN")
	if s.GetSignedBy() != "Ada" || lines(s.GetDeliveredLines()) != "1:11 EA 0g 9:1 EA 0g" {
		t.Errorf("%v", s)
	}
	receipt, err = pod("Eve", 22, &sv.ShipmentLine{LineNumber: 1, Quantity: ea("9")}) // a newer one counts
	done(t, receipt, err, "POD_CONFIRMED", "PROOFS_DIFFER")
	if names, _ := w.facts(t, "more"); !slices.Equal(names[3:], []string{"ShipmentDelivered", "ProofOfDeliveryRecorded", "OlderProofRecorded", "ProofOfDeliveryRecorded"}) {
		t.Errorf("%v", names)
	}
}

// lateIssue: everything is known before the goods issue; what was delivered is published again.
func lateIssue(t *testing.T, w *world) {
	id := w.planned(t, "late-issue")
	receipt, err := w.record(t, w.tms, id, milestone(sv.MilestoneCode_MILESTONE_CODE_DELIVERED, 21))
	done(t, receipt, err, "DELIVERED", "MOVED_NOT_DISPATCHED")
	receipt, err = w.dispatch(t, &sv.DispatchShipmentRequest{ShipmentId: id})
	done(t, receipt, err, "DELIVERED", "DISPATCHED_NOT_ISSUED")
	w.happens(t, "late-issue", w.issued("late-issue"))
	s := w.becomes(t, "late-issue", sv.ShipmentState_SHIPMENT_STATE_DELIVERED)
	names, facts := w.facts(t, "late-issue")
	last := facts[len(facts)-1]
	if d, ok := last.(*sv.ShipmentDelivered); !ok || !proto.Equal(&sv.Shipment{Lines: d.GetLines()}, &sv.Shipment{Lines: s.GetLines()}) {
		t.Errorf("%v: %v", names, last)
	}
}

// anyOrder: the same four reports in each of their orders, over the wire and the bus, give one shipment.
func anyOrder(t *testing.T, w *world) {
	var want *sv.Shipment
	for i, order := range permutations(4) {
		name := fmt.Sprintf("any-order-%d", i)
		id := w.planned(t, name)
		for _, report := range order {
			switch report {
			case 0:
				w.happens(t, name, w.issued(name))
			case 1:
				if _, err := w.dispatch(t, &sv.DispatchShipmentRequest{ShipmentId: id, ProNumber: "PRO"}); err != nil {
					t.Fatal(err)
				}
			case 2:
				if _, err := w.record(t, w.tms, id, milestone(sv.MilestoneCode_MILESTONE_CODE_DELIVERED, 21), milestone(sv.MilestoneCode_MILESTONE_CODE_PICKED_UP, 17)); err != nil {
					t.Fatal(err)
				}
			case 3:
				if _, err := w.tms.RecordProofOfDelivery(t.Context(), &sv.RecordProofOfDeliveryRequest{ShipmentId: id, SignedBy: "Ada", SignedTime: at(22)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		s := w.becomes(t, name, confirmed)
		got := &sv.Shipment{
			Lines: s.GetLines(), GrossWeightGrams: s.GetGrossWeightGrams(), DeliveredLines: s.GetDeliveredLines(),
			SignedTime: s.GetSignedTime(), ProNumber: s.GetProNumber(), Carrier: s.GetCarrier(), Shipped: s.GetShipped(),
		}
		for _, m := range s.GetMilestones() {
			m.RecordedTime = nil
			got.Milestones = append(got.Milestones, m)
		}
		if want == nil {
			want = got
		}
		if !proto.Equal(got, want) {
			t.Errorf("in the order %v: %v\nin another: %v", order, got, want)
		}
	}
}

// permutations returns all orders of 0 to n-1.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, p := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(p), at, n-1))
		}
	}
	return all
}

func staleVersion(t *testing.T, w *world) {
	id := w.planned(t, "stale")
	before := w.becomes(t, "stale", planned).GetEtag()
	w.tender(t, w.tms, id, "ACME")
	_, err := w.tms.TenderShipment(t.Context(), &sv.TenderShipmentRequest{ShipmentId: id, Carrier: "OTHR", RespondBy: in(time.Hour), Etag: before})
	if !fault.IsKind(err, fault.Stale) {
		t.Errorf("a stale version: %v", err)
	}
	_, err = w.tms.CloseShipment(t.Context(), &sv.CloseShipmentRequest{ShipmentId: id})
	refused(t, err, fault.Refused, "SHIPMENT_STATE")
}

// TestReplayAndTimersSurviveARestart: an answer is the same after a restart, and a tender that
// nobody answers expires although the process that made it is gone.
func TestReplayAndTimersSurviveARestart(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			now := &ahead{}
			w := newWorldOn(t, hosttest.Options{Engine: engine, Clock: now})
			id := w.planned(t, "restart")
			respondBy := in(10 * time.Minute)
			ctx := hosttest.WithKey(t.Context(), "tender-restart")
			req := &sv.TenderShipmentRequest{ShipmentId: id, Carrier: "ACME", CarrierService: "LTL", RespondBy: respondBy}
			first, err := w.tms.TenderShipment(ctx, req)
			done(t, first.GetReceipt(), err, "TENDERED")
			w.Redis.FlushAll()
			w.Restart(t)
			var header metadata.MD
			again, err := w.tms.TenderShipment(ctx, req, grpc.Header(&header))
			if err != nil || !proto.Equal(first, again) || !slices.Equal(header.Get(guard.MetaReplayed), []string{"true"}) {
				t.Fatalf("replay %v, %v, %v; first %v", again, err, header, first)
			}
			other := proto.CloneOf(req)
			other.Carrier = "OTHR"
			if _, err = w.tms.TenderShipment(ctx, other); !fault.IsKind(err, fault.KeyReused) {
				t.Fatalf("another body under the key: %v", err)
			}
			w.becomes(t, "restart", sv.ShipmentState_SHIPMENT_STATE_TENDERED)
			now.by.Store(int64(20 * time.Minute))
			s := w.becomes(t, "restart", planned)
			if tender := s.GetTenders()[0]; tender.GetState() != sv.TenderState_TENDER_STATE_EXPIRED || !s.GetUpdateTime().AsTime().After(respondBy.AsTime()) {
				t.Errorf("%v at %v", tender, s.GetUpdateTime().AsTime())
			}
			_, err = w.tms.RespondTender(t.Context(), &sv.RespondTenderRequest{ShipmentId: id, Carrier: "ACME", Accept: true})
			refused(t, err, fault.Refused, "TENDER_NOT_OPEN")
			w.tender(t, w.tms, id, "OTHR")
			if names, _ := w.facts(t, "restart"); !slices.Equal(names, []string{"ShipmentPlanned", "ShipmentTendered", "TenderClosed", "ShipmentTendered"}) {
				t.Errorf("%v", names)
			}
		})
	}
}

func TestAccess(t *testing.T) {
	hosttest.Serve(t, "sqlite", unit(), (&owner{aggregate: "warehouse_order", prefix: "who"}).unit("inventory-movement"), (&owner{aggregate: "carrier", prefix: "car"}).unit("master-data")).
		AccessMatrix(t, shipmentvisibility.Name, "testdata/access.md")
}

func TestReadmeIsTrue(t *testing.T) {
	hosttest.ConfigTable(t, "README.md", host.Bind(shipmentvisibility.Name, shipmentvisibility.Defaults(), shipmentvisibility.New))
}

func TestConfigThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*shipmentvisibility.Config){
		"policy": func(c *shipmentvisibility.Config) { c.ShippedPolicy = "SOMETIMES" },
		"sweep":  func(c *shipmentvisibility.Config) { c.Sweep = 0 },
	} {
		c := shipmentvisibility.Defaults()
		change(&c)
		if c.Validate() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := shipmentvisibility.Defaults().Validate(); err != nil {
		t.Error(err)
	}
}
