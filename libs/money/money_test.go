package money_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func TestExponent(t *testing.T) {
	for code, want := range map[string]int{
		"USD": 2, "EUR": 2, "CHF": 2, "CNY": 2, "JPY": 0, "KRW": 0, "ISK": 0, "CLP": 0, "XAF": 0, "XPF": 0,
		"KWD": 3, "BHD": 3, "TND": 3, "IQD": 3, "CLF": 4, "UYW": 4, "UYI": 0, "UYU": 2, "MRU": 2, "MGA": 2,
	} {
		if got, ok := money.Exponent(code); !ok || got != want {
			t.Errorf("%s has %d decimals, %v; want %d", code, got, ok, want)
		}
	}
	for _, code := range []string{"", "usd", "XXX", "XTS", "XAU", "XDR", "DEM", "US", "USDT"} {
		if _, ok := money.Exponent(code); ok {
			t.Errorf("%q is a currency", code)
		}
	}
	if n := len(money.Currencies()); n != 165 {
		t.Errorf("%d currencies, ISO 4217 lists 165 with a minor unit", n)
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		value, currency string
		minor           int64
		text            string
	}{
		{"12.50", "USD", 1250, "12.50 USD"},
		{"12.5", "USD", 1250, "12.50 USD"},
		{"-0.05", "EUR", -5, "-0.05 EUR"},
		{"0", "USD", 0, "0.00 USD"},
		{"1000", "JPY", 1000, "1000 JPY"},
		{"1.234", "KWD", 1234, "1.234 KWD"},
		{"0.0001", "CLF", 1, "0.0001 CLF"},
		{"90071992547409.93", "USD", 9007199254740993, "90071992547409.93 USD"},
		{"-92233720368547758.08", "USD", math.MinInt64, "-92233720368547758.08 USD"},
	}
	for _, tt := range tests {
		a, err := money.Parse(tt.value, tt.currency)
		if err != nil || a.Minor != tt.minor || a.String() != tt.text {
			t.Errorf("Parse(%s %s) = %v, %v", tt.value, tt.currency, a, err)
		}
	}
	for _, tt := range [][3]string{
		{"1.234", "USD", "MONEY_MALFORMED"},
		{"1.5", "JPY", "MONEY_MALFORMED"},
		{"1.500", "USD", "MONEY_MALFORMED"},
		{"", "USD", "MONEY_MALFORMED"},
		{"-", "USD", "MONEY_MALFORMED"},
		{".5", "USD", "MONEY_MALFORMED"},
		{"1.", "USD", "MONEY_MALFORMED"},
		{"+1", "USD", "MONEY_MALFORMED"},
		{"1.-5", "USD", "MONEY_MALFORMED"},
		{"1_0", "USD", "MONEY_MALFORMED"},
		{"1,5", "USD", "MONEY_MALFORMED"},
		{"92233720368547758.08", "USD", "MONEY_MALFORMED"},
		{strings.Repeat("9", 4000), "USD", "MONEY_MALFORMED"},
		{"1", "XXX", "MONEY_CURRENCY_UNKNOWN"},
		{"1", "usd", "MONEY_CURRENCY_UNKNOWN"},
	} {
		if a, err := money.Parse(tt[0], tt[1]); reason(err) != tt[2] {
			t.Errorf("Parse(%.30s %s) = %v, %v; want %s", tt[0], tt[1], a, err, tt[2])
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"12.50", "-0.05", "1.", "--1", "1.-5", "+1"} {
		f.Add(s, "USD")
		f.Add(s, "JPY")
		f.Add(s, "CLF")
	}
	f.Fuzz(func(t *testing.T, value, currency string) {
		a, err := money.Parse(value, currency)
		if err != nil {
			return
		}
		if again, err := money.Parse(a.Decimal(), currency); err != nil || again != a {
			t.Fatalf("%q %s: %s reads back as %s, %v", value, currency, a, again, err)
		}
		want, ok := new(big.Rat).SetString(value)
		got, _ := new(big.Rat).SetString(a.Decimal())
		if !ok || want.Cmp(got) != 0 {
			t.Fatalf("%q %s was read as %s", value, currency, a)
		}
	})
}

func TestMixedCurrenciesAndOverflow(t *testing.T) {
	usd, eur := money.Amount{Minor: 1, Currency: "USD"}, money.Amount{Minor: 1, Currency: "EUR"}
	top, bottom := money.Amount{Minor: math.MaxInt64, Currency: "USD"}, money.Amount{Minor: math.MinInt64, Currency: "USD"}
	for name, tt := range map[string]struct {
		run  func() (money.Amount, error)
		want string
	}{
		"add currencies":  {func() (money.Amount, error) { return usd.Add(eur) }, "MONEY_CURRENCY_MISMATCH"},
		"sub currencies":  {func() (money.Amount, error) { return usd.Sub(eur) }, "MONEY_CURRENCY_MISMATCH"},
		"sum currencies":  {func() (money.Amount, error) { return money.Sum("USD", usd, eur) }, "MONEY_CURRENCY_MISMATCH"},
		"add over top":    {func() (money.Amount, error) { return top.Add(usd) }, "MONEY_OUT_OF_RANGE"},
		"add two bottoms": {func() (money.Amount, error) { return bottom.Add(bottom) }, "MONEY_OUT_OF_RANGE"},
		"sub under":       {func() (money.Amount, error) { return bottom.Sub(usd) }, "MONEY_OUT_OF_RANGE"},
		"neg bottom":      {bottom.Neg, "MONEY_OUT_OF_RANGE"},
		"times":           {func() (money.Amount, error) { return top.Times(money.MustRate("1.1"), quantity.Down) }, "MONEY_OUT_OF_RANGE"},
		"sum unknown":     {func() (money.Amount, error) { return money.Sum("???") }, "MONEY_CURRENCY_UNKNOWN"},
		"new unknown":     {func() (money.Amount, error) { return money.New(1, "XXX") }, "MONEY_CURRENCY_UNKNOWN"},
		"exchange":        {func() (money.Amount, error) { return usd.Exchange(money.MustRate("1"), "XXX", quantity.Down) }, "MONEY_CURRENCY_UNKNOWN"},
	} {
		if a, err := tt.run(); reason(err) != tt.want || !fault.IsKind(err, fault.Invalid) {
			t.Errorf("%s = %v, %v; want %s", name, a, err, tt.want)
		}
	}
	if _, err := usd.Cmp(eur); reason(err) != "MONEY_CURRENCY_MISMATCH" {
		t.Errorf("compared dollars with euros: %v", err)
	}
	if a, err := top.Add(bottom); err != nil || a.Minor != -1 {
		t.Errorf("top + bottom = %v, %v", a, err)
	}
}

// TestArithmetic checks sums and differences against math/big.
func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := money.Amount{Minor: rapid.Int64().Draw(t, "a"), Currency: "USD"}
		b := money.Amount{Minor: rapid.Int64().Draw(t, "b"), Currency: "USD"}
		check := func(name string, got money.Amount, err error, want *big.Int) {
			if (err == nil) != want.IsInt64() || err == nil && got.Minor != want.Int64() {
				t.Fatalf("%v %s %v = %v, %v", a, name, b, got, err)
			}
		}
		x, y := big.NewInt(a.Minor), big.NewInt(b.Minor)
		sum, err := a.Add(b)
		check("+", sum, err, new(big.Int).Add(x, y))
		difference, err := a.Sub(b)
		check("−", difference, err, new(big.Int).Sub(x, y))
		if c, err := a.Cmp(b); err != nil || c != x.Cmp(y) {
			t.Fatalf("%v against %v = %d", a, b, c)
		}
	})
}

