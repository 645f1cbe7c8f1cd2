package gs1_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
)

// TestKeys uses keys printed in the GS1 General Specifications and the EPC Tag Data Standard.
func TestKeys(t *testing.T) {
	tests := []struct {
		name     string
		key      func(string) (string, error)
		in, want string // want is the key or the reason
	}{
		{"GTIN-8", gs1.GTIN, "96385074", "00000096385074"},
		{"GTIN-12", gs1.GTIN, "036000291452", "00036000291452"},
		{"GTIN-13", gs1.GTIN, "4006381333931", "04006381333931"},
		{"GTIN-14", gs1.GTIN, "80614141123458", "80614141123458"},
		{"GTIN wrong digit", gs1.GTIN, "4006381333932", "GS1_CHECK_DIGIT"},
		{"GTIN letters", gs1.GTIN, "400638133393X", "GS1_MALFORMED"},
		{"GTIN letter inside", gs1.GTIN, "4006381E33931", "GS1_MALFORMED"},
		{"GTIN length", gs1.GTIN, "40063813339", "GS1_MALFORMED"},
		{"GTIN empty", gs1.GTIN, "", "GS1_MALFORMED"},
		{"GLN", gs1.GLN, "0614141123452", "0614141123452"},
		{"GLN wrong digit", gs1.GLN, "0614141123450", "GS1_CHECK_DIGIT"},
		{"GLN length", gs1.GLN, "614141123452", "GS1_MALFORMED"},
		{"SSCC", gs1.ParseSSCC, "106141412345678908", "106141412345678908"},
		{"SSCC with identifier", gs1.ParseSSCC, "00106141412345678908", "106141412345678908"},
		{"SSCC printed", gs1.ParseSSCC, "(00)106141412345678908", "106141412345678908"},
		{"SSCC of zeros", gs1.ParseSSCC, "000000000000000000", "000000000000000000"},
		{"SSCC wrong digit", gs1.ParseSSCC, "106141412345678909", "GS1_CHECK_DIGIT"},
		{"SSCC length", gs1.ParseSSCC, "10614141234567890", "GS1_MALFORMED"},
	}
	for _, tt := range tests {
		got, err := tt.key(tt.in)
		if f, ok := fault.As(err); ok {
			got = f.Reason
		}
		if got != tt.want {
			t.Errorf("%s: %q gives %s (%v), want %s", tt.name, tt.in, got, err, tt.want)
		}
	}
}

func TestSSCC(t *testing.T) {
	if s, err := gs1.SSCC("0614141", 1, 234567890); err != nil || s != "106141412345678908" {
		t.Errorf("%s, %v", s, err)
	}
	for name, tt := range map[string]struct {
		prefix    string
		extension int
		serial    uint64
		reason    string
	}{
		"short prefix": {"061", 0, 1, "GS1_PREFIX_INVALID"},
		"long prefix":  {"0614141061414", 0, 1, "GS1_PREFIX_INVALID"},
		"letters":      {"06141AB", 0, 1, "GS1_PREFIX_INVALID"},
		"extension":    {"0614141", 10, 1, "GS1_MALFORMED"},
		"serials used": {"0614141", 0, 1_000_000_000, "GS1_SERIALS_EXHAUSTED"},
		"huge serial":  {"0614", 0, 1<<64 - 1, "GS1_SERIALS_EXHAUSTED"},
	} {
		if s, err := gs1.SSCC(tt.prefix, tt.extension, tt.serial); reason(err) != tt.reason {
			t.Errorf("%s: %s, %v", name, s, err)
		}
	}
}

// TestCheckDigitCatchesErrors: any one wrong digit is found, and so is what two
// swapped neighbours change unless they differ by five.
func TestCheckDigitCatchesErrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.StringMatching(`[0-9]{4,12}`).Draw(t, "prefix")
		room := uint64(1)
		for range 16 - len(prefix) {
			room *= 10
		}
		s, err := gs1.SSCC(prefix, rapid.IntRange(0, 9).Draw(t, "extension"), rapid.Uint64Range(0, room-1).Draw(t, "serial"))
		if err != nil || len(s) != 18 || s[1:1+len(prefix)] != prefix {
			t.Fatalf("%s, %v", s, err)
		}
		if back, err := gs1.ParseSSCC(s); err != nil || back != s {
			t.Fatalf("%s read back as %s, %v", s, back, err)
		}
		i := rapid.IntRange(0, 17).Draw(t, "position")
		wrong := []byte(s)
		wrong[i] = '0' + (wrong[i]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if _, err := gs1.ParseSSCC(string(wrong)); reason(err) != "GS1_CHECK_DIGIT" {
			t.Fatalf("%s passes for %s: %v", wrong, s, err)
		}
		if j := rapid.IntRange(0, 16).Draw(t, "swap"); s[j] != s[j+1] && (s[j]-s[j+1]+10)%5 != 0 {
			swapped := []byte(s)
			swapped[j], swapped[j+1] = s[j+1], s[j]
			if _, err := gs1.ParseSSCC(string(swapped)); reason(err) != "GS1_CHECK_DIGIT" {
				t.Fatalf("%s passes for %s: %v", swapped, s, err)
			}
		}
	})
}

func TestDate(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct{ in, want string }{
		{"261231", "2026-12-31"},
		{"280200", "2028-02-29"},
		{"270200", "2027-02-28"},
		{"261200", "2026-12-31"},
		{"760101", "2076-01-01"},
		{"770101", "1977-01-01"},
		{"000229", "2000-02-29"},
		{"270229", ""},
		{"261301", ""},
		{"260001", ""},
		{"260000", ""},
		{"260132", ""},
		{"26010", ""},
		{"26O101", ""},
	}
	for _, tt := range tests {
		got, err := gs1.Date(tt.in, now)
		if (err == nil) != (tt.want != "") || err == nil && got.Format(time.DateOnly) != tt.want {
			t.Errorf("Date(%s) = %v, %v; want %s", tt.in, got, err, tt.want)
		}
	}
	late := time.Date(2099, 3, 1, 0, 0, 0, 0, time.UTC)
	if got, _ := gs1.Date("010101", late); got.Year() != 2101 {
		t.Errorf("year 01 seen from 2099 is %d", got.Year())
	}
}

func reason(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Reason
	}
	return ""
}

func join(elements []gs1.Element) string {
	var b strings.Builder
	for _, e := range elements {
		b.WriteString("(" + e.AI + ")" + e.Value)
	}
	return b.String()
}
