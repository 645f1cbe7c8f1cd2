package adapter

import (
	"strconv"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// shipment renders a shipment as its resource.
func shipment(v store.View[domain.Shipment]) *shipmentvisibilityv1.Shipment {
	s := v.State
	out := &shipmentvisibilityv1.Shipment{
		ShipmentId: v.ID, State: state(s.State()), OrderId: s.Keys.Order.ID, OrderNumber: s.Keys.Order.Number,
		ReleaseId: s.Keys.Order.Release, WarehouseOrderId: s.Keys.Order.WarehouseOrder, Site: s.Site, ShipTo: address(s.ShipTo),
		Carrier: s.Carrier, CarrierService: s.Service, BillOfLading: s.Refs.BillOfLading, ProNumber: s.Refs.PRO,
		TrackingNumber: s.Refs.Tracking, Lines: lines(s.Lines), Units: units(s.Units), GrossWeightGrams: s.WeightGrams,
		DeliveredLines: lines(s.Confirmed), SignedBy: s.SignedBy, Shipped: shipped(s),
		Etag: v.ETag, CreateTime: protovalue.Time(v.Created), UpdateTime: protovalue.Time(v.Updated),
	}
	for _, t := range s.Tenders {
		out.Tenders = append(out.Tenders, &shipmentvisibilityv1.Tender{
			Number: int32(t.Number), Carrier: t.Carrier, CarrierService: t.Service, State: tenderState(t.State),
			RespondBy: protovalue.Time(t.RespondBy), Reason: t.Reason,
		})
	}
	for _, m := range s.Milestones {
		out.Milestones = append(out.Milestones, milestone(m))
	}
	if s.NotIssued {
		out.Contradictions = append(out.Contradictions, &commonv1.Reason{
			Code: "DISPATCHED_NOT_ISSUED", Message: "the shipment left before a goods issue was known",
		})
	}
	return out
}

// shipped explains whether the shipment counts as shipped under the policy in force.
func shipped(s domain.Shipment) *shipmentvisibilityv1.ShippedView {
	_, ok := s.Shipped()
	v := &shipmentvisibilityv1.ShippedView{
		Policy:  shipmentvisibilityv1.ShippedPolicy_SHIPPED_POLICY_GOODS_ISSUE_AND_DISPATCH,
		Shipped: ok, GoodsIssueTime: protovalue.Time(s.Issued), DispatchTime: protovalue.Time(s.Dispatched),
	}
	yes := map[bool]string{true: "yes", false: "no"}
	v.Explanation = "policy goods issue and dispatch: goods issue " + yes[!s.Issued.IsZero()] + ", dispatch " + yes[!s.Dispatched.IsZero()]
	return v
}

func fromMilestones(r *shipmentvisibilityv1.RecordMilestonesRequest) []domain.Milestone {
	out := make([]domain.Milestone, len(r.GetMilestones()))
	for i, m := range r.GetMilestones() {
		out[i] = fromMilestone(m)
		if src := r.GetSource(); out[i].Source == "" {
			out[i].Source, out[i].MessageID = src.GetSystem(), src.GetMessageId()
		}
	}
	return out
}

func fromProof(r *shipmentvisibilityv1.RecordProofOfDeliveryRequest) (domain.ProofOfDeliveryRecorded, error) {
	p := domain.ProofOfDeliveryRecorded{
		SignedBy: r.GetSignedBy(), SignedAt: protovalue.FromTime(r.GetSignedTime()), Document: r.GetDocumentSha256(),
	}
	for i, l := range r.GetLines() {
		field := "lines[" + strconv.Itoa(i) + "].quantity"
		if l.GetQuantity() == nil {
			return p, fault.New(fault.Invalid, "INVALID_REQUEST", "%s is missing", field).WithField(field, "REQUIRED", "the delivered quantity")
		}
		q, err := protovalue.FromQuantity(l.GetQuantity(), field)
		if err != nil {
			return p, err
		}
		p.Lines = append(p.Lines, domain.Line{Number: int(l.GetLineNumber()), SKU: l.GetSku(), Quantity: q, WeightGrams: l.GetWeightGrams()})
	}
	return p, nil
}
