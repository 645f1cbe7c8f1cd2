package domain

import (
	"cmp"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Strategy is in which order stock is allocated.
type Strategy string

// The strategies. Within each, what is alike goes by location, lot and serial number.
const (
	FEFO Strategy = "FEFO" // first expired, first out; what does not expire last
	FIFO Strategy = "FIFO" // first received, first out
	LIFO Strategy = "LIFO" // last received, first out
)

// Strategies are all of them.
var Strategies = []Strategy{FEFO, FIFO, LIFO}

// Rule says which stock may be promised and allocated, and in which order.
type Rule struct {
	Now      time.Time // reservations that end until then are over; zero: none is
	Today    string    // what expires before is expired; "" for nothing is
	Until    string    // until when it must live; "" for Today
	Strategy Strategy
}

// RuleOf is the rule for an item on a day: what expires goes by its expiry date and must live
// for the days that its policy wants; everything else goes by the strategy given.
func RuleOf(it Item, now time.Time, otherwise Strategy) Rule {
	r := Rule{Now: now, Today: now.UTC().Format(time.DateOnly), Strategy: otherwise}
	if it.Expires || it.MinDays > 0 {
		r.Strategy = FEFO
		r.Until = now.UTC().AddDate(0, 0, it.MinDays).Format(time.DateOnly)
	}
	return r
}

// Day is the date from which on what expires is not good enough any more.
func (r Rule) Day() string { return max(r.Today, r.Until) }

// Reasons for which stock is not promised or allocated.
const (
	insufficient  = "INSUFFICIENT_STOCK"
	remainingLife = "REMAINING_LIFE"
	stockFull     = "STOCK_FULL"
)

// lack is why a quantity cannot be had: there is none, or what there is does not live long enough.
func (s Stock) lack(r Rule, want quantity.Decimal) string {
	if r.Until > r.Today && !s.atp(r.Today).Less(want) {
		return remainingLife
	}
	return insufficient
}

// short refuses a claim of more than can be promised.
func (s Stock) short(r Rule, want, atp quantity.Decimal) error {
	if s.lack(r, want) == remainingLife {
		return fault.New(fault.Refused, remainingLife, "%s can be promised of %s: the rest expires before %s", atp, want, r.Until).
			With("available", atp.String()).With("until", r.Until)
	}
	return fault.New(fault.Refused, insufficient, "%s can be promised of %s", atp, want).With("available", atp.String())
}

// in returns the rows in the order of a strategy.
func (s Stock) in(order Strategy) []Row {
	rows := slices.Clone(s.Rows)
	slices.SortStableFunc(rows, func(a, b Row) int {
		var by int
		switch order {
		case FIFO:
			by = cmp.Compare(a.Received, b.Received)
		case LIFO:
			by = cmp.Compare(b.Received, a.Received)
		default:
			never := func(r Row) string { return cmp.Or(r.Place.Expiry, "9999-12-31") }
			by = cmp.Compare(never(a), never(b))
		}
		return cmp.Or(by, cmp.Compare(a.Place.Location, b.Place.Location), cmp.Compare(a.Place.Lot, b.Place.Lot), cmp.Compare(a.Place.Serial, b.Place.Serial))
	})
	return rows
}

// Lack is what of a line could not be allocated, and why.
type Lack struct {
	Line     int              `bson:"n"`
	Quantity quantity.Decimal `bson:"q"`
	Unit     string           `bson:"u"`
	Reason   string           `bson:"r"`
}

// Lacks is what the lines of an order were not allocated of what they want.
func (s Stock) Lacks(order string, lines []Wanted, unit string, r Rule) []Lack {
	var out []Lack
	for _, l := range lines {
		left := l.Quantity
		for _, a := range s.AllocatedTo(order, l.Line) {
			left = left.Sub(a.Quantity)
		}
		if left.Sign() <= 0 {
			continue
		}
		reason := s.lack(r, left)
		if len(s.Allocations) >= maxAllocations {
			reason = stockFull
		}
		out = append(out, Lack{l.Line, left, unit, reason})
	}
	return out
}

// Tracked refuses a movement of goods of which the item wants to know more: the lot, or the
// day on which it expires; and a lot that is given another day than it has. What stands
// somewhere without them, from before they were wanted, may leave.
func (it Item) Tracked(s Stock, p Place, leaves bool) error {
	stands, _ := s.onHand(s.dated(p)) // be it free or not
	if leaves = leaves && stands.Sign() > 0; it.Lot && p.Lot == "" && !leaves {
		return Invalid("lot", "LOT_REQUIRED", "item %s is kept by lot: name it", it.SKU)
	}
	known := s.dated(Place{Lot: p.Lot}).Expiry
	switch {
	case it.Expires && p.Expiry == "" && known == "" && !leaves:
		return Invalid("expiry_date", "EXPIRY_REQUIRED", "item %s expires, and the date of lot %s is not known here", it.SKU, p.Lot)
	case p.Lot != "" && p.Expiry != "" && known != "" && p.Expiry != known:
		return Invalid("expiry_date", "LOT_EXPIRY_CONFLICT", "lot %s expires on %s, not %s", p.Lot, known, p.Expiry)
	}
	return nil
}
