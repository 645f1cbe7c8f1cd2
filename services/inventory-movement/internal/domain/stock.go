// Package domain is stock and the warehouse's part of a release as pure functions. Every
// movement is double entry inside one stock; no physical place is ever negative; what is
// allocated and promised never exceeds what is on hand and available.
package domain

import (
	"cmp"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
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
)

// OwnStock is the owner of the tenant's own goods.
const OwnStock = "OWN"

// Bounds of one stock.
const (
	maxRows       = 4000
	maxClaims     = 2000
	maxTombstones = 1000
)

// Place is where stock is and in which status.
type Place struct {
	Location string `bson:"l"`
	Lot      string `bson:"t,omitempty"`
	Expiry   string `bson:"x,omitempty"` // YYYY-MM-DD
	Status   Status `bson:"s"`
}

// virtual reports whether the place is no bin; goods may come from there without being there.
func (p Place) virtual() bool {
	return p.Location == Supplier || p.Location == Customer || p.Location == Discrepancy
}

// Row is how much stands at a place.
type Row struct {
	Place     Place            `bson:"p"`
	OnHand    quantity.Decimal `bson:"h"`
	Allocated quantity.Decimal `bson:"a"`
}

// Claim is a live promise.
type Claim struct {
	Key      string           `bson:"k"`
	Quantity quantity.Decimal `bson:"q"`
}

// Allocation is stock set aside for one line of a warehouse order.
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
	Key         StockKey     `bson:"k"`
	Rows        []Row        `bson:"r,omitempty"`
	Claims      []Claim      `bson:"c,omitempty"`
	Allocations []Allocation `bson:"a,omitempty"`
	Tombstones  []string     `bson:"t,omitempty"` // claims closed for good, newest last
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
		At       time.Time
	}
	// StockReserved promises a quantity.
	StockReserved struct {
		StockKey
		Claim
	}
	// ReservationReleased closes a claim.
	ReservationReleased struct {
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
	// AllocationFreed frees allocations of an order; Line 0 means all.
	AllocationFreed struct {
		StockKey
		Order    string
		Line     int
		Quantity quantity.Decimal
	}
)

func (StockMoved) isStockFact()          {}
func (StockReserved) isStockFact()       {}
func (ReservationReleased) isStockFact() {}
func (StockAllocated) isStockFact()      {}
func (AllocationFreed) isStockFact()     {}

// EvolveStock applies one fact.
func EvolveStock(s Stock, fact StockFact) Stock {
	switch f := fact.(type) {
	case StockMoved:
		s.Key = f.StockKey
		if f.Used.Sign() > 0 {
			s = s.use(f.Order, f.Line, f.From, f.Used)
		}
		s.Rows = shift(shift(s.Rows, f.From, f.Quantity.Neg()), f.To, f.Quantity)
	case StockReserved:
		s.Key = f.StockKey
		s.Claims = append(slices.Clip(s.Claims), f.Claim)
	case ReservationReleased:
		s.Key = f.StockKey
		s.Claims = slices.DeleteFunc(slices.Clone(s.Claims), func(c Claim) bool { return c.Key == f.Claim.Key })
		s.Tombstones = append(slices.Clip(s.Tombstones), f.Claim.Key)
		if n := len(s.Tombstones) - maxTombstones; n > 0 {
			s.Tombstones = s.Tombstones[n:]
		}
	case StockAllocated:
		s.Claims = spend(s.Claims, f.Claims)
		s.Allocations = append(slices.Clip(s.Allocations), f.Parts...)
		for _, p := range f.Parts {
			s.Rows = allocate(s.Rows, p.Place, p.Quantity)
		}
	case AllocationFreed:
		s = s.free(f.Order, f.Line, f.Quantity)
	}
	return s
}

// ApplyStock folds facts onto a state.
func ApplyStock(s Stock, facts ...StockFact) Stock {
	for _, f := range facts {
		s = EvolveStock(s, f)
	}
	return s
}

