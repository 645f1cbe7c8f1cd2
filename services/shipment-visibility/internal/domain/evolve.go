package domain

import (
	"cmp"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/authority"
)

// Evolve applies one fact. It is total: what happened, happened.
func Evolve(s Shipment, f Fact) Shipment {
	s.Heard = s.settled(f)
	switch f := f.(type) {
	case ShipmentPlanned:
		s.Keys, s.Planned, s.Site, s.ShipTo = f.Keys, true, f.Site, f.ShipTo
		s.Preference, s.Service, s.Policy, s.Plan = f.Preference, f.Service, f.Policy, s.amended(f.Lines)
		if s.Issued.IsZero() {
			s.Lines = s.Plan
		}
	case ShipmentReady:
		s.Keys = known(s.Keys, f.Keys)
		s.Units, s.Lines, s.WeightGrams, s.Issued = f.Units, f.Lines, f.WeightGrams, f.Issued
	case ShipmentTendered:
		s.Tenders = append(slices.Clip(s.Tenders), f.Tender)
	case TenderWasAccepted:
		s = s.withTender(f.Number, TenderAccepted, "")
	case TenderClosed:
		s = s.withTender(f.Number, f.Outcome, f.Reason)
	case ShipmentDispatched:
		d := Departure{Refs: f.Refs, At: f.At}
		if f.Reported {
			d.Carrier = f.Carrier
		}
		s.Departures = withDeparture(s.Departures, d)
	case DispatchReported:
		s.Departures = withDeparture(s.Departures, f.Departure)
	case MilestoneRecorded:
		s.Milestones = withMilestone(s.Milestones, f.Milestone)
	case ShipmentDelivered:
		s.Delivered = true
	case ProofOfDeliveryRecorded:
		p := Proof{SignedBy: f.SignedBy, SignedAt: f.SignedAt, Document: f.Document}
		if !f.AsDispatched {
			p.Lines = f.Lines
		}
		s.Proofs = withProof(s.Proofs, p)
	case OlderProofRecorded:
		s.Proofs = withProof(s.Proofs, f.Proof)
	case ShipmentCancelled:
		s.Keys = known(s.Keys, f.Keys)
		s.IsCancelled, s.CancelReason = true, f.Reason
	case CancellationContradicted:
		s.IsCancelled, s.CancelReason = true, f.Reason
	case ShipmentClosed:
		s.IsClosed = true
	case ShipmentWordObserved:
		s.Heard = authority.Hear(s.Heard, f.Word)
	case ShipmentAmended:
		return s.evolveAmendment(f)
	default:
		return s.evolveReversal(f)
	}
	return s
}

// known keeps the keys that the shipment has; a later fact of the warehouse may be the first
// to be heard of.
func known(have, heard Keys) Keys {
	if have.Shipment == "" {
		return heard
	}
	return have
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

func withDeparture(ds []Departure, d Departure) []Departure {
	return placed(ds, d, compareDepartures)
}

func withProof(ps []Proof, p Proof) []Proof { return placed(ps, p, compareProofs) }

func withMilestone(ms []Milestone, m Milestone) []Milestone {
	return placed(ms, m, compareMilestones)
}

// placed returns the sorted list with x in its place; unchanged when x is there.
func placed[T any](list []T, x T, compare func(a, b T) int) []T {
	i, found := slices.BinarySearchFunc(list, x, compare)
	if found {
		return list
	}
	return slices.Insert(slices.Clone(list), i, x)
}

func compareDepartures(a, b Departure) int {
	return cmp.Or(
		a.At.Compare(b.At), cmp.Compare(a.Carrier, b.Carrier),
		cmp.Compare(a.Refs.BillOfLading, b.Refs.BillOfLading), cmp.Compare(a.Refs.PRO, b.Refs.PRO),
		cmp.Compare(a.Refs.Tracking, b.Refs.Tracking), cmp.Compare(a.Refs.Seal, b.Refs.Seal),
	)
}

func compareProofs(a, b Proof) int {
	return cmp.Or(
		a.SignedAt.Compare(b.SignedAt), cmp.Compare(a.SignedBy, b.SignedBy), cmp.Compare(a.Document, b.Document),
		slices.CompareFunc(a.Lines, b.Lines, func(a, b Line) int {
			return cmp.Or(
				cmp.Compare(a.Number, b.Number), cmp.Compare(a.SKU, b.SKU),
				cmp.Compare(a.Quantity.Unit, b.Quantity.Unit), a.Quantity.Value.Cmp(b.Quantity.Value),
			)
		}),
	)
}

// compareMilestones orders by event time. Equal are two reports of one milestone: what, how
// certain, when and where are equal, whoever repeated it and however often.
func compareMilestones(a, b Milestone) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Classifier, b.Classifier), cmp.Compare(a.Place, b.Place))
}

// Apply folds facts onto a state.
func Apply(s Shipment, facts ...Fact) Shipment {
	for _, f := range facts {
		s = Evolve(s, f)
	}
	return s
}
