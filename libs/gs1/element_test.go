package gs1_test

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/gs1"
)

const fnc1 = gs1.FNC1

func TestParse(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"pallet label", "00106141412345678908", "(00)106141412345678908"},
		{"reader prefix", "]C100106141412345678908", "(00)106141412345678908"},
		{"DataMatrix with leading separator", "]d2" + fnc1 + "0109501101530003", "(01)09501101530003"},
		{"fixed then variable", "01095011015300031726123110AB-12/3", "(01)09501101530003(17)261231(10)AB-12/3"},
		{"variable ended", "10ABC123" + fnc1 + "2100001" + fnc1 + "3712", "(10)ABC123(21)00001(37)12"},
		{"separator behind fixed data", "17261231" + fnc1 + "10X", "(17)261231(10)X"},
		{"separator at the end", "10X" + fnc1, "(10)X"},
		{"contents", "0209501101530003" + "37100" + fnc1 + "400PO-4711", "(02)09501101530003(37)100(400)PO-4711"},
		{"net weight", "3103012345", "(3103)012345"},
		{"batch that starts like an identifier", "1001" + fnc1 + "17261231", "(10)01(17)261231"},
		{"ship-to", "4100614141123452", "(410)0614141123452"},
		{"said twice alike", "17261231" + "17261231", "(17)261231"},
		{"printed", "(01)09501101530003(17)261231(10)AB(1)C", "(01)09501101530003(17)261231(10)AB(1)C"},
		{"printed weight", "(3102)000500", "(3102)000500"},
	}
	for _, tt := range tests {
		elements, err := gs1.Parse(tt.in)
		if err != nil || join(elements) != tt.want {
			t.Errorf("%s: %q = %s, %v; want %s", tt.name, tt.in, join(elements), err, tt.want)
		}
	}
	refused := []struct{ name, in, reason string }{
		{"nothing", "", "GS1_MALFORMED"},
		{"only a separator", "]C1" + fnc1, "GS1_MALFORMED"},
		{"unknown identifier", "9912", "GS1_MALFORMED"},
		{"short", "0010614141234567890", "GS1_MALFORMED"},
		{"check digit of an SSCC", "00106141412345678909", "GS1_CHECK_DIGIT"},
		{"check digit of a GTIN", "0109501101530004", "GS1_CHECK_DIGIT"},
		{"letters", "01095011015300AB", "GS1_MALFORMED"},
		{"count too long", "37123456789", "GS1_MALFORMED"},
		{"batch too long", "10" + strings.Repeat("A", 21), "GS1_MALFORMED"},
		{"batch empty", "10" + fnc1 + "17261231", "GS1_MALFORMED"},
		{"batch with a space", "10A B", "GS1_MALFORMED"},
		{"batch not ASCII", "10Ä", "GS1_MALFORMED"},
		{"no such day", "17260230", "GS1_MALFORMED"},
		{"decimal point", "3107000001", "GS1_MALFORMED"},
		{"said twice otherwise", "1726123117261230", "GS1_MALFORMED"},
		{"parenthesis open", "(01", "GS1_MALFORMED"},
		{"printed unknown", "(99)1", "GS1_MALFORMED"},
		{"printed longer", "(011)09501101530003", "GS1_MALFORMED"},
		{"too long", strings.Repeat("17261231", 200), "GS1_MALFORMED"},
	}
	for _, tt := range refused {
		if elements, err := gs1.Parse(tt.in); reason(err) != tt.reason {
			t.Errorf("%s: %q = %v, %v; want %s", tt.name, tt.in, elements, err, tt.reason)
		}
	}
}

func TestMeasure(t *testing.T) {
	for in, want := range map[string]string{
		"3103012345": "12.345 KGM", "3100000012": "12 KGM", "3106123456": "0.123456 KGM", "3202001250": "12.5 LBR", "3301000105": "10.5 KGM",
	} {
		elements, err := gs1.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if q, ok := elements[0].Measure(); !ok || q.String() != want {
			t.Errorf("%s measures %s, %v; want %s", in, q, ok, want)
		}
	}
	if q, ok := (gs1.Element{AI: "3712", Value: "abcdef"}).Measure(); ok {
		t.Errorf("a count measures %s", q)
	}
}

// TestEncodedReadsBack writes elements in both forms and reads them again.
func TestEncodedReadsBack(t *testing.T) {
	text := func(n int) *rapid.Generator[string] {
		return rapid.StringOfN(rapid.RuneFrom([]rune(`!"%&'*+,-./0123456789:;<=>?ABCXYZ_abcxyz`)), 1, n, -1)
	}
	digits := rapid.StringMatching(`[0-9]{6}`)
	kinds := []struct {
		ai    string
		value *rapid.Generator[string]
	}{
		{"00", rapid.Just("106141412345678908")},
		{"01", rapid.Just("09501101530003")},
		{"10", text(20)},
		{"21", text(20)},
		{"17", rapid.Just("261231")},
		{"3102", digits},
		{"37", rapid.StringMatching(`[0-9]{1,8}`)},
		{"400", text(30)},
	}
	variable := map[string]bool{"10": true, "21": true, "37": true, "400": true}
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.Permutation(kinds).Draw(t, "order")[:rapid.IntRange(1, len(kinds)).Draw(t, "n")]
		var elements []gs1.Element
		var scan strings.Builder
		scan.WriteString("]C1")
		for _, k := range order {
			e := gs1.Element{AI: k.ai, Value: k.value.Draw(t, k.ai)}
			elements = append(elements, e)
			scan.WriteString(e.AI + e.Value)
			if variable[e.AI] {
				scan.WriteString(fnc1)
			}
		}
		for _, in := range []string{scan.String(), join(elements)} {
			got, err := gs1.Parse(in)
			if err != nil || !reflect.DeepEqual(got, elements) {
				t.Fatalf("%q = %v, %v", in, got, err)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"00106141412345678908", "]d2" + fnc1 + "01095011015300031726123110AB" + fnc1 + "21X", "(01)09501101530003(10)A(1)", "3103012345", "37", "(",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		elements, err := gs1.Parse(s)
		if err != nil {
			return
		}
		for _, e := range elements {
			if strings.Contains(e.Value, fnc1) || e.Value == "" {
				t.Fatalf("%q holds %q", s, e)
			}
			e.Measure()
		}
		var scan strings.Builder
		for _, e := range elements {
			scan.WriteString(e.AI + e.Value + fnc1)
		}
		if again, err := gs1.Parse(scan.String()); err != nil || !reflect.DeepEqual(again, elements) {
			t.Fatalf("%q: %v reads back as %v, %v", s, elements, again, err)
		}
	})
}
