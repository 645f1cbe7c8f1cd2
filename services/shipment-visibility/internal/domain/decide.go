package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// allowed says in which states a command that may be refused is allowed: the transition
// table as data. Reports (goods issue, dispatch, milestones, proof of delivery) are in no row.
var allowed = map[string][]State{
	"tender":  {Planned, Tendered, Accepted, Ready},
	"respond": {Planned, Tendered, Accepted, Ready},
	"close":   {PODConfirmed, Delivered, Returned},
}

func guard(s Shipment, command string) error {
	if state := s.State(); !slices.Contains(allowed[command], state) {
		return fault.New(fault.Refused, "SHIPMENT_STATE", "a shipment that is %s cannot %s", state, command).
			With("from", string(state)).With("command", command)
	}
	return nil
}

// Plan starts a shipment; planning it again changes nothing.
func Plan(s Shipment, p ShipmentPlanned) ([]Fact, error) {
	if s.Exists() {
		return nil, nil
	}
	return []Fact{p}, nil
}

// Issue records the goods issue of the warehouse order. It is a report: it is kept even
// when the shipment was dispatched already, and clears that contradiction.
func Issue(s Shipment, r ShipmentReady) ([]Fact, error) {
	if !s.Issued.IsZero() {
		return nil, nil
	}
	r.Keys = s.Keys
	return []Fact{r}, nil
}

// OfferTo offers the shipment to a carrier until respondBy.
func OfferTo(s Shipment, carrier, service string, respondBy, now time.Time) ([]Fact, error) {
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
			WithField("respond_by", "TENDER_EXPIRED", "must be after %s", now.Format(time.RFC3339))
	}
	return append(facts, ShipmentTendered{Keys: s.Keys, Site: s.Site, ShipTo: s.ShipTo, Tender: Tender{
		Number: len(s.Tenders) + 1, Carrier: carrier, Service: service, State: Offered, RespondBy: respondBy,
	}}), nil
}

// Respond records a carrier's answer to the open tender.
func Respond(s Shipment, carrier string, accept bool, reason string, now time.Time) ([]Fact, error) {
	if err := guard(s, "respond"); err != nil {
		return nil, err
	}
	t, ok := s.Tender()
	switch {
	case !ok || t.State != Offered:
		return nil, fault.New(fault.Refused, "TENDER_NOT_OPEN", "no tender waits for an answer")
	case t.Carrier != carrier:
		return nil, fault.New(fault.Refused, "CARRIER_MISMATCH", "tender %d is with %s", t.Number, t.Carrier).With("carrier", t.Carrier)
	case now.After(t.RespondBy):
		return nil, fault.New(fault.Refused, "TENDER_EXPIRED", "tender %d expired at %s", t.Number, t.RespondBy.Format(time.RFC3339))
	case accept:
		return []Fact{TenderWasAccepted{
			Keys: s.Keys, Number: t.Number, Carrier: t.Carrier, Service: t.Service,
			Site: s.Site, ShipTo: s.ShipTo, WeightGrams: s.WeightGrams, Lines: s.Lines,
		}}, nil
	}
	return []Fact{TenderClosed{s.Keys, t.Number, t.Carrier, Declined, reason}}, nil
}

// Expire ends the open tender when its time has passed; otherwise it does nothing.
func Expire(s Shipment, now time.Time) ([]Fact, error) {
	if t, ok := s.Tender(); ok && t.State == Offered && now.After(t.RespondBy) {
		return []Fact{TenderClosed{s.Keys, t.Number, t.Carrier, Expired, ""}}, nil
	}
	return nil, nil
}

// Dispatch records that the shipment left. It is a report: without a goods issue it is
// kept and named a contradiction. A second one under other references is refused, for
// it is another shipment's.
func Dispatch(s Shipment, refs Refs, carrier string, at time.Time) ([]Fact, error) {
	if !s.Dispatched.IsZero() {
		if s.Refs == refs {
			return nil, nil
		}
		return nil, fault.New(fault.Refused, "ALREADY_DISPATCHED", "dispatched at %s as %s", s.Dispatched.Format(time.RFC3339), s.Refs.PRO).
			With("pro_number", s.Refs.PRO).With("bill_of_lading", s.Refs.BillOfLading)
	}
	f := ShipmentDispatched{
		Keys: s.Keys, Site: s.Site, ShipTo: s.ShipTo, Refs: refs, At: at, NotIssued: s.Issued.IsZero(),
		WeightGrams: s.WeightGrams, Lines: s.Lines, Carrier: s.Carrier, Service: s.Service,
	}
	if t, ok := s.Tender(); carrier != "" && (!ok || t.State != TenderAccepted) {
		f.Carrier, f.Service = carrier, ""
	}
	return []Fact{f}, nil
}

