// Package gs1 is the keys and element strings of the GS1 General Specifications.
//
// It promises that a key it returns has a correct check digit and one spelling:
// every GTIN as 14 digits, an SSCC as 18, a GLN as 13. Barcode data is read into
// its application identifiers whether it was scanned or typed in, and written into the
// GS1-128 symbols of a logistic label.
package gs1

import (
	"strconv"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// CheckDigit returns the modulo-10 check digit that belongs behind the digits of
// a GTIN, SSCC, GLN, GSIN or GRAI.
func CheckDigit(digits string) (byte, error) {
	if digits == "" || len(digits) > 30 || !numeric(digits) {
		return 0, fault.New(fault.Invalid, "GS1_MALFORMED", "a check digit is made of 1 to 30 digits")
	}
	sum := 0
	for i := range len(digits) {
		weight := 1 + 2*((len(digits)-i)%2) // 3 for the last digit, 1 for the one before …
		sum += weight * int(digits[i]-'0')
	}
	return byte('0' + (10-sum%10)%10), nil
}

// GTIN checks a GTIN-8, -12, -13 or -14 and returns it as 14 digits.
func GTIN(s string) (string, error) {
	switch len(s) {
	case 8, 12, 13, 14:
		if err := check("GTIN", s); err != nil {
			return "", err
		}
		return strings.Repeat("0", 14-len(s)) + s, nil
	}
	return "", wrongLength("GTIN", "8, 12, 13 or 14", len(s))
}

// GLN checks a global location number of 13 digits and returns it.
func GLN(s string) (string, error) {
	if len(s) != 13 {
		return "", wrongLength("GLN", "13", len(s))
	}
	return s, check("GLN", s)
}

// SSCC makes the 18 digits of a serial shipping container code from a GS1
// company prefix of 4 to 12 digits, an extension digit and a serial number that
// fits the digits left.
func SSCC(prefix string, extension int, serial uint64) (string, error) {
	if len(prefix) < 4 || len(prefix) > 12 || !numeric(prefix) {
		return "", fault.New(fault.Invalid, "GS1_PREFIX_INVALID", "a GS1 company prefix has 4 to 12 digits")
	}
	if extension < 0 || extension > 9 {
		return "", fault.New(fault.Invalid, "GS1_MALFORMED", "the extension digit of an SSCC is 0 to 9, not %d", extension)
	}
	digits, room := strconv.FormatUint(serial, 10), 16-len(prefix)
	if len(digits) > room {
		return "", fault.New(fault.Exhausted, "GS1_SERIALS_EXHAUSTED", "serial %d does not fit %d digits behind prefix %s", serial, room, prefix)
	}
	body := strconv.Itoa(extension) + prefix + strings.Repeat("0", room-len(digits)) + digits
	c, err := CheckDigit(body)
	return body + string(c), err
}

// ParseSSCC checks an SSCC of 18 digits and returns it. The application
// identifier may stand before it as "00" or "(00)".
func ParseSSCC(s string) (string, error) {
	if len(s) == 20 {
		s = strings.TrimPrefix(s, "00")
	}
	s = strings.TrimPrefix(s, "(00)")
	if len(s) != 18 {
		return "", wrongLength("SSCC", "18", len(s))
	}
	return s, check("SSCC", s)
}

// check verifies that s is digits of which the last is the check digit.
func check(name, s string) error {
	want, err := CheckDigit(s[:len(s)-1])
	if err != nil || !numeric(s) {
		return fault.New(fault.Invalid, "GS1_MALFORMED", "a %s has only digits", name)
	}
	if got := s[len(s)-1]; got != want {
		return fault.New(fault.Invalid, "GS1_CHECK_DIGIT", "the check digit of %s %s is %c, not %c", name, s, want, got)
	}
	return nil
}

func wrongLength(name, want string, got int) error {
	return fault.New(fault.Invalid, "GS1_MALFORMED", "a %s has %s digits, not %d characters", name, want, got)
}

func numeric(s string) bool { return strings.Trim(s, "0123456789") == "" }
