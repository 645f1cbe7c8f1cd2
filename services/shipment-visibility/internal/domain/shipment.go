// Package domain is the life of a shipment as pure functions: decide says which facts
// a command makes or why it is refused, Evolve applies facts. Status is a fold over the
// facts by event time, so that every order of the same reports gives one status.
package domain

import (
	"time"

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

// Shipment is the state; its zero value is "nothing yet".
type Shipment struct {
	Keys         Keys        `bson:"k"`
	Site         string      `bson:"s"`
	ShipTo       Address     `bson:"to"`
	Carrier      string      `bson:"c,omitempty"`
	Service      string      `bson:"sv,omitempty"`
	Lines        []Line      `bson:"l"`
	Units        []Unit      `bson:"u,omitempty"`
	WeightGrams  int64       `bson:"w,omitempty"`
	Tenders      []Tender    `bson:"t,omitempty"`
	Refs         Refs        `bson:"r"`
	Issued       time.Time   `bson:"gi,omitempty"`
	Dispatched   time.Time   `bson:"d,omitempty"`
	Milestones   []Milestone `bson:"m,omitempty"` // by event time
	Delivered    bool        `bson:"dl,omitempty"`
	Signed       time.Time   `bson:"pt,omitempty"`
	SignedBy     string      `bson:"pb,omitempty"`
	Confirmed    []Line      `bson:"pl,omitempty"` // as the consignee signed for
	Document     string      `bson:"pd,omitempty"` // SHA-256, hexadecimal
	CancelReason string      `bson:"x,omitempty"`
	IsCancelled  bool        `bson:"xc,omitempty"`
	IsClosed     bool        `bson:"cl,omitempty"`
	NotIssued    bool        `bson:"ni,omitempty"` // dispatched before a goods issue was known
}

// Exists reports whether the shipment was planned.
func (s Shipment) Exists() bool { return s.Keys.Shipment != "" }

// State derives where the shipment stands.
func (s Shipment) State() State {
	switch {
	case !s.Exists():
		return ""
	case s.IsClosed:
		return Closed
	case s.IsCancelled:
		return Cancelled
	}
	moving := Progress(s.Milestones)
	switch {
	case moving == Returning || moving == Returned:
		return moving
	case !s.Signed.IsZero():
		return PODConfirmed
	case moving != "":
		return moving
	case !s.Dispatched.IsZero():
		return Dispatched
	case !s.Issued.IsZero():
		return Ready
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

// Shipped says whether the shipment counts as shipped when the goods must be issued and
// the shipment dispatched, and since when.
func (s Shipment) Shipped() (time.Time, bool) {
	if s.Issued.IsZero() || s.Dispatched.IsZero() {
		return time.Time{}, false
	}
	if s.Issued.After(s.Dispatched) {
		return s.Issued, true
	}
	return s.Dispatched, true
}
