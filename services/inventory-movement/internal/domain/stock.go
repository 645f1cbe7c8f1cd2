// Package domain is stock and the warehouse's part of a release as pure functions. Every
// movement is double entry inside one stock; no physical place is ever negative; what is
// allocated and promised never exceeds what is on hand and available.
package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Status says whether stock may be promised.
type Status string

// Statuses of stock.
const (
	Available Status = "AVAILABLE"
	QI        Status = "QI"
	Blocked   Status = "BLOCKED"
	Damaged   Status = "DAMAGED"
	Returned  Status = "RETURNED"
)

// The virtual locations: where goods come from and go to, so that every movement has two sides.
const (
	Supplier    = "SUPPLIER"
	Customer    = "CUSTOMER"
	Packing     = "PACKING"
	Discrepancy = "DISCREPANCY"
	Scrap       = "SCRAP"
)

// Reserved reports whether a location code is one of the virtual ones.
func Reserved(location string) bool {
	return slices.Contains([]string{Supplier, Customer, Packing, Discrepancy, Scrap, InTransit, OtherSite}, location)
}

// OwnStock is the owner of the tenant's own goods.
const OwnStock = "OWN"

// Bounds of one stock.
const (
	maxRows       = 4000
	maxClaims     = 2000
	maxTombstones = 1000
	// maxAllocations is far more than a site picks of one item at a time.
	maxAllocations = 4000
)

// Place is where stock is and in which status.
type Place struct {
	Location string `bson:"l"`
	Lot      string `bson:"t,omitempty"`
	Serial   string `bson:"n,omitempty"` // of the one piece that stands there
	Expiry   string `bson:"x,omitempty"` // YYYY-MM-DD
	Status   Status `bson:"s"`
}

// outside reports whether the place is beyond the site's books: goods may come from there
// without being there, so what stands there may be negative.
func (p Place) outside() bool {
	return p.Location != Packing && p.Location != InTransit && Reserved(p.Location)
}

// sellable reports whether what stands there can be promised.
func (p Place) sellable() bool { return p.Status == Available && !Reserved(p.Location) }

// expired reports whether what stands there may not leave any more; on no date nothing is.
func (p Place) expired(today string) bool { return p.Expiry != "" && p.Expiry < today }

// row is the row that the place is booked on. Outside the site neither lots nor serial numbers
// are told apart: the facts say them, and rows of what is long gone would pile up.
func (p Place) row() Place {
	if p.outside() {
		return Place{Location: p.Location, Status: Available}
	}
	return p
}

// Row is how much stands at a place.
type Row struct {
	Place     Place            `bson:"p"`
	OnHand    quantity.Decimal `bson:"h"`
	Allocated quantity.Decimal `bson:"a"`
	// Received is since when the oldest of it is in the site, ms since 1970: what the database
	// keeps of a time. 0 when nobody knows, which counts as the oldest.
	Received int64 `bson:"d,omitempty"`
}

// Claim is a live promise.
type Claim struct {
	Key      string           `bson:"k"`
	Quantity quantity.Decimal `bson:"q"`
}

// Allocation is stock set aside for, or picked for, one line of a warehouse order.
type Allocation struct {
	Order    string           `bson:"o"` // warehouse order
	Line     int              `bson:"n"`
	Place    Place            `bson:"p"`
	Quantity quantity.Decimal `bson:"q"`
}

// StockKey names a stock.
type StockKey struct {
	ID    string `bson:"i"`
	Site  string `bson:"s"`
	Item  string `bson:"m"` // item id
	SKU   string `bson:"k"`
	Owner string `bson:"o"`
	Unit  string `bson:"u"` // base unit
}

