package domain

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

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
		{"dispatch", func(s Shipment) ([]Fact, error) { return Dispatch(s, Refs{PRO: "P1"}, "", t0.Add(2*time.Hour)) }, Dispatched},
		{"pick-up", func(s Shipment) ([]Fact, error) { return Record(s, []Milestone{actual(PickedUp, 3)}) }, InTransit},
		{"delivered", func(s Shipment) ([]Fact, error) { return Record(s, []Milestone{actual(DeliveredCode, 9)}) }, Delivered},
		{"proof", func(s Shipment) ([]Fact, error) {
			return Confirm(s, ProofOfDeliveryRecorded{SignedBy: "Ada", SignedAt: t0.Add(10 * time.Hour)})
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
	if at, ok := s.Shipped(); !ok || !at.Equal(t0.Add(2*time.Hour)) {
		t.Errorf("shipped %v %v, want the later of goods issue and dispatch", at, ok)
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
		{"more confirmed than left", func() ([]Fact, error) {
			return Confirm(planned(), ProofOfDeliveryRecorded{Lines: []Line{{Number: 1, Quantity: ea(11)}}})
		}, "INVALID_REQUEST"},
	}
	for _, c := range cases {
		facts, err := c.run()
		if f, ok := fault.As(err); !ok || f.Reason != c.reason || len(facts) != 0 {
			t.Errorf("%s: %v, %v; want %s", c.name, facts, err, c.reason)
		}
	}
}

func TestDispatchWithoutGoodsIssueIsKeptAndFlagged(t *testing.T) {
	s := planned()
	facts, err := Dispatch(s, Refs{PRO: "P1"}, "ACME", t0)
	s = must(t, s, facts, err)
	if !s.NotIssued || s.State() != Dispatched || s.Carrier != "ACME" {
		t.Fatalf("%+v", s)
	}
	if _, ok := s.Shipped(); ok {
		t.Error("shipped without goods issue")
	}
	facts, err = Issue(s, ShipmentReady{Lines: s.Lines, Issued: t0.Add(time.Hour)})
	s = must(t, s, facts, err)
	if s.NotIssued || s.State() != Dispatched {
		t.Errorf("the goods issue must clear the contradiction and not take the shipment back: %s", s.State())
	}
}

func TestRefusalOpensTheWayBack(t *testing.T) {
	ms := []Milestone{actual(PickedUp, 1), actual(OnDeliveryVehicle, 5), actual(Refused, 6)}
	if got := Progress(ms); got != Returning {
		t.Errorf("refused: %s", got)
	}
	if got := Progress(append(ms, actual(ReturnedToShipper, 20))); got != Returned {
		t.Errorf("returned: %s", got)
	}
	if got := Progress(append(ms, actual(DeliveredCode, 8))); got != Delivered {
		t.Errorf("delivered after a refusal: %s", got)
	}
}

// Every order of the same reports, each as often as it likes, gives one state and one timeline.
func TestMilestonesInAnyOrderGiveOneState(t *testing.T) {
	codes := []Code{PickedUp, Departed, Arrived, EnRoute, OnDeliveryVehicle, ArrivedAtConsignee, DeliveredCode, Refused, ReturnedToShipper}
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Milestone {
			m := actual(rapid.SampledFrom(codes).Draw(t, "code"), rapid.IntRange(0, 12).Draw(t, "hour"))
			if rapid.IntRange(0, 4).Draw(t, "estimate") == 0 {
				m.Classifier = EstimatedTime
			}
			return m
		}), 1, 8).Draw(t, "milestones")
		inOrder := recordAll(t, ms)
		shuffled := recordAll(t, append(rapid.Permutation(ms).Draw(t, "order"), ms[0]))
		if diff := cmp.Diff(inOrder.Milestones, shuffled.Milestones); diff != "" || inOrder.State() != shuffled.State() {
			t.Fatalf("%s or %s\n%s", inOrder.State(), shuffled.State(), diff)
		}
	})
}

func recordAll(t *rapid.T, ms []Milestone) Shipment {
	s := Apply(planned(), ShipmentReady{Lines: planned().Lines, Issued: t0}, ShipmentDispatched{At: t0})
	for _, m := range ms {
		facts, err := Record(s, []Milestone{m})
		if err != nil {
			t.Fatal(err)
		}
		s = Apply(s, facts...)
	}
	return s
}
