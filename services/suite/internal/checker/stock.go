package checker

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

// place is a row of a stock.
type place struct {
	location, lot, expiry string
	status                imv1.StockStatus
}

// Locations with a meaning; the others are bins.
const (
	packing  = "PACKING"
	transit  = "IN_TRANSIT"
	customer = "CUSTOMER"
)

var outside = []string{"SUPPLIER", customer, "DISCREPANCY", "SCRAP", "OTHER_SITE"}

func placeOf(p *imv1.Place) place {
	if slices.Contains(outside, p.GetLocation()) { // not told apart there
		return place{location: p.GetLocation()}
	}
	return place{p.GetLocation(), p.GetLot(), p.GetExpiryDate(), p.GetStatus()}
}

func (p place) sellable() bool {
	return p.status == imv1.StockStatus_STOCK_STATUS_AVAILABLE && p.location != packing && p.location != transit && !slices.Contains(outside, p.location)
}

// allotted is a part of a row that is set aside for a line of a warehouse order.
type allotted struct {
	order string
	line  int32
	at    place
	left  *big.Rat
}

// books are the figures of one stock, as its facts say.
type books struct {
	rows     map[place]*big.Rat
	allotted []*allotted
	claims   map[string]*big.Rat
	closed   map[string]bool     // claims that came to an end
	waits    map[string]*big.Rat // promised of what is to come, by key
	bad      func(format string, args ...any)
}

func number(text string, bad func(string, ...any)) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		bad("%q is no quantity", text)
		return new(big.Rat)
	}
	return r
}

func plus(m map[place]*big.Rat, at place, q *big.Rat) {
	if m[at] == nil {
		m[at] = new(big.Rat)
	}
	m[at].Add(m[at], q)
}

// stock folds a stock's facts and checks its figures after every commit (I2).
func (c *checker) stock(commits []*commit, facts [][]*fact) {
	var where string
	b := &books{rows: map[place]*big.Rat{}, claims: map[string]*big.Rat{}, closed: map[string]bool{}, waits: map[string]*big.Rat{}}
	b.bad = func(format string, args ...any) { c.report.add("I2", Aggregate, where, format, args...) }
	var key *imv1.StockKey
	for i, d := range commits {
		where = "inventory-movement " + d.ID
		moved := map[int32]*big.Rat{} // by receipt
		for n, f := range facts[i] {
			if k, ok := f.msg.(interface{ GetStock() *imv1.StockKey }); ok {
				if key = k.GetStock(); key.GetStockId() != f.agg {
					b.bad("has a fact of stock %s", key.GetStockId())
				}
			}
			if m, ok := f.msg.(*imv1.StockMoved); ok {
				r := d.Facts[n].Receipt
				if moved[r] == nil {
					moved[r] = new(big.Rat)
				}
				moved[r].Add(moved[r], number(m.GetQuantity(), b.bad))
			}
			b.apply(f)
			b.await(f)
		}
		b.dated(facts[i])
		for n, r := range d.Receipts {
			if r.Answer != nil && r.Answer.Values["quantity"] != "" {
				if told, sum := number(r.Answer.Values["quantity"], b.bad), moved[int32(n)]; sum != nil && new(big.Rat).Abs(told).Cmp(sum) != 0 {
					b.bad("the command %q was answered %s and moved %s", r.Key, told.RatString(), sum.RatString())
				}
			}
		}
		b.balance()
	}
	where = "inventory-movement " + commits[0].Agg
	tenant, id, _ := strings.Cut(commits[0].Agg, "/")
	c.awaits(tenant, where, b.waits)
	if key != nil {
		c.ends["stock"] = append(c.ends["stock"], end{tenant: tenant, id: id, stock: key, books: b})
	}
}

