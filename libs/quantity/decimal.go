// Package quantity is exact decimals, quantities and units of measure.
//
// It promises that no quantity is ever rounded unless a caller names a rounding:
// a conversion is exact to nine decimals or refused. Units are UN/ECE
// Recommendation 20 codes with exact rational factors; packaging codes
// (Recommendation 21) have no size of their own, only an item gives them one.
package quantity

import (
	"math/big"
	"math/bits"
	"strconv"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Digits before and after the decimal point that a Decimal within bounds may have.
const (
	IntegerDigits  = 18
	FractionDigits = 9
)

const one = 1_000_000_000 // 10^FractionDigits

// Decimal is an exact decimal number: at most 18 digits before and 9 after the
// point. The zero value is 0; equal numbers are equal by ==. Sums may leave the
// bounds, Check reports it, and nothing out of bounds can be marshalled.
type Decimal struct {
	// value × 10^9 in two's complement, held within ±2^126: 8·10^10 times the bounds
	hi int64
	lo uint64
}

var (
	highest = Decimal{hi: 1 << 62}
	lowest  = Decimal{hi: -1 << 62}
	bound   = Decimal{hi: 54210108, lo: 11515845246265065472} // 10^27, the first magnitude out of bounds
)

// Int returns n.
func Int(n int64) Decimal {
	hi, lo := bits.Mul64(magnitude(n), one)
	return signed(n < 0, hi, lo)
}

// Parse reads a number of the form -?[0-9]{1,18}(\.[0-9]{1,9})?.
func Parse(s string) (Decimal, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if len(whole) < 1 || len(whole) > IntegerDigits || len(fraction) > FractionDigits || point == (fraction == "") {
		return Decimal{}, malformed(s)
	}
	w, ok1 := number(whole)
	f, ok2 := number(fraction)
	if !ok1 || !ok2 {
		return Decimal{}, malformed(s)
	}
	for range FractionDigits - len(fraction) {
		f *= 10
	}
	hi, lo := bits.Mul64(w, one)
	lo, carry := bits.Add64(lo, f, 0)
	return signed(negative, hi+carry, lo), nil
}

// MustParse is Parse for constants; it panics on a malformed number.
func MustParse(s string) Decimal {
	d, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}

// number reads up to 18 ASCII digits; none is 0.
func number(s string) (n uint64, ok bool) {
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return n, true
}

func malformed(s string) error {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return fault.New(fault.Invalid, "QUANTITY_MALFORMED", "%q is no decimal of at most %d digits before and %d after the point", s, IntegerDigits, FractionDigits)
}

// Add returns d + e.
func (d Decimal) Add(e Decimal) Decimal {
	lo, carry := bits.Add64(d.lo, e.lo, 0)
	hi, _ := bits.Add64(uint64(d.hi), uint64(e.hi), carry)
	sum := Decimal{int64(hi), lo}
	switch { // both operands are within ±2^126, so the sum itself cannot overflow
	case sum.hi >= highest.hi:
		return highest
	case sum.hi < lowest.hi:
		return lowest
	}
	return sum
}

// Sub returns d − e.
func (d Decimal) Sub(e Decimal) Decimal { return d.Add(e.Neg()) }

// Neg returns −d.
func (d Decimal) Neg() Decimal {
	lo, borrow := bits.Sub64(0, d.lo, 0)
	hi, _ := bits.Sub64(0, uint64(d.hi), borrow)
	return Decimal{int64(hi), lo}
}

// Abs returns |d|.
func (d Decimal) Abs() Decimal {
	if d.hi < 0 {
		return d.Neg()
	}
	return d
}

// Cmp returns −1, 0 or 1 as d is less than, equal to or greater than e.
func (d Decimal) Cmp(e Decimal) int {
	switch {
	case d == e:
		return 0
	case d.hi < e.hi, d.hi == e.hi && d.lo < e.lo:
		return -1
	}
	return 1
}

// Equal reports d == e.
func (d Decimal) Equal(e Decimal) bool { return d == e }

// Less reports d < e.
func (d Decimal) Less(e Decimal) bool { return d.Cmp(e) < 0 }

// Sign returns −1, 0 or 1.
func (d Decimal) Sign() int { return d.Cmp(Decimal{}) }

// IsZero reports d == 0.
func (d Decimal) IsZero() bool { return d == Decimal{} }

// Min returns the lesser of d and e.
func Min(d, e Decimal) Decimal {
	if e.Less(d) {
		return e
	}
	return d
}

// Max returns the greater of d and e.
func Max(d, e Decimal) Decimal {
	if d.Less(e) {
		return e
	}
	return d
}

// Sum returns the sum of ds; 0 for none.
func Sum(ds ...Decimal) Decimal {
	var sum Decimal
	for _, d := range ds {
		sum = sum.Add(d)
	}
	return sum
}

// Check returns a fault when d has more than 18 digits before the point.
func (d Decimal) Check() error {
	if d.Abs().Cmp(bound) >= 0 {
		return fault.New(fault.Invalid, "QUANTITY_OUT_OF_RANGE", "%s has more than %d digits before the point", d, IntegerDigits)
	}
	return nil
}

// Int64 returns d as an integer; false when it has a fraction or does not fit.
func (d Decimal) Int64() (int64, bool) {
	hi, lo := d.unsigned()
	qhi, q, r := divide(hi, lo, one)
	if r != 0 || qhi != 0 || q > 1<<63-1 {
		return 0, false
	}
	if d.hi < 0 {
		return -int64(q), true
	}
	return int64(q), true
}

// Scaled returns d × 10^9, an integer.
func (d Decimal) Scaled() *big.Int {
	hi, lo := d.unsigned()
	n := new(big.Int).SetUint64(hi)
	n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(lo))
	if d.hi < 0 {
		n.Neg(n)
	}
	return n
}

// String returns the shortest decimal notation: no exponent, no trailing zeros.
func (d Decimal) String() string {
	hi, lo := d.unsigned()
	qhi, q, r := divide(hi, lo, one)
	b := make([]byte, 0, 32)
	if d.hi < 0 {
		b = append(b, '-')
	}
	if qhi == 0 {
		b = strconv.AppendUint(b, q, 10)
	} else { // far out of bounds
		n := new(big.Int).SetUint64(qhi)
		b = n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(q)).Append(b, 10)
	}
	if r != 0 {
		fraction := strconv.FormatUint(one+r, 10) // "1" and nine digits
		b = append(append(b, '.'), strings.TrimRight(fraction[1:], "0")...)
	}
	return string(b)
}

// MarshalText implements encoding.TextMarshaler; it refuses what Check refuses.
func (d Decimal) MarshalText() ([]byte, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	return []byte(d.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Decimal) UnmarshalText(text []byte) (err error) {
	*d, err = Parse(string(text))
	return err
}

// unsigned returns the magnitude of d × 10^9.
func (d Decimal) unsigned() (hi, lo uint64) {
	a := d.Abs()
	return uint64(a.hi), a.lo
}

func signed(negative bool, hi, lo uint64) Decimal {
	d := Decimal{int64(hi), lo}
	if negative {
		return d.Neg()
	}
	return d
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// divide returns the quotient and remainder of the 128-bit hi:lo by y.
func divide(hi, lo, y uint64) (qhi, qlo, r uint64) {
	qhi, r = hi/y, hi%y
	qlo, r = bits.Div64(r, lo, y)
	return qhi, qlo, r
}