// shift changes what is on hand at a place; a row with nothing left is dropped.
func shift(rows []Row, p Place, by quantity.Decimal) []Row {
	rows = slices.Clone(rows)
	i := slices.IndexFunc(rows, func(r Row) bool { return r.Place == p })
	if i < 0 {
		rows, i = append(rows, Row{Place: p}), len(rows)
	}
	rows[i].OnHand = rows[i].OnHand.Add(by)
	if rows[i].OnHand.IsZero() && rows[i].Allocated.IsZero() {
		return slices.Delete(rows, i, i+1)
	}
	return rows
}

func allocate(rows []Row, p Place, by quantity.Decimal) []Row {
	rows = slices.Clone(rows)
	if i := slices.IndexFunc(rows, func(r Row) bool { return r.Place == p }); i >= 0 {
		rows[i].Allocated = rows[i].Allocated.Add(by)
	}
	return rows
}

func spend(claims, used []Claim) []Claim {
	claims = slices.Clone(claims)
	for _, u := range used {
		if i := slices.IndexFunc(claims, func(c Claim) bool { return c.Key == u.Key }); i >= 0 {
			claims[i].Quantity = claims[i].Quantity.Sub(u.Quantity)
		}
	}
	return slices.DeleteFunc(claims, func(c Claim) bool { return c.Quantity.Sign() <= 0 })
}

// use takes a quantity out of the allocations of a line at a place.
func (s Stock) use(order string, line int, at Place, q quantity.Decimal) Stock {
	return s.take(q, func(a Allocation) bool { return a.Order == order && a.Line == line && a.Place == at })
}

// free takes a quantity out of the allocations of a line, or of all lines.
func (s Stock) free(order string, line int, q quantity.Decimal) Stock {
	return s.take(q, func(a Allocation) bool { return a.Order == order && (line == 0 || a.Line == line) })
}

func (s Stock) take(q quantity.Decimal, of func(Allocation) bool) Stock {
	s.Allocations = slices.Clone(s.Allocations)
	for i := range s.Allocations {
		a := &s.Allocations[i]
		if n := quantity.Min(a.Quantity, q); of(*a) && n.Sign() > 0 {
			a.Quantity, q = a.Quantity.Sub(n), q.Sub(n)
			s.Rows = allocate(s.Rows, a.Place, n.Neg())
		}
	}
	s.Allocations = slices.DeleteFunc(s.Allocations, func(a Allocation) bool { return a.Quantity.IsZero() })
	s.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r Row) bool { return r.OnHand.IsZero() && r.Allocated.IsZero() })
	return s
}

// Figures are what can be promised.
type Figures struct {
	OnHand, Allocated, Promised, ATP quantity.Decimal
}

// Figures sums what stands in bins in status AVAILABLE.
func (s Stock) Figures() Figures {
	var f Figures
	for _, r := range s.Rows {
		if r.Place.sellable() {
			f.OnHand, f.Allocated = f.OnHand.Add(r.OnHand), f.Allocated.Add(r.Allocated)
		}
	}
	for _, c := range s.Claims {
		f.Promised = f.Promised.Add(c.Quantity)
	}
	f.ATP = f.OnHand.Sub(f.Allocated).Sub(f.Promised)
	return f
}

func (p Place) sellable() bool {
	return p.Status == Available && !p.virtual() && p.Location != Packing
}

// onHand is what stands at a place, and what of it is not allocated.
func (s Stock) onHand(p Place) (all, free quantity.Decimal) {
	for _, r := range s.Rows {
		if r.Place == p {
			return r.OnHand, r.OnHand.Sub(r.Allocated)
		}
	}
	return all, free
}

