package adapter

import (
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

func state(s domain.State) shipmentvisibilityv1.ShipmentState {
	return shipmentvisibilityv1.ShipmentState(shipmentvisibilityv1.ShipmentState_value["SHIPMENT_STATE_"+string(s)])
}

func shippedPolicy(p domain.Policy) shipmentvisibilityv1.ShippedPolicy {
	return shipmentvisibilityv1.ShippedPolicy(shipmentvisibilityv1.ShippedPolicy_value["SHIPPED_POLICY_"+string(p)])
}

// fromPolicy reads a policy; a shipment planned before policies were told has none.
func fromPolicy(p shipmentvisibilityv1.ShippedPolicy) domain.Policy {
	if p == 0 {
		return ""
	}
	return domain.Policy(trim(p.String(), "SHIPPED_POLICY_"))
}

func tenderState(s domain.TenderState) shipmentvisibilityv1.TenderState {
	return shipmentvisibilityv1.TenderState(shipmentvisibilityv1.TenderState_value["TENDER_STATE_"+string(s)])
}

func lines(in []domain.Line) []*shipmentvisibilityv1.ShipmentLine {
	out := make([]*shipmentvisibilityv1.ShipmentLine, len(in))
	for i, l := range in {
		out[i] = &shipmentvisibilityv1.ShipmentLine{
			LineNumber: int32(l.Number), Sku: l.SKU, Quantity: protovalue.Quantity(l.Quantity), WeightGrams: l.WeightGrams,
		}
	}
	return out
}

func fromLines(in []*shipmentvisibilityv1.ShipmentLine) ([]domain.Line, error) {
	out := make([]domain.Line, len(in))
	for i, l := range in {
		q, err := protovalue.StoredQuantity(l.GetQuantity())
		if err != nil {
			return nil, err
		}
		out[i] = domain.Line{Number: int(l.GetLineNumber()), SKU: l.GetSku(), Quantity: q, WeightGrams: l.GetWeightGrams()}
	}
	return out, nil
}

func units(in []domain.Unit) []*shipmentvisibilityv1.HandlingUnit {
	out := make([]*shipmentvisibilityv1.HandlingUnit, len(in))
	for i, u := range in {
		out[i] = &shipmentvisibilityv1.HandlingUnit{Sscc: u.SSCC, GrossWeightGrams: u.WeightGrams, Lines: lines(u.Lines)}
	}
	return out
}

func fromUnits(in []*shipmentvisibilityv1.HandlingUnit) ([]domain.Unit, error) {
	out := make([]domain.Unit, len(in))
	for i, u := range in {
		ls, err := fromLines(u.GetLines())
		if err != nil {
			return nil, err
		}
		out[i] = domain.Unit{SSCC: u.GetSscc(), WeightGrams: u.GetGrossWeightGrams(), Lines: ls}
	}
	return out, nil
}

func address(a domain.Address) *commonv1.Address {
	return &commonv1.Address{
		Name: a.Name, Lines: a.Lines, City: a.City, Region: a.Region, PostalCode: a.PostalCode, Country: a.Country,
	}
}

func fromAddress(a *commonv1.Address) domain.Address {
	return domain.Address{
		Name: a.GetName(), Lines: a.GetLines(), City: a.GetCity(), Region: a.GetRegion(),
		PostalCode: a.GetPostalCode(), Country: a.GetCountry(),
	}
}

func milestone(m domain.Milestone) *shipmentvisibilityv1.Milestone {
	return &shipmentvisibilityv1.Milestone{
		Code:       shipmentvisibilityv1.MilestoneCode(shipmentvisibilityv1.MilestoneCode_value["MILESTONE_CODE_"+string(m.Code)]),
		Classifier: shipmentvisibilityv1.MilestoneClassifier(shipmentvisibilityv1.MilestoneClassifier_value["MILESTONE_CLASSIFIER_"+string(m.Classifier)]),
		EventTime:  protovalue.Time(m.At), OffsetMinutes: int32(m.Offset), Place: m.Place,
		Source: m.Source, MessageId: m.MessageID, RecordedTime: protovalue.Time(m.Recorded),
	}
}

func fromMilestone(m *shipmentvisibilityv1.Milestone) domain.Milestone {
	return domain.Milestone{
		Code:       domain.Code(trim(m.GetCode().String(), "MILESTONE_CODE_")),
		Classifier: domain.Classifier(trim(m.GetClassifier().String(), "MILESTONE_CLASSIFIER_")),
		At:         protovalue.FromTime(m.GetEventTime()), Offset: int(m.GetOffsetMinutes()), Place: m.GetPlace(),
		Source: m.GetSource(), MessageID: m.GetMessageId(), Recorded: protovalue.FromTime(m.GetRecordedTime()),
	}
}

// trim returns an enum value's name without its prefix; one that this binary does not know
// keeps its number.
func trim(s, prefix string) string { return strings.TrimPrefix(s, prefix) }
