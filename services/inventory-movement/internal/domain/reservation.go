package domain

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Hold is what is agreed of a claim that belongs to no order, a cart's for instance: when it
// ends by itself, and before whom it comes. A claim of an order has none: only the order ends it.
type Hold struct {
	Key      string `bson:"k"`
	Expires  int64  `bson:"x,omitempty"` // ms since 1970; 0 once it is confirmed
	Priority int    `bson:"p,omitempty"` // a higher one may displace a lower one that is not confirmed
}

// soft reports whether the hold may end by itself or for another.
func (h Hold) soft() bool { return h.Expires != 0 }

// lapsed reports whether its time is over.
func (h Hold) lapsed(now time.Time) bool { return h.soft() && h.Expires <= now.UnixMilli() }

// maxHolds leaves room for the claims of orders.
const maxHolds = 1000

// ReleaseReason is why a reservation ended; a claim of an order has none.
type ReleaseReason string

// Reasons for which a reservation ends.
const (
	Freed     ReleaseReason = "RELEASED"
	Expired   ReleaseReason = "EXPIRED"
	Displaced ReleaseReason = "DISPLACED"
)

// Booking is a reservation as it is asked for.
type Booking struct {
	Reference string
	Quantity  quantity.Decimal
	Expires   time.Time // whole milliseconds
	Priority  int
	Partial   bool // a part helps
}

// ClaimOf is the key of a reservation's claim. References are a name space of their own beside
// the claims of orders.
func ClaimOf(reference string) string { return booked + reference }

const booked = "rsv:"

// Booked reports whether a claim is a reservation's.
func Booked(claim string) bool { return strings.HasPrefix(claim, booked) }

// hold returns what is agreed of a claim.
func (s Stock) hold(claim string) (Hold, bool) {
	i := slices.IndexFunc(s.Holds, func(h Hold) bool { return h.Key == claim })
	if i < 0 {
		return Hold{}, false
	}
	return s.Holds[i], true
}

// Due is when the next reservation ends by itself, or a supply is late; zero for never.
func (s Stock) Due() time.Time {
	first := int64(0)
	for _, u := range s.Supplies {
		if u.dated() && !u.Arrived && (first == 0 || u.Expected < first) {
			first = u.Expected
		}
	}
	for _, h := range s.Holds {
		if h.soft() && (first == 0 || h.Expires < first) {
			first = h.Expires
		}
	}
	if first == 0 {
		return time.Time{}
	}
	return time.UnixMilli(first).UTC()
}

// Lapse ends every reservation whose time is over.
func Lapse(s Stock, key StockKey, now time.Time) []StockFact {
	var facts []StockFact
	for _, h := range s.Holds {
		if h.lapsed(now) {
			facts = append(facts, ReservationReleased{StockKey: s.named(key), Claim: Claim{h.Key, s.Held(h.Key)}, Reason: Expired})
		}
	}
	return facts
}

// Book reserves a quantity for a reference until a time, as much as can be promised. What is
// over ends first; then those of a lower priority that are not confirmed give way, the lowest
// first and of these the newest, but only as far as it helps.
func Book(s Stock, key StockKey, b Booking, rule Rule, now time.Time) ([]StockFact, error) {
	if !b.Expires.After(now) {
		return nil, Invalid("expires_time", "TIME_INVALID", "it is over already")
	}
	facts := Lapse(s, key, now)
	s = ApplyStock(s, facts...)
	claim := ClaimOf(b.Reference)
	if _, found := s.hold(claim); found {
		return nil, fault.New(fault.Refused, "RESERVATION_EXISTS", "%s has a reservation of %s already", b.Reference, s.Held(claim)).
			With("quantity", s.Held(claim).String())
	}
	gone := s.givesWay(b, rule)
	for _, c := range gone {
		f := ReservationReleased{StockKey: s.named(key), Claim: c, Reason: Displaced, By: claim}
		facts, s = append(facts, f), EvolveStock(s, f)
	}
	if len(s.Holds) >= maxHolds || len(s.Claims) >= maxClaims {
		return nil, fault.New(fault.Refused, stockFull, "%d reservations and %d claims are open on %s", len(s.Holds), len(s.Claims), s.Key.SKU)
	}
	atp := s.atp(rule.Day())
	if atp.Sign() == 0 || !b.Partial && atp.Less(b.Quantity) {
		return nil, s.short(rule, b.Quantity, atp)
	}
	return append(facts, StockReserved{
		StockKey: s.named(key), Claim: Claim{claim, quantity.Min(b.Quantity, atp)}, Expires: b.Expires.UnixMilli(), Priority: b.Priority,
	}), nil
}

// givesWay are the claims that a booking displaces.
func (s Stock) givesWay(b Booking, rule Rule) []Claim {
	missing := b.Quantity.Add(s.Awaited("")).Sub(s.unclaimed(rule.Day())) // what becomes free goes to those first who were promised it
	if missing.Sign() <= 0 {
		return nil
	}
	lower := slices.DeleteFunc(slices.Clone(s.Holds), func(h Hold) bool { return !h.soft() || h.Priority >= b.Priority })
	slices.Reverse(lower) // the newest first
	slices.SortStableFunc(lower, func(x, y Hold) int { return cmp.Compare(x.Priority, y.Priority) })
	var gone []Claim
	for _, h := range lower {
		if missing.Sign() > 0 {
			c := Claim{h.Key, s.Held(h.Key)}
			gone, missing = append(gone, c), missing.Sub(c.Quantity)
		}
	}
	if missing.Sign() > 0 && !b.Partial || !missing.Less(b.Quantity) {
		return nil // it would not help
	}
	return gone
}

// Confirm makes a reservation a hard one: it does not end by itself, and gives way to nobody.
func Confirm(s Stock, reference string, now time.Time) ([]StockFact, error) {
	h, found := s.hold(ClaimOf(reference))
	switch {
	case !found:
		return nil, unbooked(reference)
	case h.lapsed(now):
		return nil, fault.New(fault.Refused, "RESERVATION_EXPIRED", "the reservation of %s ended at %s", reference, time.UnixMilli(h.Expires).UTC().Format(time.RFC3339))
	case !h.soft():
		return nil, nil
	}
	return []StockFact{ReservationConfirmed{s.Key, Claim{h.Key, s.Held(h.Key)}}}, nil
}

// Unbook gives a reservation back.
func Unbook(s Stock, reference string) ([]StockFact, error) {
	h, found := s.hold(ClaimOf(reference))
	if !found {
		return nil, unbooked(reference)
	}
	return []StockFact{ReservationReleased{StockKey: s.Key, Claim: Claim{h.Key, s.Held(h.Key)}, Reason: Freed}}, nil
}

func unbooked(reference string) error {
	return fault.New(fault.NotFound, "RESERVATION_UNKNOWN", "%s has no reservation here", reference)
}

// held drops what was agreed of claims that are no more.
func (s Stock) held() Stock {
	if len(s.Holds) > 0 {
		s.Holds = slices.DeleteFunc(slices.Clone(s.Holds), func(h Hold) bool { return s.Held(h.Key).IsZero() })
	}
	return s
}

// confirmed takes the end off what was agreed of a claim.
func (s Stock) confirmed(claim string) Stock {
	s.Holds = slices.Clone(s.Holds)
	for i := range s.Holds {
		if s.Holds[i].Key == claim {
			s.Holds[i].Expires = 0
		}
	}
	return s
}
