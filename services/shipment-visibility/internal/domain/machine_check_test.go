package domain

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func (m *machine) plan(t *rapid.T) {
	facts := m.report(t, "plan", planReport().tell)
	if m.diary.planned != (len(facts) == 0) {
		t.Fatalf("planned, before %t: %+v", m.diary.planned, facts)
	}
	m.diary.planned = true
}

func (m *machine) issue(t *rapid.T) {
	if from(t, "late", 0, 0, 1) > 0 {
		t.Skip("it comes later")
	}
	facts := m.report(t, "issue", issueReport().tell)
	if m.diary.issued != (len(facts) == 0) {
		t.Fatalf("issued, before %t: %+v", m.diary.issued, facts)
	}
	m.diary.issued = true
	if left := m.shipment.Lines; !sameLines(left, issued.Lines) {
		t.Fatalf("%+v left by the goods issue", left)
	}
}

// cancel: what has not moved is called off and its tender withdrawn; what has is contradicted.
func (m *machine) cancel(t *rapid.T) {
	if from(t, "seldom", 0, 0, 0, 1) == 0 {
		t.Skip("shipments are to go")
	}
	facts := m.report(t, "cancel", func(s Shipment) ([]Fact, error) { return Cancel(s, ShipmentCancelled{Keys: keysOfA, Reason: "r"}) })
	_, contradicted := last(facts).(CancellationContradicted)
	switch {
	case m.diary.cancelled != (len(facts) == 0), !m.diary.cancelled && contradicted != m.diary.moved():
		t.Fatalf("cancelled before %t, moved %t: %+v", m.diary.cancelled, m.diary.moved(), facts)
	case !m.diary.cancelled && !contradicted:
		if o := m.diary.open(); o != nil && (o.state == Offered || o.state == TenderAccepted) {
			o.state = Withdrawn
		}
	}
	m.diary.named = m.diary.named || len(facts) > 0 && !contradicted // a contradiction names no shipment that nobody named before
	m.diary.cancelled = true
}

func last(facts []Fact) Fact {
	if len(facts) == 0 {
		return nil
	}
	return facts[len(facts)-1]
}

// dispatch: the first report of a departure answers an open offer; others add to it.
func (m *machine) dispatch(t *rapid.T) {
	if from(t, "late", 0, 1) > 0 {
		t.Skip("it leaves later")
	}
	d := Departure{
		Refs: Refs{PRO: from(t, "pro", "", "P1", "P2"), Seal: from(t, "seal", "", "S")}, Carrier: from(t, "carrier", "", "ACME", "OTHR"),
		At: hour(from(t, "left", 1, 2, 5)),
	}
	facts := m.report(t, "dispatch", func(s Shipment) ([]Fact, error) { return Dispatch(s, d.Refs, d.Carrier, d.At, hour(20)) })
	if m.diary.departures[d] != (len(facts) == 0) {
		t.Fatalf("%+v, known %t: %+v", d, m.diary.departures[d], facts)
	}
	if o := m.diary.open(); o != nil && o.state == Offered && len(m.diary.departures) == 0 {
		o.state = Withdrawn
		if d.Carrier == "" || d.Carrier == o.carrier {
			o.state = TenderAccepted
		}
	}
	m.diary.departures[d] = true
}

func (m *machine) milestone(t *rapid.T) {
	codes := []Code{PickedUp, Departed, Arrived, EnRoute, OnDeliveryVehicle, ArrivedAtConsignee, DeliveredCode, Refused, ReturnedToShipper}
	var ms []Milestone
	fresh := 0
	for range from(t, "how many", 1, 1, 2, 3) {
		x := actual(from(t, "code", codes...), from(t, "hour", 0, 3, 5, 6, 7, 12))
		x.Classifier = from(t, "classifier", Actual, Actual, Actual, EstimatedTime, PlannedTime)
		if !m.diary.milestones[x] {
			fresh++
		}
		m.diary.milestones[x] = true
		x.Source, x.MessageID = from(t, "by", "a", "b"), "m" // who repeats it does not matter
		ms = append(ms, x)
	}
	facts := m.report(t, "milestones", func(s Shipment) ([]Fact, error) { return Record(s, ms) })
	kept := 0
	for _, f := range facts {
		if _, is := f.(MilestoneRecorded); is {
			kept++
		}
	}
	if kept != fresh {
		t.Fatalf("%d of %d new milestones are kept: %+v", kept, fresh, facts)
	}
}