// Stock is the state of one (site, item, owner); its zero value is "nothing yet".
type Stock struct {
	Key         StockKey          `bson:"k"`
	Rows        []Row             `bson:"r,omitempty"`
	Claims      []Claim           `bson:"c,omitempty"`
	Holds       []Hold            `bson:"h,omitempty"` // of claims that no order has, in the order in which they were made
	Allocations []Allocation      `bson:"a,omitempty"`
	Packing     []Allocation      `bson:"g,omitempty"`  // what stands in PACKING, and for whom
	Supplies    []Supply          `bson:"su,omitempty"` // what is announced, the earliest first
	Waits       []Wait            `bson:"wa,omitempty"` // promises of what is to come, in the order in which they were made
	Covers      []Cover           `bson:"co,omitempty"` // what was told that they count on
	Reversed    []MoveRef         `bson:"rv,omitempty"` // movements that were taken back, in the order in which they were committed
	Tombstones  []string          `bson:"t,omitempty"`  // marks of claims and warehouse orders closed for good, newest last
	Heard       []authority.Heard `bson:"hd,omitempty"` // what systems said by commands that others own, the last of it
}

// as is a place of goods that go from here to another location: they stay what they are.
func (p Place) as(location string, s Status) Place {
	p.Location, p.Status = location, s
	return p
}

// MovementType is what moved stock.
type MovementType string

// Types of movement.
const (
	Receipt      MovementType = "RECEIPT"
	Pick         MovementType = "PICK"
	Issue        MovementType = "ISSUE"
	Adjustment   MovementType = "ADJUSTMENT"
	Move         MovementType = "MOVE"
	StatusChange MovementType = "STATUS_CHANGE"
	BackInBin    MovementType = "PUT_BACK"
	// IssueReversal takes a goods issue back.
	IssueReversal MovementType = "ISSUE_REVERSAL"
	// ReturnReceipt brings goods back from a customer; Disposition moves them to where they go then.
	ReturnReceipt MovementType = "RETURN_RECEIPT"
	Disposition   MovementType = "DISPOSITION"
)

// StockFact is what happened to a stock.
type StockFact interface{ isStockFact() }

// The facts of a stock.
type (
	// StockMoved moves a quantity from one place to another.
	StockMoved struct {
		StockKey
		Type     MovementType
		From, To Place
		Quantity quantity.Decimal
		Reason   string
		Order    string // warehouse order
		Line     int
		Used     quantity.Decimal // allocation of that line at From that it uses up
		RMA      string           // return
		Reverses MoveRef          // movement that it takes back
		Count    string           // count that it was for
		Transfer string           // transfer that it was for
		At       time.Time
	}
	// ReturnReceived says that goods of a return arrived; StockMoved books them.
	ReturnReceived struct {
		StockKey
		RMA      string
		RMALine  int
		Place    Place
		Quantity quantity.Decimal
		At       time.Time
	}
	// StockReserved promises a quantity.
	StockReserved struct {
		StockKey
		Claim
		Expires  int64 // of a reservation, ms since 1970; 0: the claim is an order's
		Priority int
		Promise  string // against supplies, of which it uses up what there is
	}
	// ReservationReleased closes a claim.
	ReservationReleased struct {
		StockKey
		Claim
		Reason ReleaseReason // of a reservation; "": the claim is an order's and closed for good
		By     string        // claim that displaced it
	}
	// ReservationConfirmed makes a reservation last until it is used or given back.
	ReservationConfirmed struct {
		StockKey
		Claim
	}
	// StockAllocated turns promises into allocations.
	StockAllocated struct {
		StockKey
		Order  string
		Line   int
		Parts  []Allocation
		Claims []Claim
	}
	// AllocationFreed frees allocations of an order's line. Line 0 means all, and that
	// nothing is allocated to the order again.
	AllocationFreed struct {
		StockKey
		Order    string
		Line     int
		Quantity quantity.Decimal
	}
)

func (StockMoved) isStockFact()           {}
func (ReturnReceived) isStockFact()       {}
func (StockReserved) isStockFact()        {}
func (ReservationReleased) isStockFact()  {}
func (ReservationConfirmed) isStockFact() {}
func (StockAllocated) isStockFact()       {}
func (AllocationFreed) isStockFact()      {}
