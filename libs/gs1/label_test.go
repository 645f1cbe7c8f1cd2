package gs1_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/gs1"
)

const labelSSCC = "106141412345678908"

// els are elements of identifiers and data in turn.
func els(pairs ...string) (out []gs1.Element) {
	for pair := range slices.Chunk(pairs, 2) {
		out = append(out, gs1.Element{AI: pair[0], Value: pair[1]})
	}
	return out
}

func TestLabel(t *testing.T) {
	for name, tt := range map[string]struct {
		elements []gs1.Element
		want     []string // data of the symbols
	}{
		"the SSCC alone": {els("00", labelSSCC), []string{"00" + labelSSCC}},
		"one item": {
			els("00", labelSSCC, "02", "09501101530003", "37", "12", "10", "L1", "17", "261231"),
			[]string{"0209501101530003" + "3712" + fnc1 + "10L1" + fnc1 + "17261231", "00" + labelSSCC},
		},
		"no separator behind a predefined length, one behind a shipment number": {
			els("3303", "012345", "402", "40123450000000016", "410", "0614141123452", "00", labelSSCC),
			[]string{"3303012345" + "40240123450000000016" + fnc1 + "4100614141123452", "00" + labelSSCC},
		},
		"more than one symbol carries": {
			els("00", labelSSCC, "400", strings.Repeat("P", 30), "401", strings.Repeat("C", 30), "420", "20095"),
			[]string{"400" + strings.Repeat("P", 30), "401" + strings.Repeat("C", 30) + fnc1 + "42020095", "00" + labelSSCC},
		},
	} {
		symbols, err := gs1.Label(tt.elements)
		var got []string
		for _, s := range symbols {
			got = append(got, s.Data)
			if s.Printed != gs1.Print(s.Elements) {
				t.Errorf("%s: %q is printed %q", name, s.Data, s.Printed)
			}
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, tt.want)
		}
	}
}

func TestLabelRefuses(t *testing.T) {
	for name, elements := range map[string][]gs1.Element{
		"content without a count":    els("00", labelSSCC, "02", "09501101530003"),
		"content without an SSCC":    els("02", "09501101530003", "37", "1"),
		"a count of nothing":         els("00", labelSSCC, "37", "1"),
		"an item and content":        els("00", labelSSCC, "01", "09501101530003", "02", "09501101530003", "37", "1"),
		"a lot of nothing":           els("00", labelSSCC, "10", "L1"),
		"a serial of content":        els("00", labelSSCC, "02", "09501101530003", "37", "1", "21", "S1"),
		"a net weight of nothing":    els("00", labelSSCC, "3103", "000001"),
		"a gross weight of nothing":  els("3303", "000001"),
		"an identifier twice":        els("00", labelSSCC, "400", "A", "400", "B"),
		"an unknown identifier":      els("00", labelSSCC, "99", "A"),
		"an identifier with data":    els("00", labelSSCC, "4001", "A"),
		"a wrong check digit":        els("00", "106141412345678909"),
		"a shipment's check digit":   els("00", labelSSCC, "402", "40123450000000018"),
		"a character of another set": els("00", labelSSCC, "400", "PO 1"),
	} {
		if symbols, err := gs1.Label(elements); reason(err) == "" || symbols != nil {
			t.Errorf("%s: %v, %v", name, symbols, err)
		}
	}
}

func TestElementsOfValues(t *testing.T) {
	for grams, want := range map[int64][]gs1.Element{
		0: els("3303", "000000"), 12_345: els("3303", "012345"), 999_999: els("3303", "999999"), 1_000_000: els("3302", "100000"),
		1_234_565: els("3302", "123457"), 9_999_996: els("3301", "100000"), 12_344_446: els("3301", "123444"),
		123_456_789: els("3300", "123457"), 999_999_499: els("3300", "999999"),
	} {
		if got, ok := gs1.Kilograms("330", grams); !ok || got != want[0] {
			t.Errorf("%d g are %v, %v; want %v", grams, got, ok, want)
		}
	}
	if e, ok := gs1.Kilograms("330", 1_000_000_000); ok {
		t.Errorf("1,000 tonnes are %v", e)
	}
	if e := gs1.DateElement("17", time.Date(2031, 1, 9, 0, 0, 0, 0, time.UTC)); e != els("17", "310109")[0] {
		t.Errorf("%v", e)
	}
	for ai, want := range map[string]string{"00": "SSCC", "3302": "GROSS WEIGHT (kg)", "420": "SHIP TO POST", "99": "", "4001": ""} {
		if got := (gs1.Element{AI: ai}).Title(); got != want {
			t.Errorf("(%s) is called %q", ai, got)
		}
	}
}

// TestLabelReadsBack: whatever stands on a label, each of its symbols is read back, none is longer
// than a symbol can be, and nothing is left off.
func TestLabelReadsBack(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune(`!"%&'()*+,-./0123456789:;<=>?ABCXYZ_abcxyz`)), 1, 30, -1)
	rapid.Check(t, func(t *rapid.T) {
		elements := els("00", labelSSCC)
		if rapid.Bool().Draw(t, "content") {
			elements = append(elements, els("02", "09501101530003", "37", rapid.StringMatching(`[0-9]{1,8}`).Draw(t, "count"))...)
			if lot := text.Draw(t, "lot"); len(lot) <= 20 {
				elements = append(elements, els("10", lot)...)
			}
		}
		if e, ok := gs1.Kilograms("330", rapid.Int64Range(0, 2_000_000_000).Draw(t, "grams")); ok {
			elements = append(elements, e)
		}
		for _, ai := range []string{"400", "401"} {
			if rapid.Bool().Draw(t, ai) {
				elements = append(elements, els(ai, text.Draw(t, "text"))...)
			}
		}
		symbols, err := gs1.Label(elements)
		if err != nil {
			t.Fatal(err)
		}
		var read []gs1.Element
		for _, s := range symbols {
			got, err := gs1.Parse(s.Data)
			if err != nil || !reflect.DeepEqual(got, s.Elements) || len(s.Data) > 48 {
				t.Fatalf("%q reads back as %v, %v", s.Data, got, err)
			}
			read = append(read, got...)
		}
		if last := read[len(read)-1]; last.AI != "00" || !reflect.DeepEqual(append(read[len(read)-1:], read[:len(read)-1]...), elements) {
			t.Fatalf("%v is on the label, not %v", read, elements)
		}
	})
}

func FuzzEncode(f *testing.F) {
	f.Add("10", "L1", "17", "261231")
	f.Add("402", "40123450000000016", "420", "20095")
	f.Add("00", labelSSCC, "4001", "x")
	f.Fuzz(func(t *testing.T, ai1, value1, ai2, value2 string) {
		elements := els(ai1, value1, ai2, value2)
		data, err := gs1.Encode(elements)
		if err != nil || ai1 == ai2 {
			return
		}
		if got, err := gs1.Parse(data); err != nil || !reflect.DeepEqual(got, elements) {
			t.Fatalf("%v is written %q and reads back as %v, %v", elements, data, got, err)
		}
	})
}