func TestAllocate(t *testing.T) {
	tests := []struct {
		minor    int64
		currency string
		weights  []string
		want     []int64
	}{
		{1000, "USD", []string{"1", "1", "1"}, []int64{334, 333, 333}}, // equal remainders: lower index first
		{100, "USD", []string{"1", "1", "1", "1", "1", "1"}, []int64{17, 17, 17, 17, 16, 16}},
		{-1000, "USD", []string{"1", "1", "1"}, []int64{-334, -333, -333}},
		{1, "JPY", []string{"0.4", "0.6"}, []int64{0, 1}},
		{10, "KWD", []string{"0", "1", "0"}, []int64{0, 10, 0}},
		{0, "USD", []string{"3", "4"}, []int64{0, 0}},
		{333, "USD", []string{"1.15", "13"}, []int64{27, 306}},
		{math.MaxInt64, "USD", []string{"999999999999999999.999999999", "0.000000001"}, []int64{math.MaxInt64, 0}},
		{math.MinInt64, "USD", []string{"1", "1"}, []int64{math.MinInt64 / 2, math.MinInt64 / 2}},
	}
	for _, tt := range tests {
		var weights []quantity.Decimal
		for _, w := range tt.weights {
			weights = append(weights, quantity.MustParse(w))
		}
		parts, err := money.Amount{Minor: tt.minor, Currency: tt.currency}.Allocate(weights)
		if err != nil || len(parts) != len(tt.want) {
			t.Fatalf("%d by %v = %v, %v", tt.minor, tt.weights, parts, err)
		}
		for i, p := range parts {
			if p.Minor != tt.want[i] || p.Currency != tt.currency {
				t.Errorf("%d by %v: part %d = %v, want %d", tt.minor, tt.weights, i, p, tt.want[i])
			}
		}
	}
	for _, weights := range [][]quantity.Decimal{nil, {{}}, {quantity.Int(1), quantity.Int(-1)}} {
		if parts, err := (money.Amount{Minor: 1, Currency: "USD"}).Allocate(weights); reason(err) != "MONEY_WEIGHTS_INVALID" {
			t.Errorf("allocated by %v: %v", weights, parts)
		}
	}
}

