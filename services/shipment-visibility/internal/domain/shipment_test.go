package domain

import (
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

var t0 = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func ea(n int64) quantity.Quantity { return quantity.Quantity{Value: quantity.Int(n), Unit: "EA"} }

func planned() Shipment {
	return Apply(Shipment{}, ShipmentPlanned{
		Keys: Keys{"shp_a", Order{"ord_a", "SO-1", "ord_a-R1", "who_a"}}, Site: "DC1",
		Lines: []Line{{Number: 1, SKU: "A", Quantity: ea(10)}, {Number: 2, SKU: "B", Quantity: ea(4)}},
	})
}

func must(t *testing.T, s Shipment, facts []Fact, err error) Shipment {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return Apply(s, facts...)
}

func TestStraightPath(t *testing.T) {
	s := planned()
	steps := []struct {
		name string
		run  func(Shipment) ([]Fact, error)
		want State
	}{
		{"tender", func(s Shipment) ([]Fact, error) { return OfferTo(s, "ACME", "LTL", t0.Add(time.Hour), t0) }, Tendered},
		{"accept", func(s Shipment) ([]Fact, error) { return Respond(s, "ACME", true, "", t0) }, Accepted},
		{"issue", func(s Shipment) ([]Fact, error) {
			return Issue(s, ShipmentReady{Lines: s.Lines, WeightGrams: 5000, Issued: t0.Add(time.Hour)})
		}, Ready},
		{"dispatch", func(s Shipment) ([]Fact, error) { return Dispatch(s, Refs{PRO: "P1"}, "", t0.Add(2*time.Hour), t0) }, Dispatched},
		{"pick-up", func(s Shipment) ([]Fact, error) { return Record(s, []Milestone{actual(PickedUp, 3)}) }, InTransit},
		{"delivered", func(s Shipment) ([]Fact, error) { return Record(s, []Milestone{actual(DeliveredCode, 9)}) }, Delivered},
		{"proof", func(s Shipment) ([]Fact, error) {
			return Confirm(s, Proof{SignedBy: "Ada", SignedAt: t0.Add(10 * time.Hour)})
		}, PODConfirmed},
		{"close", Close, Closed},
	}
	for _, step := range steps {
		facts, err := step.run(s)
		s = must(t, s, facts, err)
		if s.State() != step.want {
			t.Fatalf("after %s: %s, want %s", step.name, s.State(), step.want)
		}
		if again, err := step.run(s); err == nil && len(again) > 0 {
			t.Fatalf("%s a second time made %v", step.name, again)
		}
	}
	if got := s.Contradictions(); len(got) != 0 {
		t.Errorf("contradictions %v", got)
	}
}

func TestShippedPolicies(t *testing.T) {
	issued, left := t0.Add(9*time.Hour), t0.Add(16*time.Hour)
	both := Shipment{Issued: issued, Departures: []Departure{{At: left}}}
	cases := []struct {
		name   string
		policy Policy
		s      Shipment
		since  time.Time
	}{
		{"nothing known", ShippedOnIssue, Shipment{}, time.Time{}},
		{"goods issue counts", ShippedOnIssue, Shipment{Issued: issued}, issued},
		{"dispatch does not", ShippedOnIssue, Shipment{Departures: both.Departures}, time.Time{}},
		{"dispatch counts", ShippedOnDispatch, both, left},
		{"goods issue does not", ShippedOnDispatch, Shipment{Issued: issued}, time.Time{}},
		{"one of both is not enough", ShippedOnBoth, Shipment{Issued: issued}, time.Time{}},
		{"the later of both", ShippedOnBoth, both, left},
		{"the later of both, the other way", ShippedOnBoth, Shipment{Issued: left, Departures: []Departure{{At: issued}}}, left},
		{"both is the default", "", both, left},
	}
	for _, c := range cases {
		c.s.Policy = c.policy
		policy, since, ok := c.s.Shipped()
		if !since.Equal(c.since) || ok == c.since.IsZero() || !policy.Known() {
			t.Errorf("%s: %s %v %v", c.name, policy, since, ok)
		}
	}
}

func actual(c Code, hour int) Milestone {
	return Milestone{Code: c, Classifier: Actual, At: t0.Add(time.Duration(hour) * time.Hour), Place: "X"}
}

func TestRefusals(t *testing.T) {
	offered := must(t, planned(), []Fact{ShipmentTendered{Tender: Tender{Number: 1, Carrier: "ACME", State: Offered, RespondBy: t0.Add(time.Hour)}}}, nil)
	cases := []struct {
		name   string
		run    func() ([]Fact, error)
		reason string
	}{
		{"a second tender while one is open", func() ([]Fact, error) { return OfferTo(offered, "OTHR", "", t0.Add(time.Hour), t0) }, "TENDER_OPEN"},
		{"an answer nobody asked for", func() ([]Fact, error) { return Respond(planned(), "ACME", true, "", t0) }, "TENDER_NOT_OPEN"},
		{"another carrier's answer", func() ([]Fact, error) { return Respond(offered, "OTHR", true, "", t0) }, "CARRIER_MISMATCH"},
		{"an answer too late", func() ([]Fact, error) { return Respond(offered, "ACME", true, "", t0.Add(2*time.Hour)) }, "TENDER_EXPIRED"},
		{"an offer that is over", func() ([]Fact, error) { return OfferTo(planned(), "ACME", "", t0, t0) }, "INVALID_REQUEST"},
		{"closing what never left", func() ([]Fact, error) { return Close(planned()) }, "SHIPMENT_STATE"},
		{"an offer of what is not planned", func() ([]Fact, error) { return OfferTo(Shipment{}, "ACME", "", t0.Add(time.Hour), t0) }, "NOT_PLANNED_YET"},
		{"an offer of what was called off", func() ([]Fact, error) {
			return OfferTo(Apply(planned(), ShipmentCancelled{}), "ACME", "", t0.Add(time.Hour), t0)
		}, "SHIPMENT_STATE"},
		{"less than nothing confirmed", func() ([]Fact, error) {
			return Confirm(planned(), Proof{Lines: []Line{{Number: 1, Quantity: ea(-1)}}})
		}, "INVALID_REQUEST"},
	}
	for _, c := range cases {
		facts, err := c.run()
		if f, ok := fault.As(err); !ok || f.Reason != c.reason || len(facts) != 0 {
			t.Errorf("%s: %v, %v; want %s", c.name, facts, err, c.reason)
		}
	}
}

func TestRefusalOpensTheWayBack(t *testing.T) {
	ms := []Milestone{actual(PickedUp, 1), actual(OnDeliveryVehicle, 5), actual(Refused, 6)}
	if got := Progress(ms, time.Time{}); got != Returning {
		t.Errorf("refused: %s", got)
	}
	if got := Progress(append(ms, actual(ReturnedToShipper, 20)), time.Time{}); got != Returned {
		t.Errorf("returned: %s", got)
	}
	if got := Progress(append(ms, actual(DeliveredCode, 8)), time.Time{}); got != Delivered {
		t.Errorf("delivered after a refusal: %s", got)
	}
	if got := Progress(ms, t0.Add(8*time.Hour)); got != OutForDelivery {
		t.Errorf("signed for after a refusal: %s", got)
	}
	again := []Milestone{actual(Refused, 4), actual(ReturnedToShipper, 5), actual(OnDeliveryVehicle, 6), actual(Refused, 7)}
	if got := Progress(again, time.Time{}); got != Returning {
		t.Errorf("an earlier return is not this one's: %s", got)
	}
}
