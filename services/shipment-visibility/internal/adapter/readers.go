package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// keyed is a stored fact with the keys of its shipment.
type keyed interface{ GetShipmentId() string }

func keys(m keyed) domain.Keys {
	k := domain.Keys{Shipment: m.GetShipmentId()}
	if o, ok := m.(interface {
		GetOrderId() string
		GetOrderNumber() string
	}); ok {
		k.Order.ID, k.Order.Number = o.GetOrderId(), o.GetOrderNumber()
	}
	if r, ok := m.(interface{ GetReleaseId() string }); ok {
		k.Order.Release = r.GetReleaseId()
	}
	if w, ok := m.(interface{ GetWarehouseOrderId() string }); ok {
		k.Order.WarehouseOrder = w.GetWarehouseOrderId()
	}
	return k
}

// readers reads every fact type that a shipment may have.
var readers = func() protovalue.Readers[domain.Fact] {
	rs := protovalue.Readers[domain.Fact]{}
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ShipmentPlanned) (domain.Fact, error) {
		ls, err := fromLines(m.GetLines())
		return domain.ShipmentPlanned{
			Keys: keys(m), Site: m.GetSite(), ShipTo: fromAddress(m.GetShipTo()),
			Preference: m.GetCarrierPreference(), Service: m.GetServiceLevel(), Lines: ls,
			Policy: fromPolicy(m.GetShippedPolicy()),
		}, err
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ShipmentAmended) (domain.Fact, error) {
		ls, err := fromLines(m.GetLines())
		return domain.ShipmentAmended{Keys: keys(m), Version: int(m.GetAmendedVersion()), Lines: ls}, err
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ShipmentWordObserved) (domain.Fact, error) {
		return domain.ShipmentWordObserved{Keys: keys(m), Word: protovalue.FromForeignWord(m.GetWord())}, nil
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ShipmentReady) (domain.Fact, error) {
		us, err := fromUnits(m.GetUnits())
		if err != nil {
			return nil, err
		}
		ls, err := fromLines(m.GetLines())
		return domain.ShipmentReady{
			Keys: keys(m), Units: us, Lines: ls, WeightGrams: m.GetGrossWeightGrams(), Issued: protovalue.FromTime(m.GetIssuedTime()),
		}, err
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ShipmentTendered) (domain.Fact, error) {
		return domain.ShipmentTendered{Keys: keys(m), Site: m.GetSite(), ShipTo: fromAddress(m.GetShipTo()), Tender: domain.Tender{
			Number: int(m.GetTenderNumber()), Carrier: m.GetCarrier(), Service: m.GetCarrierService(),
			State: domain.Offered, RespondBy: protovalue.FromTime(m.GetRespondBy()),
		}}, nil
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.TenderAccepted) (domain.Fact, error) {
		ls, err := fromLines(m.GetLines())
		return domain.TenderWasAccepted{
			Keys: keys(m), Number: int(m.GetTenderNumber()), Carrier: m.GetCarrier(), Service: m.GetCarrierService(),
			Site: m.GetSite(), ShipTo: fromAddress(m.GetShipTo()), WeightGrams: m.GetGrossWeightGrams(), Lines: ls,
		}, err
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.TenderClosed) (domain.Fact, error) {
		return domain.TenderClosed{
			Keys: keys(m), Number: int(m.GetTenderNumber()), Carrier: m.GetCarrier(),
			Outcome: domain.TenderState(trim(m.GetOutcome().String(), "TENDER_STATE_")), Reason: m.GetReason(),
		}, nil
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ShipmentDispatched) (domain.Fact, error) {
		ls, err := fromLines(m.GetLines())
		return domain.ShipmentDispatched{
			Keys: keys(m), Carrier: m.GetCarrier(), Service: m.GetCarrierService(),
			Refs: domain.Refs{BillOfLading: m.GetBillOfLading(), PRO: m.GetProNumber(), Tracking: m.GetTrackingNumber(), Seal: m.GetSealNumber()},
			At:   protovalue.FromTime(m.GetDispatchedTime()), NotIssued: m.GetNotIssued(), Reported: m.GetCarrierReported(),
			WeightGrams: m.GetGrossWeightGrams(), Lines: ls, Site: m.GetSite(), ShipTo: fromAddress(m.GetShipTo()),
		}, err
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.MilestoneRecorded) (domain.Fact, error) {
		return domain.MilestoneRecorded{
			Keys: keys(m), Milestone: fromMilestone(m.GetMilestone()), State: domain.State(trim(m.GetState().String(), "SHIPMENT_STATE_")),
		}, nil
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ShipmentDelivered) (domain.Fact, error) {
		ls, err := fromLines(m.GetLines())
		return domain.ShipmentDelivered{Keys: keys(m), At: protovalue.FromTime(m.GetDeliveredTime()), WeightGrams: m.GetGrossWeightGrams(), Lines: ls}, err
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ProofOfDeliveryRecorded) (domain.Fact, error) {
		ls, err := fromLines(m.GetLines())
		return domain.ProofOfDeliveryRecorded{
			Keys: keys(m), SignedBy: m.GetSignedBy(), SignedAt: protovalue.FromTime(m.GetSignedTime()), Lines: ls, Document: m.GetDocumentSha256(),
			AsDispatched: m.GetAsDispatched(),
		}, err
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ShipmentCancelled) (domain.Fact, error) {
		return domain.ShipmentCancelled{Keys: keys(m), Reason: m.GetReason(), Carrier: m.GetCarrier()}, nil
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.DispatchReported) (domain.Fact, error) {
		return domain.DispatchReported{Keys: keys(m), Departure: domain.Departure{
			Refs:    domain.Refs{BillOfLading: m.GetBillOfLading(), PRO: m.GetProNumber(), Tracking: m.GetTrackingNumber(), Seal: m.GetSealNumber()},
			Carrier: m.GetCarrier(), At: protovalue.FromTime(m.GetDispatchedTime()),
		}}, nil
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.OlderProofRecorded) (domain.Fact, error) {
		ls, err := fromLines(m.GetLines())
		return domain.OlderProofRecorded{Keys: keys(m), Proof: domain.Proof{
			SignedBy: m.GetSignedBy(), SignedAt: protovalue.FromTime(m.GetSignedTime()), Lines: ls, Document: m.GetDocumentSha256(),
		}}, err
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.CancellationContradicted) (domain.Fact, error) {
		return domain.CancellationContradicted{Keys: keys(m), Reason: m.GetReason()}, nil
	})
	protovalue.Read(rs, func(m *shipmentvisibilityv1.ShipmentClosed) (domain.Fact, error) {
		return domain.ShipmentClosed{Keys: keys(m)}, nil
	})
	readReversal(rs)
	return rs
}()