// TestAllocateAddsUp: the parts sum to the whole, each within one unit of its
// exact share, and a heavier weight never gets less.
func TestAllocateAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := money.Amount{Minor: rapid.Int64().Draw(t, "minor"), Currency: rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(t, "currency")}
		n := rapid.Int64Range(1, rapid.SampledFrom([]int64{3, 1_000_000_000_000}).Draw(t, "limit"))
		var weights []quantity.Decimal
		for _, w := range rapid.SliceOfN(n, 1, 40).Draw(t, "weights") {
			weights = append(weights, quantity.Int(w))
		}
		parts, err := whole.Allocate(weights)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := money.Sum(whole.Currency, parts...)
		if err != nil || sum != whole {
			t.Fatalf("parts of %v sum to %v, %v", whole, sum, err)
		}
		total := quantity.Sum(weights...).Scaled()
		for i, p := range parts {
			exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(whole.Minor), weights[i].Scaled()), total)
			off := exact.Sub(exact, new(big.Rat).SetInt64(p.Minor))
			if off.Abs(off).Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("part %d of %v by %v is %v", i, whole, weights, p)
			}
			for j := range parts[:i] {
				heavier, more := weights[j].Cmp(weights[i]), parts[j].Minor-p.Minor
				if whole.Minor < 0 {
					more = -more
				}
				if heavier >= 0 && more < 0 || heavier < 0 && more > 0 {
					t.Fatalf("weights %s and %s got %v and %v", weights[j], weights[i], parts[j], p)
				}
			}
		}
	})
}

