package domain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Release is what one site is asked to ship in one go. One that was not sent waits for
// stock; a site has at most one of those.
type Release struct {
	Number         int           `bson:"n"`
	Version        int           `bson:"v"`           // under which the warehouse has it
	Parent         int           `bson:"p,omitempty"` // release whose remainder it is; 0 for none
	Site           string        `bson:"s"`
	Lines          []ReleaseLine `bson:"l"`
	Sent           time.Time     `bson:"t,omitempty"`
	WarehouseOrder string        `bson:"w,omitempty"`
	Acknowledged   bool          `bson:"a,omitempty"`
	CancelAsked    bool          `bson:"c,omitempty"`
	CancelRefused  string        `bson:"r,omitempty"` // the warehouse's reason
	StopAsked      bool          `bson:"h,omitempty"` // because of a hold
	StopRefused    string        `bson:"hr,omitempty"`
	TakenBack      bool          `bson:"gb,omitempty"` // something of it was issued and is not any more
	Reversing      int           `bson:"gr,omitempty"` // attempt of its warehouse to reverse a goods issue; 0 for none
	Amendments     int           `bson:"am,omitempty"` // that the warehouse accepted
	Amendment      Amendment     `bson:"an,omitempty"` // the newest
	Brought        []Brought     `bson:"b,omitempty"`  // what Delivered of its lines is made of

	Shipping Shipping `bson:"sh,omitempty"` // when it counts as shipped
}

// Brought is what of a line one shipment brought to the customer.
type Brought struct {
	Shipment string           `bson:"s,omitempty"` // "" where the fact is from before shipments were noted
	Line     int              `bson:"n"`
	Quantity quantity.Decimal `bson:"q"`
}

// brought is what a shipment brought of a line. What no shipment is known of is the one's that asks.
func (r Release) brought(shipment string, line int) (sum quantity.Decimal) {
	for _, b := range r.Brought {
		if b.Line == line && (b.Shipment == shipment || b.Shipment == "") {
			sum = sum.Add(b.Quantity)
		}
	}
	return sum
}

// bring notes what more, or less, a shipment brought, and makes it the one that brought what no
// shipment is known of.
func (r *Release) bring(shipment string, lines []LineQuantity) {
	r.Brought = slices.Clone(r.Brought)
	for _, l := range lines {
		if i := slices.IndexFunc(r.Brought, func(b Brought) bool { return b.Shipment == "" && b.Line == l.Line }); i >= 0 {
			l.Quantity.Value = l.Quantity.Value.Add(r.Brought[i].Quantity)
			r.Brought = slices.Delete(r.Brought, i, i+1)
		}
		i := slices.IndexFunc(r.Brought, func(b Brought) bool { return b.Shipment == shipment && b.Line == l.Line })
		if i < 0 {
			i = len(r.Brought)
			r.Brought = append(r.Brought, Brought{Shipment: shipment, Line: l.Line})
		}
		r.Brought[i].Quantity = r.Brought[i].Quantity.Add(l.Quantity.Value)
	}
}

// ReleaseLine is one line of a release. Allocated ≥ picked ≥ packed ≥ issued ≥ delivered, all within Live.
type ReleaseLine struct {
	Line      int              `bson:"n"`
	Quantity  quantity.Decimal `bson:"q"`
	Allocated quantity.Decimal `bson:"a,omitempty"`
	Picked    quantity.Decimal `bson:"p,omitempty"`
	Packed    quantity.Decimal `bson:"k,omitempty"`
	Short     quantity.Decimal `bson:"s,omitempty"`
	Issued    quantity.Decimal `bson:"i,omitempty"`
	Delivered quantity.Decimal `bson:"d,omitempty"`
	Cancelled quantity.Decimal `bson:"x,omitempty"`
	PutBack   quantity.Decimal `bson:"b,omitempty"` // part of cancelled that was picked
	Withdrawn quantity.Decimal `bson:"w,omitempty"` // open again, because the warehouse stopped

	// What the warehouse reported itself. Reports overtake each other: a pick says that there
	// was an allocation, and the allocation's own report still has its room when it comes.
	SaidAllocated quantity.Decimal `bson:"ra,omitempty"`
	SaidPicked    quantity.Decimal `bson:"rp,omitempty"`

	Dispatched     quantity.Decimal `bson:"e,omitempty"`  // left on a shipment, within Live
	SaidDispatched quantity.Decimal `bson:"re,omitempty"` // as reported
	Shipped        quantity.Decimal `bson:"h,omitempty"`  // told to count as shipped
}

// concluded returns the line with what its reports say together, in whatever order they came.
func (l ReleaseLine) concluded() ReleaseLine {
	l.Packed = l.Issued // nobody reports it by itself
	l.Picked = quantity.Max(l.SaidPicked, l.Packed)
	l.Allocated = quantity.Min(quantity.Max(l.SaidAllocated, l.Picked), l.Live())
	l.Dispatched = quantity.Min(l.SaidDispatched, l.Live())
	return l
}

// Live is what the release still stands for: neither short nor cancelled nor withdrawn.
func (l ReleaseLine) Live() quantity.Decimal {
	return l.Quantity.Sub(l.Short).Sub(l.Cancelled).Sub(l.Withdrawn)
}

// ReleaseID is the id of an order's release.
func ReleaseID(order string, number int) string { return order + "-R" + strconv.Itoa(number) }

// ParseReleaseID splits the id of a release.
func ParseReleaseID(id string) (order string, number int, err error) {
	order, n, found := strings.Cut(id, "-R")
	number, err = strconv.Atoi(n)
	if !found || err != nil || number < 1 || ReleaseID(order, number) != id {
		return "", 0, fmt.Errorf("%q is no id of a release", id)
	}
	return order, number, nil
}

// releaseIndex returns the index of the release with the number, or -1.
func (o Order) releaseIndex(number int) int {
	return slices.IndexFunc(o.Releases, func(r Release) bool { return r.Number == number })
}

// waitingIndex returns the index of the site's backordered release, or -1.
func (o Order) waitingIndex(site string) int {
	return slices.IndexFunc(o.Releases, func(r Release) bool { return r.Site == site && r.State() == ReleaseBackorderedState })
}

// Waits reports whether a backordered release at the site waits for the item.
func (o Order) Waits(site, item string) bool {
	i := o.waitingIndex(site)
	return i >= 0 && slices.ContainsFunc(o.Releases[i].Lines, func(l ReleaseLine) bool {
		n := o.lineIndex(l.Line)
		return n >= 0 && o.Lines[n].Item == item && o.Lines[n].Promised().Less(l.Quantity)
	})
}

// isSent reports whether any release was handed to a warehouse.
func (o Order) isSent() bool {
	return slices.ContainsFunc(o.Releases, func(r Release) bool { return !r.Sent.IsZero() })
}

// lineIndex returns the index of the release's line, or -1.
func (r Release) lineIndex(number int) int {
	return slices.IndexFunc(r.Lines, func(l ReleaseLine) bool { return l.Line == number })
}
