package orderrelease_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// from is a message of a system.
func from(system string) *commonv1.SourceRef {
	return &commonv1.SourceRef{System: system, MessageId: testkit.Name("m"), EventTime: timestamppb.New(time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC))}
}

func outcome(r *commonv1.Receipt) string {
	text := r.GetState()
	for _, reason := range r.GetReasons() {
		text += " " + reason.GetCode()
	}
	return text
}

// observed renders what is kept of foreign words: "RequestCancel tms/erp true".
func observed(o *or.Order) string {
	var words []string
	for _, w := range o.GetObservations() {
		words = append(words, fmt.Sprintf("%s %s/%s %t", w.GetCommand(), w.GetSystem(), w.GetOwner(), w.GetContradicts()))
	}
	return strings.Join(words, ", ")
}

// TestOwnershipOfTransitions: what asks for something in the name of a system that does not own it is refused
// or kept as an observation, as the tenant's policy says; the owner's word counts.
func TestOwnershipOfTransitions(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){"foreign words": foreignWords})
}

func foreignWords(t *testing.T, w *world) {
	sku := w.stocked(t, 10)[0]
	id := w.submit(t, order(t, lineOf(1, sku, 30))) // more than there is: it waits
	hold := func(system string) (*or.PlaceHoldResponse, error) {
		return w.orders.PlaceHold(t.Context(), &or.PlaceHoldRequest{OrderId: id, Type: or.HoldType_HOLD_TYPE_MANUAL, Source: from(system)})
	}
	if resp, err := hold("tms"); err != nil || strings.Contains(outcome(resp.GetReceipt()), "NOT_OWNED") {
		t.Fatal(resp, err) // anybody's, as it came with the release
	}
	_, err := w.orders.LiftHold(t.Context(), &or.LiftHoldRequest{OrderId: id, Type: or.HoldType_HOLD_TYPE_MANUAL, Source: from("tms")})
	f, _ := fault.As(err)
	if f == nil || f.Kind != fault.Refused || f.Reason != "TRANSITION_NOT_OWNED" || f.Metadata["owner"] != "erp" || f.Metadata["rule"] != "REFUSE" {
		t.Fatal(err)
	}
	if o := w.get(t, id); len(o.GetHolds()) != 1 || len(o.GetObservations()) > 0 {
		t.Errorf("%v", o)
	}
	if _, err := w.orders.LiftHold(t.Context(), &or.LiftHoldRequest{OrderId: id, Type: or.HoldType_HOLD_TYPE_MANUAL, Source: from("erp")}); err != nil {
		t.Fatal(err)
	}

	w.masterData.publish(t, w.Tenant, w.id("own", "ORDER"), &md.OwnershipPolicyDefined{ObjectType: md.ObjectType_OBJECT_TYPE_ORDER, PolicyVersion: 1, Rules: []*md.OwnershipRule{
		{Subject: "RequestCancel", Owner: "erp", ConflictRule: md.ConflictRule_CONFLICT_RULE_OBSERVE},
		{Subject: "SubmitOrder", Owner: "erp", ConflictRule: md.ConflictRule_CONFLICT_RULE_OBSERVE},
		{Subject: "LiftHold", Owner: "erp", ConflictRule: md.ConflictRule_CONFLICT_RULE_ACCEPT},
	}})
	var rejected string
	doc := order(t, lineOf(1, sku, 1))
	doc.SourceSystem = "shop"
	testkit.Eventually(t, patience, func() error { // the copy may trail
		doc.OrderNumber = testkit.Name("SO")
		resp, err := w.orders.SubmitOrder(t.Context(), &or.SubmitOrderRequest{Order: doc, Source: from("shop")})
		if rejected = resp.GetReceipt().GetId(); err != nil || outcome(resp.GetReceipt()) != "REJECTED TRANSITION_NOT_OWNED" {
			return fmt.Errorf("%s %w", outcome(resp.GetReceipt()), err)
		}
		return nil
	})
	cancel := func(system string) string {
		t.Helper()
		resp, err := w.orders.RequestCancel(t.Context(), &or.RequestCancelRequest{OrderId: id, Reason: "CUSTOMER_REQUEST", Source: from(system)})
		if err != nil {
			t.Fatal(err)
		}
		return outcome(resp.GetReceipt())
	}
	before := w.get(t, id)
	for range 2 { // what is said again is kept once
		if got := cancel("tms"); got != strings.TrimPrefix(before.GetState().String(), "ORDER_STATE_")+" TRANSITION_NOT_OWNED" {
			t.Errorf("the TMS is told %s", got)
		}
	}
	o := w.get(t, id)
	if got := observed(o); got != "RequestCancel tms/erp true" || o.GetState() != before.GetState() || o.GetLines()[0].GetQuantities().GetCancelled() != "0" {
		t.Errorf("%s, %v", got, o)
	}
	if list := w.history(t, id); slices.Index(list, "OrderWordObserved") < 0 {
		t.Errorf("%q", list)
	}
	w.takenBySystem(t, rejected, doc)
	cancel("erp")
	if got := observed(w.get(t, id)); got != "RequestCancel tms/erp false" {
		t.Errorf("its owner has cancelled: %s", got)
	}
}

// takenBySystem: an order that a system may not submit is nobody's until its owner submits it; what the
// other one says of it then is kept.
func (w *world) takenBySystem(t *testing.T, id string, doc *or.OrderDocument) {
	t.Helper()
	if o := w.get(t, id); len(o.GetReleases()) > 0 || o.GetState() != or.OrderState_ORDER_STATE_REJECTED || o.GetReasons()[0].GetCode() != "TRANSITION_NOT_OWNED" {
		t.Errorf("%v", o)
	}
	resp, err := w.orders.SubmitOrder(t.Context(), &or.SubmitOrderRequest{Order: doc, Source: from("erp")})
	if err != nil || resp.GetReceipt().GetId() != id || resp.GetReceipt().GetState() == "REJECTED" {
		t.Fatal(resp, err)
	}
	resp, err = w.orders.SubmitOrder(t.Context(), &or.SubmitOrderRequest{Order: doc, Source: from("shop")})
	if err != nil || !strings.HasSuffix(outcome(resp.GetReceipt()), " TRANSITION_NOT_OWNED") {
		t.Fatal(resp, err)
	}
	if got := observed(w.get(t, id)); got != "SubmitOrder shop/erp true" {
		t.Errorf("%s", got)
	}
}
