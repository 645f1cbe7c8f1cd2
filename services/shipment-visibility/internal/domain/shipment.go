// Package domain is the life of a shipment as pure functions: decide says which facts
// a command makes or why it is refused, Evolve applies facts. Status is a fold over the
// facts by event time, so that every order of the same reports gives one status.
package domain

import (
	"cmp"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// State is where a shipment stands; derived, never set. The values are those of the contract.
type State string

// States of a shipment.
const (
	Planned        State = "PLANNED"
	Tendered       State = "TENDERED"
	Accepted       State = "ACCEPTED"
	Ready          State = "READY"
	Dispatched     State = "DISPATCHED"
	InTransit      State = "IN_TRANSIT"
	OutForDelivery State = "OUT_FOR_DELIVERY"
	Delivered      State = "DELIVERED"
	PODConfirmed   State = "POD_CONFIRMED"
	Closed         State = "CLOSED"
	Cancelled      State = "CANCELLED"
	Returning      State = "RETURNING"
	Returned       State = "RETURNED"
)

// TenderState is where an offer to a carrier stands.
type TenderState string

// States of a tender.
const (
	Offered        TenderState = "OFFERED"
	TenderAccepted TenderState = "ACCEPTED"
	Declined       TenderState = "DECLINED"
	Expired        TenderState = "EXPIRED"
	Withdrawn      TenderState = "WITHDRAWN"
)

// Line is one order line's part of the shipment, in the item's base unit.
type Line struct {
	Number      int               `bson:"n"`
	SKU         string            `bson:"s"`
	Quantity    quantity.Quantity `bson:"q"`
	WeightGrams int64             `bson:"w,omitempty"`
}

// Unit is a packed handling unit.
type Unit struct {
	SSCC        string `bson:"s"` // SSCC-18
	WeightGrams int64  `bson:"w,omitempty"`
	Lines       []Line `bson:"l,omitempty"`
}

// Address is where the shipment goes, as it stood when the order was released.
type Address struct {
	Name       string   `bson:"n,omitempty"`
	Lines      []string `bson:"l,omitempty"`
	City       string   `bson:"c,omitempty"`
	Region     string   `bson:"r,omitempty"`
	PostalCode string   `bson:"p,omitempty"`
	Country    string   `bson:"k,omitempty"` // ISO 3166-1 alpha-2
}

// Order names what the shipment carries out.
type Order struct {
	ID             string `bson:"i"`
	Number         string `bson:"n"` // of the source system
	Release        string `bson:"r"`
	WarehouseOrder string `bson:"w"`
}

// Keys are the business keys that every fact of a shipment carries.
type Keys struct {
	Shipment string `bson:"s"` // shipment id
	Order    Order  `bson:"o"`
}

// Tender is one offer to a carrier.
type Tender struct {
	Number    int         `bson:"n"`
	Carrier   string      `bson:"c"`
	Service   string      `bson:"s,omitempty"`
	State     TenderState `bson:"t"`
	RespondBy time.Time   `bson:"b"`
	Reason    string      `bson:"r,omitempty"`
}

// Refs are the numbers under which the carrier knows the shipment.
type Refs struct {
	BillOfLading string `bson:"b,omitempty"`
	PRO          string `bson:"p,omitempty"`
	Tracking     string `bson:"t,omitempty"`
	Seal         string `bson:"s,omitempty"`
}

// Departure is one report of the shipment's leaving.
type Departure struct {
	Refs    Refs      `bson:"r"`
	Carrier string    `bson:"c,omitempty"` // as the report names it
	At      time.Time `bson:"t"`
}

// Proof is one word of the consignee on what was delivered.
type Proof struct {
	SignedBy string    `bson:"b"`
	SignedAt time.Time `bson:"t"`
	Lines    []Line    `bson:"l,omitempty"` // none: everything that was dispatched
	Document string    `bson:"d,omitempty"` // SHA-256, hexadecimal
}

// Shipment is the state; its zero value is "nothing yet". Reports are kept as sets in an
// order of their own, so that it does not depend on the order in which they arrived.
type Shipment struct {
	Keys         Keys        `bson:"k"`
	Planned      bool        `bson:"pn,omitempty"` // false while only later facts are known
	Site         string      `bson:"s"`
	ShipTo       Address     `bson:"to"`
	Preference   string      `bson:"c,omitempty"` // carrier asked for, SCAC
	Service      string      `bson:"sv,omitempty"`
	Policy       Policy      `bson:"po,omitempty"`
	Lines        []Line      `bson:"l"`            // planned, then issued
	Plan         []Line      `bson:"pl,omitempty"` // planned
	Amended      []Amended   `bson:"am,omitempty"` // lines of the plan that were amended, by number
	Units        []Unit      `bson:"u,omitempty"`
	WeightGrams  int64       `bson:"w,omitempty"`
	Tenders      []Tender    `bson:"t,omitempty"`
	Issued       time.Time   `bson:"gi,omitempty"`
	Departures   []Departure `bson:"d,omitempty"` // earliest first
	Milestones   []Milestone `bson:"m,omitempty"` // by event time
	Delivered    bool        `bson:"dl,omitempty"`
	Proofs       []Proof     `bson:"p,omitempty"` // newest last; it counts
	CancelReason string      `bson:"x,omitempty"`
	IsCancelled  bool        `bson:"xc,omitempty"`
	IsClosed     bool        `bson:"cl,omitempty"`
	// What systems said by commands that others own, the last of it.
	Heard []authority.Heard `bson:"hd,omitempty"`
}

// Exists reports whether anything is known of the shipment.
func (s Shipment) Exists() bool { return s.Keys.Shipment != "" }

// State derives where the shipment stands. What moved, moved: a cancellation stands only
// while nothing physical happened.
func (s Shipment) State() State {
	if !s.Exists() {
		return ""
	}
	if s.IsClosed {
		return Closed
	}
	var signed time.Time
	if p, ok := s.Proof(); ok {
		signed = p.SignedAt
	}
	moving := Progress(s.Milestones, signed)
	switch {
	case moving == Returning || moving == Returned:
		return moving
	case !signed.IsZero():
		return PODConfirmed
	case moving != "":
		return moving
	case len(s.Departures) > 0:
		return Dispatched
	case !s.Issued.IsZero():
		return Ready
	case s.IsCancelled:
		return Cancelled
	}
	if t, ok := s.Tender(); ok {
		switch t.State {
		case Offered:
			return Tendered
		case TenderAccepted:
			return Accepted
		}
	}
	return Planned
}

// Tender returns the newest tender.
func (s Shipment) Tender() (Tender, bool) {
	if len(s.Tenders) == 0 {
		return Tender{}, false
	}
	return s.Tenders[len(s.Tenders)-1], true
}

// booked returns the accepted tender.
func (s Shipment) booked() (Tender, bool) {
	t, ok := s.Tender()
	return t, ok && t.State == TenderAccepted
}

// Dispatched returns the departure that counts: the earliest, with the numbers that later
// reports of it add.
func (s Shipment) Dispatched() (Departure, bool) {
	if len(s.Departures) == 0 {
		return Departure{}, false
	}
	d := s.Departures[0]
	for _, more := range s.Departures[1:] {
		d.Carrier = cmp.Or(d.Carrier, more.Carrier)
		d.Refs.BillOfLading = cmp.Or(d.Refs.BillOfLading, more.Refs.BillOfLading)
		d.Refs.PRO = cmp.Or(d.Refs.PRO, more.Refs.PRO)
		d.Refs.Tracking = cmp.Or(d.Refs.Tracking, more.Refs.Tracking)
		d.Refs.Seal = cmp.Or(d.Refs.Seal, more.Refs.Seal)
	}
	return d, true
}

// Carrier returns who carries the shipment and with which service: who took it, else who
// is booked, else who was asked for.
func (s Shipment) Carrier() (carrier, service string) {
	took, _ := s.Dispatched()
	if t, ok := s.booked(); ok && (took.Carrier == "" || took.Carrier == t.Carrier) {
		return t.Carrier, t.Service
	}
	if took.Carrier != "" && took.Carrier != s.Preference {
		return took.Carrier, ""
	}
	return s.Preference, s.Service
}

// Proof returns the proof of delivery that counts: the newest.
func (s Shipment) Proof() (Proof, bool) {
	if len(s.Proofs) == 0 {
		return Proof{}, false
	}
	return s.Proofs[len(s.Proofs)-1], true
}

// DeliveredLines returns what the consignee got, as far as anybody said.
func (s Shipment) DeliveredLines() []Line {
	if p, ok := s.Proof(); ok && len(p.Lines) > 0 {
		return p.Lines
	}
	return s.Lines
}
