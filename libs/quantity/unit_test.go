package quantity_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func TestConvert(t *testing.T) {
	tests := []struct{ value, from, to, want, reason string }{
		{"1", "LBR", "KGM", "0.45359237", ""},
		{"1", "CWA", "LBR", "100", ""},
		{"1", "STN", "LBR", "2000", ""},
		{"1", "LTN", "STI", "160", ""},
		{"16", "ONZ", "LBR", "1", ""},
		{"12.5", "KGM", "TNE", "0.0125", ""},
		{"3", "DZN", "EA", "36", ""},
		{"36", "H87", "DZN", "3", ""},
		{"1", "SMI", "FOT", "5280", ""},
		{"1", "YRD", "INH", "36", ""},
		{"1", "FTQ", "INQ", "1728", ""},
		{"1", "GLL", "INQ", "231", ""},
		{"1", "BLL", "GLL", "42", ""},
		{"1", "GLL", "OZA", "128", ""},
		{"8", "PTI", "GLI", "1", ""},
		{"1", "GLI", "LTR", "4.54609", ""},
		{"1", "GLL", "LTR", "3.785411784", ""},
		{"1", "FTK", "MTK", "0.09290304", ""},
		{"90", "MIN", "HUR", "1.5", ""},
		{"-40", "CEL", "FAH", "-40", ""},
		{"4", "CEL", "FAH", "39.2", ""},
		{"77", "FAH", "CEL", "25", ""},
		{"0", "CEL", "KEL", "273.15", ""},
		{"5", "CS", "CS", "5", ""},
		{"1", "ONZ", "KGM", "", "QUANTITY_INEXACT"}, // 0.028349523125
		{"1", "EA", "DZN", "", "QUANTITY_INEXACT"},
		{"1", "FTQ", "MTQ", "", "QUANTITY_INEXACT"},
		{"1", "CS", "EA", "", "UNIT_MISMATCH"},
		{"1", "SET", "EA", "", "UNIT_MISMATCH"},
		{"1", "CS", "BX", "", "UNIT_MISMATCH"},
		{"1", "KGM", "MTR", "", "UNIT_MISMATCH"},
		{"1", "ZZZ", "EA", "", "UNIT_UNKNOWN"},
		{"1", "EA", "PCE", "", "UNIT_UNKNOWN"},
		{"999999999999999999", "TNE", "GRM", "", "QUANTITY_OUT_OF_RANGE"},
	}
	for _, tt := range tests {
		q, err := quantity.New(tt.value, tt.from)
		if err != nil {
			t.Fatal(err)
		}
		got, err := quantity.Convert(q, tt.to)
		if reason(err) != tt.reason || err == nil && got.String() != tt.want+" "+tt.to {
			t.Errorf("%s → %s = %s, %v; want %s %s", q, tt.to, got, err, tt.want, tt.reason)
		}
	}
}

func TestConvertRounded(t *testing.T) {
	tests := []struct {
		value, from, to string
		decimals        int
		mode            quantity.Rounding
		want            string
	}{
		{"1", "ONZ", "KGM", 6, quantity.HalfEven, "0.02835"},
		{"2.5", "KGM", "KGM", 0, quantity.HalfEven, "2"},
		{"3.5", "KGM", "KGM", 0, quantity.HalfEven, "4"},
		{"2.5", "KGM", "KGM", 0, quantity.HalfUp, "3"},
		{"-2.5", "KGM", "KGM", 0, quantity.HalfUp, "-3"},
		{"2.000000001", "KGM", "KGM", 0, quantity.Up, "3"},
		{"-2.9", "KGM", "KGM", 0, quantity.Down, "-2"},
		{"101", "LBR", "CWA", 0, quantity.Up, "2"},
		{"70", "FAH", "CEL", 1, quantity.HalfEven, "21.1"},
		{"21.1", "CEL", "FAH", 0, quantity.HalfEven, "70"},
		{"-0.4", "KGM", "KGM", 0, quantity.HalfEven, "0"},
	}
	for _, tt := range tests {
		got, err := quantity.ConvertRounded(quantity.Quantity{Value: quantity.MustParse(tt.value), Unit: tt.from}, tt.to, tt.decimals, tt.mode)
		if err != nil || got.Value.String() != tt.want {
			t.Errorf("%s %s → %s = %s, %v; want %s", tt.value, tt.from, tt.to, got, err, tt.want)
		}
	}
	if _, err := quantity.Int(1).Round(10, quantity.Up); reason(err) != "QUANTITY_MALFORMED" {
		t.Error("rounded to ten decimals")
	}
	if _, err := quantity.MustParse("999999999999999999.9").Round(0, quantity.Up); reason(err) != "QUANTITY_OUT_OF_RANGE" {
		t.Error("rounded out of bounds")
	}
}

