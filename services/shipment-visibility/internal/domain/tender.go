package domain

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// OfferTo offers the shipment to a carrier until respondBy.
func OfferTo(s Shipment, carrier, service string, respondBy, now time.Time) ([]Fact, error) {
	if !s.Planned {
		return nil, fault.New(fault.Unavailable, "NOT_PLANNED_YET", "what was planned is not known yet")
	}
	if err := guard(s, "tender"); err != nil {
		return nil, err
	}
	var facts []Fact
	if t, ok := s.Tender(); ok {
		switch {
		case t.State == Offered && now.After(t.RespondBy):
			facts = append(facts, TenderClosed{s.Keys, t.Number, t.Carrier, Expired, ""})
		case t.State == Offered, t.State == TenderAccepted:
			return nil, fault.New(fault.Refused, "TENDER_OPEN", "tender %d to %s is %s", t.Number, t.Carrier, t.State).
				With("carrier", t.Carrier).With("tender", string(t.State))
		}
	}
	if !respondBy.After(now) {
		return nil, fault.New(fault.Invalid, "INVALID_REQUEST", "the offer would expire before it is made").
			WithField("respond_by", "TENDER_EXPIRED", "must be later than %s", now.Format(time.RFC3339))
	}
	return append(facts, ShipmentTendered{Keys: s.Keys, Site: s.Site, ShipTo: s.ShipTo, Tender: Tender{
		Number: len(s.Tenders) + 1, Carrier: carrier, Service: service, State: Offered, RespondBy: respondBy,
	}}), nil
}

// Respond records a carrier's answer to the open tender; the same answer again changes nothing.
func Respond(s Shipment, carrier string, accept bool, reason string, now time.Time) ([]Fact, error) {
	t, ok := s.Tender()
	if ok && t.Carrier == carrier && (accept && t.State == TenderAccepted || !accept && t.State == Declined) {
		return nil, nil // an answer that comes again
	}
	if err := guard(s, "respond"); err != nil {
		return nil, err
	}
	switch {
	case !ok || t.State != Offered:
		return nil, fault.New(fault.Refused, "TENDER_NOT_OPEN", "no tender waits for an answer")
	case t.Carrier != carrier:
		return nil, fault.New(fault.Refused, "CARRIER_MISMATCH", "tender %d is with another carrier", t.Number)
	case now.After(t.RespondBy):
		return nil, fault.New(fault.Refused, "TENDER_EXPIRED", "tender %d expired at %s", t.Number, t.RespondBy.Format(time.RFC3339))
	case accept:
		return []Fact{accepted(s, t)}, nil
	}
	return []Fact{TenderClosed{s.Keys, t.Number, t.Carrier, Declined, reason}}, nil
}

func accepted(s Shipment, t Tender) TenderWasAccepted {
	return TenderWasAccepted{
		Keys: s.Keys, Number: t.Number, Carrier: t.Carrier, Service: t.Service,
		Site: s.Site, ShipTo: s.ShipTo, WeightGrams: s.WeightGrams, Lines: s.Lines,
	}
}

// Due returns when the open tender expires, zero if none waits for an answer.
func (s Shipment) Due() time.Time {
	if t, ok := s.Tender(); ok && t.State == Offered {
		return t.RespondBy
	}
	return time.Time{}
}

// Expire ends the open tender when its time has passed; otherwise it does nothing.
func Expire(s Shipment, now time.Time) ([]Fact, error) {
	if t, ok := s.Tender(); ok && t.State == Offered && now.After(t.RespondBy) {
		return []Fact{TenderClosed{s.Keys, t.Number, t.Carrier, Expired, ""}}, nil
	}
	return nil, nil
}
