package domain

import (
	"math/big"

	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Price is what an order says about the price of a line. Paid for q base units is
// Unit × Ordered × q ÷ Base, rounded half-even to minor units once.
type Price struct {
	Unit     string            `bson:"p,omitempty"` // net price of one ordered unit in major units; "" if not known
	Currency string            `bson:"c,omitempty"` // ISO 4217
	Ordered  quantity.Quantity `bson:"o,omitempty"` // in the ordered unit
	Base     quantity.Decimal  `bson:"b,omitempty"` // the same in the base unit
}

// paid returns what was paid for a quantity in the base unit; false when that is not known.
func (p Price) paid(q quantity.Decimal) (money.Amount, bool) {
	exponent, ok := money.Exponent(p.Currency)
	if !ok || p.Unit == "" || p.Base.Sign() <= 0 {
		return money.Amount{}, false
	}
	total, ok := new(big.Rat).SetString(p.Unit)
	if !ok {
		return money.Amount{}, false
	}
	total.Mul(total, new(big.Rat).SetFrac(p.Ordered.Value.Scaled(), p.Base.Scaled()))
	total.Mul(total, new(big.Rat).SetFrac(q.Scaled(), quantity.Int(1).Scaled()))
	total.Mul(total, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)))
	minor := halfEven(total)
	if minor.CmpAbs(big.NewInt(maxPaid)) > 0 {
		return money.Amount{}, false
	}
	return money.Amount{Minor: minor.Int64(), Currency: p.Currency}, true
}

// maxPaid bounds what a line may have cost, in minor units: sums over the lines of a return fit.
const maxPaid = 1_000_000_000_000_000

// halfEven rounds a number that is not negative to an integer.
func halfEven(r *big.Rat) *big.Int {
	whole, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	switch rest.Lsh(rest, 1).Cmp(r.Denom()) {
	case 1:
		return whole.Add(whole, big.NewInt(1))
	case 0:
		return whole.Add(whole, big.NewInt(int64(whole.Bit(0))))
	}
	return whole
}

// share is the part of an amount that falls to part of a whole, rounded down: parts that
// are taken one after the other, each less what was taken before, never exceed the amount.
func share(amount int64, part, whole quantity.Decimal) int64 {
	if whole.Sign() <= 0 || part.Sign() <= 0 {
		return 0
	}
	if !part.Less(whole) {
		return amount
	}
	n := new(big.Int).Mul(big.NewInt(amount), part.Scaled())
	return n.Quo(n, whole.Scaled()).Int64() // less than amount, so it fits
}

// basisPoints is how many make a whole.
const basisPoints = 10_000

// feeOf is a share of an amount in basis points, half-even.
func feeOf(amount int64, points int) int64 {
	return halfEven(new(big.Rat).SetFrac(
		new(big.Int).Mul(big.NewInt(amount), big.NewInt(int64(points))), big.NewInt(basisPoints))).Int64()
}
