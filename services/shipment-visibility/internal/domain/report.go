package domain

import (
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Dispatch records that the shipment left. It is a report and never refused: without a
// goods issue, or against an earlier report, it is kept and a contradiction. at is the time
// that the report tells, zero if it tells none. A carrier that takes the shipment while it
// is being offered to it has accepted.
func Dispatch(s Shipment, refs Refs, carrier string, at, now time.Time) ([]Fact, error) {
	told := Departure{Refs: refs, Carrier: carrier, At: at}
	if at.IsZero() {
		told.At = now
	}
	if len(s.Departures) > 0 {
		return again(s, told, at.IsZero())
	}
	facts := closeTender(s, carrier)
	s = Apply(s, facts...)
	f := ShipmentDispatched{
		Keys: s.Keys, Site: s.Site, ShipTo: s.ShipTo, Refs: refs, At: told.At, NotIssued: s.Issued.IsZero(),
		WeightGrams: s.WeightGrams, Lines: s.Lines, Reported: carrier != "",
	}
	s.Departures = []Departure{told}
	f.Carrier, f.Service = s.Carrier()
	return append(facts, f), nil
}

// again keeps another report of the departure; one that says the same does nothing.
func again(s Shipment, told Departure, timeless bool) ([]Fact, error) {
	same := func(d Departure) bool {
		return d.Refs == told.Refs && d.Carrier == told.Carrier && (timeless || d.At.Equal(told.At))
	}
	if slices.ContainsFunc(s.Departures, same) {
		return nil, nil
	}
	if len(s.Departures) >= maxDepartures {
		return nil, tooMany("reports of departure", maxDepartures, "")
	}
	return []Fact{DispatchReported{s.Keys, told}}, nil
}

// closeTender ends the open tender of a shipment that leaves.
func closeTender(s Shipment, carrier string) []Fact {
	t, ok := s.Tender()
	switch {
	case !ok || t.State != Offered:
		return nil
	case carrier == "" || carrier == t.Carrier:
		return []Fact{accepted(s, t)}
	}
	return []Fact{TenderClosed{s.Keys, t.Number, t.Carrier, Withdrawn, "taken by " + carrier}}
}

// Record keeps milestones; those known already change nothing. The first that says so makes
// the shipment delivered, whatever happened to it later.
func Record(s Shipment, ms []Milestone) ([]Fact, error) {
	var facts []Fact
	for i, m := range ms {
		if _, known := slices.BinarySearchFunc(s.Milestones, m, compareMilestones); known {
			continue
		}
		if len(s.Milestones) >= maxMilestones {
			return nil, tooMany("milestones", maxMilestones, path("milestones", i))
		}
		f := MilestoneRecorded{Keys: s.Keys, Milestone: m}
		next := Evolve(s, f)
		f.State = next.State()
		facts, s = append(facts, f), next
		if m.Code == DeliveredCode && m.Classifier == Actual && !s.Delivered {
			d := delivered(s)
			facts, s = append(facts, d), Evolve(s, d)
		}
	}
	return facts, nil
}

// delivered says that the shipment as it is known was delivered.
func delivered(s Shipment) ShipmentDelivered {
	at := s.signed()
	for _, m := range s.Milestones {
		if m.Code == DeliveredCode && m.Classifier == Actual {
			at = m.At
			break
		}
	}
	return ShipmentDelivered{Keys: s.Keys, At: at, WeightGrams: s.WeightGrams, Lines: s.DeliveredLines()}
}

// Confirm records the consignee's word on what was delivered; no lines means all of it. It
// is a report and never refused for what it says. Of several the newest counts. A shipment
// without a delivery milestone is delivered by it.
func Confirm(s Shipment, p Proof) ([]Fact, error) {
	if i := slices.IndexFunc(p.Lines, func(l Line) bool { return l.Quantity.Value.Sign() < 0 }); i >= 0 {
		return nil, fault.New(fault.Invalid, "INVALID_REQUEST", "nobody receives less than nothing").
			WithField(path("lines", i)+".quantity", "NEGATIVE", "must be 0 or more")
	}
	at, known := slices.BinarySearchFunc(s.Proofs, p, compareProofs)
	switch {
	case known:
		return nil, nil
	case len(s.Proofs) >= maxProofs:
		return nil, tooMany("proofs of delivery", maxProofs, "")
	case at < len(s.Proofs):
		return []Fact{OlderProofRecorded{s.Keys, p}}, nil
	}
	f := ProofOfDeliveryRecorded{Keys: s.Keys, SignedBy: p.SignedBy, SignedAt: p.SignedAt, Lines: p.Lines, Document: p.Document}
	if len(p.Lines) == 0 {
		f.Lines, f.AsDispatched = s.Lines, true
	}
	if s.Delivered {
		return []Fact{f}, nil
	}
	return []Fact{delivered(Evolve(s, f)), f}, nil
}

// signed is when the consignee signed, zero if nobody did.
func (s Shipment) signed() time.Time {
	p, _ := s.Proof()
	return p.SignedAt
}

func tooMany(what string, most int, field string) error {
	f := fault.New(fault.Invalid, "TOO_MANY_REPORTS", "a shipment holds at most %d %s", most, what).With("most", strconv.Itoa(most))
	if field != "" {
		f = f.WithField(field, "TOO_MANY_REPORTS", "the shipment is full")
	}
	return f
}