// proof: of the consignee's words the newest counts; no lines confirm all that left.
func (m *machine) proof(t *rapid.T) {
	if from(t, "late", 0, 0, 1) > 0 {
		t.Skip("it is signed later")
	}
	p := Proof{SignedBy: from(t, "signer", "Ada", "Bob"), SignedAt: hour(from(t, "signed", 5, 6, 7, 12))}
	for range from(t, "lines", 0, 0, 1, 2) {
		l := Line{Number: from(t, "line", 1, 1, 2, 9), SKU: "A", Quantity: ea(from[int64](t, "confirmed", 0, 1, 4, 8, 10, 11, 1_000_000_000, -1))}
		l.Quantity.Unit = from(t, "unit", "EA", "EA", "EA", "CS")
		p.Lines = append(p.Lines, l)
	}
	bad := slices.ContainsFunc(p.Lines, func(l Line) bool { return l.Quantity.Value.Sign() < 0 })
	known := slices.ContainsFunc(m.shipment.Proofs, func(o Proof) bool { return compareProofs(o, p) == 0 })
	full := len(m.shipment.Proofs) >= maxProofs
	facts, err := m.do(t, "proof", func(s Shipment) ([]Fact, error) { return Confirm(s, p) })
	if (bad || full && !known) != fault.IsKind(err, fault.Invalid) || err == nil && known != (len(facts) == 0) {
		t.Fatalf("%+v, known %t: %+v %v", p, known, facts, err)
	}
	if err == nil && !known {
		m.diary.signed = append(m.diary.signed, p.SignedAt)
	}
}

// offer: only what is planned and has not left is offered, to one carrier at a time.
func (m *machine) offer(t *rapid.T) {
	carrier, until := from(t, "carrier", "ACME", "OTHR"), m.now.Add(time.Duration(from(t, "minutes", 0, 1, 30))*time.Minute)
	now, state, o := m.now, m.diary.state(), m.diary.open()
	facts, err := m.do(t, "offer", func(s Shipment) ([]Fact, error) { return OfferTo(s, carrier, "LTL", until, now) })
	may := m.diary.planned && slices.Contains([]State{Planned, Tendered, Accepted, Ready}, state) && until.After(now)
	expired := o != nil && o.state == Offered && now.After(o.until)
	if o != nil && (o.state == TenderAccepted || o.state == Offered && !expired) {
		may = false
	}
	if may != (err == nil) {
		t.Fatalf("offered in state %s with %+v open: %+v %v", state, o, facts, err)
	}
	if may {
		if expired {
			o.state = Expired
		}
		m.diary.offers = append(m.diary.offers, offer{carrier, Offered, until})
	}
}

func (m *machine) answer(t *rapid.T) {
	carrier, accept, now := from(t, "carrier", "ACME", "OTHR"), rapid.Bool().Draw(t, "accept"), m.now
	state, o := m.diary.state(), m.diary.open()
	if o != nil && rapid.Bool().Draw(t, "its own") {
		carrier = o.carrier
	}
	facts, err := m.do(t, "answer", func(s Shipment) ([]Fact, error) { return Respond(s, carrier, accept, "r", now) })
	may := o != nil && o.state == Offered && o.carrier == carrier && !now.After(o.until) &&
		slices.Contains([]State{Planned, Tendered, Accepted, Ready}, state)
	again := o != nil && o.carrier == carrier && (accept && o.state == TenderAccepted || !accept && o.state == Declined)
	if may != (len(facts) == 1) || (may || again) != (err == nil) {
		t.Fatalf("%s answers %t in state %s to %+v: %+v %v", carrier, accept, state, o, facts, err)
	}
	if may {
		o.state = map[bool]TenderState{true: TenderAccepted, false: Declined}[accept]
	}
}

func (m *machine) time(t *rapid.T) {
	m.now = m.now.Add(time.Duration(from(t, "minutes", 0, 1, 30)) * time.Minute)
	if from(t, "nobody looks", 0, 1, 1) > 0 {
		return
	}
	o, now := m.diary.open(), m.now
	facts := m.report(t, "expire", func(s Shipment) ([]Fact, error) { return Expire(s, now) })
	if over := o != nil && o.state == Offered && now.After(o.until); over != (len(facts) == 1) {
		t.Fatalf("at %s, %+v open: %+v", now, o, facts)
	} else if over {
		o.state = Expired
	}
}

func (m *machine) close(t *rapid.T) {
	if from(t, "seldom", 0, 0, 1) == 0 {
		t.Skip("shipments are to last a while")
	}
	may := slices.Contains([]State{PODConfirmed, Delivered, Returned}, m.diary.state())
	facts, err := m.do(t, "close", Close)
	if may != (len(facts) == 1) || (may || m.diary.closed) != (err == nil) {
		t.Fatalf("closed in state %s: %+v %v", m.diary.state(), facts, err)
	}
	m.diary.closed = m.diary.closed || may
}

