package domain

import (
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// A piece of an item that is kept by serial number stands in one place over all sites and owners.
// Each serial number is an aggregate that says which stock may have the piece: before it comes into
// a stock from outside, the stock claims it. A claim is never given back by itself. Whoever wants
// the piece for another stock has the one that holds the claim void it in a commit of its own, which
// it does only while the piece does not stand there; what was on its way by that claim does not
// come in any more. So it is safe wherever anybody ends, and goods that leave have nothing to tell.

// One is the quantity of a piece.
var One = quantity.Int(1)

// Serial is which stock may have a piece; its zero value is none.
type Serial struct {
	Number   string    `bson:"n"`
	Stock    StockKey  `bson:"s"`
	Claim    int       `bson:"c"`           // number of the claim, from 1
	Since    uint64    `bson:"v"`           // version that the stock had
	Delivery string    `bson:"d,omitempty"` // under which it is received, while it is not in the books
	At       time.Time `bson:"t"`
}

// SerialClaimed says that a stock may have a piece.
type SerialClaimed Serial

// EvolveSerial applies the one fact that there is.
func EvolveSerial(_ Serial, f SerialClaimed) Serial { return Serial(f) }

// BookedIn says of a claim by which a piece was received under a delivery that the books have it: the
// next claim of the same stock is the stock's alone. Of another claim it says nothing.
func BookedIn(n Serial, claim int, now time.Time) []SerialClaimed {
	if n.Claim != claim || n.Delivery == "" {
		return nil
	}
	n.Claim, n.Delivery, n.At = n.Claim+1, "", now
	return []SerialClaimed{SerialClaimed(n)}
}

// claimGrace is how long a delivery may take from the claim to its commit: no command lives as long.
const claimGrace = 5 * time.Minute

// Underway reports whether the piece may be about to be received under the delivery that claims it.
func (n Serial) Underway(now time.Time) bool { return n.Delivery != "" && now.Sub(n.At) < claimGrace }

// SerialClaimVoided says that a piece does not come into the stock by a claim any more.
type SerialClaimVoided struct {
	StockKey
	Serial string
	Claim  int
}

func (SerialClaimVoided) isStockFact() {}

// claimMark is a claim as the tombstones of its stock have it.
func claimMark(serial string, claim int) string { return "ser:" + serial + ":" + strconv.Itoa(claim) }

// VoidClaim gives up the claim on a piece that does not stand in the stock; again it changes nothing.
// The place is where it does stand.
func VoidClaim(s Stock, n Serial) (facts []StockFact, at Place, stands bool) {
	if at, stands = s.standing(n.Number); stands || s.closed(claimMark(n.Number, n.Claim)) {
		return nil, at, stands
	}
	return []StockFact{SerialClaimVoided{s.named(n.Stock), n.Number, n.Claim}}, at, false
}

// Standing is where a piece stands in the stock, if it does.
func (s Stock) Standing(serial string) (Place, bool) { return s.standing(serial) }

func (s Stock) standing(serial string) (Place, bool) {
	if serial == "" {
		return Place{}, false
	}
	for i := range s.Rows {
		if p := &s.Rows[i].Place; p.Serial == serial {
			return *p, true
		}
	}
	return Place{}, false
}

// Holder is the warehouse order that has a piece of the stock; "" for none.
func (s Stock) Holder(serial string) string {
	for _, all := range [][]Allocation{s.Allocations, s.Packing} {
		for _, a := range all {
			if a.Place.Serial == serial {
				return a.Order
			}
		}
	}
	return ""
}

// notThere says of a piece that is not where it is said to be where it is.
func (s Stock) notThere(p Place) string {
	if at, stands := s.standing(p.Serial); stands {
		return "it stands in " + at.Location + " in status " + string(at.Status)
	}
	return "it does not stand in " + p.Location + " in status " + string(p.Status)
}

// absent refuses a piece that is not where it is said to be.
func (s Stock) absent(p Place) error {
	text := s.notThere(p)
	return fault.New(fault.Refused, "SERIAL_UNKNOWN", "serials: piece %s of %s: %s", p.Serial, s.Key.SKU, text).
		WithField("serials", "SERIAL_UNKNOWN", "piece %s: %s", p.Serial, text).With("serial", p.Serial)
}

// SerialElsewhere refuses a piece that is in the books already.
func SerialElsewhere(k StockKey, p Place) *fault.Error {
	where := "stands in " + p.Location + " of"
	if p.Location == "" {
		where = "is being received at"
	}
	return fault.New(fault.Refused, "SERIAL_ELSEWHERE", "serials: piece %s of %s %s site %s, owner %s", p.Serial, k.SKU, where, k.Site, k.Owner).
		WithField("serials", "SERIAL_ELSEWHERE", "piece %s %s site %s", p.Serial, where, k.Site).
		With("serial", p.Serial).With("site", k.Site).With("owner", k.Owner).With("location", p.Location)
}

// enters reports whether a piece comes into the stock from outside.
func (f StockMoved) enters() bool { return f.To.Serial != "" && f.From.outside() && !f.To.outside() }

// Entering reports whether pieces come into a stock from outside.
func Entering(facts []StockFact) bool {
	for _, f := range facts {
		if m, ok := f.(StockMoved); ok && m.enters() {
			return true
		}
	}
	return false
}

// SerialClaim is what came of a claim: its number, or why it was refused.
type SerialClaim struct {
	Number  int
	Refusal *fault.Error
}

// Admit lets pieces into the stock by their claims. Wanted are those whose claims are missing, or
// were voided meanwhile. A piece that must not come in is refused; or its number is taken off, if
// what is booked is a report of what happened: the goods are there, but not that piece.
func Admit(s Stock, facts []StockFact, claims map[string]SerialClaim, report bool) (let []StockFact, wanted []string, err error) {
	off := false // a number was taken off
	for _, fact := range facts {
		m, ok := fact.(StockMoved)
		if ok && m.enters() {
			n := m.To.Serial
			claim, known := claims[n]
			at, stands := s.standing(n)
			var refusal *fault.Error
			switch {
			case stands:
				refusal = SerialElsewhere(s.Key, at)
			case !known || claim.Refusal == nil && s.closed(claimMark(n, claim.Number)):
				wanted = append(wanted, n)
			default:
				refusal = claim.Refusal
			}
			if refusal != nil && !report {
				return nil, nil, refusal
			}
			if refusal != nil {
				m.From.Serial, m.To.Serial, off = "", "", true
				fact = m
			}
		} else if ok && off && m.From.Serial != "" && !m.From.outside() {
			fact = s.still(m)
		}
		let, s = append(let, fact), EvolveStock(s, fact)
	}
	return let, wanted, nil
}

// still takes the number off a movement of a piece whose number was taken off before.
func (s Stock) still(m StockMoved) StockMoved {
	if at, stands := s.standing(m.From.Serial); !stands || at != m.From {
		m.From.Serial, m.To.Serial = "", ""
	}
	return m
}

// Pieces are the places of goods that a command names: each piece in one of its own, or all of them
// in one if the item is kept without numbers. What stands there without numbers may leave without.
func (it Item) Pieces(p Place, q quantity.Decimal, serials []string, free bool) ([]Piece, error) {
	switch {
	case len(serials) == 0 && (!it.Serial || free):
		return []Piece{{p, q}}, nil
	case !it.Serial:
		return nil, Invalid("serials", "SERIAL_UNTRACKED", "item %s is not kept by serial number", it.SKU)
	case len(serials) == 0:
		return nil, Invalid("serials", "SERIAL_REQUIRED", "item %s is kept by serial number: name the pieces", it.SKU)
	}
	if err := Numbered(serials, q, "serials"); err != nil {
		return nil, err
	}
	out := make([]Piece, len(serials))
	for i, n := range serials {
		p.Serial = n
		out[i] = Piece{p, One}
	}
	return out, nil
}

// Piece is goods of one place.
type Piece struct {
	Place    Place
	Quantity quantity.Decimal
}

// Numbered refuses serial numbers that are not as many as the pieces, or not each of one piece.
func Numbered(serials []string, q quantity.Decimal, field string) error {
	if n, whole := q.Int64(); !whole || n != int64(len(serials)) {
		return Invalid(field, "SERIAL_COUNT", "%d serial numbers are named for %s pieces", len(serials), q)
	}
	for i, n := range serials {
		if slices.Contains(serials[:i], n) {
			return Invalid(field+"["+strconv.Itoa(i)+"]", "SERIAL_DUPLICATE", "piece %s is named twice", n)
		}
	}
	return nil
}

// Unnumbered reports whether goods stand at a place without a number, from before their item was
// kept by serial number.
func (s Stock) Unnumbered(p Place) bool {
	p.Serial = ""
	all, _ := s.onHand(s.dated(p))
	return all.Sign() > 0
}

// EachPiece books pieces one after another.
func EachPiece(s Stock, pieces []Piece, book func(Stock, Piece) ([]StockFact, error)) ([]StockFact, error) {
	if len(pieces) == 1 {
		return book(s, pieces[0])
	}
	var facts []StockFact
	for _, p := range pieces {
		more, err := book(s, p)
		if err != nil {
			return nil, err
		}
		facts, s = append(facts, more...), ApplyStock(s, more...)
	}
	return facts, nil
}

// Counted refuses goods that were counted of which the item wants to know more. A piece is there or
// not: one that the books do not have there was found.
func (it Item) Counted(s Stock, p Place, q quantity.Decimal, serials []string) error {
	want := q
	if len(serials) > 0 && q.IsZero() {
		want = One
	}
	if _, err := it.Pieces(p, want, serials, s.Unnumbered(p)); err != nil {
		if f, ok := fault.As(err); ok && len(serials) > 0 {
			return Invalid("serial", f.Reason, "%s", f.Fields[0].Description)
		}
		return err
	}
	return it.Tracked(s, p, true)
}