// TestItemRatio is a packaging ratio as an item holds it: exact both ways, or refused.
func TestItemRatio(t *testing.T) {
	plate := quantity.Ratio{Num: 400, Den: 1} // 1 PG = 400 FTK
	area, err := quantity.MustParse("2.5").Mul(plate)
	if err != nil || area != quantity.Int(1000) {
		t.Fatalf("2.5 plates = %s, %v", area, err)
	}
	if back, err := area.Mul(plate.Inverse()); err != nil || back != quantity.MustParse("2.5") {
		t.Fatalf("1000 square feet = %s plates, %v", back, err)
	}
	if _, err := quantity.Int(1).Mul(quantity.Ratio{Num: 1, Den: 12}); reason(err) != "QUANTITY_INEXACT" {
		t.Errorf("one piece in cases of twelve: %v", err)
	}
	if d, err := quantity.Int(8).Mul(quantity.Ratio{Num: 6, Den: 12}); err != nil || d != quantity.Int(4) {
		t.Errorf("8 × 6/12 = %s, %v", d, err)
	}
	for _, r := range []quantity.Ratio{{}, {1, 0}, {0, 1}, {-1, 1}, {1, -1}} {
		if _, err := quantity.Int(1).Mul(r); reason(err) != "QUANTITY_RATIO_INVALID" {
			t.Errorf("%v was taken as a ratio", r)
		}
	}
	if _, err := (quantity.Ratio{Num: 1<<63 - 1, Den: 1}).Times(quantity.Ratio{Num: 2, Den: 1}); reason(err) != "QUANTITY_RATIO_INVALID" {
		t.Error("a ratio overflowed")
	}
}

// TestMul checks exact and rounded products against math/big, and that exact ones can be undone.
func TestMul(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := decimals.Draw(t, "d")
		limit := rapid.SampledFrom([]int64{20, 100_000, 1<<63 - 1}).Draw(t, "limit")
		r := quantity.Ratio{Num: rapid.Int64Range(1, limit).Draw(t, "num"), Den: rapid.Int64Range(1, limit).Draw(t, "den")}
		want := new(big.Rat).Mul(new(big.Rat).SetInt(d.Scaled()), big.NewRat(r.Num, r.Den))
		got, err := d.Mul(r)
		switch reason(err) {
		case "":
			if want.Cmp(new(big.Rat).SetInt(got.Scaled())) != 0 {
				t.Fatalf("%s × %v = %s", d, r, got)
			}
			if back, err := got.Mul(r.Inverse()); err != nil || back != d {
				t.Fatalf("%s × %v = %s, back %s %v", d, r, got, back, err)
			}
		case "QUANTITY_INEXACT":
			if want.IsInt() {
				t.Fatalf("%s × %v is exact", d, r)
			}
		case "QUANTITY_OUT_OF_RANGE":
			if want.Abs(want).Cmp(new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(27), nil))) < 0 {
				t.Fatalf("%s × %v is in bounds", d, r)
			}
		default:
			t.Fatal(err)
		}
		rounded, err := d.MulRounded(r, 9, quantity.HalfEven)
		if err == nil && got != rounded && reason(rounded.Check()) == "" {
			off := new(big.Rat).Sub(new(big.Rat).SetInt(rounded.Scaled()), new(big.Rat).Mul(new(big.Rat).SetInt(d.Scaled()), big.NewRat(r.Num, r.Den)))
			if off.Abs(off).Cmp(big.NewRat(1, 2)) > 0 {
				t.Fatalf("%s × %v rounded to %s", d, r, rounded)
			}
		}
	})
}

// TestTable converts between any two units of one dimension there and back: a
// wrong or too fine factor shows as an overflow or as a round trip that is off.
func TestTable(t *testing.T) {
	units := quantity.Units()
	if len(units) < 60 {
		t.Fatalf("only %d units", len(units))
	}
	for _, from := range units {
		if u, ok := quantity.Unit(from.Code); !ok || u != from || from.Name == "" || from.Packaging && from.Dimension != quantity.None {
			t.Errorf("entry %+v", from)
		}
		for _, to := range units {
			if from.Dimension == quantity.None || from.Dimension != to.Dimension {
				continue
			}
			there, err := from.Factor.Times(to.Factor.Inverse())
			if err != nil {
				t.Fatalf("%s → %s: %v", from.Code, to.Code, err)
			}
			back, err := to.Factor.Times(from.Factor.Inverse())
			if err != nil || back != there.Inverse() {
				t.Fatalf("%s → %s is %v, back %v, %v", from.Code, to.Code, there, back, err)
			}
		}
	}
}