// anyFact: a fact of any kind can be folded onto any state, and leaves that state alone.
func (m *machine) anyFact(t *rapid.T) {
	f := from(t, "fact", slices.Concat([]Fact{
		ShipmentPlanned{},
		ShipmentReady{},
		ShipmentTendered{},
		TenderWasAccepted{Number: 9},
		TenderClosed{Number: 1},
		ShipmentDispatched{},
		DispatchReported{},
		MilestoneRecorded{},
		ShipmentDelivered{},
		ProofOfDeliveryRecorded{Lines: []Line{{Number: 9}}},
		OlderProofRecorded{},
		ShipmentCancelled{},
		CancellationContradicted{},
		ShipmentClosed{},
		ShipmentAmended{Version: 9, Lines: []Line{{Number: 9}}},
	}, m.facts)...)
	s := Evolve(m.shipment, f)
	_, _, _, _ = s.State(), s.Contradictions(), s.DeliveredLines(), s.Due()
	_, _, _ = s.Shipped()
	_, _ = s.Carrier()
}

// check holds the shipment against the diary.
func (m *machine) check(t *rapid.T) {
	s, d := m.shipment, &m.diary
	if again := fmt.Sprintf("%+v", Apply(Shipment{}, m.facts...)); again != fmt.Sprintf("%+v", s) {
		t.Fatalf("the facts give\n%s\nthe state is\n%+v", again, s)
	}
	if s.State() != d.state() {
		t.Fatalf("the shipment is %q, the diary says %q: %+v", s.State(), d.state(), *d)
	}
	if len(s.Milestones) != len(d.milestones) || len(s.Departures) != len(d.departures) || len(s.Proofs) != len(d.signed) || len(s.Tenders) != len(d.offers) {
		t.Fatalf("%+v, told was %+v", s, *d)
	}
	for i, o := range d.offers {
		if x := s.Tenders[i]; x.State != o.state || x.Carrier != o.carrier || x.Number != i+1 || i < len(d.offers)-1 && (x.State == Offered || x.State == TenderAccepted) {
			t.Fatalf("tender %+v, the diary has %+v", x, o)
		}
	}
	delivered, published := len(d.signed) > 0, 0
	for x := range d.milestones {
		delivered = delivered || x.Code == "DELIVERED" && x.Classifier == "ACTUAL"
	}
	ready := 0
	for i, f := range m.facts {
		switch f.(type) {
		case ShipmentDelivered:
			published++
		case ShipmentReady:
			for _, before := range m.facts[:i] { // it was told before what had been issued
				if _, was := before.(ShipmentDelivered); was {
					ready = 1
				}
			}
		}
	}
	if want := map[bool]int{true: 1}[delivered] + ready; published != want || s.Delivered != delivered {
		t.Fatalf("delivered %t is published %d times, want %d", delivered, published, want)
	}
	m.confirmed(t)
}

// confirmed: what was signed for beyond what left is told, line by line.
func (m *machine) confirmed(t *rapid.T) {
	p, _ := m.shipment.Proof()
	if newest := m.diary.lastSigned(); !p.SignedAt.Equal(newest) {
		t.Fatalf("the proof of %s counts, the newest is of %s", p.SignedAt, newest)
	}
	left, told := map[int]quantity.Quantity{}, map[string]bool{}
	for _, l := range m.shipment.Lines {
		left[l.Number] = l.Quantity
	}
	want := map[string]bool{}
	sum := map[int]int64{}
	for _, l := range p.Lines {
		n, _ := l.Quantity.Value.Int64()
		switch q, known := left[l.Number]; {
		case !known:
			want[fmt.Sprint("LINE_UNKNOWN lines.", l.Number)] = true
		case q.Unit != l.Quantity.Unit:
			want[fmt.Sprint("UNIT_MISMATCH lines.", l.Number)] = true
		default:
			all, _ := q.Value.Int64()
			if sum[l.Number] += n; sum[l.Number] > all {
				want[fmt.Sprint("QUANTITY_EXCEEDS_DISPATCHED lines.", l.Number)] = true
			}
		}
	}
	for _, c := range m.shipment.Contradictions() {
		if c.Code == "LINE_UNKNOWN" || c.Code == "UNIT_MISMATCH" || c.Code == "QUANTITY_EXCEEDS_DISPATCHED" {
			told[c.Code+" "+c.Field] = true
		}
	}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Fatalf("of %+v against %+v is told %v, want %v", p.Lines, m.shipment.Lines, told, want)
	}
}
