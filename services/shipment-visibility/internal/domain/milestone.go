package domain

import "time"

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

// Bounds of the state; who reports more is told so.
const (
	maxMilestones = 500
	maxDepartures = 20
	maxProofs     = 20
)

// rank orders the milestones of the way out; a later one implies the earlier.
var rank = map[Code]int{
	PickedUp: 1, Departed: 2, Arrived: 2, EnRoute: 2,
	OnDeliveryVehicle: 3, ArrivedAtConsignee: 3, DeliveredCode: 4,
}

var stateOfRank = map[int]State{1: InTransit, 2: InTransit, 3: OutForDelivery, 4: Delivered}

// Progress folds the actual milestones by event time into the state they prove, "" when
// they prove nothing. Within the way out and within the way back the state never falls. A
// refusal opens the way back only when it happened after everything that brought the goods
// to the consignee, the signature included.
func Progress(ms []Milestone, signed time.Time) State {
	out, brought := 0, signed
	for _, m := range ms {
		if m.Classifier != Actual {
			continue
		}
		out = max(out, rank[m.Code])
		if (m.Code == DeliveredCode || m.Code == OnDeliveryVehicle) && m.At.After(brought) {
			brought = m.At
		}
	}
	back := State("")
	for _, m := range ms {
		switch {
		case m.Classifier != Actual || !m.At.After(brought):
		case m.Code == ReturnedToShipper:
			back = Returned
		case m.Code == Refused && back == "":
			back = Returning
		}
	}
	if back != "" {
		return back
	}
	return stateOfRank[out]
}