func TestRates(t *testing.T) {
	usd := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "USD"} }
	tests := []struct {
		name string
		run  func() (money.Amount, error)
		want string
	}{
		{"half even down", func() (money.Amount, error) { return usd(250).Times(money.MustRate("0.05"), quantity.HalfEven) }, "0.12 USD"},
		{"half even up", func() (money.Amount, error) { return usd(270).Times(money.MustRate("0.05"), quantity.HalfEven) }, "0.14 USD"},
		{"half up", func() (money.Amount, error) { return usd(250).Times(money.MustRate("0.05"), quantity.HalfUp) }, "0.13 USD"},
		{"half up negative", func() (money.Amount, error) { return usd(-250).Times(money.MustRate("0.05"), quantity.HalfUp) }, "-0.13 USD"},
		{"up", func() (money.Amount, error) { return usd(1).Times(money.MustRate("1.000000000000000001"), quantity.Up) }, "0.02 USD"},
		{"down", func() (money.Amount, error) { return usd(199).Times(money.MustRate("0.999"), quantity.Down) }, "1.98 USD"},
		{"zero rate", func() (money.Amount, error) { return usd(199).Times(money.Rate{}, quantity.Up) }, "0.00 USD"},
		{"to yen", func() (money.Amount, error) {
			return usd(1000).Exchange(money.MustRate("157.345"), "JPY", quantity.HalfEven)
		}, "1573 JPY"},
		{"to dinar", func() (money.Amount, error) {
			return usd(1000).Exchange(money.MustRate("0.30715"), "KWD", quantity.HalfEven)
		}, "3.072 KWD"},
		{"from yen", func() (money.Amount, error) {
			return money.Amount{Minor: 1000, Currency: "JPY"}.Exchange(money.MustRate("0.006355"), "USD", quantity.HalfEven)
		}, "6.36 USD"},
		{"per kilogram", func() (money.Amount, error) {
			return money.Price(money.MustRate("1.15"), "EUR", quantity.MustParse("13"), quantity.HalfUp)
		}, "14.95 EUR"},
		{"widest", func() (money.Amount, error) {
			return money.Price(money.MustRate("0.000000000000000001"), "USD", quantity.MustParse("999999999999999999.999999999"), quantity.HalfEven)
		}, "1.00 USD"},
	}
	for _, tt := range tests {
		if a, err := tt.run(); err != nil || a.String() != tt.want {
			t.Errorf("%s = %v, %v; want %s", tt.name, a, err, tt.want)
		}
	}
	for _, s := range []string{"", "1e3", ".5", "1.", "+1", "NaN", "Infinity", "0x1", "1.0000000000000000001", "1234567890123456789"} {
		if r, err := money.ParseRate(s); reason(err) != "MONEY_RATE_MALFORMED" {
			t.Errorf("%q is a rate: %v, %v", s, r, err)
		}
	}
	var r struct{ R money.Rate }
	if err := json.Unmarshal([]byte(`{"R":"157.3450"}`), &r); err != nil || r.R != money.MustRate("157.3450") {
		t.Errorf("rate read back as %v, %v", r.R, err)
	}
	if b, err := json.Marshal(r); err != nil || string(b) != `{"R":"157.3450"}` {
		t.Errorf("rate written as %s, %v", b, err)
	}
}

// TestTimesRoundsOnce checks every rounding against the exact product.
func TestTimesRoundsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := money.Amount{Minor: rapid.Int64Range(-1_000_000_000, 1_000_000_000).Draw(t, "minor"), Currency: "USD"}
		rate := money.MustRate(rapid.StringMatching(`-?[0-9]{1,4}(\.[0-9]{1,6})?`).Draw(t, "rate"))
		exact, _ := new(big.Rat).SetString(rate.String())
		exact.Mul(exact, new(big.Rat).SetInt64(a.Minor))
		for mode, limit := range map[quantity.Rounding]*big.Rat{
			quantity.HalfEven: big.NewRat(1, 2), quantity.HalfUp: big.NewRat(1, 2), quantity.Up: big.NewRat(1, 1), quantity.Down: big.NewRat(1, 1),
		} {
			got, err := a.Times(rate, mode)
			if err != nil {
				t.Fatal(err)
			}
			off := new(big.Rat).Sub(new(big.Rat).SetInt64(got.Minor), exact)
			size := new(big.Rat).Abs(off).Cmp(limit)
			away := off.Sign() * exact.Sign() // 1 when rounded away from zero
			switch {
			case size > 0 || size == 0 && limit.IsInt():
				t.Fatalf("%v × %s = %v", a, rate, got)
			case mode == quantity.Up && away < 0, mode == quantity.Down && away > 0,
				mode == quantity.HalfUp && size == 0 && away < 0, mode == quantity.HalfEven && size == 0 && got.Minor%2 != 0:
				t.Fatalf("%v × %s = %v in mode %d", a, rate, got, mode)
			}
		}
	})
}

func reason(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Reason
	}
	return ""
}
