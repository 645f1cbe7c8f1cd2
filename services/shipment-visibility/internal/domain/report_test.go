package domain

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// report is something that is told of a shipment and cannot be refused.
type report struct {
	name string
	tell func(Shipment) ([]Fact, error)
}

func hour(n int) time.Time { return t0.Add(time.Duration(n) * time.Hour) }

func codesOf(s Shipment) (codes []string) {
	for _, c := range s.Contradictions() {
		codes = append(codes, c.Code)
	}
	return codes
}

var (
	keysOfA = Keys{"shp_a", Order{"ord_a", "SO-1", "ord_a-R1", "who_a"}}
	issued  = ShipmentReady{
		Keys: keysOfA, WeightGrams: 5000, Issued: hour(1), Units: []Unit{{SSCC: "1", WeightGrams: 5000}},
		Lines: []Line{{Number: 1, SKU: "A", Quantity: ea(8)}, {Number: 2, SKU: "B", Quantity: ea(4)}},
	}
)

func planReport() report {
	return report{"plan", func(s Shipment) ([]Fact, error) {
		return Plan(s, ShipmentPlanned{
			Keys: keysOfA, Site: "DC1", Preference: "ACME", Service: "LTL", Policy: ShippedOnBoth,
			Lines: []Line{{Number: 1, SKU: "A", Quantity: ea(10)}, {Number: 2, SKU: "B", Quantity: ea(4)}},
		})
	}}
}

func issueReport() report {
	return report{"issue", func(s Shipment) ([]Fact, error) { return Issue(s, issued) }}
}

// drawReports draws reports of every kind, among them ones that contradict each other.
func drawReports(t *rapid.T) []report {
	all := []report{planReport(), issueReport()}
	codes := []Code{PickedUp, Departed, Arrived, EnRoute, OnDeliveryVehicle, ArrivedAtConsignee, DeliveredCode, Refused, ReturnedToShipper}
	for range rapid.IntRange(0, 6).Draw(t, "milestones") {
		m := actual(rapid.SampledFrom(codes).Draw(t, "code"), rapid.IntRange(0, 12).Draw(t, "hour"))
		if rapid.IntRange(0, 4).Draw(t, "estimate") == 0 {
			m.Classifier = EstimatedTime
		}
		all = append(all, report{"milestone " + string(m.Code), func(s Shipment) ([]Fact, error) { return Record(s, []Milestone{m}) }})
	}
	for range rapid.IntRange(0, 3).Draw(t, "departures") {
		refs := Refs{PRO: rapid.SampledFrom([]string{"", "P1", "P2"}).Draw(t, "pro"), Tracking: rapid.SampledFrom([]string{"", "T"}).Draw(t, "tracking")}
		carrier, at := rapid.SampledFrom([]string{"", "ACME", "OTHR"}).Draw(t, "carrier"), hour(rapid.IntRange(1, 5).Draw(t, "left"))
		all = append(all, report{"dispatch", func(s Shipment) ([]Fact, error) { return Dispatch(s, refs, carrier, at, hour(20)) }})
	}
	for range rapid.IntRange(0, 2).Draw(t, "proofs") {
		p := Proof{SignedBy: rapid.SampledFrom([]string{"Ada", "Bob"}).Draw(t, "signer"), SignedAt: hour(rapid.IntRange(5, 12).Draw(t, "signed"))}
		if n := rapid.Int64Range(0, 12).Draw(t, "confirmed"); n > 0 {
			p.Lines = []Line{{Number: 1, SKU: "A", Quantity: ea(n)}}
		}
		all = append(all, report{"proof", func(s Shipment) ([]Fact, error) { return Confirm(s, p) }})
	}
	return all
}

func tellAll(t *rapid.T, reports []report) Shipment {
	var s Shipment
	for _, r := range reports {
		facts, err := r.tell(s)
		if err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		next := Apply(s, facts...)
		if again, err := r.tell(next); err != nil || len(again) != 0 {
			t.Fatalf("%s a second time: %v, %v", r.name, again, err)
		}
		s = next
	}
	return s
}

