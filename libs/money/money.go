// Package money is exact amounts in minor units of an ISO 4217 currency.
//
// It promises that no cent is created, lost or rounded twice: sums are checked
// for overflow and for mixed currencies, a rate is applied exactly and rounded
// once in a way the caller names, and an amount is allocated so that the parts
// add up to it.
package money

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Amount is an amount of money. Equal amounts are equal by ==.
type Amount struct {
	Minor    int64  `bson:"m"` // in minor units: cents for USD, yen for JPY, fils for KWD
	Currency string `bson:"c"` // ISO 4217 alphabetic code
}

// New returns an amount of minor units of a currency that ISO 4217 knows.
func New(minor int64, currency string) (Amount, error) {
	if _, err := exponent(currency); err != nil {
		return Amount{}, err
	}
	return Amount{minor, currency}, nil
}

// Parse reads a plain decimal number in major units, e.g. "12.50" USD. More
// decimals than the currency has are refused, also zeros.
func Parse(value, currency string) (Amount, error) {
	places, err := exponent(currency)
	if err != nil {
		return Amount{}, err
	}
	whole, fraction, point := strings.Cut(value, ".")
	if point && fraction == "" || len(fraction) > places || strings.HasPrefix(value, "+") || strings.Trim(fraction, "0123456789") != "" {
		return Amount{}, malformed(value, currency, places)
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", places-len(fraction)), 10, 64)
	if err != nil || strings.Trim(whole, "-") == "" {
		return Amount{}, malformed(value, currency, places)
	}
	return Amount{minor, currency}, nil
}

func malformed(value, currency string, places int) error {
	if len(value) > 40 {
		value = value[:40] + "…"
	}
	return fault.New(fault.Invalid, "MONEY_MALFORMED", "%q is no amount of %s with at most %d decimals", value, currency, places)
}

// String returns the amount in major units with all decimals of its currency, "12.50 USD".
func (a Amount) String() string { return a.Decimal() + " " + a.Currency }

// Decimal returns the amount in major units without the currency, "12.50".
// An unknown currency is shown without decimals.
func (a Amount) Decimal() string {
	places, _ := Exponent(a.Currency)
	digits := strconv.FormatInt(a.Minor, 10)
	sign := ""
	if a.Minor < 0 {
		sign, digits = "-", digits[1:]
	}
	if places == 0 {
		return sign + digits
	}
	digits = strings.Repeat("0", max(0, places+1-len(digits))) + digits
	point := len(digits) - places
	return sign + digits[:point] + "." + digits[point:]
}

// IsZero reports whether the amount is nothing, of any currency.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// Add returns a + b; currencies that differ and an overflow are faults.
func (a Amount) Add(b Amount) (Amount, error) {
	if err := a.same(b); err != nil {
		return Amount{}, err
	}
	sum := a.Minor + b.Minor
	if (a.Minor < 0) == (b.Minor < 0) && (sum < 0) != (a.Minor < 0) {
		return Amount{}, overflow(a.Currency)
	}
	return Amount{sum, a.Currency}, nil
}

// Sub returns a − b under the rules of Add.
func (a Amount) Sub(b Amount) (Amount, error) {
	if err := a.same(b); err != nil {
		return Amount{}, err
	}
	difference := a.Minor - b.Minor
	if (a.Minor < 0) != (b.Minor < 0) && (difference < 0) != (a.Minor < 0) {
		return Amount{}, overflow(a.Currency)
	}
	return Amount{difference, a.Currency}, nil
}

// Neg returns −a.
func (a Amount) Neg() (Amount, error) { return Amount{0, a.Currency}.Sub(a) }

// Cmp returns −1, 0 or 1 as a is less than, equal to or greater than b.
func (a Amount) Cmp(b Amount) (int, error) {
	if err := a.same(b); err != nil {
		return 0, err
	}
	switch {
	case a.Minor < b.Minor:
		return -1, nil
	case a.Minor > b.Minor:
		return 1, nil
	}
	return 0, nil
}

// Sum adds amounts of one currency; none is zero.
func Sum(currency string, amounts ...Amount) (Amount, error) {
	total, err := New(0, currency)
	for i := 0; i < len(amounts) && err == nil; i++ {
		total, err = total.Add(amounts[i])
	}
	return total, err
}

// Allocate splits a in proportion to weights, none negative and not all zero.
// The parts add up to a exactly: units left over go to the largest remainders,
// among equal ones to the lower index. A weight of zero gets nothing.
func (a Amount) Allocate(weights []quantity.Decimal) ([]Amount, error) {
	total := new(big.Int)
	scaled := make([]*big.Int, len(weights))
	for i, w := range weights {
		if w.Sign() < 0 {
			return nil, fault.New(fault.Invalid, "MONEY_WEIGHTS_INVALID", "weight %d is negative: %s", i, w)
		}
		scaled[i] = w.Scaled()
		total.Add(total, scaled[i])
	}
	if total.Sign() == 0 {
		return nil, fault.New(fault.Invalid, "MONEY_WEIGHTS_INVALID", "the %d weights are all zero", len(weights))
	}
	magnitude := new(big.Int).Abs(big.NewInt(a.Minor))
	left := new(big.Int).Set(magnitude)
	parts, rests := make([]*big.Int, len(weights)), make([]*big.Int, len(weights))
	order := make([]int, len(weights))
	for i, w := range scaled {
		parts[i], rests[i] = new(big.Int).QuoRem(w.Mul(w, magnitude), total, new(big.Int))
		left.Sub(left, parts[i])
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return rests[j].Cmp(rests[i]) })
	for _, i := range order[:left.Int64()] { // fewer units are left than there are remainders
		parts[i].Add(parts[i], big.NewInt(1))
	}
	amounts := make([]Amount, len(weights))
	for i, p := range parts {
		if a.Minor < 0 {
			p.Neg(p)
		}
		amounts[i] = Amount{p.Int64(), a.Currency}
	}
	return amounts, nil
}

func (a Amount) same(b Amount) error {
	if a.Currency != b.Currency {
		return fault.New(fault.Invalid, "MONEY_CURRENCY_MISMATCH", "%s and %s do not mix", a.Currency, b.Currency)
	}
	return nil
}

func overflow(currency string) error {
	return fault.New(fault.Invalid, "MONEY_OUT_OF_RANGE", "more than %d minor units of %s", int64(math.MaxInt64), currency)
}