// Record keeps milestones; those known already change nothing. The first that proves
// delivery makes the shipment delivered.
func Record(s Shipment, ms []Milestone) ([]Fact, error) {
	var facts []Fact
	for i, m := range ms {
		if slices.ContainsFunc(s.Milestones, m.Same) {
			continue
		}
		if len(s.Milestones) >= maxMilestones {
			return nil, fault.New(fault.Invalid, "INVALID_REQUEST", "a shipment holds at most %d milestones", maxMilestones).
				WithField(path("milestones", i), "TOO_MANY_MILESTONES", "the shipment is full")
		}
		f := MilestoneRecorded{Keys: s.Keys, Milestone: m}
		next := Evolve(s, f)
		f.State = next.State()
		facts, s = append(facts, f), next
		if Progress(s.Milestones) == Delivered && !s.Delivered {
			d := ShipmentDelivered{Keys: s.Keys, At: deliveredAt(s.Milestones), WeightGrams: s.WeightGrams, Lines: s.Lines}
			facts, s = append(facts, d), Evolve(s, d)
		}
	}
	return facts, nil
}

func deliveredAt(ms []Milestone) time.Time {
	for _, m := range ms {
		if m.Code == DeliveredCode && m.Classifier == Actual {
			return m.At
		}
	}
	return time.Time{}
}

// Confirm records the consignee's word on what was delivered; no lines means all of it.
// A shipment without a delivery milestone is delivered by it.
func Confirm(s Shipment, p ProofOfDeliveryRecorded) ([]Fact, error) {
	if !s.Signed.IsZero() {
		if s.SignedBy == p.SignedBy && s.Signed.Equal(p.SignedAt) {
			return nil, nil
		}
		return nil, fault.New(fault.Refused, "SHIPMENT_STATE", "delivery was confirmed by %s already", s.SignedBy).
			With("from", string(s.State())).With("command", "recordProofOfDelivery")
	}
	p.Keys = s.Keys
	if len(p.Lines) == 0 {
		p.Lines = s.Lines
	}
	for i, l := range p.Lines {
		if err := covers(s.Lines, l, path("lines", i)); err != nil {
			return nil, err
		}
	}
	var facts []Fact
	if !s.Delivered {
		facts = append(facts, ShipmentDelivered{Keys: s.Keys, At: p.SignedAt, WeightGrams: s.WeightGrams, Lines: s.Lines})
	}
	return append(facts, p), nil
}

// covers checks that a confirmed line is part of the shipment and not more than left.
func covers(lines []Line, l Line, field string) error {
	i := slices.IndexFunc(lines, func(x Line) bool { return x.Number == l.Number })
	if i < 0 {
		return fault.New(fault.Invalid, "INVALID_REQUEST", "line %d is not part of the shipment", l.Number).
			WithField(field+".line_number", "LINE_UNKNOWN", "the shipment has no line %d", l.Number)
	}
	if q := lines[i].Quantity; l.Quantity.Unit != q.Unit || q.Value.Less(l.Quantity.Value) || l.Quantity.Value.Less(quantity.Int(0)) {
		return fault.New(fault.Invalid, "INVALID_REQUEST", "line %d: %s of %s", l.Number, l.Quantity, q).
			WithField(field+".quantity", "QUANTITY_EXCEEDS_DISPATCHED", "must be 0 to %s", q)
	}
	return nil
}

// Cancel calls the shipment off because its warehouse order was cancelled. It follows a
// fact and is never refused; after dispatch it changes nothing here.
func Cancel(s Shipment, reason string) ([]Fact, error) {
	if s.IsCancelled || !s.Dispatched.IsZero() {
		return nil, nil
	}
	var facts []Fact
	if t, ok := s.Tender(); ok && (t.State == Offered || t.State == TenderAccepted) {
		facts = append(facts, TenderClosed{s.Keys, t.Number, t.Carrier, Withdrawn, reason})
	}
	return append(facts, ShipmentCancelled{s.Keys, reason, s.Carrier}), nil
}

// Close ends a shipment that was delivered or came back.
func Close(s Shipment) ([]Fact, error) {
	if s.IsClosed {
		return nil, nil
	}
	if err := guard(s, "close"); err != nil {
		return nil, err
	}
	return []Fact{ShipmentClosed{s.Keys}}, nil
}
