package domain

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Fact is something that happened to an order.
type Fact interface{ fact() }

// Keys name the order in each fact.
type Keys struct {
	Order  string // id
	Number string // order number of the source system
}

// LineQuantity is a quantity of one line, in the base unit.
type LineQuantity struct {
	Line     int               `bson:"n"`
	Quantity quantity.Quantity `bson:"q"`
	Reason   string            `bson:"r,omitempty"`
}

// ClaimRef names a claim on stock.
type ClaimRef struct{ Key, Stock, Site, Item string }

// OrderReceived starts an order, or the next revision of a rejected one.
type OrderReceived struct {
	Order    string
	Revision int
	Header   Header
	Lines    []Line
}

// OrderValidated says that the order is valid.
type OrderValidated struct {
	Keys
	Revision, Lines int
}

// OrderRejected says that it is not, and why.
type OrderRejected struct {
	Keys
	Revision int
	Reasons  []Reason
}

// HoldPlaced opens a hold.
type HoldPlaced struct {
	Keys
	Hold         Hold
	AfterRelease bool // a warehouse has a release already
}

// HoldLifted ends a hold.
type HoldLifted struct {
	Keys
	Type HoldType
	Note string
}

// PromiseRequested is the intent to claim stock.
type PromiseRequested struct {
	Keys
	Attempt   int
	Requested time.Time
	Due       time.Time
	Partial   bool // a part of a claim helps
	Again     bool // other sites are asked for what the attempt before did not get
	Claims    []Claim
}

// LinesPromised decides an attempt: stock is claimed.
type LinesPromised struct {
	Keys
	Attempt  int
	Lines    []PromisedLine
	Missing  []LineQuantity
	GiveBack []ClaimRef // claims that hold nothing
}

// PromisedLine is what one line got from one claim.
type PromisedLine struct {
	Line     int
	Quantity quantity.Quantity
	Claim    string
}

// PromiseRefused decides an attempt: nothing is claimed.
type PromiseRefused struct {
	Keys
	Attempt  int
	Missing  []LineQuantity
	GiveBack []ClaimRef
}

// PromiseClosed gives an attempt up.
type PromiseClosed struct {
	Keys
	Attempt  int
	GiveBack []ClaimRef
	Retry    time.Time // zero: somebody has to ask
}

// OrderReleased hands lines to a site.
type OrderReleased struct {
	Keys
	Header  Header
	Release int
	Version int
	Parent  int
	Site    string
	Lines   []ReleasedLine
	At      time.Time
	Shipped ShippedRule // when it counts as shipped
}

// ReleasedLine is one line of a release with the claims that hold it.
type ReleasedLine struct {
	Line         int
	Item, SKU    string
	Quantity     quantity.Quantity
	Unit         string // in which the customer ordered
	CustomerItem string
	Claims       []LineClaim
}

// ReleaseBackordered states all that waits for stock at a site.
type ReleaseBackordered struct {
	Keys
	Release int
	Parent  int
	Site    string
	Lines   []LineQuantity
}

// ReleaseAllocated reports stock that the warehouse allocated.
type ReleaseAllocated struct {
	Keys
	Release        int
	WarehouseOrder string
	Lines          []LineQuantity
}

// ReleaseAcknowledged reports that the warehouse has the release.
type ReleaseAcknowledged struct {
	Keys
	Release        int
	WarehouseOrder string
}

// LinesPicked reports a pick.
type LinesPicked struct {
	Keys
	Release int
	Lines   []LineQuantity
}

// LinesShorted reports what was not there to be picked.
type LinesShorted struct {
	Keys
	Release int
	Lines   []LineQuantity
}

// LinesIssued reports what left the warehouse's books.
type LinesIssued struct {
	Keys
	Release int
	Lines   []LineQuantity
	At      time.Time // zero in facts from before it was kept
}

// LinesDelivered reports the change of what reached the customer.
type LinesDelivered struct {
	Keys
	Release  int
	Shipment string
	Lines    []LineQuantity
}

// OrderFulfilled says that everything is issued or cancelled.
type OrderFulfilled struct {
	Keys
	Issued []LineQuantity
}

// RemainderCancelled cancels what no warehouse has.
type RemainderCancelled struct {
	Keys
	Lines    []LineQuantity
	GiveBack []ClaimRef
	Reason   string
}

// CancelAsked asks the warehouse to cancel a release.
type CancelAsked struct {
	Keys
	Release, Version int
	Site, Reason     string
}

// ReleaseCancelled reports that the warehouse did.
type ReleaseCancelled struct {
	Keys
	Release int
	Lines   []LineQuantity
	PutBack []LineQuantity // part of lines that was picked
}

// CancelRefused reports that it did not.
type CancelRefused struct {
	Keys
	Release int
	Reason  string
}

// OrderCancelled says that everything is cancelled.
type OrderCancelled struct {
	Keys
	Reason string
}

// OrderClosed ends the order.
type OrderClosed struct{ Keys }

// ReportContradicted keeps what a report said beyond what the order can hold.
type ReportContradicted struct {
	Keys
	Release  string // id, as reported
	Report   string
	Shipment string // that a DELIVERED report is about
	Excess   []LineQuantity
}

func (OrderReceived) fact()       {}
func (OrderValidated) fact()      {}
func (OrderRejected) fact()       {}
func (HoldPlaced) fact()          {}
func (HoldLifted) fact()          {}
func (PromiseRequested) fact()    {}
func (LinesPromised) fact()       {}
func (PromiseRefused) fact()      {}
func (PromiseClosed) fact()       {}
func (OrderReleased) fact()       {}
func (ReleaseBackordered) fact()  {}
func (ReleaseAllocated) fact()    {}
func (ReleaseAcknowledged) fact() {}
func (LinesPicked) fact()         {}
func (LinesShorted) fact()        {}
func (LinesIssued) fact()         {}
func (LinesDelivered) fact()      {}
func (OrderFulfilled) fact()      {}
func (RemainderCancelled) fact()  {}
func (CancelAsked) fact()         {}
func (ReleaseCancelled) fact()    {}
func (CancelRefused) fact()       {}
func (OrderCancelled) fact()      {}
func (OrderClosed) fact()         {}
func (ReportContradicted) fact()  {}
