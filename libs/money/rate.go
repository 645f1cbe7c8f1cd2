package money

import (
	"regexp"

	"github.com/cockroachdb/apd/v3"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Rate is an exact decimal factor: a price per unit, a percentage, an exchange
// rate; at most 18 digits before and 18 after the point. The zero value is 0. It
// is kept as written, so that the rate that was used can be shown and used again.
type Rate struct{ text string }

var rateForm = regexp.MustCompile(`^-?[0-9]{1,18}(\.[0-9]{1,18})?$`)

// ParseRate reads a plain decimal number.
func ParseRate(s string) (Rate, error) {
	if !rateForm.MatchString(s) {
		return Rate{}, fault.New(fault.Invalid, "MONEY_RATE_MALFORMED", "a rate is a decimal of at most 18 digits before and after the point")
	}
	return Rate{s}, nil
}

// MustRate is ParseRate for constants; it panics on a malformed rate.
func MustRate(s string) Rate {
	r, err := ParseRate(s)
	if err != nil {
		panic(err)
	}
	return r
}

// String returns the rate as it was written.
func (r Rate) String() string {
	if r.text == "" {
		return "0"
	}
	return r.text
}

// MarshalText implements encoding.TextMarshaler.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRate(string(text))
	return err
}

// Times returns a × rate in a's currency, rounded once.
func (a Amount) Times(rate Rate, mode quantity.Rounding) (Amount, error) {
	return a.Exchange(rate, a.Currency, mode)
}

// Exchange returns a in another currency, rounded once; rate is units of the
// target currency for one unit of a's, both in major units.
func (a Amount) Exchange(rate Rate, to string, mode quantity.Rounding) (Amount, error) {
	from, err := exponent(a.Currency)
	if err != nil {
		return Amount{}, err
	}
	return product(apd.New(a.Minor, int32(-from)), rate, to, mode)
}

// Price returns the amount for a quantity at a price per unit in major units, rounded once.
func Price(perUnit Rate, currency string, of quantity.Decimal, mode quantity.Rounding) (Amount, error) {
	n := new(apd.BigInt).SetMathBigInt(of.Scaled())
	return product(apd.NewWithBigInt(n, -quantity.FractionDigits), perUnit, currency, mode)
}

// wide holds every exact product: 27 digits of a quantity and 36 of a rate. Any
// digit lost there would be a second rounding, so it is trapped.
var wide = apd.Context{
	Precision: 80, MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent,
	Traps: apd.DefaultTraps | apd.Inexact | apd.Rounded,
}

var rounders = map[quantity.Rounding]apd.Rounder{
	quantity.HalfEven: apd.RoundHalfEven,
	quantity.HalfUp:   apd.RoundHalfUp,
	quantity.Up:       apd.RoundUp,
	quantity.Down:     apd.RoundDown,
}

// product returns x × rate as an amount of the currency, rounded to its minor unit.
func product(x *apd.Decimal, rate Rate, currency string, mode quantity.Rounding) (Amount, error) {
	places, err := exponent(currency)
	if err != nil {
		return Amount{}, err
	}
	factor, _, err := apd.NewFromString(rate.String())
	if err != nil {
		return Amount{}, fault.New(fault.Invalid, "MONEY_RATE_MALFORMED", "%q is no rate", rate).Wrap(err)
	}
	if _, err := wide.Mul(factor, factor, x); err != nil {
		return Amount{}, overflow(currency)
	}
	factor.Exponent += int32(places) // from major to minor units
	rounding := wide
	rounding.Traps, rounding.Rounding = apd.DefaultTraps, rounders[mode]
	if _, err := rounding.Quantize(factor, factor, 0); err != nil {
		return Amount{}, overflow(currency)
	}
	minor, err := factor.Int64()
	if err != nil {
		return Amount{}, overflow(currency)
	}
	return Amount{minor, currency}, nil
}
