// Package domain holds the rules of orders: validation, holds, the promise of stock,
// releases to the warehouse and what becomes of them. It promises that per line
// ordered = open + released + cancelled after every fact, that nothing is released
// that is not promised, and that an order's state follows from its quantities.
// It is pure: no I/O, clock or randomness.
package domain

import (
	"cmp"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// MaxReleases is how many releases an order may have.
const MaxReleases = 100

// Owner of the stock that orders take: the tenant's own.
const Owner = "OWN"

// Order is the state of the aggregate. Quantities are in each item's base unit.
type Order struct {
	ID       string     `bson:"id"`
	Revision int        `bson:"rev"` // of the document, from 1
	Header   Header     `bson:"h"`
	Lines    []Line     `bson:"l"` // ascending by number
	Valid    bool       `bson:"ok,omitempty"`
	Rejected []Reason   `bson:"rej,omitempty"`
	Holds    []Hold     `bson:"hold,omitempty"`
	Attempt  Attempt    `bson:"att,omitempty"` // newest attempt to promise
	Releases []Release  `bson:"rel,omitempty"` // ascending by number
	Cancel   string     `bson:"can,omitempty"` // reason of a cancellation that was asked for; nothing waits for stock any more
	Disputed []Disputed `bson:"dis,omitempty"` // newest reports that said more than the order can hold
	Deferred []Deferral `bson:"dfr,omitempty"` // releases that wait for a channel, ascending by site
	Expected []Expected `bson:"exp,omitempty"` // what it was promised of what comes
	Undated  []Undated  `bson:"und,omitempty"` // what of it is not promised, because it comes too late
	Sourcing Sourcing   `bson:"src,omitempty"` // which sites deliver the lines that the document leaves open
	Resumes  bool       `bson:"res,omitempty"` // a release was withdrawn for a hold; it goes by itself once nothing is held
	Done     bool       `bson:"done,omitempty"`
	IsClosed bool       `bson:"cls,omitempty"`
	// What systems said by commands that others own, the last of it.
	Heard []authority.Heard `bson:"hrd,omitempty"`
}

// Header is the order's document without its lines.
type Header struct {
	Source       string       `bson:"src"`
	Number       string       `bson:"no"`
	PO           string       `bson:"po,omitempty"`
	SoldTo       Party        `bson:"sold"`
	ShipTo       Party        `bson:"ship"`
	BillTo       Party        `bson:"bill"`
	Incoterm     string       `bson:"inc,omitempty"`
	Carrier      string       `bson:"car,omitempty"`
	Service      string       `bson:"svc,omitempty"`
	Priority     int          `bson:"pri"`
	Rule         DeliveryRule `bson:"rule"`
	Mode         ReleaseMode  `bson:"mode"`
	Requested    time.Time    `bson:"req,omitempty"`
	Promised     time.Time    `bson:"pro,omitempty"` // to the customer; backorders are served in this order
	ShipBy       time.Time    `bson:"sby,omitempty"`
	DeliverBy    time.Time    `bson:"dby,omitempty"`
	Zone         string       `bson:"tz,omitempty"`
	Currency     string       `bson:"cur,omitempty"`
	Value        money.Amount `bson:"val,omitempty"`
	Site         string       `bson:"site,omitempty"`
	ReceivedTime time.Time    `bson:"rcv"`
}

// Party is a party of an order with its address as it was when the order was taken.
type Party struct {
	Code        string  `bson:"c,omitempty"`
	AddressCode string  `bson:"k,omitempty"`
	Address     Address `bson:"a,omitempty"`
}

// Address is a postal address.
type Address struct {
	Name       string   `bson:"n,omitempty"`
	Lines      []string `bson:"l,omitempty"`
	City       string   `bson:"c,omitempty"`
	Region     string   `bson:"r,omitempty"`
	PostalCode string   `bson:"p,omitempty"`
	Country    string   `bson:"y,omitempty"`
}

// IsZero reports whether nothing of the address is given.
func (a Address) IsZero() bool {
	return a.Name == "" && len(a.Lines) == 0 && a.City == "" && a.Region == "" && a.PostalCode == "" && a.Country == ""
}

// DeliveryRule says what happens to a quantity that is not there.
type DeliveryRule string

// The delivery rules.
const (
	Partial         DeliveryRule = "PARTIAL"          // the rest waits
	Complete        DeliveryRule = "COMPLETE"         // nothing goes before everything is promised
	CancelRemainder DeliveryRule = "CANCEL_REMAINDER" // the rest is cancelled
	ShipTogether    DeliveryRule = "SHIP_TOGETHER"    // as COMPLETE, and what is there is claimed meanwhile
)

// together reports whether nothing goes before everything that is open is promised.
func (r DeliveryRule) together() bool { return r == Complete || r == ShipTogether }

// ReleaseMode says who drives the order.
type ReleaseMode string

// The release modes.
const (
	Automatic ReleaseMode = "AUTOMATIC"
	Manual    ReleaseMode = "MANUAL"
)

// HoldType is a reason for which nothing may be released.
type HoldType string

// The types of hold.
const (
	HoldCredit     HoldType = "CREDIT"
	HoldExport     HoldType = "EXPORT"
	HoldAddress    HoldType = "ADDRESS"
	HoldPrice      HoldType = "PRICE"
	HoldManual     HoldType = "MANUAL"
	HoldMasterData HoldType = "MASTER_DATA"
)

// Hold is an open hold.
type Hold struct {
	Type HoldType  `bson:"t"`
	Note string    `bson:"n,omitempty"`
	By   string    `bson:"b"`
	At   time.Time `bson:"a"`
}

// Reason is one machine-readable reason.
type Reason struct {
	Code    string `bson:"c"`
	Field   string `bson:"f,omitempty"`
	Message string `bson:"m"`
}

// Line is an ordered line with what validation resolved and what became of it outside releases.
type Line struct {
	Number       int               `bson:"n"`
	SKU          string            `bson:"sku"`
	GTIN         string            `bson:"gtin,omitempty"`
	Quantity     quantity.Quantity `bson:"q"` // as ordered
	Price        string            `bson:"p,omitempty"`
	AskedSite    string            `bson:"as,omitempty"`
	CustomerItem string            `bson:"ci,omitempty"`

	Item string            `bson:"i,omitempty"`
	Base quantity.Quantity `bson:"b"`           // ordered, in the base unit
	Site string            `bson:"s,omitempty"` // where it waits for stock; the only one unless a rule sources it
	Rule int               `bson:"g,omitempty"` // of the order's sourcing, from 1; 0 for a site that the document fixes

	Cancelled quantity.Decimal `bson:"x,omitempty"`
	Claims    []LineClaim      `bson:"cl,omitempty"` // promised and not yet released
}

// LineClaim is the part of a claim on stock that a line holds.
type LineClaim struct {
	Key      string           `bson:"k"`
	Quantity quantity.Decimal `bson:"q"`
	Site     string           `bson:"s,omitempty"` // "" is the line's own
}

// Promised is claimed in stock and not yet released.
func (l Line) Promised() quantity.Decimal {
	var sum quantity.Decimal
	for _, c := range l.Claims {
		sum = sum.Add(c.Quantity)
	}
	return sum
}

// claimsAt are the claims at a site, as a release of that site names them.
func (l Line) claimsAt(site string) (claims []LineClaim) {
	for _, c := range l.Claims {
		if cmp.Or(c.Site, l.Site) == site {
			claims = append(claims, LineClaim{Key: c.Key, Quantity: c.Quantity})
		}
	}
	return claims
}

// PromisedAt is claimed in the stock of a site and not yet released.
func (l Line) PromisedAt(site string) quantity.Decimal {
	var sum quantity.Decimal
	for _, c := range l.claimsAt(site) {
		sum = sum.Add(c.Quantity)
	}
	return sum
}

// Disputed is a report that said more than the order can hold.
type Disputed struct {
	Release  string           `bson:"r"`
	Report   string           `bson:"k"`
	Shipment string           `bson:"s,omitempty"` // of a delivery
	Line     int              `bson:"l"`
	Unit     string           `bson:"u,omitempty"` // of the excess; "" is the line's own
	Excess   quantity.Decimal `bson:"q"`
}

// lineIndex returns the index of the line with the number, or -1.
func (o Order) lineIndex(number int) int {
	i, found := slices.BinarySearchFunc(o.Lines, number, func(l Line, n int) int { return l.Number - n })
	if !found {
		return -1
	}
	return i
}

// HasHold reports whether a hold of the type is open.
func (o Order) HasHold(t HoldType) bool {
	return slices.ContainsFunc(o.Holds, func(h Hold) bool { return h.Type == t })
}

// sites are the sites that may deliver lines, sorted.
func (o Order) sites() []string {
	var sites []string
	add := func(site string) {
		if i, found := slices.BinarySearch(sites, site); !found {
			sites = slices.Insert(sites, i, site)
		}
	}
	for _, l := range o.Lines {
		add(l.Site)
	}
	for _, r := range o.Sourcing.Rules {
		for _, site := range r.Sites {
			add(site)
		}
	}
	return sites
}

// PromisedAt is what a line has claimed in the stock of a site and not yet released.
func (o Order) PromisedAt(line int, site string) quantity.Decimal {
	if i := o.lineIndex(line); i >= 0 {
		return o.Lines[i].PromisedAt(site)
	}
	return quantity.Decimal{}
}

// openAt is what of the i-th line is open at a site: what is promised there, and where the line
// waits what no claim holds.
func (o Order) openAt(i int, site string, q Quantities) quantity.Decimal {
	open := o.Lines[i].PromisedAt(site)
	if o.Lines[i].Site == site {
		open = open.Add(q.Unpromised())
	}
	return open
}