func (b *books) apply(f *fact) {
	switch m := f.msg.(type) {
	case *imv1.StockMoved:
		q := number(m.GetQuantity(), b.bad)
		if q.Sign() <= 0 {
			b.bad("%s moves %s", f.id, q.RatString())
		}
		from := placeOf(m.GetFrom())
		if m.GetAllocationUsed() != "" {
			b.free(number(m.GetAllocationUsed(), b.bad), func(a *allotted) bool {
				return a.order == m.GetWarehouseOrderId() && a.line == m.GetLineNumber() && a.at == from
			})
		}
		plus(b.rows, from, new(big.Rat).Neg(q))
		plus(b.rows, placeOf(m.GetTo()), q)
	case *imv1.StockReserved:
		if b.claims[m.GetClaimKey()] != nil || b.closed[m.GetClaimKey()] {
			b.bad("%s promises the claim %s again", f.id, m.GetClaimKey())
		}
		b.claims[m.GetClaimKey()] = number(m.GetQuantity(), b.bad)
	case *imv1.ReservationReleased:
		held := b.claims[m.GetClaimKey()]
		if held == nil {
			held = new(big.Rat)
		}
		if told := number(m.GetQuantity(), b.bad); told.Cmp(held) != 0 {
			b.bad("%s frees %s of the claim %s, which held %s", f.id, told.RatString(), m.GetClaimKey(), held.RatString())
		}
		delete(b.claims, m.GetClaimKey())
		b.closed[m.GetClaimKey()] = m.GetReason() == 0 // a reservation may be made again
	case *imv1.StockAllocated:
		for _, use := range m.GetClaims() {
			held := b.claims[use.GetClaimKey()]
			if held == nil || held.Sub(held, number(use.GetQuantity(), b.bad)).Sign() < 0 {
				b.bad("%s uses more of the claim %s than it held", f.id, use.GetClaimKey())
				continue
			}
			if held.Sign() == 0 {
				delete(b.claims, use.GetClaimKey())
				b.closed[use.GetClaimKey()] = !booked(use.GetClaimKey())
			}
		}
		for _, a := range m.GetAllocations() {
			b.allotted = append(b.allotted, &allotted{m.GetWarehouseOrderId(), m.GetLineNumber(), placeOf(a.GetPlace()), number(a.GetQuantity(), b.bad)})
		}
	case *imv1.AllocationFreed:
		b.free(number(m.GetQuantity(), b.bad), func(a *allotted) bool {
			return a.order == m.GetWarehouseOrderId() && (m.GetLineNumber() == 0 || a.line == m.GetLineNumber())
		})
	}
}

// booked reports whether a claim is a reservation's, which nobody's document stands behind.
func booked(claim string) bool { return strings.HasPrefix(claim, "rsv:") }

// free takes a quantity out of the allotments that match, the oldest first.
func (b *books) free(q *big.Rat, of func(*allotted) bool) {
	for _, a := range b.allotted {
		if of(a) {
			n := a.left
			if q.Cmp(n) < 0 {
				n = q
			}
			n = new(big.Rat).Set(n)
			a.left.Sub(a.left, n)
			q = new(big.Rat).Sub(q, n)
		}
	}
	if q.Sign() > 0 {
		b.bad("%s more is freed than was allocated", q.RatString())
	}
	b.allotted = slices.DeleteFunc(b.allotted, func(a *allotted) bool { return a.left.Sign() == 0 })
}

// figures are what the API calls on hand, allocated and promised.
func (b *books) figures() (onHand, allocated, promised *big.Rat) {
	onHand, allocated, promised = new(big.Rat), new(big.Rat), new(big.Rat)
	for at, q := range b.rows {
		if at.sellable() {
			onHand.Add(onHand, q)
		}
	}
	for _, a := range b.allotted {
		if a.at.sellable() {
			allocated.Add(allocated, a.left)
		}
	}
	for _, q := range b.claims {
		promised.Add(promised, q)
	}
	return onHand, allocated, promised
}

// balance checks that nothing is negative, and that no more is given away than is there.
func (b *books) balance() {
	at := map[place]*big.Rat{}
	for _, a := range b.allotted {
		plus(at, a.at, a.left)
	}
	for p, q := range b.rows {
		if q.Sign() < 0 && !slices.Contains(outside, p.location) {
			b.bad("%s stand at %s", q.RatString(), p.location)
		}
		if at[p] != nil && at[p].Cmp(q) > 0 {
			b.bad("%s are allocated at %s, where %s stand", at[p].RatString(), p.location, q.RatString())
		}
		delete(at, p)
	}
	for p, q := range at {
		b.bad("%s are allocated at %s, where nothing ever stood", q.RatString(), p.location)
	}
	onHand, allocated, promised := b.figures()
	if given := new(big.Rat).Add(allocated, promised); given.Cmp(onHand) > 0 {
		b.bad("oversold: %s allocated and %s promised of %s on hand", allocated.RatString(), promised.RatString(), onHand.RatString())
	}
}

func (b *books) row(at place) string {
	q := new(big.Rat)
	if b.rows[at] != nil {
		q = b.rows[at]
	}
	sum := new(big.Rat)
	for _, a := range b.allotted {
		if a.at == at {
			sum.Add(sum, a.left)
		}
	}
	return fmt.Sprintf("%s on hand, %s allocated", q.RatString(), sum.RatString())
}
