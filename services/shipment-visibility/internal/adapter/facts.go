package adapter

import (
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// encode writes a fact as its published message.
func encode(f domain.Fact) (string, []byte, error) { return protovalue.Encode(message(f)) }

// message converts a fact: what is planned and agreed, or what is reported.
func message(f domain.Fact) proto.Message {
	if m := agreed(f); m != nil {
		return m
	}
	return reported(f)
}

func agreed(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.ShipmentPlanned:
		return &shipmentvisibilityv1.ShipmentPlanned{
			ShipmentId: f.Shipment, OrderId: f.Order.ID, OrderNumber: f.Order.Number, ReleaseId: f.Order.Release,
			WarehouseOrderId: f.Order.WarehouseOrder, Site: f.Site, ShipTo: address(f.ShipTo),
			CarrierPreference: f.Preference, ServiceLevel: f.Service, Lines: lines(f.Lines), ShippedPolicy: shippedPolicy(f.Policy),
		}
	case domain.ShipmentAmended:
		return &shipmentvisibilityv1.ShipmentAmended{
			ShipmentId: f.Shipment, OrderId: f.Order.ID, OrderNumber: f.Order.Number, ReleaseId: f.Order.Release,
			WarehouseOrderId: f.Order.WarehouseOrder, AmendedVersion: int32(f.Version), Lines: lines(f.Lines),
		}
	case domain.ShipmentWordObserved:
		return &shipmentvisibilityv1.ShipmentWordObserved{
			ShipmentId: f.Shipment, OrderId: f.Order.ID, OrderNumber: f.Order.Number, ReleaseId: f.Order.Release,
			WarehouseOrderId: f.Order.WarehouseOrder, Word: protovalue.ForeignWord(f.Word),
		}
	case domain.ShipmentTendered:
		return &shipmentvisibilityv1.ShipmentTendered{
			ShipmentId: f.Shipment, TenderNumber: int32(f.Tender.Number), Carrier: f.Tender.Carrier,
			CarrierService: f.Tender.Service, RespondBy: protovalue.Time(f.Tender.RespondBy), Site: f.Site, ShipTo: address(f.ShipTo),
		}
	case domain.TenderWasAccepted:
		return &shipmentvisibilityv1.TenderAccepted{
			ShipmentId: f.Shipment, TenderNumber: int32(f.Number), Carrier: f.Carrier, CarrierService: f.Service,
			OrderId: f.Order.ID, OrderNumber: f.Order.Number, Site: f.Site, ShipTo: address(f.ShipTo),
			GrossWeightGrams: f.WeightGrams, Lines: lines(f.Lines),
		}
	case domain.TenderClosed:
		return &shipmentvisibilityv1.TenderClosed{
			ShipmentId: f.Shipment, TenderNumber: int32(f.Number), Carrier: f.Carrier,
			Outcome: tenderState(f.Outcome), Reason: f.Reason,
		}
	case domain.ShipmentCancelled:
		return &shipmentvisibilityv1.ShipmentCancelled{
			ShipmentId: f.Shipment, Reason: f.Reason, Carrier: f.Carrier,
			OrderId: f.Order.ID, OrderNumber: f.Order.Number, ReleaseId: f.Order.Release, WarehouseOrderId: f.Order.WarehouseOrder,
		}
	case domain.ShipmentClosed:
		return &shipmentvisibilityv1.ShipmentClosed{ShipmentId: f.Shipment}
	}
	return nil
}

func reported(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.ShipmentReady:
		return &shipmentvisibilityv1.ShipmentReady{
			ShipmentId: f.Shipment, Units: units(f.Units), Lines: lines(f.Lines),
			GrossWeightGrams: f.WeightGrams, IssuedTime: protovalue.Time(f.Issued),
			OrderId: f.Order.ID, OrderNumber: f.Order.Number, ReleaseId: f.Order.Release, WarehouseOrderId: f.Order.WarehouseOrder,
		}
	case domain.ShipmentDispatched:
		return &shipmentvisibilityv1.ShipmentDispatched{
			ShipmentId: f.Shipment, OrderId: f.Order.ID, OrderNumber: f.Order.Number, Carrier: f.Carrier, CarrierService: f.Service,
			BillOfLading: f.Refs.BillOfLading, ProNumber: f.Refs.PRO, TrackingNumber: f.Refs.Tracking, SealNumber: f.Refs.Seal,
			DispatchedTime: protovalue.Time(f.At), GrossWeightGrams: f.WeightGrams, Lines: lines(f.Lines),
			NotIssued: f.NotIssued, CarrierReported: f.Reported, Site: f.Site, ShipTo: address(f.ShipTo),
		}
	case domain.MilestoneRecorded:
		return &shipmentvisibilityv1.MilestoneRecorded{ShipmentId: f.Shipment, Milestone: milestone(f.Milestone), State: state(f.State)}
	case domain.ShipmentDelivered:
		return &shipmentvisibilityv1.ShipmentDelivered{
			ShipmentId: f.Shipment, OrderId: f.Order.ID, OrderNumber: f.Order.Number, ReleaseId: f.Order.Release,
			DeliveredTime: protovalue.Time(f.At), Lines: lines(f.Lines), GrossWeightGrams: f.WeightGrams,
		}
	case domain.ProofOfDeliveryRecorded:
		return &shipmentvisibilityv1.ProofOfDeliveryRecorded{
			ShipmentId: f.Shipment, OrderId: f.Order.ID, OrderNumber: f.Order.Number, ReleaseId: f.Order.Release,
			SignedBy: f.SignedBy, SignedTime: protovalue.Time(f.SignedAt), Lines: lines(f.Lines), DocumentSha256: f.Document,
			AsDispatched: f.AsDispatched,
		}
	case domain.DispatchReported:
		d := f.Departure
		return &shipmentvisibilityv1.DispatchReported{
			ShipmentId: f.Shipment, Carrier: d.Carrier, BillOfLading: d.Refs.BillOfLading, ProNumber: d.Refs.PRO,
			TrackingNumber: d.Refs.Tracking, SealNumber: d.Refs.Seal, DispatchedTime: protovalue.Time(d.At),
		}
	case domain.OlderProofRecorded:
		return &shipmentvisibilityv1.OlderProofRecorded{
			ShipmentId: f.Shipment, SignedBy: f.Proof.SignedBy, SignedTime: protovalue.Time(f.Proof.SignedAt),
			Lines: lines(f.Proof.Lines), DocumentSha256: f.Proof.Document,
		}
	case domain.CancellationContradicted:
		return &shipmentvisibilityv1.CancellationContradicted{ShipmentId: f.Shipment, Reason: f.Reason}
	}
	return reversed(f)
}
