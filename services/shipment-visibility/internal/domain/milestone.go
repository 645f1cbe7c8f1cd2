package domain

import (
	"cmp"
	"slices"
	"time"
)

// Code says what a milestone reports, in the contract's words.
type Code string

// Codes of milestones.
const (
	PickedUp           Code = "PICKED_UP"
	Departed           Code = "DEPARTED"
	Arrived            Code = "ARRIVED"
	EnRoute            Code = "EN_ROUTE"
	OnDeliveryVehicle  Code = "OUT_FOR_DELIVERY"
	ArrivedAtConsignee Code = "ARRIVED_AT_CONSIGNEE"
	DeliveredCode      Code = "DELIVERED"
	Refused            Code = "REFUSED"
	ReturnedToShipper  Code = "RETURNED_TO_SHIPPER"
)

// Classifier says how certain a milestone is (DCSA).
type Classifier string

// Classifiers of milestones.
const (
	PlannedTime   Classifier = "PLANNED"
	EstimatedTime Classifier = "ESTIMATED"
	Actual        Classifier = "ACTUAL"
)

// Milestone is one report about where a shipment is.
type Milestone struct {
	Code       Code       `bson:"c"`
	Classifier Classifier `bson:"k"`
	At         time.Time  `bson:"t"`           // event time, UTC
	Offset     int        `bson:"o,omitempty"` // UTC offset of the place, minutes
	Place      string     `bson:"p,omitempty"`
	Source     string     `bson:"s,omitempty"`
	MessageID  string     `bson:"m,omitempty"`
	Recorded   time.Time  `bson:"r"`
}

// Same reports whether two reports are one milestone: what, how certain, when and where
// are equal, whoever repeated it and however often.
func (m Milestone) Same(o Milestone) bool {
	return m.Code == o.Code && m.Classifier == o.Classifier && m.At.Equal(o.At) && m.Place == o.Place
}

// maxMilestones bounds the state; a carrier that reports more is told so.
const maxMilestones = 500

// rank orders the milestones of the way out; a later one implies the earlier.
var rank = map[Code]int{
	PickedUp: 1, Departed: 2, Arrived: 2, EnRoute: 2,
	OnDeliveryVehicle: 3, ArrivedAtConsignee: 3, DeliveredCode: 4,
}

var stateOfRank = map[int]State{1: InTransit, 2: InTransit, 3: OutForDelivery, 4: Delivered}

// Progress folds the actual milestones by event time into the state they prove, "" when
// they prove nothing. Within the way out and within the way back the state never falls;
// a refusal opens the way back only when it happened after everything on the way out.
func Progress(ms []Milestone) State {
	var out int
	var last, refused time.Time
	back := false
	for _, m := range ms {
		if m.Classifier != Actual {
			continue
		}
		switch m.Code {
		case Refused, ReturnedToShipper:
			if m.At.After(refused) {
				refused = m.At
			}
			back = back || m.Code == ReturnedToShipper
		default:
			out = max(out, rank[m.Code])
			// Arriving on the way back is no proof of the way out.
			if (m.Code == DeliveredCode || m.Code == OnDeliveryVehicle) && m.At.After(last) {
				last = m.At
			}
		}
	}
	if refused.After(last) {
		if back {
			return Returned
		}
		return Returning
	}
	return stateOfRank[out]
}

// withMilestone returns ms with m in its place by event time; ms unchanged when it is there.
func withMilestone(ms []Milestone, m Milestone) []Milestone {
	if slices.ContainsFunc(ms, m.Same) {
		return ms
	}
	out := append(slices.Clone(ms), m)
	slices.SortStableFunc(out, func(a, b Milestone) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Classifier, b.Classifier), cmp.Compare(a.Place, b.Place))
	})
	return out
}
