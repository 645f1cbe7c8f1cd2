package domain

import "slices"

// Evolve applies one fact. It is total: what happened, happened.
func Evolve(s Shipment, f Fact) Shipment {
	switch f := f.(type) {
	case ShipmentPlanned:
		s.Keys, s.Site, s.ShipTo = f.Keys, f.Site, f.ShipTo
		s.Carrier, s.Service, s.Lines = f.Preference, f.Service, f.Lines
	case ShipmentReady:
		s.Units, s.Lines, s.WeightGrams, s.Issued = f.Units, f.Lines, f.WeightGrams, f.Issued
		s.NotIssued = false
	case ShipmentTendered:
		s.Tenders = append(slices.Clip(s.Tenders), f.Tender)
	case TenderWasAccepted:
		s = s.withTender(f.Number, TenderAccepted, "")
		s.Carrier, s.Service = f.Carrier, f.Service
	case TenderClosed:
		s = s.withTender(f.Number, f.Outcome, f.Reason)
	case ShipmentDispatched:
		s.Refs, s.Dispatched, s.NotIssued = f.Refs, f.At, f.NotIssued
		if f.Carrier != "" {
			s.Carrier, s.Service = f.Carrier, f.Service
		}
	case MilestoneRecorded:
		s.Milestones = withMilestone(s.Milestones, f.Milestone)
	case ShipmentDelivered:
		s.Delivered = true
	case ProofOfDeliveryRecorded:
		s.Signed, s.SignedBy, s.Confirmed, s.Document = f.SignedAt, f.SignedBy, f.Lines, f.Document
	case ShipmentCancelled:
		s.IsCancelled, s.CancelReason = true, f.Reason
	case ShipmentClosed:
		s.IsClosed = true
	}
	return s
}

func (s Shipment) withTender(number int, state TenderState, reason string) Shipment {
	s.Tenders = slices.Clone(s.Tenders)
	for i := range s.Tenders {
		if s.Tenders[i].Number == number {
			s.Tenders[i].State, s.Tenders[i].Reason = state, reason
		}
	}
	return s
}

// Apply folds facts onto a state.
func Apply(s Shipment, facts ...Fact) Shipment {
	for _, f := range facts {
		s = Evolve(s, f)
	}
	return s
}
