package quantity_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func TestParse(t *testing.T) {
	tests := []struct{ in, want string }{
		{"0", "0"},
		{"-0", "0"},
		{"-0.0", "0"},
		{"007.50", "7.5"},
		{"12.5", "12.5"},
		{"-1.000000001", "-1.000000001"},
		{"999999999999999999.999999999", "999999999999999999.999999999"},
		{"-999999999999999999.999999999", "-999999999999999999.999999999"},
		{"9007199254740993", "9007199254740993"},
	}
	for _, tt := range tests {
		d, err := quantity.Parse(tt.in)
		if err != nil || d.String() != tt.want {
			t.Errorf("Parse(%q) = %s, %v; want %s", tt.in, d, err, tt.want)
		}
	}
	for _, in := range []string{
		"", "-", ".", "1.", ".5", "+1", "1e3", " 1", "1 ", "--1", "1.2.3", "0x1", "1,5", "١", "NaN", "1.0000000001",
		"1000000000000000000", "0000000000000000001", strings.Repeat("9", 5000),
	} {
		if d, err := quantity.Parse(in); reason(err) != "QUANTITY_MALFORMED" {
			t.Errorf("Parse(%.40q) = %s, %v; want QUANTITY_MALFORMED", in, d, err)
		}
	}
}

func TestBounds(t *testing.T) {
	top := quantity.MustParse("999999999999999999.999999999")
	if err := top.Check(); err != nil {
		t.Fatal(err)
	}
	over := top.Add(quantity.MustParse("0.000000001"))
	if over.String() != "1000000000000000000" || reason(over.Check()) != "QUANTITY_OUT_OF_RANGE" || reason(over.Neg().Check()) != "QUANTITY_OUT_OF_RANGE" {
		t.Errorf("%s is within bounds", over)
	}
	if _, err := over.MarshalText(); err == nil {
		t.Error("a number out of bounds was marshalled")
	}
	for range 200 { // far beyond what 128 bits hold
		over = over.Add(over)
	}
	for _, d := range []quantity.Decimal{over, over.Neg(), over.Sub(top), over.Add(over)} {
		if d.Check() == nil || (d.Sign() > 0) != strings.HasPrefix(d.String(), "85070591730234615865843651857.942052864") {
			t.Errorf("overflow left the saturated value: %s", d)
		}
	}
	for _, n := range []int64{0, 1, -1, 1<<63 - 1, 1 - 1<<63} {
		if got, ok := quantity.Int(n).Int64(); !ok || got != n {
			t.Errorf("Int64 of %d = %d, %v", n, got, ok)
		}
	}
	if n, ok := quantity.Int(1<<63 - 1).Add(quantity.Int(1)).Int64(); ok {
		t.Errorf("2^63 became %d", n)
	}
}

func TestJSON(t *testing.T) {
	type line struct{ Q quantity.Decimal }
	b, err := json.Marshal(line{quantity.MustParse("-12.50")})
	if err != nil || string(b) != `{"Q":"-12.5"}` {
		t.Fatalf("%s %v", b, err)
	}
	var l line
	if err := json.Unmarshal(b, &l); err != nil || l.Q != quantity.MustParse("-12.5") {
		t.Fatalf("%v %v", l, err)
	}
	if json.Unmarshal([]byte(`{"Q":12.5}`), &l) == nil {
		t.Error("a JSON number, whose digits a reader may have lost, was taken")
	}
}

// decimals draws numbers within bounds, small and huge.
var decimals = rapid.Custom(func(t *rapid.T) quantity.Decimal {
	whole := rapid.Int64Range(0, 999_999_999_999_999_999)
	if rapid.Bool().Draw(t, "small") {
		whole = rapid.Int64Range(0, 1000)
	}
	d := quantity.Int(whole.Draw(t, "whole")).Add(nano(rapid.Int64Range(0, 999_999_999).Draw(t, "fraction")))
	if rapid.Bool().Draw(t, "negative") {
		d = d.Neg()
	}
	return d
})

func nano(n int64) quantity.Decimal {
	d, err := quantity.Int(n).Mul(quantity.Ratio{Num: 1, Den: 1_000_000_000})
	if err != nil {
		panic(err)
	}
	return d
}

// TestArithmetic checks every operation against math/big.
func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimals.Draw(t, "a"), decimals.Draw(t, "b")
		x, y := a.Scaled(), b.Scaled()
		same := func(name string, got quantity.Decimal, want *big.Int) {
			if got.Scaled().Cmp(want) != 0 {
				t.Fatalf("%s(%s, %s) = %s, want %s / 10^9", name, a, b, got, want)
			}
		}
		same("add", a.Add(b), new(big.Int).Add(x, y))
		same("sub", a.Sub(b), new(big.Int).Sub(x, y))
		same("neg", a.Neg(), new(big.Int).Neg(x))
		same("abs", a.Abs(), new(big.Int).Abs(x))
		same("sum", quantity.Sum(a, b, a), new(big.Int).Add(x, new(big.Int).Add(x, y)))
		if a.Cmp(b) != x.Cmp(y) || a.Less(b) != (x.Cmp(y) < 0) || a.Sign() != x.Sign() || a.Equal(b) != (x.Cmp(y) == 0) {
			t.Fatalf("order of %s and %s", a, b)
		}
		if lo, hi := quantity.Min(a, b), quantity.Max(a, b); lo.Add(hi) != a.Add(b) || hi.Less(lo) {
			t.Fatalf("min %s max %s", lo, hi)
		}
		if a.Add(b).Sub(b) != a {
			t.Fatalf("%s + %s − %s", a, b, b)
		}
		text, err := a.MarshalText()
		var back quantity.Decimal
		if err != nil || back.UnmarshalText(text) != nil || back != a {
			t.Fatalf("%s read back as %s", text, back)
		}
		if n, ok := a.Int64(); ok != new(big.Rat).SetFrac(x, big.NewInt(1_000_000_000)).IsInt() || ok && quantity.Int(n) != a {
			t.Fatalf("Int64(%s) = %d, %v", a, n, ok)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0", "-12.5", "999999999999999999.999999999", "1.", "00", "-.1", "1e9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := quantity.Parse(s)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(s)
		if !ok || want.Cmp(new(big.Rat).SetFrac(d.Scaled(), big.NewInt(1_000_000_000))) != 0 {
			t.Fatalf("Parse(%q) = %s", s, d)
		}
		if again, err := quantity.Parse(d.String()); err != nil || again != d {
			t.Fatalf("%q: %s does not read back: %v", s, d, err)
		}
	})
}

func BenchmarkParseAddString(b *testing.B) {
	total := quantity.Int(0)
	for b.Loop() {
		d, _ := quantity.Parse("12345.678")
		total = total.Add(d)
		_ = d.String()
	}
}

func reason(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Reason
	}
	return ""
}
