package domain

import "github.com/lockstep-logistics/lockstep/libs/authority"

// ShipmentWordObserved keeps what a system said of the shipment by a command of which another one owns
// the transition. It changes nothing.
type ShipmentWordObserved struct {
	Keys
	Word authority.Heard
}

func (ShipmentWordObserved) isFact() {}

// Hear keeps what was said of the shipment.
func (s Shipment) Hear(w authority.Heard) Fact { return ShipmentWordObserved{s.Keys, w} }

// settled is what is kept beside the shipment once its owner has given a command.
func (s Shipment) settled(f Fact) []authority.Heard {
	switch f.(type) {
	case ShipmentTendered:
		return authority.Settle(s.Heard, "TenderShipment")
	case TenderWasAccepted, TenderClosed:
		return authority.Settle(s.Heard, "RespondTender")
	case ShipmentDispatched, DispatchReported:
		return authority.Settle(s.Heard, "DispatchShipment")
	case MilestoneRecorded:
		return authority.Settle(s.Heard, "RecordMilestones")
	case ProofOfDeliveryRecorded, OlderProofRecorded:
		return authority.Settle(s.Heard, "RecordProofOfDelivery")
	case ShipmentClosed:
		return authority.Settle(s.Heard, "CloseShipment")
	}
	return s.Heard
}
