package quantity

import (
	"math/big"
	"math/bits"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Ratio is an exact factor Num/Den between two units, both positive: an item
// whose case holds 12 pieces converts CS to EA by 12/1 and EA to CS by 1/12.
type Ratio struct {
	Num int64 `bson:"n"`
	Den int64 `bson:"d"`
}

// Check returns a fault unless both parts are positive.
func (r Ratio) Check() error {
	if r.Num <= 0 || r.Den <= 0 {
		return fault.New(fault.Invalid, "QUANTITY_RATIO_INVALID", "the ratio %d/%d is not positive", r.Num, r.Den)
	}
	return nil
}

// Inverse returns Den/Num.
func (r Ratio) Inverse() Ratio { return Ratio{r.Den, r.Num} }

// Times returns r × s in lowest terms, or a fault when a part does not fit 63 bits.
func (r Ratio) Times(s Ratio) (Ratio, error) {
	if err := r.Check(); err != nil {
		return Ratio{}, err
	}
	if err := s.Check(); err != nil {
		return Ratio{}, err
	}
	r, s = r.reduced(), s.reduced()
	a, b := Ratio{r.Num, s.Den}.reduced(), Ratio{s.Num, r.Den}.reduced()
	nhi, num := bits.Mul64(uint64(a.Num), uint64(b.Num))
	dhi, den := bits.Mul64(uint64(a.Den), uint64(b.Den))
	if nhi|dhi != 0 || num > 1<<63-1 || den > 1<<63-1 {
		return Ratio{}, fault.New(fault.Invalid, "QUANTITY_RATIO_INVALID", "the ratio %d/%d times %d/%d is too fine", r.Num, r.Den, s.Num, s.Den)
	}
	return Ratio{int64(num), int64(den)}, nil
}

func (r Ratio) reduced() Ratio {
	a, b := r.Num, r.Den
	for b != 0 {
		a, b = b, a%b
	}
	return Ratio{r.Num / a, r.Den / a}
}

// Mul returns d × r when that has at most nine decimals; otherwise it is refused
// with QUANTITY_INEXACT. So d.Mul(r) followed by Mul(r.Inverse()) gives d again.
func (d Decimal) Mul(r Ratio) (Decimal, error) {
	if err := r.Check(); err != nil {
		return Decimal{}, err
	}
	low := r.reduced() // num and den share no factor: exact if and only if den divides d
	hi, lo := d.unsigned()
	qhi, qlo, rest := divide(hi, lo, uint64(low.Den))
	if rest != 0 {
		return Decimal{}, fault.New(fault.Invalid, "QUANTITY_INEXACT", "%s × %d/%d is not exact to %d decimals", d, r.Num, r.Den, FractionDigits)
	}
	carry, plo := bits.Mul64(qlo, uint64(low.Num))
	over, phi := bits.Mul64(qhi, uint64(low.Num))
	phi, c := bits.Add64(phi, carry, 0)
	if over|c != 0 || phi >= uint64(highest.hi) {
		return Decimal{}, highest.Check()
	}
	p := signed(d.hi < 0, phi, plo)
	return p, p.Check()
}

// Rounding names how a result between two representable values is chosen.
type Rounding uint8

// The roundings. Half-even is the usual one of tax, half-up of freight
// contracts; up and down mean away from and toward zero.
const (
	HalfEven Rounding = iota
	HalfUp
	Up
	Down
)

// MulRounded returns d × r rounded to the given number of decimals (0 to 9).
func (d Decimal) MulRounded(r Ratio, decimals int, mode Rounding) (Decimal, error) {
	return d.mulSub(r, Decimal{}, decimals, mode)
}

// mulSub returns d × r − e, rounded once.
func (d Decimal) mulSub(r Ratio, e Decimal, decimals int, mode Rounding) (Decimal, error) {
	if err := r.Check(); err != nil {
		return Decimal{}, err
	}
	if decimals < 0 || decimals > FractionDigits {
		return Decimal{}, fault.New(fault.Invalid, "QUANTITY_MALFORMED", "cannot round to %d decimals", decimals)
	}
	step := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(FractionDigits-decimals)), nil)
	den := big.NewInt(r.Den)
	n, minus := d.Scaled(), e.Scaled()
	n.Mul(n, big.NewInt(r.Num)).Sub(n, minus.Mul(minus, den))
	negative := n.Sign() < 0
	q, rest := n.Abs(n).QuoRem(n, den.Mul(den, step), new(big.Int))
	if mode.raises(q, rest, den) {
		q.Add(q, big.NewInt(1))
	}
	q.Mul(q, step)
	if q.BitLen() > 126 {
		return Decimal{}, highest.Check()
	}
	lo := new(big.Int).And(q, new(big.Int).SetUint64(1<<64-1)).Uint64()
	p := signed(negative, new(big.Int).Rsh(q, 64).Uint64(), lo)
	return p, p.Check()
}

// Round returns d rounded to the given number of decimals (0 to 9).
func (d Decimal) Round(decimals int, mode Rounding) (Decimal, error) {
	return d.MulRounded(Ratio{1, 1}, decimals, mode)
}

// raises reports whether the magnitude q, with rest left of den, is rounded up.
func (m Rounding) raises(q, rest, den *big.Int) bool {
	half := new(big.Int).Lsh(rest, 1).Cmp(den)
	switch m {
	case Up:
		return rest.Sign() != 0
	case Down:
		return false
	case HalfUp:
		return half >= 0
	}
	return half > 0 || half == 0 && q.Bit(0) == 1
}
