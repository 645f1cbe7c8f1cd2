package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// allowed says in which states a command that may be refused is allowed: the transition
// table as data. Reports (goods issue, cancellation, dispatch, milestones, proof of delivery)
// are in no row.
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

// Plan starts a shipment, or completes one of which later facts were heard first; planning
// it again changes nothing.
func Plan(s Shipment, p ShipmentPlanned) ([]Fact, error) {
	if s.Planned {
		return nil, nil
	}
	return []Fact{p}, nil
}

// Issue records a goods issue of the warehouse order, whatever is known of the shipment. A further one
// brings what of an earlier one was reversed.
// What was delivered is published again, for it was not known what had been issued.
func Issue(s Shipment, r ShipmentReady) ([]Fact, error) {
	if !s.Issued.IsZero() {
		var news bool
		if r, news = s.more(r); !news {
			return nil, nil
		}
	}
	r.Keys = known(s.Keys, r.Keys)
	facts := []Fact{r}
	if next := Evolve(s, r); s.Delivered {
		facts = append(facts, delivered(next))
	}
	return facts, nil
}

// Cancel calls the shipment off because its warehouse order was cancelled. It follows a fact
// and is never refused; when goods were issued or have left it is a contradiction.
func Cancel(s Shipment, c ShipmentCancelled) ([]Fact, error) {
	if s.IsCancelled {
		return nil, nil
	}
	if s.moved() {
		return []Fact{CancellationContradicted{s.Keys, c.Reason}}, nil
	}
	c.Keys, c.Carrier = known(s.Keys, c.Keys), ""
	var facts []Fact
	if t, ok := s.Tender(); ok && (t.State == Offered || t.State == TenderAccepted) {
		c.Carrier = t.Carrier
		facts = append(facts, TenderClosed{s.Keys, t.Number, t.Carrier, Withdrawn, c.Reason})
	}
	return append(facts, c), nil
}

// moved reports whether anything physical is known to have happened.
func (s Shipment) moved() bool {
	return !s.Issued.IsZero() || s.gone()
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