// Reserve promises a claim as much as can be promised. partial says that a part helps. The
// same claim again changes nothing; a claim that was closed before it arrived is refused.
func Reserve(s Stock, key StockKey, claim Claim, partial bool) ([]StockFact, error) {
	if slices.Contains(s.Tombstones, claim.Key) {
		return nil, fault.New(fault.Refused, "CLAIM_CLOSED", "claim %s was closed", claim.Key)
	}
	if slices.ContainsFunc(s.Claims, func(c Claim) bool { return c.Key == claim.Key }) {
		return nil, nil
	}
	atp := s.Figures().ATP
	if len(s.Claims) >= maxClaims {
		return nil, fault.New(fault.Refused, "STOCK_FULL", "%d claims are open on %s", len(s.Claims), s.Key.SKU)
	}
	if atp.Sign() <= 0 || !partial && atp.Less(claim.Quantity) {
		return nil, fault.New(fault.Refused, "INSUFFICIENT_STOCK", "%s can be promised of %s", quantity.Max(atp, quantity.Decimal{}), claim.Quantity).
			With("available", quantity.Max(atp, quantity.Decimal{}).String())
	}
	claim.Quantity = quantity.Min(claim.Quantity, atp)
	return []StockFact{StockReserved{s.named(key), claim}}, nil
}

// named is the key of a stock that exists, else the one asked for.
func (s Stock) named(key StockKey) StockKey {
	if s.Key.ID != "" {
		return s.Key
	}
	return key
}

// Held is what a claim holds.
func (s Stock) Held(claim string) quantity.Decimal {
	for _, c := range s.Claims {
		if c.Key == claim {
			return c.Quantity
		}
	}
	return quantity.Decimal{}
}

// Release closes a claim for good, whether it holds something, nothing, or was never made.
func Release(s Stock, key StockKey, claim string) ([]StockFact, error) {
	if slices.Contains(s.Tombstones, claim) {
		return nil, nil
	}
	return []StockFact{ReservationReleased{s.named(key), Claim{claim, s.Held(claim)}}}, nil
}

// Allocate sets stock aside for a line of a warehouse order: first what expires first, then
// by location. It takes the line's claims; what they do not cover comes from what is free.
func Allocate(s Stock, order string, line int, want quantity.Decimal, claims []Claim, today string) ([]StockFact, error) {
	if slices.ContainsFunc(s.Allocations, func(a Allocation) bool { return a.Order == order && a.Line == line }) {
		return nil, nil
	}
	f := StockAllocated{StockKey: s.Key, Order: order, Line: line}
	covered := quantity.Decimal{}
	for _, c := range claims {
		if held := quantity.Min(s.Held(c.Key), c.Quantity); held.Sign() > 0 {
			f.Claims, covered = append(f.Claims, Claim{c.Key, held}), covered.Add(held)
		}
	}
	want = quantity.Min(want, covered.Add(quantity.Max(s.Figures().ATP, quantity.Decimal{})))
	for _, r := range s.byExpiry() {
		n := quantity.Min(r.OnHand.Sub(r.Allocated), want)
		if n.Sign() <= 0 || !r.Place.sellable() || r.Place.Expiry != "" && r.Place.Expiry < today {
			continue
		}
		f.Parts = append(f.Parts, Allocation{order, line, r.Place, n})
		want = want.Sub(n)
	}
	if len(f.Parts) == 0 && len(f.Claims) == 0 {
		return nil, nil
	}
	return []StockFact{f}, nil
}

func (s Stock) byExpiry() []Row {
	rows := slices.Clone(s.Rows)
	slices.SortStableFunc(rows, func(a, b Row) int {
		never := func(r Row) string { return cmp.Or(r.Place.Expiry, "9999-12-31") }
		return cmp.Or(cmp.Compare(never(a), never(b)), cmp.Compare(a.Place.Location, b.Place.Location), cmp.Compare(a.Place.Lot, b.Place.Lot))
	})
	return rows
}

// AllocatedTo returns the allocations of a line.
func (s Stock) AllocatedTo(order string, line int) []Allocation {
	return slices.DeleteFunc(slices.Clone(s.Allocations), func(a Allocation) bool { return a.Order != order || a.Line != line })
}

// FreeOrder frees everything that is allocated to a warehouse order.
func FreeOrder(s Stock, order string) ([]StockFact, error) {
	sum := quantity.Decimal{}
	for _, a := range s.Allocations {
		if a.Order == order {
			sum = sum.Add(a.Quantity)
		}
	}
	if sum.IsZero() {
		return nil, nil
	}
	return []StockFact{AllocationFreed{s.Key, order, 0, sum}}, nil
}