// Every order of the same reports, each as often as it likes, gives one state, one timeline
// and the same contradictions.
func TestReportsInAnyOrderGiveOneState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reports := drawReports(t)
		first := tellAll(t, reports)
		second := tellAll(t, append(rapid.Permutation(reports).Draw(t, "order"), reports[0]))
		if diff := cmp.Diff(first, second, cmpopts.EquateEmpty(), cmpopts.EquateComparable(quantity.Decimal{})); diff != "" || first.State() != second.State() {
			t.Fatalf("%s or %s\n%s", first.State(), second.State(), diff)
		}
		if diff := cmp.Diff(first.Contradictions(), second.Contradictions()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Within the way out a further report never takes the shipment back.
func TestStateNeverFalls(t *testing.T) {
	rank := []State{Planned, Ready, Dispatched, InTransit, OutForDelivery, Delivered, PODConfirmed}
	rapid.Check(t, func(t *rapid.T) {
		var s Shipment
		for _, r := range rapid.Permutation(drawReports(t)).Draw(t, "order") {
			facts, err := r.tell(s)
			if err != nil {
				t.Fatal(err)
			}
			before := slices.Index(rank, s.State())
			s = Apply(s, facts...)
			if now := slices.Index(rank, s.State()); before >= 0 && now >= 0 && now < before {
				t.Fatalf("%s took the shipment from %s to %s", r.name, rank[before], rank[now])
			}
		}
	})
}

func TestContradictions(t *testing.T) {
	dispatch := func(refs Refs, carrier string, at int) report {
		return report{"dispatch", func(s Shipment) ([]Fact, error) { return Dispatch(s, refs, carrier, hour(at), hour(at)) }}
	}
	cancel := report{"cancel", func(s Shipment) ([]Fact, error) { return Cancel(s, ShipmentCancelled{Keys: keysOfA, Reason: "r"}) }}
	proof := func(signer string, at int, lines ...Line) report {
		return report{"proof", func(s Shipment) ([]Fact, error) {
			return Confirm(s, Proof{SignedBy: signer, SignedAt: hour(at), Lines: lines})
		}}
	}
	moved := report{"moved", func(s Shipment) ([]Fact, error) { return Record(s, []Milestone{actual(PickedUp, 3)}) }}
	booked := report{"booked", func(s Shipment) ([]Fact, error) {
		return []Fact{
			ShipmentTendered{Keys: s.Keys, Tender: Tender{Number: 1, Carrier: "ACME", State: Offered, RespondBy: hour(9)}},
			TenderWasAccepted{Keys: s.Keys, Number: 1, Carrier: "ACME"},
		}, nil
	}}
	p1 := Refs{PRO: "P1"}
	cases := map[string]struct {
		reports []report
		state   State
		codes   []string
	}{
		"dispatched, not issued":           {[]report{planReport(), dispatch(p1, "ACME", 2)}, Dispatched, []string{"DISPATCHED_NOT_ISSUED"}},
		"the goods issue clears it":        {[]report{planReport(), dispatch(p1, "ACME", 2), issueReport()}, Dispatched, nil},
		"moved, not dispatched":            {[]report{planReport(), issueReport(), moved}, InTransit, []string{"MOVED_NOT_DISPATCHED"}},
		"the dispatch clears it":           {[]report{planReport(), issueReport(), moved, dispatch(p1, "", 2)}, InTransit, nil},
		"cancelled":                        {[]report{planReport(), cancel}, Cancelled, nil},
		"cancelled before it was planned":  {[]report{cancel, planReport()}, Cancelled, nil},
		"issued although cancelled":        {[]report{cancel, planReport(), issueReport()}, Ready, []string{"CANCELLED_BUT_MOVED"}},
		"cancelled although issued":        {[]report{issueReport(), planReport(), cancel}, Ready, []string{"CANCELLED_BUT_MOVED"}},
		"numbers that come later":          {[]report{planReport(), issueReport(), dispatch(Refs{}, "", 2), dispatch(p1, "", 3)}, Dispatched, nil},
		"other numbers":                    {[]report{planReport(), issueReport(), dispatch(p1, "", 2), dispatch(Refs{PRO: "P2"}, "", 3)}, Dispatched, []string{"ALREADY_DISPATCHED"}},
		"taken by another":                 {[]report{planReport(), issueReport(), booked, dispatch(p1, "OTHR", 2)}, Dispatched, []string{"CARRIER_MISMATCH"}},
		"signed for less":                  {[]report{planReport(), issueReport(), dispatch(p1, "", 2), proof("Ada", 9, Line{Number: 1, Quantity: ea(7)})}, PODConfirmed, nil},
		"signed for more":                  {[]report{planReport(), issueReport(), dispatch(p1, "", 2), proof("Ada", 9, Line{Number: 1, Quantity: ea(5)}, Line{Number: 1, Quantity: ea(4)})}, PODConfirmed, []string{"QUANTITY_EXCEEDS_DISPATCHED"}},
		"signed for something else":        {[]report{planReport(), issueReport(), dispatch(p1, "", 2), proof("Ada", 9, Line{Number: 3, Quantity: ea(1)})}, PODConfirmed, []string{"LINE_UNKNOWN"}},
		"signed for in another unit":       {[]report{planReport(), issueReport(), dispatch(p1, "", 2), proof("Ada", 9, Line{Number: 1, Quantity: quantity.Quantity{Value: quantity.Int(1), Unit: "CS"}})}, PODConfirmed, []string{"UNIT_MISMATCH"}},
		"two proofs that differ":           {[]report{planReport(), issueReport(), dispatch(p1, "", 2), proof("Ada", 9), proof("Bob", 8, Line{Number: 1, Quantity: ea(7)})}, PODConfirmed, []string{"PROOFS_DIFFER"}},
		"proof before anything else known": {[]report{issueReport(), proof("Ada", 9)}, PODConfirmed, []string{"MOVED_NOT_DISPATCHED"}},
	}
	for name, c := range cases {
		var s Shipment
		for _, r := range c.reports {
			facts, err := r.tell(s)
			if err != nil {
				t.Fatalf("%s: %s refused: %v", name, r.name, err)
			}
			s = Apply(s, facts...)
		}
		if s.State() != c.state || !slices.Equal(codesOf(s), c.codes) {
			t.Errorf("%s: %s %v, want %s %v", name, s.State(), codesOf(s), c.state, c.codes)
		}
	}
}

func TestDepartureTakesTheEarliestAndWhatIsAdded(t *testing.T) {
	s := planned()
	for _, d := range []Departure{{Refs{PRO: "P2", Tracking: "T"}, "", hour(4)}, {Refs{PRO: "P1"}, "", hour(3)}, {Refs{Seal: "S"}, "OTHR", hour(5)}} {
		facts, err := Dispatch(s, d.Refs, d.Carrier, d.At, hour(9))
		s = must(t, s, facts, err)
	}
	left, _ := s.Dispatched()
	if want := (Departure{Refs{PRO: "P1", Tracking: "T", Seal: "S"}, "OTHR", hour(3)}); left != want {
		t.Errorf("%+v, want %+v", left, want)
	}
	if facts, err := Dispatch(s, Refs{PRO: "P1"}, "", time.Time{}, hour(9)); err != nil || len(facts) != 0 {
		t.Errorf("the same report without a time made %v, %v", facts, err)
	}
}

// A goods issue that is heard of after the delivery publishes what was delivered again.
func TestLateGoodsIssueCorrectsWhatWasDelivered(t *testing.T) {
	s := planned()
	facts, err := Record(s, []Milestone{actual(DeliveredCode, 6)})
	s = must(t, s, facts, err)
	facts, err = Issue(s, issued)
	if err != nil || len(facts) != 2 {
		t.Fatal(facts, err)
	}
	d, ok := facts[1].(ShipmentDelivered)
	if !ok || !d.Lines[0].Quantity.Value.Equal(quantity.Int(8)) || d.WeightGrams != 5000 || !d.At.Equal(hour(6)) {
		t.Errorf("%+v", facts[1])
	}
}

func TestTenderEndsWhenTheShipmentLeaves(t *testing.T) {
	offered := must(t, planned(), []Fact{ShipmentTendered{Tender: Tender{Number: 1, Carrier: "ACME", State: Offered, RespondBy: hour(1)}}}, nil)
	for carrier, want := range map[string]TenderState{"": TenderAccepted, "ACME": TenderAccepted, "OTHR": Withdrawn} {
		facts, err := Dispatch(offered, Refs{}, carrier, hour(3), hour(3))
		s := must(t, offered, facts, err)
		took, _ := s.Carrier()
		if tender, _ := s.Tender(); tender.State != want || (carrier != "" && took != carrier) || !s.Due().IsZero() {
			t.Errorf("taken by %q: tender %s, carrier %q", carrier, tender.State, took)
		}
	}
}

func TestBoundsAreTold(t *testing.T) {
	s := planned()
	for i := range maxMilestones {
		s = Apply(s, MilestoneRecorded{Milestone: actual(EnRoute, i)})
	}
	if _, err := Record(s, []Milestone{actual(EnRoute, 1), actual(EnRoute, -1)}); err == nil {
		t.Error("one milestone too many")
	}
	if facts, err := Record(s, []Milestone{actual(EnRoute, 1)}); err != nil || len(facts) != 0 {
		t.Errorf("a known milestone in a full shipment: %v, %v", facts, err)
	}
}

// What was delivered and then refused was delivered, in whatever order it is heard of.
func TestRefusalAfterDeliveryDoesNotUnpublishIt(t *testing.T) {
	for _, ms := range [][]Milestone{
		{actual(DeliveredCode, 6), actual(Refused, 7)},
		{actual(Refused, 7), actual(DeliveredCode, 6)},
	} {
		s := planned()
		published := 0
		for _, m := range ms {
			facts, err := Record(s, []Milestone{m})
			s = must(t, s, facts, err)
			for _, f := range facts {
				if d, ok := f.(ShipmentDelivered); ok && d.At.Equal(hour(6)) {
					published++
				}
			}
		}
		if published != 1 || s.State() != Returning {
			t.Errorf("published %d times, %s", published, s.State())
		}
	}
}

func TestWeigh(t *testing.T) {
	unit := func(grams int64, numbers ...int) Unit {
		u := Unit{WeightGrams: grams}
		for _, n := range numbers {
			u.Lines = append(u.Lines, Line{Number: n})
		}
		return u
	}
	cases := map[string]struct {
		units []Unit
		want  []int64
	}{
		"a line each":          {[]Unit{unit(3000, 1), unit(2000, 2), unit(500, 1)}, []int64{3500, 2000}},
		"one holds both":       {[]Unit{unit(3000, 1), unit(2000, 1, 2)}, []int64{0, 0}},
		"one was not weighed":  {[]Unit{unit(3000, 1), unit(0, 2)}, []int64{0, 0}},
		"one line in none":     {[]Unit{unit(3000, 1)}, []int64{0, 0}},
		"nothing was packed":   {nil, []int64{0, 0}},
		"one holds an unknown": {[]Unit{unit(3000, 1), unit(2000)}, []int64{0, 0}},
	}
	for name, c := range cases {
		ls := []Line{{Number: 1}, {Number: 2}}
		Weigh(ls, c.units)
		if ls[0].WeightGrams != c.want[0] || ls[1].WeightGrams != c.want[1] {
			t.Errorf("%s: %v", name, ls)
		}
	}
}
