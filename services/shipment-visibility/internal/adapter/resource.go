package adapter

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// shipment renders a shipment as its resource.
func shipment(v store.View[domain.Shipment]) *shipmentvisibilityv1.Shipment {
	s := v.State
	left, _ := s.Dispatched()
	carrier, service := s.Carrier()
	out := &shipmentvisibilityv1.Shipment{
		ShipmentId: v.ID, State: state(s.State()), OrderId: s.Keys.Order.ID, OrderNumber: s.Keys.Order.Number,
		ReleaseId: s.Keys.Order.Release, WarehouseOrderId: s.Keys.Order.WarehouseOrder, Site: s.Site, ShipTo: address(s.ShipTo),
		Carrier: carrier, CarrierService: service, BillOfLading: left.Refs.BillOfLading, ProNumber: left.Refs.PRO,
		TrackingNumber: left.Refs.Tracking, SealNumber: left.Refs.Seal, Lines: lines(s.Lines), Units: units(s.Units),
		GrossWeightGrams: s.WeightGrams, Shipped: shipped(s), CancelReason: s.CancelReason,
		Etag: v.ETag, CreateTime: protovalue.Time(v.Created), UpdateTime: protovalue.Time(v.Updated),
		Observations: protovalue.Each(s.Heard, protovalue.ForeignWord),
	}
	if p, ok := s.Proof(); ok {
		out.DeliveredLines, out.SignedBy = lines(s.DeliveredLines()), p.SignedBy
		out.SignedTime, out.DocumentSha256 = protovalue.Time(p.SignedAt), p.Document
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
	for _, c := range s.Contradictions() {
		out.Contradictions = append(out.Contradictions, &commonv1.Reason{Code: c.Code, Field: c.Field, Message: c.Message})
	}
	return out
}

// shipped explains whether the shipment counts as shipped under its policy.
func shipped(s domain.Shipment) *shipmentvisibilityv1.ShippedView {
	policy, _, ok := s.Shipped()
	left, _ := s.Dispatched()
	known := func(yes bool) string {
		if yes {
			return "yes"
		}
		return "no"
	}
	words := strings.ReplaceAll(strings.ToLower(string(policy)), "_", " ")
	return &shipmentvisibilityv1.ShippedView{
		Policy: shippedPolicy(policy), Shipped: ok, GoodsIssueTime: protovalue.Time(s.Issued), DispatchTime: protovalue.Time(left.At),
		Explanation: "shipped: " + known(ok) + ", by policy " + words + "; goods issue " + known(!s.Issued.IsZero()) + ", dispatch " + known(!left.At.IsZero()),
	}
}

// fromMilestones reads reported milestones. The caller must be allowed to speak for each
// system that it names.
func fromMilestones(ctx context.Context, r *shipmentvisibilityv1.RecordMilestonesRequest) ([]domain.Milestone, error) {
	caller, _ := guard.CallerOf(ctx)
	out := make([]domain.Milestone, len(r.GetMilestones()))
	for i, m := range r.GetMilestones() {
		out[i] = fromMilestone(m)
		if src := r.GetSource(); out[i].Source == "" {
			out[i].Source, out[i].MessageID = src.GetSystem(), cmp.Or(out[i].MessageID, src.GetMessageId())
		}
		if system := out[i].Source; system != "" && !caller.SpeaksFor(system) {
			return nil, fault.New(fault.Denied, "SOURCE_NOT_ALLOWED", "this caller may not speak for system %q", system).With("system", system)
		}
	}
	return out, nil
}

func fromProof(r *shipmentvisibilityv1.RecordProofOfDeliveryRequest) (domain.Proof, error) {
	p := domain.Proof{
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
