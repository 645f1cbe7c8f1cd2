package domain

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// machine drives one shipment at random: reports in any order and repeated, tenders, answers,
// time. Beside it stands a diary, which keeps what was told and says in its own way where the
// shipment stands.
type machine struct {
	shipment Shipment
	shown    string // the shipment when its last fact was in
	facts    []Fact
	now      time.Time
	diary    diary
}

// diary is what was told of a shipment, as it was told.
type diary struct {
	planned, issued, cancelled, closed, named bool
	milestones                                map[Milestone]bool // code, classifier, time and place
	departures                                map[Departure]bool
	signed                                    []time.Time // of each proof
	offers                                    []offer
}

type offer struct {
	carrier string
	state   TenderState
	until   time.Time
}

func from[T any](t *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(t, label) }

func (d *diary) open() *offer {
	if n := len(d.offers); n > 0 {
		return &d.offers[n-1]
	}
	return nil
}

func (d *diary) lastSigned() (last time.Time) {
	for _, at := range d.signed {
		if at.After(last) {
			last = at
		}
	}
	return last
}

// known: something was told of the shipment that names it.
func (d *diary) known() bool { return d.planned || d.issued || d.named }

// way is what the milestones prove: how far the way out went, and whether after all that
// brought the goods to the consignee they were refused or came back.
func (d *diary) way() State {
	brought, furthest := d.lastSigned(), State("")
	order := []State{"", InTransit, OutForDelivery, Delivered}
	means := map[Code]State{
		"PICKED_UP": InTransit, "DEPARTED": InTransit, "ARRIVED": InTransit, "EN_ROUTE": InTransit,
		"OUT_FOR_DELIVERY": OutForDelivery, "ARRIVED_AT_CONSIGNEE": OutForDelivery, "DELIVERED": Delivered,
	}
	for m := range d.milestones {
		if m.Classifier != "ACTUAL" {
			continue
		}
		if slices.Index(order, means[m.Code]) > slices.Index(order, furthest) {
			furthest = means[m.Code]
		}
		if (m.Code == "DELIVERED" || m.Code == "OUT_FOR_DELIVERY") && m.At.After(brought) {
			brought = m.At
		}
	}
	back := State("")
	for m := range d.milestones {
		if m.Classifier != "ACTUAL" || !m.At.After(brought) {
			continue
		}
		if m.Code == "RETURNED_TO_SHIPPER" {
			return Returned
		}
		if m.Code == "REFUSED" {
			back = Returning
		}
	}
	if back != "" {
		return back
	}
	return furthest
}

// state is where the shipment stands by the diary.
func (d *diary) state() State {
	way, o := d.way(), d.open()
	switch {
	case !d.known():
		return ""
	case d.closed:
		return Closed
	case way == Returning, way == Returned:
		return way
	case len(d.signed) > 0:
		return PODConfirmed
	case way != "":
		return way
	case len(d.departures) > 0:
		return Dispatched
	case d.issued:
		return Ready
	case d.cancelled:
		return Cancelled
	case o != nil && o.state == Offered:
		return Tendered
	case o != nil && o.state == TenderAccepted:
		return Accepted
	}
	return Planned
}

// moved: something physical is known to have happened.
func (d *diary) moved() bool {
	return d.issued || len(d.departures) > 0 || len(d.signed) > 0 || d.way() != ""
}

// do takes the outcome of a command or report: a refusal leaves nothing, and what is said
// again has no effect.
func (m *machine) do(t *rapid.T, name string, command func(Shipment) ([]Fact, error)) ([]Fact, error) {
	facts, err := command(m.shipment)
	if err != nil && (!fault.IsKind(err, fault.Refused, fault.Invalid, fault.Unavailable) || len(facts) > 0) {
		t.Fatalf("%s: %v with %+v", name, err, facts)
	}
	next := Apply(m.shipment, facts...)
	if now := fmt.Sprintf("%+v", m.shipment); m.shown != "" && now != m.shown {
		t.Fatalf("%s changed the old state:\n%s\n%s", name, m.shown, now)
	}
	m.stays(t, name, next)
	m.shipment, m.facts, m.shown = next, append(m.facts, facts...), fmt.Sprintf("%+v", next)
	if twice, again := command(next); err == nil && again == nil && len(twice) > 0 {
		t.Fatalf("%s a second time: %+v", name, twice)
	}
	return facts, err
}

// stays: within the way out nothing takes the shipment back, and the end is the end.
func (m *machine) stays(t *rapid.T, name string, next Shipment) {
	rank := []State{Planned, Ready, Dispatched, InTransit, OutForDelivery, Delivered, PODConfirmed, Closed}
	was, is := slices.Index(rank, m.shipment.State()), slices.Index(rank, next.State())
	if was >= 0 && is >= 0 && is < was || m.shipment.IsClosed && !next.IsClosed || m.shipment.Delivered && !next.Delivered {
		t.Fatalf("%s took the shipment from %s to %s", name, m.shipment.State(), next.State())
	}
	if len(next.Milestones) < len(m.shipment.Milestones) || len(next.Departures) < len(m.shipment.Departures) || len(next.Proofs) < len(m.shipment.Proofs) {
		t.Fatalf("%s lost a report: %+v", name, next)
	}
}

// report tells something that the system which tells it owns: it is never refused.
func (m *machine) report(t *rapid.T, name string, command func(Shipment) ([]Fact, error)) []Fact {
	facts, err := m.do(t, name, command)
	if err != nil {
		t.Fatalf("%s is refused: %v", name, err)
	}
	return facts
}

// TestShipment drives shipments through reports, tenders and time in any order; whatever is
// told, the shipment stands where the diary says, one tender at most is open, and it is told
// once that it was delivered.
func TestShipment(t *testing.T) {
	for _, run := range []string{"all", "all again", "tenders"} {
		t.Run(run, rapid.MakeCheck(func(t *rapid.T) {
			m := &machine{now: t0, diary: diary{milestones: map[Milestone]bool{}, departures: map[Departure]bool{}}}
			if rapid.Bool().Draw(t, "planned first") {
				m.plan(t)
			}
			actions := map[string]func(*rapid.T){
				"plan": m.plan, "issue": m.issue, "cancel": m.cancel, "dispatch": m.dispatch, "offer": m.offer, "answer": m.answer,
				"time": m.time, "close": m.close, "any fact": m.anyFact, "": m.check,
			}
			actions["offer again"], actions["answer again"] = m.offer, m.answer
			if run != "tenders" { // which end as soon as something moves
				actions["milestone"], actions["more"], actions["proof"] = m.milestone, m.milestone, m.proof
			}
			t.Repeat(actions)
		}))
	}
}
